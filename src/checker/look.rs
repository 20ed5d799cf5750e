//! Upload → one look at it: the capture, the scene, what was found and the time that it took.
//!
//! Every front goes this way, so that they cannot differ: `decode`, `survey`, `examine`, `judge`, and the clock.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use image::RgbImage;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::findings::Findings;
use super::{Checker, Examiner, sha256};
use crate::capture::{Capture, CaptureError, Limits, Upload, decode_within};
use crate::detectors::Detector;
use crate::evidence::{Abstention, AbstentionCause, Outcome};
use crate::policy::Policy;
use crate::report::{DocumentReport, Report, html, overlay};
use crate::scene::{Deadline, Scene};
use crate::words::Fact;

/// The time of one check by stage: `decode`, each detector by its id, `judge`; what detectors share counts for the first
/// that asks for it. Written in milliseconds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Stages(BTreeMap<Cow<'static, str>, Duration>);

impl Stages {
    /// No time spent yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds `spent` to `stage`.
    pub fn add(&mut self, stage: &'static str, spent: Duration) {
        *self.0.entry(Cow::Borrowed(stage)).or_default() += spent;
    }

    /// Every stage and its time, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Duration)> {
        self.0.iter().map(|(stage, spent)| (stage.as_ref(), *spent))
    }
}

impl Serialize for Stages {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(stage, spent)| (stage, milliseconds(spent))))
    }
}

impl<'de> Deserialize<'de> for Stages {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spent = |ms: f64| Duration::try_from_secs_f64(ms / 1e3).map_err(serde::de::Error::custom);
        let stages = BTreeMap::<String, f64>::deserialize(deserializer)?;
        stages.into_iter().map(|(stage, ms)| Ok((Cow::Owned(stage), spent(ms)?))).collect::<Result<_, _>>().map(Self)
    }
}

/// `span` in milliseconds, to the microsecond.
#[must_use]
pub fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

/// An upload that was decoded and examined, and is yet to be judged, by one policy or by several.
pub struct Look<'a> {
    /// The decoded upload.
    pub capture: &'a Capture,
    /// The capture, looked over.
    pub scene: Scene<'a>,
    /// What was measured.
    pub findings: Findings,
    /// Where the time went.
    pub stages: Stages,
    checker: &'a Checker,
    begun: Instant,
}

impl Look<'_> {
    /// The report by the checker's own policy, the number masked or in clear as the checker's options say.
    #[must_use]
    pub fn report(&mut self) -> Report {
        let checker = self.checker;
        self.judge(&checker.policy, checker.reveal)
    }

    /// The report by `policy`, with the number in clear or masked.
    #[must_use]
    pub fn judge(&mut self, policy: &Policy, reveal: bool) -> Report {
        self.measure(|reading| policy.asks_for(reading));
        let judging = Instant::now();
        let mut report = self.checker.judge(&self.findings, policy, reveal);
        self.stages.add("judge", judging.elapsed());
        report.elapsed_ms = milliseconds(self.elapsed());
        report
    }

    /// Measures what waited until `asked` says of a reading of it that it is needed.
    pub fn measure(&mut self, asked: impl Fn(&str) -> bool) {
        for (outcome, one) in self.findings.outcomes.iter_mut().zip(&self.checker.detectors) {
            let waits = matches!(&outcome.1, Outcome::Abstained(it) if it.cause == AbstentionCause::NotAsked);
            if waits && one.info.readings.iter().any(|reading| asked(reading.id)) {
                let begun = Instant::now();
                outcome.1 = examine(one.detector.as_ref(), &self.scene);
                self.stages.add(one.info.id, begun.elapsed());
            }
        }
    }

    /// The picture with what `report` says drawn on it.
    #[must_use]
    pub fn overlay(&self, report: &Report) -> RgbImage {
        overlay::draw(&self.scene, report)
    }

    /// A small JPEG of the picture with the document of `report` outlined.
    #[must_use]
    pub fn thumbnail(&self, report: &Report) -> Vec<u8> {
        html::thumbnail(self.scene.overview(), report.document.as_ref().map(|document| &document.corners))
    }

    /// The time since the upload began to be decoded.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}

impl Checker {
    /// Decodes and examines an upload, and hands the look at it to `then`.
    ///
    /// # Errors
    /// [`CaptureError`] when the upload cannot be examined at all.
    pub fn look<T>(
        &self,
        upload: &Upload<'_>,
        deadline: Deadline,
        then: impl FnOnce(Look<'_>) -> T,
    ) -> Result<T, CaptureError> {
        self.look_within(&self.limits, upload, deadline, then)
    }

    /// The same within other limits than the checker's own.
    ///
    /// # Errors
    /// As [`Checker::look`].
    pub fn look_within<T>(
        &self,
        limits: &Limits,
        upload: &Upload<'_>,
        deadline: Deadline,
        then: impl FnOnce(Look<'_>) -> T,
    ) -> Result<T, CaptureError> {
        let nothing = |_: &Scene<'_>| None::<std::convert::Infallible>;
        match self.look_unless(limits, upload, deadline, nothing, then)? {
            ControlFlow::Continue(done) => Ok(done),
            ControlFlow::Break(never) => match never {},
        }
    }

    /// The same, unless `enough` says something of the decoded upload by which nothing needs to be measured on it: then
    /// that alone is given.
    ///
    /// # Errors
    /// As [`Checker::look`].
    pub fn look_unless<T, E>(
        &self,
        limits: &Limits,
        upload: &Upload<'_>,
        deadline: Deadline,
        enough: impl FnOnce(&Scene<'_>) -> Option<E>,
        then: impl FnOnce(Look<'_>) -> T,
    ) -> Result<ControlFlow<E, T>, CaptureError> {
        let begun = Instant::now();
        let capture = decode_within(upload, limits, &self.isolation, deadline.instant())?;
        let mut stages = Stages::new();
        stages.add("decode", begun.elapsed());
        let scene = self.survey(&capture, deadline);
        if let Some(said) = enough(&scene) {
            return Ok(ControlFlow::Break(said));
        }
        let findings = self.examine(&scene, upload, &mut stages);
        Ok(ControlFlow::Continue(then(Look { capture: &capture, scene, findings, stages, checker: self, begun })))
    }

    /// Decodes, examines and judges an upload.
    ///
    /// # Errors
    /// As [`Checker::look`].
    pub fn check(&self, upload: &Upload<'_>, deadline: Deadline) -> Result<Report, CaptureError> {
        self.look(upload, deadline, |mut look| look.report())
    }

    /// Examines a scene with every detector that does not wait to be asked; one that fails or comes too late abstains.
    fn examine(&self, scene: &Scene<'_>, upload: &Upload<'_>, stages: &mut Stages) -> Findings {
        let mut outcomes = Vec::new();
        for Examiner { info, detector } in &self.detectors {
            let begun = Instant::now();
            let outcome = if detector.waits() {
                Abstention::new(AbstentionCause::NotAsked, Fact::NotAsked).into()
            } else {
                examine(detector.as_ref(), scene)
            };
            outcomes.push((info.id, outcome));
            stages.add(info.id, begun.elapsed());
        }
        let capture = scene.capture();
        let document = catch_unwind(AssertUnwindSafe(|| DocumentReport::of(scene))).ok().flatten();
        Findings {
            path: upload.name.unwrap_or("-").to_owned(),
            sha256: sha256(upload.bytes),
            media_type: capture.media_type.mime(),
            picture_hash: scene.picture_hash(),
            size: (capture.width(), capture.height()),
            document,
            today: scene.today(),
            outcomes,
        }
    }
}

fn examine(detector: &dyn Detector, scene: &Scene<'_>) -> Outcome {
    if scene.deadline().passed() {
        return Abstention::new(AbstentionCause::DeadlinePassed, Fact::NoTimeLeft).into();
    }
    catch_unwind(AssertUnwindSafe(|| detector.examine(scene)))
        .unwrap_or_else(|_| Abstention::new(AbstentionCause::Failed, Fact::Broken).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_written_in_milliseconds_and_read_back() {
        let mut stages = Stages::new();
        stages.add("moire", Duration::from_micros(1500));
        stages.add("decode", Duration::from_micros(20_250));
        stages.add("moire", Duration::from_micros(500));
        let text = serde_json::to_string(&stages).expect("written");
        assert_eq!(text, r#"{"decode":20.25,"moire":2.0}"#);
        assert_eq!(serde_json::from_str::<Stages>(&text).expect("read"), stages);
        assert!(serde_json::from_str::<Stages>(r#"{"decode":-1.0}"#).is_err());
    }
}
