//! Figures within each value of a column → tables and bars.

use std::collections::BTreeSet;

use super::super::cells::{bracket, measured, share, words};
use super::super::plots::{self, Rates};
use super::super::{Cell, Figure, Section, Table};
use super::SEEN;
use crate::benchmark::measure::{Figures, Gate, Part, Rate};

/// Parts of a column that are drawn as bars at most; the table has them all.
const BARS: usize = 40;

pub(super) fn parts(figures: &Figures, training: &BTreeSet<String>) -> Section {
    let columns: Vec<&str> = figures.parts.iter().map(|part| part.by.as_str()).fold(Vec::new(), |mut seen, by| {
        if !seen.contains(&by) {
            seen.push(by);
        }
        seen
    });
    let mut section = Section {
        heading: "By part".to_owned(),
        id: "parts".to_owned(),
        text: vec![format!("A capture counts as stopped when it is {}.", Gate::ReviewedAsAttack.name())],
        ..Section::default()
    };
    for by in columns {
        let mine: Vec<_> = figures.parts.iter().filter(|part| part.by == by).collect();
        let rows = mine.iter().map(|part| {
            let cells = |rate: Option<&Rate>| match rate {
                Some(rate) => {
                    let interval = bracket(Some(rate.sources.unwrap_or(rate.files)));
                    [Cell::number(format!("{} {interval}", share(rate.share))), Cell::number(rate.share.of.to_string())]
                }
                None => [Cell::number("-"), Cell::number("0")],
            };
            let auc = Cell::number(part.auc.map_or("-".to_owned(), |auc| format!("{auc:.3}")));
            let name = Cell::words(part.value.as_str());
            let seen = by == "source" && training.contains(&part.value);
            let name = if seen { name.badged(SEEN) } else { name };
            [vec![name], cells(part.apcer.as_ref()).to_vec(), cells(part.bpcer.as_ref()).to_vec(), vec![auc]].concat()
        });
        section.tables.push(Table {
            caption: format!("By {by}; intervals over sources, or over files where there is one source"),
            head: words(&[by, "APCER", "n attacks", "BPCER", "n originals", "AUC"]),
            rows: rows.collect(),
        });
        if by != "training" && mine.len() > 1 {
            let shown = &mine[..mine.len().min(BARS)];
            let names: Vec<String> = shown.iter().map(|part| part.value.clone()).collect();
            let rates = |name: &str, of: &dyn Fn(&Part) -> Option<Rate>| Rates {
                name: name.to_owned(),
                rates: shown.iter().map(|part| measured(&of(part)?)).collect(),
            };
            let series = [rates("APCER", &|part| part.apcer), rates("BPCER", &|part| part.bpcer)];
            let svg = plots::bars("rate at review", &names, &series);
            section.figures.push(Figure { caption: format!("By {by}, with 95 % intervals."), svg });
        }
    }
    section
}
