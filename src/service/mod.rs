//! HTTP requests → the same reports as the program gives, under limits, with a record of every decision.
//!
//! ```text
//! socket ── server (TLS, time limits) ──► api ── auth (who, how much) ──► http::intake (bytes, under limits)
//!                                                                             │
//!        answer ◄── store (case, audit, deliveries: one transaction) ◄── work (Checker on its own threads)
//! ```
//!
//! An answer is given only after its record is committed: what cannot be recorded is not decided. Async threads never
//! decode, and nothing of an upload outlives its answer unless the operator asked for it. What one caller does harms no
//! other: places (`http::shares`), and the line and time of the workers (`work::line`), are shared by key, person or
//! address.
//!
//! A room uses only rooms that stand above it in this list; a test holds the order.

pub mod clock;

pub mod store;

pub mod webhooks;

pub mod config;

mod figures;

mod http;

mod auth;

mod handoff;

mod work;

mod api;

mod pages;

mod server;

pub use api::openapi;
pub use config::{Config, Settings};
pub use server::{ServeError, Service, delete_old};
