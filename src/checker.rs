//! The pipeline on one screen: decode, survey, examine, score, judge.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::capture::{Capture, CaptureError, Limits, Upload, decode};
use crate::detectors::{DETECTORS, Detector};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome};
use crate::inference::{EngineChoice, InferenceError, ModelSource, Models, hex};
use crate::policy::{Code, Place, Policy, PolicyError, Sensitivity, Verdict};
use crate::reading::{Date, NumberCode, Proof};
use crate::report::{DocumentReport, Finding, NumberReport, Report, SCHEMA_VERSION};
use crate::scene::{Classifier, Deadline, Face, Locator, Networks, Scene, survey};
use crate::scoring::{Fusion, Readings, Scores};

/// What a [`Checker`] is made of; the default is the shipped models and policy.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder of models with a `manifest.toml`, instead of the shipped ones.
    pub models: Option<PathBuf>,
    /// Policy file, instead of the shipped one.
    pub policy: Option<PathBuf>,
    /// Risks that are judged by other thresholds of the policy than the plain ones.
    pub sensitivity: Vec<(String, Sensitivity)>,
    /// The document, or side of it, that is asked for; any is welcome otherwise.
    pub expect: Option<Face>,
    /// Engine that runs the models.
    pub engine: EngineChoice,
    /// Bounds on an upload.
    pub limits: Limits,
    /// Whether reports show the document's number in clear; masked otherwise.
    pub reveal: bool,
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

/// Detectors that the deadline left no time for: the one reading that no detector makes.
pub const CUT_SHORT: &str = "checker.cut_short_count";

/// Ids of all readings that a policy may judge.
#[must_use]
pub fn known_readings() -> BTreeSet<&'static str> {
    let measured = DETECTORS.iter().flat_map(|entry| entry.info.readings).map(|reading| reading.id);
    measured.chain([CUT_SHORT]).collect()
}

/// What was measured on one upload, not yet judged.
#[derive(Debug, Clone)]
pub struct Findings {
    path: String,
    sha256: String,
    media_type: &'static str,
    size: (u32, u32),
    document: Option<DocumentReport>,
    today: Date,
    outcomes: Vec<(&'static str, Outcome)>,
    spent: Vec<(&'static str, Duration)>,
}

impl Findings {
    /// How long each detector took; what they share counts for the first that asked for it.
    #[must_use]
    pub fn spent(&self) -> &[(&'static str, Duration)] {
        &self.spent
    }

    /// How reading the document's number came out, where there was one to read.
    #[must_use]
    pub fn number_code(&self) -> Option<NumberCode> {
        self.evidence().find_map(|e| e.number.as_ref()).map(Proof::code)
    }

    /// Every reading by id; [`CUT_SHORT`] too where the deadline left something unmeasured.
    #[must_use]
    pub fn readings(&self) -> Readings {
        let mut readings: Readings = self.evidence().flat_map(|e| &e.readings).map(|r| (r.id, r.value)).collect();
        let late = |(_, outcome): &&(_, Outcome)| matches!(outcome, Outcome::Abstained(abstention) if abstention.cause == AbstentionCause::DeadlinePassed);
        let cut_short = self.outcomes.iter().filter(late).count();
        if cut_short > 0 {
            readings.insert(CUT_SHORT, cut_short as f64);
        }
        readings
    }

    fn evidence(&self) -> impl Iterator<Item = &Evidence> {
        self.outcomes.iter().filter_map(|(_, outcome)| match outcome {
            Outcome::Evidence(evidence) => Some(evidence),
            Outcome::Abstained(_) => None,
        })
    }

    /// The strongest mark of the kinds that show `code`, in the order in which the code lists them.
    fn place(&self, code: &Code) -> Option<Place> {
        if code.shown_by.contains(&MarkKind::Document) {
            return self.document.as_ref().map(|d| Place { polygon: d.corners.0.to_vec(), zone: None });
        }
        code.shown_by.iter().find_map(|kind| {
            let marks = self.evidence().flat_map(|e| &e.marks).filter(|m| m.kind == *kind && m.polygon.len() > 2);
            // One that says where on the document it lies is worth more than one that does not.
            let best =
                marks.max_by(|a, b| (a.zone.is_some().cmp(&b.zone.is_some())).then(a.strength.total_cmp(&b.strength)));
            best.map(|m| Place { polygon: m.polygon.clone(), zone: m.zone })
        })
    }
}

/// Examines and judges uploads. One serves any number of threads.
pub struct Checker {
    detectors: Vec<(&'static str, Box<dyn Detector>)>,
    networks: Networks,
    fusion: Fusion,
    policy: Policy,
    limits: Limits,
    reveal: bool,
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
        let mut policy = match &options.policy {
            Some(path) => Policy::read(path, &known)?,
            None => Policy::shipped(&known)?,
        };
        for (name, sensitivity) in &options.sensitivity {
            policy = policy.with(name, *sensitivity)?;
        }
        if let Some(face) = options.expect {
            policy = policy.expecting(face);
        }
        Ok(Self {
            detectors: DETECTORS.iter().map(|entry| (entry.info.id, (entry.build)(&models))).collect(),
            networks: Networks {
                locator: models.get("locator_net").map(Locator::new),
                classifier: models.get("document_net").map(Classifier::new),
            },
            fusion,
            policy,
            limits: options.limits,
            reveal: options.reveal,
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

    /// Decodes, examines and judges an upload.
    ///
    /// # Errors
    /// [`CaptureError`] when the upload cannot be examined at all.
    pub fn check(&self, upload: &Upload<'_>, deadline: Deadline) -> Result<Report, CaptureError> {
        let start = Instant::now();
        let capture = decode(upload, &self.limits)?;
        let mut report = self.judge(self.examine_scene(&self.survey(&capture, deadline), upload));
        report.elapsed_ms = (start.elapsed().as_secs_f64() * 1e6).round() / 1e3;
        Ok(report)
    }

    /// Begins to look at a capture, with the learned eyes.
    #[must_use]
    pub fn survey<'a>(&'a self, capture: &'a Capture, deadline: Deadline) -> Scene<'a> {
        survey(capture, deadline).guided_by(&self.networks)
    }

    /// Examines a scene with every detector; one that fails or comes too late abstains.
    #[must_use]
    pub fn examine_scene(&self, scene: &Scene<'_>, upload: &Upload<'_>) -> Findings {
        let (mut outcomes, mut spent) = (Vec::new(), Vec::new());
        for (id, detector) in &self.detectors {
            let start = Instant::now();
            outcomes.push((*id, examine(detector.as_ref(), scene)));
            spent.push((*id, start.elapsed()));
        }
        let capture = scene.capture();
        let document = catch_unwind(AssertUnwindSafe(|| DocumentReport::of(scene))).ok().flatten();
        Findings {
            path: upload.name.unwrap_or("-").to_owned(),
            sha256: sha256(upload.bytes),
            media_type: capture.media_type.mime(),
            size: (capture.width(), capture.height()),
            document,
            today: scene.today(),
            outcomes,
            spent,
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
    #[must_use]
    pub fn judge_readings(&self, readings: &Readings) -> (Scores, Verdict) {
        let scores = self.fusion.score(readings);
        let verdict = self.policy.judge(&scores, readings, |_| None);
        (scores, verdict)
    }

    /// Scores and judges what was found. `elapsed_ms` is left at zero.
    #[must_use]
    pub fn judge(&self, findings: Findings) -> Report {
        self.judge_by(findings, &self.policy, self.reveal)
    }

    /// The same by another policy than the checker's own, with the number in clear or masked.
    #[must_use]
    pub fn judge_by(&self, findings: Findings, policy: &Policy, reveal: bool) -> Report {
        let readings = findings.readings();
        let scores = self.fusion.score(&readings);
        let number = findings.evidence().find_map(|e| e.number.as_ref()).map(|proof| NumberReport {
            kind: proof.name(),
            code: proof.code(),
            faults: proof.faults().to_vec(),
            text: if reveal { proof.revealed() } else { proof.masked() },
            fields: reveal.then(|| proof.fields(findings.today)),
        });
        let verdict = policy.judge(&scores, &readings, |code| findings.place(code));
        Report {
            schema_version: SCHEMA_VERSION,
            path: findings.path,
            sha256: findings.sha256,
            media_type: findings.media_type,
            width: findings.size.0,
            height: findings.size.1,
            classification: verdict.classification,
            decision: verdict.decision,
            scores,
            legible: verdict.legible,
            document: findings.document,
            reasons: verdict.reasons,
            number,
            findings: findings.outcomes.into_iter().map(|(id, outcome)| finding(id, outcome)).collect(),
            policy_id: policy.id().to_owned(),
            models: self.hashes.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            elapsed_ms: 0.0,
        }
    }
}

/// SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn examine(detector: &dyn Detector, scene: &Scene<'_>) -> Outcome {
    if scene.deadline().passed() {
        let (en, zh) = ("There was no time left to measure this.", "时间不足，未测量此项。");
        return Abstention::new(AbstentionCause::DeadlinePassed, en, zh).into();
    }
    catch_unwind(AssertUnwindSafe(|| detector.examine(scene))).unwrap_or_else(|_| {
        let (en, zh) = ("This could not be measured.", "此项无法测量。");
        Abstention::new(AbstentionCause::Failed, en, zh).into()
    })
}

fn finding(detector: &'static str, outcome: Outcome) -> Finding {
    match outcome {
        Outcome::Evidence(Evidence { readings, explanation, marks, number: _ }) => Finding {
            detector,
            outcome: "evidence",
            readings: readings.into_iter().map(|r| (r.id, r.value)).collect(),
            explanation,
            marks,
        },
        Outcome::Abstained(Abstention { cause, explanation }) => {
            Finding { detector, outcome: cause.name(), readings: BTreeMap::new(), explanation, marks: Vec::new() }
        }
    }
}
