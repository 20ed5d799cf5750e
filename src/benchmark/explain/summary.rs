//! Explanations → how many rows of one code and sort of evidence came out how.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Explanation;

/// How many rows of one code and sort of evidence came out how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Risk code.
    pub code: &'static str,
    /// Whose word the removed evidence is, as [`super::By`] is written.
    pub by: String,
    /// Rows whose quantity still crosses its threshold after re-encoding: those that the other numbers count.
    pub tested: u64,
    /// Rows in which re-encoding alone was enough; counted nowhere else.
    pub lost: u64,
    /// Without the evidence it fell.
    pub fell: u64,
    /// Rows with a control.
    pub controls: u64,
    /// Of these, rows in which it fell without the evidence.
    pub controlled_fell: u64,
    /// In the control it fell.
    pub random_fell: u64,
}

/// Counts, by code and sort of evidence, in the order of their names.
#[must_use]
pub fn summary(explanations: &[Explanation]) -> Vec<Summary> {
    let mut counts: BTreeMap<(&'static str, String), Summary> = BTreeMap::new();
    for row in explanations.iter().flat_map(|explanation| &explanation.reasons) {
        let by = row.by.to_string();
        let count = counts.entry((row.code, by.clone())).or_insert_with(|| Summary {
            code: row.code,
            by,
            tested: 0,
            lost: 0,
            fell: 0,
            controls: 0,
            controlled_fell: 0,
            random_fell: 0,
        });
        if row.lost {
            count.lost += 1;
            continue;
        }
        count.tested += 1;
        count.fell += u64::from(row.fell);
        count.controls += u64::from(row.random_fell.is_some());
        count.controlled_fell += u64::from(row.fell && row.random_fell.is_some());
        count.random_fell += u64::from(row.random_fell == Some(true));
    }
    counts.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::super::reason::{Control, Test};
    use super::super::testing::report;
    use super::super::{By, Deleted};
    use super::*;
    use crate::evidence::MarkKind;
    use crate::policy::Decision;

    #[test]
    fn counts_leave_out_what_reencoding_alone_lost() {
        let judged = report(0.9);
        let test = Test::of(&judged.reasons[0], &judged);
        let pattern = By::Mark(MarkKind::Pattern);
        let rows = [
            test.row(pattern, 0.1, [Some(0.9), Some(0.5)], Some(Control(Some(0.9)))),
            test.row(pattern, 0.1, [Some(0.9), Some(0.9)], Some(Control(Some(0.5)))),
            test.row(pattern, 0.1, [Some(0.7), Some(0.5)], Some(Control(Some(0.5)))),
            test.row(By::Occlusion, 0.0, [Some(0.9), Some(0.9)], None),
            test.row(pattern, 0.8, [Some(0.9), Some(0.5)], None),
        ];
        let explanation = |reasons: &[Deleted]| Explanation {
            path: "-".to_owned(),
            decision: Decision::Reject,
            reasons: reasons.to_vec(),
            untested: Vec::new(),
            checks: 1,
        };
        let counts = summary(&[explanation(&rows[..2]), explanation(&rows[2..])]);
        let told: Vec<_> = counts
            .iter()
            .map(|c| (c.by.as_str(), c.tested, c.lost, c.fell, c.controls, c.controlled_fell, c.random_fell))
            .collect();
        assert_eq!(told, [("mark_pattern", 3, 1, 2, 2, 1, 1), ("occlusion", 1, 0, 0, 0, 0, 0)]);
    }
}
