//! Recorded cases → what a reviewer sees and decides; and their end.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, IntoResponses, ToSchema};

use super::check::query;
use super::{AccessProblems, At, BodyProblems, body, problems};
use crate::policy::Decision;
use crate::report::Report;
use crate::service::auth::{Administers, Reviews, Who};
use crate::service::clock::{now_ms, rfc3339};
use crate::service::http::problem::{Kind, Problem};
use crate::service::store::{CaseFilter, CaseState, CaseSummary, StoreError};
use crate::service::work::app::App;

/// Cases of a page, unless fewer are asked for.
const PAGE: u32 = 50;

/// Which cases are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Those that a person has decided, or has not.
    state: Option<CaseState>,
    /// What the gate decided.
    decision: Option<Decision>,
    /// The `seq` that the page before ended with.
    #[param(minimum = 0)]
    before: Option<i64>,
    /// 1 to 500; 50 where left out.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// A case, its report aside.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listed {
    id: String,
    /// Its place among all cases.
    seq: i64,
    /// `key:<id>`, `oidc:<subject>` or `open`.
    owner: String,
    sha256: String,
    media_type: String,
    decision: Decision,
    classification: String,
    /// The hand-off it came from.
    session: Option<String>,
    created_at: String,
    /// What a person decided.
    decided: Option<Decided>,
    /// When it was purged.
    purged_at: Option<String>,
    /// Until when the picture is kept; `null` where there is none.
    picture_until: Option<String>,
}

/// What a person decided.
#[derive(Debug, Serialize, ToSchema)]
struct Decided {
    decision: Decision,
    actor: String,
    at: String,
    note: Option<String>,
}

impl From<CaseSummary> for Listed {
    fn from(case: CaseSummary) -> Self {
        Self {
            id: case.id,
            seq: case.seq,
            owner: case.owner,
            sha256: case.sha256,
            media_type: case.media_type,
            decision: case.decision,
            classification: case.classification,
            session: case.session,
            created_at: rfc3339(case.created_ms),
            decided: case.decided.map(|decided| Decided {
                decision: decided.decision,
                actor: decided.actor,
                at: rfc3339(decided.time_ms),
                note: decided.note,
            }),
            purged_at: case.purged_ms.map(rfc3339),
            picture_until: case.picture_until_ms.map(rfc3339),
        }
    }
}

/// A page of cases, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CaseList {
    cases: Vec<Listed>,
    /// `before` of the next page; `null` at the end.
    next: Option<i64>,
}

/// A case with its report.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FullCase {
    #[serde(flatten)]
    case: Listed,
    /// As it was answered, the number masked.
    #[schema(value_type = Report)]
    report: Box<RawValue>,
}

struct CaseProblems;

impl IntoResponses for CaseProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::NotFound])
    }
}

/// Lists cases, the newest first; needs the scope `review`.
#[utoipa::path(
    get,
    path = "/v1/cases",
    params(ListQuery),
    responses((status = 200, description = "A page", body = CaseList), AccessProblems)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _: Who<Reviews>,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<CaseList>, Problem> {
    let ListQuery { state, decision, before, limit } = query(asked)?;
    let limit = limit.unwrap_or(PAGE);
    if !(1..=500).contains(&limit) || before.is_some_and(|before| before < 0) {
        return Err(Problem::bad_request(
            "A page has 1 to 500 cases and begins before a `seq` of 0 or more.",
            "每页 1 到 500 条，before 不得为负。",
        ));
    }
    let cases = app.store.cases(CaseFilter { owner: None, state, decision, before, limit }).await?;
    let next = cases.last().filter(|_| cases.len() == limit as usize).map(|case| case.seq);
    Ok(Json(CaseList { cases: cases.into_iter().map(Into::into).collect(), next }))
}

/// A case with its report, until it is purged; needs the scope `review`.
#[utoipa::path(
    get,
    path = "/v1/cases/{id}",
    params(("id" = String, Path)),
    responses((status = 200, description = "The case", body = FullCase), AccessProblems, CaseProblems)
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    _: Who<Reviews>,
) -> Result<Json<FullCase>, Problem> {
    let case = app.store.case(&id).await?.ok_or_else(Problem::not_found)?;
    // Purged: that it was there is still listed.
    let report = case.report_json.ok_or_else(Problem::not_found)?;
    let report = RawValue::from_string(report);
    let report = report.map_err(|_| Problem::from(StoreError::Corrupt("a report is no JSON".to_owned())))?;
    Ok(Json(FullCase { case: case.summary.into(), report }))
}

/// The picture of a case, while it is kept; needs the scope `review`.
#[utoipa::path(
    get,
    path = "/v1/cases/{id}/picture",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The untouched file", body = String, content_type = "application/octet-stream"),
        AccessProblems,
        CaseProblems
    )
)]
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    _: Who<Reviews>,
) -> Result<Response, Problem> {
    let picture = app.store.picture(&id).await?.ok_or_else(Problem::not_found)?;
    // Never as what it claims to be: a browser is not to open what an uploader made.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"picture\""),
    ];
    Ok((headers, picture.bytes).into_response())
}

/// What a person decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDecision {
    decision: Decision,
    /// Their words, at most 2,000 characters.
    #[schema(max_length = 2000)]
    note: Option<String>,
}

struct DecideProblems;

impl IntoResponses for DecideProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::NotFound, Kind::Conflict])
    }
}

/// Records what a person decides; needs the scope `review`. A case is decided once.
#[utoipa::path(
    post,
    path = "/v1/cases/{id}/decision",
    params(("id" = String, Path)),
    request_body = NewDecision,
    responses((status = 200, description = "The case", body = Listed), AccessProblems, BodyProblems, DecideProblems)
)]
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Who { caller, .. }: Who<Reviews>,
    headers: HeaderMap,
    sent: Body,
) -> Result<Json<Listed>, Problem> {
    let NewDecision { decision, note } = body(&app, &headers, sent).await?;
    if note.as_ref().is_some_and(|note| note.chars().count() > 2000) {
        return Err(Problem::bad_request("The note is longer than 2,000 characters.", "备注超过 2000 字。"));
    }
    app.store.decide(&id, &caller.id, decision, note.as_deref(), now_ms()).await?;
    let case = app.store.case(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(case.summary.into()))
}

/// Deletes the report and picture of a case for good; needs the scope `admin`. That it was there stays in the audit.
#[utoipa::path(
    delete,
    path = "/v1/cases/{id}",
    params(("id" = String, Path)),
    responses((status = 204, description = "It is gone"), AccessProblems, CaseProblems)
)]
pub(super) async fn purge(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Who { caller, .. }: Who<Administers>,
) -> Result<StatusCode, Problem> {
    app.store.purge(&id, &caller.id, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}
