//! Outcomes of readable originals → who is accepted at the first try, and what stops the others.

use super::super::cells::{bracket, rate_cells, share, words};
use super::super::{Cell, Section, Table};
use crate::benchmark::measure::{Figures, NO_SCORE, NOT_EXAMINED, Outcomes, Rate};

/// Beside the headline: what becomes of genuine documents that a person can read.
pub(super) fn first_try(figures: &Figures) -> Section {
    let mut section = Section {
        heading: "First-try pass rate".to_owned(),
        id: "first-try".to_owned(),
        text: vec![
            "The share of originals labelled readable=yes that are accepted as they are. A file without a verdict is not \
             accepted, and counts as not examined."
                .to_owned(),
        ],
        ..Section::default()
    };
    let Some(found) = &figures.first_try else {
        section.text = vec!["Not labelled: no row says in the column `readable` whether it can be read.".to_owned()];
        return section;
    };
    match &found.readable {
        Some(readable) => {
            let accepted = &readable.accepted;
            let of = accepted.share;
            section.text.insert(
                0,
                format!(
                    "{} of {} readable originals are accepted at the first try: {}, {} over files{}.",
                    of.count,
                    of.of,
                    share(of),
                    bracket(Some(accepted.files)),
                    accepted.sources.map_or(String::new(), |i| format!(", {} over sources", bracket(Some(i)))),
                ),
            );
        }
        None => section.text.push("No original is labelled readable=yes.".to_owned()),
    }
    let rates = |name: &str, outcomes: &Outcomes| -> Vec<Vec<Cell>> {
        let row =
            |(what, rate): (&str, &Rate)| [vec![Cell::words(name), Cell::words(what)], rate_cells(Some(rate))].concat();
        outcomes.named().map(row).to_vec()
    };
    let table = |caption: &str, by: &str, rows: Vec<Vec<Cell>>| Table {
        caption: caption.to_owned(),
        head: words(&[by, "outcome", "rate", "n", "over files", "over sources"]),
        rows,
    };
    if let Some(readable) = &found.readable {
        section.tables.push(table("Readable originals", "readable", rates("yes", readable)));
    }
    if !found.by_content.is_empty() {
        let rows = found.by_content.iter().flat_map(|(content, outcomes)| rates(content, outcomes));
        section.tables.push(table("Readable originals by content", "content", rows.collect()));
    }
    if !found.by_reason.is_empty() {
        let row = |(code, rate): (&String, &Rate)| {
            let name = match code.as_str() {
                NOT_EXAMINED => "the file could not be examined",
                NO_SCORE => "no score could be formed",
                code => code,
            };
            (rate.share.count, [vec![Cell::words(name)], rate_cells(Some(rate))].concat())
        };
        let mut rows: Vec<(usize, Vec<Cell>)> = found.by_reason.iter().map(row).collect();
        rows.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        section.tables.push(Table {
            caption: "Readable originals that are not accepted, by the reason that comes first".to_owned(),
            head: words(&["first reason", "rate", "n", "over files", "over sources"]),
            rows: rows.into_iter().map(|(_, cells)| cells).collect(),
        });
    }
    let others = [("part", &found.part), ("no", &found.unreadable)];
    let rows: Vec<_> =
        others.into_iter().flat_map(|(name, outcomes)| outcomes.iter().flat_map(move |o| rates(name, o))).collect();
    if !rows.is_empty() {
        section.tables.push(table("Originals that can be read in part or not at all", "readable", rows));
    }
    section
}
