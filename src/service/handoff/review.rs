//! A hand-off whose photographs wait for a person → what that person decided, told to who still looks on.

use std::time::Duration;

use super::session::{Handoff, Handoffs, Held, REMEMBERED, State};
use super::words::{StepDecision, StepState};
use crate::policy::Decision;
use crate::service::clock::ms;

/// How long a hand-off is held for a person to decide, after its own time.
const REVIEWED: Duration = Duration::from_hours(24);

/// Hand-offs held for that; the oldest go first.
const MOST_REVIEWED: usize = 1_000;

impl State {
    /// Whether all is done and a person has yet to decide.
    pub(super) fn in_review(&self) -> bool {
        let waits = |step: &super::session::Step| {
            let review = step.report.as_ref().is_some_and(|report| report.decision == Decision::Review);
            review && step.decided.is_none()
        };
        self.steps.iter().all(|step| step.state == StepState::Done) && self.steps.iter().any(waits)
    }

    /// Whether a hand-off whose time is over is still held, with what its sides look at alone.
    pub(super) fn keep(&mut self, now_ms: i64) -> bool {
        if self.expires_ms.saturating_add(ms(REMEMBERED)) > now_ms {
            return true;
        }
        for report in self.steps.iter_mut().filter_map(|step| step.report.as_mut()) {
            report.findings = Vec::new();
        }
        self.in_review() && self.expires_ms.saturating_add(ms(REVIEWED)) > now_ms
    }
}

impl Held {
    /// Forgets the oldest of those that wait for a person, where they are too many.
    pub(super) fn forget_reviewed(&mut self, now_ms: i64) {
        let mut waiting: Vec<_> = self
            .by_id
            .values()
            .filter(|handoff| !handoff.is_remembered(now_ms))
            .map(|handoff| (handoff.state.lock().expires_ms, handoff.id().to_owned(), handoff.token))
            .collect();
        if waiting.len() <= MOST_REVIEWED {
            return;
        }
        waiting.sort_unstable();
        for (_, id, token) in waiting.iter().take(waiting.len() - MOST_REVIEWED) {
            self.by_id.remove(id);
            self.by_token.remove(token);
        }
    }
}

impl Handoff {
    /// Whether it is open, or ended lately.
    pub(super) fn is_remembered(&self, now_ms: i64) -> bool {
        self.state.lock().expires_ms.saturating_add(ms(REMEMBERED)) > now_ms
    }
}

impl Handoffs {
    /// Tells the sides of the hand-off `id` what a person decided about the case of one of its steps.
    pub(crate) fn decided(&self, id: &str, case: &str, decision: &StepDecision) {
        let Some(handoff) = self.held.lock().by_id.get(id).cloned() else { return };
        let mut changed = false;
        {
            let mut state = handoff.state.lock();
            for step in state.steps.iter_mut().filter(|step| step.case.as_deref() == Some(case)) {
                changed |= step.decided.as_ref() != Some(decision);
                step.decided = Some(decision.clone());
            }
        }
        if changed {
            handoff.changed.send_replace(());
        }
    }

    /// Hand-offs that wait for a person, by id, and their cases that do: another process may hear of the decision.
    pub(crate) fn in_review(&self) -> Vec<(String, String)> {
        let held = self.held.lock();
        let mut waiting = Vec::new();
        #[expect(clippy::iter_over_hash_type, reason = "each is asked about, in whatever order")]
        for handoff in held.by_id.values() {
            let state = handoff.state.lock();
            if state.in_review() {
                let cases = state.steps.iter().filter(|step| step.decided.is_none());
                waiting.extend(cases.filter_map(|step| Some((handoff.id().to_owned(), step.case.clone()?))));
            }
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::super::session::Wanted;
    use super::*;
    use crate::evidence::Sentence;
    use crate::policy::Classification;
    use crate::report::{Finding, Report, SCHEMA_VERSION};
    use crate::scene::PictureHash;
    use crate::scoring::Scores;

    fn handoffs() -> Handoffs {
        Handoffs::new(Duration::from_mins(10), 1 << 20)
    }

    /// A report that a person is to look at.
    fn report() -> Report {
        let finding = Finding {
            detector: "exposure",
            outcome: "evidence",
            readings: BTreeMap::new(),
            explanation: Sentence::default(),
            marks: Vec::new(),
        };
        Report {
            schema_version: SCHEMA_VERSION,
            path: "-".to_owned(),
            path_bytes: None,
            sha256: String::new(),
            picture_hash: PictureHash::default(),
            media_type: "image/jpeg",
            width: 1,
            height: 1,
            classification: Classification::BonaFide,
            decision: Decision::Review,
            scores: Scores::default(),
            legible: None,
            document: None,
            reasons: Vec::new(),
            number: None,
            findings: vec![finding],
            policy_id: String::new(),
            models: BTreeMap::new(),
            tool_version: String::new(),
            judged_by: String::new(),
            elapsed_ms: 0.0,
        }
    }

    /// A hand-off of one step whose case `case` waits for a person.
    fn in_review(handoffs: &Handoffs, now_ms: i64) -> Arc<Handoff> {
        let wanted = Wanted {
            owner: "open".to_owned(),
            lane: format!("open:{}", now_ms % 4).into(),
            per_minute: None,
            policy: None,
            lang: None,
            reference: None,
            metadata: None,
            steps: vec![None],
        };
        let handoff = handoffs.open_for(wanted, now_ms).unwrap().handoff;
        let attempt = handoffs.begin(&handoff, 0, now_ms).unwrap();
        handoffs.finish(attempt, "case".to_owned(), report(), None).unwrap();
        handoff
    }

    fn accepted() -> StepDecision {
        StepDecision { decision: Decision::Accept, message: Some("fine".to_owned()), at: String::new() }
    }

    #[test]
    fn a_decision_reaches_who_looks_on() {
        let handoffs = handoffs();
        let handoff = in_review(&handoffs, 0);
        assert!(handoff.view(0).in_review);
        assert_eq!(handoffs.in_review(), [(handoff.id().to_owned(), "case".to_owned())]);
        let mut changes = handoff.watch();
        handoffs.decided(handoff.id(), "another", &accepted());
        assert!(!changes.has_changed().unwrap());
        handoffs.decided(handoff.id(), "case", &accepted());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        handoffs.decided(handoff.id(), "case", &accepted());
        assert!(!changes.has_changed().unwrap(), "nothing new");
        let view = handoff.view(0);
        assert!(!view.in_review && view.steps[0].decided == Some(accepted()));
        assert!(handoffs.in_review().is_empty());
    }

    #[test]
    fn one_that_waits_for_a_person_outlives_its_time_and_takes_no_place() {
        let handoffs = handoffs();
        let first = in_review(&handoffs, 0);
        let hour = 3_600_000;
        handoffs.sweep(hour);
        assert_eq!(handoffs.open(), 1);
        assert!(first.view(hour).steps[0].report.as_ref().is_some_and(|report| report.findings.is_empty()));
        for at in 1..=MOST_REVIEWED as i64 {
            in_review(&handoffs, at);
            handoffs.sweep(at + 2 * hour);
        }
        assert_eq!(handoffs.open(), MOST_REVIEWED, "the oldest went");
        handoffs.decided(first.id(), "case", &accepted());
        handoffs.sweep(30 * hour);
        assert_eq!(handoffs.open(), 0);
    }
}
