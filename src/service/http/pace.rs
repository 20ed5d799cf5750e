//! What a caller sends, over all its connections → no more a second than one caller may.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::peer::Lane;

/// Callers whose time is over are forgotten from here on.
const MANY: usize = 1_024;

/// When each caller may send on.
#[derive(Debug)]
pub(crate) struct Paces {
    bytes_s: f64,
    next: Mutex<HashMap<Lane, Instant>>,
}

impl Paces {
    /// At most `bytes_s` for each caller.
    pub(crate) fn new(bytes_s: f64) -> Arc<Self> {
        Arc::new(Self { bytes_s, next: Mutex::default() })
    }

    /// The pace of `lane`.
    pub(crate) fn of(self: &Arc<Self>, lane: &Lane) -> Pace {
        Pace { paces: Arc::clone(self), lane: Arc::clone(lane) }
    }

    /// How long who has just sent `bytes` is to wait before it sends on.
    fn spend(&self, lane: &Lane, bytes: usize, now: Instant) -> Duration {
        let mut next = self.next.lock();
        if next.len() >= MANY {
            next.retain(|_, at| *at > now);
        }
        let at = next.entry(Arc::clone(lane)).or_insert(now);
        *at = (*at).max(now) + Duration::from_secs_f64(bytes as f64 / self.bytes_s);
        at.duration_since(now)
    }
}

/// One caller's.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    paces: Arc<Paces>,
    lane: Lane,
}

impl Pace {
    /// Waits for as long as who has just sent `bytes` is to, and says for how long.
    pub(crate) async fn keep(&self, bytes: usize) -> Duration {
        let wait = self.paces.spend(&self.lane, bytes, Instant::now());
        tokio::time::sleep(wait).await;
        wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_waits_for_its_own_bytes_and_for_nobody_elses() {
        let (paces, now) = (Paces::new(1000.0), Instant::now());
        let (one, other): (Lane, Lane) = ("one".into(), "other".into());
        let ms =
            |lane: &Lane, bytes, after: u64| paces.spend(lane, bytes, now + Duration::from_millis(after)).as_millis();
        assert_eq!(ms(&one, 500, 0), 500);
        // Another connection of the same caller.
        assert_eq!(ms(&one, 500, 0), 1000);
        assert_eq!(ms(&other, 100, 0), 100);
        assert_eq!(ms(&one, 100, 900), 200);
        assert_eq!(ms(&one, 100, 5_000), 100, "what was not sent is not saved up");
        for i in 0..2 * MANY {
            ms(&i.to_string().into(), 1, 6_000 + i as u64 * 10);
        }
        assert!(paces.next.lock().len() <= MANY, "{}", paces.next.lock().len());
    }
}
