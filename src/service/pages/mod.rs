//! The pages of the hand-off, compiled in; what they warn of follows from the policy.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::policy::Policy;
use crate::service::api::At;
use crate::service::http::problem::Problem;

/// Both pages, but for what tells them apart.
const PAGE: &str = include_str!("page.html");

/// Name, type and content of what the pages load.
const ASSETS: &[(&str, &str, &str)] = &[
    ("base.css", CSS, include_str!("base.css")),
    ("capture.css", CSS, include_str!("capture.css")),
    ("parts.css", CSS, include_str!("parts.css")),
    ("phone.css", CSS, include_str!("phone.css")),
    ("verdict.css", CSS, include_str!("verdict.css")),
    ("aim.js", JS, include_str!("aim.js")),
    ("capture.js", JS, include_str!("capture.js")),
    ("elements.js", JS, include_str!("elements.js")),
    ("embed.js", JS, include_str!("embed.js")),
    ("hints.js", JS, include_str!("hints.js")),
    ("marks.js", JS, include_str!("marks.js")),
    ("page.js", JS, include_str!("page.js")),
    ("phone.js", JS, include_str!("phone.js")),
    ("session.js", JS, include_str!("session.js")),
    ("verdict.js", JS, include_str!("verdict.js")),
    ("words.js", JS, include_str!("words.js")),
];

/// Where the web component is, which pages of other sites load.
pub(super) const COMPONENT: &str = "/bonafide-capture.js";

/// The pages that a site named by `cors-origin` may show in a frame.
pub(super) const FRAMED: [&str; 2] = ["/capture", "/phone"];

const CSS: &str = "text/css; charset=utf-8";

const JS: &str = "text/javascript; charset=utf-8";

const HTML: &str = "text/html; charset=utf-8";

/// What the page measures in a preview as the server does in a photograph: attribute and quantity.
const LIMITS: [(&str, &str); 2] = [("dark", "exposure.bright_luma"), ("glare", "glare.reflection_share")];

/// From where on `policy` asks for another photograph, as attributes of the page.
fn limits(policy: &Policy) -> String {
    let rules = policy.rules();
    let found = LIMITS.iter().filter_map(|(name, quantity)| {
        let mut judged = rules.iter().filter(|rule| rule.enabled && rule.quantity == *quantity);
        let from = judged.find_map(|rule| rule.retake)?;
        Some(format!("data-{name}=\"{from}\""))
    });
    found.collect::<Vec<_>>().join(" ")
}

fn page(name: &str, policy: &Policy) -> String {
    PAGE.replace("{limits}", &limits(policy)).replace("{page}", name)
}

async fn asset(At(name): At<String>) -> Result<Response, Problem> {
    let found = ASSETS.iter().find(|(known, ..)| *known == name).ok_or_else(Problem::not_found)?;
    Ok(([(header::CONTENT_TYPE, found.1)], found.2).into_response())
}

/// The routes of the pages, which warn of what `policy` objects to.
pub(super) fn router<S: Clone + Send + Sync + 'static>(policy: &Policy) -> Router<S> {
    let html = |page: String| {
        let page = Bytes::from(page);
        get(async move || ([(header::CONTENT_TYPE, HTML)], page))
    };
    Router::new()
        .route("/capture", html(page("capture", policy)))
        .route("/phone", html(page("phone", policy)))
        .route(COMPONENT, get(async || ([(header::CONTENT_TYPE, JS)], include_str!("component/bonafide-capture.js"))))
        .route("/", get(async || ([(header::CONTENT_TYPE, HTML)], include_str!("places.html"))))
        .route("/assets/{name}", get(asset))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::known_readings;
    use crate::policy::Sensitivity;

    #[test]
    fn pages_warn_of_what_the_policy_objects_to() {
        let shipped = Policy::shipped(&known_readings()).unwrap();
        assert_eq!(limits(&shipped), r#"data-dark="60" data-glare="0.05""#);
        let relaxed = shipped.clone().with("glare", Sensitivity::Off).unwrap();
        assert_eq!(limits(&relaxed), r#"data-dark="60""#);
        let page = page("phone", &shipped);
        assert!(page.contains("/assets/phone.js") && !page.contains(['{', '}']), "{page}");
    }
}
