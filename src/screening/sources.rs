//! Folders, lists and files named outright → the items of a screening, in a fixed order, and what was left out.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::files::{failure, open_unwaiting};
use crate::names;
use crate::report::{Failure, FailureCause};
use crate::words::{LeftOut, Notice, noticed_in_both};

/// Extensions that make a file in a folder a photograph, whatever is in it.
pub const EXTENSIONS: [&str; 15] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "heic", "heif", "hif", "avif", "bmp", "tif", "tiff", "gif", "pdf"];

/// Extensions of videos.
pub const VIDEOS: [&str; 9] = ["mp4", "avi", "mov", "mkv", "m4v", "webm", "mpg", "mpeg", "3gp"];

/// One thing to screen: it gets one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A file.
    File(PathBuf),
    /// Something that cannot be opened, with the reason.
    Refused(Failure),
}

impl Item {
    /// The item as rows name it.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(path) => names::shown(path),
            Self::Refused(failure) => failure.path.clone(),
        }
    }

    /// The path that it was found at.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Refused(failure) => names::path_of(&failure.path, failure.path_bytes.as_deref()),
        }
    }
}

/// Everything that was named, looked into.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Gathered {
    /// What gets a row, in order.
    pub items: Vec<Item>,
    /// What the folders hold besides, by kind.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// Folders in which there is nothing to examine.
    pub empty: Vec<PathBuf>,
    /// Whether a list was asked for and names nothing.
    pub empty_list: bool,
}

/// Everything that `named` stands for: a folder for the pictures in it and below, sorted by name; `-` for the paths
/// listed in `list`, one a line; anything else for itself, even if it is missing or no picture.
///
/// # Errors
/// When `list` cannot be read.
pub fn gather(named: &[PathBuf], list: &mut dyn BufRead) -> std::io::Result<Gathered> {
    let mut gathered = Gathered::default();
    for path in named {
        if path.as_os_str() == "-" {
            let mut line = Vec::new();
            let mut some = false;
            while list.read_until(b'\n', &mut line)? > 0 {
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                if !text.is_empty() {
                    gathered.add(names::of_bytes(text));
                    some = true;
                }
                line.clear();
            }
            gathered.empty_list |= !some;
        } else {
            gathered.add(path.clone());
        }
    }
    Ok(gathered)
}

impl Gathered {
    fn add(&mut self, path: PathBuf) {
        if !path.is_dir() {
            self.items.push(Item::File(path));
            return;
        }
        let before = self.items.len();
        self.walk(&path);
        if self.items.len() == before {
            self.empty.push(path);
        }
    }

    /// Adds the pictures of `folder`; links to folders are not followed, so that a walk ends.
    fn walk(&mut self, folder: &Path) {
        for entry in WalkDir::new(folder).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.file_type().is_dir() || entry.depth() == 0 => {}
                Ok(entry) => match left_out(entry.path()) {
                    None => self.items.push(Item::File(entry.into_path())),
                    Some(kind) => *self.left_out.entry(kind).or_default() += 1,
                },
                Err(error) => {
                    let path = error.path().unwrap_or(folder).to_owned();
                    let cause = error.into_io_error().unwrap_or_else(|| std::io::ErrorKind::Other.into());
                    let said = noticed_in_both(Notice::FolderCannotBeRead { cause: &cause });
                    self.items.push(Item::Refused(failure(&path, FailureCause::new("unreadable", said))));
                }
            }
        }
    }
}

/// Why a file of a folder gets no row; `None` for a picture by its extension or by its first bytes.
fn left_out(path: &Path) -> Option<LeftOut> {
    // Through links: what is asked is where they lead.
    let Ok(facts) = path.metadata() else { return Some(LeftOut::DeadLink) };
    if facts.is_dir() {
        return Some(LeftOut::FolderLink);
    }
    if !facts.is_file() {
        return Some(LeftOut::Special);
    }
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let named = |known: &[&str]| {
        let extension = path.extension().and_then(|e| e.to_str());
        extension.is_some_and(|e| known.iter().any(|known| known.eq_ignore_ascii_case(e)))
    };
    // A hidden file with a picture's name is often no picture: `._1.jpg` holds what another system knows of `1.jpg`.
    if named(&EXTENSIONS) && !hidden {
        return None;
    }
    let Some(head) = first_bytes(path) else { return Some(LeftOut::Unreadable) };
    Some(match head {
        head if begins_like_image(&head) => return None,
        _ if hidden => LeftOut::Hidden,
        _ if named(&VIDEOS) => LeftOut::Video,
        _ => LeftOut::Other,
    })
}

/// Whether the file at `path` begins as pictures do.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    path.is_file() && first_bytes(path).is_some_and(|head| begins_like_image(&head))
}

fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(16);
    open_unwaiting(path).ok()?.take(16).read_to_end(&mut head).ok()?;
    Some(head)
}

fn begins_like_image(head: &[u8]) -> bool {
    let brand =
        |known: &[&[u8]]| head.get(4..8) == Some(b"ftyp") && head.get(8..12).is_some_and(|b| known.contains(&b));
    head.starts_with(&[0xff, 0xd8, 0xff])
        || head.starts_with(b"\x89PNG\r\n\x1a\n")
        || head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP")
        || head.starts_with(b"GIF8")
        || head.starts_with(b"%PDF-")
        || head.starts_with(b"II*\0")
        || head.starts_with(b"MM\0*")
        || head.starts_with(b"BM") && head.get(6..10) == Some(&[0; 4])
        || brand(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_give_pictures_by_name_or_content_in_order_and_named_files_always_count() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("b/deep")).unwrap();
        for (name, bytes) in [
            ("z.jpg", &b"no picture"[..]),
            ("a.txt", b"text"),
            ("b/deep/blob", b"\x89PNG\r\n\x1a\nrest"),
            ("b/c.HEIC", b""),
            ("notes", b"BM is how this text begins"),
        ] {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        let text = dir.path().join("a.txt");
        let list = format!("{}\r\n\n{}\n/nowhere", dir.path().display(), text.display());
        let gathered = gather(&[PathBuf::from("-"), text], &mut list.as_bytes()).unwrap();
        let names: Vec<_> = gathered
            .items
            .iter()
            .map(|i| i.name().replace(&*dir.path().to_string_lossy(), "").replace(std::path::MAIN_SEPARATOR, "/"))
            .collect();
        assert_eq!(names, ["/b/c.HEIC", "/b/deep/blob", "/z.jpg", "/a.txt", "/nowhere", "/a.txt"]);
    }
    #[cfg(unix)]
    #[test]
    fn what_a_folder_holds_besides_pictures_is_counted_by_kind_and_nothing_hangs() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for (name, bytes) in [
            ("scan.pdf", &b"%PDF-1.7"[..]),
            ("scan", b"%PDF-1.4"),
            ("clip.MP4", b"...."),
            ("notes.txt", b"text"),
            ("._a.jpg", b"\0\x05\x16\x07"),
            (".DS_Store", b"Bud1"),
            (".photo", b"\xff\xd8\xff"),
            ("empty.jpg", b""),
            ("a.jpg", b"\xff\xd8\xff"),
        ] {
            std::fs::write(at(name), bytes).unwrap();
        }
        std::fs::create_dir(at("folder.jpg")).unwrap();
        std::fs::write(at("folder.jpg/b.png"), "").unwrap();
        for pipe in ["pipe", "pipe.jpg"] {
            assert!(std::process::Command::new("mkfifo").arg(at(pipe)).status().unwrap().success());
        }
        symlink(dir.path(), at("round")).unwrap();
        symlink(at("nowhere"), at("dead.jpg")).unwrap();
        symlink(at("self.jpg"), at("self.jpg")).unwrap();
        symlink(at("a.jpg"), at("link.jpg")).unwrap();
        symlink("/dev/zero", at("zero.jpg")).unwrap();
        let gathered = gather(&[dir.path().to_owned()], &mut std::io::empty()).unwrap();
        let names: Vec<_> =
            gathered.items.iter().map(|i| i.name().replace(&*dir.path().to_string_lossy(), "")).collect();
        assert_eq!(names, ["/.photo", "/a.jpg", "/empty.jpg", "/folder.jpg/b.png", "/link.jpg", "/scan", "/scan.pdf"]);
        let expected = [
            (LeftOut::Video, 1),
            (LeftOut::Hidden, 2),
            (LeftOut::Other, 1),
            (LeftOut::FolderLink, 1),
            (LeftOut::DeadLink, 2),
            (LeftOut::Special, 3),
        ];
        assert_eq!(gathered.left_out, BTreeMap::from(expected));
        assert!(gathered.empty.is_empty() && !gathered.empty_list);
    }

    #[test]
    fn a_folder_or_list_without_anything_to_examine_is_said() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("a.txt"), "text").unwrap();
        let gathered = gather(&[dir.path().to_owned(), PathBuf::from("-")], &mut &b"\n\r\n"[..]).unwrap();
        assert!(gathered.items.is_empty() && gathered.empty_list);
        assert_eq!(gathered.empty, [dir.path()]);
        assert_eq!(gathered.left_out, BTreeMap::from([(LeftOut::Other, 1)]));
    }
}
