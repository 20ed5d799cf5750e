//! A policy file → checked rules: the shipped ones laid below it, its overrides over them, unknown names refused.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::schema::{Bad, Base, Expecting, File, Override, Rule, SHIPPED, Sensitivity, Thresholds};
use super::{Code, code};
use crate::detectors::document_net;
use crate::vocabulary::Face;

/// The risk of a document that is not the one asked for.
const UNEXPECTED: &str = "unexpected_document";

/// The risk of a document that is not valid for long enough.
const TOO_SOON: &str = "expires_soon";

/// Reads a number of days, with or without a `d` behind it.
///
/// # Errors
/// A sentence, where it is none.
#[cfg(feature = "cli")]
pub fn days(text: &str) -> Result<u16, String> {
    let number = text.strip_suffix('d').unwrap_or(text);
    number.parse().map_err(|_| "it needs a number of days, for example 90d".to_owned())
}

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

/// A policy: the only place where a threshold stands.
#[derive(Debug, Clone)]
pub struct Policy {
    id: String,
    pub(super) legible_from: f64,
    pub(super) reasons_at_most: Option<usize>,
    expecting: Expecting,
    /// Name, risk and rule.
    pub(super) rules: Vec<(String, &'static Code, Rule)>,
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
            .map_err(|e| PolicyError::Unreadable { path: crate::names::shown(path), cause: e.to_string() })?;
        Self::parse(&text, readings)
    }

    /// A policy from TOML.
    ///
    /// # Errors
    /// [`PolicyError`] naming the key, risk or reading that is not known, or the threshold that cannot be.
    pub fn parse(text: &str, readings: &BTreeSet<&str>) -> Result<Self, PolicyError> {
        let syntax = |e: toml::de::Error| PolicyError::Syntax(e.to_string());
        let mut file: File = toml::from_str(text).map_err(syntax)?;
        let shipped: File = toml::from_str(SHIPPED).map_err(syntax)?;
        // Every policy can be asked for one document, also one that says nothing of that.
        let expecting = file.expecting.or(shipped.expecting);
        let expecting = expecting.ok_or_else(|| PolicyError::Syntax("`expecting` is missing".to_owned()))?;
        if !expecting.retake.is_finite() {
            return Err(PolicyError::Threshold { code: UNEXPECTED.to_owned(), cause: "a threshold is not a number" });
        }
        if let Some(Base::Shipped) = file.base {
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
        let mut policy = Self { id: file.id, legible_from, reasons_at_most: file.reasons_at_most, expecting, rules };
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
        self.id = format!("{}+{name}={}", self.id, sensitivity.name());
        Ok(self)
    }

    fn set(&mut self, name: &str, sensitivity: Sensitivity) -> Result<(), PolicyError> {
        let mut known = false;
        for (rule_name, code, rule) in &mut self.rules {
            if rule_name == name || code.code() == name {
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
            quantity: document_net::share_of(face).id.to_owned(),
            bad: Bad::Below,
            severity: self.expecting.severity,
            retake: Some(self.expecting.retake),
            review: None,
            reject: None,
            classify: None,
            sure: None,
            fallback: false,
            supersedes: false,
            yields_to: Vec::new(),
            when: Vec::new(),
            unless: Vec::new(),
            faces: None,
            not_faces: Vec::new(),
            relaxed: None,
            strict: None,
            enabled: true,
        };
        self.rules.extend(code(UNEXPECTED).map(|code| (UNEXPECTED.to_owned(), code, rule)));
        self.id = format!("{}+expect={}", self.id, face.name());
        self
    }

    /// The same for a gate that wants documents which are valid for `days` more, from the day on which they are looked at;
    /// the id says so too.
    ///
    /// # Errors
    /// [`PolicyError`] when the policy has no rule for that.
    pub fn valid_for(mut self, days: u16) -> Result<Self, PolicyError> {
        let rules = self.rules.iter_mut().filter(|(_, code, _)| code.code() == TOO_SOON);
        let mut known = false;
        for (_, _, rule) in rules {
            for threshold in [&mut rule.retake, &mut rule.review, &mut rule.reject].into_iter().flatten() {
                *threshold = f64::from(days);
            }
            (rule.enabled, known) = (true, true);
        }
        self.id = format!("{}+valid_for={days}d", self.id);
        if known { Ok(self) } else { Err(PolicyError::UnknownCode(TOO_SOON.to_owned())) }
    }

    /// Whether a rule that is on needs the reading `id`.
    #[must_use]
    pub fn asks_for(&self, id: &str) -> bool {
        self.rules.iter().filter(|(_, _, rule)| rule.enabled).any(|(_, _, rule)| {
            let mut conditions = rule.when.iter().chain(rule.unless.iter().flatten());
            rule.quantity == id || conditions.any(|condition| condition.quantity == id)
        })
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
            code: code.code(),
            quantity: rule.quantity.clone(),
            bad: rule.bad.into(),
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
}

impl Rule {
    fn check(&self, code: &str, readings: &BTreeSet<&str>) -> Result<(), PolicyError> {
        let known = |quantity: &str| {
            let score = quantity.strip_prefix("score.");
            score.map_or(readings.contains(quantity), |score| ["screen", "print", "legibility"].contains(&score))
        };
        let conditions = self.when.iter().chain(self.unless.iter().flatten());
        let named = [&self.quantity].into_iter().chain(conditions.map(|condition| &condition.quantity));
        if let Some(unknown) = named.into_iter().find(|quantity| !known(quantity)) {
            return Err(PolicyError::UnknownQuantity { code: code.to_owned(), quantity: unknown.clone() });
        }
        if let Some(unknown) = self.yields_to.iter().find(|name| super::code(name).is_none()) {
            return Err(PolicyError::UnknownCode(unknown.clone()));
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
        if self.unless.iter().any(Vec::is_empty) {
            return refuse("a group of `unless` is empty and would hold always");
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
}
