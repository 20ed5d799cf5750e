//! What changed between two runs → its page.

use super::cells::{bracket, percent, words};
use super::{Cell, Page, Section, Table};
use crate::benchmark::run::Comparison;

/// The page of `comparison`.
#[must_use]
pub fn comparison(comparison: &Comparison) -> Page {
    let figures = comparison.differences.iter().map(|d| {
        let p = d.two_sided.map_or("-".to_owned(), |p| format!("{p:.3}"));
        vec![
            Cell::words(&d.name),
            Cell::number(percent(d.before)),
            Cell::number(percent(d.after)),
            Cell::number(format!("{:+.1}", 100.0 * (d.after - d.before))),
            Cell::number(bracket(d.interval)),
            Cell::number(p),
        ]
    });
    let flips = comparison.flips.iter().map(|flip| {
        let better = match flip.better {
            Some(true) => "better",
            Some(false) => "worse",
            None => "",
        };
        let label = flip.label.name();
        [&flip.path, label, flip.what, &flip.before, &flip.after, better].map(Cell::words).to_vec()
    });
    let [before, after] = &comparison.runs;
    let mut lead = vec![
        format!("Before: {before}."),
        format!("After: {after}."),
        format!("{} captures are the same files in both.", comparison.compared),
    ];
    if !comparison.left_out.is_empty() {
        lead.push(format!("{} are not, and are left out.", comparison.left_out.len()));
    }
    Page {
        title: "What changed".to_owned(),
        lead,
        sections: vec![
            Section {
                heading: "Figures".to_owned(),
                id: "figures".to_owned(),
                tables: vec![Table {
                    caption: format!(
                        "Over the {} captures that are the same in both runs, so not the figures of either report where \
                         that has others too; after minus before in percentage points, intervals from paired draws of \
                         sources",
                        comparison.compared
                    ),
                    head: words(&["", "before", "after", "difference", "95 %", "p"]),
                    rows: figures.collect(),
                }],
                ..Section::default()
            },
            Section {
                heading: "Flips".to_owned(),
                id: "flips".to_owned(),
                tables: vec![Table {
                    caption: format!("{} changes of a verdict", comparison.flips.len()),
                    head: words(&["capture", "is", "what", "before", "after", ""]),
                    rows: flips.collect(),
                }],
                ..Section::default()
            },
        ],
    }
}
