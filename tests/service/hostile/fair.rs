//! One caller who takes all it can get → the others are answered as if it were not there.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::{LET_GO, SMALL, unfinished};
use crate::service::program::{Program, ask, await_that, connect, connect_from, head, new_key, next_answer, rest};
use crate::service::{Answer, sample};

/// Limits that a slow sender does not meet within a test.
const PATIENT: &[&str] = &[
    "--upload-gap",
    "10m",
    "--upload-time",
    "10m",
    "--header-time",
    "10m",
    "--queue-wait",
    "10m",
    "--deadline",
    "10m",
    "--workers",
    "1",
];

/// Bodies that are begun and not gone on with; those that were refused are answered already.
fn begun(connect: impl Fn() -> TcpStream, path: &str, headers: &str, count: usize) -> (Vec<TcpStream>, Vec<Answer>) {
    let (mut held, mut refused) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let mut stream = connect();
        let headers = format!("{headers}Content-Length: 100000\r\nExpect: 100-continue\r\n");
        stream.write_all(&unfinished(path, &headers, b"")).unwrap();
        let mut first = [0; 12];
        stream.read_exact(&mut first).unwrap();
        if &first == b"HTTP/1.1 100" {
            stream.write_all(b"a").unwrap();
            held.push(stream);
        } else {
            let mut all = first.to_vec();
            stream.read_to_end(&mut all).unwrap();
            refused.push(Answer::parse(&all).expect("an answer"));
        }
    }
    (held, refused)
}

#[track_caller]
fn are_told_to_come_again(refused: &[Answer]) {
    for answer in refused {
        assert_eq!((answer.status, answer.problem().as_str()), (429, "too_many_at_once"), "{}", answer.text());
        assert!((1..=30).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
    }
}

#[test]
fn slow_bodies_of_one_key_keep_nobody_else_out() {
    let folder = TempDir::with_prefix("bonafide-fair-").unwrap();
    let store = folder.path().join("store.db").to_str().unwrap().to_owned();
    let [slow, honest] = [0, 1].map(|_| format!("Authorization: Bearer {}\r\n", new_key(&store, "check")));
    let program = Program::start_at(&store, PATIENT);
    for path in ["/v1/check", "/v1/check/batch"] {
        let kind = if path == "/v1/check" { "" } else { crate::service::program::FORM };
        let (held, refused) = begun(|| program.connect(), path, &format!("{slow}{kind}"), 64);
        assert_eq!((held.len(), refused.len()), (32, 32), "{path}");
        are_told_to_come_again(&refused);
        let honest_ones: Vec<_> = std::thread::scope(|scope| {
            let asked =
                (0..8).map(|_| scope.spawn(|| program.ask("POST", "/v1/check", &honest, SMALL).unwrap().status));
            let asked: Vec<_> = asked.collect();
            asked.into_iter().map(|asked| asked.join().unwrap()).collect()
        });
        assert_eq!(honest_ones, [200; 8], "{path}");
        // Its places come back when its bodies end, however they do.
        drop(held);
        await_that("the places to come back", || {
            let (held, refused) = begun(|| program.connect(), path, &format!("{slow}{kind}"), 1);
            drop(held);
            refused.is_empty()
        });
    }
}

#[test]
fn who_has_no_key_is_told_apart_by_address() {
    let program = Program::start(PATIENT);
    let (held, refused) = begun(|| connect_from("127.0.0.2", program.address()), "/v1/check", "", 64);
    assert_eq!((held.len(), refused.len()), (32, 32));
    are_told_to_come_again(&refused);
    // Nobody is believed who says that it came from elsewhere.
    for _ in 0..8 {
        program.check(SMALL).expect(200);
    }
    let (own, _) = begun(|| program.connect(), "/v1/check", "", 16);
    assert_eq!(own.len(), 16);
}

#[test]
fn a_known_proxy_speaks_for_many_and_nobody_else_does() {
    let all = [PATIENT, &["--insecure-no-auth", "--trusted-proxy", "127.0.0.2", "--uploads", "8"]].concat();
    let program = Program::start(&all);
    let proxy = || connect_from("127.0.0.2", program.address());
    let (held, refused) = begun(proxy, "/v1/check", "X-Forwarded-For: 192.0.2.1, 198.51.100.7\r\n", 8);
    assert_eq!((held.len(), refused.len()), (4, 4));
    // What stands before the last address is made up.
    let (same, _) = begun(proxy, "/v1/check", "X-Forwarded-For: 192.0.2.2, 198.51.100.7\r\n", 1);
    let (other, _) = begun(proxy, "/v1/check", "X-Forwarded-For: 198.51.100.8\r\n", 1);
    assert_eq!((same.len(), other.len()), (0, 1));
    let (made_up, _) = begun(|| program.connect(), "/v1/check", "X-Forwarded-For: 198.51.100.9\r\n", 1);
    let (again, _) = begun(|| program.connect(), "/v1/check", "X-Forwarded-For: 198.51.100.10\r\n", 1);
    assert_eq!((made_up.len(), again.len()), (1, 1));
    // One of its own kept two places, so that a third would be more than is free.
    let (third, _) = begun(|| program.connect(), "/v1/check", "X-Forwarded-For: 198.51.100.11\r\n", 1);
    assert!(third.is_empty(), "another address was believed");
}

#[test]
fn costly_uploads_of_one_caller_keep_nobody_else_waiting() {
    let program = Program::start(&["--workers", "1", "--queue-wait", "10m", "--deadline", "10m"]);
    let (costly, is_over) = (sample("original_card_07.jpg"), AtomicBool::new(false));
    let declared = format!("Content-Length: {}\r\n", costly.len());
    let send = |address: SocketAddr| {
        let mut stream = connect_from("127.0.0.2", address);
        // However long they stand in line.
        stream.set_read_timeout(None).unwrap();
        stream.write_all(&unfinished("/v1/check", &declared, &costly)).unwrap();
        stream
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                // One after the other, so that four are in flight all the while.
                while !is_over.load(Ordering::SeqCst) {
                    let answer = Answer::read(&mut send(program.address())).expect("an answer");
                    assert!([200, 429].contains(&answer.status), "{}", answer.text());
                }
            });
        }
        let in_line = || program.gauge("bonafide_queue_length") >= 3;
        await_that("a line of costly work", in_line);
        for _ in 0..3 {
            await_that("a line of costly work", in_line);
            let before = program.cases().len();
            program.check(SMALL).expect(200);
            // In one line with them it would have gone behind the one in work and three more.
            let meanwhile = program.cases().len() - before - 1;
            assert!(meanwhile < 3, "{meanwhile} costly ones went before");
        }
        is_over.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_body_that_is_slower_than_it_may_be_is_let_go_and_others_are_not() {
    let limits = ["--upload-gap", "2s", "--upload-time", "10m", "--upload-rate", "8", "--workers", "1"];
    let program = Program::start(&limits);
    let declared = "Content-Length: 100000\r\n";
    for path in ["/v1/check", "/v1/sessions"] {
        let json = if path == "/v1/check" { "" } else { "Content-Type: application/json\r\n" };
        let declared = if path == "/v1/check" { declared } else { "Content-Length: 1000\r\n" };
        let mut stream = program.connect();
        stream.write_all(&unfinished(path, &format!("{json}{declared}"), b" ")).unwrap();
        // Never a pause as long as one may be: 20 bytes a second.
        let (got, closed) = rest(&mut stream, LET_GO, b" ");
        assert!(closed, "{path}: still connected");
        let answer = Answer::parse(&got).expect("an answer").expect(408);
        assert_eq!(answer.problem(), "request_timeout");
    }
    // Slow enough to take several pauses altogether, and as fast as one has to be.
    let mut picture = SMALL.to_vec();
    picture.resize(60_000, 0);
    let mut stream = program.connect();
    let whole = format!("Content-Length: {}\r\n", picture.len());
    stream.write_all(head("POST", "/v1/check", &whole).as_bytes()).unwrap();
    for piece in picture.chunks(6_000) {
        stream.write_all(piece).unwrap();
        std::thread::sleep(Duration::from_millis(300));
    }
    Answer::read(&mut stream).expect("an answer").expect(200);
}

#[test]
fn one_address_holds_no_more_than_half_of_the_connections() {
    let program = Program::start(&[PATIENT, &["--connections", "8"]].concat());
    let slow: Vec<TcpStream> = (0..20).map(|_| connect_from("127.0.0.2", program.address())).collect();
    for mut stream in &slow {
        let _ = stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
    }
    for _ in 0..5 {
        assert_eq!(ask(program.address(), "GET", "/healthz", "", b"").expect("an answer").status, 200);
    }
    // Half are open, as many wait, and the others were closed at once.
    let mut closed = vec![false; slow.len()];
    let mut count = || {
        for (closed, mut stream) in closed.iter_mut().zip(&slow) {
            stream.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
            *closed |= match stream.read(&mut [0]) {
                Ok(read) => read == 0,
                Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
            };
        }
        closed.iter().filter(|closed| **closed).count()
    };
    await_that("those beyond the share to be closed", || count() >= 12);
    assert_eq!(count(), 12);
    drop(slow);
    // Who waited for a place is let in when one comes back.
    let mut again: Vec<TcpStream> = (0..6).map(|_| connect(program.address())).collect();
    let request = head("GET", "/healthz", "");
    for stream in &mut again {
        stream.write_all(request.as_bytes()).unwrap();
    }
    for stream in &mut again {
        next_answer(stream).expect("an answer").expect(200);
    }
}
