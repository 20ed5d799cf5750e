//! Row → one flat line of CSV, with cells that no spreadsheet takes for a formula.

use super::Row;
use crate::names::printable;

/// The columns, in order.
pub const COLUMNS: [&str; 23] = [
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
    "judged_by",
    "error_code",
    "error_message",
    "error_message_zh",
    "path_bytes",
    "elapsed_ms",
];

/// The header, with its line end.
#[must_use]
pub fn header() -> String {
    record(&COLUMNS)
}

/// The row as one record of one line, with its line end. `path` is made printable; where that is not the name itself,
/// `path_bytes` has it.
#[must_use]
pub fn line(row: &Row) -> String {
    let mut cells = vec![String::new(); COLUMNS.len()];
    let mut set = |column: &str, value: String| {
        if let Some(i) = COLUMNS.iter().position(|c| *c == column) {
            cells[i] = value;
        }
    };
    let path = printable(row.path());
    let bytes = row.path_bytes().map(str::to_owned);
    let bytes = bytes.or_else(|| (path != row.path()).then(|| hex::encode(row.path())));
    set("path", guarded(&path));
    set("path_bytes", bytes.unwrap_or_default());
    match row {
        Row::Report(report) => {
            let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
            let joined = |each: fn(&crate::policy::Reason) -> &str, by: &str| {
                guarded(&printable(&report.reasons.iter().map(each).collect::<Vec<_>>().join(by)))
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
            set("policy_id", guarded(&printable(&report.policy_id)));
            set("tool_version", report.tool_version.clone());
            set("judged_by", report.judged_by.clone());
            set("elapsed_ms", format!("{:.1}", report.elapsed_ms));
        }
        Row::Failure(failure) => {
            set("error_code", failure.error.code.clone());
            set("error_message", guarded(&printable(&failure.error.message)));
            set("error_message_zh", guarded(&printable(&failure.error.message_zh)));
        }
    }
    record(&cells)
}

/// The name that the JSON contract gives a unit value.
pub(crate) fn name_of<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Signs at whose beginning a spreadsheet takes a cell for a formula, full-width ones among them
/// (OWASP, *CSV Injection*).
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// `cell` with an apostrophe before it when a spreadsheet would read it as a formula, blanks before it or not;
/// [`unguarded`] takes it off.
#[must_use]
pub fn guarded(cell: &str) -> String {
    let formula = cell.starts_with(FORMULA) || cell.trim_start().starts_with(FORMULA) || cell.starts_with('\'');
    if formula { format!("'{cell}") } else { cell.to_owned() }
}

/// What [`guarded`] was given. An apostrophe that it would not have put there stays.
#[must_use]
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| guarded(rest) == cell).unwrap_or(cell)
}

/// A writer of records all of whose words are in quotes, so that a spreadsheet that parts cells at semicolons or tabs
/// makes no new cell of what stands after one.
pub fn writer<W: std::io::Write>(out: W) -> csv::Writer<W> {
    csv::WriterBuilder::new().quote_style(csv::QuoteStyle::NonNumeric).flexible(true).from_writer(out)
}

fn record<T: AsRef<[u8]>>(cells: &[T]) -> String {
    let mut writer = writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(cells);
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Entry, Failure, FailureCause};

    #[test]
    fn a_formula_in_a_name_or_message_is_disarmed_and_the_name_comes_back() {
        for path in [
            "=cmd|' /C calc'!A0",
            "+1",
            "-1",
            "@x",
            "\tx",
            "\r=1",
            "  =1",
            "＝1",
            "'=1",
            "''a",
            "'plain'",
            "a;=cmd",
            "a\u{1b}[2J\u{9b}.jpg",
            "plain, with \"quotes\"\nand a line end",
        ] {
            let error =
                FailureCause { code: "c".into(), message: format!("{path} m"), message_zh: format!("{path} 中") };
            let failure = Failure { path: path.into(), path_bytes: None, error };
            let text = header() + &line(&Row::Failure(failure));
            assert_eq!(text.lines().count(), 2, "a record is a line: {text}");
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            // However a spreadsheet parts cells, none begins with a formula.
            assert!(!text.contains(",=") && !text.contains(";=") || text.contains("\"a;=cmd"), "{text}");
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let record = reader.byte_records().next().unwrap().unwrap();
            for cell in &record {
                let cell = std::str::from_utf8(cell).unwrap();
                assert!(!cell.trim_start().starts_with(FORMULA), "{cell}");
            }
            let entry = Entry::of_csv(&record).unwrap();
            assert_eq!(entry.file(), std::path::Path::new(path));
        }
    }

    #[test]
    fn an_apostrophe_comes_off_only_where_it_was_put() {
        for cell in ["=1", "'", "''", "'=1", "a'b", "", "'a", " =1"] {
            assert_eq!(unguarded(&guarded(cell)), cell);
        }
        assert_eq!(unguarded("'plain'.jpg"), "'plain'.jpg");
    }
}
