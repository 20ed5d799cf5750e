//! One upload among the attempts of its reference → examined or told as sent before, handed over as the last, on record.

use serde_json::Value;

use super::app::{App, Ask, Examined, Looked, RecordFor};
use super::once::{OnceKey, digest};
use crate::checker::sha256;
use crate::policy::{Classification, Decision, Reason, code};
use crate::report::{Report, SCHEMA_VERSION};
use crate::scene::PictureHash;
use crate::scoring::Scores;
use crate::service::http::intake::Picture;
use crate::service::http::peer::Lane;
use crate::service::http::problem::Problem;
use crate::service::store::{Attempt, StoreError};
use crate::vocabulary::{Face, Species};

/// Reasons that no policy gives.
const SENT_AGAIN: &str = "sent_again";
const ATTEMPTS_EXHAUSTED: &str = "attempts_exhausted";

/// The reason of a verdict that had no time to be one: the same picture is worth another look.
const CUT_SHORT: &str = "cut_short";

/// Reasons that are told of a picture which was refused before, beside that it was.
const FORMER_REASONS: usize = 2;

/// An upload that was worked.
pub(crate) struct Worked {
    pub(crate) examined: Examined,
    /// Id of its case.
    pub(crate) case: String,
    pub(crate) placed: Placed,
}

/// Where an upload stands among the attempts of its reference.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placed {
    /// Which it is, from 1; `None` without a reference.
    pub(crate) attempt: Option<i64>,
    /// The case that the same picture had before.
    pub(crate) again_of: Option<String>,
    /// What was refused before it, the newest first; told where it is handed over.
    pub(crate) tried: Vec<Attempt>,
}

/// What is known of a picture that is not examined.
#[derive(Debug)]
pub(crate) struct Glimpse {
    pub(crate) sha256: String,
    pub(crate) picture_hash: PictureHash,
    pub(crate) media_type: &'static str,
    pub(crate) size: (u32, u32),
}

impl App {
    /// Examines an upload and records it. One that was refused before under the same reference, and that nothing judges
    /// otherwise now, is not examined again; the last of as many as one may send is handed over to a person.
    pub(crate) async fn work(
        &self,
        lane: &Lane,
        picture: Picture,
        ask: &Ask,
        to: RecordFor<'_>,
        patiently: bool,
    ) -> Result<Worked, Problem> {
        let bytes = picture.bytes.clone();
        let Some(reference) = &ask.reference else {
            let mut examined = self.examine(lane, to.caller, picture, ask, patiently).await?;
            let placed = Placed::default();
            let case = self.record(&mut examined, &bytes, ask, to, &placed).await?;
            return Ok(Worked { examined, case, placed });
        };
        let wanted = self.face(ask, to.caller).map(Face::name);
        // One after the other: each is to know of those before it.
        let parts = [reference.as_str(), wanted.unwrap_or_default()].map(str::as_bytes);
        let turn = OnceKey { key_hash: digest(&parts), fingerprint: [0; 32] };
        let _turn = self.attempts.turn(to.caller, &turn).await;
        let tried = self.store.refused(to.caller, reference.as_str(), wanted, None).await?;
        let attempt = tried.len() as u32 + 1;
        let (mut examined, again_of) = self.glance(lane, to.caller, picture, ask, patiently, &tried).await?;
        let most = self.most_attempts(to.caller);
        let refused = matches!(examined.report.decision, Decision::Retake | Decision::Reject);
        let handed_over = refused && most > 0 && attempt >= most;
        if handed_over {
            examined.reports().for_each(|report| hand_over(report, attempt, most));
        }
        let placed =
            Placed { attempt: Some(attempt.into()), again_of, tried: if handed_over { tried } else { Vec::new() } };
        let case = self.record(&mut examined, &bytes, ask, to, &placed).await?;
        Ok(Worked { examined, case, placed })
    }

    /// Photographs of one reference until a person looks; 0 for no end.
    fn most_attempts(&self, caller: &str) -> u32 {
        let own = self.config.tenant(caller).and_then(|tenant| tenant.max_attempts);
        own.unwrap_or(self.config.attempts.max_attempts).into()
    }

    /// Examines a picture, unless it is one that was `tried`: then what was said of it is said again, and which case it
    /// had is told.
    async fn glance(
        &self,
        lane: &Lane,
        caller: &str,
        picture: Picture,
        ask: &Ask,
        patiently: bool,
        tried: &[Attempt],
    ) -> Result<(Examined, Option<String>), Problem> {
        // The oldest first: that one was examined.
        let known: Vec<&Attempt> =
            tried.iter().rev().filter(|attempt| attempt.reasons.iter().all(|code| code != CUT_SHORT)).collect();
        let sha256 = sha256(&picture.bytes);
        if let Some(before) = known.iter().find(|attempt| attempt.sha256 == sha256)
            && let Some(report) = self.said_before(ask, caller, before, None).await?
        {
            return Ok((Examined::untouched(report), Some(root(before))));
        }
        let hashes = known.iter().map(|attempt| attempt.picture_hash).collect();
        let again = Picture { bytes: picture.bytes.clone(), name: picture.name.clone() };
        match self.examine_unless(lane, caller, picture, ask, patiently, hashes).await? {
            Looked::Examined(examined) => Ok((*examined, None)),
            Looked::Again(at, glimpse) => {
                let before = known[at];
                match self.said_before(ask, caller, before, Some(glimpse)).await? {
                    Some(report) => Ok((Examined::untouched(report), Some(root(before)))),
                    None => Ok((self.examine(lane, caller, again, ask, patiently).await?, None)),
                }
            }
        }
    }

    /// What was said of a picture `before`, as the report of one that is the same file or of which a `glimpse` was seen;
    /// `None` where the former report is gone, or another policy, model or version would judge now.
    async fn said_before(
        &self,
        ask: &Ask,
        caller: &str,
        before: &Attempt,
        glimpse: Option<Glimpse>,
    ) -> Result<Option<Report>, StoreError> {
        let Ok(policy) = self.policy(ask, caller) else { return Ok(None) };
        let judged_by = self.checker.judged_by(&policy);
        let Some(json) = self.store.case(&before.id).await?.and_then(|case| case.report_json) else { return Ok(None) };
        let Ok(said) = serde_json::from_str::<Value>(&json) else { return Ok(None) };
        if said["judged_by"] != judged_by.as_str() {
            return Ok(None);
        }
        let report = (|| {
            let glimpse = match glimpse {
                Some(glimpse) => glimpse,
                None => glimpse_of(&said)?,
            };
            Some(Report {
                policy_id: policy.id().to_owned(),
                models: self.checker.model_hashes().clone(),
                judged_by,
                ..repeated(&said, glimpse, self.face(ask, caller))?
            })
        })();
        Ok(report)
    }
}

/// The case that the picture of `attempt` had first.
fn root(attempt: &Attempt) -> String {
    attempt.again_of.clone().unwrap_or_else(|| attempt.id.clone())
}

/// What a report says of its file.
fn glimpse_of(said: &Value) -> Option<Glimpse> {
    let side = |name: &str| u32::try_from(said[name].as_u64()?).ok();
    Some(Glimpse {
        sha256: said["sha256"].as_str()?.to_owned(),
        picture_hash: said["picture_hash"].as_str()?.parse().ok()?,
        media_type: crate::capture::MediaType::named(said["media_type"].as_str()?)?.mime(),
        size: (side("width")?, side("height")?),
    })
}

/// A report that `said` before, of a picture that is sent again: its verdict and reasons, and none of its findings.
fn repeated(said: &Value, glimpse: Glimpse, face: Option<Face>) -> Option<Report> {
    let decision: Decision = said["decision"].as_str()?.parse().ok()?;
    let former = said["reasons"].as_array()?.iter().filter_map(reason).take(FORMER_REASONS);
    let reasons =
        [told(SENT_AGAIN, decision, face, "reference.sent_before_count", 1.0, 1.0)?].into_iter().chain(former);
    let score = |name: &str| said["scores"][name].as_f64();
    Some(Report {
        schema_version: SCHEMA_VERSION,
        path: "-".to_owned(),
        path_bytes: None,
        sha256: glimpse.sha256,
        picture_hash: glimpse.picture_hash,
        media_type: glimpse.media_type,
        width: glimpse.size.0,
        height: glimpse.size.1,
        classification: classification(said["classification"].as_str()?)?,
        decision,
        scores: Scores { screen: score("screen"), print: score("print"), legibility: score("legibility") },
        legible: said["legible"].as_bool(),
        document: None,
        reasons: reasons.collect(),
        number: None,
        findings: Vec::new(),
        policy_id: String::new(),
        models: std::collections::BTreeMap::new(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        judged_by: String::new(),
        elapsed_ms: 0.0,
    })
}

fn classification(name: &str) -> Option<Classification> {
    let attacks = [Species::Screen, Species::Print, Species::Screenshot].map(Classification::Attack);
    let mut all = [Classification::BonaFide, Classification::NoResponse].into_iter().chain(attacks);
    all.find(|class| class.name() == name)
}

/// A reason of a report, without what it points at.
fn reason(said: &Value) -> Option<Reason> {
    let entry = code(said["code"].as_str()?)?;
    if [SENT_AGAIN, ATTEMPTS_EXHAUSTED].contains(&entry.code()) {
        return None;
    }
    let (text, number) = (|name: &str| said[name].as_str().map(str::to_owned), |name: &str| said[name].as_f64());
    Some(Reason {
        code: entry.code(),
        action: said["action"].as_str()?.parse().ok()?,
        reading: text("reading")?,
        score: number("score")?,
        threshold: number("threshold")?,
        margin: number("margin")?,
        shown_by: Vec::new(),
        polygon: None,
        zone: None,
        en: text("en")?,
        zh: text("zh")?,
    })
}

/// A reason of this program's own.
fn told(name: &str, action: Decision, face: Option<Face>, reading: &str, score: f64, threshold: f64) -> Option<Reason> {
    let entry = code(name)?;
    let said = entry.told(action, None, face);
    Some(Reason {
        code: entry.code(),
        action,
        reading: reading.to_owned(),
        score,
        threshold,
        margin: score - threshold,
        shown_by: Vec::new(),
        polygon: None,
        zone: None,
        en: said.en,
        zh: said.zh,
    })
}

/// Makes the verdict of a refused attempt one for a person to look at.
fn hand_over(report: &mut Report, attempt: u32, most: u32) {
    report.decision = Decision::Review;
    let reading = "reference.attempt_count";
    let reason = told(ATTEMPTS_EXHAUSTED, Decision::Review, None, reading, attempt.into(), most.into());
    report.reasons.splice(0..0, reason);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said() -> Value {
        json!({
            "decision": "retake", "classification": "bona_fide", "media_type": "image/jpeg", "width": 4, "height": 3,
            "sha256": "ab", "picture_hash": "0".repeat(64), "legible": false,
            "scores": {"screen": 0.1, "print": null, "legibility": 0.2},
            "reasons": [
                {"code": "sent_again", "action": "retake", "reading": "r", "score": 1, "threshold": 1, "margin": 0,
                 "en": "x", "zh": "x"},
                {"code": "blurred", "action": "retake", "reading": "sharpness.x", "score": 3.5, "threshold": 2.0,
                 "margin": 1.5, "shown_by": ["/findings/1/marks/0"], "en": "Blurred.", "zh": "模糊。"},
            ],
        })
    }

    #[test]
    fn what_was_said_is_said_again_without_its_findings() {
        let said = said();
        let report = repeated(&said, glimpse_of(&said).unwrap(), None).unwrap();
        let codes: Vec<_> = report.reasons.iter().map(|reason| reason.code).collect();
        assert_eq!(codes, ["sent_again", "blurred"], "told once, however often it was sent");
        assert_eq!((report.decision, report.classification.name()), (Decision::Retake, "bona_fide"));
        assert_eq!((report.scores.screen, report.scores.print, report.legible), (Some(0.1), None, Some(false)));
        assert!(report.findings.is_empty() && report.reasons.iter().all(|reason| reason.shown_by.is_empty()));
    }

    #[test]
    fn a_report_that_is_none_says_nothing() {
        for (name, wrong) in [
            ("decision", json!("perhaps")),
            ("classification", json!(7)),
            ("media_type", json!("text/html")),
            ("width", json!(-1)),
            ("picture_hash", json!("zz")),
            ("reasons", json!(null)),
        ] {
            let mut said = said();
            said[name] = wrong;
            let report = glimpse_of(&said).and_then(|glimpse| repeated(&said, glimpse, None));
            assert_eq!(report, None, "{name}");
        }
    }

    #[test]
    fn the_last_attempt_is_for_a_person_and_says_why_first() {
        let said = said();
        let mut report = repeated(&said, glimpse_of(&said).unwrap(), None).unwrap();
        hand_over(&mut report, 3, 3);
        assert_eq!((report.decision, report.reasons[0].code), (Decision::Review, "attempts_exhausted"));
        assert_eq!((report.reasons[0].action, report.reasons[0].score), (Decision::Review, 3.0));
        assert!(!report.reasons[0].zh.is_empty() && report.reasons.len() == 3);
    }
}
