//! One upload → its verdict, recorded: what every route shares.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use image::codecs::jpeg::JpegEncoder;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::attempts::{Glimpse, Placed};
use super::once::{Once, OnceKey};
use super::ready::Readiness;
use super::workers::{Undone, Workers};
use crate::capture::{CaptureError, Limits, Upload};
use crate::checker::{Checker, Stages, sha256};
use crate::policy::{Decision, Policy};
use crate::report::Report;
use crate::scene::{Deadline, PictureHash, Scene};
use crate::service::auth::{Access, Guarded};
use crate::service::clock::{ms, now_ms, rfc3339};
use crate::service::config::{Config, Keep};
use crate::service::figures::{Figures, Now};
use crate::service::handoff::Handoffs;
use crate::service::http::intake::Picture;
use crate::service::http::pace::{Pace, Paces};
use crate::service::http::peer::Lane;
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference};
use crate::service::http::shares::{Full, Share, Shares};
use crate::service::store::{CaseScores, Flow, Idempotency, NewCase, NewPicture, NewShadow, ReviewStore, StoreError};
use crate::service::webhooks::{self, Event};
use crate::vocabulary::Face;

/// Quality of the pictures that show what was found, 1 to 100.
const OVERLAY_QUALITY: u8 = 80;

/// What every request sees.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) checker: Arc<Checker>,
    pub(crate) workers: Workers,
    /// Bodies that are received or examined, by caller.
    pub(crate) uploads: Arc<Shares<Lane>>,
    pub(crate) paces: Option<Arc<Paces>>,
    pub(crate) store: ReviewStore,
    pub(crate) ready: Readiness,
    pub(crate) access: Access,
    pub(crate) figures: Arc<Figures>,
    pub(crate) handoffs: Handoffs,
    pub(crate) draining: CancellationToken,
    pub(crate) courier: Arc<Notify>,
    pub(crate) once: Once,
    /// Attempts of one reference go one after the other.
    pub(crate) attempts: Once,
    pub(crate) public_url: Option<String>,
    pub(crate) scheme: &'static str,
    pub(crate) address: SocketAddr,
}

/// How a picture is to be judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// The document that is wanted; any where absent.
    pub(crate) face: Option<Face>,
    /// For how many days the document is to be valid yet; as the policy has it where absent.
    pub(crate) valid_for: Option<u16>,
    /// A policy by name; the checker's own where absent.
    pub(crate) policy: Option<String>,
    /// Whether to draw what was found.
    pub(crate) overlay: bool,
    /// Whether to show the number in clear.
    pub(crate) reveal: bool,
    /// What its caller calls it.
    pub(crate) reference: Option<Reference>,
    /// What else its caller says of it.
    pub(crate) metadata: Option<Metadata>,
}

/// A picture, examined.
#[derive(Debug)]
pub(crate) struct Examined {
    /// As it is answered.
    pub(crate) report: Report,
    /// With the number masked, where the answer has it in clear.
    masked: Option<Report>,
    /// JPEG of the picture, small, with what was found.
    pub(crate) overlay: Option<Bytes>,
    /// The same outcomes, judged by the policy in the shadow.
    shadow: Option<Shadow>,
}

/// What a policy in the shadow decides, beside the one in force.
#[derive(Debug)]
struct Shadow {
    policy: String,
    force: (Decision, Vec<&'static str>),
    own: (Decision, Vec<&'static str>),
}

impl Examined {
    /// What is said of a picture that was not examined.
    pub(crate) const fn untouched(report: Report) -> Self {
        Self { report, masked: None, overlay: None, shadow: None }
    }

    /// Its reports, as it is answered and as it is recorded where that differs.
    pub(crate) fn reports(&mut self) -> impl Iterator<Item = &mut Report> {
        std::iter::once(&mut self.report).chain(&mut self.masked)
    }

    /// As it is recorded: the number masked, and no name of a file.
    fn kept(&mut self) -> String {
        let report = self.masked.as_mut().unwrap_or(&mut self.report);
        let name = std::mem::replace(&mut report.path, "-".to_owned());
        // Nothing in a report can fail to be written: its maps have text for keys.
        let kept = serde_json::to_string(report).unwrap_or_default();
        report.path = name;
        kept
    }
}

/// What came of looking at a picture.
pub(crate) enum Looked {
    /// It was examined.
    Examined(Box<Examined>),
    /// It is the one of this place among those that were known.
    Again(usize, Glimpse),
}

/// Whom a record is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordFor<'a> {
    pub(crate) caller: &'a str,
    pub(crate) session: Option<&'a str>,
    pub(crate) once: Option<&'a OnceKey>,
}

impl App {
    /// Whether anything new is taken at all: asked before it is known who calls.
    pub(crate) fn takes_more(&self) -> Result<(), Problem> {
        if self.draining.is_cancelled() {
            self.figures.refused("stopping");
            let (en, zh) =
                ("The service is stopping. Send the picture again in a moment.", "服务正在重启，请稍后重新上传。");
            return Err(Problem::new(Kind::Unavailable, en, zh).retry_after(5));
        }
        // What could not be recorded is not worth the sending.
        Ok(self.store.is_in_place()?)
    }

    /// Room for another upload of `lane`: asked before a byte of it is read, so that who finds none hears so at once.
    pub(crate) fn room(&self, lane: &Lane) -> Result<Share<Lane>, Problem> {
        self.workers.fits(lane).map_err(|full| self.no_room(lane, full, "queue"))?;
        self.uploads.take(lane).map_err(|full| self.no_room(lane, full, "uploads"))
    }

    /// How fast `lane` may send, where that is bounded.
    pub(crate) fn pace(&self, lane: &Lane) -> Option<Pace> {
        self.paces.as_ref().map(|paces| paces.of(lane))
    }

    fn no_room(&self, lane: &Lane, full: Full, cause: &'static str) -> Problem {
        match full {
            Full::All => self.overloaded(lane, cause),
            Full::Share => {
                self.figures.refused("share");
                let seconds = self.workers.retry_after_s(lane);
                Problem::new(
                    Kind::Share,
                    format!(
                        "You have as many pictures under way as one caller may have. Send it again in {seconds} s."
                    ),
                    format!("您同时提交的图片过多，请 {seconds} 秒后重新上传。"),
                )
                .retry_after(seconds)
            }
        }
    }

    fn overloaded(&self, lane: &Lane, cause: &'static str) -> Problem {
        self.figures.refused(cause);
        let seconds = self.workers.retry_after_s(lane);
        Problem::new(
            Kind::Overloaded,
            format!("Too many pictures are being checked. Send it again in {seconds} s."),
            format!("服务繁忙，请 {seconds} 秒后重新上传。"),
        )
        .retry_after(seconds)
    }

    /// The document that `caller` asks for, or always does.
    pub(crate) fn face(&self, ask: &Ask, caller: &str) -> Option<Face> {
        ask.face.or_else(|| self.config.tenant(caller)?.documents.first().copied())
    }

    /// The policy that `ask` of `caller` is judged by.
    pub(crate) fn policy(&self, ask: &Ask, caller: &str) -> Result<Policy, Problem> {
        let tenant = self.config.tenant(caller);
        if let (Some(face), Some(tenant)) = (ask.face, tenant)
            && !tenant.documents.is_empty()
            && !tenant.documents.contains(&face)
        {
            let names: Vec<_> = tenant.documents.iter().map(|face| face.name()).collect();
            let names = names.join(", ");
            return Err(Problem::bad_request(
                format!("This key asks for {names} alone."),
                format!("该密钥仅可检查：{names}。"),
            ));
        }
        let named = match ask.policy.as_deref() {
            None => tenant.and_then(|tenant| tenant.policy.as_ref()).unwrap_or_else(|| self.checker.policy()),
            Some(name) => {
                let known = self.config.policies.iter().find(|(known, _)| known == name);
                known.map(|(_, policy)| policy).ok_or_else(|| {
                    Problem::bad_request("There is no policy of this name; see /v1/policy.", "没有此名称的策略。")
                })?
            }
        };
        asked_of(named, self.face(ask, caller), ask)
    }

    /// The policy that judges what `caller` sends in the shadow, and its id, whatever is asked for.
    fn shadow(&self, ask: &Ask, caller: &str) -> Option<(String, Policy)> {
        let own = self.config.tenant(caller).and_then(|tenant| tenant.shadow.as_ref());
        let policy = own.or(self.config.shadow.as_ref())?;
        Some((policy.id().to_owned(), asked_of(policy, self.face(ask, caller), ask).ok()?))
    }

    /// Examines a picture of `lane` on the workers' threads; `patiently` waits for as long as it takes.
    pub(crate) async fn examine(
        &self,
        lane: &Lane,
        caller: &str,
        picture: Picture,
        ask: &Ask,
        patiently: bool,
    ) -> Result<Examined, Problem> {
        match self.examine_unless(lane, caller, picture, ask, patiently, Vec::new()).await? {
            Looked::Examined(examined) => Ok(*examined),
            // Nothing was known.
            Looked::Again(..) => Err(unexamined()),
        }
    }

    /// The same, unless the picture looks like one that is `known`.
    pub(crate) async fn examine_unless(
        &self,
        lane: &Lane,
        caller: &str,
        picture: Picture,
        ask: &Ask,
        patiently: bool,
        known: Vec<Option<PictureHash>>,
    ) -> Result<Looked, Problem> {
        let judging = Judging { policy: self.policy(ask, caller)?, shadow: self.shadow(ask, caller), known };
        let bounds = &self.config.uploads;
        let limits =
            Limits { bytes: bounds.bytes(), pixels: bounds.pixels(), side: bounds.max_side, ..*self.checker.limits() };
        let (checker, ask, span) = (Arc::clone(&self.checker), ask.clone(), self.config.work.deadline.into());
        // Who waits patiently has its time from when the work begins.
        let set = (!patiently).then(|| Deadline::after(span));
        let work = move || {
            let deadline = set.unwrap_or_else(|| Deadline::after(span));
            examine(&checker, &limits, &judging, &picture, &ask, deadline)
        };
        let done = if patiently {
            self.workers.run_patiently(lane, work).await
        } else {
            self.workers.run(lane, span, work).await
        };
        let (looked, waited) = done.map_err(|undone| match undone {
            Undone::Full(full) => self.no_room(lane, full, "queue"),
            Undone::Waited => self.overloaded(lane, "waited"),
            Undone::Failed => unexamined(),
        })?;
        self.figures.stage("queue", waited);
        Ok(match looked? {
            ControlFlow::Continue((examined, stages)) => {
                for (stage, spent) in stages.iter() {
                    self.figures.stage(stage, spent);
                }
                Looked::Examined(Box::new(examined))
            }
            ControlFlow::Break((at, glimpse)) => Looked::Again(at, glimpse),
        })
    }

    /// Commits the verdict, what is kept of the picture, the audit's row and what webhooks are to be told, all or
    /// nothing; gives the case's id.
    pub(crate) async fn record(
        &self,
        examined: &mut Examined,
        bytes: &[u8],
        ask: &Ask,
        to: RecordFor<'_>,
        placed: &Placed,
    ) -> Result<String, StoreError> {
        let begun = Instant::now();
        let report_json = examined.kept();
        let (id, now, report) = (uuid::Uuid::now_v7().to_string(), now_ms(), &examined.report);
        let remember = &self.config.remember;
        let kept = remember.keep == Keep::Review && report.decision == Decision::Review;
        let keep_for = self.config.tenant(to.caller).and_then(|tenant| tenant.keep_for).unwrap_or(remember.keep_for);
        let picture = kept.then(|| NewPicture { bytes, expires_ms: now.saturating_add(ms(keep_for.into())) });
        let told = verdict(&id, now, report, ask, to.session, placed);
        let deliveries = webhooks::address(&self.config.webhooks, Event::Verdict, &[report.decision], &told)?;
        let reasons = codes(report);
        let idempotency = to.once.map(|once| Idempotency {
            key_hash: once.key_hash,
            fingerprint: once.fingerprint,
            expires_ms: now.saturating_add(ms(remember.idempotency.into())),
        });
        let case = NewCase {
            id: &id,
            owner: to.caller,
            sha256: &report.sha256,
            media_type: report.media_type,
            decision: report.decision,
            classification: report.classification.name(),
            report_json: &report_json,
            created_ms: now,
            picture,
            session: to.session,
            idempotency,
            deliveries: &deliveries,
            flow: Flow {
                reference: ask.reference.as_ref().map(Reference::as_str),
                metadata: ask.metadata.as_ref().map(Metadata::as_json),
                wanted: self.face(ask, to.caller).map(Face::name),
                attempt: placed.attempt,
                picture_hash: Some(report.picture_hash),
                again_of: placed.again_of.as_deref(),
            },
            reasons: &reasons,
            scores: CaseScores {
                screen: report.scores.screen,
                print: report.scores.print,
                legibility: report.scores.legibility,
            },
            shadow: examined.shadow.as_ref().map(|shadow| NewShadow {
                policy: &shadow.policy,
                force_decision: shadow.force.0,
                force_reasons: &shadow.force.1,
                decision: shadow.own.0,
                reasons: &shadow.own.1,
            }),
        };
        self.store.record(&case, to.caller).await?;
        self.figures.stage("record", begun.elapsed());
        self.figures.judged(report);
        if !deliveries.is_empty() {
            self.courier.notify_one();
        }
        Ok(id)
    }

    /// Where a phone reaches the service: as the operator says, or as the one who asks did.
    pub(crate) fn base_url(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_plain = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        match (&self.public_url, host.filter(is_plain)) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => format!("{}://{host}", self.scheme),
            (None, None) => format!("{}://{}", self.scheme, self.address),
        }
    }

    /// What the gauges show.
    pub(crate) fn now(&self) -> Now {
        Now {
            queue: self.workers.waiting(),
            busy: self.workers.busy(),
            uploads: self.uploads.held(),
            handoffs: self.handoffs.open(),
        }
    }
}

/// A policy with what a request asks for beside it.
fn asked_of(policy: &Policy, face: Option<Face>, ask: &Ask) -> Result<Policy, Problem> {
    let mut policy = policy.clone();
    if let Some(face) = face {
        policy = policy.expecting(face);
    }
    match ask.valid_for {
        None => Ok(policy),
        Some(days) => policy.valid_for(days).map_err(|_| {
            let (en, zh) = ("This policy has no rule for `valid_for`.", "该策略不支持 `valid_for`。");
            Problem::bad_request(en, zh)
        }),
    }
}

fn unexamined() -> Problem {
    let (en, zh) = ("The picture could not be examined. Send another one.", "无法检查该图片，请更换图片。");
    Problem::new(Kind::Internal, en, zh)
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.reasons.iter().map(|reason| reason.code).collect()
}

/// What a webhook is told of a verdict: it in short, and where the whole of it is.
fn verdict(case: &str, now_ms: i64, report: &Report, ask: &Ask, session: Option<&str>, placed: &Placed) -> String {
    let tried = placed.tried.iter().map(
        |attempt| serde_json::json!({ "case": attempt.id, "decision": attempt.decision, "reasons": attempt.reasons }),
    );
    serde_json::json!({
        "type": Event::Verdict.name(),
        "case": case,
        "created_at": rfc3339(now_ms),
        "session": session,
        "reference": ask.reference,
        "metadata": ask.metadata,
        "attempt": placed.attempt,
        "sent_again": placed.again_of,
        "tried": tried.collect::<Vec<_>>(),
        "sha256": report.sha256,
        "decision": report.decision,
        "classification": report.classification,
        "legible": report.legible,
        "reasons": codes(report),
        "policy_id": report.policy_id,
    })
    .to_string()
}

impl Guarded for Arc<App> {
    fn access(&self) -> &Access {
        &self.access
    }
}

/// By what a picture is judged, and what is known before.
struct Judging {
    policy: Policy,
    shadow: Option<(String, Policy)>,
    known: Vec<Option<PictureHash>>,
}

type Seen = ControlFlow<(usize, Glimpse), (Examined, Stages)>;

fn examine(
    checker: &Checker,
    limits: &Limits,
    judging: &Judging,
    picture: &Picture,
    ask: &Ask,
    deadline: Deadline,
) -> Result<Seen, CaptureError> {
    let upload = Upload { bytes: &picture.bytes, name: picture.name.as_deref() };
    let is_known = |scene: &Scene<'_>| {
        if judging.known.is_empty() {
            return None;
        }
        let hash = scene.picture_hash();
        let known = judging.known.iter().position(|known| known.is_some_and(|known| known.shows_the_same(&hash)))?;
        let capture = scene.capture();
        let glimpse = Glimpse {
            sha256: sha256(&picture.bytes),
            picture_hash: hash,
            media_type: capture.media_type.mime(),
            size: (capture.width(), capture.height()),
        };
        Some((known, glimpse))
    };
    checker.look_unless(limits, &upload, deadline, is_known, |mut look| {
        let policy = &judging.policy;
        let revealed = ask.reveal.then(|| look.judge(policy, true));
        let masked = look.judge(policy, false);
        let overlay = ask.overlay.then(|| {
            let drawing = Instant::now();
            let mut jpeg = Vec::new();
            let encoder = JpegEncoder::new_with_quality(&mut jpeg, OVERLAY_QUALITY);
            let drawn = look.overlay(&masked).write_with_encoder(encoder);
            look.stages.add("overlay", drawing.elapsed());
            drawn.ok().map(|()| Bytes::from(jpeg))
        });
        let shadow = judging.shadow.as_ref().map(|(id, policy)| {
            let report = look.judge(policy, false);
            let own = (report.decision, codes(&report));
            Shadow { policy: id.clone(), force: (masked.decision, codes(&masked)), own }
        });
        let (report, masked) = match revealed {
            Some(revealed) => (Report { elapsed_ms: masked.elapsed_ms, ..revealed }, Some(masked)),
            None => (masked, None),
        };
        (Examined { report, masked, overlay: overlay.flatten(), shadow }, look.stages)
    })
}
