//! container

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Outcome, ReadingInfo};
use crate::scene::Scene;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "container",
        question: "",
        readings: &[ReadingInfo { id: "container.todo", unit: "", meaning: "" }],
        method: "",
        blind_spots: "",
    },
    build: |_| Box::new(Container),
};

struct Container;

impl Detector for Container {
    fn examine(&self, _scene: &Scene<'_>) -> Outcome {
        Abstention::new(AbstentionCause::NotApplicable, "not measured", "未测量").into()
    }
}
