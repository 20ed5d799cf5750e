//! Small pictures and a report for the tests of explanations.

use std::collections::BTreeMap;

use image::{DynamicImage, Rgb, RgbImage};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::evidence::Sentence;
use crate::geometry::PixelRect;
use crate::policy::{Classification, Decision, Reason};
use crate::report::{Finding, Report};
use crate::scene::testing::spectra_of;
use crate::scene::{PictureHash, Place, SPECTRAL_TILE_PX, Spectrum, Tile, TileSpectra};
use crate::scoring::Scores;

pub const TILE: PixelRect = PixelRect::new(70, 40, SPECTRAL_TILE_PX, SPECTRAL_TILE_PX);

pub fn random() -> ChaCha8Rng {
    ChaCha8Rng::from_seed([7; 32])
}

pub fn grey(width: u32, height: u32, luma: impl Fn(f32, f32) -> f32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let value = luma(x as f32, y as f32).round().clamp(0.0, 255.0) as u8;
        Rgb([value; 3])
    })
}

/// The luma spectrum of a square of a grey picture.
pub fn spectrum(picture: &RgbImage, rect: PixelRect) -> TileSpectra {
    let part = image::imageops::crop_imm(picture, rect.x, rect.y, rect.width, rect.height).to_image();
    let y = DynamicImage::ImageRgb8(part).into_luma8();
    let none = image::GrayImage::from_pixel(rect.width, rect.height, image::Luma([128]));
    spectra_of(&[Tile { rect, place: Place::Inside, y, cb: none.clone(), cr: none }]).swap_remove(0)
}

pub fn strongest(spectrum: &Spectrum) -> f32 {
    spectrum.peaks.first().map_or(0.0, |peak| peak.ring_db.min(peak.local_db))
}

pub fn report(screen: f64) -> Report {
    let reason = Reason {
        code: "screen_recapture",
        action: Decision::Reject,
        reading: "score.screen".to_owned(),
        score: screen,
        threshold: 0.8,
        margin: screen - 0.8,
        shown_by: Vec::new(),
        polygon: None,
        zone: None,
        en: String::new(),
        zh: String::new(),
    };
    Report {
        schema_version: 1,
        path: "-".to_owned(),
        path_bytes: None,
        sha256: String::new(),
        picture_hash: PictureHash::default(),
        media_type: "image/png",
        width: 1,
        height: 1,
        classification: Classification::BonaFide,
        decision: Decision::Reject,
        scores: Scores { screen: Some(screen), ..Scores::default() },
        legible: None,
        document: None,
        reasons: vec![reason],
        number: None,
        findings: vec![Finding {
            detector: "exposure",
            outcome: "evidence",
            readings: BTreeMap::from([("exposure.bright_luma", 30.0)]),
            explanation: Sentence::default(),
            marks: Vec::new(),
        }],
        policy_id: String::new(),
        models: BTreeMap::new(),
        tool_version: String::new(),
        judged_by: String::new(),
        elapsed_ms: 0.0,
    }
}
