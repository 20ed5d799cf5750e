//! What comes of examining a scene with one detector: evidence, or why there is none.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use super::{Mark, MarkKind, Measured, Reading};
use crate::geometry::Point;
use crate::reading::{Proof, Title};
use crate::vocabulary::Zone;
use crate::words::{self, Fact, Sentence};

/// What a detector found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Measured values; one that could not be measured is absent, never zero.
    pub readings: Vec<Measured>,
    /// The facts in one sentence.
    pub explanation: Sentence,
    /// Where they are on the picture.
    pub marks: Vec<Mark>,
    /// A number that was read, for those who ask for it; prints masked and never reaches a report in clear by itself.
    pub number: Option<Proof>,
    /// What the document calls itself, where that was read.
    pub title: Option<Title>,
}

impl Evidence {
    /// Evidence that says `fact` and has no readings yet.
    pub(crate) fn told(fact: Fact<'_>) -> Self {
        Self { explanation: words::said(&fact), ..Self::default() }
    }

    /// Says `fact`, where readings came before it.
    pub(crate) fn tell(&mut self, fact: Fact<'_>) {
        self.explanation = words::said(&fact);
    }

    /// Adds a reading; a value that is not finite is left out, as unmeasured.
    pub fn read(&mut self, reading: &'static Reading, value: f64) {
        if value.is_finite() {
            self.readings.push(Measured { reading, value });
        }
    }

    /// Adds a yes-or-no reading as 1 or 0.
    pub fn flag(&mut self, reading: &'static Reading, holds: bool) {
        self.read(reading, f64::from(u8::from(holds)));
    }

    /// Adds a mark; `strength` is clamped to 0..1.
    pub fn mark(&mut self, kind: MarkKind, polygon: impl Into<Vec<Point>>, strength: f32) {
        self.marks.push(Mark { kind, polygon: polygon.into(), strength: strength.clamp(0.0, 1.0), zone: None });
    }

    /// Adds a mark that lies in `zone` of the document.
    pub fn mark_zone(&mut self, kind: MarkKind, polygon: impl Into<Vec<Point>>, strength: f32, zone: Zone) {
        let strength = strength.clamp(0.0, 1.0);
        self.marks.push(Mark { kind, polygon: polygon.into(), strength, zone: Some(zone) });
    }

    /// The value of reading `id`, if it was measured.
    #[must_use]
    pub fn value(&self, id: &str) -> Option<f64> {
        self.readings.iter().find(|measured| measured.reading.id == id).map(|measured| measured.value)
    }
}

/// Why a detector has nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum AbstentionCause {
    /// Too few pixels for this signal: not the same as "clean".
    InsufficientResolution,
    /// The signal lives on the document and none was found.
    NoDocument,
    /// The file format does not carry this.
    NotApplicable,
    /// No rule of the policy asks for it.
    NotAsked,
    /// The model is not loaded.
    NoModel,
    /// The deadline had passed.
    DeadlinePassed,
    /// The detector failed; the rest of the check stands.
    Failed,
}

impl AbstentionCause {
    /// The name in the JSON contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A detector's word that it could not measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abstention {
    /// Why.
    pub cause: AbstentionCause,
    /// The same in a sentence, with what would be needed.
    pub explanation: Sentence,
}

impl Abstention {
    /// An abstention for `cause` that says `fact`.
    pub(crate) fn new(cause: AbstentionCause, fact: Fact<'_>) -> Self {
        Self { cause, explanation: words::said(&fact) }
    }
}

/// What comes of examining a scene with one detector.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It measured.
    Evidence(Evidence),
    /// It could not.
    Abstained(Abstention),
}

impl From<Evidence> for Outcome {
    fn from(evidence: Evidence) -> Self {
        Self::Evidence(evidence)
    }
}

impl From<Abstention> for Outcome {
    fn from(abstention: Abstention) -> Self {
        Self::Abstained(abstention)
    }
}
