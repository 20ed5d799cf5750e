//! Tells an original capture of a document from a recapture of a screen or print, and whether it is legible.
//!
//! ```no_run
//! use bonafide::{Checker, Deadline, Decision, Options, Upload};
//!
//! let checker = Checker::new(&Options::default())?; // loads the models: make one and share it
//! let bytes = std::fs::read("photo.jpg")?;
//! let report = checker.check(&Upload { bytes: &bytes, name: Some("photo.jpg") }, Deadline::NEVER)?;
//! if report.decision != Decision::Accept {
//!     for reason in &report.reasons {
//!         println!("{}: {}", reason.code, reason.en);
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! ```text
//! bytes ── capture::decode ──► Capture ── scene::survey ──► Scene ── detectors ──► Outcome (readings, sentence, marks)
//!                                                                                     │
//!                report, screening, cli ◄── Report ◄── policy (gate.toml) ◄── scoring (fusion)
//! ```
//!
//! # Invariants
//!
//! 1. Only [`capture`] may fail on an upload. A panic in a decoder is `CaptureError::Undecodable`; in a detector, an
//!    abstention; the process lives.
//! 2. Detectors see no other detector's findings, no thresholds, no files, no network, no clock beyond their deadline.
//! 3. [`scoring`] and [`policy`] never see pixels. A threshold on an outcome stands in `policy/gate.toml` alone.
//! 4. Same bytes, models and policy, no deadline: same report, byte for byte, timings aside, whatever the threads.
//! 5. A report names policy, model hashes and tool version.
//! 6. An absent reading is not a zero. Too few pixels for a signal is "insufficient resolution", never "clean".
//! 7. One pipeline, thin fronts: library, `check` and `screen` give the same report for the same bytes.
//! 8. Nothing is written to disk or logged unless asked; never bytes, positions, numbers read or QR contents.
//!
//! A module uses only modules that stand above it in this list; a test holds the order.
//!
//! # To change …
//!
//! | what | open |
//! |---|---|
//! | which files are accepted, and how large | [`capture`]: `decode.rs`, `limits.rs` |
//! | a word that all stages share: documents, sides, species, languages | [`vocabulary`] |
//! | how a file's name is shown, in rows, pages and terminals | [`names`] |
//! | how the document is found, where tiles are cut | [`scene`]: `document`, `tiles.rs` |
//! | how numbers and validities are read and checked | [`reading`] |
//! | what is measured | [`detectors`]: one file and one line in `DETECTORS` each; its readings are `static`s in it |
//! | how readings become scores | [`scoring`], `models/train/commands/fuse.py` |
//! | a threshold or an action | `policy/gate.toml` |
//! | a sentence, in English or Chinese | `words`: `en/`, `zh/`; a new one begins in `fact.rs`, `notice.rs` or as a `Risk` |
//! | the JSON contract | [`report`], and its mirror in `tests/wire.rs` |
//! | the order of the pipeline | [`checker`]: `look.rs`, the way of every front |
//! | a figure of the benchmark, its page | `benchmark`: `measure/`, `page/` |
//! | a public data set that it reads | `benchmark`: one file and one line in `sets/` each |
//! | a route of the service | `service::api`: one file a subject |
//! | who may call it, and how much | `service::auth` |
//! | a setting of the service | `service::config`: one group a file |
//! | what it remembers | `service::store` |
//! | the phone's page | `service/pages` |

pub use capture::{CaptureError, Limits, Upload};
pub use checker::{Checker, Options};
pub use policy::Decision;
pub use report::Report;
pub use scene::Deadline;

pub mod geometry;

pub mod vocabulary;

pub mod names;

mod lettering;

#[cfg(any(feature = "bench", feature = "service"))]
mod exact;

pub mod capture;

pub mod inference;

pub mod reading;

pub mod scene;

#[cfg_attr(not(feature = "cli"), allow(dead_code, unused_imports, reason = "some names are the terminal's alone"))]
mod words;

pub mod evidence;

pub mod detectors;

pub mod scoring;

pub mod policy;

pub mod report;

pub mod checker;

pub mod screening;

#[cfg(feature = "bench")]
pub mod benchmark;

#[cfg(feature = "simulation")]
pub mod simulation;

#[cfg(feature = "service")]
pub mod service;
