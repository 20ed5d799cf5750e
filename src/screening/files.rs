//! Path → bytes within the limits → row: what happens to one file of a screening.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::memory::{Gate, HEAD_BYTES, decoded_bytes};
use super::pipeline::Done;
use crate::capture::{CaptureError, Limits, Upload};
use crate::checker::Checker;
use crate::report::{Failure, FailureCause, Report, Row};
use crate::scene::Deadline;

/// The failure of `path` with a stable code and words for people.
pub fn failure(path: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Failure {
    Failure { path: path.into(), error: FailureCause { code: code.into(), message: message.into() } }
}

fn refused(path: &str, error: &CaptureError) -> Failure {
    failure(path, error.code(), error.to_string())
}

fn io_failure(path: &str, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => failure(path, "missing", "there is no such file"),
        io::ErrorKind::PermissionDenied => failure(path, "unreadable", "the file may not be read"),
        _ => failure(path, "unreadable", format!("the file cannot be read: {error}")),
    }
}

/// Opens `path` if it is a regular file within the limits: a pipe or device would block or never end.
fn open(path: &Path, limits: &Limits) -> Result<(File, u64), Failure> {
    let name = path.to_string_lossy();
    let facts = std::fs::metadata(path).map_err(|e| io_failure(&name, &e))?;
    if !facts.is_file() {
        return Err(failure(name, "not_a_file", "this is not a regular file"));
    }
    let bytes = usize::try_from(facts.len()).unwrap_or(usize::MAX);
    if bytes > limits.bytes {
        return Err(refused(&name, &CaptureError::TooManyBytes { bytes, limit: limits.bytes }));
    }
    Ok((File::open(path).map_err(|e| io_failure(&name, &e))?, facts.len()))
}

/// Reads a file that is to be examined.
///
/// # Errors
/// A [`Failure`] when there is no such regular file, it may not be read, or it has more bytes than allowed; in the
/// last case it is not read at all.
pub fn read_upload(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let (file, _) = open(path, limits)?;
    read_rest(file, Vec::new(), path, limits)
}

fn read_rest(file: File, mut bytes: Vec<u8>, path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let name = path.to_string_lossy();
    // One byte more than allowed, so that a file which grew meanwhile is refused and not cut.
    let room = (limits.bytes as u64 + 1).saturating_sub(bytes.len() as u64);
    file.take(room).read_to_end(&mut bytes).map_err(|e| io_failure(&name, &e))?;
    if bytes.len() > limits.bytes {
        return Err(refused(&name, &CaptureError::TooManyBytes { bytes: bytes.len(), limit: limits.bytes }));
    }
    Ok(bytes)
}

/// Examines the file at `path`, waiting at `gate` until its decoded bytes may be held.
pub fn examine(checker: &Checker, gate: &Gate, path: &Path, with_thumbnail: bool) -> Done {
    match attempt(checker, gate, path, with_thumbnail) {
        Ok((report, thumbnail)) => Done { row: Row::Report(report), thumbnail },
        Err(failure) => Done { row: Row::Failure(failure), thumbnail: None },
    }
}

fn attempt(
    checker: &Checker,
    gate: &Gate,
    path: &Path,
    with_thumbnail: bool,
) -> Result<(Report, Option<Vec<u8>>), Failure> {
    let name = path.to_string_lossy();
    let limits = checker.limits();
    let (mut file, length) = open(path, limits)?;
    let mut head = Vec::new();
    Read::by_ref(&mut file).take(HEAD_BYTES).read_to_end(&mut head).map_err(|e| io_failure(&name, &e))?;
    let _permit = gate.enter(decoded_bytes(&head, length, limits));
    let bytes = read_rest(file, head, path, limits)?;
    let upload = Upload { bytes: &bytes, name: Some(&name) };
    let outcome = checker.look(&upload, Deadline::NEVER, |mut look| {
        let report = look.report();
        let thumbnail = with_thumbnail.then(|| look.thumbnail(&report));
        (report, thumbnail)
    });
    outcome.map_err(|error| refused(&name, &error))
}
