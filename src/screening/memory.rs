//! First bytes of a file → memory its pixels will take → permits, so that many workers together stay within a budget.

use parking_lot::{Condvar, Mutex};

use crate::capture::{Limits, MediaType, declared, kept_bytes};

/// How much of a file is read to find its size in pixels: metadata with a thumbnail, 64 KiB at most, comes before it.
pub(super) const HEAD_BYTES: u64 = 192 << 10;

/// A budget of bytes, given out in the order of asking so that a large picture is not starved by small ones.
#[derive(Debug)]
pub struct Gate {
    budget: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    free: u64,
    next_ticket: u64,
    serving: u64,
}

/// Bytes held; given back when dropped.
#[derive(Debug)]
pub struct Permit<'a> {
    gate: &'a Gate,
    bytes: u64,
}

impl Gate {
    /// A gate with `budget` bytes.
    #[must_use]
    pub const fn new(budget: u64) -> Self {
        let state = State { free: budget, next_ticket: 0, serving: 0 };
        Self { budget, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Waits until `bytes` are free and takes them; a request beyond the whole budget waits until it can have all.
    pub fn enter(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(self.budget);
        let mut state = self.state.lock();
        let ticket = state.next_ticket;
        state.next_ticket += 1;
        while state.serving != ticket || state.free < bytes {
            self.changed.wait(&mut state);
        }
        state.serving += 1;
        state.free -= bytes;
        drop(state);
        self.changed.notify_all();
        Permit { gate: self, bytes }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.gate.state.lock().free += self.bytes;
        self.gate.changed.notify_all();
    }
}

/// Bytes that examining a file on this thread will hold, from its first bytes and its length: no less than the thread
/// keeps from larger pictures.
#[must_use]
pub fn decoded_bytes(head: &[u8], length: u64, limits: &Limits) -> u64 {
    let (pixels, bytes_a_pixel) = match declared(head) {
        Some(declared) => {
            let bytes_a_pixel = match declared.media_type {
                // Samples and the decoder's rows; a progressive file also keeps all coefficients, two bytes each.
                MediaType::Jpeg if declared.progressive => 10,
                MediaType::Jpeg | MediaType::Pdf => 4,
                MediaType::Png | MediaType::Bmp | MediaType::Tiff => 8,
                MediaType::WebP | MediaType::Heic | MediaType::Gif => 7,
            };
            (declared.pixels, bytes_a_pixel)
        }
        // No size in sight: a camera's JPEG takes two to four bits a pixel.
        None => (length.saturating_mul(3), 4),
    };
    // A larger picture is refused on its header.
    let decoded = pixels.min(limits.pixels).saturating_mul(bytes_a_pixel);
    length.saturating_add(decoded.max(kept_bytes()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn size_is_read_from_the_header_of_each_format() {
        let picture = image::RgbImage::new(123, 45);
        for format in [image::ImageFormat::Jpeg, image::ImageFormat::Png, image::ImageFormat::WebP] {
            let mut file = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut file, format).unwrap();
            let head = file.into_inner();
            assert_eq!(declared(&head).map(|declared| declared.pixels), Some(123 * 45), "{format:?}");
            for end in 0..head.len() {
                assert!(decoded_bytes(&head[..end], 1, &Limits::default()) < 1 << 20);
            }
        }
    }

    #[test]
    fn what_a_thread_keeps_from_a_large_picture_counts_for_a_small_one() {
        let file = |side| {
            let mut file = std::io::Cursor::new(Vec::new());
            image::GrayImage::new(side, side).write_to(&mut file, image::ImageFormat::Jpeg).unwrap();
            file.into_inner()
        };
        let (large, small) = (file(1600), file(80));
        std::thread::spawn(move || {
            let held = || decoded_bytes(&small, 0, &Limits::default());
            assert_eq!(held(), 4 * 80 * 80);
            let upload = crate::capture::Upload { bytes: &large, name: None };
            drop(crate::capture::decode(&upload, &Limits::default()).unwrap());
            assert_eq!(held(), 1600 * 1600);
        })
        .join()
        .expect("no panic");
    }

    #[test]
    fn the_gate_never_gives_more_than_its_budget_and_lets_a_giant_through() {
        let gate = Gate::new(100);
        let (held, peak) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for bytes in [30, 50, 1000, 40, 60, 20, 100, 10] {
                let (gate, held, peak) = (&gate, &held, &peak);
                scope.spawn(move || {
                    let permit = gate.enter(bytes);
                    let now = held.fetch_add(permit.bytes, Ordering::SeqCst) + permit.bytes;
                    peak.fetch_max(now, Ordering::SeqCst);
                    std::thread::sleep(std::time::Duration::from_millis(2));
                    held.fetch_sub(permit.bytes, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(held.load(Ordering::SeqCst), 0);
        assert_eq!(peak.load(Ordering::SeqCst), 100);
    }
}
