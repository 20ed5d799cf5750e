//! texture_net

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Outcome, ReadingInfo};
use crate::scene::Scene;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "texture_net",
        question: "",
        readings: &[ReadingInfo { id: "texture_net.todo", unit: "", meaning: "" }],
        method: "",
        blind_spots: "",
    },
    build: |_| Box::new(TextureNet),
};

struct TextureNet;

impl Detector for TextureNet {
    fn examine(&self, _scene: &Scene<'_>) -> Outcome {
        Abstention::new(AbstentionCause::NotApplicable, "not measured", "未测量").into()
    }
}
