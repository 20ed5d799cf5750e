//! Upload whose verdict names reasons → whether the verdict falls when the evidence that it names is removed.
//!
//! An explanation that points at what the verdict rests on stands this test: without the named evidence the score falls
//! under the threshold that it had crossed, and without as much of something else it does not. Source: the deletion
//! metric of explanations (Petsiuk, Das and Saenko, "RISE", 2018) and occlusion by a sliding mask (Zeiler and Fergus,
//! 2014). Named evidence is of three sorts, told apart in every figure: what the report *marks*; what *occlusion*
//! finds, where the learned networks mark nothing; and what the *metadata* say.
//!
//! Limits: a mask is itself something to see, smoother than any photograph; what it does to a score beyond the loss of
//! what it hides shows in the control, no better. Cells found by occlusion were chosen by the score that then judges
//! them: they show that the score rests on a small part of the picture, not that the part is what a person would name.

mod evidence;
mod fill;
mod flatten;
mod picture;
mod reason;
mod reencode;
mod region;
mod removal;
mod summary;
#[cfg(test)]
mod testing;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use self::fill::Filling;
use self::picture::Edit;
use self::reason::Test;
use self::reencode::by_metadata;
use self::region::cells;
use self::removal::Bench;
pub use self::summary::{Summary, summary};
use crate::capture::{CaptureError, Upload};
use crate::checker::{Checker, Look};
use crate::evidence::MarkKind;
use crate::names;
use crate::policy::Decision;
use crate::report::{Failure, FailureCause};
use crate::scene::Deadline;
use crate::screening::{failure, read_upload};

/// Quality of JPEG where a picture is re-encoded as one.
const QUALITY: u8 = 98;

/// How explanations are tested.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Seed of the controls, beside the file's own SHA-256.
    pub seed: u64,
    /// Cells of the occlusion grid along the longer and the shorter side, at least 1.
    pub cells: (u32, u32),
    /// Share of the picture that occlusion may name at most, 0 to 1.
    pub occluded_share: f64,
    /// Marks weaker than this are not named, 0 to 1; the shipped overlay draws none below 0.2.
    pub faintest: f32,
    /// Spectral lines of a marked tile that stand out less than this are left, in dB; noise alone reaches 14.
    pub line_db: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, cells: (4, 3), occluded_share: 0.25, faintest: 0.2, line_db: 14.0 }
    }
}

/// Whose word the removed evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// All marks that show the reason, together.
    Marks,
    /// The marks of one kind.
    Mark(MarkKind),
    /// The cells whose masking moves the score most.
    Occlusion,
    /// What the file says of itself.
    Metadata,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marks => f.write_str("marks"),
            Self::Mark(kind) => write!(f, "mark_{}", format!("{kind:?}").to_lowercase()),
            Self::Occlusion => f.write_str("occlusion"),
            Self::Metadata => f.write_str("metadata"),
        }
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One reason, and what became of it without some evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deleted {
    /// Risk code.
    pub code: &'static str,
    /// Score (`score.screen`) or reading that crossed the threshold.
    pub quantity: String,
    /// The threshold.
    pub threshold: f64,
    /// The quantity in the upload as it came.
    pub reported: f64,
    /// The same after re-encoding without any change; `null` where it is then not measured.
    pub before: Option<f64>,
    /// Whether re-encoding alone brought it to the good side of the threshold: such a row says nothing more.
    pub lost: bool,
    /// Whose word the removed evidence is.
    pub by: By,
    /// Share of the whole picture that was changed.
    pub area_share: f64,
    /// The quantity without the evidence; `null` where it is then not measured.
    pub after: Option<f64>,
    /// Whether it then lies on the good side of the threshold. Where it is not measured: yes for metadata, else no.
    pub fell: bool,
    /// The quantity without as much of something else, which lies apart from the evidence; `null` where there is no
    /// such control, as where the evidence takes so much of the picture that nothing as large lies apart from it.
    pub random_after: Option<f64>,
    /// Whether it then lies on the good side.
    pub random_fell: Option<bool>,
}

/// The deletion test of one upload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The file as it was named; `-` where it has no name.
    pub path: String,
    /// What the gate does with the upload.
    pub decision: Decision,
    /// One row for each reason and sort of evidence.
    pub reasons: Vec<Deleted>,
    /// Reasons that name no evidence which can be removed.
    pub untested: Vec<&'static str>,
    /// How often the picture was checked.
    pub checks: u32,
}

/// Tests the explanation of `upload`. It is checked once as it came, once re-encoded and
/// once with each cell masked, and for each reason twice (evidence and control) by at most four kinds of mark, all of
/// them together, and occlusion.
///
/// Pixels are edited upright and given back as PNG, or as JPEG of quality 98 where a PNG would be larger than the
/// checker takes; every edit is compared with the same re-encoding without an edit.
///
/// # Errors
/// [`CaptureError`] when the upload cannot be examined.
pub fn explain(checker: &Checker, upload: &Upload<'_>, settings: &Settings) -> Result<Explanation, CaptureError> {
    checker.look(upload, Deadline::NEVER, |look| explain_look(checker, upload, look, settings))?
}

fn explain_look(
    checker: &Checker,
    upload: &Upload<'_>,
    mut look: Look<'_>,
    settings: &Settings,
) -> Result<Explanation, CaptureError> {
    let report = look.report();
    let (capture, scene) = (look.capture, &look.scene);
    let mut explanation = Explanation {
        path: report.path.clone(),
        decision: report.decision,
        reasons: Vec::new(),
        untested: Vec::new(),
        checks: 1,
    };
    let tests: Vec<Test<'_>> = report.reasons.iter().map(|reason| Test::of(reason, &report)).collect();
    if tests.iter().any(Test::edits_pixels) {
        let mut bench = Bench::new(checker, upload, capture, settings)?;
        let untouched = bench.examine(&bench.picture.clone())?;
        let cells = cells(bench.picture.size(), settings.cells);
        let mut masked = Vec::new();
        if tests.iter().any(|test| test.learned) {
            for cell in &cells {
                masked.push(bench.without(&[Edit::Mask(cell.clone(), Filling::Surrounding)])?);
            }
        }
        for test in tests.iter().filter(|test| test.edits_pixels()) {
            explanation.reasons.extend(bench.by_marks(test, &report, scene, &untouched)?);
            if test.learned {
                explanation.reasons.push(bench.by_occlusion(test, &untouched, &cells, &masked)?);
            }
        }
        explanation.checks += bench.checks;
    }
    for test in tests.iter().filter(|test| test.metadata) {
        let (row, checks) = by_metadata(checker, upload, capture, test)?;
        explanation.reasons.push(row);
        explanation.checks += checks;
    }
    let tested = |code: &str| explanation.reasons.iter().any(|row| row.code == code);
    explanation.untested = report.reasons.iter().map(|reason| reason.code).filter(|code| !tested(code)).collect();
    Ok(explanation)
}

/// Tests the explanations of files, as many at a time as the pool of threads has workers; in the order of `paths`. `seen` is
/// told after each.
#[must_use]
pub fn explain_files(
    checker: &Checker,
    paths: &[PathBuf],
    settings: &Settings,
    seen: &(dyn Fn() + Sync),
) -> Vec<Result<Explanation, Failure>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let explained = |path: &PathBuf| {
        let name = names::shown(path);
        let bytes = read_upload(path, checker.limits())?;
        explain(checker, &Upload { bytes: &bytes, name: Some(&name) }, settings)
            .map_err(|error| failure(path, FailureCause::of(&error)))
    };
    // One long task a worker, and no parallel iterator: a worker that waits inside an engine must not begin another
    // picture meanwhile.
    rayon::broadcast(|_| {
        while let Some((place, path)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            paths.get(place).map(|path| (place, path))
        } {
            let outcome = explained(path);
            seen();
            done.lock().insert(place, outcome);
        }
    });
    done.into_inner().into_values().collect()
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, RgbImage};

    use super::testing::grey;
    use super::*;
    use crate::benchmark::run::encode;
    use crate::scene::testing::noise;

    #[test]
    fn a_black_upload_names_nothing_that_can_be_removed_and_keeps_within_its_checks() {
        let checker = Checker::new(&crate::checker::Options::default()).expect("shipped");
        let black = DynamicImage::ImageRgb8(RgbImage::new(320, 240));
        let bytes = encode(&black, None).expect("encoded");
        let upload = Upload { bytes: &bytes, name: None };
        let settings = Settings { cells: (2, 1), ..Settings::default() };
        let explained = explain(&checker, &upload, &settings).expect("examined");
        assert!(explained.untested.contains(&"dark"), "{explained:?}");
        let reasons = explained.reasons.iter().map(|row| row.code).chain(explained.untested.iter().copied());
        let count = reasons.collect::<std::collections::BTreeSet<_>>().len() as u32;
        assert!(explained.checks <= 2 + 2 + 12 * count, "{explained:?}");
        assert_eq!(explained, explain(&checker, &upload, &settings).expect("examined again"));
    }

    #[test]
    fn a_named_screenshot_falls_without_its_name() {
        let checker = Checker::new(&crate::checker::Options::default()).expect("shipped");
        let picture = grey(320, 240, |x, y| 150.0 + noise(x, y, 4.0));
        let bytes = encode(&DynamicImage::ImageRgb8(picture), Some(90)).expect("encoded");
        let upload = Upload { bytes: &bytes, name: Some("Screenshot_20240102-101112.jpg") };
        let settings = Settings { cells: (1, 1), ..Settings::default() };
        let explained = explain(&checker, &upload, &settings).expect("examined");
        let row = explained.reasons.iter().find(|row| row.code == "screenshot").expect("named");
        assert_eq!((row.by, row.fell, row.random_fell), (By::Metadata, true, Some(false)));
    }
}
