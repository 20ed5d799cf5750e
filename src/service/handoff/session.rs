//! A PC that asks for photographs → a one-time token for a phone, and the steps that both see.
//!
//! Everything is held in memory and goes with the process: a hand-off lives for minutes, and its verdicts are in the
//! store like any others. Tokens are held as hashes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::words::{SessionState, SessionView, StepDecision, StepState, StepView, Wish};
use crate::report::Report;
use crate::service::clock::{ms, rfc3339};
use crate::service::http::peer::Lane;
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference};
use crate::service::http::shares::{Full, may_take};
use crate::vocabulary::{Face, Language};

/// Hand-offs held at a time; one caller opens half at most.
const MOST: usize = 2_000;

/// Photographs of one hand-off that are received or examined at a time: its phone is anybody's, its places are its owner's.
const AT_ONCE: usize = 2;

/// Steps of a hand-off.
pub(crate) const MOST_STEPS: usize = 8;

/// Photographs sent for one step.
const MOST_ATTEMPTS: u32 = 20;

/// Memory of all pictures that show what was found, of one caller half at most; where it is used up, sides see the verdict
/// without the picture.
const OVERLAY_BYTES: usize = 64 << 20;

/// How long a hand-off that has ended is remembered, so that who comes late hears why.
pub(super) const REMEMBERED: Duration = Duration::from_mins(10);

pub(super) type Hash = [u8; 32];

/// All hand-offs that are open.
pub(crate) struct Handoffs {
    span: Duration,
    max_bytes: usize,
    pub(super) held: Mutex<Held>,
}

#[derive(Default)]
pub(super) struct Held {
    pub(super) by_id: HashMap<String, Arc<Handoff>>,
    pub(super) by_token: HashMap<Hash, String>,
    overlay_bytes: usize,
}

/// One hand-off.
pub(crate) struct Handoff {
    id: String,
    /// Who asked for it: the photographs count as theirs.
    pub(crate) owner: String,
    /// By what they share places with others.
    pub(crate) lane: Lane,
    pub(crate) per_minute: Option<u32>,
    pub(crate) policy: Option<String>,
    pub(crate) reference: Option<Reference>,
    pub(crate) metadata: Option<Metadata>,
    lang: Option<Language>,
    max_bytes: usize,
    pub(super) token: Hash,
    watch: Hash,
    pub(super) state: Mutex<State>,
    pub(super) changed: watch::Sender<()>,
}

pub(super) struct State {
    pub(super) expires_ms: i64,
    phone: Option<Phone>,
    pub(super) steps: Vec<Step>,
}

impl State {
    fn overlay_bytes(&self) -> usize {
        self.steps.iter().filter_map(|step| step.overlay.as_ref()).map(Bytes::len).sum()
    }
}

/// The phone that has claimed a hand-off.
struct Phone {
    token: Hash,
    /// What it calls itself, so that it can be told apart from others that have the same QR code.
    claimant: Option<Hash>,
}

pub(super) struct Step {
    expect: Option<Face>,
    pub(super) state: StepState,
    attempts: u32,
    pub(super) case: Option<String>,
    pub(super) report: Option<Report>,
    overlay: Option<Bytes>,
    pub(super) decided: Option<StepDecision>,
}

/// A new hand-off and its tokens in clear, which are not seen again.
pub(crate) struct Opened {
    pub(crate) handoff: Arc<Handoff>,
    pub(crate) token: String,
    pub(crate) watch_token: String,
}

/// Which side a token is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// It sends photographs.
    Phone,
    /// It looks on.
    Pc,
}

/// What a new hand-off is for.
pub(crate) struct Wanted {
    pub(crate) owner: String,
    pub(crate) lane: Lane,
    pub(crate) per_minute: Option<u32>,
    pub(crate) policy: Option<String>,
    pub(crate) lang: Option<Language>,
    pub(crate) reference: Option<Reference>,
    pub(crate) metadata: Option<Metadata>,
    pub(crate) steps: Vec<Option<Face>>,
}

fn hash(token: &str) -> Hash {
    Sha256::digest(token).into()
}

/// 256 random bits as text.
fn token() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::new(Kind::Internal, "No code could be made.", "无法生成二维码。")
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn unknown() -> Problem {
    Problem::not_found()
}

fn used() -> Problem {
    let (en, zh) = ("This code has been used already. Ask for a new one.", "该二维码已被使用，请重新获取。");
    Problem::new(Kind::TokenUsed, en, zh)
}

fn expired() -> Problem {
    let (en, zh) = ("This code has expired. Ask for a new one.", "该二维码已过期，请重新获取。");
    Problem::new(Kind::SessionExpired, en, zh)
}

impl Handoffs {
    /// None yet; each lives for `span` before it is claimed, and as long again after, and takes photographs of up to
    /// `max_bytes`.
    pub(crate) fn new(span: Duration, max_bytes: usize) -> Self {
        Self { span, max_bytes, held: Mutex::default() }
    }

    /// A new one.
    pub(crate) fn open_for(&self, wanted: Wanted, now_ms: i64) -> Result<Opened, Problem> {
        let (phone_token, watch_token) = (token()?, token()?);
        let step = |expect| Step {
            expect,
            state: StepState::Waiting,
            attempts: 0,
            case: None,
            report: None,
            overlay: None,
            decided: None,
        };
        let state = State {
            expires_ms: now_ms.saturating_add(ms(self.span)),
            phone: None,
            steps: wanted.steps.into_iter().map(step).collect(),
        };
        let handoff = Arc::new(Handoff {
            id: uuid::Uuid::new_v4().to_string(),
            owner: wanted.owner,
            lane: wanted.lane,
            per_minute: wanted.per_minute,
            policy: wanted.policy,
            reference: wanted.reference,
            metadata: wanted.metadata,
            lang: wanted.lang,
            max_bytes: self.max_bytes,
            token: hash(&phone_token),
            watch: hash(&watch_token),
            state: Mutex::new(state),
            changed: watch::Sender::new(()),
        });
        self.sweep(now_ms);
        let mut held = self.held.lock();
        // Those that only wait for a person's decision take no place from others.
        let open: Vec<_> = held.by_id.values().filter(|other| other.is_remembered(now_ms)).collect();
        let own = open.iter().filter(|other| other.lane == handoff.lane).count();
        may_take(own, open.len(), MOST).map_err(|full| {
            let (kind, en, zh) = match full {
                Full::Share => {
                    (Kind::Share, "You have too many hand-offs open.", "您打开的扫码会话过多，请一分钟后重试。")
                }
                Full::All => (Kind::Overloaded, "Too many hand-offs are open.", "当前扫码会话过多，请一分钟后重试。"),
            };
            Problem::new(kind, format!("{en} Try again in a minute."), zh).retry_after(60)
        })?;
        held.by_token.insert(handoff.token, handoff.id.clone());
        held.by_id.insert(handoff.id.clone(), Arc::clone(&handoff));
        drop(held);
        Ok(Opened { handoff, token: phone_token, watch_token })
    }

    /// The phone's own token for the one that stood in the QR code, which is used up by this. The same `claimant` may
    /// claim again, since the answer may have been lost on its way: the token that was in it is worth nothing then.
    pub(crate) fn claim(
        &self,
        given: &str,
        claimant: Option<&str>,
        now_ms: i64,
    ) -> Result<(Arc<Handoff>, String), Problem> {
        let handoff = {
            let held = self.held.lock();
            let id = held.by_token.get(&hash(given));
            id.and_then(|id| held.by_id.get(id)).map(Arc::clone).ok_or_else(|| {
                let (en, zh) = ("This code is not known. Ask for a new one.", "无法识别该二维码，请重新获取。");
                Problem::new(Kind::NotFound, en, zh)
            })?
        };
        let (phone_token, claimant) = (token()?, claimant.map(hash));
        {
            let mut state = handoff.state.lock();
            let again = state.phone.as_ref().map(|phone| claimant.is_some() && phone.claimant == claimant);
            if again == Some(false) {
                return Err(used());
            }
            if state.expires_ms <= now_ms {
                return Err(expired());
            }
            state.phone = Some(Phone { token: hash(&phone_token), claimant });
            if again.is_none() {
                state.expires_ms = now_ms.saturating_add(ms(self.span));
            }
        }
        handoff.changed.send_replace(());
        Ok((handoff, phone_token))
    }

    /// The hand-off `id`, for who has one of its tokens.
    pub(crate) fn enter(&self, id: &str, token: Option<&str>) -> Result<(Arc<Handoff>, Side), Problem> {
        let token = hash(token.ok_or_else(Problem::unauthorized)?);
        let handoff = self.held.lock().by_id.get(id).map(Arc::clone).ok_or_else(unknown)?;
        let side = if token == handoff.watch {
            Side::Pc
        } else if handoff.state.lock().phone.as_ref().is_some_and(|phone| phone.token == token) {
            Side::Phone
        } else {
            return Err(Problem::unauthorized());
        };
        Ok((handoff, side))
    }

    /// How many are held.
    pub(crate) fn open(&self) -> usize {
        self.held.lock().by_id.len()
    }

    /// Tells watchers of what has expired, drops its pictures, and forgets what ended long ago.
    pub(crate) fn sweep(&self, now_ms: i64) {
        let mut held = self.held.lock();
        let mut freed = 0;
        let mut gone = Vec::new();
        held.by_id.retain(|_, handoff| {
            let mut state = handoff.state.lock();
            if state.expires_ms > now_ms {
                return true;
            }
            let overlays = state.steps.iter_mut().filter_map(|step| step.overlay.take());
            freed += overlays.map(|overlay| overlay.len()).sum::<usize>();
            let keep = state.keep(now_ms);
            drop(state);
            handoff.changed.send_replace(());
            if !keep {
                gone.push(handoff.token);
            }
            keep
        });
        held.overlay_bytes = held.overlay_bytes.saturating_sub(freed);
        for token in gone {
            held.by_token.remove(&token);
        }
        held.forget_reviewed(now_ms);
    }

    /// Begins to check a photograph for a step.
    pub(crate) fn begin(&self, handoff: &Arc<Handoff>, index: usize, now_ms: i64) -> Result<Attempt, Problem> {
        let mut state = handoff.state.lock();
        if state.expires_ms <= now_ms {
            return Err(expired());
        }
        let checking = state.steps.iter().filter(|step| step.state == StepState::Checking).count();
        let step = state.steps.get_mut(index).ok_or_else(unknown)?;
        if matches!(step.state, StepState::Checking | StepState::Done) {
            let (en, zh) = ("A photograph for this step has been sent already.", "该步骤的照片已提交。");
            return Err(Problem::new(Kind::Conflict, en, zh));
        }
        if step.attempts >= MOST_ATTEMPTS {
            let (en, zh) =
                ("Too many photographs for one step. Ask for a new code.", "尝试次数过多，请重新获取二维码。");
            return Err(Problem::new(Kind::Quota, en, zh).retry_after(self.span.as_secs()));
        }
        if checking >= AT_ONCE {
            let (en, zh) = ("Send one photograph after the other.", "请逐张上传照片。");
            return Err(Problem::new(Kind::Share, en, zh).retry_after(1));
        }
        let before = step.state;
        step.state = StepState::Checking;
        step.attempts += 1;
        let expect = step.expect;
        drop(state);
        handoff.changed.send_replace(());
        Ok(Attempt { handoff: Arc::clone(handoff), index, before: Some(before), expect })
    }

    /// Ends an attempt with what was found; gives the step as it is now.
    pub(crate) fn finish(
        &self,
        mut attempt: Attempt,
        case: String,
        report: Report,
        overlay: Option<Bytes>,
    ) -> Option<StepView> {
        use crate::policy::Decision::{Accept, Review};
        attempt.before = None;
        let mut held = self.held.lock();
        let others = held
            .by_id
            .values()
            .filter(|other| other.lane == attempt.handoff.lane && !Arc::ptr_eq(other, &attempt.handoff));
        let others = others.map(|other| other.state.lock().overlay_bytes()).sum::<usize>();
        let mut state = attempt.handoff.state.lock();
        let own = others + state.overlay_bytes();
        let step = state.steps.get_mut(attempt.index)?;
        let before = step.overlay.take().map_or(0, |overlay| overlay.len());
        held.overlay_bytes -= before.min(held.overlay_bytes);
        // With what is drawn now it is to have no more than is free then.
        let fits = |drawn: usize| may_take(own - before + 2 * drawn, held.overlay_bytes, OVERLAY_BYTES + 1).is_ok();
        step.overlay = overlay.filter(|overlay| fits(overlay.len()));
        held.overlay_bytes += step.overlay.as_ref().map_or(0, Bytes::len);
        step.state = if matches!(report.decision, Accept | Review) { StepState::Done } else { StepState::Retake };
        (step.case, step.report, step.decided) = (Some(case), Some(report), None);
        let view = view(attempt.index, step);
        drop((state, held));
        attempt.handoff.changed.send_replace(());
        Some(view)
    }
}

/// A photograph being checked; dropped without an end, its step is as before.
pub(crate) struct Attempt {
    handoff: Arc<Handoff>,
    index: usize,
    before: Option<StepState>,
    pub(crate) expect: Option<Face>,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Some(before) = self.before else { return };
        if let Some(step) = self.handoff.state.lock().steps.get_mut(self.index) {
            step.state = before;
        }
        self.handoff.changed.send_replace(());
    }
}

fn view(index: usize, step: &Step) -> StepView {
    StepView {
        index,
        expect: Wish(step.expect).name(),
        state: step.state,
        attempts: step.attempts,
        case: step.case.clone(),
        report: step.report.clone(),
        decided: step.decided.clone(),
    }
}

impl Handoff {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether a phone may still come with this one-time token, and why not.
    pub(crate) fn still_waits_with(&self, token: &str, now_ms: i64) -> Result<(), Problem> {
        if hash(token) != self.token {
            return Err(unknown());
        }
        let state = self.state.lock();
        if state.phone.is_some() {
            return Err(used());
        }
        if state.expires_ms <= now_ms { Err(expired()) } else { Ok(()) }
    }

    /// As both sides see it now.
    pub(crate) fn view(&self, now_ms: i64) -> SessionView {
        let state = self.state.lock();
        let done = state.steps.iter().all(|step| step.state == StepState::Done);
        let how = match &state.phone {
            _ if done => SessionState::Done,
            _ if state.expires_ms <= now_ms => SessionState::Expired,
            Some(_) => SessionState::Claimed,
            None => SessionState::Waiting,
        };
        SessionView {
            id: self.id.clone(),
            state: how,
            lang: self.lang,
            expires_at: rfc3339(state.expires_ms),
            max_bytes: self.max_bytes,
            in_review: state.in_review(),
            steps: state.steps.iter().enumerate().map(|(index, step)| view(index, step)).collect(),
        }
    }

    /// The picture that shows what was found at a step.
    pub(crate) fn overlay(&self, index: usize) -> Option<Bytes> {
        self.state.lock().steps.get(index)?.overlay.clone()
    }

    /// Hears of every change.
    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        let steps = vec![Some(Face::PortraitSide), None];
        Wanted {
            owner: "open".to_owned(),
            lane: "open".into(),
            per_minute: None,
            policy: None,
            lang: Some(Language::Zh),
            reference: None,
            metadata: None,
            steps,
        }
    }

    fn handoffs() -> Handoffs {
        Handoffs::new(Duration::from_mins(10), 1 << 20)
    }

    #[test]
    fn a_token_works_once_and_not_after_its_time() {
        let handoffs = handoffs();
        let opened = handoffs.open_for(wanted(), 0).unwrap();
        assert_eq!(opened.handoff.view(0).state, SessionState::Waiting);
        assert!(handoffs.claim("nonsense", None, 0).is_err_and(|p| p.code() == "not_found"));
        let (handoff, phone) = handoffs.claim(&opened.token, None, 599_999).unwrap();
        assert_eq!(handoff.view(600_000).state, SessionState::Claimed);
        assert!(handoffs.claim(&opened.token, None, 0).is_err_and(|p| p.code() == "token_used"));
        let sides = [&phone, &opened.watch_token, &opened.token].map(|token| {
            handoffs.enter(handoff.id(), Some(token)).map(|(_, side)| side).map_err(|problem| problem.code())
        });
        assert_eq!(sides, [Ok(Side::Phone), Ok(Side::Pc), Err("unauthorized")]);
        let late = handoffs.open_for(wanted(), 0).unwrap();
        assert!(handoffs.claim(&late.token, None, 600_000).is_err_and(|p| p.code() == "session_expired"));
    }

    #[test]
    fn who_claimed_a_token_may_claim_it_again() {
        let handoffs = handoffs();
        let opened = handoffs.open_for(wanted(), 0).unwrap();
        let (handoff, lost) = handoffs.claim(&opened.token, Some("mine"), 1_000).unwrap();
        for other in [None, Some("another's")] {
            assert!(handoffs.claim(&opened.token, other, 2_000).is_err_and(|p| p.code() == "token_used"));
        }
        let (_, phone) = handoffs.claim(&opened.token, Some("mine"), 2_000).unwrap();
        assert!(handoffs.enter(handoff.id(), Some(&phone)).is_ok_and(|(_, side)| side == Side::Phone));
        assert!(handoffs.enter(handoff.id(), Some(&lost)).is_err(), "the one that was lost is worth nothing");
        // It gains no time by that.
        assert!(handoffs.claim(&opened.token, Some("mine"), 601_000).is_err_and(|p| p.code() == "session_expired"));
    }

    #[test]
    fn a_broken_attempt_leaves_the_step_as_it_was() {
        let handoffs = handoffs();
        let opened = handoffs.open_for(wanted(), 0).unwrap();
        let attempt = handoffs.begin(&opened.handoff, 0, 0).unwrap();
        assert_eq!(attempt.expect, Some(Face::PortraitSide));
        assert_eq!(opened.handoff.view(0).steps[0].state, StepState::Checking);
        assert!(handoffs.begin(&opened.handoff, 0, 0).is_err_and(|p| p.code() == "conflict"));
        drop(attempt);
        let step = &opened.handoff.view(0).steps[0];
        assert_eq!((step.state, step.attempts), (StepState::Waiting, 1));
        assert!(handoffs.begin(&opened.handoff, 2, 0).is_err_and(|p| p.code() == "not_found"));
    }

    #[test]
    fn one_caller_opens_half_and_leaves_room_for_others() {
        let handoffs = handoffs();
        let of = |owner: &str| Wanted { owner: owner.to_owned(), lane: owner.into(), ..wanted() };
        for _ in 0..MOST / 2 {
            handoffs.open_for(of("greedy"), 0).unwrap();
        }
        assert!(handoffs.open_for(of("greedy"), 0).is_err_and(|p| p.code() == "too_many_at_once"));
        handoffs.open_for(of("other"), 0).unwrap();
        handoffs.sweep(3_600_000);
        assert!(handoffs.open_for(of("greedy"), 3_600_000).is_ok());
    }

    #[test]
    fn a_phone_sends_two_at_a_time_at_most() {
        let handoffs = handoffs();
        let opened = handoffs.open_for(Wanted { steps: vec![None; 4], ..wanted() }, 0).unwrap();
        let attempts = [0, 1].map(|step| handoffs.begin(&opened.handoff, step, 0).unwrap());
        assert!(handoffs.begin(&opened.handoff, 2, 0).is_err_and(|p| p.code() == "too_many_at_once"));
        drop(attempts);
        assert!(handoffs.begin(&opened.handoff, 2, 0).is_ok());
    }

    #[test]
    fn what_ended_long_ago_is_forgotten() {
        let handoffs = handoffs();
        let opened = handoffs.open_for(wanted(), 0).unwrap();
        let mut changes = opened.handoff.watch();
        handoffs.sweep(600_000);
        assert!(changes.has_changed().unwrap());
        assert_eq!((handoffs.open(), opened.handoff.view(600_000).state), (1, SessionState::Expired));
        changes.mark_unchanged();
        handoffs.sweep(1_200_000);
        assert_eq!(handoffs.open(), 0);
        assert!(handoffs.claim(&opened.token, None, 1_200_000).is_err_and(|p| p.code() == "not_found"));
    }
}
