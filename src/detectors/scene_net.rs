//! Overview → log-odds of screen and print from a learned model of the whole scene.

use std::sync::Arc;

use ndarray::{Array4, Ix2};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Evidence, Outcome, ReadingInfo, Sentence};
use crate::inference::{Model, write_planes};
use crate::scene::{LOCATOR_PX, Scene};

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "scene_net",
        question: "Does the whole picture look like a photograph of a screen or a print?",
        readings: &[
            ReadingInfo { id: "scene_net.screen_logodds", unit: "log-odds", meaning: "screen against bona fide" },
            ReadingInfo {
                id: "scene_net.print_logodds",
                unit: "log-odds",
                meaning: "print against bona fide; in shadow",
            },
        ],
        method: "A pretrained EfficientNet-Lite0 on the whole picture at 192 × 192: bezel, interface, veil, glow; mean \
                 and deviation of several maps and a linear head trained on labelled captures (models/README.md).",
        blind_spots: "A screen that fills the frame; pictures of laptops, posters and plastic cards may look like a \
                      screen. The print head has no honest figure yet and stays in shadow.",
    },
    build: |models| Box::new(SceneNet(models.get("scene_net"))),
};

struct SceneNet(Option<Arc<dyn Model>>);

impl Detector for SceneNet {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("scene_net") };
        let side = LOCATOR_PX as usize;
        let mut input = Array4::zeros((1, 3, side, side));
        write_planes(scene.squashed(), input.as_slice_mut().unwrap_or_default());
        let outputs = match model.run(input.view().into_dyn()) {
            Ok(outputs) => outputs,
            Err(error) => return failed(&error),
        };
        let Some(Ok(logits)) = outputs.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix2>) else {
            return failed(&"the model gave other outputs than logits");
        };
        let (screen, print) = (f64::from(logits[[0, 0]]), f64::from(logits[[0, 1]]));
        let mut evidence = Evidence::told(Sentence::new(
            format!("The picture as a whole gives log-odds {screen:+.1} for a screen."),
            format!("整幅画面给出屏幕翻拍的对数几率 {screen:+.1}。"),
        ));
        evidence.read("scene_net.screen_logodds", screen);
        evidence.read("scene_net.print_logodds", print);
        evidence.into()
    }
}
