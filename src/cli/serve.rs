//! Settings of a file, the environment and the command line → the HTTP service, until it is told to stop.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bonafide::capture::Limits;
use bonafide::checker::{Checker, Options, known_readings};
use bonafide::policy::{Decision, Policy};
use bonafide::service::store::SealingKey;
use bonafide::service::webhooks::Webhook;
use bonafide::service::{Config, Keep, OidcSettings, Service, Tls, UploadLimits};
use clap::{Args, Command, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ACCEPTED, Engine, sensitivity};

/// Threads that only move bytes; pictures are examined on threads of their own.
const NETWORK_THREADS: usize = 2;

/// Serves the checks over HTTP, with the hand-off to a phone.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// File of settings, TOML; the environment and the command line are laid over it.
    #[arg(long, env = "BONAFIDE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints the table of all settings and ends.
    #[arg(long)]
    settings: bool,
    #[command(flatten)]
    given: Settings,
}

/// Every setting, once: a flag, a variable of the environment, a key of the file.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// Address to listen on.
    #[arg(long, env = "BONAFIDE_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Address under which phones reach the service; made of `listen` when left out.
    #[arg(long, env = "BONAFIDE_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Certificate chain for HTTPS, PEM; read again on SIGHUP.
    #[arg(long, env = "BONAFIDE_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key for HTTPS, PEM.
    #[arg(long, env = "BONAFIDE_TLS_KEY", value_name = "FILE")]
    tls_key: Option<PathBuf>,
    /// The store: a file of SQLite, or a `postgres://` URL.
    #[arg(long, env = "BONAFIDE_STORE", value_name = "PLACE", hide_env_values = true)]
    store: Option<String>,
    /// Lets everybody in without a key, beyond this machine too.
    #[arg(long, env = "BONAFIDE_INSECURE_NO_AUTH", num_args = 0..=1, default_missing_value = "true")]
    insecure_no_auth: Option<bool>,
    /// Issuer of OpenID Connect tokens that are taken beside API keys.
    #[arg(long, env = "BONAFIDE_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,
    /// What their `aud` must name.
    #[arg(long, env = "BONAFIDE_OIDC_AUDIENCE", value_name = "NAME")]
    oidc_audience: Option<String>,
    /// Claim that holds their scopes: `check`, `review`, `admin`, with or without `bonafide:` before.
    #[arg(long, env = "BONAFIDE_OIDC_SCOPE_CLAIM", value_name = "CLAIM")]
    oidc_scope_claim: Option<String>,
    /// Certificates that the issuer's own must lead to, PEM, instead of the built-in ones.
    #[arg(long, env = "BONAFIDE_OIDC_CA", value_name = "FILE")]
    oidc_ca: Option<PathBuf>,
    /// Another site whose pages may call the API; can be given again.
    #[arg(long, env = "BONAFIDE_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cors_origin: Vec<String>,
    /// What is kept of an upload beside its verdict: nothing, or the picture of a case that a person is to review.
    #[arg(long, env = "BONAFIDE_KEEP", value_enum, value_name = "WHAT")]
    keep: Option<KeepWhat>,
    /// How long kept pictures stay.
    #[arg(long, env = "BONAFIDE_KEEP_FOR", value_name = "TIME")]
    keep_for: Option<Span>,
    /// File with the base64 of 32 random bytes that kept pictures are sealed with.
    #[arg(long, env = "BONAFIDE_SEALING_KEY", value_name = "FILE")]
    sealing_key: Option<PathBuf>,
    /// Policy to judge by, instead of the built-in one.
    #[arg(long, env = "BONAFIDE_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Another policy that a request may name; can be given again.
    #[arg(long, env = "BONAFIDE_NAMED_POLICY", value_name = "NAME=FILE", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    named_policy: Vec<String>,
    /// Judges one risk otherwise than the policy does, for example `glare=relaxed`; can be given again.
    #[arg(long, env = "BONAFIDE_SENSITIVITY", value_name = "RISK=LEVEL", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sensitivity: Vec<String>,
    /// Folder with models and their manifest, instead of the built-in ones.
    #[arg(long, env = "BONAFIDE_MODELS", value_name = "DIR")]
    models: Option<PathBuf>,
    /// Engine that runs the networks.
    #[arg(long, env = "BONAFIDE_ENGINE", value_enum)]
    engine: Option<Engine>,
    /// Threads that examine pictures; as many as there are processors when left out.
    #[arg(long, env = "BONAFIDE_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Requests that may wait in line, for each worker.
    #[arg(long, env = "BONAFIDE_QUEUE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    queue: Option<u16>,
    /// The line is full where it would take longer than this.
    #[arg(long, env = "BONAFIDE_QUEUE_WAIT", value_name = "TIME")]
    queue_wait: Option<Span>,
    /// Time from the end of an upload to its verdict; what could not be measured by then is named in it.
    #[arg(long, env = "BONAFIDE_DEADLINE", value_name = "TIME")]
    deadline: Option<Span>,
    /// Largest picture, in MiB.
    #[arg(long, env = "BONAFIDE_MAX_MIB", value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..=1024))]
    max_mib: Option<u16>,
    /// Most pixels of a picture, in millions.
    #[arg(long, env = "BONAFIDE_MAX_MEGAPIXELS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    max_megapixels: Option<u16>,
    /// Longest side of a picture, in pixels.
    #[arg(long, env = "BONAFIDE_MAX_SIDE", value_name = "PX", value_parser = clap::value_parser!(u32).range(64..=65535))]
    max_side: Option<u32>,
    /// Uploads received or examined at a time.
    #[arg(long, env = "BONAFIDE_UPLOADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    uploads: Option<u16>,
    /// Longest pause within an upload.
    #[arg(long, env = "BONAFIDE_UPLOAD_GAP", value_name = "TIME")]
    upload_gap: Option<Span>,
    /// Longest time of an upload.
    #[arg(long, env = "BONAFIDE_UPLOAD_TIME", value_name = "TIME")]
    upload_time: Option<Span>,
    /// Most pictures of a batch.
    #[arg(long, env = "BONAFIDE_BATCH_FILES", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch_files: Option<u16>,
    /// Most bytes of a batch, in MiB.
    #[arg(long, env = "BONAFIDE_BATCH_MIB", value_name = "MIB", value_parser = clap::value_parser!(u16).range(1..))]
    batch_mib: Option<u16>,
    /// Longest time of a batch's upload.
    #[arg(long, env = "BONAFIDE_BATCH_TIME", value_name = "TIME")]
    batch_time: Option<Span>,
    /// Connections open at a time; more wait.
    #[arg(long, env = "BONAFIDE_CONNECTIONS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: Option<u32>,
    /// Time for a request's headers, and for a connection to stay without a request.
    #[arg(long, env = "BONAFIDE_HEADER_TIME", value_name = "TIME")]
    header_time: Option<Span>,
    /// Time that requests in work have to finish when the service stops.
    #[arg(long, env = "BONAFIDE_GRACE", value_name = "TIME")]
    grace: Option<Span>,
    /// How long an idempotency key is remembered.
    #[arg(long, env = "BONAFIDE_IDEMPOTENCY", value_name = "TIME")]
    idempotency: Option<Span>,
    /// How long a hand-off to a phone waits for the phone, and then for its photographs.
    #[arg(long, env = "BONAFIDE_HANDOFF", value_name = "TIME")]
    handoff: Option<Span>,
    /// What is logged: `error`, `warn`, `info`, `debug`, or a filter such as `bonafide=debug,warn`.
    #[arg(long, env = "BONAFIDE_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Form of the log, on standard error.
    #[arg(long, env = "BONAFIDE_LOG_FORMAT", value_enum)]
    log_format: Option<LogForm>,
    /// Where verdicts are reported; in the file only, as `[[webhook]]` tables.
    #[arg(skip)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    webhook: Vec<WebhookSettings>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum KeepWhat {
    /// Nothing.
    Nothing,
    /// The picture of a case that a person is to review.
    Review,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum LogForm {
    /// One object a line.
    Json,
    /// For a terminal.
    Text,
}

/// Where verdicts are reported.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WebhookSettings {
    name: String,
    url: String,
    /// File with the secret that messages are signed with.
    secret_file: PathBuf,
    /// Decisions it is told of; all where left out.
    decisions: Option<Vec<Decision>>,
}

/// A time as people write it: `500ms`, `5s`, `10m`, `24h`, `30d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Span(pub(super) Duration);

impl std::str::FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is no time such as 500ms, 5s, 10m, 24h or 30d");
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
        let count: u64 = text[..end].parse().map_err(|_| refuse())?;
        let unit_ms = match &text[end..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(refuse()),
        };
        let span = count.checked_mul(unit_ms).filter(|ms| (1..=3_650 * 86_400_000).contains(ms));
        span.map(|ms| Self(Duration::from_millis(ms))).ok_or_else(refuse)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(Span(span): Span) -> Self {
        let ms = span.as_millis();
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let unit = units.into_iter().find(|(unit, _)| ms >= *unit && ms.is_multiple_of(*unit));
        unit.map_or_else(|| format!("{ms}ms"), |(unit, name)| format!("{}{name}", ms / unit))
    }
}

impl Settings {
    /// What holds where nothing else is said.
    fn defaults() -> Self {
        let Config { listen, store, upload, queue_per_worker, queue_wait, deadline, connections, .. } =
            Config::default();
        let Config { header_time, grace, idempotency, handoff, .. } = Config::default();
        let mib = |bytes: usize| u16::try_from(bytes >> 20).ok();
        Self {
            listen: Some(listen),
            store: Some(store),
            insecure_no_auth: Some(false),
            oidc_scope_claim: Some("scope".to_owned()),
            keep: Some(KeepWhat::Nothing),
            keep_for: Some(Span(Duration::from_hours(30 * 24))),
            engine: Some(Engine::Auto),
            queue: u16::try_from(queue_per_worker).ok(),
            queue_wait: Some(Span(queue_wait)),
            deadline: Some(Span(deadline)),
            max_mib: mib(upload.bytes),
            max_megapixels: u16::try_from(upload.pixels / 1_000_000).ok(),
            max_side: Some(upload.side),
            uploads: u16::try_from(upload.in_flight).ok(),
            upload_gap: Some(Span(upload.gap)),
            upload_time: Some(Span(upload.total)),
            batch_files: u16::try_from(upload.batch_files).ok(),
            batch_mib: mib(upload.batch_bytes),
            batch_time: Some(Span(upload.batch_total)),
            connections: u32::try_from(connections).ok(),
            header_time: Some(Span(header_time)),
            grace: Some(Span(grace)),
            idempotency: Some(Span(idempotency)),
            handoff: Some(Span(handoff)),
            log: Some("info".to_owned()),
            log_format: Some(LogForm::Json),
            ..Self::default()
        }
    }

    /// These settings, and where they say nothing those of `under`.
    fn over(&self, under: &Self) -> Result<Self, String> {
        let objects = [under, self].map(serde_json::to_value);
        let mut laid = serde_json::Map::new();
        for object in objects {
            if let Value::Object(object) = object.map_err(|e| e.to_string())? {
                laid.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
            }
        }
        serde_json::from_value(Value::Object(laid)).map_err(|e| e.to_string())
    }

    /// The settings of `file`, with those that were `given` and the defaults around them.
    pub(super) fn laid(file: Option<&Path>, given: &Self) -> Result<Self, String> {
        let from_file = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
                toml::from_str(&text).map_err(|e| format!("{}: {}", path.display(), e.to_string().trim_end()))?
            }
        };
        given.over(&from_file.over(&Self::defaults())?)
    }

    /// Where the store is.
    pub(super) fn store(&self) -> &str {
        self.store.as_deref().unwrap_or_default()
    }

    fn config(&self) -> Result<Config, String> {
        let base = Config::default();
        let span = |set: Option<Span>, otherwise: Duration| set.map_or(otherwise, |Span(span)| span);
        let mib = |set: Option<u16>, otherwise: usize| set.map_or(otherwise, |mib| usize::from(mib) << 20);
        let upload = UploadLimits {
            bytes: mib(self.max_mib, base.upload.bytes),
            pixels: self.max_megapixels.map_or(base.upload.pixels, |n| u64::from(n) * 1_000_000),
            side: self.max_side.unwrap_or(base.upload.side),
            gap: span(self.upload_gap, base.upload.gap),
            total: span(self.upload_time, base.upload.total),
            in_flight: self.uploads.map_or(base.upload.in_flight, usize::from),
            batch_files: self.batch_files.map_or(base.upload.batch_files, usize::from),
            batch_bytes: mib(self.batch_mib, base.upload.batch_bytes),
            batch_total: span(self.batch_time, base.upload.batch_total),
        };
        let keep = match self.keep {
            None | Some(KeepWhat::Nothing) => Keep::Nothing,
            Some(KeepWhat::Review) => {
                let file = self.sealing_key.as_ref().ok_or("--keep review needs --sealing-key")?;
                let key = SealingKey::from_file(file).map_err(|e| format!("{}: {e}", file.display()))?;
                Keep::Review { span: span(self.keep_for, Duration::ZERO), key }
            }
        };
        Ok(Config {
            listen: self.listen.unwrap_or(base.listen),
            public_url: self.public_url.clone(),
            tls: match (&self.tls_cert, &self.tls_key) {
                (Some(certificate), Some(key)) => Some(Tls { certificate: certificate.clone(), key: key.clone() }),
                (None, None) => None,
                _ => return Err("--tls-cert and --tls-key go together".to_owned()),
            },
            store: self.store().to_owned(),
            insecure_no_auth: self.insecure_no_auth.unwrap_or(false),
            oidc: self.oidc()?,
            cors_origins: self.cors_origin.clone(),
            policies: self.policies()?,
            keep,
            webhooks: self.webhook.iter().map(WebhookSettings::build).collect::<Result<_, _>>()?,
            upload,
            workers: self.workers.map_or(base.workers, usize::from),
            queue_per_worker: self.queue.map_or(base.queue_per_worker, usize::from),
            queue_wait: span(self.queue_wait, base.queue_wait),
            deadline: span(self.deadline, base.deadline),
            connections: self.connections.map_or(base.connections, |n| n as usize),
            header_time: span(self.header_time, base.header_time),
            grace: span(self.grace, base.grace),
            idempotency: span(self.idempotency, base.idempotency),
            handoff: span(self.handoff, base.handoff),
        })
    }

    fn oidc(&self) -> Result<Option<OidcSettings>, String> {
        let (issuer, audience) = match (&self.oidc_issuer, &self.oidc_audience) {
            (None, None) => return Ok(None),
            (Some(issuer), Some(audience)) => (issuer, audience),
            _ => return Err("--oidc-issuer and --oidc-audience go together".to_owned()),
        };
        let mut settings = OidcSettings::new(issuer, audience);
        if let Some(claim) = &self.oidc_scope_claim {
            settings.scope_claim.clone_from(claim);
        }
        if let Some(file) = &self.oidc_ca {
            settings.ca_pem = Some(std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?);
        }
        Ok(Some(settings))
    }

    fn policies(&self) -> Result<Vec<(String, Policy)>, String> {
        let named = self.named_policy.iter().map(|named| {
            let (name, file) = named.split_once('=').ok_or("a named policy has the form NAME=FILE")?;
            let policy = Policy::read(Path::new(file), &known_readings()).map_err(|e| e.to_string())?;
            Ok((name.to_owned(), policy))
        });
        named.collect()
    }

    fn checker(&self) -> Result<Checker, String> {
        let options = Options {
            models: self.models.clone(),
            policy: self.policy.clone(),
            sensitivity: self.sensitivity.iter().map(|text| sensitivity(text)).collect::<Result<_, _>>()?,
            expect: None,
            engine: self.engine.unwrap_or_default().choice(),
            limits: Limits::default(),
            reveal: false,
        };
        Checker::new(&options).map_err(|e| e.to_string())
    }
}

impl WebhookSettings {
    fn build(&self) -> Result<Webhook, String> {
        let file = &self.secret_file;
        let secret = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let webhook = Webhook::new(&self.name, &self.url, secret.trim(), self.decisions.clone());
        webhook.map_err(|e| format!("webhook {}: {e}", self.name))
    }
}

pub(super) fn run(args: &ServeArgs) -> Result<u8, String> {
    if args.settings {
        print!("{}", table());
        return Ok(ACCEPTED);
    }
    let settings = Settings::laid(args.config.as_deref(), &args.given)?;
    log(&settings)?;
    let config = settings.config()?;
    let checker = settings.checker()?;
    tracing::info!(engine = checker.engine_line(), policy = checker.policy_id(), "checker");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(serve(config, checker))?;
    Ok(ACCEPTED)
}

async fn serve(config: Config, checker: Checker) -> Result<(), String> {
    // Before anything can be told to stop.
    let mut signals = Signals::new().map_err(|e| format!("signals: {e}"))?;
    let service = Service::start(config, Arc::new(checker)).await.map_err(|e| e.to_string())?;
    while let Told::Reload = signals.next().await {
        match service.reload().await {
            Ok(true) => tracing::info!("certificate read again"),
            Ok(false) => tracing::info!("there is no certificate to read again"),
            Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
    tracing::info!("stopping: what was begun is finished");
    // Told twice, nothing is waited for.
    let stopped = tokio::select! {
        stopped = service.stop() => stopped,
        () = async { while signals.next().await == Told::Reload {} } => Ok(()),
    };
    tracing::info!("stopped");
    stopped.map_err(|e| e.to_string())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Stop,
    Reload,
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hang_up.recv() => Told::Reload,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> Told {
        // Without signals there is nothing to wait for but the end of the process.
        let _ = tokio::signal::ctrl_c().await;
        Told::Stop
    }
}

fn log(settings: &Settings) -> Result<(), String> {
    let filter = tracing_subscriber::EnvFilter::try_new(settings.log.as_deref().unwrap_or("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter.map_err(|e| format!("--log: {e}"))?)
        .with_writer(std::io::stderr)
        .with_target(false);
    match settings.log_format {
        Some(LogForm::Text) => log.try_init(),
        _ => log.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init(),
    }
    .map_err(|e| e.to_string())
}

/// Every setting with its flag, variable, default and meaning, as Markdown.
fn table() -> String {
    let defaults = serde_json::to_value(Settings::defaults()).unwrap_or_default();
    let mut out = "| Flag, key of the file | Variable | Default | What it says |\n|---|---|---|---|\n".to_owned();
    for arg in Settings::augment_args(Command::new("serve")).get_arguments() {
        let (Some(flag), Some(variable)) = (arg.get_long(), arg.get_env()) else { continue };
        let default = match defaults.get(flag) {
            None | Some(Value::Null) => "–".to_owned(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(other) => format!("`{other}`"),
        };
        let meaning = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let meaning = meaning.replace('\n', " ");
        let end = if meaning.ends_with('.') { "" } else { "." };
        let variable = variable.to_string_lossy();
        // A `String` takes everything.
        let _ = writeln!(out, "| `{flag}` | `{variable}` | {default} | {meaning}{end} |");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_lies_over_the_file_and_both_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bonafide.toml");
        std::fs::write(
            &file,
            "listen = \"127.0.0.1:1\"\nqueue = 3\nupload-gap = \"7s\"\ncors-origin = [\"https://a\"]\n",
        )
        .unwrap();
        let given = Settings { queue: Some(5), ..Settings::default() };
        let config = Settings::laid(Some(&file), &given).unwrap().config().unwrap();
        assert_eq!((config.listen.port(), config.queue_per_worker), (1, 5));
        assert_eq!((config.upload.gap, config.upload.total), (Duration::from_secs(7), Duration::from_secs(20)));
        assert_eq!(config.cors_origins, ["https://a"]);
        std::fs::write(&file, "qeueu = 3\n").unwrap();
        assert!(Settings::laid(Some(&file), &given).unwrap_err().contains("qeueu"));
    }

    #[test]
    fn times_are_written_as_they_are_read() {
        for text in ["500ms", "5s", "10m", "24h", "30d", "90s"] {
            let span: Span = text.parse().unwrap();
            let again: Span = String::from(span).parse().unwrap();
            assert_eq!(span, again, "{text}");
        }
        for text in ["", "5", "s", "0s", "-1s", "5 s", "5w", "99999999999999999999s", "9999999d"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
