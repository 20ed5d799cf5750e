//! A policy file → rules, and rules on scores and readings → verdict. The shipped policy is `gate.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use super::{Classification, Code, Decision, Reason, Verdict, code};
use crate::geometry::Point;
use crate::scoring::{Readings, Scores};

const SHIPPED: &str = include_str!("gate.toml");

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be read.
    #[error("policy {path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's words.
        cause: String,
    },
    /// It is not TOML, or holds a key that is not known.
    #[error("policy: {0}")]
    Syntax(String),
    /// A rule names a risk that does not exist.
    #[error("policy: no risk is called `{0}`")]
    UnknownCode(String),
    /// A rule judges a quantity that nothing measures.
    #[error("policy: risk `{code}` judges `{quantity}`, which is neither a score nor a reading")]
    UnknownQuantity {
        /// The risk.
        code: String,
        /// The quantity.
        quantity: String,
    },
    /// A threshold is not a number, or the order of thresholds is turned round.
    #[error("policy: risk `{code}`: {cause}")]
    Threshold {
        /// The risk.
        code: String,
        /// What is wrong.
        cause: &'static str,
    },
}

/// Which side of a threshold is the bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Bad {
    Above,
    Below,
}

/// How much a risk matters: orders the reasons of equal action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Low,
    Medium,
    High,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    /// `shipped`: begin with the rules of the shipped policy.
    base: Option<Base>,
    /// Legible means this or more, of the legibility score.
    legible_from: Option<f64>,
    #[serde(default)]
    risk: BTreeMap<String, Rule>,
    /// Changes to single risks, laid over `risk`.
    #[serde(default, rename = "override")]
    overrides: BTreeMap<String, Override>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Base {
    Shipped,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// The risk it speaks of; the rule's own name when left out, so that a risk may have several rules.
    code: Option<String>,
    quantity: String,
    bad: Bad,
    severity: Severity,
    retake: Option<f64>,
    review: Option<f64>,
    reject: Option<f64>,
    /// From here on the picture is classified as the risk's species.
    classify: Option<f64>,
    #[serde(default = "on")]
    enabled: bool,
}

const fn on() -> bool {
    true
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    enabled: Option<bool>,
    severity: Option<Severity>,
    retake: Option<f64>,
    review: Option<f64>,
    reject: Option<f64>,
    classify: Option<f64>,
}

/// A policy: the only place where a threshold stands.
#[derive(Debug, Clone)]
pub struct Policy {
    id: String,
    legible_from: f64,
    rules: Vec<(&'static Code, Rule)>,
}

impl Policy {
    /// The shipped policy; `readings` are the ids of everything that is measured.
    ///
    /// # Errors
    /// As [`Policy::parse`]; a test holds that the shipped file is good.
    pub fn shipped(readings: &BTreeSet<&str>) -> Result<Self, PolicyError> {
        Self::parse(SHIPPED, readings)
    }

    /// The policy in the file at `path`.
    ///
    /// # Errors
    /// As [`Policy::parse`], and [`PolicyError::Unreadable`].
    pub fn read(path: &Path, readings: &BTreeSet<&str>) -> Result<Self, PolicyError> {
        let text = std::fs::read_to_string(path)
            .map_err(|e| PolicyError::Unreadable { path: path.display().to_string(), cause: e.to_string() })?;
        Self::parse(&text, readings)
    }

    /// A policy from TOML.
    ///
    /// # Errors
    /// [`PolicyError`] naming the key, risk or reading that is not known, or the threshold that cannot be.
    pub fn parse(text: &str, readings: &BTreeSet<&str>) -> Result<Self, PolicyError> {
        let syntax = |e: toml::de::Error| PolicyError::Syntax(e.to_string());
        let mut file: File = toml::from_str(text).map_err(syntax)?;
        if let Some(Base::Shipped) = file.base {
            let shipped: File = toml::from_str(SHIPPED).map_err(syntax)?;
            file.legible_from = file.legible_from.or(shipped.legible_from);
            for (name, rule) in shipped.risk {
                file.risk.entry(name).or_insert(rule);
            }
        }
        for (name, change) in std::mem::take(&mut file.overrides) {
            let rule = file.risk.get_mut(&name).ok_or(PolicyError::UnknownCode(name))?;
            rule.enabled = change.enabled.unwrap_or(rule.enabled);
            rule.severity = change.severity.unwrap_or(rule.severity);
            rule.retake = change.retake.or(rule.retake);
            rule.review = change.review.or(rule.review);
            rule.reject = change.reject.or(rule.reject);
            rule.classify = change.classify.or(rule.classify);
        }
        let mut rules = Vec::new();
        for (name, rule) in file.risk {
            let named = rule.code.as_deref().unwrap_or(&name);
            let code = code(named).ok_or_else(|| PolicyError::UnknownCode(named.to_owned()))?;
            rule.check(&name, readings)?;
            rules.push((code, rule));
        }
        let legible_from =
            file.legible_from.ok_or_else(|| PolicyError::Syntax("`legible_from` is missing".to_owned()))?;
        Ok(Self { id: file.id, legible_from, rules })
    }

    /// Name and version of the policy, as verdicts carry it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Judges. `place` gives the polygon that shows a risk on the picture, if there is one.
    #[must_use]
    pub fn judge(&self, scores: &Scores, readings: &Readings, place: impl Fn(&Code) -> Option<Vec<Point>>) -> Verdict {
        let mut found = Vec::new();
        let mut species = None;
        for (code, rule) in self.rules.iter().filter(|(_, rule)| rule.enabled) {
            let Some(value) = rule.value(scores, readings) else { continue };
            if let (Some(named), Some(margin)) = (code.species, rule.classify.and_then(|t| rule.crossed(value, t)))
                && species.is_none_or(|(_, best)| margin > best)
            {
                species = Some((named, margin));
            }
            let Some((action, threshold, margin)) = rule.action(value) else { continue };
            let (en, zh) = (code.en.to_owned(), code.zh.to_owned());
            let polygon = place(code);
            found.push((
                rule.severity,
                Reason { code: code.code, action, score: value, threshold, margin, polygon, en, zh },
            ));
        }
        found.sort_by(|(a, x), (b, y)| (y.action, b).cmp(&(x.action, a)).then_with(|| x.code.cmp(y.code)));
        let mut told = BTreeSet::new();
        found.retain(|(_, reason): &(Severity, Reason)| told.insert(reason.code));
        let reasons: Vec<Reason> = found.into_iter().map(|(_, reason)| reason).collect();
        let silent = scores.screen.is_none() && scores.print.is_none();
        let classification = match species {
            Some((species, _)) => Classification::Attack(species),
            None if silent => Classification::NoResponse,
            None => Classification::BonaFide,
        };
        let worst = reasons.iter().map(|reason| reason.action).max().unwrap_or(Decision::Accept);
        // Nothing was measured that could accuse: a person has to look.
        let decision = if silent { worst.max(Decision::Review) } else { worst };
        let legible = scores.legibility.map(|score| score >= self.legible_from);
        Verdict { classification, legible, decision, reasons }
    }
}

impl Rule {
    fn check(&self, code: &str, readings: &BTreeSet<&str>) -> Result<(), PolicyError> {
        let score = self.quantity.strip_prefix("score.");
        if !score.map_or(readings.contains(self.quantity.as_str()), |s| ["screen", "print", "legibility"].contains(&s))
        {
            return Err(PolicyError::UnknownQuantity { code: code.to_owned(), quantity: self.quantity.clone() });
        }
        let refuse = |cause| Err(PolicyError::Threshold { code: code.to_owned(), cause });
        let thresholds: Vec<f64> = [self.retake, self.review, self.reject].into_iter().flatten().collect();
        if thresholds.iter().chain(&self.classify).any(|t| !t.is_finite()) {
            return refuse("a threshold is not a number");
        }
        if thresholds.is_empty() {
            return refuse("it names no threshold: retake, review or reject");
        }
        // A harsher action must need at least as much evidence as a milder one.
        if thresholds.windows(2).any(|pair| self.crossed(pair[0], pair[1]).is_some_and(|margin| margin > 0.0)) {
            return refuse("a harsher action has the milder threshold");
        }
        Ok(())
    }

    fn value(&self, scores: &Scores, readings: &Readings) -> Option<f64> {
        match self.quantity.strip_prefix("score.") {
            Some(name) => scores.named(name),
            None => readings.get(self.quantity.as_str()).copied(),
        }
    }

    /// By how much `value` is past `threshold`, if it is.
    fn crossed(&self, value: f64, threshold: f64) -> Option<f64> {
        let margin = if self.bad == Bad::Above { value - threshold } else { threshold - value };
        (margin >= 0.0).then_some(margin)
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

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "id = \"test\"\nlegible_from = 0.5\n\
        [risk.screen_recapture]\nquantity = \"score.screen\"\nbad = \"above\"\nseverity = \"high\"\n\
        review = 0.4\nreject = 0.8\nclassify = 0.5\n\
        [risk.tilted]\nquantity = \"framing.tilt_deg\"\nbad = \"above\"\nseverity = \"low\"\nretake = 30.0\n";

    fn policy(text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(text, &BTreeSet::from(["framing.tilt_deg"]))
    }

    fn verdict(screen: Option<f64>, tilt: f64) -> Verdict {
        let scores = Scores { screen, ..Scores::default() };
        policy(RULES).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None)
    }

    #[test]
    fn the_worst_reason_decides_and_comes_first() {
        let verdict = verdict(Some(0.9), 40.0);
        assert_eq!(verdict.decision, Decision::Reject);
        assert_eq!(verdict.classification, Classification::Attack(super::super::Species::Screen));
        let codes: Vec<_> = verdict.reasons.iter().map(|r| r.code).collect();
        assert_eq!(codes, ["screen_recapture", "tilted"]);
        assert!((verdict.reasons[0].margin - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_band_below_rejection_is_reviewed() {
        assert_eq!(verdict(Some(0.45), 0.0).decision, Decision::Review);
        assert_eq!(verdict(Some(0.45), 0.0).classification, Classification::BonaFide);
        assert_eq!(verdict(Some(0.1), 40.0).decision, Decision::Retake);
        assert_eq!(verdict(Some(0.1), 0.0).decision, Decision::Accept);
    }

    #[test]
    fn without_any_score_there_is_no_response_and_a_person_looks() {
        let verdict = verdict(None, 0.0);
        assert_eq!((verdict.classification, verdict.decision), (Classification::NoResponse, Decision::Review));
    }

    #[test]
    fn unknown_names_are_refused_by_name() {
        let refused = |from: &str, to: &str| policy(&RULES.replace(from, to)).expect_err(to).to_string();
        assert!(refused("retake", "retaek").contains("retaek"));
        assert!(refused("risk.tilted", "risk.tlited").contains("tlited"));
        assert!(refused("framing.tilt_deg", "framing.tilt_rad").contains("framing.tilt_rad"));
        assert!(refused("reject = 0.8", "reject = 0.3").contains("harsher"));
        assert!(refused("reject = 0.8", "reject = nan").contains("not a number"));
    }

    #[test]
    fn a_file_may_begin_with_the_shipped_rules() {
        let known = crate::detectors::DETECTORS.iter().flat_map(|e| e.info.readings).map(|r| r.id).collect();
        let shipped = Policy::shipped(&known).expect("the shipped policy is good");
        let text = "id = \"mine\"\nbase = \"shipped\"\n[override.screen_recapture]\nreject = 0.99\n";
        let mine = Policy::parse(text, &known).expect("good");
        assert_eq!((mine.id(), mine.rules.len()), ("mine", shipped.rules.len()));
    }

    #[test]
    fn an_override_changes_one_risk_alone() {
        let off = format!("{RULES}[override.tilted]\nenabled = false\n");
        let readings = Readings::from([("framing.tilt_deg", 80.0)]);
        let scores = Scores { screen: Some(0.0), ..Scores::default() };
        assert_eq!(policy(&off).expect("good").judge(&scores, &readings, |_| None).decision, Decision::Accept);
        let unknown = format!("{RULES}[override.glare]\nenabled = false\n");
        assert!(policy(&unknown).expect_err("no rule for glare").to_string().contains("glare"));
    }
}
