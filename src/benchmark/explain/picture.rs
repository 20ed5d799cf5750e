//! The pixels of a capture and an edit → the pixels without some evidence, or without as much of something else.

use image::{DynamicImage, RgbImage};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::fill::{Filling, fill};
use super::flatten::{Line, flatten, turned};
use super::region::Region;
use crate::benchmark::run::{encode, picture};
use crate::capture::{Capture, CaptureError};
use crate::geometry::PixelRect;

/// The pixels of an upload, to be edited.
#[derive(Clone)]
pub(super) struct Picture {
    pub(super) native: RgbImage,
    pub(super) is_grey: bool,
}

impl Picture {
    pub(super) fn of(capture: &Capture) -> Result<Self, CaptureError> {
        Ok(Self { is_grey: capture.is_grey(), native: picture(capture)?.into_rgb8() })
    }

    /// Width and height.
    pub(super) fn size(&self) -> (u32, u32) {
        self.native.dimensions()
    }

    pub(super) fn file(&self, quality: Option<u8>) -> Result<Vec<u8>, CaptureError> {
        let colour = DynamicImage::ImageRgb8(self.native.clone());
        let picture = if self.is_grey { DynamicImage::ImageLuma8(colour.into_luma8()) } else { colour };
        encode(&picture, quality).map_err(|_| CaptureError::Undecodable)
    }
}

/// Places that are drawn for a control; the one that touches the named evidence least is taken.
const PLACES: usize = 48;
/// Share of a control that may lie on named evidence: beyond that it takes the evidence away too, and is none.
const MOST_TOUCHED: f64 = 0.1;

/// A change of pixels that removes evidence.
#[derive(Clone)]
pub(super) enum Edit {
    /// Damps spectral lines of squares to the level of what lies at the same distance from frequency zero.
    Flatten(Vec<(PixelRect, Vec<Line>)>),
    /// Fills a region.
    Mask(Region, Filling),
}

impl Edit {
    pub(super) fn apply(&self, picture: &mut Picture, random: &mut ChaCha8Rng) {
        match self {
            Self::Flatten(tiles) => {
                for (rect, lines) in tiles {
                    flatten(&mut picture.native, *rect, lines, random);
                }
            }
            Self::Mask(region, filling) => {
                let mask = region.mask(picture.size());
                fill(&mut picture.native, &mask, *filling);
            }
        }
    }

    /// As much of something else: the same lines turned to another direction, or the same region moved, over the
    /// picture's border to the other side where need be, away from all that is `named`. Nothing where the picture has
    /// no room for that.
    pub(super) fn elsewhere(&self, named: &Region, random: &mut ChaCha8Rng) -> Option<Self> {
        Some(match self {
            Self::Flatten(tiles) => {
                let turned = tiles
                    .iter()
                    .map(|(rect, lines)| (*rect, lines.iter().map(|line| turned(*line, lines, random)).collect()));
                Self::Flatten(turned.collect())
            }
            Self::Mask(region, filling) => {
                let (width, height) = (region.width, region.height);
                let places =
                    (0..PLACES).map(|_| region.moved(random.random_range(0..width), random.random_range(0..height)));
                let touched = |moved: Region| (moved.shared(named), moved);
                let (touched, moved) = places.map(touched).min_by(|a, b| a.0.total_cmp(&b.0))?;
                if touched > MOST_TOUCHED {
                    return None;
                }
                Self::Mask(moved, *filling)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{TILE, grey, random, spectrum, strongest};
    use super::*;
    use crate::geometry::Point;
    use crate::scene::testing::{noise, wave};

    #[test]
    fn the_control_of_a_line_leaves_it_and_keeps_its_distance() {
        let lines = [(22.0, 15.0), (-15.0, 22.0)];
        let nothing = Region::none((400, 330));
        let edit = Edit::Flatten(vec![(TILE, lines.to_vec())]);
        let Some(Edit::Flatten(tiles)) = edit.elsewhere(&nothing, &mut random()) else { panic!("another edit") };
        assert_eq!(tiles[0].0, TILE);
        for (turned, line) in tiles[0].1.iter().zip(lines) {
            assert!((turned.0.hypot(turned.1) - line.0.hypot(line.1)).abs() < 0.01);
        }
        let mut waved = grey(400, 330, |x, y| 128.0 + noise(x, y, 8.0) + 4.0 * wave(x, y, 9.3, 33.0));
        let before = strongest(&spectrum(&waved, TILE).y);
        flatten(&mut waved, TILE, &tiles[0].1, &mut random());
        assert!((strongest(&spectrum(&waved, TILE).y) - before).abs() < 1.0);
    }

    #[test]
    fn masking_changes_the_region_and_nothing_else() {
        // A black bar on a slope of grey.
        let slope = |x: f32| 40.0 + x / 2.0;
        let is_bar = |x: f32, y: f32| (100.0..150.0).contains(&x) && (80.0..100.0).contains(&y);
        let picture = grey(300, 200, |x, y| if is_bar(x, y) { 0.0 } else { slope(x) });
        let mut region = Region::none((300, 200));
        region.lay(&PixelRect::new(100, 80, 50, 20).corners(), true);
        let mut edited = Picture { native: picture.clone(), is_grey: false };
        Edit::Mask(region, Filling::Surrounding).apply(&mut edited, &mut random());
        for (x, y, pixel) in edited.native.enumerate_pixels() {
            if is_bar(x as f32, y as f32) {
                let off = (f32::from(pixel.0[0]) - slope(x as f32)).abs();
                assert!(off < 12.0, "{x}, {y} is {off} levels off what lies around");
            } else {
                assert_eq!(pixel, picture.get_pixel(x, y), "{x}, {y} lies outside");
            }
        }
    }

    #[test]
    fn a_control_is_as_large_and_leaves_what_is_named() {
        let mut region = Region::none((300, 200));
        region.lay(&[Point::new(10.0, 20.0), Point::new(190.0, 60.0), Point::new(40.0, 180.0)], true);
        let held = |region: &Region| region.held.iter().filter(|held| **held).count();
        let mut random = random();
        for _ in 0..20 {
            let edit = Edit::Mask(region.clone(), Filling::Surrounding);
            let Some(Edit::Mask(moved, _)) = edit.elsewhere(&region, &mut random) else { panic!("room for a control") };
            assert_eq!(held(&moved), held(&region));
            assert_eq!(moved.mask((300, 200)).iter().filter(|masked| **masked).count(), held(&region));
            assert!(moved.shared(&region) <= MOST_TOUCHED, "{}", moved.shared(&region));
        }
    }

    #[test]
    fn where_most_of_the_picture_is_named_there_is_no_control() {
        let mut region = Region::none((300, 200));
        region.lay(&PixelRect::new(20, 20, 260, 160).corners(), true);
        assert!(region.share() > 0.6);
        assert!(Edit::Mask(region.clone(), Filling::Surrounding).elsewhere(&region, &mut random()).is_none());
        // A small part of it has no room either, if it may not touch the rest.
        let mut part = Region::none((300, 200));
        part.lay(&PixelRect::new(100, 60, 90, 90).corners(), true);
        assert!(Edit::Mask(part.clone(), Filling::Surrounding).elsewhere(&region, &mut random()).is_none());
        assert!(Edit::Mask(part.clone(), Filling::Surrounding).elsewhere(&part, &mut random()).is_some());
    }
}
