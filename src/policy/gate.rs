//! A policy file → rules, and rules on scores and readings → verdict. The shipped policy is `gate.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Classification, Code, Decision, Reason, Thing, Verdict, code};
use crate::evidence::Zone;
use crate::geometry::Point;
use crate::scene::Face;
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

/// How strictly a risk is judged: which of its rule's thresholds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Not at all.
    Off,
    /// By its relaxed thresholds.
    Relaxed,
    /// By its plain ones.
    Normal,
    /// By its strict ones.
    Strict,
}

impl Sensitivity {
    /// Reads `RISK=LEVEL`.
    ///
    /// # Errors
    /// When the text has another form.
    pub fn of_risk(text: &str) -> Result<(String, Self), String> {
        let (risk, level) = text.split_once('=').ok_or("it needs the form RISK=LEVEL")?;
        Ok((risk.to_owned(), level.parse()?))
    }
}

impl std::str::FromStr for Sensitivity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "off" => Ok(Self::Off),
            "relaxed" => Ok(Self::Relaxed),
            "normal" => Ok(Self::Normal),
            "strict" => Ok(Self::Strict),
            other => Err(format!("`{other}` is none of off, relaxed, normal, strict")),
        }
    }
}

/// Where a risk shows.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// On the picture, in upright capture pixels.
    pub polygon: Vec<Point>,
    /// On the document, where that is known.
    pub zone: Option<Zone>,
}

/// How much a risk matters: orders the reasons of equal action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Severity {
    Low,
    Medium,
    High,
}

impl Bad {
    const fn name(self) -> &'static str {
        match self {
            Self::Above => "above",
            Self::Below => "below",
        }
    }
}

/// A rule as a person is shown it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct RuleView {
    /// Its name in the policy's file.
    pub name: String,
    /// The risk it speaks of.
    pub code: &'static str,
    /// The score or reading it judges.
    pub quantity: String,
    /// `above` or `below`: which side of a threshold is the bad one.
    pub bad: &'static str,
    /// From where on another photograph is asked for.
    pub retake: Option<f64>,
    /// From where on a person looks.
    pub review: Option<f64>,
    /// From where on the picture is refused.
    pub reject: Option<f64>,
    /// From where on the picture counts as the risk's species.
    pub classify: Option<f64>,
    /// Whether it judges at all.
    pub enabled: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    /// `shipped`: begin with the rules of the shipped policy.
    base: Option<Base>,
    /// Legible means this or more, of the legibility score.
    legible_from: Option<f64>,
    /// How many reasons are told at most, the surest first, of those that ask for what is decided; all where left out.
    reasons_at_most: Option<usize>,
    #[serde(default)]
    risk: BTreeMap<String, Rule>,
    /// How strictly single risks are judged, by rule or code.
    #[serde(default)]
    sensitivity: BTreeMap<String, Sensitivity>,
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
    /// The value that leaves no doubt: where it is left out 0 below a threshold, 1 above one that is a share, and twice
    /// any other. Orders the reasons of equal weight.
    sure: Option<f64>,
    /// Told only where no other reason is: it names no cause.
    #[serde(default)]
    fallback: bool,
    /// Where it speaks, milder or equal reasons that do not supersede have no meaning and are not told.
    #[serde(default)]
    supersedes: bool,
    /// Judged only where all of these hold; a quantity that was not measured holds nothing.
    #[serde(default)]
    when: Vec<Condition>,
    /// Judged only where the document is most likely one of these; any where left out.
    faces: Option<Vec<Face>>,
    /// Not judged where it is most likely one of these.
    #[serde(default)]
    not_faces: Vec<Face>,
    relaxed: Option<Thresholds>,
    strict: Option<Thresholds>,
    #[serde(default = "on")]
    enabled: bool,
}

/// A quantity and the side of a value on which it must lie.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Condition {
    quantity: String,
    above: Option<f64>,
    below: Option<f64>,
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

/// Thresholds of another sensitivity; those that are not named stay as they are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Thresholds {
    retake: Option<f64>,
    review: Option<f64>,
    reject: Option<f64>,
    classify: Option<f64>,
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
    reasons_at_most: Option<usize>,
    /// Name, risk and rule.
    rules: Vec<(String, &'static Code, Rule)>,
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
            file.reasons_at_most = file.reasons_at_most.or(shipped.reasons_at_most);
            for (name, rule) in shipped.risk {
                file.risk.entry(name).or_insert(rule);
            }
        }
        for (name, change) in std::mem::take(&mut file.overrides) {
            let rule = file.risk.get_mut(&name).ok_or(PolicyError::UnknownCode(name))?;
            rule.enabled = change.enabled.unwrap_or(rule.enabled);
            rule.severity = change.severity.unwrap_or(rule.severity);
            let Override { retake, review, reject, classify, .. } = change;
            rule.lay(Thresholds { retake, review, reject, classify });
        }
        let mut rules = Vec::new();
        for (name, rule) in file.risk {
            let named = rule.code.as_deref().unwrap_or(&name);
            let code = code(named).ok_or_else(|| PolicyError::UnknownCode(named.to_owned()))?;
            rule.check(&name, readings)?;
            rules.push((name, code, rule));
        }
        let legible_from =
            file.legible_from.ok_or_else(|| PolicyError::Syntax("`legible_from` is missing".to_owned()))?;
        let mut policy = Self { id: file.id, legible_from, reasons_at_most: file.reasons_at_most, rules };
        for (name, sensitivity) in file.sensitivity {
            policy.set(&name, sensitivity)?;
        }
        Ok(policy)
    }

    /// The same with the risk or rule `name` judged as `sensitivity` says; the id says so too.
    ///
    /// # Errors
    /// [`PolicyError`] when nothing is called so, or a rule's thresholds then are out of order.
    pub fn with(mut self, name: &str, sensitivity: Sensitivity) -> Result<Self, PolicyError> {
        self.set(name, sensitivity)?;
        let level = format!("{sensitivity:?}").to_lowercase();
        self.id = format!("{}+{name}={level}", self.id);
        Ok(self)
    }

    fn set(&mut self, name: &str, sensitivity: Sensitivity) -> Result<(), PolicyError> {
        let mut known = false;
        for (rule_name, code, rule) in &mut self.rules {
            if rule_name == name || code.code == name {
                rule.set(sensitivity);
                rule.check_order(rule_name)?;
                known = true;
            }
        }
        if known { Ok(()) } else { Err(PolicyError::UnknownCode(name.to_owned())) }
    }

    /// The same for a gate that asks for `face` and wants anything else taken again; the id says so too.
    #[must_use]
    pub fn expecting(mut self, face: Face) -> Self {
        let rule = Rule {
            code: None,
            quantity: format!("document_net.{}", face.name()),
            bad: Bad::Below,
            severity: Severity::High,
            retake: Some(0.5),
            review: None,
            reject: None,
            classify: None,
            sure: None,
            fallback: false,
            supersedes: false,
            when: Vec::new(),
            faces: None,
            not_faces: Vec::new(),
            relaxed: None,
            strict: None,
            enabled: true,
        };
        let name = "unexpected_document";
        self.rules.extend(code(name).map(|code| (name.to_owned(), code, rule)));
        self.id = format!("{}+expect={}", self.id, face.name());
        self
    }

    /// Thresholds of enabled rules on `quantity` by what they ask for: `review`, `reject`, `retake`, `classify`.
    #[must_use]
    pub fn thresholds(&self, quantity: &str) -> Vec<(&'static str, f64)> {
        let rules = self.rules.iter().map(|(.., rule)| rule).filter(|rule| rule.enabled && rule.quantity == quantity);
        let named = |rule: &Rule| {
            [("retake", rule.retake), ("review", rule.review), ("classify", rule.classify), ("reject", rule.reject)]
        };
        rules.flat_map(named).filter_map(|(name, threshold)| Some((name, threshold?))).collect()
    }

    /// From which legibility score on a document counts as legible.
    #[must_use]
    pub const fn legible_from(&self) -> f64 {
        self.legible_from
    }

    /// Every rule as it judges.
    #[must_use]
    pub fn rules(&self) -> Vec<RuleView> {
        let view = |(name, code, rule): &(String, &'static Code, Rule)| RuleView {
            name: name.clone(),
            code: code.code,
            quantity: rule.quantity.clone(),
            bad: rule.bad.name(),
            retake: rule.retake,
            review: rule.review,
            reject: rule.reject,
            classify: rule.classify,
            enabled: rule.enabled,
        };
        self.rules.iter().map(view).collect()
    }

    /// Name and version of the policy, as verdicts carry it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Judges. `place` says where a risk shows, if it does.
    #[must_use]
    pub fn judge(&self, scores: &Scores, readings: &Readings, place: impl Fn(&Code) -> Option<Place>) -> Verdict {
        let legible = scores.legibility.map(|score| score >= self.legible_from);
        let share = |face: &Face| readings.get(format!("document_net.{}", face.name()).as_str()).copied();
        let known = Face::ALL.into_iter().filter_map(|face| Some((face, share(&face)?)));
        let face = known.max_by(|a, b| a.1.total_cmp(&b.1)).map(|(face, _)| face);
        let mut found: Vec<Found> = Vec::new();
        let mut species = None;
        for (_, code, rule) in self.rules.iter().filter(|(_, _, rule)| rule.enabled) {
            let applies = rule.faces.as_ref().is_none_or(|faces| face.is_some_and(|face| faces.contains(&face)))
                && face.is_none_or(|face| !rule.not_faces.contains(&face))
                && rule.when.iter().all(|condition| condition.holds(scores, readings));
            let Some(value) = value(&rule.quantity, scores, readings).filter(|_| applies) else { continue };
            if let (Some(named), Some(margin)) = (code.species, rule.classify.and_then(|t| rule.crossed(value, t)))
                && species.is_none_or(|(_, best)| margin > best)
            {
                species = Some((named, margin));
            }
            let Some((action, threshold, margin)) = rule.action(value) else { continue };
            let place = place(code);
            let zone = place.as_ref().and_then(|place| place.zone);
            let (en, zh) = code.told(action, zone, Thing::of(face));
            let polygon = place.map(|place| place.polygon);
            found.push(Found {
                severity: rule.severity,
                past: rule.past(margin, threshold),
                fallback: rule.fallback,
                supersedes: rule.supersedes,
                reason: Reason { code: code.code, action, score: value, threshold, margin, polygon, zone, en, zh },
            });
        }
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
struct Found {
    severity: Severity,
    /// How far the value has gone to the one that leaves no doubt.
    past: f64,
    fallback: bool,
    supersedes: bool,
    reason: Reason,
}

impl Rule {
    fn check(&self, code: &str, readings: &BTreeSet<&str>) -> Result<(), PolicyError> {
        let known = |quantity: &str| {
            let score = quantity.strip_prefix("score.");
            score.map_or(readings.contains(quantity), |score| ["screen", "print", "legibility"].contains(&score))
        };
        let named = [&self.quantity].into_iter().chain(self.when.iter().map(|condition| &condition.quantity));
        if let Some(unknown) = named.into_iter().find(|quantity| !known(quantity)) {
            return Err(PolicyError::UnknownQuantity { code: code.to_owned(), quantity: unknown.clone() });
        }
        self.check_order(code)
    }

    fn check_order(&self, code: &str) -> Result<(), PolicyError> {
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

    fn set(&mut self, sensitivity: Sensitivity) {
        self.enabled = sensitivity != Sensitivity::Off;
        let other = match sensitivity {
            Sensitivity::Relaxed => self.relaxed,
            Sensitivity::Strict => self.strict,
            Sensitivity::Off | Sensitivity::Normal => None,
        };
        if let Some(other) = other {
            self.lay(other);
        }
    }

    /// Takes the thresholds that `other` names.
    fn lay(&mut self, other: Thresholds) {
        self.retake = other.retake.or(self.retake);
        self.review = other.review.or(self.review);
        self.reject = other.reject.or(self.reject);
        self.classify = other.classify.or(self.classify);
    }

    /// By how much `value` is past `threshold`, if it is.
    fn crossed(&self, value: f64, threshold: f64) -> Option<f64> {
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
        let known = crate::checker::known_readings();
        let shipped = Policy::shipped(&known).expect("the shipped policy is good");
        let text = "id = \"mine\"\nbase = \"shipped\"\n[override.screen_recapture]\nreject = 0.99\n";
        let mine = Policy::parse(text, &known).expect("good");
        assert_eq!((mine.id(), mine.rules.len()), ("mine", shipped.rules.len()));
    }

    #[test]
    fn a_check_can_be_relaxed_tightened_and_turned_off() {
        let text = format!("{RULES}relaxed = {{ retake = 50.0 }}\nstrict = {{ retake = 10.0 }}\n");
        let tilted = |level: Sensitivity, tilt: f64| {
            let policy = policy(&text).expect("good").with("tilted", level).expect("known");
            let scores = Scores { screen: Some(0.0), ..Scores::default() };
            policy.judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None).decision
        };
        assert_eq!(tilted(Sensitivity::Normal, 40.0), Decision::Retake);
        assert_eq!(tilted(Sensitivity::Relaxed, 40.0), Decision::Accept);
        assert_eq!(tilted(Sensitivity::Strict, 20.0), Decision::Retake);
        assert_eq!(tilted(Sensitivity::Off, 80.0), Decision::Accept);
        let policy = policy(&format!("{text}[sensitivity]\ntilted = \"strict\"\n")).expect("good");
        assert_eq!(policy.clone().with("tilted", Sensitivity::Off).expect("known").id(), "test+tilted=off");
        assert!(policy.with("glare", Sensitivity::Off).is_err());
    }

    #[test]
    fn a_cause_is_told_only_where_the_document_cannot_be_read_and_names_the_place() {
        let text = "id = \"test\"\nlegible_from = 0.5\n[risk.covered]\nquantity = \"framing.tilt_deg\"\n\
            bad = \"above\"\nseverity = \"low\"\nretake = 0.1\n\
            when = [{ quantity = \"score.legibility\", below = 0.5 }]\n";
        let readings = Readings::from([("framing.tilt_deg", 0.4)]);
        let told = |legibility: f64| {
            let scores = Scores { screen: Some(0.0), legibility: Some(legibility), ..Scores::default() };
            let place = Place { polygon: Vec::new(), zone: Some(Zone::LowerRight) };
            policy(text).expect("good").judge(&scores, &readings, |_| Some(place.clone())).reasons
        };
        assert!(told(0.9).is_empty());
        assert!(told(0.2)[0].en.contains("covers the lower right of the document"), "{}", told(0.2)[0].en);
    }

    #[test]
    fn of_equal_weight_the_surer_reason_comes_first() {
        let text = "id = \"test\"\nlegible_from = 0.5\n\
            [risk.blurred]\nquantity = \"score.print\"\nbad = \"above\"\nseverity = \"low\"\nretake = 0.5\n\
            [risk.tilted]\nquantity = \"framing.tilt_deg\"\nbad = \"above\"\nseverity = \"low\"\nretake = 1.0\n\
            sure = 11.0\n";
        let first = |print: f64, tilt: f64| {
            let scores = Scores { screen: Some(0.0), print: Some(print), ..Scores::default() };
            let readings = Readings::from([("framing.tilt_deg", tilt)]);
            policy(text).expect("good").judge(&scores, &readings, |_| None).reasons[0].code
        };
        // Half way from the threshold to certainty against a tenth or nine tenths of the way.
        assert_eq!((first(0.75, 2.0), first(0.75, 10.0)), ("blurred", "tilted"));
    }

    #[test]
    fn a_rule_is_not_judged_on_what_it_is_not_for_and_a_value_on_a_lower_bound_is_good() {
        let known = BTreeSet::from(["framing.tilt_deg", "document_net.none", "document_net.page"]);
        let text = "id = \"test\"\nlegible_from = 0.5\n[risk.illegible]\nquantity = \"score.legibility\"\n\
            bad = \"below\"\nseverity = \"low\"\nretake = 0.5\nnot_faces = [\"none\"]\n";
        let policy = Policy::parse(text, &known).expect("good");
        let told = |legibility: f64, page: f64| {
            let scores = Scores { screen: Some(0.0), legibility: Some(legibility), ..Scores::default() };
            let readings = Readings::from([("document_net.page", page), ("document_net.none", 1.0 - page)]);
            policy.judge(&scores, &readings, |_| None).reasons.len()
        };
        assert_eq!((told(0.4, 0.9), told(0.4, 0.1), told(0.5, 0.9)), (1, 0, 0));
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

    #[test]
    fn no_more_reasons_are_told_than_the_policy_says_and_the_decision_is_the_worst_of_all() {
        let text = RULES.replace("legible_from = 0.5", "legible_from = 0.5\nreasons_at_most = 1");
        let scores = Scores { screen: Some(0.5), ..Scores::default() };
        let verdict =
            policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", 40.0)]), |_| None);
        assert_eq!((verdict.reasons.len(), verdict.decision), (1, Decision::Review));
    }

    #[test]
    fn a_fallback_is_told_only_where_nothing_else_is() {
        let text = format!(
            "{RULES}[risk.illegible]\nquantity = \"score.legibility\"\nbad = \"below\"\nseverity = \"low\"\n\
             retake = 0.5\nfallback = true\n"
        );
        let told = |tilt: f64| {
            let scores = Scores { screen: Some(0.0), legibility: Some(0.1), ..Scores::default() };
            let judged =
                policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None);
            judged.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>()
        };
        assert_eq!((told(0.0), told(40.0)), (vec!["illegible"], vec!["tilted"]));
    }

    #[test]
    fn a_suspicion_is_told_as_one() {
        let told = |screen: f64| verdict(Some(screen), 0.0).reasons[0].en.clone();
        assert!(told(0.5).contains("cannot be ruled out"), "{}", told(0.5));
        assert!(told(0.9).contains("looks like a photograph of a screen"), "{}", told(0.9));
    }

    #[test]
    fn what_supersedes_leaves_only_harsher_reasons_beside_it() {
        let text = format!(
            "{RULES}[risk.no_document]\nquantity = \"score.legibility\"\nbad = \"below\"\nseverity = \"low\"\n\
             retake = 0.5\nsupersedes = true\n"
        );
        let told = |screen: f64, legibility: f64| {
            let scores = Scores { screen: Some(screen), legibility: Some(legibility), ..Scores::default() };
            let judged =
                policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", 40.0)]), |_| None);
            judged.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>()
        };
        assert_eq!(told(0.0, 0.9), ["tilted"]);
        assert_eq!(told(0.0, 0.1), ["no_document"]);
        assert_eq!(told(0.9, 0.1), ["screen_recapture", "no_document"]);
    }
}
