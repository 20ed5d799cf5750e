//! Decoded samples and their upright view: turned while reading, so that no full-size rotation is ever made.

use image::GrayImage;

use crate::geometry::PixelRect;

/// How stored rows and columns lie in the upright picture: the eight values of EXIF tag 0x0112.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
}

/// Samples as decoded: interleaved Y Cb Cr (full range, BT.601, as JFIF has it) or Y alone, with their orientation.
#[derive(Debug, Clone)]
pub struct Pixels {
    stored_width: u32,
    stored_height: u32,
    channels: usize,
    samples: Vec<u8>,
    orientation: Orientation,
}

impl Pixels {
    /// Wraps `samples`, row by row; `None` unless there are `width` × `height` × 1 or 3 of them.
    #[must_use]
    pub fn new(width: u32, height: u32, samples: Vec<u8>, orientation: Orientation) -> Option<Self> {
        let area = (width as usize).checked_mul(height as usize)?;
        let channels = match samples.len() {
            n if n == area => 1,
            n if n == area.checked_mul(3)? => 3,
            _ => return None,
        };
        (area > 0).then_some(Self { stored_width: width, stored_height: height, channels, samples, orientation })
    }

    /// Upright width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        if self.orientation.swaps_sides() { self.stored_height } else { self.stored_width }
    }

    /// Upright height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        if self.orientation.swaps_sides() { self.stored_width } else { self.stored_height }
    }

    /// Whether only luma is stored.
    #[must_use]
    pub const fn is_grey(&self) -> bool {
        self.channels == 1
    }

    /// Stored width and height, channels (1 or 3), samples and orientation: for code that reads every sample and
    /// turns its small result afterwards.
    #[must_use]
    pub fn stored(&self) -> (u32, u32, usize, &[u8], Orientation) {
        (self.stored_width, self.stored_height, self.channels, &self.samples, self.orientation)
    }

    /// Luma of `rect`, upright; `None` when it is not inside the picture or empty.
    #[must_use]
    pub fn luma(&self, rect: PixelRect) -> Option<GrayImage> {
        let mut planes = self.read::<1>(rect)?;
        Some(std::mem::take(&mut planes[0]))
    }

    /// Y, Cb and Cr of `rect`, upright, chroma 128 where only luma is stored; `None` when it is not inside the picture.
    #[must_use]
    pub fn ycc(&self, rect: PixelRect) -> Option<[GrayImage; 3]> {
        self.read::<3>(rect)
    }

    fn read<const N: usize>(&self, rect: PixelRect) -> Option<[GrayImage; N]> {
        if rect.width == 0 || rect.height == 0 || !PixelRect::new(0, 0, self.width(), self.height()).holds(rect) {
            return None;
        }
        let area = rect.width as usize * rect.height as usize;
        let mut planes: [Vec<u8>; N] = std::array::from_fn(|c| vec![if c == 0 { 0 } else { 128 }; area]);
        let given = self.channels.min(N);
        let stride = self.stored_width as usize * self.channels;
        let offset = |x: u32, y: u32| {
            let (sx, sy) = self.orientation.stored(x, y, self.stored_width, self.stored_height);
            sy as usize * stride + sx as usize * self.channels
        };
        for row in 0..rect.height {
            let first = offset(rect.x, rect.y + row);
            // One step to the right upright is the same step everywhere in the stored picture.
            let step = if rect.width > 1 { offset(rect.x + 1, rect.y + row).wrapping_sub(first) } else { 0 };
            let start = row as usize * rect.width as usize;
            if N == 3 && self.channels == 3 && step == 3 {
                // The common case, an upright colour picture, in one pass that the compiler can unroll.
                let line = self.samples[first..first + 3 * rect.width as usize].as_chunks::<3>().0;
                let (y, chroma) = planes.split_at_mut(1);
                let (cb, cr) = chroma.split_at_mut(1);
                let out = y[0][start..].iter_mut().zip(&mut cb[0][start..]).zip(&mut cr[0][start..]);
                for (((y, cb), cr), sample) in out.zip(line) {
                    [*y, *cb, *cr] = *sample;
                }
                continue;
            }
            for (c, plane) in planes.iter_mut().take(given).enumerate() {
                let mut at = first + c;
                for out in &mut plane[start..start + rect.width as usize] {
                    *out = self.samples[at];
                    at = at.wrapping_add(step);
                }
            }
        }
        let mut images = planes.into_iter().map(|p| GrayImage::from_raw(rect.width, rect.height, p));
        let images: [Option<GrayImage>; N] = std::array::from_fn(|_| images.next().flatten());
        images.iter().all(Option::is_some).then(|| images.map(Option::unwrap_or_default))
    }
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
