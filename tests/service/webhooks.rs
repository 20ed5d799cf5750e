//! The courier against a listener on the loopback: signatures, repeats, dead letters, redirects; answers that are huge,
//! slow or none; and a process that ends in between.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bonafide::policy::Decision;
use bonafide::service::store::{ATTEMPTS, CaseScores, Flow, LONGEST_DELAY_MS, NewCase, ReviewStore};
use bonafide::service::webhooks::{Courier, Event, Webhook, address};
use hmac::{Hmac, KeyInit, Mac};
use sqlx::{Connection, Row};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const NOW: i64 = 1_700_000_000_000;
const SECRET: &str = "a secret of the test's own";

/// A request as it came.
#[derive(Debug, Clone)]
struct Received {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

/// A listener that answers by `reply`, given the number of requests before.
struct Listener {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Listener {
    fn start(reply: impl Fn(usize) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&received);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                let Some(request) = read_request(&mut stream) else { continue };
                let before = kept.lock().unwrap().len();
                kept.lock().unwrap().push(request);
                let _ = stream.write_all(reply(before).as_bytes());
            }
        });
        Self { port, received }
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

fn read_request(stream: &mut TcpStream) -> Option<Received> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let headers: Vec<(String, String)> = lines
                .filter_map(|line| line.split_once(": ").map(|(key, value)| (key.to_owned(), value.to_owned())))
                .collect();
            let length = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case("content-length"))?.1.parse().ok()?;
            if body.len() >= length {
                return Some(Received { line, headers, body: body.to_owned() });
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

fn status(code: &str) -> String {
    format!("HTTP/1.1 {code}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// A store, a courier at work on it, and the clock they go by.
struct Post {
    store: ReviewStore,
    clock: Arc<AtomicI64>,
    wake: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    webhooks: Vec<Webhook>,
    folder: TempDir,
}

impl Post {
    async fn start(urls: &[String]) -> Self {
        Self::start_within(urls, Duration::from_secs(2)).await
    }

    /// The same with so long for each message.
    async fn start_within(urls: &[String], limit: Duration) -> Self {
        let folder = TempDir::with_prefix("bonafide-webhooks-").unwrap();
        let store = ReviewStore::open(folder.path().join("review.db").to_str().unwrap(), None).await.unwrap();
        let hook = |(at, url): (usize, &String)| Webhook::new(&format!("hook{at}"), url, SECRET, None).unwrap();
        let webhooks: Vec<_> = urls.iter().enumerate().map(hook).collect();
        let (clock, wake, stop) = (Arc::new(AtomicI64::new(NOW)), Arc::new(Notify::new()), CancellationToken::new());
        let read = Arc::clone(&clock);
        let courier = Courier::new(store.clone(), webhooks.clone())
            .with_limit(limit)
            .with_clock(move || read.load(Ordering::SeqCst));
        let task = tokio::spawn(courier.run(Arc::clone(&wake), stop.clone()));
        Self { store, clock, wake, stop, task, webhooks, folder }
    }

    async fn record(&self, id: &str, body: &str) {
        let deliveries = address(&self.webhooks, Event::Verdict, &[Decision::Reject], body).unwrap();
        let case = NewCase {
            id,
            owner: "owner",
            sha256: "00",
            media_type: "image/jpeg",
            decision: Decision::Reject,
            classification: "screen",
            report_json: "{}",
            created_ms: NOW,
            picture: None,
            session: None,
            idempotency: None,
            deliveries: &deliveries,
            flow: Flow::default(),
            reasons: &[],
            scores: CaseScores::default(),
            shadow: None,
        };
        self.store.record(&case, "owner").await.unwrap();
        self.wake.notify_one();
    }

    /// Lets the clock go on by `delay_ms` and wakes the courier.
    fn pass(&self, delay_ms: i64) {
        self.clock.fetch_add(delay_ms, Ordering::SeqCst);
        self.wake.notify_one();
    }

    /// How many messages are as `condition` says.
    async fn count(&self, condition: &str) -> i64 {
        let url = format!("sqlite:{}", self.folder.path().join("review.db").display());
        let mut raw = sqlx::AnyConnection::connect(&url).await.unwrap();
        let sql = format!("SELECT COUNT(*) FROM deliveries WHERE {condition}");
        let count = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut raw).await.unwrap().get(0);
        raw.close().await.unwrap();
        count
    }

    /// Waits until the failure of attempt number `attempt` is recorded: the message waits, and not for its lease's end.
    async fn failed(&self, attempt: usize) {
        let leased_ms = self.clock.load(Ordering::SeqCst) + 60_000;
        let condition = format!("attempts = {attempt} AND (state = 'dead' OR next_ms <> {leased_ms})");
        until("the failure is recorded", async || self.count(&condition).await == 1).await;
    }

    /// Another process on the same store, after this one has ended.
    async fn again(self) -> Self {
        let Self { store, clock, wake, stop, task, webhooks, folder } = self;
        stop.cancel();
        tokio::time::timeout(Duration::from_secs(12), task).await.expect("the courier stops").unwrap();
        store.close().await;
        let store = ReviewStore::open_existing(folder.path().join("review.db").to_str().unwrap(), None).await.unwrap();
        let (stop, read) = (CancellationToken::new(), Arc::clone(&clock));
        let courier = Courier::new(store.clone(), webhooks.clone())
            .with_limit(Duration::from_secs(2))
            .with_clock(move || read.load(Ordering::SeqCst));
        let task = tokio::spawn(courier.run(Arc::clone(&wake), stop.clone()));
        Self { store, clock, wake, stop, task, webhooks, folder }
    }

    async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(12), self.task).await.expect("the courier stops").unwrap();
    }
}

/// Waits until `done`, for a few seconds.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done().await {
        assert!(Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_signed_repeated_and_delivered_once() {
    let listener = Listener::start(|before| status(if before < 2 { "500 No" } else { "204 Yes" }));
    let post = Post::start(&[format!("http://127.0.0.1:{}/in?token=x", listener.port)]).await;
    let body = "{\"case\":\"a\",\"word\":\"\u{4F60}\u{597D}\"}";
    post.record("a", body).await;
    for attempt in 1..=2 {
        post.failed(attempt).await;
        assert_eq!(listener.received().len(), attempt);
        post.pass(10_000);
    }
    until("it is delivered", async || post.count("state = 'delivered' AND body IS NULL").await == 1).await;
    let received = listener.received();
    assert_eq!(received.len(), 3);
    for request in &received {
        assert_eq!(request.line, "POST /in?token=x HTTP/1.1");
        assert_eq!((request.body.as_str(), request.header("content-type")), (body, "application/json"));
        assert_eq!(request.header("bonafide-event"), "verdict");
        assert_eq!(request.header("bonafide-delivery"), received[0].header("bonafide-delivery"));
        assert!(request.header("bonafide-delivery").len() >= 20);
        let (time, mac) = request.header("bonafide-signature").split_once(",v1=").unwrap();
        let time = time.strip_prefix("t=").unwrap();
        assert!(time.parse::<i64>().unwrap() >= NOW / 1000);
        let mut expected = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        expected.update(format!("{time}.{body}").as_bytes());
        let bytes: Vec<u8> =
            (0..mac.len()).step_by(2).map(|at| u8::from_str_radix(&mac[at..at + 2], 16).unwrap()).collect();
        expected.verify_slice(&bytes).expect("the signature is right");
    }
    let times: Vec<_> = received.iter().map(|request| request.header("bonafide-signature").to_owned()).collect();
    assert_ne!(times[0], times[2], "each attempt is signed at its own time");
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_given_up_and_sent_after_all() {
    let open = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let opened = Arc::clone(&open);
    let listener = Listener::start(move |_| status(if opened.load(Ordering::SeqCst) { "200 Yes" } else { "503 No" }));
    let post = Post::start(&[format!("http://127.0.0.1:{}/", listener.port)]).await;
    post.record("a", "{}").await;
    for attempt in 1..=ATTEMPTS as usize {
        post.failed(attempt).await;
        assert_eq!(listener.received().len(), attempt);
        post.pass(LONGEST_DELAY_MS);
    }
    let letters = post.store.dead_letters(10).await.unwrap();
    assert_eq!((letters.len(), letters[0].attempts), (1, ATTEMPTS));
    assert_eq!(letters[0].last_error.as_deref(), Some("status 503"));
    let sent = listener.received().len();
    open.store(true, Ordering::SeqCst);
    post.store.requeue(&letters[0].id, post.clock.load(Ordering::SeqCst)).await.unwrap();
    post.pass(0);
    until("it is delivered", async || post.count("state = 'delivered'").await == 1).await;
    assert_eq!(listener.received().len(), sent + 1);
    assert_eq!(
        listener.received()[0].header("bonafide-delivery"),
        listener.received()[sent].header("bonafide-delivery")
    );
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_are_failures_and_one_webhook_does_not_hold_up_another() {
    let target = Listener::start(|_| status("200 Yes"));
    let to = target.port;
    let redirecting = Listener::start(move |_| {
        format!(
            "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:{to}/stolen\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    });
    // One that takes requests and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = |port: u16| format!("http://127.0.0.1:{port}/");
    let urls = [url(redirecting.port), url(silent.local_addr().unwrap().port()), url(to), url(1)];
    let post = Post::start(&urls).await;
    post.record("a", "{}").await;
    let begun = Instant::now();
    until("the open one got its own", async || post.count("state = 'delivered'").await == 1).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    let errors = "last_error IN ('status 307', 'connection refused', 'no answer in time')";
    until("the silent one is given up", async || post.count(errors).await == 3).await;
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(target.received().len(), 1);
    assert_eq!(target.received()[0].line, "POST / HTTP/1.1");
    post.end().await;
}

/// A listener that takes a request and then writes what `piece` gives, again and again, with a pause; says how many bytes
/// it could write until the other side was gone.
fn flooding(first: &'static str, piece: Vec<u8>, pause: Duration) -> (u16, Arc<Mutex<Vec<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let written = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&written);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            if read_request(&mut stream).is_none() {
                continue;
            }
            let mut bytes = 0;
            let _ = stream.write_all(first.as_bytes());
            // Far more than anybody should take.
            while bytes < 1 << 30 && stream.write_all(&piece).is_ok() {
                bytes += piece.len();
                std::thread::sleep(pause);
            }
            kept.lock().unwrap().push(bytes);
        }
    });
    (port, written)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_without_an_end_are_not_read() {
    let (body, body_written) = flooding("HTTP/1.1 200 Yes\r\n\r\n", vec![b'x'; 1 << 16], Duration::ZERO);
    let long = [&b"X: "[..], &vec![b'x'; 1 << 12], b"\r\n"].concat();
    let (head, head_written) = flooding("HTTP/1.1 200 Yes\r\n", long, Duration::ZERO);
    let post = Post::start(&[body, head].map(|port| format!("http://127.0.0.1:{port}/"))).await;
    post.record("a", "{}").await;
    until("the one with a head is delivered", async || post.count("state = 'delivered'").await == 1).await;
    until("the one without is a failure", async || post.count("last_error IS NOT NULL").await == 1).await;
    for written in [body_written, head_written] {
        until("its connection is closed", async || !written.lock().unwrap().is_empty()).await;
        // What sockets hold by themselves, and no more.
        let bytes = written.lock().unwrap()[0];
        assert!(bytes < 32 << 20, "{bytes} bytes of an answer were taken");
    }
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_drips_is_given_up_and_holds_nobody_up() {
    let (slow, _) = flooding("HTTP/1.1 200 Y", b"e".to_vec(), Duration::from_millis(50));
    // Takes the request and goes.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone_at = gone.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in gone.incoming() {
            let _ = stream.map(|mut stream| read_request(&mut stream));
        }
    });
    let quick = Listener::start(|_| status("204 Yes"));
    let post = Post::start(&[slow, gone_at, quick.port].map(|port| format!("http://127.0.0.1:{port}/"))).await;
    post.record("a", "{}").await;
    until("the quick one got its own", async || post.count("state = 'delivered'").await == 1).await;
    until("the slow one is given up", async || post.count("last_error = 'no answer in time'").await == 1).await;
    until("the one that went is a failure", async || post.count("last_error IS NOT NULL").await == 2).await;
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_delivered_is_sent_by_the_next_process() {
    let open = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let opened = Arc::clone(&open);
    let listener = Listener::start(move |_| status(if opened.load(Ordering::SeqCst) { "200 Yes" } else { "500 No" }));
    let post = Post::start(&[format!("http://127.0.0.1:{}/", listener.port)]).await;
    post.record("a", "{\"word\":1}").await;
    post.failed(1).await;
    let post = post.again().await;
    open.store(true, Ordering::SeqCst);
    post.pass(10_000);
    until("it is delivered", async || post.count("state = 'delivered'").await == 1).await;
    let received = listener.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0].header("bonafide-delivery"), received[1].header("bonafide-delivery"));
    assert_eq!((received[1].body.as_str(), received[1].header("bonafide-event")), ("{\"word\":1}", "verdict"));
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_without_number_to_one_that_is_silent_hold_up_no_other() {
    const MESSAGES: i64 = 24;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let quick = Listener::start(|_| status("204 Yes"));
    let urls = [silent.local_addr().unwrap().port(), quick.port].map(|port| format!("http://127.0.0.1:{port}/"));
    let post = Post::start_within(&urls, Duration::from_secs(8)).await;
    for at in 0..MESSAGES {
        post.record(&at.to_string(), "{}").await;
    }
    until("the quick one got all its own", async || post.count("state = 'delivered'").await == MESSAGES).await;
    let given_up = post.count("last_error IS NOT NULL").await;
    assert!(given_up <= 8, "{given_up} of the silent one's were waited for");
    post.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_to_a_webhook_that_is_gone_are_told_so() {
    let quick = Listener::start(|_| status("204 Yes"));
    let mut post = Post::start(&[format!("http://127.0.0.1:{}/", quick.port)]).await;
    post.webhooks = vec![Webhook::new("gone", "http://127.0.0.1:1/", SECRET, None).unwrap()];
    post.record("a", "{}").await;
    until("it is a failure", async || post.count("last_error = 'no such webhook'").await == 1).await;
    assert!(quick.received().is_empty());
    post.end().await;
}
