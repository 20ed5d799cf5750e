//! What is wrong with labels → a sentence that names the file, the row and the value.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::names;

/// How many problems a [`LabelError::Rows`] spells out; the rest is a number.
pub const PROBLEMS_NAMED: usize = 20;

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {row}: {what}")]
pub struct Problem {
    /// Line of the file on which the row begins.
    pub row: usize,
    /// A clause that names the value.
    pub what: String,
}

/// Why labels cannot be used.
#[derive(Debug, Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("cannot read labels from {path}: {source}", path = names::shown(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A table without a column that is needed.
    #[error("{path} has no column \"{missing}\"; its columns are: {found}", path = names::shown(path))]
    Column {
        /// The file.
        path: PathBuf,
        /// The columns that are missing.
        missing: String,
        /// The columns that are there.
        found: String,
    },
    /// A column that is there twice.
    #[error("{path} has more than one column \"{name}\"", path = names::shown(path))]
    TwoColumns {
        /// The file.
        path: PathBuf,
        /// The column.
        name: String,
    },
    /// One JSON value over the whole file.
    #[error("{path} is a JSON array; one object on each line is expected", path = names::shown(path))]
    Array {
        /// The file.
        path: PathBuf,
    },
    /// No rows.
    #[error("{path} holds no rows", path = names::shown(path))]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Rows that are wrong: the first `PROBLEMS_NAMED` problems, and how many more there are.
    #[error("{path} cannot be used:{list}", path = names::shown(path), list = listed(problems, *more))]
    Rows {
        /// The file.
        path: PathBuf,
        /// The first problems, by row.
        problems: Vec<Problem>,
        /// How many further problems there are.
        more: usize,
    },
    /// No row is in the split that was asked for.
    #[error("no row is in the split \"{split}\"; {known}")]
    Split {
        /// What was asked for.
        split: String,
        /// A clause that names the splits there are.
        known: String,
    },
    /// Nothing to tell apart.
    #[error("{rows} rows, {what}: error rates need originals and others")]
    OneClass {
        /// How many rows there are.
        rows: usize,
        /// What there is, in words.
        what: String,
    },
    /// The labels cannot be written.
    #[error("cannot write labels: {0}")]
    Write(#[from] csv::Error),
}

impl LabelError {
    /// The error that `problems` of the rows of `path` make, named in the order of rows, at most `PROBLEMS_NAMED`.
    #[must_use]
    pub fn of_rows(path: &Path, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.row);
        let more = problems.len().saturating_sub(PROBLEMS_NAMED);
        problems.truncate(PROBLEMS_NAMED);
        Self::Rows { path: path.to_owned(), problems, more }
    }
}

fn listed(problems: &[Problem], more: usize) -> String {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.iter().flat_map(|line| ["\n  ", line.as_str()]).collect()
}
