//! The learned locator and the search along straight edges → whether there is a document, and whether both agree.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading, Sentence};
use crate::geometry::Point;
use crate::scene::{Maps, Scene};
use crate::vocabulary::Face;

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
        let Some(document) = scene.subject() else {
            let (en, zh) = ("No document was found in the picture.", "画面中未找到证件。");
            let mut evidence = Evidence::told(Sentence::new(en, zh));
            evidence.flag(&FOUND, false);
            if let Some(maps) = scene.maps() {
                evidence.read(&OTHERS_COUNT, maps.others() as f64);
            }
            tell_device(scene, &mut evidence);
            return evidence.into();
        };
        let edges = 100.0 * document.edge_support;
        let known = scene.seen().is_none_or(|seen| seen.face().0 != Face::None);
        let told = match (known, document.fills_frame) {
            (true, true) => Sentence::new(
                "No border was found; the whole picture looks like a document.",
                "未找到边框；整幅画面看起来就是证件。",
            ),
            (true, false) => Sentence::new(
                format!("A document was found; {edges:.0} % of its border is a straight edge."),
                format!("找到证件，边框的 {edges:.0}% 为直边。"),
            ),
            (false, _) => Sentence::new(
                format!("Something with four sides was found, {edges:.0} % of them straight edges, but no document."),
                format!("找到四边形物体，边框的 {edges:.0}% 为直边，但不是证件。"),
            ),
        };
        let others = scene.maps().map(Maps::others);
        let mut evidence = Evidence::told(match others {
            Some(others @ 1..) => Sentence::new(
                format!("{} {others} other things may be documents too; the largest was looked at.", told.en),
                format!("{}另有 {others} 个疑似证件，仅检查最大的一个。", told.zh),
            ),
            _ => told,
        });
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
        tell_device(scene, &mut evidence);
        evidence.into()
    }
}

/// Adds how sure the network is of a device that shows what the picture is about, and its border.
fn tell_device(scene: &Scene<'_>, evidence: &mut Evidence) {
    let Some(maps) = scene.maps() else { return };
    let device = maps.shown_on();
    evidence.read(&DEVICE_CONFIDENCE, device.map_or(0.0, |found| f64::from(found.confidence)));
    let Some(found) = device else { return };
    let (width, height) = (scene.capture().width() as f32, scene.capture().height() as f32);
    evidence.mark(MarkKind::Device, found.quad.0.map(|p| Point::new(p.x * width, p.y * height)), found.confidence);
    let percent = 100.0 * found.confidence;
    let Sentence { en, zh } = &evidence.explanation;
    evidence.explanation = Sentence::new(
        format!("{en} A device may lie about it ({percent:.0} %)."),
        format!("{zh}其周围可能有设备（{percent:.0}%）。"),
    );
}
