//! Rows with their sources → a rate, exact over files and drawn over sources. All rates are shares, 0 to 1.

use serde::{Deserialize, Serialize};

use super::intervals::{Groups, Interval, IntervalError, bootstrap_over_groups, clopper_pearson};

/// Level of every interval.
pub const LEVEL: f64 = 0.95;
/// Draws behind every interval over sources.
pub const REPLICATES: usize = 1000;
/// Seed of the draws.
pub const SEED: u64 = 20_251;

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Rows that count.
    pub count: usize,
    /// All rows.
    pub of: usize,
}

impl Share {
    /// How many of `answers` are true.
    pub fn of(answers: impl IntoIterator<Item = bool>) -> Self {
        let mut share = Self::default();
        for answer in answers {
            share.add(answer);
        }
        share
    }

    /// One more row.
    pub fn add(&mut self, counts: bool) {
        self.count += usize::from(counts);
        self.of += 1;
    }

    /// 0 to 1; `None` of no rows.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }

    /// Its exact interval at `level`, for rows that are independent of each other.
    ///
    /// # Errors
    /// When the count is larger than all rows, or the level not between 0 and 1.
    pub fn interval(self, level: f64) -> Result<Interval, IntervalError> {
        clopper_pearson(self.count, self.of, level)
    }
}

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
