//! Who sends slowly, too much or half, or reads nothing → let go in time.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

use super::{IMPATIENT, LET_GO, SMALL, flags, lives_with, unfinished};
use crate::service::program::{FORM, Program, await_that, chunk, form, head, next_answer, part_head, rest};
use crate::service::{Answer, sample};

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
        ("a header without an end", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a".to_vec(), b"a", false),
        ("headers without an end", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n".to_vec(), b"X: a\r\n", false),
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
