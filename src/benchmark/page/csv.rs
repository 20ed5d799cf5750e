//! A page → its tables as CSV, each with the stem of a file name of its own.

use std::collections::BTreeSet;

use super::{Cell, Page, Table, columns, ids, slug, unlike};
use crate::report::csv::{guarded, writer};

/// The tables, each with the stem of a file name of its own and its records. Marks stand in a last column of their own,
/// so that numbers stay numbers; words that a spreadsheet would take for a formula get an apostrophe.
pub fn tables_csv(page: &Page) -> Vec<(String, String)> {
    let mut taken = BTreeSet::new();
    let mut files = Vec::new();
    for (section, id) in page.sections.iter().zip(ids(page)) {
        for table in &section.tables {
            let caption = slug(&table.caption);
            let caption = if caption.is_empty() { "table" } else { &caption };
            files.push((unlike(&mut taken, &format!("{id}-{caption}")), records(table)));
        }
    }
    files
}

fn records(table: &Table) -> String {
    let columns = columns(table);
    let badges = |row: &[Cell]| row.iter().filter_map(|cell| cell.badge.clone()).collect::<Vec<_>>().join("; ");
    let marks = table.rows.iter().any(|row| !badges(row).is_empty());
    let mut writer = writer(Vec::new());
    let mut record = |mut cells: Vec<String>, last: String| {
        if marks {
            cells.push(last);
        }
        // Writing to memory does not fail.
        let _ = writer.write_record(cells);
    };
    let name = |i: usize| table.head.get(i).map(|name| guarded(name)).unwrap_or_default();
    record((0..columns).map(name).collect(), "marks".to_owned());
    for row in &table.rows {
        let text = |cell: &Cell| {
            let number = cell.number && cell.text.parse::<f64>().is_ok();
            if number { cell.text.clone() } else { guarded(&cell.text) }
        };
        let cells = (0..columns).map(|i| row.get(i).map(text).unwrap_or_default()).collect();
        record(cells, guarded(&badges(row)));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{HOSTILE, page};
    use super::*;

    #[test]
    fn tables_have_names_of_their_own_and_can_be_read_back() {
        let files = tables_csv(&page());
        let stems: Vec<_> = files.iter().map(|(stem, _)| stem.as_str()).collect();
        let slug = "script-alert-1-script-img-src-x-onerror-a-a-b";
        assert_eq!(stems[0], format!("a-onclick-b-{slug}"));
        assert_eq!(stems[1], format!("a-onclick-b-{slug}-2"));
        assert_eq!(stems.iter().collect::<BTreeSet<_>>().len(), 4);
        let mut reader = ::csv::Reader::from_reader(files[0].1.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), [HOSTILE, "rate", "", "marks"]);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows[0], [HOSTILE, "0.5", "", HOSTILE]);
        assert_eq!(rows[1], ["", "", "", ""]);
        assert_eq!(rows[2], ["'=1+1", "-0.25", "'-x", ""]);
    }
}
