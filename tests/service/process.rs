//! Signals, a full disk, a dead database, wrong settings → an end in order or a service that goes on; the record whole.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::postgres::Postgres;
use super::program::{
    PATIENCE, Program, ask, audit_rows, await_that, command, form, head, next_answer, part_head, rest, run,
};
use super::{Answer, sample};

/// A whole picture of 96 × 64 pixels, examined in no time.
pub(super) const SMALL: &[u8] = include_bytes!("../fixtures/baseline.jpg");

/// Longer than any wait for a store that does not answer: two connections, one call.
const STORE_GIVES_UP: Duration = Duration::from_secs(30);

/// A picture that takes a worker a while.
pub(super) fn large() -> Vec<u8> {
    sample("original_card_07.jpg")
}

/// A connection with a whole upload on it.
pub(super) fn upload(program: &Program, picture: &[u8]) -> TcpStream {
    let mut stream = program.connect();
    let length = format!("Content-Length: {}\r\n", picture.len());
    stream.write_all(&[head("POST", "/v1/check", &length).as_bytes(), picture].concat()).unwrap();
    stream
}

/// A folder, and a store in it that outlives the program.
pub(super) fn place() -> (TempDir, String) {
    let folder = TempDir::with_prefix("bonafide-process-").unwrap();
    let store = folder.path().join("store.db").to_str().unwrap().to_owned();
    (folder, store)
}

/// The answer says that the service cannot record, and no verdict.
#[track_caller]
pub(super) fn is_unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.problem(), "unavailable");
    assert!(!answer.header("retry-after").is_empty());
    assert!(answer.header("bonafide-case").is_empty() && !answer.text().contains("\"decision\""), "{}", answer.text());
}

#[test]
fn told_to_stop_it_finishes_what_was_begun() {
    let (_folder, store) = place();
    let mut program = Program::start_at(&store, &["--workers", "1", "--queue-wait", "60s", "--grace", "60s"]);
    let picture = large();
    let mut begun: Vec<TcpStream> = (0..3).map(|_| upload(&program, &picture)).collect();
    // A hand-off that is watched, and a connection that waits for its next request.
    let opened = program.ask("POST", "/v1/sessions", "Content-Type: application/json\r\n", b"{}").unwrap().expect(201);
    let opened = opened.json();
    let path = format!("/v1/sessions/{}/events", opened["id"].as_str().unwrap());
    let token = format!("Authorization: Bearer {}\r\n", opened["watch_token"].as_str().unwrap());
    let mut events = program.connect();
    events.write_all(head("GET", &path, &token).as_bytes()).unwrap();
    let mut first = [0; 17];
    events.read_exact(&mut first).unwrap();
    assert!(first.starts_with(b"HTTP/1.1 200 OK"));
    let mut waiting = program.connect();
    waiting.write_all(head("GET", "/readyz", "").replace("Connection: close\r\n", "").as_bytes()).unwrap();
    next_answer(&mut waiting).expect("an answer").expect(200);
    let begun_or_done = || {
        let waiting = program.gauge("bonafide_queue_length") + program.gauge("bonafide_workers_busy");
        waiting as usize + program.cases().len()
    };
    await_that("three uploads in work", || begun_or_done() >= 3);
    program.signal("TERM");
    await_that("the sign that it stops", || program.log().contains("stopping"));
    // The stream of events ends, though nothing happened in it.
    let (_, closed) = rest(&mut events, PATIENCE, b"");
    assert!(closed, "the stream of events stays");
    let (got, closed) = rest(&mut waiting, PATIENCE, b"");
    assert!(closed && got.is_empty(), "{}", String::from_utf8_lossy(&got));
    await_that("nobody new to be let in", || {
        ask(program.address(), "GET", "/readyz", "", b"").is_none_or(|answer| answer.status == 503)
    });
    for stream in &mut begun {
        Answer::read(stream).expect("an answer").expect(200);
    }
    assert_eq!(program.wait().code(), Some(0), "{}", program.log());
    assert_eq!(audit_rows(&store), 3);
    assert!(TcpStream::connect(program.address()).is_err());
}

#[test]
fn told_twice_it_ends_at_once() {
    let (_folder, store) = place();
    let mut program =
        Program::start_at(&store, &["--workers", "1", "--grace", "10m", "--upload-gap", "10m", "--upload-time", "10m"]);
    // An upload that never ends would hold it.
    let mut stream = program.connect();
    stream.write_all(head("POST", "/v1/check", "Content-Length: 1000\r\n").as_bytes()).unwrap();
    program.await_gauge("bonafide_uploads_in_flight", |held| held == 1);
    program.signal("TERM");
    await_that("the sign that it stops", || program.log().contains("stopping"));
    std::thread::sleep(Duration::from_millis(300));
    assert!(!program.has_ended(), "nothing was waited for");
    program.signal("TERM");
    assert!(program.wait().code().is_some());
    assert_eq!(audit_rows(&store), 0);
}

#[test]
fn the_time_of_grace_ends() {
    let (_folder, store) = place();
    let mut program = Program::start_at(&store, &["--grace", "500ms", "--upload-gap", "10m", "--upload-time", "10m"]);
    let mut stream = program.connect();
    stream.write_all(head("POST", "/v1/check", "Content-Length: 1000\r\n").as_bytes()).unwrap();
    program.await_gauge("bonafide_uploads_in_flight", |held| held == 1);
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0), "{}", program.log());
    assert!(Answer::read(&mut stream).is_none_or(|answer| answer.status != 200));
}

#[test]
fn a_store_that_cannot_grow_gives_no_verdicts_until_it_can() {
    let program = Program::start_after("trap '' XFSZ", &["--workers", "1"]);
    program.check(SMALL).expect(200);
    let limit = |bytes: &str| {
        let id = program.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &id, &format!("--fsize={bytes}:")]).status();
        set.is_ok_and(|set| set.success())
    };
    if !limit("4096") {
        println!("skipped: there is no prlimit");
        return;
    }
    is_unavailable(&program.check(SMALL));
    await_that("the full store to be noticed", || program.get("/readyz").status == 503);
    let (kind, body) = form(&[("a", SMALL), ("b", SMALL)]);
    let rows = program.ask("POST", "/v1/check/batch", kind, &body).unwrap().expect(200).text();
    assert_eq!(rows.matches("\"code\":\"unavailable\"").count(), 2, "{rows}");
    assert!(!rows.contains("\"decision\""), "{rows}");
    assert!(limit("unlimited"));
    await_that("the room to be noticed", || program.get("/readyz").status == 200);
    let again = program.check(SMALL).expect(200).header("bonafide-case").to_owned();
    let cases = program.cases();
    assert!(cases.contains(&again) && cases.len() == 2, "{cases:?}");
    assert_eq!(audit_rows(program.store()), 2);
}

/// Takes the disk away before its folder, also on panic.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn a_full_disk_gives_no_verdicts_until_there_is_room() {
    let folder = TempDir::with_prefix("bonafide-disk-").unwrap();
    let mount = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(folder.path())
        .stderr(Stdio::null())
        .status();
    let mounted = mount.is_ok_and(|status| status.success());
    if !mounted {
        let required = std::env::var("BONAFIDE_REQUIRE_TMPFS").is_ok_and(|value| value == "1");
        assert!(!required, "BONAFIDE_REQUIRE_TMPFS is 1, and this process may not mount a small disk");
        println!("skipped: this process may not mount a small disk");
        return;
    }
    let disk = Mounted(folder.path());
    let store = folder.path().join("store.db").to_str().unwrap().to_owned();
    let program = Program::start_at(&store, &["--workers", "1"]);
    let mut given = BTreeSet::new();
    given.insert(program.check(SMALL).expect(200).header("bonafide-case").to_owned());
    // All that is left, to the last byte.
    let ballast = folder.path().join("ballast");
    let mut file = std::fs::File::create(&ballast).unwrap();
    while file.write_all(&[1; 512]).is_ok() {}
    drop(file);
    let mut refused = 0;
    for _ in 0..300 {
        let answer = program.check(SMALL);
        if answer.status == 200 {
            // There was some room left within the files.
            given.insert(answer.header("bonafide-case").to_owned());
            assert_eq!(refused, 0, "room out of nothing");
            continue;
        }
        is_unavailable(&answer);
        refused += 1;
        if refused == 3 {
            break;
        }
    }
    assert_eq!(refused, 3, "the disk is never full");
    await_that("the full disk to be noticed", || program.get("/readyz").status == 503);
    std::fs::remove_file(ballast).unwrap();
    given.insert(program.check(SMALL).expect(200).header("bonafide-case").to_owned());
    assert_eq!(program.cases().into_iter().collect::<BTreeSet<_>>(), given);
    assert_eq!(audit_rows(&store), given.len());
    drop((program, disk));
}

#[test]
fn a_database_that_dies_and_comes_back_is_gone_back_to() {
    let Some(mut postgres) = Postgres::start() else { return };
    let store = postgres.url();
    let program = Program::start_at(&store, &["--workers", "2"]);
    let mut given = vec![program.check(SMALL).expect(200).header("bonafide-case").to_owned()];
    program.get("/readyz").expect(200);
    // It dies under uploads.
    let died = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut answers = Vec::new();
                    while !died.load(Ordering::SeqCst) {
                        answers.push(program.check(SMALL));
                    }
                    answers
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        postgres.kill();
        died.store(true, Ordering::SeqCst);
        for answer in clients.into_iter().flat_map(|client| client.join().unwrap()) {
            if answer.status == 200 {
                given.push(answer.header("bonafide-case").to_owned());
            } else {
                is_unavailable(&answer);
            }
        }
    });
    let asked = Instant::now();
    is_unavailable(&program.check(SMALL));
    assert!(asked.elapsed() < STORE_GIVES_UP, "{:?}", asked.elapsed());
    assert_eq!(program.get("/readyz").expect(503).problem(), "unavailable");
    program.get("/healthz").expect(200);
    postgres.restart();
    await_that("the database to be found again", || program.get("/readyz").status == 200);
    given.push(program.check(SMALL).expect(200).header("bonafide-case").to_owned());
    let recorded = program.cases();
    let missing: Vec<_> = given.iter().filter(|id| !recorded.contains(id)).collect();
    assert!(missing.is_empty(), "answered and not recorded: {missing:?}");
    // A commit whose word was lost with the database may be there beyond what was answered: one for each client.
    assert!(recorded.len() <= given.len() + 2, "{} recorded, {} given", recorded.len(), given.len());
    assert_eq!(audit_rows(&store), recorded.len());
}

/// Another process that holds the lock of a store in SQLite's file.
pub(super) struct Locked {
    sqlite: Child,
    says: ChildStdin,
}

impl Locked {
    /// Locks the store of `program`; `None` where there is no sqlite3.
    pub(super) fn store_of(program: &Program) -> Option<Self> {
        let sqlite = Command::new("sqlite3").arg(program.store()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let Ok(mut sqlite) = sqlite else {
            println!("skipped: there is no sqlite3");
            return None;
        };
        let mut says = sqlite.stdin.take().unwrap();
        says.write_all(b".timeout 5000\nBEGIN IMMEDIATE;\nSELECT 'locked';\n").unwrap();
        let mut line = String::new();
        BufReader::new(sqlite.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Some(Self { sqlite, says })
    }

    /// Begins to give the lock back.
    pub(super) fn let_go(mut self) -> Child {
        self.says.write_all(b"ROLLBACK;\n").unwrap();
        self.sqlite
    }
}

#[test]
fn a_store_that_another_process_locks_only_takes_longer() {
    let program = Program::start(&["--workers", "1"]);
    program.check(SMALL).expect(200);
    let Some(locked) = Locked::store_of(&program) else { return };
    let begun = Instant::now();
    let mut stream = upload(&program, SMALL);
    // Reading goes on all the while.
    assert_eq!(program.cases().len(), 1);
    std::thread::sleep(Duration::from_secs(3).saturating_sub(begun.elapsed()));
    let mut sqlite = locked.let_go();
    Answer::read(&mut stream).expect("an answer").expect(200);
    assert!(begun.elapsed() >= Duration::from_secs(3));
    sqlite.wait().unwrap();
    assert_eq!((program.cases().len(), audit_rows(program.store())), (2, 2));
}

#[test]
fn what_cannot_be_served_is_an_error_that_says_why() {
    let (folder, store) = place();
    let fails = |args: &[&str], word: &str| {
        let place = ["--store", &store];
        let place = if args.contains(&"--store") { &[][..] } else { &place };
        let told = run(&[&["serve"], place, args].concat());
        let text = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.status.code(), Some(2), "{args:?}: {text}");
        assert!(text.contains(word), "{args:?}: {text}");
        assert!(!text.contains("panicked"), "{args:?}: {text}");
    };
    fails(&["--listen", "0.0.0.0:0"], "--insecure-no-auth");
    fails(&["--listen", "[::]:0"], "--insecure-no-auth");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    fails(&["--listen", &address], &address);
    let file = |text: &str| {
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    fails(&["--config", &file("qeueu = 3\n")], "qeueu");
    fails(&["--config", &file("queue = \"three\"\n")], "queue");
    fails(&["--config", &file("upload-gap = \"5 parsecs\"\n")], "5 parsecs");
    fails(&["--config", "/nowhere/settings.toml"], "/nowhere/settings.toml");
    fails(&["--upload-gap", "never"], "never");
    fails(&["--listen", "127.0.0.1:0", "--keep", "review"], "--sealing-key");
    fails(&["--listen", "127.0.0.1:0", "--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "certificate");
    fails(&["--listen", "127.0.0.1:0", "--store", "mysql://somewhere/else"], "store");
    fails(&["--listen", "127.0.0.1:0", "--store", "/nowhere/store.db"], "store");
    // With a key, or when it is said, it listens to everybody.
    let open = Program::start_at(&store, &["--listen", "0.0.0.0:0", "--insecure-no-auth"]);
    let port = open.address().port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(ask(address, "GET", "/v1/policy", "", b"").unwrap().status, 200);
    assert!(open.log().contains("INSECURE"));
    drop(open);
    let made = run(&["key", "--store", &store, "create", "--name", "gate"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let keyed = Program::start_at(&store, &["--listen", "0.0.0.0:0"]);
    let address = SocketAddr::from(([127, 0, 0, 1], keyed.address().port()));
    assert_eq!(ask(address, "GET", "/v1/policy", "", b"").unwrap().status, 401);
}

/// A new certificate for `name` in two files; `None` where there is no openssl.
fn certificate(folder: &Path, name: &str) -> Option<()> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"])
        .args(["-subj", &format!("/CN={name}"), "-keyout"])
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .stderr(Stdio::null())
        .status();
    made.is_ok_and(|made| made.success()).then_some(())
}

/// The name in the certificate that a server shows.
fn shown(address: SocketAddr) -> String {
    let told = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let subject = text.lines().find(|line| line.starts_with("subject")).unwrap_or_default();
    subject.rsplit('=').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn a_new_certificate_is_taken_without_a_new_start() {
    let folder = TempDir::with_prefix("bonafide-tls-").unwrap();
    if certificate(folder.path(), "first").is_none() {
        println!("skipped: there is no openssl");
        return;
    }
    let [cert, key] = ["cert.pem", "key.pem"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let mut program = Program::start(&["--tls-cert", &cert, "--tls-key", &key, "--header-time", "1s"]);
    assert_eq!(shown(program.address()), "first");
    certificate(folder.path(), "second").unwrap();
    assert_eq!(shown(program.address()), "first");
    program.signal("HUP");
    await_that("the second certificate", || shown(program.address()) == "second");
    // What cannot be used is told, and the one before stays.
    std::fs::write(&cert, "no certificate").unwrap();
    program.signal("HUP");
    await_that("word of it", || program.log().contains("the old one stays"));
    assert_eq!(shown(program.address()), "second");
    // Who begins no handshake, or speaks no TLS, is let go.
    for first in [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = program.connect();
        stream.write_all(first).unwrap();
        assert!(rest(&mut stream, PATIENCE, b"").1, "{first:?}: still connected");
    }
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn the_log_holds_nothing_of_what_was_sent() {
    let (folder, store) = place();
    let made = run(&["key", "--store", &store, "create", "--name", "gate", "--scope", "check,review,admin"]);
    let key = String::from_utf8_lossy(&made.stdout).trim().lines().last().unwrap_or_default().trim().to_owned();
    assert!(key.len() > 20, "{key}");
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "log = \"trace\"\n").unwrap();
    let mut program = Program::start_at(&store, &["--config", settings.to_str().unwrap(), "--max-mib", "1"]);
    let bearer = format!("Authorization: Bearer {key}\r\n");
    let picture = sample("original_card_01.jpg");
    let sent = |method: &str, path: &str, headers: &str, body: &[u8]| program.ask(method, path, headers, body).unwrap();
    let report = sent("POST", "/v1/check?name=MARKname.jpg&reveal=true", &bearer, &picture).expect(200).json();
    let number = report["number"]["text"].as_str().expect("a number in clear").to_owned();
    assert!(number.len() > 10 && !number.contains('*'), "{number}");
    let (kind, body) = form(&[("MARKfile.jpg", SMALL)]);
    sent("POST", "/v1/check?policy=MARKpolicy", &bearer, SMALL).expect(400);
    sent("POST", "/v1/check?MARKquery=1", &bearer, SMALL).expect(400);
    sent("POST", "/v1/check", &format!("{bearer}{kind}"), &body).expect(200);
    sent("POST", "/v1/check/batch", &format!("{bearer}{kind}"), &body).expect(200);
    sent("POST", "/v1/check", &bearer, b"MARKbody is no picture").expect(415);
    sent("POST", "/v1/check", &format!("{bearer}Content-Length: 9999999\r\n"), b"");
    sent("POST", "/v1/check", "Authorization: Bearer bf_MARKtoken_MARKsecret\r\n", SMALL).expect(401);
    sent("POST", "/v1/check", "Authorization: Bearer eyJNQVJL.MARKjwt.x\r\n", SMALL).expect(401);
    let more =
        "Idempotency-Key: MARKkey\r\nUser-Agent: MARKagent\r\nCookie: MARKcookie\r\nX-Forwarded-For: MARKfor\r\n";
    sent("POST", "/v1/check", &format!("{bearer}{more}"), SMALL).expect(200);
    sent("POST", "/v1/check?reference=MARKref&metadata=%7B%22MARKname%22:%22MARKvalue%22%7D", &bearer, SMALL)
        .expect(200);
    sent("POST", "/v1/check?reference=MARKref&metadata=MARKwrong", &bearer, SMALL).expect(400);
    sent("GET", "/v1/cases?reference=MARKref", &bearer, b"").expect(200);
    sent("GET", "/MARKpath?MARKquery", &bearer, b"").expect(404);
    sent("GET", "/v1/cases/MARKcase", &bearer, b"");
    sent("GET", "/v1/sessions/MARKsession", "Authorization: Bearer MARKwatch\r\n", b"");
    let json = "Content-Type: application/json\r\n";
    sent("POST", "/v1/sessions/claim", json, b"{\"token\":\"MARKclaim\"}");
    sent("POST", "/v1/sessions", &format!("{bearer}{json}"), b"{\"MARKfield\":1}").expect(400);
    sent("POST", "/v1/check", &format!("{bearer}{json}"), b"{\"image\":\"MARKnone\",\"reference\":\"MARKref\"}")
        .expect(415);
    let made =
        sent("POST", "/v1/tokens", &format!("{bearer}{json}"), b"{\"reference\":\"MARKref\"}").expect(201).json();
    let upload = made["token"].as_str().unwrap().to_owned();
    sent("POST", "/v1/check", &format!("Authorization: Bearer {upload}\r\n"), SMALL).expect(200);
    let opened = sent("POST", "/v1/sessions", &format!("{bearer}{json}"), b"{}").expect(201).json();
    let token = opened["phone_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let claimed = sent("POST", "/v1/sessions/claim", json, format!("{{\"token\":\"{token}\"}}").as_bytes()).expect(200);
    let phone = claimed.json()["phone_token"].as_str().unwrap().to_owned();
    let id = opened["id"].as_str().unwrap();
    let step = format!("/v1/sessions/{id}/steps/0?name=MARKstep.jpg");
    sent("PUT", &step, &format!("Authorization: Bearer {phone}\r\n"), &with_place(SMALL)).expect(200);
    // Broken off in the middle of a file's name, and of a header.
    let mut stream = program.connect();
    let half = part_head("MARKhalf");
    let length = format!("{bearer}{kind}Content-Length: 900\r\n");
    stream.write_all(&[head("POST", "/v1/check", &length).as_bytes(), half.as_bytes()].concat()).unwrap();
    drop(stream);
    program.connect().write_all(b"GET /MARKline HTTP/1.1\r\nMARKheader: MARKvalue\r\nMARK bad\r\n\r\n").unwrap();
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.log();
    assert!(log.lines().count() > 15 && log.contains("\"route\":\"/v1/check\""), "{log}");
    let secret = key.rsplit('_').next().unwrap().to_owned();
    let watch = opened["watch_token"].as_str().unwrap().to_owned();
    for secret in ["MARK", &secret, &number, &token, &phone, &watch, &upload, "Ascii-Place", "48.8583", "2.2944"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "`{secret}` is in the log: {line:?}");
    }
}

/// A JPEG with a place and a text in EXIF put after its first marker.
fn with_place(jpeg: &[u8]) -> Vec<u8> {
    // GPS directory at 26: latitude reference and three fractions at 56; maker at 80.
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    tiff.extend_from_slice(&[1, 0x0F, 0, 2, 0, 0, 0, 12, 0, 0, 0, 92]);
    tiff.extend_from_slice(&[0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    tiff.extend_from_slice(&[0; 4]);
    tiff.extend_from_slice(&[0, 2, 0, 1, 0, 2, 0, 0, 0, 2, b'N', 0, 0, 0]);
    tiff.extend_from_slice(&[0, 2, 0, 5, 0, 0, 0, 3, 0, 0, 0, 68, 0, 0, 0, 0]);
    for part in [48_u32, 1, 51, 1, 2_988, 100] {
        tiff.extend_from_slice(&part.to_be_bytes());
    }
    tiff.extend_from_slice(b"Ascii-Place\0");
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1];
    out.extend(((tiff.len() + 8) as u16).to_be_bytes());
    out.extend(b"Exif\0\0");
    out.extend(tiff);
    out.extend(&jpeg[2..]);
    out
}

#[test]
fn help_and_settings_are_printed_without_a_service() {
    let told = command(&["serve", "--settings"]).output().unwrap();
    assert!(told.status.success());
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("`BONAFIDE_HEADER_TIME`") && text.lines().count() > 20, "{text}");
}
