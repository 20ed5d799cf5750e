//! `bonafide simulate`: a directory, a count and a seed to labelled captures nobody photographed.

use bonafide::simulation::{Counts, Document, write_set};
use clap::Args;
use std::path::PathBuf;

use super::progress::Progress;
use super::stop::Stop;

/// Write simulated captures of made-up documents, with labels.csv saying what each one is.
#[derive(Debug, Args)]
pub struct Simulate {
    /// Directory for the captures and labels.csv; made if missing
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Captures: two sevenths prints, the rest originals and screens by halves
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Originals of this document alone
    #[arg(long, value_name = "DOCUMENT", value_enum)]
    pub originals_of: Option<Document>,
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

/// Writes the set; the number of captures written. Told to stop, it ends with whole captures, and a row for each but the
/// last few.
///
/// # Errors
///
/// When the directory or a file cannot be written, or another run writes there.
pub fn run(args: &Simulate) -> Result<usize, String> {
    let _stop = Stop::heed()?;
    let counts =
        args.originals_of.map_or(Counts::of(args.count), |document| Counts::originals_of(document, args.count));
    let counts = Counts { faulty: args.faulty, ..counts };
    let total = u64::from(args.count) + u64::from(args.faulty);
    let progress = (!args.quiet).then(|| Progress::of("captures", total));
    let done = || progress.iter().for_each(Progress::one);
    let truths = write_set(&args.out, counts, args.seed, done).map_err(|e| e.to_string())?;
    progress.iter().for_each(Progress::end);
    Ok(truths.len())
}
