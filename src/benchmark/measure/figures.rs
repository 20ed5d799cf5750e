//! Judged samples → every figure of the report, each with its n and a 95 % interval.
//!
//! Rates follow ISO/IEC 30107-3: APCER is the share of attacks of one species that are let pass, BPCER the share of
//! bona fide captures that are not, and files of which nothing could be said (non-responses) are counted apart and in
//! no other rate. Intervals of rates over files are exact (Clopper and Pearson), those of curves, and a second one of
//! each rate, come from drawing whole sources with replacement: files of one source are not independent, so where the
//! two differ the wider one counts.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::calibration::{Agreement, Calibration};
use super::curve::{Curve, DetPoint, RocPoint};
use super::first_try::{FirstTry, first_try};
use super::intervals::{Groups, Interval, bootstrap_over_groups};
use super::rates::{REPLICATES, Rate, SEED, Share};
use super::values::quantiles;
use crate::benchmark::findings::{Judged, Leakage, Origin};
use crate::benchmark::labels::Label;
use crate::checker::milliseconds;
use crate::policy::{Classification, Decision, code};
use crate::scoring::Scores;

/// What a figure along a curve is of, in the same words wherever it is told: whose attacks, and by which score.
#[must_use]
pub fn curve_title(name: &str, score: &str) -> String {
    match score {
        HIGHEST => format!("{name} but screenshots, by the higher of both scores"),
        score => format!("{name}, by the {score} score"),
    }
}

/// All attacks that a score can rank.
pub const ALL_ATTACKS: &str = "all attacks";
/// The higher of the scores of screen and print.
pub const HIGHEST: &str = "highest";

/// Points of a curve that are kept for plots.
const CURVE_POINTS: usize = 200;
/// Bins of the calibration.
const BINS: usize = 10;
/// Upper bounds of the bands of resolution, in megapixels, and their names.
const BANDS: [(f64, &str); 4] =
    [(0.5, "below 0.5 Mpx"), (2.0, "0.5 to 2 Mpx"), (8.0, "2 to 8 Mpx"), (f64::INFINITY, "8 Mpx and more")];

/// A figure of a curve with its interval over sources.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// Its value.
    pub value: f64,
    /// Over sources; `None` where there are fewer than two.
    pub sources: Option<Interval>,
}

/// Where the gate may stand: what it does with a sample counts as a detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// The picture is classified as an attack, of whatever species.
    Classified,
    /// A reason that speaks of an attack asks for review or rejection.
    ReviewedAsAttack,
    /// A reason that speaks of an attack asks for rejection.
    RejectedAsAttack,
    /// It is not accepted, for whatever reason.
    NotAccepted,
}

impl Gate {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Classified, Self::ReviewedAsAttack, Self::RejectedAsAttack, Self::NotAccepted];

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Classified => "classified as an attack",
            Self::ReviewedAsAttack => "to review or rejected as an attack",
            Self::RejectedAsAttack => "rejected as an attack",
            Self::NotAccepted => "not accepted for any reason",
        }
    }

    /// Whether the gate stops `sample`; `None` where nothing could be said of it.
    #[must_use]
    pub fn stops(self, sample: &Judged) -> Option<bool> {
        let verdict = sample.verdict.as_ref().filter(|v| v.classification != Classification::NoResponse)?;
        let accused = |least: Decision| {
            let accuses = |reason: &&crate::policy::Reason| code(reason.code).is_some_and(|c| c.species.is_some());
            verdict.reasons.iter().filter(accuses).any(|reason| reason.action >= least)
        };
        Some(match self {
            Self::Classified => matches!(verdict.classification, Classification::Attack(_)),
            Self::ReviewedAsAttack => accused(Decision::Review),
            Self::RejectedAsAttack => accused(Decision::Reject),
            Self::NotAccepted => verdict.decision != Decision::Accept,
        })
    }
}

/// Rates at one place of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtGate {
    /// The place.
    pub gate: Gate,
    /// APCER by species.
    pub apcer: BTreeMap<String, Rate>,
    /// The highest of them: the APCER of the whole (ISO/IEC 30107-3).
    pub highest_apcer: Option<f64>,
    /// BPCER.
    pub bpcer: Option<Rate>,
    /// Mean of the highest APCER and BPCER: for comparison with older reports; the standard gives it up.
    pub acer: Option<f64>,
}

/// Figures of one score against bona fide, whatever the threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CurveFigures {
    /// Whose attacks: a species, or `all attacks`.
    pub name: String,
    /// Which score: `screen`, `print`, or `highest` for the higher of the two.
    pub score: String,
    /// Attacks with a score.
    pub attacks: usize,
    /// Bona fide captures with a score.
    pub bona_fide: usize,
    /// Sources among both.
    pub sources: usize,
    /// Area under the ROC curve.
    pub auc: Figure,
    /// Where APCER and BPCER are equal.
    pub d_eer: Figure,
    /// Its threshold.
    pub d_eer_threshold: f64,
    /// Least BPCER where APCER is at most 10, 5 and 1 %: BPCER10, BPCER20, BPCER100.
    pub bpcer_at_apcer: [(f64, Option<Figure>); 3],
    /// Reliability of the score as a probability, on these samples.
    pub calibration: Calibration,
    /// For plots.
    pub det: Vec<DetPoint>,
    /// For plots.
    pub roc: Vec<RocPoint>,
}

/// Rates within one value of a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The column: `source`, `device`, `content`, `resolution`, `training`.
    pub by: String,
    /// Its value.
    pub value: String,
    /// Attacks that are let pass, of all species, at review.
    pub apcer: Option<Rate>,
    /// Bona fide that are not, at review.
    pub bpcer: Option<Rate>,
    /// AUC of the higher score, where both classes are there.
    pub auc: Option<f64>,
}

/// How legibility agrees with the labels: with `legible`, or where that is empty with `readable`, whose `yes` is true
/// and whose `no` is false; rows that are readable in part are not counted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Legibility {
    /// Of the score.
    pub agreement: Agreement,
    /// Labelled rows that have no score.
    pub unjudged: usize,
}

/// Time of a check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// Checks.
    pub n: usize,
    /// Of one check, in milliseconds: half, 95 and 99 of a hundred are not slower (nearest rank).
    pub p50_p95_p99_ms: [f64; 3],
    /// Checks a second of one worker.
    pub per_worker_per_s: f64,
    /// Mean time by stage, in milliseconds; what detectors share counts for the first that asks for it.
    pub stages_ms: BTreeMap<String, f64>,
}

/// Everything that is reported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Who measured.
    pub origin: Origin,
    /// Who judged.
    pub policy_id: String,
    /// Rows by label.
    pub rows: BTreeMap<String, usize>,
    /// Sources.
    pub sources: usize,
    /// Rows whose source was used in training.
    pub trained_on: usize,
    /// Non-responses by label (APNRR and BPNRR), of all rows.
    pub non_responses: BTreeMap<String, Rate>,
    /// Why, by code.
    pub causes: BTreeMap<String, usize>,
    /// What becomes of originals by how much of them can be read; `None` where no row says so.
    #[serde(default)]
    pub first_try: Option<FirstTry>,
    /// At every place of the gate.
    pub gates: Vec<AtGate>,
    /// Along the curve, all attacks and by species.
    pub curves: Vec<CurveFigures>,
    /// By column.
    pub parts: Vec<Part>,
    /// Reasons by label: how many rows give each.
    pub reasons: BTreeMap<String, BTreeMap<String, usize>>,
    /// Label against classification.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// Where legibility is labelled.
    pub legibility: Option<Legibility>,
    /// Time of a check.
    pub speed: Option<Speed>,
    /// What the splits share.
    #[serde(skip_deserializing)]
    pub leakage: Leakage,
}

/// The score by which attacks of `label` are ranked; a screenshot has none, since only the file tells it.
#[must_use]
pub fn attack_score(scores: &Scores, label: Label) -> Option<f64> {
    match label {
        Label::Screen => scores.screen,
        Label::Print => scores.print,
        Label::Original | Label::Screenshot => higher(scores.screen, scores.print),
    }
}

/// The higher of two scores, or the only one.
#[must_use]
pub fn higher(screen: Option<f64>, print: Option<f64>) -> Option<f64> {
    screen.into_iter().chain(print).reduce(f64::max)
}

/// Every figure of `judged`; `training` are the sources that models were trained on.
#[must_use]
pub fn figures(
    judged: &[Judged],
    origin: &Origin,
    policy_id: &str,
    leakage: Leakage,
    training: &BTreeSet<String>,
) -> Figures {
    let count = |names: Vec<String>| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for name in names {
            *counts.entry(name).or_default() += 1;
        }
        counts
    };
    let by_label = |row: &Judged| row.sample.label.name().to_owned();
    let mut confusion: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut reasons: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for row in judged {
        let said = row.verdict.as_ref().map_or("not examined", |verdict| verdict.classification.name());
        *confusion.entry(by_label(row)).or_default().entry(said.to_owned()).or_default() += 1;
        for reason in row.verdict.iter().flat_map(|verdict| &verdict.reasons) {
            *reasons.entry(by_label(row)).or_default().entry(reason.code.to_owned()).or_default() += 1;
        }
    }
    let non_responses = Label::ALL.into_iter().filter_map(|label| {
        let rate = rate_of(judged, |row| (row.sample.label == label).then(|| Gate::Classified.stops(row).is_none()))?;
        Some((label.name().to_owned(), rate))
    });
    Figures {
        origin: origin.clone(),
        policy_id: policy_id.to_owned(),
        rows: count(judged.iter().map(by_label).collect()),
        sources: judged.iter().map(|row| &row.sample.source).collect::<BTreeSet<_>>().len(),
        trained_on: judged.iter().filter(|row| training.contains(&row.sample.source)).count(),
        non_responses: non_responses.collect(),
        causes: count(judged.iter().filter_map(|row| Some(row.stored.error.as_ref()?.code.clone())).collect()),
        first_try: first_try(judged),
        gates: Gate::ALL.into_iter().map(|gate| at(gate, judged)).collect(),
        curves: curves(judged),
        parts: parts(judged, training),
        reasons,
        confusion,
        legibility: legibility(judged),
        speed: speed(judged),
        leakage,
    }
}

/// The rate of what `counts` says of each row; rows of which it says nothing are not counted.
fn rate_of(judged: &[Judged], counts: impl Fn(&Judged) -> Option<bool>) -> Option<Rate> {
    Rate::of(judged.iter().filter_map(|row| Some((row.sample.source.as_str(), counts(row)?))))
}

fn at(gate: Gate, judged: &[Judged]) -> AtGate {
    let species: BTreeSet<&str> = judged
        .iter()
        .filter(|row| row.sample.label != Label::Original)
        .map(|row| row.sample.species.as_str())
        .collect();
    let apcer: BTreeMap<String, Rate> = species
        .into_iter()
        .filter_map(|species| {
            let missed = |row: &Judged| {
                let mine = row.sample.label != Label::Original && row.sample.species == species;
                Some(!mine.then(|| gate.stops(row))??)
            };
            Some((species.to_owned(), rate_of(judged, missed)?))
        })
        .collect();
    let stopped = |row: &Judged| (row.sample.label == Label::Original).then(|| gate.stops(row))?;
    let bpcer = rate_of(judged, stopped);
    let highest_apcer = apcer.values().filter_map(|rate| rate.share.rate()).reduce(f64::max);
    let acer = highest_apcer.zip(bpcer.and_then(|rate| rate.share.rate())).map(|(a, b)| f64::midpoint(a, b));
    AtGate { gate, apcer, highest_apcer, bpcer, acer }
}

/// Which attacks a curve is of.
#[derive(Debug, Clone, Copy)]
enum Attacks<'a> {
    /// All that a score can rank.
    All,
    /// Those of a label.
    Of(Label),
    /// Those of a species.
    Species(Label, &'a str),
}

impl Attacks<'_> {
    fn holds(self, row: &Judged) -> bool {
        match self {
            Self::All => row.sample.label != Label::Screenshot,
            Self::Of(label) => row.sample.label == label,
            Self::Species(label, species) => row.sample.label == label && row.sample.species == species,
        }
    }

    /// The label by whose score they are ranked.
    const fn ranked_as(self) -> Label {
        match self {
            Self::All => Label::Original,
            Self::Of(label) | Self::Species(label, _) => label,
        }
    }
}

/// All attacks, those of each label, and those of each species where a label has several. Only the file tells a
/// screenshot: no score ranks it.
fn curves(judged: &[Judged]) -> Vec<CurveFigures> {
    let mut species: BTreeMap<Label, BTreeSet<&str>> = BTreeMap::new();
    for row in judged.iter().filter(|row| matches!(row.sample.label, Label::Screen | Label::Print)) {
        species.entry(row.sample.label).or_default().insert(&row.sample.species);
    }
    let mut kinds = vec![(ALL_ATTACKS.to_owned(), HIGHEST, Attacks::All)];
    for (label, species) in species {
        kinds.push((format!("label {}", label.name()), label.name(), Attacks::Of(label)));
        if species.len() > 1 {
            let one = |name| (str::to_owned(name), label.name(), Attacks::Species(label, name));
            kinds.extend(species.into_iter().map(one));
        }
    }
    kinds.into_iter().filter_map(|(name, score, attacks)| curve(judged, name, score, attacks)).collect()
}

fn curve(judged: &[Judged], name: String, score: &str, attacks: Attacks<'_>) -> Option<CurveFigures> {
    let wanted = |row: &Judged| row.sample.label == Label::Original || attacks.holds(row);
    let label = attacks.ranked_as();
    let rows: Vec<(&str, f64, bool)> = judged
        .iter()
        .filter(|row| wanted(row))
        .filter_map(|row| {
            let score = attack_score(&row.scores, label)?;
            Some((row.sample.source.as_str(), score, row.sample.label != Label::Original))
        })
        .collect();
    let of = |at: &[usize]| Curve::of_rows(at.iter().map(|i| (rows[*i].1, rows[*i].2))).ok();
    let all: Vec<usize> = (0..rows.len()).collect();
    let whole = of(&all)?;
    let groups = Groups::by(rows.iter().map(|(source, ..)| *source));
    let figure = |value: f64, of_curve: &(dyn Fn(&Curve) -> Option<f64> + Sync)| Figure {
        value,
        sources: bootstrap_over_groups(&groups, REPLICATES, SEED, |at| of_curve(&of(at)?)).map(|b| b.interval),
    };
    let equal = whole.d_eer();
    let limits = [0.10, 0.05, 0.01].map(|limit| {
        let at = move |curve: &Curve| curve.bpcer_at_apcer(limit).map(|point| point.bpcer);
        (limit, at(&whole).map(|value| figure(value, &at)))
    });
    let labelled: Vec<(f64, bool)> = rows.iter().map(|(_, score, attack)| (*score, *attack)).collect();
    Some(CurveFigures {
        name,
        score: score.to_owned(),
        attacks: rows.iter().filter(|row| row.2).count(),
        bona_fide: rows.iter().filter(|row| !row.2).count(),
        sources: groups.len(),
        auc: figure(whole.auc(), &|curve| Some(curve.auc())),
        d_eer: figure(equal.rate, &|curve| Some(curve.d_eer().rate)),
        d_eer_threshold: equal.threshold,
        bpcer_at_apcer: limits,
        calibration: Calibration::of(&labelled, BINS).ok()?,
        det: whole.det(CURVE_POINTS),
        roc: whole.roc(CURVE_POINTS),
    })
}

fn parts(judged: &[Judged], training: &BTreeSet<String>) -> Vec<Part> {
    let band = |row: &Judged| {
        let [width, height] = row.stored.size?;
        let megapixels = f64::from(width) * f64::from(height) / 1e6;
        BANDS.iter().find(|(below, _)| megapixels < *below).map(|(_, name)| (*name).to_owned())
    };
    let seen = |row: &Judged| {
        let seen = training.contains(&row.sample.source);
        Some(if seen { "source seen in training" } else { "source not seen in training" }.to_owned())
    };
    let columns: [(&str, &dyn Fn(&Judged) -> Option<String>); 5] = [
        ("training", &seen),
        ("content", &|row| row.sample.content.clone()),
        ("resolution", &band),
        ("device", &|row| row.sample.device.clone()),
        ("source", &|row| Some(row.sample.source.clone())),
    ];
    let mut parts = Vec::new();
    for (by, value_of) in columns {
        let mut values: BTreeMap<String, Vec<Judged>> = BTreeMap::new();
        for row in judged {
            if let Some(value) = value_of(row) {
                values.entry(value).or_default().push(row.clone());
            }
        }
        for (value, rows) in values {
            let gate = Gate::ReviewedAsAttack;
            let attack = |row: &Judged| row.sample.label != Label::Original;
            let scored = rows
                .iter()
                .filter_map(|row| Some((attack_score(&row.scores, Label::Original)?, attack(row))))
                .collect::<Vec<_>>();
            parts.push(Part {
                by: by.to_owned(),
                value,
                apcer: rate_of(&rows, |row| Some(!attack(row).then(|| gate.stops(row))??)),
                bpcer: rate_of(&rows, |row| (!attack(row)).then(|| gate.stops(row))?),
                auc: Curve::of_rows(scored).ok().map(|curve| curve.auc()),
            });
        }
    }
    parts
}

fn legibility(judged: &[Judged]) -> Option<Legibility> {
    let labelled: Vec<(Option<f64>, bool, bool)> = judged
        .iter()
        .filter_map(|row| {
            let said = row.verdict.as_ref().and_then(|verdict| verdict.legible);
            Some((row.scores.legibility.filter(|_| said.is_some()), said == Some(true), row.sample.is_legible()?))
        })
        .collect();
    let rows: Vec<(f64, bool)> = labelled.iter().filter_map(|(score, _, truth)| Some(((*score)?, *truth))).collect();
    // The policy's word and not a threshold is what must agree; the score gives the ranking.
    let right = Share::of(labelled.iter().filter(|(score, ..)| score.is_some()).map(|(_, said, truth)| said == truth));
    let agreement = Agreement::of(&rows, 0.5).ok()?;
    Some(Legibility { agreement: Agreement { right, ..agreement }, unjudged: labelled.len() - rows.len() })
}

fn speed(judged: &[Judged]) -> Option<Speed> {
    let examined: Vec<&Judged> = judged.iter().filter(|row| row.stored.error.is_none()).collect();
    let times: Vec<f64> = examined.iter().map(|row| row.stored.elapsed_ms).collect();
    let p50_p95_p99_ms = quantiles(&times, [0.5, 0.95, 0.99]).ok()?;
    let mut stages_ms: BTreeMap<String, f64> = BTreeMap::new();
    for (stage, spent) in examined.iter().flat_map(|row| row.stored.stages_ms.iter()) {
        *stages_ms.entry(stage.to_owned()).or_default() += milliseconds(spent) / examined.len() as f64;
    }
    let total: f64 = times.iter().sum();
    Some(Speed { n: times.len(), p50_p95_p99_ms, per_worker_per_s: 1000.0 * times.len() as f64 / total, stages_ms })
}

#[cfg(test)]
mod tests {
    use super::super::testing::row;
    use super::*;

    fn attack(species: &str, scores: Option<(Option<f64>, f64)>) -> Judged {
        let mut row = row("a", None, "", scores);
        row.sample.label = Label::Screen;
        row.sample.species = species.to_owned();
        row
    }

    #[test]
    fn species_have_their_own_rates_the_worst_is_the_whole_and_non_responses_are_in_none() {
        let rows = [
            attack("monitor", Some((Some(0.9), 0.9))),
            attack("monitor", Some((Some(0.1), 0.9))),
            attack("phone", Some((Some(0.1), 0.9))),
            attack("phone", Some((Some(0.5), 0.9))),
            attack("phone", Some((Some(0.2), 0.9))),
            attack("phone", None),
            row("b", None, "", Some((Some(0.1), 0.9))),
            row("b", None, "", Some((Some(0.5), 0.9))),
            row("b", None, "", Some((None, 0.9))),
        ];
        let origin = Origin { tool_version: String::new(), models: BTreeMap::new() };
        let found = figures(&rows, &origin, "test", Leakage::default(), &BTreeSet::new());
        let at = found.gates.iter().find(|at| at.gate == Gate::ReviewedAsAttack).unwrap();
        assert_eq!(at.apcer["monitor"].share, Share { count: 1, of: 2 });
        assert_eq!(at.apcer["phone"].share, Share { count: 2, of: 3 });
        assert_eq!(at.highest_apcer, Some(2.0 / 3.0));
        assert_eq!(at.bpcer.unwrap().share, Share { count: 1, of: 2 });
        assert_eq!(at.acer, Some(f64::midpoint(2.0 / 3.0, 0.5)));
        assert_eq!(found.non_responses["screen"].share, Share { count: 1, of: 6 });
        assert_eq!(found.non_responses["original"].share, Share { count: 1, of: 3 });
        assert!(!found.non_responses.contains_key("print"), "no rate of no captures");
    }
}
