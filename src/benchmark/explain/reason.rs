//! A reason of a verdict → what it was judged by, and how its evidence can be removed.

use super::{By, Deleted};
use crate::evidence::MarkKind;
use crate::policy::Reason;
use crate::report::Report;

/// A reason, and how it can be tested.
pub(super) struct Test<'a> {
    pub(super) reason: &'a Reason,
    pub(super) quantity: String,
    /// Kinds of marks that show it.
    pub(super) shown_by: &'static [MarkKind],
    /// Whether learned networks speak for it, which point at nothing.
    pub(super) learned: bool,
    /// Whether it is what the file says of itself.
    pub(super) metadata: bool,
}

impl<'a> Test<'a> {
    pub(super) fn of(reason: &'a Reason, report: &Report) -> Self {
        let (quantities, shown_by, learned, metadata): (&[&str], &'static [MarkKind], _, _) = match reason.code {
            "screen_recapture" => {
                let kinds = &[MarkKind::Pattern, MarkKind::Device, MarkKind::Edge, MarkKind::Heat];
                (&["score.screen"], kinds, true, false)
            }
            "print_recapture" => (&["score.print"], &[MarkKind::Halftone], true, false),
            "glare" => (&["glare.print_share", "glare.reflection_share"], &[MarkKind::Glare], false, false),
            "covered" => (&["cover.print_share", "cover.share"], &[MarkKind::Cover], false, false),
            "screenshot" => (&["metadata.screenshot_named", "container.c2pa_screen_capture"], &[], false, true),
            "edited" => {
                let says = &["metadata.editor_named", "container.c2pa_composite", "container.c2pa_generated"];
                (says, &[], false, true)
            }
            _ => (&[], &[], false, false),
        };
        // A policy of one's own may judge a risk by something else: then nothing is known of what shows it.
        let judged = quantities.iter().find(|quantity| measured(report, quantity) == Some(reason.score));
        let known = judged.is_some();
        Self {
            reason,
            quantity: (*judged.unwrap_or(&"")).to_owned(),
            shown_by: if known { shown_by } else { &[] },
            learned: learned && known,
            metadata: metadata && known,
        }
    }

    pub(super) const fn edits_pixels(&self) -> bool {
        self.learned || !self.shown_by.is_empty()
    }

    /// Whether a value is on the bad side of the threshold, which is the side of the value that crossed it.
    pub(super) fn crossed(&self, value: f64) -> bool {
        let Reason { score, threshold, .. } = *self.reason;
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
            quantity: self.quantity.clone(),
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
        let dark = Reason { score: 30.0, threshold: 60.0, ..judged.reasons[0].clone() };
        let test = Test { reason: &dark, quantity: "exposure.bright_luma".to_owned(), ..test };
        assert!(test.row(By::Marks, 0.2, [Some(30.0), Some(61.0)], None).fell);
        assert!(test.gain(30.0, 61.0) > 0.0);
        assert_eq!(measured(&judged, "exposure.bright_luma"), Some(30.0));
    }

    #[test]
    fn a_risk_judged_by_something_else_is_not_tested() {
        let mut judged = report(0.9);
        judged.reasons[0].score = 12.0;
        assert!(!Test::of(&judged.reasons[0], &judged).edits_pixels());
    }
}
