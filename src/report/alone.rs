//! A path to write → a file that no other run writes meanwhile, and that takes its name when it is whole.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Opens `path` for reading and writing, made if missing and not cut, and locks it until the handle is closed.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when another run holds it; whatever opening fails with.
pub fn open_alone(path: &Path) -> io::Result<File> {
    loop {
        let regular = path.metadata().map_or(true, |facts| facts.is_file());
        // A device or a pipe is written by as many as like.
        if !regular {
            return OpenOptions::new().write(true).open(path);
        }
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            // A file system without locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Another run may have put a new file there between opening and locking.
        if identity(path).is_none() || identity(path) == identity_of(&file) {
            return Ok(file);
        }
    }
}

/// Which file a path leads to, whatever its name: equal for links and other spellings of one file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity(#[cfg(unix)] u64, #[cfg(unix)] u64, #[cfg(not(unix))] PathBuf);

/// The file that `path` leads to; `None` where there is none.
#[must_use]
pub fn identity(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    return path.metadata().ok().map(|facts| of_facts(&facts));
    #[cfg(not(unix))]
    return path.canonicalize().ok().map(Identity);
}

/// The file behind an open handle; `None` where the system cannot say.
#[must_use]
pub fn identity_of(file: &File) -> Option<Identity> {
    #[cfg(unix)]
    return file.metadata().ok().map(|facts| of_facts(&facts));
    #[cfg(not(unix))]
    return {
        let _ = file;
        None
    };
}

#[cfg(unix)]
fn of_facts(facts: &std::fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    Identity(facts.dev(), facts.ino())
}

/// Where the file of `path` is written until it is whole.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    PathBuf::from(part)
}

/// A file in the making, beside its destination: one run alone writes it, and it is removed when it does not get whole.
pub struct Part {
    out: BufWriter<File>,
    made_at: PathBuf,
    path: PathBuf,
    whole: bool,
}

impl Part {
    /// Begins the file that [`Part::finish`] puts at `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another run is writing it; when its folder cannot be written.
    pub fn begin(path: &Path) -> io::Result<Self> {
        // Through a link to the file that it names, so that the link stays one.
        let path =
            if path.is_symlink() { path.canonicalize().unwrap_or_else(|_| path.to_owned()) } else { path.to_owned() };
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let part = part_of(&path);
        let file = open_alone(&part)?;
        file.set_len(0)?;
        Ok(Self { out: BufWriter::new(file), made_at: part, path, whole: false })
    }

    /// Where to write.
    pub const fn out(&mut self) -> &mut BufWriter<File> {
        &mut self.out
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// When the file cannot be written or renamed.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.flush()?;
        if let Ok(facts) = self.path.metadata() {
            self.out.get_ref().set_permissions(facts.permissions())?;
        }
        std::fs::rename(&self.made_at, &self.path)?;
        self.whole = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.whole {
            let _ = std::fs::remove_file(&self.made_at);
        }
    }
}

/// Writes `bytes` to `path` at once: whoever reads it finds the old file or the new one, whole.
///
/// # Errors
/// As [`Part::begin`] and [`Part::finish`]; a device or a pipe is written as it is.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if path.metadata().is_ok_and(|facts| !facts.is_file()) {
        return std::fs::write(path, bytes);
    }
    let mut part = Part::begin(path)?;
    part.out().write_all(bytes)?;
    part.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_is_one_writers_and_what_is_not_whole_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.html");
        std::fs::write(&path, "before").unwrap();
        let mut first = Part::begin(&path).unwrap();
        assert_eq!(Part::begin(&path).err().unwrap().kind(), io::ErrorKind::WouldBlock);
        first.out().write_all(b"half").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        drop(first);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        write_whole(&path, b"after").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"after");
        let held = open_alone(&path).unwrap();
        assert_eq!(open_alone(&path).err().unwrap().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        open_alone(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_and_other_spellings_are_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let (file, hard, soft) = (dir.path().join("a"), dir.path().join("b"), dir.path().join("c"));
        std::fs::write(&file, "x").unwrap();
        std::fs::hard_link(&file, &hard).unwrap();
        std::os::unix::fs::symlink(&file, &soft).unwrap();
        let one = identity(&file);
        assert!(one.is_some() && one == identity(&hard) && one == identity(&soft));
        assert_eq!(one, identity(&dir.path().join("../").join(dir.path().file_name().unwrap()).join("a")));
        assert_eq!(identity(&dir.path().join("none")), None);
        write_whole(&soft, b"y").unwrap();
        assert!(soft.is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"y");
    }
}
