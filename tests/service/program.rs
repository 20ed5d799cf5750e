//! `bonafide serve` as a process of its own → an address, a log, and an end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::Answer;

/// Longest wait for anything that is sure to come; other tests take the processors.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Where the program stands.
pub fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_bonafide")
}

/// The program with these arguments, without the settings of the environment it is tested in.
pub fn command(args: &[&str]) -> Command {
    clean(Command::new(binary()), args)
}

fn clean(mut command: Command, args: &[&str]) -> Command {
    let inherited = std::env::vars_os().map(|(name, _)| name);
    for name in inherited.filter(|name| name.to_string_lossy().starts_with("BONAFIDE_")) {
        command.env_remove(name);
    }
    command.args(args).stdin(Stdio::null());
    command
}

/// What the program prints, when it ends by itself.
pub fn run(args: &[&str]) -> Output {
    command(args).output().unwrap()
}

/// The rows of a store's audit, which is whole.
#[track_caller]
pub fn audit_rows(store: &str) -> usize {
    let told = command(&["audit", "verify"]).env("BONAFIDE_STORE", store).output().unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.status.success(), "{text}{}", String::from_utf8_lossy(&told.stderr));
    let rows = text.strip_prefix("whole: ").and_then(|rest| rest.split(' ').next()).and_then(|rows| rows.parse().ok());
    rows.unwrap_or_else(|| panic!("no number of rows: {text}"))
}

/// A service; killed when dropped.
pub struct Program {
    child: Child,
    address: SocketAddr,
    store: String,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
    _folder: Option<TempDir>,
}

impl Program {
    /// Starts it on a free port with a store of its own.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_after(":", flags)
    }

    /// The same after commands of the shell that change what the process may do.
    pub fn start_after(shell: &str, flags: &[&str]) -> Self {
        let folder = TempDir::with_prefix("bonafide-program-").unwrap();
        let store = folder.path().join("store.db").to_str().unwrap().to_owned();
        Self::launch(shell, &store, flags, Some(folder))
    }

    /// Starts it on a store that stands already, or outlives it.
    pub fn start_at(store: &str, flags: &[&str]) -> Self {
        Self::launch(":", store, flags, None)
    }

    fn launch(shell: &str, store: &str, flags: &[&str], folder: Option<TempDir>) -> Self {
        let mut command = Command::new("bash");
        // The program takes the shell's place, and its number.
        command.args(["-c", &format!("{shell}; exec \"$0\" \"$@\""), binary()]);
        let mut fixed = vec!["serve", "--store", store, "--log-format", "json"];
        if !flags.contains(&"--listen") {
            fixed.extend(["--listen", "127.0.0.1:0"]);
        }
        let mut child =
            clean(command, &fixed[..]).args(flags).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let written = Arc::clone(&log);
        // A pipe that nobody empties would stop the program.
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            while lines.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                written.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut program = Self { child, address, store: store.to_owned(), log, reader: Some(reader), _folder: folder };
        program.address = program.await_address();
        program
    }

    fn await_address(&mut self) -> SocketAddr {
        let end = Instant::now() + PATIENCE;
        loop {
            let log = self.log();
            let listening = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut listening = listening.filter(|line| line["message"] == "listening");
            if let Some(line) = listening.next() {
                return line["address"].as_str().unwrap().parse().unwrap();
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "the program does not listen: {ended:?} {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its store is.
    pub fn store(&self) -> &str {
        &self.store
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far; all of it once it has ended.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A connection that waits for an answer with patience.
    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// The answer to a request over a connection of its own.
    pub fn ask(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
        ask(self.address, method, path, headers, body)
    }

    /// The answer to a reading request.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", b"").unwrap_or_else(|| panic!("no answer to GET {path}: {}", self.log()))
    }

    /// The answer to a picture.
    #[track_caller]
    pub fn check(&self, picture: &[u8]) -> Answer {
        self.ask("POST", "/v1/check", "", picture).unwrap_or_else(|| panic!("no answer: {}", self.log()))
    }

    /// Ids of all cases on record.
    pub fn cases(&self) -> Vec<String> {
        let mut ids = Vec::new();
        let mut page = "/v1/cases?limit=500".to_owned();
        loop {
            let list = self.get(&page).expect(200).json();
            ids.extend(list["cases"].as_array().unwrap().iter().map(|case| case["id"].as_str().unwrap().to_owned()));
            let Some(before) = list["next"].as_i64() else { return ids };
            page = format!("/v1/cases?limit=500&before={before}");
        }
    }

    /// A gauge by its name, from `/metrics`.
    pub fn gauge(&self, name: &str) -> u64 {
        let text = self.get("/metrics").expect(200).text();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or_else(|| panic!("no {name}: {text}")) as u64
    }

    /// Waits until `gauge` is as `wanted`.
    #[track_caller]
    pub fn await_gauge(&self, name: &str, wanted: impl Fn(u64) -> bool) {
        await_that(name, || wanted(self.gauge(name)));
    }

    /// A line of the process's status that counts kibibytes (`VmRSS`, `VmHWM`), in MiB.
    pub fn memory_mib(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
        value.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
    }

    /// Sends a signal: `TERM`, `HUP`, `KILL`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for it to end.
    #[track_caller]
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(Instant::now() < end, "the program does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// Waits until something is so.
#[track_caller]
pub fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A connection that waits for an answer with patience.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The same from another address of this machine, such as 127.0.0.2.
pub fn connect_from(source: &str, address: SocketAddr) -> TcpStream {
    let stream = super::runtime().block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{source}:0").parse().unwrap()).unwrap();
        socket.connect(address).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A new key of the store, which is made when missing.
pub fn new_key(store: &str, scope: &str) -> String {
    let made = run(&["key", "--store", store, "create", "--name", scope, "--scope", scope]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// The head of a request; `headers` are whole lines.
pub fn head(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")
}

/// The answer to a request over a connection of its own; `None` where the other side ends without one.
pub fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    // A server that refuses need not read everything.
    let _ = stream.write_all(head(method, path, &format!("{headers}{length}")).as_bytes());
    let _ = stream.write_all(body);
    Answer::read(&mut stream)
}

/// The next answer of a connection that stays.
pub fn next_answer(stream: &mut TcpStream) -> Option<Answer> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    loop {
        if let Some(answer) = Answer::parse(&bytes) {
            return Some(answer);
        }
        match stream.read(&mut piece) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
}

/// What still comes until the other side closes or resets, and whether it does so within `limit`; `dribble` is sent
/// again and again meanwhile.
pub fn rest(stream: &mut TcpStream, limit: Duration, dribble: &[u8]) -> (Vec<u8>, bool) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 << 10]);
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let end = Instant::now() + limit;
    while Instant::now() < end {
        if !dribble.is_empty() {
            let _ = stream.write_all(dribble);
        }
        match stream.read(&mut piece) {
            Ok(0) => return (bytes, true),
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
            Err(error) => match error.kind() {
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut => {}
                _ => return (bytes, true),
            },
        }
    }
    (bytes, false)
}

/// A form with one part a file, and its header.
pub fn form(files: &[(&str, &[u8])]) -> (&'static str, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend_from_slice(part_head(name).as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    (FORM, body)
}

/// The header of a form.
pub const FORM: &str = "Content-Type: multipart/form-data; boundary=limit\r\n";

/// What stands before a file in a form.
pub fn part_head(name: &str) -> String {
    format!("--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n")
}

/// A piece of a chunked body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
