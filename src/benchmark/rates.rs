//! Rows with their sources → a rate, exact over files and drawn over sources.

use serde::{Deserialize, Serialize};

use super::intervals::{Groups, Interval, bootstrap_over_groups};
use super::metrics::Share;

/// Level of every interval.
pub const LEVEL: f64 = 0.95;
/// Draws behind every interval over sources.
pub const REPLICATES: usize = 1000;
/// Seed of the draws.
pub const SEED: u64 = 20_251;

/// A rate with both of its intervals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// So many of so many.
    pub share: Share,
    /// Over files; exact.
    pub files: Interval,
    /// Over sources; `None` where fewer than two have such files.
    pub sources: Option<Interval>,
}

impl Rate {
    /// The rate of `rows`, each a source and whether the row counts; `None` of no rows.
    #[must_use]
    pub fn of<'a>(rows: impl IntoIterator<Item = (&'a str, bool)>) -> Option<Self> {
        let rows: Vec<(&str, bool)> = rows.into_iter().collect();
        let share = Share::of(rows.iter().map(|(_, counts)| *counts));
        let files = (share.of > 0).then(|| share.interval(LEVEL).ok())??;
        let groups = Groups::by(rows.iter().map(|(source, _)| *source));
        let drawn = |at: &[usize]| Share::of(at.iter().map(|i| rows[*i].1)).rate();
        let sources = bootstrap_over_groups(&groups, REPLICATES, SEED, drawn).map(|b| b.interval);
        Some(Self { share, files, sources })
    }
}
