//! Native pixels → the whole picture, small: area-averaged luma and chroma, upright.

use std::ops::Range;

use fast_image_resize as fr;
use image::{GrayImage, RgbImage};

use super::boxes::Boxes;
use crate::capture::{Capture, Chroma, ChromaRows, Orientation};
use crate::geometry::Point;

/// Longest side of the overview in pixels: a card's edge stays sharper than the search for straight lines needs, and
/// a QR code of a business licence keeps two pixels a module.
pub const OVERVIEW_PX: u32 = 1024;

/// The whole picture, small.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Luma.
    pub luma: GrayImage,
    /// Blue-difference chroma, 128 = none.
    pub cb: GrayImage,
    /// Red-difference chroma, 128 = none.
    pub cr: GrayImage,
    /// Capture pixels per overview pixel: multiply an overview position by it. At least 1.
    pub scale: f32,
}

impl Overview {
    /// The overview of `capture`; never larger than the pixels it is made from.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn of(capture: &Capture) -> Self {
        let pixels = capture.pixels();
        let (width, height) = pixels.stored_size();
        let factor = f64::from(OVERVIEW_PX) / f64::from(width.max(height));
        let size = |side: u32| if factor < 1.0 { ((f64::from(side) * factor).round() as u32).max(1) } else { side };
        let (from, to) = ((width, height), (size(width), size(height)));
        let stride = width as usize;
        let samples = pixels.stored_luma();
        let luma = shrunk(from, to, |rows, mean| {
            average_rows(&samples[rows.start as usize * stride..rows.end as usize * stride], mean);
        });
        let mut kept = ChromaRows::default();
        let mut chroma = |plane| {
            if pixels.is_grey() {
                return vec![128; to.0 as usize * to.1 as usize];
            }
            shrunk(from, to, |rows, mean| pixels.stored_chroma(plane, rows, &mut kept, mean))
        };
        let [luma, cb, cr] =
            [luma, chroma(Chroma::Blue), chroma(Chroma::Red)].map(|plane| upright(plane, to, pixels.orientation()));
        let scale = capture.width().max(capture.height()) as f32 / luma.width().max(luma.height()) as f32;
        Self { luma, cb, cr, scale }
    }

    /// Luma and chroma at the pixel nearest to a place of the overview; nothing beside it.
    #[must_use]
    pub fn at(&self, point: Point) -> Option<[f32; 3]> {
        let (x, y) = (point.x.round(), point.y.round());
        let (width, height) = self.luma.dimensions();
        if x < 0.0 || y < 0.0 || x >= width as f32 || y >= height as f32 {
            return None;
        }
        Some([&self.luma, &self.cb, &self.cr].map(|plane| f32::from(plane.get_pixel(x as u32, y as u32).0[0])))
    }

    /// The overview in colour, squashed to `width` × `height`, by triangle filter: what the scene network sees.
    #[must_use]
    pub fn rgb(&self, width: u32, height: u32) -> RgbImage {
        // The conversion is linear: on the small planes it costs less and says the same.
        let [y, cb, cr] = [&self.luma, &self.cb, &self.cr].map(|plane| squashed(plane, width, height));
        ycc_to_rgb(&y, &cb, &cr)
    }

    /// The part between `left, top, right, bottom`, in shares of the picture, squashed to a square of `side` pixels by
    /// triangle filter: what the scene network sees at its second look.
    #[must_use]
    pub(super) fn part(&self, [left, top, right, bottom]: [f32; 4], side: u32) -> RgbImage {
        let (width, height) = self.luma.dimensions();
        let at = |share: f32, length: u32| f64::from(share) * f64::from(length);
        let (x, y) = (at(left, width), at(top, height));
        let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(fr::FilterType::Bilinear)).crop(
            x,
            y,
            at(right, width) - x,
            at(bottom, height) - y,
        );
        let [y, cb, cr] = [&self.luma, &self.cb, &self.cr].map(|plane| {
            let mut small = vec![0; side as usize * side as usize];
            let done = resize_pixels(plane, (width, height), &mut small, (side, side), &options);
            debug_assert!(done.is_some(), "the part lies inside the picture");
            GrayImage::from_raw(side, side, small).unwrap_or_default()
        });
        ycc_to_rgb(&y, &cb, &cr)
    }

    /// The overview in colour at its own size.
    #[must_use]
    pub fn to_rgb(&self) -> RgbImage {
        ycc_to_rgb(&self.luma, &self.cb, &self.cr)
    }
}

/// Full-range BT.601 planes → RGB, as JFIF defines it.
#[must_use]
pub fn ycc_to_rgb(y: &GrayImage, cb: &GrayImage, cr: &GrayImage) -> RgbImage {
    let mut out = RgbImage::new(y.width(), y.height());
    let planes = y.as_raw().iter().zip(cb.as_raw()).zip(cr.as_raw());
    for (rgb, ((&y, &cb), &cr)) in out.as_chunks_mut::<3>().0.iter_mut().zip(planes) {
        *rgb = ycc_pixel(y, cb, cr);
    }
    out
}

/// One pixel of [`ycc_to_rgb`], in 16-bit fixed point.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ycc_pixel(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let y = (i32::from(y) << 16) + (1 << 15);
    let (cb, cr) = (i32::from(cb) - 128, i32::from(cr) - 128);
    let clamp = |v: i32| (v >> 16).clamp(0, 255) as u8;
    [clamp(y + 91_881 * cr), clamp(y - 22_554 * cb - 46_802 * cr), clamp(y + 116_130 * cb)]
}

/// Area average to a smaller size: whole rows first, then along the rows.
///
/// Along the rows is the costly pass; this way it meets only the rows that are left. Strips of rows keep what lies
/// between in the processor's cache.
///
/// `mean` writes the mean of the rows that it is given.
fn shrunk(from: (u32, u32), to: (u32, u32), mut mean: impl FnMut(Range<u32>, &mut [u8])) -> Vec<u8> {
    const STRIP: u32 = 256;
    let (stride, small_stride) = (from.0 as usize, to.0 as usize);
    let mut out = vec![0; small_stride * to.1 as usize];
    if from == to {
        for (row, line) in (0..).zip(out.chunks_exact_mut(stride)) {
            mean(row..row + 1, line);
        }
        return out;
    }
    let first = |row: u32| (u64::from(row) * u64::from(from.1) / u64::from(to.1)) as u32;
    let boxes = Boxes::of(from.0, 0..from.0, to.0);
    let mut strip = vec![0; stride * STRIP as usize + Boxes::BEYOND];
    for (top, part) in (0..to.1).step_by(STRIP as usize).zip(out.chunks_mut(small_stride * STRIP as usize)) {
        let rows = STRIP.min(to.1 - top);
        for (row, averaged) in (top..top + rows).zip(strip.chunks_exact_mut(stride)) {
            mean(first(row)..first(row + 1), averaged);
        }
        if let Some(boxes) = &boxes {
            for (row, line) in part.chunks_exact_mut(small_stride).enumerate() {
                boxes.average(&strip[row * stride..][..stride + Boxes::BEYOND], line);
            }
        } else {
            let strip = &strip[..stride * rows as usize];
            resize(strip, (from.0, rows), part, (to.0, rows), fr::FilterType::Box);
        }
    }
    out
}

/// The mean of the rows in `lines`, each as long as `out`: at most 16 or 17, since no side is more than 16,384.
fn average_rows(lines: &[u8], out: &mut [u8]) {
    /// Samples added at a time, in registers.
    const BLOCK: usize = 64;
    let stride = out.len();
    let count = (lines.len() / stride.max(1)).max(1) as u16;
    let (half, share) = (count / 2, (u32::from(u16::MAX) / u32::from(count) + 1).min(u32::from(u16::MAX)) as u16);
    for (x, block) in (0..).step_by(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mut sums = [half; BLOCK];
        for line in lines.chunks_exact(stride) {
            // A whole block has a length known to the compiler.
            if let Some((part, _)) = line[x..].split_first_chunk::<BLOCK>() {
                sums = std::array::from_fn(|i| sums[i] + u16::from(part[i]));
            } else {
                for (sum, sample) in sums.iter_mut().zip(&line[x..]) {
                    *sum += u16::from(*sample);
                }
            }
        }
        if count > 1 {
            sums = sums.map(|sum| ((u32::from(sum) * u32::from(share)) >> 16) as u16);
        }
        for (value, sum) in block.iter_mut().zip(sums) {
            *value = sum as u8;
        }
    }
}

/// `plane` squashed to `width` × `height`, by triangle filter.
#[must_use]
pub fn squashed(plane: &GrayImage, width: u32, height: u32) -> GrayImage {
    let mut small = GrayImage::new(width, height);
    resize(plane.as_raw(), plane.dimensions(), &mut small, (width, height), fr::FilterType::Bilinear);
    small
}

/// `samples` of a plane, `from` wide and high, averaged or drawn out into `out`, `to` wide and high.
pub(super) fn resize(samples: &[u8], from: (u32, u32), out: &mut [u8], to: (u32, u32), filter: fr::FilterType) {
    let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(filter));
    let done = resize_pixels(samples, from, out, to, &options);
    debug_assert!(done.is_some(), "sizes are positive and buffers fit");
}

/// `samples` of a plane, `from` wide and high, through `options` into `out`, `to` wide and high; `None` where they do not
/// fit. The pixel's type is named so that code for those that are not used is not made.
pub(super) fn resize_pixels(
    samples: &[u8],
    from: (u32, u32),
    out: &mut [u8],
    to: (u32, u32),
    options: &fr::ResizeOptions,
) -> Option<()> {
    let source = fr::images::TypedImageRef::<fr::pixels::U8>::from_buffer(from.0, from.1, samples).ok()?;
    let mut target = fr::images::TypedImage::<fr::pixels::U8>::from_buffer(to.0, to.1, out).ok()?;
    fr::Resizer::new().resize_typed(&source, &mut target, options).ok()
}

fn upright(plane: Vec<u8>, (width, height): (u32, u32), orientation: Orientation) -> GrayImage {
    if orientation == Orientation::Upright {
        return GrayImage::from_raw(width, height, plane).unwrap_or_default();
    }
    let (wide, high) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
    GrayImage::from_fn(wide, high, |x, y| {
        let (sx, sy) = orientation.stored(x, y, width, height);
        image::Luma([plane[sy as usize * width as usize + sx as usize]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shrunk_samples(samples: &[u8], from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
        let stride = from.0 as usize;
        shrunk(from, to, |rows, mean| {
            average_rows(&samples[rows.start as usize * stride..rows.end as usize * stride], mean);
        })
    }

    #[test]
    fn rows_are_averaged_to_the_nearest_value() {
        let rows: Vec<u8> = (0..7).flat_map(|y| [y * 10, 255]).collect();
        // Rows 0-2 fall to the first, 3-6 to the second.
        assert_eq!(shrunk_samples(&rows, (2, 7), (2, 2)), [10, 255, 45, 255]);
        assert_eq!(shrunk_samples(&rows, (2, 7), (2, 7)), rows);
    }

    #[test]
    fn strips_join_without_a_seam() {
        let ramp: Vec<u8> = (0..200u32).flat_map(|y| (0..300u32).map(move |x| u32::midpoint(x, y) as u8)).collect();
        let small = shrunk_samples(&ramp, (300, 200), (75, 50));
        for (at, value) in small.iter().enumerate() {
            let (x, y) = ((at % 75) as f32 * 4.0 + 1.5, (at / 75) as f32 * 4.0 + 1.5);
            assert!((f32::from(*value) - f32::midpoint(x, y)).abs() <= 1.5, "{at}: {value}");
        }
    }

    #[test]
    fn neutral_chroma_gives_grey_and_saturated_chroma_its_colour() {
        assert_eq!(ycc_pixel(77, 128, 128), [77, 77, 77]);
        // JFIF: R = Y + 1.402 (Cr − 128), and so on.
        assert_eq!(ycc_pixel(100, 128, 178), [170, 64, 100]);
    }
}
