//! An upload that may be examined → threads that examine it, and a verdict on record.

pub(crate) mod app;
pub(crate) mod attempts;
mod line;
pub(crate) mod once;
pub(crate) mod ready;
pub(crate) mod workers;
