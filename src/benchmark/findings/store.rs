//! Labelled pictures → findings, stored once as JSON Lines → scores and verdicts, as often as one likes.
//!
//! A stored row holds what was measured and no pixel. It names the program and the models that measured it: rows of
//! different ones are refused, and so are rows of others than the checker that is to judge them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use image::imageops;
use serde::{Deserialize, Serialize};

use super::leakage;
use crate::benchmark::labels::Sample;
use crate::capture::Upload;
pub use crate::checker::Stages;
use crate::checker::{Checker, milliseconds};
use crate::detectors::readings;
use crate::names;
use crate::policy::Verdict;
use crate::reading::NumberCode;
use crate::report::FailureCause;
use crate::scene::Deadline;
use crate::scoring::{FusionError, Readings, Scores};
use crate::screening::{BUDGET_PER_WORKER, Gate, PANICKED, Settings, decoded_bytes, in_order, read_upload};
use crate::words::{Notice, noticed_in_both};

/// Why findings cannot be stored or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file cannot be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// The system's words.
        cause: io::Error,
    },
    /// A line is no stored row.
    #[error("{path}, line {line}: this is no row of stored findings: {cause}")]
    Alien {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        cause: String,
    },
    /// Rows were measured by another program or other models.
    #[error(
        "{path}, line {line}: measured by {found}, the others by {wanted}; findings of different programs or models are \
         not mixed: choose another folder, or remove the file to measure again"
    )]
    Mixed {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// Who measured it.
        found: String,
        /// Who should have.
        wanted: String,
    },
    /// A file has changed since it was measured.
    #[error(
        "row {row}: `{path}` is another file than the one that was measured; choose another folder, or remove {file}"
    )]
    Changed {
        /// Line of the labels.
        row: usize,
        /// The picture.
        path: String,
        /// The findings.
        file: String,
    },
    /// Readings cannot be scored.
    #[error(transparent)]
    Unscored(#[from] FusionError),
    /// A sample has no row.
    #[error("row {row}: nothing is stored of `{path}`")]
    Missing {
        /// Line of the labels.
        row: usize,
        /// The picture.
        path: String,
    },
}

/// Who measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Version of the program.
    pub tool_version: String,
    /// SHA-256 of each model by name.
    pub models: BTreeMap<String, String>,
}

impl Origin {
    /// Who measures when `checker` does.
    #[must_use]
    pub fn of(checker: &Checker) -> Self {
        Self { tool_version: env!("CARGO_PKG_VERSION").to_owned(), models: checker.model_hashes().clone() }
    }

    /// In a few characters, for people: the version, and the first of each model's hash.
    #[must_use]
    pub fn short(&self) -> String {
        let models: Vec<String> =
            self.models.iter().map(|(name, hash)| format!("{name} {}", hash.get(..8).unwrap_or(hash))).collect();
        format!("bonafide {} with {}", self.tool_version, models.join(", "))
    }
}

/// What was measured on one labelled picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// The path of the labels.
    pub path: String,
    /// SHA-256 of the file; empty where it could not be read.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// The picture's `leakage::fingerprint`, where it could be decoded.
    pub fingerprint: Option<[u64; 4]>,
    /// Width and height of the upright picture, in pixels.
    pub size: Option<[u32; 2]>,
    /// Measured values by reading id.
    pub readings: BTreeMap<String, f64>,
    /// How reading the document's number came out, for example `consistent`.
    pub number: Option<NumberCode>,
    /// Why the file could not be examined.
    pub error: Option<FailureCause>,
    /// Time of the whole check, in milliseconds.
    pub elapsed_ms: f64,
    /// Where it went.
    pub stages_ms: Stages,
    /// The policy in force then; findings do not depend on it.
    pub policy_id: String,
    /// Who measured.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Stored {
    /// The row of a file of which nothing is measured yet.
    pub(crate) fn unmeasured(path: &str, policy_id: &str, origin: Origin) -> Self {
        Self {
            path: path.to_owned(),
            sha256: String::new(),
            bytes: 0,
            fingerprint: None,
            size: None,
            readings: BTreeMap::new(),
            number: None,
            error: None,
            elapsed_ms: 0.0,
            stages_ms: Stages::new(),
            policy_id: policy_id.to_owned(),
            origin,
        }
    }
}

/// Measures `samples` below `root` that `file` does not yet hold, on all of `threads`, and adds them to it; `seen` is
/// told after each. Returns whether all were measured: once `stop` is set no further one is begun.
///
/// # Errors
/// [`StoreError`] when the file cannot be used, or holds rows of another origin.
pub fn measure(
    checker: &Checker,
    samples: &[&Sample],
    root: &Path,
    file: &Path,
    threads: usize,
    stop: &AtomicBool,
    seen: &mut dyn FnMut(),
) -> Result<bool, StoreError> {
    let fail = |cause| StoreError::File { path: names::shown(file), cause };
    let mut out = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file).map_err(fail)?;
    let (held, whole_bytes) = read_file(file, &mut out)?;
    let origin = Origin::of(checker);
    one_origin(file, &held, Some(&origin))?;
    out.set_len(whole_bytes).map_err(fail)?;
    out.seek(SeekFrom::End(0)).map_err(fail)?;
    let held: BTreeMap<&str, &Stored> = held.iter().map(|row| (row.path.as_str(), row)).collect();
    let mut wanted: Vec<&Sample> = Vec::new();
    for sample in samples {
        let Some(row) = held.get(sample.path.as_str()) else {
            wanted.push(sample);
            continue;
        };
        // Its length is what can be told without reading it all again.
        let length = std::fs::metadata(root.join(&sample.path)).map_or(0, |facts| facts.len());
        if row.bytes != 0 && row.bytes != length {
            let file = names::shown(file);
            return Err(StoreError::Changed { row: sample.row, path: sample.path.clone(), file });
        }
    }
    for _ in 0..samples.len() - wanted.len() {
        seen();
    }
    let gate = Gate::new(BUDGET_PER_WORKER * threads as u64);
    let mut written = 0;
    let examine = |sample: &&Sample| examine(checker, &gate, &origin, root, sample);
    in_order(&wanted, Settings::with_threads(threads), stop, &examine, &mut |row: Stored| {
        // In one piece, so that a run that is broken off keeps what it has measured.
        let mut line = serde_json::to_vec(&row)?;
        line.push(b'\n');
        out.write_all(&line)?;
        written += 1;
        seen();
        Ok(())
    })
    .map_err(fail)?;
    Ok(written == wanted.len())
}

fn examine(checker: &Checker, gate: &Gate, origin: &Origin, root: &Path, sample: &Sample) -> Stored {
    let row = Stored::unmeasured(&sample.path, checker.policy_id(), origin.clone());
    catch_unwind(AssertUnwindSafe(|| attempt(checker, gate, root, sample, row.clone()))).unwrap_or_else(|_| {
        let said = noticed_in_both(Notice::ProgramFailed);
        Stored { error: Some(FailureCause::new(PANICKED, said)), ..row }
    })
}

fn attempt(checker: &Checker, gate: &Gate, root: &Path, sample: &Sample, mut row: Stored) -> Stored {
    let bytes = match read_upload(&root.join(&sample.path), checker.limits()) {
        Ok(bytes) => bytes,
        Err(failure) => return Stored { error: Some(failure.error), ..row },
    };
    let _permit = gate.enter(decoded_bytes(&bytes, bytes.len() as u64, checker.limits()));
    row.sha256 = crate::checker::sha256(&bytes);
    row.bytes = bytes.len() as u64;
    let upload = Upload { bytes: &bytes, name: Some(&sample.path) };
    let mut measured = row.clone();
    let looked = checker.look(&upload, Deadline::NEVER, |mut look| {
        // Another policy may judge it later.
        look.measure(|_| true);
        let readings = look.findings.readings().into_iter();
        measured.readings = readings.map(|(id, value)| (id.to_owned(), value)).collect();
        measured.number = look.findings.number_code();
        measured.size = Some([look.capture.width(), look.capture.height()]);
        measured.elapsed_ms = milliseconds(look.elapsed());
        let luma = &look.scene.overview().luma;
        measured.fingerprint = Some(leakage::fingerprint(&imageops::thumbnail(luma, 136, 128)));
        measured.stages_ms = look.stages;
    });
    match looked {
        Ok(()) => measured,
        Err(error) => Stored { error: Some(FailureCause::of(&error)), ..row },
    }
}

/// Every row of `file`.
///
/// # Errors
/// [`StoreError`] when it cannot be read, a line but the last is no row, or rows are of different origins.
pub fn stored(file: &Path) -> Result<Vec<Stored>, StoreError> {
    let mut open = File::open(file).map_err(|cause| StoreError::File { path: names::shown(file), cause })?;
    let (rows, _) = read_file(file, &mut open)?;
    one_origin(file, &rows, None)?;
    Ok(rows)
}

/// The whole rows, and the bytes up to the end of the last; what follows it was broken off.
fn read_file(path: &Path, file: &mut File) -> Result<(Vec<Stored>, u64), StoreError> {
    let fail = |cause| StoreError::File { path: names::shown(path), cause };
    file.seek(SeekFrom::Start(0)).map_err(fail)?;
    let mut reader = BufReader::new(file);
    let (mut rows, mut bytes, mut whole) = (Vec::new(), Vec::new(), 0);
    while reader.read_until(b'\n', &mut bytes).map_err(fail)? > 0 {
        if bytes.last() != Some(&b'\n') {
            break;
        }
        let row = serde_json::from_slice(&bytes).map_err(|e| StoreError::Alien {
            path: names::shown(path),
            line: rows.len() + 1,
            cause: e.to_string(),
        })?;
        rows.push(row);
        whole += bytes.len() as u64;
        bytes.clear();
    }
    Ok((rows, whole))
}

fn one_origin(path: &Path, rows: &[Stored], wanted: Option<&Origin>) -> Result<(), StoreError> {
    let Some(wanted) = wanted.or(rows.first().map(|row| &row.origin)) else { return Ok(()) };
    match rows.iter().position(|row| row.origin != *wanted) {
        None => Ok(()),
        Some(at) => Err(StoreError::Mixed {
            path: names::shown(path),
            line: at + 1,
            found: rows[at].origin.short(),
            wanted: wanted.short(),
        }),
    }
}

/// A sample with what was measured on it and what a policy makes of that.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The labels' row.
    pub sample: Sample,
    /// What was measured.
    pub stored: Stored,
    /// Scores of the fusion model.
    pub scores: Scores,
    /// The policy's word; `None` where the file could not be examined.
    pub verdict: Option<Verdict>,
}

/// Judges `samples` by `checker`'s fusion model and policy, from `rows`; no picture is touched.
///
/// # Errors
/// [`StoreError::Missing`] when a sample has no row, [`StoreError::Mixed`] when the rows are not the checker's.
pub fn judge(
    checker: &Checker,
    samples: &[&Sample],
    rows: Vec<Stored>,
    file: &Path,
) -> Result<Vec<Judged>, StoreError> {
    // Another fusion model may judge what the same detectors measured.
    let measuring = |origin: &Origin| {
        let mut origin = origin.clone();
        origin.models.remove("fusion");
        origin
    };
    let wanted = measuring(&Origin::of(checker));
    if let Some(line) = rows.iter().position(|row| measuring(&row.origin) != wanted) {
        let (path, found) = (names::shown(file), rows[line].origin.short());
        return Err(StoreError::Mixed { path, line: line + 1, found, wanted: wanted.short() });
    }
    let known: BTreeMap<&str, &'static str> = readings().map(|reading| (reading.id, reading.id)).collect();
    let mut by_path: BTreeMap<String, Stored> = rows.into_iter().map(|row| (row.path.clone(), row)).collect();
    let judged = samples.iter().map(|sample| {
        let stored = by_path
            .remove(&sample.path)
            .ok_or_else(|| StoreError::Missing { row: sample.row, path: sample.path.clone() })?;
        let readings: Readings =
            stored.readings.iter().filter_map(|(id, value)| Some((*known.get(id.as_str())?, *value))).collect();
        let (scores, verdict) = match &stored.error {
            None => {
                let (scores, verdict) = checker.judge_readings(&readings)?;
                (scores, Some(verdict))
            }
            Some(_) => (Scores::default(), None),
        };
        Ok(Judged { sample: (*sample).clone(), stored, scores, verdict })
    });
    judged.collect()
}

/// Where a run keeps its findings.
#[must_use]
pub fn findings_of(folder: &Path) -> PathBuf {
    folder.join("findings.jsonl")
}
