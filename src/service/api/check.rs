//! `POST /v1/check`: one picture → the report that the program gives.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::PictureProblems;
use crate::report::Report;
use crate::service::auth::{Caller, QuotaHeaders};
use crate::service::clock::now_ms;
use crate::service::http::intake::{self, NAME_BYTES, Picture};
use crate::service::http::peer::{Lane, Peer};
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::shares::Share;
use crate::service::store::{Replay, Scope, StoreError};
use crate::service::work::app::{App, Ask, Examined, RecordFor};
use crate::service::work::once::{OnceKey, digest};
use crate::vocabulary::Face;

/// Names the case in the store.
pub(super) const CASE: HeaderName = HeaderName::from_static("bonafide-case");

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The client's name for one upload (IETF httpapi draft).
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// How a picture is to be judged.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CheckQuery {
    /// The document, or side of it, that is wanted; anything else is to be taken again.
    document: Option<Face>,
    /// A policy by name, as `/v1/policy` lists them.
    #[param(max_length = 64)]
    policy: Option<String>,
    /// Adds `overlay`: the picture, small, with everything found drawn on it, as a `data:` URL.
    #[serde(default)]
    overlay: bool,
    /// Shows the document's number and what it says in clear; needs the scope `review`.
    #[serde(default)]
    reveal: bool,
    /// The file's name, a hint where the file itself says nothing (`Screenshot_…`).
    #[param(max_length = 255)]
    name: Option<String>,
}

impl CheckQuery {
    /// Taken apart into what is asked and the file's name.
    pub(super) fn ask(self) -> Result<(Ask, Option<String>), Problem> {
        if self.name.as_ref().is_some_and(|name| name.len() > NAME_BYTES) {
            return Err(Problem::bad_request("The name is longer than 255 bytes.", "文件名超过 255 字节。"));
        }
        let ask = Ask { face: self.document, policy: self.policy, overlay: self.overlay, reveal: self.reveal };
        Ok((ask, self.name))
    }
}

/// What a query cannot be read of.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(Problem::bad_request(rejection.body_text(), "查询参数有误。")),
    }
}

/// What a query and the fields of a form say together: a field counts like the query parameter of its name, and nothing
/// may be said twice.
pub(super) fn together<T: DeserializeOwned>(uri: &Uri, fields: &[(String, String)]) -> Result<T, Problem> {
    use std::fmt::Write as _;
    let mut all = format!("/?{}", uri.query().unwrap_or_default());
    for pair in fields {
        let [name, value] = [&pair.0, &pair.1].map(|text| {
            text.bytes().fold(String::new(), |mut out, byte| {
                // Writing to a String cannot fail.
                let _ = write!(out, "%{byte:02X}");
                out
            })
        });
        let _ = write!(all, "&{name}={value}");
    }
    let refused = |cause: String| {
        let cause = cause.trim_start_matches("Failed to deserialize query string: ").to_owned();
        Problem::bad_request(
            format!("The form's fields and the query: {cause}."),
            format!("表单字段与查询参数有误：{cause}。"),
        )
    };
    let all: Uri = all.parse().map_err(|_| refused("they are too long".to_owned()))?;
    Query::try_from_uri(&all).map(|Query(said)| said).map_err(|rejection| refused(rejection.body_text()))
}

/// The report, and the picture where it was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checked {
    #[serde(flatten)]
    report: Report,
    /// `data:image/jpeg;base64,…`
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<String>,
}

/// A form: the file, and what else could stand in the query.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the form")]
pub(super) struct Form {
    /// The untouched file of the camera.
    #[schema(format = Binary, value_type = String)]
    file: String,
    /// The document, or side of it, that is wanted.
    document: Option<Face>,
    /// A policy by name.
    #[schema(max_length = 64)]
    policy: Option<String>,
    /// Adds the picture with everything found drawn on it.
    overlay: Option<bool>,
    /// Shows the document's number in clear; needs the scope `review`.
    reveal: Option<bool>,
    /// The file's name, a hint where the file itself says nothing.
    #[schema(max_length = 255)]
    name: Option<String>,
}

/// Checks one picture.
///
/// The body is the untouched file of the camera, raw or as the one file of a form, whose fields count like query
/// parameters of the same names; other fields are refused. With an `Idempotency-Key` the same
/// upload sent again is worked once and answered as before.
#[utoipa::path(
    post,
    path = "/v1/check",
    params(
        CheckQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(
        description = "The untouched file, at most 16 MiB unless the operator says otherwise",
        content((String = "image/jpeg"), (String = "application/octet-stream"), (Form = "multipart/form-data"))
    ),
    responses(
        (
            status = 200,
            description = "The verdict",
            body = Checked,
            headers(
                ("bonafide-case" = String, description = "Id of the case"),
                ("idempotency-replayed" = String, description = "`true` where the answer was given before")
            )
        ),
        PictureProblems
    )
)]
pub(super) async fn check(
    State(app): State<Arc<App>>,
    peer: Peer,
    asked: Result<Query<CheckQuery>, QueryRejection>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let Entered { _room, caller, ask, name, key, quota } = match enter(&app, peer, asked, &headers).await {
        Ok(entered) => entered,
        Err(problem) => {
            intake::throw_away(&headers, body);
            return Err(problem);
        }
    };
    let receiving = std::time::Instant::now();
    let pace = app.pace(&caller.lane);
    let (picture, fields) = intake::picture(&headers, body, &app.config.uploads, pace.as_ref()).await?;
    app.figures.stage("receive", receiving.elapsed());
    let (ask, name) = match &fields[..] {
        [] => (ask, name),
        fields => may_ask(&app, &caller, together(&uri, fields)?)?,
    };
    let picture = Picture { name: name.or(picture.name), ..picture };
    let mut response = if let Some(key) = key {
        let once = OnceKey { key_hash: key_hash(&caller, &key), fingerprint: fingerprint(&ask, &picture) };
        once_only(&app, &caller, picture, &ask, &once).await?
    } else {
        let bytes = picture.bytes.clone();
        let examined = app.examine(&caller.lane, picture, &ask, false).await?;
        let to = RecordFor { caller: &caller.id, session: None, once: None };
        let case = app.record(&examined, &bytes, to).await?;
        answer(examined, &case)?
    };
    for (name, value) in quota.iter().flatten() {
        let value = HeaderValue::from_str(value);
        response.headers_mut().extend(value.into_iter().map(|value| (HeaderName::from_static(name), value)));
    }
    Ok(response)
}

/// A request that may send its body.
struct Entered {
    _room: Share<Lane>,
    caller: Caller,
    ask: Ask,
    name: Option<String>,
    key: Option<String>,
    quota: Option<QuotaHeaders>,
}

/// Everything that can be refused before a byte of the body is read.
async fn enter(
    app: &App,
    peer: Peer,
    asked: Result<Query<CheckQuery>, QueryRejection>,
    headers: &HeaderMap,
) -> Result<Entered, Problem> {
    app.takes_more()?;
    let caller = app.access.admit(headers, peer, Scope::Check).await?;
    let room = app.room(&caller.lane)?;
    let (ask, name) = may_ask(app, &caller, query(asked)?)?;
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| {
        let sound = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        key.to_str().ok().filter(sound).map(str::to_owned).ok_or_else(|| {
            Problem::bad_request("An idempotency key has 1 to 255 visible ASCII characters.", "幂等键格式有误。")
        })
    });
    let key = key.transpose()?;
    let quota = app.access.spend(&caller.id, caller.per_minute)?;
    Ok(Entered { _room: room, caller, ask, name, key, quota })
}

/// What is asked and the file's name, if the caller may ask that.
fn may_ask(app: &App, caller: &Caller, asked: CheckQuery) -> Result<(Ask, Option<String>), Problem> {
    let (ask, name) = asked.ask()?;
    if ask.reveal {
        caller.clone().allowed(Scope::Review)?;
    }
    app.policy(&ask)?;
    Ok((ask, name))
}

/// What an idempotency key is known by. Callers without a name are told apart by address: one's key is not another's.
fn key_hash(caller: &Caller, key: &str) -> [u8; 32] {
    if *caller.id == *caller.lane {
        digest(&[key.as_bytes()])
    } else {
        digest(&[key.as_bytes(), caller.lane.as_bytes()])
    }
}

/// What makes two uploads the same: the file, and everything that the verdict depends on.
fn fingerprint(ask: &Ask, picture: &Picture) -> [u8; 32] {
    let (face, policy) = (ask.face.map_or("", Face::name), ask.policy.as_deref().unwrap_or_default());
    let name = picture.name.as_deref().unwrap_or_default();
    digest(&[face.as_bytes(), policy.as_bytes(), name.as_bytes(), &picture.bytes])
}

/// Works an upload once, however often and however close together it comes.
async fn once_only(
    app: &App,
    caller: &Caller,
    picture: Picture,
    ask: &Ask,
    once: &OnceKey,
) -> Result<Response, Problem> {
    let _turn = app.once.turn(&caller.id, once).await;
    if let Some(before) = app.store.replay(&caller.id, &once.key_hash, now_ms()).await? {
        return again(app, caller, before, picture, ask, once).await;
    }
    let again_picture = Picture { bytes: picture.bytes.clone(), name: picture.name.clone() };
    let examined = app.examine(&caller.lane, picture, ask, false).await?;
    let to = RecordFor { caller: &caller.id, session: None, once: Some(once) };
    match app.record(&examined, &again_picture.bytes, to).await {
        Ok(case) => answer(examined, &case),
        // Another process of the service was quicker.
        Err(StoreError::Conflict(what)) => match app.store.replay(&caller.id, &once.key_hash, now_ms()).await? {
            Some(before) => again(app, caller, before, again_picture, ask, once).await,
            None => Err(StoreError::Conflict(what).into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// The answer to an upload that was worked before. What is never kept (the picture, the number in clear) is made anew.
async fn again(
    app: &App,
    caller: &Caller,
    before: Replay,
    picture: Picture,
    ask: &Ask,
    once: &OnceKey,
) -> Result<Response, Problem> {
    if before.fingerprint != once.fingerprint {
        let (en, zh) = ("This idempotency key came with another upload.", "该幂等键已用于其他上传。");
        return Err(Problem::new(Kind::KeyReused, en, zh));
    }
    let mut response = match before.report_json {
        Some(report) if !ask.overlay && !ask.reveal => json(report.into(), &before.case_id),
        // Purged, or what was never kept.
        _ => answer(app.examine(&caller.lane, picture, ask, false).await?, &before.case_id)?,
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn answer(examined: Examined, case: &str) -> Result<Response, Problem> {
    let overlay = examined.overlay.map(|jpeg| format!("data:image/jpeg;base64,{}", BASE64.encode(jpeg)));
    // The client knows the name it sent; an answer that is given again later would not.
    let report = Report { path: "-".to_owned(), ..examined.report };
    let body = serde_json::to_vec(&Checked { report, overlay });
    let body = body.map_err(|_| Problem::new(Kind::Internal, "The report cannot be written.", "无法生成报告。"))?;
    Ok(json(body.into(), case))
}

fn json(body: Bytes, case: &str) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().extend(HeaderValue::from_str(case).into_iter().map(|case| (CASE, case)));
    response
}
