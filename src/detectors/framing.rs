//! The document's corners → whether it is whole, straight and large in the picture.
//!
//! Method: plane geometry of the found corners. Blind spots: a wrong quadrilateral gives wrong answers; a document that
//! fills the picture exactly has no border to find, so that nothing is said of it.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Point, Quad};
use crate::scene::Scene;
use crate::words::Fact;

/// Part of a side of the picture, as 1 in so many, that must cut the document to be looked at by itself: on less, one line that
/// touches it is all of it.
const LEAST_STRETCH: usize = 6;

/// Depth of the mark on a side at which print stands, as a share of the picture's short side.
const SIDE_DEEP: f32 = 0.04;

pub static CORNERS_CUT_COUNT: Reading =
    Reading::count("framing.corners_cut_count", "corners at or beyond the picture's edge");
pub static TILT_DEG: Reading =
    Reading::new("framing.tilt_deg", "deg", "largest angle between opposite sides: perspective");
pub static ROTATION_DEG: Reading =
    Reading::new("framing.rotation_deg", "deg", "turn of the nearest side from horizontal, 0 to 45");
pub static SHARE: Reading = Reading::share("framing.share", "part of the picture that the document covers");
pub static PRINT_CUT_SHARE: Reading = Reading::share(
    "framing.print_cut_share",
    "of the picture's edge that cuts through the document, where print stands right at it",
);

pub static SIDE_PRINT_CUT_SHARE: Reading = Reading::share(
    "framing.side_print_cut_share",
    "the same of that side of the picture on which it is largest, of those that cut the document over a sixth and more",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "framing",
        question: "Is the whole document in the picture, straight and large enough?",
        readings: &[&CORNERS_CUT_COUNT, &TILT_DEG, &ROTATION_DEG, &SHARE, &PRINT_CUT_SHARE, &SIDE_PRINT_CUT_SHARE],
        method: "Plane geometry of the document's four corners, and fine edges right at the picture's own edge.",
        blind_spots: "A wrong quadrilateral gives wrong answers; a document that fills the picture has no border to find.",
    },
    build: |_| Box::new(Framing),
};

struct Framing;

impl Detector for Framing {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(document) = scene.subject() else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::FramingNeedsBorder).into();
        };
        let (width, height) = (scene.capture().width() as f32, scene.capture().height() as f32);
        let quad = &document.quad;
        let (print_cut, side_cut, side) = print_cut(scene, quad);
        if document.fills_frame {
            let mut evidence = Evidence::told(Fact::FramingFull { print: print_cut });
            evidence.read(&PRINT_CUT_SHARE, print_cut);
            evidence.read(&SIDE_PRINT_CUT_SHARE, side_cut);
            mark_side(&mut evidence, side, side_cut, width, height);
            return evidence.into();
        }
        let cut: Vec<usize> = (0..4).filter(|&i| is_cut(quad.0[i], width, height)).collect();
        let (tilt, rotation, share) = (tilt_deg(quad), rotation_deg(quad), quad.share_of(width, height));
        let mut evidence =
            Evidence::told(Fact::Framing { share, cut: cut.len(), rotation_deg: rotation, tilt_deg: tilt });
        evidence.read(&CORNERS_CUT_COUNT, cut.len() as f64);
        evidence.read(&TILT_DEG, f64::from(tilt));
        evidence.read(&ROTATION_DEG, f64::from(rotation));
        evidence.read(&SHARE, f64::from(share));
        evidence.read(&PRINT_CUT_SHARE, print_cut);
        evidence.read(&SIDE_PRINT_CUT_SHARE, side_cut);
        for i in cut {
            let corner = quad.0[i];
            let arm = |other: usize| corner.towards(quad.0[other % 4], 0.15);
            evidence.mark(MarkKind::Cut, [arm(i + 3), corner, arm(i + 1)], 1.0);
        }
        mark_side(&mut evidence, side, side_cut, width, height);
        evidence.into()
    }
}

/// Share of the stretches in which the picture's edge cuts through the document where print stands right at it: of all
/// sides, and of the side on which it is largest, and which that is: above, below, left or right.
fn print_cut(scene: &Scene<'_>, quad: &Quad) -> (f64, f64, usize) {
    let map = scene.print_map();
    let (width, height) = (scene.capture().width() as f32, scene.capture().height() as f32);
    let print = map.within(quad);
    let step = map.block;
    let along = |length: f32| (0..(length / step) as usize).map(move |i| (i as f32 + 0.5) * step);
    // The second block from the edge: the picture's own edge is in the first.
    let off = 1.5 * step;
    let sides: [Vec<Point>; 4] = [
        along(width).map(|x| Point::new(x, off)).collect(),
        along(width).map(|x| Point::new(x, height - off)).collect(),
        along(height).map(|y| Point::new(off, y)).collect(),
        along(height).map(|y| Point::new(width - off, y)).collect(),
    ];
    let (mut cut, mut printed, mut worst) = (0, 0, (0.0f64, 0));
    for (number, side) in sides.iter().enumerate() {
        let inside: Vec<Point> = side.iter().copied().filter(|p| quad.contains(*p)).collect();
        let strong = inside.iter().filter(|p| print.strong(**p)).count();
        (cut, printed) = (cut + inside.len(), printed + strong);
        if inside.len() * LEAST_STRETCH >= side.len().max(1) {
            let share = strong as f64 / inside.len() as f64;
            if share > worst.0 {
                worst = (share, number);
            }
        }
    }
    (printed as f64 / cut.max(1) as f64, worst.0, worst.1)
}

/// Marks the side of the picture at which print stands.
fn mark_side(evidence: &mut Evidence, side: usize, share: f64, width: f32, height: f32) {
    if share <= 0.0 {
        return;
    }
    let deep = SIDE_DEEP * width.min(height);
    let [left, top, right, bottom] = match side {
        0 => [0.0, 0.0, width, deep],
        1 => [0.0, height - deep, width, height],
        2 => [0.0, 0.0, deep, height],
        _ => [width - deep, 0.0, width, height],
    };
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    evidence.mark(MarkKind::Cut, corners.map(|(x, y)| Point::new(x, y)), share as f32);
}

/// Whether `corner` is at the picture's edge or beyond: within half a percent, two pixels of the search for corners.
fn is_cut(corner: Point, width: f32, height: f32) -> bool {
    let margin = 0.005 * width.max(height);
    corner.x < margin || corner.y < margin || corner.x > width - margin || corner.y > height - margin
}

fn direction_deg(a: Point, b: Point) -> f32 {
    (b.y - a.y).atan2(b.x - a.x).to_degrees()
}

/// The angle between two lines, 0 to 90°.
fn between_deg(a: f32, b: f32) -> f32 {
    let turn = (a - b).rem_euclid(180.0);
    turn.min(180.0 - turn)
}

fn tilt_deg(quad: &Quad) -> f32 {
    let p = &quad.0;
    let across = between_deg(direction_deg(p[0], p[1]), direction_deg(p[3], p[2]));
    let down = between_deg(direction_deg(p[0], p[3]), direction_deg(p[1], p[2]));
    across.max(down)
}

fn rotation_deg(quad: &Quad) -> f32 {
    let p = &quad.0;
    let turn = direction_deg(p[0].towards(p[3], 0.5), p[1].towards(p[2], 0.5)).rem_euclid(90.0);
    turn.min(90.0 - turn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quad(points: [(f32, f32); 4]) -> Quad {
        Quad(points.map(|(x, y)| Point::new(x, y)))
    }

    #[test]
    fn a_straight_document_has_no_tilt() {
        let straight = quad([(100.0, 100.0), (500.0, 100.0), (500.0, 300.0), (100.0, 300.0)]);
        assert!(tilt_deg(&straight) < 0.01 && rotation_deg(&straight) < 0.01);
        assert!((straight.share_of(800.0, 400.0) - 0.25).abs() < 0.01);
        assert!(straight.0.iter().all(|p| !is_cut(*p, 800.0, 400.0)));
    }

    /// Print from the top to `last` on a picture that is all document.
    fn print_cut_below(last: u32) -> (f64, f64) {
        let capture = crate::detectors::testing::grey(800, 1000, |x, y| {
            let inside = (60..740).contains(&x) && (60..last).contains(&y);
            if inside && y % 20 < 12 && (x % 12 < 3 || (x % 12 < 9 && y % 20 < 3)) { 40 } else { 215 }
        });
        let scene = crate::scene::survey(&capture, crate::scene::Deadline::NEVER);
        let (all, worst, side) = print_cut(&scene, &quad([(0.0, 0.0), (800.0, 0.0), (800.0, 1000.0), (0.0, 1000.0)]));
        assert!(worst <= 0.0 || side == 1, "{side}");
        (all, worst)
    }

    #[test]
    fn print_that_runs_out_below_is_most_of_that_side_and_little_of_all() {
        let ((all, below), (whole, none)) = (print_cut_below(1000), print_cut_below(900));
        assert!(below > 0.4 && all > 0.05 && all < 0.2, "{below} {all}");
        assert!(whole < 0.01 && none < 0.01, "{whole} {none}");
    }

    #[test]
    fn perspective_is_tilt_and_a_corner_outside_is_cut() {
        let slanted = quad([(100.0, 100.0), (500.0, 170.0), (500.0, 300.0), (100.0, 370.0)]);
        assert!((tilt_deg(&slanted) - 2.0 * (70f32 / 400.0).atan().to_degrees()).abs() < 0.1);
        assert!(is_cut(Point::new(-4.0, 100.0), 800.0, 400.0));
    }
}
