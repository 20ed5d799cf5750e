//! What was decided → a chain of rows that shows every change.

use bonafide::service::store::{CaseFilter, ChainFault, StoreError};

use super::{Bed, case, on_both};

on_both!(
    writers_at_once_keep_one_chain,
    triggers_refuse_and_verification_names_the_first_bad_row,
    a_cut_tail_is_found_by_its_head_and_by_one_kept_elsewhere,
);

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
