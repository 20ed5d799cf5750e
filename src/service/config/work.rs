//! How much is examined at a time, and how long anybody waits for it.

use super::group::settings;
use super::span::{Span, of_secs};

settings! {
    /// How much at a time.
    Work {
        /// Threads that examine pictures; as many as there are processors when left out. One more is kept for callers who have
        /// nothing in work.
        #[env("BONAFIDE_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        #[sample(Shown "4")]
        workers: Option<u16>,
        /// Requests of one caller that may wait in line, for each worker; of several together, up to twice as many.
        #[env("BONAFIDE_QUEUE", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        queue: u16 = 16,
        /// The line is full where it would take longer than this.
        #[env("BONAFIDE_QUEUE_WAIT", value_name = "TIME", value_parser = super::span::span)]
        queue_wait: Span = of_secs(5),
        /// Time from the end of an upload to its verdict; what could not be measured by then is named in it.
        #[env("BONAFIDE_DEADLINE", value_name = "TIME", value_parser = super::span::span)]
        deadline: Span = of_secs(10),
    }
}

impl Work {
    /// Threads that examine pictures.
    pub(crate) fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        self.workers.map_or_else(processors, usize::from)
    }

    /// Requests of one caller that may wait in line, for all workers.
    pub(crate) fn line(&self) -> usize {
        usize::from(self.queue) * self.threads()
    }
}
