//! The document's quadrilateral → its luma seen straight on, at a scale at which print can be read.

use std::borrow::Cow;

use fast_image_resize as fr;
use image::GrayImage;

use super::Overview;
use super::boxes::Boxes;
use super::overview::resize_pixels;
use crate::capture::Capture;
use crate::geometry::{Homography, PixelRect, Point, Quad};
use crate::vocabulary::DocumentKind;

/// Width of an ID-1 card: 7.5 px/mm, so that its 3 mm digits are 22 px high, enough for the recogniser and no more.
const CARD_PX: [u32; 2] = [642, 405];
/// Long side of a passport page or a landscape licence (ID-3: 7.5 px/mm).
const LANDSCAPE_PX: f32 = 940.0;
/// Long side of an upright page (A4: 4.7 px/mm; its 4 mm digits are 19 px high).
const UPRIGHT_PX: f32 = 1400.0;
/// Height to which a line is cut finer than it is seen: more than the recogniser's 20 rows of print says nothing.
const FINE_PX: f32 = 24.0;
/// How much finer a cut must be to be worth it.
const LEAST_FINER: f32 = 1.2;

/// The document seen straight on.
#[derive(Debug, Clone)]
pub struct Flat {
    /// Its luma.
    pub luma: GrayImage,
    /// Capture pixels per flat pixel: above 1 the capture holds more than is seen here, below 1 less.
    pub scale: f32,
    to_capture: Homography,
}

impl Flat {
    /// The document whose corners are `quad` seen straight on, its first corner at the top left; `None` when they make
    /// no rectangle in perspective or it is too small.
    pub(super) fn of(capture: &Capture, overview: &Overview, quad: &Quad, kind: DocumentKind) -> Option<Self> {
        let [top, right, bottom, left] = quad.sides();
        let (across, down) = (f32::midpoint(top, bottom), f32::midpoint(left, right));
        if across.min(down) < 24.0 {
            return None;
        }
        Self::sized(capture, overview, quad, size(kind, across, down))
    }

    /// The same with its long side as `long` pixels, whatever the document is: more than the capture has where that is
    /// smaller.
    pub(super) fn of_long_side(capture: &Capture, overview: &Overview, quad: &Quad, long: f32) -> Option<Self> {
        let [top, right, bottom, left] = quad.sides();
        let (across, down) = (f32::midpoint(top, bottom), f32::midpoint(left, right));
        if across.min(down) < 24.0 {
            return None;
        }
        let by = long / across.max(down);
        Self::sized(capture, overview, quad, ((across * by).round() as u32, (down * by).round().max(8.0) as u32))
    }

    fn sized(capture: &Capture, overview: &Overview, quad: &Quad, (width, height): (u32, u32)) -> Option<Self> {
        let [top, right, bottom, left] = quad.sides();
        let (across, down) = (f32::midpoint(top, bottom), f32::midpoint(left, right));
        let scale = across.max(down) / width.max(height) as f32;
        let rect = Quad(PixelRect::new(0, 0, width, height).corners());
        let to_capture = Homography::between(&rect, quad)?;
        // The overview is area-averaged: where it is fine enough it is the better source, and nothing is read twice.
        let source = if overview.scale <= scale * 1.15 {
            Source::whole(&overview.luma, quad.scaled(1.0 / overview.scale))
        } else {
            Source::native(capture, quad, scale)?
        };
        let luma = warped(&source, &Homography::between(&rect, &source.quad)?, width, height);
        Some(Self { luma, scale, to_capture })
    }

    /// Where a place of the flat picture is in the capture.
    #[must_use]
    pub fn to_capture(&self, p: Point) -> Point {
        self.to_capture.apply(p)
    }

    /// The same picture turned upside down.
    #[must_use]
    pub fn turned(&self) -> Self {
        let samples = self.luma.iter().rev().copied().collect();
        let turned = GrayImage::from_raw(self.luma.width(), self.luma.height(), samples).unwrap_or_default();
        self.seen_as(turned, [2, 3, 0, 1])
    }

    /// The same picture in the mirror.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        self.seen_as(image::imageops::flip_horizontal(&self.luma), [1, 0, 3, 2])
    }

    /// The same picture turned clockwise by a quarter.
    #[must_use]
    pub fn quarter(&self) -> Self {
        self.seen_as(image::imageops::rotate90(&self.luma), [3, 0, 1, 2])
    }

    /// `line` cut out of the capture at its own resolution, and where in the cut it is; `None` where the capture holds
    /// no more than is seen here.
    #[must_use]
    pub fn finer(&self, capture: &Capture, line: PixelRect) -> Option<(GrayImage, PixelRect)> {
        let by = self.scale.min(FINE_PX / line.height.max(1) as f32);
        if by < LEAST_FINER {
            return None;
        }
        let margin = line.height as f32;
        let (x, y) = (line.x as f32 - margin, line.y as f32 - margin);
        let (across, down) = (line.width as f32 + 2.0 * margin, line.height as f32 + 2.0 * margin);
        let (width, height) = ((across * by).round() as u32, (down * by).round() as u32);
        let corners = [(x, y), (x + across, y), (x + across, y + down), (x, y + down)];
        let quad = Quad(corners.map(|(x, y)| self.to_capture.apply(Point::new(x, y))));
        let source = Source::native(capture, &quad, self.scale / by)?;
        let rect = Quad(PixelRect::new(0, 0, width, height).corners());
        let luma = warped(&source, &Homography::between(&rect, &source.quad)?, width, height);
        let part = |side: f32| (side * by).round() as u32;
        let inside = PixelRect::new(part(margin), part(margin), part(line.width as f32), part(line.height as f32));
        Some((luma, inside))
    }

    /// `luma` with the k-th corner where this picture has its `corners[k]`-th.
    fn seen_as(&self, luma: GrayImage, corners: [usize; 4]) -> Self {
        let rect = Quad(PixelRect::new(0, 0, luma.width(), luma.height()).corners());
        let here = PixelRect::new(0, 0, self.luma.width(), self.luma.height()).corners();
        let there = Quad(corners.map(|k| self.to_capture.apply(here[k])));
        let to_capture = Homography::between(&rect, &there).unwrap_or(self.to_capture);
        Self { luma, scale: self.scale, to_capture }
    }
}

/// Width and height of the flat picture.
fn size(kind: DocumentKind, across: f32, down: f32) -> (u32, u32) {
    let landscape = across >= down;
    let (long, short) = if kind == DocumentKind::Card {
        (CARD_PX[0] as f32, CARD_PX[1] as f32)
    } else {
        // No finer than the capture: what is not there cannot be read.
        let most = if landscape { LANDSCAPE_PX } else { UPRIGHT_PX };
        let long = most.min(across.max(down));
        (long, (long * across.min(down) / across.max(down)).max(8.0))
    };
    let (w, h) = if landscape { (long, short) } else { (short, long) };
    (w.round() as u32, h.round() as u32)
}

/// Luma that a flat picture is made from, in whatever turn it is stored.
struct Source<'a> {
    samples: Cow<'a, [u8]>,
    /// Samples from one row to the next.
    stride: usize,
    width: u32,
    height: u32,
    /// The corners of the flat picture, in pixels of this one.
    quad: Quad,
}

impl<'a> Source<'a> {
    fn whole(luma: &'a GrayImage, quad: Quad) -> Self {
        let samples = Cow::Borrowed(luma.as_raw().as_slice());
        Self { samples, stride: luma.width() as usize, width: luma.width(), height: luma.height(), quad }
    }

    /// Native luma about `quad`, averaged down by whole steps as far as `scale` allows.
    fn native(capture: &'a Capture, quad: &Quad, scale: f32) -> Option<Self> {
        let fold = |pick: fn(&Point) -> f32, f: fn(f32, f32) -> f32, start: f32| quad.0.iter().map(pick).fold(start, f);
        let left = fold(|p| p.x, f32::min, f32::MAX).max(0.0).floor() as u32;
        let top = fold(|p| p.y, f32::min, f32::MAX).max(0.0).floor() as u32;
        let right = (fold(|p| p.x, f32::max, 0.0).ceil() as u32).min(capture.width());
        let bottom = (fold(|p| p.y, f32::max, 0.0).ceil() as u32).min(capture.height());
        if right <= left + 8 || bottom <= top + 8 {
            return None;
        }
        let pixels = capture.pixels();
        let rect = pixels.stored_rect(PixelRect::new(left, top, right - left, bottom - top))?;
        let (whole, stored) = (pixels.stored_size(), pixels.stored_luma());
        let step = scale.floor().max(1.0);
        let small = |side: u32| (side as f32 / step).ceil().max(1.0) as u32;
        let (width, height) = (small(rect.width), small(rect.height));
        let factor = (right - left) as f32 / small(right - left) as f32;
        let at = |p: &Point| {
            let upright = Point::new((p.x - left as f32) / factor, (p.y - top as f32) / factor);
            pixels.orientation().stored_point(upright, width as f32, height as f32)
        };
        let quad = Quad(quad.0.each_ref().map(at));
        if step < 2.0 {
            let samples = Cow::Borrowed(&stored[rect.y as usize * whole.0 as usize + rect.x as usize..]);
            return Some(Self { samples, stride: whole.0 as usize, width, height, quad });
        }
        let mut samples = vec![0; width as usize * height as usize];
        let cropped = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(fr::FilterType::Box)).crop(
            f64::from(rect.x),
            f64::from(rect.y),
            f64::from(rect.width),
            f64::from(rect.height),
        );
        if let Some(boxes) = Boxes::of(whole.0, rect.x..rect.x + rect.width, width) {
            // Down first, as the resizer does, and across by boxes: the same samples.
            let stride = rect.width as usize;
            let mut low = vec![0; stride * height as usize + Boxes::BEYOND];
            let lines = &mut low[..stride * height as usize];
            resize_pixels(stored, whole, lines, (rect.width, height), &cropped)?;
            for (row, line) in samples.chunks_exact_mut(width as usize).enumerate() {
                boxes.average(&low[row * stride..], line);
            }
        } else {
            resize_pixels(stored, whole, &mut samples, (width, height), &cropped)?;
        }
        Some(Self { samples: Cow::Owned(samples), stride: width as usize, width, height, quad })
    }
}

/// Pixels of a span.
const SPAN: usize = 16;

/// Where the pixels of a part of a row, [`SPAN`] at most, fall in another picture: exact at both ends, evenly spaced
/// between. Columns and rows in 2⁻¹⁶ of a pixel, 0 in the middle of the first one.
struct Span {
    first: (i32, i32),
    last: (i32, i32),
    step: (i32, i32),
}

/// The spans of a row, end by end: all of them are computed at once.
#[derive(Default)]
struct Ends {
    x: Vec<i32>,
    y: Vec<i32>,
}

impl Ends {
    /// Of `length` pixels from column `left` of row `y`, through `map`.
    fn tell(&mut self, map: &Homography, left: usize, y: usize, length: usize) {
        const ONE: f64 = 65_536.0;
        // So far outside that nothing is seen of it, and so near that it can be told.
        let fixed = |v: f64| ((v - 0.5).clamp(-8_000.0, 24_000.0) * ONE) as i32;
        let count = 2 * length.div_ceil(SPAN);
        self.x.resize(count, 0);
        self.y.resize(count, 0);
        let (left, end) = (left as i32, (left + length) as i32 - 1);
        let at = map.along_row(y as f64 + 0.5);
        for (k, (x, y)) in (0_i32..).zip(self.x.iter_mut().zip(&mut self.y)) {
            let column = left + (k >> 1) * SPAN as i32 + (k & 1) * (SPAN as i32 - 1);
            [*x, *y] = at(f64::from(column.min(end)) + 0.5).map(fixed);
        }
    }

    /// The `k`-th span, of `length` pixels.
    fn span(&self, k: usize, length: usize) -> Span {
        const STEPS: i32 = SPAN as i32 - 1;
        let (first, last) = ((self.x[2 * k], self.y[2 * k]), (self.x[2 * k + 1], self.y[2 * k + 1]));
        let way = (last.0 - first.0, last.1 - first.1);
        // Divided by what the compiler knows, as nearly always.
        let step = match length as i32 - 1 {
            STEPS => (way.0 / STEPS, way.1 / STEPS),
            steps => (way.0 / steps.max(1), way.1 / steps.max(1)),
        };
        Span { first, last, step }
    }
}

/// `source` through `map` (flat to source), bilinear, the border held.
///
/// Where a pixel lies is computed at both ends of a span and drawn between: perspective bends a span by a hundredth of a
/// pixel.
fn warped(source: &Source<'_>, map: &Homography, width: u32, height: u32) -> GrayImage {
    /// Columns that are made at a time where the picture is stored on its side, so that few of its rows are read at once.
    const BAND: usize = 64;
    let (most_x, most_y) = (source.width as i32 - 1, source.height as i32 - 1);
    let stride = source.stride;
    let samples: &[u8] = &source.samples;
    let two = |at: usize| samples.get(at..at + 2).map_or(0, |two| u16::from_le_bytes([two[0], two[1]]));
    // Both samples of a line at once, all lines' places before their samples and these before they are mixed, so that
    // many pixels are computed at once.
    let within = |out: &mut [u8; SPAN], Span { first, step, .. }: &Span| {
        let places: [(i32, i32); SPAN] =
            std::array::from_fn(|i| (first.0 + i as i32 * step.0, first.1 + i as i32 * step.1));
        let at = places.map(|(x, y)| (y >> 16) as u32 * stride as u32 + (x >> 16) as u32);
        let upper = at.map(|at| two(at as usize));
        let lower = at.map(|at| two(at as usize + stride));
        for i in 0..SPAN {
            let [share_x, share_y] = [places[i].0, places[i].1].map(|v| (v >> 8) as u16 & 255);
            let down = |upper: u16, lower: u16| upper * (256 - share_y) + lower * share_y;
            let (left, right) = (down(upper[i] & 255, lower[i] & 255), down(upper[i] >> 8, lower[i] >> 8));
            let sum = u32::from(left) * u32::from(256 - share_x) + u32::from(right) * u32::from(share_x);
            out[i] = ((sum + (1 << 15)) >> 16) as u8;
        }
    };
    // One pixel, the border held.
    let held = |(x, y): (i32, i32)| {
        let (share_x, share_y) = ((x >> 8) as u32 & 255, (y >> 8) as u32 & 255);
        let columns = [x >> 16, (x >> 16) + 1].map(|c| c.clamp(0, most_x) as usize);
        let [upper, lower] = [y >> 16, (y >> 16) + 1].map(|line| {
            let line = &samples[line.clamp(0, most_y) as usize * stride..];
            u32::from(line[columns[0]]) * (256 - share_x) + u32::from(line[columns[1]]) * share_x
        });
        ((upper * (256 - share_y) + lower * share_y + (1 << 15)) >> 16) as u8
    };
    let inside = |(x, y): (i32, i32)| (0..most_x).contains(&(x >> 16)) && (0..most_y).contains(&(y >> 16));
    let mut out = GrayImage::new(width, height);
    let mut ends = Ends::default();
    let some = SPAN.min(width as usize);
    ends.tell(map, 0, height as usize / 2, some);
    let middle = ends.span(0, some).step;
    let columns = if middle.0.abs() >= middle.1.abs() { width as usize } else { BAND };
    for left in (0..width as usize).step_by(columns) {
        for (y, row) in out.chunks_exact_mut(width as usize).enumerate() {
            let band = &mut row[left..(left + columns).min(width as usize)];
            ends.tell(map, left, y, band.len());
            for (k, pixels) in band.chunks_mut(SPAN).enumerate() {
                let span = ends.span(k, pixels.len());
                if inside(span.first)
                    && inside(span.last)
                    && let Ok(pixels) = pixels.try_into()
                {
                    within(pixels, &span);
                    continue;
                }
                let (mut place, step) = (span.first, span.step);
                for value in pixels {
                    *value = held(place);
                    place = (place.0 + step.0, place.1 + step.1);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Container, MediaType, Metadata, Orientation, Pixels};

    #[test]
    fn a_line_is_cut_out_finer_and_a_quarter_turn_keeps_its_place() {
        let samples = (0..1600u32 * 1000).map(|i| if (i % 1600) / 4 % 2 == 0 { 40 } else { 200 }).collect();
        let pixels = Pixels::new(1600, 1000, samples, Orientation::Upright).expect("1600 by 1000 samples");
        let capture = Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default());
        let quad = Quad(PixelRect::new(0, 0, 1600, 1000).corners());
        let flat = Flat::of_long_side(&capture, &Overview::of(&capture), &quad, 400.0).expect("a rectangle");
        assert_eq!(flat.luma.dimensions(), (400, 250));
        // Bars of 4 px, a pixel each in the view, are bars again in the cut.
        let (cut, inside) = flat.finer(&capture, PixelRect::new(50, 50, 200, 6)).expect("finer");
        assert_eq!((inside.width, inside.height, inside.x), (800, 24, 24));
        let spread = |luma: &GrayImage| luma.iter().max().expect("pixels") - luma.iter().min().expect("pixels");
        assert!(spread(&cut) > 100);
        assert!(flat.finer(&capture, PixelRect::new(50, 50, 200, 22)).is_none());
        let turned = flat.quarter();
        let (there, here) = (turned.to_capture(Point::new(250.0, 0.0)), flat.to_capture(Point::new(0.0, 0.0)));
        assert_eq!(turned.luma.dimensions(), (250, 400));
        assert!(there.distance(here) < 1.0, "{there:?}");
    }

    #[test]
    fn a_straight_copy_is_the_picture_itself() {
        let picture = GrayImage::from_fn(40, 30, |x, y| image::Luma([(x * 5 + y * 2) as u8]));
        let rect = Quad(PixelRect::new(0, 0, 40, 30).corners());
        let map = Homography::between(&rect, &rect).expect("a rectangle");
        let copy = warped(&Source::whole(&picture, rect), &map, 40, 30);
        assert_eq!(copy, picture);
    }

    /// `source` through `map`, each pixel's place and shares in floating point.
    fn plainly_warped(source: &GrayImage, map: &Homography, width: u32, height: u32) -> GrayImage {
        let (most_x, most_y) = (source.width() as i32 - 1, source.height() as i32 - 1);
        GrayImage::from_fn(width, height, |x, y| {
            let [sx, sy] = map.at(f64::from(x) + 0.5, f64::from(y) + 0.5).map(|v| v - 0.5);
            let (tx, ty) = (sx - sx.floor(), sy - sy.floor());
            let at = |dx: i32, dy: i32| {
                let (cx, cy) = ((sx.floor() as i32 + dx).clamp(0, most_x), (sy.floor() as i32 + dy).clamp(0, most_y));
                f64::from(source.get_pixel(cx as u32, cy as u32).0[0])
            };
            let upper = at(0, 0) * (1.0 - tx) + at(1, 0) * tx;
            let lower = at(0, 1) * (1.0 - tx) + at(1, 1) * tx;
            image::Luma([(upper * (1.0 - ty) + lower * ty + 0.5) as u8])
        })
    }

    #[test]
    fn spans_differ_by_a_grey_level_from_pixels_one_by_one() {
        let picture = GrayImage::from_fn(700, 500, |x, y| {
            image::Luma([
                (128.0 + 60.0 * (x as f32 / 4.0).sin() + 60.0 * (y as f32 / 5.0 + x as f32 / 90.0).cos()) as u8
            ])
        });
        let rect = Quad(PixelRect::new(0, 0, 600, 380).corners());
        // Turned, in perspective, and beyond the picture on two sides.
        let corners = [(60.0, 30.0), (660.0, 90.0), (705.0, 480.0), (-9.0, 420.0)];
        for turn in 0..4 {
            let mut quad = Quad(corners.map(|(x, y)| Point::new(x, y)));
            quad.0.rotate_left(turn);
            let map = Homography::between(&rect, &quad).expect("a quadrilateral");
            let found = warped(&Source::whole(&picture, quad), &map, 600, 380);
            let expected = plainly_warped(&picture, &map, 600, 380);
            let most = found.iter().zip(expected.iter()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(most <= Some(1), "{turn}: {most:?}");
        }
    }

    #[test]
    fn a_picture_stored_in_any_turn_gives_the_same_view() {
        let quad = Quad([(13.0, 9.0), (231.0, 14.0), (226.0, 163.0), (10.0, 160.0)].map(|(x, y)| Point::new(x, y)));
        let mut first: [Option<GrayImage>; 3] = Default::default();
        for exif in 1..=8 {
            let orientation = Orientation::from_exif(exif);
            let (width, height) = if orientation.swaps_sides() { (180, 240) } else { (240, 180) };
            let mut stored = vec![0; 240 * 180];
            for (x, y) in (0..180).flat_map(|y| (0..240).map(move |x| (x, y))) {
                let (sx, sy) = orientation.stored(x, y, width, height);
                let value = 128.0 + 60.0 * (x as f32 / 5.0).sin() + 60.0 * (y as f32 / 4.0).cos();
                stored[(sy * width + sx) as usize] = value as u8;
            }
            let pixels = Pixels::new(width, height, stored, orientation).expect("as many samples");
            let capture = Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default());
            for (first, step) in first.iter_mut().zip([1, 2, 3]) {
                let source = Source::native(&capture, &quad, step as f32).expect("inside");
                assert_eq!(source.width.max(source.height), 221_u32.div_ceil(step));
                let (width, height) = (216 / step, 150 / step);
                let rect = Quad(PixelRect::new(0, 0, width, height).corners());
                let map = Homography::between(&rect, &source.quad).expect("a quadrilateral");
                let view = warped(&source, &map, width, height);
                let first = first.get_or_insert_with(|| view.clone());
                let most = first.iter().zip(view.iter()).map(|(a, b)| a.abs_diff(*b)).max();
                // Blocks begin at another side where the picture is stored in another turn.
                assert!(most <= Some(if step == 1 { 1 } else { 5 }), "{exif}, {step}: {most:?}");
            }
        }
    }

    #[test]
    fn a_card_keeps_its_scale_and_a_page_is_never_enlarged() {
        assert_eq!(size(DocumentKind::Card, 2000.0, 1262.0), (642, 405));
        assert_eq!(size(DocumentKind::Card, 1262.0, 2000.0), (405, 642));
        assert_eq!(size(DocumentKind::Page, 500.0, 354.0), (500, 354));
        assert_eq!(size(DocumentKind::Page, 2100.0, 2970.0), (990, 1400));
    }
}
