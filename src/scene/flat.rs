//! The document's quadrilateral → its luma seen straight on, at a scale at which print can be read.

use std::borrow::Cow;

use fast_image_resize as fr;
use image::GrayImage;

use super::Overview;
use super::overview::resize;
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
        let (source, origin, factor) = if overview.scale <= scale * 1.15 {
            (Cow::Borrowed(&overview.luma), Point::default(), overview.scale)
        } else {
            let (luma, origin, factor) = native(capture, quad, scale)?;
            (Cow::Owned(luma), origin, factor)
        };
        let at = Quad(quad.0.map(|p| Point::new((p.x - origin.x) / factor, (p.y - origin.y) / factor)));
        let luma = warped(&source, &Homography::between(&rect, &at)?, width, height);
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
        self.seen_as(image::imageops::rotate180(&self.luma), [2, 3, 0, 1])
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
        let (source, origin, factor) = native(capture, &quad, self.scale / by)?;
        let at = Quad(quad.0.map(|p| Point::new((p.x - origin.x) / factor, (p.y - origin.y) / factor)));
        let rect = Quad(PixelRect::new(0, 0, width, height).corners());
        let luma = warped(&source, &Homography::between(&rect, &at)?, width, height);
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

/// Native luma about `quad`, averaged down by whole steps as far as `scale` allows; its origin and its scale.
fn native(capture: &Capture, quad: &Quad, scale: f32) -> Option<(GrayImage, Point, f32)> {
    let fold = |pick: fn(&Point) -> f32, f: fn(f32, f32) -> f32, start: f32| quad.0.iter().map(pick).fold(start, f);
    let left = fold(|p| p.x, f32::min, f32::MAX).max(0.0).floor() as u32;
    let top = fold(|p| p.y, f32::min, f32::MAX).max(0.0).floor() as u32;
    let right = fold(|p| p.x, f32::max, 0.0).min(capture.width() as f32).ceil() as u32;
    let bottom = fold(|p| p.y, f32::max, 0.0).min(capture.height() as f32).ceil() as u32;
    if right <= left + 8 || bottom <= top + 8 {
        return None;
    }
    let rect = PixelRect::new(left, top, right.min(capture.width()) - left, bottom.min(capture.height()) - top);
    let luma = capture.luma(rect)?;
    let step = scale.floor().max(1.0);
    let origin = Point::new(left as f32, top as f32);
    if step < 2.0 {
        return Some((luma, origin, 1.0));
    }
    let small = |side: u32| (side as f32 / step).ceil().max(1.0) as u32;
    let mut out = GrayImage::new(small(luma.width()), small(luma.height()));
    let to = out.dimensions();
    resize(luma.as_raw(), luma.dimensions(), &mut out, to, 1, fr::FilterType::Box);
    Some((out, origin, luma.width() as f32 / to.0 as f32))
}

/// `source` through `map` (flat to source), bilinear, the border held.
fn warped(source: &GrayImage, map: &Homography, width: u32, height: u32) -> GrayImage {
    let h = map.0.map(|v| v as f32);
    let (w, most_x, most_y) = (source.width() as usize, source.width() as i32 - 1, source.height() as i32 - 1);
    let raw = source.as_raw();
    let mut out = GrayImage::new(width, height);
    for (y, row) in out.chunks_exact_mut(width as usize).enumerate() {
        let fy = y as f32 + 0.5;
        let (bx, by, bw) = (h[1] * fy + h[2], h[4] * fy + h[5], h[7] * fy + h[8]);
        for (x, value) in row.iter_mut().enumerate() {
            let fx = x as f32 + 0.5;
            let depth = 1.0 / (h[6] * fx + bw);
            let (sx, sy) = ((h[0] * fx + bx) * depth - 0.5, (h[3] * fx + by) * depth - 0.5);
            let (ix, iy) = (sx.floor(), sy.floor());
            let (tx, ty) = (sx - ix, sy - iy);
            let at = |dx: i32, dy: i32| {
                let (cx, cy) = ((ix as i32 + dx).clamp(0, most_x), (iy as i32 + dy).clamp(0, most_y));
                f32::from(raw[cy as usize * w + cx as usize])
            };
            let upper = at(0, 0) * (1.0 - tx) + at(1, 0) * tx;
            let lower = at(0, 1) * (1.0 - tx) + at(1, 1) * tx;
            *value = (upper * (1.0 - ty) + lower * ty + 0.5) as u8;
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
        let copy = warped(&picture, &map, 40, 30);
        assert!(picture.iter().zip(copy.iter()).all(|(a, b)| a.abs_diff(*b) <= 1));
    }

    #[test]
    fn a_card_keeps_its_scale_and_a_page_is_never_enlarged() {
        assert_eq!(size(DocumentKind::Card, 2000.0, 1262.0), (642, 405));
        assert_eq!(size(DocumentKind::Card, 1262.0, 2000.0), (405, 642));
        assert_eq!(size(DocumentKind::Page, 500.0, 354.0), (500, 354));
        assert_eq!(size(DocumentKind::Page, 2100.0, 2970.0), (990, 1400));
    }
}
