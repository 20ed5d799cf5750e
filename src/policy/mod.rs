//! Scores and readings → verdict: the only place a threshold may stand. Never sees a pixel.

mod codes;
mod gate;

pub use codes::{CODES, Code, Thing, code};
pub use gate::{Place, Policy, PolicyError, RuleView, Sensitivity};

use serde::{Deserialize, Serialize};

use crate::evidence::Zone;
use crate::geometry::Point;

/// Kind of instrument shown instead of the original (ISO/IEC 30107-3: PAI species).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Species {
    /// A screen.
    Screen,
    /// A print or photocopy.
    Print,
    /// A screenshot: no camera at all.
    Screenshot,
}

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
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
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Retake => "retake",
            Self::Review => "review",
            Self::Reject => "reject",
        }
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

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Accept, Self::Retake, Self::Review, Self::Reject]
            .into_iter()
            .find(|decision| decision.name() == text)
            .ok_or_else(|| format!("`{text}` is none of accept, retake, review, reject"))
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

/// One reason for a decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Reason {
    /// Risk code, for example `screen_recapture` or `glare`.
    pub code: &'static str,
    /// What it asks for.
    pub action: Decision,
    /// The score or reading judged.
    pub score: f64,
    /// The threshold it crossed.
    pub threshold: f64,
    /// How far it crossed, in the unit of the score; positive.
    pub margin: f64,
    /// Where on the picture, in upright capture pixels.
    pub polygon: Option<Vec<Point>>,
    /// Where on the document, where that is known.
    pub zone: Option<Zone>,
    /// What is wrong and what to do, in English.
    pub en: String,
    /// The same in Chinese.
    pub zh: String,
}
