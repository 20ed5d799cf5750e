//! Labelled pictures → what was measured on each, stored once, and what their splits share.

mod leakage;
mod store;

pub use self::leakage::{Leak, LeakKind, Leakage, Picture, find as find_leaks, trained_on};
pub use self::store::{Judged, Origin, Stages, StoreError, Stored, findings_of, judge, measure, stored};
