//! Judged samples → one line each in a run's folder, for comparing runs and proposing thresholds without judging again.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::benchmark::findings::Judged;
use crate::benchmark::labels::{Label, Readable};
use crate::benchmark::measure::Figures;
use crate::names;
use crate::policy::Decision;
use crate::report::alone::Part;

/// What a run said of one sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResultRow {
    /// Line of the labels.
    pub row: usize,
    /// The picture.
    pub path: String,
    /// SHA-256 of the file; empty where it could not be read.
    pub sha256: String,
    /// What it is.
    pub label: Label,
    /// More closely.
    pub species: String,
    /// What it shares with others that are not independent of it.
    pub source: String,
    /// What it shows.
    pub content: Option<String>,
    /// How much of it a person can read, as the labels say.
    pub readable: Option<Readable>,
    /// That it shows a screen, 0 to 1.
    pub screen: Option<f64>,
    /// That it shows a print, 0 to 1.
    pub print: Option<f64>,
    /// That the document can be read, 0 to 1.
    pub legibility: Option<f64>,
    /// Bona fide, a species, `no_response`; or `not_examined`.
    pub classification: String,
    /// What the gate does; `None` where the file could not be examined.
    pub decision: Option<Decision>,
    /// Whether the document can be read.
    pub legible: Option<bool>,
    /// Codes of the reasons, the weightiest first.
    pub reasons: Vec<String>,
    /// Why the file could not be examined.
    pub error: Option<String>,
}

impl From<&Judged> for ResultRow {
    fn from(judged: &Judged) -> Self {
        let Judged { sample, stored, scores, verdict } = judged;
        let reasons = verdict.iter().flat_map(|verdict| &verdict.reasons);
        Self {
            row: sample.row,
            path: sample.path.clone(),
            sha256: stored.sha256.clone(),
            label: sample.label,
            species: sample.species.clone(),
            source: sample.source.clone(),
            content: sample.content.clone(),
            readable: sample.readable,
            screen: scores.screen,
            print: scores.print,
            legibility: scores.legibility,
            classification: verdict.as_ref().map_or("not_examined", |verdict| verdict.classification.name()).to_owned(),
            decision: verdict.as_ref().map(|verdict| verdict.decision),
            legible: verdict.as_ref().and_then(|verdict| verdict.legible),
            reasons: reasons.map(|reason| reason.code.to_owned()).collect(),
            error: stored.error.as_ref().map(|error| error.code.clone()),
        }
    }
}

/// A finished run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its figures.
    pub figures: Figures,
    /// What it said of each sample.
    pub rows: Vec<ResultRow>,
}

/// Why a run cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}; is this the folder of a finished `bonafide bench`?")]
pub struct RunError {
    path: String,
    cause: String,
}

fn failed(path: &Path, cause: impl ToString) -> RunError {
    RunError { path: names::shown(path), cause: cause.to_string() }
}

fn figures_of(folder: &Path) -> PathBuf {
    folder.join("figures.json")
}

fn rows_of(folder: &Path) -> PathBuf {
    folder.join("results.jsonl")
}

/// Writes `figures` and a line for each of `judged` into `folder`.
///
/// # Errors
/// When the folder cannot be written.
pub fn write(folder: &Path, figures: &Figures, judged: &[Judged]) -> io::Result<()> {
    let mut part = Part::begin(&rows_of(folder))?;
    for row in judged {
        serde_json::to_writer(part.out(), &ResultRow::from(row))?;
        part.out().write_all(b"\n")?;
    }
    part.finish()?;
    let mut part = Part::begin(&figures_of(folder))?;
    serde_json::to_writer_pretty(part.out(), figures)?;
    part.out().write_all(b"\n")?;
    part.finish()
}

/// The run in `folder`.
///
/// # Errors
/// [`RunError`] when a file is missing, or is none that a run writes.
pub fn read(folder: &Path) -> Result<Run, RunError> {
    let path = figures_of(folder);
    let text = std::fs::read_to_string(&path).map_err(|e| failed(&path, e))?;
    let figures = serde_json::from_str(&text).map_err(|e| failed(&path, e))?;
    let path = rows_of(folder);
    let lines = BufReader::new(File::open(&path).map_err(|e| failed(&path, e))?).lines().enumerate();
    let rows = lines.map(|(i, line)| {
        let line = line.map_err(|e| failed(&path, e))?;
        serde_json::from_str(&line).map_err(|e| failed(&path, format!("line {}: {e}", i + 1)))
    });
    Ok(Run { figures, rows: rows.collect::<Result<_, _>>()? })
}
