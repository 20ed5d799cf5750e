//! What splits share → a sentence and a table.

use super::super::cells::words;
use super::super::{Cell, Section, Table};
use crate::benchmark::measure::Figures;

pub(super) fn leakage(figures: &Figures) -> Section {
    let leaks = &figures.leakage.leaks;
    let text = if leaks.is_empty() {
        "Nothing is on both sides of a split: no document, source, file or near-identical picture.".to_owned()
    } else {
        format!("{} things are on both sides of a split; figures of a split with leaks are too good.", leaks.len())
    };
    let mut section =
        Section { heading: "Leakage".to_owned(), id: "leakage".to_owned(), text: vec![text], ..Section::default() };
    let repeated: usize = figures.leakage.duplicates.values().sum();
    if repeated > 0 {
        section.text.push(format!("{repeated} files repeat another of their split byte for byte."));
    }
    if !leaks.is_empty() {
        let rows = leaks.iter().take(200).map(|leak| {
            vec![
                Cell::words(format!("{:?}", leak.kind).to_lowercase()),
                Cell::words(format!("{}, row {}", leak.split_a, leak.row_a)),
                Cell::words(format!("{}, row {}", leak.split_b, leak.row_b)),
                Cell::words(&leak.value),
            ]
        });
        section.tables.push(Table {
            caption: format!("Leaks (the first {} of {})", leaks.len().min(200), leaks.len()),
            head: words(&["shared", "on one side", "on the other", "value"]),
            rows: rows.collect(),
        });
    }
    section
}
