//! A square of a picture and its spectral lines → the square without them.

use image::RgbImage;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};

use crate::geometry::PixelRect;
use crate::scene::SPECTRAL_TILE_PX;

/// Bins of a spectrum of twice a tile's side that belong to one line: its main lobe, and some drift of its pitch.
const REACH: i32 = 6;

/// A spectral line: cycles per [`SPECTRAL_TILE_PX`] pixels across and down.
pub(super) type Line = (f32, f32);

/// Damps `lines` of the square `rect` in every channel to the geometric mean of their rings, and changes nothing else:
/// nothing outside `rect`, and nothing at all unless it is a square inside the picture.
///
/// The spectrum is taken over twice the square's side, flat over the square and falling to nothing about it, so that a
/// line keeps to few bins and what is taken away is right up to the square's border. Levels are rounded at random:
/// a pattern weaker than half a level would otherwise survive.
pub(super) fn flatten(picture: &mut RgbImage, rect: PixelRect, lines: &[Line], random: &mut ChaCha8Rng) {
    let (width, height) = picture.dimensions();
    let fits = u64::from(rect.x) + u64::from(rect.width) <= u64::from(width)
        && u64::from(rect.y) + u64::from(rect.height) <= u64::from(height);
    if !fits || rect.width != rect.height || rect.width < 32 || lines.is_empty() {
        return;
    }
    let side = rect.width as usize;
    let n = 2 * side;
    let margin = side / 2;
    let taper = |i: usize| {
        let away = if i < margin { margin - i } else { (i + 1).saturating_sub(margin + side) };
        0.5 + 0.5 * (std::f32::consts::PI * away as f32 / (margin + 1) as f32).cos()
    };
    let fold = |i: i64, count: u32| {
        let period = (2 * i64::from(count) - 2).max(1);
        let i = i.rem_euclid(period);
        (if i < i64::from(count) { i } else { period - i }) as u32
    };
    let column = |i: usize| fold(i64::from(rect.x) + i as i64 - margin as i64, width);
    let row = |i: usize| fold(i64::from(rect.y) + i as i64 - margin as i64, height);
    let (columns, rows): (Vec<u32>, Vec<u32>) = ((0..n).map(column).collect(), (0..n).map(row).collect());
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let scale = n as f32 / SPECTRAL_TILE_PX as f32;
    let lines: Vec<Line> = lines.iter().map(|(x, y)| (x * scale, y * scale)).collect();
    let mut taken = vec![[0.0f32; 3]; side * side];
    for channel in 0..3 {
        let value = |x: usize, y: usize| f32::from(picture.get_pixel(columns[x], rows[y]).0[channel]);
        let inner = || (margin..margin + side).flat_map(|y| (margin..margin + side).map(move |x| (x, y)));
        let mean = inner().map(|(x, y)| value(x, y)).sum::<f32>() / (side * side) as f32;
        let mut plane: Vec<Complex32> = (0..n * n)
            .map(|i| Complex32::new((value(i % n, i / n) - mean) * taper(i % n) * taper(i / n), 0.0))
            .collect();
        transform(&mut plane, n, forward.as_ref());
        let mut excess = vec![Complex32::default(); n * n];
        for line in &lines {
            let Some(level) = ring_level(&plane, n, *line, &lines) else { continue };
            for (dx, dy) in (-REACH..=REACH).flat_map(|dy| (-REACH..=REACH).map(move |dx| (dx, dy))) {
                if dx * dx + dy * dy > REACH * REACH {
                    continue;
                }
                for sign in [1, -1] {
                    let at = bin(sign * (line.0.round() as i32 + dx), sign * (line.1.round() as i32 + dy), n);
                    let height = plane[at].norm();
                    if height > level {
                        excess[at] = plane[at] * (1.0 - level / height);
                    }
                }
            }
        }
        transform(&mut excess, n, inverse.as_ref());
        for ((x, y), taken) in inner().zip(&mut taken) {
            taken[channel] = excess[y * n + x].re / (n * n) as f32;
        }
    }
    for (i, taken) in taken.iter().enumerate() {
        let (x, y) = (rect.x + (i % side) as u32, rect.y + (i / side) as u32);
        for (value, part) in picture.get_pixel_mut(x, y).0.iter_mut().zip(taken) {
            *value = (f32::from(*value) - part + random.random::<f32>()).floor().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Where a frequency stands in a transformed plane, which lies column by column.
fn bin(x: i32, y: i32, n: usize) -> usize {
    let fold = |f: i32| f.rem_euclid(n as i32) as usize;
    fold(x) * n + fold(y)
}

/// Geometric mean of the amplitudes about as far from frequency zero as `line`, away from all of `lines`; `None` where
/// nothing is left.
fn ring_level(plane: &[Complex32], n: usize, line: Line, lines: &[Line]) -> Option<f32> {
    let radius = line.0.hypot(line.1);
    let (mut sum, mut count) = (0.0f32, 0u32);
    for step in 0..360u16 {
        let (sine, cosine) = (f32::from(step) * std::f32::consts::PI / 360.0).sin_cos();
        for off in [-3.0, 0.0, 3.0] {
            let (x, y) = ((radius + off) * cosine, (radius + off) * sine);
            let apart = |l: &Line| (x - l.0).hypot(y - l.1).min((x + l.0).hypot(y + l.1)) > (2 * REACH) as f32;
            // The axes' cross holds the picture's own upright edges.
            if x.abs() > REACH as f32 && y.abs() > REACH as f32 && lines.iter().all(apart) {
                sum += plane[bin(x.round() as i32, y.round() as i32, n)].norm().max(f32::MIN_POSITIVE).ln();
                count += 1;
            }
        }
    }
    (count > 0).then(|| (sum / count as f32).exp())
}

/// Transforms a plane of `n` × `n` and leaves it turned about its diagonal: twice, and it lies as before.
fn transform(plane: &mut [Complex32], n: usize, fft: &dyn Fft<f32>) {
    fft.process(plane);
    for y in 0..n {
        for x in 0..y {
            plane.swap(y * n + x, x * n + y);
        }
    }
    fft.process(plane);
}

/// The line at the same distance from frequency zero in a random direction, away from `lines` where there is room.
pub(super) fn turned(line: Line, lines: &[Line], random: &mut ChaCha8Rng) -> Line {
    let radius = line.0.hypot(line.1);
    let apart = |a: Line, b: Line| (a.0 - b.0).hypot(a.1 - b.1).min((a.0 + b.0).hypot(a.1 + b.1));
    let mut found = line;
    for _ in 0..32 {
        let (sine, cosine) = random.random_range(0.0..std::f32::consts::PI).sin_cos();
        found = (radius * cosine, radius * sine);
        if lines.iter().all(|other| apart(found, *other) > REACH as f32) {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::evidence::marked_lines;
    use super::super::testing::{TILE, grey, random, spectrum, strongest};
    use super::*;
    use crate::evidence::{Mark, MarkKind};
    use crate::scene::testing::{noise, wave};

    #[test]
    fn flattening_removes_an_injected_line_and_leaves_the_rest_of_the_spectrum() {
        // One of 4 levels, and one of 0.4 that no rounding to the nearest level could remove.
        // There rounding at random is itself some noise; other noise altogether would move bins by 6 dB.
        for (amplitude, deviation, moves_db) in [(4.0, 8.0, 1.5), (0.4, 1.5, 4.0)] {
            let plain = grey(400, 330, |x, y| 128.0 + noise(x, y, deviation));
            let mut waved = grey(400, 330, |x, y| 128.0 + noise(x, y, deviation) + amplitude * wave(x, y, 9.3, 33.0));
            let before = spectrum(&waved, TILE);
            assert!(strongest(&before.y) > 20.0, "{}", strongest(&before.y));
            let marks = [Mark { kind: MarkKind::Pattern, polygon: TILE.corners().to_vec(), strength: 1.0, zone: None }];
            let named = marked_lines(&marks.iter().collect::<Vec<_>>(), std::slice::from_ref(&before), 14.0);
            assert_eq!(named.len(), 1);
            let untouched = waved.clone();
            flatten(&mut waved, TILE, &named[0].1, &mut random());
            let after = spectrum(&waved, TILE);
            assert!(strongest(&after.y) < 14.0, "{}", strongest(&after.y));
            let peak = before.y.peaks[0];
            assert!(before.y.near(peak.x, peak.y, 2) > 20.0);
            assert!(after.y.near(peak.x, peak.y, 2) < 12.0);
            // Rings compare with themselves: what lies elsewhere is as the noise alone has it.
            let noise_alone = spectrum(&plain, TILE);
            let (mut moved, mut raised, mut bins) = (0.0, 0.0, 0.0);
            for (x, y) in (8..110).step_by(3).flat_map(|x| (8..110).step_by(3).map(move |y| (x, y))) {
                if (x as f32 - peak.x).hypot(y as f32 - peak.y) > 12.0 {
                    moved += (after.y.at(x, y) - noise_alone.y.at(x, y)).abs();
                    raised += after.y.at(x, y) - noise_alone.y.at(x, y);
                    bins += 1.0;
                }
            }
            assert!(moved / bins < moves_db, "bins elsewhere move by {} dB", moved / bins);
            assert!((raised / bins).abs() < 0.5, "bins elsewhere rise by {} dB", raised / bins);
            for (x, y, pixel) in waved.enumerate_pixels() {
                let inside = (TILE.x..TILE.x + TILE.width).contains(&x) && (TILE.y..TILE.y + TILE.height).contains(&y);
                assert!(inside || pixel == untouched.get_pixel(x, y), "{x}, {y} lies outside");
            }
        }
    }

    #[test]
    fn a_square_that_does_not_fit_is_left() {
        let picture = grey(300, 280, |x, y| 128.0 + noise(x, y, 8.0) + 4.0 * wave(x, y, 9.3, 33.0));
        let rects = [
            PixelRect::new(100, 0, 256, 256),
            PixelRect::new(0, u32::MAX, 256, 256),
            PixelRect::new(0, 0, 256, 200),
            PixelRect::new(0, 0, 8, 8),
        ];
        for rect in rects {
            let mut edited = picture.clone();
            flatten(&mut edited, rect, &[(22.0, 15.0)], &mut random());
            assert_eq!(edited, picture, "{rect:?}");
        }
    }
}
