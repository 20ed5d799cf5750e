//! Luma → widths of the edges in it, and noise: what blur and light are measured by.

use image::GrayImage;

/// Weakest contrast of an edge in luma, several times sensor noise.
const CONTRAST: i32 = 40;
/// How far an edge is followed to each side, in pixels: beyond it blur is beyond doubt.
pub const EDGE_REACH_PX: i32 = 12;

/// 10 to 90 % widths of the edges along rows, or along columns when `turned`, on every second line, in pixels: contrast
/// over steepest slope (after Marziliano et al. 2002, "A no-reference perceptual blur metric").
#[must_use]
pub fn edge_widths(luma: &GrayImage, turned: bool) -> Vec<f64> {
    let (along, lines) = if turned { (luma.height(), luma.width()) } else { luma.dimensions() };
    let mut found = Vec::new();
    for line in (0..lines).step_by(2) {
        let at = |i: i32| {
            let i = i.clamp(0, along as i32 - 1) as u32;
            i32::from(luma.get_pixel(if turned { line } else { i }, if turned { i } else { line }).0[0])
        };
        let slope = |i: i32| at(i + 1) - at(i);
        for i in 1..along as i32 - 2 {
            let steepest = slope(i);
            // The steepest step of a monotone run, both ends of which are followed.
            if steepest.abs() < 4 || slope(i - 1).abs() > steepest.abs() || slope(i + 1).abs() >= steepest.abs() {
                continue;
            }
            let run = |direction: i32| {
                (1..=EDGE_REACH_PX).take_while(|k| slope(i + direction * k) * steepest.signum() > 0).count() as i32
            };
            let contrast = (at(i + 1 + run(1)) - at(i - run(-1))).abs();
            if contrast >= CONTRAST {
                found.push(0.8 * f64::from(contrast) / f64::from(steepest.abs()));
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
    let mut differences: Vec<i32> = luma
        .as_raw()
        .chunks_exact(width)
        .flat_map(|row| row.windows(3))
        .map(|w| (2 * i32::from(w[1]) - i32::from(w[0]) - i32::from(w[2])).abs())
        .collect();
    if differences.is_empty() {
        return 0.0;
    }
    let at = differences.len() * 3 / 10;
    let (_, quiet, _) = differences.select_nth_unstable(at);
    f64::from(*quiet) / (0.385 * 6f64.sqrt())
}

/// How much stronger differences along one diagonal are than along the other, as a ratio of their root mean squares:
/// a camera that moved along a diagonal blurs rows and columns alike.
#[must_use]
pub fn diagonal_ratio(luma: &GrayImage) -> f64 {
    let (width, height) = (luma.width() as usize, luma.height() as usize);
    let raw = luma.as_raw();
    let (mut falling, mut rising) = (1i64, 1i64);
    for y in 0..height.saturating_sub(1) {
        for x in 0..width.saturating_sub(1) {
            let at = |dx: usize, dy: usize| i64::from(raw[(y + dy) * width + x + dx]);
            falling += (at(0, 0) - at(1, 1)).pow(2);
            rising += (at(1, 0) - at(0, 1)).pow(2);
        }
    }
    (falling.max(rising) as f64 / falling.min(rising) as f64).sqrt()
}
