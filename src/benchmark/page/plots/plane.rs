//! Two axes → a ruled plane, and places in it.

use std::ops::Range;

use plotters::coord::CoordTranslate;
use plotters::prelude::{Cartesian2d, ChartBuilder, Color as _};

use super::axis::Axis;
use super::canvas::{Drawn, Place, Root, WIDTH};
use super::ink::{INK, style};
use super::text::fitted;

/// A ruled plane: values → places in the whole drawing.
pub(super) struct Plane {
    pub(super) spec: Cartesian2d<Axis, Axis>,
    pub(super) columns: Range<i32>,
    pub(super) rows: Range<i32>,
}

impl Plane {
    /// Rules `area` with `head` units left free above the plane, `side` beside it and `foot` below it.
    pub(super) fn draw(area: &Root, x: Axis, y: Axis, [head, side, foot]: [i32; 3]) -> Drawn<Self> {
        let (across, up) = (fitted(&x.name, WIDTH - 80), fitted(&y.name, area.dim_in_pixel().1 as i32));
        let mut chart = ChartBuilder::on(area)
            .margin_top(head)
            .margin_right(22)
            .x_label_area_size(foot)
            .y_label_area_size(side)
            .build_cartesian_2d(x, y)?;
        let letters = style(INK.to_rgba());
        chart
            .configure_mesh()
            .axis_style(INK.mix(0.6))
            .bold_line_style(INK.mix(0.14))
            .light_line_style(INK.mix(0.0))
            .label_style(letters.clone())
            .axis_desc_style(letters)
            .x_desc(across)
            .y_desc(up)
            .draw()?;
        let area = chart.plotting_area();
        let (columns, rows) = area.get_pixel_range();
        Ok(Self { spec: area.as_coord_spec().clone(), columns, rows })
    }

    /// Where the values lie, on the edge where they lie beyond it.
    pub(super) fn at(&self, x: f64, y: f64) -> Place {
        self.spec.translate(&(self.spec.x_spec().place(x), self.spec.y_spec().place(y)))
    }

    /// The path through `points`, in parts: what lies above the upper ends of the axes is cut off, what lies below the
    /// lower ends is on the edge.
    pub(super) fn runs(&self, points: &[(f64, f64)]) -> Vec<Vec<Place>> {
        let axes = [self.spec.x_spec(), self.spec.y_spec()];
        let scaled = |(x, y): (f64, f64)| [axes[0].scale.of(x).max(axes[0].low), axes[1].scale.of(y).max(axes[1].low)];
        let mut runs: Vec<Vec<Place>> = Vec::new();
        for pair in points.windows(2) {
            let (from, to) = (scaled(pair[0]), scaled(pair[1]));
            // Shares of the way (Liang and Barsky 1984, "A new concept and method for line clipping").
            let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
            for i in 0..2 {
                let (step, left) = (to[i] - from[i], axes[i].high - from[i]);
                if step > 0.0 {
                    leaves = leaves.min(left / step);
                } else if step < 0.0 {
                    enters = enters.max(left / step);
                } else if left < 0.0 {
                    leaves = -1.0;
                }
            }
            if enters > leaves {
                continue;
            }
            let along = |share: f64| {
                let value = |i: usize| from[i] + share * (to[i] - from[i]);
                self.spec.translate(&(value(0), value(1)))
            };
            let (start, end) = (along(enters), along(leaves));
            match runs.last_mut() {
                Some(run) if run.last() == Some(&start) => run.push(end),
                _ => runs.push(vec![start, end]),
            }
        }
        runs
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::{FOOT, figure};
    use super::*;

    #[test]
    fn what_lies_beyond_the_upper_ends_is_cut_off() {
        let mut runs = Vec::new();
        figure("t", 500, Vec::new(), |root| {
            let plane = Plane::draw(root, Axis::rate("x", 1.0), Axis::rate("y", 1.0), [0, 60, FOOT])?;
            runs = plane.runs(&[(0.5, 3.0), (0.5, 0.5), (1.5, 0.5), (1.5, 0.2), (0.5, 0.2)]);
            runs.push(vec![plane.at(0.5, 1.0), plane.at(0.5, 0.5), plane.at(1.0, 0.5)]);
            runs.push(vec![plane.at(1.0, 0.2), plane.at(0.5, 0.2)]);
            Ok(())
        });
        assert_eq!(runs.len(), 4);
        assert_eq!(runs[0], runs[2]);
        assert_eq!(runs[1], runs[3]);
    }
}
