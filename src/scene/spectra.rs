//! Native tiles → windowed power spectra of luma and chroma, over their own radial background.

use ndarray::Array2;

use super::{Place, Tile};
use crate::geometry::PixelRect;

/// The power spectrum of one plane of one tile.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Rows: vertical frequency, FFT order (0, 1, … n/2, -n/2+1 … -1); columns: horizontal frequency 0 … n/2. Values
    /// in dB over the background at the same distance from the centre.
    pub excess_db: Array2<f32>,
}

/// The spectra of one tile.
#[derive(Debug, Clone)]
pub struct TileSpectra {
    /// Where the tile lies with regard to the document.
    pub place: Place,
    /// Where it was cut.
    pub rect: PixelRect,
    /// Of luma.
    pub y: Spectrum,
    /// Of blue-difference chroma.
    pub cb: Spectrum,
    /// Of red-difference chroma.
    pub cr: Spectrum,
}

/// The spectra of `tiles`, in their order.
pub(super) fn of(_tiles: &[Tile]) -> Vec<TileSpectra> {
    Vec::new()
}
