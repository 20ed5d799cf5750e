//! Requests that name themselves by an idempotency key → one after the other, so that each is worked once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

/// An idempotency key and what came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnceKey {
    pub(crate) key_hash: [u8; 32],
    pub(crate) fingerprint: [u8; 32],
}

/// Requests with the same idempotency key go one after the other.
#[derive(Debug, Default)]
pub(crate) struct Once(Mutex<HashMap<(String, [u8; 32]), Arc<tokio::sync::Mutex<()>>>>);

impl Once {
    /// The turn of `owner`'s `key`: held until dropped.
    pub(crate) async fn turn(&self, owner: &str, key: &OnceKey) -> OwnedMutexGuard<()> {
        let lock = {
            let mut turns = self.0.lock();
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
            Arc::clone(turns.entry((owner.to_owned(), key.key_hash)).or_default())
        };
        lock.lock_owned().await
    }
}

/// SHA-256 of parts, each with its length before it.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
