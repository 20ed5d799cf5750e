//! A reason of a verdict → what it was judged by, and how its evidence can be removed.

use super::{By, Deleted};
use crate::detectors::{container, metadata};
use crate::evidence::{Mark, MarkKind, Reading};
use crate::policy::{Pointer, Reason, code};
use crate::report::{Finding, Report};

/// Kinds of marks whose evidence can be taken out of the pixels, in the order of the rows.
pub(super) const EDITABLE: [MarkKind; 7] = [
    MarkKind::Pattern,
    MarkKind::Device,
    MarkKind::Edge,
    MarkKind::Heat,
    MarkKind::Halftone,
    MarkKind::Glare,
    MarkKind::Cover,
];

/// Readings of what the file says of itself.
static SAID: [&Reading; 5] = [
    &metadata::SCREENSHOT_NAMED,
    &metadata::EDITOR_NAMED,
    &container::C2PA_SCREEN_CAPTURE,
    &container::C2PA_COMPOSITE,
    &container::C2PA_GENERATED,
];

/// A reason, and how it can be tested.
pub(super) struct Test<'a> {
    pub(super) reason: &'a Reason,
    /// Marks that show it.
    pub(super) marks: Vec<&'a Mark>,
    /// Whether learned networks speak for it, which point at nothing.
    pub(super) learned: bool,
    /// Whether it is what the file says of itself.
    pub(super) metadata: bool,
}

impl<'a> Test<'a> {
    pub(super) fn of(reason: &'a Reason, report: &'a Report) -> Self {
        let learned = matches!(reason.reading.as_str(), "score.screen" | "score.print");
        // Where a reading alone was judged, marks of another detector show something else.
        let judged = |finding: &Finding| reason.reading.split('.').next() == Some(finding.detector);
        let pointed = |pointer: &Pointer| match *pointer {
            Pointer::Mark { finding, .. } if !learned && !judged(report.findings.get(finding)?) => None,
            pointer => report.mark(pointer),
        };
        let mut marks: Vec<&Mark> = reason.shown_by.iter().filter_map(pointed).collect();
        // An edge of a device is marked where no more of it was found.
        if learned && code(reason.code).is_some_and(|code| code.shows(MarkKind::Device)) {
            let all = report.findings.iter().flat_map(|finding| &finding.marks);
            marks.extend(all.filter(|mark| mark.kind == MarkKind::Edge));
        }
        marks.retain(|mark| EDITABLE.contains(&mark.kind));
        let metadata = SAID.iter().any(|reading| reading.id == reason.reading);
        Self { reason, marks, learned, metadata }
    }

    pub(super) const fn edits_pixels(&self) -> bool {
        self.learned || !self.marks.is_empty()
    }

    /// Whether a value is on the bad side of the threshold, which is the side of the value that crossed it.
    pub(super) fn crossed(&self, value: f64) -> bool {
        let (score, threshold) = (self.reason.score, self.reason.threshold);
        if score >= threshold { value >= threshold } else { value < threshold }
    }

    /// By how much `after` is better than `before`.
    pub(super) fn gain(&self, before: f64, after: f64) -> f64 {
        if self.reason.score >= self.reason.threshold { before - after } else { after - before }
    }

    pub(super) fn row(&self, by: By, area_share: f64, values: [Option<f64>; 2], control: Option<Control>) -> Deleted {
        let [before, after] = values;
        // A file that says nothing accuses nobody; a score or reading of the pixels that is gone proves nothing.
        let fell = |value: Option<f64>| value.map_or(by == By::Metadata, |value| !self.crossed(value));
        Deleted {
            code: self.reason.code,
            quantity: self.reason.reading.clone(),
            threshold: self.reason.threshold,
            reported: self.reason.score,
            before,
            lost: before.is_none_or(|value| !self.crossed(value)),
            by,
            area_share,
            after,
            fell: fell(after),
            random_after: control.and_then(|Control(value)| value),
            random_fell: control.map(|Control(value)| fell(value)),
        }
    }
}

/// The quantity in a control, if it is measured there.
#[derive(Clone, Copy)]
pub(super) struct Control(pub(super) Option<f64>);

/// A score (`score.screen`) or reading of a report.
pub(super) fn measured(report: &Report, quantity: &str) -> Option<f64> {
    match quantity.strip_prefix("score.") {
        Some(name) => report.scores.named(name),
        None => report.findings.iter().find_map(|finding| finding.readings.get(quantity).copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;
    use super::*;
    use crate::geometry::PixelRect;

    #[test]
    fn a_score_falls_on_the_side_that_it_had_not_crossed() {
        let judged = report(0.9);
        let test = Test::of(&judged.reasons[0], &judged);
        assert!(test.learned && test.edits_pixels() && !test.metadata);
        let row = |before, after, random: Option<_>| test.row(By::Occlusion, 0.2, [before, after], random.map(Control));
        let fell = row(Some(0.85), Some(0.79), Some(Some(0.8)));
        assert!(fell.fell && !fell.lost && fell.random_fell == Some(false));
        assert!(row(Some(0.7), Some(0.7), None).lost);
        let unmeasured = row(Some(0.85), None, Some(None));
        assert!(!unmeasured.fell && unmeasured.random_fell == Some(false));
        // Below is the bad side where the value that crossed lies below.
        let reading = "exposure.bright_luma".to_owned();
        let dark = Reason { reading, score: 30.0, threshold: 60.0, ..judged.reasons[0].clone() };
        let test = Test { reason: &dark, ..test };
        assert!(test.row(By::Marks, 0.2, [Some(30.0), Some(61.0)], None).fell);
        assert!(test.gain(30.0, 61.0) > 0.0);
        assert_eq!(measured(&judged, "exposure.bright_luma"), Some(30.0));
    }

    #[test]
    fn a_risk_judged_by_something_else_is_not_tested() {
        let mut judged = report(0.9);
        let frame = PixelRect::new(0, 0, 1, 1).corners().to_vec();
        judged.findings[0].marks = vec![Mark { kind: MarkKind::Heat, polygon: frame, strength: 1.0, zone: None }];
        judged.reasons[0].shown_by = vec![Pointer::Mark { finding: 0, mark: 0 }];
        assert_eq!(Test::of(&judged.reasons[0], &judged).marks.len(), 1);
        judged.reasons[0].reading = "framing.tilt_deg".to_owned();
        assert!(!Test::of(&judged.reasons[0], &judged).edits_pixels());
        judged.reasons[0].reading = "exposure.bright_luma".to_owned();
        assert!(Test::of(&judged.reasons[0], &judged).edits_pixels(), "the detector that was judged made the mark");
    }
}
