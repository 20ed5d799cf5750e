//! Folders, lists and files named outright → the items of a screening, in a fixed order.

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::files::failure;
use crate::report::Failure;

/// Extensions that make a file in a folder a photograph, whatever is in it.
pub const EXTENSIONS: [&str; 13] =
    ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "heic", "heif", "hif", "avif", "bmp", "tif", "tiff"];

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
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::File(path) => path.to_string_lossy(),
            Self::Refused(failure) => failure.path.as_str().into(),
        }
    }
}

/// Everything that `named` stands for: a folder for the pictures in it and below, sorted by name; `-` for the paths
/// listed in `list`, one a line; anything else for itself, even if it is missing or no picture.
///
/// # Errors
/// When `list` cannot be read.
pub fn gather(named: &[PathBuf], list: &mut dyn BufRead) -> std::io::Result<Vec<Item>> {
    let mut items = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            let mut line = Vec::new();
            while list.read_until(b'\n', &mut line)? > 0 {
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                if !text.is_empty() {
                    add(path_of(text), &mut items);
                }
                line.clear();
            }
        } else {
            add(path.clone(), &mut items);
        }
    }
    Ok(items)
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

fn add(path: PathBuf, items: &mut Vec<Item>) {
    if path.is_dir() { walk(&path, items) } else { items.push(Item::File(path)) }
}

/// Adds the pictures of `folder`; links to folders are not followed, so that a walk ends.
fn walk(folder: &Path, items: &mut Vec<Item>) {
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.path().is_file() && is_image(entry.path()) => {
                items.push(Item::File(entry.into_path()));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().unwrap_or(folder).to_string_lossy();
                let cause = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                let message = format!("the folder cannot be read: {cause}");
                items.push(Item::Refused(failure(path, "unreadable", message)));
            }
        }
    }
}

/// Whether a regular file is a picture by its extension or by its first bytes.
#[must_use]
pub fn is_image(path: &Path) -> bool {
    let by_name = path
        .extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(e)));
    by_name || first_bytes(path).is_some_and(|head| begins_like_image(&head))
}

fn first_bytes(path: &Path) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(16);
    File::open(path).ok()?.take(16).read_to_end(&mut head).ok()?;
    Some(head)
}

fn begins_like_image(head: &[u8]) -> bool {
    let brand =
        |known: &[&[u8]]| head.get(4..8) == Some(b"ftyp") && head.get(8..12).is_some_and(|b| known.contains(&b));
    head.starts_with(&[0xff, 0xd8, 0xff])
        || head.starts_with(b"\x89PNG\r\n\x1a\n")
        || head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP")
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
        let items = gather(&[PathBuf::from("-"), text], &mut list.as_bytes()).unwrap();
        let names: Vec<_> = items
            .iter()
            .map(|i| i.name().replace(&*dir.path().to_string_lossy(), "").replace(std::path::MAIN_SEPARATOR, "/"))
            .collect();
        assert_eq!(names, ["/b/c.HEIC", "/b/deep/blob", "/z.jpg", "/a.txt", "/nowhere", "/a.txt"]);
    }
}
