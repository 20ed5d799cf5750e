//! Routes, one file a subject, and their description as OpenAPI.

mod about;
mod batch;
mod cases;
mod check;
mod described;
mod reasons;
mod sessions;
mod shadow;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use reasons::ReasonCode;

use crate::policy::Decision;
use crate::service::http::intake;
use crate::service::http::problem::{Kind, Problem, ProblemBody};
use crate::service::http::said::{Metadata, Reference};
use crate::service::store::{CaseState, ScoreName};
use crate::service::work::app::App;
use crate::vocabulary::Face;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "bonafide",
        description = "Tells an original capture of a document from a recapture of a screen or print, says whether it \
                       is legible, and says why. A verdict, also a reject, is a 200."
    ),
    components(schemas(ProblemBody, CaseState, Decision, Face, Metadata, ReasonCode, Reference, ScoreName)),
    security(("bearer" = []))
)]
struct Description;

fn described() -> (Router<Arc<App>>, utoipa::openapi::OpenApi) {
    let (router, mut api) = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(check::check))
        .routes(routes!(batch::batch))
        .routes(routes!(about::explain))
        .routes(routes!(about::policy))
        .routes(routes!(reasons::reasons))
        .routes(routes!(tokens::make))
        .routes(routes!(cases::list))
        .routes(routes!(cases::one, cases::purge))
        .routes(routes!(cases::picture))
        .routes(routes!(cases::decide))
        .routes(routes!(shadow::shadow))
        .routes(routes!(sessions::open))
        .routes(routes!(sessions::claim))
        .routes(routes!(sessions::code))
        .routes(routes!(sessions::one))
        .routes(routes!(sessions::events))
        .routes(routes!(sessions::upload))
        .routes(routes!(sessions::overlay))
        .routes(routes!(about::healthz))
        .routes(routes!(about::readyz))
        .routes(routes!(about::metrics))
        .split_for_parts();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key `bf_…`, a token of the configured OpenID Connect issuer, or a hand-off's token."))
        .build();
    for operation in api.paths.paths.values_mut().flat_map(operations) {
        // Whatever the route: see `http::names`.
        for (status, problem) in problems(&[Kind::Misdirected]) {
            operation.responses.responses.entry(status).or_insert(problem);
        }
    }
    api.tags = Some(described::complete(&mut api.paths));
    api.components.get_or_insert_with(Components::new).add_security_scheme("bearer", SecurityScheme::Http(bearer));
    (router, api)
}

/// All operations of a path.
fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, .. } = path;
    [get, put, post, delete].into_iter().flatten()
}

/// The routes.
pub(super) fn router() -> Router<Arc<App>> {
    described().0
}

/// The description of the API, as `/openapi.json` has it.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().1
}

/// What stands in the path; a path that does not fit names nothing.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::from_request_parts(parts, state).await;
        path.map(|Path(value)| Self(value)).map_err(|_| Problem::not_found())
    }
}

/// What the JSON body of a request says. It is an object: the members of a type could be written as a list, too, and
/// that is not meant.
async fn body<T: DeserializeOwned>(app: &App, headers: &HeaderMap, sent: Body) -> Result<T, Problem> {
    if !intake::is_json(headers) {
        intake::throw_away(headers, sent);
        let (en, zh) = ("The body of this request is `application/json`.", "请求体应为 application/json。");
        return Err(Problem::new(Kind::Unsupported, en, zh));
    }
    let bytes = intake::text(headers, sent, &app.config.uploads).await?;
    let object: serde_json::Result<serde_json::Map<_, _>> = serde_json::from_slice(&bytes);
    let said = object.and_then(|object| serde_json::from_value(serde_json::Value::Object(object)));
    said.map_err(|error| Problem::bad_request(format!("The body is not as described: {error}."), "请求体有误。"))
}

/// Of a route that reads a JSON body.
struct BodyProblems;

impl IntoResponses for BodyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[Kind::BadRequest, Kind::Slow, Kind::TooLarge, Kind::Unsupported])
    }
}

/// The problems that a route may answer with.
fn problems(kinds: &[Kind]) -> BTreeMap<String, RefOr<Response>> {
    let mut codes: BTreeMap<StatusCode, Vec<&str>> = BTreeMap::new();
    for kind in kinds {
        codes.entry(kind.status()).or_default().push(kind.code());
    }
    let described = codes.into_iter().map(|(status, codes)| {
        let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let response =
            ResponseBuilder::new().description(codes.join(", ")).content("application/problem+json", body).build();
        (status.as_str().to_owned(), RefOr::T(response))
    });
    described.collect()
}

/// Of a route that takes a picture.
struct PictureProblems;

impl IntoResponses for PictureProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            Kind::BadRequest,
            Kind::Unauthorized,
            Kind::Forbidden,
            Kind::Slow,
            Kind::TooLarge,
            Kind::Unsupported,
            Kind::Unprocessable,
            Kind::KeyReused,
            Kind::Quota,
            Kind::Share,
            Kind::Internal,
            Kind::Overloaded,
            Kind::Unavailable,
        ])
    }
}

/// Of a route that only asks who calls.
struct AccessProblems;

impl IntoResponses for AccessProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[Kind::BadRequest, Kind::Unauthorized, Kind::Forbidden, Kind::Unavailable])
    }
}
