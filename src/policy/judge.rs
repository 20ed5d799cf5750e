//! Rules on scores and readings → verdict, each reason with what it was judged on and what shows it.

use std::collections::BTreeSet;

use strum::VariantArray as _;

use super::rules::Policy;
use super::schema::{Bad, Condition, Rule, Severity};
use super::{Classification, Code, Decision, Pointer, Reason, Verdict};
use crate::detectors::document_net;
use crate::geometry::Point;
use crate::scoring::{Readings, Scores};
use crate::vocabulary::{Face, Zone};
use crate::words::Sentence;

/// Where a risk shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// On the picture, in upright capture pixels.
    pub polygon: Vec<Point>,
    /// On the document, where that is known.
    pub zone: Option<Zone>,
    /// Everything in the report that shows it; what the polygon is of comes first.
    pub shown_by: Vec<Pointer>,
}

impl Condition {
    fn holds(&self, scores: &Scores, readings: &Readings) -> bool {
        value(&self.quantity, scores, readings).is_some_and(|value| {
            self.above.is_none_or(|limit| value >= limit) && self.below.is_none_or(|limit| value < limit)
        })
    }
}

/// The score or reading that a policy names, if it was measured.
fn value(quantity: &str, scores: &Scores, readings: &Readings) -> Option<f64> {
    match quantity.strip_prefix("score.") {
        Some(name) => scores.named(name),
        None => readings.get(quantity).copied(),
    }
}

impl Policy {
    /// Judges. `place` says where a risk shows, if it does.
    #[must_use]
    pub fn judge(&self, scores: &Scores, readings: &Readings, place: impl Fn(&Code) -> Option<Place>) -> Verdict {
        let legible = scores.legibility.map(|score| score >= self.legible_from);
        let share = |face: &Face| readings.get(document_net::share_of(*face).id).copied();
        let known = Face::VARIANTS.iter().filter_map(|face| Some((*face, share(face)?)));
        let likeliest = known.max_by(|a, b| a.1.total_cmp(&b.1));
        let face = likeliest.map(|(face, _)| face);
        // A document is called by its kind where it is likelier to be that than anything else together.
        let called = likeliest.and_then(|(face, share)| (share >= 0.5).then_some(face));
        let mut found: Vec<Found<'_>> = Vec::new();
        let mut species = None;
        let all = |conditions: &Vec<Condition>| conditions.iter().all(|condition| condition.holds(scores, readings));
        for (_, code, rule) in self.rules.iter().filter(|(_, _, rule)| rule.enabled) {
            let applies = rule.faces.as_ref().is_none_or(|faces| face.is_some_and(|face| faces.contains(&face)))
                && face.is_none_or(|face| !rule.not_faces.contains(&face))
                && all(&rule.when)
                && !rule.unless.iter().any(all);
            let Some(value) = value(&rule.quantity, scores, readings).filter(|_| applies) else { continue };
            if let (Some(named), Some(margin)) = (code.species, rule.classify.and_then(|t| rule.crossed(value, t)))
                && species.is_none_or(|(_, best)| margin > best)
            {
                species = Some((named, margin));
            }
            let Some((action, threshold, margin)) = rule.action(value) else { continue };
            let place = place(code);
            let zone = place.as_ref().and_then(|place| place.zone);
            let Sentence { en, zh } = code.told(action, zone, called);
            let (polygon, shown_by) = place.map(|place| (place.polygon, place.shown_by)).unzip();
            found.push(Found {
                severity: rule.severity,
                past: rule.past(margin, threshold),
                fallback: rule.fallback,
                supersedes: rule.supersedes,
                yields_to: &rule.yields_to,
                reason: Reason {
                    code: code.code(),
                    action,
                    reading: rule.quantity.clone(),
                    score: value,
                    threshold,
                    margin,
                    shown_by: shown_by.unwrap_or_default(),
                    polygon,
                    zone,
                    en,
                    zh,
                },
            });
        }
        let told: BTreeSet<&str> = found.iter().map(|found| found.reason.code).collect();
        let yields = |found: &Found<'_>| found.yields_to.iter().any(|code| told.contains(code.as_str()));
        found.retain(|found| found.reason.action != Decision::Review || !yields(found));
        // Of equal weight the one that has gone further from its threshold to what leaves no doubt comes first:
        // quantities of different units have nothing else in common.
        found.sort_by(|a, b| {
            (b.reason.action, b.severity)
                .cmp(&(a.reason.action, a.severity))
                .then(b.past.total_cmp(&a.past))
                .then_with(|| a.reason.code.cmp(b.reason.code))
        });
        let worst = found.iter().map(|found| found.reason.action).max().unwrap_or(Decision::Accept);
        if let Some(action) = found.iter().filter(|found| found.supersedes).map(|found| found.reason.action).max() {
            found.retain(|found| found.supersedes || found.reason.action > action);
        }
        let named = found.iter().any(|found| !found.fallback);
        let mut told = BTreeSet::new();
        found.retain(|found| !(named && found.fallback) && told.insert(found.reason.code));
        if let Some(most) = self.reasons_at_most {
            found.retain(|found| found.reason.action == worst);
            found.truncate(most);
        }
        let reasons = found.into_iter().map(|found| found.reason).collect();
        let silent = scores.screen.is_none() && scores.print.is_none();
        let classification = match species {
            Some((species, _)) => Classification::Attack(species),
            None if silent => Classification::NoResponse,
            None => Classification::BonaFide,
        };
        // Nothing was measured that could accuse: a person has to look.
        let decision = if silent { worst.max(Decision::Review) } else { worst };
        Verdict { classification, legible, decision, reasons }
    }
}

/// A rule that speaks.
struct Found<'a> {
    severity: Severity,
    /// How far the value has gone to the one that leaves no doubt.
    past: f64,
    fallback: bool,
    supersedes: bool,
    yields_to: &'a [String],
    reason: Reason,
}

impl Rule {
    /// By how much `value` is past `threshold`, if it is.
    pub(super) fn crossed(&self, value: f64, threshold: f64) -> Option<f64> {
        let margin = if self.bad == Bad::Above { value - threshold } else { threshold - value };
        (margin > 0.0 || (margin == 0.0 && self.bad == Bad::Above)).then_some(margin)
    }

    /// How far a value `margin` past `threshold` has gone to the one that leaves no doubt.
    fn past(&self, margin: f64, threshold: f64) -> f64 {
        let sure = self.sure.unwrap_or(match self.bad {
            Bad::Below => 0.0,
            Bad::Above if threshold < 1.0 => 1.0,
            Bad::Above => 2.0 * threshold,
        });
        margin / (sure - threshold).abs().max(1e-9)
    }

    /// The harshest action whose threshold `value` crosses.
    fn action(&self, value: f64) -> Option<(Decision, f64, f64)> {
        [(Decision::Reject, self.reject), (Decision::Review, self.review), (Decision::Retake, self.retake)]
            .into_iter()
            .find_map(|(action, threshold)| {
                let threshold = threshold?;
                self.crossed(value, threshold).map(|margin| (action, threshold, margin))
            })
    }
}
