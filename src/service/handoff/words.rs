//! What is said of a hand-off on the wire: its steps, their states, and how both sides see it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use strum::VariantArray as _;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::policy::Decision;
use crate::report::Report;
use crate::vocabulary::{Face, Language};

/// What a step asks for: a document, or side of it, or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wish(pub(crate) Option<Face>);

impl Wish {
    const ANY: &str = "any";

    fn all() -> impl Iterator<Item = Self> {
        let faces = Face::VARIANTS.iter().copied().filter(|face| *face != Face::None);
        std::iter::once(Self(None)).chain(faces.map(|face| Self(Some(face))))
    }

    pub(crate) fn name(self) -> &'static str {
        self.0.map_or(Self::ANY, Face::name)
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::all().map(|wish| format!("`{wish}`")).collect::<Vec<_>>().join(", ");
        Self::all()
            .find(|wish| wish.name() == text)
            .ok_or_else(|| format!("unknown variant `{text}`, expected one of {}", names()))
    }
}

impl Serialize for Wish {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Wish {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl PartialSchema for Wish {
    fn schema() -> RefOr<Schema> {
        let names = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::all().map(Self::name)));
        names.description(Some("A document, or side of it, or any.")).into()
    }
}

impl ToSchema for Wish {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("StepName")
    }
}

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StepState {
    /// No photograph yet.
    Waiting,
    /// One is being checked.
    Checking,
    /// Another one is needed.
    Retake,
    /// Accepted, or for a person to review.
    Done,
}

/// How far a hand-off is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SessionState {
    /// For a phone to come.
    Waiting,
    /// A phone is there.
    Claimed,
    /// All steps are done.
    Done,
    /// Its time has passed.
    Expired,
}

/// A hand-off as both sides see it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    pub(super) id: String,
    pub(crate) state: SessionState,
    pub(super) lang: Option<Language>,
    pub(super) expires_at: String,
    /// Bytes of a photograph at most.
    pub(super) max_bytes: usize,
    /// All steps are done, and a person has yet to decide about one.
    pub(crate) in_review: bool,
    pub(crate) steps: Vec<StepView>,
}

/// A step as both sides see it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepView {
    pub(super) index: usize,
    /// The document or side that is wanted; `any` for any.
    pub(super) expect: &'static str,
    pub(super) state: StepState,
    /// Photographs sent so far.
    pub(super) attempts: u32,
    /// The case of the last one.
    pub(super) case: Option<String>,
    /// What the last one was found to be.
    pub(super) report: Option<Report>,
    /// What a person decided about it.
    pub(super) decided: Option<StepDecision>,
}

/// What a person decided, as the applicant is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StepDecision {
    pub(crate) decision: Decision,
    /// Their words to the applicant.
    pub(crate) message: Option<String>,
    pub(crate) at: String,
}
