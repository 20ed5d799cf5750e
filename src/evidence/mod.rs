//! What a detector hands on: measured facts with units, told in a sentence, placed on the picture. No thresholds.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;
use crate::reading::Proof;
pub use crate::scene::Zone;

/// One sentence in English and Chinese.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// Chinese (simplified).
    pub zh: String,
}

impl Sentence {
    /// The sentence in both languages.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

/// A measured quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    /// `<detector>.<what>_<unit>`, listed in the detector's [`ReadingInfo`] slice.
    pub id: &'static str,
    /// The value, always finite.
    pub value: f64,
}

/// What a reading means, for documentation, `explain` and the policy's check of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ReadingInfo {
    /// `<detector>.<what>_<unit>`.
    pub id: &'static str,
    /// Unit in words: `dB`, `px`, `deg`, `share` (0 to 1), `0 or 1`, `count`, `log-odds`.
    pub unit: &'static str,
    /// What is measured, in one phrase.
    pub meaning: &'static str,
}

/// What a mark shows, so that an overlay can choose its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkKind {
    /// The document's border.
    Document,
    /// Border of a device around the document.
    Device,
    /// An edge line of a device or frame.
    Edge,
    /// A tile with a periodic pattern; strength is the vote.
    Pattern,
    /// The tile whose spectrum shows the pattern best; an overlay insets that spectrum.
    Spectrum,
    /// A printed dot lattice.
    Halftone,
    /// A tile as the texture network saw it; strength is its share of the score.
    Heat,
    /// Clipped highlights.
    Glare,
    /// Text that cannot be read well.
    Blur,
    /// Something that lies over the document.
    Cover,
    /// A corner or side outside the picture.
    Cut,
    /// A code.
    Code,
    /// The line in which the document's number stands.
    Number,
}

/// A place on the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What it shows.
    pub kind: MarkKind,
    /// Two points are a line, more a closed polygon; upright capture pixels.
    pub polygon: Vec<Point>,
    /// How strongly, 0 to 1.
    pub strength: f32,
    /// Where on the document its middle lies, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

/// What a detector found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Measured values; one that could not be measured is absent, never zero.
    pub readings: Vec<Reading>,
    /// The facts in one sentence.
    pub explanation: Sentence,
    /// Where they are on the picture.
    pub marks: Vec<Mark>,
    /// A number that was read, for those who ask for it; prints masked and never reaches a report in clear by itself.
    pub number: Option<Proof>,
}

impl Evidence {
    /// Evidence that says `explanation` and has no readings yet.
    #[must_use]
    pub fn told(explanation: Sentence) -> Self {
        Self { explanation, ..Self::default() }
    }

    /// Adds a reading; a value that is not finite is left out, as unmeasured.
    pub fn read(&mut self, id: &'static str, value: f64) {
        if value.is_finite() {
            self.readings.push(Reading { id, value });
        }
    }

    /// Adds a yes-or-no reading as 1 or 0.
    pub fn flag(&mut self, id: &'static str, holds: bool) {
        self.read(id, f64::from(u8::from(holds)));
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
        self.readings.iter().find(|r| r.id == id).map(|r| r.value)
    }
}

/// Why a detector has nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AbstentionCause {
    /// Too few pixels for this signal: not the same as "clean".
    InsufficientResolution,
    /// The signal lives on the document and none was found.
    NoDocument,
    /// The file format does not carry this.
    NotApplicable,
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
    pub const fn name(self) -> &'static str {
        match self {
            Self::InsufficientResolution => "insufficient_resolution",
            Self::NoDocument => "no_document",
            Self::NotApplicable => "not_applicable",
            Self::NoModel => "no_model",
            Self::DeadlinePassed => "deadline_passed",
            Self::Failed => "failed",
        }
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
    /// An abstention for `cause`.
    pub fn new(cause: AbstentionCause, en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self { cause, explanation: Sentence::new(en, zh) }
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
