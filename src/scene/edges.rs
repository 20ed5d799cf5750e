//! Luma → widths of the edges in it: what blur is measured by.

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
