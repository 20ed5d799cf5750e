//! An API key's text → whose it is, asked of the store once in a while.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::Caller;
use crate::service::store::{ReviewStore, StoreError};

/// How long a key that was found good is not looked up again: a key that is revoked works on for as long.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Keys remembered at a time.
const MOST_REMEMBERED: usize = 10_000;

/// Whether a token has the form of an API key.
pub(super) fn is_key(token: &str) -> bool {
    token.starts_with("bf_")
}

/// The store's keys; those found good are remembered for a while, as hashes.
pub(super) struct Keys {
    pub(super) store: ReviewStore,
    remembered: Mutex<HashMap<[u8; 32], (Instant, Caller)>>,
}

impl Keys {
    pub(super) fn new(store: ReviewStore) -> Self {
        Self { store, remembered: Mutex::default() }
    }

    /// Who holds the key whose text this is; `None` where it is none, or none that holds.
    pub(super) async fn find(&self, token: &str, now_ms: i64) -> Result<Option<Caller>, StoreError> {
        if !is_key(token) {
            return Ok(None);
        }
        // Whoever waited for a turn may find it looked up by another.
        if let Some(caller) = self.recall(token) {
            return Ok(Some(caller));
        }
        let Some(key) = self.store.find_key(token, now_ms).await? else { return Ok(None) };
        let id = format!("key:{}", key.id);
        let lane = id.as_str().into();
        let caller = Caller { id, lane, scopes: key.scopes, per_minute: key.per_minute };
        self.remember(Sha256::digest(token).into(), &caller);
        Ok(Some(caller))
    }

    /// Who holds the key, where that is remembered.
    pub(super) fn recall(&self, token: &str) -> Option<Caller> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let remembered = self.remembered.lock();
        remembered.get(&digest).filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, caller)| caller.clone())
    }

    fn remember(&self, digest: [u8; 32], caller: &Caller) {
        let mut remembered = self.remembered.lock();
        if remembered.len() >= MOST_REMEMBERED {
            remembered.retain(|_, (since, _)| since.elapsed() < REMEMBERED);
        }
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(digest, (Instant::now(), caller.clone()));
        }
    }
}
