//! A flat document's luma → its lines of print, as boxes: where numbers may stand.
//!
//! Ink is what is darker than its surround (a mean over a window, after Wellner 1993, "Adaptive thresholding for the
//! `DigitalDesk`"); ink is smeared along the rows (run-length smoothing, Wong, Casey and Wahl 1982) and what hangs
//! together is a line when it is long and about as high as print.

use image::GrayImage;
use imageproc::region_labelling::{Connectivity, connected_components};

use crate::geometry::PixelRect;

/// Side of the window of the local mean, in pixels: wider than a stroke, about a line and its gap.
const WINDOW: u32 = 25;
/// How much darker than its surround ink is, at least: share of the surround, and grey levels.
const DARKER: (f32, f32) = (0.1, 9.0);
/// Gap between characters of a line, in pixels: a character of 20 px height and its space.
const GAP: u32 = 15;
/// Heights of a line of print, in pixels.
const HEIGHTS: std::ops::RangeInclusive<u32> = 10..=40;
/// Least width of a line over its height.
const LONG: u32 = 6;

/// Lines of print in `luma`, the widest first.
#[must_use]
pub fn find(luma: &GrayImage) -> Vec<PixelRect> {
    let (width, height) = luma.dimensions();
    if width < 2 * WINDOW || height < 2 * WINDOW {
        return Vec::new();
    }
    let mut mask = ink(luma);
    smear(&mut mask, GAP);
    let labels = connected_components(&mask, Connectivity::Four, image::Luma([0u8]));
    let count = labels.iter().copied().max().unwrap_or(0) as usize;
    // Left, top, right, bottom.
    let mut boxes = vec![[u32::MAX, u32::MAX, 0, 0]; count + 1];
    for (x, y, label) in labels.enumerate_pixels() {
        let b = &mut boxes[label.0[0] as usize];
        *b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
    }
    let mut lines: Vec<PixelRect> = boxes
        .iter()
        .skip(1)
        .filter(|b| b[0] <= b[2])
        .map(|b| PixelRect::new(b[0], b[1], b[2] - b[0] + 1, b[3] - b[1] + 1))
        .filter(|r| HEIGHTS.contains(&r.height) && r.width >= LONG * r.height)
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.width));
    lines
}

/// 255 where a pixel is darker than its surround.
fn ink(luma: &GrayImage) -> GrayImage {
    let (width, height) = luma.dimensions();
    let sums = imageproc::integral_image::integral_image::<_, u32>(luma);
    let half = WINDOW / 2;
    GrayImage::from_fn(width, height, |x, y| {
        let (x0, y0) = (x.saturating_sub(half), y.saturating_sub(half));
        let (x1, y1) = ((x + half).min(width - 1), (y + half).min(height - 1));
        let area = ((x1 - x0 + 1) * (y1 - y0 + 1)) as f32;
        let [sum] = imageproc::integral_image::sum_image_pixels(&sums, x0, y0, x1, y1);
        let mean = sum as f32 / area;
        let dark = mean - f32::from(luma.get_pixel(x, y).0[0]) > DARKER.1.max(DARKER.0 * mean);
        image::Luma([if dark { 255 } else { 0 }])
    })
}

/// Fills gaps of up to `gap` pixels along the rows.
fn smear(mask: &mut GrayImage, gap: u32) {
    let width = mask.width() as usize;
    for row in mask.chunks_exact_mut(width) {
        let mut last: Option<usize> = None;
        for x in 0..width {
            if row[x] != 0 {
                if let Some(before) = last
                    && x - before <= gap as usize
                {
                    row[before..x].fill(255);
                }
                last = Some(x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars 12 px wide and 20 high, 6 px apart, on white.
    fn bars(count: u32, at: (u32, u32)) -> GrayImage {
        GrayImage::from_fn(640, 400, |x, y| {
            let inside = (at.1..at.1 + 20).contains(&y) && x >= at.0 && x < at.0 + 18 * count && (x - at.0) % 18 < 12;
            image::Luma([if inside { 30 } else { 220 }])
        })
    }

    #[test]
    fn a_row_of_characters_is_one_line() {
        let found = find(&bars(18, (150, 330)));
        assert_eq!(found.len(), 1);
        let line = found[0];
        assert!(line.x.abs_diff(150) < 3 && line.y.abs_diff(330) < 3, "{line:?}");
        assert!(line.width.abs_diff(18 * 18 - 6) < 6 && line.height.abs_diff(20) < 4, "{line:?}");
    }

    #[test]
    fn blank_and_tiny_pictures_have_no_lines() {
        assert!(find(&GrayImage::from_pixel(300, 200, image::Luma([200]))).is_empty());
        assert!(find(&GrayImage::new(3, 900)).is_empty());
        assert!(find(&bars(2, (10, 100))).is_empty());
    }
}
