//! sharpness

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Outcome, ReadingInfo};
use crate::scene::Scene;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "sharpness",
        question: "",
        readings: &[ReadingInfo { id: "sharpness.todo", unit: "", meaning: "" }],
        method: "",
        blind_spots: "",
    },
    build: |_| Box::new(Sharpness),
};

struct Sharpness;

impl Detector for Sharpness {
    fn examine(&self, _scene: &Scene<'_>) -> Outcome {
        Abstention::new(AbstentionCause::NotApplicable, "not measured", "未测量").into()
    }
}
