//! How far a long task is → a bar on a terminal, a line every ten seconds elsewhere.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use parking_lot::Mutex;

use super::say;

/// Time between two lines.
const BETWEEN: Duration = Duration::from_secs(10);

/// How far a task is.
pub(super) struct Progress {
    what: &'static str,
    all: u64,
    done: AtomicU64,
    /// On a terminal.
    bar: Option<ProgressBar>,
    spoken: Mutex<Instant>,
}

impl Progress {
    /// The progress of `all` pieces of `what`, for example `robustness`.
    pub(super) fn of(what: &'static str, all: u64) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{msg} {bar:30} {human_pos}/{human_len}  {per_sec}  {eta} left");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.with_message(what)
        });
        Self { what, all, done: AtomicU64::new(0), bar, spoken: Mutex::new(Instant::now()) }
    }

    /// One more is done.
    pub(super) fn one(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        let mut spoken = self.spoken.lock();
        if spoken.elapsed() >= BETWEEN {
            *spoken = Instant::now();
            say(&format!("{}: {done} of {}", self.what, self.all));
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
