//! The learned locator and the search along straight edges → whether there is a document, and whether both agree.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::geometry::Point;
use crate::scene::{Maps, Scene};
use crate::vocabulary::Face;
use crate::words::{Fact, Found};

pub static FOUND: Reading =
    Reading::flag("locator.found", "a document was found, and is none of the things that only look like one");
pub static FILLS_FRAME: Reading =
    Reading::flag("locator.fills_frame", "no border was found, and the whole picture looks like a document");
pub static CONFIDENCE: Reading =
    Reading::share("locator.confidence", "mean probability of the learned locator inside the document");
pub static EDGE_SUPPORT: Reading =
    Reading::share("locator.edge_support", "part of the document's border that is a straight edge of the picture");
pub static OTHERS_COUNT: Reading =
    Reading::count("locator.others_count", "other things that may be documents; the largest is looked at");
pub static DEVICE: Reading = Reading::flag("locator.device", "a device was seen around the document");
pub static DEVICE_CONFIDENCE: Reading = Reading::share(
    "locator.device_confidence",
    "mean probability of the learned locator inside the device that shows what the picture is about; 0 where none is seen",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "locator",
        question: "Where is the document?",
        readings: &[&FOUND, &FILLS_FRAME, &CONFIDENCE, &EDGE_SUPPORT, &OTHERS_COUNT, &DEVICE, &DEVICE_CONFIDENCE],
        method: "A small network on the picture at 192 × 192 marks document and device; four sides are fitted to where \
                 it passes one half. Quadrilaterals of straight edges (Hough transform on signed gradients) that agree \
                 with it are preferred; otherwise its own sides are laid on the straight edges beside them.",
        blind_spots: "Blank sheets count as background. A document that fills the frame is seen only where the \
                      whole picture looks like one. Trained on made-up \
                      scenes and few phone frames.",
    },
    build: |_| Box::new(Locator),
};

struct Locator;

impl Detector for Locator {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let others = scene.maps().map(Maps::others);
        let device = scene.maps().and_then(Maps::shown_on);
        let device = device.map(|found| found.confidence);
        let Some(document) = scene.subject() else {
            let mut evidence = Evidence::told(Fact::Located { found: Found::Nothing, others: 0, device });
            evidence.flag(&FOUND, false);
            if let Some(others) = others {
                evidence.read(&OTHERS_COUNT, others as f64);
            }
            measure_device(scene, &mut evidence);
            return evidence.into();
        };
        let edges = document.edge_support;
        let known = scene.seen().is_none_or(|seen| seen.face().0 != Face::None);
        let found = match (known, document.fills_frame) {
            (true, true) => Found::FullFrame,
            (true, false) => Found::Document { edges },
            (false, _) => Found::NoDocument { edges },
        };
        let mut evidence = Evidence::told(Fact::Located { found, others: others.unwrap_or(0), device });
        evidence.flag(&FOUND, known);
        evidence.flag(&FILLS_FRAME, document.fills_frame);
        evidence.read(&EDGE_SUPPORT, f64::from(document.edge_support));
        evidence.flag(&DEVICE, document.device.is_some());
        if let Some(others) = others {
            evidence.read(&OTHERS_COUNT, others as f64);
        }
        if let Some(confidence) = document.confidence {
            evidence.read(&CONFIDENCE, f64::from(confidence));
        }
        measure_device(scene, &mut evidence);
        evidence.into()
    }
}

/// Adds how sure the network is of a device that shows what the picture is about, and its border.
fn measure_device(scene: &Scene<'_>, evidence: &mut Evidence) {
    let Some(maps) = scene.maps() else { return };
    let device = maps.shown_on();
    evidence.read(&DEVICE_CONFIDENCE, device.map_or(0.0, |found| f64::from(found.confidence)));
    let Some(found) = device else { return };
    let (width, height) = (scene.capture().width() as f32, scene.capture().height() as f32);
    evidence.mark(MarkKind::Device, found.quad.0.map(|p| Point::new(p.x * width, p.y * height)), found.confidence);
}
