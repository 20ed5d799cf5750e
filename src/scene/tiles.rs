//! Capture → a few tiles at native resolution, placed inside the document, across its border and outside it.

use image::GrayImage;

use super::Document;
use crate::capture::Capture;
use crate::geometry::PixelRect;

/// Side of a tile for spectra: 256 px resolve a pattern's pitch to about 1 % and its angle to about 1°.
pub const SPECTRAL_TILE_PX: u32 = 256;
/// Side of a tile for the texture network, as it was trained.
pub const TEXTURE_TILE_PX: u32 = 128;
/// How many tiles the texture network pools.
pub const TEXTURE_TILES: usize = 6;

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

/// Tiles for spectra.
pub(super) fn spectral(_capture: &Capture, _document: Option<&Document>) -> Vec<Tile> {
    Vec::new()
}

/// Tiles for the texture network.
///
/// The window is cut into 4 × 4 cells and a tile is centred in each of six of them, spread so that every row and
/// column is met: the layout that the network was trained and measured with.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn texture(capture: &Capture, document: Option<&Document>) -> Vec<Tile> {
    /// Cells of a 4 × 4 grid, row by row.
    const CELLS: [u32; TEXTURE_TILES] = [1, 4, 6, 9, 11, 14];
    let window = capture.window();
    let centred = |first: u32, span: u32, cell: u32| {
        let middle = (u64::from(span) * u64::from(2 * cell + 1) / 8) as u32;
        first + middle.saturating_sub(TEXTURE_TILE_PX / 2).min(span.saturating_sub(TEXTURE_TILE_PX))
    };
    CELLS
        .iter()
        .filter_map(|cell| {
            let rect = PixelRect::new(
                centred(window.x, window.width, cell % 4),
                centred(window.y, window.height, cell / 4),
                TEXTURE_TILE_PX.min(window.width),
                TEXTURE_TILE_PX.min(window.height),
            );
            let [y, cb, cr] = capture.ycc(rect)?;
            let [y, cb, cr] = [y, cb, cr].map(|plane| mirrored_to(plane, TEXTURE_TILE_PX));
            Some(Tile { rect, place: place_of(rect, document), y, cb, cr })
        })
        .collect()
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
