//! Two runs over the same pictures → what flipped, and by how much the figures differ.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::results::{ResultRow, Run};
use crate::benchmark::labels::Label;
use crate::benchmark::measure::{
    ALL_ATTACKS, Curve, Gate, Groups, HIGHEST, Interval, REPLICATES, SEED, Share, curve_title, higher,
    paired_bootstrap_over_groups,
};
use crate::policy::Decision;

/// A sample of which the runs say different things.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Flip {
    /// The picture.
    pub path: String,
    /// What it is.
    pub label: Label,
    /// What is different: `classification`, `decision` or `legible`.
    pub what: &'static str,
    /// In the first run.
    pub before: String,
    /// In the second.
    pub after: String,
    /// Whether the second is right where the first was wrong (`true`) or the other way round; `None` where the label
    /// does not say which is right.
    pub better: Option<bool>,
}

/// A figure in both runs, over the pictures that both have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// In the first run.
    pub before: f64,
    /// In the second.
    pub after: f64,
    /// 95 % interval of second minus first, over sources; `None` where there are fewer than two.
    pub interval: Option<Interval>,
    /// Twice the share of draws on the rarer side of no difference, as a two-sided p-value.
    pub two_sided: Option<f64>,
}

/// What changed between two runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Pictures in both, by the same bytes.
    pub compared: usize,
    /// Pictures that only one has, or that are other files now.
    pub left_out: Vec<String>,
    /// By picture.
    pub flips: Vec<Flip>,
    /// By figure.
    pub differences: Vec<Difference>,
    /// Origin and policy of both.
    pub runs: [String; 2],
}

/// Compares `before` and `after`.
#[must_use]
pub fn compare(before: &Run, after: &Run) -> Comparison {
    let mut by_path: BTreeMap<&str, &ResultRow> = after.rows.iter().map(|row| (row.path.as_str(), row)).collect();
    let (mut pairs, mut left_out) = (Vec::new(), Vec::new());
    for row in &before.rows {
        match by_path.remove(row.path.as_str()) {
            Some(other) if other.sha256 == row.sha256 => pairs.push((row, other)),
            _ => left_out.push(row.path.clone()),
        }
    }
    left_out.extend(by_path.into_keys().map(str::to_owned));
    let name = |run: &Run| format!("{}, policy {}", run.figures.origin.short(), run.figures.policy_id);
    Comparison {
        compared: pairs.len(),
        left_out,
        flips: pairs.iter().flat_map(|(a, b)| flips(a, b)).collect(),
        differences: differences(&pairs),
        runs: [name(before), name(after)],
    }
}

fn flips(a: &ResultRow, b: &ResultRow) -> Vec<Flip> {
    let decision =
        |row: &ResultRow| row.decision.map_or("not examined".to_owned(), |d| format!("{d:?}").to_lowercase());
    let legible = |row: &ResultRow| row.legible.map_or("not judged".to_owned(), |l| l.to_string());
    let original = a.label == Label::Original;
    let right = |said: &str| (said == "bona_fide") == original;
    let mut found = Vec::new();
    let mut note = |what, before: String, after: String, better| {
        if before != after {
            found.push(Flip { path: a.path.clone(), label: a.label, what, before, after, better });
        }
    };
    let better = match (right(&a.classification), right(&b.classification)) {
        (false, true) => Some(true),
        (true, false) => Some(false),
        _ => None,
    };
    note("classification", a.classification.clone(), b.classification.clone(), better);
    // An attack is better stopped; an original may be asked for again with good reason.
    let harsher = a.decision.zip(b.decision).map(|(a, b)| b > a);
    note("decision", decision(a), decision(b), harsher.filter(|_| !original));
    note("legible", legible(a), legible(b), None);
    found
}

/// The figures of the report under the report's names, over the pictures that both runs have.
fn differences(pairs: &[(&ResultRow, &ResultRow)]) -> Vec<Difference> {
    let groups = Groups::by(pairs.iter().map(|(row, _)| row.source.as_str()));
    let attack = |row: &ResultRow| row.label != Label::Original;
    let responded = |row: &ResultRow| !["no_response", "not_examined"].contains(&&*row.classification);
    let share = |rows: Vec<&ResultRow>, of: &dyn Fn(&ResultRow) -> Option<bool>| {
        Share::of(rows.into_iter().filter(|row| responded(row)).filter_map(of)).rate()
    };
    let accused = |row: &ResultRow| row.classification != "bona_fide";
    let stopped = |row: &ResultRow| Some(row.decision? >= Decision::Review);
    let mut figures: Vec<(String, Of<'_>)> = Vec::new();
    let all = std::iter::once((ALL_ATTACKS.to_owned(), HIGHEST, None));
    let labels = [Label::Screen, Label::Print];
    let each = labels.into_iter().map(|label| (format!("label {}", label.name()), label.name(), Some(label)));
    for (name, score, label) in all.chain(each) {
        let curve = move |rows: Vec<&ResultRow>| {
            let ranked = |row: &ResultRow| match label {
                Some(label) => row.label == label,
                None => row.label != Label::Screenshot,
            };
            let value = |row: &ResultRow| match label {
                Some(Label::Screen) => row.screen,
                Some(_) => row.print,
                None => higher(row.screen, row.print),
            };
            let rows = rows.into_iter().filter(|row| !attack(row) || ranked(row));
            Curve::of_rows(rows.filter_map(|row| Some((value(row)?, attack(row))))).ok()
        };
        let title = curve_title(&name, score);
        figures.push((format!("AUC: {title}"), Box::new(move |rows| Some(curve(rows)?.auc()))));
        figures.push((format!("D-EER: {title}"), Box::new(move |rows| Some(curve(rows)?.d_eer().rate))));
    }
    let species: BTreeSet<&str> =
        pairs.iter().filter(|(row, _)| attack(row)).map(|(row, _)| row.species.as_str()).collect();
    for species in species {
        let mine = move |row: &ResultRow| (attack(row) && row.species == species).then(|| !accused(row));
        figures.push((
            format!("APCER, {species}, where a capture counts as stopped when it is {}", Gate::Classified.name()),
            Box::new(move |rows| share(rows, &mine)),
        ));
    }
    figures.push((
        format!("BPCER, where a capture counts as stopped when it is {}", Gate::Classified.name()),
        Box::new(move |rows| share(rows, &|row| (!attack(row)).then(|| accused(row)))),
    ));
    for (what, attacks) in
        [("attacks of all species below review or rejection", true), ("originals at review or rejected", false)]
    {
        figures.push((
            format!("{what}, for any reason"),
            Box::new(move |rows| {
                share(rows, &|row| (attack(row) == attacks).then(|| stopped(row).map(|stopped| stopped != attacks))?)
            }),
        ));
    }
    let side = |at: &[usize], second: bool| -> Vec<&ResultRow> {
        at.iter().map(|i| if second { pairs[*i].1 } else { pairs[*i].0 }).collect()
    };
    let all: Vec<usize> = (0..pairs.len()).collect();
    let difference = |(name, of): (String, Of<'_>)| {
        let (before, after) = (of(side(&all, false))?, of(side(&all, true))?);
        let (first, second) = (|at: &[usize]| of(side(at, true)), |at: &[usize]| of(side(at, false)));
        let drawn = paired_bootstrap_over_groups(&groups, REPLICATES, SEED, first, second);
        Some(Difference {
            name,
            before,
            after,
            interval: drawn.map(|d| d.difference),
            two_sided: drawn.map(|d| d.two_sided),
        })
    };
    figures.into_iter().filter_map(difference).collect()
}

/// A figure of rows.
type Of<'a> = Box<dyn Fn(Vec<&ResultRow>) -> Option<f64> + Sync + 'a>;
