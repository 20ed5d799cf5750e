//! What an operator decides → values that the service is made of.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::intake::UploadLimits;
use super::oidc::OidcSettings;
use super::store::SealingKey;
use super::webhooks::Webhook;
use crate::policy::Policy;

/// A service; the default listens on loopback, keeps nothing but verdicts, and lets in who is on the same machine.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address under which phones reach the service, without a slash at the end; made of `listen` when absent.
    pub public_url: Option<String>,
    /// Certificate and key, for HTTPS.
    pub tls: Option<Tls>,
    /// The store: a file of SQLite, or a `postgres://` URL.
    pub store: String,
    /// Whether callers without a key are let in beyond loopback too.
    pub insecure_no_auth: bool,
    /// Issuer of tokens that are taken beside API keys.
    pub oidc: Option<OidcSettings>,
    /// Origins of other sites whose pages may call the API; none by default.
    pub cors_origins: Vec<String>,
    /// Policies that a request may name, beside the checker's own.
    pub policies: Vec<(String, Policy)>,
    /// Whether pictures are kept.
    pub keep: Keep,
    /// Where verdicts are reported.
    pub webhooks: Vec<Webhook>,
    /// Bounds on an upload and on the time it takes.
    pub upload: UploadLimits,
    /// Threads that examine pictures.
    pub workers: usize,
    /// Requests that may wait in line, for each worker.
    pub queue_per_worker: usize,
    /// The line is full where it would take longer than this.
    pub queue_wait: Duration,
    /// Time from the end of an upload to its verdict; detectors that come later abstain.
    pub deadline: Duration,
    /// Connections open at a time; more wait to be accepted.
    pub connections: usize,
    /// Time for a request's headers, and for a connection to stay without a request.
    pub header_time: Duration,
    /// Time that requests in work have to finish when the service stops.
    pub grace: Duration,
    /// How long an idempotency key is remembered.
    pub idempotency: Duration,
    /// How long a hand-off to a phone lives.
    pub handoff: Duration,
}

/// Certificate and key in PEM files; read again on SIGHUP.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Certificate chain.
    pub certificate: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// What is kept of an upload beside its verdict.
#[derive(Debug, Clone, Default)]
pub enum Keep {
    /// Nothing.
    #[default]
    Nothing,
    /// The picture of a case that a person is to review, sealed, for some time.
    Review {
        /// How long.
        span: Duration,
        /// What it is sealed with.
        key: SealingKey,
    },
}

impl Default for Config {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            tls: None,
            store: "bonafide.db".to_owned(),
            insecure_no_auth: false,
            oidc: None,
            cors_origins: Vec::new(),
            policies: Vec::new(),
            keep: Keep::Nothing,
            webhooks: Vec::new(),
            upload: UploadLimits::default(),
            workers,
            queue_per_worker: 16,
            queue_wait: Duration::from_secs(5),
            deadline: Duration::from_secs(10),
            connections: 4096,
            header_time: Duration::from_secs(5),
            grace: Duration::from_secs(30),
            idempotency: Duration::from_hours(24),
            handoff: Duration::from_mins(10),
        }
    }
}
