//! `POST /v1/tokens`: a key's wish → a short-lived token for an applicant's own browser.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AccessProblems, BodyProblems, body};
use crate::service::auth::{Checks, Who};
use crate::service::clock::{now_ms, rfc3339};
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference};
use crate::service::store::NewUploadToken;
use crate::service::work::app::{App, Ask};
use crate::vocabulary::Face;

/// Uploads of a token where it does not say how many: one more than the attempts that are allowed as shipped, and one
/// for a connection that breaks.
const UPLOADS: u32 = 5;
const MOST_UPLOADS: u32 = 20;

/// Minutes that a token lives where it does not say how long, and at most.
const MINUTES: u32 = 10;
const MOST_MINUTES: u32 = 60;

/// What a token is to be for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewToken {
    /// The caller's own id of the applicant or transaction: all uploads are of it.
    reference: Reference,
    /// What else the caller says of them.
    metadata: Option<Metadata>,
    /// The document, or side of it, that is wanted.
    document: Option<Face>,
    /// A policy by name.
    #[schema(max_length = 64)]
    policy: Option<String>,
    /// How many uploads, 1 to 20; 5 where left out.
    #[schema(minimum = 1, maximum = 20)]
    uploads: Option<u32>,
    /// How long it lives, 1 to 60; 10 where left out.
    #[schema(minimum = 1, maximum = 60)]
    minutes: Option<u32>,
}

/// A token, which is not shown again.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MadeToken {
    /// For `Authorization: Bearer …` of `POST /v1/check`, and nothing else.
    token: String,
    uploads: u32,
    expires_at: String,
}

/// What uploads by a token are asked for, as it is stored.
#[derive(Serialize, Deserialize)]
struct Asked {
    reference: String,
    metadata: Option<String>,
    document: Option<Face>,
    policy: Option<String>,
}

/// What uploads by a token are asked for.
pub(super) fn fixed(asked: &str) -> Result<Ask, Problem> {
    let unreadable = |_| Problem::new(Kind::Internal, "The token cannot be read.", "无法读取令牌。");
    let asked: Asked = serde_json::from_str(asked).map_err(unreadable)?;
    let said = |text: String| serde_json::Value::String(text);
    Ok(Ask {
        face: asked.document,
        policy: asked.policy,
        reference: Some(serde_json::from_value(said(asked.reference)).map_err(unreadable)?),
        metadata: asked.metadata.map(|text| serde_json::from_value(said(text))).transpose().map_err(unreadable)?,
        ..Ask::default()
    })
}

/// Makes a token with which an applicant's own browser sends pictures of one reference, without a key; needs the scope
/// `check`. What comes by it counts as the caller's, and holds for as long as the caller's key does.
#[utoipa::path(
    post,
    path = "/v1/tokens",
    request_body = NewToken,
    responses((status = 201, description = "Give it to the browser", body = MadeToken), AccessProblems, BodyProblems)
)]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    Who { caller, .. }: Who<Checks>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Response, Problem> {
    let NewToken { reference, metadata, document, policy, uploads, minutes } = body(&app, &headers, sent).await?;
    let (uploads, minutes) = (uploads.unwrap_or(UPLOADS), minutes.unwrap_or(MINUTES));
    if !(1..=MOST_UPLOADS).contains(&uploads) || !(1..=MOST_MINUTES).contains(&minutes) {
        return Err(Problem::bad_request(
            format!("A token is for 1 to {MOST_UPLOADS} uploads and lives 1 to {MOST_MINUTES} minutes."),
            format!("令牌可上传 1 到 {MOST_UPLOADS} 次，有效期 1 到 {MOST_MINUTES} 分钟。"),
        ));
    }
    app.policy(&Ask { face: document, policy: policy.clone(), ..Ask::default() }, &caller.id)?;
    let asked = Asked {
        reference: reference.as_str().to_owned(),
        metadata: metadata.map(|metadata| metadata.as_json().to_owned()),
        document,
        policy,
    };
    let asked = serde_json::to_string(&asked).unwrap_or_default();
    let expires_ms = now_ms().saturating_add(i64::from(minutes) * 60_000);
    let new = NewUploadToken { owner: &caller.id, asked: &asked, uploads, expires_ms };
    let token = app.store.create_upload_token(&new).await?;
    let made = MadeToken { token: token.as_str().to_owned(), uploads, expires_at: rfc3339(expires_ms) };
    Ok((StatusCode::CREATED, Json(made)).into_response())
}
