//! Figures at the policy → non-responses, error rates, confusion and reasons.

use std::collections::{BTreeMap, BTreeSet};

use super::super::cells::{percent, rate_cells, words};
use super::super::{Cell, Section, Table};
use crate::benchmark::measure::{Figures, Rate};

pub(super) fn responses(figures: &Figures) -> Section {
    let row = |(label, rate): (&String, &Rate)| {
        let name = if label == "original" { "original (BPNRR)".to_owned() } else { format!("{label} (APNRR)") };
        [vec![Cell::words(name)], rate_cells(Some(rate))].concat()
    };
    let causes: Vec<String> = figures.causes.iter().map(|(code, n)| format!("{code} {n}")).collect();
    Section {
        heading: "Non-responses".to_owned(),
        id: "responses".to_owned(),
        text: if causes.is_empty() { Vec::new() } else { vec![format!("Files not examined: {}.", causes.join(", "))] },
        tables: vec![Table {
            caption: "Captures of which nothing could be said; they are in no other rate".to_owned(),
            head: words(&["label", "rate", "n", "over files", "over sources"]),
            rows: figures.non_responses.iter().map(row).collect(),
        }],
        ..Section::default()
    }
}

pub(super) fn gates(figures: &Figures) -> Section {
    let tables = figures.gates.iter().map(|at| {
        let mut rows: Vec<Vec<Cell>> = at
            .apcer
            .iter()
            .map(|(species, rate)| [vec![Cell::words(format!("APCER, {species}"))], rate_cells(Some(rate))].concat())
            .collect();
        let plain = |name: &str, value: Option<f64>| {
            vec![Cell::words(name), Cell::number(value.map_or("-".to_owned(), percent))]
        };
        rows.push(plain("APCER, highest of the species", at.highest_apcer));
        rows.push([vec![Cell::words("BPCER")], rate_cells(at.bpcer.as_ref())].concat());
        rows.push(plain("ACER, for comparison only", at.acer));
        Table {
            caption: format!("A capture counts as stopped when it is {}", at.gate.name()),
            head: words(&["", "rate", "n", "over files", "over sources"]),
            rows,
        }
    });
    Section {
        heading: "At the policy".to_owned(),
        id: "policy".to_owned(),
        text: vec![
            "APCER is the share of attacks that are let pass, BPCER the share of originals that are stopped."
                .to_owned(),
        ],
        tables: tables.collect(),
        ..Section::default()
    }
}

pub(super) fn confusion(figures: &Figures) -> Section {
    let table = |caption: &str, counts: &BTreeMap<String, BTreeMap<String, usize>>| {
        let columns: BTreeSet<&String> = counts.values().flat_map(BTreeMap::keys).collect();
        let row = |(label, said): (&String, &BTreeMap<String, usize>)| {
            let cells = columns.iter().map(|name| Cell::number(said.get(*name).copied().unwrap_or(0).to_string()));
            [Cell::words(label)].into_iter().chain(cells).collect()
        };
        let mut head = vec!["label".to_owned()];
        head.extend(columns.iter().map(|name| (*name).clone()));
        Table { caption: caption.to_owned(), head, rows: counts.iter().map(row).collect() }
    };
    Section {
        heading: "Confusion and reasons".to_owned(),
        id: "confusion".to_owned(),
        tables: vec![
            table("Label against what the captures are classified as", &figures.confusion),
            table("Captures that are given a reason, by label", &figures.reasons),
        ],
        ..Section::default()
    }
}
