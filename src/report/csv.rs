//! Row → one flat line of CSV, with cells that no spreadsheet takes for a formula.

use super::Row;

/// The columns, in order.
pub const COLUMNS: [&str; 20] = [
    "path",
    "decision",
    "classification",
    "legible",
    "screen",
    "print",
    "legibility",
    "reasons",
    "explanation_en",
    "explanation_zh",
    "document",
    "width",
    "height",
    "media_type",
    "sha256",
    "policy_id",
    "tool_version",
    "error_code",
    "error_message",
    "elapsed_ms",
];

/// The header, with its line end.
#[must_use]
pub fn header() -> String {
    record(&COLUMNS)
}

/// The row as one record, with its line end.
#[must_use]
pub fn line(row: &Row) -> String {
    let mut cells = vec![String::new(); COLUMNS.len()];
    let mut set = |column: &str, value: String| {
        if let Some(i) = COLUMNS.iter().position(|c| *c == column) {
            cells[i] = value;
        }
    };
    set("path", guarded(row.path()));
    match row {
        Row::Report(report) => {
            let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
            let joined = |each: fn(&crate::policy::Reason) -> &str, by: &str| {
                guarded(&report.reasons.iter().map(each).collect::<Vec<_>>().join(by))
            };
            set("decision", name_of(&report.decision));
            set("classification", report.classification.name().to_owned());
            set("legible", report.legible.map(|l| l.to_string()).unwrap_or_default());
            set("screen", number(report.scores.screen));
            set("print", number(report.scores.print));
            set("legibility", number(report.scores.legibility));
            set("reasons", joined(|r| r.code, ";"));
            set("explanation_en", joined(|r| &r.en, " "));
            set("explanation_zh", joined(|r| &r.zh, ""));
            set("document", report.document.as_ref().map(|d| name_of(&d.kind)).unwrap_or_default());
            set("width", report.width.to_string());
            set("height", report.height.to_string());
            set("media_type", report.media_type.to_owned());
            set("sha256", report.sha256.clone());
            set("policy_id", guarded(&report.policy_id));
            set("tool_version", report.tool_version.clone());
            set("elapsed_ms", format!("{:.1}", report.elapsed_ms));
        }
        Row::Failure(failure) => {
            set("error_code", failure.error.code.clone());
            set("error_message", guarded(&failure.error.message));
        }
    }
    record(&cells)
}

/// The name that the JSON contract gives a unit value.
pub(crate) fn name_of<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `cell` with an apostrophe before it when a spreadsheet would read it as a formula; [`unguarded`] takes it off.
#[must_use]
pub fn guarded(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\'']) { format!("'{cell}") } else { cell.to_owned() }
}

/// What [`guarded`] was given.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

fn record<T: AsRef<[u8]>>(cells: &[T]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(cells);
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Failure, FailureCause};

    #[test]
    fn a_formula_in_a_path_is_disarmed_and_can_be_read_back() {
        for path in ["=cmd|' /C calc'!A0", "+1", "-1", "@x", "'=1", "plain, with \"quotes\"\nand a line end"] {
            let failure = Failure { path: path.into(), error: FailureCause { code: "c".into(), message: "m".into() } };
            let text = header() + &line(&Row::Failure(failure));
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let record = reader.records().next().unwrap().unwrap();
            assert!(!record[0].starts_with(['=', '+', '-', '@']), "{record:?}");
            assert_eq!(unguarded(&record[0]), path);
            assert_eq!(record.len(), COLUMNS.len());
        }
    }
}
