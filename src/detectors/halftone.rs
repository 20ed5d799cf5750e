//! halftone

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Outcome, ReadingInfo};
use crate::scene::Scene;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "halftone",
        question: "",
        readings: &[ReadingInfo { id: "halftone.todo", unit: "", meaning: "" }],
        method: "",
        blind_spots: "",
    },
    build: |_| Box::new(Halftone),
};

struct Halftone;

impl Detector for Halftone {
    fn examine(&self, _scene: &Scene<'_>) -> Outcome {
        Abstention::new(AbstentionCause::NotApplicable, "not measured", "未测量").into()
    }
}
