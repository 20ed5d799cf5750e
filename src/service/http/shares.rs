//! Places that many callers want → for each as many as leave some for whoever comes next.
//!
//! Who holds fewer than are free may take another: one caller alone comes to half of the places, and k callers, as places
//! come back, to one part in k + 1 each, with as much free for the next. This is the dynamic threshold of Choudhury and Hahne ("Dynamic Queue
//! Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Transactions on Networking 6(2), 1998) with α = 1.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// The caller has its share; others still find one.
    Share,
    /// Nobody finds one.
    All,
}

/// Whether who holds `held` of `most` places, `all` of which are taken, may take another.
pub(crate) const fn may_take(held: usize, all: usize, most: usize) -> Result<(), Full> {
    let free = most.saturating_sub(all);
    match free {
        0 => Err(Full::All),
        _ if held >= free => Err(Full::Share),
        _ => Ok(()),
    }
}

/// Places, and who holds how many of them.
#[derive(Debug)]
pub(crate) struct Shares<K> {
    most: usize,
    held: Mutex<Held<K>>,
}

#[derive(Debug)]
struct Held<K> {
    /// Nobody stands here who holds none.
    by_caller: HashMap<K, usize>,
    all: usize,
}

impl<K: Eq + Hash + Clone> Shares<K> {
    /// `most` places.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::new(Held { by_caller: HashMap::new(), all: 0 }) })
    }

    /// Another place for `who`, within its share.
    pub(crate) fn take(self: &Arc<Self>, who: &K) -> Result<Share<K>, Full> {
        self.take_if(who, may_take)
    }

    /// Another place for `who`, who has no share of its own: it stands for many.
    pub(crate) fn take_any(self: &Arc<Self>, who: &K) -> Result<Share<K>, Full> {
        self.take_if(who, |_, all, most| may_take(0, all, most))
    }

    fn take_if(
        self: &Arc<Self>,
        who: &K,
        may: impl Fn(usize, usize, usize) -> Result<(), Full>,
    ) -> Result<Share<K>, Full> {
        let mut held = self.held.lock();
        let own = held.by_caller.get(who).copied().unwrap_or(0);
        may(own, held.all, self.most)?;
        held.by_caller.insert(who.clone(), own + 1);
        held.all += 1;
        Ok(Share { of: Arc::clone(self), who: who.clone() })
    }

    /// How many are held.
    pub(crate) fn held(&self) -> usize {
        self.held.lock().all
    }
}

/// A place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Share<K: Eq + Hash + Clone> {
    of: Arc<Shares<K>>,
    who: K,
}

impl<K: Eq + Hash + Clone> Drop for Share<K> {
    fn drop(&mut self) {
        let mut held = self.of.held.lock();
        held.all -= 1;
        if let Some(own) = held.by_caller.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                held.by_caller.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes as many as may be.
    fn fill(shares: &Arc<Shares<u32>>, who: u32) -> Vec<Share<u32>> {
        let mut taken = Vec::new();
        loop {
            match shares.take(&who) {
                Ok(share) => taken.push(share),
                Err(why) => {
                    assert_eq!(why == Full::All, shares.held() == shares.most, "{why:?}");
                    return taken;
                }
            }
        }
    }

    #[test]
    fn as_places_come_back_all_come_to_equal_shares_and_the_next_finds_one() {
        for (most, callers) in [(3, 2), (12, 3), (64, 7), (64, 20)] {
            let shares = Shares::new(most);
            let mut taken: Vec<_> = (0..callers).map(|who| fill(&shares, who)).collect();
            for _ in 0..most {
                // Each upload ends one day, and its caller wants the place again.
                for (who, own) in taken.iter_mut().enumerate() {
                    own.pop();
                    own.extend(fill(&shares, who as u32));
                }
            }
            let fair = most / (callers as usize + 1);
            for own in &taken {
                assert!((fair..=fair + 1).contains(&own.len()), "{most} places: {} of {fair}", own.len());
            }
            assert!(shares.take(&u32::MAX).is_ok(), "{most} places, {callers} callers: nothing for the next");
            drop(taken);
            assert_eq!((shares.held(), shares.held.lock().by_caller.len()), (0, 0));
        }
    }

    #[test]
    fn one_alone_comes_to_half() {
        for (most, own) in [(1, 1), (2, 1), (3, 2), (12, 6), (64, 32)] {
            let shares = Shares::new(most);
            let mut taken = fill(&shares, 1);
            assert_eq!(taken.len(), own, "of {most}");
            taken.pop();
            assert_eq!(fill(&shares, 1).len(), 1, "what is given back can be had again");
        }
    }

    #[test]
    fn who_stands_for_many_may_have_all_and_no_more() {
        let shares = Shares::new(3);
        let _taken: Vec<_> = (0..3).map(|_| shares.take_any(&1).unwrap()).collect();
        assert_eq!(shares.take_any(&1).unwrap_err(), Full::All);
        assert_eq!(shares.take(&2).unwrap_err(), Full::All);
    }
}
