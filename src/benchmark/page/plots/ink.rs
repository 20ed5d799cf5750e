//! A series and a path → its line, its bar and its mark, in colours and dashes that differ.

use plotters::element::DashedPathElement;
use plotters::prelude::{
    Circle, Color as _, IntoFont as _, PathElement, Polygon, RGBAColor, RGBColor, Rectangle, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::canvas::{Drawn, Place, Root};
use super::text::FONT;

/// Stands for the colour of the text around the drawing until the drawing is written.
pub(super) const INK: RGBColor = RGBColor(1, 2, 3);
/// Blue, vermilion, green, purple, ink for black, orange, sky blue. Yellow is left out: it is lost on white.
const PALETTE: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    INK,
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
];
/// Lengths of dash and gap; the first is unbroken.
pub(super) const DASHES: [(i32, i32); 5] = [(1, 0), (16, 6), (4, 5), (28, 8), (9, 4)];

pub(super) fn colour(series: usize) -> RGBColor {
    PALETTE[series % PALETTE.len()]
}

pub(super) fn style(colour: RGBAColor) -> TextStyle<'static> {
    // The backend divides sizes by 1.24.
    ("sans-serif", FONT * 1.24).into_font().color(&colour)
}

pub(super) fn write(root: &Root, text: &str, place: Place, across: HPos, up: VPos) -> Drawn {
    root.draw_text(text, &style(INK.to_rgba()).pos(Pos::new(across, up)), place)
}

/// A path in the dashes of `pattern`.
pub(super) fn stroke(root: &Root, path: Vec<Place>, colour: RGBAColor, pattern: usize, width: u32) -> Drawn {
    let corners = corners(path);
    let style = colour.stroke_width(width);
    match DASHES[pattern % DASHES.len()] {
        (_, 0) => root.draw(&PathElement::new(corners, style)),
        (dash, gap) => root.draw(&DashedPathElement::new(corners, dash, gap, style)),
    }
}

/// A path without the points that a straight line would pass anyway.
fn corners(path: Vec<Place>) -> Vec<Place> {
    let mut corners: Vec<Place> = Vec::new();
    for point in path {
        if let [.., a, b] = corners[..] {
            let (to, on) = ((b.0 - a.0, b.1 - a.1), (point.0 - b.0, point.1 - b.1));
            if to.0 * on.1 == to.1 * on.0 && to.0 * on.0 + to.1 * on.1 >= 0 {
                corners.pop();
            }
        }
        if corners.last() != Some(&point) {
            corners.push(point);
        }
    }
    corners
}

/// The mark of a series: disc, square, triangle, diamond or cross.
pub(super) fn mark(root: &Root, (x, y): Place, series: usize) -> Drawn {
    let style = colour(series).filled();
    match series % 5 {
        0 => root.draw(&Circle::new((x, y), 7, style)),
        1 => root.draw(&Rectangle::new([(x - 6, y - 6), (x + 6, y + 6)], style)),
        2 => root.draw(&Polygon::new(vec![(x, y - 8), (x + 8, y + 6), (x - 8, y + 6)], style)),
        3 => root.draw(&Polygon::new(vec![(x, y - 9), (x + 9, y), (x, y + 9), (x - 9, y)], style)),
        _ => {
            let thick = colour(series).stroke_width(4);
            root.draw(&PathElement::new(vec![(x - 6, y - 6), (x + 6, y + 6)], thick))?;
            root.draw(&PathElement::new(vec![(x - 6, y + 6), (x + 6, y - 6)], thick))
        }
    }
}

/// A bar of a series: filled, outlined, or pale with an outline.
pub(super) fn filled_bar(root: &Root, corners: [Place; 2], series: usize) -> Drawn {
    if series % 3 != 1 {
        let fill = colour(series).mix(if series.is_multiple_of(3) { 0.85 } else { 0.3 });
        root.draw(&Rectangle::new(corners, fill.filled()))?;
    }
    // The backend draws rectangles with hairlines only.
    let [(left, upper), (right, lower)] = corners;
    let outline = vec![(left, upper), (right, upper), (right, lower), (left, lower), (left, upper)];
    root.draw(&PathElement::new(outline, colour(series).stroke_width(2)))
}

/// An interval from `low` to `high`, lying or standing, with its ends.
pub(super) fn whisker(root: &Root, low: Place, high: Place, colour: RGBColor) -> Drawn {
    let style = colour.stroke_width(2);
    root.draw(&PathElement::new(vec![low, high], style))?;
    for (x, y) in [low, high] {
        let end = if low.1 == high.1 { vec![(x, y - 5), (x, y + 5)] } else { vec![(x - 5, y), (x + 5, y)] };
        root.draw(&PathElement::new(end, style))?;
    }
    Ok(())
}
