//! A configuration → a server that listens, and stops without losing what it has begun.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa_swagger_ui::SwaggerUi;

use super::auth::{Access, Issuer, OidcError};
use super::clock::{ms, now_ms, rfc3339};
use super::config::{Config, Span};
use super::figures::Figures;
use super::handoff::{Handoffs, StepDecision};
use super::http::connections::{Connections, Prompt};
use super::http::names::{self, Names};
use super::http::pace::Paces;
use super::http::problem::{self, Kind, Problem};
use super::http::shares::Shares;
use super::http::trace;
use super::store::{Age, Aged, Hold, ReviewStore, StoreError, Whose};
use super::webhooks::Courier;
use super::work::app::App;
use super::work::once::Once;
use super::work::ready::Readiness;
use super::work::workers::Workers;
use super::{api, pages};
use crate::checker::Checker;

/// How often what has expired is deleted.
const SWEEP: Duration = Duration::from_secs(30);

/// Steps of deleting what is too old, of each rule and time: others write between them.
const STEPS: usize = 20;

/// Streams of one HTTP/2 connection at a time.
const STREAMS: u32 = 32;

/// Bytes of an HTTP/1 request's head, and of its body at a time.
const HTTP1_BYTES: usize = 64 << 10;

/// Bytes of an HTTP/2 request's headers.
const HEADER_BYTES: u32 = 16 << 10;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The identity provider's settings.
    #[error(transparent)]
    Oidc(#[from] OidcError),
    /// Anybody could use it.
    #[error(
        "{0} is to be reached from elsewhere and there is neither a key nor an identity provider: make a key with \
         `bonafide key create`, or say --insecure-no-auth to let everybody in"
    )]
    Open(SocketAddr),
    /// The address, certificate or threads.
    #[error("{what}: {error}")]
    Io {
        /// What could not be done.
        what: String,
        /// Why.
        error: io::Error,
    },
    /// A setting that cannot be.
    #[error("{0}")]
    Setting(String),
}

fn io_error(what: impl Into<String>) -> impl FnOnce(io::Error) -> ServeError {
    let what = what.into();
    move |error| ServeError::Io { what, error }
}

/// A service that listens.
pub struct Service {
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    app: Arc<App>,
    tls: Option<RustlsConfig>,
    server: JoinHandle<io::Result<()>>,
    keeper: JoinHandle<()>,
    courier: JoinHandle<()>,
    stop: CancellationToken,
    /// That no other service works on the same file.
    _hold: Hold,
}

impl Service {
    /// Begins to serve what `checker` says.
    ///
    /// # Errors
    /// [`ServeError`] when a part of `config` cannot be used; nothing listens then.
    pub async fn start(config: Config, checker: Arc<Checker>) -> Result<Self, ServeError> {
        let sealing = config.remember.sealing_key().map_err(ServeError::Setting)?;
        let oidc = config.callers.oidc().map_err(ServeError::Setting)?;
        let files = config.listen.tls().map_err(ServeError::Setting)?;
        let hold = ReviewStore::hold(&config.remember.store)?;
        let store = ReviewStore::open(&config.remember.store, sealing).await?;
        let issuer = oidc.map(Issuer::new).transpose()?;
        if let Some(issuer) = &issuer
            && let Err(error) = issuer.prepare().await
        {
            tracing::warn!(%error, cause = issuer.fault(), "identity provider; asked again when a token comes");
        }
        let keys = store.keys().await?;
        for id in config.tenants.keys().filter_map(|id| id.strip_prefix("key:")) {
            if keys.iter().all(|key| key.id != id) {
                tracing::warn!(key = id, "a tenant of the settings has no key in the store");
            }
        }
        let open = issuer.is_none() && keys.is_empty();
        let (to_listen, to_all) = (config.listen.listen, config.callers.insecure_no_auth);
        let reachable = !to_listen.ip().is_loopback() || config.listen.public_url.is_some();
        if open && reachable {
            if !to_all {
                return Err(ServeError::Open(to_listen));
            }
            tracing::warn!(
                listen = %to_listen,
                "INSECURE: everybody who reaches this address may check, review and purge without a key"
            );
        } else if open {
            tracing::warn!("no key and no identity provider: everybody on this machine is let in");
        }
        let socket = TcpListener::bind(to_listen).map_err(io_error(format!("listen on {to_listen}")))?;
        socket.set_nonblocking(true).map_err(io_error("listen"))?;
        let address = socket.local_addr().map_err(io_error("listen"))?;
        let tls = match files {
            None => None,
            Some(files) => {
                // Chosen already where another part of the program came first.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let loaded = RustlsConfig::from_pem_file(files.certificate, files.key).await;
                Some(loaded.map_err(io_error("certificate"))?)
            }
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let workers = Workers::new(config.work.threads(), config.work.line(), config.work.queue_wait.into())
            .map_err(io_error("workers"))?;
        let stop = CancellationToken::new();
        let quotas = config.tenants.iter().filter_map(|(id, tenant)| Some((id.clone(), tenant.per_minute?))).collect();
        let app = Arc::new(App {
            workers,
            uploads: Shares::new(config.uploads.at_a_time()),
            access: Access::new(store.clone(), issuer, open, open && to_all, config.listen.proxies(), quotas),
            paces: config.uploads.fastest().map(Paces::new),
            ready: Readiness::default(),
            figures: Arc::new(Figures::new()),
            handoffs: Handoffs::new(config.handoff.handoff.into(), config.uploads.bytes()),
            draining: CancellationToken::new(),
            courier: Arc::new(Notify::new()),
            once: Once::default(),
            attempts: Once::default(),
            public_url: config.listen.public_url().map(str::to_owned),
            scheme,
            address,
            checker,
            store,
            config,
        });
        let figures = Arc::clone(&app.figures);
        let courier = Courier::new(app.store.clone(), app.config.webhooks.clone())
            .with_listener(move |delivered| figures.webhook(if delivered { "delivered" } else { "failed" }));
        let courier = tokio::spawn(courier.run(Arc::clone(&app.courier), stop.clone()));
        let keeper = tokio::spawn(keep_house(Arc::clone(&app), stop.clone()));
        let handle = Handle::new();
        let router = router(&app, open)?;
        let server = listen(socket, &app, tls.clone(), handle.clone(), router)?;
        tracing::info!(%address, public_url = app.public_url, "listening");
        Ok(Self { address, handle, app, tls, server, keeper, courier, stop, _hold: hold })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reads the certificate and key again, if there are any; connections that stand keep theirs. Says whether it did.
    ///
    /// # Errors
    /// When the files cannot be used; the old ones stay in use.
    pub async fn reload(&self) -> io::Result<bool> {
        let files = self.app.config.listen.tls().map_err(io::Error::other)?;
        let (Some(config), Some(files)) = (&self.tls, files) else { return Ok(false) };
        config.reload_from_pem_file(files.certificate, files.key).await.map(|()| true)
    }

    /// Takes nothing new, finishes what was begun within the time of grace, and closes the store.
    ///
    /// # Errors
    /// When the server had ended with an error of its own.
    pub async fn stop(self) -> io::Result<()> {
        self.app.draining.cancel();
        self.handle.graceful_shutdown(Some(self.app.config.listen.grace.into()));
        let served = self.server.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        self.stop.cancel();
        let _ = tokio::join!(self.keeper, self.courier);
        self.app.store.close().await;
        served
    }
}

fn listen(
    socket: TcpListener,
    app: &App,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
    router: Router,
) -> Result<JoinHandle<io::Result<()>>, ServeError> {
    let most = app.config.listen.connections as usize;
    let connections = Connections::new(most, &app.config.listen.proxies(), app.config.uploads.gap());
    let header_time = app.config.listen.header_time.into();
    macro_rules! serve {
        ($server:expr) => {{
            let mut server = $server.handle(handle);
            let http = server.http_builder();
            http.http1().timer(TokioTimer::new()).header_read_timeout(header_time).max_buf_size(HTTP1_BYTES);
            http.http2()
                .timer(TokioTimer::new())
                .max_concurrent_streams(STREAMS)
                .max_header_list_size(HEADER_BYTES)
                .keep_alive_interval(header_time)
                .keep_alive_timeout(header_time);
            tokio::spawn(server.serve(router.into_make_service_with_connect_info::<SocketAddr>()))
        }};
    }
    let server = axum_server::from_tcp(socket).map_err(io_error("listen"))?;
    Ok(match tls {
        None => serve!(server.acceptor(Prompt::new(connections, header_time))),
        Some(tls) => {
            let tls = RustlsAcceptor::new(tls).handshake_timeout(header_time).acceptor(connections);
            serve!(server.acceptor(Prompt::new(tls, header_time)))
        }
    })
}

/// Deletes what has expired, until told to stop.
async fn keep_house(app: Arc<App>, stop: CancellationToken) {
    let mut turns = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = turns.tick() => {}
        }
        app.handoffs.sweep(now_ms());
        match app.store.expire(now_ms()).await {
            Ok(expired) if expired.pictures > 0 => {
                tracing::info!(pictures = expired.pictures, "deleted, time was over");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what has expired could not be deleted"),
        }
        match delete_old(&app.store, &app.config, Some(STEPS), now_ms()).await {
            Ok(aged) if aged != Aged::default() => {
                tracing::info!(reports = aged.reports, cases = aged.cases, "deleted for their age");
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "what is too old could not be deleted"),
        }
        if let Err(error) = hear_decisions(&app).await {
            tracing::error!(%error, "decisions could not be looked up");
        }
    }
}

/// Deletes reports and cases that are too old by `config`, step by step, at most so many steps of each rule.
///
/// # Errors
/// [`StoreError::Unavailable`]; what was deleted until then stays so.
pub async fn delete_old(
    store: &ReviewStore,
    config: &Config,
    steps: Option<usize>,
    now_ms: i64,
) -> Result<Aged, StoreError> {
    let remember = &config.remember;
    let until = |span: Option<Span>| span.map(|span| now_ms.saturating_sub(ms(span.into())));
    let own: Vec<_> = config
        .tenants
        .iter()
        .filter(|(_, tenant)| tenant.keep_reports.is_some() || tenant.keep_cases.is_some())
        .collect();
    let names: Vec<_> = own.iter().map(|(id, _)| id.as_str()).collect();
    let mut rules = vec![Age {
        whose: Whose::NoneOf(&names),
        reports_until_ms: until(remember.keep_reports),
        cases_until_ms: until(remember.keep_cases),
    }];
    rules.extend(own.iter().map(|(id, tenant)| Age {
        whose: Whose::One(id),
        reports_until_ms: until(tenant.keep_reports.or(remember.keep_reports)),
        cases_until_ms: until(tenant.keep_cases.or(remember.keep_cases)),
    }));
    let mut all = Aged::default();
    for rule in rules {
        for _ in 0..steps.unwrap_or(usize::MAX) {
            let aged = match store.age(&rule, now_ms).await {
                Ok(aged) => aged,
                // Another process was faster.
                Err(StoreError::Conflict(_)) => continue,
                Err(error) => return Err(error),
            };
            if aged == Aged::default() {
                break;
            }
            all.reports += aged.reports;
            all.cases += aged.cases;
        }
    }
    Ok(all)
}

/// Tells hand-offs of decisions that another process heard of.
async fn hear_decisions(app: &App) -> Result<(), StoreError> {
    let waiting = app.handoffs.in_review();
    let cases: Vec<_> = waiting.iter().map(|(_, case)| case.as_str()).collect();
    for (case, decided) in app.store.decided(&cases).await? {
        let told =
            StepDecision { decision: decided.decision, message: decided.message.clone(), at: rfc3339(decided.time_ms) };
        for (session, _) in waiting.iter().filter(|(_, waits)| *waits == case) {
            app.handoffs.decided(session, &case, &told);
        }
    }
    Ok(())
}

/// The names that a service may be asked under that is `open` to who has no key.
fn names(app: &App, open: bool) -> Names {
    let listen = &app.config.listen;
    let address = app.address.ip();
    let address = (!address.is_unspecified()).then(|| address.to_string());
    let told = listen.host.iter().map(String::as_str).chain(listen.public_url()).chain(address.as_deref());
    Names::new(open, told, &listen.cors_origin)
}

fn router(app: &Arc<App>, open: bool) -> Result<Router, ServeError> {
    let unknown = async || Problem::not_found();
    let other_method = async || Problem::new(Kind::MethodNotAllowed, "Another method is needed.", "请求方法不适用。");
    let secure = app.scheme == "https" || app.public_url.as_ref().is_some_and(|url| url.starts_with("https://"));
    let guards = Guards { secure, framed: framed(&app.config.listen.cors_origin)? };
    let mut router = api::router()
        .merge(pages::router(app.checker.policy()))
        .merge(SwaggerUi::new("/docs").url("/openapi.json", api::openapi()))
        .fallback(unknown)
        .method_not_allowed_fallback(other_method)
        .layer(middleware::from_fn_with_state(Arc::new(names(app, open)), names::guard))
        .layer(middleware::from_fn(problem::tell))
        .layer(middleware::from_fn_with_state(Arc::new(guards), guard));
    if !app.config.listen.cors_origin.is_empty() {
        router = router.layer(cors(&app.config.listen.cors_origin)?);
    }
    let router = router.layer(middleware::from_fn_with_state(Arc::clone(&app.figures), trace::follow));
    Ok(router.with_state(Arc::clone(app)))
}

fn cors(origins: &[String]) -> Result<CorsLayer, ServeError> {
    let origins = origins.iter().map(|origin| {
        let sound = origin.starts_with("https://") || origin.starts_with("http://");
        let origin = sound.then(|| HeaderValue::from_str(origin.trim_end_matches('/')).ok()).flatten();
        origin.ok_or_else(origin_error)
    });
    let origins = origins.collect::<Result<Vec<_>, _>>()?;
    Ok(CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::ACCEPT_LANGUAGE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([
            header::RETRY_AFTER,
            HeaderName::from_static("bonafide-case"),
            HeaderName::from_static("idempotency-replayed"),
            HeaderName::from_static("ratelimit"),
            HeaderName::from_static("ratelimit-policy"),
            HeaderName::from_static("x-request-id"),
        ]))
}

/// What pages of the service may load: their own files, and pictures that they made themselves.
macro_rules! page_policy {
    () => {
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; object-src 'none'; base-uri 'none'; \
         form-action 'none'; frame-ancestors "
    };
}

const PAGE_POLICY: &str = concat!(page_policy!(), "'none'");

/// The page of the API's description sets styles by script.
const DOCS_POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                           object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What `guard` says of every answer.
struct Guards {
    /// Browsers are told to come by HTTPS alone.
    secure: bool,
    /// The policy of pages that other sites may frame, where any may.
    framed: Option<HeaderValue>,
}

/// The policy of pages that `origins` may frame.
fn framed(origins: &[String]) -> Result<Option<HeaderValue>, ServeError> {
    if origins.is_empty() {
        return Ok(None);
    }
    let origins: Vec<&str> = origins.iter().map(|origin| origin.trim_end_matches('/')).collect();
    // What parts one rule from the next would end the list.
    let policy = Some(origins.join(" ")).filter(|list| !list.contains([';', ',']));
    let policy = policy.and_then(|list| HeaderValue::from_str(&format!("{}{list}", page_policy!())).ok());
    policy.map(Some).ok_or_else(origin_error)
}

fn origin_error() -> ServeError {
    ServeError::Setting("an origin has the form https://host[:port]".to_owned())
}

/// Headers by which browsers guard against what an answer could be used for.
async fn guard(State(guards): State<Arc<Guards>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let (is_docs, is_component) = (path.starts_with("/docs"), path == pages::COMPONENT);
    let framed = guards.framed.clone().filter(|_| pages::FRAMED.contains(&path));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let is_framed = framed.is_some();
    let own = if is_docs { DOCS_POLICY } else { PAGE_POLICY };
    // A kept picture has a stricter one of its own.
    let policy = framed.unwrap_or_else(|| HeaderValue::from_static(own));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    if !is_framed {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    let mut set = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(), geolocation=()");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    let whose = if is_component { "cross-origin" } else { "same-origin" };
    set(HeaderName::from_static("cross-origin-resource-policy"), whose);
    if guards.secure {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    response
}
