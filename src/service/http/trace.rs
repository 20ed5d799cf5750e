//! Requests → trace ids, one structured log line each, and counters; never what was sent.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;

use crate::service::figures::Figures;

/// W3C trace context, 3.2: version, trace id, parent id, flags.
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// Header under which an answer names its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names a request in the log and in problems: the trace id of the caller's `traceparent`, or a new one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TraceId(u128);

impl TraceId {
    fn of(headers: &HeaderMap) -> Self {
        let named = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()).and_then(|text| {
            let mut parts = text.split('-');
            let (version, id) = (parts.next()?, parts.next()?);
            let hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            let sound = version.len() == 2 && hex(version) && version != "ff" && id.len() == 32 && hex(id);
            sound.then(|| u128::from_str_radix(id, 16).ok()).flatten().filter(|id| *id != 0)
        });
        Self(named.unwrap_or_else(|| uuid::Uuid::new_v4().as_u128()))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Gives a request its trace id, and writes one line when it is answered: method, route, status and time.
pub(crate) async fn follow(State(figures): State<Arc<Figures>>, mut request: Request, next: Next) -> Response {
    let trace_id = TraceId::of(request.headers());
    request.extensions_mut().insert(trace_id);
    // The route, never the path: what stands in a path or query may be a token or a name.
    let route = request.extensions().get::<MatchedPath>().map_or("none".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().clone();
    let span = tracing::info_span!("request", %trace_id, %method, route);
    let begun = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, spent) = (response.status(), begun.elapsed());
    let id = HeaderValue::from_str(&trace_id.to_string());
    response.headers_mut().extend(id.into_iter().map(|id| (REQUEST_ID, id)));
    figures.answered(&method, &route, status, spent);
    let elapsed_ms = (spent.as_secs_f64() * 1e4).round() / 10.0;
    if matches!(route.as_str(), "/healthz" | "/readyz" | "/metrics") {
        span.in_scope(|| tracing::debug!(status = status.as_u16(), elapsed_ms, "answered"));
    } else {
        span.in_scope(|| tracing::info!(status = status.as_u16(), elapsed_ms, "answered"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(traceparent: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, traceparent.parse().unwrap());
        TraceId::of(&headers).to_string()
    }

    #[test]
    fn a_sound_trace_id_is_kept_and_any_other_replaced() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(of(&format!("00-{id}-00f067aa0ba902b7-01")), id);
        for bad in ["", "00", "00-xyz-1-1", &format!("ff-{id}-1-1"), &format!("00-{}-1-1", "0".repeat(32))] {
            let new = of(bad);
            assert!(new != id && new.len() == 32 && new != "0".repeat(32), "{bad}: {new}");
        }
    }
}
