//! Path → bytes within the limits → row: what happens to one file of a screening.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use super::memory::{Gate, HEAD_BYTES, decoded_bytes};
use super::pipeline::Done;
use crate::capture::{CaptureError, Limits, Upload, decode};
use crate::checker::{Checker, sha256};
use crate::geometry::Quad;
use crate::names;
use crate::report::html::thumbnail;
use crate::report::{Failure, FailureCause, Report, Row};
use crate::scene::Deadline;
use crate::words::{Notice, noticed_in_both};

/// The failure of the file at `path`.
#[must_use]
pub fn failure(path: &Path, error: FailureCause) -> Failure {
    Failure { path: names::shown(path), path_bytes: names::bytes_of(path), error }
}

fn refused(path: &Path, error: &CaptureError) -> Failure {
    failure(path, FailureCause::of(error))
}

fn unread(path: &Path, code: &str, notice: Notice<'_>) -> Failure {
    failure(path, FailureCause::new(code, noticed_in_both(notice)))
}

fn io_failure(path: &Path, error: &io::Error) -> Failure {
    let (code, notice) = match error.kind() {
        io::ErrorKind::NotFound => ("missing", Notice::Missing),
        io::ErrorKind::PermissionDenied => ("unreadable", Notice::MayNotBeRead),
        _ => ("unreadable", Notice::CannotBeRead { cause: error }),
    };
    unread(path, code, notice)
}

/// A file that is being read, and what it was when reading began.
struct Opened {
    file: File,
    facts: Metadata,
}

/// Opens `path` so that neither a pipe that took the file's place nor a file of the system that waits for news holds the
/// reader.
pub(super) fn open_unwaiting(path: &Path) -> io::Result<File> {
    let mut how = OpenOptions::new();
    how.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        how.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    how.open(path)
}

/// Opens `path` if it is a regular file within the limits: a pipe or device would block or never end.
fn open(path: &Path, limits: &Limits) -> Result<Opened, Failure> {
    let regular = |facts: &Metadata| {
        let refused = || unread(path, "not_a_file", Notice::NotAFile);
        facts.is_file().then_some(()).ok_or_else(refused)
    };
    // Opening some devices does something, so what is there is asked first; and then again, for what was opened.
    regular(&std::fs::metadata(path).map_err(|e| io_failure(path, &e))?)?;
    let file = open_unwaiting(path).map_err(|e| io_failure(path, &e))?;
    let facts = file.metadata().map_err(|e| io_failure(path, &e))?;
    regular(&facts)?;
    let bytes = usize::try_from(facts.len()).unwrap_or(usize::MAX);
    if bytes > limits.bytes {
        return Err(refused(path, &CaptureError::TooManyBytes { bytes, limit: limits.bytes }));
    }
    Ok(Opened { file, facts })
}

/// Reads a file that is to be examined.
///
/// # Errors
/// A [`Failure`] when there is no such regular file, it may not be read, it changes while it is read, or it has more bytes
/// than allowed; in the last case it is not read at all.
pub fn read_upload(path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    read_rest(open(path, limits)?, Vec::new(), path, limits)
}

fn read_rest(opened: Opened, mut bytes: Vec<u8>, path: &Path, limits: &Limits) -> Result<Vec<u8>, Failure> {
    let Opened { mut file, facts } = opened;
    // One byte more than allowed, so that a file which grew meanwhile is refused and not cut.
    let room = (limits.bytes as u64 + 1).saturating_sub(bytes.len() as u64);
    Read::by_ref(&mut file).take(room).read_to_end(&mut bytes).map_err(|e| io_failure(path, &e))?;
    if bytes.len() > limits.bytes {
        return Err(refused(path, &CaptureError::TooManyBytes { bytes: bytes.len(), limit: limits.bytes }));
    }
    // What was read of a file that is being written is no whole picture, or two halves of different ones.
    let now = file.metadata().map_err(|e| io_failure(path, &e))?;
    if now.len() != facts.len() || now.modified().ok() != facts.modified().ok() {
        return Err(unread(path, "changed", Notice::ChangedMeanwhile));
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
    let name = names::shown(path);
    let limits = checker.limits();
    let mut opened = open(path, limits)?;
    let mut head = Vec::new();
    Read::by_ref(&mut opened.file).take(HEAD_BYTES).read_to_end(&mut head).map_err(|e| io_failure(path, &e))?;
    let _permit = gate.enter(decoded_bytes(&head, opened.facts.len(), limits));
    let bytes = read_rest(opened, head, path, limits)?;
    let upload = Upload { bytes: &bytes, name: Some(&name) };
    let outcome = checker.look(&upload, Deadline::NEVER, |mut look| {
        let report = look.report();
        let thumbnail = with_thumbnail.then(|| look.thumbnail(&report));
        (Report { path_bytes: names::bytes_of(path), ..report }, thumbnail)
    });
    outcome.map_err(|error| refused(path, &error))
}

/// Whether the file at `path` has the bytes that a row was made of.
#[must_use]
pub fn is_same(path: &Path, limits: &Limits, hash: &str) -> bool {
    read_upload(path, limits).is_ok_and(|bytes| sha256(&bytes) == hash)
}

/// The small picture of a file that was examined earlier, with its document outlined; `None` where the file has other bytes
/// now, or is gone.
#[must_use]
pub fn thumbnail_again(
    checker: &Checker,
    gate: &Gate,
    path: &Path,
    hash: &str,
    corners: Option<&Quad>,
) -> Option<Vec<u8>> {
    let bytes = read_upload(path, checker.limits()).ok().filter(|bytes| sha256(bytes) == hash)?;
    let _permit = gate.enter(decoded_bytes(&bytes, bytes.len() as u64, checker.limits()));
    let capture = decode(&Upload { bytes: &bytes, name: None }, checker.limits()).ok()?;
    Some(thumbnail(checker.survey(&capture, Deadline::NEVER).overview(), corners))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn code(outcome: Result<Vec<u8>, Failure>) -> String {
        outcome.err().map_or_else(|| "read".to_owned(), |failure| failure.error.code)
    }

    #[test]
    fn what_changes_while_it_is_read_is_no_picture_of_anything() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.jpg");
        let limits = Limits::default();
        let changes: [(&str, fn(&Path)); 5] = [
            ("grown", |path| OpenOptions::new().append(true).open(path).unwrap().write_all(b"more").unwrap()),
            ("cut", |path| OpenOptions::new().write(true).open(path).unwrap().set_len(3).unwrap()),
            ("written over", |path| {
                let file = OpenOptions::new().write(true).open(path).unwrap();
                (&file).write_all(b"other").unwrap();
                file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
            }),
            // The bytes that were opened are read to their end, whatever has their name now.
            ("replaced", |path| {
                let other = path.with_extension("new");
                std::fs::write(&other, "another").unwrap();
                std::fs::rename(other, path).unwrap();
            }),
            ("removed", |path| std::fs::remove_file(path).unwrap()),
        ];
        for (what, change) in changes {
            std::fs::write(&path, "first bytes").unwrap();
            let mut opened = open(&path, &limits).unwrap();
            let mut head = vec![0; 5];
            opened.file.read_exact(&mut head).unwrap();
            change(&path);
            let outcome = read_rest(opened, head, &path, &limits);
            if let "replaced" | "removed" = what {
                assert_eq!(outcome.unwrap(), b"first bytes", "{what}");
            } else {
                assert_eq!(code(outcome), "changed", "{what}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_the_system_that_never_ends_or_waits_is_one_answer() {
        let limits = Limits { bytes: 1 << 20, ..Limits::default() };
        // No size is stated, and there is something in it.
        assert_eq!(code(read_upload(Path::new("/proc/self/status"), &limits)), "read");
        assert_eq!(code(read_upload(Path::new("/proc/self"), &limits)), "not_a_file");
        assert_eq!(code(read_upload(Path::new("/dev/zero"), &limits)), "not_a_file");
    }
}
