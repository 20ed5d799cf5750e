//! What a detector hands on: measured facts with units, told in a sentence, placed on the picture. No thresholds.

mod mark;
mod outcome;
mod reading;

pub use mark::{Mark, MarkKind};
pub use outcome::{Abstention, AbstentionCause, Evidence, Outcome};
pub use reading::{Measured, Reading};

pub use crate::words::Sentence;
