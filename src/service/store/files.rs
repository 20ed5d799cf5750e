//! The files of an SQLite store → whether those that are open are still those on the path, and who serves them.
//!
//! A file that is removed or replaced stays open: what is written to it is committed, and gone with the process. So each
//! call looks whether the path still leads to what was opened, and a commit counts only where it does afterwards.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::StoreError;

/// What SQLite appends to the file's name for its write-ahead log and the index of that.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The store's file and those beside it, as they were when it was opened.
#[derive(Debug)]
pub(super) struct Files {
    seen: Vec<(PathBuf, Identity)>,
}

/// What a path leads to: device and number of the file.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let found = path.metadata()?;
    Ok((found.dev(), found.ino()))
}

/// Elsewhere an open file can be neither removed nor replaced.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    path.metadata().map(|_| (0, 0))
}

impl Files {
    /// The store at `path`, whose write-ahead log is in use.
    pub(super) fn of(path: &Path) -> Result<Self, StoreError> {
        let unavailable = |error: io::Error| StoreError::Unavailable(error.to_string());
        // As it was given: a link may be turned to another file.
        let given = std::path::absolute(path).map_err(unavailable)?;
        let real = path.canonicalize().map_err(unavailable)?;
        let beside = BESIDE.iter().map(|end| beside(&real, end));
        let mut seen = Vec::new();
        for path in [given].into_iter().chain(beside) {
            let found = identity(&path).map_err(unavailable)?;
            seen.push((path, found));
        }
        Ok(Self { seen })
    }

    /// Whether all of them are where they were.
    pub(super) fn are_in_place(&self) -> Result<(), StoreError> {
        for (path, before) in &self.seen {
            let (now, path) = (identity(path), path.display());
            match now {
                Ok(now) if now == *before => {}
                Ok(_) => return Err(StoreError::Unavailable(format!("{path} was replaced while it was in use"))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(StoreError::Unavailable(format!("{path} was removed while it was in use")));
                }
                Err(error) => return Err(StoreError::Unavailable(format!("{path}: {error}"))),
            }
        }
        Ok(())
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// That no other service works on a file; ends when dropped, and with the process.
#[derive(Debug)]
pub(crate) struct Hold {
    _file: Option<File>,
}

impl Hold {
    /// Holds the file at `path`, by a lock on one beside it: SQLite's own locks would go with any other opening of its
    /// file in this process.
    pub(super) fn take(path: &Path) -> Result<Self, StoreError> {
        let unavailable = |error: io::Error| StoreError::Unavailable(error.to_string());
        // One lock, whichever link leads there.
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(beside(&real, "-lock")).map_err(unavailable)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Held(path.display().to_string())),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                tracing::warn!(
                    "the store's file system has no locks: see to it that one service alone is at work there"
                );
                Ok(Self { _file: None })
            }
            Err(TryLockError::Error(error)) => Err(unavailable(error)),
        }
    }

    /// Nothing is to be held: a database that many may share.
    pub(super) const fn nothing() -> Self {
        Self { _file: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_what_is_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let (path, aside) = (folder.path().join("store.db"), folder.path().join("aside"));
        for end in ["", "-wal", "-shm"] {
            let all = || ["", "-wal", "-shm"].map(|end| std::fs::write(beside(&path, end), "x").unwrap());
            all();
            let files = Files::of(&path).unwrap();
            files.are_in_place().unwrap();
            let touched = beside(&path, end);
            std::fs::rename(&touched, &aside).unwrap();
            let told = files.are_in_place().unwrap_err().to_string();
            assert!(told.contains("was removed"), "{told}");
            std::fs::write(&touched, "x").unwrap();
            let told = files.are_in_place().unwrap_err().to_string();
            assert!(told.contains("was replaced"), "{told}");
            std::fs::rename(&aside, &touched).unwrap();
            files.are_in_place().unwrap();
        }
    }

    #[test]
    fn one_service_alone_holds_a_file_whichever_link_leads_there() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("store.db"), folder.path().join("link.db"));
        std::fs::write(&path, "").unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let held = Hold::take(&path).unwrap();
        for other in [&path, &link] {
            assert!(matches!(Hold::take(other), Err(StoreError::Held(_))), "{other:?}");
        }
        drop(held);
        Hold::take(&link).unwrap();
    }
}
