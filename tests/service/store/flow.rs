//! References and their attempts, filters, ages, the shadow and tokens.

use bonafide::policy::Decision;
use bonafide::service::store::{
    Age, Aged, CaseFilter, CaseScores, Expired, Flow, NewCase, NewDecision, NewDelivery, NewKey, NewShadow,
    NewUploadToken, ReviewStore, Scope, Scopes, ScoreName, ShadowFilter, Whose,
};

use super::{Bed, NOW, case, left, on_both};

on_both!(
    refused_attempts_are_counted_by_reference_in_a_row,
    cases_are_found_by_what_they_are,
    what_is_too_old_goes_step_by_step_and_the_chain_stays_whole,
    a_policy_in_the_shadow_is_counted,
    a_token_holds_for_some_uploads_some_time_and_its_key,
    a_decision_is_told_with_its_words,
);

fn of<'a>(id: &'a str, owner: &'a str, reference: &'a str, decision: Decision) -> NewCase<'a> {
    let flow = Flow { reference: Some(reference), wanted: Some("card"), ..Flow::default() };
    NewCase { owner, decision, flow, reasons: &["blurred", "glare"], ..case(id) }
}

async fn ids(store: &ReviewStore, filter: CaseFilter<'_>) -> String {
    let cases = store.cases(CaseFilter { limit: 100, ..filter }).await.unwrap();
    cases.into_iter().map(|case| case.id).collect()
}

async fn refused_attempts_are_counted_by_reference_in_a_row(bed: &Bed) {
    let store = bed.open().await;
    let reference = "订单 'x' %_\u{1F4F7}";
    let run = async |owner: &str, reference: &str, wanted: Option<&str>| -> String {
        let refused = store.refused(owner, reference, wanted, None).await.unwrap();
        refused.into_iter().map(|attempt| attempt.id).collect()
    };
    for (id, decision) in
        [("a", Decision::Retake), ("b", Decision::Accept), ("c", Decision::Retake), ("d", Decision::Reject)]
    {
        store.record(&of(id, "owner", reference, decision), "owner").await.unwrap();
    }
    store.record(&of("e", "other", reference, Decision::Retake), "other").await.unwrap();
    store.record(&of("f", "owner", "another", Decision::Retake), "owner").await.unwrap();
    store.record(&NewCase { flow: Flow::default(), ..of("g", "owner", "", Decision::Retake) }, "owner").await.unwrap();
    assert_eq!(run("owner", reference, Some("card")).await, "dc", "the newest first, up to what was accepted");
    assert_eq!(run("owner", reference, None).await, "", "asked for another document");
    assert_eq!(run("other", reference, Some("card")).await, "e");
    assert_eq!(run("nobody", reference, Some("card")).await, "");
    let tried = store.refused("owner", reference, Some("card"), Some(4)).await.unwrap();
    assert_eq!((tried.len(), tried[0].id.as_str(), tried[0].reasons.join(" ").as_str()), (1, "c", "blurred glare"));
    // What a person decided ends the row, and so does purging.
    store.decide("d", "reviewer", &Decision::Retake.into(), NOW + 1).await.unwrap();
    assert_eq!(run("owner", reference, Some("card")).await, "");
    store.purge("e", "admin", NOW + 2).await.unwrap();
    assert_eq!(run("other", reference, Some("card")).await, "");
}

async fn cases_are_found_by_what_they_are(bed: &Bed) {
    let store = bed.open().await;
    let scores = |screen| CaseScores { screen: Some(screen), print: None, legibility: Some(0.5) };
    let flow = Flow { reference: Some("r1"), metadata: Some(r#"{"a":"b"}"#), ..Flow::default() };
    for (id, screen, created_ms) in [("a", 0.1, NOW), ("b", 0.5, NOW + 10), ("c", 0.9, NOW + 20)] {
        store.record(&NewCase { scores: scores(screen), created_ms, flow, ..case(id) }, "owner").await.unwrap();
    }
    let glare = ["glare", "number_unread"];
    store
        .record(&NewCase { owner: "other", reasons: &glare, created_ms: NOW + 30, ..case("d") }, "other")
        .await
        .unwrap();
    let all = CaseFilter::default();
    for (filter, found) in [
        (CaseFilter { reference: Some("r1"), ..all }, "cba"),
        (CaseFilter { reference: Some("r1"), owner: Some("owner"), ..all }, "cba"),
        (CaseFilter { reference: Some("r1"), owner: Some("other"), ..all }, ""),
        (CaseFilter { reason: Some("glare"), ..all }, "d"),
        (CaseFilter { reason: Some("number_unread"), ..all }, "d"),
        (CaseFilter { reason: Some("numberXunread"), ..all }, ""),
        (CaseFilter { reason: Some("number"), ..all }, ""),
        (CaseFilter { reason: Some("%"), ..all }, ""),
        (CaseFilter { from_ms: Some(NOW + 10), until_ms: Some(NOW + 30), ..all }, "cb"),
        (CaseFilter { score: Some((ScoreName::Screen, 0.4, 0.9)), ..all }, "cb"),
        (CaseFilter { score: Some((ScoreName::Print, 0.0, 1.0)), ..all }, ""),
        (CaseFilter { score: Some((ScoreName::Legibility, 0.5, 0.5)), before: Some(3), ..all }, "ba"),
    ] {
        assert_eq!(ids(&store, filter).await, found, "{filter:?}");
    }
    let summary = store.case("a").await.unwrap().unwrap().summary;
    assert_eq!((summary.reference.as_deref(), summary.metadata.as_deref()), (Some("r1"), Some(r#"{"a":"b"}"#)));
    assert_eq!(summary.scores, scores(0.1));
}

async fn what_is_too_old_goes_step_by_step_and_the_chain_stays_whole(bed: &Bed) {
    let store = bed.open().await;
    let report = format!("{{\"text\":\"{}\"}}", "REPORTMARK ".repeat(300));
    let metadata = r#"{"name":"METADATAMARK"}"#;
    for at in 0..60_i64 {
        let (id, owner) = (format!("{at}"), if at % 2 == 0 { "even" } else { "odd" });
        let flow = Flow { reference: Some("REFERENCEMARK"), metadata: Some(metadata), ..Flow::default() };
        let new = NewCase { owner, report_json: &report, created_ms: NOW + at, flow, ..case(&id) };
        store.record(&new, owner).await.unwrap();
    }
    let rule = |whose, reports: i64, cases: i64| Age {
        whose,
        reports_until_ms: Some(NOW + reports),
        cases_until_ms: Some(NOW + cases),
    };
    let nothing = Age { whose: Whose::NoneOf(&[]), reports_until_ms: None, cases_until_ms: None };
    assert_eq!(store.age(&nothing, NOW).await.unwrap(), Aged::default());
    assert_eq!(store.age(&rule(Whose::NoneOf(&[]), -1, -1), NOW).await.unwrap(), Aged::default());
    assert_eq!(store.verify().await.unwrap().rows, 60, "nothing done, nothing written");
    let odd = rule(Whose::One("odd"), 59, 9);
    assert_eq!(store.age(&odd, NOW + 100).await.unwrap(), Aged { reports: 0, cases: 5 }, "cases first");
    assert_eq!(store.age(&odd, NOW + 100).await.unwrap(), Aged { reports: 25, cases: 0 });
    assert_eq!(store.age(&odd, NOW + 100).await.unwrap(), Aged::default());
    let found = store.case("11").await.unwrap().unwrap();
    assert!(found.report_json.is_none() && found.summary.purged_ms.is_none() && found.summary.reference.is_some());
    let gone = store.case("9").await.unwrap().unwrap().summary;
    assert_eq!((gone.reference, gone.metadata, gone.purged_ms), (None, None, Some(NOW + 100)));
    assert!(gone.reasons.is_empty() && gone.decision == Decision::Review, "that it was stays");
    // Everybody else's, in steps of fifty at most.
    let rest = rule(Whose::NoneOf(&["odd"]), -1, 59);
    assert_eq!(store.age(&rest, NOW + 200).await.unwrap().cases, 30);
    let everybody = rule(Whose::NoneOf(&[]), -1, 59);
    assert_eq!(store.age(&everybody, NOW + 300).await.unwrap().cases, 25);
    assert_eq!(store.age(&everybody, NOW + 300).await.unwrap(), Aged::default());
    assert_eq!(store.verify().await.unwrap().rows, 60 + 5 + 1 + 30 + 25);
    assert_eq!((bed.count("reports").await, bed.count("cases").await), (0, 60));
    let row = store.audit(60, 1).await.unwrap().remove(0);
    assert_eq!((row.event.as_str(), row.actor.as_str(), row.subject.as_str()), ("case.purged", "bonafide", "1"));
    if let Some(folder) = &bed.folder {
        for mark in ["REPORTMARK", "METADATAMARK", "REFERENCEMARK"] {
            assert!(left(folder.path(), mark).is_empty(), "{mark} is left");
        }
    }
}

async fn a_policy_in_the_shadow_is_counted(bed: &Bed) {
    let store = bed.open().await;
    let shadow = |decision, reasons| NewShadow {
        policy: "next",
        force_decision: Decision::Retake,
        force_reasons: &["blurred"],
        decision,
        reasons,
    };
    for at in 0..10 {
        let shadow = match at {
            0..7 => shadow(Decision::Retake, &["blurred"]),
            7..9 => shadow(Decision::Accept, &[]),
            _ => shadow(Decision::Reject, &["blurred", "screen_recapture"]),
        };
        let id = at.to_string();
        let owner = if at == 9 { "other" } else { "owner" };
        store.record(&NewCase { shadow: Some(shadow), owner, ..case(&id) }, owner).await.unwrap();
    }
    store.record(&case("unshadowed"), "owner").await.unwrap();
    let reports = store.shadow(ShadowFilter::default()).await.unwrap();
    assert_eq!((reports.len(), reports[0].policy.as_str(), reports[0].n), (1, "next", 10));
    let changed = reports[0].changed;
    assert_eq!((changed.count, changed.share), (3, 0.3));
    // scipy.stats.binomtest(3, 10).proportion_ci(method="exact")
    assert!((changed.interval[0] - 0.066_74).abs() < 1e-4 && (changed.interval[1] - 0.652_45).abs() < 1e-4);
    let transitions: Vec<_> = reports[0].transitions.iter().map(|t| (t.to, t.share.count)).collect();
    assert_eq!(transitions, [(Decision::Accept, 2), (Decision::Retake, 7), (Decision::Reject, 1)]);
    let reasons: Vec<_> =
        reports[0].reasons.iter().map(|r| (r.code.as_str(), r.kept, r.gained.count, r.lost.count)).collect();
    assert_eq!(reasons, [("blurred", 8, 0, 2), ("screen_recapture", 0, 1, 0)]);
    let own = store.shadow(ShadowFilter { owner: Some("other"), ..ShadowFilter::default() }).await.unwrap();
    assert_eq!(own[0].n, 1);
    let late = store.shadow(ShadowFilter { from_ms: Some(NOW + 1), ..ShadowFilter::default() }).await.unwrap();
    assert!(late.is_empty());
    store.purge("9", "admin", NOW).await.unwrap();
    assert_eq!(store.shadow(ShadowFilter::default()).await.unwrap()[0].n, 9);
}

async fn a_token_holds_for_some_uploads_some_time_and_its_key(bed: &Bed) {
    let store = bed.open().await;
    let new = NewKey { name: "form", scopes: Scopes::of(&[Scope::Check]), per_minute: Some(7), expires_ms: None };
    let key = store.create_key(&new, "test", NOW).await.unwrap().key;
    let owner = format!("key:{}", key.id);
    let new = NewUploadToken { owner: &owner, asked: "{}", uploads: 2, expires_ms: NOW + 100 };
    let token = store.create_upload_token(&new).await.unwrap();
    let look = async |text: &str, now_ms: i64| store.upload_token(text, now_ms).await.unwrap();
    let spend = async |text: &str, now_ms: i64| store.spend_upload(text, now_ms).await.unwrap();
    let held = look(&token, NOW).await.unwrap();
    assert_eq!((held.owner.as_str(), held.asked.as_str(), held.per_minute), (owner.as_str(), "{}", Some(7)));
    let altered = format!("{}x", &token[..token.len() - 1]);
    for wrong in ["", "bu_", altered.as_str(), &token[1..], "bu_\0"] {
        assert_eq!((look(wrong, NOW).await, spend(wrong, NOW).await), (None, false), "{wrong}");
    }
    assert!(spend(&token, NOW).await && look(&token, NOW + 99).await.is_some() && spend(&token, NOW + 99).await);
    assert_eq!((look(&token, NOW + 99).await, spend(&token, NOW + 99).await), (None, false), "two were all");
    let token = store.create_upload_token(&new).await.unwrap();
    assert_eq!((look(&token, NOW + 100).await, spend(&token, NOW + 100).await), (None, false), "its time is over");
    // Two at once for the last upload: one gets it.
    let last = store.create_upload_token(&NewUploadToken { uploads: 1, ..new }).await.unwrap();
    let both = [store.clone(), bed.open().await].map(|store| {
        let last = last.to_string();
        tokio::spawn(async move { store.spend_upload(&last, NOW).await.unwrap() })
    });
    let [one, other] = both;
    assert_ne!(one.await.unwrap(), other.await.unwrap());
    store.revoke_key(&key.id, "test", NOW).await.unwrap();
    assert_eq!(look(&token, NOW).await, None, "its key is revoked");
    assert_eq!(store.expire(NOW + 100).await.unwrap(), Expired { upload_tokens: 3, ..Expired::default() });
    assert_eq!(bed.count("upload_tokens").await, 0);
}

async fn a_decision_is_told_with_its_words(bed: &Bed) {
    let store = bed.open().await;
    store.record(&case("a"), "owner").await.unwrap();
    let deliveries = [NewDelivery::new("hook", "decision", "{}".to_owned()).unwrap()];
    let new = NewDecision {
        decision: Decision::Accept,
        note: Some("inside"),
        message: Some("outside"),
        deliveries: &deliveries,
    };
    store.decide("a", "reviewer", &new, NOW + 1).await.unwrap();
    let decided = store.decided(&["a", "b\0"]).await.unwrap();
    assert_eq!((decided.len(), decided[0].0.as_str(), decided[0].1.decision), (1, "a", Decision::Accept));
    assert_eq!((decided[0].1.note.as_deref(), decided[0].1.message.as_deref()), (Some("inside"), Some("outside")));
    let due = store.due(NOW + 1, 10, 1000).await.unwrap();
    assert_eq!((due.len(), due[0].event.as_str()), (1, "decision"));
    // Nothing is sent of a decision that is not recorded.
    let fresh = [NewDelivery::new("hook", "decision", "{}".to_owned()).unwrap()];
    assert!(store.decide("a", "reviewer", &NewDecision { deliveries: &fresh, ..new }, NOW + 2).await.is_err());
    assert_eq!(bed.count("deliveries").await, 1);
    assert!(store.decided(&[]).await.unwrap().is_empty());
}
