//! A case → on record, listed, decided, purged, expired.

use bonafide::policy::Decision;
use bonafide::service::store::{
    CaseFilter, CaseState, Expired, HumanDecision, Idempotency, NewCase, NewDecision, NewDelivery, NewPicture,
    ReviewStore, SealingKey, StoreError,
};

use super::{Bed, HASH, NOW, case, idempotency, left, on_both};

/// A decision with words to those who review.
fn noted(decision: Decision, note: &str) -> NewDecision<'_> {
    NewDecision { note: Some(note), ..decision.into() }
}

on_both!(
    a_case_is_recorded_listed_decided_and_its_picture_opened,
    a_conflict_leaves_nothing_half,
    what_cannot_be_stored_is_refused,
    purging_leaves_the_fact_alone,
    expiry_deletes_what_is_over,
);

async fn a_case_is_recorded_listed_decided_and_its_picture_opened(bed: &Bed) {
    let store = bed.open().await;
    let picture: Vec<u8> = (0..100_000_u32).map(|at| (at % 251) as u8).collect();
    let deliveries = [NewDelivery::new("hook", "case.recorded", "{}".to_owned()).unwrap()];
    let new = NewCase {
        picture: Some(NewPicture { bytes: &picture, expires_ms: NOW + 5000 }),
        session: Some("session"),
        idempotency: Some(idempotency(1)),
        deliveries: &deliveries,
        ..case("a")
    };
    assert_eq!(store.record(&new, "owner").await.unwrap(), 1);
    store.record(&NewCase { owner: "other", decision: Decision::Accept, ..case("b") }, "other").await.unwrap();
    store.record(&case("c"), "owner").await.unwrap();

    let found = store.case("a").await.unwrap().unwrap();
    assert_eq!(found.report_json.as_deref(), Some("{\"report\":1}"));
    let summary = &found.summary;
    assert_eq!((summary.seq, summary.owner.as_str(), summary.sha256.as_str()), (1, "owner", HASH));
    assert_eq!((summary.decision, summary.classification.as_str()), (Decision::Review, "screen"));
    assert_eq!((summary.media_type.as_str(), summary.session.as_deref()), ("image/jpeg", Some("session")));
    assert_eq!((summary.created_ms, summary.picture_until_ms), (NOW, Some(NOW + 5000)));
    assert_eq!((summary.decided.clone(), summary.purged_ms), (None, None));
    assert_eq!(store.case("nobody\0").await.unwrap(), None);
    let kept = store.picture("a", "reviewer", NOW).await.unwrap().unwrap();
    assert!(kept.bytes == picture && kept.media_type == "image/jpeg");
    assert!(store.picture("c", "reviewer", NOW).await.unwrap().is_none());
    let replay = store.replay("owner", &[1; 32], NOW).await.unwrap().unwrap();
    assert_eq!((replay.fingerprint, replay.case_id.as_str()), ([2; 32], "a"));
    assert_eq!(replay.report_json.as_deref(), Some("{\"report\":1}"));
    assert_eq!(store.replay("other", &[1; 32], NOW).await.unwrap(), None);
    assert_eq!(store.replay("owner", &[1; 32], NOW + 1000).await.unwrap(), None, "it is over");

    store.decide("a", "reviewer", &noted(Decision::Reject, "moire"), NOW + 1).await.unwrap();
    let decided = store.case("a").await.unwrap().unwrap().summary.decided;
    let (actor, note) = ("reviewer".to_owned(), Some("moire".to_owned()));
    assert_eq!(
        decided,
        Some(HumanDecision { decision: Decision::Reject, actor, time_ms: NOW + 1, note, message: None })
    );
    let again = store.decide("a", "reviewer", &Decision::Accept.into(), NOW + 2).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let nobody = store.decide("nobody", "reviewer", &Decision::Accept.into(), NOW + 2).await;
    assert!(matches!(nobody, Err(StoreError::Missing("case"))), "{nobody:?}");

    let all = CaseFilter { limit: 10, ..CaseFilter::default() };
    let ids =
        async |filter| -> String { store.cases(filter).await.unwrap().into_iter().map(|summary| summary.id).collect() };
    assert_eq!(ids(all).await, "cba");
    assert_eq!(ids(CaseFilter { limit: 2, ..all }).await, "cb");
    assert_eq!(ids(CaseFilter { before: Some(2), ..all }).await, "a");
    assert_eq!(ids(CaseFilter { owner: Some("owner"), ..all }).await, "ca");
    assert_eq!(ids(CaseFilter { state: Some(CaseState::Open), ..all }).await, "cb");
    assert_eq!(ids(CaseFilter { state: Some(CaseState::Decided), ..all }).await, "a");
    assert_eq!(ids(CaseFilter { decision: Some(Decision::Accept), ..all }).await, "b");
    let narrow = CaseFilter { owner: Some("owner"), decision: Some(Decision::Review), before: Some(9), ..all };
    assert_eq!(ids(CaseFilter { state: Some(CaseState::Open), ..narrow }).await, "c");

    let events: Vec<_> = store.audit(0, 10).await.unwrap().into_iter().map(|row| (row.event, row.subject)).collect();
    let event = |name: &str, subject: &str| (name.to_owned(), subject.to_owned());
    let recorded = ["a", "b", "c"].map(|id| event("case.recorded", id));
    assert_eq!(events, [&recorded[..], &[event("picture.seen", "a"), event("case.decided", "a")]].concat());
    assert_eq!(store.audit(3, 10).await.unwrap()[0].actor, "reviewer", "who saw a picture is on record");
    assert_eq!(store.audit(4, 10).await.unwrap().len(), 1);
    assert!(!store.audit(4, 10).await.unwrap()[0].body.contains("moire"), "notes stay out of what cannot be deleted");
    assert_eq!(store.verify().await.unwrap().rows, 5);

    let stranger = ReviewStore::open(&bed.location, Some(SealingKey::from_bytes([8; 32]))).await.unwrap();
    assert!(matches!(stranger.picture("a", "reviewer", NOW).await, Err(StoreError::Sealing)));
    let keyless = ReviewStore::open(&bed.location, None).await.unwrap();
    assert!(matches!(keyless.picture("a", "reviewer", NOW).await, Err(StoreError::Sealing)));
    let refused = keyless.record(&NewCase { id: "d", ..new }, "owner").await;
    assert!(matches!(refused, Err(StoreError::Sealing)), "a picture is never stored in the clear: {refused:?}");
    assert_eq!(bed.count("cases").await, 3);
}

async fn a_conflict_leaves_nothing_half(bed: &Bed) {
    let store = bed.open().await;
    let deliveries = [NewDelivery::new("hook", "case.recorded", "{}".to_owned()).unwrap()];
    let picture = Some(NewPicture { bytes: b"picture", expires_ms: NOW + 5000 });
    let first = NewCase { idempotency: Some(idempotency(1)), deliveries: &deliveries, picture, ..case("a") };
    store.record(&first, "owner").await.unwrap();
    let fresh = [NewDelivery::new("hook", "case.recorded", "{}".to_owned()).unwrap()];
    let same_key = NewCase { id: "b", deliveries: &fresh, ..first };
    let same_id = NewCase { idempotency: None, deliveries: &fresh, ..first };
    let same_delivery = NewCase { id: "c", idempotency: None, ..first };
    for (what, new) in [("key", same_key), ("id", same_id), ("delivery", same_delivery)] {
        let refused = store.record(&new, "owner").await;
        assert!(matches!(refused, Err(StoreError::Conflict(_))), "{what}: {refused:?}");
    }
    for table in ["cases", "reports", "pictures", "idempotency", "deliveries", "audit"] {
        assert_eq!(bed.count(table).await, 1, "{table}");
    }
    assert_eq!(store.verify().await.unwrap().rows, 1);
    // Of another owner, and after its time, the key is free.
    store.record(&NewCase { id: "d", owner: "other", deliveries: &[], ..first }, "other").await.unwrap();
    let idempotency = Some(Idempotency { expires_ms: NOW + 9000, ..idempotency(1) });
    let later = NewCase { id: "e", created_ms: NOW + 1000, idempotency, deliveries: &[], ..first };
    store.record(&later, "owner").await.unwrap();
    assert_eq!(store.replay("owner", &[1; 32], NOW + 2000).await.unwrap().unwrap().case_id, "e");
    // Two at once with one key: one wins.
    let both = [("f", store.clone()), ("g", bed.open().await)].map(|(id, store)| {
        tokio::spawn(async move {
            store.record(&NewCase { idempotency: Some(self::idempotency(9)), ..case(id) }, "owner").await.is_ok()
        })
    });
    let [one, other] = both;
    assert_ne!(one.await.unwrap(), other.await.unwrap());
}

async fn what_cannot_be_stored_is_refused(bed: &Bed) {
    let store = bed.open().await;
    let refused = store.record(&NewCase { owner: "a\0b", ..case("a") }, "owner").await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    store.record(&case("a"), "owner").await.unwrap();
    let refused = store.decide("a", "reviewer", &noted(Decision::Accept, "\0"), NOW).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    let strange = "\u{1F4F7} ' \" ; -- \u{7} \\ $1 %s";
    store.decide("a", strange, &noted(Decision::Accept, strange), NOW).await.unwrap();
    let decided = store.case("a").await.unwrap().unwrap().summary.decided.unwrap();
    assert_eq!((decided.actor.as_str(), decided.note.as_deref()), (strange, Some(strange)));
    assert_eq!(store.verify().await.unwrap().rows, 2);
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

async fn purging_leaves_the_fact_alone(bed: &Bed) {
    let store = bed.open().await;
    let picture = [b"PICTUREMARK".repeat(9000), vec![0; 10]].concat();
    let report = format!("{{\"text\":\"{}\"}}", "REPORTMARK ".repeat(800));
    let body = format!("{{\"text\":\"{}\"}}", "BODYMARK ".repeat(300));
    let record = async |id: &str| {
        let deliveries = [NewDelivery::new("hook", "case.recorded", body.clone()).unwrap()];
        let new = NewCase {
            picture: Some(NewPicture { bytes: &picture, expires_ms: NOW + 5000 }),
            report_json: &report,
            session: Some("SESSIONMARK"),
            idempotency: Some(Idempotency { key_hash: [id.as_bytes()[0]; 32], ..idempotency(1) }),
            deliveries: &deliveries,
            ..case(id)
        };
        store.record(&new, "owner").await.unwrap();
        store.decide(id, "reviewer", &noted(Decision::Accept, "NOTEMARK"), NOW + 1).await.unwrap();
    };
    record("a").await;
    let claimed = store.due(NOW, 10, 1000).await.unwrap();
    store.failed(&claimed[0], "status 500", NOW).await.unwrap();
    record("b").await;
    if let Some(folder) = &bed.folder {
        assert!(!left(folder.path(), "REPORTMARK").is_empty(), "the search finds what is there");
        assert!(left(folder.path(), "PICTUREMARK").is_empty(), "pictures are never in the clear");
    }
    for id in ["a", "b"] {
        store.purge(id, "admin", NOW + 2).await.unwrap();
        store.purge(id, "admin", NOW + 3).await.unwrap();
    }
    let missing = store.purge("nobody", "admin", NOW + 2).await;
    assert!(matches!(missing, Err(StoreError::Missing("case"))), "{missing:?}");

    let found = store.case("a").await.unwrap().unwrap();
    assert_eq!((found.report_json, found.summary.session, found.summary.picture_until_ms), (None, None, None));
    assert_eq!(found.summary.purged_ms, Some(NOW + 2));
    assert_eq!(found.summary.decided.unwrap().note, None);
    assert!(store.picture("a", "reviewer", NOW).await.unwrap().is_none());
    assert_eq!(store.replay("owner", &[b'a'; 32], NOW).await.unwrap().unwrap().report_json, None);
    assert!(store.due(NOW + 1_000_000_000, 10, 1000).await.unwrap().is_empty(), "it is not sent any more");
    let dead = store.dead_letters(10).await.unwrap();
    assert!(dead.len() == 2 && dead.iter().all(|letter| !letter.has_body));
    assert!(matches!(store.requeue(&dead[0].id, NOW).await, Err(StoreError::Missing(_))));
    let row = store.audit(0, 10).await.unwrap().into_iter().find(|row| row.event == "case.purged").unwrap();
    assert_eq!((row.subject.as_str(), row.actor.as_str()), ("a", "admin"));
    assert_eq!(row.body, format!("{{\"sha256\":\"{HASH}\"}}"));
    assert_eq!(store.verify().await.unwrap().rows, 6, "the second purges left no row");
    for (table, rows) in [("reports", 0), ("pictures", 0), ("cases", 2)] {
        assert_eq!(bed.count(table).await, rows, "{table}");
    }
    if let Some(folder) = &bed.folder {
        for mark in ["REPORTMARK", "BODYMARK", "NOTEMARK", "SESSIONMARK", "PICTUREMARK"] {
            assert!(left(folder.path(), mark).is_empty(), "{mark} is left in {:?}", left(folder.path(), mark));
        }
    }
}

async fn expiry_deletes_what_is_over(bed: &Bed) {
    let store = bed.open().await;
    for at in 0..5_u8 {
        let id = at.to_string();
        let picture = Some(NewPicture { bytes: b"picture", expires_ms: NOW + i64::from(at) });
        let idempotency = Some(Idempotency { expires_ms: NOW + i64::from(at), ..idempotency(at) });
        store.record(&NewCase { picture, idempotency, ..case(&id) }, "owner").await.unwrap();
    }
    assert_eq!(store.expire(NOW - 1).await.unwrap(), Expired::default());
    assert_eq!(store.verify().await.unwrap().rows, 5, "nothing done, nothing written");
    assert_eq!(store.expire(NOW + 2).await.unwrap(), Expired { pictures: 3, idempotency_keys: 3, upload_tokens: 0 });
    assert!(store.picture("2", "reviewer", NOW).await.unwrap().is_none());
    assert!(store.picture("3", "reviewer", NOW).await.unwrap().is_some());
    assert_eq!(store.verify().await.unwrap().rows, 7, "five cases, what expired, and one picture that was seen");
    assert_eq!(store.audit(5, 1).await.unwrap()[0].body, "{\"pictures\":3}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn purging_leaves_no_piece_of_cases_of_any_size() {
    let bed = Bed::sqlite();
    let store = bed.open().await;
    let mark = |at: usize| format!("MARK{at:05};");
    // Pages are shared, split and joined as cases of all sizes come and go.
    for at in 0..120 {
        let report = mark(at).repeat([9, 50, 200, 900, 2500][at % 5]);
        let body = mark(at).repeat([2, 70, 700][at % 3]);
        let deliveries = [NewDelivery::new("hook", "case.recorded", body).unwrap()];
        store
            .record(&NewCase { report_json: &report, deliveries: &deliveries, ..case(&mark(at)) }, "owner")
            .await
            .unwrap();
        if at % 3 == 2 {
            store.purge(&mark(at * 7 % (at + 1)), "admin", NOW).await.unwrap();
        }
    }
    let folder = bed.folder.as_ref().unwrap().path();
    let files = ["re view?#%41.db", "re view?#%41.db-wal"].map(|name| std::fs::read(folder.join(name)).unwrap());
    let text = files.map(|bytes| bytes.into_iter().map(char::from).collect::<String>()).concat();
    let listed = store.cases(CaseFilter { limit: 200, ..CaseFilter::default() }).await.unwrap();
    let (mut purged, mut kept) = (0, 0);
    for summary in listed {
        // The id holds the mark once; report and body hold it twice in a row.
        let found = text.contains(&summary.id.repeat(2));
        assert_eq!(found, summary.purged_ms.is_none(), "{}", summary.id);
        *if found { &mut kept } else { &mut purged } += 1;
    }
    assert!(purged > 20 && kept > 40, "{purged} purged, {kept} kept");
}
