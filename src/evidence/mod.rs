//! What a detector hands on: measured facts with units, told in a sentence, placed on the picture. No thresholds.

mod mark;
mod outcome;
mod reading;

pub use mark::{Mark, MarkKind};
pub use outcome::{Abstention, AbstentionCause, Evidence, Outcome};
pub use reading::{Measured, Reading};
use serde::{Deserialize, Serialize};

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
