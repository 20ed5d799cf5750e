//! One upload → its verdict, recorded: what every route shares.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use image::codecs::jpeg::JpegEncoder;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::access::{Access, Caller};
use super::config::{Config, Keep};
use super::figures::{Figures, Now};
use super::handoff::Handoffs;
use super::intake::Picture;
use super::problem::{Kind, Problem};
use super::store::{Idempotency, NewCase, NewPicture, ReviewStore, StoreError};
use super::webhooks;
use super::workers::{Undone, Workers};
use crate::capture::{CaptureError, Limits, Upload};
use crate::checker::{Checker, Stages};
use crate::policy::{Decision, Policy};
use crate::report::Report;
use crate::scene::Deadline;
use crate::vocabulary::Face;

/// Quality of the pictures that show what was found, 1 to 100.
const OVERLAY_QUALITY: u8 = 80;

/// What every request sees.
pub(super) struct App {
    pub(super) config: Config,
    pub(super) checker: Arc<Checker>,
    pub(super) workers: Workers,
    pub(super) uploads: Arc<Semaphore>,
    pub(super) store: ReviewStore,
    pub(super) access: Access,
    pub(super) figures: Figures,
    pub(super) handoffs: Handoffs,
    pub(super) draining: CancellationToken,
    pub(super) courier: Arc<Notify>,
    pub(super) once: Once,
    pub(super) public_url: Option<String>,
    pub(super) scheme: &'static str,
    pub(super) address: SocketAddr,
}

/// How a picture is to be judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Ask {
    /// The document that is wanted; any where absent.
    pub(super) face: Option<Face>,
    /// A policy by name; the checker's own where absent.
    pub(super) policy: Option<String>,
    /// Whether to draw what was found.
    pub(super) overlay: bool,
    /// Whether to show the number in clear.
    pub(super) reveal: bool,
}

/// A picture, examined.
#[derive(Debug)]
pub(super) struct Examined {
    /// As it is answered.
    pub(super) report: Report,
    /// As it is recorded: the number masked, and no name of a file.
    pub(super) kept: String,
    /// JPEG of the picture, small, with what was found.
    pub(super) overlay: Option<Bytes>,
}

/// Whom a record is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordFor<'a> {
    pub(super) caller: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) once: Option<&'a OnceKey>,
}

/// An idempotency key and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OnceKey {
    pub(super) key_hash: [u8; 32],
    pub(super) fingerprint: [u8; 32],
}

/// Requests with the same idempotency key go one after the other.
#[derive(Debug, Default)]
pub(super) struct Once(Mutex<HashMap<(String, [u8; 32]), Arc<tokio::sync::Mutex<()>>>>);

impl Once {
    /// The turn of `owner`'s `key`: held until dropped.
    pub(super) async fn turn(&self, owner: &str, key: &OnceKey) -> tokio::sync::OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry((owner.to_owned(), key.key_hash)).or_default())
        };
        lock.lock_owned().await
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// `ms` since 1970 as RFC 3339 has it, in UTC.
pub(super) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX).to_string()
}

/// `span` in milliseconds.
pub(super) fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl App {
    /// Room for another upload: asked before a byte of it is read, so that who finds none hears so at once.
    pub(super) fn room(&self) -> Result<OwnedSemaphorePermit, Problem> {
        if self.draining.is_cancelled() {
            self.figures.refused("stopping");
            let (en, zh) =
                ("The service is stopping. Send the picture again in a moment.", "服务正在重启，请稍后重新上传。");
            return Err(Problem::new(Kind::Unavailable, en, zh).retry_after(5));
        }
        if self.workers.is_full() {
            return Err(self.overloaded("queue"));
        }
        Arc::clone(&self.uploads).try_acquire_owned().map_err(|_| self.overloaded("uploads"))
    }

    fn overloaded(&self, cause: &'static str) -> Problem {
        self.figures.refused(cause);
        let seconds = self.workers.retry_after_s();
        Problem::new(
            Kind::Overloaded,
            format!("Too many pictures are being checked. Send it again in {seconds} s."),
            format!("服务繁忙，请 {seconds} 秒后重新上传。"),
        )
        .retry_after(seconds)
    }

    /// The policy that `ask` names.
    pub(super) fn policy(&self, ask: &Ask) -> Result<Policy, Problem> {
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

    /// Examines a picture on the workers' threads; `patiently` waits for as long as it takes.
    pub(super) async fn examine(&self, picture: Picture, ask: &Ask, patiently: bool) -> Result<Examined, Problem> {
        let policy = self.policy(ask)?;
        let bounds = &self.config.upload;
        let limits = Limits { bytes: bounds.bytes, pixels: bounds.pixels, side: bounds.side, ..*self.checker.limits() };
        let (checker, ask, span) = (Arc::clone(&self.checker), ask.clone(), self.config.deadline);
        // Who waits patiently has its time from when the work begins.
        let set = (!patiently).then(|| Deadline::after(span));
        let work = move || {
            let deadline = set.unwrap_or_else(|| Deadline::after(span));
            examine(&checker, &limits, &policy, &picture, &ask, deadline)
        };
        let done = if patiently { self.workers.run_patiently(work).await } else { self.workers.run(span, work).await };
        let (examined, waited) = done.map_err(|undone| match undone {
            Undone::Full => self.overloaded("queue"),
            Undone::Waited => self.overloaded("waited"),
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
    pub(super) async fn record(
        &self,
        examined: &Examined,
        bytes: &[u8],
        to: RecordFor<'_>,
    ) -> Result<String, StoreError> {
        let begun = Instant::now();
        let (id, now, report) = (uuid::Uuid::now_v7().to_string(), now_ms(), &examined.report);
        let picture = match &self.config.keep {
            Keep::Review { span, .. } if report.decision == Decision::Review => {
                Some(NewPicture { bytes, expires_ms: now.saturating_add(ms(*span)) })
            }
            _ => None,
        };
        let told = event(&id, now, report, to.session);
        let deliveries = webhooks::address(&self.config.webhooks, report.decision, "verdict", &told)?;
        let idempotency = to.once.map(|once| Idempotency {
            key_hash: once.key_hash,
            fingerprint: once.fingerprint,
            expires_ms: now.saturating_add(ms(self.config.idempotency)),
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
    pub(super) fn base_url(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_plain = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b));
        match (&self.public_url, host.filter(is_plain)) {
            (Some(url), _) => url.clone(),
            (None, Some(host)) => format!("{}://{host}", self.scheme),
            (None, None) => format!("{}://{}", self.scheme, self.address),
        }
    }

    /// What the gauges show.
    pub(super) fn now(&self) -> Now {
        Now {
            queue: self.workers.waiting(),
            busy: self.workers.busy(),
            uploads: self.config.upload.in_flight - self.uploads.available_permits().min(self.config.upload.in_flight),
            handoffs: self.handoffs.open(),
        }
    }

    /// Who calls, if they may do what `scope` says.
    pub(super) async fn admit(&self, headers: &HeaderMap, scope: super::store::Scope) -> Result<Caller, Problem> {
        self.access.admit(headers, scope, now_ms()).await
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

/// SHA-256 of parts, each with its length before it.
pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
