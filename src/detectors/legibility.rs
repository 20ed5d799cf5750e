//! Pieces of print at one height → where it can be read, and what is measured where it cannot.

use std::sync::Arc;

use image::GrayImage;
use ndarray::{Array4, Ix4};

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::capture::Capture;
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::inference::Model;
use crate::scene::{GLYPH_PX, PIECE_PX, Piece, Scene, diagonal_ratio, edge_widths, lower_quartile, noise_luma};
use crate::vocabulary::Zone;
use crate::words::Fact;

/// Side of the network's cells, in pixels of a piece.
const CELL: u32 = 16;
/// Cells of print that a piece must show to be judged: a short word.
const LEAST_PRINT: f32 = 3.0;
/// Cells of print that a zone must show to be called the worst: a line or two, not a mark that looks like a letter.
const LEAST_ZONE: f32 = 10.0;
/// Below this a piece that was reduced is looked at again at twice the scale.
const DOUBTFUL: f32 = 0.7;
/// Shares of the overview's scale at which what has no measured height is looked at again.
const FARTHER: [f32; 2] = [0.5, 0.25];
/// Edges that make a measurement.
const EDGES: usize = 16;
/// Side of a block of JPEG (ITU-T T.81), in capture pixels.
const JPEG_BLOCK: usize = 8;
/// Longest side of the native pixels in which block steps are measured.
const STEPS_PX: u32 = 256;

pub static ZONES_COUNT: Reading =
    Reading::count("legibility.zones_count", "of the document's nine zones, those in which print was seen");
pub static PRINT_SHARE: Reading =
    Reading::share("legibility.print_share", "of the places looked at, where print is likeliest, that bears print");
pub static READABLE: Reading = Reading::share(
    "legibility.readable",
    "how likely a character of the print is read right, mean over the print that was looked at",
);
pub static ZONE_READABLE: Reading =
    Reading::share("legibility.zone_readable", "the same in the worst of the zones that bear a line of print and more");
pub static PRINT_PX: Reading = Reading::new(
    "legibility.print_px",
    "px",
    "height of the lowest print in the capture: the lower quartile of the zones",
);
pub static BLUR_RATIO: Reading = Reading::new(
    "legibility.blur_ratio",
    "ratio",
    "10 to 90 % width of edges over the height of print, in the direction in which it is larger",
);
pub static MOTION_RATIO: Reading = Reading::new(
    "legibility.motion_ratio",
    "ratio",
    "wider over narrower edges of rows and columns, or of the diagonals; 1 = alike",
);
pub static CONTRAST_LUMA: Reading =
    Reading::new("legibility.contrast_luma", "luma 0 to 255", "between ink and paper where print is read worst");
pub static NOISE_RATIO: Reading =
    Reading::new("legibility.noise_ratio", "ratio", "noise at the scale of print over that contrast");
pub static PAPER_LUMA: Reading =
    Reading::new("legibility.paper_luma", "luma 0 to 255", "of the paper where print is read worst");
pub static SHADE_RATIO: Reading =
    Reading::new("legibility.shade_ratio", "ratio", "the same over that of the brightest paper with print");
pub static BLOCK_RATIO: Reading = Reading::new(
    "legibility.block_ratio",
    "ratio",
    "steps at the borders of 8-pixel blocks over the contrast of print",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "legibility",
        question: "Where can the document's print be read, and what is measured where it cannot?",
        readings: &[
            &ZONES_COUNT,
            &PRINT_SHARE,
            &READABLE,
            &ZONE_READABLE,
            &PRINT_PX,
            &BLUR_RATIO,
            &MOTION_RATIO,
            &CONTRAST_LUMA,
            &NOISE_RATIO,
            &PAPER_LUMA,
            &SHADE_RATIO,
            &BLOCK_RATIO,
        ],
        method: "Fine edges in all directions are sought on the overview, at most two places in each of nine zones of \
                 the document. Their native pixels are reduced, never enlarged, until glyphs are about 16 px high, and a \
                 small network says for every 16 px: is there print, would a character here be read right. What has no \
                 height that can be measured is looked at from farther off too, unless it is noisy. It learnt from \
                 photographs under photographic faults, which a strong reader read before and after (models/README.md). \
                 Blur, motion, noise, light and block steps are measured on those pieces that are read worst.",
        blind_spots: "Looks at eighteen places: a fault between them is not seen; what lies over print is for `cover` and \
                      `glare`. A document without print has nothing to read. Of handwriting it judges how sharp it is, \
                      not whether anyone can read the hand.",
    },
    build: |models| Box::new(Legibility(models.get("legibility_net"))),
};

struct Legibility(Option<Arc<dyn Model>>);

/// A piece as the network saw it.
struct Seen<'a> {
    piece: std::borrow::Cow<'a, Piece>,
    /// Cells that bear print.
    print: f32,
    /// How likely a character of its print is read right.
    readable: f32,
}

impl Detector for Legibility {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("legibility_net") };
        let pieces = scene.print_pieces();
        let mut seen = match look(model.as_ref(), pieces.iter().map(std::borrow::Cow::Borrowed).collect()) {
            Ok(seen) => seen,
            Err(cause) => return failed(&cause),
        };
        // Print lower than it seemed is read at twice the scale, where the capture has that many pixels; print higher than
        // a piece at less, where it is read there: averaged, a texture looks like print that nobody can read.
        let (capture, overview) = (scene.capture(), scene.overview());
        let closer = |piece: &Piece| piece.closer(capture, overview);
        let farther = |piece: &Piece| piece.farther(capture, overview, FARTHER[0]);
        let far = |piece: &Piece| piece.farther(capture, overview, FARTHER[1]);
        let looks: [(&dyn Fn(&Piece) -> Option<Piece>, f32); 3] =
            [(&closer, 0.0), (&farther, DOUBTFUL), (&far, DOUBTFUL)];
        for (other, least) in looks {
            if let Err(cause) = look_again(model.as_ref(), &mut seen, other, least) {
                return failed(&cause);
            }
        }
        let cells = (PIECE_PX.0 / CELL * PIECE_PX.1 / CELL) as usize * seen.len();
        let bearing = seen.iter().map(|seen| f64::from(seen.print)).sum::<f64>();
        seen.retain(|seen| seen.print >= LEAST_PRINT);
        tell(seen, bearing / cells.max(1) as f64, scene.capture())
    }
}

/// Looks at what is doubtful as `other` shows it, and keeps what is read better, and by `least` at the least.
fn look_again(
    model: &dyn Model,
    seen: &mut [Seen<'_>],
    other: &dyn Fn(&Piece) -> Option<Piece>,
    least: f32,
) -> Result<(), String> {
    let doubtful = |seen: &Seen<'_>| seen.print < LEAST_PRINT || seen.readable < DOUBTFUL;
    let again = seen.iter().enumerate().filter(|(_, seen)| doubtful(seen));
    let (places, pieces): (Vec<usize>, Vec<_>) =
        again.filter_map(|(i, seen)| Some((i, std::borrow::Cow::Owned(other(&seen.piece)?)))).unzip();
    for (i, other) in places.into_iter().zip(look(model, pieces)?) {
        let better = seen[i].print < LEAST_PRINT || other.readable > seen[i].readable;
        if other.print >= LEAST_PRINT && other.readable >= least && better {
            seen[i] = other;
        }
    }
    Ok(())
}

/// What the network says of `pieces`, all at once.
fn look<'a>(model: &dyn Model, pieces: Vec<std::borrow::Cow<'a, Piece>>) -> Result<Vec<Seen<'a>>, String> {
    if pieces.is_empty() {
        return Ok(Vec::new());
    }
    let (width, height) = (PIECE_PX.0 as usize, PIECE_PX.1 as usize);
    let mut input = Array4::<f32>::zeros((pieces.len(), 1, height, width));
    for (mut plane, piece) in input.outer_iter_mut().zip(&pieces) {
        plane.iter_mut().zip(piece.luma.as_raw()).for_each(|(to, from)| *to = f32::from(*from));
    }
    let said = model.run(input.view().into_dyn()).map_err(|e| e.to_string())?;
    let maps = said.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix4>);
    let Some(Ok(maps)) = maps else { return Err("the model gave another output than maps".to_owned()) };
    if maps.dim() != (pieces.len(), 2, height / CELL as usize, width / CELL as usize) {
        return Err("the model's output has another size".to_owned());
    }
    let judged = maps.outer_iter().zip(pieces).map(|(maps, piece)| {
        let (print, readable) = (maps.index_axis(ndarray::Axis(0), 0), maps.index_axis(ndarray::Axis(0), 1));
        let bearing = print.iter().zip(readable).filter(|(print, _)| **print > 0.0);
        let (cells, weight, sum) = bearing.fold((0.0, 0.0, 0.0), |(cells, weight, sum), (print, readable)| {
            let print = logistic(*print);
            (cells + 1.0, weight + print, sum + print * logistic(*readable))
        });
        Seen { piece, print: cells, readable: sum / f32::max(weight, 1e-6) }
    });
    Ok(judged.collect())
}

/// What the pieces that bear print say: readings, marks and a sentence.
fn tell(mut seen: Vec<Seen<'_>>, share: f64, capture: &Capture) -> Outcome {
    seen.sort_by(|a, b| a.readable.total_cmp(&b.readable));
    let mean = |of: &mut dyn Iterator<Item = &Seen<'_>>| {
        let (weight, sum) = of.fold((0.0, 0.0), |(w, s), seen| (w + seen.print, s + seen.print * seen.readable));
        (weight > 0.0).then(|| sum / weight)
    };
    let of = |zone: Zone| seen.iter().filter(move |seen| seen.piece.zone == zone);
    let zones: Vec<(Zone, f32, f32)> = Zone::ALL
        .into_iter()
        .filter_map(|zone| Some((zone, mean(&mut of(zone))?, of(zone).map(|seen| seen.print).sum())))
        .collect();
    let mut evidence = Evidence::default();
    evidence.read(&ZONES_COUNT, zones.len() as f64);
    evidence.read(&PRINT_SHARE, share);
    // Where no zone shows that much, the worst of all of them.
    let full = |zone: &&(Zone, f32, f32)| zone.2 >= LEAST_ZONE || zones.iter().all(|other| other.2 < LEAST_ZONE);
    let worst = zones.iter().filter(full).min_by(|a, b| a.1.total_cmp(&b.1));
    let (Some(whole), Some(&(zone, worst, _))) = (mean(&mut seen.iter()), worst) else {
        evidence.tell(Fact::PrintNone);
        return evidence.into();
    };
    evidence.read(&READABLE, f64::from(whole));
    evidence.read(&ZONE_READABLE, f64::from(worst));
    let mut heights: Vec<f64> = seen.iter().filter_map(|seen| seen.piece.glyph_px).map(f64::from).collect();
    if let Some(height) = lower_quartile(&mut heights) {
        evidence.read(&PRINT_PX, height);
    }
    measure(&seen, capture, &mut evidence);
    for seen in seen.iter().filter(|seen| seen.piece.zone == zone).take(1) {
        evidence.mark_zone(MarkKind::Blur, seen.piece.rect.corners(), 1.0 - seen.readable, zone);
    }
    for seen in seen.iter().filter(|seen| seen.piece.zone != zone && seen.readable < 0.5) {
        evidence.mark(MarkKind::Blur, seen.piece.rect.corners(), 1.0 - seen.readable);
    }
    evidence.tell(Fact::Legible { zones: zones.len(), mean: whole, worst, at: zone });
    evidence.into()
}

/// Blur, motion, noise, light and block steps of the worse half of `seen`, which has the worst first.
fn measure(seen: &[Seen<'_>], capture: &Capture, evidence: &mut Evidence) {
    let worse = &seen[..seen.len().div_ceil(2)];
    let (mut across, mut down, mut noise, mut contrasts, mut steps) = (vec![], vec![], vec![], vec![], vec![]);
    for seen in worse {
        let piece = &seen.piece;
        let glyph = piece.glyph_px.map_or(f64::from(GLYPH_PX), |px| f64::from(px * piece.scale));
        across.extend(edge_widths(&piece.luma, false).into_iter().map(|width| width / glyph));
        down.extend(edge_widths(&piece.luma, true).into_iter().map(|width| width / glyph));
        let (ink, paper) = levels(&piece.luma);
        let contrast = (paper - ink).max(1.0);
        contrasts.push(contrast);
        noise.push(noise_luma(&piece.luma) / contrast);
        steps.extend(block_steps(capture, piece.rect).map(|step| step / contrast));
    }
    let mut slants: Vec<f64> = worse.iter().map(|seen| diagonal_ratio(&seen.piece.luma)).collect();
    let slant = lower_quartile(&mut slants).unwrap_or(1.0);
    match (across.len() >= EDGES, down.len() >= EDGES) {
        (true, true) => {
            if let (Some(a), Some(b)) = (lower_quartile(&mut across), lower_quartile(&mut down)) {
                evidence.read(&BLUR_RATIO, a.max(b));
                evidence.read(&MOTION_RATIO, (a.max(b) / a.min(b).max(1e-3)).max(slant));
            }
        }
        (false, false) => {}
        (first, _) => {
            if let Some(width) = lower_quartile(if first { &mut across } else { &mut down }) {
                evidence.read(&BLUR_RATIO, width);
            }
        }
    }
    let paper = |seen: &Seen<'_>| levels(&seen.piece.luma).1;
    let brightest = seen.iter().map(paper).fold(1.0, f64::max);
    let darkest = worse.iter().map(paper).fold(255.0, f64::min);
    evidence.read(&PAPER_LUMA, darkest);
    evidence.read(&SHADE_RATIO, darkest / brightest);
    for (reading, mut values) in [(&CONTRAST_LUMA, contrasts), (&NOISE_RATIO, noise), (&BLOCK_RATIO, steps)] {
        values.sort_by(f64::total_cmp);
        if let Some(middle) = values.get(values.len() / 2) {
            evidence.read(reading, *middle);
        }
    }
}

/// Levels of ink and paper: 5th and 90th percentile.
fn levels(luma: &GrayImage) -> (f64, f64) {
    let mut histogram = [0u32; 256];
    luma.as_raw().iter().for_each(|v| histogram[usize::from(*v)] += 1);
    let at = |share: f64| {
        let wanted = (share * luma.as_raw().len() as f64) as u32;
        let mut seen = 0;
        let found = histogram.iter().position(|n| {
            seen += n;
            seen > wanted
        });
        found.unwrap_or(255) as f64
    };
    (at(0.05), at(0.9))
}

/// By how many grey levels neighbouring pixels differ more at the borders of JPEG blocks than beside them: the mean of
/// both directions, each at its strongest phase; `None` where too few pixels are left.
fn block_steps(capture: &Capture, rect: PixelRect) -> Option<f64> {
    let (width, height) = (rect.width.min(STEPS_PX), rect.height.min(STEPS_PX));
    let part = PixelRect::new(rect.x + (rect.width - width) / 2, rect.y + (rect.height - height) / 2, width, height);
    let luma = capture.luma(part)?;
    let (width, height) = (width as usize, height as usize);
    // Steps of neighbours, summed over the lines that cross them.
    let (mut across, mut down) = (vec![0u32; width], vec![0u32; height]);
    let rows = || luma.as_raw().chunks_exact(width);
    for row in rows() {
        for (sum, pair) in across[1..].iter_mut().zip(row.windows(2)) {
            *sum += u32::from(pair[1].abs_diff(pair[0]));
        }
    }
    for (sum, (above, row)) in down[1..].iter_mut().zip(rows().zip(rows().skip(1))) {
        *sum = above.iter().zip(row).map(|(a, b)| u32::from(a.abs_diff(*b))).sum();
    }
    let strongest = |steps: &[u32], lines: usize| {
        let mut sums = [(0i64, 0i64); JPEG_BLOCK];
        for (i, around) in (2..steps.len().saturating_sub(1)).zip(steps[1..].windows(3)) {
            let [before, step, after] = [around[0], around[1], around[2]].map(i64::from);
            let sum = &mut sums[i % JPEG_BLOCK];
            *sum = (sum.0 + 2 * step - before - after, sum.1 + lines as i64);
        }
        sums.iter().map(|(sum, n)| *sum as f64 / (2 * n).max(1) as f64).fold(f64::MIN, f64::max)
    };
    (width >= 4 * JPEG_BLOCK && height >= 4 * JPEG_BLOCK)
        .then(|| f64::midpoint(strongest(&across, height), strongest(&down, width)).max(0.0))
}

fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;
    use crate::detectors::testing::{examine_grey, grey};
    use crate::inference::InferenceError;
    use crate::scene::{Deadline, survey};

    /// Sees print in every cell, readable where the piece is brighter than 128 on average.
    struct Bright;

    impl Model for Bright {
        fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
            let count = input.shape()[0];
            let bright = |n: usize| input.index_axis(ndarray::Axis(0), n).mean().unwrap_or(0.0) > 128.0;
            let maps =
                Array4::from_shape_fn((count, 2, 4, 8), |(n, map, ..)| if map == 0 || bright(n) { 6.0 } else { -6.0 });
            Ok(vec![maps.into_dyn()])
        }
    }

    /// Gives what no legibility network gives.
    struct Foreign;

    impl Model for Foreign {
        fn run(&self, _: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
            Ok(vec![ArrayD::zeros(vec![1, 3])])
        }
    }

    /// Marks like glyphs on paper that is lit from the left and grows darker, without an edge, to `right` at the right.
    fn marks(left: u8, right: u8) -> impl Fn(u32, u32) -> u8 {
        move |x, y| {
            let paper = f32::from(left) + (f32::from(right) - f32::from(left)) * x as f32 / 900.0;
            let ink = y % 30 < 15 && (x % 15 < 3 || (x % 15 < 12 && y % 30 < 3));
            (if ink { paper / 4.0 } else { paper }) as u8
        }
    }

    #[test]
    fn the_worst_zone_is_told_beside_the_mean() {
        let evidence = examine_grey(&Legibility(Some(Arc::new(Bright))), 900, 600, marks(230, 60));
        let value = |id: &str| evidence.value(id).expect("measured");
        assert!((value("legibility.zones_count") - 9.0).abs() < 1e-9);
        let whole = value("legibility.readable");
        assert!(whole > 0.3 && whole < 0.9, "{whole}");
        assert!(value("legibility.zone_readable") < 0.01);
        assert!((value("legibility.print_px") - 15.0).abs() < 4.0, "{}", value("legibility.print_px"));
        // The right lies in the shade of the left.
        assert!(value("legibility.shade_ratio") < 0.9, "{}", value("legibility.shade_ratio"));
        let zones: Vec<Zone> = evidence.marks.iter().filter_map(|mark| mark.zone).collect();
        assert!([Zone::UpperRight, Zone::MiddleRight, Zone::LowerRight].contains(&zones[0]), "{zones:?}");
    }

    #[test]
    fn where_there_is_no_print_there_is_nothing_to_read() {
        let evidence = examine_grey(&Legibility(Some(Arc::new(Bright))), 900, 600, |_, _| 200);
        assert_eq!(evidence.value("legibility.zones_count"), Some(0.0));
        assert_eq!(evidence.value("legibility.readable"), None);
        assert!(evidence.explanation.en.contains("nothing to read"));
    }

    #[test]
    fn a_model_of_another_kind_is_a_failure_not_a_verdict() {
        let capture = grey(900, 600, marks(220, 220));
        let outcome = Legibility(Some(Arc::new(Foreign))).examine(&survey(&capture, Deadline::NEVER));
        assert!(matches!(outcome, Outcome::Abstained(_)));
    }

    #[test]
    fn blocks_are_seen_in_step_and_smooth_pictures_have_none() {
        let blocks = grey(200, 200, |x, y| if (x / 8 + y / 8) % 2 == 0 { 100 } else { 112 });
        let smooth = grey(200, 200, |x, _| x as u8);
        let rect = PixelRect::new(0, 0, 200, 200);
        assert!(block_steps(&blocks, rect).expect("pixels enough") > 8.0);
        assert!(block_steps(&smooth, rect).expect("pixels enough") < 0.5);
        assert_eq!(block_steps(&smooth, PixelRect::new(0, 0, 20, 200)), None);
        // Pixel by pixel, along the rows and down the columns.
        let rough = grey(90, 70, |x, y| (x * x + 7 * y * y + x * y / 3) as u8);
        let whole = PixelRect::new(0, 0, 90, 70);
        let luma = rough.luma(whole).expect("the whole picture");
        let direction = |along: u32, lines: u32, at: &dyn Fn(u32, u32) -> u8| {
            let phase = |phase: u32| {
                let places = (2..along - 1).filter(|i| i % 8 == phase).flat_map(|i| (0..lines).map(move |k| (i, k)));
                let size = |i: u32, k: u32| i64::from(at(i, k).abs_diff(at(i - 1, k)));
                let more: Vec<i64> = places.map(|(i, k)| 2 * size(i, k) - size(i - 1, k) - size(i + 1, k)).collect();
                more.iter().sum::<i64>() as f64 / (2 * more.len()) as f64
            };
            (0..8).map(phase).fold(f64::MIN, f64::max)
        };
        let across = direction(90, 70, &|i, k| luma.get_pixel(i, k).0[0]);
        let down = direction(70, 90, &|i, k| luma.get_pixel(k, i).0[0]);
        let found = block_steps(&rough, whole).expect("pixels enough");
        assert!((found - f64::midpoint(across, down).max(0.0)).abs() < 1e-12, "{found}");
    }
}
