//! Who sends slowly, too much, half, or all at once → an answer in time or a closed connection; never a false record.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::program::{FORM, Program, await_that, chunk, form, head, next_answer, part_head, rest};
use super::{Answer, sample};

/// A whole picture of 96 × 64 pixels, examined in no time.
const SMALL: &[u8] = include_bytes!("../fixtures/baseline.jpg");

/// Within this time a server lets go of who does not go on; its own limits are under a second in these tests.
const LET_GO: Duration = Duration::from_secs(20);

/// Limits that a slow sender meets soon.
const IMPATIENT: &[&str] =
    &["--header-time", "500ms", "--upload-gap", "500ms", "--upload-time", "2s", "--batch-time", "2s", "--workers", "1"];

fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    IMPATIENT.iter().chain(more).copied().collect()
}

/// The stage of a raw upload at which only a part of it has been sent.
fn unfinished(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [head("POST", path, headers).as_bytes(), body].concat()
}

/// Nothing was recorded, nothing is held, and an honest client is answered.
#[track_caller]
fn lives_with(program: &Program, cases: usize) {
    program.await_gauge("bonafide_uploads_in_flight", |held| held == 0);
    program.await_gauge("bonafide_workers_busy", |busy| busy == 0);
    assert_eq!(program.cases().len(), cases);
    program.check(SMALL).expect(200);
    assert_eq!(program.cases().len(), cases + 1);
}

#[test]
fn who_sends_slowly_is_let_go_and_holds_nobody_up() {
    let program = Program::start(IMPATIENT);
    let part = &part_head("a")[..];
    let piece = chunk(b"abc");
    let declared = "Content-Length: 1000\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let json = "Content-Type: application/json\r\nContent-Length: 1000\r\n";
    let get = head("GET", "/healthz", "").replace("Connection: close\r\n", "");
    // What is sent at once, what is sent again and again after it, and whether it can only end in a 408.
    let senders: Vec<(&str, Vec<u8>, &[u8], bool)> = vec![
        ("nothing", vec![], b"", false),
        ("one letter", b"P".to_vec(), b"", false),
        ("half of HTTP/2's greeting", b"PRI * HTTP/2.0\r\n".to_vec(), b"", false),
        ("HTTP/2's greeting and no more", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), b"", false),
        ("a request line without an end", b"GET /healthz".to_vec(), b"a", false),
        ("a header without an end", b"GET /healthz HTTP/1.1\r\nHost: test\r\nX: a".to_vec(), b"a", false),
        ("headers without an end", b"GET /healthz HTTP/1.1\r\nHost: test\r\n".to_vec(), b"X: a\r\n", false),
        ("a request and silence", get.into_bytes(), b"", false),
        ("a raw body, silent", unfinished("/v1/check", declared, b"abc"), b"", true),
        ("a raw body, slow", unfinished("/v1/check", declared, b"abc"), b"a", false),
        ("a chunked body, silent", unfinished("/v1/check", chunked, &piece), b"", true),
        ("a chunked body, slow", unfinished("/v1/check", chunked, &piece), b"1\r\na\r\n", false),
        ("a chunk's size, slow", unfinished("/v1/check", chunked, &piece), b"0", false),
        ("a form, silent", unfinished("/v1/check", &format!("{FORM}{declared}"), part.as_bytes()), b"", true),
        (
            "a form, slow",
            unfinished("/v1/check", &format!("{FORM}{chunked}"), &chunk(part.as_bytes())),
            b"1\r\na\r\n",
            false,
        ),
        ("a batch, silent", unfinished("/v1/check/batch", &format!("{FORM}{declared}"), part.as_bytes()), b"", false),
        (
            "a batch, slow",
            unfinished("/v1/check/batch", &format!("{FORM}{chunked}"), &chunk(part.as_bytes())),
            b"1\r\na\r\n",
            false,
        ),
        ("a hand-off, silent", unfinished("/v1/sessions", json, b"{"), b"", false),
        ("a hand-off, slow", unfinished("/v1/sessions", json, b"{"), b" ", false),
        ("a claim, silent", unfinished("/v1/sessions/claim", json, b"{"), b"", false),
    ];
    std::thread::scope(|scope| {
        let slow: Vec<_> = senders
            .iter()
            .map(|(name, first, dribble, is_told)| {
                let mut stream = program.connect();
                stream.write_all(first).unwrap();
                (name, is_told, scope.spawn(move || rest(&mut stream, LET_GO, dribble)))
            })
            .collect();
        // Meanwhile others are answered.
        for _ in 0..3 {
            program.check(SMALL).expect(200);
        }
        let mut held = Vec::new();
        for (name, is_told, sender) in slow {
            let (got, closed) = sender.join().unwrap();
            let text = String::from_utf8_lossy(&got).into_owned();
            if !closed {
                held.push(*name);
            }
            assert!(!text.contains("bonafide-case") && !text.contains("\"decision\""), "{name}: {text}");
            if *is_told {
                let answer = Answer::parse(&got).unwrap_or_else(|| panic!("{name}: no answer: {text}")).expect(408);
                assert_eq!(answer.problem(), "request_timeout", "{name}");
            }
        }
        assert!(held.is_empty(), "still connected: {held:?}");
    });
    lives_with(&program, 3);
}

#[test]
fn who_reads_nothing_holds_nothing_for_ever() {
    let program = Program::start(&flags(&["--connections", "3", "--batch-files", "10000", "--batch-mib", "64"]));
    // Rows repeat the names of files: an answer as large as the batch, far beyond what sockets hold.
    let name = "n".repeat(8 << 10);
    let files = vec![(&name[..], &b"no picture"[..]); 4_000];
    let (kind, body) = form(&files);
    let batch = unfinished(
        "/v1/check/batch",
        &format!(
            "{kind}Content-Length: {}
",
            body.len()
        ),
        &body,
    );
    let many = head("GET", "/openapi.json", "").replace("Connection: close\r\n", "").repeat(1_000);
    let mut deaf: Vec<TcpStream> = (0..3).map(|_| program.connect()).collect();
    std::thread::scope(|scope| {
        for (i, stream) in deaf.iter_mut().enumerate() {
            let bytes = if i == 0 { batch.clone() } else { many.clone().into_bytes() };
            // Ends when the server gives up.
            scope.spawn(move || stream.write_all(&bytes));
        }
        // There is room for three connections: this one waits until one of them is given up.
        program.check(SMALL).expect(200);
    });
    lives_with(&program, 1);
}

#[test]
fn too_much_is_refused_before_it_is_sent_and_heard_by_who_sends_on() {
    let program = Program::start(&["--max-mib", "1", "--batch-mib", "2", "--workers", "1"]);
    let long = "Content-Length: 12582912\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    // Not a byte of the body is sent.
    for (path, headers) in [
        ("/v1/check", long.to_owned()),
        ("/v1/check", format!("{long}Expect: 100-continue\r\n")),
        ("/v1/check", format!("{FORM}{long}")),
        ("/v1/check/batch", format!("{FORM}{long}")),
    ] {
        let mut stream = program.connect();
        stream.write_all(head("POST", path, &headers).as_bytes()).unwrap();
        let answer = next_answer(&mut stream).unwrap_or_else(|| panic!("no answer: {headers}")).expect(413);
        assert_eq!(answer.problem(), "too_large", "{headers}");
    }
    // Everything is sent before the answer is read.
    let (mebi, piece) = (vec![b'x'; 1 << 20], chunk(&vec![b'x'; 1 << 20]));
    let part = part_head("a").into_bytes();
    for (name, headers, first, piece) in [
        ("raw", long.to_owned(), Vec::new(), &mebi),
        ("chunked", chunked.to_owned(), Vec::new(), &piece),
        ("form", format!("{FORM}{long}"), Vec::new(), &mebi),
        ("chunked form", format!("{FORM}{chunked}"), chunk(&part), &piece),
    ] {
        let mut stream = program.connect();
        stream.write_all(&unfinished("/v1/check", &headers, &first)).unwrap();
        for _ in 0..12 {
            stream.write_all(piece).unwrap_or_else(|error| panic!("{name}: cut off: {error}"));
        }
        let answer = next_answer(&mut stream).unwrap_or_else(|| panic!("{name}: no answer")).expect(413);
        assert_eq!(answer.problem(), "too_large", "{name}");
        assert!(answer.text().contains("at most 1.000 MiB"), "{name}: {}", answer.text());
    }
    // More than a batch may have; and one file of it that is too large, where the others are examined all the same.
    let (kind, body) = form(&[("large", &mebi[..]), ("larger", &[&mebi[..], b"x"].concat())]);
    program.ask("POST", "/v1/check/batch", kind, &body).expect("an answer").expect(413);
    let over = [&mebi[..], b"x"].concat();
    let (kind, body) = form(&[("over", &over), ("small", SMALL)]);
    let rows = program.ask("POST", "/v1/check/batch", kind, &body).unwrap().expect(200).text();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[0]["error"]["code"], &rows[1]["path"], rows.len()), (&"too_large".into(), &"small".into(), 2));
    // The limit itself is taken, one byte more is not.
    let mut full = SMALL.to_vec();
    full.resize(1 << 20, 0);
    let pass = |headers: &str, body: &[u8]| program.ask("POST", "/v1/check", headers, body).unwrap().status;
    assert_eq!(pass("", &full), 200);
    assert_eq!(pass(FORM, &form(&[("a", &full)]).1), 200);
    full.push(0);
    assert_eq!(pass("", &full), 413);
    assert_eq!(pass(FORM, &form(&[("a", &full)]).1), 413);
    // Who asks before sending is told to go on.
    let mut stream = program.connect();
    let asks = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", SMALL.len());
    stream.write_all(head("POST", "/v1/check", &asks).as_bytes()).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(SMALL).unwrap();
    Answer::read(&mut stream).unwrap().expect(200);
    lives_with(&program, 4);
}

#[test]
fn half_an_upload_leaves_nothing() {
    let program = Program::start(IMPATIENT);
    let half = &SMALL[..SMALL.len() / 2];
    let declared = format!("Content-Length: {}\r\n", SMALL.len());
    let (_, whole_form) = form(&[("a", SMALL)]);
    let half_form = &whole_form[..whole_form.len() / 2];
    let form_declared = format!("{FORM}Content-Length: {}\r\n", whole_form.len());
    let (chunked, form_chunked) = ("Transfer-Encoding: chunked\r\n", format!("{FORM}Transfer-Encoding: chunked\r\n"));
    let uploads = [
        ("raw", unfinished("/v1/check", &declared, half)),
        ("chunked", unfinished("/v1/check", chunked, &chunk(half))),
        // All pieces but the last, which is empty: what came may be a whole picture, and is not taken for one.
        ("chunked without an end", unfinished("/v1/check", chunked, &chunk(SMALL))),
        ("within a chunk", unfinished("/v1/check", chunked, &chunk(SMALL)[..700])),
        ("form", unfinished("/v1/check", &form_declared, half_form)),
        ("chunked form", unfinished("/v1/check", &form_chunked, &chunk(half_form))),
        ("form without an end", unfinished("/v1/check", &form_chunked, &chunk(&whole_form[..whole_form.len() - 13]))),
        ("batch", unfinished("/v1/check/batch", &form_declared, half_form)),
    ];
    for (name, upload) in &uploads {
        // The end of what is sent, with ears still open.
        let mut stream = program.connect();
        stream.write_all(upload).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let (got, closed) = rest(&mut stream, LET_GO, b"");
        let text = String::from_utf8_lossy(&got);
        assert!(closed && !text.contains("bonafide-case") && !text.contains("\"decision\""), "{name}: {text}");
        if !text.is_empty() && *name != "batch" {
            assert_eq!(Answer::parse(&got).expect("whole").expect(400).problem(), "bad_request", "{name}");
        }
        // A reset: what is dropped with bytes unread is not closed in order.
        let mut stream = program.connect();
        let first = head("GET", "/healthz", "").replace("Connection: close\r\n", "");
        stream.write_all(&[first.as_bytes(), upload].concat()).unwrap();
        stream.peek(&mut [0]).unwrap();
        drop(stream);
        // Gone without a word.
        program.connect().write_all(upload).unwrap();
    }
    lives_with(&program, 0);
}

#[test]
fn who_is_gone_when_the_verdict_comes_harms_nobody() {
    let program = Program::start(&["--workers", "1"]);
    let picture = sample("original_card_07.jpg");
    let upload = unfinished("/v1/check", &format!("Content-Length: {}\r\n", picture.len()), &picture);
    for is_half_closed in [false, true] {
        let before = program.cases().len();
        let mut stream = program.connect();
        stream.write_all(&upload).unwrap();
        let is_begun = || program.gauge("bonafide_workers_busy") == 1 || program.cases().len() > before;
        await_that("the work to begin", is_begun);
        if is_half_closed {
            stream.shutdown(Shutdown::Write).unwrap();
            // An answer, if there is one, has its record.
            let answered = Answer::read(&mut stream).is_some_and(|answer| answer.status == 200);
            program.await_gauge("bonafide_workers_busy", |busy| busy == 0);
            assert!(program.cases().len() >= usize::from(answered));
        }
    }
    program.await_gauge("bonafide_workers_busy", |busy| busy == 0);
    program.check(SMALL).expect(200);
}

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
    let post = "POST /v1/check HTTP/1.1\r\nHost: test\r\n";
    let second = "GET /v1/policy HTTP/1.1\r\nHost: test\r\n\r\n";
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

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1)))
    });
    !bytes.iter().fold(!0_u32, |crc, byte| (crc >> 8) ^ table[usize::from(crc as u8 ^ byte)])
}

/// A PNG with this size in its header, 8-bit RGB, and these blocks.
fn png(width: u32, height: u32, blocks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..])].iter().chain(blocks).chain(&[(b"IEND", &[][..])]) {
        let block = [&kind[..], data].concat();
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(&block);
        out.extend_from_slice(&crc(&block).to_be_bytes());
    }
    out
}

/// A zlib stream of `length` zeros, a few more at most: each 258 of them in 13 bits.
fn zeros(length: usize) -> Vec<u8> {
    // RFC 1951: one block of fixed codes: a literal 0, then "258 bytes as the one before" again and again, the end.
    const REPEAT: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
    // Eight repeats fill 13 bytes. The head is 11 bits long, so that they begin with the sixth bit of one.
    let eight =
        std::array::from_fn::<u8, 13, _>(|byte| (0..8).map(|bit| REPEAT[(byte * 8 + bit + 5) % 13] << bit).sum());
    let count = length.div_ceil(8 * 258);
    // Adler-32 of n zeros.
    let sum = ((1 + 258 * (8 * count + 1)) % 65_521) as u32;
    [&[0x78, 0x01, 0x63, 0x18], &eight.repeat(count)[..], &[0x05, 0x00], &(sum << 16 | 1).to_be_bytes()].concat()
}

fn riff(kind: &str, data: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), &(data.len() as u32).to_le_bytes(), data].concat()
}

/// Files of every format that claim 65,535 × 65,535 pixels (WebP: 16,384², as much as it can say), and little else.
fn giants() -> Vec<(&'static str, Vec<u8>)> {
    let components = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    let frame = [&[0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF, 0xFF, 0xFF, 3], &components[..]].concat();
    let scan = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 1, 2, 3];
    let jpeg = [&[0xFF, 0xD8], &frame[..], &scan, &[0xFF, 0xD9]].concat();
    let canvas = [0, 0, 0, 0, 0xFE, 0xFF, 0, 0xFE, 0xFF, 0];
    // A lossless picture of 16,384 × 16,384.
    let lossless = [0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0];
    let web = [&b"WEBP"[..], &riff("VP8X", &canvas), &riff("VP8L", &lossless)].concat();
    let side = 65_535_u32.to_le_bytes();
    let mut bmp = b"BM".to_vec();
    bmp.extend_from_slice(&[100, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bmp.extend_from_slice(&[&side[..], &side, &[1, 0, 24, 0], &[0; 24], &[7; 46]].concat());
    // Width, height, depth, no compression, RGB, where the strip is, samples, rows a strip, bytes.
    let entries: &[(u16, u16, u32)] = &[
        (256, 4, 65_535),
        (257, 4, 65_535),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 2),
        (273, 4, 8),
        (277, 3, 3),
        (278, 4, 65_535),
        (279, 4, 0xFFFF_FFFF),
    ];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        tiff.extend_from_slice(&tag.to_le_bytes());
        tiff.extend_from_slice(&kind.to_le_bytes());
        tiff.extend_from_slice(&[1, 0, 0, 0]);
        tiff.extend_from_slice(&value.to_le_bytes());
    }
    tiff.extend_from_slice(&[0; 4]);
    let mut heic = include_bytes!("../fixtures/picture.heic").to_vec();
    for at in 0..heic.len() - 16 {
        if heic[at..].starts_with(b"ispe") {
            heic[at + 8..at + 16].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
        }
    }
    vec![
        ("jpeg", jpeg),
        ("png", png(65_535, 65_535, &[(b"IDAT", &zeros(1 << 20))])),
        ("webp", riff("RIFF", &web)),
        ("bmp", bmp),
        ("tiff", tiff),
        ("heic", heic),
    ]
}

#[test]
fn a_small_file_that_becomes_large_is_not_held() {
    let program = Program::start(&["--workers", "2"]);
    program.check(SMALL).expect(200);
    let before = program.memory_mib("VmHWM");
    for (name, giant) in giants() {
        let asked = Instant::now();
        let answer = program.check(&giant);
        if answer.status == 200 && name == "heic" {
            // Its size is that of the coded picture; what the container says of it counts for nothing.
            assert_eq!(answer.json()["width"], 96);
        } else {
            assert!([413, 415, 422].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
            answer.problem();
        }
        assert!(asked.elapsed() < LET_GO, "{name}: {:?}", asked.elapsed());
    }
    let text = [b"XML:com.adobe.xmp\0\x01\0\0\0", &zeros(300 << 20)[..]].concat();
    let profile = [b"profile\0\0", &zeros(300 << 20)[..]].concat();
    let pixels = zeros(96 * (96 * 3 + 1));
    let bombs = [
        ("many pixels", png(16_000, 16_000, &[(b"IDAT", &zeros(64 << 20))])),
        ("pixels beyond the picture", png(96, 96, &[(b"IDAT", &zeros(300 << 20))])),
        ("a profile", png(96, 96, &[(b"iCCP", &profile), (b"IDAT", &pixels)])),
        ("a text", png(96, 96, &[(b"zTXt", &profile), (b"iTXt", &text), (b"IDAT", &pixels)])),
    ];
    for (name, bomb) in bombs {
        let asked = Instant::now();
        let answer = program.check(&bomb);
        assert!([200, 413, 415, 422].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
        assert!(asked.elapsed() < LET_GO, "{name}: {:?}", asked.elapsed());
    }
    let (after, now) = (program.memory_mib("VmHWM"), program.memory_mib("VmRSS"));
    assert!(after < before + 200, "memory rose from {before} to {after} MiB, and is {now} now");
}

#[test]
fn a_sample_cut_off_anywhere_is_a_problem() {
    let program = Program::start(&["--workers", "2"]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.contains(".jpg") {
            continue;
        }
        let whole = sample(&name);
        for cut in [2, 20, 300, whole.len() / 3, whole.len() / 2, whole.len() - 40, whole.len() - 2] {
            let answer = program.check(&whole[..cut]);
            assert!([415, 422].contains(&answer.status), "{name} cut to {cut}: {} {}", answer.status, answer.text());
            answer.problem();
        }
        seen += 1;
    }
    assert!(seen > 10, "only {seen} samples");
    lives_with(&program, 0);
}

/// Raises the limit of open files of this process as far as may be, and says how far it is.
fn open_files() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut values = line.split_whitespace().skip(3).map(|value| value.parse().unwrap_or(u64::MAX));
    let (soft, hard) = (values.next().unwrap(), values.next().unwrap());
    let wanted = hard.min(16_384).max(soft);
    let raised = std::process::Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), &format!("--nofile={wanted}:")])
        .status();
    if raised.is_ok_and(|raised| raised.success()) { wanted } else { soft }
}

#[test]
fn a_thousand_connections_at_once_are_answered_or_refused() {
    // Half of them, where not enough files may be open: other tests have some too.
    let each = if open_files() >= 4_096 { 500 } else { 150 };
    let program = Program::start(&["--workers", "2", "--header-time", "60s", "--queue-wait", "60s", "--uploads", "12"]);
    let idle: Vec<TcpStream> = (0..each).map(|_| program.connect()).collect();
    let upload = unfinished("/v1/check", &format!("Content-Length: {}\r\n", SMALL.len()), SMALL);
    let mut sending: Vec<TcpStream> = (0..each).map(|_| program.connect()).collect();
    // All of them begin before any ends.
    let (first, second) = upload.split_at(upload.len() - 10);
    for part in [first, second] {
        for stream in &mut sending {
            // Who was refused meanwhile may be closed.
            let _ = stream.write_all(part);
        }
    }
    let mut verdicts = Vec::new();
    let mut refused = 0;
    for mut stream in sending {
        let answer = Answer::read(&mut stream).expect("an answer");
        if answer.status == 200 {
            verdicts.push(answer.header("bonafide-case").to_owned());
        } else {
            assert!(!answer.header("retry-after").is_empty());
            assert_eq!(answer.expect(503).problem(), "overloaded");
            refused += 1;
        }
    }
    assert!(!verdicts.is_empty() && verdicts.len() + refused == each, "{} and {refused}", verdicts.len());
    let mut recorded = program.cases();
    recorded.sort_unstable();
    verdicts.sort_unstable();
    assert_eq!(recorded, verdicts, "{refused} refused");
    drop(idle);
    lives_with(&program, verdicts.len());
}

#[test]
fn more_connections_than_files_are_outlived() {
    let program = Program::start_after("ulimit -n 64", IMPATIENT);
    let mut crowd: Vec<TcpStream> = (0..120).map(|_| program.connect()).collect();
    for stream in &mut crowd {
        // They say no more, and are closed one after the other.
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\n");
    }
    program.check(SMALL).expect(200);
    drop(crowd);
    lives_with(&program, 1);
}

#[test]
fn more_than_the_queue_holds_is_turned_away_at_once() {
    let program = Program::start(&["--workers", "1", "--queue", "2", "--queue-wait", "60s"]);
    let picture = sample("original_card_07.jpg");
    // One in work and two in line; the others are told to come again.
    let answers = std::thread::scope(|scope| {
        let send = || {
            let sent = Instant::now();
            (program.check(&picture), sent.elapsed())
        };
        let senders: Vec<_> = (0..12).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect::<Vec<_>>()
    });
    let (given, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(answer, _)| answer.status == 200);
    assert!(given.len() >= 3 && !refused.is_empty(), "{} given, {} refused", given.len(), refused.len());
    let soonest = refused.iter().map(|(_, took)| *took).min().unwrap();
    assert!(soonest < Duration::from_secs(5), "{soonest:?}");
    for (answer, _) in refused {
        let answer = answer.expect(503);
        assert!((1..=30).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
        assert_eq!(answer.problem(), "overloaded");
    }
    let text = program.get("/metrics").expect(200).text();
    assert!(text.contains("bonafide_refusals_total{cause=\"queue\"}"), "{text}");
    lives_with(&program, given.len());
}

#[test]
fn a_verdict_that_was_cut_short_says_so() {
    let program = Program::start(&["--workers", "1", "--deadline", "1ms"]);
    let report = program.check(&sample("original_card_07.jpg")).expect(200).json();
    let late = report["findings"].as_array().unwrap().iter().filter(|f| f["outcome"] == "deadline_passed").count();
    assert!(late > 0, "{report}");
    assert_eq!(report["decision"], "review", "{report}");
    let reasons = report["reasons"].as_array().unwrap();
    assert!(reasons.iter().any(|reason| reason["code"] == "cut_short"), "{report}");
    assert_eq!(program.cases().len(), 1);
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
    block.extend_from_slice(&[0x01, 4]);
    block.extend_from_slice(b"test");
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
    let program = Program::start(&flags(&["--max-mib", "1"]));
    let mut stream = program.connect();
    stream.write_all(&http2(SMALL.len())).unwrap();
    stream.write_all(&frame(0, 1, 1, SMALL)).unwrap();
    let verdict = http2_json(&mut stream).expect("a verdict");
    assert_eq!((&verdict["width"], verdict["decision"].is_string()), (&96.into(), true), "{verdict}");
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
    lives_with(&program, 1);
}
