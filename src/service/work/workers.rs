//! Work on pixels → its own threads, behind a bounded queue with a longest wait.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// What was measured last weighs this much in the mean time of a piece of work.
const NEWEST_WEIGHT: f64 = 0.1;

/// A guess of the time of a piece of work, before there is any to go by.
const FIRST_GUESS: Duration = Duration::from_millis(250);

type Job = Box<dyn FnOnce() + Send>;

/// Threads that decode and examine, and the line of requests before them.
///
/// Plain threads that wait for the next job: a work-stealing pool may leave two jobs to one thread while another sleeps,
/// which shows here, where a job is the whole of what somebody waits for.
pub(crate) struct Workers {
    jobs: mpsc::Sender<Job>,
    threads: usize,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    longest_wait: Duration,
    mean_us: AtomicU64,
}

/// Why work was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// The line is full.
    Full,
    /// It stood in line for too long.
    Waited,
    /// It panicked.
    Failed,
}

impl Workers {
    /// `threads` threads and at most `queue` in line; it is full for who would wait longer than `longest_wait`.
    pub(crate) fn new(threads: usize, queue: usize, longest_wait: Duration) -> io::Result<Self> {
        let (jobs, waiting) = mpsc::channel::<Job>();
        let waiting = Arc::new(Mutex::new(waiting));
        for i in 0..threads {
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
        Ok(Self {
            jobs,
            threads,
            permits: Arc::new(Semaphore::new(threads)),
            waiting: AtomicUsize::new(0),
            queue,
            longest_wait,
            mean_us: AtomicU64::new(FIRST_GUESS.as_micros() as u64),
        })
    }

    /// How many requests stand in line.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Whether another request would find no place, or none in time.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting() >= self.queue || self.expected_wait() > self.longest_wait
    }

    /// How many threads are at work.
    pub(crate) fn busy(&self) -> usize {
        self.threads - self.permits.available_permits().min(self.threads)
    }

    /// Seconds after which a request that is turned away now should find a place.
    pub(crate) fn retry_after_s(&self) -> u64 {
        self.expected_wait().as_secs().clamp(1, 30)
    }

    fn expected_wait(&self) -> Duration {
        let each = Duration::from_micros(self.mean_us.load(Ordering::Relaxed));
        each.mul_f64(self.waiting() as f64 / self.threads as f64)
    }

    /// Does `work` on a thread of the pool, if it finds a place in line and its turn comes within `patience`; says how
    /// long it waited.
    ///
    /// Who stands in line has been let in, so that a wait which turns out longer than it seemed is no reason to send it
    /// away again: `patience` is the time after which an answer would be worth nothing.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Undone> {
        let asked = Instant::now();
        let permit = {
            let _place = Place::take(&self.waiting, self.queue).ok_or(Undone::Full)?;
            let permit = tokio::time::timeout(patience, Arc::clone(&self.permits).acquire_owned());
            permit.await.map_err(|_| Undone::Waited)?.map_err(|_| Undone::Failed)?
        };
        let waited = asked.elapsed();
        Ok((self.begin(permit, work).await?, waited))
    }

    /// The same without a place in line: for who limits itself, as a batch does.
    pub(crate) async fn run_patiently<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Undone> {
        let asked = Instant::now();
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Undone::Failed)?;
        let waited = asked.elapsed();
        Ok((self.begin(permit, work).await?, waited))
    }

    async fn begin<T: Send + 'static>(
        &self,
        permit: OwnedSemaphorePermit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Undone> {
        let (sender, answer) = oneshot::channel();
        let job = Box::new(move || {
            let begun = Instant::now();
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(permit);
            // Who asked may have gone away.
            let _ = sender.send(done.map(|done| (done, begun.elapsed())));
        });
        self.jobs.send(job).map_err(|_| Undone::Failed)?;
        let (done, spent) = answer.await.map_err(|_| Undone::Failed)?.map_err(|_| Undone::Failed)?;
        let mean = self.mean_us.load(Ordering::Relaxed) as f64;
        let mean = mean + NEWEST_WEIGHT * (spent.as_micros() as f64 - mean);
        self.mean_us.store(mean as u64, Ordering::Relaxed);
        Ok(done)
    }
}

/// A place in line, given back when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(line: &'a AtomicUsize, most: usize) -> Option<Self> {
        let more = |n| (n < most).then_some(n + 1);
        line.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Self(line))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn work_waits_in_line_and_is_turned_away_beyond_it() {
        let workers = Arc::new(Workers::new(1, 2, LONG).unwrap());
        let hold = || std::thread::sleep(Duration::from_millis(80));
        let started: Vec<_> = (0..3)
            .map(|_| {
                let workers = Arc::clone(&workers);
                tokio::spawn(async move { workers.run(LONG, hold).await.map(|_| ()) })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!((workers.busy(), workers.waiting()), (1, 2));
        assert_eq!(workers.run(LONG, || ()).await.unwrap_err(), Undone::Full);
        for task in started {
            assert_eq!(task.await.unwrap(), Ok(()));
        }
        assert_eq!((workers.busy(), workers.waiting()), (0, 0));
    }

    #[tokio::test]
    async fn it_is_full_for_who_would_wait_too_long() {
        let workers = Arc::new(Workers::new(1, 9, FIRST_GUESS).unwrap());
        let hold = || std::thread::sleep(Duration::from_millis(80));
        let mut started = Vec::new();
        for full in [false, false, true] {
            let one = Arc::clone(&workers);
            started.push(tokio::spawn(async move { one.run(LONG, hold).await }));
            tokio::time::sleep(Duration::from_millis(10)).await;
            // One at work, and then one and two in line.
            assert_eq!(workers.is_full(), full);
        }
        for task in started {
            assert!(task.await.unwrap().is_ok());
        }
        assert!(!workers.is_full());
    }

    #[tokio::test]
    async fn what_waits_too_long_is_dropped_and_a_panic_is_an_answer() {
        let workers = Arc::new(Workers::new(1, 2, LONG).unwrap());
        let long = Arc::clone(&workers);
        let long = tokio::spawn(async move { long.run(LONG, || std::thread::sleep(Duration::from_millis(120))).await });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(workers.run(Duration::from_millis(30), || ()).await.unwrap_err(), Undone::Waited);
        assert!(long.await.unwrap().is_ok());
        assert_eq!(workers.run(LONG, || panic!("on purpose")).await.unwrap_err(), Undone::Failed);
        assert!(workers.run(LONG, || 5).await.is_ok_and(|(n, _)| n == 5));
    }
}
