//! The service as its clients meet it: a real server on loopback, and everything that may be sent to it.
//!
//! - `api`: verdicts, every status, languages, keys and scopes, quotas, idempotency, batches, cases;
//! - `flow`: references, attempts that end, decisions that come back, tokens;
//! - `forms`: fields of forms, names and texts of uploaders, idempotency across keys;
//! - `handoff`: PC and phone, over HTTP;
//! - `hostile`: who sends slowly, too much, half, all at once, or under another name;
//! - `place`: a store that is removed, replaced, locked, looked for in vain, served twice or killed;
//! - `process`: the program itself (`program` starts it): signals, a full disk, a database that dies and comes back;
//! - `tenants`: what one key has of its own, a policy in the shadow, ages;
//! - `store`, `webhooks`: what is remembered and reported, on SQLite and on PostgreSQL (`postgres` starts one).
//!
//! Every answer of a route is held against the API's own description: a status that is not declared there fails.
#![allow(clippy::print_stdout, reason = "says what is skipped, and why")]

mod api;
mod flow;
mod forms;
mod handoff;
mod hostile;
mod place;
mod postgres;
mod process;
mod program;
mod store;
mod tenants;
mod webhooks;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bonafide::checker::{Checker, Options};
use bonafide::service::store::{NewKey, ReviewStore};
use bonafide::service::{Config, Service, openapi};
use serde_json::Value;
use tempfile::TempDir;
use tokio::runtime::Runtime;

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn checker() -> Arc<Checker> {
    static CHECKER: OnceLock<Arc<Checker>> = OnceLock::new();
    Arc::clone(CHECKER.get_or_init(|| Arc::new(Checker::new(&Options::default()).unwrap())))
}

/// A server on a free port with a store of its own; stopped when dropped.
struct Server {
    service: Option<Service>,
    address: SocketAddr,
    store: ReviewStore,
    _folder: TempDir,
}

impl Server {
    fn start(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.listen.listen = "127.0.0.1:0".parse().unwrap();
        config.remember.store = folder.path().join("store.db").to_string_lossy().into_owned();
        // What is asked is what counts, however busy the machine.
        config.work.deadline = Duration::from_mins(10).into();
        configure(&mut config);
        let (service, store) = runtime().block_on(async {
            let store = ReviewStore::open(&config.remember.store, None).await.unwrap();
            (Service::start(config, checker()).await.unwrap(), store)
        });
        Self { address: service.address(), service: Some(service), store, _folder: folder }
    }

    /// The same with a key for each set of scopes, made before it starts.
    fn with_keys<const N: usize>(scopes: [&str; N], configure: impl FnOnce(&mut Config)) -> (Self, [String; N]) {
        let mut keys = [const { String::new() }; N];
        let server = Self::start(|config| {
            configure(config);
            runtime().block_on(async {
                let store = ReviewStore::open(&config.remember.store, None).await.unwrap();
                for (key, scopes) in keys.iter_mut().zip(scopes) {
                    let new =
                        NewKey { name: scopes, scopes: scopes.parse().unwrap(), per_minute: None, expires_ms: None };
                    store.create_key(&new, "test", 0).await.unwrap().text.reveal().clone_into(key);
                }
                store.close().await;
            });
        });
        (server, keys)
    }

    fn ask(&self, method: &str, path: &str) -> Ask {
        Ask { address: self.address, method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: None }
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path).send()
    }

    /// A picture sent to be checked.
    fn check(&self, picture: &[u8]) -> Answer {
        self.ask("POST", "/v1/check").body("image/jpeg", picture).send()
    }

    /// How many cases are on record.
    fn cases(&self) -> usize {
        let filter = bonafide::service::store::CaseFilter { limit: 500, ..Default::default() };
        runtime().block_on(self.store.cases(filter)).unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            let stopped =
                runtime().block_on(async { tokio::time::timeout(Duration::from_mins(1), service.stop()).await });
            assert!(
                std::thread::panicking() || stopped.is_ok_and(|stopped| stopped.is_ok()),
                "the server did not stop"
            );
        }
    }
}

/// A request.
struct Ask {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Ask {
    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn key(self, key: &str) -> Self {
        self.header("authorization", &format!("Bearer {key}"))
    }

    fn body(mut self, kind: &str, bytes: &[u8]) -> Self {
        self.body = Some(bytes.to_vec());
        self.header("content-type", kind)
    }

    fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string().as_bytes())
    }

    /// A form with one part a file.
    fn form(self, files: &[(&str, &[u8])]) -> Self {
        let mut body = Vec::new();
        for (name, bytes) in files {
            let head = format!(
                "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--limit--\r\n");
        self.body("multipart/form-data; boundary=limit", &body)
    }

    /// Sends it over a connection of its own and reads the whole answer.
    fn send(self) -> Answer {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if let Some(body) = &self.body {
            write!(head, "Content-Length: {}\r\n", body.len()).unwrap();
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        // A server that refuses need not read everything.
        let _ = stream.write_all(self.body.as_deref().unwrap_or_default());
        let answer = Answer::read(&mut stream).expect("an answer");
        answer.hold_against_description(&self.method, &self.path);
        answer
    }
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    /// Everything until the other side closes; `None` where that came before a whole answer.
    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        // What came before an error counts.
        let _ = stream.read_to_end(&mut bytes);
        Self::parse(&bytes)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
            .collect();
        let mut body = bytes[end + 4..].to_vec();
        if headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            body = unchunk(&body)?;
        } else if let Some(length) = headers.get("content-length").and_then(|length| length.parse::<usize>().ok()) {
            (body.len() >= length).then_some(())?;
        }
        Some(Self { status, headers, body })
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The stable code of a problem, whose form is checked on the way.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], self.status, "{problem}");
        assert_eq!(problem["trace_id"].as_str().map(str::len), Some(32), "{problem}");
        assert_eq!(problem["trace_id"], self.header("x-request-id"), "{problem}");
        assert!(["type", "title", "detail"].iter().all(|key| problem[key].as_str().is_some_and(|t| !t.is_empty())));
        problem["code"].as_str().expect("a code").to_owned()
    }

    #[track_caller]
    fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    fn hold_against_description(&self, method: &str, path: &str) {
        static DESCRIBED: OnceLock<Value> = OnceLock::new();
        let api = DESCRIBED.get_or_init(|| serde_json::to_value(openapi()).unwrap());
        let path = path.split('?').next().unwrap_or_default();
        let fits = |template: &str| {
            let (a, b): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
            a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.starts_with('{') || a == b)
        };
        let paths = api["paths"].as_object().expect("paths");
        // A path without a part in braces goes before one with.
        let described = paths.get(path).or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, d)| d));
        let Some(operation) = described.and_then(|d| d.get(method.to_lowercase())) else { return };
        let declared = &operation["responses"];
        assert!(declared.get(self.status.to_string()).is_some(), "{method} {path} answers {}: {declared}", self.status);
    }
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let end = bytes.windows(2).position(|two| two == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).ok()?.trim(), 16).ok()?;
        if length == 0 {
            return Some(out);
        }
        out.extend_from_slice(bytes.get(end + 2..end + 2 + length)?);
        bytes = bytes.get(end + 4 + length..)?;
    }
}

/// A small JPEG with texture, different for every `seed`.
fn picture(seed: u32) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.jpg");
    crate::write_picture(&path, 320, 240, seed);
    std::fs::read(path).unwrap()
}

/// A committed sample.
fn sample(name: &str) -> Vec<u8> {
    std::fs::read(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples").join(name)).unwrap()
}
