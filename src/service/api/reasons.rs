//! `GET /v1/reasons`: every reason that may be told, with what it asks for and its words.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::AccessProblems;
use crate::policy::{CODES, Code, Decision, Policy};
use crate::service::auth::{Checks, Who};
use crate::service::work::app::App;
use crate::words::Sentence;

/// Reasons that the service gives itself, and what they ask for.
const OWN: [(&str, &[Decision]); 2] =
    [("sent_again", &[Decision::Retake, Decision::Reject]), ("attempts_exhausted", &[Decision::Review])];

/// Code of a reason; the description has the table of all.
pub(super) struct ReasonCode;

impl PartialSchema for ReasonCode {
    fn schema() -> RefOr<Schema> {
        let row = |code: &Code| {
            let Sentence { en, zh } = code.told(Decision::Retake, None, None);
            format!("| `{}` | {en} | {zh} |", code.code())
        };
        let rows: Vec<_> = CODES.iter().map(row).collect();
        let table = format!("| code | en | zh |\n|---|---|---|\n{}", rows.join("\n"));
        let codes = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(CODES.iter().map(Code::code)));
        codes.description(Some(table)).into()
    }
}

impl ToSchema for ReasonCode {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ReasonCode")
    }
}

/// Every reason.
#[derive(Serialize, ToSchema)]
pub(super) struct Reasons {
    reasons: Vec<ReasonRow>,
}

/// A reason, what it asks for, and its words.
#[derive(Serialize, ToSchema)]
struct ReasonRow {
    #[schema(value_type = ReasonCode)]
    code: &'static str,
    /// What it may ask for under the caller's policy; none where no rule of it is in force.
    actions: Vec<Decision>,
    /// What an applicant is told.
    text: Sentence,
    /// What an applicant is told where a person looks.
    review_text: Sentence,
    /// Its name at other services.
    tencent: Option<&'static str>,
    baidu: Option<&'static str>,
    onfido_veriff: Option<&'static str>,
}

fn actions(code: &str, policy: &Policy) -> Vec<Decision> {
    if let Some((_, own)) = OWN.iter().find(|(own, _)| *own == code) {
        return own.to_vec();
    }
    let rules = policy.rules();
    let rules: Vec<_> = rules.iter().filter(|rule| rule.enabled && rule.code == code).collect();
    let asked = |limit: fn(&&crate::policy::RuleView) -> bool| rules.iter().copied().any(|rule| limit(&rule));
    [
        (Decision::Retake, asked(|rule| rule.retake.is_some())),
        (Decision::Review, asked(|rule| rule.review.is_some())),
        (Decision::Reject, asked(|rule| rule.reject.is_some())),
    ]
    .into_iter()
    .filter_map(|(decision, is_asked)| is_asked.then_some(decision))
    .collect()
}

/// Every reason that may be told, with what it asks for under the caller's policy, and its words in English and Chinese.
#[utoipa::path(
    get,
    path = "/v1/reasons",
    responses((status = 200, description = "Reasons", body = Reasons), AccessProblems)
)]
pub(super) async fn reasons(State(app): State<Arc<App>>, Who { caller, .. }: Who<Checks>) -> Json<Reasons> {
    let tenant = app.config.tenant(&caller.id).and_then(|tenant| tenant.policy.as_ref());
    let policy = tenant.unwrap_or_else(|| app.checker.policy());
    let row = |code: &Code| ReasonRow {
        code: code.code(),
        actions: actions(code.code(), policy),
        text: code.told(Decision::Retake, None, None),
        review_text: code.told(Decision::Review, None, None),
        tencent: code.tencent,
        baidu: code.baidu,
        onfido_veriff: code.onfido_veriff,
    };
    Json(Reasons { reasons: CODES.iter().map(row).collect() })
}
