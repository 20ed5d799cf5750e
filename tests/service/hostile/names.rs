//! A site whose name leads to this machine, and a page of another site → nothing is told and nothing is done.

use std::io::Write;

use tempfile::TempDir;

use super::SMALL;
use crate::service::Answer;
use crate::service::program::{Program, new_key};

/// The answer to a request that names itself as told.
fn ask(program: &Program, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let mut stream = program.connect();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    Answer::read(&mut stream).expect("an answer")
}

/// Every kind of address that there is.
const ADDRESSES: &[(&str, &str)] = &[
    ("GET", "/v1/cases"),
    ("GET", "/v1/cases/x/picture"),
    ("DELETE", "/v1/cases/x"),
    ("POST", "/v1/check"),
    ("POST", "/v1/check/batch"),
    ("POST", "/v1/sessions"),
    ("GET", "/v1/sessions/x/events"),
    ("PUT", "/v1/sessions/x/steps/0"),
    ("GET", "/metrics"),
    ("GET", "/readyz"),
    ("GET", "/capture"),
    ("GET", "/phone"),
    ("GET", "/assets/phone.js"),
    ("GET", "/docs/"),
    ("GET", "/openapi.json"),
    ("GET", "/nothing"),
];

#[test]
fn without_keys_another_name_is_told_nothing() {
    let program = Program::start(&["--workers", "1"]);
    let port = program.address().port();
    for (method, path) in ADDRESSES {
        for name in [
            format!("Host: evil.example:{port}\r\n"),
            format!("Host: localhost.evil.example:{port}\r\n"),
            format!("Host: 192.168.1.5:{port}\r\n"),
            format!("Host: evil.example:{port}\r\nX-Forwarded-Host: localhost\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: http://evil.example\r\n"),
            format!("Host: localhost:{port}\r\nOrigin: null\r\n"),
            String::new(),
        ] {
            let answer = ask(&program, method, path, &name, SMALL);
            assert_eq!(answer.problem(), "host_not_allowed", "{method} {path} {name}: {}", answer.text());
            assert_eq!(answer.status, 421, "{method} {path} {name}");
        }
    }
    assert_eq!(program.cases().len(), 0, "a refused site had a picture checked");
    for name in ["localhost", "LOCALHOST", "127.0.0.1", "127.0.0.9", "[::1]", "desk.localhost"]
        .map(|name| format!("{name}:{port}"))
    {
        let near = format!("Host: {name}\r\nOrigin: http://{name}\r\n");
        assert_eq!(ask(&program, "GET", "/v1/cases", &near, b"").status, 200, "{near}");
        assert_eq!(ask(&program, "GET", "/capture", &near, b"").status, 200, "{near}");
    }
    // A code for a phone leads where the service was asked, and that is a name that it knows.
    let opened = ask(
        &program,
        "POST",
        "/v1/sessions",
        "Host: localhost:7\r\nX-Forwarded-Host: evil.example\r\nContent-Type: application/json\r\n",
        b"{}",
    );
    assert_eq!(opened.status, 401, "what a proxy passes on comes from elsewhere");
}

#[test]
fn what_a_phone_needs_is_told_by_a_setting() {
    let open =
        ["--workers", "1", "--insecure-no-auth", "--public-url", "http://192.168.1.5:8080", "--host", "desk.lan"];
    let program = Program::start(&open);
    for (name, status) in
        [("192.168.1.5:8080", 200), ("desk.lan", 200), ("localhost", 200), ("192.168.1.6", 421), ("evil.example", 421)]
    {
        for path in ["/phone", "/capture", "/v1/cases"] {
            assert_eq!(ask(&program, "GET", path, &format!("Host: {name}\r\n"), b"").status, status, "{name} {path}");
        }
    }
    let json = "Host: localhost\r\nContent-Type: application/json\r\n";
    let opened = ask(&program, "POST", "/v1/sessions", json, b"{}").expect(201).json();
    assert!(opened["phone_url"].as_str().unwrap().starts_with("http://192.168.1.5:8080/phone#"), "{opened}");
}

#[test]
fn with_keys_a_name_alone_opens_nothing() {
    let folder = TempDir::with_prefix("bonafide-names-").unwrap();
    let store = folder.path().join("store.db").to_str().unwrap().to_owned();
    let key = new_key(&store, "review");
    let program = Program::start_at(&store, &["--workers", "1"]);
    assert_eq!(ask(&program, "GET", "/v1/cases", "Host: evil.example\r\n", b"").problem(), "unauthorized");
    let named = format!("Host: check.example.com\r\nAuthorization: Bearer {key}\r\n");
    assert_eq!(ask(&program, "GET", "/v1/cases", &named, b"").status, 200);
}
