//! A labelled folder → findings, stored once → figures by ISO/IEC 30107-3, comparisons and proposed thresholds.

pub mod accept;
pub mod chosen;
pub mod compare;
pub mod deletion;
pub mod dry_run;
pub mod figures;
pub mod first_try;
pub mod genuine;
pub mod import;
pub mod intervals;
pub mod labels;
pub mod leakage;
pub mod metrics;
pub mod page;
pub mod plots;
pub mod rates;
pub mod relax;
pub mod report;
pub mod results;
pub mod robustness;
mod store;

pub use store::{Judged, Origin, Stages, StoreError, Stored, findings_of, judge, measure, stored};
