//! Luma → widths of the edges in it, and noise: what blur and light are measured by.

use image::GrayImage;

/// Weakest contrast of an edge in luma, several times sensor noise.
const CONTRAST: i16 = 40;
/// How far an edge is followed to each side, in pixels: beyond it blur is beyond doubt.
pub const EDGE_REACH_PX: usize = 12;

/// 10 to 90 % widths of the edges along rows, or along columns when `turned`, on every second line, in pixels: contrast
/// over steepest slope (after Marziliano et al. 2002, "A no-reference perceptual blur metric").
#[must_use]
pub fn edge_widths(luma: &GrayImage, turned: bool) -> Vec<f64> {
    let (along, lines) = if turned { (luma.height(), luma.width()) } else { luma.dimensions() };
    let (along, stride, raw) = (along as usize, luma.width() as usize, luma.as_raw());
    let mut found = Vec::new();
    let mut line = vec![0i16; along];
    // Step from each sample to the next, and none after the last.
    let mut slopes = vec![0i16; along];
    for at in (0..lines as usize).step_by(2) {
        if turned {
            line.iter_mut().zip(raw[at..].iter().step_by(stride)).for_each(|(v, sample)| *v = i16::from(*sample));
        } else {
            line.iter_mut().zip(&raw[at * stride..]).for_each(|(v, sample)| *v = i16::from(*sample));
        }
        slopes.iter_mut().zip(line.windows(2)).for_each(|(slope, pair)| *slope = pair[1] - pair[0]);
        // The last two samples begin no edge: nothing follows them.
        for (i, around) in (1..along.saturating_sub(2)).zip(slopes.windows(3)) {
            let (before, steepest, after) = (around[0].abs(), around[1].abs(), around[2].abs());
            // The steepest step of a monotone run, both ends of which are followed.
            if steepest < 4 || before > steepest || after >= steepest {
                continue;
            }
            let sign = around[1].signum();
            let follow = |slope: &&i16| **slope * sign > 0;
            let ahead = slopes[i + 1..].iter().take(EDGE_REACH_PX).take_while(follow).count();
            let behind = slopes[..i].iter().rev().take(EDGE_REACH_PX).take_while(follow).count();
            let contrast = (line[i + 1 + ahead] - line[i - behind]).abs();
            if contrast >= CONTRAST {
                found.push(0.8 * f64::from(contrast) / f64::from(steepest));
            }
        }
    }
    found
}

/// The lower quartile; sorts its argument.
pub fn lower_quartile(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 4).copied()
}

/// Standard deviation of noise in grey levels, from the quieter differences: of a normal variable the 30th percentile
/// of the size lies at 0.385 deviations, and a second difference has √6 times the deviation of a sample.
#[must_use]
pub fn noise_luma(luma: &GrayImage) -> f64 {
    let width = luma.width().max(1) as usize;
    let mut counts = [0usize; 511];
    for row in luma.as_raw().chunks_exact(width) {
        for w in row.windows(3) {
            counts[(2 * i16::from(w[1]) - i16::from(w[0]) - i16::from(w[2])).unsigned_abs() as usize] += 1;
        }
    }
    let at = counts.iter().sum::<usize>() * 3 / 10;
    let mut seen = 0;
    let quiet = counts.iter().position(|n| {
        seen += n;
        seen > at
    });
    quiet.unwrap_or(0) as f64 / (0.385 * 6f64.sqrt())
}

/// How much stronger differences along one diagonal are than along the other, as a ratio of their root mean squares:
/// a camera that moved along a diagonal blurs rows and columns alike.
#[must_use]
pub fn diagonal_ratio(luma: &GrayImage) -> f64 {
    let width = luma.width().max(1) as usize;
    let (mut falling, mut rising) = (1i64, 1i64);
    for (upper, lower) in luma.as_raw().chunks_exact(width).zip(luma.as_raw().chunks_exact(width).skip(1)) {
        // Sums of a row are far below 2³¹: no side is more than 16,384.
        let squares = |a: &[u8], b: &[u8]| -> i64 {
            let difference = |(a, b): (&u8, &u8)| i32::from(*a) - i32::from(*b);
            i64::from(a.iter().zip(b).map(difference).map(|d| d * d).sum::<i32>())
        };
        falling += squares(upper, &lower[1..]);
        rising += squares(&upper[1..], lower);
    }
    (falling.max(rising) as f64 / falling.min(rising) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same one pixel at a time.
    fn plain_widths(luma: &GrayImage, turned: bool) -> Vec<f64> {
        let (along, lines) = if turned { (luma.height(), luma.width()) } else { luma.dimensions() };
        let mut found = Vec::new();
        for line in (0..lines).step_by(2) {
            let at = |i: i32| {
                let i = i.clamp(0, along as i32 - 1) as u32;
                i32::from(luma.get_pixel(if turned { line } else { i }, if turned { i } else { line }).0[0])
            };
            let slope = |i: i32| at(i + 1) - at(i);
            for i in 1..along as i32 - 2 {
                let size = slope(i).abs();
                if size < 4 || slope(i - 1).abs() > size || slope(i + 1).abs() >= size {
                    continue;
                }
                let run = |direction: i32| {
                    (1..=12).take_while(|k| slope(i + direction * k) * slope(i).signum() > 0).count() as i32
                };
                let contrast = (at(i + 1 + run(1)) - at(i - run(-1))).abs();
                if contrast >= 40 {
                    found.push(0.8 * f64::from(contrast) / f64::from(size));
                }
            }
        }
        found
    }

    /// Smooth waves of several lengths and a little noise.
    fn waves(width: u32, height: u32) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let wave = (x as f32 / 5.0 + (y as f32 / 9.0).sin()).sin() + (y as f32 / 3.0 - x as f32 / 40.0).cos();
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519) >> 29;
            image::Luma([(120.0 + 58.0 * wave) as u8 + noise as u8])
        })
    }

    #[test]
    fn widths_are_those_of_a_walk_pixel_by_pixel() {
        for (width, height) in [(128, 128), (61, 40), (4, 90), (3, 3), (1, 1)] {
            let luma = waves(width, height);
            for turned in [false, true] {
                assert_eq!(edge_widths(&luma, turned), plain_widths(&luma, turned), "{width} × {height}, {turned}");
            }
        }
        assert!(edge_widths(&waves(128, 128), false).len() > 100);
    }

    #[test]
    fn noise_is_the_same_percentile_and_diagonals_the_same_squares() {
        for (width, height) in [(128, 64), (17, 5), (2, 9), (1, 1)] {
            let luma = waves(width, height);
            let at = |x: u32, y: u32| i32::from(luma.get_pixel(x, y).0[0]);
            let rows = (0..height).flat_map(|y| (1..width.max(2) - 1).map(move |x| (x, y)));
            let mut second: Vec<i32> = rows.map(|(x, y)| (2 * at(x, y) - at(x - 1, y) - at(x + 1, y)).abs()).collect();
            second.sort_unstable();
            let expected = second.get(second.len() * 3 / 10).map_or(0.0, |d| f64::from(*d) / (0.385 * 6f64.sqrt()));
            assert!((noise_luma(&luma) - expected).abs() < 1e-12, "{width} × {height}");
            let squares = (0..height - 1).flat_map(|y| (0..width - 1).map(move |x| (x, y)));
            let (falling, rising) = squares.fold((1, 1), |(falling, rising), (x, y)| {
                let (a, b) = (at(x, y) - at(x + 1, y + 1), at(x + 1, y) - at(x, y + 1));
                (falling + a * a, rising + b * b)
            });
            let expected = (f64::from(falling.max(rising)) / f64::from(falling.min(rising))).sqrt();
            assert!((diagonal_ratio(&luma) - expected).abs() < 1e-12, "{width} × {height}");
        }
    }
}
