//! A caller's requests → what is left of their quota a minute.
//!
//! One bucket a caller holds a whole minute's quota and fills evenly. The crate `governor` fits badly: one of its
//! limiters has one limit for all keys, so a limit for each caller would need a limiter for each, its table knows no
//! upper bound, and what is left after a batch is not told by default.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How many callers are remembered, at about 60 bytes each.
const CALLER_LIMIT: usize = 10_000;
/// What is kept when more than [`CALLER_LIMIT`] come within a minute: dropping an eighth at a time keeps the search for
/// whom to drop rare.
const CALLERS_KEPT: usize = CALLER_LIMIT - CALLER_LIMIT / 8;
/// A quota's window.
const WINDOW_S: u64 = 60;
/// Parts of a request: a bucket of `limit` a minute gains `limit` of these a nanosecond, so nothing is ever rounded.
const PARTS: u128 = WINDOW_S as u128 * 1_000_000_000;
/// The name of the quota in the header fields.
const POLICY: &str = "minute";

/// What a caller has left after a request that was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Requests a minute.
    pub(crate) limit: u32,
    /// How many may follow at once, 0 to `limit`.
    pub(crate) remaining: u32,
    /// Seconds until the whole quota is there again, rounded up, 0 to 60.
    pub(crate) reset_s: u64,
}

/// Why a request is not let through: the quota is used up (429).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("over {limit} requests a minute; again in {retry_after_s} s")]
#[non_exhaustive]
pub(crate) struct Exceeded {
    /// Seconds until the same request would pass, rounded up, 1 to 60. Of more requests at once than `limit`, none ever
    /// pass; this is 60 then.
    pub(crate) retry_after_s: u64,
    /// Requests a minute.
    pub(crate) limit: u32,
    /// How many fewer would have passed at once, 0 to `limit`.
    pub(crate) remaining: u32,
}

impl Left {
    /// The fields `RateLimit-Policy` and `RateLimit`.
    pub(crate) fn headers(&self) -> QuotaHeaders {
        headers(self.limit, self.remaining, self.reset_s)
    }
}

impl Exceeded {
    /// The fields `RateLimit-Policy` and `RateLimit`. `Retry-After` goes beside them.
    pub(crate) fn headers(&self) -> QuotaHeaders {
        headers(self.limit, self.remaining, self.retry_after_s)
    }
}

/// Names and values of the header fields that tell of a quota.
pub(crate) type QuotaHeaders = [(&'static str, String); 2];

/// Names and values by draft-ietf-httpapi-ratelimit-headers-10: quota `q` in a window of `w` seconds; `r` left, and `t`
/// seconds until there is more.
fn headers(limit: u32, remaining: u32, until_s: u64) -> QuotaHeaders {
    [
        ("ratelimit-policy", format!("\"{POLICY}\";q={limit};w={WINDOW_S}")),
        ("ratelimit", format!("\"{POLICY}\";r={remaining};t={until_s}")),
    ]
}

/// Counts requests of up to [`CALLER_LIMIT`] callers. Names are not kept, only a keyed hash of each.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    hasher: RandomState,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    by_caller: HashMap<u64, Bucket>,
    swept_at: Option<Instant>,
}

/// What one caller has taken and not yet got back.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    missing_parts: u128,
    limit: u32,
    at: Instant,
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at);
        self.missing_parts = self.missing_parts.saturating_sub(passed.as_nanos().saturating_mul(self.limit.into()));
        self.at = self.at.max(now);
    }

    /// Time until it is full, from when it was last touched.
    fn full_in_ns(&self) -> u128 {
        self.missing_parts.div_ceil(u128::from(self.limit).max(1))
    }
}

impl Quotas {
    /// An empty table.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Takes `n` requests of the caller's quota of `per_minute`, all or none. `None` for `per_minute` is no limit, and
    /// there is nothing to tell then.
    ///
    /// # Errors
    ///
    /// [`Exceeded`] when fewer than `n` are left; nothing is taken then.
    pub(crate) fn take(&self, caller: &str, per_minute: Option<u32>, n: u32) -> Result<Option<Left>, Exceeded> {
        per_minute.map(|limit| self.take_at(caller, limit, n, Instant::now())).transpose()
    }

    /// How many callers are remembered, 0 to [`CALLER_LIMIT`].
    #[cfg(test)]
    pub(crate) fn callers(&self) -> usize {
        self.buckets.lock().by_caller.len()
    }

    fn take_at(&self, caller: &str, limit: u32, n: u32, now: Instant) -> Result<Left, Exceeded> {
        let caller = self.hasher.hash_one(caller);
        let mut buckets = self.buckets.lock();
        buckets.sweep(now, caller);
        let bucket = buckets.by_caller.entry(caller).or_insert(Bucket { missing_parts: 0, limit, at: now });
        bucket.refill(now);
        let capacity = u128::from(limit) * PARTS;
        // A limit that was lowered since leaves nobody deeper in debt than one minute.
        bucket.limit = limit;
        bucket.missing_parts = bucket.missing_parts.min(capacity);
        let wanted = bucket.missing_parts + u128::from(n) * PARTS;
        if wanted > capacity {
            let wait_ns = (wanted - capacity).div_ceil(u128::from(limit).max(1));
            return Err(Exceeded {
                retry_after_s: if n > limit { WINDOW_S } else { seconds(wait_ns).max(1) },
                limit,
                remaining: whole(capacity - bucket.missing_parts),
            });
        }
        bucket.missing_parts = wanted;
        Ok(Left { limit, remaining: whole(capacity - wanted), reset_s: seconds(bucket.full_in_ns()) })
    }
}

impl Buckets {
    /// Forgets full buckets once a minute or when the table is full, and, where that is not enough, those that will be
    /// full soonest, whose callers gain least by it. Never `caller`'s own.
    fn sweep(&mut self, now: Instant, caller: u64) {
        let crowded = self.by_caller.len() >= CALLER_LIMIT && !self.by_caller.contains_key(&caller);
        let due = self.swept_at.is_none_or(|at| now.saturating_duration_since(at) >= Duration::from_secs(WINDOW_S));
        if !crowded && !due {
            return;
        }
        self.swept_at = Some(now);
        self.by_caller.retain(|_, bucket| {
            bucket.refill(now);
            bucket.missing_parts > 0
        });
        if crowded && self.by_caller.len() > CALLERS_KEPT {
            let mut fullest: Vec<_> = self.by_caller.iter().map(|(&key, bucket)| (bucket.full_in_ns(), key)).collect();
            let surplus = fullest.len() - CALLERS_KEPT;
            fullest.select_nth_unstable(surplus - 1);
            for (_, key) in &fullest[..surplus] {
                self.by_caller.remove(key);
            }
        }
    }
}

/// Whole requests in a number of parts that is at most `u32::MAX` requests.
fn whole(parts: u128) -> u32 {
    (parts / PARTS) as u32
}

fn seconds(ns: u128) -> u64 {
    ns.div_ceil(1_000_000_000).min(WINDOW_S.into()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(start: Instant, s: u64) -> Instant {
        start + Duration::from_secs(s)
    }

    #[test]
    fn a_whole_minute_may_come_at_once_and_then_evenly() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        for left in (0..30).rev() {
            let taken = quotas.take_at("a", 30, 1, start).unwrap();
            assert_eq!(taken.remaining, left);
            assert_eq!(taken.reset_s, (30 - u64::from(left)) * 2);
        }
        let refused = quotas.take_at("a", 30, 1, start).unwrap_err();
        assert_eq!(refused, Exceeded { retry_after_s: 2, limit: 30, remaining: 0 });
        assert_eq!(quotas.take_at("a", 30, 1, second(start, 1)).unwrap_err().retry_after_s, 1);
        assert_eq!(quotas.take_at("a", 30, 1, second(start, 2)).unwrap().remaining, 0);
        assert!(quotas.take_at("a", 30, 1, second(start, 2)).is_err());
        let full = quotas.take_at("a", 30, 0, second(start, 70)).unwrap();
        assert_eq!(full, Left { limit: 30, remaining: 30, reset_s: 0 });
    }

    #[test]
    fn waiting_as_told_is_enough() {
        for limit in [1, 7, 59, 60, 61, 1_000, u32::MAX] {
            let (quotas, start) = (Quotas::new(), Instant::now());
            assert_eq!(quotas.take_at("a", limit, limit, start).unwrap().remaining, 0);
            let refused = quotas.take_at("a", limit, 1, start).unwrap_err();
            assert!((1..=60).contains(&refused.retry_after_s));
            assert!(quotas.take_at("a", limit, 1, second(start, refused.retry_after_s)).is_ok(), "{limit}");
        }
    }

    #[test]
    fn a_batch_passes_whole_or_not_at_all() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        assert_eq!(quotas.take_at("a", 10, 7, start).unwrap().remaining, 3);
        let refused = quotas.take_at("a", 10, 4, start).unwrap_err();
        assert_eq!(refused, Exceeded { retry_after_s: 6, limit: 10, remaining: 3 });
        assert_eq!(quotas.take_at("a", 10, 3, start).unwrap().remaining, 0);
        assert_eq!(quotas.take_at("b", 10, 11, start).unwrap_err().retry_after_s, 60);
        assert_eq!(quotas.take_at("b", 0, 1, start).unwrap_err().limit, 0);
    }

    #[test]
    fn callers_have_their_own_limits_and_buckets() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        assert!(quotas.take_at("small", 1, 1, start).is_ok());
        assert!(quotas.take_at("small", 1, 1, start).is_err());
        assert_eq!(quotas.take_at("large", 100, 1, start).unwrap().remaining, 99);
        // A limit that changes keeps what was taken.
        assert_eq!(quotas.take_at("large", 50, 0, start).unwrap().remaining, 49);
        assert_eq!(quotas.take_at("small", 3, 1, start).unwrap().remaining, 1);
        for _ in 0..3 {
            assert_eq!(quotas.take("anyone", None, 1), Ok(None));
        }
    }

    #[test]
    fn a_clock_that_steps_back_gives_nothing_away() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        assert!(quotas.take_at("a", 1, 1, second(start, 100)).is_ok());
        assert!(quotas.take_at("a", 1, 1, start).is_err());
        assert!(quotas.take_at("a", 1, 1, second(start, 159)).is_err());
        assert!(quotas.take_at("a", 1, 1, second(start, 160)).is_ok());
    }

    #[test]
    fn idle_callers_are_forgotten() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        for caller in 0..100 {
            quotas.take_at(&caller.to_string(), 60, 1, start).unwrap();
        }
        assert_eq!(quotas.callers(), 100);
        quotas.take_at("late", 60, 1, second(start, 61)).unwrap();
        assert_eq!(quotas.callers(), 1);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_those_in_debt() {
        let (quotas, start) = (Quotas::new(), Instant::now());
        assert!(quotas.take_at("greedy", 60, 60, start).is_ok());
        for caller in 0..50_000 {
            assert!(quotas.take_at(&format!("caller {caller}"), 60, 1, start).is_ok());
            assert!(quotas.callers() <= CALLER_LIMIT);
        }
        assert!(quotas.take_at("greedy", 60, 1, start).is_err());
    }

    #[test]
    fn fields_follow_the_draft() {
        let left = Left { limit: 120, remaining: 99, reset_s: 11 };
        let [(policy, quota), (name, state)] = left.headers();
        assert_eq!((policy, quota.as_str()), ("ratelimit-policy", "\"minute\";q=120;w=60"));
        assert_eq!((name, state.as_str()), ("ratelimit", "\"minute\";r=99;t=11"));
        let [_, (_, state)] = Exceeded { retry_after_s: 3, limit: 120, remaining: 0 }.headers();
        assert_eq!(state, "\"minute\";r=0;t=3");
    }
}
