//! Many uploads: sources → a bounded pool of workers → rows in the order of the sources → sinks.

mod files;
mod memory;
mod pipeline;
mod resume;
mod sinks;
mod sources;

pub use files::{examine, failure, is_same, read_upload, thumbnail_again};
pub use memory::{Gate, decoded_bytes};
pub use pipeline::{BUDGET_PER_WORKER, Done, PANICKED, Settings, Tally, in_order, run, unharmed};
pub use resume::{Held, HeldError, Row as HeldRow, entry, held};
pub use sinks::{Format, RowSink};
pub use sources::{EXTENSIONS, Gathered, Item, VIDEOS, gather, is_image};

pub use crate::words::LeftOut;
