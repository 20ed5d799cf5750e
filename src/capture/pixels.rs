//! Decoded samples and their upright view: turned while reading, so that no full-size rotation is ever made.

use std::ops::Range;

use image::GrayImage;
use serde::{Deserialize, Serialize};

use super::planes::{ChromaRows, Planes};
use crate::geometry::{PixelRect, Point};

/// How stored rows and columns lie in the upright picture: the eight values of EXIF tag 0x0112.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Orientation {
    /// 1: as stored.
    #[default]
    Upright,
    /// 2: mirrored left to right.
    MirroredHorizontally,
    /// 3: turned by 180°.
    Turned180,
    /// 4: mirrored top to bottom.
    MirroredVertically,
    /// 5: mirrored along the main diagonal.
    Transposed,
    /// 6: to be turned by 90° clockwise.
    Turned90,
    /// 7: mirrored along the other diagonal.
    Transversed,
    /// 8: to be turned by 270° clockwise.
    Turned270,
}

impl Orientation {
    /// The orientation for an EXIF value; anything outside 1..=8 counts as upright.
    #[must_use]
    pub const fn from_exif(value: u32) -> Self {
        match value {
            2 => Self::MirroredHorizontally,
            3 => Self::Turned180,
            4 => Self::MirroredVertically,
            5 => Self::Transposed,
            6 => Self::Turned90,
            7 => Self::Transversed,
            8 => Self::Turned270,
            _ => Self::Upright,
        }
    }

    /// Whether width and height change places.
    #[must_use]
    pub const fn swaps_sides(self) -> bool {
        matches!(self, Self::Transposed | Self::Turned90 | Self::Transversed | Self::Turned270)
    }

    /// The stored position of upright pixel (`x`, `y`), for a stored picture of `width` × `height`.
    #[must_use]
    pub const fn stored(self, x: u32, y: u32, width: u32, height: u32) -> (u32, u32) {
        match self {
            Self::Upright => (x, y),
            Self::MirroredHorizontally => (width - 1 - x, y),
            Self::Turned180 => (width - 1 - x, height - 1 - y),
            Self::MirroredVertically => (x, height - 1 - y),
            Self::Transposed => (y, x),
            Self::Turned90 => (y, height - 1 - x),
            Self::Transversed => (width - 1 - y, height - 1 - x),
            Self::Turned270 => (width - 1 - y, x),
        }
    }

    /// The stored place of an upright one between pixels, for a stored picture of `width` × `height`.
    #[must_use]
    pub const fn stored_point(self, p: Point, width: f32, height: f32) -> Point {
        match self {
            Self::Upright => p,
            Self::MirroredHorizontally => Point::new(width - p.x, p.y),
            Self::Turned180 => Point::new(width - p.x, height - p.y),
            Self::MirroredVertically => Point::new(p.x, height - p.y),
            Self::Transposed => Point::new(p.y, p.x),
            Self::Turned90 => Point::new(p.y, height - p.x),
            Self::Transversed => Point::new(width - p.y, height - p.x),
            Self::Turned270 => Point::new(width - p.y, p.x),
        }
    }
}

/// Samples as decoded: Y, Cb and Cr (full range, BT.601, as JFIF has it), each at its own sampling, or Y alone, with
/// their orientation.
#[derive(Debug, Clone)]
pub struct Pixels {
    planes: Planes,
    orientation: Orientation,
}

impl Pixels {
    /// Wraps `samples`, interleaved row by row; `None` unless there are `width` × `height` × 1 or 3 of them.
    #[must_use]
    pub fn new(width: u32, height: u32, samples: Vec<u8>, orientation: Orientation) -> Option<Self> {
        Some(Self { planes: Planes::of(width, height, &samples)?, orientation })
    }

    pub(super) const fn of(planes: Planes, orientation: Orientation) -> Self {
        Self { planes, orientation }
    }

    /// The same lying otherwise.
    pub(super) fn turned(self, orientation: Orientation) -> Self {
        Self { orientation, ..self }
    }

    pub(super) const fn planes(&self) -> &Planes {
        &self.planes
    }

    /// Upright width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        let (width, height) = self.planes.size();
        if self.orientation.swaps_sides() { height } else { width }
    }

    /// Upright height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        let (width, height) = self.planes.size();
        if self.orientation.swaps_sides() { width } else { height }
    }

    /// Whether only luma is stored.
    #[must_use]
    pub const fn is_grey(&self) -> bool {
        self.planes.sampling().is_none()
    }

    /// How the stored rows lie in the upright picture.
    #[must_use]
    pub const fn orientation(&self) -> Orientation {
        self.orientation
    }

    /// Stored width and height: for code that reads every sample and turns its small result afterwards.
    #[must_use]
    pub const fn stored_size(&self) -> (u32, u32) {
        self.planes.size()
    }

    /// Luma as stored, row by row.
    #[must_use]
    pub fn stored_luma(&self) -> &[u8] {
        self.planes.luma()
    }

    /// Writes the mean of `rows` of Cb, or of Cr, as stored and as many samples as luma has, to `out`; 128 where only
    /// luma is stored.
    pub fn stored_chroma(&self, plane: Chroma, rows: Range<u32>, kept: &mut ChromaRows, out: &mut [u8]) {
        self.planes.chroma_mean(plane as usize, rows, kept, out);
    }

    /// Luma of `rect`, upright; `None` when it is not inside the picture or empty.
    #[must_use]
    pub fn luma(&self, rect: PixelRect) -> Option<GrayImage> {
        let stored = self.stored_rect(rect)?;
        let stride = self.planes.size().0 as usize;
        let source = &self.planes.luma()[stored.y as usize * stride + stored.x as usize..];
        turned(source, stride, (stored.width, stored.height), self.orientation)
    }

    /// Y, Cb and Cr of `rect`, upright, chroma 128 where only luma is stored; `None` when it is not inside the picture.
    #[must_use]
    pub fn ycc(&self, rect: PixelRect) -> Option<[GrayImage; 3]> {
        let stored = self.stored_rect(rect)?;
        let chroma = |plane: Chroma| {
            let width = stored.width as usize;
            let mut lines = vec![0; width * stored.height as usize];
            for (y, line) in (stored.y..).zip(lines.chunks_exact_mut(width)) {
                self.planes.chroma_line(plane as usize, y, stored.x..stored.x + stored.width, line);
            }
            if self.orientation == Orientation::Upright {
                return GrayImage::from_raw(stored.width, stored.height, lines);
            }
            turned(&lines, width, (stored.width, stored.height), self.orientation)
        };
        Some([self.luma(rect)?, chroma(Chroma::Blue)?, chroma(Chroma::Red)?])
    }

    /// Where the upright `rect` lies as stored; `None` when it is not inside the picture or empty.
    #[must_use]
    pub fn stored_rect(&self, rect: PixelRect) -> Option<PixelRect> {
        if rect.width == 0 || rect.height == 0 || !PixelRect::new(0, 0, self.width(), self.height()).holds(rect) {
            return None;
        }
        let (width, height) = self.planes.size();
        let a = self.orientation.stored(rect.x, rect.y, width, height);
        let b = self.orientation.stored(rect.x + rect.width - 1, rect.y + rect.height - 1, width, height);
        let (x, y) = (a.0.min(b.0), a.1.min(b.1));
        Some(PixelRect::new(x, y, a.0.abs_diff(b.0) + 1, a.1.abs_diff(b.1) + 1))
    }
}

/// A plane of chroma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chroma {
    /// Cb, the blue difference.
    Blue = 0,
    /// Cr, the red difference.
    Red = 1,
}

/// The first `width` × `height` samples of a stored plane whose rows lie `stride` apart, upright.
fn turned(source: &[u8], stride: usize, (width, height): (u32, u32), orientation: Orientation) -> Option<GrayImage> {
    /// Rows and columns that are turned at a time, so that what is read crosswise stays in the processor's cache.
    const BLOCK: u32 = 32;
    if orientation == Orientation::Upright {
        let mut out = Vec::with_capacity(width as usize * height as usize);
        for line in source.chunks(stride).take(height as usize) {
            out.extend_from_slice(&line[..width as usize]);
        }
        return GrayImage::from_raw(width, height, out);
    }
    let (wide, high) = if orientation.swaps_sides() { (height, width) } else { (width, height) };
    let offset = |x: u32, y: u32| {
        let (sx, sy) = orientation.stored(x, y, width, height);
        sy as usize * stride + sx as usize
    };
    // One step to the right upright is the same step everywhere in the stored picture.
    let step = if wide > 1 { offset(1, 0).wrapping_sub(offset(0, 0)) } else { 0 };
    let mut out = vec![0; wide as usize * high as usize];
    for top in (0..high).step_by(BLOCK as usize) {
        for left in (0..wide).step_by(BLOCK as usize) {
            for y in top..(top + BLOCK).min(high) {
                let start = y as usize * wide as usize;
                let mut at = offset(left, y);
                for value in &mut out[start + left as usize..start + (left + BLOCK).min(wide) as usize] {
                    *value = source[at];
                    at = at.wrapping_add(step);
                }
            }
        }
    }
    GrayImage::from_raw(wide, high, out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_reads_upright() {
        // An upright 3 × 2 picture "abc/def", stored in each of the eight ways.
        let cases: [(u32, u32, &[u8; 6]); 8] = [
            (3, 2, b"abcdef"),
            (3, 2, b"cbafed"),
            (3, 2, b"fedcba"),
            (3, 2, b"defabc"),
            (2, 3, b"adbecf"),
            (2, 3, b"cfbead"),
            (2, 3, b"fcebda"),
            (2, 3, b"daebfc"),
        ];
        for (exif, (width, height, stored)) in (1..).zip(cases) {
            let pixels =
                Pixels::new(width, height, stored.to_vec(), Orientation::from_exif(exif)).expect("six samples");
            let upright = pixels.luma(PixelRect::new(0, 0, 3, 2)).expect("the whole picture");
            assert_eq!(upright.as_raw(), b"abcdef", "EXIF orientation {exif}");
            for (x, y, letter) in upright.enumerate_pixels() {
                let one = pixels.luma(PixelRect::new(x, y, 1, 1)).expect("inside");
                assert_eq!(one.as_raw(), &letter.0, "EXIF orientation {exif}");
            }
        }
    }

    #[test]
    fn chroma_is_turned_like_luma() {
        // More than a block of turning, and each of the three planes the same.
        let samples: Vec<u8> = (0..70 * 45_u32).flat_map(|i| [(i * i / 7) as u8; 3]).collect();
        for exif in 1..=8 {
            let pixels = Pixels::new(70, 45, samples.clone(), Orientation::from_exif(exif)).expect("as many samples");
            let [y, cb, cr] = pixels.ycc(PixelRect::new(3, 5, 40, 36)).expect("inside");
            assert_eq!((&y, &y), (&cb, &cr), "EXIF orientation {exif}");
            let (x, y_at) = pixels.orientation().stored(3 + 39, 5 + 35, 70, 45);
            assert_eq!(y.get_pixel(39, 35).0[0], samples[(y_at * 70 + x) as usize * 3], "EXIF orientation {exif}");
        }
    }

    #[test]
    fn a_block_outside_is_refused() {
        let pixels = Pixels::new(4, 4, vec![0; 16], Orientation::Upright).expect("sixteen samples");
        assert!(pixels.luma(PixelRect::new(2, 2, 3, 1)).is_none());
        assert!(pixels.luma(PixelRect::new(0, 0, 0, 1)).is_none());
        assert_eq!(pixels.ycc(PixelRect::new(0, 0, 2, 2)).expect("inside")[1].as_raw(), &[128; 4]);
    }
}
