//! The store's promises, each tried on SQLite and on PostgreSQL.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bonafide::policy::Decision;
use bonafide::service::store::{
    ATTEMPTS, CaseFilter, CaseState, ChainFault, Due, Expired, HumanDecision, Idempotency, NewCase, NewDelivery,
    NewKey, NewPicture, ReviewStore, Scope, Scopes, SealingKey, StoreError,
};
use sqlx::{AnyConnection, Connection, Row};
use tempfile::TempDir;

use super::postgres::Postgres;

const NOW: i64 = 1_700_000_000_000;
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An empty database of one test's own.
struct Bed {
    location: String,
    folder: Option<TempDir>,
    /// Keeps the server up.
    _server: Option<Arc<Postgres>>,
}

impl Bed {
    fn sqlite() -> Self {
        let folder = TempDir::with_prefix("bonafide-store-").unwrap();
        // A name that a URL would take apart.
        let location = folder.path().join("re view?#%41.db").to_str().unwrap().to_owned();
        Self { location, folder: Some(folder), _server: None }
    }

    fn postgres() -> Option<Self> {
        let server = Postgres::shared()?;
        Some(Self { location: server.new_database(), folder: None, _server: Some(server) })
    }

    fn is_sqlite(&self) -> bool {
        self.folder.is_some()
    }

    async fn open(&self) -> ReviewStore {
        ReviewStore::open(&self.location, Some(key())).await.unwrap()
    }

    /// A connection past the store; the store must have been opened before.
    async fn raw(&self) -> AnyConnection {
        let url = if self.is_sqlite() {
            format!("sqlite:{}", self.location.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
        } else {
            self.location.clone()
        };
        AnyConnection::connect(&url).await.unwrap()
    }

    async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut raw = self.raw().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut raw).await?;
        raw.close().await
    }

    async fn count(&self, table: &str) -> i64 {
        let mut raw = self.raw().await;
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let count = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut raw).await.unwrap().get(0);
        raw.close().await.unwrap();
        count
    }

    async fn drop_triggers(&self) {
        let sqlite = "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete; DROP TRIGGER audit_in_order; \
                      DROP TRIGGER audit_head_forward;";
        let postgres = "DROP TRIGGER audit_no_change ON audit; DROP TRIGGER audit_in_order ON audit; \
                        DROP TRIGGER audit_head_forward ON audit_head;";
        self.run(if self.is_sqlite() { sqlite } else { postgres }).await.unwrap();
    }
}

fn key() -> SealingKey {
    SealingKey::from_bytes([7; 32])
}

fn case(id: &str) -> NewCase<'_> {
    NewCase {
        id,
        owner: "owner",
        sha256: HASH,
        media_type: "image/jpeg",
        decision: Decision::Review,
        classification: "screen",
        report_json: "{\"report\":1}",
        created_ms: NOW,
        picture: None,
        session: None,
        idempotency: None,
        deliveries: &[],
    }
}

fn idempotency(of: u8) -> Idempotency {
    Idempotency { key_hash: [of; 32], fingerprint: [of + 1; 32], expires_ms: NOW + 1000 }
}

/// Makes a test of each function for each database.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(&super::Bed::sqlite()).await;
            })*
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(bed) = super::Bed::postgres() {
                    super::$name(&bed).await;
                }
            })*
        }
    };
}

on_both!(
    a_case_is_recorded_listed_decided_and_its_picture_opened,
    a_conflict_leaves_nothing_half,
    writers_at_once_keep_one_chain,
    many_processes_may_open_at_once,
    triggers_refuse_and_verification_names_the_first_bad_row,
    a_cut_tail_is_found_by_its_head_and_by_one_kept_elsewhere,
    purging_leaves_the_fact_alone,
    expiry_deletes_what_is_over,
    keys_are_found_rotated_and_revoked,
    deliveries_are_claimed_once_and_backed_off_until_dead,
    a_call_given_up_leaves_nothing_half,
    a_blocked_database_is_unavailable_in_time,
    what_cannot_be_stored_is_refused,
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
    let kept = store.picture("a").await.unwrap().unwrap();
    assert!(kept.bytes == picture && kept.media_type == "image/jpeg");
    assert!(store.picture("c").await.unwrap().is_none());
    let replay = store.replay("owner", &[1; 32], NOW).await.unwrap().unwrap();
    assert_eq!((replay.fingerprint, replay.case_id.as_str()), ([2; 32], "a"));
    assert_eq!(replay.report_json.as_deref(), Some("{\"report\":1}"));
    assert_eq!(store.replay("other", &[1; 32], NOW).await.unwrap(), None);
    assert_eq!(store.replay("owner", &[1; 32], NOW + 1000).await.unwrap(), None, "it is over");

    store.decide("a", "reviewer", Decision::Reject, Some("moire"), NOW + 1).await.unwrap();
    let decided = store.case("a").await.unwrap().unwrap().summary.decided;
    let (actor, note) = ("reviewer".to_owned(), Some("moire".to_owned()));
    assert_eq!(decided, Some(HumanDecision { decision: Decision::Reject, actor, time_ms: NOW + 1, note }));
    let again = store.decide("a", "reviewer", Decision::Accept, None, NOW + 2).await;
    assert!(matches!(again, Err(StoreError::Conflict(_))), "{again:?}");
    let nobody = store.decide("nobody", "reviewer", Decision::Accept, None, NOW + 2).await;
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
    assert_eq!(events, [&recorded[..], &[event("case.decided", "a")]].concat());
    assert_eq!(store.audit(3, 10).await.unwrap().len(), 1);
    assert!(!store.audit(3, 10).await.unwrap()[0].body.contains("moire"), "notes stay out of what cannot be deleted");
    assert_eq!(store.verify().await.unwrap().rows, 4);

    let stranger = ReviewStore::open(&bed.location, Some(SealingKey::from_bytes([8; 32]))).await.unwrap();
    assert!(matches!(stranger.picture("a").await, Err(StoreError::Sealing)));
    let keyless = ReviewStore::open(&bed.location, None).await.unwrap();
    assert!(matches!(keyless.picture("a").await, Err(StoreError::Sealing)));
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

async fn writers_at_once_keep_one_chain(bed: &Bed) {
    // Two stores stand for two processes: they share nothing but the database.
    let stores = [bed.open().await, bed.open().await];
    let tasks: Vec<_> = (0..16)
        .map(|task| {
            let store = stores[task % 2].clone();
            tokio::spawn(async move {
                for at in 0..4 {
                    store.record(&case(&format!("{task}-{at}")), "owner").await.unwrap();
                    store.verify().await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let proof = stores[0].verify().await.unwrap();
    assert_eq!(proof.rows, 64);
    let rows = stores[1].audit(0, 100).await.unwrap();
    assert_eq!(rows.last().unwrap().hash, proof.head);
    assert!(rows.windows(2).all(|pair| pair[0].hash == pair[1].previous));
    let mut subjects: Vec<_> = rows.iter().map(|row| row.subject.clone()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    assert_eq!(subjects.len(), 64);
    let listed = stores[0].cases(CaseFilter { limit: 100, ..CaseFilter::default() }).await.unwrap();
    assert!(listed.len() == 64 && listed.windows(2).all(|pair| pair[0].seq == pair[1].seq + 1));
}

async fn many_processes_may_open_at_once(bed: &Bed) {
    let openings: Vec<_> = (0..6)
        .map(|at| {
            let location = bed.location.clone();
            tokio::spawn(async move {
                let store = ReviewStore::open(&location, None).await.unwrap();
                store.record(&case(&format!("{at}")), "owner").await.unwrap();
            })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap();
    }
    assert_eq!(bed.open().await.verify().await.unwrap().rows, 6);
}

async fn triggers_refuse_and_verification_names_the_first_bad_row(bed: &Bed) {
    let store = bed.open().await;
    for at in 1..=8 {
        store.record(&case(&format!("{at}")), "owner").await.unwrap();
    }
    let head = store.verify().await.unwrap().head;
    let attempts = [
        "UPDATE audit SET actor = 'x' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 8",
        "DELETE FROM audit_head",
        "UPDATE audit_head SET seq = 7",
        "INSERT INTO audit SELECT 99, time_ms, actor, event, subject, body, previous, hash FROM audit WHERE seq = 8",
    ];
    for sql in attempts {
        let error = bed.run(sql).await.expect_err(sql).to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    if bed.is_sqlite() {
        let replace = "INSERT OR REPLACE INTO audit SELECT seq, time_ms, 'x', event, subject, body, previous, hash \
                       FROM audit WHERE seq = 8";
        assert!(bed.run(replace).await.is_err());
    } else {
        assert!(bed.run("TRUNCATE audit").await.is_err());
    }
    assert_eq!(store.verify().await.unwrap().head, head, "nothing was changed");

    bed.drop_triggers().await;
    let fault = async || match store.verify().await {
        Err(StoreError::Chain(fault)) => fault,
        other => panic!("{other:?}"),
    };
    let save = "CREATE TABLE kept AS SELECT * FROM audit";
    bed.run(save).await.unwrap();
    let restore = "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept";
    for (sql, expected) in [
        ("UPDATE audit SET actor = 'x' WHERE seq = 3", ChainFault::Altered { seq: 3 }),
        ("UPDATE audit SET body = '{}' WHERE seq >= 5", ChainFault::Altered { seq: 5 }),
        ("UPDATE audit SET time_ms = time_ms + 1 WHERE seq = 8", ChainFault::Altered { seq: 8 }),
        ("UPDATE audit SET previous = hash WHERE seq = 1", ChainFault::Altered { seq: 1 }),
        ("DELETE FROM audit WHERE seq = 4 OR seq = 6", ChainFault::Gap { seq: 4 }),
        ("DELETE FROM audit WHERE seq = 1", ChainFault::Gap { seq: 1 }),
        ("DELETE FROM audit WHERE seq > 6", ChainFault::TailMissing { seq: 7 }),
        ("DELETE FROM audit", ChainFault::TailMissing { seq: 1 }),
        (
            "INSERT INTO audit SELECT 9, time_ms, actor, event, subject, body, hash, hash FROM audit WHERE seq = 8",
            ChainFault::Foreign { seq: 9 },
        ),
    ] {
        bed.run(sql).await.unwrap();
        assert_eq!(fault().await, expected, "{sql}");
        bed.run(restore).await.unwrap();
        assert_eq!(store.verify().await.unwrap().head, head);
    }
}

async fn a_cut_tail_is_found_by_its_head_and_by_one_kept_elsewhere(bed: &Bed) {
    let store = bed.open().await;
    assert_eq!(store.verify_against([0; 32]).await.unwrap().expected_seq, Some(0));
    for at in 1..=5 {
        store.record(&case(&format!("{at}")), "owner").await.unwrap();
    }
    let kept = store.verify().await.unwrap().head;
    store.record(&case("6"), "owner").await.unwrap();
    let proof = store.verify_against(kept).await.unwrap();
    assert_eq!((proof.rows, proof.expected_seq), (6, Some(5)));
    // Whoever moves the head back as well makes a shorter chain that is whole.
    bed.drop_triggers().await;
    bed.run(
        "DELETE FROM audit WHERE seq > 4; \
         UPDATE audit_head SET seq = 4, hash = (SELECT hash FROM audit WHERE seq = 4)",
    )
    .await
    .unwrap();
    assert_eq!(store.verify().await.unwrap().rows, 4);
    let against = store.verify_against(kept).await;
    assert!(matches!(against, Err(StoreError::Chain(ChainFault::Elsewhere))), "{against:?}");
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
        store.decide(id, "reviewer", Decision::Accept, Some("NOTEMARK"), NOW + 1).await.unwrap();
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
    assert!(store.picture("a").await.unwrap().is_none());
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

/// The files of a folder that hold `mark`.
fn left(folder: &Path, mark: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let holds = |path: &PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(mark.len()).any(|window| window == mark.as_bytes())
    };
    files.filter(holds).collect()
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
    assert_eq!(store.expire(NOW + 2).await.unwrap(), Expired { pictures: 3, idempotency_keys: 3 });
    assert!(store.picture("2").await.unwrap().is_none());
    assert!(store.picture("3").await.unwrap().is_some());
    assert_eq!(store.verify().await.unwrap().rows, 6);
    assert_eq!(store.audit(5, 1).await.unwrap()[0].body, "{\"pictures\":3}");
}

async fn keys_are_found_rotated_and_revoked(bed: &Bed) {
    let store = bed.open().await;
    let new = NewKey {
        name: "form",
        scopes: "check,review".parse().unwrap(),
        per_minute: Some(60),
        expires_ms: Some(NOW + 10_000),
    };
    let issued = store.create_key(&new, "admin", NOW).await.unwrap();
    let (text, id) = (issued.text.reveal(), &issued.key.id);
    assert!(text.starts_with(&format!("bf_{id}_")));
    assert_eq!(store.find_key(text, NOW).await.unwrap().as_ref(), Some(&issued.key));
    assert_eq!(store.keys().await.unwrap(), std::slice::from_ref(&issued.key));
    assert!(issued.key.scopes.allow(Scope::Review) && !issued.key.scopes.allow(Scope::Admin));
    let last = if text.ends_with('a') { "b" } else { "a" };
    let wrong = [&text[..text.len() - 1], last].concat();
    for (other, now_ms) in [(wrong.as_str(), NOW), ("", NOW), (text, NOW + 10_000)] {
        assert_eq!(store.find_key(other, now_ms).await.unwrap(), None);
    }

    let rotated = store.rotate_key(id, 500, "admin", NOW + 1).await.unwrap();
    let finds = async |text: &str, now_ms| store.find_key(text, now_ms).await.unwrap().is_some();
    assert!(finds(rotated.text.reveal(), NOW + 1).await);
    assert!(finds(text, NOW + 500).await && !finds(text, NOW + 501).await);
    let last = store.rotate_key(id, 0, "admin", NOW + 2).await.unwrap();
    assert!(!finds(text, NOW + 2).await && !finds(rotated.text.reveal(), NOW + 2).await);
    assert!(finds(last.text.reveal(), NOW + 2).await);
    store.revoke_key(id, "admin", NOW + 3).await.unwrap();
    assert!(!finds(last.text.reveal(), NOW + 3).await);
    for result in [store.revoke_key(id, "admin", NOW + 4).await, store.revoke_key("nobody", "admin", NOW + 4).await] {
        assert!(matches!(result, Err(StoreError::Missing("key"))), "{result:?}");
    }
    assert!(matches!(store.rotate_key(id, 0, "admin", NOW + 4).await, Err(StoreError::Missing("key"))));
    let nothing = NewKey { scopes: Scopes::default(), ..new };
    assert!(matches!(store.create_key(&nothing, "admin", NOW).await, Err(StoreError::Invalid(_))));

    let rows = store.audit(0, 10).await.unwrap();
    let events: Vec<_> = rows.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(events, ["key.created", "key.rotated", "key.rotated", "key.revoked"]);
    assert!(rows.iter().all(|row| &row.subject == id && row.actor == "admin"));
    assert_eq!(store.verify().await.unwrap().rows, 4);
    if let Some(folder) = &bed.folder {
        let secret = text.rsplit('_').next().unwrap();
        assert!(left(folder.path(), secret).is_empty() && !left(folder.path(), id).is_empty());
    }
}

async fn deliveries_are_claimed_once_and_backed_off_until_dead(bed: &Bed) {
    let stores = [bed.open().await, bed.open().await];
    let deliveries: Vec<_> =
        (0..40).map(|at| NewDelivery::new("hook", "case.recorded", format!("{{\"at\":{at}}}")).unwrap()).collect();
    stores[0].record(&NewCase { deliveries: &deliveries, ..case("a") }, "owner").await.unwrap();
    assert!(stores[0].due(NOW - 1, 10, 1000).await.unwrap().is_empty());
    let claims = (0..8).map(|task| {
        let store = stores[task % 2].clone();
        tokio::spawn(async move {
            let mut claimed: Vec<Due> = Vec::new();
            while let Ok(more) = store.due(NOW, 3, 1000).await {
                if more.is_empty() {
                    break;
                }
                claimed.extend(more);
            }
            claimed
        })
    });
    let mut claimed = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        claimed.extend(claim.await.unwrap());
    }
    // A claim that waited for another in PostgreSQL may have found nothing though something was left.
    while let Some(due) = stores[0].due(NOW, 1, 1000).await.unwrap().pop() {
        claimed.push(due);
    }
    let mut ids: Vec<_> = claimed.iter().map(|due| due.id.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((claimed.len(), ids.len()), (40, 40), "each once");

    let store = &stores[1];
    let (first, rest) = claimed.split_first().unwrap();
    for due in rest {
        store.delivered(&due.id, NOW).await.unwrap();
    }
    assert!(store.due(NOW + 999, 10, 1000).await.unwrap().is_empty());
    let again = store.due(NOW + 1000, 10, 1000).await.unwrap();
    assert_eq!(again.len(), 1, "the lease is over");
    assert_eq!((&again[0].id, again[0].attempt, &again[0].body), (&first.id, 2, &first.body));
    store.failed(first, "late", NOW + 1000).await.unwrap();
    assert!(store.due(NOW + 1999, 10, 1000).await.unwrap().is_empty(), "who lost the lease changes nothing");

    let (mut due, mut now_ms) = (again[0].clone(), NOW + 1000);
    while due.attempt < ATTEMPTS {
        store.failed(&due, "status 500", now_ms).await.unwrap();
        let shortest = 5000 * (1 << (due.attempt - 1)).min(720) * 3 / 4;
        assert!(store.due(now_ms + shortest - 1, 10, 1000).await.unwrap().is_empty(), "attempt {}", due.attempt);
        now_ms += shortest * 4 / 3;
        due = store.due(now_ms, 10, 1000).await.unwrap().pop().unwrap_or_else(|| panic!("after {}", due.attempt));
    }
    store.failed(&due, "status 503\0", now_ms).await.unwrap();
    assert!(store.due(i64::MAX, 10, 1000).await.unwrap().is_empty());
    let letters = store.dead_letters(10).await.unwrap();
    assert_eq!(letters.len(), 1);
    let letter = &letters[0];
    assert_eq!((&letter.id, letter.attempts, letter.ended_ms, letter.has_body), (&first.id, 12, now_ms, true));
    assert!(letter.last_error.as_deref().unwrap().starts_with("status 503"));
    store.requeue(&letter.id, now_ms).await.unwrap();
    assert!(matches!(store.requeue(&letter.id, now_ms).await, Err(StoreError::Missing(_))));
    let due = store.due(now_ms, 10, 1000).await.unwrap().pop().unwrap();
    assert_eq!((due.attempt, &due.body), (1, &first.body));
    store.delivered(&due.id, now_ms).await.unwrap();
    assert!(store.dead_letters(10).await.unwrap().is_empty());
    assert_eq!(bed.count("deliveries WHERE state = 'delivered' AND body IS NULL").await, 40);
}

async fn a_call_given_up_leaves_nothing_half(bed: &Bed) {
    const CALLS: u32 = 40;
    let store = bed.open().await;
    let record = async |id: &str| {
        let deliveries = [NewDelivery::new("hook", "case.recorded", "{}".to_owned()).unwrap()];
        let picture = Some(NewPicture { bytes: b"picture", expires_ms: NOW });
        store.record(&NewCase { picture, deliveries: &deliveries, ..case(id) }, "owner").await
    };
    record("first").await.unwrap();
    let mut given_up = 0;
    for at in 0..CALLS {
        // From giving up before the call has begun to after its end.
        let (id, mut looks) = (at.to_string(), 0);
        let mut call = Box::pin(record(&id));
        let ended = std::future::poll_fn(|context| {
            if looks == at {
                return std::task::Poll::Ready(false);
            }
            looks += 1;
            call.as_mut().poll(context).map(|_| true)
        });
        given_up += u32::from(!ended.await);
    }
    assert!(given_up > 1, "{given_up}");
    store.record(&case("last"), "owner").await.unwrap();
    let cases = bed.count("cases").await;
    assert_eq!(store.verify().await.unwrap().rows, cases);
    assert_eq!(bed.count("reports").await, cases);
    for table in ["pictures", "deliveries"] {
        assert_eq!(bed.count(table).await, cases - 1, "{table}");
    }
}

async fn a_blocked_database_is_unavailable_in_time(bed: &Bed) {
    let store = bed.open().await;
    store.record(&case("a"), "owner").await.unwrap();
    let mut raw = bed.raw().await;
    let block = if bed.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN; UPDATE audit_head SET seq = seq" };
    sqlx::raw_sql(block).execute(&mut raw).await.unwrap();
    let b = case("b");
    let begun = Instant::now();
    let (written, read) = tokio::join!(store.record(&b, "owner"), store.case("a"));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert!(matches!(written, Err(StoreError::Unavailable(_))), "{written:?}");
    assert!(read.unwrap().is_some(), "readers do not wait for writers");
    sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    store.record(&case("b"), "owner").await.unwrap();
    assert_eq!(store.verify().await.unwrap().rows, 2);
}

async fn what_cannot_be_stored_is_refused(bed: &Bed) {
    let store = bed.open().await;
    let refused = store.record(&NewCase { owner: "a\0b", ..case("a") }, "owner").await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    store.record(&case("a"), "owner").await.unwrap();
    let refused = store.decide("a", "reviewer", Decision::Accept, Some("\0"), NOW).await;
    assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    let strange = "\u{1F4F7} ' \" ; -- \u{7} \\ $1 %s";
    store.decide("a", strange, Decision::Accept, Some(strange), NOW).await.unwrap();
    let decided = store.case("a").await.unwrap().unwrap().summary.decided.unwrap();
    assert_eq!((decided.actor.as_str(), decided.note.as_deref()), (strange, Some(strange)));
    assert_eq!(store.verify().await.unwrap().rows, 2);
    store.close().await;
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_file_is_unavailable_and_recovers() {
    let bed = Bed::sqlite();
    let store = ReviewStore::open_limited(&bed.location, Some(key()), Some(400)).await.unwrap();
    let recorded = fill(&bed, &store).await;
    store.purge("0", "admin", NOW).await.unwrap();
    store.purge("1", "admin", NOW).await.unwrap();
    store.record(&NewCase { picture: Some(LARGE), ..case("again") }, "owner").await.unwrap();
    assert_eq!(store.verify().await.unwrap().rows, recorded + 3);
}

/// Takes the disk away before its folder, also on panic.
struct Mounted<'a>(&'a Path);
impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_unavailable_and_recovers() {
    let folder = TempDir::with_prefix("bonafide-store-").unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
        .arg(folder.path())
        .stderr(std::process::Stdio::null())
        .status();
    if !mount.is_ok_and(|status| status.success()) {
        println!("skipped: this process may not mount a small disk");
        return;
    }
    let path = folder.path().to_owned();
    let location = path.join("review.db").to_str().unwrap().to_owned();
    let bed = Bed { location, folder: Some(folder), _server: None };
    // Dropped before the folder is.
    let _mounted = Mounted(&path);
    let store = bed.open().await;
    let ballast = path.join("ballast");
    std::fs::write(&ballast, vec![1; 3 << 20]).unwrap();
    let recorded = fill(&bed, &store).await;
    std::fs::remove_file(ballast).unwrap();
    store.record(&NewCase { picture: Some(LARGE), ..case("again") }, "owner").await.unwrap();
    store.purge("0", "admin", NOW).await.unwrap();
    assert_eq!(store.verify().await.unwrap().rows, recorded + 2);
    store.close().await;
}

const LARGE: NewPicture<'_> = NewPicture { bytes: &[5; 200_000], expires_ms: NOW + 5000 };

/// Records cases until there is no more room, and says how many there are.
async fn fill(bed: &Bed, store: &ReviewStore) -> i64 {
    let mut recorded = 0;
    let error = loop {
        let id = recorded.to_string();
        match store.record(&NewCase { picture: Some(LARGE), ..case(&id) }, "owner").await {
            Ok(_) => recorded += 1,
            Err(error) => break error,
        }
        assert!(recorded < 100);
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert!(recorded > 2);
    let again = store.record(&NewCase { picture: Some(LARGE), ..case("again") }, "owner").await;
    assert!(matches!(again, Err(StoreError::Unavailable(_))), "{again:?}");
    for table in ["cases", "pictures", "reports", "audit"] {
        assert_eq!(bed.count(table).await, recorded, "{table}");
    }
    assert_eq!(store.verify().await.unwrap().rows, recorded);
    recorded
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

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn files_may_be_created_and_migrated_at_once() {
    for _ in 0..10 {
        let bed = Bed::sqlite();
        let together = Arc::new(tokio::sync::Barrier::new(8));
        let openings = (0..8).map(|_| {
            let (location, together) = (bed.location.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                together.wait().await;
                ReviewStore::open(&location, None).await.map(|_| ())
            })
        });
        for opening in openings.collect::<Vec<_>>() {
            opening.await.unwrap().unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::sqlite();
    let store = bed.open().await;
    store.record(&case("a"), "owner").await.unwrap();
    let files: Vec<_> = std::fs::read_dir(bed.folder.as_ref().unwrap().path()).unwrap().map(Result::unwrap).collect();
    assert_eq!(files.len(), 3, "file, log and its index");
    for file in files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_store_is_not_opened() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("x.db");
    std::fs::write(&path, "this is no database, and long enough to be looked at as one".repeat(40)).unwrap();
    let opened = ReviewStore::open(path.to_str().unwrap(), None).await;
    assert!(matches!(opened, Err(StoreError::Corrupt(_))), "{opened:?}");
    let opened = ReviewStore::open(folder.path().join("no/such/folder.db").to_str().unwrap(), None).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(_))), "{opened:?}");
    let begun = Instant::now();
    let opened = ReviewStore::open("postgres://nobody@127.0.0.1:1/none", None).await;
    assert!(matches!(opened, Err(StoreError::Unavailable(_))), "{opened:?}");
    assert!(begun.elapsed() < Duration::from_secs(3));
    let opened = ReviewStore::open("mysql://host/name", None).await;
    assert!(matches!(opened, Err(StoreError::Location(_))), "{opened:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_is_unavailable_until_it_is_back() {
    let Some(mut postgres) = Postgres::start() else { return };
    let store = ReviewStore::open(&postgres.url(), Some(key())).await.unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    // Under load, so that connections break in the middle of what they do.
    let load: Vec<_> = (0..4)
        .map(|task| {
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut recorded = Vec::new();
                for at in 0.. {
                    if stop.load(std::sync::atomic::Ordering::Relaxed) {
                        break;
                    }
                    let id = format!("{task}-{at}");
                    match store.record(&case(&id), "owner").await {
                        Ok(_) => recorded.push(id),
                        Err(StoreError::Unavailable(_)) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
                recorded
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    postgres.kill();
    let begun = Instant::now();
    let read = store.case("0-0").await;
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));
    postgres.restart();
    let back = Instant::now();
    while let Err(error) = store.record(&case("back"), "owner").await {
        assert!(matches!(error, StoreError::Unavailable(_)) && back.elapsed() < Duration::from_secs(5), "{error:?}");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut recorded = 1;
    for task in load {
        for id in task.await.unwrap() {
            assert!(store.case(&id).await.unwrap().is_some(), "{id} was reported as recorded");
            recorded += 1;
        }
    }
    // One that was committed as the server died may have been reported as unavailable.
    let rows = store.verify().await.unwrap().rows;
    assert!((recorded..=recorded + 4).contains(&rows), "{recorded} recorded, {rows} rows");

    // One that holds its connections and says nothing.
    postgres.freeze();
    let begun = Instant::now();
    let (quiet, still) = (case("quiet"), case("still"));
    let (one, other, read) =
        tokio::join!(store.record(&quiet, "owner"), store.record(&still, "owner"), store.case("back"));
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    assert!(matches!(one, Err(StoreError::Unavailable(_))), "{one:?}");
    assert!(matches!(other, Err(StoreError::Unavailable(_))), "{other:?}");
    assert!(matches!(read, Err(StoreError::Unavailable(_))), "{read:?}");
    postgres.thaw();
    store.record(&case("thawed"), "owner").await.unwrap();
    assert_eq!(store.verify().await.unwrap().rows, rows + 1);
}
