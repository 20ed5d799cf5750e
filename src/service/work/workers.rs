//! Work on pixels → its own threads, behind a bounded line that is fair by caller, with a longest wait.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::line::{Line, RESERVE, Turn};
use crate::service::http::peer::Lane;
use crate::service::http::shares::Full;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that decode and examine, and the line of requests before them.
///
/// Plain threads that wait for the next job: a work-stealing pool may leave two jobs to one thread while another sleeps,
/// which shows here, where a job is the whole of what somebody waits for.
pub(crate) struct Workers {
    jobs: mpsc::Sender<Job>,
    line: Arc<Line>,
    longest_wait: Duration,
}

/// Why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// The line is full, for this caller or for all.
    Full(Full),
    /// It stood in line for too long.
    Waited,
    /// It panicked.
    Failed,
}

impl Workers {
    /// `threads` threads and one more for callers that have nothing in work; one caller alone finds `queue` places in
    /// line, and it is full for who would wait longer than `longest_wait`.
    pub(crate) fn new(threads: usize, queue: usize, longest_wait: Duration) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        let places = threads + RESERVE;
        for i in 0..places {
            let waiting = Arc::clone(&waiting);
            let next = move || waiting.lock().recv();
            let work = move || {
                // Ends with the workers.
                while let Ok(job) = next() {
                    job();
                }
            };
            thread::Builder::new().name(format!("examine-{i}")).spawn(work)?;
        }
        Ok(Self { jobs, line: Line::new(threads, queue), longest_wait })
    }

    /// How many requests stand in line.
    pub(crate) fn waiting(&self) -> usize {
        self.line.waiting()
    }

    /// Why another request of `lane` would find no place, or none in time.
    pub(crate) fn fits(&self, lane: &Lane) -> Result<(), Full> {
        self.line.fits(lane)?;
        if self.line.expected_wait(lane) > self.longest_wait { Err(Full::All) } else { Ok(()) }
    }

    /// How many threads are at work.
    pub(crate) fn busy(&self) -> usize {
        self.line.at_work()
    }

    /// Seconds after which a request of `lane` that is turned away now should find a place.
    pub(crate) fn retry_after_s(&self, lane: &Lane) -> u64 {
        self.line.expected_wait(lane).as_secs().clamp(1, 30)
    }

    /// Does `work` on a thread of the pool, if it finds a place in line and its turn comes within `patience`; says how
    /// long it waited.
    ///
    /// Who stands in line has been let in, so that a wait which turns out longer than it seemed is no reason to send it
    /// away again: `patience` is the time after which an answer would be worth nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: &Lane,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Undone> {
        let asked = Instant::now();
        let standing = self.line.stand(lane, true).map_err(Undone::Full)?;
        let turn = tokio::time::timeout(patience, standing.turn()).await.map_err(|_| Undone::Waited)?;
        let waited = asked.elapsed();
        Ok((self.begin(turn.ok_or(Undone::Failed)?, work).await?, waited))
    }

    /// The same without a place in line: for who limits itself, as a batch does.
    pub(crate) async fn run_patiently<T: Send + 'static>(
        &self,
        lane: &Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Undone> {
        let asked = Instant::now();
        let standing = self.line.stand(lane, false).map_err(Undone::Full)?;
        let turn = standing.turn().await.ok_or(Undone::Failed)?;
        let waited = asked.elapsed();
        Ok((self.begin(turn, work).await?, waited))
    }

    async fn begin<T: Send + 'static>(
        &self,
        mut turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(move || {
            turn.begin();
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(turn);
            // Who asked may have gone away.
            let _ = sender.send(done);
        });
        self.jobs.send(job).map_err(|_| Undone::Failed)?;
        answer.await.map_err(|_| Undone::Failed)?.map_err(|_| Undone::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    fn one() -> Lane {
        "one".into()
    }

    #[tokio::test]
    async fn work_waits_in_line_and_is_turned_away_beyond_it() {
        let workers = Arc::new(Workers::new(1, 2, LONG).unwrap());
        let hold = || std::thread::sleep(Duration::from_millis(80));
        let started: Vec<_> = (0..3)
            .map(|_| {
                let workers = Arc::clone(&workers);
                tokio::spawn(async move { workers.run(&one(), LONG, hold).await.map(|_| ()) })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!((workers.busy(), workers.waiting()), (1, 2));
        assert_eq!(workers.run(&one(), LONG, || ()).await.unwrap_err(), Undone::Full(Full::Share));
        for task in started {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
        assert_eq!((workers.busy(), workers.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn it_is_full_for_who_would_wait_too_long() {
        let workers = Arc::new(Workers::new(1, 9, Duration::from_millis(250)).unwrap());
        let hold = || std::thread::sleep(Duration::from_millis(80));
        let mut started = Vec::new();
        for full in [false, false, true] {
            let again = Arc::clone(&workers);
            started.push(tokio::spawn(async move { again.run(&one(), LONG, hold).await }));
            tokio::time::sleep(Duration::from_millis(10)).await;
            // One at work, and then one and two in line.
            assert_eq!(workers.fits(&one()).is_err(), full);
        }
        for task in started {
            assert!(task.await.unwrap().is_ok());
        }
        assert!(workers.fits(&one()).is_ok());
    }

    #[tokio::test]
    async fn what_waits_too_long_is_dropped_and_a_panic_is_an_answer() {
        let workers = Arc::new(Workers::new(1, 2, LONG).unwrap());
        let long = Arc::clone(&workers);
        let long =
            tokio::spawn(
                async move { long.run(&one(), LONG, || std::thread::sleep(Duration::from_millis(120))).await },
            );
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(workers.run(&one(), Duration::from_millis(30), || ()).await.unwrap_err(), Undone::Waited);
        assert!(long.await.unwrap().is_ok());
        assert_eq!(workers.run(&one(), LONG, || panic!("on purpose")).await.unwrap_err(), Undone::Failed);
        assert!(workers.run(&one(), LONG, || 5).await.is_ok_and(|(n, _)| n == 5));
    }
}
