//! A row, as it is made or as it was written → what a page and a resumed screening need of it.

use std::path::PathBuf;

use serde::Deserialize;

use super::{Failure, FailureCause, Report, Row, csv};
use crate::geometry::Quad;
use crate::names;
use crate::policy::{Classification, Decision};
use crate::vocabulary::Species;

/// The classes, in the order of a page.
pub(super) const CLASSES: [Classification; 5] = [
    Classification::BonaFide,
    Classification::Attack(Species::Screen),
    Classification::Attack(Species::Print),
    Classification::Attack(Species::Screenshot),
    Classification::NoResponse,
];

/// What a row says, without its findings.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The file as rows name it.
    pub path: String,
    /// The bytes of its name in hexadecimal, where they are no text.
    pub path_bytes: Option<String>,
    /// The verdict, or why there is none.
    pub outcome: Result<Told, FailureCause>,
}

/// A verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What the gate does.
    pub decision: Decision,
    /// Bona fide, or the species of attack.
    pub classification: Classification,
    /// The scores of screen, print and legibility.
    pub scores: [Option<f64>; 3],
    /// Upright width and height in pixels.
    pub size: (u32, u32),
    /// IANA name of the format.
    pub media_type: String,
    /// `card`, `page` or `other`, where a document was found.
    pub document: Option<String>,
    /// Its corners in upright pixels, where the row has them.
    pub corners: Option<Quad>,
    /// Why, the weightiest first.
    pub reasons: Vec<Why>,
    /// SHA-256 of the bytes.
    pub sha256: String,
    /// Who judged.
    pub judge: Judge,
}

/// Who judged a row; rows of different ones are not mixed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Judge {
    /// The policy by name.
    #[serde(default)]
    pub policy_id: String,
    /// Version of the program.
    #[serde(default)]
    pub tool_version: String,
    /// [`Report::judged_by`]; empty in rows of versions before it.
    #[serde(default)]
    pub judged_by: String,
}

impl std::fmt::Display for Judge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = if self.judged_by.is_empty() { "-" } else { &self.judged_by };
        write!(f, "{} {} ({by})", self.policy_id, self.tool_version)
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Why {
    /// Risk code.
    pub code: String,
    /// What it asks for.
    pub action: Decision,
    /// What was judged and its threshold, where the row has them.
    #[serde(flatten)]
    pub measured: Option<Measured>,
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

/// What was judged.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Measured {
    /// The reading or score that was judged.
    pub reading: String,
    /// Its value.
    pub score: f64,
    /// The threshold it crossed.
    pub threshold: f64,
}

impl Entry {
    /// The file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        names::path_of(&self.path, self.path_bytes.as_deref())
    }

    /// What the gate does; nothing where the file was not examined.
    #[must_use]
    pub fn decision(&self) -> Option<Decision> {
        self.outcome.as_ref().ok().map(|told| told.decision)
    }

    /// The entry of a line of JSON.
    #[must_use]
    pub fn of_json(line: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let outcome = match (line.error, line.decision) {
            (Some(error), None) => Err(error),
            (None, Some(decision)) => Ok(Told {
                decision,
                classification: class(&line.classification?)?,
                scores: [line.scores.screen, line.scores.print, line.scores.legibility],
                size: (line.width, line.height),
                media_type: line.media_type,
                corners: line.document.as_ref().map(|document| document.corners),
                document: line.document.map(|document| document.kind),
                reasons: line.reasons,
                sha256: line.sha256,
                judge: line.judge,
            }),
            _ => return None,
        };
        Some(Self { path: line.path, path_bytes: line.path_bytes, outcome })
    }

    /// The entry of a record of CSV.
    #[must_use]
    pub fn of_csv(record: &::csv::ByteRecord) -> Option<Self> {
        if record.len() != csv::COLUMNS.len() {
            return None;
        }
        let cell = |name: &str| {
            let at = csv::COLUMNS.iter().position(|column| *column == name)?;
            Some(csv::unguarded(std::str::from_utf8(record.get(at)?).ok()?).to_owned())
        };
        let filled = |name: &str| cell(name).filter(|text| !text.is_empty());
        let outcome = match (filled("error_code"), cell("decision")?.parse::<Decision>()) {
            (Some(code), Err(_)) => {
                Err(FailureCause { code, message: cell("error_message")?, message_zh: cell("error_message_zh")? })
            }
            (None, Ok(decision)) => {
                let score = |name: &str| cell(name)?.parse().ok();
                let sentences = (cell("explanation_en")?, cell("explanation_zh")?);
                let codes = cell("reasons")?;
                // The sentences of all reasons stand in one cell.
                let reasons = codes.split(';').filter(|code| !code.is_empty()).enumerate().map(|(i, code)| {
                    let (en, zh) = if i == 0 { sentences.clone() } else { Default::default() };
                    Why { code: code.to_owned(), action: decision, measured: None, en, zh }
                });
                Ok(Told {
                    decision,
                    classification: class(&cell("classification")?)?,
                    scores: [score("screen"), score("print"), score("legibility")],
                    size: (cell("width")?.parse().ok()?, cell("height")?.parse().ok()?),
                    media_type: cell("media_type")?,
                    document: filled("document"),
                    corners: None,
                    reasons: reasons.collect(),
                    sha256: cell("sha256")?,
                    judge: Judge {
                        policy_id: cell("policy_id")?,
                        tool_version: cell("tool_version")?,
                        judged_by: cell("judged_by")?,
                    },
                })
            }
            _ => return None,
        };
        Some(Self { path: cell("path")?, path_bytes: filled("path_bytes"), outcome })
    }
}

impl From<&Row> for Entry {
    fn from(row: &Row) -> Self {
        match row {
            Row::Report(report) => Self {
                path: report.path.clone(),
                path_bytes: report.path_bytes.clone(),
                outcome: Ok(Told::from(report)),
            },
            Row::Failure(Failure { path, path_bytes, error }) => {
                Self { path: path.clone(), path_bytes: path_bytes.clone(), outcome: Err(error.clone()) }
            }
        }
    }
}

impl From<&Report> for Told {
    fn from(report: &Report) -> Self {
        let reasons = report.reasons.iter().map(|reason| Why {
            code: reason.code.to_owned(),
            action: reason.action,
            measured: Some(Measured {
                reading: reason.reading.clone(),
                score: reason.score,
                threshold: reason.threshold,
            }),
            en: reason.en.clone(),
            zh: reason.zh.clone(),
        });
        Self {
            decision: report.decision,
            classification: report.classification,
            scores: [report.scores.screen, report.scores.print, report.scores.legibility],
            size: (report.width, report.height),
            media_type: report.media_type.to_owned(),
            document: report.document.as_ref().map(|document| csv::name_of(&document.kind)),
            corners: report.document.as_ref().map(|document| document.corners),
            reasons: reasons.collect(),
            sha256: report.sha256.clone(),
            judge: report.judge(),
        }
    }
}

fn class(name: &str) -> Option<Classification> {
    CLASSES.into_iter().find(|class| class.name() == name)
}

#[derive(Deserialize)]
struct Line {
    path: String,
    #[serde(default)]
    path_bytes: Option<String>,
    #[serde(default)]
    sha256: String,
    #[serde(default)]
    media_type: String,
    #[serde(default)]
    width: u32,
    #[serde(default)]
    height: u32,
    classification: Option<String>,
    decision: Option<Decision>,
    #[serde(default)]
    scores: LineScores,
    document: Option<LineDocument>,
    #[serde(default)]
    reasons: Vec<Why>,
    #[serde(flatten)]
    judge: Judge,
    error: Option<FailureCause>,
}

#[derive(Default, Deserialize)]
struct LineScores {
    screen: Option<f64>,
    print: Option<f64>,
    legibility: Option<f64>,
}

#[derive(Deserialize)]
struct LineDocument {
    corners: Quad,
    kind: String,
}
