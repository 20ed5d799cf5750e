//! The document seen straight on, in colour → translucent text laid over it: how surely, over how much of it, and where.

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, Ix4};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Homography, PixelRect, Quad, UNIT};
use crate::inference::{Model, write_planes};
use crate::scene::Scene;
use crate::vocabulary::Zone;
use crate::words::Fact;

/// Width and height of what the network reads, and side of its cells, in pixels.
const SIZE: [u32; 2] = [384, 240];
const CELL: u32 = 8;
const COLUMNS: usize = (SIZE[0] / CELL) as usize;
const ROWS: usize = (SIZE[1] / CELL) as usize;
/// Part of the cells that the reading is a mean of: a short line over the middle takes more.
const SUREST: f64 = 0.02;
/// Most places that are marked.
const MOST_MARKS: usize = 8;
/// Cells that make a place.
const LEAST_CELLS: usize = 3;

pub static LOG_ODDS: Reading = Reading::new(
    "watermark.log_odds",
    "log-odds",
    "translucent text against none, mean of the surest fiftieth of the document",
);
pub static SHARE: Reading = Reading::share("watermark.share", "part of the document over which such text lies");
pub static PLACES_COUNT: Reading =
    Reading::count("watermark.places_count", "separate places in which it lies: a repeated phrase has many");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "watermark",
        question: "Is translucent text laid over the document?",
        readings: &[&LOG_ODDS, &SHARE, &PLACES_COUNT],
        method: "A small network on the document laid straight, 384 × 240 in colour, says for every 8 px whether slanted or \
                 repeated translucent text lies there. It learnt from photographs of documents and from drawn ones with \
                 such text laid over them (models/README.md).",
        blind_spots: "Text that a person hardly sees, and level text that is not repeated, are not found. A slanted stamp \
                      or a faint pattern of letters that the document itself bears may look like one.",
    },
    build: |models| Box::new(Watermark(models.get("watermark_net"))),
};

struct Watermark(Option<Arc<dyn Model>>);

impl Detector for Watermark {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("watermark_net") };
        let Some((small, quad)) = scene.small_of(SIZE[0], SIZE[1]) else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::WatermarkNeedsDocument).into();
        };
        let said = match look(model.as_ref(), &small) {
            Ok(said) => said,
            Err(cause) => return failed(&cause),
        };
        let rect = Quad(PixelRect::new(0, 0, SIZE[0], SIZE[1]).corners());
        let Some(to_capture) = Homography::between(&rect, &quad) else {
            return failed(&"the document's corners make no rectangle");
        };
        let surest = surest(&said);
        let share = said.iter().filter(|odds| **odds > 0.0).count() as f64 / said.len() as f64;
        let places = places(&said);
        let mut evidence = Evidence::told(Fact::Watermark { share, places: places.len() });
        evidence.read(&LOG_ODDS, surest);
        evidence.read(&SHARE, share);
        evidence.read(&PLACES_COUNT, places.len() as f64);
        let shares = Homography::between(&scene.outline(), &UNIT);
        for place in places.iter().take(MOST_MARKS) {
            let outline = place.rect.corners().map(|p| to_capture.apply(p.scaled(CELL as f32)));
            let strength = 1.0 / (1.0 + (-place.odds).exp());
            let at = shares.as_ref().map(|shares| shares.apply(outline[0].towards(outline[2], 0.5)));
            match at {
                Some(at) => evidence.mark_zone(MarkKind::Watermark, outline, strength, Zone::at(at.x, at.y)),
                None => evidence.mark(MarkKind::Watermark, outline, strength),
            }
        }
        evidence.into()
    }
}

/// Log-odds cell by cell, row by row.
fn look(model: &dyn Model, small: &RgbImage) -> Result<Vec<f32>, String> {
    let mut input = Array4::zeros((1, 3, SIZE[1] as usize, SIZE[0] as usize));
    if let Some(planes) = input.as_slice_mut() {
        write_planes(small, planes);
    }
    let said = model.run(input.view().into_dyn()).map_err(|e| e.to_string())?;
    match said.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix4>) {
        Some(Ok(map)) if map.dim() == (1, 1, ROWS, COLUMNS) => Ok(map.iter().copied().collect()),
        _ => Err("the model gave another output than a map".to_owned()),
    }
}

/// Mean of the surest [`SUREST`] of the cells.
fn surest(odds: &[f32]) -> f64 {
    let mut sorted = odds.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let count = ((SUREST * odds.len() as f64).round() as usize).max(1);
    sorted.iter().take(count).map(|v| f64::from(*v)).sum::<f64>() / count as f64
}

/// Cells that hang together: the rectangle around them in cells, and their mean log-odds.
struct Place {
    rect: PixelRect,
    odds: f32,
    cells: usize,
}

/// Where text lies, the largest first.
fn places(odds: &[f32]) -> Vec<Place> {
    let mut left: Vec<bool> = odds.iter().map(|odds| *odds > 0.0).collect();
    let mut found = Vec::new();
    for start in 0..left.len() {
        if !std::mem::take(&mut left[start]) {
            continue;
        }
        let (mut open, mut cells) = (vec![start], Vec::new());
        while let Some(i) = open.pop() {
            cells.push(i);
            let (x, y) = (i % COLUMNS, i / COLUMNS);
            for y in y.saturating_sub(1)..(y + 2).min(ROWS) {
                for x in x.saturating_sub(1)..(x + 2).min(COLUMNS) {
                    if std::mem::take(&mut left[y * COLUMNS + x]) {
                        open.push(y * COLUMNS + x);
                    }
                }
            }
        }
        if cells.len() >= LEAST_CELLS {
            let fold = |of: fn(usize) -> usize| {
                cells.iter().map(|i| of(*i)).fold((usize::MAX, 0), |(low, high), v| (low.min(v), high.max(v)))
            };
            let ((left, right), (top, bottom)) = (fold(|i| i % COLUMNS), fold(|i| i / COLUMNS));
            let rect = PixelRect::new(left as u32, top as u32, (right - left + 1) as u32, (bottom - top + 1) as u32);
            let mean = cells.iter().map(|i| odds[*i]).sum::<f32>() / cells.len() as f32;
            found.push(Place { rect, odds: mean, cells: cells.len() });
        }
    }
    found.sort_by_key(|place| std::cmp::Reverse(place.cells));
    found
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;
    use crate::inference::InferenceError;

    #[test]
    fn what_hangs_together_is_one_place_and_the_surest_cells_are_the_reading() {
        let mut odds = vec![-4.0_f32; ROWS * COLUMNS];
        for (x, y) in [(3, 4), (4, 5), (5, 5), (6, 6), (40, 20), (41, 20), (42, 20), (10, 25)] {
            odds[y * COLUMNS + x] = 3.0;
        }
        let found = places(&odds);
        let rects: Vec<PixelRect> = found.iter().map(|place| place.rect).collect();
        assert_eq!(rects, [PixelRect::new(3, 4, 4, 3), PixelRect::new(40, 20, 3, 1)]);
        // 8 of the 29 surest cells.
        let expected = (8.0 * 3.0 - 21.0 * 4.0) / 29.0;
        assert!((surest(&odds) - expected).abs() < 1e-6);
    }

    #[test]
    fn a_model_with_another_map_is_refused() {
        struct Foreign;
        impl Model for Foreign {
            fn run(&self, _: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
                Ok(vec![ArrayD::zeros(vec![1, 2, 3, 4])])
            }
        }
        assert!(look(&Foreign, &RgbImage::new(SIZE[0], SIZE[1])).is_err());
    }
}
