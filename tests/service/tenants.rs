//! What an operator sets → tenants, a policy in the shadow, ages, and the table of reasons.

use std::time::Duration;

use bonafide::service::config::Tenant;
use bonafide::service::store::{CaseFilter, NewCase, NewShadow, ReviewStore};
use bonafide::vocabulary::Face;
use serde_json::{Value, json};

use super::flow::{fields, lenient, send};
use super::program::{audit_rows, run};
use super::{Server, picture, runtime};

#[test]
fn every_reason_stands_in_a_table_with_what_it_asks_for() {
    let server = Server::start(|_| {});
    let table = server.get("/v1/reasons").expect(200).json();
    let rows = table["reasons"].as_array().unwrap();
    let row = |code: &str| rows.iter().find(|row| row["code"] == code).unwrap();
    assert_eq!(row("attempts_exhausted")["actions"], json!(["review"]));
    assert_eq!(row("sent_again")["actions"], json!(["retake", "reject"]));
    assert_eq!(row("screen_recapture")["actions"], json!(["review", "reject"]));
    assert!(rows.iter().all(|row| ["en", "zh"].iter().all(|lang| !row["text"][lang].as_str().unwrap().is_empty())));
    let api = serde_json::to_value(bonafide::service::openapi()).unwrap();
    let described = &api["components"]["schemas"]["ReasonCode"];
    assert_eq!(described["enum"].as_array().unwrap().len(), rows.len());
    assert!(described["description"].as_str().unwrap().contains("| `sent_again` |"));
}

#[test]
fn a_tenant_has_a_policy_documents_and_a_quota_of_its_own() {
    let mut keys = Vec::new();
    let server = Server::start(|config| {
        let store = config.remember.store.clone();
        keys = runtime().block_on(async {
            let store = ReviewStore::open(&store, None).await.unwrap();
            let mut keys = Vec::new();
            for name in ["tenant", "plain"] {
                let new = bonafide::service::store::NewKey {
                    name,
                    scopes: "check,review".parse().unwrap(),
                    per_minute: None,
                    expires_ms: None,
                };
                let issued = store.create_key(&new, "test", 0).await.unwrap();
                keys.push((issued.key.id, issued.text.reveal().to_owned()));
            }
            store.close().await;
            keys
        });
        let tenant = Tenant {
            policy: Some(lenient("tenant-policy")),
            documents: vec![Face::Licence, Face::Page],
            per_minute: Some(3),
            max_attempts: Some(1),
            ..Tenant::default()
        };
        config.tenants.insert(format!("key:{}", keys[0].0), tenant);
    });
    let (tenant, plain) = (&keys[0].1, &keys[1].1);
    let bytes = fields(100, 80);
    let judged = send(&server, tenant, "?reference=r", &bytes).expect(200);
    assert!(judged.json()["policy_id"].as_str().is_some_and(|id| id.starts_with("tenant-policy")), "{}", judged.text());
    assert_eq!(judged.header("ratelimit-policy"), "\"minute\";q=3;w=60");
    let case = format!("/v1/cases/{}", judged.header("bonafide-case"));
    assert_eq!(
        server.ask("GET", &case).key(tenant).send().json()["document"],
        "licence",
        "the first is what is asked for"
    );
    assert_eq!(send(&server, tenant, "?document=card", &bytes).expect(400).problem(), "bad_request");
    let opened = server.ask("POST", "/v1/sessions").key(tenant).json(&json!({})).send().expect(201).json();
    let steps: Vec<_> =
        opened["steps"].as_array().unwrap().iter().map(|step| step["expect"].as_str().unwrap()).collect();
    assert_eq!(steps, ["licence", "page"]);
    let refused = server.ask("POST", "/v1/sessions").key(tenant).json(&json!({"steps": ["card"]})).send();
    assert_eq!(refused.expect(400).problem(), "bad_request");
    send(&server, tenant, "?document=page", &bytes).expect(200);
    send(&server, tenant, "?document=page", &bytes).expect(200);
    assert_eq!(send(&server, tenant, "", &bytes).expect(429).problem(), "quota_exceeded");
    let other = send(&server, plain, "?document=card", &bytes).expect(200);
    assert_eq!((other.json()["decision"].as_str(), other.header("ratelimit-policy")), (Some("retake"), ""));
}

#[test]
fn a_policy_in_the_shadow_is_counted_and_decides_nothing() {
    let server = Server::start(|config| config.shadow = Some(lenient("next")));
    for seed in 0..4 {
        let sent = server.ask("POST", "/v1/check?reference=r").body("image/jpeg", &fields(110 + seed, 80)).send();
        let decision = if seed == 2 { "review" } else { "retake" };
        assert_eq!(sent.expect(200).json()["decision"], decision, "what is in force decides");
    }
    let report = server.get("/v1/shadow").expect(200).json();
    let next = &report["policies"][0];
    assert_eq!(
        (&next["policy"], &next["n"], &next["changed"]["count"]),
        (&json!("next"), &json!(4), &json!(4)),
        "{report}"
    );
    let going = &next["transitions"][0];
    // That one was handed over changes nothing in what the policies say of it.
    assert_eq!((&going["from"], &going["to"], &going["count"]), (&json!("retake"), &json!("accept"), &json!(4)));
    assert_eq!(going["interval"].as_array().unwrap().len(), 2);
    assert!(next["reasons"].as_array().unwrap().iter().all(|reason| reason["code"] != "attempts_exhausted"));
    assert_eq!(server.get("/v1/shadow?until=2020-01-01").expect(200).json()["policies"], json!([]));
    server.get("/v1/shadow?from=soon").expect(400).problem();
}

#[test]
fn a_running_service_deletes_what_is_too_old() {
    let server = Server::start(|config| {
        config.remember.keep_reports = Some(Duration::from_hours(1).into());
        config.remember.keep_cases = Some(Duration::from_hours(2).into());
        let young = Tenant { keep_cases: Some(Duration::from_mins(1).into()), ..Tenant::default() };
        config.tenants.insert("key:young".to_owned(), young);
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
        runtime().block_on(async {
            let store = ReviewStore::open(&config.remember.store, None).await.unwrap();
            for (id, owner, age_s) in
                [("new", "key:a", 10), ("aged", "key:a", 4000), ("old", "key:a", 8000), ("own", "key:young", 100)]
            {
                let case = super::store::case(id);
                let created_ms = now - age_s * 1000;
                store.record(&NewCase { owner, created_ms, ..case }, owner).await.unwrap();
            }
            store.close().await;
        });
    });
    let state = |id: &str| {
        let case = runtime().block_on(server.store.case(id)).unwrap().unwrap();
        (case.report_json.is_some(), case.summary.purged_ms.is_some())
    };
    let end = std::time::Instant::now() + Duration::from_mins(1);
    while state("aged").0 || !state("old").1 || !state("own").1 {
        assert!(std::time::Instant::now() < end, "{:?} {:?} {:?}", state("aged"), state("old"), state("own"));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((state("new"), state("aged")), ((true, false), (false, false)));
    assert_eq!(server.get("/v1/cases/aged").expect(200).json()["report"], Value::Null);
    server.get("/v1/cases/old").expect(404);
    let proof = runtime().block_on(server.store.verify()).unwrap();
    assert_eq!(proof.rows, 4 + 3, "four cases, two that were purged, one step of reports");
    assert_eq!(
        runtime().block_on(server.store.cases(CaseFilter { limit: 9, ..CaseFilter::default() })).unwrap().len(),
        4
    );
    server.check(&picture(1)).expect(200);
}

#[test]
fn the_program_deletes_what_is_too_old_and_tells_of_the_shadow() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store.db").to_str().unwrap().to_owned();
    let settings = folder.path().join("settings.toml");
    let text = "keep-reports = \"1h\"\nkeep-cases = \"30d\"\n[[tenant]]\nkey = \"young\"\nkeep-cases = \"1m\"\n";
    std::fs::write(&settings, text).unwrap();
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis() as i64;
    runtime().block_on(async {
        let store = ReviewStore::open(&store, None).await.unwrap();
        let reasons = ["glare"];
        let shadow = NewShadow {
            policy: "next",
            force_decision: bonafide::Decision::Retake,
            force_reasons: &reasons,
            decision: bonafide::Decision::Accept,
            reasons: &[],
        };
        for at in 0..120 {
            let (id, owner) = (at.to_string(), if at % 2 == 0 { "key:young" } else { "key:a" });
            let case = super::store::case(&id);
            let created_ms = now - 7_200_000;
            store.record(&NewCase { owner, created_ms, shadow: Some(shadow), ..case }, owner).await.unwrap();
        }
        store.close().await;
    });
    let told = run(&["shadow", "--store", &store, "--owner", "key:a"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        (&told["policy"], &told["n"], &told["transitions"][0]["to"]),
        (&json!("next"), &json!(60), &json!("accept"))
    );
    assert_eq!((&told["reasons"][0]["code"], &told["reasons"][0]["lost"]["count"]), (&json!("glare"), &json!(60)));
    assert!(run(&["shadow", "--store", &store, "--last", "1h"]).stdout.is_empty(), "all are older");
    let purge = |flags: &[&str]| run(&[&["purge", "--store", &store][..], flags].concat());
    let config = settings.to_str().unwrap();
    let done = purge(&["--expired", "--config", config]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(done, json!({"pictures": 0, "reports": 60, "cases": 60}));
    assert_eq!(audit_rows(&store), 120 + 60 + 2, "a row for each case, and for each step of reports");
    assert_eq!(purge(&["--expired", "--config", config]).status.code(), Some(0));
    assert_eq!(audit_rows(&store), 182, "nothing was left to do");
    for wrong in [&[][..], &["1", "--expired"]] {
        assert_eq!(purge(wrong).status.code(), Some(2), "{wrong:?}");
    }
}
