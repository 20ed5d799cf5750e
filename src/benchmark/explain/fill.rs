//! A masked picture → the picture with the mask filled, smoothly or with one colour.

use image::{Rgb, RgbImage};

use super::region::CANVAS_PX;

/// What a region is filled with.
#[derive(Clone, Copy)]
pub(super) enum Filling {
    /// What lies around it, smoothly.
    Surrounding,
    /// One colour.
    Colour([f32; 3]),
}

/// Fills the masked pixels of a picture; a picture that is masked throughout becomes its own mean colour.
pub(super) fn fill(picture: &mut RgbImage, mask: &[bool], filling: Filling) {
    if !mask.contains(&true) {
        return;
    }
    let (width, height) = picture.dimensions();
    let levels = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    if let Filling::Colour(colour) = filling {
        for (pixel, _) in picture.pixels_mut().zip(mask).filter(|(_, masked)| **masked) {
            *pixel = Rgb(colour.map(levels));
        }
        return;
    }
    // What fills is smooth: it is worked out on a grid of means, and read between them.
    let step = width.max(height).div_ceil(CANVAS_PX).max(1);
    let (columns, rows) = (width.div_ceil(step) as usize, height.div_ceil(step) as usize);
    let mut known = vec![[0.0f32; 4]; columns * rows];
    let mut total = [0.0f64; 3];
    for ((x, y, pixel), masked) in picture.enumerate_pixels().zip(mask) {
        let place = (y / step) as usize * columns + (x / step) as usize;
        for ((sum, all), value) in known[place].iter_mut().zip(&mut total).zip(pixel.0) {
            *sum += if *masked { 0.0 } else { f32::from(value) };
            *all += f64::from(value);
        }
        known[place][3] += if *masked { 0.0 } else { 1.0 };
    }
    for place in &mut known {
        let count = place[3].max(1.0);
        *place = [place[0] / count, place[1] / count, place[2] / count, place[3].min(1.0)];
    }
    let mean = total.map(|sum| (sum / mask.len() as f64) as f32);
    let filled = diffused(&known, columns, rows, mean);
    for ((x, y, pixel), _) in picture.enumerate_pixels_mut().zip(mask).filter(|(_, masked)| **masked) {
        let at = |i: u32| (i as f32 + 0.5) / step as f32;
        *pixel = Rgb(between(&filled, columns, rows, at(x), at(y)).map(levels));
    }
}

/// Values with weights 0 to 1 → values everywhere: means of means upwards, and back down where weight is missing
/// (pull and push; Gortler et al., "The Lumigraph", 1996). `otherwise` where nothing has weight.
fn diffused(known: &[[f32; 4]], columns: usize, rows: usize, otherwise: [f32; 3]) -> Vec<[f32; 3]> {
    if known.iter().all(|value| value[3] >= 1.0) || (columns == 1 && rows == 1) {
        let own = |v: &[f32; 4]| if v[3] > 0.0 { [v[0], v[1], v[2]] } else { otherwise };
        return known.iter().map(own).collect();
    }
    let (fewer_columns, fewer_rows) = (columns.div_ceil(2), rows.div_ceil(2));
    let mut means = vec![[0.0f32; 4]; fewer_columns * fewer_rows];
    for (i, value) in known.iter().enumerate() {
        let mean = &mut means[i / columns / 2 * fewer_columns + i % columns / 2];
        for (sum, part) in mean.iter_mut().zip(value) {
            *sum += part * value[3];
        }
        // The weight itself is summed as it is.
        mean[3] += value[3] - value[3] * value[3];
    }
    for mean in &mut means {
        let weight = mean[3].max(f32::MIN_POSITIVE);
        *mean = [mean[0] / weight, mean[1] / weight, mean[2] / weight, mean[3].min(1.0)];
    }
    let coarse = diffused(&means, fewer_columns, fewer_rows, otherwise);
    let mixed = |(i, value): (usize, &[f32; 4])| {
        let at = |i: usize| 0.5 * (i as f32 + 0.5);
        let below = between(&coarse, fewer_columns, fewer_rows, at(i % columns), at(i / columns));
        std::array::from_fn(|c| value[c] * value[3] + below[c] * (1.0 - value[3]))
    };
    known.iter().enumerate().map(mixed).collect()
}

/// The value at (`x`, `y`), where that of column `i` lies at `i` + 0.5; bilinear, held at the border.
fn between(values: &[[f32; 3]], columns: usize, rows: usize, x: f32, y: f32) -> [f32; 3] {
    let split = |at: f32, count: usize| {
        let at = (at - 0.5).clamp(0.0, (count - 1) as f32);
        let first = (at as usize).min(count - 1);
        (first, (first + 1).min(count - 1), at - first as f32)
    };
    let ((left, right, across), (upper, lower, down)) = (split(x, columns), split(y, rows));
    let mixed = |a: [f32; 3], b: [f32; 3], t: f32| std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t);
    let row = |y: usize| mixed(values[y * columns + left], values[y * columns + right], across);
    mixed(row(upper), row(lower), down)
}

#[cfg(test)]
mod tests {
    use super::super::testing::grey;
    use super::*;

    #[test]
    fn a_picture_masked_throughout_becomes_its_mean() {
        let mut picture = grey(64, 64, |x, _| if x < 32.0 { 100.0 } else { 200.0 });
        fill(&mut picture, &[true; 64 * 64], Filling::Surrounding);
        assert!(picture.pixels().all(|pixel| pixel.0 == [150; 3]));
    }
}
