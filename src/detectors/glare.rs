//! Overview → clipped highlights on the document, with their area, their outlines and the print that they wash out.
//!
//! A reflection of a lamp on lamination drives the sensor to its end over a compact area, whatever is printed below,
//! and its flank falls off over many pixels. White paper that is overexposed is at the end too, but between its letters
//! and all around: nothing is washed out there. So an area counts as a reflection over print only where print is
//! expected and gone, and where what lies around it is darker than the end. Limits: ISO/IEC 29794-5 speaks of specular
//! highlights in the same way; the luma level is that of clipping in 8 bits.

use image::{GrayImage, Luma};
use imageproc::contours::{BorderType, find_contours};

use super::{Detector, DetectorInfo, Entry, document_rows};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Homography, Point, UNIT};
use crate::scene::{BLOCK_PX, Overview, PrintMask, Scene};
use crate::vocabulary::Zone;
use crate::words::Fact;

/// At and above this luma an 8-bit picture is clipped, JPEG ringing allowed for.
const CLIPPED: u8 = 250;
/// Clipped pixels keep this distance from neutral chroma at most: coloured light would still show its colour.
const NEUTRAL: u8 = 12;
/// Smaller areas are noise and specks: this share of the document's pixels.
const SPECK_SHARE: f64 = 0.0005;
/// How far from a highlight what lies around it is measured, in pixels of the overview: beyond its flank.
const FLANK_PX: f32 = 10.0;
/// Points of an outline that a mark keeps.
const OUTLINE_POINTS: usize = 64;

pub static AREA_SHARE: Reading = Reading::share("glare.area_share", "of the document under clipped highlights");
pub static LARGEST_SHARE: Reading = Reading::share("glare.largest_share", "of the document under the largest one");
pub static COUNT: Reading = Reading::count("glare.count", "separate highlights");
pub static REFLECTION_SHARE: Reading =
    Reading::share("glare.reflection_share", "of the document under the largest highlight with darker paper around it");
pub static PRINT_SHARE: Reading = Reading::share(
    "glare.print_share",
    "of the document's print that reflections wash out: clipped, with darker paper around",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "glare",
        question: "Do reflections cover part of the document?",
        readings: &[&AREA_SHARE, &LARGEST_SHARE, &COUNT, &REFLECTION_SHARE, &PRINT_SHARE],
        method: "Connected areas of clipped, neutral pixels inside the document on the overview, specks left out, \
                 with their outlines. Print is washed out where an area covers blocks that bear none, with print on both \
                 sides of them, and the brighter half of what lies around the area is below the end.",
        blind_spots: "A sheen that only lowers contrast is not clipped and not seen. What stood under a highlight at the \
                      edge of the print cannot be known. Without a document the whole picture is searched, windows and \
                      lamps included.",
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
        let outline = scene.outline();
        let print = (!areas.is_empty()).then(|| scene.print_map().within(&outline));
        let reflects: Vec<bool> = areas.iter().map(|(_, points)| is_reflection(points, overview)).collect();
        let washed: Vec<usize> = areas
            .iter()
            .zip(&reflects)
            .map(|((_, points), reflects)| match &print {
                Some(print) if *reflects => washed_out(points, &mask, overview, print),
                _ => 0,
            })
            .collect();
        let reflection =
            areas.iter().zip(&reflects).find(|(_, reflects)| **reflects).map_or(0.0, |((share, _), _)| *share);
        let bearing = print.as_ref().map_or(1, |print| print.expected_count().max(1));
        let over_print = washed.iter().sum::<usize>() as f64 / bearing as f64;
        let mut evidence = Evidence::told(Fact::Glare { count: areas.len(), share: covered, print: over_print });
        evidence.read(&AREA_SHARE, covered);
        evidence.read(&LARGEST_SHARE, largest);
        evidence.read(&COUNT, areas.len() as f64);
        evidence.read(&REFLECTION_SHARE, reflection.min(1.0));
        evidence.read(&PRINT_SHARE, over_print);
        let shares = Homography::between(&outline, &UNIT);
        for ((share, points), washed) in areas.iter().zip(&washed).take(8) {
            let step = points.len().div_ceil(OUTLINE_POINTS).max(1);
            let polygon: Vec<Point> = points.iter().step_by(step).map(|p| p.scaled(overview.scale)).collect();
            if polygon.len() < 3 {
                continue;
            }
            let strength = (*share * 20.0) as f32;
            // Only what washes print out has a place worth naming.
            match shares.as_ref().filter(|_| *washed > 0) {
                Some(shares) => {
                    let at = shares.apply(middle(&polygon));
                    evidence.mark_zone(MarkKind::Glare, polygon, strength, Zone::at(at.x, at.y));
                }
                None => evidence.mark(MarkKind::Glare, polygon, strength),
            }
        }
        evidence.into()
    }
}

/// Whether what lies around the highlight inside `points` (pixels of the overview) is darker than the end: three
/// quarters of it.
fn is_reflection(points: &[Point], overview: &Overview) -> bool {
    let (width, height) = overview.luma.dimensions();
    let mut around: Vec<u8> = Vec::new();
    let centre = middle(points);
    for p in points {
        let far = p.distance(centre).max(1.0);
        let out = Point::new(p.x + (p.x - centre.x) / far * FLANK_PX, p.y + (p.y - centre.y) / far * FLANK_PX);
        let (x, y) = (out.x as i64, out.y as i64);
        if (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y) {
            around.push(overview.luma.get_pixel(x as u32, y as u32).0[0]);
        }
    }
    let quarter = around.len() * 3 / 4;
    !around.is_empty() && *around.select_nth_unstable(quarter).1 < CLIPPED
}

/// Blocks of print that the highlight inside `points` (pixels of the overview) washes out.
fn washed_out(points: &[Point], mask: &GrayImage, overview: &Overview, print: &PrintMask<'_>) -> usize {
    let (width, height) = overview.luma.dimensions();
    let fold = |of: fn(&Point) -> f32| points.iter().map(of).fold((f32::MAX, 0.0f32), |(a, b), v| (a.min(v), b.max(v)));
    let ((left, right), (top, bottom)) = (fold(|p| p.x), fold(|p| p.y));
    let side = BLOCK_PX as usize;
    let mut count = 0;
    for y in (top as u32 / BLOCK_PX * BLOCK_PX..=bottom as u32).step_by(side) {
        for x in (left as u32 / BLOCK_PX * BLOCK_PX..=right as u32).step_by(side) {
            let (mx, my) = ((x + BLOCK_PX / 2).min(width - 1), (y + BLOCK_PX / 2).min(height - 1));
            let at = Point::new(mx as f32, my as f32).scaled(overview.scale);
            // Half of a block is clipped, it bears no print, and print goes on from both sides.
            let clipped = (y..(y + BLOCK_PX).min(height))
                .flat_map(|y| (x..(x + BLOCK_PX).min(width)).map(move |x| (x, y)))
                .filter(|(x, y)| mask.get_pixel(x + 1, y + 1).0[0] > 0)
                .count();
            count += usize::from(2 * clipped >= side * side && !print.bears(at) && print.expects(at));
        }
    }
    count
}

/// Mean of the points.
fn middle(points: &[Point]) -> Point {
    let sum = points.iter().fold(Point::default(), |sum, p| Point::new(sum.x + p.x, sum.y + p.y));
    sum.scaled(1.0 / points.len().max(1) as f32)
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

    /// Rows of marks like print on paper of level 215, and a lamp of `reach` pixels about the middle.
    fn lit(reach: f32, ambient: f32) -> impl Fn(u32, u32) -> u8 {
        move |x, y| {
            let ink = y % 24 < 12 && (x % 12 < 3 || (x % 12 < 9 && y % 24 < 3));
            let lamp = 600.0 * (-((x as f32 - 400.0).hypot(y as f32 - 250.0) / reach).powi(4)).exp();
            (ambient * if ink { 0.2 } else { 1.0 } + lamp).min(255.0) as u8
        }
    }

    #[test]
    fn a_lamp_over_print_washes_it_out_and_one_beside_it_does_not() {
        let over = examine_grey(&Glare, 800, 500, lit(40.0, 200.0));
        assert!(over.value("glare.print_share").expect("measured") > 0.002, "{:?}", over.readings);
        assert!(over.value("glare.reflection_share").expect("measured") > 0.005);
        assert!(over.marks.iter().any(|mark| mark.zone == Some(Zone::Middle)));
        let plain = examine_grey(&Glare, 800, 500, |x, y| {
            let lamp = 600.0 * (-((x as f32 - 400.0).hypot(y as f32 - 250.0) / 40.0).powi(4)).exp();
            (150.0 + lamp).min(255.0) as u8
        });
        assert_eq!(plain.value("glare.print_share"), Some(0.0));
    }

    #[test]
    fn overexposed_paper_is_no_reflection() {
        // Paper at the end everywhere, its print still there.
        let evidence = examine_grey(&Glare, 800, 500, lit(1.0, 260.0));
        assert!(evidence.value("glare.area_share").expect("measured") > 0.3);
        assert_eq!(evidence.value("glare.reflection_share"), Some(0.0));
        assert_eq!(evidence.value("glare.print_share"), Some(0.0));
    }
}
