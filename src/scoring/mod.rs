//! Readings → calibrated scores per species, with each reading's contribution. Never sees a pixel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Measured values by reading id; an absent reading was not measured.
pub type Readings = BTreeMap<String, f64>;

/// Calibrated scores, each 0 to 1; `None` when there is nothing to score from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Probability-like score that the picture shows a screen.
    pub screen: Option<f64>,
    /// Probability-like score that it shows a print or copy.
    pub print: Option<f64>,
    /// Probability-like score that the document can be read.
    pub legibility: Option<f64>,
    /// What each reading adds to the scores.
    #[serde(skip)]
    pub contributions: Vec<Contribution>,
}

/// How far a score moves when one reading is left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Reading id.
    pub reading: String,
    /// Score with it minus score without it: `screen`.
    pub screen: f64,
    /// The same for `print`.
    pub print: f64,
}
