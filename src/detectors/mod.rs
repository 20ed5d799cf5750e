//! One detector, one file, one line in [`DETECTORS`]; documentation, `explain`, JSON, overlays and benches follow.

mod bezel;
mod colour;
pub(crate) mod container;
mod cover;
pub(crate) mod document_net;
mod exposure;
mod framing;
mod glare;
mod halftone;
pub(crate) mod legibility;
mod locator;
pub(crate) mod metadata;
mod moire;
mod number;
#[cfg(feature = "qr")]
mod qr;
mod rendered;
mod resolution;
pub(crate) mod scene_net;
mod seal;
mod shadow;
mod sharpness;
mod sheet;
pub(crate) mod texture_net;
mod title;
mod validity;

use serde::Serialize;

use crate::evidence::{Abstention, AbstentionCause, Outcome, Reading};
use crate::inference::Models;
use crate::scene::Scene;
use crate::words::Fact;

/// Measures one thing about a scene. No threshold on the outcome, no other detector's findings, no files, no clock
/// beyond the scene's deadline.
pub trait Detector: Send + Sync {
    /// What is measured on `scene`, or why nothing could be.
    fn examine(&self, scene: &Scene<'_>) -> Outcome;

    /// Whether it waits until a rule of the policy asks for one of its readings.
    fn waits(&self) -> bool {
        false
    }
}

/// What a detector is, told once for the documentation, `explain` and the README.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct DetectorInfo {
    /// Name in reports and reading ids.
    pub id: &'static str,
    /// What it asks of the picture.
    pub question: &'static str,
    /// What it measures.
    pub readings: &'static [&'static Reading],
    /// How, with the source.
    pub method: &'static str,
    /// What it cannot see, and what may mislead it.
    pub blind_spots: &'static str,
}

/// A line of the registry.
pub struct Entry {
    /// What it is.
    pub info: DetectorInfo,
    /// Makes the detector, given the models.
    pub build: fn(&Models) -> Box<dyn Detector>,
}

/// Every detector, in the order of reports.
pub const DETECTORS: &[Entry] = &[
    moire::ENTRY,
    bezel::ENTRY,
    halftone::ENTRY,
    colour::ENTRY,
    sheet::ENTRY,
    texture_net::ENTRY,
    scene_net::ENTRY,
    metadata::ENTRY,
    container::ENTRY,
    rendered::ENTRY,
    sharpness::ENTRY,
    glare::ENTRY,
    exposure::ENTRY,
    shadow::ENTRY,
    framing::ENTRY,
    resolution::ENTRY,
    locator::ENTRY,
    document_net::ENTRY,
    legibility::ENTRY,
    cover::ENTRY,
    seal::ENTRY,
    title::ENTRY,
    number::ENTRY,
    validity::ENTRY,
    #[cfg(feature = "qr")]
    qr::ENTRY,
];

/// Every reading that a detector may make.
pub fn readings() -> impl Iterator<Item = &'static Reading> {
    DETECTORS.iter().flat_map(|entry| entry.info.readings).copied()
}

/// The abstention of a detector whose model is not loaded.
fn abstain_without_model(id: &str) -> Outcome {
    Abstention::new(AbstentionCause::NoModel, Fact::ModelMissing { model: id }).into()
}

/// The abstention of a detector that could not finish.
fn failed(cause: &dyn std::fmt::Display) -> Outcome {
    Abstention::new(AbstentionCause::Failed, Fact::NotMeasured { cause: &cause.to_string() }).into()
}

/// Rows of the overview and the columns of each that lie on the document, or all when none was found.
fn document_rows(scene: &Scene<'_>) -> Vec<(u32, std::ops::Range<u32>)> {
    let overview = scene.overview();
    let (width, height) = overview.luma.dimensions();
    let Some(document) = scene.document() else { return (0..height).map(|y| (y, 0..width)).collect() };
    let corners = document.quad.scaled(1.0 / overview.scale).0;
    let span = |y: u32| {
        // A convex outline meets the middle of a row in two places or not at all.
        let middle = y as f32 + 0.5;
        let (mut first, mut last) = (f32::INFINITY, f32::NEG_INFINITY);
        for i in 0..4 {
            let (a, b) = (corners[i], corners[(i + 1) % 4]);
            if (a.y <= middle) != (b.y <= middle) {
                let x = a.x + (middle - a.y) / (b.y - a.y) * (b.x - a.x);
                (first, last) = (first.min(x), last.max(x));
            }
        }
        let column = |x: f32| x.round().clamp(0.0, width as f32) as u32;
        (first < last).then(|| (y, column(first)..column(last)))
    };
    (0..height).filter_map(span).filter(|(_, columns)| !columns.is_empty()).collect()
}

/// Scenes made for the tests of detectors.
#[cfg(test)]
pub(crate) mod testing {
    use super::Detector;
    use crate::capture::{Capture, Container, MediaType, Metadata, Orientation, Pixels};
    use crate::evidence::{Evidence, Outcome};
    use crate::scene::{Deadline, survey};

    /// A grey capture of `width` × `height` whose luma is `luma(x, y)`.
    pub(crate) fn grey(width: u32, height: u32, luma: impl Fn(u32, u32) -> u8) -> Capture {
        let samples = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).map(|(x, y)| luma(x, y)).collect();
        let pixels = Pixels::new(width, height, samples, Orientation::Upright).expect("width times height samples");
        Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default())
    }

    /// What `detector` measures on [`grey`].
    pub(crate) fn examine_grey(
        detector: &dyn Detector,
        width: u32,
        height: u32,
        luma: impl Fn(u32, u32) -> u8,
    ) -> Evidence {
        let capture = grey(width, height, luma);
        match detector.examine(&survey(&capture, Deadline::NEVER)) {
            Outcome::Evidence(evidence) => evidence,
            Outcome::Abstained(abstention) => panic!("{}", abstention.explanation.en),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::capture::{Limits, Upload, decode};
    use crate::inference::{EngineChoice, ModelSource};
    use crate::scene::{Classifier, Deadline, Locator, Networks, survey};

    /// A card with a highlight, a passport on a screen, a printed licence whose code is read.
    const SAMPLES: [&[u8]; 3] = [
        include_bytes!("../../datasets/samples/original_card_glare_02.jpg"),
        include_bytes!("../../datasets/samples/screen_lcd_passport_08.jpg"),
        include_bytes!("../../datasets/samples/print_colour_page_06.jpg"),
    ];

    #[test]
    fn what_a_detector_measures_it_has_declared_and_measures_once() {
        let models = Models::load(&ModelSource::Shipped, EngineChoice::Embedded).expect("shipped models");
        let networks = Networks {
            locator: models.get("locator_net").map(Locator::new),
            classifier: models.get("document_net").map(Classifier::new),
        };
        let mut measured = BTreeSet::new();
        for bytes in SAMPLES {
            let capture = decode(&Upload { bytes, name: None }, &Limits::default()).expect("a sample");
            let scene = survey(&capture, Deadline::NEVER).guided_by(&networks);
            for entry in DETECTORS {
                let Outcome::Evidence(evidence) = (entry.build)(&models).examine(&scene) else { continue };
                let mut once = BTreeSet::new();
                for reading in evidence.readings.iter().map(|measured| measured.reading) {
                    let declared = entry.info.readings.iter().any(|declared| std::ptr::eq(*declared, reading));
                    assert!(declared, "{} has not declared {}", entry.info.id, reading.id);
                    assert!(once.insert(reading.id), "{} is measured twice", reading.id);
                }
                measured.extend(once);
            }
        }
        assert!(measured.len() > 100, "only {} of {} were measured", measured.len(), readings().count());
    }

    #[test]
    fn ids_are_unique_and_readings_carry_their_detector() {
        let mut seen = BTreeSet::new();
        for entry in DETECTORS {
            assert!(seen.insert(entry.info.id), "two detectors are called {}", entry.info.id);
            assert!(!entry.info.readings.is_empty(), "{} measures nothing", entry.info.id);
            for reading in entry.info.readings {
                assert!(reading.id.starts_with(&format!("{}.", entry.info.id)), "{}", reading.id);
                assert!(seen.insert(reading.id), "two readings are called {}", reading.id);
            }
        }
        assert!(seen.len() > 20);
    }
}
