//! The HTTP service under load → its rate against the bare checker, how it refuses, and whether it holds its memory.
//!
//! ```sh
//! cargo bench --bench service -- load [SECONDS] [CLIENTS…] [--expect] [--impatient]   # beside the bare checker
//! cargo bench --bench service -- overload [SECONDS]  # four times as many requests as can be answered
//! cargo bench --bench service -- soak [MINUTES]      # everything that clients do, good and bad
//! ```
//!
//! A client that is refused comes back when it was told to, or after a quarter of a second with `--impatient`; with
//! `--expect` it waits for leave to send its picture.
//!
//! The service runs as shipped, as a process of its own; client and service share the machine, so that what the client
//! costs counts against the service. Nothing here is a promise about another machine: read the ratios.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod picture;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::scene::Deadline;
use tempfile::TempDir;

/// A client that does not care what it was told comes back after this.
const IMPATIENCE: Duration = Duration::from_millis(250);

/// An answer that takes longer is a fault of the service.
const ANSWER_TIME: Duration = Duration::from_mins(1);

/// A connection that was idle for longer is not used again: the service closes it after five seconds.
const IDLE: Duration = Duration::from_secs(3);

/// Bytes written between two looks for an early answer.
const BLOCK: usize = 64 << 10;

/// Clock ticks a second in `/proc`; the same on every Linux that people use.
const TICKS: f64 = 100.0;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let given: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let (flags, numbers): (Vec<_>, Vec<_>) = given.iter().skip(1).partition(|text| text.starts_with("--"));
    let numbers = numbers.iter().map(|text| text.parse::<f64>()).collect::<Result<Vec<_>, _>>()?;
    let number = numbers.first().copied();
    match given.first().map(String::as_str) {
        Some("load") => {
            let clients: Vec<_> = numbers.iter().skip(1).map(|count| *count as usize).collect();
            let clients = if clients.is_empty() { vec![1, 2, 8, 32, 128] } else { clients };
            let is_given = |flag| flags.iter().any(|given| *given == flag);
            load(seconds(number.unwrap_or(20.0)), &clients, is_given("--expect"), is_given("--impatient"))
        }
        Some("overload") => overload(seconds(number.unwrap_or(20.0))),
        Some("soak") => soak(seconds(number.unwrap_or(30.0) * 60.0)),
        // Minutes of load are not for who runs all benches.
        _ => {
            println!("service: say `-- load [SECONDS]`, `-- overload [SECONDS]` or `-- soak [MINUTES]`");
            Ok(())
        }
    }
}

fn seconds(count: f64) -> Duration {
    Duration::from_secs_f64(count)
}

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_bonafide").into()
}

/// Threads of the bare checker and of the service.
fn processors() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// A file that is sent.
struct Picture {
    name: &'static str,
    bytes: Vec<u8>,
}

fn photograph() -> Picture {
    Picture { name: "12 megapixels", bytes: picture::photograph() }
}

fn sample() -> Picture {
    let bytes = include_bytes!("../datasets/samples/original_card_01.jpg").to_vec();
    Picture { name: "sample, 1.8 megapixels", bytes }
}

/// What the checker does without the service.
#[derive(Clone, Copy)]
struct Bare {
    /// Pictures a second.
    rate: f64,
    /// Processor time of a picture.
    cpu_ms: f64,
}

/// Pictures a second of `Checker::check` on `threads` threads, as the service calls it.
fn bare(threads: usize, span: Duration, picture: &Picture) -> Bare {
    static CHECKER: LazyLock<Checker> = LazyLock::new(|| Checker::new(&Options::default()).expect("shipped models"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let upload = Upload { bytes: &picture.bytes, name: None };
    // The first check of a thread makes its buffers.
    pool.broadcast(|_| CHECKER.check(&upload, Deadline::NEVER).expect("examined"));
    let cpu = cpu_s("self");
    // Each thread to the end of its last picture, so that none counts in part.
    let rates = pool.broadcast(|_| {
        let (begun, mut count) = (Instant::now(), 0);
        while begun.elapsed() < span {
            let report = CHECKER.check(black_box(&upload), Deadline::after(Duration::from_secs(10)));
            black_box(report.expect("examined"));
            count += 1;
        }
        (f64::from(count) / begun.elapsed().as_secs_f64(), count)
    });
    let count: u32 = rates.iter().map(|(_, count)| count).sum();
    let rate = rates.iter().map(|(rate, _)| rate).sum();
    Bare { rate, cpu_ms: 1e3 * (cpu_s("self") - cpu) / f64::from(count) }
}

// ---------------------------------------------------------------------------------------------------------- service

/// The service as a process of its own, with a store on the disk; it ends with this value.
struct Server {
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts it with the shipped settings and waits until it listens.
    fn start(workers: usize) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let log = folder.path().join("log");
        let mut command = Command::new(program());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("BONAFIDE_") {
                command.env_remove(name);
            }
        }
        let child = command
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", &workers.to_string(), "--store"])
            .arg(folder.path().join("store.db"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), folder };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            for line in fs::read_to_string(&log)?.lines() {
                let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
                if line["message"] == "listening" {
                    server.address = line["address"].as_str().unwrap_or_default().parse()?;
                    return Ok(server);
                }
            }
            if server.child.try_wait()?.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the service does not start: {}", fs::read_to_string(&log)?).into())
    }

    /// Processor time that it has had, in seconds.
    fn cpu_s(&self) -> f64 {
        cpu_s(&self.child.id().to_string())
    }

    /// A number of `/proc/…/status`, such as `VmRSS` in kB.
    fn status(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    }

    /// Open file descriptors.
    fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Bytes of the store and of its write-ahead log.
    fn store_bytes(&self) -> (u64, u64) {
        let bytes = |name: &str| fs::metadata(self.folder.path().join(name)).map_or(0, |file| file.len());
        (bytes("store.db"), bytes("store.db-wal"))
    }

    /// Purges the newest case, upon which the service copies the write-ahead log into the store's file.
    fn empty_log(&self) -> io::Result<()> {
        let mut client = Client::new(self.address);
        let newest = client.send(&Request::get("/v1/cases?limit=1"))?.json();
        let id = newest["cases"][0]["id"].as_str().unwrap_or_default();
        client.send(&Request::new("DELETE", &format!("/v1/cases/{id}"), &[], &[])).map(|_| ())
    }

    /// Counters of `/metrics` that begin with `name`, by their labels.
    fn figures(&self, name: &str) -> BTreeMap<String, f64> {
        let answer = Client::new(self.address).send(&Request::get("/metrics"));
        let text = answer.map(|answer| answer.body).unwrap_or_default();
        let lines = String::from_utf8_lossy(&text).into_owned();
        let lines = lines.lines().filter_map(|line| {
            let (label, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            Some((label.to_owned(), value.parse().ok()?))
        });
        lines.collect()
    }

    /// Warnings and errors of its log, counted.
    fn complaints(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.folder.path().join("log")).unwrap_or_default().lines() {
            match serde_json::from_str::<serde_json::Value>(line) {
                Ok(line) if matches!(line["level"].as_str(), Some("INFO" | "DEBUG")) => {}
                Ok(line) => {
                    let text = format!("{} {} {}", line["level"], line["message"], line["error"]);
                    *counts.entry(text).or_default() += 1;
                }
                Err(_) => *counts.entry(line.chars().take(120).collect()).or_default() += 1,
            }
        }
        counts
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Processor time of a process and of its children that have ended, in seconds.
fn cpu_s(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

// ----------------------------------------------------------------------------------------------------------- client

/// A request as bytes.
struct Request<'a> {
    head: String,
    body: &'a [u8],
    /// Waits for leave to send the body, as curl does with more than a megabyte.
    asks: bool,
}

impl<'a> Request<'a> {
    /// Each of `headers` is a whole `name: value`.
    fn new(method: &str, path: &str, headers: &[&str], body: &'a [u8]) -> Self {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: service\r\n");
        for header in headers {
            head += header;
            head += "\r\n";
        }
        if !body.is_empty() {
            let _ = write!(head, "content-length: {}\r\n", body.len());
        }
        head += "\r\n";
        Self { head, body, asks: headers.contains(&EXPECT) }
    }

    fn get(path: &str) -> Self {
        Self::new("GET", path, &[], &[])
    }
}

const EXPECT: &str = "expect: 100-continue";

/// What came back.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// From the first byte sent to the last one received.
    spent: Duration,
    /// The connection can be used again.
    stays: bool,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// How long a refused client is to stay away.
    fn retry_after(&self) -> Duration {
        self.header("retry-after").and_then(|value| value.parse().ok()).map_or(IMPATIENCE, seconds)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One keep-alive connection, made anew where the service closed it.
struct Client {
    address: SocketAddr,
    held: Option<(TcpStream, Instant)>,
}

impl Client {
    fn new(address: SocketAddr) -> Self {
        Self { address, held: None }
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_TIME))?;
        // A write that finds no room gives the client a chance to see that it has been answered already.
        stream.set_write_timeout(Some(Duration::from_millis(20)))?;
        Ok(stream)
    }

    fn send(&mut self, request: &Request<'_>) -> io::Result<Answer> {
        if let Some((stream, since)) = self.held.take()
            && since.elapsed() < IDLE
        {
            match exchange(&stream, request) {
                Ok(answer) => return Ok(self.keep(stream, answer)),
                // Closed by the service in the moment in which it was used: any client sends it again.
                Err(error) if is_closed(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let stream = self.connect()?;
        let answer = exchange(&stream, request)?;
        Ok(self.keep(stream, answer))
    }

    fn keep(&mut self, stream: TcpStream, answer: Answer) -> Answer {
        self.held = answer.stays.then(|| (stream, Instant::now()));
        answer
    }
}

fn is_closed(error: &io::Error) -> bool {
    use ErrorKind as K;
    matches!(error.kind(), K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted)
}

/// Sends a request and reads its answer; a client that is refused before it has sent everything sends no more, and
/// gives the connection up, as curl does.
fn exchange(stream: &TcpStream, request: &Request<'_>) -> io::Result<Answer> {
    let begun = Instant::now();
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    writer.write_all(request.head.as_bytes())?;
    let mut sent = 0;
    let (mut early, mut accepted) = (None, false);
    if request.asks {
        let head = read_head(&mut reader)?;
        if status(&head)? != 100 {
            early = Some(head);
        }
    }
    while (early.is_none() || accepted) && sent < request.body.len() {
        match writer.write(&request.body[sent..request.body.len().min(sent + BLOCK)]) {
            Ok(more) => sent += more,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            // Whatever was answered before is there to be read.
            Err(error) if is_closed(&error) => break,
            Err(error) => return Err(error),
        }
        // A batch is answered while it is sent.
        if !accepted && sent < request.body.len() && has_answer(stream)? {
            let head = read_head(&mut reader)?;
            accepted = (200..300).contains(&status(&head)?);
            early = Some(head);
        }
    }
    let head = early.map_or_else(|| read_head(&mut reader), Ok)?;
    let mut answer = Answer { status: status(&head)?, head, body: Vec::new(), spent: Duration::ZERO, stays: false };
    answer.body = read_body(&mut reader, &answer)?;
    answer.spent = begun.elapsed();
    let closes = answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    answer.stays = !closes && sent == request.body.len();
    Ok(answer)
}

fn has_answer(stream: &TcpStream) -> io::Result<bool> {
    stream.set_nonblocking(true)?;
    let seen = stream.peek(&mut [0]);
    stream.set_nonblocking(false)?;
    match seen {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) if is_closed(&error) => Ok(true),
        Err(error) => Err(error),
    }
}

fn read_head(reader: &mut impl BufRead) -> io::Result<String> {
    let mut head = String::new();
    loop {
        let before = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if head.len() - before <= 2 {
            return Ok(head);
        }
    }
}

fn status(head: &str) -> io::Result<u16> {
    let code = head.split_whitespace().nth(1).and_then(|code| code.parse().ok());
    code.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "no status"))
}

fn read_body(reader: &mut impl BufRead, answer: &Answer) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if answer.status == 204 {
        return Ok(body);
    }
    if let Some(length) = answer.header("content-length").and_then(|value| value.parse().ok()) {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
        return Ok(body);
    }
    loop {
        let chunk = read_chunk(reader)?;
        if chunk.is_empty() {
            return Ok(body);
        }
        body.extend_from_slice(&chunk);
    }
}

/// The next piece of a chunked body; the last one is empty.
fn read_chunk(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let size = usize::from_str_radix(line.trim(), 16).map_err(|_| io::Error::new(ErrorKind::InvalidData, "chunk"))?;
    let mut chunk = vec![0; size + 2];
    reader.read_exact(&mut chunk)?;
    chunk.truncate(size);
    Ok(chunk)
}

/// A form of files.
fn form(files: &[&[u8]]) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(b"--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n");
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    body
}

const FORM: &str = "content-type: multipart/form-data; boundary=edge";

// ---------------------------------------------------------------------------------------------------- what was seen

/// Answers of some time.
#[derive(Default)]
struct Seen {
    /// Times of verdicts.
    verdicts: Vec<Duration>,
    /// Times of refusals.
    refusals: Vec<Duration>,
    /// Everything else, which there should not be.
    others: BTreeMap<String, usize>,
}

impl Seen {
    fn take(&mut self, answer: &io::Result<Answer>) {
        match answer {
            Ok(answer) if answer.status == 200 => self.verdicts.push(answer.spent),
            Ok(answer) if answer.status == 503 => self.refusals.push(answer.spent),
            Ok(answer) => *self.others.entry(format!("status {}", answer.status)).or_default() += 1,
            Err(error) => *self.others.entry(format!("error {:?}", error.kind())).or_default() += 1,
        }
    }

    fn merge(&mut self, other: Self) {
        self.verdicts.extend(other.verdicts);
        self.refusals.extend(other.refusals);
        for (what, count) in other.others {
            *self.others.entry(what).or_default() += count;
        }
    }
}

/// Nearest-rank percentiles in milliseconds, as cells of a table; the last is the maximum where `1.0` is asked for.
fn percentiles(times: &mut [Duration], shares: &[f64]) -> String {
    times.sort_unstable();
    let cell = |share: &f64| {
        let rank = (share * times.len() as f64).ceil() as usize;
        times.get(rank.saturating_sub(1)).map_or("–".to_owned(), |time| format!("{:.0}", time.as_secs_f64() * 1e3))
    };
    shares.iter().map(cell).collect::<Vec<_>>().join(" | ")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Clients that each send the next request when the last one is answered: what was answered in `span`.
fn closed_loop(server: &Server, clients: usize, impatient: bool, span: Duration, request: &Request<'_>) -> Run {
    let seen = Mutex::new(Seen::default());
    let from = Instant::now() + WARM_UP;
    let until = from + span;
    let (client_cpu, service_cpu) = thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                let (mut client, mut mine) = (Client::new(server.address), Seen::default());
                while Instant::now() < until {
                    let answer = client.send(request);
                    if (from..until).contains(&Instant::now()) {
                        mine.take(&answer);
                    }
                    match answer {
                        Ok(answer) if answer.status == 503 && !impatient => {
                            let back = Instant::now() + answer.retry_after();
                            thread::sleep(back.min(until).saturating_duration_since(Instant::now()));
                        }
                        Ok(answer) if answer.status == 200 => {}
                        _ => thread::sleep(IMPATIENCE),
                    }
                }
                lock(&seen).merge(mine);
            });
        }
        thread::sleep(from.saturating_duration_since(Instant::now()));
        let before = (cpu_s("self"), server.cpu_s());
        thread::sleep(until.saturating_duration_since(Instant::now()));
        (cpu_s("self") - before.0, server.cpu_s() - before.1)
    });
    let seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
    Run { rate: seen.verdicts.len() as f64 / span.as_secs_f64(), seen, client_cpu, service_cpu }
}

#[derive(Default)]
struct Run {
    /// Verdicts a second.
    rate: f64,
    seen: Seen,
    /// Processor seconds of the client.
    client_cpu: f64,
    /// Processor seconds of the service.
    service_cpu: f64,
}

impl Run {
    fn merge(&mut self, other: Self) {
        self.rate += other.rate;
        self.seen.merge(other.seen);
        self.client_cpu += other.client_cpu;
        self.service_cpu += other.service_cpu;
    }
}

/// Does `work` at `rate` a second for `span`, whether or not what was begun before has ended. At most `threads` are at
/// work; what would begin more than a quarter of a second late for want of one is left out, and counted.
fn open_loop<F>(address: SocketAddr, rate: f64, span: Duration, threads: usize, work: F) -> usize
where
    F: Fn(u64, Duration, &mut Client) + Sync,
{
    let (next, left_out) = (AtomicU64::new(0), AtomicUsize::new(0));
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut client = Client::new(address);
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let due = seconds(index as f64 / rate);
                    if due >= span {
                        return;
                    }
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                    if begun.elapsed() > due + Duration::from_millis(250) {
                        left_out.fetch_add(1, Ordering::Relaxed);
                    } else {
                        work(index, due, &mut client);
                    }
                }
            });
        }
    });
    left_out.into_inner()
}

// ------------------------------------------------------------------------------------------------------------- load

/// A step of so many seconds is taken in pieces of at most this, each beside one of the bare checker: on a machine that
/// others use too, only neighbours can be compared, and the closer the better.
const PIECE: Duration = Duration::from_secs(5);

/// Rate and times by number of clients, in turn with the bare checker on as many threads as can be busy.
fn load(span: Duration, clients: &[usize], asks: bool, impatient: bool) -> Result<(), Box<dyn Error>> {
    let workers = processors();
    let pieces = (span.as_secs_f64() / PIECE.as_secs_f64()).round().max(1.0) as usize;
    println!("{workers} processors, {workers} workers; {pieces} times {} s a step\n", PIECE.as_secs());
    println!(
        "| picture | clients | verdicts/s | bare checker/s (lowest to highest) | ratio (each) | CPU ms a verdict, service \
         and bare | ratio | p50 ms | p95 | p99 | refused | client's CPU |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    let server = Server::start(workers)?;
    let mut others = BTreeMap::new();
    for picture in [photograph(), sample()] {
        let request = check(&picture, if asks { &[EXPECT] } else { &[] });
        for clients in clients.iter().copied() {
            let busy = clients.min(workers);
            let mut whole = Run::default();
            let mut bares = vec![bare(busy, PIECE, &picture)];
            let mut ratios = Vec::new();
            for _ in 0..pieces {
                let run = closed_loop(&server, clients, impatient, PIECE, &request);
                let (before, after) = (bares[bares.len() - 1], bare(busy, PIECE, &picture));
                ratios.push(2.0 * run.rate / (before.rate + after.rate));
                bares.push(after);
                whole.merge(run);
            }
            let Run { rate, mut seen, client_cpu, service_cpu } = whole;
            bares.sort_by(|a, b| a.rate.total_cmp(&b.rate));
            let mean = |pick: fn(&Bare) -> f64| bares.iter().map(pick).sum::<f64>() / bares.len() as f64;
            let each: Vec<_> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
            let cpu_ms = 1e3 * service_cpu / seen.verdicts.len() as f64;
            println!(
                "| {} | {clients} | {:.2} | {:.2} ({:.2} to {:.2}) | {:.2} ({}) | {cpu_ms:.0}, {:.0} | {:.2} | {} | {} | \
                 {:.0} % |",
                picture.name,
                rate / pieces as f64,
                mean(|bare| bare.rate),
                bares[0].rate,
                bares[bares.len() - 1].rate,
                ratios.iter().sum::<f64>() / pieces as f64,
                each.join(", "),
                mean(|bare| bare.cpu_ms),
                mean(|bare| bare.cpu_ms) / cpu_ms,
                percentiles(&mut seen.verdicts, &[0.5, 0.95, 0.99]),
                seen.refusals.len(),
                100.0 * client_cpu / (pieces as f64 * PIECE.as_secs_f64() * workers as f64),
            );
            for (what, count) in seen.others {
                *others.entry(what).or_insert(0) += count;
            }
        }
    }
    println!("\nNeither verdict nor refusal: {others:?}. Complaints in the log: {:?}", server.complaints());
    Ok(())
}

/// Not counted: connections are made and the line fills.
const WARM_UP: Duration = Duration::from_secs(2);

fn check<'a>(picture: &'a Picture, headers: &[&str]) -> Request<'a> {
    Request::new("POST", "/v1/check", headers, &picture.bytes)
}

// --------------------------------------------------------------------------------------------------------- overload

/// Four times as many requests as can be answered: is as much answered as before, and are the others told at once?
fn overload(span: Duration) -> Result<(), Box<dyn Error>> {
    /// More than the uploads that the service takes at a time, and as many again that are being refused.
    const THREADS: usize = 256;
    /// Until the line has filled; not counted.
    const RAMP: Duration = Duration::from_secs(5);
    let workers = processors();
    println!("{workers} workers; peak: {} clients in a closed loop; then 4 times the peak\n", 2 * workers);
    println!(
        "| picture | body | peak/s, before and after | sent/s | goodput/s | of the peak | refused | refusal p50 ms | \
         p95 | p99 | max | verdict p50 ms | p99 | left out | client's CPU | service's CPU |\n\
         |---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    );
    for picture in [photograph(), sample()] {
        for (manner, headers) in [("at once", &[][..]), ("when told (100)", &[EXPECT][..])] {
            let server = Server::start(workers)?;
            let request = check(&picture, headers);
            let peak = || closed_loop(&server, 2 * workers, false, span / 2, &request).rate;
            let before = peak();
            let seen = Mutex::new(Seen::default());
            let causes = server.figures("bonafide_refusals_total");
            let begun = Instant::now();
            let cpu = (cpu_s("self"), server.cpu_s());
            let left_out = open_loop(server.address, 4.0 * before, RAMP + span, THREADS, |_, _, client| {
                let answer = client.send(&request);
                if (RAMP..RAMP + span).contains(&begun.elapsed()) {
                    lock(&seen).take(&answer);
                }
            });
            let all = begun.elapsed().as_secs_f64() * workers as f64 / 100.0;
            let cpu = ((cpu_s("self") - cpu.0) / all, (server.cpu_s() - cpu.1) / all);
            let mut seen = seen.into_inner().unwrap_or_else(PoisonError::into_inner);
            let mut refused = server.figures("bonafide_refusals_total");
            for (cause, count) in causes {
                *refused.entry(cause).or_default() -= count;
            }
            let after = peak();
            let goodput = seen.verdicts.len() as f64 / span.as_secs_f64();
            let answers = seen.verdicts.len() + seen.refusals.len() + seen.others.values().sum::<usize>();
            println!(
                "| {} | {manner} | {before:.2}, {after:.2} | {:.1} | {goodput:.2} | {:.0} % | {:.0} % | {} | {} | \
                 {left_out} | {:.0} % | {:.0} % |",
                picture.name,
                4.0 * before,
                200.0 * goodput / (before + after),
                100.0 * seen.refusals.len() as f64 / answers as f64,
                percentiles(&mut seen.refusals, &[0.5, 0.95, 0.99, 1.0]),
                percentiles(&mut seen.verdicts, &[0.5, 0.99]),
                cpu.0,
                cpu.1,
            );
            let late = seen.refusals.iter().filter(|time| **time > Duration::from_millis(100)).count();
            eprintln!(
                "  {late} refusals after more than 100 ms; causes {refused:?}; others {:?}; log {:?}",
                seen.others,
                server.complaints()
            );
        }
    }
    println!("\nAimed at: goodput at least 80 % of the peak, refusals within 100 ms.");
    Ok(())
}

// ------------------------------------------------------------------------------------------------------------- soak

/// What clients do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Sample,
    Photograph,
    Form,
    Drawn,
    Batch,
    Twice,
    Rubbish,
    Torn,
    TooLong,
    TooLongUnsaid,
    Nowhere,
    WrongMethod,
    Look,
    Cases,
    Purge,
    Session,
    BrokenOff,
    Stalled,
    Dripping,
    SlowHead,
}

/// How often of a hundred, what it costs in samples and photographs, and how it is to end.
const MIX: [(Act, u64, f64, f64, &[&str]); 20] = [
    (Act::Sample, 24, 1.0, 0.0, &["200"]),
    (Act::Photograph, 10, 0.0, 1.0, &["200"]),
    (Act::Form, 10, 1.0, 0.0, &["200"]),
    (Act::Drawn, 4, 1.0, 0.0, &["200"]),
    (Act::Batch, 3, 3.0, 0.0, &["200, 4 rows"]),
    (Act::Twice, 3, 1.0, 0.0, &["200, 200 again"]),
    (Act::Rubbish, 7, 0.0, 0.0, &["415"]),
    (Act::Torn, 4, 0.0, 0.0, &["422"]),
    (Act::TooLong, 2, 0.0, 0.0, &["413"]),
    (Act::TooLongUnsaid, 1, 0.0, 0.0, &["413"]),
    (Act::Nowhere, 9, 0.0, 0.0, &["404"]),
    (Act::WrongMethod, 2, 0.0, 0.0, &["405"]),
    (Act::Look, 5, 0.0, 0.0, &["200"]),
    (Act::Cases, 3, 0.0, 0.0, &["200"]),
    (Act::Purge, 1, 0.0, 0.0, &["204", "none to purge"]),
    // At most one in five seconds; most of these turns are left out.
    (Act::Session, 6, 0.1, 0.0, &["done", "left by the PC", "left by the phone", "not yet"]),
    (Act::BrokenOff, 3, 0.0, 0.0, &["gone"]),
    (Act::Stalled, 1, 0.0, 0.0, &["408"]),
    (Act::Dripping, 1, 0.0, 0.0, &["408"]),
    (Act::SlowHead, 1, 0.0, 0.0, &["closed", "408"]),
];

/// Of what could be done at most.
const SOAK_SHARE: f64 = 0.6;

/// Between two measurements of the process.
const SAMPLING: Duration = Duration::from_secs(5);

/// Between two hand-offs: the service remembers one for 20 minutes and no more than a thousand.
const SESSION_GAP_S: u64 = 5;

/// Growth that is let pass, in MB a minute. At this rate a gigabyte takes the best part of a day of work without a
/// pause, longer than between two updates; of each answer it is about a kilobyte, less than the smallest thing that could be kept
/// of every request by mistake (a report has ten). Half an hour on a noisy allocator tells about a fifth of it apart from
/// nothing.
const MOST_GROWTH: f64 = 1.0;

/// Everything that clients do, for as long as asked: memory, files and store by the clock.
fn soak(span: Duration) -> Result<(), Box<dyn Error>> {
    let workers = processors();
    let (small, large) = (sample(), photograph());
    let server = Server::start(workers)?;
    let rate = |picture| {
        let request = check(picture, &[]);
        closed_loop(&server, 2 * workers, false, Duration::from_secs(8), &request).rate
    };
    let (small_rate, large_rate) = (rate(&small), rate(&large));
    let weights: u64 = MIX.iter().map(|(_, weight, ..)| weight).sum();
    let cost = |(_, weight, samples, photographs, _): &(Act, u64, f64, f64, _)| {
        *weight as f64 * (samples / small_rate + photographs / large_rate)
    };
    let arrivals = SOAK_SHARE * weights as f64 / MIX.iter().map(cost).sum::<f64>();
    println!(
        "{workers} workers; at most {small_rate:.1} samples/s or {large_rate:.1} photographs/s, so {arrivals:.1} acts/s of \
         the mix for {:.0} min\n",
        span.as_secs_f64() / 60.0
    );
    // Connections of the measuring have ended.
    thread::sleep(Duration::from_secs(8));
    server.empty_log()?;
    let (files_before, store_before) = (server.files(), server.store_bytes());
    let verdicts = || server.figures("bonafide_verdicts_total").values().sum::<f64>();
    let verdicts_before = verdicts();
    let world = World {
        batch: form(&[&small.bytes, &small.bytes, &[7; 5_000], &small.bytes]),
        form: form(&[&small.bytes]),
        torn: small.bytes[..small.bytes.len() / 3].to_vec(),
        long: vec![0x55; 17 << 20],
        last_session_s: AtomicU64::new(0),
        begun: Instant::now(),
        small,
        large,
    };
    let ended: Mutex<BTreeMap<String, BTreeMap<String, usize>>> = Mutex::default();
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("soak.csv");
    let mut csv = fs::File::create(&path)?;
    writeln!(csv, "seconds,rss_mb,files,threads,store_bytes,wal_bytes,acts,handoffs")?;
    let acts = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let (left_out, points) = thread::scope(|scope| {
        let sampler = scope.spawn(|| {
            let mut points = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let (at, rss) = (begun.elapsed(), server.status("VmRSS") * 1024.0 / 1e6);
                let (store, wal) = server.store_bytes();
                let handoffs = server.figures("bonafide_handoffs_open").into_values().sum::<f64>();
                let (files, threads, acts) = (server.files(), server.status("Threads"), acts.load(Ordering::Relaxed));
                let _ =
                    writeln!(csv, "{:.0},{rss:.1},{files},{threads},{store},{wal},{acts},{handoffs}", at.as_secs_f64());
                points.push((at.as_secs_f64() / 60.0, rss));
                thread::sleep(SAMPLING);
            }
            points
        });
        let left_out = open_loop(server.address, arrivals, span, 96, |index, _, client| {
            // The order looks random and is the same in every run.
            let drawn = (index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % weights;
            let mut sum = 0;
            let act = MIX.iter().find(|(_, weight, ..)| {
                sum += weight;
                drawn < sum
            });
            let Some((act, .., expected)) = act else { return };
            let end = world.act(*act, index, client).unwrap_or_else(|error| format!("error {:?}", error.kind()));
            let mark = if expected.contains(&end.as_str()) || end == "503" { "" } else { "UNEXPECTED " };
            *lock(&ended).entry(format!("{act:?}")).or_default().entry(format!("{mark}{end}")).or_default() += 1;
            acts.fetch_add(1, Ordering::Relaxed);
        });
        stop.store(true, Ordering::Relaxed);
        (left_out, sampler.join().unwrap_or_default())
    });
    let ended = ended.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!("| act | ended |\n|---|---|");
    for (act, ends) in &ended {
        let ends: Vec<_> = ends.iter().map(|(end, count)| format!("{end}: {count}")).collect();
        println!("| {act} | {} |", ends.join("; "));
    }
    let count = |pick: &dyn Fn(&str) -> bool| -> usize {
        ended.values().flatten().filter(|(end, _)| pick(end)).map(|(_, count)| count).sum()
    };
    let (unexpected, refused) = (count(&|end| end.starts_with("UNEXPECTED")), count(&|end| end == "503"));
    println!("\nUnexpected: {unexpected}. Refused: {refused}. Left out by the client: {left_out}.");
    println!("Complaints in the log: {:?}", server.complaints());
    // Whatever waits for a time limit has met it.
    thread::sleep(Duration::from_secs(30));
    server.empty_log()?;
    let (files_after, store) = (server.files(), server.store_bytes());
    let cases = verdicts() - verdicts_before;
    let bytes = store.0 as f64 - store_before.0 as f64;
    println!("Files open: {files_before} before, {files_after} after 30 s of quiet.");
    println!("Store: {cases} cases, {:.1} kB each ({} bytes in all, log {}).", bytes / cases / 1e3, store.0, store.1);
    println!("Memory after it: {:.1} MB. By the clock: {}", server.status("VmRSS") * 1024.0 / 1e6, path.display());
    judge(&points, acts.into_inner());
    // The store holds up to eight connections of two or three files, and opens them as they are needed.
    let files = files_after <= files_before + 24;
    println!("Files: {}. Answers: {}.", word(files), word(unexpected == 0));
    Ok(())
}

const fn word(good: bool) -> &'static str {
    if good { "pass" } else { "FAIL" }
}

/// Says whether memory grew over the last two thirds; before that, caches and the allocator's arenas fill.
fn judge(points: &[(f64, f64)], acts: u64) {
    let from = points.last().map_or(0.0, |last| last.0) / 3.0;
    let late: Vec<_> = points.iter().copied().filter(|point| point.0 >= from).collect();
    // Means of twenty pieces: neighbouring samples say the same twice, means of a minute hardly.
    let piece = late.len().div_ceil(20).max(1);
    let mean = |points: &[(f64, f64)], pick: fn(&(f64, f64)) -> f64| {
        points.iter().map(pick).sum::<f64>() / points.len() as f64
    };
    let means: Vec<_> = late.chunks(piece).map(|piece| (mean(piece, |p| p.0), mean(piece, |p| p.1))).collect();
    if means.len() < 5 {
        println!("Memory: too short to say.");
        return;
    }
    let (slope, half) = slope(&means);
    let (low, high) = (slope - half, slope + half);
    let lowest = late.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let highest = late.iter().map(|p| p.1).fold(0.0, f64::max);
    let minutes = points.last().map_or(1.0, |last| last.0);
    println!(
        "Memory over the last {:.1} min: {slope:+.2} MB/min [{low:+.2}, {high:+.2}], {:+.0} bytes an act; \
         {lowest:.1} to {highest:.1} MB, max/min {:.2}.",
        minutes - from,
        slope * 1e6 / (acts as f64 / minutes),
        highest / lowest
    );
    // Pictures at work come and go; what lies under them should not rise either.
    let floor = |points: &[(f64, f64)]| points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
    let floors: Vec<_> = late.chunks(piece).map(|piece| (mean(piece, |p| p.0), floor(piece))).collect();
    let (rise, about) = self::slope(&floors);
    println!(
        "Its lowest in each of {} pieces: {rise:+.2} MB/min [{:+.2}, {:+.2}].",
        floors.len(),
        rise - about,
        rise + about
    );
    let verdict = if high < MOST_GROWTH {
        "pass"
    } else if low > 0.0 {
        "FAIL: it grows"
    } else {
        "not told apart from growth: run it for longer"
    };
    println!("Memory: {verdict} (the whole interval must lie under {MOST_GROWTH} MB/min).");
}

/// Least-squares slope and half its 95 % interval; wider by what neighbouring residuals have in common.
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / sxx;
    let residuals: Vec<_> = points.iter().map(|p| p.1 - my - slope * (p.0 - mx)).collect();
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let neighbours: f64 = residuals.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let shared = if squares > 0.0 { (neighbours / squares).clamp(0.0, 0.9) } else { 0.0 };
    let dof = n - 2.0;
    // Student's t at 0.975, within 0.5 % from five degrees of freedom on.
    let t = 1.96 + 2.37 / dof + 2.82 / (dof * dof);
    (slope, t * (squares / dof / sxx * (1.0 + shared) / (1.0 - shared)).sqrt())
}

/// What acts need.
struct World {
    small: Picture,
    large: Picture,
    form: Vec<u8>,
    batch: Vec<u8>,
    torn: Vec<u8>,
    long: Vec<u8>,
    last_session_s: AtomicU64,
    begun: Instant,
}

impl World {
    /// Does it and says how it ended.
    fn act(&self, act: Act, index: u64, client: &mut Client) -> io::Result<String> {
        let mut post = |path: &str, headers: &[&str], body: &[u8]| {
            client.send(&Request::new("POST", path, headers, body)).map(|answer| answer.status.to_string())
        };
        match act {
            Act::Sample => post("/v1/check", &[], &self.small.bytes),
            // Half of them wait for leave to send.
            Act::Photograph if index.is_multiple_of(2) => post("/v1/check", &[EXPECT], &self.large.bytes),
            Act::Photograph => post("/v1/check", &[], &self.large.bytes),
            Act::Form => post("/v1/check", &[FORM], &self.form),
            Act::Drawn => post("/v1/check?overlay=true", &[], &self.small.bytes),
            Act::Rubbish => post("/v1/check", &[], &vec![index as u8 | 1; 20_000]),
            Act::Torn => post("/v1/check", &[], &self.torn),
            Act::TooLong => post("/v1/check", &[], &self.long),
            Act::WrongMethod => post("/v1/policy", &[], b"{}"),
            Act::Batch => {
                let answer = client.send(&Request::new("POST", "/v1/check/batch", &[FORM], &self.batch))?;
                let rows = answer.body.split(|byte| *byte == b'\n').filter(|row| !row.is_empty()).count();
                Ok(if answer.status == 200 { format!("200, {rows} rows") } else { answer.status.to_string() })
            }
            Act::Twice => {
                let key = format!("idempotency-key: {index}");
                let request = check(&self.small, &[&key]);
                let (first, second) = (client.send(&request)?, client.send(&request)?);
                let again = second.header("idempotency-replayed").map_or("", |_| " again");
                let refused = first.status == 503 || second.status == 503;
                Ok(if refused { "503".to_owned() } else { format!("{}, {}{again}", first.status, second.status) })
            }
            Act::TooLongUnsaid => self.too_long_unsaid(client),
            Act::Nowhere => get(client, &format!("/nowhere/{index}")),
            Act::Look => {
                get(client, ["/metrics", "/readyz", "/v1/policy", "/capture", "/openapi.json"][index as usize % 5])
            }
            Act::Cases => get(client, "/v1/cases?limit=50"),
            Act::Purge => {
                let list = client.send(&Request::get("/v1/cases?limit=200"))?.json();
                let cases = list["cases"].as_array().map_or(&[][..], Vec::as_slice);
                let open = cases.iter().rev().find(|case| case["purged_at"].is_null()).map(|case| &case["id"]);
                let Some(id) = open.and_then(|id| id.as_str()) else { return Ok("none to purge".to_owned()) };
                let answer = client.send(&Request::new("DELETE", &format!("/v1/cases/{id}"), &[], &[]))?;
                Ok(answer.status.to_string())
            }
            Act::Session => self.session(index, client),
            Act::BrokenOff => {
                let mut stream = client.connect()?;
                stream.set_write_timeout(Some(Duration::from_secs(10)))?;
                stream.write_all(check(&self.small, &[]).head.as_bytes())?;
                stream.write_all(&self.small.bytes[..self.small.bytes.len() / 2])?;
                Ok("gone".to_owned())
            }
            // Answered after the longest pause.
            Act::Stalled => self.slowly(client, &self.small.bytes[..10_000], Duration::ZERO),
            // Answered after the longest time of an upload.
            Act::Dripping => self.slowly(client, &self.small.bytes[..120], Duration::from_millis(200)),
            Act::SlowHead => {
                let stream = client.connect()?;
                (&stream).write_all(b"GET /healthz HTTP/1.1\r\nhost: serv")?;
                match read_head(&mut BufReader::new(&stream)) {
                    Ok(head) => Ok(status(&head)?.to_string()),
                    Err(error) if is_closed(&error) => Ok("closed".to_owned()),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Sends a little of what it has announced, a byte each `pause`.
    fn slowly(&self, client: &Client, part: &[u8], pause: Duration) -> io::Result<String> {
        let stream = client.connect()?;
        (&stream).write_all(check(&self.small, &[]).head.as_bytes())?;
        for piece in part.chunks(if pause.is_zero() { part.len() } else { 1 }) {
            thread::sleep(pause);
            if (&stream).write_all(piece).is_err() {
                break;
            }
        }
        let head = read_head(&mut BufReader::new(&stream))?;
        Ok(status(&head)?.to_string())
    }

    /// Too many bytes in chunks, so that nobody knows how many will come.
    fn too_long_unsaid(&self, client: &Client) -> io::Result<String> {
        let stream = client.connect()?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        (&stream).write_all(b"POST /v1/check HTTP/1.1\r\nhost: service\r\ntransfer-encoding: chunked\r\n\r\n")?;
        for piece in self.long.chunks(1 << 20) {
            if has_answer(&stream)? {
                break;
            }
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            (&stream).write_all(&chunk)?;
        }
        let head = read_head(&mut BufReader::new(&stream))?;
        Ok(status(&head)?.to_string())
    }

    /// A hand-off: by turns gone through to its end, left by the phone, and left by the PC.
    fn session(&self, index: u64, client: &mut Client) -> io::Result<String> {
        let now_s = self.begun.elapsed().as_secs();
        let last = self.last_session_s.load(Ordering::Relaxed);
        if now_s < last + SESSION_GAP_S
            || self.last_session_s.compare_exchange(last, now_s, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return Ok("not yet".to_owned());
        }
        let json = "content-type: application/json";
        let opened = client.send(&Request::new("POST", "/v1/sessions", &[json], br#"{"steps":["any"]}"#))?;
        if opened.status != 201 {
            return Ok(opened.status.to_string());
        }
        let session = opened.json();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let (id, watch) = (text(&session["id"]), text(&session["watch_token"]));
        let phone_url = text(&session["phone_url"]);
        let token = phone_url.split_once('#').map_or("", |(_, token)| token);
        let stream = client.connect()?;
        let bearer = format!("authorization: Bearer {watch}");
        let events = Request::new("GET", &format!("/v1/sessions/{id}/events"), &[&bearer], &[]);
        (&stream).write_all(events.head.as_bytes())?;
        let mut events = BufReader::new(&stream);
        let head = read_head(&mut events)?;
        if status(&head)? != 200 {
            return Ok(format!("events {}", status(&head)?));
        }
        read_chunk(&mut events)?;
        if index.is_multiple_of(3) {
            return Ok("left by the PC".to_owned());
        }
        let claim = format!("{{\"token\":\"{token}\"}}");
        let claimed = client.send(&Request::new("POST", "/v1/sessions/claim", &[json], claim.as_bytes()))?;
        if claimed.status != 200 {
            return Ok(format!("claim {}", claimed.status));
        }
        read_chunk(&mut events)?;
        if index % 3 == 1 {
            return Ok("left by the phone".to_owned());
        }
        let bearer = format!("authorization: Bearer {}", text(&claimed.json()["phone_token"]));
        let step = format!("/v1/sessions/{id}/steps/0");
        let sent = client.send(&Request::new("PUT", &step, &[&bearer], &self.small.bytes))?;
        if sent.status != 200 {
            return Ok(sent.status.to_string());
        }
        read_chunk(&mut events)?;
        let drawn = client.send(&Request::new("GET", &format!("{step}/overlay"), &[&bearer], &[]))?;
        Ok(if drawn.status == 200 { "done".to_owned() } else { format!("overlay {}", drawn.status) })
    }
}

fn get(client: &mut Client, path: &str) -> io::Result<String> {
    client.send(&Request::get(path)).map(|answer| answer.status.to_string())
}
