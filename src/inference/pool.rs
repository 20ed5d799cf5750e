//! Things that serve one caller at a time and are costly to hold → one for a caller, as few as keep callers from queueing.

use std::ops::{Deref, DerefMut};

use parking_lot::{Condvar, Mutex};

/// A caller takes one and gives it back. Where none is idle, one caller waits; where one waits already, the next makes
/// another: two callers share one, of many each pair has its own at most.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    returned: Condvar,
}

struct State<T> {
    idle: Vec<T>,
    waiting: usize,
}

impl<T> Pool<T> {
    pub(super) fn of(first: T) -> Self {
        Self { state: Mutex::new(State { idle: vec![first], waiting: 0 }), returned: Condvar::new() }
    }

    /// One for this caller alone.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn take<E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Taken<'_, T>, E> {
        let mut state = self.state.lock();
        if state.idle.is_empty() && state.waiting > 0 {
            drop(state);
            return Ok(Taken { pool: self, one: vec![make()?] });
        }
        state.waiting += 1;
        self.returned.wait_while(&mut state, |state| state.idle.is_empty());
        state.waiting -= 1;
        let one = state.idle.pop().into_iter().collect();
        Ok(Taken { pool: self, one })
    }
}

/// What was taken; it goes back when this is dropped, whatever became of the caller.
pub(super) struct Taken<'a, T> {
    pool: &'a Pool<T>,
    // One until this is dropped, in what lets it be moved out then.
    one: Vec<T>,
}

impl<T> Deref for Taken<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.one[0]
    }
}

impl<T> DerefMut for Taken<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.one[0]
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.pool.state.lock().idle.append(&mut self.one);
        self.pool.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::thread;

    use super::*;

    fn take(pool: &Pool<u32>) -> Taken<'_, u32> {
        pool.take(|| Ok::<_, Infallible>(2)).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn one_caller_waits_and_the_next_makes_another() {
        let pool = Pool::of(1);
        let first = take(&pool);
        assert_eq!(*first, 1);
        thread::scope(|scope| {
            let second = scope.spawn(|| *take(&pool));
            while pool.state.lock().waiting == 0 && !second.is_finished() {
                thread::yield_now();
            }
            let third = take(&pool);
            assert_eq!(*third, 2);
            drop(first);
            assert_eq!(second.join().expect("no panic"), 1);
            drop(third);
        });
        assert_eq!(pool.state.lock().idle.len(), 2);
    }

    #[test]
    fn what_a_caller_took_comes_back_when_it_panics() {
        let pool = Pool::of(1);
        let ended = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let _taken = take(&pool);
                    std::panic::resume_unwind(Box::new(()));
                })
                .join()
        });
        assert!(ended.is_err());
        assert_eq!(pool.state.lock().idle, [1]);
    }
}
