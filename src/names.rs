//! The name of a file, bytes that need be no text → what people, rows and pages are shown of it, and back.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// `path` as text: bytes that are no UTF-8 as `\xe9` each, everything else as it is.
#[must_use]
pub fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to memory does not fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes of `path` in lower-case hexadecimal where they are no text, so that no two files have one name.
#[must_use]
pub fn bytes_of(path: &Path) -> Option<String> {
    let bytes = path.as_os_str().as_encoded_bytes();
    std::str::from_utf8(bytes).is_err().then(|| hex::encode(bytes))
}

/// The path that [`shown`] and [`bytes_of`] came from.
#[must_use]
pub fn path_of(shown: &str, bytes: Option<&str>) -> PathBuf {
    bytes.and_then(|bytes| hex::decode(bytes).ok()).map_or_else(|| PathBuf::from(shown), |bytes| of_bytes(&bytes))
}

/// The path of a name as a system hands it over.
#[cfg(unix)]
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

/// The path of a name as a system hands it over.
#[cfg(not(unix))]
#[must_use]
pub fn of_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// Whether a terminal would obey `c`, or a reader be misled by it: control characters, signs that turn the direction of
/// writing (Unicode Standard Annex 9), line separators, and blanks without width.
#[must_use]
pub fn disguises(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `text` with everything escaped that a terminal would obey or that would mislead a reader.
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, disguises)
}

/// The same for text of several lines.
#[must_use]
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && disguises(c))
}

/// `path` as a person is shown it on one line.
#[must_use]
pub fn spoken(path: &Path) -> String {
    printable(&shown(path)).into_owned()
}

fn escaped(text: &str, bad: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&bad) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if bad(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn names_that_differ_in_any_byte_are_told_apart_and_come_back() {
        let names: [&[u8]; 6] =
            [b"caf\xe9.jpg", b"caf\xe8.jpg", "café.jpg".as_bytes(), b"caf\\xe9.jpg", b"\xff", b"a\x1b[2J.jpg"];
        let mut keys = std::collections::BTreeSet::new();
        for name in names {
            let path = of_bytes(name);
            let (text, bytes) = (shown(&path), bytes_of(&path));
            assert_eq!(path_of(&text, bytes.as_deref()), path);
            assert!(!text.contains('\u{fffd}'), "{text}");
            assert!(keys.insert((text, bytes)));
        }
        assert_eq!(shown(&of_bytes(b"caf\xe9.jpg")), "caf\\xe9.jpg");
        assert_eq!(bytes_of(Path::new("café.jpg")), None);
    }

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for (text, expected) in [
            ("a\u{1b}[2J\u{7}b", "a\\u{1b}[2J\\u{7}b"),
            ("a\u{9b}31mb", "a\\u{9b}31mb"),
            ("two\r\nlines\t", "two\\r\\nlines\\t"),
            ("gpj.\u{202e}exe", "gpj.\\u{202e}exe"),
            ("证件 é.jpg", "证件 é.jpg"),
        ] {
            assert_eq!(printable(text), expected);
        }
        assert_eq!(printable_lines("one\n\u{1b}two"), "one\n\\u{1b}two");
    }
}
