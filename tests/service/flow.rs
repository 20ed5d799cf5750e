//! A filing from its first photograph to a person's decision, as the caller's back end and the applicant see it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bonafide::checker::known_readings;
use bonafide::policy::Policy;
use bonafide::service::webhooks::Webhook;
use image::codecs::jpeg::JpegEncoder;
use serde_json::{Value, json};

use super::{Answer, Server, runtime};

/// A picture of fields of different greys, others for each `seed`: no document, so that another is asked for.
pub(super) fn fields(seed: u32, quality: u8) -> Vec<u8> {
    let grey = |x: u32, y: u32| {
        let mixed = (x + 31 * y + 977 * seed).wrapping_mul(2_654_435_761);
        (mixed ^ (mixed >> 15)).wrapping_mul(2_246_822_519) >> 24
    };
    let picture = image::RgbImage::from_fn(640, 480, |x, y| image::Rgb([grey(x / 40, y / 30) as u8; 3]));
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
    bytes
}

fn codes(report: &Value) -> Vec<&str> {
    report["reasons"].as_array().unwrap().iter().map(|reason| reason["code"].as_str().unwrap()).collect()
}

/// A policy that accepts everything, under a name.
pub(super) fn lenient(id: &str) -> Policy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lenient.toml");
    std::fs::write(&path, format!("id = \"{id}\"\nlegible_from = 0.5\n")).unwrap();
    Policy::read(&path, &known_readings()).unwrap()
}

pub(super) fn send(server: &Server, key: &str, query: &str, picture: &[u8]) -> Answer {
    server.ask("POST", &format!("/v1/check{query}")).key(key).body("image/jpeg", picture).send()
}

/// How many pictures the detectors saw.
fn examined(server: &Server, admin: &str) -> u32 {
    let text = server.ask("GET", "/metrics").key(admin).send().expect(200).text();
    let line = text.lines().find_map(|line| line.strip_prefix("bonafide_stage_seconds_count{stage=\"moire\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn what_a_caller_says_comes_back_with_the_answer_and_the_case() {
    let (server, [key, desk]) = Server::with_keys(["check", "review"], |_| {});
    let bytes = fields(1, 80);
    let said = r#"{"plan":"basic","订单":"4711"}"#;
    let encoded: Vec<_> = said.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let encoded = encoded.concat();
    let form = |name: &str, value: &str| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut body = [form("reference", "r-form"), form("metadata", said)].concat().into_bytes();
    body.extend_from_slice(b"--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n");
    body.extend_from_slice(&bytes);
    body.extend_from_slice(b"\r\n--limit--\r\n");
    let query = send(&server, &key, &format!("?reference=r-query&metadata={encoded}"), &bytes);
    let form = server.ask("POST", "/v1/check").key(&key).body("multipart/form-data; boundary=limit", &body).send();
    let metadata: Value = serde_json::from_str(said).unwrap();
    let object = json!({"image": BASE64.encode(&bytes), "reference": "r-json", "metadata": metadata, "overlay": true});
    let object = server.ask("POST", "/v1/check").key(&key).json(&object).send();
    assert!(object.json()["overlay"].is_string());
    for (answer, reference) in [(query, "r-query"), (form, "r-form"), (object, "r-json")] {
        let report = answer.expect(200);
        let case = report.header("bonafide-case").to_owned();
        let report = report.json();
        assert_eq!(
            (&report["reference"], &report["metadata"], &report["attempt"]),
            (&json!(reference), &metadata, &json!(1))
        );
        let listed =
            server.ask("GET", &format!("/v1/cases?reference={reference}")).key(&desk).send().expect(200).json();
        assert_eq!((listed["cases"].as_array().unwrap().len(), &listed["cases"][0]["id"]), (1, &json!(case)));
        assert_eq!((&listed["cases"][0]["metadata"], &listed["cases"][0]["attempt"]), (&metadata, &json!(1)));
    }
    let plain = send(&server, &key, "", &bytes).expect(200).json();
    assert!(["reference", "metadata", "attempt", "sent_again"].iter().all(|name| plain.get(name).is_none()), "{plain}");
    let long = format!("?reference={}", "x".repeat(129));
    for wrong in
        ["?reference=", &long, "?reference=a%0Ab", "?metadata=1", "?metadata=%7B%22a%22:1%7D", "?reference=a%00"]
    {
        assert_eq!(send(&server, &key, wrong, &bytes).expect(400).problem(), "bad_request", "{wrong}");
    }
    let session = |body: Value| server.ask("POST", "/v1/sessions").key(&key).json(&body).send();
    let opened = session(json!({"reference": "r-hand", "metadata": metadata})).expect(201).json();
    assert_eq!((&opened["reference"], &opened["metadata"]), (&json!("r-hand"), &metadata));
    let watch = opened["watch_token"].as_str().unwrap();
    let path = format!("/v1/sessions/{}", opened["id"].as_str().unwrap());
    let seen = server.ask("GET", &path).key(watch).send().expect(200).text();
    assert!(!seen.contains("r-hand") && !seen.contains("basic"), "pages are not told");
    for wrong in
        [json!({"reference": 7}), json!({"reference": ""}), json!({"metadata": {"a": 1}}), json!({"metadata": []})]
    {
        assert_eq!(session(wrong).expect(400).problem(), "bad_request");
    }
}

#[test]
fn a_repeated_answer_says_the_same_again() {
    let server = Server::start(|_| {});
    let sent = |query: &str, picture: &[u8]| {
        let ask = server.ask("POST", &format!("/v1/check{query}")).header("idempotency-key", "k");
        ask.body("image/jpeg", picture).send()
    };
    let bytes = fields(2, 80);
    let first = sent("?reference=r&metadata=%7B%22a%22:%22b%22%7D", &bytes).expect(200);
    let again = sent("?reference=r&metadata=%7B%22a%22:%22b%22%7D", &bytes).expect(200);
    assert_eq!((first.json(), again.header("idempotency-replayed")), (again.json(), "true"));
    assert_eq!((server.cases(), &again.json()["attempt"]), (1, &json!(1)), "sent again by the client: one attempt");
    assert_eq!(sent("?reference=other", &bytes).expect(422).problem(), "idempotency_key_reused");
}

#[test]
fn the_last_of_some_attempts_is_for_a_person_with_what_was_tried() {
    let (server, [key, other, desk]) = Server::with_keys(["check", "check", "review"], |_| {});
    let ids: Vec<String> = [1, 2, 3]
        .into_iter()
        .map(|attempt: i64| {
            let answer = send(&server, &key, "?reference=r", &fields(10 + attempt as u32, 80)).expect(200);
            let report = answer.json();
            assert_eq!(report["attempt"], attempt);
            if attempt < 3 {
                assert_eq!(report["decision"], "retake", "{:?}", codes(&report));
            } else {
                assert_eq!((&report["decision"], codes(&report)[0]), (&json!("review"), "attempts_exhausted"));
                let reason = &report["reasons"][0];
                assert!(
                    reason["en"].as_str().unwrap().contains("person")
                        && reason["zh"].as_str().unwrap().contains("人工")
                );
                assert!(codes(&report).len() > 1, "and what is wrong with this one");
            }
            answer.header("bonafide-case").to_owned()
        })
        .collect();
    let case = server.ask("GET", &format!("/v1/cases/{}", ids[2])).key(&desk).send().expect(200).json();
    let tried: Vec<_> = case["tried"].as_array().unwrap().iter().map(|tried| tried["case"].as_str().unwrap()).collect();
    assert_eq!(tried, [ids[1].as_str(), ids[0].as_str()]);
    assert_eq!((&case["tried"][0]["decision"], &case["report"]["decision"]), (&json!("retake"), &json!("review")));
    assert!(case["tried"][0]["reasons"].as_array().is_some_and(|reasons| !reasons.is_empty()));
    // Another's reference of the same name, and another document, are counted apart; after the hand-over it begins anew.
    assert_eq!(send(&server, &other, "?reference=r", &fields(20, 80)).expect(200).json()["attempt"], 1);
    assert_eq!(send(&server, &key, "?reference=r&document=licence", &fields(21, 80)).expect(200).json()["attempt"], 1);
    assert_eq!(send(&server, &key, "?reference=r", &fields(22, 80)).expect(200).json()["attempt"], 1);
    // Without a reference nobody is counted.
    for seed in 30..34 {
        assert_eq!(send(&server, &key, "", &fields(seed, 80)).expect(200).json()["decision"], "retake");
    }
}

#[test]
fn attempts_are_counted_over_hand_offs_and_checks_together_and_may_have_no_end() {
    let server = Server::start(|config| config.attempts.max_attempts = 2);
    let first = server.ask("POST", "/v1/check?reference=r&document=card").body("image/jpeg", &fields(40, 80)).send();
    assert_eq!(first.expect(200).json()["decision"], "retake");
    let opened = server.ask("POST", "/v1/sessions").json(&json!({"steps": ["card"], "reference": "r"})).send();
    let opened = opened.expect(201).json();
    let token = opened["phone_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let claimed = server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send().expect(200).json();
    let path = format!("/v1/sessions/{}", opened["id"].as_str().unwrap());
    let put = server.ask("PUT", &format!("{path}/steps/0")).key(claimed["phone_token"].as_str().unwrap());
    let step = put.body("image/jpeg", &fields(41, 80)).send().expect(200).json();
    assert_eq!((&step["state"], codes(&step["report"])[0]), (&json!("done"), "attempts_exhausted"), "{step}");
    let endless = Server::start(|config| config.attempts.max_attempts = 0);
    for seed in 0..5 {
        let sent = endless.ask("POST", "/v1/check?reference=r").body("image/jpeg", &fields(50 + seed, 80)).send();
        assert_eq!(sent.expect(200).json()["decision"], "retake");
    }
}

#[test]
fn a_refused_picture_that_is_sent_again_is_told_so_and_not_examined_again() {
    let (server, [key, admin]) = Server::with_keys(["check", "admin"], |config| config.attempts.max_attempts = 0);
    let bytes = fields(60, 90);
    let first = send(&server, &key, "?reference=r", &bytes).expect(200);
    let case = first.header("bonafide-case").to_owned();
    let before = examined(&server, &admin);
    // The same file, and the same picture saved again.
    for again in [bytes.clone(), fields(60, 60)] {
        let answer = send(&server, &key, "?reference=r", &again).expect(200);
        let report = answer.json();
        assert_eq!((&report["decision"], codes(&report)[0]), (&json!("retake"), "sent_again"), "{report}");
        assert_eq!(codes(&report)[1..], codes(&first.json())[..], "and why it was refused");
        assert_eq!((&report["sent_again"], report["findings"].as_array().unwrap().len()), (&json!(case), 0));
        assert!(report["reasons"][0]["zh"].as_str().unwrap().contains("此前"));
        assert_eq!(report["sha256"].as_str().unwrap().len(), 64);
    }
    assert_eq!(examined(&server, &admin), before, "nothing was examined");
    // Another picture is, and this one too where nobody knows it, or something else is asked.
    for (query, bytes) in [
        ("?reference=r", fields(61, 90)),
        ("?reference=other", bytes.clone()),
        ("?reference=r&document=licence", bytes.clone()),
        ("", bytes.clone()),
    ] {
        let report = send(&server, &key, query, &bytes).expect(200).json();
        assert!(!codes(&report).contains(&"sent_again"), "{query}");
    }
    assert_eq!(examined(&server, &admin), before + 4);
}

#[test]
fn a_policy_that_judges_otherwise_looks_again() {
    let server = Server::start(|config| config.policies = vec![("lenient".to_owned(), lenient("lenient"))]);
    let sent =
        |query: &str| server.ask("POST", &format!("/v1/check{query}")).body("image/jpeg", &fields(65, 80)).send();
    assert_eq!(sent("?reference=r").expect(200).json()["decision"], "retake");
    assert_eq!(sent("?reference=r&policy=lenient").expect(200).json()["decision"], "accept");
}

/// A listener that takes every message, and gives their bodies.
fn listener() -> (String, mpsc::Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (sender, received) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let (mut text, mut piece) = (String::new(), [0; 4096]);
            let body = loop {
                let n = stream.read(&mut piece).unwrap_or(0);
                text += &String::from_utf8_lossy(&piece[..n]);
                let whole = text.split_once("\r\n\r\n").and_then(|(_, body)| serde_json::from_str::<Value>(body).ok());
                if whole.is_some() || n == 0 {
                    break whole;
                }
            };
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
            if body.is_none_or(|body| sender.send(body).is_err()) {
                return;
            }
        }
    });
    (url, received)
}

#[test]
fn a_decision_comes_back_to_the_caller_and_to_who_looks_on() {
    let (url, received) = listener();
    let (server, [key, desk]) = Server::with_keys(["check", "check,review"], |config| {
        config.webhooks = vec![Webhook::new("till", &url, "a secret of some length", None).unwrap()];
        config.attempts.max_attempts = 1;
    });
    let opened = json!({"steps": ["any"], "reference": "r", "metadata": {"plan": "basic"}});
    let opened = server.ask("POST", "/v1/sessions").key(&key).json(&opened).send().expect(201).json();
    let token = opened["phone_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let claimed = server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send().expect(200).json();
    let path = format!("/v1/sessions/{}", opened["id"].as_str().unwrap());
    let watch = opened["watch_token"].as_str().unwrap();
    let seen = || server.ask("GET", &path).key(watch).send().expect(200).json();
    let put = server.ask("PUT", &format!("{path}/steps/0")).key(claimed["phone_token"].as_str().unwrap());
    let step = put.body("image/jpeg", &fields(70, 80)).send().expect(200).json();
    let case = step["case"].as_str().unwrap().to_owned();
    assert_eq!((&seen()["state"], &seen()["in_review"]), (&json!("done"), &json!(true)));
    let verdict = received.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(
        (&verdict["type"], &verdict["reference"], &verdict["attempt"]),
        (&json!("verdict"), &json!("r"), &json!(1))
    );
    assert_eq!((&verdict["metadata"], &verdict["tried"]), (&json!({"plan": "basic"}), &json!([])));

    let decide =
        |key: &str, body: Value| server.ask("POST", &format!("/v1/cases/{case}/decision")).key(key).json(&body).send();
    assert_eq!(decide(&key, json!({"decision": "accept"})).expect(403).problem(), "forbidden");
    assert_eq!(
        decide(&desk, json!({"decision": "accept", "message": "x".repeat(2001)})).expect(400).problem(),
        "bad_request"
    );
    let said = json!({"decision": "accept", "message": "Thank you.", "note": "seen before"});
    let decided = decide(&desk, said).expect(200).json();
    assert_eq!(
        (&decided["decided"]["message"], &decided["decided"]["note"]),
        (&json!("Thank you."), &json!("seen before"))
    );
    let told = received.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!((&told["type"], &told["case"], &told["reference"]), (&json!("decision"), &json!(case), &json!("r")));
    assert_eq!((&told["decision"], &told["verdict"]), (&json!("accept"), &json!("review")));
    assert_eq!((&told["message"], &told["note"]), (&json!("Thank you."), &json!("seen before")));
    assert_eq!((&told["metadata"], &told["session"]), (&json!({"plan": "basic"}), &opened["id"]));
    // Who looks on hears the words that are for them, and no others; so does the key that opened it.
    let step = seen()["steps"][0].clone();
    assert_eq!((&step["decided"]["decision"], &step["decided"]["message"]), (&json!("accept"), &json!("Thank you.")));
    assert_eq!(seen()["in_review"], false);
    let events = server.ask("GET", &format!("{path}/events")).key(watch).send().expect(200).text();
    assert!(events.contains("Thank you.") && !events.contains("seen before"), "{events}");
    let own = server.ask("GET", &format!("/v1/cases/{case}")).key(&key).send().expect(200).json();
    assert_eq!(
        (&own["decided"]["message"], &own["decided"]["note"], &own["decided"]["actor"]),
        (&json!("Thank you."), &Value::Null, &Value::Null)
    );
}

#[test]
fn a_key_sees_its_own_cases_and_no_others() {
    let (server, [mine, theirs, desk, ops]) = Server::with_keys(["check", "check", "review", "admin"], |_| {});
    let case = |key: &str, seed| {
        send(&server, key, "?reference=r", &fields(seed, 80)).expect(200).header("bonafide-case").to_owned()
    };
    let (own, other) = (case(&mine, 80), case(&theirs, 81));
    let read = |key: &str, path: &str| server.ask("GET", path).key(key).send();
    let listed = |key: &str, path: &str| read(key, path).expect(200).json()["cases"].as_array().unwrap().len();
    assert_eq!(
        (listed(&mine, "/v1/cases"), listed(&desk, "/v1/cases"), listed(&mine, "/v1/cases?reference=r")),
        (1, 2, 1)
    );
    assert_eq!(read(&mine, &format!("/v1/cases/{own}")).expect(200).json()["id"], json!(own));
    assert_eq!(read(&mine, &format!("/v1/cases/{other}")).expect(404).problem(), "not_found");
    read(&desk, &format!("/v1/cases/{other}")).expect(200);
    assert_eq!(read(&mine, &format!("/v1/cases/{own}/picture")).expect(403).problem(), "forbidden");
    let owner = |key: &str| format!("key:{}", key.split('_').nth(1).unwrap());
    assert_eq!(listed(&mine, &format!("/v1/cases?owner={}", owner(&mine))), 1);
    assert_eq!(read(&mine, &format!("/v1/cases?owner={}", owner(&theirs))).expect(403).problem(), "forbidden");
    assert_eq!(listed(&desk, &format!("/v1/cases?owner={}", owner(&theirs))), 1);
    assert_eq!(read(&ops, &format!("/v1/cases/{own}")).expect(403).problem(), "forbidden");
    let found = |query: &str| listed(&desk, &format!("/v1/cases?{query}"));
    let reason = read(&desk, &format!("/v1/cases/{own}")).json()["reasons"][0].as_str().unwrap().to_owned();
    assert!(found(&format!("reason={reason}")) >= 1);
    assert_eq!(
        (found("reason=nothing_like_it"), found("from=2020-01-01"), found("until=2020-01-01T00:00:00Z")),
        (0, 2, 0)
    );
    assert_eq!((found("score=legibility"), found("score=screen&score_from=0&score_until=1")), (2, 2));
    for wrong in [
        "from=yesterday",
        "score_from=0.5",
        "score=screen&score_from=2",
        "score=beauty",
        "score=screen&score_from=NaN",
        "reference=",
    ] {
        assert_eq!(read(&desk, &format!("/v1/cases?{wrong}")).expect(400).problem(), "bad_request", "{wrong}");
    }
}

#[test]
fn a_browser_sends_pictures_by_a_token_of_its_own() {
    let (server, [key, desk]) = Server::with_keys(["check", "review"], |_| {});
    let make = |key: &str, body: Value| server.ask("POST", "/v1/tokens").key(key).json(&body).send();
    assert_eq!(make(&desk, json!({"reference": "r"})).expect(403).problem(), "forbidden");
    for wrong in [
        json!({}),
        json!({"reference": "r", "uploads": 0}),
        json!({"reference": "r", "minutes": 61}),
        json!({"reference": "r", "policy": "no"}),
    ] {
        assert_eq!(make(&key, wrong).expect(400).problem(), "bad_request");
    }
    let wanted = json!({"reference": "r", "document": "licence", "uploads": 2, "metadata": {"a": "b"}});
    let made = make(&key, wanted).expect(201).json();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("bu_") && made["uploads"] == 2);
    let answer = send(&server, token, "", &fields(90, 80)).expect(200).json();
    assert_eq!(
        (&answer["reference"], &answer["metadata"], &answer["attempt"]),
        (&json!("r"), &json!({"a": "b"}), &json!(1))
    );
    let listed = server.ask("GET", "/v1/cases?reference=r").key(&key).send().expect(200).json();
    assert_eq!(
        (&listed["cases"][0]["document"], listed["cases"].as_array().unwrap().len()),
        (&json!("licence"), 1),
        "it is the key's own"
    );
    // It opens nothing else.
    for (method, path) in [
        ("GET", "/v1/cases"),
        ("GET", "/v1/policy"),
        ("POST", "/v1/check/batch"),
        ("POST", "/v1/tokens"),
        ("POST", "/v1/sessions"),
        ("GET", "/metrics"),
    ] {
        assert_eq!(
            server.ask(method, path).key(token).body("application/json", b"{}").send().expect(401).problem(),
            "unauthorized",
            "{path}"
        );
    }
    send(&server, token, "", &fields(91, 80)).expect(200);
    assert_eq!(send(&server, token, "", &fields(92, 80)).expect(401).problem(), "unauthorized", "two were all");
    assert_eq!(send(&server, "bu_nonsense", "", &fields(92, 80)).expect(401).problem(), "unauthorized");
    let fixed = make(&key, json!({"reference": "r2", "uploads": 2})).expect(201).json();
    let fixed = fixed["token"].as_str().unwrap();
    for query in ["?reference=r3", "?document=card", "?metadata=%7B%7D", "?policy=x"] {
        assert_eq!(send(&server, fixed, query, &fields(93, 80)).expect(400).problem(), "bad_request", "{query}");
    }
    assert_eq!(send(&server, fixed, "?reveal=true", &fields(93, 80)).expect(403).problem(), "forbidden");
    // What was refused before its picture took none.
    send(&server, fixed, "", &fields(93, 80)).expect(200);
    let id = key.split('_').nth(1).unwrap();
    runtime().block_on(server.store.revoke_key(id, "test", 0)).unwrap();
    assert_eq!(send(&server, fixed, "", &fields(94, 80)).expect(401).problem(), "unauthorized", "its key is revoked");
}

#[test]
fn a_picture_in_base64_has_the_same_bounds() {
    let server = Server::start(|config| config.uploads.max_mib = 1);
    let sent = |body: &Value| server.ask("POST", "/v1/check").json(body).send();
    let bytes = fields(95, 80);
    let raw = server.check(&bytes).expect(200).json();
    let object = sent(&json!({ "image": BASE64.encode(&bytes) })).expect(200).json();
    assert_eq!((&object["sha256"], &object["decision"]), (&raw["sha256"], &raw["decision"]));
    let large = BASE64.encode(vec![0; (1 << 20) + 1]);
    assert_eq!(sent(&json!({ "image": large })).expect(413).problem(), "too_large");
    let most = BASE64.encode(vec![0; 1 << 20]);
    assert_eq!(sent(&json!({ "image": most })).expect(415).problem(), "not_an_image", "as much as a file may have");
    assert_eq!(sent(&json!({ "image": "A".repeat(3 << 20) })).expect(413).problem(), "too_large");
    for body in [json!({"image": "AA=="}), json!({"image": ""})] {
        assert!([415, 422].contains(&sent(&body).status));
    }
    for body in [
        json!({"image": "%%"}),
        json!({"picture": "AA=="}),
        json!({"image": "AA==", "colour": "red"}),
        json!({"image": "AA==", "document": "moon"}),
    ] {
        assert_eq!(sent(&body).expect(400).problem(), "bad_request", "{body}");
    }
    let said = json!({"image": BASE64.encode(&bytes), "document": "licence"});
    let both = server.ask("POST", "/v1/check?document=card").json(&said).send();
    assert_eq!(both.expect(400).problem(), "bad_request", "said twice");
}
