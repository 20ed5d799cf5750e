//! The pages of the hand-off, compiled in.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::api;
use super::problem::Problem;

/// Name, type and content of what the pages load.
const ASSETS: &[(&str, &str, &str)] = &[
    ("style.css", "text/css; charset=utf-8", include_str!("pages/style.css")),
    ("aim.js", JS, include_str!("pages/aim.js")),
    ("capture.js", JS, include_str!("pages/capture.js")),
    ("elements.js", JS, include_str!("pages/elements.js")),
    ("hints.js", JS, include_str!("pages/hints.js")),
    ("marks.js", JS, include_str!("pages/marks.js")),
    ("page.js", JS, include_str!("pages/page.js")),
    ("phone.js", JS, include_str!("pages/phone.js")),
    ("session.js", JS, include_str!("pages/session.js")),
    ("verdict.js", JS, include_str!("pages/verdict.js")),
    ("words.js", JS, include_str!("pages/words.js")),
];

const JS: &str = "text/javascript; charset=utf-8";

const HTML: &str = "text/html; charset=utf-8";

fn page(kind: &'static str, content: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], content).into_response()
}

async fn asset(api::At(name): api::At<String>) -> Result<Response, Problem> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name).ok_or_else(Problem::not_found)?;
    Ok(page(found.1, found.2))
}

/// The routes of the pages.
pub(super) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/capture", get(async || page(HTML, include_str!("pages/capture.html"))))
        .route("/phone", get(async || page(HTML, include_str!("pages/phone.html"))))
        .route("/assets/{name}", get(asset))
}
