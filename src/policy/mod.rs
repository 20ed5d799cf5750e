//! Scores and readings → verdict: the only place a threshold may stand. Never sees a pixel.

mod codes;
mod judge;
mod preset;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

pub use codes::{CODES, Code, code};
pub use judge::Place;
pub use preset::Preset;
#[cfg(feature = "cli")]
pub use rules::days;
pub use rules::{Policy, PolicyError, RuleView};
pub use schema::Sensitivity;
use serde::Serialize;

use crate::geometry::Point;
use crate::vocabulary::Zone;
pub use crate::vocabulary::{Classification, Decision};

/// What a policy makes of scores and readings.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Bona fide, or the species of attack.
    pub classification: Classification,
    /// Whether the document can be read; `None` when that was not measured.
    pub legible: Option<bool>,
    /// What the gate does.
    pub decision: Decision,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
}

/// A place in a report; written as a JSON Pointer (RFC 6901).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pointer {
    /// The document.
    Document,
    /// A mark of a finding, both counted from 0.
    Mark {
        /// The finding.
        finding: usize,
        /// The mark among the finding's.
        mark: usize,
    },
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document => f.write_str("/document"),
            Self::Mark { finding, mark } => write!(f, "/findings/{finding}/marks/{mark}"),
        }
    }
}

impl Serialize for Pointer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One reason for a decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Reason {
    /// Risk code, for example `screen_recapture` or `glare`.
    pub code: &'static str,
    /// What it asks for.
    pub action: Decision,
    /// What was judged: a score (`score.screen`) or a reading by its id.
    pub reading: String,
    /// Its value.
    pub score: f64,
    /// The threshold it crossed.
    pub threshold: f64,
    /// How far it crossed, in the unit of the score; positive.
    pub margin: f64,
    /// What shows it in the report, as JSON Pointers (RFC 6901): `/findings/3/marks/0`, or `/document`. What
    /// [`Self::polygon`] is of comes first.
    #[cfg_attr(feature = "service", schema(value_type = Vec<String>))]
    pub shown_by: Vec<Pointer>,
    /// Where on the picture, in upright capture pixels.
    pub polygon: Option<Vec<Point>>,
    /// Where on the document, where that is known.
    pub zone: Option<Zone>,
    /// What is wrong and what to do, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
}
