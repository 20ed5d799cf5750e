//! The document seen straight on → what stands between its print and a reader: blur, size, contrast, reflections.

use image::GrayImage;

use super::sharpness::{quartile, widths};
use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::geometry::{PixelRect, Point};
use crate::scene::{DocumentKind, Scene};

/// Zones across and down: fields of a card are about a third of it.
const ZONES: u32 = 3;
/// Edges that make a measurement of a zone.
const EDGES: usize = 16;
/// Height of print on a card where no line of it is seen: 2.2 mm at the flat view's 7.5 px/mm.
const CARD_PRINT_PX: f64 = 16.5;
/// The same on anything else, as a share of its long side: 4 mm of an A4 page's 297.
const PRINT_SHARE: f64 = 0.0135;
/// Luma of a clipped highlight.
const CLIPPED: u8 = 250;
/// How far a highlight lies above the document's own median, so that white paper is none.
const ABOVE: u8 = 12;

const NAMES: [(&str, &str); 9] = [
    ("upper left", "左上"),
    ("upper middle", "上方中部"),
    ("upper right", "右上"),
    ("middle left", "左侧中部"),
    ("middle", "中部"),
    ("middle right", "右侧中部"),
    ("lower left", "左下"),
    ("lower middle", "下方中部"),
    ("lower right", "右下"),
];

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "legibility",
        question: "What stands between the document's print and a reader?",
        readings: &[
            ReadingInfo {
                id: "legibility.blur_ratio",
                unit: "ratio",
                meaning: "10 to 90 % width of edges over the height of print, in the direction in which it is larger",
            },
            ReadingInfo {
                id: "legibility.zone_blur_ratio",
                unit: "ratio",
                meaning: "the same in the most blurred of nine zones that have edges",
            },
            ReadingInfo { id: "legibility.print_px", unit: "px", meaning: "height of print in the capture" },
            ReadingInfo { id: "legibility.lines_count", unit: "count", meaning: "lines of print that were seen" },
            ReadingInfo {
                id: "legibility.contrast",
                unit: "share",
                meaning: "how much darker ink is than its surround, median of the lines of print",
            },
            ReadingInfo {
                id: "legibility.covered_share",
                unit: "share",
                meaning: "part of the document under clipped highlights",
            },
            ReadingInfo {
                id: "legibility.zone_covered_share",
                unit: "share",
                meaning: "the same in the most covered of nine zones",
            },
        ],
        method: "The document is seen straight on at 7.5 px/mm. Edges are followed as for sharpness; print is found as \
                 for the number; highlights are pixels of 250 and more that lie above the document's median. Low \
                 resolution shows as blur, since the view is enlarged to the same scale.",
        blind_spots: "Needs the document's border. What covers print without being bright, such as a finger, is not seen.",
    },
    build: |_| Box::new(Legibility),
};

struct Legibility;

impl Detector for Legibility {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let (Some(flat), Some(document)) = (scene.flat(), scene.document()) else {
            let (en, zh) = ("No document was found, so its print was not looked at.", "未找到证件，未检查文字。");
            return Abstention::new(AbstentionCause::NoDocument, en, zh).into();
        };
        let luma = &flat.luma;
        let found = scene.print_lines();
        let long = f64::from(luma.width().max(luma.height()));
        let default = if document.kind == DocumentKind::Card { CARD_PRINT_PX } else { PRINT_SHARE * long };
        // Blur makes lines look higher: where the format says how high print is, that is the measure.
        let seen = median(found.iter().map(|l| f64::from(l.height)).collect());
        let print = if document.kind == DocumentKind::Card { default } else { seen.unwrap_or(default) };
        let zones = zones(luma);
        let mut evidence = Evidence::default();
        evidence.read("legibility.print_px", print * f64::from(flat.scale));
        evidence.read("legibility.lines_count", found.len() as f64);
        if let Some(width) = wider(luma) {
            evidence.read("legibility.blur_ratio", width / print);
        }
        let corners = |rect: PixelRect| -> Vec<Point> { rect.corners().map(|p| flat.to_capture(p)).to_vec() };
        let blurred = zones
            .iter()
            .enumerate()
            .filter_map(|(i, rect)| Some((i, wider(&part(luma, *rect))?)))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((i, width)) = blurred {
            evidence.read("legibility.zone_blur_ratio", width / print);
            evidence.mark(MarkKind::Blur, corners(zones[i]), (width / print) as f32 / 2.0);
        }
        if let Some(contrast) = median(found.iter().map(|l| contrast(&part(luma, *l))).collect()) {
            evidence.read("legibility.contrast", contrast);
        }
        let floor = CLIPPED.max(middle(luma).saturating_add(ABOVE));
        let covered = |rect: PixelRect| {
            let view = part(luma, rect);
            view.iter().filter(|v| **v >= floor && floor < u8::MAX).count() as f64 / view.len().max(1) as f64
        };
        let shares: Vec<f64> = zones.iter().map(|rect| covered(*rect)).collect();
        let worst = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or(0);
        let whole = shares.iter().sum::<f64>() / shares.len() as f64;
        evidence.read("legibility.covered_share", whole);
        evidence.read("legibility.zone_covered_share", shares[worst]);
        if shares[worst] > 0.0 {
            evidence.mark(MarkKind::Glare, corners(zones[worst]), shares[worst] as f32);
        }
        let (en, zh) = NAMES[worst];
        let blur = blurred.map_or_else(
            || (String::new(), String::new()),
            |(i, width)| {
                let (en, zh) = NAMES[i];
                let share = 100.0 * width / print;
                (
                    format!(" Edges are {share:.0} % of the height of print wide where they are widest, {en}."),
                    format!("边缘最宽处（{zh}）为字高的 {share:.0}%。"),
                )
            },
        );
        evidence.explanation = Sentence::new(
            format!(
                "Print is {:.0} px high. Highlights cover {:.1} % of the document, most of it {en}.{}",
                print * f64::from(flat.scale),
                100.0 * whole,
                blur.0
            ),
            format!(
                "字高 {:.0} 像素。反光覆盖证件的 {:.1}%，主要在{zh}。{}",
                print * f64::from(flat.scale),
                100.0 * whole,
                blur.1
            ),
        );
        evidence.into()
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

fn zones(luma: &GrayImage) -> Vec<PixelRect> {
    let (w, h) = (luma.width() / ZONES, luma.height() / ZONES);
    (0..ZONES * ZONES).map(|i| PixelRect::new(i % ZONES * w, i / ZONES * h, w.max(1), h.max(1))).collect()
}

fn part(luma: &GrayImage, rect: PixelRect) -> GrayImage {
    image::imageops::crop_imm(luma, rect.x, rect.y, rect.width, rect.height).to_image()
}

/// How much darker the darkest tenth of a line is than its brightest half, as a share of the latter.
fn contrast(line: &GrayImage) -> f64 {
    let mut values = line.as_raw().clone();
    values.sort_unstable();
    let at = |share: f64| f64::from(values[((values.len() - 1) as f64 * share) as usize]);
    (at(0.75) - at(0.05)) / at(0.75).max(1.0)
}

/// The median luma.
fn middle(luma: &GrayImage) -> u8 {
    let mut histogram = [0usize; 256];
    for v in luma.iter() {
        histogram[*v as usize] += 1;
    }
    let mut seen = 0;
    histogram
        .iter()
        .position(|n| {
            seen += n;
            2 * seen >= luma.len()
        })
        .unwrap_or(0) as u8
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_ink_on_paper() {
        let line = GrayImage::from_fn(200, 20, |x, _| image::Luma([if x % 10 < 3 { 40 } else { 200 }]));
        assert!((contrast(&line) - 0.8).abs() < 0.01);
        assert!(contrast(&GrayImage::from_pixel(50, 10, image::Luma([0]))).abs() < 1e-9);
    }

    #[test]
    fn zones_are_named_as_they_lie() {
        let zones = zones(&GrayImage::new(90, 60));
        assert_eq!((zones.len(), NAMES[8].0), (9, "lower right"));
        assert_eq!((zones[8].x, zones[8].y), (60, 40));
        assert_eq!(middle(&GrayImage::from_pixel(4, 4, image::Luma([77]))), 77);
    }
}
