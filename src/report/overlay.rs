//! Scene and report → the photograph with the document outlined and the places of its reasons, numbered as they are told.

use image::{GrayImage, Rgb, RgbImage};
use imageproc::drawing::{draw_filled_circle_mut, draw_line_segment_mut, draw_polygon_mut};

use super::Report;
use crate::evidence::{Mark, MarkKind};
use crate::geometry::Point;
use crate::lettering;
use crate::policy::{Decision, Reason};
use crate::scene::Scene;

/// Weaker marks are left out: they say that nothing was seen there.
const FAINTEST: f32 = 0.2;
/// Most places of one reason: where more are, they say that it is everywhere.
const MOST_PLACES: usize = 3;
/// Half width of a number's disc, as a share of the picture's short side, and in pixels at least.
const DISC_SHARE: f32 = 0.035;
const LEAST_DISC_PX: f32 = 11.0;

const DOCUMENT: Rgb<u8> = Rgb([0, 230, 118]);

/// The photograph, small, with the document's outline and, one number and colour a reason, the places that show it. Where a
/// reason has none its number stands at the document's corner. A photograph that is accepted carries the outline alone.
#[must_use]
pub fn draw(scene: &Scene<'_>, report: &Report) -> RgbImage {
    let overview = scene.overview();
    let mut picture = overview.to_rgb();
    let factor = 1.0 / overview.scale;
    let corners = report.document.as_ref().map(|document| document.corners.0.map(|p| p.scaled(factor)));
    if let Some(corners) = &corners {
        outline(&mut picture, corners, DOCUMENT);
    }
    if report.decision == Decision::Accept {
        return picture;
    }
    let places: Vec<Vec<(Vec<Point>, Option<f32>)>> =
        report.reasons.iter().map(|reason| places(report, reason, factor)).collect();
    // The first reason lies over the others.
    for (number, places) in places.iter().enumerate().rev() {
        for (polygon, tinted) in places {
            if let Some(strength) = tinted {
                tint(&mut picture, polygon, colour(number), *strength);
            }
        }
    }
    for (number, places) in places.iter().enumerate().rev() {
        for (polygon, _) in places {
            outline(&mut picture, polygon, colour(number));
        }
    }
    let first = corners.map_or(Point::new(0.0, 0.0), upper_left);
    let mut taken = Vec::new();
    for (number, places) in places.iter().enumerate() {
        let at = places.first().map_or(first, |(polygon, _)| upper_left(polygon.iter().copied()));
        disc(&mut picture, at, number, &mut taken);
    }
    picture
}

/// The polygons that show a reason in the picture, the one that it points at first, and how strongly areas are tinted: marks
/// of that one's kind alone, since others say the same less plainly, the strongest first and none within another.
fn places(report: &Report, reason: &Reason, factor: f32) -> Vec<(Vec<Point>, Option<f32>)> {
    let scaled = |points: &[Point]| points.iter().map(|p| p.scaled(factor)).collect::<Vec<_>>();
    let Some(first) = reason.shown_by.first() else { return Vec::new() };
    let Some(pointed) = report.mark(*first) else {
        return reason.polygon.iter().map(|polygon| (scaled(polygon), None)).collect();
    };
    let others = reason.shown_by.iter().skip(1).filter_map(|pointer| report.mark(*pointer));
    let mut alike: Vec<&Mark> = others.filter(|mark| mark.kind == pointed.kind && mark.strength >= FAINTEST).collect();
    alike.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let mut shown: Vec<&Mark> = vec![pointed];
    for mark in alike {
        if shown.len() < MOST_PLACES && shown.iter().all(|other| is_apart(&mark.polygon, &other.polygon)) {
            shown.push(mark);
        }
    }
    shown.into_iter().map(|mark| (scaled(&mark.polygon), is_area(mark.kind).then_some(mark.strength))).collect()
}

/// Whether the rectangles around two polygons do not meet.
fn is_apart(a: &[Point], b: &[Point]) -> bool {
    let span = |points: &[Point], of: fn(&Point) -> f32| {
        points.iter().map(of).fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    };
    let beside = |of: fn(&Point) -> f32| {
        let ((a_low, a_high), (b_low, b_high)) = (span(a, of), span(b, of));
        a_high <= b_low || b_high <= a_low
    };
    beside(|p| p.x) || beside(|p| p.y)
}

/// The corner that is nearest to the picture's own.
fn upper_left(points: impl IntoIterator<Item = Point>) -> Point {
    let nearest = points.into_iter().min_by(|a, b| (a.x + a.y).total_cmp(&(b.x + b.y)));
    nearest.unwrap_or(Point::new(0.0, 0.0))
}

/// The colour of a reason, by its number from 0.
const fn colour(number: usize) -> Rgb<u8> {
    Rgb(match number {
        0 => [255, 23, 68],
        1 => [255, 145, 0],
        _ => [255, 214, 0],
    })
}

const fn is_area(kind: MarkKind) -> bool {
    matches!(
        kind,
        MarkKind::Pattern | MarkKind::Heat | MarkKind::Glare | MarkKind::Halftone | MarkKind::Blur | MarkKind::Cover
    )
}

/// Mixes a colour into a polygon, the more the stronger.
fn tint(picture: &mut RgbImage, polygon: &[Point], Rgb(ink): Rgb<u8>, strength: f32) {
    let mut points: Vec<imageproc::point::Point<i32>> = Vec::new();
    for p in polygon {
        points.push(imageproc::point::Point::new(p.x.round() as i32, p.y.round() as i32));
    }
    // A polygon is drawn without its last point when that repeats the first.
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    if points.len() < 3 {
        return;
    }
    let mut mask = GrayImage::new(picture.width(), picture.height());
    draw_polygon_mut(&mut mask, &points, image::Luma([255]));
    let share = 0.22 * strength;
    for (pixel, covered) in picture.pixels_mut().zip(mask.as_raw()) {
        if *covered > 0 {
            for (value, ink) in pixel.0.iter_mut().zip(ink) {
                *value = (f32::from(*value) * (1.0 - share) + f32::from(ink) * share) as u8;
            }
        }
    }
}

/// A line through two points, or round three and more, over a dark one that shows it on any ground. Three points of a corner
/// that is cut off are closed to a triangle, which is what is missing.
fn outline(picture: &mut RgbImage, points: &[Point], ink: Rgb<u8>) {
    let sides = if points.len() > 2 { points.len() } else { points.len().saturating_sub(1) };
    for (shift, ink) in [(1.0, Rgb([0; 3])), (2.0, Rgb([0; 3])), (-1.0, ink), (0.0, ink)] {
        for i in 0..sides {
            let (a, b) = (points[i], points[(i + 1) % points.len()]);
            draw_line_segment_mut(picture, (a.x + shift, a.y + shift), (b.x + shift, b.y + shift), ink);
        }
    }
}

/// The number of a reason in a disc about `at`, inside the picture and clear of those before.
fn disc(picture: &mut RgbImage, at: Point, number: usize, taken: &mut Vec<Point>) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let radius = (DISC_SHARE * width.min(height)).max(LEAST_DISC_PX).min(width.min(height) / 2.0);
    let inside = |v: f32, side: f32| v.min(side - radius - 1.0).max(radius);
    let mut at = Point::new(inside(at.x, width), inside(at.y, height));
    while taken.iter().any(|other: &Point| other.distance(at) < 2.2 * radius) && at.x + 3.2 * radius < width {
        at.x += 2.3 * radius;
    }
    taken.push(at);
    let middle = (at.x as i32, at.y as i32);
    draw_filled_circle_mut(picture, middle, radius as i32, Rgb([0; 3]));
    draw_filled_circle_mut(picture, middle, radius as i32 - 2, colour(number));
    let (text, size) = ((number + 1).to_string(), 1.1 * radius);
    let wide = text.len() as f32 * lettering::ADVANCE * size;
    let strokes = lettering::lines(&text, at.x - wide / 2.0 + 0.1 * size, at.y - size / 2.0, size);
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        for stroke in &strokes {
            for ends in stroke.windows(2) {
                let at = |p: [f32; 2]| (p[0] + dx, p[1] + dy);
                draw_line_segment_mut(picture, at(ends[0]), at(ends[1]), Rgb([0; 3]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_inside_the_picture_and_clear_of_one_another() {
        let mut picture = RgbImage::new(300, 200);
        let mut taken = Vec::new();
        for number in 0..3 {
            disc(&mut picture, Point::new(-40.0, -40.0), number, &mut taken);
        }
        assert!(taken.iter().all(|p| p.x > 0.0 && p.y > 0.0 && p.x < 300.0 && p.y < 200.0));
        assert!(taken[0].distance(taken[1]) > 20.0 && taken[1].distance(taken[2]) > 20.0);
        let seen = |number: usize| picture.pixels().any(|pixel| *pixel == colour(number));
        assert!((0..3).all(seen));
    }

    #[test]
    fn places_that_meet_are_shown_once() {
        let square = |x: f32| [(x, 0.0), (x + 10.0, 0.0), (x + 10.0, 10.0), (x, 10.0)].map(|(x, y)| Point::new(x, y));
        assert!(!is_apart(&square(0.0), &square(9.0)) && is_apart(&square(0.0), &square(10.0)));
        assert!(!is_apart(&square(0.0), &square(0.0)));
    }

    #[test]
    fn a_picture_of_few_pixels_is_drawn_on_too() {
        for (width, height) in [(1, 1), (4, 30), (25, 9)] {
            let mut picture = RgbImage::new(width, height);
            disc(&mut picture, Point::new(2.0, 2.0), 11, &mut Vec::new());
            outline(&mut picture, &[Point::new(-9.0, 0.0), Point::new(50.0, 3.0), Point::new(0.0, 90.0)], DOCUMENT);
            assert_eq!(picture.dimensions(), (width, height));
        }
    }
}
