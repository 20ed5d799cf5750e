//! Fields of forms, and what an uploader writes → counted like a query, or refused by name; never markup.

use serde_json::{Value, json};

use super::{Answer, Ask, Server, picture, sample};

/// What could be taken for markup or for the end of a text.
const MARK: &str = "\"'><script>pwned()</script><img src=x onerror=pwned()>";

/// A form of fields and files, in this order; a file has a name.
fn form(ask: Ask, parts: &[(&str, Option<&str>, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (name, file, value) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend_from_slice(
            format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--limit--\r\n");
    ask.body("multipart/form-data; boundary=limit", &body).send()
}

fn codes(report: &Value) -> Vec<String> {
    let reasons = report["reasons"].as_array().unwrap_or_else(|| panic!("no reasons: {report}"));
    reasons.iter().map(|reason| reason["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_field_counts_like_the_query_parameter_of_its_name() {
    let (server, [key, all]) = Server::with_keys(["check", "check,review"], |_| {});
    let card = sample("original_card_01.jpg");
    let file = ("file", Some("a.jpg"), &card[..]);
    let sent = |key: &str, query: &str, fields: &[(&str, Option<&str>, &[u8])]| {
        form(server.ask("POST", &format!("/v1/check{query}")).key(key), fields)
    };
    // Before the file and behind it, and what the query says beside it.
    for fields in [[("document", None, &b"licence"[..]), file], [file, ("document", None, b"licence")]] {
        let report = sent(&key, "", &fields).expect(200).json();
        assert!(codes(&report).contains(&"unexpected_document".to_owned()), "{report}");
    }
    let both = sent(&key, "?overlay=true", &[("document", None, b"licence"), file]).expect(200).json();
    assert!(codes(&both).contains(&"unexpected_document".to_owned()) && both["overlay"].is_string());
    assert!(sent(&key, "", &[("overlay", None, b"true"), file]).expect(200).json()["overlay"].is_string());
    assert!(sent(&key, "", &[("overlay", None, b"false"), file]).expect(200).json().get("overlay").is_none());
    let named = sent(&key, "", &[("name", None, b"Screenshot_2026-01-01.png"), file]).expect(200).json();
    assert!(codes(&named).contains(&"screenshot".to_owned()), "{named}");
    // What a query may not ask, a field may not either.
    assert_eq!(sent(&key, "", &[("reveal", None, b"true"), file]).expect(403).problem(), "forbidden");
    sent(&all, "", &[("reveal", None, b"true"), file]).expect(200);
    let cases = server.cases();
    for (query, fields, word) in [
        ("", vec![("colour", None, &b"red"[..]), file], "colour"),
        ("", vec![file, ("Document", None, b"licence")], "Document"),
        ("", vec![("", None, b"licence"), file], "unknown"),
        ("", vec![("document", None, b"moon"), file], "moon"),
        ("", vec![("overlay", None, b"maybe"), file], "true"),
        ("", vec![("policy", None, b"nobody"), file], "policy"),
        ("", vec![("document", None, b"card"), ("document", None, b"card"), file], "document"),
        ("?document=card", vec![("document", None, b"card"), file], "document"),
        ("?document=card", vec![("document", None, b"licence"), file], "document"),
        ("", vec![("name", None, &[b'n'; 300]), file], "name"),
        ("", vec![("name", None, &[b'n'; 3000]), file], "name"),
        ("", vec![("name", None, b"\xff\xfe"), file], "name"),
        ("", vec![("file", None, &card[..]), file], "file"),
        ("", vec![file, ("a&document", None, b"x")], "a&document"),
        ("", vec![("document", None, b"card&overlay=true"), file], "card&overlay=true"),
    ] {
        let answer = sent(&key, query, &fields).expect(400);
        assert!(answer.problem() == "bad_request" && answer.text().contains(word), "{word}: {}", answer.text());
    }
    let many: Vec<_> = (0..40).map(|_| ("document", None, &b"card"[..])).chain([file]).collect();
    sent(&key, "", &many).expect(400).problem();
    assert_eq!(server.cases(), cases, "a refused form left a case");
}

#[test]
fn the_same_holds_for_batches_and_hand_offs() {
    let server = Server::start(|_| {});
    let card = sample("original_card_01.jpg");
    let (first, second) = (("file", Some("a.jpg"), &card[..]), ("file", Some("b.jpg"), &card[..]));
    let batch = |parts: &[(&str, Option<&str>, &[u8])]| form(server.ask("POST", "/v1/check/batch"), parts);
    let rows: Vec<Value> = crate::lines(&batch(&[("document", None, b"licence"), first, second]).expect(200).body);
    assert!(rows.len() == 2 && rows.iter().all(|row| codes(row).contains(&"unexpected_document".to_owned())));
    for refused in [("colour", None, &b"red"[..]), ("overlay", None, b"true"), ("policy", None, b"nobody")] {
        let answer = batch(&[refused, first]).expect(400);
        assert!(answer.problem() == "bad_request" && answer.text().contains(refused.0), "{}", answer.text());
    }
    // What stands behind a file cannot have counted for it, and is told.
    let rows: Vec<Value> = crate::lines(&batch(&[first, ("document", None, b"licence"), second]).expect(200).body);
    assert_eq!((rows.len(), &rows[1]["error"]["code"]), (2, &json!("bad_request")), "{rows:?}");
    assert!(rows[1]["error"]["message"].as_str().unwrap().contains("`document`"), "{rows:?}");
    let rows: Vec<Value> = crate::lines(&batch(&[first, ("document", None, b"licence")]).expect(200).body);
    assert_eq!((rows.len(), &rows[1]["error"]["code"]), (2, &json!("bad_request")), "{rows:?}");

    let opened = server.ask("POST", "/v1/sessions").json(&json!({})).send().expect(201).json();
    let token = opened["phone_url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    let claimed = server.ask("POST", "/v1/sessions/claim").json(&json!({"token": token})).send().expect(200).json();
    let step = format!("/v1/sessions/{}/steps/0", opened["id"].as_str().unwrap());
    let put = |parts: &[(&str, Option<&str>, &[u8])]| {
        form(server.ask("PUT", &step).key(claimed["phone_token"].as_str().unwrap()), parts)
    };
    // What is wanted was said when it was opened.
    for name in ["document", "policy", "overlay", "colour"] {
        let answer = put(&[(name, None, b"card"), first]).expect(400);
        assert!(answer.problem() == "bad_request" && answer.text().contains(name), "{}", answer.text());
    }
    let named = put(&[("name", None, b"Screenshot_2026-01-01.png"), first]).expect(200).json();
    assert!(codes(&named["report"]).contains(&"screenshot".to_owned()), "{named}");
}

#[test]
fn the_description_has_every_field_and_no_other() {
    let api = serde_json::to_value(bonafide::service::openapi()).unwrap();
    let form = |path: &str, method: &str| {
        let content = &api["paths"][path][method]["requestBody"]["content"]["multipart/form-data"]["schema"];
        let name = content["$ref"].as_str().and_then(|to| to.rsplit('/').next()).expect("a schema");
        let schema = &api["components"]["schemas"][name];
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let mut names: Vec<_> = schema["properties"].as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        let parameters = api["paths"][path][method]["parameters"].as_array().unwrap();
        let queried = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let mut queried: Vec<_> = queried.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        queried.push("file".to_owned());
        queried.sort_unstable();
        assert_eq!(names, queried, "{path}");
    };
    form("/v1/check", "post");
    form("/v1/check/batch", "post");
    form("/v1/sessions/{id}/steps/{index}", "put");
}

/// A JPEG whose EXIF maker and model, and whose comment, are marks.
fn marked(jpeg: &[u8]) -> Vec<u8> {
    let text = [MARK.as_bytes(), b"\0"].concat();
    let mut tiff = b"MM\0*\0\0\0\x08\0\x02".to_vec();
    for (tag, at) in [(0x010F_u16, 38_u32), (0x0110, 38)] {
        tiff.extend_from_slice(&tag.to_be_bytes());
        tiff.extend_from_slice(&[0, 2]);
        tiff.extend_from_slice(&(text.len() as u32).to_be_bytes());
        tiff.extend_from_slice(&at.to_be_bytes());
    }
    tiff.extend_from_slice(&[0; 4]);
    tiff.extend_from_slice(&text);
    let segment = |kind: u8, body: &[u8]| [&[0xFF, kind][..], &((body.len() + 2) as u16).to_be_bytes(), body].concat();
    let exif = segment(0xE1, &[b"Exif\0\0", &tiff[..]].concat());
    [&jpeg[..2], &exif, &segment(0xFE, MARK.as_bytes()), &jpeg[2..]].concat()
}

/// An answer that no browser takes for a page, whatever stands in it.
#[track_caller]
fn is_no_page(answer: &Answer) {
    let kind = answer.header("content-type");
    let data = ["application/json", "application/jsonl", "application/problem+json", "text/event-stream"];
    assert!(data.contains(&kind), "{kind}: {}", answer.text());
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").starts_with("default-src 'self'"));
}

#[test]
fn what_an_uploader_writes_is_never_markup() {
    let server = Server::start(|_| {});
    let escaped = "%22%27%3E%3Cscript%3Epwned()%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dpwned()%3E";
    let evil = marked(&picture(5));
    let one = server.ask("POST", &format!("/v1/check?name={escaped}")).body("image/jpeg", &evil).send().expect(200);
    // The stated camera is told, as text.
    assert!(one.json()["findings"].to_string().contains("pwned") && one.json()["path"] == "-", "{}", one.text());
    // Names of files come back in the rows of a batch, as JSON.
    let file = MARK.replace('"', "");
    let rows =
        form(server.ask("POST", "/v1/check/batch"), &[("file", Some(&file), &evil), ("file", Some(&file), b"no")]);
    let told: Vec<Value> = crate::lines(&rows.body);
    assert!(told.iter().all(|row| row["path"] == file.as_str()), "{}", rows.text());
    let case = server.get(&format!("/v1/cases/{}", one.header("bonafide-case"))).expect(200);
    let decided = server.ask("POST", &format!("/v1/cases/{}/decision", one.header("bonafide-case")));
    let decided = decided.json(&json!({"decision": "accept", "note": MARK})).send().expect(200);
    assert_eq!(decided.json()["decided"]["note"], MARK);
    let name = MARK.replace('"', "");
    let told = [
        form(server.ask("POST", "/v1/check"), &[(&name, None, b"x"), ("file", Some("a"), &evil)]).expect(400),
        server.get(&format!("/v1/cases?{escaped}=1")).expect(400),
        server.get(&format!("/v1/cases?state={escaped}")).expect(400),
        server.get(&format!("/{escaped}")).expect(404),
        server.get(&format!("/assets/{escaped}")).expect(404),
        server.ask("POST", "/v1/sessions").json(&json!({ MARK: 1 })).send().expect(400),
        server.ask("POST", "/v1/sessions").json(&json!({ "policy": MARK })).send().expect(400),
        server.ask("POST", "/v1/check").header("accept-language", "zh").body(MARK, b"<html>").send(),
        server.get("/v1/cases"),
    ];
    for answer in [one, rows, case, decided].iter().chain(&told) {
        is_no_page(answer);
    }
    // The pages themselves hold nothing of anybody.
    for page in [format!("/capture?{escaped}"), format!("/phone?{escaped}"), format!("/docs/?{escaped}")] {
        let page = server.get(&page);
        assert!(!page.text().contains("pwned"), "{}", page.text());
    }
}

#[test]
fn one_keys_idempotency_key_is_not_anothers() {
    let (server, [one, other]) = Server::with_keys(["check", "check"], |_| {});
    let (first, second) = (picture(6), picture(7));
    let sent = |key: &str, bytes: &[u8]| {
        let ask = server.ask("POST", "/v1/check").key(key).header("idempotency-key", "order-1");
        ask.body("image/jpeg", bytes).send()
    };
    let mine = sent(&one, &first).expect(200);
    // The same upload under the same name by another: a case of its own.
    let theirs = sent(&other, &first).expect(200);
    assert_ne!(mine.header("bonafide-case"), theirs.header("bonafide-case"));
    assert_eq!((theirs.header("idempotency-replayed"), server.cases()), ("", 2));
    for (key, case) in [(&one, &mine), (&other, &theirs)] {
        let again = sent(key, &first).expect(200);
        assert_eq!(again.header("bonafide-case"), case.header("bonafide-case"));
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(sent(key, &second).expect(422).problem(), "idempotency_key_reused");
    }
    // Fields of a form count for what makes two uploads the same.
    let formed = |document: &[u8]| {
        let ask = server.ask("POST", "/v1/check").key(&one).header("idempotency-key", "order-2");
        form(ask, &[("document", None, document), ("file", Some(""), &first)])
    };
    formed(b"card").expect(200);
    assert_eq!(formed(b"licence").expect(422).problem(), "idempotency_key_reused");
    assert_eq!(formed(b"card").expect(200).header("idempotency-replayed"), "true");
}
