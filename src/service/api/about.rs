//! What the service measures, by what it judges, and how it is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccessProblems, problems};
use crate::detectors::{DETECTORS, DetectorInfo};
use crate::policy::{CODES, Decision, RuleView};
use crate::service::auth::{Administers, Checks, Who};
use crate::service::http::problem::{Kind, Problem};
use crate::service::work::app::App;
use crate::words::Sentence;

/// What is measured, and what may be said of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Explained {
    /// Every detector.
    detectors: Vec<Detector>,
    /// Every risk that a reason may name.
    risks: Vec<Risk>,
}

/// What a detector measures, how, and what it cannot see.
#[derive(Serialize, ToSchema)]
struct Detector {
    id: &'static str,
    question: &'static str,
    method: &'static str,
    blind_spots: &'static str,
    readings: Vec<ReadingInfo>,
}

/// One measured quantity.
#[derive(Serialize, ToSchema)]
struct ReadingInfo {
    id: &'static str,
    unit: &'static str,
    meaning: &'static str,
}

/// A risk, what an applicant is told, and its name at other services.
#[derive(Serialize, ToSchema)]
struct Risk {
    code: &'static str,
    en: String,
    zh: String,
    tencent: Option<&'static str>,
    baidu: Option<&'static str>,
    onfido_veriff: Option<&'static str>,
}

impl From<&DetectorInfo> for Detector {
    fn from(info: &DetectorInfo) -> Self {
        let readings = info.readings.iter();
        let readings = readings.map(|r| ReadingInfo { id: r.id, unit: r.unit, meaning: r.meaning }).collect();
        let DetectorInfo { id, question, method, blind_spots, .. } = *info;
        Self { id, question, method, blind_spots, readings }
    }
}

/// Says what each detector measures, how, and what it cannot see.
#[utoipa::path(
    get,
    path = "/v1/explain",
    responses((status = 200, description = "Detectors and risks", body = Explained), AccessProblems)
)]
pub(super) async fn explain(_: Who<Checks>) -> Json<Explained> {
    let detectors = DETECTORS.iter().map(|entry| (&entry.info).into()).collect();
    let risk = |c: &crate::policy::Code| {
        let Sentence { en, zh } = c.told(Decision::Retake, None, None);
        Risk { code: c.code(), en, zh, tencent: c.tencent, baidu: c.baidu, onfido_veriff: c.onfido_veriff }
    };
    Json(Explained { detectors, risks: CODES.iter().map(risk).collect() })
}

/// The policies.
#[derive(Serialize, ToSchema)]
pub(super) struct Policies {
    /// Judges where a request of this caller names no other.
    default: PolicyView,
    /// Others, by the name that a request gives.
    named: Vec<NamedPolicy>,
}

#[derive(Serialize, ToSchema)]
struct NamedPolicy {
    name: String,
    policy: PolicyView,
}

/// A policy.
#[derive(Serialize, ToSchema)]
struct PolicyView {
    id: String,
    /// Legible means this or more, of the legibility score.
    legible_from: f64,
    rules: Vec<RuleView>,
}

fn view(policy: &crate::policy::Policy) -> PolicyView {
    PolicyView { id: policy.id().to_owned(), legible_from: policy.legible_from(), rules: policy.rules() }
}

/// The policies that judge, with every threshold.
#[utoipa::path(
    get,
    path = "/v1/policy",
    responses((status = 200, description = "Policies", body = Policies), AccessProblems)
)]
pub(super) async fn policy(State(app): State<Arc<App>>, Who { caller, .. }: Who<Checks>) -> Json<Policies> {
    let own = app.config.tenant(&caller.id).and_then(|tenant| tenant.policy.as_ref());
    let named =
        app.config.policies.iter().map(|(name, policy)| NamedPolicy { name: name.clone(), policy: view(policy) });
    Json(Policies { default: view(own.unwrap_or_else(|| app.checker.policy())), named: named.collect() })
}

/// That the service lives.
#[derive(Serialize, ToSchema)]
pub(super) struct Health {
    /// `ok`
    status: &'static str,
    /// Version of the program.
    version: &'static str,
}

const OK: Health = Health { status: "ok", version: env!("CARGO_PKG_VERSION") };

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", security(()), responses((status = 200, description = "It does", body = Health)))]
pub(super) async fn healthz() -> Json<Health> {
    Json(OK)
}

struct NotReady;

impl utoipa::IntoResponses for NotReady {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::Unavailable])
    }
}

/// Whether uploads can be taken: verdicts can be recorded in the store that is on its path now, and the service is not
/// stopping. It is tried by writing, once a second at most.
#[utoipa::path(
    get,
    path = "/readyz",
    security(()),
    responses((status = 200, description = "They can", body = Health), NotReady)
)]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<Json<Health>, Problem> {
    let unavailable = |en: &str, zh: &str| Problem::new(Kind::Unavailable, en, zh).retry_after(5);
    if app.draining.is_cancelled() {
        return Err(unavailable("The service is stopping.", "服务正在停止。"));
    }
    if app.ready.of(&app.store).await {
        return Ok(Json(OK));
    }
    Err(unavailable(
        "Verdicts cannot be recorded: the store is away, locked, read-only or full.",
        "存储不可用、被锁定、只读或已满，无法记录结果。",
    ))
}

/// Figures for Prometheus; needs the scope `admin`.
#[utoipa::path(
    get,
    path = "/metrics",
    responses(
        (status = 200, description = "OpenMetrics", body = String, content_type = "application/openmetrics-text"),
        AccessProblems
    )
)]
pub(super) async fn metrics(State(app): State<Arc<App>>, _: Who<Administers>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.figures.text(app.now()))
}
