//! `GET /v1/shadow`: what the policies in the shadow would change.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::AccessProblems;
use super::cases::moment;
use super::check::{query, within};
use crate::service::auth::{Reviews, Who};
use crate::service::http::problem::Problem;
use crate::service::store::{ShadowFilter, ShadowReport};
use crate::service::work::app::App;

/// Which outcomes are counted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ShadowQuery {
    /// Whose: `key:<id>`, `oidc:<subject>` or `open`.
    #[param(max_length = 300)]
    owner: Option<String>,
    /// Recorded from then on: a time (RFC 3339) or a day, which begins in UTC.
    #[param(max_length = 40)]
    from: Option<String>,
    /// Recorded before then.
    #[param(max_length = 40)]
    until: Option<String>,
}

/// What the policies in the shadow would change.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShadowReports {
    policies: Vec<ShadowReport>,
}

/// What the policies in the shadow would change, by transition and by reason; needs the scope `review`. Attempts that
/// were handed over or sent again do not count: no policy decided them.
#[utoipa::path(
    get,
    path = "/v1/shadow",
    params(ShadowQuery),
    responses((status = 200, description = "Counts, with intervals", body = ShadowReports), AccessProblems)
)]
pub(super) async fn shadow(
    State(app): State<Arc<App>>,
    _: Who<Reviews>,
    asked: Result<Query<ShadowQuery>, QueryRejection>,
) -> Result<Json<ShadowReports>, Problem> {
    let ShadowQuery { owner, from, until } = query(asked)?;
    within("owner", owner.as_deref(), 300)?;
    let (from_ms, until_ms) = (moment(from.as_deref())?, moment(until.as_deref())?);
    let filter = ShadowFilter { owner: owner.as_deref(), from_ms, until_ms };
    Ok(Json(ShadowReports { policies: app.store.shadow(filter).await? }))
}
