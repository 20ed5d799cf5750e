//! The HTTP service under load → its rate against the bare checker, how it refuses, and whether it holds its memory.
//!
//! ```sh
//! cargo bench --bench service -- load [SECONDS] [CLIENTS…] [--expect] [--impatient]   # beside the bare checker
//! cargo bench --bench service -- overload [SECONDS]  # four times as many requests as can be answered
//! cargo bench --bench service -- hostile [COUNT]     # one caller's costly pictures beside another's honest ones
//! cargo bench --bench service -- soak [MINUTES]      # everything that clients do, good and bad
//! ```
//!
//! A client that is refused comes back when it was told to, or after a quarter of a second with `--impatient`; with
//! `--expect` it waits for leave to send its picture.
//!
//! The service runs as shipped, as a process of its own; client and service share the machine, so that what the client
//! costs counts against the service. Nothing here is a promise about another machine: read the ratios.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod acts;
mod client;
mod drive;
mod growth;
mod hostile;
mod load;
mod overload;
#[path = "../picture/mod.rs"]
mod picture;
mod server;
mod soak;
#[path = "../picture/worst.rs"]
mod worst;

use std::error::Error;
use std::thread;
use std::time::Duration;

use client::Request;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let given: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (flags, numbers): (Vec<_>, Vec<_>) = given.iter().skip(1).partition(|text| text.starts_with("--"));
    let numbers = numbers.iter().map(|text| text.parse::<f64>()).collect::<Result<Vec<_>, _>>()?;
    let number = numbers.first().copied();
    match given.first().map(String::as_str) {
        Some("load") => {
            let clients: Vec<_> = numbers.iter().skip(1).map(|count| *count as usize).collect();
            let clients = if clients.is_empty() { vec![1, 2, 8, 32, 128] } else { clients };
            let is_given = |flag| flags.iter().any(|given| *given == flag);
            load::load(seconds(number.unwrap_or(20.0)), &clients, is_given("--expect"), is_given("--impatient"))
        }
        Some("overload") => overload::overload(seconds(number.unwrap_or(20.0))),
        Some("hostile") => hostile::hostile(number.unwrap_or(40.0) as usize),
        Some("soak") => soak::soak(seconds(number.unwrap_or(30.0) * 60.0)),
        // Minutes of load are not for who runs all benches.
        _ => {
            println!(
                "service: say `-- load [SECONDS]`, `-- overload [SECONDS]`, `-- hostile [COUNT]` or `-- soak [MINUTES]`"
            );
            Ok(())
        }
    }
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

/// Threads of the bare checker and of the service.
fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A file that is sent.
struct Picture {
    name: &'static str,
    bytes: Vec<u8>,
}

fn photograph() -> Picture {
    Picture { name: "12 megapixels", bytes: picture::photograph() }
}

fn sample() -> Picture {
    let bytes = include_bytes!("../../datasets/samples/original_card_01.jpg").to_vec();
    Picture { name: "sample, 1.8 megapixels", bytes }
}

fn check<'a>(picture: &'a Picture, headers: &[&str]) -> Request<'a> {
    Request::new("POST", "/v1/check", headers, &picture.bytes)
}
