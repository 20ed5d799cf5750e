//! Outcomes of the detectors → readings by id, the places that show a risk, and the findings of a report.

use std::collections::{BTreeMap, BTreeSet};

use crate::detectors::DETECTORS;
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome};
use crate::policy::{Code, Place};
use crate::reading::{Date, NumberCode, Proof};
use crate::report::{DocumentReport, Finding, NumberReport};
use crate::scoring::Readings;

/// Detectors that the deadline left no time for: the one reading that no detector makes.
pub const CUT_SHORT: &str = "checker.cut_short_count";

/// Ids of all readings that a policy may judge.
#[must_use]
pub fn known_readings() -> BTreeSet<&'static str> {
    let measured = DETECTORS.iter().flat_map(|entry| entry.info.readings).map(|reading| reading.id);
    measured.chain([CUT_SHORT]).collect()
}

/// What was measured on one upload, not yet judged.
#[derive(Debug, Clone)]
pub struct Findings {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) media_type: &'static str,
    pub(super) size: (u32, u32),
    pub(super) document: Option<DocumentReport>,
    pub(super) today: Date,
    pub(super) outcomes: Vec<(&'static str, Outcome)>,
}

impl Findings {
    /// How reading the document's number came out, where there was one to read.
    #[must_use]
    pub fn number_code(&self) -> Option<NumberCode> {
        self.proof().map(Proof::code)
    }

    /// Every reading by id; [`CUT_SHORT`] too where the deadline left something unmeasured.
    #[must_use]
    pub fn readings(&self) -> Readings {
        let mut readings: Readings = self.evidence().flat_map(|e| &e.readings).map(|r| (r.id, r.value)).collect();
        let late = |(_, outcome): &&(_, Outcome)| matches!(outcome, Outcome::Abstained(abstention) if abstention.cause == AbstentionCause::DeadlinePassed);
        let cut_short = self.outcomes.iter().filter(late).count();
        if cut_short > 0 {
            readings.insert(CUT_SHORT, cut_short as f64);
        }
        readings
    }

    fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.outcomes.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Evidence(evidence) => Some(evidence),
            Outcome::Abstained(_) => None,
        })
    }

    fn proof(&self) -> Option<&Proof> {
        self.evidence().find_map(|evidence| evidence.number.as_ref())
    }

    /// The number as a report shows it, in clear or masked.
    pub(super) fn number(&self, reveal: bool) -> Option<NumberReport> {
        self.proof().map(|proof| NumberReport {
            kind: proof.name(),
            code: proof.code(),
            faults: proof.faults().to_vec(),
            text: if reveal { proof.revealed() } else { proof.masked() },
            fields: reveal.then(|| proof.fields(self.today)),
        })
    }

    /// The strongest mark of the kinds that show `code`, in the order in which the code lists them.
    pub(super) fn place(&self, code: &Code) -> Option<Place> {
        if code.shown_by.contains(&MarkKind::Document) {
            return self.document.as_ref().map(|d| Place { polygon: d.corners.0.to_vec(), zone: None });
        }
        code.shown_by.iter().find_map(|kind| {
            let marks = self.evidence().flat_map(|e| &e.marks).filter(|m| m.kind == *kind && m.polygon.len() > 2);
            // One that says where on the document it lies is worth more than one that does not.
            let best =
                marks.max_by(|a, b| (a.zone.is_some().cmp(&b.zone.is_some())).then(a.strength.total_cmp(&b.strength)));
            best.map(|m| Place { polygon: m.polygon.clone(), zone: m.zone })
        })
    }

    /// What every detector said, as a report has it.
    pub(super) fn told(&self) -> Vec<Finding> {
        self.outcomes.iter().map(|(id, outcome)| finding(id, outcome)).collect()
    }
}

fn finding(detector: &'static str, outcome: &Outcome) -> Finding {
    match outcome {
        Outcome::Evidence(Evidence { readings, explanation, marks, number: _ }) => Finding {
            detector,
            outcome: "evidence",
            readings: readings.iter().map(|r| (r.id, r.value)).collect(),
            explanation: explanation.clone(),
            marks: marks.clone(),
        },
        Outcome::Abstained(Abstention { cause, explanation }) => Finding {
            detector,
            outcome: cause.name(),
            readings: BTreeMap::new(),
            explanation: explanation.clone(),
            marks: Vec::new(),
        },
    }
}
