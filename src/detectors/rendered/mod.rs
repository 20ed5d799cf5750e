//! Native luma → whether the picture is as even, and its letters stand as level, as only a rendered page's.

mod repeats;

use image::GrayImage;

use super::{Detector, DetectorInfo, Entry};
use crate::capture::Capture;
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::scene::Scene;
use crate::words::Fact;

/// Side of the tiles that are looked at.
const TILE_PX: u32 = 64;
/// Tiles a side of the grid that is spread over the picture: 256 tiles are a million pixels.
const GRID: u32 = 16;
/// Share of neighbours along a row that are equal, in the tile that is quieter than nine in ten: below, noise lies
/// everywhere, a camera took the picture, and its letters are not compared. Of 280 rendered pages 278 have more, of 259
/// photographed originals about half.
const QUIET: f64 = 0.45;

pub static EVEN_SHARE: Reading =
    Reading::share("rendered.even_share", "pixels that have exactly the commonest brightness of the picture");
pub static LEVEL_SHARE: Reading = Reading::share(
    "rendered.level_share",
    "repeats of a letter that stand at its height on a line to a tenth of a pixel; absent below 16 repeats and where noise \
     lies everywhere",
);
pub static REPEATS_COUNT: Reading =
    Reading::count("rendered.repeats_count", "letters of which another image was found and compared");
pub static REPEAT_RESIDUAL: Reading = Reading::new(
    "rendered.repeat_residual",
    "ratio",
    "what differs between both images of a letter over the letter's contrast, lower quartile",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "rendered",
        question: "Was the picture drawn by a computer instead of taken by a camera?",
        readings: &[&EVEN_SHARE, &LEVEL_SHARE, &REPEATS_COUNT, &REPEAT_RESIDUAL],
        method: "Histograms of native luma over up to 256 tiles: the noise of a sensor and the fall of light spread even \
                 white paper over many levels; a rendered page has one. And letters that a line repeats, in up to 2.5 \
                 million pixels: each image of a letter is laid on the next by least squares (Lucas and Kanade, 1981). A \
                 computer sets them exactly level; a photographed line is tilted, bent or runs towards a vanishing \
                 point. Where lines repeat too little, letters of other lines count, which stand whole pixels apart.",
        blind_spots: "Without sixteen repeated letters of 8 to 96 px it has evenness alone, which a page full of shades or \
                      fine tint hides. A rendered page that was turned or warped is not level. A scan laid exactly \
                      straight looks rendered, as do print that an app laid over a photograph, a whitened scan, and \
                      paper that is wholly overexposed.",
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
        let mut quiet = Vec::new();
        for y in places(capture.height()) {
            for x in places(capture.width()) {
                let Some(luma) = capture.luma(PixelRect::new(x, y, TILE_PX, TILE_PX)) else { continue };
                luma.as_raw().iter().for_each(|value| all[usize::from(*value)] += 1);
                quiet.push(equal_neighbours(&luma));
            }
        }
        let total = all.iter().sum::<u64>().max(1) as f64;
        let share = all.iter().max().map_or(0.0, |most| *most as f64 / total);
        quiet.sort_by(f64::total_cmp);
        let quiet = quiet.get(quiet.len() * 9 / 10).is_some_and(|share| *share >= QUIET);
        let repeats = quiet.then(|| print_of(capture)).flatten().as_ref().and_then(repeats::measure);
        let mut evidence = Evidence::told(Fact::Rendered { share, level: repeats.map(|r| (r.count, r.level)) });
        evidence.read(&EVEN_SHARE, share);
        if let Some(repeats) = repeats {
            evidence.read(&LEVEL_SHARE, repeats.level);
            evidence.read(&REPEATS_COUNT, repeats.count as f64);
            evidence.read(&REPEAT_RESIDUAL, repeats.residual);
        }
        evidence.into()
    }
}

/// Share of the neighbours along the rows of a tile that are equal.
fn equal_neighbours(luma: &GrayImage) -> f64 {
    let rows = luma.as_raw().chunks_exact(TILE_PX as usize);
    let equal: usize = rows.map(|row| row.iter().zip(&row[1..]).filter(|(a, b)| a == b).count()).sum();
    equal as f64 / f64::from((TILE_PX - 1) * TILE_PX)
}

/// The native luma that is read for letters, in bands one below the other.
fn print_of(capture: &Capture) -> Option<GrayImage> {
    let mut samples = Vec::new();
    let row = |y| Some(capture.luma(PixelRect::new(0, y, capture.width(), 1))?.into_raw());
    for (y, height) in repeats::bands((capture.width(), capture.height()), row) {
        samples.extend(capture.luma(PixelRect::new(0, y, capture.width(), height))?.into_raw());
    }
    let height = samples.len() as u32 / capture.width();
    GrayImage::from_raw(capture.width(), height, samples)
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

    #[test]
    fn letters_are_compared_where_noise_does_not_lie_everywhere() {
        // Signs of a few kinds, level.
        let ink = |x: u32, y: u32| {
            let (kind, u, v) = (x / 24 * 5 % 7, x % 24, y % 40);
            let strokes =
                [u < 7 || v < 13, kind & 1 > 0 && u >= 15, kind & 2 > 0 && v >= 23, kind & 4 > 0 && v / 3 == 6];
            (4..18).contains(&u) && (10..26).contains(&v) && strokes.contains(&true)
        };
        let page = |x: u32, y: u32| if ink(x, y) { 30 } else { 220 };
        let compared = |luma: &dyn Fn(u32, u32) -> u8| {
            let evidence = examine_grey(&Rendered, 800, 640, luma);
            evidence.readings.iter().any(|measured| measured.reading.id == LEVEL_SHARE.id)
        };
        assert!(compared(&page));
        assert!(!compared(&|x, y| page(x, y) + ((x * 7919 + y * 104_729 + x * y) % 11) as u8));
    }
}
