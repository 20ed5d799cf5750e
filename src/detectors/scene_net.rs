//! scene_net

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Outcome, ReadingInfo};
use crate::scene::Scene;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "scene_net",
        question: "",
        readings: &[ReadingInfo { id: "scene_net.todo", unit: "", meaning: "" }],
        method: "",
        blind_spots: "",
    },
    build: |_| Box::new(SceneNet),
};

struct SceneNet;

impl Detector for SceneNet {
    fn examine(&self, _scene: &Scene<'_>) -> Outcome {
        Abstention::new(AbstentionCause::NotApplicable, "not measured", "未测量").into()
    }
}
