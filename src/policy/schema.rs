//! A policy's TOML → rules as they stand in it. The shipped one is `gate.toml`: every threshold on an outcome is there.

use std::collections::BTreeMap;

use serde::Deserialize;
use strum::{EnumString, IntoStaticStr};

use crate::vocabulary::Face;

/// The shipped policy.
pub(super) const SHIPPED: &str = include_str!("gate.toml");

/// Which side of a threshold is the bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub(super) enum Bad {
    Above,
    Below,
}

/// How strictly a risk is judged: which of its rule's thresholds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = String, parse_err_fn = no_sensitivity)]
pub enum Sensitivity {
    /// Not at all.
    Off,
    /// By its relaxed thresholds.
    Relaxed,
    /// By its plain ones.
    Normal,
    /// By its strict ones.
    Strict,
}

impl Sensitivity {
    /// The name in a policy's file and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Reads `RISK=LEVEL`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn of_risk(text: &str) -> Result<(String, Self), String> {
        let (risk, level) = text.split_once('=').ok_or("it needs the form RISK=LEVEL")?;
        Ok((risk.to_owned(), level.parse()?))
    }
}

fn no_sensitivity(text: &str) -> String {
    format!("`{text}` is none of off, relaxed, normal, strict")
}

/// How much a risk matters: orders the reasons of equal action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Severity {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) id: String,
    /// `shipped`: begin with the rules of the shipped policy.
    pub(super) base: Option<Base>,
    /// Legible means this or more, of the legibility score.
    pub(super) legible_from: Option<f64>,
    /// How many reasons are told at most, the surest first, of those that ask for what is decided; all where left out.
    pub(super) reasons_at_most: Option<usize>,
    /// When a gate asks for one document, what it does with another.
    pub(super) expecting: Option<Expecting>,
    #[serde(default)]
    pub(super) risk: BTreeMap<String, Rule>,
    /// How strictly single risks are judged, by rule or code.
    #[serde(default)]
    pub(super) sensitivity: BTreeMap<String, Sensitivity>,
    /// Changes to single risks, laid over `risk`.
    #[serde(default, rename = "override")]
    pub(super) overrides: BTreeMap<String, Override>,
}

/// The rule for a document that is not the one asked for, judged on how likely it is to be that.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expecting {
    pub(super) severity: Severity,
    /// Below this share another photograph is asked for.
    pub(super) retake: f64,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Base {
    Shipped,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The risk it speaks of; the rule's own name when left out, so that a risk may have several rules.
    pub(super) code: Option<String>,
    pub(super) quantity: String,
    pub(super) bad: Bad,
    pub(super) severity: Severity,
    pub(super) retake: Option<f64>,
    pub(super) review: Option<f64>,
    pub(super) reject: Option<f64>,
    /// From here on the picture is classified as the risk's species.
    pub(super) classify: Option<f64>,
    /// The value that leaves no doubt: where it is left out 0 below a threshold, 1 above one that is a share, and twice
    /// any other. Orders the reasons of equal weight.
    pub(super) sure: Option<f64>,
    /// Told only where no other reason is: it names no cause.
    #[serde(default)]
    pub(super) fallback: bool,
    /// Where it speaks, milder or equal reasons that do not supersede have no meaning and are not told.
    #[serde(default)]
    pub(super) supersedes: bool,
    /// Where one of these risks speaks, a suspicion that a person would have to look at (`review`) is not told.
    #[serde(default)]
    pub(super) yields_to: Vec<String>,
    /// Judged only where all of these hold; a quantity that was not measured holds nothing.
    #[serde(default)]
    pub(super) when: Vec<Condition>,
    /// Not judged where all of any one of these groups hold; a quantity that was not measured holds nothing.
    #[serde(default)]
    pub(super) unless: Vec<Vec<Condition>>,
    /// Judged only where the document is most likely one of these; any where left out.
    pub(super) faces: Option<Vec<Face>>,
    /// Not judged where it is most likely one of these.
    #[serde(default)]
    pub(super) not_faces: Vec<Face>,
    pub(super) relaxed: Option<Thresholds>,
    pub(super) strict: Option<Thresholds>,
    #[serde(default = "on")]
    pub(super) enabled: bool,
}

/// A quantity and the side of a value on which it must lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Condition {
    pub(super) quantity: String,
    pub(super) above: Option<f64>,
    pub(super) below: Option<f64>,
}

/// Thresholds of another sensitivity; those that are not named stay as they are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Thresholds {
    pub(super) retake: Option<f64>,
    pub(super) review: Option<f64>,
    pub(super) reject: Option<f64>,
    pub(super) classify: Option<f64>,
}

pub(super) const fn on() -> bool {
    true
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Override {
    pub(super) enabled: Option<bool>,
    pub(super) severity: Option<Severity>,
    pub(super) retake: Option<f64>,
    pub(super) review: Option<f64>,
    pub(super) reject: Option<f64>,
    pub(super) classify: Option<f64>,
}
