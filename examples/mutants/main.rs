//! Mutants of every format → decoded for a stated time; fails where one panics, takes too long or too much memory, or
//! opens although part of it is missing.
//!
//! ```sh
//! cargo run --example mutants -- --seconds 60
//! ```
//! `--count N` ends after so many, `--seed N` begins elsewhere, `--check` examines what opens as well. `--worst`, of an
//! optimised build, checks pictures that are made to cost as much as they can, and fails where one costs more than four
//! times a normal one or 2 s.
#![allow(clippy::print_stdout, reason = "a program that prints")]

#[path = "../../benches/picture/worst.rs"]
mod made;
mod mutate;
mod worst;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bonafide::capture::{Capture, Limits, Upload, decode};
use bonafide::{Checker, Deadline, Options};
use mutate::{Chance, Change, mutant, seeds};

/// Longest processor time of one, and most memory of all.
const LONGEST: Duration = Duration::from_secs(2);
const MOST_MEMORY_MB: u64 = 400;

/// Processor time that this process took.
#[cfg(unix)]
fn processor_time() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), spent.tv_nsec as u32)
}

#[cfg(not(unix))]
fn processor_time() -> Duration {
    static BEGUN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(Instant::now).elapsed()
}

/// Most memory that this process held, in MB; 0 where the system does not say.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn number(name: &str) -> Option<u64> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments.nth(1)?.parse().ok()
}

fn pixels(capture: &Capture) -> Option<Vec<Vec<u8>>> {
    Some(capture.ycc(capture.frame())?.map(image::GrayImage::into_raw).into())
}

fn main() -> ExitCode {
    let seconds = Duration::from_secs(number("--seconds").unwrap_or(60));
    let most = number("--count").unwrap_or(u64::MAX);
    let checker =
        std::env::args().any(|a| a == "--check").then(|| Checker::new(&Options::default()).expect("shipped models"));
    if std::env::args().any(|a| a == "--worst") {
        let (longest, most) = worst::try_all(&Checker::new(&Options::default()).expect("shipped models"));
        println!("longest: {:.3} s; most: {most:.2} × a normal one", longest.as_secs_f64());
        return if longest > LONGEST || most > worst::MOST_TIMES { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let seeds = seeds();
    let open = |bytes: &[u8]| decode(&Upload { bytes, name: None }, &Limits::default());
    let whole: Vec<_> =
        seeds.iter().map(|seed| pixels(&open(&seed.bytes).unwrap_or_else(|e| panic!("{}: {e}", seed.name)))).collect();
    let mut chance = Chance(number("--seed").unwrap_or(0x9E37_79B9_7F4A_7C15).max(1));
    let mut outcomes: BTreeMap<(Change, &'static str), u64> = BTreeMap::new();
    let (mut count, mut half, mut slowest) = (0, Vec::new(), (Duration::ZERO, String::new()));
    let begun = Instant::now();
    while begun.elapsed() < seconds && count < most {
        let which = chance.below(seeds.len());
        let state = chance.0;
        let (change, bytes) = mutant(&seeds[which].bytes, &mut chance);
        let told = || format!("{} {change:?}, --seed {state}", seeds[which].name);
        let before = processor_time();
        let opened = std::panic::catch_unwind(AssertUnwindSafe(|| match &checker {
            Some(checker) => {
                checker.look(&Upload { bytes: &bytes, name: None }, Deadline::NEVER, |look| look.capture.clone())
            }
            None => open(&bytes),
        }));
        let spent = processor_time().saturating_sub(before);
        let Ok(opened) = opened else {
            println!("panic: {}", told());
            return ExitCode::FAILURE;
        };
        if spent > slowest.0 {
            slowest = (spent, told());
        }
        let code = match &opened {
            Ok(capture) => {
                let cut = matches!(change, Change::Cut | Change::CutWithEnd);
                if cut && pixels(capture) != whole[which] {
                    half.push(told());
                }
                "opened"
            }
            Err(error) => error.code(),
        };
        *outcomes.entry((change, code)).or_default() += 1;
        count += 1;
    }
    for ((change, code), count) in &outcomes {
        println!("{change:?} {code}: {count}");
    }
    let peak = peak_mb();
    println!("{count} mutants of {} seeds in {:.0} s", seeds.len(), begun.elapsed().as_secs_f64());
    println!("slowest: {:.3} s of processor time: {}", slowest.0.as_secs_f64(), slowest.1);
    println!("most memory: {peak} MB; cut and opened with other pixels: {}", half.len());
    for told in half.iter().take(20) {
        println!("  {told}");
    }
    if slowest.0 > LONGEST || peak > MOST_MEMORY_MB || !half.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
