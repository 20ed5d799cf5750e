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

use super::{PictureProblems, tokens};
use crate::report::Report;
use crate::service::auth::{Caller, QuotaHeaders, bearer};
use crate::service::clock::now_ms;
use crate::service::http::intake::{self, NAME_BYTES, Picture};
use crate::service::http::peer::{Lane, Peer};
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference};
use crate::service::http::shares::Share;
use crate::service::store::{Replay, Scope, UPLOAD_PREFIX};
use crate::service::work::app::{App, Ask, RecordFor};
use crate::service::work::attempts::{Placed, Worked};
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
    /// For how many days the document is to be valid yet; being in date is enough without it.
    valid_for: Option<u16>,
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
    /// The caller's own id of the applicant or transaction: attempts of one are counted, and its cases are found by it.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128)]
    reference: Option<Reference>,
    /// What else the caller says, a JSON object of at most 16 texts, 1,000 bytes in all.
    #[param(value_type = Option<String>, max_length = 1000)]
    metadata: Option<Metadata>,
}

impl CheckQuery {
    /// Taken apart into what is asked and the file's name.
    pub(super) fn ask(self) -> Result<(Ask, Option<String>), Problem> {
        if self.name.as_ref().is_some_and(|name| name.len() > NAME_BYTES) {
            return Err(Problem::bad_request("The name is longer than 255 bytes.", "文件名超过 255 字节。"));
        }
        let CheckQuery { document: face, valid_for, policy, overlay, reveal, name, reference, metadata } = self;
        Ok((Ask { face, valid_for, policy, overlay, reveal, reference, metadata }, name))
    }
}

/// What a query cannot be read of.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(Problem::bad_request(rejection.body_text(), "查询参数有误。")),
    }
}

/// Refuses a text of a query that is longer than it may be, in characters.
pub(super) fn within(name: &str, text: Option<&str>, most: usize) -> Result<(), Problem> {
    if text.is_none_or(|text| text.chars().count() <= most) {
        return Ok(());
    }
    Err(Problem::bad_request(
        format!("`{name}` has more than {most} characters."),
        format!("`{name}` 超过 {most} 个字符。"),
    ))
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

/// The report, the picture where it was asked for, and what the caller said, where it said anything.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Checked {
    #[serde(flatten)]
    report: Report,
    #[serde(flatten)]
    beside: Beside,
}

/// What an answer has beside its report.
#[derive(Debug, Default, Serialize, ToSchema)]
struct Beside {
    /// `data:image/jpeg;base64,…`
    #[serde(skip_serializing_if = "Option::is_none")]
    overlay: Option<String>,
    /// What the caller calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    /// What else the caller said.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata>,
    /// Which attempt of the reference it is, from 1: since the last that was accepted or given to a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<i64>,
    /// The case that the same picture had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_again: Option<String>,
}

impl Beside {
    fn of(ask: &Ask, placed: &Placed) -> Self {
        Self {
            overlay: None,
            reference: ask.reference.clone(),
            metadata: ask.metadata.clone(),
            attempt: placed.attempt,
            sent_again: placed.again_of.clone(),
        }
    }
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
    /// For how many days the document is to be valid yet.
    valid_for: Option<u16>,
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
    /// The caller's own id of the applicant or transaction.
    reference: Option<Reference>,
    /// What else the caller says: JSON of at most 16 texts by name.
    #[schema(value_type = Option<String>, max_length = 1000)]
    metadata: Option<String>,
}

/// A picture in base64, and what else could stand in the query.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "describes the body")]
pub(super) struct ImageJson {
    /// The untouched file of the camera in base64, or a `data:` URL of it.
    image: String,
    /// The document, or side of it, that is wanted.
    document: Option<Face>,
    /// For how many days the document is to be valid yet.
    valid_for: Option<u16>,
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
    /// The caller's own id of the applicant or transaction.
    reference: Option<Reference>,
    /// What else the caller says.
    metadata: Option<Metadata>,
}

/// Checks one picture.
///
/// The body is the untouched file of the camera, raw, as the one file of a form, or in base64 as `image` of a JSON object;
/// fields of the form and other members of the object count like query parameters of the same names, and others are
/// refused. With an `Idempotency-Key` the same upload sent again is worked once and answered as before. With a `reference`
/// attempts are counted: a refused picture that is sent again is told as such (`sent_again`), and the last of as many as
/// the operator allows is given to a person (`attempts_exhausted`). A token of `/v1/tokens` is taken here, too.
#[utoipa::path(
    post,
    path = "/v1/check",
    params(
        CheckQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(
        description = "The untouched file, at most 16 MiB unless the operator says otherwise",
        content(
            (String = "image/jpeg"),
            (String = "application/octet-stream"),
            (Form = "multipart/form-data"),
            (ImageJson = "application/json")
        )
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
    let Entered { _room, caller, fixed, ask, name, key, quota } = match enter(&app, peer, asked, &headers).await {
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
        fields => may_ask(&app, &caller, fixed.as_ref(), together(&uri, fields)?)?,
    };
    let picture = Picture { name: name.or(picture.name), ..picture };
    let mut response = if let Some(key) = key {
        let once =
            OnceKey { key_hash: key_hash(&caller, fixed.as_ref(), &key), fingerprint: fingerprint(&ask, &picture) };
        once_only(&app, &caller, picture, &ask, &once).await?
    } else {
        let to = RecordFor { caller: &caller.id, session: None, once: None };
        answer(app.work(&caller.lane, picture, &ask, to, false).await?, &ask)?
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
    /// What the token says that it came with.
    fixed: Option<Ask>,
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
    let token = bearer(headers).filter(|token| token.starts_with(UPLOAD_PREFIX));
    let (caller, fixed) = match token {
        None => (app.access.admit(headers, peer, Scope::Check).await?, None),
        Some(token) => {
            let (caller, asked) = app.access.admit_upload(token, headers, peer).await?;
            (caller, Some(tokens::fixed(&asked)?))
        }
    };
    let room = app.room(&caller.lane)?;
    let (ask, name) = may_ask(app, &caller, fixed.as_ref(), query(asked)?)?;
    let key = headers.get(IDEMPOTENCY_KEY).map(|key| {
        let sound = |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        key.to_str().ok().filter(sound).map(str::to_owned).ok_or_else(|| {
            Problem::bad_request("An idempotency key has 1 to 255 visible ASCII characters.", "幂等键格式有误。")
        })
    });
    let key = key.transpose()?;
    let quota = app.access.spend(&caller.id, caller.per_minute)?;
    if let Some(token) = token {
        app.access.spend_upload(token).await?;
    }
    Ok(Entered { _room: room, caller, fixed, ask, name, key, quota })
}

/// What is asked and the file's name, if the caller may ask that.
fn may_ask(
    app: &App,
    caller: &Caller,
    fixed: Option<&Ask>,
    asked: CheckQuery,
) -> Result<(Ask, Option<String>), Problem> {
    let (asked, name) = asked.ask()?;
    let ask = match fixed {
        None => asked,
        Some(fixed) => {
            let says =
                asked.face.is_some() || asked.policy.is_some() || asked.reference.is_some() || asked.metadata.is_some();
            if says {
                return Err(Problem::bad_request(
                    "The token says `document`, `policy`, `reference` and `metadata`; an upload does not.",
                    "document、policy、reference 和 metadata 由令牌决定，上传时不可指定。",
                ));
            }
            Ask { overlay: asked.overlay, reveal: asked.reveal, ..fixed.clone() }
        }
    };
    if ask.reveal {
        caller.clone().allowed(Scope::Review)?;
    }
    app.policy(&ask, &caller.id)?;
    Ok((ask, name))
}

/// What an idempotency key is known by. Callers without a name are told apart by address, and browsers by what their token
/// is for: one's key is not another's.
fn key_hash(caller: &Caller, fixed: Option<&Ask>, key: &str) -> [u8; 32] {
    let token = fixed.and_then(|ask| ask.reference.as_ref()).map(|reference| reference.as_str().as_bytes());
    match token {
        Some(reference) => digest(&[key.as_bytes(), caller.lane.as_bytes(), reference]),
        None if *caller.id == *caller.lane => digest(&[key.as_bytes()]),
        None => digest(&[key.as_bytes(), caller.lane.as_bytes()]),
    }
}

/// What makes two uploads the same: the file, and everything that the verdict depends on.
fn fingerprint(ask: &Ask, picture: &Picture) -> [u8; 32] {
    let (face, policy) = (ask.face.map_or("", Face::name), ask.policy.as_deref().unwrap_or_default());
    let name = picture.name.as_deref().unwrap_or_default();
    let said = [ask.reference.as_ref().map(Reference::as_str), ask.metadata.as_ref().map(Metadata::as_json)];
    let [reference, metadata] = said.map(Option::unwrap_or_default);
    let mut parts = vec![face.as_bytes(), policy.as_bytes(), name.as_bytes(), &picture.bytes];
    // Keys that are remembered from before there were these are to be known again.
    if !(reference.is_empty() && metadata.is_empty()) {
        parts.extend([reference.as_bytes(), metadata.as_bytes()]);
    }
    digest(&parts)
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
    let to = RecordFor { caller: &caller.id, session: None, once: Some(once) };
    match app.work(&caller.lane, picture, ask, to, false).await {
        Ok(worked) => answer(worked, ask),
        // Another process of the service was quicker.
        Err(problem) if problem.is(Kind::Conflict) => {
            match app.store.replay(&caller.id, &once.key_hash, now_ms()).await? {
                Some(before) => again(app, caller, before, again_picture, ask, once).await,
                None => Err(problem),
            }
        }
        Err(problem) => Err(problem),
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
    let Replay { case_id, report_json, attempt, again_of, .. } = before;
    let placed = Placed { attempt, again_of, tried: Vec::new() };
    let mut response = match report_json {
        Some(report) if !ask.overlay && !ask.reveal => json(beside(report, &Beside::of(ask, &placed)).into(), &case_id),
        // Purged, or what was never kept.
        _ => {
            let examined = app.examine(&caller.lane, &caller.id, picture, ask, false).await?;
            answer(Worked { examined, case: case_id, placed }, ask)?
        }
    };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

fn answer(worked: Worked, ask: &Ask) -> Result<Response, Problem> {
    let Worked { examined, case, placed } = worked;
    let overlay = examined.overlay.map(|jpeg| format!("data:image/jpeg;base64,{}", BASE64.encode(jpeg)));
    // The client knows the name it sent; an answer that is given again later would not.
    let report = Report { path: "-".to_owned(), ..examined.report };
    let body = serde_json::to_vec(&Checked { report, beside: Beside { overlay, ..Beside::of(ask, &placed) } });
    let body = body.map_err(|_| Problem::new(Kind::Internal, "The report cannot be written.", "无法生成报告。"))?;
    Ok(json(body.into(), &case))
}

/// A report as it was kept, with what an answer has beside it.
fn beside(report: String, beside: &Beside) -> String {
    let beside = serde_json::to_string(beside).unwrap_or_default();
    match (report.strip_suffix('}'), beside.strip_prefix('{')) {
        (Some(report), Some(beside)) if beside != "}" => format!("{report},{beside}"),
        _ => report,
    }
}

fn json(body: Bytes, case: &str) -> Response {
    let mut response = ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    response.headers_mut().extend(HeaderValue::from_str(case).into_iter().map(|case| (CASE, case)));
    response
}
