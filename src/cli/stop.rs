//! Ctrl-C, TERM and HUP → work that ends within a second, whatever it is at, with nothing half written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use super::{INTERRUPTED, say};

/// How long work that was begun may go on before it is left.
const GRACE: Duration = Duration::from_millis(500);
/// How long what must be written at the end may take after that.
const LAST: Duration = Duration::from_millis(400);

/// Whether the program was told to stop, and what it does before it leaves.
#[derive(Default)]
pub(super) struct Stop {
    told: AtomicBool,
    code: AtomicU8,
    leaving: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Stop {
    /// Begins to heed signals. Told once, the program has half a second to end by itself; then what
    /// [`Stop::before_leaving`] was given is done, and the process ends. Told twice, it ends at once.
    pub(super) fn heed() -> Result<Arc<Self>, String> {
        let stop = Arc::new(Self::default());
        listen(&stop).map_err(|e| format!("signals cannot be heeded: {e}"))?;
        Ok(stop)
    }

    /// Set once the program is told to stop.
    pub(super) const fn flag(&self) -> &AtomicBool {
        &self.told
    }

    /// Whether it was told.
    pub(super) fn told(&self) -> bool {
        self.told.load(Ordering::SeqCst)
    }

    /// The exit code that says by what, as shells count it.
    pub(super) fn code(&self) -> u8 {
        match self.code.load(Ordering::SeqCst) {
            0 => INTERRUPTED,
            code => code,
        }
    }

    /// What is to be written before the process is left in the midst of its work.
    pub(super) fn before_leaving(&self, last: impl FnOnce() + Send + 'static) {
        *self.leaving.lock() = Some(Box::new(last));
    }

    fn tell(self: &Arc<Self>, code: u8) {
        if self.told.swap(true, Ordering::SeqCst) {
            leave(code);
        }
        self.code.store(code, Ordering::SeqCst);
        let stop = Arc::clone(self);
        std::thread::spawn(move || {
            std::thread::sleep(GRACE);
            std::thread::spawn(move || {
                std::thread::sleep(LAST);
                leave(code);
            });
            let last = stop.leaving.lock().take();
            match last {
                Some(last) => last(),
                None => say("broken off"),
            }
            leave(code);
        });
    }
}

/// The lock, if it can be had within what is left at the end.
pub(super) fn lock_soon<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    mutex.try_lock_for(LAST)
}

#[cfg(unix)]
fn listen(stop: &Arc<Stop>) -> std::io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Where `nohup` had it ignored, the end of the terminal stays ignored.
    let hang_up = (!is_ignored(SIGHUP)).then_some(SIGHUP);
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM].into_iter().chain(hang_up))?;
    let stop = Arc::clone(stop);
    std::thread::spawn(move || {
        for signal in signals.forever() {
            stop.tell(128 + signal as u8);
        }
    });
    Ok(())
}

/// Whether the process was begun with `signal` ignored, where the system says so.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal - 1) & 1 == 1
}

#[cfg(not(unix))]
fn listen(stop: &Arc<Stop>) -> std::io::Result<()> {
    let stop = Arc::clone(stop);
    ctrlc::set_handler(move || stop.tell(INTERRUPTED)).map_err(std::io::Error::other)
}

/// Ends the process without the endings of its libraries, whose work may still be going on.
fn leave(code: u8) -> ! {
    #[cfg(unix)]
    signal_hook::low_level::exit(i32::from(code));
    #[cfg(not(unix))]
    std::process::exit(i32::from(code));
}
