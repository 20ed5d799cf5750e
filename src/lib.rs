//! Tells an original capture of a document from a recapture of a screen or print, and whether it is legible.

pub mod capture;
pub mod checker;
pub mod detectors;
pub mod evidence;
pub mod geometry;
pub mod inference;
pub mod policy;
pub mod report;
pub mod scene;
pub mod scoring;
pub mod screening;
#[cfg(feature = "simulation")]
pub mod simulation;
