//! Overview, and a closer look at what it shows → log-odds of screen and print from a learned model of scenes.

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, Ix2};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::inference::{Model, write_planes};
use crate::scene::{LOCATOR_PX, Scene};
use crate::words::Fact;

pub static SCREEN_LOGODDS: Reading =
    Reading::new("scene_net.screen_logodds", "log-odds", "screen against bona fide, by the whole picture");
pub static NEAR_SCREEN_LOGODDS: Reading = Reading::new(
    "scene_net.near_screen_logodds",
    "log-odds",
    "the same, by the device or document and what lies about it",
);
pub static LOOKS_SCREEN_LOGODDS: Reading = Reading::new(
    "scene_net.looks_screen_logodds",
    "log-odds",
    "mean of both, or that of the whole alone where there is nothing to look at again",
);
pub static PRINT_LOGODDS: Reading =
    Reading::new("scene_net.print_logodds", "log-odds", "print against bona fide; in shadow");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "scene_net",
        question: "Does the whole picture look like a photograph of a screen or a print?",
        readings: &[&SCREEN_LOGODDS, &NEAR_SCREEN_LOGODDS, &LOOKS_SCREEN_LOGODDS, &PRINT_LOGODDS],
        method: "A pretrained EfficientNet-Lite0 looks twice at 192 × 192, at the whole picture and at the device or \
                 document with half its size about it: bezel, interface, veil, glow; mean and deviation of several \
                 maps and a linear head trained on labelled captures (models/README.md).",
        blind_spots: "A screen that fills the frame; pictures of laptops, posters and plastic cards may look like a \
                      screen. The print head has no honest figure yet and stays in shadow.",
    },
    build: |models| Box::new(SceneNet(models.get("scene_net"))),
};

struct SceneNet(Option<Arc<dyn Model>>);

impl Detector for SceneNet {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("scene_net") };
        let whole = match look(&**model, scene.squashed()) {
            Ok(whole) => whole,
            Err(error) => return failed(&error),
        };
        let near = match scene.near().map(|near| look(&**model, &near.pixels).map(|said| (near, said[0]))).transpose() {
            Ok(near) => near,
            Err(error) => return failed(&error),
        };
        let [screen, print] = whole;
        let mut evidence = Evidence::told(Fact::Scene { screen, again: near.map(|(_, again)| again) });
        evidence.read(&SCREEN_LOGODDS, screen);
        if let Some((near, again)) = near {
            evidence.read(&NEAR_SCREEN_LOGODDS, again);
            if again > 0.0 {
                evidence.mark(MarkKind::Heat, near.rect.corners(), (1.0 / (1.0 + (-again).exp())) as f32);
            }
        }
        evidence.read(&LOOKS_SCREEN_LOGODDS, near.map_or(screen, |(_, again)| f64::midpoint(screen, again)));
        evidence.read(&PRINT_LOGODDS, print);
        evidence.into()
    }
}

/// What the network says of one look: log-odds of screen and of print.
fn look(model: &dyn Model, pixels: &RgbImage) -> Result<[f64; 2], String> {
    let side = LOCATOR_PX as usize;
    let mut input = Array4::zeros((1, 3, side, side));
    write_planes(pixels, input.as_slice_mut().unwrap_or_default());
    let outputs = model.run(input.view().into_dyn()).map_err(|error| error.to_string())?;
    match outputs.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix2>) {
        Some(Ok(logits)) if logits.dim() == (1, 2) => Ok([logits[[0, 0]], logits[[0, 1]]].map(f64::from)),
        _ => Err("the model gave other outputs than logits".to_owned()),
    }
}
