//! The document seen straight on → where its print can be read, what lies over it, and what spoils it.

use std::sync::Arc;

use image::GrayImage;
use image::imageops::{self, FilterType};
use ndarray::{Array4, Ix2, Ix4};

use super::sharpness::{quartile, widths};
use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, ReadingInfo, Sentence, Zone};
use crate::geometry::{PixelRect, Point};
use crate::inference::Model;
use crate::scene::{DocumentKind, Flat, Scene};

/// Side of the network's cells, in pixels of what it reads.
const CELL: u32 = 16;
/// Widest view that the network is given: a card as the flat view has it, laid in whole cells.
const VIEW_PX: u32 = 656;
/// Print that a zone or document must show to be judged by it, in cells: a word or two.
const LEAST_PRINT: f32 = 3.0;
/// Edges that make a measurement.
const EDGES: usize = 16;
/// Height of print on a card: 2.2 mm at the flat view's 7.5 px/mm.
const CARD_PRINT_PX: f64 = 16.5;
/// The same on anything else, as a share of its long side: 4 mm of an A4 page's 297.
const PRINT_SHARE: f64 = 0.0135;
/// Readings of the network's causes, in the order of its outputs.
const CAUSES: [&str; 6] = [
    "legibility.blurred",
    "legibility.moved",
    "legibility.dark",
    "legibility.compressed",
    "legibility.shadow",
    "legibility.small",
];

const fn share(id: &'static str, meaning: &'static str) -> ReadingInfo {
    ReadingInfo { id, unit: "share", meaning }
}

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "legibility",
        question: "Where can the document's print be read, and what stands between it and a reader?",
        readings: &[
            share("legibility.print_share", "part of the document that bears print"),
            share("legibility.readable", "how likely a character of the print is read right, mean over the print"),
            share("legibility.zone_readable", "the same in the worst of nine zones that bear print"),
            share("legibility.covered_share", "part of the document under something that is not the document"),
            share("legibility.glare_share", "part of the document under a highlight that washes it out"),
            share(CAUSES[0], "how likely it is out of focus so far that print suffers"),
            share(CAUSES[1], "the same of a moved camera"),
            share(CAUSES[2], "the same of darkness and its noise"),
            share(CAUSES[3], "the same of strong compression"),
            share(CAUSES[4], "the same of a shadow with an edge"),
            share(CAUSES[5], "the same of too few pixels"),
            ReadingInfo {
                id: "legibility.blur_ratio",
                unit: "ratio",
                meaning: "10 to 90 % width of edges over the height of print, in the direction in which it is larger",
            },
            ReadingInfo { id: "legibility.print_px", unit: "px", meaning: "height of print in the capture" },
            ReadingInfo { id: "legibility.lines_count", unit: "count", meaning: "lines of print that were seen" },
        ],
        method: "A small network on the document laid straight says for every 16 px: is there print, would a character \
                 here be read right, does something lie over it, has a highlight washed it out; and what spoils the \
                 whole. It learnt from drawn documents whose twins with digits in place of the print were read by the \
                 recogniser (models/README.md).",
        blind_spots: "Judges what a machine could read at the size of the flat view; a document whose border is found \
                      wrong is judged wrong. Blank documents have no print to judge.",
    },
    build: |models| Box::new(Legibility(models.get("legibility_net"))),
};

struct Legibility(Option<Arc<dyn Model>>);

/// A place of the document as the network saw it.
struct Cell {
    /// Middle, in pixels of the flat view.
    at: Point,
    /// Side, in pixels of the flat view.
    side: f32,
    zone: Zone,
    print: f32,
    readable: f32,
    covered: f32,
    glare: f32,
}

impl Detector for Legibility {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("legibility_net") };
        let (Some(flat), Some(document)) = (scene.flat(), scene.subject()) else {
            let (en, zh) = ("No document was found, so its print was not looked at.", "未找到证件，未检查文字。");
            return Abstention::new(AbstentionCause::NoDocument, en, zh).into();
        };
        let (mut cells, mut causes) = (Vec::new(), [f32::MIN; 6]);
        for view in views(&flat.luma) {
            if let Err(cause) = look(model.as_ref(), &flat.luma, view, &mut cells, &mut causes) {
                return failed(&cause);
            }
        }
        let mut evidence = Evidence::default();
        let known = print(flat, document.kind, scene.print_lines());
        evidence.read("legibility.print_px", known * f64::from(flat.scale));
        evidence.read("legibility.lines_count", scene.print_lines().len() as f64);
        if let Some(width) = wider(&flat.luma) {
            evidence.read("legibility.blur_ratio", width / known);
        }
        for (id, logit) in CAUSES.into_iter().zip(causes) {
            evidence.read(id, f64::from(logistic(logit)));
        }
        tell(&cells, flat, &mut evidence);
        evidence.into()
    }
}

/// Parts of the flat view that the network looks at one by one: the whole, an upright page by halves.
fn views(luma: &GrayImage) -> Vec<PixelRect> {
    let (width, height) = luma.dimensions();
    if height <= width || height <= VIEW_PX {
        return vec![PixelRect::new(0, 0, width, height)];
    }
    let half = height / 2;
    vec![PixelRect::new(0, 0, width, half), PixelRect::new(0, half, width, height - half)]
}

/// Looks at `view` of `luma`; adds its cells, and raises the causes to what they are here.
fn look(
    model: &dyn Model,
    luma: &GrayImage,
    view: PixelRect,
    cells: &mut Vec<Cell>,
    causes: &mut [f32; 6],
) -> Result<(), String> {
    let whole = luma.dimensions();
    let part = imageops::crop_imm(luma, view.x, view.y, view.width, view.height).to_image();
    let factor = (VIEW_PX as f32 / view.width as f32).min(1.0);
    let small = |side: u32| ((side as f32 * factor).round() as u32).max(1);
    let part = if factor < 1.0 {
        imageops::resize(&part, small(view.width), small(view.height), FilterType::Triangle)
    } else {
        part
    };
    let columns = part.width().div_ceil(CELL) as usize;
    let rows = part.height().div_ceil(CELL) as usize;
    let (most_x, most_y) = (part.width() as usize - 1, part.height() as usize - 1);
    let input = Array4::from_shape_fn((1, 1, rows * CELL as usize, columns * CELL as usize), |(_, _, y, x)| {
        f32::from(part.as_raw()[y.min(most_y) * part.width() as usize + x.min(most_x)])
    });
    let said = model.run(input.view().into_dyn()).map_err(|e| e.to_string())?;
    let mut said = said.into_iter();
    let (Some(Ok(maps)), Some(Ok(logits))) = (
        said.next().map(ndarray::ArrayBase::into_dimensionality::<Ix4>),
        said.next().map(ndarray::ArrayBase::into_dimensionality::<Ix2>),
    ) else {
        return Err("the model gave other outputs than maps and causes".to_owned());
    };
    if maps.dim() != (1, 4, rows, columns) || logits.dim() != (1, causes.len()) {
        return Err("the model's outputs have another size".to_owned());
    }
    for (cause, logit) in causes.iter_mut().zip(logits.iter()) {
        *cause = cause.max(*logit);
    }
    let side = CELL as f32 / factor;
    for row in 0..rows {
        for column in 0..columns {
            let middle = |i: usize| (i as f32 + 0.5) * side;
            let at = Point::new(view.x as f32 + middle(column), view.y as f32 + middle(row));
            let said = |channel: usize| logistic(maps[[0, channel, row, column]]);
            cells.push(Cell {
                at,
                side,
                zone: Zone::at(at.x / whole.0 as f32, at.y / whole.1 as f32),
                print: said(0),
                readable: said(1),
                covered: said(2),
                glare: said(3),
            });
        }
    }
    Ok(())
}

/// What the cells say: readings, marks and a sentence.
fn tell(cells: &[Cell], flat: &Flat, evidence: &mut Evidence) {
    let count = cells.len().max(1) as f32;
    let readable = |cells: &mut dyn Iterator<Item = &Cell>| {
        let (weight, sum) = cells.fold((0.0, 0.0), |(w, s), cell| (w + cell.print, s + cell.print * cell.readable));
        (weight >= LEAST_PRINT).then(|| sum / weight)
    };
    let whole = readable(&mut cells.iter());
    evidence.read("legibility.print_share", f64::from(cells.iter().map(|cell| cell.print).sum::<f32>() / count));
    if let Some(whole) = whole {
        evidence.read("legibility.readable", f64::from(whole));
    }
    let zones = Zone::ALL.into_iter().filter_map(|zone| {
        let mine = &mut cells.iter().filter(|cell| cell.zone == zone);
        Some((zone, readable(mine)?))
    });
    let worst = zones.min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((zone, readable)) = worst {
        evidence.read("legibility.zone_readable", f64::from(readable));
        let mine = cells.iter().filter(|cell| cell.zone == zone && cell.print > 0.5);
        evidence.mark_zone(MarkKind::Blur, around(mine, flat), 1.0 - readable, zone);
    }
    let mut over = |id: &'static str, kind: MarkKind, of: fn(&Cell) -> f32| {
        let sum: f32 = cells.iter().map(of).sum();
        evidence.read(id, f64::from(sum / count));
        let (weight, x, y) = cells.iter().filter(|cell| of(cell) > 0.5).fold((0.0, 0.0, 0.0), |(w, x, y), cell| {
            (w + of(cell), x + of(cell) * cell.at.x, y + of(cell) * cell.at.y)
        });
        let size = flat.luma.dimensions();
        if weight > 0.0 {
            let zone = Zone::at(x / weight / size.0 as f32, y / weight / size.1 as f32);
            let mine = cells.iter().filter(|cell| of(cell) > 0.5);
            evidence.mark_zone(kind, around(mine, flat), (8.0 * sum / count).min(1.0), zone);
        }
        sum / count
    };
    let covered = over("legibility.covered_share", MarkKind::Cover, |cell| cell.covered);
    let glare = over("legibility.glare_share", MarkKind::Glare, |cell| cell.glare);
    let (en, zh) = match (whole, worst) {
        (Some(whole), Some((zone, readable))) => {
            let (en, zh) = zone.name();
            (
                format!(
                    "A character of its print is read right with {:.0} % on average, {:.0} % at the {en}.",
                    100.0 * whole,
                    100.0 * readable
                ),
                format!("字符可读概率平均 {:.0}%，{zh}为 {:.0}%。", 100.0 * whole, 100.0 * readable),
            )
        }
        _ => ("It bears hardly any print.".to_owned(), "几乎没有文字。".to_owned()),
    };
    evidence.explanation = Sentence::new(
        format!("{en} Highlights wash out {:.1} % of it, {:.1} % is covered.", 100.0 * glare, 100.0 * covered),
        format!("{zh}反光覆盖 {:.1}%，遮挡 {:.1}%。", 100.0 * glare, 100.0 * covered),
    );
}

/// The rectangle of the document around `cells`, in capture pixels.
fn around<'a>(cells: impl Iterator<Item = &'a Cell>, flat: &Flat) -> Vec<Point> {
    let (mut low, mut high) = (Point::new(f32::MAX, f32::MAX), Point::new(f32::MIN, f32::MIN));
    for cell in cells {
        let half = cell.side / 2.0;
        low = Point::new(low.x.min(cell.at.x - half), low.y.min(cell.at.y - half));
        high = Point::new(high.x.max(cell.at.x + half), high.y.max(cell.at.y + half));
    }
    if low.x > high.x {
        return Vec::new();
    }
    let high = Point::new(high.x.min(flat.luma.width() as f32), high.y.min(flat.luma.height() as f32));
    [low, Point::new(high.x, low.y), high, Point::new(low.x, high.y)].map(|p| flat.to_capture(p)).to_vec()
}

/// Height of print in the flat view. Blur makes lines look higher: where the format says how high print is, that is
/// the measure.
fn print(flat: &Flat, kind: DocumentKind, lines: &[PixelRect]) -> f64 {
    let mut heights: Vec<u32> = lines.iter().map(|line| line.height).collect();
    heights.sort_unstable();
    let long = f64::from(flat.luma.width().max(flat.luma.height()));
    match heights.get(heights.len() / 2) {
        _ if kind == DocumentKind::Card => CARD_PRINT_PX,
        Some(seen) => f64::from(*seen),
        None => PRINT_SHARE * long,
    }
}

/// Width of edges in the direction in which they are wider; `None` where there are too few.
fn wider(luma: &GrayImage) -> Option<f64> {
    let [mut across, mut down] = [false, true].map(|turned| widths(luma, turned));
    match (across.len() >= EDGES, down.len() >= EDGES) {
        (true, true) => Some(quartile(&mut across)?.max(quartile(&mut down)?)),
        (true, false) => quartile(&mut across),
        (false, true) => quartile(&mut down),
        (false, false) => None,
    }
}

fn logistic(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;
    use crate::inference::InferenceError;

    /// Sees print everywhere, and what is darker than 100 as covered.
    struct Dark;

    impl Model for Dark {
        fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
            let (rows, columns) = (input.shape()[2] / 16, input.shape()[3] / 16);
            let maps = Array4::from_shape_fn((1, 4, rows, columns), |(_, channel, row, column)| {
                let dark = input[[0, 0, 16 * row + 8, 16 * column + 8]] < 100.0;
                if channel == 0 || (channel == 2) == dark { 9.0 } else { -9.0 }
            });
            Ok(vec![maps.into_dyn(), ArrayD::zeros(vec![1, 6])])
        }
    }

    fn seen(luma: &GrayImage) -> Vec<Cell> {
        let (mut cells, mut causes) = (Vec::new(), [f32::MIN; 6]);
        for view in views(luma) {
            look(&Dark, luma, view, &mut cells, &mut causes).expect("looked at");
        }
        cells
    }

    #[test]
    fn cells_lie_where_they_were_seen() {
        // A card whose lower right ninth is covered.
        let card = GrayImage::from_fn(642, 405, |x, y| image::Luma([if x > 430 && y > 272 { 20 } else { 200 }]));
        let cells = seen(&card);
        assert_eq!(cells.len(), 41 * 26);
        let covered: Vec<&Cell> = cells.iter().filter(|cell| cell.covered > 0.5).collect();
        assert!(covered.len() > 100 && covered.iter().all(|cell| cell.at.x > 415.0 && cell.at.y > 255.0));
    }

    #[test]
    fn a_page_is_seen_by_halves_and_whole() {
        let page = GrayImage::from_fn(990, 1400, |_, y| image::Luma([if y > 1300 { 20 } else { 200 }]));
        let cells = seen(&page);
        assert!(cells.iter().any(|cell| cell.zone == Zone::UpperLeft));
        let covered = |cell: &&Cell| cell.covered > 0.5;
        assert!(cells.iter().filter(covered).all(|cell| cell.at.y > 1270.0));
        assert!(cells.iter().filter(covered).count() > 100);
    }
}
