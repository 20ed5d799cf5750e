//! Native luma → whether the picture is as even as only a rendered page is, without the noise of a camera.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, ReadingInfo, Sentence};
use crate::geometry::PixelRect;
use crate::scene::Scene;

/// Side of the tiles that are looked at.
const TILE_PX: u32 = 64;
/// Tiles a side of the grid that is spread over the picture: 256 tiles are a million pixels.
const GRID: u32 = 16;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "rendered",
        question: "Was the picture drawn by a computer instead of taken by a camera?",
        readings: &[
            ReadingInfo {
                id: "rendered.even_share",
                unit: "share",
                meaning: "pixels that have exactly the commonest brightness of the picture",
            },
            ReadingInfo {
                id: "rendered.tile_even_share",
                unit: "share",
                meaning: "the same within a tile of 64 px, median over the tiles",
            },
        ],
        method: "Histograms of native luma over up to 256 tiles. The noise of a sensor and the fall of light spread even \
                 white paper over many levels; a rendered page has one. Of 1,042 photographed originals none has an even \
                 share above 0.37, in the tiles above 0.66; of 60 rendered certificates, cards and screenshots, some \
                 saved again as JPEG, 87 % lie above 0.40 or 0.66.",
        blind_spots: "A rendered page full of shades or fine tint; a scan whose background was whitened looks rendered, \
                      and so does paper that is wholly overexposed.",
    },
    build: |_| Box::new(Rendered),
};

struct Rendered;

impl Detector for Rendered {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let capture = scene.capture();
        let window = capture.window();
        if window.width < TILE_PX || window.height < TILE_PX {
            let (en, zh) = ("The picture is smaller than a tile.", "图片小于一个图块。");
            return Abstention::new(AbstentionCause::InsufficientResolution, en, zh).into();
        }
        let places = |first: u32, length: u32| {
            let count = (length / TILE_PX).min(GRID);
            (0..count).map(move |i| first + (length - TILE_PX) * i / (count - 1).max(1))
        };
        let mut all = [0u64; 256];
        let mut shares = Vec::new();
        for y in places(window.y, window.height) {
            for x in places(window.x, window.width) {
                let Some(luma) = capture.luma(PixelRect::new(x, y, TILE_PX, TILE_PX)) else { continue };
                let mut tile = [0u64; 256];
                luma.as_raw().iter().for_each(|value| tile[usize::from(*value)] += 1);
                shares.push(commonest(&tile));
                all.iter_mut().zip(tile).for_each(|(sum, count)| *sum += count);
            }
        }
        shares.sort_by(f64::total_cmp);
        let (share, tile_share) = (commonest(&all), shares.get(shares.len() / 2).copied().unwrap_or(0.0));
        let mut evidence = Evidence::told(Sentence::new(
            format!(
                "{:.0} % of the pixels have exactly the same brightness, in the median tile {:.0} %.",
                100.0 * share,
                100.0 * tile_share
            ),
            format!("{:.0}% 的像素亮度完全相同，图块中位数为 {:.0}%。", 100.0 * share, 100.0 * tile_share),
        ));
        evidence.read("rendered.even_share", share);
        evidence.read("rendered.tile_even_share", tile_share);
        evidence.into()
    }
}

/// Share of the commonest value.
fn commonest(histogram: &[u64; 256]) -> f64 {
    let total = histogram.iter().sum::<u64>().max(1);
    histogram.iter().max().map_or(0.0, |most| *most as f64 / total as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    fn readings(luma: impl Fn(u32, u32) -> u8) -> [f64; 2] {
        let found = examine_grey(&Rendered, 640, 480, luma);
        [found.readings[0].value, found.readings[1].value]
    }

    #[test]
    fn a_drawn_page_is_even_and_noise_is_not() {
        let line = |x: u32, y: u32| x > 40 && x < 600 && y % 24 < 3;
        let drawn = readings(|x, y| if line(x, y) { 30 } else { 250 });
        assert!(drawn[0] > 0.8 && drawn[1] > 0.8, "{drawn:?}");
        // Noise of a few levels over a fall of light.
        let taken = readings(|x, y| (180 + (x * 31 + y * 17 + x * y) % 7 + x / 32) as u8);
        assert!(taken[0] < 0.2 && taken[1] < 0.3, "{taken:?}");
    }
}
