//! Native pixels → the whole picture, small: area-averaged luma and chroma, upright.

use fast_image_resize as fr;
use image::{GrayImage, RgbImage};

use crate::capture::{Capture, Orientation};

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
    /// Capture pixels per overview pixel: multiply an overview position by it. At least 1 unless native pixels are
    /// known only in a window.
    pub scale: f32,
}

impl Overview {
    /// The overview of `capture`; never larger than the pixels it is made from.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn of(capture: &Capture) -> Self {
        let (width, height, channels, samples, orientation) = capture.whole_pixels().stored();
        let factor = f64::from(OVERVIEW_PX) / f64::from(width.max(height));
        let size = |side: u32| if factor < 1.0 { ((f64::from(side) * factor).round() as u32).max(1) } else { side };
        let (small_width, small_height) = (size(width), size(height));
        let rows = averaged_rows(samples, width as usize * channels, height, small_height);
        let small = resize(&rows, (width, small_height), (small_width, small_height), channels, fr::FilterType::Box);
        let plane = |c: usize| {
            if c >= channels {
                let (w, h) = turned(small_width, small_height, orientation);
                return GrayImage::from_pixel(w, h, image::Luma([128]));
            }
            upright(&small, (small_width, small_height), channels, c, orientation)
        };
        let luma = plane(0);
        let scale = capture.width().max(capture.height()) as f32 / luma.width().max(luma.height()) as f32;
        Self { cb: plane(1), cr: plane(2), luma, scale }
    }

    /// The overview in colour, squashed to `width` × `height`, by triangle filter: what the scene network sees.
    #[must_use]
    pub fn rgb(&self, width: u32, height: u32) -> RgbImage {
        let full = self.to_rgb();
        let out = resize(full.as_raw(), full.dimensions(), (width, height), 3, fr::FilterType::Bilinear);
        RgbImage::from_raw(width, height, out).unwrap_or_else(|| RgbImage::new(width, height))
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

/// `height` rows of `stride` samples averaged to `small` rows, each over the whole rows that fall to it.
///
/// A resampler that goes along the rows first would do its costly pass on every row of the capture; this one only adds.
fn averaged_rows(samples: &[u8], stride: usize, height: u32, small: u32) -> std::borrow::Cow<'_, [u8]> {
    if height == small {
        return samples.into();
    }
    let mut out = Vec::with_capacity(stride * small as usize);
    let mut sums = vec![0u16; stride];
    let first = |row: u32| (u64::from(row) * u64::from(height) / u64::from(small)) as usize;
    for row in 0..small {
        let (from, to) = (first(row), first(row + 1));
        sums.fill(0);
        for line in samples[from * stride..to * stride].chunks_exact(stride) {
            for (sum, sample) in sums.iter_mut().zip(line) {
                *sum += u16::from(*sample);
            }
        }
        // Rows are at most 16,384 and small ones 1,024: no more than 17 fall to one, far from overflow.
        let (count, half) = ((to - from) as u32, ((to - from) / 2) as u32);
        let share = (1 << 16) / count + 1;
        out.extend(sums.iter().map(|sum| (((u32::from(*sum) + half) * share) >> 16).min(255) as u8));
    }
    out.into()
}

fn resize(samples: &[u8], from: (u32, u32), to: (u32, u32), channels: usize, filter: fr::FilterType) -> Vec<u8> {
    if from == to {
        return samples.to_vec();
    }
    let kind = if channels == 1 { fr::PixelType::U8 } else { fr::PixelType::U8x3 };
    let mut out = vec![0; to.0 as usize * to.1 as usize * channels];
    let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(filter));
    let done = fr::images::ImageRef::new(from.0, from.1, samples, kind).is_ok_and(|source| {
        fr::images::Image::from_slice_u8(to.0, to.1, &mut out, kind)
            .is_ok_and(|mut target| fr::Resizer::new().resize(&source, &mut target, &options).is_ok())
    });
    debug_assert!(done, "sizes are positive and buffers fit");
    out
}

fn turned(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    if orientation.swaps_sides() { (height, width) } else { (width, height) }
}

fn upright(
    samples: &[u8],
    (width, height): (u32, u32),
    channels: usize,
    c: usize,
    orientation: Orientation,
) -> GrayImage {
    let (upright_width, upright_height) = turned(width, height, orientation);
    if orientation == Orientation::Upright {
        let plane = match channels {
            3 => samples.as_chunks::<3>().0.iter().map(|pixel| pixel[c]).collect(),
            _ => samples.to_vec(),
        };
        return GrayImage::from_raw(width, height, plane).unwrap_or_default();
    }
    GrayImage::from_fn(upright_width, upright_height, |x, y| {
        let (sx, sy) = orientation.stored(x, y, width, height);
        image::Luma([samples[(sy as usize * width as usize + sx as usize) * channels + c]])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_averaged_to_the_nearest_value() {
        let rows: Vec<u8> = (0..7).flat_map(|y| [y * 10, 255]).collect();
        // Rows 0-2 fall to the first, 3-6 to the second.
        assert_eq!(averaged_rows(&rows, 2, 7, 2).as_ref(), [10, 255, 45, 255]);
        assert_eq!(averaged_rows(&rows, 2, 7, 7).as_ref(), rows);
    }

    #[test]
    fn neutral_chroma_gives_grey_and_saturated_chroma_its_colour() {
        assert_eq!(ycc_pixel(77, 128, 128), [77, 77, 77]);
        // JFIF: R = Y + 1.402 (Cr − 128), and so on.
        assert_eq!(ycc_pixel(100, 128, 178), [170, 64, 100]);
    }
}
