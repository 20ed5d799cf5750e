//! Native luma → whether the picture is as even as only a rendered page is, without the noise of a camera.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::scene::Scene;
use crate::words::Fact;

/// Side of the tiles that are looked at.
const TILE_PX: u32 = 64;
/// Tiles a side of the grid that is spread over the picture: 256 tiles are a million pixels.
const GRID: u32 = 16;

pub static EVEN_SHARE: Reading =
    Reading::share("rendered.even_share", "pixels that have exactly the commonest brightness of the picture");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "rendered",
        question: "Was the picture drawn by a computer instead of taken by a camera?",
        readings: &[&EVEN_SHARE],
        method: "Histograms of native luma over up to 256 tiles. The noise of a sensor and the fall of light spread even \
                 white paper over many levels; a rendered page has one. Of 1,042 photographed originals none has an even \
                 share above 0.37; of 60 rendered certificates, cards and screenshots, most saved as JPEG, 49 lie \
                 above 0.48.",
        blind_spots: "A rendered page full of shades or fine tint; a scan whose background was whitened looks rendered, \
                      and so does paper that is wholly overexposed.",
    },
    build: |_| Box::new(Rendered),
};

struct Rendered;

impl Detector for Rendered {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let capture = scene.capture();
        if capture.width() < TILE_PX || capture.height() < TILE_PX {
            return Abstention::new(AbstentionCause::InsufficientResolution, Fact::RenderedNeedsPixels).into();
        }
        let places = |length: u32| {
            let count = (length / TILE_PX).min(GRID);
            (0..count).map(move |i| (length - TILE_PX) * i / (count - 1).max(1))
        };
        let mut all = [0u64; 256];
        for y in places(capture.height()) {
            for x in places(capture.width()) {
                let Some(luma) = capture.luma(PixelRect::new(x, y, TILE_PX, TILE_PX)) else { continue };
                luma.as_raw().iter().for_each(|value| all[usize::from(*value)] += 1);
            }
        }
        let total = all.iter().sum::<u64>().max(1) as f64;
        let share = all.iter().max().map_or(0.0, |most| *most as f64 / total);
        let mut evidence = Evidence::told(Fact::Rendered { share });
        evidence.read(&EVEN_SHARE, share);
        evidence.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    fn even(luma: impl Fn(u32, u32) -> u8) -> f64 {
        examine_grey(&Rendered, 640, 480, luma).readings[0].value
    }

    #[test]
    fn a_drawn_page_is_even_and_noise_is_not() {
        let line = |x: u32, y: u32| x > 40 && x < 600 && y % 24 < 3;
        assert!(even(|x, y| if line(x, y) { 30 } else { 250 }) > 0.8);
        // Noise of a few levels over a fall of light.
        assert!(even(|x, y| (180 + (x * 31 + y * 17 + x * y) % 7 + x / 32) as u8) < 0.2);
    }
}
