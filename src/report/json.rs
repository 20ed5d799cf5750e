//! Row → one line of JSON, the contract that `tests/wire.rs` mirrors.

use std::fmt::Write as _;

use super::Row;
use crate::names::disguises;

/// The row as one line of JSON, without a line end. What a terminal would obey, or what would mislead a reader, is written
/// by its number, so that a line can be looked at anywhere.
///
/// # Errors
/// Only what serialising can fail of; a report holds nothing that JSON has no form for.
pub fn line(row: &Row) -> serde_json::Result<String> {
    let text = serde_json::to_string(row)?;
    if !text.contains(disguises) {
        return Ok(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        // They stand within strings alone, and none is beyond the first plane. Writing to memory does not fail.
        if disguises(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Failure, FailureCause};

    #[test]
    fn a_line_holds_no_control_character_and_reads_the_same() {
        let name = "a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}gpj.\u{2028}证";
        let error = FailureCause { code: "c".into(), message: "m".into(), message_zh: "中".into() };
        let text = line(&Row::Failure(Failure { path: name.into(), path_bytes: None, error })).unwrap();
        assert!(!text.contains(disguises), "{text:?}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["path"], name);
    }
}
