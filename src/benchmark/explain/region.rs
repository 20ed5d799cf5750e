//! Polygons → a part of the picture, on a grid.

use crate::geometry::Point;

/// Longest side of the grid on which regions are kept.
pub(super) const CANVAS_PX: u32 = 1024;

/// A part of the picture, on a grid of at most [`CANVAS_PX`] a side.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Region {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Canvas pixels per picture pixel, across and down.
    factor: (f64, f64),
    pub(super) held: Vec<bool>,
}

impl Region {
    /// No part of a picture of `size`.
    pub(super) fn none((width, height): (u32, u32)) -> Self {
        let factor = (f64::from(CANVAS_PX) / f64::from(width.max(height).max(1))).min(1.0);
        let side = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        let (columns, rows) = (side(width), side(height));
        let share = |canvas: u32, side: u32| f64::from(canvas) / f64::from(side.max(1));
        let held = vec![false; columns as usize * rows as usize];
        Self { width: columns, height: rows, factor: (share(columns, width), share(rows, height)), held }
    }

    /// Takes in, or leaves out, what a polygon in picture pixels encloses, as far as it lies inside the picture; one
    /// with a corner that is no number encloses nothing.
    pub(super) fn lay(&mut self, polygon: &[Point], held: bool) {
        if polygon.iter().any(|p| !p.x.is_finite() || !p.y.is_finite()) {
            return;
        }
        let corners: Vec<(f64, f64)> =
            polygon.iter().map(|p| (f64::from(p.x) * self.factor.0, f64::from(p.y) * self.factor.1)).collect();
        let mut crossings = Vec::new();
        for (row, cells) in self.held.chunks_exact_mut(self.width as usize).enumerate() {
            let middle = row as f64 + 0.5;
            crossings.clear();
            for (i, a) in corners.iter().enumerate() {
                let b = corners[(i + 1) % corners.len()];
                if (a.1 <= middle) != (b.1 <= middle) {
                    crossings.push(a.0 + (middle - a.1) / (b.1 - a.1) * (b.0 - a.0));
                }
            }
            crossings.sort_by(f64::total_cmp);
            let column = |x: f64| (x.clamp(0.0, f64::from(self.width))).round() as usize;
            for ends in crossings.as_chunks::<2>().0 {
                cells[column(ends[0])..column(ends[1]).max(column(ends[0]))].fill(held);
            }
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.held.iter_mut().zip(&other.held) {
            *mine |= theirs;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.held.contains(&true)
    }

    /// Share of the picture.
    pub(super) fn share(&self) -> f64 {
        self.held.iter().filter(|held| **held).count() as f64 / self.held.len() as f64
    }

    /// Share of this region that lies in `other`; 0 for an empty one.
    pub(super) fn shared(&self, other: &Self) -> f64 {
        let both = self.held.iter().zip(&other.held).filter(|(mine, theirs)| **mine && **theirs).count();
        both as f64 / self.held.iter().filter(|held| **held).count().max(1) as f64
    }

    /// The same region `dx` columns to the right and `dy` rows down; what leaves the picture enters opposite.
    pub(super) fn moved(&self, dx: u32, dy: u32) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut held = vec![false; self.held.len()];
        for (i, _) in self.held.iter().enumerate().filter(|(_, held)| **held) {
            let (x, y) = ((i % width + dx as usize) % width, (i / width + dy as usize) % height);
            held[y * width + x] = true;
        }
        Self { held, ..self.clone() }
    }

    /// The region and everything within `reach` pixels of the picture of it, across or down.
    pub(super) fn grown(&self, reach: f64) -> Self {
        let (across, down) = ((reach * self.factor.0).ceil() as usize, (reach * self.factor.1).ceil() as usize);
        let (width, height) = (self.width as usize, self.height as usize);
        let mut grown = self.clone();
        for (i, _) in self.held.iter().enumerate().filter(|(_, held)| **held) {
            let (x, y) = (i % width, i / width);
            for row in y.saturating_sub(down)..=(y + down).min(height - 1) {
                grown.held[row * width + x.saturating_sub(across)..=row * width + (x + across).min(width - 1)]
                    .fill(true);
            }
        }
        grown
    }

    /// Which pixels of a picture of `size` lie in the region, row by row.
    pub(super) fn mask(&self, size: (u32, u32)) -> Vec<bool> {
        let along = |i: u32, count: u32, cells: u32| {
            ((((f64::from(i) + 0.5) / f64::from(count)) * f64::from(cells)) as u32).min(cells - 1) as usize
        };
        let columns: Vec<usize> = (0..size.0).map(|x| along(x, size.0, self.width)).collect();
        let rows = (0..size.1).map(|y| along(y, size.1, self.height));
        rows.flat_map(|y| columns.iter().map(move |x| self.held[y * self.width as usize + x])).collect()
    }
}

/// The cells of a grid over a picture of `size`, `along.0` of them along its longer side.
pub(super) fn cells(size: (u32, u32), along: (u32, u32)) -> Vec<Region> {
    let none = Region::none(size);
    let (across, down) = if size.0 >= size.1 { along } else { (along.1, along.0) };
    let (across, down) = (across.clamp(1, none.width), down.clamp(1, none.height));
    let cut = |i: u32, count: u32, span: u32| (u64::from(i) * u64::from(span) / u64::from(count)) as usize;
    let mut cells = Vec::new();
    for (y, x) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
        let mut cell = none.clone();
        for row in cut(y, down, none.height)..cut(y + 1, down, none.height) {
            let start = row * none.width as usize;
            cell.held[start + cut(x, across, none.width)..start + cut(x + 1, across, none.width)].fill(true);
        }
        cells.push(cell);
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::PixelRect;

    #[test]
    fn cells_cover_the_picture_once() {
        for size in [(400, 300), (300, 400), (4001, 2999), (5, 2)] {
            let cells = cells(size, (4, 3));
            let mut covered = Region::none(size);
            for cell in &cells {
                assert!(!covered.held.iter().zip(&cell.held).any(|(a, b)| *a && *b), "{size:?}: cells overlap");
                covered.join(cell);
            }
            assert!((covered.share() - 1.0).abs() < 1e-9, "{size:?}");
            if size.0 > 100 {
                assert_eq!(cells.len(), 12);
                let wide = cells[0].held[..cells[0].width as usize].iter().filter(|held| **held).count() as f64;
                let parts = if size.0 > size.1 { 4.0 } else { 3.0 };
                assert!((wide * parts / f64::from(cells[0].width) - 1.0).abs() < 0.02, "{size:?}");
            }
        }
    }

    #[test]
    fn a_polygon_encloses_what_lies_inside_the_picture() {
        let mut region = Region::none((100, 100));
        region.lay(&PixelRect::new(60, 70, 400, 400).corners(), true);
        assert!((region.share() - 0.4 * 0.3).abs() < 1e-9);
        region.lay(&PixelRect::new(60, 70, 40, 15).corners(), false);
        assert!((region.share() - 0.4 * 0.15).abs() < 1e-9);
    }
}
