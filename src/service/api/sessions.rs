//! The hand-off over HTTP: a PC opens it, a phone claims it, both watch it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::check::{query, together};
use super::{AccessProblems, At, BodyProblems, PictureProblems, body, problems};
use crate::service::auth::{Caller, Checks, Who, bearer};
use crate::service::clock::now_ms;
use crate::service::handoff::{
    self, Handoff, MOST_STEPS, Opened, SessionState, SessionView, Side, StepView, Wanted, Wish,
};
use crate::service::http::intake::{self, NAME_BYTES, Picture};
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference};
use crate::service::work::app::{App, Ask, RecordFor};
use crate::service::work::attempts::Worked;
use crate::vocabulary::Language;

/// How often a quiet event stream shows that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What is to be photographed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct NewSession {
    /// Documents, or sides of one, in order; `any` for any. One `any` where left out.
    #[schema(min_items = 1, max_items = 8)]
    steps: Option<Vec<Wish>>,
    /// A policy by name.
    policy: Option<String>,
    /// Language of the phone's page; its own where left out.
    lang: Option<Language>,
    /// The caller's own id of the applicant or transaction: attempts are counted by it over hand-offs and checks.
    reference: Option<Reference>,
    /// What else the caller says.
    metadata: Option<Metadata>,
}

/// A hand-off that was opened, with its tokens, which are not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenedSession {
    #[serde(flatten)]
    session: SessionView,
    /// Where the phone goes; holds the one-time token.
    phone_url: String,
    /// The same as a QR code, SVG.
    qr_svg: String,
    /// Watches the hand-off; cannot send pictures.
    watch_token: String,
    /// A page that shows the code and watches it; holds the one-time token too.
    watch_url: String,
    /// What the caller calls it; neither page is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What else the caller said; neither page is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
}

/// Where a phone goes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Code {
    /// Holds the one-time token.
    phone_url: String,
    /// The same as a QR code, SVG.
    qr_svg: String,
}

impl Code {
    /// The code of the one-time `token`, for a phone that reaches the service under `base`.
    fn new(base: &str, token: &str) -> Result<Self, Problem> {
        // In the fragment, which browsers send to nobody: no log and no Referer holds a token.
        let phone_url = format!("{base}/phone#{token}");
        let qr_svg = handoff::svg(&phone_url)?;
        Ok(Self { phone_url, qr_svg })
    }
}

struct OpenProblems;

impl IntoResponses for OpenProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::Share, Kind::Internal, Kind::Overloaded, Kind::Unavailable])
    }
}

/// Opens a hand-off to a phone.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    request_body = NewSession,
    responses((status = 201, description = "Show the QR code", body = OpenedSession), AccessProblems, BodyProblems, OpenProblems)
)]
pub(super) async fn open(
    State(app): State<Arc<App>>,
    Who { caller, .. }: Who<Checks>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Problem> {
    let NewSession { steps, policy, lang, reference, metadata } = body(&app, &headers, sent).await?;
    let steps = steps.unwrap_or_else(|| {
        let own = app.config.tenant(&caller.id).map(|tenant| tenant.documents.as_slice()).unwrap_or_default();
        let own: Vec<_> = own.iter().take(MOST_STEPS).map(|face| Wish(Some(*face))).collect();
        if own.is_empty() { vec![Wish(None)] } else { own }
    });
    if !(1..=MOST_STEPS).contains(&steps.len()) {
        return Err(Problem::bad_request(
            format!("A hand-off has 1 to {MOST_STEPS} steps."),
            format!("步骤数应为 1 到 {MOST_STEPS}。"),
        ));
    }
    for Wish(face) in &steps {
        app.policy(&Ask { face: *face, policy: policy.clone(), ..Ask::default() }, &caller.id)?;
    }
    let steps = steps.into_iter().map(|Wish(face)| face).collect();
    let said = (reference.clone(), metadata.clone());
    let Caller { id: owner, lane, per_minute, .. } = caller;
    let wanted = Wanted { owner, lane, per_minute, policy, lang, reference, metadata, steps };
    let opened = app.handoffs.open_for(wanted, now_ms())?;
    let Opened { handoff, token, watch_token } = opened;
    let base = app.base_url(&headers);
    let Code { phone_url, qr_svg } = Code::new(&base, &token)?;
    let watch_url = format!("{base}/capture#{}.{watch_token}.{token}", handoff.id());
    let (session, (reference, metadata)) = (handoff.view(now_ms()), said);
    let body = OpenedSession { session, phone_url, qr_svg, watch_token, watch_url, reference, metadata };
    Ok((StatusCode::CREATED, Json(body)).into_response())
}

/// The token of the QR code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    token: String,
    /// A secret that the phone makes up before: with the same one it may claim again, should the answer be lost. 16 to
    /// 128 characters.
    #[schema(min_length = 16, max_length = 128)]
    claimant: Option<String>,
}

/// A hand-off that a phone has claimed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Claimed {
    /// Sends pictures.
    phone_token: String,
    session: SessionView,
}

struct ClaimProblems;

impl IntoResponses for ClaimProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::NotFound, Kind::TokenUsed, Kind::SessionExpired, Kind::Internal])
    }
}

/// Takes the one-time token of a QR code; it works once, for whoever comes first.
#[utoipa::path(
    post,
    path = "/v1/sessions/claim",
    security(()),
    request_body = Claim,
    responses((status = 200, description = "The phone's own token", body = Claimed), BodyProblems, ClaimProblems)
)]
pub(super) async fn claim(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<Claimed>, Problem> {
    let Claim { token, claimant } = body(&app, &headers, sent).await?;
    if claimant.as_ref().is_some_and(|secret| !(16..=128).contains(&secret.chars().count())) {
        return Err(Problem::bad_request(
            "A claimant has 16 to 128 characters.",
            "claimant 长度应为 16 到 128 个字符。",
        ));
    }
    let (handoff, phone_token) = app.handoffs.claim(&token, claimant.as_deref(), now_ms())?;
    Ok(Json(Claimed { phone_token, session: handoff.view(now_ms()) }))
}

/// The token that `watch_url` holds for the phone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    token: String,
}

struct CodeProblems;

impl IntoResponses for CodeProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::Unauthorized, Kind::NotFound, Kind::TokenUsed, Kind::SessionExpired, Kind::Internal])
    }
}

/// Draws the code for the phone, for who watches the hand-off and has its one-time token, until a phone has taken it.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/code",
    params(("id" = String, Path)),
    request_body = Shown,
    responses((status = 200, description = "Show the QR code", body = Code), BodyProblems, CodeProblems)
)]
pub(super) async fn code(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<Code>, Problem> {
    let (handoff, _) = match enter(&app, &id, &headers) {
        Ok(entered) => entered,
        Err(problem) => {
            intake::throw_away(&headers, sent);
            return Err(problem);
        }
    };
    let Shown { token } = body(&app, &headers, sent).await?;
    handoff.still_waits_with(&token, now_ms())?;
    Ok(Json(Code::new(&app.base_url(&headers), &token)?))
}

struct WatchProblems;

impl IntoResponses for WatchProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::BadRequest, Kind::Unauthorized, Kind::NotFound])
    }
}

/// The hand-off, for who has one of its tokens.
fn enter(app: &App, id: &str, headers: &HeaderMap) -> Result<(Arc<Handoff>, Side), Problem> {
    app.handoffs.enter(id, bearer(headers))
}

/// How far a hand-off is.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}",
    params(("id" = String, Path)),
    responses((status = 200, description = "As it is now", body = SessionView), WatchProblems)
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    headers: HeaderMap,
) -> Result<Json<SessionView>, Problem> {
    let (handoff, _) = enter(&app, &id, &headers)?;
    Ok(Json(handoff.view(now_ms())))
}

/// Every change of a hand-off: an event `session` with the whole of it, at once and at each change.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/events",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "Ends when the hand-off does", body = String, content_type = "text/event-stream"),
        WatchProblems
    )
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let (handoff, _) = enter(&app, &id, &headers)?;
    let mut changes = handoff.watch();
    changes.mark_changed();
    let stopping = app.draining.clone();
    let views = stream::unfold(Some((handoff, changes)), move |state| {
        let stopping = stopping.clone();
        async move {
            let (handoff, mut changes) = state?;
            tokio::select! {
                () = stopping.cancelled() => return None,
                changed = changes.changed() => changed.ok()?,
            }
            let view = handoff.view(now_ms());
            let ended = view.state == SessionState::Expired || view.state == SessionState::Done && !view.in_review;
            let event = Event::default().event("session").json_data(&view).ok()?;
            Some((Ok(event), (!ended).then_some((handoff, changes))))
        }
    });
    Ok(Sse::new(views).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// The name of a photograph.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadQuery {
    /// The file's name, a hint where the file itself says nothing.
    #[param(max_length = 255)]
    name: Option<String>,
}

/// A form: the file, and its name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the form")]
pub(super) struct Photograph {
    /// The untouched file of the camera.
    #[schema(format = Binary, value_type = String)]
    file: String,
    /// The file's name, a hint where the file itself says nothing.
    #[schema(max_length = 255)]
    name: Option<String>,
}

struct StepProblems;

impl IntoResponses for StepProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::NotFound, Kind::Conflict, Kind::SessionExpired])
    }
}

/// The phone's photograph for a step: the untouched file.
#[utoipa::path(
    put,
    path = "/v1/sessions/{id}/steps/{index}",
    params(("id" = String, Path), ("index" = usize, Path), UploadQuery),
    request_body(content((String = "image/jpeg"), (String = "application/octet-stream"), (Photograph = "multipart/form-data"))),
    responses((status = 200, description = "The step with its verdict", body = StepView), PictureProblems, StepProblems)
)]
pub(super) async fn upload(
    State(app): State<Arc<App>>,
    At((id, index)): At<(String, usize)>,
    asked: Result<Query<UploadQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<StepView>, Problem> {
    let begun = (|| {
        app.takes_more()?;
        let (handoff, side) = enter(&app, &id, &headers)?;
        if side != Side::Phone {
            let (en, zh) = ("Only the phone sends photographs.", "只能由手机上传照片。");
            return Err(Problem::new(Kind::Forbidden, en, zh));
        }
        let name = query(asked)?.name.filter(|name| name.len() <= NAME_BYTES);
        let room = app.room(&handoff.lane)?;
        app.access.spend(&handoff.owner, handoff.per_minute)?;
        let attempt = app.handoffs.begin(&handoff, index, now_ms())?;
        Ok((room, handoff, attempt, name))
    })();
    let (_room, handoff, attempt, name) = match begun {
        Ok(begun) => begun,
        Err(problem) => {
            intake::throw_away(&headers, sent);
            return Err(problem);
        }
    };
    let pace = app.pace(&handoff.lane);
    let (picture, fields) = intake::picture(&headers, sent, &app.config.uploads, pace.as_ref()).await?;
    let name = match &fields[..] {
        [] => name,
        fields => together::<UploadQuery>(&uri, fields)?.name.filter(|name| name.len() <= NAME_BYTES),
    };
    let ask = Ask {
        face: attempt.expect,
        policy: handoff.policy.clone(),
        overlay: true,
        reference: handoff.reference.clone(),
        metadata: handoff.metadata.clone(),
        ..Ask::default()
    };
    let picture = Picture { name: name.or(picture.name), ..picture };
    let to = RecordFor { caller: &handoff.owner, session: Some(handoff.id()), once: None };
    let Worked { mut examined, case, .. } = app.work(&handoff.lane, picture, &ask, to, false).await?;
    "-".clone_into(&mut examined.report.path);
    let step = app.handoffs.finish(attempt, case, examined.report, examined.overlay);
    step.map(Json).ok_or_else(Problem::not_found)
}

/// What was found at a step, drawn on the picture, small.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/steps/{index}/overlay",
    params(("id" = String, Path), ("index" = usize, Path)),
    responses((status = 200, description = "JPEG", body = String, content_type = "image/jpeg"), WatchProblems)
)]
pub(super) async fn overlay(
    State(app): State<Arc<App>>,
    At((id, index)): At<(String, usize)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (handoff, _) = enter(&app, &id, &headers)?;
    let jpeg = handoff.overlay(index).ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response())
}
