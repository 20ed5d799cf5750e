//! Who sends slowly, too much, half, or all at once → an answer in time or a closed connection; never a false record.

mod crowds;
mod fair;
mod files;
mod framing;
mod names;
mod slow;

use std::time::Duration;

use super::program::{Program, head};

/// A whole picture of 96 × 64 pixels, examined in no time.
pub(super) const SMALL: &[u8] = include_bytes!("../../fixtures/baseline.jpg");

/// Within this time a server lets go of who does not go on; its own limits are under a second in these tests.
pub(super) const LET_GO: Duration = Duration::from_secs(20);

/// Limits that a slow sender meets soon.
pub(super) const IMPATIENT: &[&str] =
    &["--header-time", "500ms", "--upload-gap", "500ms", "--upload-time", "2s", "--batch-time", "2s", "--workers", "1"];

pub(super) fn flags<'a>(more: &[&'a str]) -> Vec<&'a str> {
    IMPATIENT.iter().chain(more).copied().collect()
}

/// The stage of a raw upload at which only a part of it has been sent.
pub(super) fn unfinished(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [head("POST", path, headers).as_bytes(), body].concat()
}

/// Nothing was recorded, nothing is held, and an honest client is answered.
#[track_caller]
pub(super) fn lives_with(program: &Program, cases: usize) {
    program.await_gauge("bonafide_uploads_in_flight", |held| held == 0);
    program.await_gauge("bonafide_workers_busy", |busy| busy == 0);
    assert_eq!(program.cases().len(), cases);
    program.check(SMALL).expect(200);
    assert_eq!(program.cases().len(), cases + 1);
}
