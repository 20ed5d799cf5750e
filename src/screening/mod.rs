//! Many uploads: sources → a bounded pool of workers → rows in the order of the sources → sinks.

mod files;
mod memory;
mod pipeline;
mod resume;
mod sinks;
mod sources;

pub use files::{examine, failure, read_upload};
pub use memory::{Gate, decoded_bytes};
pub use pipeline::{BUDGET_PER_WORKER, Done, PANICKED, Settings, Tally, in_order, run};
pub use resume::{Held, held};
pub use sinks::{Format, RowSink};
pub use sources::{EXTENSIONS, Item, gather, is_image};
