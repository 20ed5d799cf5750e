//! Scores and readings → verdict: the only place a threshold may stand. Never sees a pixel.

mod codes;
mod judge;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

pub use codes::{CODES, Code, Thing, code};
pub use judge::Place;
pub use rules::{Policy, PolicyError, RuleView};
pub use schema::Sensitivity;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::geometry::Point;
use crate::vocabulary::{Species, Zone};

/// What the picture is classified as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Classification {
    /// Original capture.
    BonaFide,
    /// Recapture or screenshot.
    Attack(Species),
    /// Nothing could be said (ISO/IEC 30107-3: non-response).
    NoResponse,
}

impl Classification {
    /// The name in the JSON contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BonaFide => "bona_fide",
            Self::Attack(Species::Screen) => "screen",
            Self::Attack(Species::Print) => "print",
            Self::Attack(Species::Screenshot) => "screenshot",
            Self::NoResponse => "no_response",
        }
    }
}

#[cfg(feature = "service")]
impl utoipa::PartialSchema for Classification {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let attacks = [Species::Screen, Species::Print, Species::Screenshot].map(Self::Attack);
        let all = [Self::BonaFide, Self::NoResponse].into_iter().chain(attacks);
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(all.map(Self::name)))
            .description(Some("Original capture, species of attack, or nothing could be said."))
            .into()
    }
}

#[cfg(feature = "service")]
impl utoipa::ToSchema for Classification {}

impl Serialize for Classification {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the gate does with an upload, mildest first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Decision {
    /// Take it.
    Accept,
    /// Ask for another photograph; the reasons say how.
    Retake,
    /// A person looks at it.
    Review,
    /// Refuse it.
    Reject,
}

impl Decision {
    /// The name in the JSON contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The exit code of a program that checked one photograph: 0 accepted, 1 not accepted, 3 for a person to look at. 2 is
    /// for what could not be examined ([`crate::capture::Category::exit_code`]).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Accept => 0,
            Self::Retake | Self::Reject => 1,
            Self::Review => 3,
        }
    }
}

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
