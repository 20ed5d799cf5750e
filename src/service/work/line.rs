//! Requests for a worker, each of a caller → who is next, so that no caller's work keeps another's waiting.
//!
//! Time on the threads is shared, not turns: who has had least is next, and who comes back after a while begins where
//! the others are (start-time fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996; the time is known only afterwards, so a
//! caller's mean is charged first). Beside the threads there is one place more, for who has nothing in work: work that
//! takes long cannot be taken back, and with every thread at it a new caller would wait for its end.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::service::http::peer::Lane;
use crate::service::http::shares::{Full, may_take};

/// What was measured last weighs this much in the mean time of a piece of work.
const NEWEST_WEIGHT: f64 = 0.1;

/// A guess of the time of a piece of work, before there is any to go by.
pub(super) const FIRST_GUESS: Duration = Duration::from_millis(250);

/// Places beside the threads, for who has nothing in work.
pub(super) const RESERVE: usize = 1;

/// Callers that are remembered after their work: whoever has had more than the others cannot shed it by a pause.
const MOST_REMEMBERED: usize = 1_024;

/// The line before the workers.
#[derive(Debug)]
pub(super) struct Line {
    threads: usize,
    /// Requests of one caller alone that may wait; twice as many of several together.
    queue: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    callers: HashMap<Lane, Account>,
    at_work: usize,
    /// Requests that wait, those that limit themselves aside.
    counted: usize,
    /// Time on the threads that whoever was served last had had before: who comes anew begins there.
    now_us: f64,
    /// Mean time of a piece of work of anybody.
    mean_us: f64,
    tickets: u64,
}

/// A caller's.
#[derive(Debug)]
struct Account {
    waiting: VecDeque<Ticket>,
    counted: usize,
    at_work: usize,
    /// Time on the threads that it has had, or is charged for.
    spent_us: f64,
    mean_us: f64,
}

#[derive(Debug)]
struct Ticket {
    number: u64,
    counted: bool,
    /// Tells of its turn, and what its caller was charged.
    go: oneshot::Sender<f64>,
}

impl State {
    /// A caller begins where the others are, and has no more behind it than they.
    fn account(&mut self, lane: &Lane) -> &mut Account {
        let (now_us, mean_us) = (self.now_us, self.mean_us);
        let fresh = || Account { waiting: VecDeque::new(), counted: 0, at_work: 0, spent_us: now_us, mean_us };
        let account = self.callers.entry(Arc::clone(lane)).or_insert_with(fresh);
        if account.waiting.is_empty() && account.at_work == 0 {
            account.spent_us = account.spent_us.max(now_us);
        }
        account
    }

    /// Gives places to who is next for as long as there are any.
    fn dispatch(&mut self, threads: usize) {
        while self.at_work < threads + RESERVE {
            let reserved = self.at_work >= threads;
            let next = self
                .callers
                .values_mut()
                .filter(|caller| !caller.waiting.is_empty() && (!reserved || caller.at_work == 0));
            let Some(next) = next.min_by(|a, b| a.spent_us.total_cmp(&b.spent_us)) else { return };
            let Some(ticket) = next.waiting.pop_front() else { return };
            self.now_us = self.now_us.max(next.spent_us);
            let charged_us = next.mean_us;
            next.spent_us += charged_us;
            next.at_work += 1;
            next.counted -= usize::from(ticket.counted);
            self.counted -= usize::from(ticket.counted);
            self.at_work += 1;
            // Whoever went away took the ticket along.
            let _ = ticket.go.send(charged_us);
        }
    }

    /// Gives a place back. `spent` is the time that the work took; `None` where it was not begun.
    fn leave(&mut self, lane: &Lane, charged_us: f64, spent: Option<Duration>) {
        self.at_work -= 1;
        let spent_us = spent.map(|spent| spent.as_secs_f64() * 1e6);
        if let Some(caller) = self.callers.get_mut(lane) {
            caller.at_work -= 1;
            caller.spent_us += spent_us.unwrap_or(0.0) - charged_us;
            for (mean, spent) in [&mut caller.mean_us, &mut self.mean_us].into_iter().zip([spent_us; 2]) {
                *mean += spent.map_or(0.0, |spent| NEWEST_WEIGHT * (spent - *mean));
            }
        }
        self.forget();
    }

    /// Forgets callers that are done and have had no more than the others, and everybody once nothing is left to do.
    fn forget(&mut self) {
        let idle = |caller: &Account| caller.waiting.is_empty() && caller.at_work == 0;
        if self.at_work == 0 && self.callers.values().all(idle) {
            self.callers.clear();
            self.now_us = 0.0;
        } else if self.callers.len() > MOST_REMEMBERED {
            let now_us = self.now_us;
            self.callers.retain(|_, caller| !idle(caller) || caller.spent_us > now_us);
        }
    }
}

impl Line {
    /// Before `threads` threads, and with places for `queue` requests of one caller.
    pub(super) fn new(threads: usize, queue: usize) -> Arc<Self> {
        let state = State {
            callers: HashMap::new(),
            at_work: 0,
            counted: 0,
            now_us: 0.0,
            mean_us: FIRST_GUESS.as_secs_f64() * 1e6,
            tickets: 0,
        };
        Arc::new(Self { threads, queue, state: Mutex::new(state) })
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().callers.values().map(|caller| caller.waiting.len()).sum()
    }

    /// How many places are taken.
    pub(super) fn at_work(&self) -> usize {
        self.state.lock().at_work
    }

    /// Why another request of `lane` would find no place in line.
    pub(super) fn fits(&self, lane: &Lane) -> Result<(), Full> {
        let state = self.state.lock();
        let caller = state.callers.get(lane);
        if state.at_work < self.threads
            || (state.at_work < self.threads + RESERVE && caller.is_none_or(|c| c.at_work == 0))
        {
            return Ok(());
        }
        // With twice as many places one alone comes to `queue`.
        may_take(caller.map_or(0, |caller| caller.counted), state.counted, 2 * self.queue)
    }

    /// How long another request of `lane` would wait, about: the time of the work that comes before it.
    pub(super) fn expected_wait(&self, lane: &Lane) -> Duration {
        let state = self.state.lock();
        let own = state.callers.get(lane);
        let (waiting, mean_us) = own.map_or((0, state.mean_us), |own| (own.waiting.len(), own.mean_us));
        let begins_us = own.map_or(0.0, |own| own.spent_us).max(state.now_us);
        let turn_us = begins_us + waiting as f64 * mean_us;
        let others = state.callers.iter().filter(|(other, _)| *other != lane).map(|(_, other)| {
            let before = ((turn_us - other.spent_us) / other.mean_us.max(1.0)).ceil();
            before.clamp(0.0, other.waiting.len() as f64) * other.mean_us
        });
        let before_us = others.sum::<f64>() + waiting as f64 * mean_us;
        Duration::from_secs_f64(before_us / 1e6 / self.threads as f64)
    }

    /// A place in line for `lane`; what is not `counted` limits itself, and is let in always.
    pub(super) fn stand(self: &Arc<Self>, lane: &Lane, counted: bool) -> Result<Standing, Full> {
        if counted {
            self.fits(lane)?;
        }
        let (go, turn) = oneshot::channel();
        let mut state = self.state.lock();
        state.tickets += 1;
        let number = state.tickets;
        state.counted += usize::from(counted);
        let account = state.account(lane);
        account.counted += usize::from(counted);
        account.waiting.push_back(Ticket { number, counted, go });
        state.dispatch(self.threads);
        drop(state);
        Ok(Standing { line: Arc::clone(self), lane: Arc::clone(lane), number, turn, is_over: false })
    }
}

/// Somebody in line; gone from it when dropped.
#[derive(Debug)]
pub(super) struct Standing {
    line: Arc<Line>,
    lane: Lane,
    number: u64,
    turn: oneshot::Receiver<f64>,
    is_over: bool,
}

impl Standing {
    /// Waits for its turn.
    pub(super) async fn turn(mut self) -> Option<Turn> {
        let charged_us = (&mut self.turn).await.ok()?;
        self.is_over = true;
        Some(Turn { line: Arc::clone(&self.line), lane: Arc::clone(&self.lane), charged_us, begun: None })
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut state = self.line.state.lock();
        let Some(caller) = state.callers.get_mut(&self.lane) else { return };
        if let Some(at) = caller.waiting.iter().position(|ticket| ticket.number == self.number) {
            let counted = usize::from(caller.waiting.remove(at).is_some_and(|ticket| ticket.counted));
            caller.counted -= counted;
            state.counted -= counted;
            state.forget();
        } else {
            // Its turn came as it went.
            state.leave(&self.lane, self.turn.try_recv().unwrap_or(0.0), None);
            state.dispatch(self.line.threads);
        }
    }
}

/// A place on the threads, given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    line: Arc<Line>,
    lane: Lane,
    charged_us: f64,
    begun: Option<Instant>,
}

impl Turn {
    /// The work begins now.
    pub(super) fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let spent = self.begun.map(|begun| begun.elapsed());
        let mut state = self.line.state.lock();
        state.leave(&self.lane, self.charged_us, spent);
        state.dispatch(self.line.threads);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn lane(name: &str) -> Lane {
        name.into()
    }

    /// Whose turn it is already.
    fn turn(standing: Standing) -> Result<Turn, Standing> {
        let mut standing = standing;
        match standing.turn.try_recv() {
            Ok(charged_us) => {
                standing.is_over = true;
                Ok(Turn { line: Arc::clone(&standing.line), lane: Arc::clone(&standing.lane), charged_us, begun: None })
            }
            Err(_) => Err(standing),
        }
    }

    /// Ends work that took `ms`.
    fn end(turn: Turn, ms: u64) {
        let mut turn = turn;
        turn.begun = Instant::now().checked_sub(Duration::from_millis(ms));
    }

    #[test]
    fn who_comes_anew_is_next_however_many_of_another_wait() {
        let line = Line::new(2, 16);
        let (costly, honest) = (lane("costly"), lane("honest"));
        let mut waiting: Vec<_> = (0..10).map(|_| line.stand(&costly, true).unwrap()).collect();
        let first = turn(waiting.remove(0)).unwrap();
        let second = turn(waiting.remove(0)).unwrap();
        assert_eq!((line.at_work(), line.waiting()), (2, 8), "the reserve is not for who has work in hand");
        assert!(line.expected_wait(&costly) > line.expected_wait(&honest));
        // Beside the threads, at once.
        let beside = turn(line.stand(&honest, true).unwrap()).unwrap();
        let next = line.stand(&honest, true).unwrap();
        assert_eq!((line.at_work(), line.waiting()), (3, 9));
        end(beside, 100);
        // And on the thread that is free first, before all that waited when it came.
        end(first, 10_000);
        let next = turn(next).unwrap();
        assert_eq!(line.waiting(), 8);
        end(next, 100);
        end(second, 10_000);
        for standing in waiting {
            end(turn(standing).unwrap(), 10_000);
        }
        assert_eq!((line.at_work(), line.waiting(), line.state.lock().callers.len()), (0, 0, 0));
    }

    #[test]
    fn time_is_shared_and_not_turns() {
        let line = Line::new(2, 64);
        let callers =
            [("one", 1_000), ("two", 1_000), ("three", 100), ("four", 100)].map(|(name, ms)| (lane(name), ms));
        let (mut waiting, mut running) = (Vec::new(), Vec::new());
        let (mut clock, mut had) = (0, [0; 4]);
        while clock < 60_000 {
            for (at, (caller, _)) in callers.iter().enumerate() {
                while waiting.iter().filter(|(_, of)| *of == at).count() < 6 {
                    waiting.push((line.stand(caller, true).unwrap(), at));
                }
            }
            for (standing, of) in std::mem::take(&mut waiting) {
                match turn(standing) {
                    Ok(turn) => running.push((clock + callers[of].1, turn, of)),
                    Err(standing) => waiting.push((standing, of)),
                }
            }
            let first = (0..running.len()).min_by_key(|at| running[*at].0).unwrap();
            let (ends, turn, of) = running.swap_remove(first);
            clock = ends;
            had[of] += callers[of].1;
            end(turn, callers[of].1);
        }
        let (least, most) = (had.iter().min().unwrap(), had.iter().max().unwrap());
        assert!(most < &(2 * least), "milliseconds on the threads: {had:?}");
    }

    #[test]
    fn one_alone_finds_its_places_and_another_finds_one_when_they_are_taken() {
        let line = Line::new(1, 2);
        let (many, other) = (lane("many"), lane("other"));
        let held: Vec<_> = (0..3).map(|_| line.stand(&many, true).unwrap()).collect();
        assert_eq!(line.stand(&many, true).unwrap_err(), Full::Share);
        assert!(line.stand(&many, false).is_ok(), "who limits itself is let in");
        let others = [line.stand(&other, true).unwrap(), line.stand(&other, true).unwrap()];
        drop((held, others));
        assert_eq!((line.at_work(), line.waiting()), (0, 0));
    }

    #[test]
    fn who_goes_away_leaves_nothing_behind() {
        let line = Line::new(1, 4);
        let one = lane("one");
        let first = line.stand(&one, true).unwrap();
        let second = line.stand(&one, true).unwrap();
        // Its turn has come, and it does not know.
        drop(first);
        let turn = turn(second).unwrap();
        assert_eq!(line.at_work(), 1);
        let mut third = pin!(line.stand(&one, true).unwrap().turn());
        let mut context = Context::from_waker(Waker::noop());
        assert!(third.as_mut().poll(&mut context).is_pending());
        end(turn, 5);
        let Poll::Ready(Some(turn)) = third.as_mut().poll(&mut context) else { panic!("it is next") };
        drop(turn);
        assert_eq!((line.at_work(), line.waiting(), line.state.lock().counted), (0, 0, 0));
    }

    #[test]
    fn a_pause_sheds_nothing() {
        let line = Line::new(2, 16);
        let begin = |name: &str| turn(line.stand(&lane(name), true).unwrap());
        let _long = begin("long").unwrap();
        end(begin("greedy").unwrap(), 60_000);
        let (first, _second) = (begin("first").unwrap(), begin("second").unwrap());
        // It has had a minute, and stands in line before who has had nothing.
        let greedy = line.stand(&lane("greedy"), true).unwrap();
        let fresh = line.stand(&lane("fresh"), true).unwrap();
        end(first, 1);
        assert!(turn(fresh).is_ok(), "who has had nothing goes first");
        assert!(turn(greedy).is_ok(), "and then the other");
    }
}
