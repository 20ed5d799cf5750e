//! Row → one line of JSON, the contract that `tests/wire.rs` mirrors.

use super::Row;

/// The row as one line of JSON, without a line end.
///
/// # Errors
/// Only what serialising can fail of; a report holds nothing that JSON has no form for.
pub fn line(row: &Row) -> serde_json::Result<String> {
    serde_json::to_string(row)
}
