//! HTTP requests → the same reports as the program gives, under limits, with a record of every decision.
//!
//! ```text
//! socket ── server (TLS, time limits) ──► api ── access (who, how much) ──► intake (bytes, under limits)
//!                                                                             │
//!        answer ◄── store (case, audit, deliveries: one transaction) ◄── workers (Checker on its own threads)
//! ```
//!
//! An answer is given only after its record is committed: what cannot be recorded is not decided. Async threads never
//! decode, and nothing of an upload outlives its answer unless the operator asked for it.

mod access;
mod api;
mod app;
mod config;
mod connections;
mod figures;
mod handoff;
mod intake;
mod language;
mod oidc;
mod pages;
mod problem;
mod quota;
mod server;
pub mod store;
mod trace;
pub mod webhooks;
mod workers;

pub use access::Access;
pub use api::openapi;
pub use config::{Config, Keep, Tls};
pub use intake::UploadLimits;
pub use oidc::OidcSettings;
pub use server::{ServeError, Service};
