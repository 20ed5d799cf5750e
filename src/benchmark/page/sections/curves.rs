//! Figures whatever the threshold → tables, curves, histograms and reliability.

use std::collections::BTreeMap;

use super::super::cells::{bracket, percent, words};
use super::super::plots::{self, Series, Threshold};
use super::super::{Cell, Figure, Section, Table};
use crate::benchmark::findings::Judged;
use crate::benchmark::measure::{self, CurveFigures, Figures, Point};
use crate::checker::Checker;

/// Thresholds of the policy on `score.screen` and `score.print`.
pub(super) fn thresholds(checker: &Checker, score: &str) -> Vec<Threshold> {
    let of = checker.policy().thresholds(&format!("score.{score}"));
    of.into_iter().map(|(name, score)| Threshold { name: name.to_owned(), score }).collect()
}

pub(super) fn curves(figures: &Figures, judged: &[Judged], checker: &Checker) -> Section {
    let rows = figures.curves.iter().map(|curve| {
        let figure =
            |figure: &measure::Figure| Cell::number(format!("{} {}", percent(figure.value), bracket(figure.sources)));
        let interval = curve.auc.sources.map_or(String::new(), |i| format!(" [{:.3}, {:.3}]", i.low, i.high));
        let mut cells = vec![
            Cell::words(measure::curve_title(&curve.name, &curve.score)),
            Cell::number(format!("{} / {}", curve.attacks, curve.bona_fide)),
            Cell::number(curve.sources.to_string()),
            Cell::number(format!("{:.3}{interval}", curve.auc.value)),
            figure(&curve.d_eer),
            Cell::number(format!("{:.2}", curve.d_eer_threshold)),
        ];
        cells.extend(curve.bpcer_at_apcer.iter().map(|(_, at)| at.as_ref().map_or(Cell::number("-"), figure)));
        cells
    });
    let series: Vec<Series> = whole(figures)
        .map(|curve| Series {
            name: measure::curve_title(&curve.name, &curve.score),
            points: curve
                .det
                .iter()
                .map(|p| Point { threshold: p.threshold, apcer: p.apcer, bpcer: p.bpcer })
                .collect(),
            operating: operating(curve, checker),
        })
        .collect();
    let drawing = |caption: &str, svg| Figure { caption: caption.to_owned(), svg };
    let mut drawn = vec![
        drawing("Detection error trade-off; the mark is where the policy sends to review.", plots::det(&series)),
        drawing("Receiver operating characteristic.", plots::roc(&series)),
    ];
    for score in ["screen", "print"] {
        let mut by_species: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in judged {
            if let Some(value) = row.scores.named(score) {
                by_species.entry(&row.sample.species).or_default().push(value);
            }
        }
        let named: Vec<(String, Vec<f64>)> =
            by_species.into_iter().map(|(name, values)| (name.to_owned(), values)).collect();
        let caption = format!("Score {score} by species, share of each in every bin.");
        drawn.push(drawing(&caption, plots::histogram(&named, &thresholds(checker, score))));
    }
    Section {
        heading: "Along the curve".to_owned(),
        id: "curves".to_owned(),
        text: vec![
            "Whatever the threshold: attacks against originals that have the score. A screenshot has none, since only \
             the file tells it."
                .to_owned(),
        ],
        tables: vec![Table {
            caption: "Intervals over sources".to_owned(),
            head: words(&[
                "attacks",
                "n attacks / originals",
                "sources",
                "AUC",
                "D-EER",
                "at score",
                "BPCER10",
                "BPCER20",
                "BPCER100",
            ]),
            rows: rows.collect(),
        }],
        figures: drawn,
        ..Section::default()
    }
}

/// The curves that are drawn: all attacks, and those of each label; species have too few captures each.
fn whole(figures: &Figures) -> impl Iterator<Item = &CurveFigures> {
    figures.curves.iter().filter(|curve| curve.score == "highest" || curve.name.starts_with("label "))
}

fn operating(curve: &CurveFigures, checker: &Checker) -> Option<Point> {
    let score = if curve.score == "print" { "print" } else { "screen" };
    let review = thresholds(checker, score).into_iter().map(|t| t.score).reduce(f64::min)?;
    let at = curve.det.iter().filter(|p| p.threshold <= review).max_by(|a, b| a.threshold.total_cmp(&b.threshold))?;
    Some(Point { threshold: review, apcer: at.apcer, bpcer: at.bpcer })
}

pub(super) fn calibration(figures: &Figures) -> Section {
    let mut section = Section {
        heading: "Calibration".to_owned(),
        id: "calibration".to_owned(),
        text: vec![
            "A calibrated score of 0.7 is an attack in seven of ten cases, at the mix of classes at hand. Each bin is a \
             tenth of the scale."
                .to_owned(),
        ],
        ..Section::default()
    };
    let head = words(&["attacks", "expected calibration error", "Brier score"]);
    let rows = figures.curves.iter().map(|curve| {
        vec![
            Cell::words(measure::curve_title(&curve.name, &curve.score)),
            Cell::number(format!("{:.3}", curve.calibration.expected_error)),
            Cell::number(format!("{:.3}", curve.calibration.brier)),
        ]
    });
    section.tables.push(Table { caption: "Ten bins of equal width".to_owned(), head, rows: rows.collect() });
    for curve in whole(figures).filter(|curve| curve.score != "highest") {
        let bins: Vec<(f64, f64, usize)> = curve
            .calibration
            .bins
            .iter()
            .filter_map(|bin| Some((bin.mean_score?, bin.attacks.rate()?, bin.attacks.of)))
            .collect();
        let caption = format!("Score {} and share of {}, dots by n.", curve.score, curve.name);
        section.figures.push(Figure { caption, svg: plots::reliability(&bins) });
    }
    section
}
