//! The document's quadrilateral → its luma seen straight on, at a scale at which print can be read.

use fast_image_resize as fr;
use image::GrayImage;

use super::{Document, DocumentKind, Overview};
use crate::capture::Capture;
use crate::geometry::{Homography, PixelRect, Point, Quad};

/// Width of an ID-1 card: 7.5 px/mm, so that its 3 mm digits are 22 px high, enough for the recogniser and no more.
const CARD_PX: [u32; 2] = [642, 405];
/// Long side of a passport page or a landscape licence (ID-3: 7.5 px/mm).
const LANDSCAPE_PX: f32 = 940.0;
/// Long side of an upright page (A4: 4.7 px/mm; its 4 mm digits are 19 px high).
const UPRIGHT_PX: f32 = 1400.0;

/// The document seen straight on.
#[derive(Debug, Clone)]
pub struct Flat {
    /// Its luma: the document's first corner at the top left, a card on its side turned by a quarter.
    pub luma: GrayImage,
    /// Capture pixels per flat pixel: above 1 the capture holds more than is seen here, below 1 less.
    pub scale: f32,
    to_capture: Homography,
}

impl Flat {
    /// `document` seen straight on; `None` when its corners make no rectangle in perspective or it is too small.
    pub(super) fn of(capture: &Capture, overview: &Overview, document: &Document) -> Option<Self> {
        let mean = |quad: &Quad| {
            let [top, right, bottom, left] = quad.sides();
            (f32::midpoint(top, bottom), f32::midpoint(left, right))
        };
        let mut quad = document.quad;
        let (mut across, mut down) = mean(&quad);
        // Cards are wider than high: one that stands on its side is laid down, which way up is left to the reader.
        if document.kind == DocumentKind::Card && across < down {
            quad.0.rotate_left(1);
            (across, down) = (down, across);
        }
        if across.min(down) < 24.0 {
            return None;
        }
        let (width, height) = size(document.kind, across, down);
        let scale = across.max(down) / width.max(height) as f32;
        let rect = Quad(PixelRect::new(0, 0, width, height).corners());
        let to_capture = Homography::between(&rect, &quad)?;
        // The overview is area-averaged: where it is fine enough it is the better source, and nothing is read twice.
        let (source, origin, factor) = if overview.scale <= scale * 1.15 {
            (overview.luma.clone(), Point::default(), overview.scale)
        } else {
            native(capture, &quad, scale)?
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
        let (w, h) = (self.luma.width() as f32, self.luma.height() as f32);
        let [a, b, c, d] = Quad(PixelRect::new(0, 0, self.luma.width(), self.luma.height()).corners()).0;
        let turned = Quad([c, d, a, b].map(|p| self.to_capture.apply(Point::new(p.x.min(w), p.y.min(h)))));
        let to_capture = Homography::between(&Quad([a, b, c, d]), &turned).unwrap_or(self.to_capture);
        Self { luma: image::imageops::rotate180(&self.luma), scale: self.scale, to_capture }
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
    let window = capture.window();
    let fold = |pick: fn(&Point) -> f32, f: fn(f32, f32) -> f32, start: f32| quad.0.iter().map(pick).fold(start, f);
    let left = fold(|p| p.x, f32::min, f32::MAX).max(window.x as f32).floor() as u32;
    let top = fold(|p| p.y, f32::min, f32::MAX).max(window.y as f32).floor() as u32;
    let right = fold(|p| p.x, f32::max, 0.0).min((window.x + window.width) as f32).ceil() as u32;
    let bottom = fold(|p| p.y, f32::max, 0.0).min((window.y + window.height) as f32).ceil() as u32;
    if right <= left + 8 || bottom <= top + 8 {
        return None;
    }
    let rect = PixelRect::new(
        left,
        top,
        right.min(window.x + window.width) - left,
        bottom.min(window.y + window.height) - top,
    );
    let luma = capture.luma(rect)?;
    let step = scale.floor().max(1.0);
    let origin = Point::new(left as f32, top as f32);
    if step < 2.0 {
        return Some((luma, origin, 1.0));
    }
    let small = |side: u32| (side as f32 / step).ceil().max(1.0) as u32;
    let mut out = GrayImage::new(small(luma.width()), small(luma.height()));
    let (width, height) = out.dimensions();
    let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(fr::FilterType::Box)).crop(
        0.0,
        0.0,
        f64::from(luma.width()),
        f64::from(luma.height()),
    );
    let source = fr::images::ImageRef::new(luma.width(), luma.height(), luma.as_raw(), fr::PixelType::U8).ok()?;
    let mut target = fr::images::Image::from_slice_u8(width, height, &mut out, fr::PixelType::U8).ok()?;
    fr::Resizer::new().resize(&source, &mut target, &options).ok()?;
    Some((out, origin, luma.width() as f32 / width as f32))
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
