//! Capture → a few tiles at native resolution, placed inside the document, across its border and outside it.

use image::GrayImage;

use super::Document;
use crate::capture::Capture;
use crate::geometry::{PixelRect, Point, Quad};

/// Side of a tile for spectra: 256 px resolve a pattern's pitch to about 1 % and its angle to about 1°.
pub const SPECTRAL_TILE_PX: u32 = 256;
/// How many tiles are looked at for periodicity, at most.
const SPECTRAL_TILES: usize = 12;
/// Side of a tile for the texture network, as it was trained.
pub const TEXTURE_TILE_PX: u32 = 128;
/// How many tiles the texture network pools.
pub const TEXTURE_TILES: usize = 6;
/// How many texture tiles at least lie on a known document or its border.
const TEXTURE_TILES_ON_DOCUMENT: usize = 4;

/// Where a tile lies with regard to the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// Wholly on the document; everywhere when no document was found.
    Inside,
    /// Across its border.
    Border,
    /// Wholly off it.
    Outside,
}

/// A square of native pixels.
#[derive(Debug, Clone)]
pub struct Tile {
    /// Where it was cut, in upright capture pixels.
    pub rect: PixelRect,
    /// With regard to the document.
    pub place: Place,
    /// Luma.
    pub y: GrayImage,
    /// Blue-difference chroma.
    pub cb: GrayImage,
    /// Red-difference chroma.
    pub cr: GrayImage,
}

/// Tiles for spectra: with a document four inside it, four across the middles of its sides and four beyond them,
/// as far as native pixels reach; the rest, and everything without a document, from a spread grid.
pub(super) fn spectral(capture: &Capture, document: Option<&Document>) -> Vec<Tile> {
    spectral_rects(capture.frame(), document)
        .into_iter()
        .filter_map(|rect| {
            let [y, cb, cr] = capture.ycc(rect)?;
            Some(Tile { rect, place: place_of(rect, document), y, cb, cr })
        })
        .collect()
}

fn spectral_rects(window: PixelRect, document: Option<&Document>) -> Vec<PixelRect> {
    /// Steps of the spread grid are never shorter than this: half a tile, so that votes stay nearly independent.
    const STEP: u32 = SPECTRAL_TILE_PX / 2;
    if window.width < SPECTRAL_TILE_PX || window.height < SPECTRAL_TILE_PX {
        return Vec::new();
    }
    let mut rects: Vec<PixelRect> = Vec::with_capacity(SPECTRAL_TILES);
    let add = |rect: PixelRect, rects: &mut Vec<PixelRect>| {
        let near = |r: &PixelRect| r.x.abs_diff(rect.x) < STEP / 2 && r.y.abs_diff(rect.y) < STEP / 2;
        if rects.len() < SPECTRAL_TILES && window.holds(rect) && !rects.iter().any(near) {
            rects.push(rect);
        }
    };
    for centre in document.into_iter().flat_map(|d| document_centres(&d.quad)) {
        if let Some(rect) = square_at(centre, SPECTRAL_TILE_PX, window) {
            add(rect, &mut rects);
        }
    }
    // Four along the longer side, three along the shorter.
    let positions = |first: u32, span: u32, other: u32| {
        let room = span - SPECTRAL_TILE_PX;
        let count = (1 + room / STEP).min(if span >= other { 4 } else { 3 });
        (0..count).map(move |i| first + if count == 1 { room / 2 } else { room * i / (count - 1) })
    };
    for y in positions(window.y, window.height, window.width) {
        for x in positions(window.x, window.width, window.height) {
            add(PixelRect::new(x, y, SPECTRAL_TILE_PX, SPECTRAL_TILE_PX), &mut rects);
        }
    }
    rects
}

/// Middles of tiles with regard to a document: across its sides, beyond them, then inside.
fn document_centres(quad: &Quad) -> Vec<Point> {
    /// Of the way from the top left corner to the right and down.
    const INSIDE: [(f32, f32); 4] = [(0.25, 0.25), (0.75, 0.75), (0.75, 0.25), (0.25, 0.75)];
    let middle = quad.centre();
    let sides: [Point; 4] = std::array::from_fn(|i| quad.0[i].towards(quad.0[(i + 1) % 4], 0.5));
    let beyond = |side: &Point| {
        let away = 1.0 + 0.75 * SPECTRAL_TILE_PX as f32 / middle.distance(*side).max(1.0);
        middle.towards(*side, away)
    };
    let inside = INSIDE.iter().map(|&(right, down)| within(quad, right, down));
    sides.into_iter().chain(sides.iter().map(beyond)).chain(inside).collect()
}

/// The point a share `right` across and `down` along a quad, bilinearly.
fn within(quad: &Quad, right: f32, down: f32) -> Point {
    let [a, b, c, d] = quad.0;
    a.towards(b, right).towards(d.towards(c, right), down)
}

/// The square of `side` pixels around `centre`, moved by at most a quarter of its side to lie in `window`.
fn square_at(centre: Point, side: u32, window: PixelRect) -> Option<PixelRect> {
    let along = |wanted: f32, first: u32, span: u32| {
        let low = first as f32;
        let high = (first + span.checked_sub(side)?) as f32;
        let start = wanted - side as f32 / 2.0;
        let moved = start.clamp(low, high);
        ((moved - start).abs() <= side as f32 / 4.0).then_some(moved as u32)
    };
    let x = along(centre.x, window.x, window.width)?;
    let y = along(centre.y, window.y, window.height)?;
    Some(PixelRect::new(x, y, side, side))
}

/// Tiles for the texture network.
///
/// The picture is cut into 4 × 4 cells and a tile is centred in each of six of them, spread so that every row and
/// column is met: the layout that the network was trained and measured with. When a document is known and fewer than
/// four of them meet it, tiles that miss it are moved onto it.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn texture(capture: &Capture, document: Option<&Document>) -> Vec<Tile> {
    texture_rects(capture.frame(), document)
        .into_iter()
        .filter_map(|rect| {
            let [y, cb, cr] = capture.ycc(rect)?;
            let [y, cb, cr] = [y, cb, cr].map(|plane| mirrored_to(plane, TEXTURE_TILE_PX));
            Some(Tile { rect, place: place_of(rect, document), y, cb, cr })
        })
        .collect()
}

fn texture_rects(window: PixelRect, document: Option<&Document>) -> [PixelRect; TEXTURE_TILES] {
    /// Cells of a 4 × 4 grid, row by row.
    const CELLS: [u32; TEXTURE_TILES] = [1, 4, 6, 9, 11, 14];
    /// Where tiles go that are moved onto the document: shares of the way right and down.
    const MOVED: [(f32, f32); TEXTURE_TILES_ON_DOCUMENT] = [(0.3, 0.3), (0.7, 0.7), (0.7, 0.3), (0.3, 0.7)];
    let centred = |first: u32, span: u32, cell: u32| {
        let middle = (u64::from(span) * u64::from(2 * cell + 1) / 8) as u32;
        first + middle.saturating_sub(TEXTURE_TILE_PX / 2).min(span.saturating_sub(TEXTURE_TILE_PX))
    };
    let mut rects = CELLS.map(|cell| {
        PixelRect::new(
            centred(window.x, window.width, cell % 4),
            centred(window.y, window.height, cell / 4),
            TEXTURE_TILE_PX.min(window.width),
            TEXTURE_TILE_PX.min(window.height),
        )
    });
    let Some(known) = document else { return rects };
    let misses = |rect: &PixelRect| place_of(*rect, document) == Place::Outside;
    let mut wanted = TEXTURE_TILES_ON_DOCUMENT.saturating_sub(rects.iter().filter(|r| !misses(r)).count());
    let mut places = MOVED
        .iter()
        .filter_map(|&(right, down)| square_at(within(&known.quad, right, down), TEXTURE_TILE_PX, window))
        .filter(|rect| !misses(rect));
    for rect in rects.iter_mut().filter(|r| misses(r)) {
        if wanted == 0 {
            break;
        }
        let Some(place) = places.next() else { break };
        *rect = place;
        wanted -= 1;
    }
    rects
}

/// Where `rect` lies with regard to the document.
fn place_of(rect: PixelRect, document: Option<&Document>) -> Place {
    let Some(document) = document else { return Place::Inside };
    match rect.corners().iter().filter(|c| document.quad.contains(**c)).count() {
        4 => Place::Inside,
        0 if !rect_holds_corner(rect, document) => Place::Outside,
        _ => Place::Border,
    }
}

fn rect_holds_corner(rect: PixelRect, document: &Document) -> bool {
    let [a, _, c, _] = rect.corners();
    document.quad.0.iter().any(|p| p.x >= a.x && p.x <= c.x && p.y >= a.y && p.y <= c.y)
}

/// `plane` continued by reflection to `side` × `side`, when it is smaller.
fn mirrored_to(plane: GrayImage, side: u32) -> GrayImage {
    let (width, height) = plane.dimensions();
    if width >= side && height >= side {
        return plane;
    }
    let fold = |i: u32, n: u32| {
        let period = (2 * n - 2).max(1);
        let i = i % period;
        if i < n { i } else { period - i }
    };
    GrayImage::from_fn(side, side, |x, y| *plane.get_pixel(fold(x, width), fold(y, height)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::DocumentKind;

    fn card(x: u32, y: u32, width: u32, height: u32) -> Document {
        let quad = Quad(PixelRect::new(x, y, width, height).corners());
        Document {
            quad,
            kind: DocumentKind::Card,
            edge_support: 1.0,
            confidence: None,
            fills_frame: false,
            device: None,
        }
    }

    #[test]
    fn without_a_document_twelve_tiles_spread_over_the_window() {
        let window = PixelRect::new(100, 50, 4000, 3000);
        let rects = spectral_rects(window, None);
        assert_eq!(rects.len(), SPECTRAL_TILES);
        assert!(rects.iter().all(|r| window.holds(*r)));
        assert_eq!((rects[0].x, rects[0].y), (100, 50));
        assert_eq!((rects[11].x, rects[11].y), (100 + 4000 - 256, 50 + 3000 - 256));
    }

    #[test]
    fn a_small_window_has_few_tiles_and_a_tiny_one_none() {
        assert_eq!(spectral_rects(PixelRect::new(0, 0, 400, 300), None).len(), 2);
        assert!(spectral_rects(PixelRect::new(0, 0, 255, 3000), None).is_empty());
    }

    #[test]
    fn a_document_has_tiles_inside_across_and_outside() {
        let document = card(1000, 800, 2000, 1300);
        let rects = spectral_rects(PixelRect::new(0, 0, 4000, 3000), Some(&document));
        let count = |place| rects.iter().filter(|r| place_of(**r, Some(&document)) == place).count();
        assert_eq!(rects.len(), SPECTRAL_TILES);
        assert_eq!((count(Place::Inside), count(Place::Border), count(Place::Outside)), (4, 4, 4));
    }

    #[test]
    fn four_texture_tiles_meet_a_small_document() {
        let window = PixelRect::new(0, 0, 4000, 3000);
        let document = card(200, 200, 900, 600);
        let on =
            |rects: &[PixelRect]| rects.iter().filter(|r| place_of(**r, Some(&document)) != Place::Outside).count();
        assert!(on(&texture_rects(window, None)) < TEXTURE_TILES_ON_DOCUMENT);
        assert_eq!(on(&texture_rects(window, Some(&document))), TEXTURE_TILES_ON_DOCUMENT);
        // A document that the layout meets anyway leaves it alone.
        assert_eq!(texture_rects(window, Some(&card(0, 0, 4000, 3000))), texture_rects(window, None));
    }
}
