//! How large an upload may be, as a value that the caller sets.

use serde::{Deserialize, Serialize};

/// Bounds on what is decoded; checked on the header, before anything is allocated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Width × height.
    pub pixels: u64,
    /// Longest side in pixels.
    pub side: u32,
    /// Shortest side in pixels: below it there is nothing to examine.
    pub smallest_side: u32,
    /// Bytes a decoder may allocate.
    pub allocation: u64,
}

impl Default for Limits {
    /// 64 MiB, 64 megapixels, 16,384 px a side, at least 16 px, 512 MiB: room for a 50-megapixel phone photograph.
    fn default() -> Self {
        Self { bytes: 64 << 20, pixels: 64_000_000, side: 16_384, smallest_side: 16, allocation: 512 << 20 }
    }
}
