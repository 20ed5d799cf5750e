//! Overview, and a closer look at what it shows → log-odds of screen and print from a learned model of scenes.

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, Ix2};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::inference::{Model, write_planes};
use crate::scene::{LOCATOR_PX, Scene};

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "scene_net",
        question: "Does the whole picture look like a photograph of a screen or a print?",
        readings: &[
            ReadingInfo {
                id: "scene_net.screen_logodds",
                unit: "log-odds",
                meaning: "screen against bona fide, by the whole picture",
            },
            ReadingInfo {
                id: "scene_net.near_screen_logodds",
                unit: "log-odds",
                meaning: "the same, by the device or document and what lies about it",
            },
            ReadingInfo {
                id: "scene_net.looks_screen_logodds",
                unit: "log-odds",
                meaning: "mean of both, or that of the whole alone where there is nothing to look at again",
            },
            ReadingInfo {
                id: "scene_net.print_logodds",
                unit: "log-odds",
                meaning: "print against bona fide; in shadow",
            },
        ],
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
        let mut evidence = Evidence::told(match near {
            None => Sentence::new(
                format!("The picture as a whole gives log-odds {screen:+.1} for a screen."),
                format!("整幅画面给出屏幕翻拍的对数几率 {screen:+.1}。"),
            ),
            Some((_, again)) => Sentence::new(
                format!(
                    "The picture as a whole gives log-odds {screen:+.1} for a screen, a closer look at its subject \
                     {again:+.1}."
                ),
                format!("整幅画面给出屏幕翻拍的对数几率 {screen:+.1}，近看主体为 {again:+.1}。"),
            ),
        });
        evidence.read("scene_net.screen_logodds", screen);
        if let Some((near, again)) = near {
            evidence.read("scene_net.near_screen_logodds", again);
            if again > 0.0 {
                evidence.mark(MarkKind::Heat, near.rect.corners(), (1.0 / (1.0 + (-again).exp())) as f32);
            }
        }
        evidence.read("scene_net.looks_screen_logodds", near.map_or(screen, |(_, again)| f64::midpoint(screen, again)));
        evidence.read("scene_net.print_logodds", print);
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
