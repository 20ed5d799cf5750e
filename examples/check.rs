//! A path on the command line → what the checker says of that photograph.
//!
//! ```sh
//! cargo run --release --example check -- photo.jpg
//! ```
#![allow(clippy::print_stdout, reason = "a program speaks on its standard output")]

use bonafide::{Checker, Deadline, Decision, Options, Upload};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("name a photograph")?;
    let bytes = std::fs::read(&path)?;

    // Loading the models takes longer than a check: make one checker and share it between threads.
    let checker = Checker::new(&Options::default())?;
    let report = checker.check(&Upload { bytes: &bytes, name: Some(&path) }, Deadline::NEVER)?;

    match report.decision {
        Decision::Accept => println!("accepted"),
        Decision::Review => println!("for a person to look at"),
        Decision::Retake => println!("please take it again"),
        Decision::Reject => println!("refused"),
    }
    for reason in &report.reasons {
        println!("  {}: {}", reason.code, reason.en);
    }
    Ok(())
}
