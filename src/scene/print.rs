//! Overview and native pixels → where print lies, and pieces of it brought to one height of print.
//!
//! Print has fine edges in all directions, where the border of a table or a fold has them in one only: the lesser
//! eigenvalue of the structure tensor (Harris and Stephens 1988; Shi and Tomasi 1994) over blocks of the overview tells
//! the two apart. Whether a block really bears print is for those who look at the pieces.

use fast_image_resize as fr;
use image::{GrayImage, imageops};

use super::Overview;
use super::edges::noise_luma;
use super::overview::resize;
use crate::capture::Capture;
use crate::geometry::{Homography, PixelRect, Point, Quad, UNIT};
use crate::reading::lines::{self, Pieces, Touch};
use crate::vocabulary::Zone;

/// Side of a block, in pixels of the overview.
pub const BLOCK_PX: u32 = 8;
/// Width and height of a piece: two lines of about eight glyphs.
pub const PIECE_PX: (u32, u32) = (128, 64);
/// Height of glyphs to which a piece is reduced, in pixels.
pub const GLYPH_PX: f32 = 16.0;
/// Pieces of one zone.
const PIECES_A_ZONE: usize = 2;
/// Grey levels a pixel below which there is nothing to look at.
const LEAST_STRENGTH: f32 = 0.7;
/// Share of a zone's best block that the second place must reach.
const SECOND_SHARE: f32 = 0.35;
/// Blocks between two places of a zone.
const APART: i32 = 5;
/// Window in which the height of glyphs is measured, in pixels at the scale of looking.
const WINDOW_PX: (u32, u32) = (160, 112);
/// Glyphs lower than this are looked at again at twice the scale, as long as there are native pixels.
const CLEAR_PX: u32 = 11;
/// Scales at which glyphs are sought that are higher than the window, in shares of the overview's.
const FARTHER: [f32; 2] = [0.5, 0.25];
/// Lowest component that may be a glyph, in pixels at the scale of looking.
const LEAST_PX: u32 = 5;
/// Components that make a measurement of the height, and that speak for print higher than a piece.
const GLYPHS: usize = 4;
const FEW: usize = 2;
/// Side of the window of the local mean that ink is told by, in pixels: wider than a stroke of the highest glyph.
const SURROUND_PX: u32 = 31;
/// How much darker than its surround ink is, at least: share of the surround, grey levels, and deviations of the noise.
const DARKER: (f32, f32, f32) = (0.08, 7.0, 3.0);
/// Share of the document's border that is left out: frames, folds and the border itself are no print.
const INSET: f32 = 0.02;
/// A block bears print where its strength is at least this share of that of the document's strong blocks, and this
/// many grey levels a pixel.
const BEARS: (f32, f32) = (0.3, 4.0);
/// Blocks between two that bear print over which print is taken to go on where something hides it.
const BRIDGE: usize = 8;
/// Blocks from print to what it runs up to.
const REACH: usize = 3;

/// How strong fine edges in all directions are in each block of the overview.
#[derive(Debug, Clone)]
pub struct PrintMap {
    columns: usize,
    rows: usize,
    /// Grey levels a pixel, row by row.
    strength: Vec<f32>,
    /// Capture pixels a block.
    pub block: f32,
}

impl PrintMap {
    pub(super) fn of(overview: &Overview) -> Self {
        let (width, height) = (overview.luma.width() as usize, overview.luma.height() as usize);
        let side = BLOCK_PX as usize;
        let (columns, rows) = (width.div_ceil(side), height.div_ceil(side));
        let raw = overview.luma.as_raw();
        let mut strength = vec![0.0; columns * rows];
        let mut sums = vec![[0i32; 3]; columns];
        // Differences along a row and across it; the outermost pixels have none.
        let (mut across, mut down) = (vec![0i16; width], vec![0i16; width]);
        for row in 0..rows {
            sums.fill([0; 3]);
            for y in (row * side).max(1)..((row + 1) * side).min(height.saturating_sub(1)) {
                let [above, line, below] = [y - 1, y, y + 1].map(|y| &raw[y * width..][..width]);
                for ((out, before), after) in across.iter_mut().skip(1).zip(line).zip(line.iter().skip(2)) {
                    *out = i16::from(*after) - i16::from(*before);
                }
                let last = width.saturating_sub(1).max(1);
                for ((out, above), below) in down[..last].iter_mut().zip(above).zip(below).skip(1) {
                    *out = i16::from(*below) - i16::from(*above);
                }
                for ((sum, across), down) in sums.iter_mut().zip(across.chunks(side)).zip(down.chunks(side)) {
                    let product =
                        |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b)).sum::<i32>();
                    *sum = [
                        sum[0] + product(across, across),
                        sum[1] + product(down, down),
                        sum[2] + product(across, down),
                    ];
                }
            }
            for (value, [xx, yy, xy]) in strength[row * columns..].iter_mut().zip(&sums) {
                let (xx, yy, xy) = (*xx as f32, *yy as f32, *xy as f32);
                let lesser = f32::midpoint(xx, yy) - ((xx - yy) / 2.0).hypot(xy);
                *value = (lesser.max(0.0) / (side * side) as f32).sqrt() / 2.0;
            }
        }
        Self { columns, rows, strength, block: BLOCK_PX as f32 * overview.scale }
    }

    fn at(&self, column: i32, row: i32) -> f32 {
        let inside = (0..self.columns as i32).contains(&column) && (0..self.rows as i32).contains(&row);
        if inside { self.strength[row as usize * self.columns + column as usize] } else { 0.0 }
    }

    /// Middle of a block in capture pixels.
    fn middle(&self, index: usize) -> Point {
        let (x, y) = ((index % self.columns) as f32, (index / self.columns) as f32);
        Point::new(x + 0.5, y + 0.5).scaled(self.block)
    }

    /// The block at a place of the capture.
    fn index(&self, p: Point) -> Option<usize> {
        let (x, y) = ((p.x / self.block).floor(), (p.y / self.block).floor());
        let inside = x >= 0.0 && y >= 0.0 && (x as usize) < self.columns && (y as usize) < self.rows;
        inside.then(|| y as usize * self.columns + x as usize)
    }

    /// Where `outline` bears print, and where print would go on if nothing hid it.
    #[must_use]
    pub fn within(&self, outline: &Quad) -> PrintMask<'_> {
        let inner = inset(outline);
        let inside: Vec<bool> = (0..self.strength.len()).map(|i| inner.contains(self.middle(i))).collect();
        let mut strong: Vec<f32> = self.strength.iter().zip(&inside).filter(|(_, i)| **i).map(|(s, _)| *s).collect();
        let top = strong.len().saturating_sub(1) * 9 / 10;
        let typical = if strong.is_empty() { 0.0 } else { *strong.select_nth_unstable_by(top, f32::total_cmp).1 };
        let least = (BEARS.0 * typical).max(BEARS.1);
        let bears: Vec<bool> = self.strength.iter().zip(&inside).map(|(s, inside)| *inside && *s >= least).collect();
        let mut closed = bears.clone();
        bridge(&bears, &mut closed, self.columns, 1);
        bridge(&bears, &mut closed, self.rows, self.columns);
        PrintMask { map: self, bears, closed, least }
    }
}

/// Fills gaps of up to [`BRIDGE`] blocks between blocks that bear print, along lines of `length` blocks `step` apart.
fn bridge(bears: &[bool], closed: &mut [bool], length: usize, step: usize) {
    let lines = bears.len() / length.max(1);
    for line in 0..lines {
        let first = if step == 1 { line * length } else { line };
        let mut last: Option<usize> = None;
        for k in 0..length {
            if bears[first + k * step] {
                if let Some(before) = last.filter(|before| k - before <= BRIDGE) {
                    (before..k).for_each(|between| closed[first + between * step] = true);
                }
                last = Some(k);
            }
        }
    }
}

/// Where a document bears print.
#[derive(Debug)]
pub struct PrintMask<'a> {
    map: &'a PrintMap,
    bears: Vec<bool>,
    closed: Vec<bool>,
    least: f32,
}

impl PrintMask<'_> {
    /// Whether print is seen at a place of the capture.
    #[must_use]
    pub fn bears(&self, p: Point) -> bool {
        self.map.index(p).is_some_and(|i| self.bears[i])
    }

    /// Whether a place is as strong as the document's print, inside the outline or at its very border.
    #[must_use]
    pub fn strong(&self, p: Point) -> bool {
        self.map.index(p).is_some_and(|i| self.map.strength[i] >= self.least)
    }

    /// Whether print is seen there, or runs up to it: within three blocks of the same row.
    #[must_use]
    pub fn reaches(&self, p: Point) -> bool {
        let columns = self.map.columns;
        self.map.index(p).is_some_and(|i| {
            let (row, column) = (i / columns, i % columns);
            let from = column.saturating_sub(REACH);
            (from..=(column + REACH).min(columns - 1)).any(|column| self.bears[row * columns + column])
        })
    }

    /// Whether print is seen there, or would go on there from both sides.
    #[must_use]
    pub fn expects(&self, p: Point) -> bool {
        self.map.index(p).is_some_and(|i| self.closed[i])
    }

    /// Blocks that bear print or would.
    #[must_use]
    pub fn expected_count(&self) -> usize {
        self.closed.iter().filter(|closed| **closed).count()
    }
}

/// `outline` drawn in towards its middle, so that its own border does not count.
fn inset(outline: &Quad) -> Quad {
    let middle = outline.centre();
    Quad(outline.0.map(|corner| corner.towards(middle, 2.0 * INSET)))
}

/// A piece of the capture that may bear print, its glyphs about [`GLYPH_PX`] high.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Where it lies in the capture.
    pub rect: PixelRect,
    /// Which ninth of the document its middle lies in.
    pub zone: Zone,
    /// [`PIECE_PX`] pixels.
    pub luma: GrayImage,
    /// Pixels of the piece a pixel of the capture, at most 1: nothing is enlarged.
    pub scale: f32,
    /// Height of the glyphs in capture pixels, where it could be measured.
    pub glyph_px: Option<f32>,
    middle: Point,
}

impl Piece {
    /// The same place at twice the scale, where the capture has that many pixels.
    #[must_use]
    pub fn closer(&self, capture: &Capture, overview: &Overview) -> Option<Self> {
        (self.scale < 1.0).then_some(())?;
        cut(capture, overview, self.middle, self.zone, (2.0 * self.scale).min(1.0), self.glyph_px)
    }

    /// The same place at `share` of the overview's scale, where no height of glyphs was measured: they may be higher than
    /// a piece. `None` where noise hides whether there are any: averaged, it looks like print.
    #[must_use]
    pub fn farther(&self, capture: &Capture, overview: &Overview, share: f32) -> Option<Self> {
        self.glyph_px.is_none().then_some(())?;
        let mut piece = cut(capture, overview, self.middle, self.zone, (share / overview.scale).min(1.0), None)?;
        let height = glyph_height(&piece.luma, FEW).filter(|height| *height >= CLEAR_PX);
        piece.glyph_px = height.map(|height| height as f32 / piece.scale);
        let clear = DARKER.2 * noise_luma(&piece.luma) as f32 <= DARKER.1;
        (clear || height.is_some()).then_some(piece)
    }
}

/// Pieces of `outline` where print is likeliest, at most two in each of the zones that its corners give.
pub(super) fn pieces(capture: &Capture, overview: &Overview, map: &PrintMap, outline: &Quad) -> Vec<Piece> {
    let Some(shares) = Homography::between(outline, &UNIT) else { return Vec::new() };
    let inner = inset(outline);
    let mut places: [Vec<(f32, i32, i32)>; 9] = Default::default();
    for row in 0..map.rows as i32 {
        for column in 0..map.columns as i32 {
            let p = map.middle(row as usize * map.columns + column as usize);
            if !inner.contains(p) {
                continue;
            }
            let at = shares.apply(p);
            // As wide as a piece is more often than not; blocks at the middle weigh double.
            let around = |dx: i32, dy: i32| map.at(column + dx, row + dy);
            let strength =
                (-2..=2).map(|dx| (-1..=1).map(|dy| around(dx, dy)).sum::<f32>()).sum::<f32>() + around(0, 0);
            places[zone_index(at)].push((strength / 16.0, column, row));
        }
    }
    let mut found = Vec::new();
    for (zone, mut places) in Zone::ALL.into_iter().zip(places) {
        places.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut chosen: Vec<(f32, i32, i32)> = Vec::new();
        for place in places {
            let far = |c: &(f32, i32, i32)| (c.1 - place.1).abs() >= APART || (c.2 - place.2).abs() >= APART;
            let enough = chosen.first().map_or(LEAST_STRENGTH, |first| SECOND_SHARE * first.0);
            if chosen.len() == PIECES_A_ZONE || place.0 < enough {
                break;
            }
            if chosen.iter().all(far) {
                chosen.push(place);
            }
        }
        let middle = |place: &(f32, i32, i32)| map.middle(place.2 as usize * map.columns + place.1 as usize);
        let glyph = chosen.first().and_then(|first| glyph_px(capture, overview, middle(first)));
        // Without a measured height the overview is looked at as it is.
        let scale = glyph.map_or(1.0 / overview.scale, |glyph| GLYPH_PX / glyph).min(1.0);
        found.extend(chosen.iter().filter_map(|place| cut(capture, overview, middle(place), zone, scale, glyph)));
    }
    found
}

fn zone_index(at: Point) -> usize {
    let zone = Zone::at(at.x, at.y);
    Zone::ALL.iter().position(|z| *z == zone).unwrap_or_default()
}

/// The piece around `middle` at `scale`; `None` where the capture has no such pixels.
fn cut(
    capture: &Capture,
    overview: &Overview,
    middle: Point,
    zone: Zone,
    scale: f32,
    glyph_px: Option<f32>,
) -> Option<Piece> {
    let (luma, rect) = view(capture, overview, middle, scale, PIECE_PX)?;
    let luma = if luma.dimensions() == PIECE_PX {
        luma
    } else {
        // A capture smaller than a piece: its last row and column go on.
        let (most_x, most_y) = (luma.width() - 1, luma.height() - 1);
        GrayImage::from_fn(PIECE_PX.0, PIECE_PX.1, |x, y| *luma.get_pixel(x.min(most_x), y.min(most_y)))
    };
    Some(Piece { rect, zone, luma, scale, glyph_px, middle })
}

/// `size` pixels at `scale` around `middle` (fewer in a small capture), and where they lie in the capture.
fn view(
    capture: &Capture,
    overview: &Overview,
    middle: Point,
    scale: f32,
    size: (u32, u32),
) -> Option<(GrayImage, PixelRect)> {
    let (most_x, most_y) = (capture.width(), capture.height());
    let span = |side: u32, whole: u32| ((side as f32 / scale).round() as u32).clamp(1, whole);
    let (width, height) = (span(size.0, most_x), span(size.1, most_y));
    let from = |at: f32, side: u32, whole: u32| ((at - side as f32 / 2.0).max(0.0) as u32).min(whole - side);
    let rect = PixelRect::new(from(middle.x, width, most_x), from(middle.y, height, most_y), width, height);
    let target = |side: u32, most: u32| ((side as f32 * scale).round() as u32).clamp(1, most);
    let target = (target(width, size.0), target(height, size.1));
    // The overview is area-averaged: where it is fine enough, nothing is read twice.
    let source = if scale * overview.scale <= 1.1 {
        let part = |v: u32| (v as f32 / overview.scale).round() as u32;
        let (x, y) = (part(rect.x), part(rect.y));
        let (w, h) = (part(width).max(1), part(height).max(1));
        let (most_w, most_h) = overview.luma.dimensions();
        let (x, y) = (x.min(most_w - 1), y.min(most_h - 1));
        PixelRect::new(x, y, w, h).cut(&overview.luma)
    } else {
        capture.luma(rect)?
    };
    if source.dimensions() == target {
        return Some((source, rect));
    }
    let mut out = GrayImage::new(target.0, target.1);
    resize(source.as_raw(), source.dimensions(), &mut out, target, fr::FilterType::Bilinear);
    Some((out, rect))
}

/// Height of glyphs around `middle` in capture pixels: first on the overview, then ever closer until they are clear; where
/// there are none, from farther off: print that fills the picture is higher than the window.
fn glyph_px(capture: &Capture, overview: &Overview, middle: Point) -> Option<f32> {
    let first = (1.0 / overview.scale).min(1.0);
    let mut scale = first;
    loop {
        let (luma, _) = view(capture, overview, middle, scale, WINDOW_PX)?;
        let height = glyph_height(&luma, GLYPHS);
        match height {
            Some(height) if height >= CLEAR_PX || scale >= 1.0 => return Some(height as f32 / scale),
            _ if scale >= 1.0 => break,
            _ => scale = (2.0 * scale).min(1.0),
        }
    }
    FARTHER.into_iter().find_map(|share| {
        let (luma, _) = view(capture, overview, middle, share * first, WINDOW_PX)?;
        // Words of print that is too low to be told would be glyphs a few pixels high.
        glyph_height(&luma, GLYPHS).filter(|height| *height >= CLEAR_PX).map(|height| height as f32 / (share * first))
    })
}

/// Height of what looks like glyphs in `luma`, in its pixels: of dark ones, or else of light ones on dark; `None` where
/// there are fewer than `least`.
fn glyph_height(luma: &GrayImage, least: usize) -> Option<u32> {
    let (width, height) = luma.dimensions();
    if width < SURROUND_PX || height < SURROUND_PX {
        return None;
    }
    let noise = noise_luma(luma) as f32;
    dark_glyph_height(luma, noise, least).or_else(|| {
        let mut negative = luma.clone();
        imageops::invert(&mut negative);
        // Paper between dark glyphs is no light glyph on dark.
        let dark = luma.as_raw().iter().filter(|v| **v < 128).count();
        (2 * dark > luma.as_raw().len()).then(|| dark_glyph_height(&negative, noise, least))?
    })
}

fn dark_glyph_height(luma: &GrayImage, noise: f32, least: usize) -> Option<u32> {
    let (width, height) = luma.dimensions();
    let floor = DARKER.1.max(DARKER.2 * noise);
    let mut pieces = Pieces::new(Touch::Corners, 0);
    lines::ink_rows(luma, SURROUND_PX, (DARKER.0, floor), |row| pieces.add(row));
    let mut heights: Vec<u32> = pieces
        .whole()
        .into_iter()
        .filter(|p| p.rect.x > 0 && p.rect.y > 0)
        .filter(|p| p.rect.x + p.rect.width < width && p.rect.y + p.rect.height < height)
        .map(|p| (p.rect.width, p.rect.height, p.area))
        .filter(|(w, h, ink)| (LEAST_PX..=height * 3 / 4).contains(h) && 6 * w >= *h && *w <= 3 * h && 8 * ink >= w * h)
        .map(|(_, h, _)| h)
        .collect();
    heights.sort_unstable();
    // Dots and commas are no glyphs.
    let high = *heights.get(heights.len() * 4 / 5)?;
    heights.retain(|h| 5 * h >= 2 * high);
    (heights.len() >= least).then(|| heights[heights.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::grey;
    use crate::scene::{Deadline, survey};

    /// Rows of marks like glyphs, `tall` pixels high with strokes of a fifth of that, inside `at`; paper elsewhere.
    fn print(at: PixelRect, tall: u32) -> impl Fn(u32, u32) -> u8 {
        move |x, y| {
            let inside = (at.x..at.x + at.width).contains(&x) && (at.y..at.y + at.height).contains(&y);
            if !inside {
                return 210;
            }
            let (row, column) = ((y - at.y) % (2 * tall), (x - at.x) % tall);
            let stroke = tall / 5;
            let upright = column < stroke || (3 * stroke..4 * stroke).contains(&column) && row < tall / 2;
            let across = column < 4 * stroke && (row < stroke || (row >= tall / 2 && row < tall / 2 + stroke));
            if row < tall && (upright || across) { 40 } else { 210 }
        }
    }

    #[test]
    fn strength_is_that_of_differences_pixel_by_pixel() {
        for (width, height) in [(61, 43), (64, 40), (9, 8), (17, 2)] {
            let luma = GrayImage::from_fn(width, height, |x, y| image::Luma([(x * x * 7 + y * 31 + x * y) as u8]));
            let grey = GrayImage::from_pixel(width, height, image::Luma([128]));
            let overview = Overview { luma: luma.clone(), cb: grey.clone(), cr: grey, scale: 1.0 };
            let map = PrintMap::of(&overview);
            for (index, strength) in map.strength.iter().enumerate() {
                let (left, top) = (index % map.columns * 8, index / map.columns * 8);
                let at = |x: usize, y: usize| f64::from(luma.get_pixel(x as u32, y as u32).0[0]);
                let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
                for y in top.max(1)..(top + 8).min(height as usize - 1) {
                    for x in left.max(1)..(left + 8).min(width as usize - 1) {
                        let (dx, dy) = (at(x + 1, y) - at(x - 1, y), at(x, y + 1) - at(x, y - 1));
                        (xx, yy, xy) = (xx + dx * dx, yy + dy * dy, xy + dx * dy);
                    }
                }
                let lesser = f64::midpoint(xx, yy) - ((xx - yy) / 2.0).hypot(xy);
                let expected = (lesser.max(0.0) / 64.0).sqrt() / 2.0;
                assert!((f64::from(*strength) - expected).abs() < 0.05, "{width} × {height}, {index}: {strength}");
            }
        }
    }

    #[test]
    fn print_is_found_where_it_is_and_brought_to_one_height() {
        for tall in [15, 30, 60, 120] {
            // Print in the upper left ninth of a large picture alone.
            let capture = grey(3600, 2700, print(PixelRect::new(200, 180, 900, 600), tall));
            let scene = survey(&capture, Deadline::NEVER);
            let pieces = scene.print_pieces();
            assert!(!pieces.is_empty() && pieces.len() <= 2, "{tall}: {}", pieces.len());
            for piece in pieces {
                assert_eq!((piece.zone, piece.luma.dimensions()), (Zone::UpperLeft, PIECE_PX));
                let measured = piece.glyph_px.expect("glyphs are clear");
                assert!((measured / tall as f32 - 1.0).abs() < 0.25, "{tall}: {measured}");
                let seen = tall as f32 * piece.scale;
                assert!(seen < 1.4 * GLYPH_PX && (piece.scale - 1.0).abs() < 1e-6 || seen > 0.7 * GLYPH_PX, "{seen}");
            }
        }
    }

    #[test]
    fn print_higher_than_the_window_is_measured_from_farther_off() {
        // A close view, of which the overview has every pixel.
        for tall in [120, 150] {
            let capture = grey(1000, 1000, print(PixelRect::new(0, 0, 1000, 1000), tall));
            let scene = survey(&capture, Deadline::NEVER);
            let pieces = scene.print_pieces();
            let heights: Vec<f32> = pieces.iter().filter_map(|piece| piece.glyph_px).collect();
            assert!(!heights.is_empty(), "{tall}");
            assert!(heights.iter().all(|height| (height / tall as f32 - 1.0).abs() < 0.3), "{tall}: {heights:?}");
        }
    }

    #[test]
    fn light_print_on_dark_has_a_height_too() {
        let capture = grey(800, 600, |x, y| if y % 60 < 30 && x % 30 < 8 { 210 } else { 40 });
        let scene = survey(&capture, Deadline::NEVER);
        let heights: Vec<f32> = scene.print_pieces().iter().filter_map(|piece| piece.glyph_px).collect();
        assert!(heights.len() > 4 && heights.iter().all(|height| (height / 30.0 - 1.0).abs() < 0.25), "{heights:?}");
    }

    #[test]
    fn a_lone_sign_is_looked_at_from_farther_off_but_not_in_noise() {
        let sign = print(PixelRect::new(300, 200, 200, 200), 200);
        let pieces = |noise: u32| {
            let mut state = 7u32;
            let rough = GrayImage::from_fn(800, 600, |x, y| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                image::Luma([sign(x, y) - (state >> 24) as u8 % (noise as u8 + 1)])
            });
            grey(800, 600, move |x, y| rough.get_pixel(x, y).0[0])
        };
        let looked = |noise: u32| {
            let capture = pieces(noise);
            let scene = survey(&capture, Deadline::NEVER);
            let unmeasured = scene.print_pieces().iter().filter(|piece| piece.glyph_px.is_none()).cloned();
            let seen: Vec<bool> = unmeasured.map(|p| p.farther(&capture, scene.overview(), 0.5).is_some()).collect();
            assert!(!seen.is_empty());
            seen.iter().filter(|seen| **seen).count()
        };
        assert!(looked(0) > 0);
        assert_eq!(looked(39), 0);
    }

    #[test]
    fn a_blank_page_has_no_pieces_and_a_tiny_picture_is_not_enlarged() {
        let blank = grey(900, 700, |_, _| 210);
        assert!(survey(&blank, Deadline::NEVER).print_pieces().is_empty());
        let tiny = grey(60, 40, print(PixelRect::new(0, 0, 60, 40), 10));
        for piece in survey(&tiny, Deadline::NEVER).print_pieces() {
            assert_eq!((piece.luma.dimensions(), piece.rect), (PIECE_PX, PixelRect::new(0, 0, 60, 40)));
            assert!(piece.scale <= 1.0);
        }
    }

    #[test]
    fn a_straight_edge_is_no_print() {
        let edge = grey(900, 700, |x, _| if x < 450 { 30 } else { 220 });
        assert!(survey(&edge, Deadline::NEVER).print_pieces().is_empty());
    }

    #[test]
    fn print_goes_on_under_what_hides_it_and_not_beyond_its_end() {
        // A grey patch of six blocks in the middle of the print.
        let line = print(PixelRect::new(100, 100, 600, 300), 15);
        let patch = (378..426, 200..260);
        let hidden = grey(800, 500, |x, y| if patch.0.contains(&x) && patch.1.contains(&y) { 120 } else { line(x, y) });
        let scene = survey(&hidden, Deadline::NEVER);
        let mask = scene.print_map().within(&scene.outline());
        let (under, beside) = (Point::new(402.0, 226.0), Point::new(752.0, 226.0));
        assert!(!mask.bears(under) && mask.expects(under) && mask.bears(Point::new(200.0, 226.0)));
        assert!(!mask.expects(beside) && !mask.reaches(beside) && mask.reaches(Point::new(712.0, 226.0)));
        assert!(mask.expected_count() > 0);
    }
}
