//! Agreement of legibility with the labels → a table.

use super::super::cells::{bracket, share, words};
use super::super::{Cell, Section, Table};
use crate::benchmark::measure::{Figures, LEVEL};

pub(super) fn legibility(figures: &Figures) -> Option<Section> {
    let legibility = figures.legibility.as_ref()?;
    let auc = legibility.agreement.auc.map_or("-".to_owned(), |auc| format!("{auc:.3}"));
    let right = legibility.agreement.right;
    let interval = bracket(right.interval(LEVEL).ok());
    Some(Section {
        heading: "Legibility".to_owned(),
        id: "legibility".to_owned(),
        tables: vec![Table {
            caption: "Where the labels say whether a person can read the document; in part is not counted".to_owned(),
            head: words(&["agreement", "n", "over files", "AUC of the score", "not judged"]),
            rows: vec![vec![
                Cell::number(share(right)),
                Cell::number(right.of.to_string()),
                Cell::number(interval),
                Cell::number(auc),
                Cell::number(legibility.unjudged.to_string()),
            ]],
        }],
        ..Section::default()
    })
}
