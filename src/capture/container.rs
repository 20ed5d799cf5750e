//! Markers, tables and boxes of the file → facts about how it was written, without judgement.

/// How the file is built.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Container {}
