//! Judged samples → cards of the worst errors, their pictures looked at again.

use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};

use super::super::ErrorCard;
use super::SEEN;
use crate::benchmark::findings::Judged;
use crate::benchmark::labels::Label;
use crate::benchmark::measure::{Gate, attack_score};
use crate::capture::Upload;
use crate::checker::Checker;
use crate::scene::Deadline;
use crate::screening::read_upload;

/// How many of the worst errors are shown.
pub const WORST: usize = 20;
/// Long side of a thumbnail and of an overlay, in pixels.
const THUMBNAIL_PX: u32 = 200;
const OVERLAY_PX: u32 = 720;

/// Cards of the `WORST` errors of `judged`, their pictures looked at again below `root`.
#[must_use]
pub fn worst(checker: &Checker, judged: &[Judged], root: &Path) -> Vec<ErrorCard> {
    let wrong = |row: &Judged| {
        let score = attack_score(&row.scores, row.sample.label)?;
        let stopped = Gate::ReviewedAsAttack.stops(row)?;
        let attack = row.sample.label != Label::Original;
        (stopped != attack).then_some(if attack { 1.0 - score } else { score })
    };
    let mut errors: Vec<(f64, &Judged)> = judged.iter().filter_map(|row| Some((wrong(row)?, row))).collect();
    errors.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.sample.path.cmp(&b.1.sample.path)));
    errors.into_iter().take(WORST).map(|(_, row)| card(checker, row, root)).collect()
}

fn card(checker: &Checker, row: &Judged, root: &Path) -> ErrorCard {
    let score = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let verdict = row.verdict.as_ref();
    let reasons: Vec<&str> = verdict.iter().flat_map(|v| &v.reasons).map(|reason| reason.code).collect();
    let seen = if checker.trained_on().contains(&row.sample.source) { format!(" ({SEEN})") } else { String::new() };
    let mut lines = vec![
        format!("is {}, source {}{seen}", row.sample.species, row.sample.source),
        format!(
            "screen {}, print {}, legibility {}",
            score(row.scores.screen),
            score(row.scores.print),
            score(row.scores.legibility)
        ),
    ];
    if !reasons.is_empty() {
        lines.push(format!("reasons: {}", reasons.join(", ")));
    }
    let pictures = read_upload(&root.join(&row.sample.path), checker.limits()).ok().and_then(|bytes| {
        let upload = Upload { bytes: &bytes, name: Some(&row.sample.path) };
        let looked = checker.look(&upload, Deadline::NEVER, |mut look| {
            let report = look.report();
            let overview = look.scene.overview();
            let (width, height) = overview.luma.dimensions();
            let thumbnail = jpeg(&overview.rgb(width, height), THUMBNAIL_PX)?;
            Some((thumbnail, jpeg(&look.overlay(&report), OVERLAY_PX)?))
        });
        looked.ok()?
    });
    let (thumbnail, overlay) = pictures.unzip();
    ErrorCard { thumbnail, overlay, title: row.sample.path.clone(), lines }
}

fn jpeg(picture: &RgbImage, long: u32) -> Option<Vec<u8>> {
    let factor = f64::from(long) / f64::from(picture.width().max(picture.height()));
    let side = |side: u32| ((f64::from(side) * factor.min(1.0)).round() as u32).max(1);
    let small = imageops::thumbnail(picture, side(picture.width()), side(picture.height()));
    let mut bytes = Vec::new();
    small.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, 80)).ok()?;
    Some(bytes)
}
