//! A location → a store that many may open at once, or a refusal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bonafide::service::store::{ReviewStore, StoreError};
use tempfile::TempDir;

use super::{Bed, case, on_both};

on_both!(many_processes_may_open_at_once, one_that_is_not_there_is_not_made, a_probe_writes_and_leaves_no_record,);

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

async fn one_that_is_not_there_is_not_made(bed: &Bed) {
    let opened = ReviewStore::open_existing(&bed.location, None).await;
    assert!(matches!(opened, Err(StoreError::Absent(_))), "{opened:?}");
    if bed.is_sqlite() {
        assert!(!std::path::Path::new(&bed.location).exists());
    } else {
        // A password may stand in where it was looked for.
        assert!(!opened.unwrap_err().to_string().contains("postgres:"));
    }
    bed.open().await.close().await;
    ReviewStore::open_existing(&bed.location, None).await.unwrap();
}

async fn a_probe_writes_and_leaves_no_record(bed: &Bed) {
    let store = bed.open().await;
    for _ in 0..3 {
        store.probe().await.unwrap();
    }
    assert_eq!((bed.count("probe").await, store.verify().await.unwrap().rows), (1, 0));
    let mut raw = bed.raw().await;
    let block = if bed.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN; LOCK TABLE probe" };
    sqlx::raw_sql(block).execute(&mut raw).await.unwrap();
    assert!(matches!(store.probe().await, Err(StoreError::Unavailable(_))), "it is locked");
    sqlx::raw_sql("ROLLBACK").execute(&mut raw).await.unwrap();
    store.probe().await.unwrap();
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
