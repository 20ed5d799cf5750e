//! The store's file removed, replaced, locked, full or served twice → told at once; and nothing made by looking for it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::process::{Locked, SMALL, is_unavailable, large, place, upload};
use super::program::{Program, ask, audit_rows, await_that, form, run};

/// Neither ready nor giving verdicts; whoever asks is told so, and the process lives.
#[track_caller]
fn cannot_record(program: &Program) {
    assert_eq!(program.get("/readyz").expect(503).problem(), "unavailable");
    is_unavailable(&program.check(SMALL));
    let (kind, body) = form(&[("a", SMALL)]);
    is_unavailable(&program.ask("POST", "/v1/check/batch", kind, &body).unwrap());
    program.get("/healthz").expect(200);
}

#[test]
fn what_is_not_on_the_path_any_more_gives_no_verdicts() {
    let (folder, store) = place();
    let program = Program::start_at(&store, &["--workers", "1"]);
    program.get("/readyz").expect(200);
    program.check(SMALL).expect(200);
    let aside = folder.path().join("aside");
    for (given, end) in ["", "-wal", "-shm"].iter().enumerate() {
        let file = format!("{store}{end}");
        std::fs::rename(&file, &aside).unwrap();
        cannot_record(&program);
        assert!(!Path::new(&file).exists(), "{file} was made anew");
        std::fs::copy(&aside, &file).unwrap();
        cannot_record(&program);
        // Where it is put back, it is gone on with.
        std::fs::rename(&aside, &file).unwrap();
        program.get("/readyz").expect(200);
        program.check(SMALL).expect(200);
        assert_eq!(program.cases().len(), given + 2, "{file}");
    }
    assert_eq!(audit_rows(&store), 4);
    // A whole other store in its place is not taken for it.
    let other = folder.path().join("other.db");
    drop(Program::start_at(other.to_str().unwrap(), &["--workers", "1"]));
    std::fs::rename(&other, &store).unwrap();
    cannot_record(&program);
    assert_eq!(program.get("/v1/cases").expect(503).problem(), "unavailable");
    std::fs::remove_file(&store).unwrap();
    cannot_record(&program);
    assert!(program.log().contains("removed while it was in use"), "{}", program.log());
}

#[test]
fn a_store_that_another_process_locks_is_not_ready() {
    let program = Program::start(&["--workers", "1"]);
    program.check(SMALL).expect(200);
    let Some(locked) = Locked::store_of(&program) else { return };
    // What was found out before holds for a second.
    await_that("the lock to be noticed", || program.get("/readyz").status == 503);
    is_unavailable(&program.check(SMALL));
    locked.let_go().wait().unwrap();
    await_that("the lock to be gone", || program.get("/readyz").status == 200);
    program.check(SMALL).expect(200);
    assert_eq!((program.cases().len(), audit_rows(program.store())), (2, 2));
}

#[test]
fn whoever_looks_for_a_store_under_a_wrong_name_is_given_none() {
    let folder = TempDir::with_prefix("bonafide-nowhere-").unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("empty.db"), "").unwrap();
    let other = Command::new("sqlite3").args([&at("other.db"), "CREATE TABLE t (a);"]).status();
    let commands: &[&[&str]] = &[
        &["audit", "verify"],
        &["audit", "list"],
        &["key", "list"],
        &["key", "revoke", "x"],
        &["key", "rotate", "x"],
        &["webhook", "dead"],
        &["webhook", "requeue", "x"],
        &["purge", "x"],
    ];
    for command in commands {
        for name in ["mistyped.db", "no/such/folder.db", "empty.db", "other.db"] {
            if name == "other.db" && !other.as_ref().is_ok_and(std::process::ExitStatus::success) {
                continue;
            }
            let (path, before) = (at(name), std::fs::read(at(name)).ok());
            let told = run(&[command, &["--store", &path][..]].concat());
            let text = String::from_utf8_lossy(&told.stderr).into_owned();
            assert_eq!(told.status.code(), Some(2), "{command:?} {name}: {text}");
            assert!(text.contains(&format!("there is none at {path}")), "{command:?} {name}: {text}");
            assert!(told.stdout.is_empty(), "{command:?} {name}");
            assert_eq!(std::fs::read(&path).ok(), before, "{command:?} {name} was made or changed");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1 + usize::from(other.is_ok()));
    // Nor does who may make one make it of another program's.
    if other.is_ok_and(|made| made.success()) {
        for command in [&["key", "create", "--name", "x"][..], &["serve", "--listen", "127.0.0.1:0"]] {
            let told = run(&[command, &["--store", &at("other.db")]].concat());
            let text = String::from_utf8_lossy(&told.stderr).into_owned();
            assert!(told.status.code() == Some(2) && text.contains("another program"), "{command:?}: {text}");
        }
    }
    let made = run(&["key", "create", "--name", "x", "--store", &at("new.db")]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(audit_rows(&at("new.db")), 1);
}

#[test]
fn two_services_do_not_share_a_file() {
    let (folder, store) = place();
    let mut first = Program::start_at(&store, &["--workers", "1"]);
    let link = folder.path().join("link.db").to_str().unwrap().to_owned();
    std::os::unix::fs::symlink(&store, &link).unwrap();
    for path in [&store, &link] {
        let told = run(&["serve", "--store", path, "--listen", "127.0.0.1:0"]);
        let text = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.status.code(), Some(2), "{text}");
        assert!(text.contains("another service is at work on") && !text.contains("panicked"), "{text}");
    }
    first.check(SMALL).expect(200);
    // Keys and the audit are for beside it.
    assert!(run(&["key", "list", "--store", &store]).status.success());
    first.signal("KILL");
    first.wait();
    // Nothing has to be tidied up after one that was killed.
    let second = Program::start_at(&store, &["--workers", "1"]);
    second.check(SMALL).expect(200);
    assert_eq!(audit_rows(&store), 2);
}

#[test]
fn killed_again_and_again_it_has_recorded_every_verdict_that_was_given() {
    const ROUNDS: usize = 10;
    const CLIENTS: usize = 4;
    let (_folder, store) = place();
    let mut given = Vec::new();
    for round in 0..ROUNDS {
        let program = Program::start_at(&store, &["--workers", "2"]);
        // All that was told in the rounds before is there, and the chain holds.
        let recorded = program.cases();
        let missing: Vec<_> = given.iter().filter(|id| !recorded.contains(id)).collect();
        assert!(missing.is_empty(), "round {round}: answered and not recorded: {missing:?}");
        assert_eq!(audit_rows(&store), recorded.len(), "round {round}");
        // Beyond what was told there is at most what each client had sent when the process died.
        assert!(recorded.len() <= given.len() + round * (CLIENTS + 2), "{} of {}", recorded.len(), given.len());
        let answered = AtomicUsize::new(0);
        let told = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut given = Vec::new();
                        while let Some(answer) = ask(program.address(), "POST", "/v1/check", "", SMALL) {
                            if answer.status == 200 {
                                given.push(answer.header("bonafide-case").to_owned());
                                answered.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                        given
                    })
                })
                .collect();
            // Some in work that take longer than the process lives.
            let _long: Vec<_> = (0..2).map(|_| upload(&program, &large())).collect();
            await_that("some verdicts", || answered.load(Ordering::SeqCst) > round);
            program.signal("KILL");
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<_>>()
        });
        given.extend(told);
    }
    let again = Program::start_at(&store, &["--workers", "1"]);
    let recorded = again.cases();
    let missing: Vec<_> = given.iter().filter(|id| !recorded.contains(id)).collect();
    assert!(missing.is_empty() && given.len() > ROUNDS, "answered and not recorded: {missing:?}");
    again.check(SMALL).expect(200);
    assert_eq!(audit_rows(&store), recorded.len() + 1);
}

#[test]
fn a_message_outlives_a_process_that_is_killed() {
    let (folder, store) = place();
    // Nobody answers there yet, and nobody else can.
    let reserved = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = reserved.local_addr().unwrap().port();
    let [secret, settings] = ["secret", "settings.toml"].map(|name| folder.path().join(name));
    std::fs::write(&secret, "a secret of the test's own").unwrap();
    let webhook = format!(
        "[[webhook]]\nname = \"desk\"\nurl = \"http://127.0.0.1:{port}/in\"\nsecret-file = {:?}\n",
        secret.to_str().unwrap()
    );
    std::fs::write(&settings, webhook).unwrap();
    let flags = ["--workers", "1", "--config", settings.to_str().unwrap()];
    let program = Program::start_at(&store, &flags);
    let case = program.check(SMALL).expect(200).header("bonafide-case").to_owned();
    // Taken, and not answered.
    reserved.set_nonblocking(true).unwrap();
    let accept = || {
        let mut came = None;
        await_that("a message", || {
            came = reserved.accept().ok();
            came.is_some()
        });
        let (stream, _) = came.unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    };
    let mut first = accept();
    let heard = |stream: &mut std::net::TcpStream| {
        use std::io::Read;
        stream.set_read_timeout(Some(super::program::PATIENCE)).unwrap();
        let (mut text, mut piece) = (String::new(), [0; 4096]);
        while !text.contains("\"policy_id\"") {
            let read = stream.read(&mut piece).unwrap();
            assert!(read > 0, "{text}");
            text += &String::from_utf8_lossy(&piece[..read]);
        }
        text
    };
    let told = heard(&mut first);
    assert!(told.contains(&case), "{told}");
    first.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").unwrap();
    await_that("the failure to be recorded", || program.log().contains("not delivered"));
    // The record of it is the next thing that is written.
    await_that("it to wait", || {
        let shown = Command::new("sqlite3").args([&store, "SELECT last_error FROM deliveries"]).output();
        shown.is_ok_and(|shown| String::from_utf8_lossy(&shown.stdout).contains("500")) || !has_sqlite3()
    });
    program.signal("KILL");
    drop(program);
    let again = Program::start_at(&store, &flags);
    let mut second = accept();
    let repeated = heard(&mut second);
    second.write_all(b"HTTP/1.1 204 Yes\r\n\r\n").unwrap();
    let id = |text: &str| {
        let line =
            text.lines().find_map(|line| line.to_lowercase().strip_prefix("bonafide-delivery: ").map(str::to_owned));
        line.expect("an id")
    };
    assert_eq!(id(&told), id(&repeated));
    assert!(repeated.contains(&case));
    await_that("it to be counted", || {
        again.get("/metrics").expect(200).text().contains("bonafide_webhooks_total{cause=\"delivered\"} 1")
    });
}

fn has_sqlite3() -> bool {
    Command::new("sqlite3").arg("--version").stdout(Stdio::null()).status().is_ok_and(|told| told.success())
}
