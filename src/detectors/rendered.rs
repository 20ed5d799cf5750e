//! Native luma → whether the picture is as even as only a rendered page is, without the noise of a camera.

use image::GrayImage;

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, ReadingInfo, Sentence};
use crate::geometry::PixelRect;
use crate::scene::Scene;

/// Side of the tiles that are looked at.
const TILE_PX: u32 = 64;
/// Tiles a side of the grid that is spread over the picture: 256 tiles are a million pixels.
const GRID: u32 = 16;

/// Side of the blocks that are flat or not: small enough to lie between strokes, and to lie inside a block of JPEG.
const BLOCK_PX: u32 = 4;

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
                id: "rendered.flat_share",
                unit: "share",
                meaning: "blocks of 4 × 4 pixels whose pixels all have one brightness, whichever",
            },
        ],
        method: "Native luma of up to 256 tiles. The noise of a sensor and the fall of light spread even white paper over \
                 many levels, so that hardly a pixel equals its neighbours; a rendered page has one level for its paper, \
                 and a tinted or shaded one has many, each flat. Strong compression flattens photographs too: flat \
                 blocks count only in files of high quality, or beside edges that no lens draws. Of 1,042 photographed \
                 originals none has an even share above 0.37; of 374 saved at quality 85 or better none has a flat share \
                 above 0.37, and of 1,087 of any quality none lies above 0.56 with edges under 1.15 px.",
        blind_spots: "Rendered pages full of pattern, saved at middling quality; a scan whose background was whitened \
                      looks rendered, and so does paper that is wholly overexposed.",
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
        let (mut blocks, mut flat) = (0u32, 0u32);
        for y in places(window.y, window.height) {
            for x in places(window.x, window.width) {
                let Some(luma) = capture.luma(PixelRect::new(x, y, TILE_PX, TILE_PX)) else { continue };
                luma.as_raw().iter().for_each(|value| all[usize::from(*value)] += 1);
                blocks += (TILE_PX / BLOCK_PX).pow(2);
                flat += flat_blocks(&luma);
            }
        }
        let total = all.iter().sum::<u64>().max(1) as f64;
        let share = all.iter().max().map_or(0.0, |most| *most as f64 / total);
        let flat_share = f64::from(flat) / f64::from(blocks.max(1));
        let (percent, percent_flat) = (100.0 * share, 100.0 * flat_share);
        let mut evidence = Evidence::told(Sentence::new(
            format!(
                "{percent:.0} % of the pixels have exactly the same brightness; {percent_flat:.0} % of small blocks are \
                 perfectly flat."
            ),
            format!("{percent:.0}% 的像素亮度完全相同；{percent_flat:.0}% 的小块完全平坦。"),
        ));
        evidence.read("rendered.even_share", share);
        evidence.read("rendered.flat_share", flat_share);
        evidence.into()
    }
}

/// Blocks of a tile whose pixels are all alike.
fn flat_blocks(tile: &GrayImage) -> u32 {
    let (width, side) = (tile.width() as usize, BLOCK_PX as usize);
    let rows = tile.as_raw();
    let mut count = 0;
    for top in (0..tile.height() as usize).step_by(side) {
        for left in (0..width).step_by(side) {
            let first = rows[top * width + left];
            let alike = |y: usize| rows[y * width + left..][..side].iter().all(|value| *value == first);
            count += u32::from((top..top + side).all(alike));
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    fn even(luma: impl Fn(u32, u32) -> u8) -> f64 {
        examine_grey(&Rendered, 640, 480, luma).readings[0].value
    }

    fn flat(luma: impl Fn(u32, u32) -> u8) -> f64 {
        examine_grey(&Rendered, 640, 480, luma).readings[1].value
    }

    #[test]
    fn a_shaded_page_is_flat_place_by_place_and_noise_is_not() {
        let shaded = |x: u32, y: u32| (150 + x / 16 + y / 24) as u8;
        assert!(flat(shaded) > 0.6 && even(shaded) < 0.2);
        assert!(flat(|x, y| (180 + (x * 31 + y * 17 + x * y) % 3 + x / 32) as u8) < 0.05);
    }

    #[test]
    fn a_drawn_page_is_even_and_noise_is_not() {
        let line = |x: u32, y: u32| x > 40 && x < 600 && y % 24 < 3;
        assert!(even(|x, y| if line(x, y) { 30 } else { 250 }) > 0.8);
        // Noise of a few levels over a fall of light.
        assert!(even(|x, y| (180 + (x * 31 + y * 17 + x * y) % 7 + x / 32) as u8) < 0.2);
    }
}
