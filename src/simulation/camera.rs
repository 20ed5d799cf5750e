//! Light of a scene to a JPEG: pose, lens, Bayer mosaic, noise, demosaic, tone, sharpening, encoder.

use super::{Delivery, Spec, surface::Surface};
use crate::geometry::{Homography, Point};
use image::{RgbImage, codecs::jpeg::JpegEncoder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::f32::consts::TAU;

/// Lens samples a sensor pixel, each way; the lens blur works at this scale.
const LENS: usize = 2;
/// Scene samples a lens sample, each way; each averages the lattice over its own footprint analytically.
const SUB: usize = 2;
/// Focal length in frame diagonals: 26 mm on a 43.3 mm frame, a phone's main camera.
const FOCAL: f64 = 26.0 / 43.3;

/// Where the camera stands: plane (millimetres) to picture (pixels) and back.
pub struct Pose {
    forward: Homography,
    back: Homography,
    centre: [f64; 2],
    /// Half diagonal in pixels: the radius at which the distortion coefficient holds.
    reach: f64,
    k1: f64,
}

impl Pose {
    /// The pose of `spec` before a plane on which the document is `long` millimetres on its long side.
    #[must_use]
    pub fn new(spec: &Spec, long: f32) -> Self {
        let (w, h) = (f64::from(spec.width), f64::from(spec.height));
        let reach = w.hypot(h) / 2.0;
        let focal = FOCAL * 2.0 * reach;
        let scale = f64::from(spec.fill) * w.max(h) / f64::from(long);
        let depth = focal / scale;
        let (sx, cx) = f64::from(spec.tilt[0]).to_radians().sin_cos();
        let (sy, cy) = f64::from(spec.tilt[1]).to_radians().sin_cos();
        let (sz, cz) = f64::from(spec.roll).to_radians().sin_cos();
        // Roll about the axis, then tilt about x and y: the first two columns of Rx Ry Rz.
        let r1 = [cy * cz, cx * sz + sx * sy * cz, sx * sz - cx * sy * cz];
        let r2 = [-cy * sz, cx * cz - sx * sy * sz, sx * cz + cx * sy * sz];
        let t = [f64::from(spec.shift[0]) * w / scale, f64::from(spec.shift[1]) * h / scale, depth];
        let centre = [w / 2.0, h / 2.0];
        let mut forward = [0.0; 9];
        for (i, column) in [r1, r2, t].iter().enumerate() {
            forward[i] = focal * column[0] + centre[0] * column[2];
            forward[3 + i] = focal * column[1] + centre[1] * column[2];
            forward[6 + i] = column[2];
        }
        let forward = Homography(forward);
        Self { back: forward.inverse(), forward, centre, reach, k1: f64::from(spec.distortion) }
    }

    /// Plane to picture.
    #[must_use]
    pub fn to_picture(&self, x: f32, y: f32) -> Point {
        let [u, v] = self.forward.at(f64::from(x), f64::from(y));
        let (ux, uy) = ((u - self.centre[0]) / self.reach, (v - self.centre[1]) / self.reach);
        let (mut dx, mut dy) = (ux, uy);
        // Fixed point of the inverse distortion; six rounds settle it far below a pixel for |k1| < 0.1.
        for _ in 0..6 {
            let bend = 1.0 + self.k1 * (dx * dx + dy * dy);
            (dx, dy) = (ux / bend, uy / bend);
        }
        Point::new((dx * self.reach + self.centre[0]) as f32, (dy * self.reach + self.centre[1]) as f32)
    }

    /// Picture to plane.
    #[must_use]
    pub fn to_plane(&self, x: f64, y: f64) -> [f32; 2] {
        let (dx, dy) = (x - self.centre[0], y - self.centre[1]);
        let bend = 1.0 + self.k1 * (dx * dx + dy * dy) / (self.reach * self.reach);
        self.back.at(self.centre[0] + dx * bend, self.centre[1] + dy * bend).map(|v| v as f32)
    }
}

/// Everything the camera does with `surface`: the JPEG's bytes.
#[must_use]
pub fn expose(spec: &Spec, surface: &Surface, pose: &Pose, seed: u64) -> Vec<u8> {
    let (w, h) = (spec.width as usize, spec.height as usize);
    let mut planes = lens_plane(spec, surface, pose);
    for plane in &mut planes {
        blur(plane, w * LENS, h * LENS, spec.blur_px * LENS as f32);
        if spec.motion_px > 0.3 {
            streak(plane, w * LENS, h * LENS, spec.motion_px * LENS as f32, spec.motion_angle);
        }
    }
    let raw = sensor(spec, &planes, seed);
    drop(planes);
    develop(spec, &raw, seed)
}

/// A file after a messenger: reduced and compressed again; with its new size.
///
/// # Panics
///
/// When `jpeg` is not a JPEG.
#[must_use]
pub fn deliver(jpeg: &[u8], delivery: Delivery) -> (Vec<u8>, u32, u32) {
    #[allow(clippy::disallowed_methods, reason = "its own bytes")]
    let picture = image::load_from_memory(jpeg).expect("the encoder's JPEG decodes").to_rgb8();
    let (w, h) = picture.dimensions();
    let factor = (delivery.long_side as f32 / w.max(h) as f32).min(1.0);
    let (width, height) = ((w as f32 * factor).round().max(1.0) as u32, (h as f32 * factor).round().max(1.0) as u32);
    let small = if factor < 1.0 {
        image::imageops::resize(&picture, width, height, image::imageops::FilterType::Triangle)
    } else {
        picture
    };
    let mut out = Vec::new();
    JpegEncoder::new_with_quality(&mut out, delivery.quality.clamp(1, 100))
        .encode_image(&small)
        .expect("a picture in memory encodes");
    (out, width, height)
}

/// The scene through the pinhole, at `LENS` samples a pixel.
fn lens_plane(spec: &Spec, surface: &Surface, pose: &Pose) -> [Vec<f32>; 3] {
    let (w, h) = (spec.width as usize * LENS, spec.height as usize * LENS);
    let step = 1.0 / (LENS * SUB) as f64;
    let rows: Vec<Vec<[f32; 3]>> = (0..h)
        .into_par_iter()
        .map(|row| {
            let mut line = vec![[0.0f32; 3]; w];
            for sub in 0..SUB {
                let y = ((row * SUB + sub) as f64 + 0.5) * step;
                let mut last = pose.to_plane(-0.5 * step, y);
                for (column, out) in line.iter_mut().enumerate() {
                    for k in 0..SUB {
                        let [px, py] = pose.to_plane(((column * SUB + k) as f64 + 0.5) * step, y);
                        let footprint = (px - last[0]).hypot(py - last[1]);
                        last = [px, py];
                        let light = surface.light(px, py, footprint);
                        for (o, l) in out.iter_mut().zip(light) {
                            *o += l / (SUB * SUB) as f32;
                        }
                    }
                }
            }
            line
        })
        .collect();
    let plane = |i: usize| rows.iter().flat_map(|row| row.iter().map(move |p| p[i])).collect();
    [plane(0), plane(1), plane(2)]
}

fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (3.0 * sigma).ceil() as i32;
    let taps: Vec<f32> = (-radius..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let sum: f32 = taps.iter().sum();
    taps.iter().map(|t| t / sum).collect()
}

/// Separable Gaussian, borders held.
fn blur(plane: &mut [f32], w: usize, h: usize, sigma: f32) {
    if sigma < 0.2 {
        return;
    }
    let taps = gaussian(sigma);
    let radius = taps.len() / 2;
    plane.par_chunks_mut(w).for_each(|row| {
        let mut padded = vec![row[0]; radius];
        padded.extend_from_slice(row);
        padded.resize(w + 2 * radius, row[w - 1]);
        row.fill(0.0);
        for (k, tap) in taps.iter().enumerate() {
            for (out, v) in row.iter_mut().zip(&padded[k..]) {
                *out += tap * v;
            }
        }
    });
    let source = plane.to_vec();
    plane.par_chunks_mut(w).enumerate().for_each(|(y, row)| {
        row.fill(0.0);
        for (k, tap) in taps.iter().enumerate() {
            let from = (y + k).saturating_sub(radius).min(h - 1);
            for (out, v) in row.iter_mut().zip(&source[from * w..(from + 1) * w]) {
                *out += tap * v;
            }
        }
    });
}

/// The hand's movement while the shutter is open: a straight line of `length` samples.
fn streak(plane: &mut [f32], w: usize, h: usize, length: f32, angle: f32) {
    let source = plane.to_vec();
    let taps = (length.ceil() as i32 + 1).max(2);
    let (sin, cos) = angle.sin_cos();
    let offsets: Vec<(i64, i64)> = (0..taps)
        .map(|i| {
            let t = (i as f32 / (taps - 1) as f32 - 0.5) * length;
            ((t * cos).round() as i64, (t * sin).round() as i64)
        })
        .collect();
    plane.par_chunks_mut(w).enumerate().for_each(|(y, row)| {
        for (x, out) in row.iter_mut().enumerate() {
            let sum: f32 = offsets
                .iter()
                .map(|(dx, dy)| {
                    let sx = (x as i64 + dx).clamp(0, w as i64 - 1) as usize;
                    let sy = (y as i64 + dy).clamp(0, h as i64 - 1) as usize;
                    source[sy * w + sx]
                })
                .sum();
            *out = sum / taps as f32;
        }
    });
}

/// Two independent normal numbers.
fn normal(rng: &mut ChaCha8Rng) -> [f32; 2] {
    let r = (-2.0 * (1.0 - rng.random::<f32>()).ln()).sqrt();
    let a = TAU * rng.random::<f32>();
    [r * a.cos(), r * a.sin()]
}

/// The colour filter over (`x`, `y`): RGGB.
const fn filter(x: usize, y: usize) -> usize {
    (x & 1) + (y & 1)
}

/// The mosaic as the sensor reads it, exposed so that the bright part of the frame stands at 0.72.
fn sensor(spec: &Spec, planes: &[Vec<f32>; 3], seed: u64) -> Vec<f32> {
    let (w, h) = (spec.width as usize, spec.height as usize);
    let wide = w * LENS;
    let mut meter: Vec<f32> = planes[1].iter().step_by(97).copied().collect();
    meter.sort_by(f32::total_cmp);
    let exposure = spec.exposure * 0.72 / meter[meter.len() * 93 / 100].max(1e-4);
    let mut raw = vec![0.0f32; w * h];
    raw.par_chunks_mut(w).enumerate().for_each(|(y, row)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ y as u64);
        // A dimmed backlight flickers: rows read at different times see different light.
        let flicker = 1.0 + spec.flicker * (y as f32 / h as f32 * TAU * 5.3 + spec.motion_angle).sin();
        for (x, out) in row.iter_mut().enumerate() {
            let plane = &planes[filter(x, y)];
            let at = y * LENS * wide + x * LENS;
            let light = (plane[at] + plane[at + 1] + plane[at + wide] + plane[at + wide + 1]) / (LENS * LENS) as f32;
            let (dx, dy) = (x as f32 / w as f32 - 0.5, y as f32 / h as f32 - 0.5);
            let vignette = 1.0 - spec.vignetting * (dx * dx + dy * dy) * 2.0;
            let signal = light * exposure * flicker * vignette;
            let [n, m] = normal(&mut rng);
            // Shot noise of `full_well` electrons at white and three electrons of read noise.
            let noise = n * (signal.max(0.0) / spec.full_well).sqrt() + m * 3.0 / spec.full_well;
            *out = (signal + noise).clamp(0.0, 1.0);
        }
    });
    raw
}

/// Gradient-corrected demosaic (Malvar, He, Cutler 2004), then white balance, tone, sharpening and JPEG.
fn develop(spec: &Spec, raw: &[f32], seed: u64) -> Vec<u8> {
    let (w, h) = (spec.width as usize, spec.height as usize);
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xBA1A_4CE5);
    let balance = [1.0 + rng.random_range(-0.05..0.05f32), 1.0, 1.0 + rng.random_range(-0.06..0.06f32)];
    let reflect = |v: i64, n: usize| {
        let n = n as i64;
        (if v < 0 {
            -v
        } else if v >= n {
            2 * n - 2 - v
        } else {
            v
        }) as usize
    };
    let mut rgb = vec![[0.0f32; 3]; w * h];
    rgb.par_chunks_mut(w).enumerate().for_each(|(y, row)| {
        for (x, out) in row.iter_mut().enumerate() {
            let at = |dx: i64, dy: i64| raw[reflect(y as i64 + dy, h) * w + reflect(x as i64 + dx, w)];
            let c = at(0, 0);
            let cross = at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1);
            let far_x = at(-2, 0) + at(2, 0);
            let far_y = at(0, -2) + at(0, 2);
            let diagonal = at(-1, -1) + at(1, -1) + at(-1, 1) + at(1, 1);
            let here = filter(x, y);
            let mut pixel = [c; 3];
            if here == 1 {
                let along_x = (5.0 * c + 4.0 * (at(-1, 0) + at(1, 0)) - far_x - diagonal + 0.5 * far_y) / 8.0;
                let along_y = (5.0 * c + 4.0 * (at(0, -1) + at(0, 1)) - far_y - diagonal + 0.5 * far_x) / 8.0;
                // On a red row red lies left and right.
                (pixel[0], pixel[2]) = if y & 1 == 0 { (along_x, along_y) } else { (along_y, along_x) };
            } else {
                pixel[1] = (4.0 * c + 2.0 * cross - far_x - far_y) / 8.0;
                pixel[2 - here] = (6.0 * c + 2.0 * diagonal - 1.5 * (far_x + far_y)) / 8.0;
            }
            for (o, (p, b)) in out.iter_mut().zip(pixel.iter().zip(balance)) {
                *o = tone((p * b).clamp(0.0, 1.0));
            }
        }
    });
    smooth_chroma(&mut rgb, w, h);
    sharpen(&mut rgb, w, h, spec.sharpening);
    let bytes = rgb.iter().flat_map(|p| p.map(|v| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8)).collect();
    let picture = RgbImage::from_raw(spec.width, spec.height, bytes).expect("three bytes for every pixel");
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, spec.jpeg_quality)
        .encode_image(&picture)
        .expect("memory takes every byte");
    jpeg
}

/// Linear light to a phone's tone curve: sRGB with a gentle S.
fn tone(v: f32) -> f32 {
    let s = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
    s + 0.12 * s * (1.0 - s) * (2.0 * s - 1.0)
}

/// Chroma noise taken down as phones do: colour differences averaged over 3 × 3.
fn smooth_chroma(rgb: &mut [[f32; 3]], w: usize, h: usize) {
    let difference: Vec<[f32; 2]> = rgb.iter().map(|p| [p[0] - p[1], p[2] - p[1]]).collect();
    rgb.par_chunks_mut(w).enumerate().for_each(|(y, row)| {
        let (top, low) = (y.saturating_sub(1), (y + 1).min(h - 1));
        for (x, pixel) in row.iter_mut().enumerate() {
            let (left, right) = (x.saturating_sub(1), (x + 1).min(w - 1));
            let mut sum = [0.0f32; 2];
            for j in [top, y, low] {
                for i in [left, x, right] {
                    sum[0] += difference[j * w + i][0];
                    sum[1] += difference[j * w + i][1];
                }
            }
            let own = difference[y * w + x];
            // Luma stays; chroma moves to the mean.
            let shift = [sum[0] / 9.0 - own[0], sum[1] / 9.0 - own[1]];
            let green = -0.299 * shift[0] - 0.114 * shift[1];
            *pixel = [pixel[0] + shift[0] + green, pixel[1] + green, pixel[2] + shift[1] + green];
        }
    });
}

/// Unsharp mask on luma.
fn sharpen(rgb: &mut [[f32; 3]], w: usize, h: usize, amount: f32) {
    let luma: Vec<f32> = rgb.iter().map(|p| 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]).collect();
    let mut soft = luma.clone();
    blur(&mut soft, w, h, 1.1);
    for (pixel, (l, s)) in rgb.iter_mut().zip(luma.iter().zip(&soft)) {
        let edge = amount * (l - s);
        *pixel = pixel.map(|v| v + edge);
    }
}
