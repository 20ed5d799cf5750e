//! `POST /check` with a photograph as its body → a verdict, in an axum application of your own.
//!
//! ```sh
//! cargo run --release --features service --example inside_axum
//! curl --data-binary @photo.jpg http://127.0.0.1:3000/check
//! ```
//!
//! `bonafide serve` does far more (keys, limits, an audit, the hand-off to a phone); this is the least that a route of
//! your own needs.
#![allow(clippy::print_stdout, reason = "a program says where it listens")]

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::{Router, routing};
use bonafide::{Checker, Deadline, Limits, Options, Upload};
use tokio::sync::Semaphore;

struct Gate {
    checker: Checker,
    /// A check keeps a core busy: as many at a time as there are cores.
    places: Semaphore,
}

async fn check(State(gate): State<Arc<Gate>>, body: Bytes) -> Response {
    let Ok(_place) = gate.places.acquire().await else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let worker = Arc::clone(&gate);
    // Pixels are work for a thread of its own, never for the one that serves connections.
    let checked = tokio::task::spawn_blocking(move || {
        let upload = Upload { bytes: &body, name: None };
        worker.checker.check(&upload, Deadline::after(Duration::from_secs(5)))
    });
    match checked.await {
        Ok(Ok(report)) => Json(report).into_response(),
        Ok(Err(error)) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cores = std::thread::available_parallelism()?.get();
    let gate = Gate { checker: Checker::new(&Options::default())?, places: Semaphore::new(cores) };
    let limit = Limits::default().bytes;
    let routes = Router::new()
        .route("/check", routing::post(check))
        .layer(DefaultBodyLimit::max(limit))
        .with_state(Arc::new(gate));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, routes).await?;
    Ok(())
}
