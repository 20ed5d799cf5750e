//! Items → rows in the order of the items, by a fixed number of workers, with bounded look-ahead.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

use super::files::failure;
use super::sources::Item;
use crate::policy::Decision;
use crate::report::{FailureCause, Row};
use crate::words::{Counts, Notice, noticed_in_both};

/// Bytes of decoded pictures a worker may hold, on average: a 12-megapixel photograph with room to work.
pub const BUDGET_PER_WORKER: u64 = 80_000_000;

/// How rarely a waiting thread looks whether it was told to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// How a screening runs.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Workers, at least one.
    pub threads: usize,
    /// How many items may be taken beyond the first that is not yet written.
    pub window: usize,
}

impl Settings {
    /// `threads` workers, with a look-ahead that lets short files overtake a long one.
    #[must_use]
    pub const fn with_threads(threads: usize) -> Self {
        let threads = if threads == 0 { 1 } else { threads };
        Self { threads, window: threads * 8 }
    }
}

/// A row, and a small JPEG if one was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The row.
    pub row: Row,
    /// The photograph, small.
    pub thumbnail: Option<Vec<u8>>,
}

/// How many came out how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Accepted.
    pub accept: u64,
    /// To be photographed again.
    pub retake: u64,
    /// For a person to look at.
    pub review: u64,
    /// Refused.
    pub reject: u64,
    /// Not examined.
    pub failed: u64,
}

impl Tally {
    /// Counts a row; `None` is a failure.
    pub const fn count(&mut self, decision: Option<Decision>) {
        match decision {
            Some(Decision::Accept) => self.accept += 1,
            Some(Decision::Retake) => self.retake += 1,
            Some(Decision::Review) => self.review += 1,
            Some(Decision::Reject) => self.reject += 1,
            None => self.failed += 1,
        }
    }

    /// All rows.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.accept + self.retake + self.review + self.reject + self.failed
    }

    /// The counts as they are told, `earlier` of them examined in an earlier screening.
    #[must_use]
    pub const fn counts(&self, earlier: u64) -> Counts {
        let by_outcome = [self.accept, self.retake, self.review, self.reject, self.failed];
        Counts { files: self.total(), earlier, by_outcome }
    }
}

struct Progress<O> {
    taken: usize,
    written: usize,
    ready: BTreeMap<usize, O>,
    workers: usize,
    abandoned: bool,
}

struct Shared<'a, I, O> {
    items: &'a [I],
    window: usize,
    stop: &'a AtomicBool,
    progress: Mutex<Progress<O>>,
    changed: Condvar,
}

/// Examines `items` and gives `sink` their rows in the order of the items, on the calling thread.
///
/// A panic in `examine` becomes a failure with code `failed`. Once `stop` is set no further item is begun; those begun
/// are finished and written, so what `sink` got is always the first so many rows.
///
/// # Errors
/// Whatever `sink` fails with, or when no threads can be had; nothing further is begun then.
pub fn run(
    items: &[Item],
    settings: Settings,
    stop: &AtomicBool,
    examine: &(dyn Fn(&Item) -> Done + Sync),
    sink: &mut dyn FnMut(Done) -> io::Result<()>,
) -> io::Result<()> {
    in_order(items, settings, stop, &|item| unharmed(item, examine), sink)
}

/// What `examine` makes of `item`; a panic in it is a failure with code [`PANICKED`].
pub fn unharmed(item: &Item, examine: &(dyn Fn(&Item) -> Done + Sync)) -> Done {
    catch_unwind(AssertUnwindSafe(|| examine(item))).unwrap_or_else(|_| {
        let row = failure(&item.path(), FailureCause::new(PANICKED, noticed_in_both(Notice::ProgramFailed)));
        Done { row: Row::Failure(row), thumbnail: None }
    })
}

/// Code for a file on which the program itself failed.
pub const PANICKED: &str = "failed";

/// What `work` makes of `items`, given to `sink` in the order of the items, on the calling thread; `work` may not panic.
///
/// # Errors
/// As [`run`].
pub fn in_order<I: Sync, O: Send>(
    items: &[I],
    settings: Settings,
    stop: &AtomicBool,
    work: &(dyn Fn(&I) -> O + Sync),
    sink: &mut dyn FnMut(O) -> io::Result<()>,
) -> io::Result<()> {
    let threads = settings.threads.max(1);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("examine-{i}"))
        .build()
        .map_err(io::Error::other)?;
    let progress = Progress { taken: 0, written: 0, ready: BTreeMap::new(), workers: threads, abandoned: false };
    let window = settings.window.max(threads);
    let shared = Shared { items, window, stop, progress: Mutex::new(progress), changed: Condvar::new() };
    std::thread::scope(|scope| {
        // One long task a worker, and no parallel iterator: a worker that waits inside an engine must not begin
        // another picture meanwhile.
        scope.spawn(|| pool.broadcast(|_| shared.work(work)));
        shared.write(sink)
    })
}

impl<I: Sync, O: Send> Shared<'_, I, O> {
    fn lock(&self) -> MutexGuard<'_, Progress<O>> {
        self.progress.lock()
    }

    fn wait(&self, guard: &mut MutexGuard<'_, Progress<O>>) {
        self.changed.wait_for(guard, GLANCE);
    }

    /// The next item's place, or `None` when there is nothing more to begin.
    fn take(&self) -> Option<usize> {
        let mut progress = self.lock();
        loop {
            if progress.taken >= self.items.len() || progress.abandoned || self.stop.load(Ordering::Relaxed) {
                return None;
            }
            if progress.taken - progress.written < self.window {
                progress.taken += 1;
                return Some(progress.taken - 1);
            }
            self.wait(&mut progress);
        }
    }

    fn work(&self, work: &(dyn Fn(&I) -> O + Sync)) {
        while let Some(at) = self.take() {
            let done = work(&self.items[at]);
            self.lock().ready.insert(at, done);
            self.changed.notify_all();
        }
        self.lock().workers -= 1;
        self.changed.notify_all();
    }

    fn write(&self, sink: &mut dyn FnMut(O) -> io::Result<()>) -> io::Result<()> {
        let mut progress = self.lock();
        loop {
            let next = progress.written;
            if let Some(done) = progress.ready.remove(&next) {
                drop(progress);
                let outcome = sink(done);
                progress = self.lock();
                progress.written += 1;
                progress.abandoned |= outcome.is_err();
                self.changed.notify_all();
                outcome?;
            } else if progress.workers == 0 {
                return Ok(());
            } else {
                self.wait(&mut progress);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Sentence;

    fn items(n: usize) -> Vec<Item> {
        (0..n).map(|i| Item::File(format!("{i:03}").into())).collect()
    }

    fn answer(item: &Item) -> Done {
        Done {
            row: Row::Failure(failure(&item.path(), FailureCause::new("seen", Sentence::default()))),
            thumbnail: None,
        }
    }

    fn code(done: &Done) -> &str {
        match &done.row {
            Row::Failure(failure) => &failure.error.code,
            Row::Report(_) => "report",
        }
    }

    #[test]
    fn rows_keep_the_order_of_items_and_a_panic_is_a_row() {
        let items = items(60);
        let examine = |item: &Item| {
            let i: u64 = item.name().parse().unwrap();
            std::thread::sleep(Duration::from_millis((i * 7) % 5));
            assert!(i != 17, "on purpose");
            answer(item)
        };
        let mut rows = Vec::new();
        let mut sink = |done: Done| {
            rows.push((done.row.path().to_owned(), code(&done).to_owned()));
            Ok(())
        };
        run(&items, Settings { threads: 4, window: 6 }, &AtomicBool::new(false), &examine, &mut sink).unwrap();
        assert_eq!(rows.len(), 60);
        for (i, (path, code)) in rows.iter().enumerate() {
            assert_eq!(path, &format!("{i:03}"));
            assert_eq!(code, if i == 17 { "failed" } else { "seen" });
        }
    }

    #[test]
    fn stop_finishes_what_was_begun_and_nothing_else() {
        let items = items(1000);
        let stop = AtomicBool::new(false);
        let mut rows = 0;
        let mut sink = |done: Done| {
            assert_eq!(done.row.path(), format!("{rows:03}"));
            rows += 1;
            stop.store(rows >= 20, Ordering::Relaxed);
            Ok(())
        };
        run(&items, Settings::with_threads(3), &stop, &answer, &mut sink).unwrap();
        assert!((20..=20 + 24).contains(&rows), "{rows}");
    }

    #[test]
    fn a_sink_that_fails_ends_the_screening() {
        let mut sink = |_: Done| Err(io::Error::other("disk full"));
        let outcome = run(&items(500), Settings::with_threads(2), &AtomicBool::new(false), &answer, &mut sink);
        assert_eq!(outcome.unwrap_err().to_string(), "disk full");
    }
}
