//! Overview → clipped highlights on the document, with their area and outlines.
//!
//! A reflection of a lamp on lamination drives the sensor to its end over a compact area, whatever is printed below,
//! and its flank falls off over many pixels. White paper stays below the end in a well exposed picture; where it does
//! not, nearly the whole document is at the end and there is no flank inside: such an area is exposure, not glare,
//! and is counted apart by its share. Limits: ISO/IEC 29794-5 speaks of specular highlights in the same way; the luma
//! level is that of clipping in 8 bits.

use image::{GrayImage, Luma};
use imageproc::contours::{BorderType, find_contours};

use super::{Detector, DetectorInfo, Entry, document_rows};
use crate::evidence::{Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::geometry::Point;
use crate::scene::Scene;

/// At and above this luma an 8-bit picture is clipped, JPEG ringing allowed for.
const CLIPPED: u8 = 250;
/// Clipped pixels keep this distance from neutral chroma at most: coloured light would still show its colour.
const NEUTRAL: u8 = 12;
/// Smaller areas are noise and specks: this share of the document's pixels.
const SPECK_SHARE: f64 = 0.0005;
/// Points of an outline that a mark keeps.
const OUTLINE_POINTS: usize = 64;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "glare",
        question: "Do reflections cover part of the document?",
        readings: &[
            ReadingInfo { id: "glare.area_share", unit: "share", meaning: "of the document under clipped highlights" },
            ReadingInfo { id: "glare.largest_share", unit: "share", meaning: "of the document under the largest one" },
            ReadingInfo { id: "glare.count", unit: "count", meaning: "separate highlights" },
        ],
        method: "Connected areas of clipped, neutral pixels inside the document on the overview, specks left out, \
                 with their outlines.",
        blind_spots: "White paper that is overexposed as a whole reads as one large highlight; see exposure. A sheen \
                      that only lowers contrast is not clipped and not seen. Without a document the whole picture is \
                      searched, windows and lamps included.",
    },
    build: |_| Box::new(Glare),
};

struct Glare;

impl Detector for Glare {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let overview = scene.overview();
        let (width, height) = overview.luma.dimensions();
        // One pixel of margin, so that an area at the picture's edge has a closed outline.
        let mut mask = GrayImage::new(width + 2, height + 2);
        let mut pixels = 0u64;
        let mut clipped = 0u64;
        for (y, columns) in document_rows(scene) {
            pixels += u64::from(columns.end - columns.start);
            let row = (y * width) as usize;
            for x in columns {
                let at = row + x as usize;
                let neutral = |plane: &GrayImage| plane.as_raw()[at].abs_diff(128) <= NEUTRAL;
                if overview.luma.as_raw()[at] >= CLIPPED && neutral(&overview.cb) && neutral(&overview.cr) {
                    mask.put_pixel(x + 1, y + 1, Luma([255]));
                    clipped += 1;
                }
            }
        }
        let total = pixels.max(1) as f64;
        // Outlines are sought only where there are pixels enough for one.
        let enough = clipped as f64 >= SPECK_SHARE * pixels as f64;
        let contours = if enough && clipped > 0 { find_contours::<i32>(&mask) } else { Vec::new() };
        let mut areas: Vec<(f64, Vec<Point>)> = contours
            .into_iter()
            .filter(|contour| contour.border_type == BorderType::Outer)
            .map(|contour| {
                let points: Vec<Point> =
                    contour.points.iter().map(|p| Point::new((p.x - 1) as f32, (p.y - 1) as f32)).collect();
                (enclosed(&points) / total, points)
            })
            .filter(|(share, _)| *share >= SPECK_SHARE)
            .collect();
        areas.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let covered = areas.iter().map(|(share, _)| share).fold(0.0, |sum, share| sum + share).min(1.0);
        let largest = areas.first().map_or(0.0, |(share, _)| share.min(1.0));
        let mut evidence = Evidence::told(Sentence::new(
            format!("Clipped highlights: {}, over {:.1} % of the area.", areas.len(), covered * 100.0),
            format!("{} 处过曝反光覆盖 {:.1}% 的面积。", areas.len(), covered * 100.0),
        ));
        evidence.read("glare.area_share", covered);
        evidence.read("glare.largest_share", largest);
        evidence.read("glare.count", areas.len() as f64);
        for (share, points) in areas.iter().take(8) {
            let step = points.len().div_ceil(OUTLINE_POINTS).max(1);
            let outline: Vec<Point> = points.iter().step_by(step).map(|p| p.scaled(overview.scale)).collect();
            if outline.len() > 2 {
                evidence.mark(MarkKind::Glare, outline, (*share * 20.0) as f32);
            }
        }
        evidence.into()
    }
}

/// Pixels enclosed by a contour of pixel centres: Pick's theorem, border included.
fn enclosed(points: &[Point]) -> f64 {
    let twice: f64 = (0..points.len())
        .map(|i| {
            let (a, b) = (points[i], points[(i + 1) % points.len()]);
            f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y)
        })
        .sum();
    twice.abs() / 2.0 + points.len() as f64 / 2.0 + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    #[test]
    fn a_lamp_on_the_card_is_measured() {
        let lamp = |x: u32, y: u32| {
            let distance = (x as f32 - 150.0).hypot(y as f32 - 100.0);
            (330.0 - 4.0 * distance).clamp(120.0, 255.0) as u8
        };
        let evidence = examine_grey(&Glare, 300, 200, lamp);
        // Clipped within 20 px of the centre.
        let expected = std::f64::consts::PI * 400.0 / 60_000.0;
        assert!((evidence.value("glare.area_share").expect("measured") - expected).abs() < 0.3 * expected);
        assert_eq!(evidence.value("glare.count"), Some(1.0));
        assert_eq!(evidence.marks.len(), 1);
    }

    #[test]
    fn white_paper_below_the_end_is_no_glare() {
        let evidence = examine_grey(&Glare, 300, 200, |_, _| 240);
        assert_eq!(evidence.value("glare.area_share"), Some(0.0));
    }
}
