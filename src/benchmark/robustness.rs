//! Upload → the same picture re-scaled, re-compressed, blurred and made noisy, and the scores of each.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageResult, imageops};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::chosen::in_turn;
use super::labels::Label;
use super::store::Judged;
use crate::capture::{Capture, CaptureError, Upload, decode};
use crate::checker::Checker;
use crate::policy::Decision;
use crate::scene::{Deadline, ycc_to_rgb};
use crate::scoring::Scores;
use crate::screening::read_upload;

/// How large a variant is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// As the picture is.
    Same,
    /// This share of the picture's sides.
    Share(f32),
    /// This long side in pixels; a smaller picture is left as it is.
    LongSide(u32),
}

/// What is done to a picture: size first, then blur, noise and compression.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Variant {
    /// What it is called.
    pub name: &'static str,
    /// Size.
    pub size: Size,
    /// Standard deviation of a Gaussian blur, in pixels; 0 is none.
    pub blur_px: f32,
    /// Standard deviation of Gaussian noise, in levels of 255, drawn for each sample; 0 is none.
    pub noise_levels: f32,
    /// JPEG quality, 1 to 100; without loss as PNG where there is none.
    pub quality: Option<u8>,
}

impl Variant {
    const fn jpeg(name: &'static str, size: Size, quality: u8) -> Self {
        Self { name, size, blur_px: 0.0, noise_levels: 0.0, quality: Some(quality) }
    }

    const fn lossless(name: &'static str, blur_px: f32, noise_levels: f32) -> Self {
        Self { name, size: Size::Same, blur_px, noise_levels, quality: None }
    }
}

/// The name of the variant that changes nothing but the encoding.
pub const IDENTITY: &str = "identity";

const THREE_QUARTERS: Size = Size::Share(0.75);
const HALF: Size = Size::Share(0.5);
/// The long side to which messengers reduce photographs.
const MESSENGER: Size = Size::LongSide(1280);

const VARIANTS: &[Variant] = &[
    Variant::lossless(IDENTITY, 0.0, 0.0),
    Variant::jpeg("scale 1, quality 95", Size::Same, 95),
    Variant::jpeg("scale 1, quality 85", Size::Same, 85),
    Variant::jpeg("scale 1, quality 75", Size::Same, 75),
    Variant::jpeg("scale 1, quality 60", Size::Same, 60),
    Variant::jpeg("scale 0.75, quality 95", THREE_QUARTERS, 95),
    Variant::jpeg("scale 0.75, quality 85", THREE_QUARTERS, 85),
    Variant::jpeg("scale 0.75, quality 75", THREE_QUARTERS, 75),
    Variant::jpeg("scale 0.75, quality 60", THREE_QUARTERS, 60),
    Variant::jpeg("scale 0.5, quality 95", HALF, 95),
    Variant::jpeg("scale 0.5, quality 85", HALF, 85),
    Variant::jpeg("scale 0.5, quality 75", HALF, 75),
    Variant::jpeg("scale 0.5, quality 60", HALF, 60),
    Variant::jpeg("long side 1280, quality 95", MESSENGER, 95),
    Variant::jpeg("long side 1280, quality 85", MESSENGER, 85),
    Variant::jpeg("long side 1280, quality 75", MESSENGER, 75),
    Variant::jpeg("long side 1280, quality 60", MESSENGER, 60),
    Variant::lossless("blur 0.7 px", 0.7, 0.0),
    Variant::lossless("blur 1.5 px", 1.5, 0.0),
    Variant::lossless("noise 4 levels", 0.0, 4.0),
    Variant::lossless("noise 8 levels", 0.0, 8.0),
];

/// Every variant, the identity first.
#[must_use]
pub const fn variants() -> &'static [Variant] {
    VARIANTS
}

/// The file of a variant of `picture`: JPEG where it has a quality, PNG otherwise. Noise comes from `seed` alone.
///
/// # Errors
/// Whatever the encoder fails with, such as a side beyond what JPEG can state.
pub fn apply(variant: &Variant, picture: &DynamicImage, seed: [u8; 32]) -> ImageResult<Vec<u8>> {
    let (width, height) = (picture.width(), picture.height());
    let factor = match variant.size {
        Size::Same => 1.0,
        Size::Share(share) => share,
        Size::LongSide(side) => (side as f32 / width.max(height).max(1) as f32).min(1.0),
    };
    let side = |side: u32| ((side as f32 * factor).round() as u32).max(1);
    let mut made = match variant.size {
        Size::Same => picture.clone(),
        _ if factor >= 1.0 => picture.clone(),
        _ => picture.resize_exact(side(width), side(height), imageops::FilterType::Triangle),
    };
    if variant.blur_px > 0.0 {
        made = made.blur(variant.blur_px);
    }
    if variant.noise_levels > 0.0 {
        made = noisy(made, variant.noise_levels, seed);
    }
    encode(&made, variant.quality)
}

/// Scores and decision of every variant of `upload`, in the order of [`variants`]; its noise is seeded by the SHA-256
/// of its bytes. Metadata are lost, the file's name is kept.
///
/// # Errors
/// [`CaptureError`] when the upload, or a variant of it, cannot be examined.
pub fn scores(checker: &Checker, upload: &Upload<'_>) -> Result<Vec<(&'static str, Scores, Decision)>, CaptureError> {
    let seed = Sha256::digest(upload.bytes).into();
    let picture = picture(&decode(upload, checker.limits())?)?;
    let examined = |variant: &Variant| {
        let bytes = apply(variant, &picture, seed).map_err(|_| CaptureError::Undecodable)?;
        let report = checker.check(&Upload { bytes: &bytes, name: upload.name }, Deadline::NEVER)?;
        Ok((variant.name, report.scores, report.decision))
    };
    variants().iter().map(examined).collect()
}

/// A capture in a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Tried {
    /// What the capture is.
    pub label: Label,
    /// The variant.
    pub variant: &'static str,
    /// Its screen score.
    pub screen: Option<f64>,
}

/// Tries every variant on up to `most` originals and as many screens of `judged`, source by source in turn; `seen` is
/// told after each capture. Captures that cannot be examined in some variant are left out of all.
pub fn try_variants(
    checker: &Checker,
    judged: &[Judged],
    root: &Path,
    most: usize,
    seen: &(dyn Fn() + Sync),
) -> Vec<Tried> {
    let chosen: Vec<&Judged> = [Label::Original, Label::Screen]
        .into_iter()
        .flat_map(|label| in_turn(judged, move |row| row.sample.label == label, most))
        .collect();
    let tried = chosen.par_iter().map(|row| {
        let outcome = read_upload(&root.join(&row.sample.path), checker.limits()).ok().and_then(|bytes| {
            let upload = Upload { bytes: &bytes, name: Some(&row.sample.path) };
            scores(checker, &upload).ok()
        });
        seen();
        outcome
            .unwrap_or_default()
            .into_iter()
            .map(|(variant, scores, _)| Tried { label: row.sample.label, variant, screen: scores.screen })
            .collect::<Vec<_>>()
    });
    tried.collect::<Vec<_>>().concat()
}

/// The native pixels of a capture, upright: RGB, or grey where the file stores luma only.
pub(super) fn picture(capture: &Capture) -> Result<DynamicImage, CaptureError> {
    let frame = capture.frame();
    if capture.is_grey() {
        return capture.luma(frame).map(DynamicImage::ImageLuma8).ok_or(CaptureError::Undecodable);
    }
    let [y, cb, cr] = capture.ycc(frame).ok_or(CaptureError::Undecodable)?;
    Ok(DynamicImage::ImageRgb8(ycc_to_rgb(&y, &cb, &cr)))
}

/// The file of `picture`: JPEG of `quality`, or PNG.
pub(super) fn encode(picture: &DynamicImage, quality: Option<u8>) -> ImageResult<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    if let Some(quality) = quality {
        picture.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))?;
    } else {
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Adaptive);
        picture.write_with_encoder(encoder)?;
    }
    Ok(bytes.into_inner())
}

fn noisy(picture: DynamicImage, levels: f32, seed: [u8; 32]) -> DynamicImage {
    let mut random = ChaCha8Rng::from_seed(seed);
    let mut add = |samples: &mut [u8]| {
        for pair in samples.chunks_mut(2) {
            // Two independent normal numbers of two uniform ones (Box and Muller, 1958).
            let radius = (-2.0 * (1.0 - random.random::<f32>()).ln()).sqrt() * levels;
            let (sine, cosine) = (std::f32::consts::TAU * random.random::<f32>()).sin_cos();
            for (sample, part) in pair.iter_mut().zip([cosine, sine]) {
                *sample = (f32::from(*sample) + radius * part).round().clamp(0.0, 255.0) as u8;
            }
        }
    };
    match picture {
        DynamicImage::ImageLuma8(mut grey) => {
            add(&mut grey);
            DynamicImage::ImageLuma8(grey)
        }
        other => {
            let mut rgb = other.into_rgb8();
            add(&mut rgb);
            DynamicImage::ImageRgb8(rgb)
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage};

    use super::*;
    use crate::capture::Limits;

    fn named(name: &str) -> &'static Variant {
        variants().iter().find(|variant| variant.name == name).expect("a variant")
    }

    fn flat(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageRgb8(RgbImage::from_pixel(width, height, image::Rgb([120, 130, 140])))
    }

    fn pixels(bytes: &[u8]) -> DynamicImage {
        picture(&decode(&Upload { bytes, name: None }, &Limits::default()).expect("a picture")).expect("its pixels")
    }

    #[test]
    fn names_are_unique_and_the_identity_comes_first() {
        let mut names: Vec<_> = variants().iter().map(|variant| variant.name).collect();
        assert_eq!(names[0], IDENTITY);
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), variants().len());
    }

    #[test]
    fn the_identity_changes_nothing_but_the_encoding() {
        let busy = |x: u32, y: u32, c: u32| (x * 37 + y * 91 + c * 53 + x * y % 17) as u8;
        let colour = RgbImage::from_fn(61, 47, |x, y| image::Rgb([busy(x, y, 0), busy(x, y, 1), busy(x, y, 2)]));
        let grey = GrayImage::from_fn(61, 47, |x, y| image::Luma([busy(x, y, 0)]));
        for picture in [DynamicImage::ImageRgb8(colour), DynamicImage::ImageLuma8(grey)] {
            let bytes = apply(named(IDENTITY), &picture, [0; 32]).expect("encoded");
            // The generic decoder of the format, so that the program's own change of colours stays out of it.
            let mut reader = image::ImageReader::new(Cursor::new(&bytes));
            reader.set_format(image::ImageFormat::Png);
            let back = reader.decode().expect("a PNG");
            assert_eq!(back, picture);
            let changed = apply(named("noise 4 levels"), &picture, [0; 32]).expect("encoded");
            assert_ne!(pixels(&changed), pixels(&bytes));
        }
    }

    #[test]
    fn sizes_are_shares_of_the_sides_and_nothing_is_enlarged() {
        let sized = |name: &str, width, height| {
            let made = pixels(&apply(named(name), &flat(width, height), [0; 32]).expect("encoded"));
            (made.width(), made.height())
        };
        assert_eq!(sized("scale 0.75, quality 85", 400, 200), (300, 150));
        assert_eq!(sized("scale 0.5, quality 60", 400, 200), (200, 100));
        assert_eq!(sized("long side 1280, quality 95", 1600, 800), (1280, 640));
        assert_eq!(sized("long side 1280, quality 95", 400, 200), (400, 200));
    }

    #[test]
    fn a_lower_quality_makes_a_smaller_file() {
        let busy = RgbImage::from_fn(128, 128, |x, y| image::Rgb([(x * y % 251) as u8, (x * 7) as u8, (y * 5) as u8]));
        let busy = DynamicImage::ImageRgb8(busy);
        let bytes = |quality| apply(named(quality), &busy, [0; 32]).expect("encoded").len();
        assert!(bytes("scale 1, quality 60") < bytes("scale 1, quality 75"));
        assert!(bytes("scale 1, quality 85") < bytes("scale 1, quality 95"));
    }

    #[test]
    fn noise_has_the_stated_deviation_and_comes_from_the_seed() {
        let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(200, 200, image::Luma([128])));
        for (name, levels) in [("noise 4 levels", 4.0), ("noise 8 levels", 8.0)] {
            let made = |seed| pixels(&apply(named(name), &grey, [seed; 32]).expect("encoded")).into_luma8();
            let first = made(1);
            let variance = first.as_raw().iter().map(|v| (f64::from(*v) - 128.0).powi(2)).sum::<f64>() / 40_000.0;
            assert!((variance.sqrt() - levels).abs() < 0.03 * levels, "{name}: {}", variance.sqrt());
            assert_eq!(first, made(1));
            assert_ne!(first, made(2));
        }
    }

    #[test]
    fn blur_spreads_a_step_over_as_many_pixels_as_it_says() {
        let step =
            DynamicImage::ImageLuma8(GrayImage::from_fn(64, 64, |x, _| image::Luma([if x < 32 { 50 } else { 200 }])));
        for (name, sigma) in [("blur 0.7 px", 0.7f64), ("blur 1.5 px", 1.5)] {
            let made = pixels(&apply(named(name), &step, [0; 32]).expect("encoded")).into_luma8();
            // The steepest slope of a blurred step is its height over √(2π) σ, seen between two pixels.
            let slope = f64::from(made.get_pixel(32, 32).0[0]) - f64::from(made.get_pixel(31, 32).0[0]);
            let expected = 150.0 / (std::f64::consts::TAU.sqrt() * sigma);
            assert!((slope / expected - 1.0).abs() < 0.2, "{name}: {slope} of {expected}");
        }
    }
}
