//! Requests as clients send them → answers, one status after the other.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bonafide::capture::Upload;
use bonafide::scene::Deadline;
use bonafide::service::config::{Keep, Listen, Remember};
use bonafide::service::webhooks::Webhook;
use bonafide::service::{Config, Service};
use serde_json::{Value, json};

use super::{Server, checker, picture, runtime, sample};

/// Without what differs from run to run.
fn timeless(mut report: Value) -> Value {
    report["elapsed_ms"] = Value::Null;
    report
}

#[test]
fn a_verdict_is_the_one_that_the_program_gives_raw_or_in_a_form() {
    let server = Server::start(|_| {});
    for name in ["original_card_01.jpg", "screen_lcd_card_01.jpg"] {
        let bytes = sample(name);
        let expected = checker().check(&Upload { bytes: &bytes, name: None }, Deadline::NEVER).unwrap();
        let expected = timeless(serde_json::from_str(&serde_json::to_string(&expected).unwrap()).unwrap());
        let raw = server.check(&bytes).expect(200);
        assert_eq!(raw.header("bonafide-case").len(), 36);
        assert_eq!(timeless(raw.json()), expected);
        let form = server.ask("POST", "/v1/check").form(&[("", &bytes)]).send().expect(200);
        assert_eq!(timeless(form.json()), expected);
        assert_ne!(form.header("bonafide-case"), raw.header("bonafide-case"));
    }
    assert_eq!(server.cases(), 4);
}

#[test]
fn what_is_asked_changes_the_verdict() {
    let server = Server::start(|_| {});
    let card = sample("original_card_01.jpg");
    let asked = |query: &str| server.ask("POST", &format!("/v1/check?{query}")).body("image/jpeg", &card).send();
    let codes = |report: &Value| -> Vec<String> {
        let reasons = report["reasons"].as_array().unwrap();
        reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
    };
    let wrong = asked("document=licence").expect(200).json();
    assert!(codes(&wrong).contains(&"unexpected_document".to_owned()), "{wrong}");
    let plain = asked("overlay=true").expect(200).json();
    assert!(!codes(&plain).contains(&"unexpected_document".to_owned()));
    assert!(plain["overlay"].as_str().unwrap().starts_with("data:image/jpeg;base64,/9j/"));
    let named = asked("name=Screenshot_2026-01-01.png").expect(200).json();
    assert!(codes(&named).contains(&"screenshot".to_owned()), "{named}");
    assert_eq!(named["path"], "-", "names of files are not repeated");
    for query in ["document=nonsense", "colour=red", "overlay=maybe", "policy=nobody", "reveal=1"] {
        assert_eq!(asked(query).expect(400).problem(), "bad_request", "{query}");
    }
}

#[test]
fn what_cannot_be_examined_is_a_problem_with_a_code() {
    let server = Server::start(|_| {});
    let whole = sample("original_card_01.jpg");
    for (bytes, status, code) in [
        (&b"hello"[..], 415, "not_an_image"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", 415, "unsupported"),
        (b"", 422, "empty"),
        (&whole[..whole.len() / 2], 422, "truncated"),
    ] {
        assert_eq!(server.check(bytes).expect(status).problem(), code);
    }
    let small = image::RgbImage::new(8, 8);
    let mut png = std::io::Cursor::new(Vec::new());
    small.write_to(&mut png, image::ImageFormat::Png).unwrap();
    assert_eq!(server.check(&png.into_inner()).expect(422).problem(), "too_small");
    let form =
        |body: &str| server.ask("POST", "/v1/check").body("multipart/form-data; boundary=limit", body.as_bytes());
    for body in
        ["--limit--\r\n", "", "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nhalf"]
    {
        assert_eq!(form(body).send().expect(400).problem(), "bad_request", "{body}");
    }
    let two = server.ask("POST", "/v1/check").form(&[("a", &whole), ("b", &whole)]).send();
    assert_eq!(two.expect(400).problem(), "bad_request");
    let nameless = server.ask("POST", "/v1/check").body("multipart/form-data", b"x").send();
    assert_eq!(nameless.expect(400).problem(), "bad_request");
    assert_eq!(server.cases(), 0, "nothing that was not examined is on record");
}

#[test]
fn problems_are_told_in_the_language_that_is_asked_for() {
    let server = Server::start(|_| {});
    let told = |language: &str| {
        let answer = server.ask("GET", "/v1/nothing").header("accept-language", language).send().expect(404);
        assert_eq!(answer.problem(), "not_found");
        (answer.header("content-language").to_owned(), answer.json()["detail"].as_str().unwrap().to_owned())
    };
    assert_eq!(told("zh-CN,zh;q=0.9"), ("zh-CN".to_owned(), "该地址下没有内容。".to_owned()));
    assert_eq!(told("de"), ("en".to_owned(), "There is nothing under this address.".to_owned()));
    let wrong = server.ask("DELETE", "/v1/check").send().expect(405);
    assert_eq!((wrong.problem().as_str(), wrong.header("allow")), ("method_not_allowed", "POST"));
    let traced = server.ask("GET", "/v1/nothing");
    let traced = traced.header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").send();
    assert_eq!(traced.header("x-request-id"), "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn a_key_opens_what_its_scopes_say() {
    let (server, [check, review, admin]) = Server::with_keys(["check", "check,review", "admin"], |_| {});
    let picture = picture(1);
    let sent = |key: &str, query: &str| {
        server.ask("POST", &format!("/v1/check{query}")).key(key).body("image/jpeg", &picture).send()
    };
    assert_eq!(server.check(&picture).expect(401).header("www-authenticate"), "Bearer");
    assert_eq!(sent("bf_nobody_nothing", "").expect(401).problem(), "unauthorized");
    assert_eq!(sent(&check[..check.len() - 1], "").expect(401).problem(), "unauthorized");
    assert_eq!(sent("eyJ.eyJ.x", "").expect(401).problem(), "unauthorized");
    assert_eq!(sent(&admin, "").expect(403).problem(), "forbidden");
    sent(&check, "").expect(200);
    assert_eq!(sent(&check, "?reveal=true").expect(403).problem(), "forbidden");
    sent(&review, "?reveal=true").expect(200);
    let read = |key: &str, path: &str| server.ask("GET", path).key(key).send().status;
    assert_eq!((read(&check, "/v1/cases"), read(&review, "/v1/cases"), read(&admin, "/v1/cases")), (200, 200, 403));
    assert_eq!((read(&check, "/metrics"), read(&admin, "/metrics"), server.get("/metrics").status), (403, 200, 401));
    assert_eq!((server.get("/healthz").status, server.get("/readyz").status), (200, 200));
    assert_eq!(
        (read(&check, "/v1/explain"), read(&check, "/v1/policy"), server.get("/v1/policy").status),
        (200, 200, 401)
    );
}

#[test]
fn a_key_ends_when_it_is_revoked_and_has_two_secrets_while_it_is_renewed() {
    let (server, [revoked, renewed]) = Server::with_keys(["check", "check"], |_| {});
    let id = |key: &str| key.split('_').nth(1).unwrap().to_owned();
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let fresh = runtime().block_on(async {
        server.store.revoke_key(&id(&revoked), "test", now).await.unwrap();
        server.store.rotate_key(&id(&renewed), 60_000, "test", now).await.unwrap().text.reveal().to_owned()
    });
    let asked = |key: &str| server.ask("GET", "/v1/policy").key(key).send().status;
    assert_eq!((asked(&revoked), asked(&renewed), asked(&fresh)), (401, 200, 200));
}

#[test]
fn tokens_of_a_provider_that_is_away_are_not_refused_but_put_off() {
    let server = Server::start(|config| {
        // Nobody listens there.
        config.callers.oidc_issuer = Some("http://127.0.0.1:9".to_owned());
        config.callers.oidc_audience = Some("bonafide".to_owned());
    });
    assert_eq!(server.get("/v1/policy").expect(401).problem(), "unauthorized");
    let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.eyJzdWIiOiJhIn0.AAAA";
    let put_off = server.ask("GET", "/v1/policy").key(token).send().expect(503);
    assert_eq!((put_off.problem().as_str(), put_off.header("retry-after")), ("unavailable", "5"));
}

#[test]
fn a_quota_is_counted_for_each_key() {
    let mut key = String::new();
    let server = Server::start(|config| {
        runtime().block_on(async {
            let store = bonafide::service::store::ReviewStore::open(&config.remember.store, None).await.unwrap();
            let new = bonafide::service::store::NewKey {
                name: "two",
                scopes: "check".parse().unwrap(),
                per_minute: Some(2),
                expires_ms: None,
            };
            key = store.create_key(&new, "test", 0).await.unwrap().text.reveal().to_owned();
            store.close().await;
        });
    });
    let picture = picture(2);
    let sent = || server.ask("POST", "/v1/check").key(&key).body("image/jpeg", &picture).send();
    assert!(sent().expect(200).header("ratelimit").contains("r=1"));
    sent().expect(200);
    let refused = sent().expect(429);
    assert_eq!(refused.problem(), "quota_exceeded");
    assert!((1..=60).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    assert!(refused.header("ratelimit").contains("r=0"), "{refused:?}");
    let form: Vec<_> = (0..3).map(|_| ("a.jpg", &picture[..])).collect();
    let batch = server.ask("POST", "/v1/check/batch").key(&key).form(&form).send().expect(200);
    let rows: Vec<Value> = crate::lines(&batch.body);
    assert!(rows.len() == 3 && rows.iter().all(|row| row["error"]["code"] == "quota_exceeded"), "{rows:?}");
}

#[test]
fn the_same_upload_twice_is_worked_once() {
    let server = Server::start(|_| {});
    let (one, other) = (picture(3), picture(4));
    let sent = |key: &str, bytes: &[u8], query: &str| {
        let ask = server.ask("POST", &format!("/v1/check{query}")).header("idempotency-key", key);
        ask.body("image/jpeg", bytes).send()
    };
    let all: Vec<_> = std::thread::scope(|scope| {
        let at_once: Vec<_> = (0..8).map(|_| scope.spawn(|| sent("a", &one, "").expect(200))).collect();
        at_once.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let cases: std::collections::BTreeSet<_> = all.iter().map(|answer| answer.header("bonafide-case")).collect();
    let replayed = all.iter().filter(|answer| answer.header("idempotency-replayed") == "true").count();
    assert_eq!((cases.len(), replayed, server.cases()), (1, 7, 1));
    assert!(all.iter().all(|answer| answer.json() == all[0].json()));
    assert_eq!(sent("a", &other, "").expect(422).problem(), "idempotency_key_reused");
    assert_eq!(sent("a", &one, "?document=card").expect(422).problem(), "idempotency_key_reused");
    // A picture is never kept for this: it is made again, and the case is the same.
    let drawn = sent("a", &one, "?overlay=true").expect(200);
    assert!(drawn.json()["overlay"].is_string() && cases.contains(drawn.header("bonafide-case")));
    sent("b", &one, "").expect(200);
    assert_eq!(server.cases(), 2);
    assert_eq!(sent("", &one, "").expect(400).problem(), "bad_request");
    assert_eq!(sent(&"x".repeat(256), &one, "").expect(400).problem(), "bad_request");
}

#[test]
fn a_batch_answers_a_line_for_each_file_in_their_order() {
    let server = Server::start(|config| {
        config.uploads.batch_files = 6;
        config.uploads.max_mib = 1;
    });
    let (card, screen) = (sample("original_card_01.jpg"), sample("screen_lcd_card_01.jpg"));
    let large = vec![0; (1 << 20) + 1];
    let files: [(&str, &[u8]); 5] =
        [("a.jpg", &card), ("b.txt", b"hello"), ("c.bin", &large), ("d.jpg", &screen), ("", &card)];
    let batch = server.ask("POST", "/v1/check/batch").form(&files).send().expect(200);
    assert_eq!(batch.header("content-type"), "application/jsonl");
    let rows: Vec<Value> = crate::lines(&batch.body);
    let told: Vec<_> = rows.iter().map(|row| (row["path"].as_str().unwrap(), row["error"]["code"].as_str())).collect();
    let expected =
        [("a.jpg", None), ("b.txt", Some("not_an_image")), ("c.bin", Some("too_large")), ("d.jpg", None), ("-", None)];
    assert_eq!(told, expected);
    let single = timeless(server.check(&screen).expect(200).json());
    assert_eq!(timeless(rows[3].clone())["scores"], single["scores"]);
    let many: Vec<_> = (0..8).map(|_| ("x", &b"no"[..])).collect();
    let rows: Vec<Value> = crate::lines(&server.ask("POST", "/v1/check/batch").form(&many).send().expect(200).body);
    assert_eq!((rows.len(), &rows[6]["error"]["code"]), (7, &json!("bad_request")));
    assert_eq!(
        server.ask("POST", "/v1/check/batch").body("image/jpeg", &card).send().expect(415).problem(),
        "unsupported_media_type"
    );
}

#[test]
fn nothing_of_a_picture_is_kept_unless_it_is_asked_for() {
    let plain = Server::start(|_| {});
    let bytes = sample("screen_lcd_card_01.jpg");
    let case = plain.check(&bytes).expect(200).header("bonafide-case").to_owned();
    assert_eq!(plain.get(&format!("/v1/cases/{case}/picture")).expect(404).problem(), "not_found");
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("sealing.key");
    std::fs::write(&key, BASE64.encode([7; 32])).unwrap();
    let kept = Server::start(|config| {
        config.remember.keep = Keep::Review;
        config.remember.sealing_key = Some(key);
    });
    let mut reviewed = 0;
    for name in
        ["screen_lcd_card_01.jpg", "screen_oled_card_02.jpg", "print_colour_card_01.jpg", "original_card_01.jpg"]
    {
        let bytes = sample(name);
        let answer = kept.check(&bytes).expect(200);
        let path = format!("/v1/cases/{}/picture", answer.header("bonafide-case"));
        if answer.json()["decision"] == "review" {
            let picture = kept.get(&path).expect(200);
            assert_eq!(picture.body, bytes);
            assert_eq!(picture.header("content-type"), "image/jpeg");
            assert_eq!(picture.header("x-content-type-options"), "nosniff");
            assert_eq!(picture.header("cache-control"), "no-store");
            assert!(picture.header("content-security-policy").contains("sandbox"), "{picture:?}");
            let seen = runtime().block_on(kept.store.audit(0, 100)).unwrap();
            let seen = seen.iter().filter(|row| row.event == "picture.seen" && path.contains(&row.subject)).count();
            assert_eq!(seen, 1, "who saw it is on record");
            reviewed += 1;
        } else {
            kept.get(&path).expect(404);
        }
    }
    assert!(reviewed > 0, "none of the samples was for review");
}

#[test]
fn a_case_is_listed_decided_once_and_purged_for_good() {
    let server = Server::start(|_| {});
    let ids: Vec<_> =
        (0..3).map(|i| server.check(&picture(10 + i)).expect(200).header("bonafide-case").to_owned()).collect();
    let page = server.get("/v1/cases?limit=2").expect(200).json();
    assert_eq!((&page["cases"][0]["id"], page["cases"].as_array().unwrap().len()), (&json!(ids[2]), 2));
    let next = page["next"].as_i64().unwrap();
    let last = server.get(&format!("/v1/cases?limit=2&before={next}")).expect(200).json();
    assert_eq!((&last["cases"][0]["id"], &last["next"]), (&json!(ids[0]), &Value::Null));
    let long = |name: &str, letters: usize| format!("{name}={}", "x".repeat(letters));
    let (reason, owner) = (long("reason", 65), long("owner", 301));
    for query in ["limit=0", "limit=501", "state=lost", "before=x", &reason, &owner] {
        server.get(&format!("/v1/cases?{query}")).expect(400).problem();
    }
    server.get(&format!("/v1/shadow?{owner}")).expect(400).problem();
    let path = format!("/v1/cases/{}", ids[0]);
    assert_eq!(server.get(&path).expect(200).json()["report"]["decision"], server.get(&path).json()["decision"]);
    let decide = |body: &Value| server.ask("POST", &format!("{path}/decision")).json(body).send();
    assert_eq!(decide(&json!({"decision": "perhaps"})).expect(400).problem(), "bad_request");
    assert_eq!(decide(&json!({"decision": "accept", "note": "x".repeat(2001)})).expect(400).problem(), "bad_request");
    let decided = decide(&json!({"decision": "accept", "note": "seen the original"})).expect(200).json();
    assert_eq!(decided["decided"]["note"], "seen the original");
    assert_eq!(decide(&json!({"decision": "reject"})).expect(409).problem(), "conflict");
    assert_eq!(server.get("/v1/cases?state=decided").json()["cases"].as_array().unwrap().len(), 1);
    server.ask("DELETE", &path).send().expect(204);
    assert_eq!(server.get(&path).expect(404).problem(), "not_found");
    let listed = server.get("/v1/cases").expect(200).json();
    assert!(listed["cases"][2]["purged_at"].is_string() && listed["cases"][2]["id"] == ids[0], "{listed}");
    for unknown in ["/v1/cases/nobody", "/v1/cases/nobody/picture"] {
        server.get(unknown).expect(404).problem();
    }
    server.ask("DELETE", "/v1/cases/nobody").send().expect(404).problem();
    let proof = runtime().block_on(server.store.verify()).unwrap();
    assert_eq!(proof.rows, 5, "three verdicts, one decision, one purge");
}

#[test]
fn verdicts_are_reported_signed_to_who_wants_them() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let webhook = Webhook::new("till", &url, "a secret of some length", None).unwrap();
    let server = Server::start(|config| config.webhooks = vec![webhook.clone()]);
    let case = server.check(&picture(20)).expect(200).header("bonafide-case").to_owned();
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut text = String::new();
    let mut piece = [0; 4096];
    while !text.contains("\"policy_id\"") {
        let n = stream.read(&mut piece).unwrap();
        assert!(n > 0, "{text}");
        text += &String::from_utf8_lossy(&piece[..n]);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let signature =
        head.lines().find_map(|line| line.to_lowercase().strip_prefix("bonafide-signature: ").map(str::to_owned));
    let signature = signature.unwrap();
    let time: i64 = signature.strip_prefix("t=").unwrap().split(',').next().unwrap().parse().unwrap();
    assert_eq!(signature, webhook.sign(time, body));
    let told: Value = serde_json::from_str(body).unwrap();
    assert_eq!((&told["case"], &told["type"]), (&json!(case), &json!("verdict")));
}

#[test]
fn what_happens_is_counted() {
    let server = Server::start(|_| {});
    server.check(&sample("screen_lcd_card_01.jpg")).expect(200);
    server.check(b"hello").expect(415);
    let text = server.get("/metrics").expect(200).text();
    for line in [
        "bonafide_requests_total{method=\"POST\",route=\"/v1/check\",status=\"200\"} 1",
        "bonafide_requests_total{method=\"POST\",route=\"/v1/check\",status=\"415\"} 1",
        "bonafide_stage_seconds_count{stage=\"decode\"} 1",
        "bonafide_stage_seconds_count{stage=\"moire\"} 1",
        "bonafide_stage_seconds_count{stage=\"queue\"} 2",
        "bonafide_queue_length 0",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(text.contains("bonafide_verdicts_total{decision="), "{text}");
    assert!(text.contains("bonafide_reasons_total{code="), "{text}");
}

#[test]
fn answers_guard_browsers_and_other_sites_are_not_let_in() {
    let closed = Server::start(|_| {});
    let from = |server: &Server| {
        let ask = server.ask("OPTIONS", "/v1/check").header("origin", "https://shop.example");
        ask.header("access-control-request-method", "POST").send()
    };
    assert_eq!(from(&closed).header("access-control-allow-origin"), "");
    let page = closed.get("/phone").expect(200);
    assert!(page.header("content-security-policy").starts_with("default-src 'self'; img-src"));
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(page.header(name), value);
        assert_eq!(closed.get("/v1/nothing").header(name), value);
    }
    let open = Server::start(|config| config.listen.cors_origin = vec!["https://shop.example".to_owned()]);
    assert_eq!(from(&open).header("access-control-allow-origin"), "https://shop.example");
    // Sites that are named may frame the pages of the hand-off, and nothing else.
    for path in ["/capture", "/phone"] {
        let framed = open.get(path).expect(200);
        let policy = framed.header("content-security-policy");
        assert!(policy.ends_with("frame-ancestors https://shop.example"), "{policy}");
        assert_eq!(framed.header("x-frame-options"), "");
        assert!(closed.get(path).expect(200).header("content-security-policy").ends_with("frame-ancestors 'none'"));
    }
    assert_eq!(open.get("/docs/").expect(200).header("x-frame-options"), "DENY");
    for server in [&open, &closed] {
        let component = server.get("/bonafide-capture.js").expect(200);
        assert_eq!(component.header("cross-origin-resource-policy"), "cross-origin");
        assert!(component.text().contains("customElements.define(\"bonafide-capture\""));
        assert_eq!(server.get("/assets/base.css").expect(200).header("cross-origin-resource-policy"), "same-origin");
        for place in ["/capture", "/docs", "/openapi.json", "/bonafide-capture.js", "/healthz"] {
            assert!(server.get("/").expect(200).text().contains(&format!("href=\"{place}\"")), "{place}");
        }
    }
    let docs = closed.get("/docs/").expect(200).text();
    assert!(docs.contains("swagger-ui") && !docs.contains("http://") && !docs.contains("https://"), "{docs}");
    assert_eq!(closed.get("/openapi.json").expect(200).json()["info"]["title"], "bonafide");
}

#[test]
fn every_file_that_a_page_names_is_there() {
    let server = Server::start(|_| {});
    let mut seen = 0;
    for page in ["/capture", "/phone"] {
        let mut texts = vec![server.get(page).expect(200).text()];
        while let Some(text) = texts.pop() {
            for name in
                text.split(['"', '\'']).filter_map(|part| part.strip_prefix("/assets/").or(part.strip_prefix("./")))
            {
                let asset = server.get(&format!("/assets/{name}")).expect(200);
                seen += 1;
                if seen < 100 && asset.header("content-type").starts_with("text/javascript") {
                    texts.push(asset.text());
                }
            }
        }
    }
    assert!(seen > 6, "only {seen}");
}

#[test]
fn beyond_loopback_somebody_has_to_say_that_no_key_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        listen: Listen { listen: "0.0.0.0:0".parse().unwrap(), ..Listen::default() },
        remember: Remember {
            store: folder.path().join("store.db").to_string_lossy().into_owned(),
            ..Remember::default()
        },
        ..Config::default()
    };
    let refused = runtime().block_on(Service::start(config(), checker()));
    assert!(refused.is_err_and(|error| error.to_string().contains("--insecure-no-auth")));
    let mut open = config();
    open.callers.insecure_no_auth = true;
    let service = runtime().block_on(Service::start(open, checker())).unwrap();
    runtime().block_on(service.stop()).unwrap();
    let mut near = config();
    near.listen.listen = "127.0.0.1:0".parse().unwrap();
    near.listen.public_url = Some("https://check.example".to_owned());
    assert!(runtime().block_on(Service::start(near, checker())).is_err(), "phones come from elsewhere");
    let server = Server::start(|_| {});
    let through_a_proxy = server.ask("GET", "/v1/policy").header("x-forwarded-for", "203.0.113.9").send();
    assert_eq!(through_a_proxy.expect(401).problem(), "unauthorized");
}

#[test]
fn https_is_served_and_its_certificate_can_be_changed() {
    use std::sync::Arc;

    use ureq::tls::{Certificate, RootCerts, TlsConfig};

    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    let renew = || {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        made.cert.pem()
    };
    let first = renew();
    let server = Server::start(|config| {
        config.listen.tls_cert = Some(certificate.clone());
        config.listen.tls_key = Some(key.clone());
    });
    let asked = |trusted: &str| {
        let roots = vec![Certificate::from_pem(trusted.as_bytes()).unwrap()];
        let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(roots))).build();
        let agent = ureq::Agent::config_builder().tls_config(tls).build().new_agent();
        agent.get(format!("https://{}/healthz", server.address)).call()
    };
    let answer = asked(&first).unwrap();
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=31536000");
    let second = renew();
    assert!(asked(&second).is_err(), "the new certificate is not in use before it is asked for");
    assert!(runtime().block_on(server.service.as_ref().unwrap().reload()).unwrap());
    assert!(asked(&second).is_ok() && asked(&first).is_err());
}
