//! One upload → its verdict, recorded: what every route shares.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use image::codecs::jpeg::JpegEncoder;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::once::{Once, OnceKey};
use super::ready::Readiness;
use super::workers::{Undone, Workers};
use crate::capture::{CaptureError, Limits, Upload};
use crate::checker::{Checker, Stages};
use crate::policy::{Decision, Policy};
use crate::report::Report;
use crate::scene::Deadline;
use crate::service::auth::{Access, Guarded};
use crate::service::clock::{ms, now_ms, rfc3339};
use crate::service::config::{Config, Keep};
use crate::service::figures::{Figures, Now};
use crate::service::handoff::Handoffs;
use crate::service::http::intake::Picture;
use crate::service::http::pace::{Pace, Paces};
use crate::service::http::peer::Lane;
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::shares::{Full, Share, Shares};
use crate::service::store::{Idempotency, NewCase, NewPicture, ReviewStore, StoreError};
use crate::service::webhooks;
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
    pub(crate) public_url: Option<String>,
    pub(crate) scheme: &'static str,
    pub(crate) address: SocketAddr,
}

/// How a picture is to be judged.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ask {
    /// The document that is wanted; any where absent.
    pub(crate) face: Option<Face>,
    /// A policy by name; the checker's own where absent.
    pub(crate) policy: Option<String>,
    /// Whether to draw what was found.
    pub(crate) overlay: bool,
    /// Whether to show the number in clear.
    pub(crate) reveal: bool,
}

/// A picture, examined.
#[derive(Debug)]
pub(crate) struct Examined {
    /// As it is answered.
    pub(crate) report: Report,
    /// As it is recorded: the number masked, and no name of a file.
    pub(crate) kept: String,
    /// JPEG of the picture, small, with what was found.
    pub(crate) overlay: Option<Bytes>,
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

    /// The policy that `ask` names.
    pub(crate) fn policy(&self, ask: &Ask) -> Result<Policy, Problem> {
        let named = match ask.policy.as_deref() {
            None => self.checker.policy(),
            Some(name) => {
                let known = self.config.policies.iter().find(|(known, _)| known == name);
                known.map(|(_, policy)| policy).ok_or_else(|| {
                    Problem::bad_request("There is no policy of this name; see /v1/policy.", "没有此名称的策略。")
                })?
            }
        };
        Ok(match ask.face {
            Some(face) => named.clone().expecting(face),
            None => named.clone(),
        })
    }

    /// Examines a picture of `lane` on the workers' threads; `patiently` waits for as long as it takes.
    pub(crate) async fn examine(
        &self,
        lane: &Lane,
        picture: Picture,
        ask: &Ask,
        patiently: bool,
    ) -> Result<Examined, Problem> {
        let policy = self.policy(ask)?;
        let bounds = &self.config.uploads;
        let limits =
            Limits { bytes: bounds.bytes(), pixels: bounds.pixels(), side: bounds.max_side, ..*self.checker.limits() };
        let (checker, ask, span) = (Arc::clone(&self.checker), ask.clone(), self.config.work.deadline.into());
        // Who waits patiently has its time from when the work begins.
        let set = (!patiently).then(|| Deadline::after(span));
        let work = move || {
            let deadline = set.unwrap_or_else(|| Deadline::after(span));
            examine(&checker, &limits, &policy, &picture, &ask, deadline)
        };
        let done = if patiently {
            self.workers.run_patiently(lane, work).await
        } else {
            self.workers.run(lane, span, work).await
        };
        let (examined, waited) = done.map_err(|undone| match undone {
            Undone::Full(full) => self.no_room(lane, full, "queue"),
            Undone::Waited => self.overloaded(lane, "waited"),
            Undone::Failed => {
                let (en, zh) = ("The picture could not be examined. Send another one.", "无法检查该图片，请更换图片。");
                Problem::new(Kind::Internal, en, zh)
            }
        })?;
        self.figures.stage("queue", waited);
        let (examined, stages) = examined?;
        for (stage, spent) in stages.iter() {
            self.figures.stage(stage, spent);
        }
        Ok(examined)
    }

    /// Commits the verdict, what is kept of the picture, the audit's row and what webhooks are to be told, all or
    /// nothing; gives the case's id.
    pub(crate) async fn record(
        &self,
        examined: &Examined,
        bytes: &[u8],
        to: RecordFor<'_>,
    ) -> Result<String, StoreError> {
        let begun = Instant::now();
        let (id, now, report) = (uuid::Uuid::now_v7().to_string(), now_ms(), &examined.report);
        let remember = &self.config.remember;
        let kept = remember.keep == Keep::Review && report.decision == Decision::Review;
        let picture = kept.then(|| NewPicture { bytes, expires_ms: now.saturating_add(ms(remember.keep_for.into())) });
        let told = event(&id, now, report, to.session);
        let deliveries = webhooks::address(&self.config.webhooks, report.decision, "verdict", &told)?;
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
            report_json: &examined.kept,
            created_ms: now,
            picture,
            session: to.session,
            idempotency,
            deliveries: &deliveries,
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

/// What a webhook is told: the verdict in short, and where the whole of it is.
fn event(case: &str, now_ms: i64, report: &Report, session: Option<&str>) -> String {
    serde_json::json!({
        "type": "verdict",
        "case": case,
        "created_at": rfc3339(now_ms),
        "session": session,
        "sha256": report.sha256,
        "decision": report.decision,
        "classification": report.classification,
        "legible": report.legible,
        "reasons": report.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>(),
        "policy_id": report.policy_id,
    })
    .to_string()
}

impl Guarded for Arc<App> {
    fn access(&self) -> &Access {
        &self.access
    }
}

fn examine(
    checker: &Checker,
    limits: &Limits,
    policy: &Policy,
    picture: &Picture,
    ask: &Ask,
    deadline: Deadline,
) -> Result<(Examined, Stages), CaptureError> {
    let upload = Upload { bytes: &picture.bytes, name: picture.name.as_deref() };
    checker.look_within(limits, &upload, deadline, |mut look| {
        let revealed = ask.reveal.then(|| look.judge(policy, true));
        let mut masked = look.judge(policy, false);
        let overlay = ask.overlay.then(|| {
            let drawing = Instant::now();
            let mut jpeg = Vec::new();
            let encoder = JpegEncoder::new_with_quality(&mut jpeg, OVERLAY_QUALITY);
            let drawn = look.overlay(&masked).write_with_encoder(encoder);
            look.stages.add("overlay", drawing.elapsed());
            drawn.ok().map(|()| Bytes::from(jpeg))
        });
        let name = std::mem::replace(&mut masked.path, "-".to_owned());
        // Nothing in a report can fail to be written: its maps have text for keys.
        let kept = serde_json::to_string(&masked).unwrap_or_default();
        let report = match revealed {
            Some(revealed) => Report { elapsed_ms: masked.elapsed_ms, ..revealed },
            None => Report { path: name, ..masked },
        };
        (Examined { report, kept, overlay: overlay.flatten() }, look.stages)
    })
}
