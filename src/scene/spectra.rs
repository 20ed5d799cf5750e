//! Native tiles → windowed power spectra of luma and chroma, over their own radial background, with their peaks.

// Frequencies are signed and far below 2³¹.
#![allow(clippy::cast_possible_wrap)]

use std::cell::RefCell;
use std::f32::consts::PI;
use std::sync::Arc;

use image::GrayImage;
use ndarray::Array2;
use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner};

use super::{Place, SPECTRAL_TILE_PX, Tile};
use crate::geometry::PixelRect;

const SIDE: usize = SPECTRAL_TILE_PX as usize;
/// A peak worth keeping stands this far above its ring. Noise power is exponentially distributed about its mean, 2.5 dB
/// above the geometric mean: one bin in 270 passes 10 dB by chance, and in most tiles of 33,000 bins none passes 13.
const PEAK_FLOOR_DB: f32 = 10.0;
/// How many peaks are kept of one spectrum, strongest first.
const PEAKS: usize = 8;
/// Bins beside an axis that belong to the cross of axis-aligned edges and of the tile's own frame: main lobe of the
/// Hann window, ±2 bins, and one more.
const CROSS: i32 = 3;
/// Lines nearer to the centre than this many bins, with a pitch beyond 51 px, are shading and single strokes.
const INNERMOST: f32 = 5.0;
/// JPEG's 8-px blocks repeat at multiples of this many bins.
const BLOCK: i32 = SPECTRAL_TILE_PX as i32 / 8;

/// A spectral line: cycles per [`SPECTRAL_TILE_PX`] native pixels, to a fraction of a bin, in the half plane `x` ≥ 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// Horizontal frequency.
    pub x: f32,
    /// Vertical frequency.
    pub y: f32,
    /// Above the mean of the ring at the same distance from the centre, in dB.
    pub ring_db: f32,
    /// Above the median of its own neighbourhood, 4 to 8 bins away, in dB: low on a ridge, high for a line.
    pub local_db: f32,
}

impl Peak {
    /// Distance from the centre, in cycles per tile.
    #[must_use]
    pub fn radius(&self) -> f32 {
        self.x.hypot(self.y)
    }

    /// Length of a period in native pixels.
    #[must_use]
    pub fn pitch_px(&self) -> f32 {
        SPECTRAL_TILE_PX as f32 / self.radius().max(f32::EPSILON)
    }

    /// Direction in which the pattern repeats, in degrees from the x axis, 0 to 180.
    #[must_use]
    pub fn angle_deg(&self) -> f32 {
        self.y.atan2(self.x).to_degrees().rem_euclid(180.0)
    }

    /// Distance in cycles per tile to `other` or to its mirror image, whichever is nearer.
    #[must_use]
    pub fn distance(&self, other: &Self) -> f32 {
        let same = (self.x - other.x).hypot(self.y - other.y);
        same.min((self.x + other.x).hypot(self.y + other.y))
    }
}

/// The power spectrum of one plane of one tile.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Rows: vertical frequency, FFT order (0, 1, … n/2, -n/2+1 … -1); columns: horizontal frequency 0 … n/2. Values
    /// in dB over the background at the same distance from the centre. One bin is one cycle per 256 native pixels.
    pub excess_db: Array2<f32>,
    /// Lines that stand out, strongest first; those on the axes' cross and on JPEG's block grid are left out.
    pub peaks: Vec<Peak>,
}

impl Spectrum {
    /// Excess at a whole frequency of either half plane; 0 beyond the spectrum's reach.
    #[must_use]
    pub fn at(&self, x: i32, y: i32) -> f32 {
        let (x, y) = if x < 0 { (-x, -y) } else { (x, y) };
        let (rows, columns) = self.excess_db.dim();
        let half = rows as i32 / 2;
        if x as usize >= columns || y < -half || y > half {
            return 0.0;
        }
        self.excess_db[[y.rem_euclid(rows as i32) as usize, x as usize]]
    }

    /// Mean of spectra of one size with its peaks, down to 4 dB: a line too weak for one tile stands out of sixteen,
    /// whose noise averages from 5.6 dB to 1.4 dB. `None` when there are none.
    #[must_use]
    pub fn average<'a>(spectra: impl Iterator<Item = &'a Self>) -> Option<Self> {
        let mut count = 0.0f32;
        let mut sum: Option<Array2<f32>> = None;
        for spectrum in spectra {
            count += 1.0;
            match &mut sum {
                Some(sum) => *sum += &spectrum.excess_db,
                None => sum = Some(spectrum.excess_db.clone()),
            }
        }
        let excess_db = sum?.mapv_into(|v| v / count);
        let side = excess_db.nrows();
        let columns = excess_db.t();
        let peaks = peaks(columns.as_slice()?, side, INNERMOST, 4.0);
        Some(Self { excess_db, peaks })
    }

    /// Highest excess within `reach` bins of a frequency.
    #[must_use]
    pub fn near(&self, x: f32, y: f32, reach: i32) -> f32 {
        let (x, y) = (x.round() as i32, y.round() as i32);
        let mut best = f32::NEG_INFINITY;
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                best = best.max(self.at(x + dx, y + dy));
            }
        }
        best
    }
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
    /// Of chroma, blue and red difference together (their powers added), at half resolution: phones and messengers
    /// store chroma at half resolution, so its upper half would be empty.
    pub chroma: Spectrum,
}

/// The spectra of `tiles`, in their order.
pub(super) fn of(tiles: &[Tile]) -> Vec<TileSpectra> {
    thread_local! {
        static WORKSPACES: RefCell<Option<[Workspace; 2]>> = const { RefCell::new(None) };
    }
    WORKSPACES.with_borrow_mut(|kept| {
        let [full, half] = kept.get_or_insert_with(|| [Workspace::new(SIDE), Workspace::new(SIDE / 2)]);
        tiles
            .iter()
            .map(|tile| {
                full.clear();
                full.add(tile.y.as_raw());
                let y = full.finish();
                half.clear();
                for plane in [&tile.cb, &tile.cr] {
                    half.add(&halved(plane));
                }
                TileSpectra { place: tile.place, rect: tile.rect, y, chroma: half.finish() }
            })
            .collect()
    })
}

/// Sums of 2 × 2 samples, a quarter of each: the plane at half resolution.
fn halved(plane: &GrayImage) -> Vec<u8> {
    let width = plane.width() as usize;
    let mut out = Vec::with_capacity(plane.as_raw().len() / 4);
    for rows in plane.as_raw().chunks_exact(2 * width) {
        let (upper, lower) = rows.split_at(width);
        for (a, b) in upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0) {
            let sum = u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]);
            out.push(((sum + 2) / 4) as u8);
        }
    }
    out
}

/// Plans and buffers for spectra of one size, kept by each thread.
struct Workspace {
    side: usize,
    /// Columns of the half plane.
    columns: usize,
    rows_fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Ring of each bin, column by column.
    ring: Vec<u8>,
    /// 1 / bins of each ring.
    ring_share: Vec<f32>,
    /// Power that rounding to 8 bits leaves in every bin.
    rounding: f32,
    row: Vec<f32>,
    /// [`BAND`] transformed rows.
    half_rows: Vec<Complex32>,
    /// The half plane, column by column.
    plane: Vec<Complex32>,
    power: Vec<f32>,
    column_fft: Arc<dyn Fft<f32>>,
    scratch: Vec<Complex32>,
}

/// Rows that are transposed together: their part of a column fills a cache line twice.
const BAND: usize = 16;

impl Workspace {
    fn new(side: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        let fft = planner.plan_fft_forward(side);
        let column_fft = FftPlanner::new().plan_fft_forward(side);
        let columns = side / 2 + 1;
        let window: Vec<f32> =
            (0..side).map(|i| 0.5 - 0.5 * (2.0 * PI * (i as f32 + 0.5) / side as f32).cos()).collect();
        let energy: f32 = window.iter().map(|w| w * w).sum();
        let ring: Vec<u8> = (0..columns)
            .flat_map(|x| (0..side).map(move |y| (x, if y > side / 2 { side - y } else { y })))
            .map(|(x, y)| ((x as f32).hypot(y as f32).round() as usize).min(side * 3 / 4 - 1).min(255) as u8)
            .collect();
        let mut count = [0u32; 256];
        for &r in &ring {
            count[r as usize] += 1;
        }
        Self {
            side,
            columns,
            rows_fft: fft,
            window,
            ring,
            ring_share: count.iter().map(|&n| 1.0 / n.max(1) as f32).collect(),
            // Rounding errors are uniform: variance 1/12 of a level, spread evenly over the spectrum.
            rounding: energy * energy / 12.0,
            row: vec![0.0; side],
            half_rows: vec![Complex32::default(); columns * BAND],
            plane: vec![Complex32::default(); columns * side],
            power: vec![0.0; columns * side],
            scratch: vec![Complex32::default(); column_fft.get_inplace_scratch_len()],
            column_fft,
        }
    }

    fn clear(&mut self) {
        self.power.fill(self.rounding);
    }

    /// Adds the power of one plane of `side` × `side` samples.
    fn add(&mut self, samples: &[u8]) {
        let side = self.side;
        debug_assert_eq!(samples.len(), side * side);
        let sum: u64 = samples.iter().map(|&s| u64::from(s)).sum();
        let mean = sum as f32 / (side * side) as f32;
        for (band, lines) in samples.chunks_exact(side * BAND).enumerate() {
            let rows = lines.chunks_exact(side).zip(self.half_rows.chunks_exact_mut(self.columns));
            for ((line, half_row), w_y) in rows.zip(&self.window[band * BAND..]) {
                for ((out, &sample), &w) in self.row.iter_mut().zip(line).zip(&self.window) {
                    *out = (f32::from(sample) - mean) * w * w_y;
                }
                // Lengths are fixed at planning, the only cause for an error.
                let done = self.rows_fft.process(&mut self.row, half_row);
                debug_assert!(done.is_ok());
            }
            for (x, column) in self.plane.chunks_exact_mut(side).enumerate() {
                for (row, value) in column[band * BAND..(band + 1) * BAND].iter_mut().enumerate() {
                    *value = self.half_rows[row * self.columns + x];
                }
            }
        }
        self.column_fft.process_with_scratch(&mut self.plane, &mut self.scratch);
        for (power, z) in self.power.iter_mut().zip(&self.plane) {
            *power += z.re * z.re + z.im * z.im;
        }
    }

    /// The spectrum of what was added.
    fn finish(&mut self) -> Spectrum {
        let mut ring_db = [0.0f32; 256];
        let mut db: Vec<f32> = self.power.iter().map(|&p| decibels(p)).collect();
        for (value, &ring) in db.iter().zip(&self.ring) {
            ring_db[ring as usize] += value;
        }
        for (sum, share) in ring_db.iter_mut().zip(&self.ring_share) {
            *sum *= share;
        }
        for (value, &ring) in db.iter_mut().zip(&self.ring) {
            *value -= ring_db[ring as usize];
        }
        let peaks = peaks(&db, self.side, INNERMOST, PEAK_FLOOR_DB);
        let excess_db = Array2::from_shape_vec((self.columns, self.side), db).unwrap_or_default().reversed_axes();
        Spectrum { excess_db, peaks }
    }
}

/// 10 log10 of a positive, normal number to 0.03 dB: exponent, and a parabola through the mantissa.
fn decibels(power: f32) -> f32 {
    let bits = power.to_bits();
    let exponent = (bits >> 23) as i32 - 127;
    let m = f32::from_bits((bits & 0x007f_ffff) | 0x3f80_0000);
    10.0 * std::f32::consts::LOG10_2 * (exponent as f32 + (-m / 3.0 + 2.0) * m - 5.0 / 3.0)
}

/// Local maxima of a half plane stored column by column, strongest first.
fn peaks(db: &[f32], side: usize, innermost: f32, floor_db: f32) -> Vec<Peak> {
    let half = side as i32 / 2;
    let at = |x: i32, y: i32| {
        let (x, y) = if x < 0 { (-x, -y) } else { (x, y) };
        let x = if x > half { 2 * half - x } else { x };
        db[x as usize * side + y.rem_euclid(side as i32) as usize]
    };
    let mut found: Vec<(f32, i32, i32)> = Vec::new();
    // The outermost bins are left out: there chroma subsampling and sharpening leave their own traces.
    for x in CROSS + 1..half - 2 {
        let column = &db[x as usize * side..(x as usize + 1) * side];
        for (row, &value) in column.iter().enumerate() {
            if value < floor_db {
                continue;
            }
            let y = if row as i32 > half { row as i32 - side as i32 } else { row as i32 };
            let on_block_grid = |f: i32| (f + BLOCK / 2).rem_euclid(BLOCK).abs_diff(BLOCK / 2) <= 1;
            let excluded = y.abs() <= CROSS
                || y.abs() > half - 3
                || (x as f32).hypot(y as f32) < innermost
                || (on_block_grid(x) && on_block_grid(y));
            if excluded {
                continue;
            }
            let highest = (-2..=2).all(|dy| (-2..=2).all(|dx| at(x + dx, y + dy) <= value));
            if highest {
                found.push((value, x, y));
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.truncate(2 * PEAKS);
    let mut peaks: Vec<Peak> = found
        .into_iter()
        .map(|(value, x, y)| {
            let mut around: Vec<f32> = Vec::with_capacity(128);
            for dy in -8i32..=8 {
                for dx in -8i32..=8 {
                    if (16..=64).contains(&(dx * dx + dy * dy)) && (dx + dy) % 2 == 0 {
                        around.push(at(x + dx, y + dy));
                    }
                }
            }
            let middle = around.len() / 2;
            let (_, median, _) = around.select_nth_unstable_by(middle, f32::total_cmp);
            let vertex = |below: f32, above: f32| {
                let bend = below - 2.0 * value + above;
                if bend < 0.0 { (0.5 * (below - above) / bend).clamp(-0.5, 0.5) } else { 0.0 }
            };
            Peak {
                x: x as f32 + vertex(at(x - 1, y), at(x + 1, y)),
                y: y as f32 + vertex(at(x, y - 1), at(x, y + 1)),
                ring_db: value,
                local_db: value - *median,
            }
        })
        .collect();
    peaks.sort_by(|a, b| b.local_db.min(b.ring_db).total_cmp(&a.local_db.min(a.ring_db)));
    peaks.truncate(PEAKS);
    peaks
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Spectra of `tiles`.
    pub(crate) fn spectra_of(tiles: &[Tile]) -> Vec<TileSpectra> {
        of(tiles)
    }

    /// A tile whose luma is `luma(x, y)` and whose chroma is `chroma(x, y)`.
    pub(crate) fn tile(luma: impl Fn(f32, f32) -> f32, chroma: impl Fn(f32, f32) -> f32) -> Tile {
        let plane = |f: &dyn Fn(f32, f32) -> f32| {
            GrayImage::from_fn(SPECTRAL_TILE_PX, SPECTRAL_TILE_PX, |x, y| {
                image::Luma([f(x as f32, y as f32).round().clamp(0.0, 255.0) as u8])
            })
        };
        let rect = PixelRect::new(0, 0, SPECTRAL_TILE_PX, SPECTRAL_TILE_PX);
        Tile { rect, place: Place::Inside, y: plane(&luma), cb: plane(&chroma), cr: plane(&|_, _| 128.0) }
    }

    /// Repeatable noise of about ±`amplitude` at a pixel.
    pub(crate) fn noise(x: f32, y: f32, amplitude: f32) -> f32 {
        let mut h = (x as u32).wrapping_mul(0x9E37_79B1) ^ (y as u32).wrapping_mul(0x85EB_CA77);
        h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
        h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
        h ^= h >> 15;
        amplitude * (h as f32 / u32::MAX as f32 * 2.0 - 1.0)
    }

    /// A wave of `pitch` px that repeats towards `degrees`.
    pub(crate) fn wave(x: f32, y: f32, pitch: f32, degrees: f32) -> f32 {
        let (s, c) = degrees.to_radians().sin_cos();
        (2.0 * PI * (x * c + y * s) / pitch).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    #[test]
    fn a_wave_in_noise_is_found_where_it_is() {
        for (pitch, degrees) in [(5.3, 20.0), (11.0, 70.0), (3.1, 130.0), (17.0, 155.0)] {
            let tiles = [tile(|x, y| 128.0 + noise(x, y, 8.0) + 3.0 * wave(x, y, pitch, degrees), |_, _| 128.0)];
            let peak = of(&tiles)[0].y.peaks[0];
            assert!((peak.pitch_px() / pitch - 1.0).abs() < 0.02, "{peak:?} for {pitch} px");
            assert!((peak.angle_deg() - degrees).abs() < 1.0, "{peak:?} for {degrees}°");
            assert!(peak.ring_db > 20.0 && peak.local_db > 20.0, "{peak:?}");
        }
    }

    #[test]
    fn a_coloured_wave_shows_in_chroma_alone() {
        let tiles = [tile(|x, y| 128.0 + noise(x, y, 8.0), |x, y| 128.0 + 4.0 * wave(x, y, 16.0, 30.0))];
        let spectra = &of(&tiles)[0];
        let peak = spectra.chroma.peaks[0];
        assert!((peak.pitch_px() / 16.0 - 1.0).abs() < 0.03 && (peak.angle_deg() - 30.0).abs() < 2.0, "{peak:?}");
        assert!(spectra.y.peaks.iter().all(|p| p.ring_db < 16.0));
    }

    #[test]
    fn noise_flat_ground_and_axis_aligned_edges_have_no_strong_peak() {
        let noisy = tile(|x, y| 128.0 + noise(x, y, 8.0), |x, y| 128.0 + noise(x, y + 999.0, 4.0));
        let flat = tile(|_, _| 200.0, |_, _| 128.0);
        let edges = tile(|x, y| if x as i32 / 13 % 2 == 0 { 220.0 } else { 40.0 } + noise(x, y, 4.0), |_, _| 128.0);
        for spectra in of(&[noisy, flat, edges]) {
            for peak in spectra.y.peaks.iter().chain(&spectra.chroma.peaks) {
                assert!(peak.local_db.min(peak.ring_db) < 16.0, "{peak:?}");
            }
        }
    }

    #[test]
    fn the_half_plane_answers_for_its_mirror_image() {
        let tiles = [tile(|x, y| 128.0 + 20.0 * wave(x, y, 8.0, 45.0), |_, _| 128.0)];
        let spectrum = &of(&tiles)[0].y;
        let f = (32.0 * std::f32::consts::FRAC_1_SQRT_2) as i32;
        assert!((spectrum.at(f, f) - spectrum.at(-f, -f)).abs() < 1e-6);
        assert!(spectrum.near(f as f32, f as f32, 1) > 30.0);
        assert!(spectrum.near(f as f32, -f as f32, 1) < 15.0);
    }

    #[test]
    fn decibels_are_right_to_a_thirtieth() {
        for power in [1e-6f32, 0.5, 1.0, 3.7, 1e9] {
            assert!((decibels(power) - 10.0 * power.log10()).abs() < 0.04, "{power}");
        }
    }
}
