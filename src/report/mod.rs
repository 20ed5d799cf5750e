//! The report of one upload, and one output format a file.

pub mod alone;
pub mod csv;
mod entry;
pub mod html;
pub mod json;
pub mod overlay;
#[cfg(feature = "cli")]
pub mod text;

use std::collections::BTreeMap;

pub use entry::{Entry, Judge, Told, Why};
use serde::{Deserialize, Serialize};

use crate::capture::CaptureError;
use crate::evidence::{Mark, Sentence};
use crate::geometry::Quad;
use crate::policy::{Classification, Decision, Pointer, Reason};
use crate::reading::{Fault, NumberCode, Title};
use crate::scene::{PictureHash, Scene};
use crate::scoring::Scores;
use crate::vocabulary::{DocumentKind, Face};

/// Version of the JSON contract; raised when a field changes meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON contract: one object a photograph.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Report {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The file as it was named, bytes that are no UTF-8 as `\xe9` each; `-` for standard input.
    pub path: String,
    /// The bytes of that name in lower-case hexadecimal; only where they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// 64 hexadecimal digits that hardly change when the picture is saved again, and do when it is taken again.
    #[cfg_attr(feature = "service", schema(value_type = String, min_length = 64, max_length = 64))]
    pub picture_hash: PictureHash,
    /// IANA name of the format, by content.
    pub media_type: &'static str,
    /// Upright width in pixels.
    pub width: u32,
    /// Upright height in pixels.
    pub height: u32,
    /// Bona fide, or the species of attack.
    pub classification: Classification,
    /// What the gate does.
    pub decision: Decision,
    /// Calibrated scores.
    pub scores: Scores,
    /// Whether the document can be read; `null` when that was not measured.
    pub legible: Option<bool>,
    /// The document found.
    pub document: Option<DocumentReport>,
    /// Why, the weightiest first.
    pub reasons: Vec<Reason>,
    /// The number that was read off the document; `null` when none was found.
    pub number: Option<NumberReport>,
    /// What every detector measured.
    pub findings: Vec<Finding>,
    /// Policy that judged.
    pub policy_id: String,
    /// SHA-256 of each model by id.
    pub models: BTreeMap<String, String>,
    /// Version of this program.
    pub tool_version: String,
    /// Sixteen digits that are the same where version, models and every threshold in force are.
    pub judged_by: String,
    /// Time the check took, in milliseconds.
    pub elapsed_ms: f64,
}

impl Report {
    /// Who judged.
    #[must_use]
    pub fn judge(&self) -> Judge {
        Judge {
            policy_id: self.policy_id.clone(),
            tool_version: self.tool_version.clone(),
            judged_by: self.judged_by.clone(),
        }
    }

    /// The mark that a reason points at; `None` where it points at something else.
    #[must_use]
    pub fn mark(&self, pointer: Pointer) -> Option<&Mark> {
        match pointer {
            Pointer::Document => None,
            Pointer::Mark { finding, mark } => self.findings.get(finding)?.marks.get(mark),
        }
    }
}

/// The document as reported.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct DocumentReport {
    /// Upright capture pixels, clockwise; from the document's own top left where [`Self::face`] says how it lies, from
    /// the picture's otherwise.
    pub corners: Quad,
    /// `card`, `page` or `other`, by shape.
    pub kind: DocumentKind,
    /// Pixels per millimetre, for a format of known size.
    pub px_per_mm: Option<f64>,
    /// No border was found: the whole picture is the document.
    pub fills_frame: bool,
    /// Which document it is and how it lies; `null` where nothing looked.
    pub face: Option<FaceReport>,
    /// What it calls itself in print, where a rule asked for that and it was surely read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
}

/// Which document it is, as reported.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct FaceReport {
    /// The likeliest.
    pub kind: Face,
    /// How likely it is, 0 to 1.
    pub confidence: f32,
    /// By how many degrees the document lies turned clockwise in the picture: 0, 90, 180 or 270; `null` where that is
    /// not sure.
    pub turned_deg: Option<u32>,
}

impl DocumentReport {
    /// The document of `scene`, if one was found.
    #[must_use]
    pub fn of(scene: &Scene<'_>) -> Option<Self> {
        let document = scene.subject()?;
        let face = scene.seen().map(|seen| {
            let (kind, confidence) = seen.face();
            FaceReport { kind, confidence, turned_deg: scene.turned_deg() }
        });
        Some(Self {
            px_per_mm: document.px_per_mm(face.map(|face| face.kind)),
            corners: scene.upright().unwrap_or(document.quad),
            kind: document.kind,
            fills_frame: document.fills_frame,
            face,
            title: None,
        })
    }
}

/// The document's number as reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct NumberReport {
    /// `resident_id`, `mrz` or `credit_code`.
    pub kind: &'static str,
    /// How its reading came out.
    pub code: NumberCode,
    /// The checks that fail.
    pub faults: Vec<Fault>,
    /// The number, masked unless it was asked for in clear.
    pub text: String,
    /// What it says of its holder by name, where it was asked for in clear; `null` otherwise.
    pub fields: Option<BTreeMap<&'static str, String>>,
}

/// What one detector said.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Finding {
    /// Detector id.
    pub detector: &'static str,
    /// `evidence`, or the cause of abstention.
    pub outcome: &'static str,
    /// Measured values by reading id.
    pub readings: BTreeMap<&'static str, f64>,
    /// In words.
    pub explanation: Sentence,
    /// On the picture.
    pub marks: Vec<Mark>,
}

/// A file that could not be examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Failure {
    /// The file as it was named, as in [`Report::path`].
    pub path: String,
    /// The bytes of that name, as in [`Report::path_bytes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    /// Why.
    pub error: FailureCause,
}

/// Why a file could not be examined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct FailureCause {
    /// Stable code.
    pub code: String,
    /// In the uploader's words, in English where nothing else was asked for.
    pub message: String,
    /// The same in Chinese.
    #[serde(default)]
    pub message_zh: String,
}

impl FailureCause {
    /// The cause with a stable code, in words of both languages.
    #[must_use]
    pub fn new(code: impl Into<String>, said: Sentence) -> Self {
        Self { code: code.into(), message: said.en, message_zh: said.zh }
    }

    /// Why an upload cannot be examined.
    #[must_use]
    pub fn of(error: &CaptureError) -> Self {
        Self::new(error.code(), Sentence { en: error.to_string(), zh: error.in_chinese() })
    }
}

/// A row of a screening: a report, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant)]
pub enum Row {
    /// The file was examined.
    Report(Report),
    /// It could not be.
    Failure(Failure),
}

impl Row {
    /// The file as it was named.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Report(report) => &report.path,
            Self::Failure(failure) => &failure.path,
        }
    }

    /// The bytes of its name, where they are no text.
    #[must_use]
    pub fn path_bytes(&self) -> Option<&str> {
        match self {
            Self::Report(report) => report.path_bytes.as_deref(),
            Self::Failure(failure) => failure.path_bytes.as_deref(),
        }
    }
}
