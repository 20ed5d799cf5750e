//! Curves of both error rates → a drawing, for either way of laying them out.

use plotters::coord::CoordTranslate as _;
use plotters::prelude::{Circle, Color as _};

use super::Series;
use super::axis::Axis;
use super::canvas::{FOOT, Key, Mark, Svg, figure, no_data};
use super::ink::{INK, colour, mark, stroke};
use super::plane::Plane;
use crate::benchmark::measure::Point;

/// Curves of both error rates; `to` takes APCER and BPCER to across and up, and the dashed line joins their ends.
pub(super) fn curves(
    title: &str,
    series: &[Series],
    axes: [Axis; 2],
    to: impl Fn(f64, f64) -> (f64, f64),
    diagonal: &str,
) -> Svg {
    let place = |p: &Point| Some(to(p.apcer, p.bpcer)).filter(|(x, y)| x.is_finite() && y.is_finite());
    let drawn: Vec<Vec<(f64, f64)>> = series.iter().map(|s| s.points.iter().filter_map(place).collect()).collect();
    if drawn.iter().all(|points| points.len() < 2) {
        return no_data(title);
    }
    let mut keys: Vec<Key> = series
        .iter()
        .zip(&drawn)
        .enumerate()
        .map(|(i, (s, points))| if points.len() < 2 { Key::absent(&s.name) } else { Key::new(&s.name, Mark::Line(i)) })
        .collect();
    keys.push(Key::new(diagonal, Mark::Dashes(1)));
    if series.iter().any(|s| s.operating.as_ref().and_then(place).is_some()) {
        keys.push(Key::new("threshold in use", Mark::Ring));
    }
    figure(title, 590, keys, |root| {
        let [x, y] = axes;
        let ends = [(x.low, y.low), (x.high, y.high)];
        let side = y.label_width();
        let plane = Plane::draw(root, x, y, [14, side, FOOT])?;
        stroke(root, ends.iter().map(|end| plane.spec.translate(end)).collect(), INK.mix(0.7), 2, 2)?;
        for (i, points) in drawn.iter().enumerate().filter(|(_, points)| points.len() > 1) {
            for run in plane.runs(points) {
                stroke(root, run, colour(i).to_rgba(), i, 3)?;
            }
        }
        for (i, s) in series.iter().enumerate() {
            if let Some((x, y)) = s.operating.as_ref().and_then(place) {
                mark(root, plane.at(x, y), i)?;
                root.draw(&Circle::new(plane.at(x, y), 13, INK.stroke_width(2)))?;
            }
        }
        Ok(())
    })
}
