//! A labelled folder → findings, stored once → figures by ISO/IEC 30107-3, comparisons and proposed thresholds.
//!
//! A room uses only rooms that stand above it in this list:
//!
//! | room | from | to |
//! |---|---|---|
//! | `labels` | a table of what each picture is | samples, or every row that is wrong |
//! | `sets` | a public set as it is published | labels; one file a set |
//! | `findings` | samples and their pictures | what was measured, stored once and judged under any policy |
//! | `measure` | judged samples | every figure, with its n and its intervals |
//! | `run` | a finished run | its results on disk, and what changed since another |
//! | `propose` | a finished run and a target | a policy that reaches it |
//! | `explain` | captures that are accused | whether the verdict falls without the evidence that it names |
//! | `page` | all of these | HTML, Markdown, CSV |

mod explain;
mod findings;
mod labels;
mod measure;
mod page;
mod propose;
mod run;
mod sets;

pub use explain::{Settings, explain_files, summary};
pub use findings::{
    Judged, Leak, LeakKind, Leakage, Origin, Picture, Stages, StoreError, Stored, find_leaks, findings_of, judge,
    measure, stored, trained_on,
};
pub use labels::{Label, LabelError, Labels, Problem, Readable, Sample, check_classes, read as read_labels};
pub use measure::{
    Agreement, AtGate, Bin, Calibration, CurveFigures, DetPoint, Figure, Figures, FirstTry, Gate, Interval, Legibility,
    Outcomes, Part, Rate, RocPoint, Share, Speed, curve_title, figures,
};
pub use page::{Page, bracket, comparison, explanations, html, markdown, page, percent, robustness, tables_csv, worst};
pub use propose::{accept, dry_run, genuine};
pub use run::{
    Comparison, Difference, Flip, ResultRow, Run, RunError, Tried, accused, compare, read as read_run, try_variants,
    write as write_run,
};
pub use sets::{ImportError, Imported, Options as ImportOptions, SETS, Set, import, set};
