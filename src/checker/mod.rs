//! The pipeline on one screen: decode, survey, examine, score, judge.

mod findings;
mod look;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

pub use findings::{CUT_SHORT, Findings, known_readings};
pub use look::{Look, Stages, milliseconds};
use sha2::{Digest, Sha256};

use crate::capture::{Capture, Isolation, Limits};
use crate::detectors::{DETECTORS, Detector, DetectorInfo};
use crate::inference::{EngineChoice, InferenceError, ModelSource, Models};
use crate::policy::{Policy, PolicyError, Preset, Sensitivity, Verdict};
use crate::reading::Date;
use crate::report::{Judge, Report, SCHEMA_VERSION};
use crate::scene::{Classifier, Deadline, Locator, Networks, Scene, survey};
use crate::scoring::{Fusion, FusionError, Readings, Scores};
use crate::vocabulary::Face;

/// What a [`Checker`] is made of; the default is the shipped models and policy.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder of models with a `manifest.toml`, instead of the shipped ones.
    pub models: Option<PathBuf>,
    /// Policy file, instead of the shipped one.
    pub policy: Option<PathBuf>,
    /// A provider's policy, instead of the shipped one; a policy file goes before it.
    pub preset: Option<Preset>,
    /// Risks that are judged by other thresholds of the policy than the plain ones.
    pub sensitivity: Vec<(String, Sensitivity)>,
    /// The document, or side of it, that is asked for; any is welcome otherwise.
    pub expect: Option<Face>,
    /// Days for which a document must be valid yet; being in date is enough otherwise.
    pub valid_for: Option<u16>,
    /// The day on which uploads are said to be looked at; that on which each of them is, in UTC, otherwise.
    pub today: Option<Date>,
    /// Engine that runs the models.
    pub engine: EngineChoice,
    /// Bounds on an upload.
    pub limits: Limits,
    /// Whether reports show the document's number in clear; masked otherwise.
    pub reveal: bool,
    /// Which uploads are decoded in a process of their own; none otherwise.
    pub isolation: Isolation,
}

/// Why a checker cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The models.
    #[error(transparent)]
    Models(#[from] InferenceError),
    /// The policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// A detector with what it is.
struct Examiner {
    info: &'static DetectorInfo,
    detector: Box<dyn Detector>,
}

/// Examines and judges uploads. One serves any number of threads.
pub struct Checker {
    detectors: Vec<Examiner>,
    networks: Networks,
    fusion: Fusion,
    policy: Policy,
    limits: Limits,
    isolation: Isolation,
    reveal: bool,
    today: Option<Date>,
    hashes: BTreeMap<String, String>,
    trained_on: BTreeSet<String>,
    engine: String,
}

impl Checker {
    /// A checker with the models, policy and limits of `options`.
    ///
    /// # Errors
    /// [`SetupError`] when a model or the policy cannot be used.
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        let source = options.models.clone().map_or(ModelSource::Shipped, ModelSource::Folder);
        let models = Models::load(&source, options.engine)?;
        let known = known_readings();
        let fusion = Fusion::of(&models);
        if let Some(unknown) = fusion.inputs().iter().find(|id| !known.contains(id.as_str())) {
            return Err(InferenceError::Manifest(format!("fusion takes `{unknown}`, which nothing measures")).into());
        }
        let mut policy = match (&options.policy, options.preset) {
            (Some(path), _) => Policy::read(path, &known)?,
            (None, Some(preset)) => Policy::preset(preset, &known)?,
            (None, None) => Policy::shipped(&known)?,
        };
        for (name, sensitivity) in &options.sensitivity {
            policy = policy.with(name, *sensitivity)?;
        }
        if let Some(face) = options.expect {
            policy = policy.expecting(face);
        }
        if let Some(days) = options.valid_for {
            policy = policy.valid_for(days)?;
        }
        Ok(Self {
            detectors: DETECTORS
                .iter()
                .map(|entry| Examiner { info: &entry.info, detector: (entry.build)(&models) })
                .collect(),
            networks: Networks {
                locator: models.get("locator_net").map(Locator::new),
                classifier: models.get("document_net").map(Classifier::new),
            },
            fusion,
            policy,
            limits: options.limits,
            isolation: options.isolation.clone(),
            reveal: options.reveal,
            today: options.today,
            hashes: models.hashes(),
            trained_on: source.trained_on()?,
            engine: models.engine().to_owned(),
        })
    }

    /// The engine in one line, for a person.
    #[must_use]
    pub fn engine_line(&self) -> String {
        self.engine.clone()
    }

    /// Bounds on an upload.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Begins to look at a capture, with the learned eyes.
    #[must_use]
    pub fn survey<'a>(&'a self, capture: &'a Capture, deadline: Deadline) -> Scene<'a> {
        let scene = survey(capture, deadline).guided_by(&self.networks);
        match self.today {
            Some(day) => scene.on(day),
            None => scene,
        }
    }

    /// SHA-256 of each model in use, by name.
    #[must_use]
    pub const fn model_hashes(&self) -> &BTreeMap<String, String> {
        &self.hashes
    }

    /// Sources of the photographs that the models were trained on.
    #[must_use]
    pub const fn trained_on(&self) -> &BTreeSet<String> {
        &self.trained_on
    }

    /// Name and version of the policy.
    #[must_use]
    pub fn policy_id(&self) -> &str {
        self.policy.id()
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Scores and judges readings that were measured earlier; reasons have no place then.
    ///
    /// # Errors
    /// [`FusionError`] when the readings cannot be scored.
    pub fn judge_readings(&self, readings: &Readings) -> Result<(Scores, Verdict), FusionError> {
        let scores = self.fusion.score(readings)?;
        let verdict = self.policy.judge(&scores, readings, |_| None);
        Ok((scores, verdict))
    }

    /// Scores and judges what was found. `elapsed_ms` is left at zero.
    fn judge(&self, findings: &Findings, policy: &Policy, reveal: bool) -> Report {
        let readings = findings.readings();
        // Without scores the check stands: nothing then speaks for an original, and the finding says what is missing.
        let (scores, unscored) = match self.fusion.score(&readings) {
            Ok(scores) => (scores, None),
            Err(error) => (Scores::default(), Some(findings::unscored(&error))),
        };
        let verdict = policy.judge(&scores, &readings, |code| findings.place(code));
        Report {
            schema_version: SCHEMA_VERSION,
            path: findings.path.clone(),
            path_bytes: None,
            sha256: findings.sha256.clone(),
            picture_hash: findings.picture_hash,
            media_type: findings.media_type,
            width: findings.size.0,
            height: findings.size.1,
            classification: verdict.classification,
            decision: verdict.decision,
            scores,
            legible: verdict.legible,
            document: findings.document(),
            reasons: verdict.reasons,
            number: findings.number(reveal),
            findings: findings.told().into_iter().chain(unscored).collect(),
            policy_id: policy.id().to_owned(),
            models: self.hashes.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            judged_by: self.judged_by(policy),
            elapsed_ms: 0.0,
        }
    }

    /// Who judges by the checker's own policy, as its reports say.
    #[must_use]
    pub fn own_judge(&self) -> Judge {
        Judge {
            policy_id: self.policy.id().to_owned(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            judged_by: self.judged_by(&self.policy),
        }
    }

    /// [`Report::judged_by`] under `policy`.
    #[must_use]
    pub fn judged_by(&self, policy: &Policy) -> String {
        // A policy has no other form that holds every threshold in force; within one version this one is stable.
        let text = format!("{}\n{:?}\n{policy:?}", env!("CARGO_PKG_VERSION"), self.hashes);
        sha256(text.as_bytes())[..16].to_owned()
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
