//! Counts of the deletion test → its page.

use super::cells::{bracket, percent, words};
use super::{Cell, Page, Section, Table};
use crate::benchmark::explain::Summary;
use crate::benchmark::measure::{LEVEL, Share};

/// The page of a deletion test of `n` captures.
#[must_use]
pub fn explanations(n: usize, summary: &[Summary]) -> Page {
    let exact = |count: u64, of: u64| {
        let share = Share { count: count as usize, of: of as usize };
        let value = share.rate().map_or("-".to_owned(), percent);
        Cell::number(format!("{value} {}", bracket(share.interval(LEVEL).ok().filter(|_| of > 0))))
    };
    let rows = summary.iter().map(|row| {
        vec![
            Cell::words(row.code),
            Cell::words(row.by.replace('_', " ")),
            Cell::number(row.tested.to_string()),
            exact(row.fell, row.tested),
            Cell::number(row.controls.to_string()),
            exact(row.controlled_fell, row.controls),
            exact(row.random_fell, row.controls),
        ]
    });
    Page {
        title: "Do the explanations hold?".to_owned(),
        lead: vec![
            format!("{n} captures whose verdict names an attack."),
            "What a verdict names is removed, and the captures are checked again: effective is a removal after which the \
             score no longer crosses its threshold. The control removes as much of something else that lies apart from \
             it; where the evidence takes too much of the picture for that there is none, and such a row cannot tell a \
             good explanation from a large one. `marks` are all that the report marks for the reason; `occlusion` are \
             the cells of a grid that the score rests on most, which no report shows."
                .to_owned(),
        ],
        sections: vec![Section {
            heading: "Deletion test".to_owned(),
            id: "deletion".to_owned(),
            tables: vec![Table {
                caption: "Exact 95 % intervals over captures".to_owned(),
                head: words(&["reason", "removed", "n", "effective", "n with a control", "of these effective", "control"]),
                rows: rows.collect(),
            }],
            ..Section::default()
        }],
    }
}
