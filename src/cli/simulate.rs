//! `bonafide simulate`: a directory, a count and a seed to labelled captures nobody photographed.

use bonafide::simulation::{Counts, SetError, write_set};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;

/// Write simulated captures of made-up documents, with labels.csv saying what each one is.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Directory for the captures and labels.csv; made if missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Captures: two sevenths prints, the rest originals and screens by halves
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// The same seed gives the same files
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Further originals of cards with one fault each (blurred, glare, moved, dark, small, compressed, shadow,
    /// covered, in turn), the first of each strong, the others of any strength
    #[arg(long, default_value_t = 0)]
    pub faulty: u32,
    /// No progress bar
    #[arg(long, short)]
    pub quiet: bool,
}

/// Writes the set; the number of captures written.
///
/// # Errors
///
/// When the directory or a file cannot be written.
pub fn run(args: &Simulate) -> Result<usize, SetError> {
    let counts = Counts { faulty: args.faulty, ..Counts::of(args.count) };
    let total = u64::from(args.count) + u64::from(args.faulty);
    let bar = if args.quiet { ProgressBar::hidden() } else { ProgressBar::new(total) };
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} captures, {eta} left") {
        bar.set_style(style);
    }
    let truths = write_set(&args.out, counts, args.seed, || bar.inc(1))?;
    bar.finish_and_clear();
    Ok(truths.len())
}
