//! What a detector may measure, declared once: its id, unit and meaning; and the value that came of it.

use serde::Serialize;

/// A quantity that a detector measures: a `static` in the detector's file, for the documentation, `explain`, the
/// policy's check of names, and every value measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// `<detector>.<what>_<unit>`.
    pub id: &'static str,
    /// Unit in words: `dB`, `px`, `deg`, `share` (0 to 1), `0 or 1`, `count`, `log-odds`.
    pub unit: &'static str,
    /// What is measured, in one phrase.
    pub meaning: &'static str,
}

impl Reading {
    /// The quantity `id` in `unit`.
    #[must_use]
    pub const fn new(id: &'static str, unit: &'static str, meaning: &'static str) -> Self {
        Self { id, unit, meaning }
    }

    /// A share, 0 to 1.
    #[must_use]
    pub const fn share(id: &'static str, meaning: &'static str) -> Self {
        Self::new(id, "share", meaning)
    }

    /// A count.
    #[must_use]
    pub const fn count(id: &'static str, meaning: &'static str) -> Self {
        Self::new(id, "count", meaning)
    }

    /// Yes or no, as 1 or 0.
    #[must_use]
    pub const fn flag(id: &'static str, meaning: &'static str) -> Self {
        Self::new(id, "0 or 1", meaning)
    }
}

/// A value that was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// What was measured.
    pub reading: &'static Reading,
    /// The value, always finite.
    pub value: f64,
}
