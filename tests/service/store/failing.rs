//! A database that is full, blocked or dead → unavailable in time, and nothing half.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bonafide::service::store::{NewCase, NewDelivery, NewPicture, ReviewStore, StoreError};
use tempfile::TempDir;

use super::{Bed, NOW, case, key, on_both};
use crate::service::postgres::Postgres;

on_both!(a_call_given_up_leaves_nothing_half, a_blocked_database_is_unavailable_in_time,);

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
