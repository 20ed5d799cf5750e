//! Scene and report → the photograph with the document and what its reasons rest on drawn on it.

use std::collections::BTreeSet;

use image::{GrayImage, Rgb, RgbImage};
use imageproc::drawing::{draw_filled_rect_mut, draw_line_segment_mut, draw_polygon_mut};
use imageproc::rect::Rect;
use realfft::RealFftPlanner;

use super::Report;
use crate::evidence::{Mark, MarkKind};
use crate::geometry::{PixelRect, Point};
use crate::lettering;
use crate::policy::Pointer;
use crate::scene::{SPECTRAL_TILE_PX, Scene};

/// Side of a legend's colour field and distance between things, in pixels.
const FIELD_PX: u32 = 14;

/// Weaker marks are left out: they say that nothing was seen there.
const FAINTEST: f32 = 0.2;

/// The photograph, small, with the document, the marks that its reasons rest on, a strip of colours and, for a periodic
/// pattern, its spectrum. A photograph that is accepted carries no marks: they would speak against it.
#[must_use]
pub fn draw(scene: &Scene<'_>, report: &Report) -> RgbImage {
    let overview = scene.overview();
    let mut picture = overview.to_rgb();
    let factor = 1.0 / overview.scale;
    let shown: BTreeSet<Pointer> = report.reasons.iter().flat_map(|reason| reason.shown_by.iter().copied()).collect();
    let pointed = shown.iter().filter_map(|pointer| report.mark(*pointer));
    let marks: Vec<&Mark> = pointed.filter(|mark| mark.strength >= FAINTEST).collect();
    for mark in marks.iter().filter(|mark| is_area(mark.kind)) {
        tint(&mut picture, mark, factor);
    }
    for mark in &marks {
        outline(&mut picture, &mark.polygon, factor, colour(mark.kind));
    }
    if let Some(document) = &report.document {
        outline(&mut picture, &document.corners.0, factor, colour(MarkKind::Document));
    }
    let strongest = marks
        .iter()
        .filter(|mark| mark.kind == MarkKind::Spectrum)
        .max_by(|a, b| a.strength.total_cmp(&b.strength))
        .and_then(|mark| native_tile(scene, &mark.polygon));
    if let Some(spectrum) = strongest.as_ref().and_then(log_power) {
        inset(&mut picture, &spectrum);
    }
    let mut kinds: Vec<MarkKind> = Vec::new();
    let document = report.document.is_some().then_some(MarkKind::Document);
    for kind in document.into_iter().chain(marks.iter().map(|mark| mark.kind)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    legend(&mut picture, &kinds);
    picture
}

/// The colour of a kind of mark and of its field in the legend.
const fn colour(kind: MarkKind) -> Rgb<u8> {
    Rgb(match kind {
        MarkKind::Document => [0, 230, 118],
        MarkKind::Device => [255, 145, 0],
        MarkKind::Edge => [255, 196, 0],
        MarkKind::Pattern => [255, 23, 68],
        MarkKind::Spectrum => [213, 0, 249],
        MarkKind::Halftone => [124, 77, 255],
        MarkKind::Heat => [255, 61, 0],
        MarkKind::Glare => [0, 229, 255],
        MarkKind::Blur => [41, 121, 255],
        MarkKind::Cover => [255, 109, 0],
        MarkKind::Cut => [233, 30, 99],
        MarkKind::Code => [174, 234, 0],
        MarkKind::Number => [0, 200, 83],
        MarkKind::Validity => [255, 234, 0],
    })
}

const fn is_area(kind: MarkKind) -> bool {
    matches!(
        kind,
        MarkKind::Pattern | MarkKind::Heat | MarkKind::Glare | MarkKind::Halftone | MarkKind::Blur | MarkKind::Cover
    )
}

/// Mixes a mark's colour into its polygon, the more the stronger.
fn tint(picture: &mut RgbImage, mark: &Mark, factor: f32) {
    let mut points: Vec<imageproc::point::Point<i32>> = Vec::new();
    for point in &mark.polygon {
        let p = point.scaled(factor);
        points.push(imageproc::point::Point::new(p.x.round() as i32, p.y.round() as i32));
    }
    // A polygon is drawn without its last point when that repeats the first.
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 {
        return;
    }
    let mut mask = GrayImage::new(picture.width(), picture.height());
    draw_polygon_mut(&mut mask, &points, image::Luma([255]));
    let (share, Rgb(ink)) = (0.45 * mark.strength, colour(mark.kind));
    for (pixel, covered) in picture.pixels_mut().zip(mask.as_raw()) {
        if *covered > 0 {
            for (value, ink) in pixel.0.iter_mut().zip(ink) {
                *value = (f32::from(*value) * (1.0 - share) + f32::from(ink) * share) as u8;
            }
        }
    }
}

/// A line through two points, or round three and more, over a dark one that shows it on any ground.
fn outline(picture: &mut RgbImage, points: &[Point], factor: f32, ink: Rgb<u8>) {
    let sides = if points.len() > 2 { points.len() } else { points.len().saturating_sub(1) };
    for (shift, ink) in [(1.0, Rgb([0; 3])), (-1.0, ink), (0.0, ink)] {
        for i in 0..sides {
            let (a, b) = (points[i].scaled(factor), points[(i + 1) % points.len()].scaled(factor));
            draw_line_segment_mut(picture, (a.x + shift, a.y + shift), (b.x + shift, b.y + shift), ink);
        }
    }
}

/// What a kind of mark is called in the legend.
const fn name(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Document => "document",
        MarkKind::Device => "device",
        MarkKind::Edge => "edge",
        MarkKind::Pattern => "pattern",
        MarkKind::Spectrum => "spectrum",
        MarkKind::Halftone => "halftone",
        MarkKind::Heat => "texture",
        MarkKind::Glare => "glare",
        MarkKind::Blur => "unreadable",
        MarkKind::Cover => "covered",
        MarkKind::Cut => "cut off",
        MarkKind::Code => "code",
        MarkKind::Number => "number",
        MarkKind::Validity => "validity",
    }
}

/// Fields of colour and their names at the lower left, upwards in the order in which the marks come.
fn legend(picture: &mut RgbImage, kinds: &[MarkKind]) {
    for (i, kind) in kinds.iter().enumerate() {
        let (x, y) = (4, picture.height().saturating_sub((i as u32 + 1) * (FIELD_PX + 4)));
        let text = lettering::lines(name(*kind), (x + FIELD_PX + 6) as f32, y as f32 + 2.0, FIELD_PX as f32 - 4.0);
        for (ink, spread) in [(Rgb([0; 3]), 2), (Rgb([255; 3]), 0)] {
            let shifts = (-spread..=spread).flat_map(|dx| (-spread..=spread).map(move |dy| (dx as f32, dy as f32)));
            for (dx, dy) in shifts {
                for stroke in &text {
                    for ends in stroke.windows(2) {
                        let at = |p: [f32; 2]| (p[0] + dx, p[1] + dy);
                        draw_line_segment_mut(picture, at(ends[0]), at(ends[1]), ink);
                    }
                }
            }
        }
        let at = Rect::at(x.cast_signed(), y.cast_signed());
        draw_filled_rect_mut(picture, at.of_size(FIELD_PX, FIELD_PX), Rgb([0; 3]));
        let at = Rect::at(x.cast_signed() + 1, y.cast_signed() + 1);
        draw_filled_rect_mut(picture, at.of_size(FIELD_PX - 2, FIELD_PX - 2), colour(*kind));
    }
}

/// Native luma of the square about a mark, where the capture has it.
fn native_tile(scene: &Scene<'_>, polygon: &[Point]) -> Option<GrayImage> {
    let capture = scene.capture();
    let side = SPECTRAL_TILE_PX.min(capture.width()).min(capture.height());
    let first = |value: fn(&Point) -> f32| polygon.iter().map(value).fold(f32::INFINITY, f32::min);
    let (x, y) = (first(|p| p.x), first(|p| p.y));
    if !x.is_finite() || !y.is_finite() {
        return None;
    }
    let x = (x.max(0.0) as u32).min(capture.width() - side);
    let y = (y.max(0.0) as u32).min(capture.height() - side);
    capture.luma(PixelRect::new(x, y, side, side))
}

/// The log power spectrum of a square of luma under a Hann window, frequency zero in the middle; `None` if not square.
fn log_power(tile: &GrayImage) -> Option<GrayImage> {
    let n = tile.width() as usize;
    if n < 16 || tile.height() as usize != n {
        return None;
    }
    let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / n as f32).cos();
    let mean = tile.as_raw().iter().map(|v| f32::from(*v)).sum::<f32>() / (n * n) as f32;
    let half = n / 2 + 1;
    let forward = RealFftPlanner::<f32>::new().plan_fft_forward(n);
    let (mut line, mut spectrum) = (forward.make_input_vec(), forward.make_output_vec());
    let (mut re, mut im) = (vec![0.0; half * n], vec![0.0; half * n]);
    for y in 0..n {
        for (x, value) in line.iter_mut().enumerate() {
            *value = (f32::from(tile.as_raw()[y * n + x]) - mean) * hann(x) * hann(y);
        }
        forward.process(&mut line, &mut spectrum).ok()?;
        for (k, value) in spectrum.iter().enumerate() {
            (re[k * n + y], im[k * n + y]) = (value.re, value.im);
        }
    }
    // A column is complex: its real and imaginary parts are transformed apart, F = R + iI, and the other half follows
    // from R and I being spectra of real lines.
    let mut power = vec![0.0_f32; n * n];
    for u in 0..half {
        line.copy_from_slice(&re[u * n..(u + 1) * n]);
        forward.process(&mut line, &mut spectrum).ok()?;
        let real = spectrum.clone();
        line.copy_from_slice(&im[u * n..(u + 1) * n]);
        forward.process(&mut line, &mut spectrum).ok()?;
        for v in 0..n {
            let (r, i) = if v < half { (real[v], spectrum[v]) } else { (real[n - v].conj(), spectrum[n - v].conj()) };
            let value = ((r.re - i.im).powi(2) + (r.im + i.re).powi(2) + 1.0).ln();
            power[((v + n / 2) % n) * n + (u + n / 2) % n] = value;
            power[((n - v + n / 2) % n) * n + (n - u + n / 2) % n] = value;
        }
    }
    let (low, high) = power.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
    let span = (high - low).max(f32::EPSILON);
    GrayImage::from_raw(n as u32, n as u32, power.iter().map(|v| ((v - low) / span * 255.0) as u8).collect())
}

/// Puts a spectrum into the upper right corner, framed, where the picture has room for it.
fn inset(picture: &mut RgbImage, spectrum: &GrayImage) {
    let side = spectrum.width().min(picture.width() / 3).min(picture.height() / 3);
    if side < 32 {
        return;
    }
    let small = image::imageops::thumbnail(spectrum, side, side);
    let x0 = picture.width() - side - 6;
    let frame = Rect::at(x0.cast_signed() - 2, 4).of_size(side + 4, side + 4);
    draw_filled_rect_mut(picture, frame, colour(MarkKind::Spectrum));
    for (x, y, value) in small.enumerate_pixels() {
        picture.put_pixel(x0 + x, 6 + y, Rgb([value.0[0]; 3]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grating_shows_as_two_peaks_at_its_frequency() {
        let tile = GrayImage::from_fn(128, 128, |x, y| {
            let phase = std::f32::consts::TAU * (20.0 * x as f32 + 9.0 * y as f32) / 128.0;
            image::Luma([(128.0 + 60.0 * phase.cos()) as u8])
        });
        let spectrum = log_power(&tile).unwrap();
        assert!(spectrum.get_pixel(64 + 20, 64 + 9).0[0] > 240);
        assert!(spectrum.get_pixel(64 - 20, 64 - 9).0[0] > 240);
        assert!(spectrum.get_pixel(64 + 20, 64 - 9).0[0] < 170);
    }
}
