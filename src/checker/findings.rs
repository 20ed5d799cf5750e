//! Outcomes of the detectors → readings by id, the places that show a risk, and the findings of a report.

use std::collections::{BTreeMap, BTreeSet};

use crate::detectors::readings;
use crate::evidence::{Abstention, AbstentionCause, Evidence, Mark, MarkKind, Outcome, Reading};
use crate::policy::{Code, Place, Pointer};
use crate::reading::{Date, NumberCode, Proof};
use crate::report::{DocumentReport, Finding, NumberReport};
use crate::scene::PictureHash;
use crate::scoring::{FusionError, Readings};
use crate::words::Fact;

/// Detectors that the deadline left no time for: the one reading that no detector makes.
pub static CUT_SHORT: Reading =
    Reading::count("checker.cut_short_count", "detectors that the deadline left no time for");

/// Ids of all readings that a policy may judge.
#[must_use]
pub fn known_readings() -> BTreeSet<&'static str> {
    readings().map(|reading| reading.id).chain([CUT_SHORT.id]).collect()
}

/// What was measured on one upload, not yet judged.
#[derive(Debug, Clone)]
pub struct Findings {
    pub(super) path: String,
    pub(super) sha256: String,
    pub(super) media_type: &'static str,
    pub(super) picture_hash: PictureHash,
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
        let mut readings: Readings =
            self.evidence().flat_map(|e| &e.readings).map(|r| (r.reading.id, r.value)).collect();
        let late = |(_, outcome): &&(_, Outcome)| matches!(outcome, Outcome::Abstained(abstention) if abstention.cause == AbstentionCause::DeadlinePassed);
        let cut_short = self.outcomes.iter().filter(late).count();
        if cut_short > 0 {
            readings.insert(CUT_SHORT.id, cut_short as f64);
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

    /// The document as a report has it, with what it calls itself.
    pub(super) fn document(&self) -> Option<DocumentReport> {
        let title = self.evidence().find_map(|evidence| evidence.title);
        Some(DocumentReport { title, ..self.document.clone()? })
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

    /// Every mark of the kinds that show `code`, by the report's pointers to them, the strongest of the first kind that
    /// there is before the others; its outline is the place.
    pub(super) fn place(&self, code: &Code) -> Option<Place> {
        if code.shown_by.contains(&MarkKind::Document) {
            let corners = self.document.as_ref()?.corners.0.to_vec();
            return Some(Place { polygon: corners, zone: None, shown_by: vec![Pointer::Document] });
        }
        let (pointer, best) = code.shown_by.iter().find_map(|kind| {
            let marks = self.marks().filter(|(_, mark)| mark.kind == *kind && mark.polygon.len() > 2);
            // One that says where on the document it lies is worth more than one that does not.
            marks.max_by(|(_, a), (_, b)| {
                a.zone.is_some().cmp(&b.zone.is_some()).then(a.strength.total_cmp(&b.strength))
            })
        })?;
        let others = self.marks().filter(|(other, mark)| *other != pointer && code.shows(mark.kind));
        let shown_by = [pointer].into_iter().chain(others.map(|(other, _)| other)).collect();
        Some(Place { polygon: best.polygon.clone(), zone: best.zone, shown_by })
    }

    /// Every mark, and where it stands in the report.
    fn marks(&self) -> impl Iterator<Item = (Pointer, &Mark)> {
        self.outcomes.iter().enumerate().flat_map(|(finding, (_, outcome))| {
            let marks = match outcome {
                Outcome::Evidence(evidence) => evidence.marks.as_slice(),
                Outcome::Abstained(_) => &[],
            };
            marks.iter().enumerate().map(move |(mark, it)| (Pointer::Mark { finding, mark }, it))
        })
    }

    /// What every detector said, as a report has it.
    pub(super) fn told(&self) -> Vec<Finding> {
        self.outcomes.iter().map(|(id, outcome)| finding(id, outcome)).collect()
    }
}

fn finding(detector: &'static str, outcome: &Outcome) -> Finding {
    match outcome {
        Outcome::Evidence(Evidence { readings, explanation, marks, number: _, title: _ }) => Finding {
            detector,
            outcome: "evidence",
            readings: readings.iter().map(|r| (r.reading.id, r.value)).collect(),
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

/// The finding of a check whose readings could not be scored.
pub(super) fn unscored(error: &FusionError) -> Finding {
    let cause = match error {
        FusionError::NoModel => AbstentionCause::NoModel,
        _ => AbstentionCause::Failed,
    };
    let said = error.to_string();
    finding("fusion", &Abstention::new(cause, Fact::Unscored { cause: &said }).into())
}
