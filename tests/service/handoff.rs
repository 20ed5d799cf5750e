//! A PC opens a hand-off, a phone claims it and sends photographs, and both see the verdict.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Server, picture, sample};

struct Opened {
    id: String,
    token: String,
    watch: String,
}

fn open(server: &Server, body: &Value) -> Opened {
    let opened = server.ask("POST", "/v1/sessions").json(body).send().expect(201).json();
    let url = opened["phone_url"].as_str().unwrap();
    assert!(opened["qr_svg"].as_str().unwrap().contains("<svg"));
    let text = |name: &str| opened[name].as_str().unwrap().to_owned();
    Opened { id: text("id"), token: url.split_once('#').unwrap().1.to_owned(), watch: text("watch_token") }
}

/// Reads events until one satisfies `enough`.
fn follow(events: &mut impl BufRead, enough: impl Fn(&Value) -> bool) -> Value {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(events.read_line(&mut line).unwrap() > 0, "the stream ended");
        if let Some(data) = line.strip_prefix("data: ") {
            let session: Value = serde_json::from_str(data).unwrap();
            if enough(&session) {
                return session;
            }
        }
    }
}

#[test]
fn both_sides_see_the_verdict_and_a_token_works_once() {
    let server = Server::start(|_| {});
    let Opened { id, token, watch } = open(&server, &json!({"steps": ["card", "any"], "lang": "zh"}));
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let head =
        format!("GET /v1/sessions/{id}/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {watch}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut events = BufReader::new(stream);
    assert_eq!(follow(&mut events, |_| true)["state"], "waiting");

    let claim = |token: &str| server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send();
    assert_eq!(claim("nonsense").expect(404).problem(), "not_found");
    let claimed = claim(&token).expect(200).json();
    let phone = claimed["phone_token"].as_str().unwrap();
    assert_eq!(claim(&token).expect(410).problem(), "token_used");
    let hasty = json!({"token": token, "claimant": "short"});
    server.ask("POST", "/v1/sessions/claim").json(&hasty).send().expect(400);
    let seen = follow(&mut events, |session| session["state"] == "claimed");
    assert_eq!(seen["max_bytes"], 16 << 20);

    let put = |key: &str, step: &str, bytes: &[u8]| {
        server
            .ask("PUT", &format!("/v1/sessions/{id}/steps/{step}?name=a.jpg"))
            .key(key)
            .body("image/jpeg", bytes)
            .send()
    };
    assert_eq!(put(&watch, "0", &picture(1)).expect(403).problem(), "forbidden");
    assert_eq!(put("nobody", "0", &picture(1)).expect(401).problem(), "unauthorized");
    assert_eq!(put(phone, "2", &picture(1)).expect(404).problem(), "not_found");
    assert_eq!(put(phone, "x", &picture(1)).expect(404).problem(), "not_found");
    assert_eq!(put(phone, "0", b"hello").expect(415).problem(), "not_an_image");
    let retake = put(phone, "0", &picture(1)).expect(200).json();
    assert_eq!((&retake["state"], &retake["attempts"]), (&json!("retake"), &json!(2)), "{retake}");
    assert_eq!(retake["case"].as_str().map(str::len), Some(36));
    let seen = follow(&mut events, |session| session["steps"][0]["state"] == "retake");
    assert_eq!(seen["steps"][0]["report"]["reasons"], retake["report"]["reasons"]);

    let overlay = |key: &str| server.ask("GET", &format!("/v1/sessions/{id}/steps/0/overlay")).key(key).send();
    assert_eq!(&overlay(&watch).expect(200).body[..2], b"\xff\xd8");
    assert_eq!(overlay(phone).expect(200).header("content-type"), "image/jpeg");
    assert_eq!(overlay("nobody").status, 401);
    assert_eq!(server.get(&format!("/v1/sessions/{id}")).expect(401).problem(), "unauthorized");
    let session = server.ask("GET", &format!("/v1/sessions/{id}")).key(&watch).send().expect(200).json();
    assert_eq!(session["lang"], "zh");
    assert!(server.cases() == 1, "a photograph of a hand-off is on record like any other");
}

#[test]
fn who_watches_with_the_one_time_token_is_shown_the_code_until_a_phone_has_come() {
    let (server, [key]) =
        Server::with_keys(["check"], |config| config.listen.public_url = Some("https://check.example".into()));
    let opened = server.ask("POST", "/v1/sessions").key(&key).json(&json!({})).send().expect(201).json();
    let watch_url = opened["watch_url"].as_str().unwrap();
    let [id, watch, token]: [&str; 3] =
        watch_url.split_once('#').unwrap().1.split('.').collect::<Vec<_>>().try_into().unwrap();
    assert_eq!((id, watch), (opened["id"].as_str().unwrap(), opened["watch_token"].as_str().unwrap()));
    let code = |bearer: &str, token: &str| {
        server.ask("POST", &format!("/v1/sessions/{id}/code")).key(bearer).json(&json!({"token": token})).send()
    };
    let shown = code(watch, token).expect(200).json();
    assert_eq!((&shown["phone_url"], &shown["qr_svg"]), (&opened["phone_url"], &opened["qr_svg"]));
    // Who may only watch cannot come by the phone's token, nor can a key.
    assert_eq!(code(watch, "nonsense").expect(404).problem(), "not_found");
    assert_eq!(code(&key, token).expect(401).problem(), "unauthorized");
    assert_eq!(code("nobody", token).expect(401).problem(), "unauthorized");
    let other = server.ask("POST", "/v1/sessions").key(&key).json(&json!({})).send().expect(201).json();
    assert_eq!(code(other["watch_token"].as_str().unwrap(), token).expect(401).problem(), "unauthorized");
    server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send().expect(200);
    assert_eq!(code(watch, token).expect(410).problem(), "token_used");
}

#[test]
fn a_hand_off_ends_when_its_steps_are_done_and_sends_no_more() {
    // Whatever is wrong with the simulated sample, it is done: no rule judges.
    let server = Server::start(|config| config.policies = vec![("lenient".to_owned(), lenient())]);
    let Opened { id, token, watch } = open(&server, &json!({"steps": ["any"], "policy": "lenient"}));
    let claimed = server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send().expect(200).json();
    let phone = claimed["phone_token"].as_str().unwrap();
    let put = || {
        let ask = server.ask("PUT", &format!("/v1/sessions/{id}/steps/0")).key(phone);
        ask.body("image/jpeg", &sample("original_card_01.jpg")).send()
    };
    assert_eq!(put().expect(200).json()["state"], "done");
    assert_eq!(put().expect(409).problem(), "conflict");
    let ended = server.ask("GET", &format!("/v1/sessions/{id}/events")).key(&watch).send().expect(200);
    assert!(ended.text().contains("\"state\":\"done\""), "{}", ended.text());
}

fn lenient() -> bonafide::policy::Policy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lenient.toml");
    std::fs::write(&path, "id = \"lenient\"\nlegible_from = 0.5\n").unwrap();
    bonafide::policy::Policy::read(&path, &bonafide::checker::known_readings()).unwrap()
}

#[test]
fn what_is_asked_for_is_checked_and_time_runs_out() {
    let server = Server::start(|config| config.handoff.handoff = Duration::from_millis(300).into());
    let refused = |body: &Value| server.ask("POST", "/v1/sessions").json(body).send().expect(400).problem();
    for body in [json!({"steps": []}), json!({"steps": ["moon"]}), json!({"policy": "nobody"}), json!({"colour": 1})] {
        assert_eq!(refused(&body), "bad_request", "{body}");
    }
    let plain = server.ask("POST", "/v1/sessions").body("text/plain", b"{}").send();
    assert_eq!(plain.expect(415).problem(), "unsupported_media_type");
    let Opened { id, token, watch } = open(&server, &json!({}));
    std::thread::sleep(Duration::from_millis(400));
    let late = server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send();
    assert_eq!(late.expect(410).problem(), "session_expired");
    let session = server.ask("GET", &format!("/v1/sessions/{id}")).key(&watch).send().expect(200).json();
    assert_eq!(session["state"], "expired");
}
