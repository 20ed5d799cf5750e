//! More at once than there is room for → answered, or refused at once.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{IMPATIENT, SMALL, lives_with, unfinished};
use crate::service::program::Program;
use crate::service::{Answer, sample};

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
    let patient = ["--workers", "2", "--header-time", "10m", "--queue-wait", "10m", "--deadline", "10m"];
    let program = Program::start(&[&patient[..], &["--uploads", "12"]].concat());
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
            // All of them are one caller's.
            assert!(!answer.header("retry-after").is_empty());
            assert_eq!(answer.expect(429).problem(), "too_many_at_once");
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
    let program = Program::start(&["--workers", "1", "--queue", "2", "--queue-wait", "10m", "--deadline", "10m"]);
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
        let answer = answer.expect(429);
        assert!((1..=30).contains(&answer.header("retry-after").parse::<u32>().unwrap()));
        assert_eq!(answer.problem(), "too_many_at_once");
    }
    let text = program.get("/metrics").expect(200).text();
    assert!(text.contains("bonafide_refusals_total{cause=\"share\"}"), "{text}");
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
