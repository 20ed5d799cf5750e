//! The store → whether verdicts can be recorded now, asked at most once a second however often somebody wants to know.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::service::store::{ReviewStore, StoreError};

/// How long an answer holds: whoever asks is anybody, and each asking writes.
const HOLDS: Duration = Duration::from_secs(1);

/// How long the store may take to answer.
const READY_TIME: Duration = Duration::from_secs(2);

/// What the store said last.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    /// What writing told, and when.
    written: Option<(Instant, bool)>,
    was_not: bool,
}

impl Readiness {
    /// Whether verdicts can be recorded in `store`. Changes are logged.
    pub(crate) async fn of(&self, store: &ReviewStore) -> bool {
        // One asks, the others hear what it was told.
        let mut last = self.last.lock().await;
        // Whether the file is where it was costs nothing to see, and is seen each time.
        let asked = match (store.is_in_place(), last.written) {
            (Ok(()), Some((at, ready))) if at.elapsed() < HOLDS => return ready,
            (Ok(()), _) => {
                let probed = tokio::time::timeout(READY_TIME, store.probe()).await.unwrap_or_else(|_| Err(late()));
                last.written = Some((Instant::now(), probed.is_ok()));
                probed
            }
            (Err(error), _) => {
                last.written = None;
                Err(error)
            }
        };
        match &asked {
            Err(error) if !last.was_not => tracing::error!(%error, "not ready: verdicts cannot be recorded"),
            Ok(()) if last.was_not => tracing::info!("ready again"),
            _ => {}
        }
        last.was_not = asked.is_err();
        asked.is_ok()
    }
}

fn late() -> StoreError {
    StoreError::Unavailable("it does not write in time: locked, or too slow".to_owned())
}
