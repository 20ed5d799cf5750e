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

use super::check::{query, within};
use super::{AccessProblems, At, BodyProblems, body, problems};
use crate::policy::Decision;
use crate::report::Report;
use crate::service::auth::{Administers, Caller, Reviews, Who};
use crate::service::clock::{now_ms, rfc3339};
use crate::service::handoff::StepDecision;
use crate::service::http::problem::{Kind, Problem};
use crate::service::http::said::{Metadata, Reference, object};
use crate::service::store::{self, Attempt, Case, CaseFilter, CaseState, CaseSummary, Scope, ScoreName, StoreError};
use crate::service::webhooks::{self, Event};
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
    /// Code of a reason that they have, as `/v1/reasons` lists them.
    #[param(max_length = 64)]
    reason: Option<String>,
    /// Whose: `key:<id>`, `oidc:<subject>` or `open`. Without the scope `review` one's own alone.
    #[param(max_length = 300)]
    owner: Option<String>,
    /// What their caller calls them.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128)]
    reference: Option<Reference>,
    /// Recorded from then on: a time (RFC 3339) or a day, which begins in UTC.
    #[param(max_length = 40)]
    from: Option<String>,
    /// Recorded before then.
    #[param(max_length = 40)]
    until: Option<String>,
    /// The score that `score_from` and `score_until` are of; what has none is not listed.
    score: Option<ScoreName>,
    /// The least it has.
    #[param(minimum = 0, maximum = 1)]
    score_from: Option<f64>,
    /// The most it has.
    #[param(minimum = 0, maximum = 1)]
    score_until: Option<f64>,
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
    /// Codes of its reasons, the weightiest first.
    reasons: Vec<String>,
    scores: ListedScores,
    /// The document that was asked for.
    document: Option<String>,
    /// What its caller calls it.
    reference: Option<String>,
    /// What else its caller says of it.
    #[schema(value_type = Option<Metadata>)]
    metadata: Option<Box<RawValue>>,
    /// Which attempt of the reference it was, from 1.
    attempt: Option<i64>,
    /// The case that the same picture had before.
    sent_again: Option<String>,
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

/// The scores of a case; `null` where they were not measured or are gone.
#[derive(Debug, Serialize, ToSchema)]
struct ListedScores {
    screen: Option<f64>,
    print: Option<f64>,
    legibility: Option<f64>,
}

/// What a person decided.
#[derive(Debug, Serialize, ToSchema)]
struct Decided {
    decision: Decision,
    /// Words to the applicant.
    message: Option<String>,
    at: String,
    /// Who decided; for the scope `review` alone.
    actor: Option<String>,
    /// Words to those who review; for the scope `review` alone.
    note: Option<String>,
}

impl Listed {
    /// As `reach` may see it.
    fn of(case: CaseSummary, reach: &Reach) -> Self {
        let inside = matches!(reach, Reach::All);
        Self {
            id: case.id,
            seq: case.seq,
            owner: case.owner,
            sha256: case.sha256,
            media_type: case.media_type,
            decision: case.decision,
            classification: case.classification,
            reasons: case.reasons,
            scores: ListedScores {
                screen: case.scores.screen,
                print: case.scores.print,
                legibility: case.scores.legibility,
            },
            document: case.wanted,
            reference: case.reference,
            metadata: object(case.metadata),
            attempt: case.attempt,
            sent_again: case.again_of,
            session: case.session,
            created_at: rfc3339(case.created_ms),
            decided: case.decided.map(|decided| Decided {
                decision: decided.decision,
                message: decided.message,
                at: rfc3339(decided.time_ms),
                actor: inside.then_some(decided.actor),
                note: decided.note.filter(|_| inside),
            }),
            purged_at: case.purged_ms.map(rfc3339),
            picture_until: case.picture_until_ms.map(rfc3339),
        }
    }
}

/// Which cases a caller sees.
enum Reach {
    /// All: those who review.
    All,
    /// Those that came by this caller.
    Own(String),
}

impl Reach {
    fn of(caller: Caller) -> Result<Self, Problem> {
        if caller.scopes.allow(Scope::Review) {
            return Ok(Self::All);
        }
        if caller.scopes.allow(Scope::Check) {
            return Ok(Self::Own(caller.id));
        }
        caller.allowed(Scope::Review).map(|_| Self::All)
    }

    fn holds(&self, owner: &str) -> bool {
        match self {
            Self::All => true,
            Self::Own(own) => own == owner,
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
    /// What was refused of the same reference just before, the newest first.
    tried: Vec<Tried>,
    /// As it was answered, the number masked; `null` where its time is over.
    #[schema(value_type = Option<Report>)]
    report: Option<Box<RawValue>>,
}

/// An attempt that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct Tried {
    case: String,
    created_at: String,
    decision: Decision,
    /// Codes of its reasons.
    reasons: Vec<String>,
    /// The case that the same picture had before.
    sent_again: Option<String>,
}

impl From<Attempt> for Tried {
    fn from(attempt: Attempt) -> Self {
        Self {
            case: attempt.id,
            created_at: rfc3339(attempt.created_ms),
            decision: attempt.decision,
            reasons: attempt.reasons,
            sent_again: attempt.again_of,
        }
    }
}

/// A point in time as people write it, in milliseconds since 1970.
pub(super) fn moment(text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp());
    let time = text.parse::<jiff::Timestamp>().ok().or_else(day);
    time.map(|time| Some(time.as_millisecond())).ok_or_else(|| {
        Problem::bad_request(
            "A time is written as 2026-11-28T09:00:00Z, or as a day.",
            "时间格式应为 2026-11-28T09:00:00Z，或仅日期。",
        )
    })
}

struct CaseProblems;

impl IntoResponses for CaseProblems {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        problems(&[Kind::NotFound])
    }
}

/// Lists cases, the newest first: all for the scope `review`, one's own for the scope `check`.
#[utoipa::path(
    get,
    path = "/v1/cases",
    params(ListQuery),
    responses((status = 200, description = "A page", body = CaseList), AccessProblems)
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    asked: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<CaseList>, Problem> {
    let reach = Reach::of(caller)?;
    let asked = query(asked)?;
    within("reason", asked.reason.as_deref(), 64)?;
    within("owner", asked.owner.as_deref(), 300)?;
    let limit = asked.limit.unwrap_or(PAGE);
    if !(1..=500).contains(&limit) || asked.before.is_some_and(|before| before < 0) {
        return Err(Problem::bad_request(
            "A page has 1 to 500 cases and begins before a `seq` of 0 or more.",
            "每页 1 到 500 条，before 不得为负。",
        ));
    }
    let owner = match (&reach, asked.owner.as_deref()) {
        (Reach::Own(own), Some(owner)) if own != owner => {
            let (en, zh) =
                ("Cases of others need a key with the scope `review`.", "查看他人的案例需要 `review` 权限。");
            return Err(Problem::new(Kind::Forbidden, en, zh));
        }
        (Reach::Own(own), _) => Some(own.as_str()),
        (Reach::All, owner) => owner,
    };
    let filter = CaseFilter {
        owner,
        state: asked.state,
        decision: asked.decision,
        reason: asked.reason.as_deref(),
        reference: asked.reference.as_ref().map(Reference::as_str),
        from_ms: moment(asked.from.as_deref())?,
        until_ms: moment(asked.until.as_deref())?,
        score: score(&asked)?,
        before: asked.before,
        limit,
    };
    let cases = app.store.cases(filter).await?;
    let next = cases.last().filter(|_| cases.len() == limit as usize).map(|case| case.seq);
    Ok(Json(CaseList { cases: cases.into_iter().map(|case| Listed::of(case, &reach)).collect(), next }))
}

/// The range of a score that is asked for.
fn score(asked: &ListQuery) -> Result<Option<(ScoreName, f64, f64)>, Problem> {
    let refused = || {
        Problem::bad_request(
            "`score_from` and `score_until`, 0 to 1, go with a `score`.",
            "score_from 与 score_until（0 到 1）须与 score 一起使用。",
        )
    };
    let (least, most) = (asked.score_from.unwrap_or(0.0), asked.score_until.unwrap_or(1.0));
    match asked.score {
        None if asked.score_from.is_some() || asked.score_until.is_some() => Err(refused()),
        None => Ok(None),
        Some(_) if ![least, most].iter().all(|end| (0.0..=1.0).contains(end)) => Err(refused()),
        Some(score) => Ok(Some((score, least, most))),
    }
}

/// A case with its report and what was refused just before, until it is purged: any for the scope `review`, one's own
/// for the scope `check`.
#[utoipa::path(
    get,
    path = "/v1/cases/{id}",
    params(("id" = String, Path)),
    responses((status = 200, description = "The case", body = FullCase), AccessProblems, CaseProblems)
)]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    caller: Caller,
) -> Result<Json<FullCase>, Problem> {
    let reach = Reach::of(caller)?;
    let found = app.store.case(&id).await?;
    // Another's looks like none. Purged: that it was there is still listed.
    let case = found.filter(|case| reach.holds(&case.summary.owner) && case.summary.purged_ms.is_none());
    let Case { summary, report_json } = case.ok_or_else(Problem::not_found)?;
    let report = report_json.map(RawValue::from_string).transpose();
    let report = report.map_err(|_| Problem::from(StoreError::Corrupt("a report is no JSON".to_owned())))?;
    let tried = match (&summary.reference, summary.attempt) {
        (Some(reference), Some(2..)) => {
            let wanted = summary.wanted.as_deref();
            app.store.refused(&summary.owner, reference, wanted, Some(summary.seq)).await?
        }
        _ => Vec::new(),
    };
    let tried = tried.into_iter().map(Tried::from).collect();
    Ok(Json(FullCase { case: Listed::of(summary, &reach), tried, report }))
}

/// Formats that browsers draw.
const DRAWN: [(&str, &str); 5] = [
    ("image/jpeg", "inline; filename=\"picture.jpg\""),
    ("image/png", "inline; filename=\"picture.png\""),
    ("image/webp", "inline; filename=\"picture.webp\""),
    ("image/gif", "inline; filename=\"picture.gif\""),
    ("image/bmp", "inline; filename=\"picture.bmp\""),
];

/// The picture of a case, while it is kept, as the picture that it is; needs the scope `review`, and the audit says who
/// saw it. What browsers do not draw (HEIC, TIFF, PDF) comes as a file.
#[utoipa::path(
    get,
    path = "/v1/cases/{id}/picture",
    params(("id" = String, Path)),
    responses(
        (
            status = 200,
            description = "The untouched file",
            content(
                (String = "image/jpeg"),
                (String = "image/png"),
                (String = "image/webp"),
                (String = "image/gif"),
                (String = "image/bmp"),
                (String = "application/octet-stream")
            )
        ),
        AccessProblems,
        CaseProblems
    )
)]
pub(super) async fn picture(
    State(app): State<Arc<App>>,
    At(id): At<String>,
    Who { caller, .. }: Who<Reviews>,
) -> Result<Response, Problem> {
    let picture = app.store.picture(&id, &caller.id, now_ms()).await?.ok_or_else(Problem::not_found)?;
    let drawn = DRAWN.iter().find(|(kind, _)| *kind == picture.media_type);
    // What is not drawn is never opened as what it claims to be.
    let (kind, disposition) =
        drawn.copied().unwrap_or(("application/octet-stream", "attachment; filename=\"picture\""));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        // Whatever it is, nothing in it runs.
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; sandbox"),
    ];
    Ok((headers, picture.bytes).into_response())
}

/// What a person decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewDecision {
    decision: Decision,
    /// Their words to those who review, at most 2,000 characters; neither the applicant nor a key without the scope
    /// `review` sees them.
    #[schema(max_length = 2000)]
    note: Option<String>,
    /// Their words to the applicant, at most 2,000 characters.
    #[schema(max_length = 2000)]
    message: Option<String>,
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
    let NewDecision { decision, note, message } = body(&app, &headers, sent).await?;
    if [&note, &message].into_iter().flatten().any(|words| words.chars().count() > 2000) {
        return Err(Problem::bad_request(
            "A note or message is longer than 2,000 characters.",
            "备注或消息超过 2000 字。",
        ));
    }
    let case = app.store.case(&id).await?.ok_or_else(Problem::not_found)?.summary;
    let now = now_ms();
    let (note, message) = (note.as_deref(), message.as_deref());
    let told = decided(&case, decision, &caller.id, note, message, now);
    let about = [decision, case.decision];
    let deliveries = webhooks::address(&app.config.webhooks, Event::Decision, &about, &told)?;
    let new = store::NewDecision { decision, note, message, deliveries: &deliveries };
    app.store.decide(&id, &caller.id, &new, now).await?;
    if !deliveries.is_empty() {
        app.courier.notify_one();
    }
    if let Some(session) = &case.session {
        let told = StepDecision { decision, message: message.map(str::to_owned), at: rfc3339(now) };
        app.handoffs.decided(session, &id, &told);
    }
    let case = app.store.case(&id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(Listed::of(case.summary, &Reach::All)))
}

/// What a webhook is told of a person's decision.
fn decided(
    case: &CaseSummary,
    decision: Decision,
    actor: &str,
    note: Option<&str>,
    message: Option<&str>,
    now_ms: i64,
) -> String {
    serde_json::json!({
        "type": Event::Decision.name(),
        "case": case.id,
        "created_at": rfc3339(case.created_ms),
        "decided_at": rfc3339(now_ms),
        "session": case.session,
        "reference": case.reference,
        "metadata": object(case.metadata.clone()),
        "attempt": case.attempt,
        "sha256": case.sha256,
        "decision": decision,
        "verdict": case.decision,
        "reasons": case.reasons,
        "message": message,
        "note": note,
        "actor": actor,
    })
    .to_string()
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
