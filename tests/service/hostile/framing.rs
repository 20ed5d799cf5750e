//! What is not HTTP, or can be read in two ways → refused; HTTP/2 with the same limits.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

use super::{IMPATIENT, LET_GO, SMALL, flags, lives_with, unfinished};
use crate::service::program::{FORM, Program, await_that, chunk, head, part_head, rest};

#[test]
fn framing_that_can_be_read_in_two_ways_is_refused() {
    let program = Program::start(IMPATIENT);
    let sent = |bytes: &[u8]| {
        let mut stream = program.connect();
        stream.write_all(bytes).unwrap();
        let (got, closed) = rest(&mut stream, LET_GO, b"");
        assert!(closed, "still connected: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(200)]));
        String::from_utf8_lossy(&got).into_owned()
    };
    let post = "POST /v1/check HTTP/1.1\r\nHost: localhost\r\n";
    let second = "GET /v1/policy HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    for framing in [
        "Content-Length: 4\r\nContent-Length: 5\r\n",
        "Content-Length: 5, 4\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length : 5\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "X: a\r\n Content-Length: 5\r\n",
        "X: a\0b\r\nContent-Length: 5\r\n",
    ] {
        let text = sent(format!("{post}{framing}\r\nabcde{second}").as_bytes());
        assert!(text.starts_with("HTTP/1.1 400 ") && text.matches("HTTP/1.1 ").count() == 1, "{framing:?}: {text}");
    }
    for broken in
        ["zz\r\nabc\r\n", "3\r\nabcdef\r\n", "-3\r\nabc\r\n", "ffffffffffffffffff\r\nabc\r\n", "3 \0\r\nabc\r\n"]
    {
        let text = sent(format!("{post}{chunked}\r\n{broken}0\r\n\r\n{second}").as_bytes());
        assert!(text.starts_with("HTTP/1.1 400 ") && text.matches("HTTP/1.1 ").count() == 1, "{broken:?}: {text}");
    }
    // Both framings: one of them counts, and whatever comes after is no request.
    for both in [format!("Content-Length: 4\r\n{chunked}"), format!("{chunked}Content-Length: 4\r\n")] {
        let text = sent(format!("{post}{both}\r\n0\r\n\r\n{second}").as_bytes());
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{text}");
        assert!(text.starts_with("HTTP/1.1 4"), "{text}");
    }
    let old = sent(format!("{}{chunked}\r\n0\r\n\r\n{second}", post.replace("1.1", "1.0")).as_bytes());
    assert!(old.starts_with("HTTP/1.1 400 ") || old.starts_with("HTTP/1.0 400 "), "{old}");
    // Less is declared than is sent: what is left over is no picture and no second upload.
    let short = sent(&[format!("{post}Content-Length: 100\r\n\r\n").as_bytes(), SMALL].concat());
    assert!(short.starts_with("HTTP/1.1 422 ") && !short.contains("HTTP/1.1 200 "), "{short}");
    // More is declared than is sent.
    let long = sent(&[format!("{post}Content-Length: {}\r\n\r\n", SMALL.len() + 1).as_bytes(), SMALL].concat());
    assert!(long.starts_with("HTTP/1.1 408 "), "{long}");
    lives_with(&program, 0);
}

#[test]
fn what_is_not_http_is_refused() {
    let program = Program::start(IMPATIENT);
    let refused = |name: &str, bytes: &[u8], allowed: &[&str]| {
        let mut stream = program.connect();
        // It may be closed in the middle.
        let _ = stream.write_all(bytes);
        let (got, closed) = rest(&mut stream, LET_GO, b"");
        let text = String::from_utf8_lossy(&got).into_owned();
        assert!(closed, "{name}: still connected");
        assert!(text.is_empty() || allowed.iter().any(|status| text.get(9..12) == Some(status)), "{name}: {text}");
    };
    let many = "X: a\r\n".repeat(1_000);
    refused("many headers", head("GET", "/healthz", &many).as_bytes(), &["431", "400"]);
    // One header of this length is within what is read at a time, or is not: no more is held of it than that.
    let kib = |n: usize| head("GET", "/healthz", &format!("X: {}\r\n", "a".repeat(n << 10)));
    refused("a large header", kib(100).as_bytes(), &["431", "400", "200"]);
    refused("a huge header", kib(1024).as_bytes(), &["431", "400"]);
    refused("a large path", head("GET", &format!("/{}", "a".repeat(100 << 10)), "").as_bytes(), &["414", "431", "400"]);
    for bad in [
        "GET\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/9.9\r\n\r\n",
        "GET  /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n: no name\r\n\r\n",
        "GET /hea\0lthz HTTP/1.1\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame of HTTP/2",
    ] {
        let mut stream = program.connect();
        stream.write_all(bad.as_bytes()).unwrap();
        let (got, closed) = rest(&mut stream, LET_GO, b"");
        let text = String::from_utf8_lossy(&got).into_owned();
        assert!(closed && (!text.starts_with("HTTP") || text.starts_with("HTTP/1.1 4")), "{bad:?}: {text}");
    }
    // A TLS greeting of a browser, cut short.
    let mut hello = vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3];
    hello.resize(517, 0x55);
    refused("TLS", &hello, &["400"]);
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for i in 0..60 {
        let mut bytes: Vec<u8> = (0..=next() % 600).map(|_| next() as u8).collect();
        if i % 3 == 0 {
            bytes.splice(0..0, *b"POST /v1/check HTTP/1.1\r\nContent-Length: 90\r\n");
        }
        // Who sends no end of a line is let go as one who sends slowly: not waited for here.
        bytes.extend_from_slice(b"\r\n\r\n");
        refused("random bytes", &bytes, &["400", "404", "405", "408", "414", "415", "422", "431"]);
    }
    lives_with(&program, 0);
}

#[test]
fn a_name_is_not_held_beyond_measure() {
    let program = Program::start(&["--workers", "1"]);
    program.check(SMALL).expect(200);
    let before = program.memory_mib("VmHWM");
    let head_of_part = part_head("");
    let (start, _) = head_of_part.split_once("\"\r\n").unwrap();
    let mut stream = program.connect();
    let headers = format!("{FORM}Transfer-Encoding: chunked\r\n");
    stream.write_all(&unfinished("/v1/check/batch", &headers, &chunk(start.as_bytes()))).unwrap();
    let piece = chunk(&vec![b'n'; 1 << 20]);
    for _ in 0..150 {
        // Closed once it is too much.
        if stream.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    let _ = rest(&mut stream, LET_GO, b"");
    let after = program.memory_mib("VmHWM");
    assert!(after < before + 100, "memory rose from {before} to {after} MiB");
    await_that("the end of the upload", || program.gauge("bonafide_uploads_in_flight") == 0);
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HTTP/2's greeting and the headers of an upload on stream 1, to go on with `flags`.
fn http2(length: usize) -> Vec<u8> {
    // POST, http; path and length as literals (RFC 7541, 6.2.2).
    let length = length.to_string();
    let mut block = vec![0x83, 0x86, 0x04, 9];
    block.extend_from_slice(b"/v1/check");
    block.extend_from_slice(&[0x01, 9]);
    block.extend_from_slice(b"localhost");
    block.extend_from_slice(&[0x0F, 0x0D, length.len() as u8]);
    block.extend_from_slice(length.as_bytes());
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(4, 0, 0, &[]), &frame(1, 4, 1, &block)].concat()
}

/// The JSON of stream 1 of HTTP/2, once it has ended.
fn http2_json(stream: &mut TcpStream) -> Option<Value> {
    let mut body = Vec::new();
    loop {
        let mut header = [0; 9];
        stream.read_exact(&mut header).ok()?;
        let mut payload = vec![0; usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2])];
        stream.read_exact(&mut payload).ok()?;
        if header[3] == 0 && header[8] == 1 {
            body.extend_from_slice(&payload);
            if header[4] & 1 == 1 {
                return serde_json::from_slice(&body).ok();
            }
        }
    }
}

#[test]
fn http2_has_the_same_limits() {
    // This side answers no ping, and a check may take a while.
    let patient = Program::start(&["--workers", "1", "--header-time", "10m", "--deadline", "10m"]);
    let mut stream = patient.connect();
    stream.write_all(&http2(SMALL.len())).unwrap();
    stream.write_all(&frame(0, 1, 1, SMALL)).unwrap();
    let verdict = http2_json(&mut stream).expect("a verdict");
    assert_eq!((&verdict["width"], verdict["decision"].is_string()), (&96.into(), true), "{verdict}");
    drop(patient);
    let program = Program::start(&flags(&["--max-mib", "1"]));
    let mut stream = program.connect();
    stream.write_all(&http2(20 << 20)).unwrap();
    assert_eq!(http2_json(&mut stream).expect("a problem")["code"], "too_large");
    let mut stream = program.connect();
    stream.write_all(&http2(SMALL.len())).unwrap();
    stream.write_all(&frame(0, 0, 1, &SMALL[..100])).unwrap();
    assert_eq!(http2_json(&mut stream).expect("a problem")["code"], "request_timeout");
    // Less than was declared, and the end.
    let mut stream = program.connect();
    stream.write_all(&http2(SMALL.len())).unwrap();
    stream.write_all(&frame(0, 1, 1, &SMALL[..100])).unwrap();
    let (got, closed) = rest(&mut stream, LET_GO, b"");
    assert!(closed && !String::from_utf8_lossy(&got).contains("decision"));
    // Begun and taken back, again and again.
    let mut stream = program.connect();
    let greeting = http2(5);
    let block = &greeting[24 + 9 + 9..];
    stream.write_all(&greeting).unwrap();
    for id in (3..4_000).step_by(2) {
        let both = [frame(1, 4, id, block), frame(3, 0, id, &[0, 0, 0, 8])].concat();
        if stream.write_all(&both).is_err() {
            break;
        }
    }
    assert!(rest(&mut stream, LET_GO, b"").1, "still connected");
    // Headers that never end.
    let mut stream = program.connect();
    stream.write_all(&[&greeting[..24 + 9], &frame(1, 0, 1, block)].concat()).unwrap();
    for _ in 0..1_000 {
        if stream.write_all(&frame(9, 0, 1, &[0x40, 1, b'x', 1, b'y'].repeat(1_000))).is_err() {
            break;
        }
    }
    assert!(rest(&mut stream, LET_GO, b"").1, "still connected");
    lives_with(&program, 0);
}
