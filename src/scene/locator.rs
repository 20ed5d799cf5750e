//! Maps of the learned locator → the document's quadrilateral, and that of the device around it.
//!
//! The network says for each cell of a coarse grid how much of it is document. Where that passes one half is found
//! between the cells by linear interpolation; the convex hull of those places is reduced to four sides, each fitted
//! by least squares. The straight edges of the picture (`document`) then draw the sides in.

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, Ix4};

use crate::geometry::{Point, Quad};
use crate::inference::{Model, write_planes};

/// Side of the picture that the network reads: the whole capture, squashed.
pub const LOCATOR_PX: u32 = 192;
/// Cells a side of its maps.
const CELLS: usize = 48;
/// Smallest document that is believed, in cells: an ID-1 card that takes a fifteenth of the picture's width.
const LEAST_CELLS: f32 = 10.0;
/// Share of a side at each end that does not speak for its direction: rounded corners, fingers.
const CORNER_SHARE: f32 = 0.12;

/// The learned locator.
#[derive(Clone)]
pub struct Locator(Arc<dyn Model>);

impl std::fmt::Debug for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Locator")
    }
}

/// What the network says of a picture.
#[derive(Debug, Clone)]
pub struct Maps {
    document: Grid,
    device: Grid,
}

impl Locator {
    /// The locator that runs `model`.
    #[must_use]
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self(model)
    }

    /// Looks at the squashed capture; `None` when the model fails or gives other maps than it should.
    #[must_use]
    pub fn look(&self, squashed: &RgbImage) -> Option<Maps> {
        let side = LOCATOR_PX as usize;
        let mut input = Array4::zeros((1, 3, side, side));
        write_planes(squashed, input.as_slice_mut()?);
        let maps = self.0.run(input.view().into_dyn()).ok()?.into_iter().next()?;
        let maps = maps.into_dimensionality::<Ix4>().ok()?;
        if maps.dim() != (1, 3, CELLS, CELLS) {
            return None;
        }
        let grid = |channel: usize| {
            let cells = (0..CELLS * CELLS).map(|i| 1.0 / (1.0 + (-maps[[0, channel, i / CELLS, i % CELLS]]).exp()));
            Grid(cells.collect())
        };
        Some(Maps { document: grid(0), device: grid(1) })
    }
}

/// A quadrilateral in shares of the picture, and how sure the network is of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Corners in shares of the picture's width and height; outside 0 to 1 where it is cut off.
    pub quad: Quad,
    /// Mean probability inside it, 0 to 1.
    pub confidence: f32,
}

impl Maps {
    /// The document, if one is seen.
    #[must_use]
    pub fn document(&self) -> Option<Found> {
        self.document.quad()
    }

    /// The device around `document`, if the network sees one there.
    #[must_use]
    pub fn device(&self, document: &Quad) -> Option<Found> {
        let found = self.device.quad()?;
        let around = document.area() < found.quad.area() && found.quad.contains(document.centre());
        around.then_some(found)
    }

    /// The device that shows what the picture is about: one about the document, or any where no document is seen.
    #[must_use]
    pub fn shown_on(&self) -> Option<Found> {
        let device = self.device.quad()?;
        let beside = self.document.bounds().is_some_and(|document| !holds(self.device.bounds(), document));
        (!beside).then_some(device)
    }

    /// Left, top, right and bottom of that device, or else of the document, in shares of the picture.
    #[must_use]
    pub fn subject_bounds(&self) -> Option<[f32; 4]> {
        let (document, device) = (self.document.bounds(), self.device.bounds());
        match document {
            Some(document) if !holds(device, document) => Some(document),
            _ => device,
        }
    }

    /// How many things that may be documents are seen beside the largest one.
    #[must_use]
    pub fn others(&self) -> usize {
        self.document.pieces().len().saturating_sub(1)
    }

    /// How well `quad` (in shares of the picture) covers what the network takes for the document: intersection over
    /// union of cells, 0 to 1.
    #[must_use]
    pub fn agreement(&self, quad: &Quad) -> f32 {
        let (mut both, mut either) = (0.0f32, 0.0f32);
        for (i, p) in self.document.0.iter().enumerate() {
            let inside = if quad.contains(share(i)) { 1.0 } else { 0.0 };
            both += p.min(inside);
            either += p.max(inside);
        }
        both / either.max(1e-6)
    }
}

/// Whether the middle of `document` lies in `device`.
fn holds(device: Option<[f32; 4]>, document: [f32; 4]) -> bool {
    let (x, y) = (f32::midpoint(document[0], document[2]), f32::midpoint(document[1], document[3]));
    device.is_some_and(|[left, top, right, bottom]| left < x && x < right && top < y && y < bottom)
}

/// Middle of a cell in shares of the picture.
fn share(cell: usize) -> Point {
    let at = |i: usize| (i as f32 + 0.5) / CELLS as f32;
    Point::new(at(cell % CELLS), at(cell / CELLS))
}

/// Probabilities by cell, row by row.
#[derive(Debug, Clone)]
struct Grid(Vec<f32>);

impl Grid {
    fn quad(&self) -> Option<Found> {
        let inside = self.largest()?;
        let border = self.border(&inside);
        let hull = hull(border.iter().map(|(p, _)| *p).collect());
        let quad = fitted(four_sides(hull)?, &border)?;
        let cells: Vec<f32> =
            self.0.iter().enumerate().filter(|(i, _)| quad.contains(share(*i))).map(|(_, p)| *p).collect();
        let confidence = cells.iter().sum::<f32>() / cells.len().max(1) as f32;
        Some(Found { quad, confidence })
    }

    /// Left, top, right and bottom of the heaviest connected cells, in shares of the picture.
    fn bounds(&self) -> Option<[f32; 4]> {
        let piece = self.pieces().into_iter().next()?;
        let start = [CELLS, CELLS, 0, 0];
        let [left, top, right, bottom] = piece.into_iter().fold(start, |[left, top, right, bottom], cell| {
            let (x, y) = (cell % CELLS, cell / CELLS);
            [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)]
        });
        Some([left, top, right, bottom].map(|line| line as f32 / CELLS as f32))
    }

    /// The connected cells above one half that weigh most.
    fn largest(&self) -> Option<Vec<bool>> {
        let mut inside = vec![false; self.0.len()];
        for cell in self.pieces().into_iter().next()? {
            inside[cell] = true;
        }
        Some(inside)
    }

    /// Connected cells above one half, the heaviest first, as far as they are large enough to be a document.
    fn pieces(&self) -> Vec<Vec<usize>> {
        let mut seen = vec![false; self.0.len()];
        let mut pieces: Vec<(f32, Vec<usize>)> = Vec::new();
        for start in 0..self.0.len() {
            if seen[start] || self.0[start].is_nan() || self.0[start] < 0.5 {
                continue;
            }
            let (mut weight, mut cells, mut next) = (0.0, Vec::new(), vec![start]);
            seen[start] = true;
            while let Some(cell) = next.pop() {
                weight += self.0[cell];
                cells.push(cell);
                for other in neighbours(cell).into_iter().flatten() {
                    if !seen[other] && self.0[other] >= 0.5 {
                        seen[other] = true;
                        next.push(other);
                    }
                }
            }
            if weight > LEAST_CELLS {
                pieces.push((weight, cells));
            }
        }
        pieces.sort_by(|a, b| b.0.total_cmp(&a.0));
        pieces.into_iter().map(|(_, cells)| cells).collect()
    }

    /// Where the probability passes one half about the cells of `inside`, in shares of the picture; whether that is
    /// the picture's own border.
    fn border(&self, inside: &[bool]) -> Vec<(Point, bool)> {
        let mut points = Vec::new();
        for cell in (0..self.0.len()).filter(|c| inside[*c]) {
            let here = share(cell);
            for (side, other) in neighbours(cell).into_iter().enumerate() {
                match other {
                    Some(other) if !inside[other] => {
                        let (a, b) = (self.0[cell], self.0[other].min(0.5));
                        let t = ((a - 0.5) / (a - b).max(1e-6)).clamp(0.0, 1.0);
                        points.push((here.towards(share(other), t), false));
                    }
                    Some(_) => {}
                    None => {
                        let step = 0.5 / CELLS as f32;
                        let (dx, dy) = [(-step, 0.0), (step, 0.0), (0.0, -step), (0.0, step)][side];
                        points.push((Point::new(here.x + dx, here.y + dy), true));
                    }
                }
            }
        }
        points
    }
}

/// Cells to the left, right, above and below.
fn neighbours(cell: usize) -> [Option<usize>; 4] {
    let (x, y) = (cell % CELLS, cell / CELLS);
    [
        (x > 0).then(|| cell - 1),
        (x + 1 < CELLS).then(|| cell + 1),
        (y > 0).then(|| cell - CELLS),
        (y + 1 < CELLS).then(|| cell + CELLS),
    ]
}

fn cross(o: Point, a: Point, b: Point) -> f32 {
    (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)
}

/// Convex hull, clockwise on the screen (Andrew's monotone chain).
fn hull(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let mut out: Vec<Point> = Vec::new();
    for pass in 0..2 {
        let floor = out.len();
        let chain: Box<dyn Iterator<Item = &Point>> =
            if pass == 0 { Box::new(points.iter()) } else { Box::new(points.iter().rev()) };
        for p in chain {
            while out.len() >= floor + 2 && cross(out[out.len() - 2], out[out.len() - 1], *p) <= 0.0 {
                out.pop();
            }
            out.push(*p);
        }
        out.pop();
    }
    out
}

/// Where the lines through two pairs of points meet; `None` where they are nearly parallel.
pub(super) fn meet((a, b): (Point, Point), (c, d): (Point, Point)) -> Option<Point> {
    let (ux, uy, vx, vy) = (b.x - a.x, b.y - a.y, d.x - c.x, d.y - c.y);
    let det = ux * vy - uy * vx;
    // Nearly parallel sides meet nowhere near.
    if det.abs() < 0.1 * ux.hypot(uy) * vx.hypot(vy) {
        return None;
    }
    let t = ((c.x - a.x) * vy - (c.y - a.y) * vx) / det;
    Some(Point::new(a.x + ux * t, a.y + uy * t))
}

/// A convex polygon with all but four sides taken away: always the one whose removal, its neighbours drawn out until
/// they meet, adds least area.
fn four_sides(mut polygon: Vec<Point>) -> Option<Quad> {
    while polygon.len() > 4 {
        let n = polygon.len();
        let cost = |i: usize| {
            let (a, b, c, d) = (polygon[(i + n - 1) % n], polygon[i], polygon[(i + 1) % n], polygon[(i + 2) % n]);
            let tip = meet((a, b), (c, d))?;
            // The neighbours have to meet beyond the side, not behind it.
            (cross(b, c, tip) < 0.0).then(|| (cross(b, c, tip).abs(), i, tip))
        };
        let (_, i, tip) = (0..n).filter_map(cost).min_by(|a, b| a.0.total_cmp(&b.0))?;
        polygon[i] = tip;
        polygon.remove((i + 1) % n);
    }
    <[Point; 4]>::try_from(polygon).ok().map(Quad).filter(Quad::is_convex)
}

/// `quad` with each side fitted to the places of the border that are near its middle.
fn fitted(quad: Quad, border: &[(Point, bool)]) -> Option<Quad> {
    let reach = 1.3 / CELLS as f32;
    let lines: Vec<(Point, Point)> = (0..4)
        .map(|k| {
            let (a, b) = (quad.0[k], quad.0[(k + 1) % 4]);
            let length = a.distance(b).max(1e-6);
            let (ux, uy) = ((b.x - a.x) / length, (b.y - a.y) / length);
            let near: Vec<Point> = border
                .iter()
                .filter(|(p, frame)| {
                    let (dx, dy) = (p.x - a.x, p.y - a.y);
                    let along = (dx * ux + dy * uy) / length;
                    !frame && (dx * uy - dy * ux).abs() < reach && (CORNER_SHARE..1.0 - CORNER_SHARE).contains(&along)
                })
                .map(|(p, _)| *p)
                .collect();
            if near.len() < 4 {
                return (a, b);
            }
            let n = near.len() as f32;
            let (mx, my) = (near.iter().map(|p| p.x).sum::<f32>() / n, near.iter().map(|p| p.y).sum::<f32>() / n);
            let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
            for p in &near {
                let (x, y) = (p.x - mx, p.y - my);
                xx += x * x;
                xy += x * y;
                yy += y * y;
            }
            let angle = 0.5 * (2.0f32 * xy).atan2(xx - yy);
            let (fx, fy) = (angle.cos(), angle.sin());
            let sign = if fx * ux + fy * uy < 0.0 { -1.0 } else { 1.0 };
            (Point::new(mx, my), Point::new(mx + sign * fx, my + sign * fy))
        })
        .collect();
    let mut corners = [Point::default(); 4];
    for (k, corner) in corners.iter_mut().enumerate() {
        let (before, here) = (lines[(k + 3) % 4], lines[k]);
        *corner = meet(before, here)?;
    }
    Some(Quad(corners)).filter(Quad::is_convex)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The grid of a quad in shares of the picture, each cell averaged over 8 × 8 points.
    fn grid(quad: &Quad) -> Grid {
        let cell = |i: usize| {
            let (x, y) = ((i % CELLS) as f32, (i / CELLS) as f32);
            let hit = (0..64).filter(|k| {
                let at = |v: f32, k: usize| (v + (k as f32 + 0.5) / 8.0) / CELLS as f32;
                quad.contains(Point::new(at(x, k % 8), at(y, k / 8)))
            });
            hit.count() as f32 / 64.0
        };
        Grid((0..CELLS * CELLS).map(cell).collect())
    }

    fn turned(centre: (f32, f32), half: (f32, f32), degrees: f32) -> Quad {
        let (s, c) = degrees.to_radians().sin_cos();
        Quad([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(x, y): (f32, f32)| {
            let (x, y) = (x * half.0, y * half.1);
            Point::new(centre.0 + x * c - y * s, centre.1 + x * s + y * c)
        }))
    }

    #[test]
    fn a_quad_comes_back_within_a_quarter_of_a_cell() {
        for degrees in [0.0, 3.0, 17.0, 45.0, 80.0, 133.0] {
            let truth = turned((0.52, 0.47), (0.28, 0.17), degrees);
            let found = grid(&truth).quad().expect("a quad").quad;
            for corner in truth.0 {
                let miss = found.0.iter().map(|p| p.distance(corner)).fold(f32::MAX, f32::min);
                assert!(miss < 0.25 / CELLS as f32 * 2.0, "{degrees}: {} cells", miss * CELLS as f32);
            }
        }
    }

    #[test]
    fn a_corner_outside_the_picture_is_drawn_out() {
        let truth = turned((0.35, 0.8), (0.3, 0.3), 30.0);
        let found = grid(&truth).quad().expect("a quad").quad;
        assert!(found.0.iter().all(|p| p.x.is_finite() && p.y.is_finite()));
        assert!(Quad(found.0).area() > 0.5 * truth.area());
    }

    #[test]
    fn nothing_is_made_of_nothing() {
        assert!(Grid(vec![0.1; CELLS * CELLS]).quad().is_none());
        let mut speck = vec![0.0; CELLS * CELLS];
        speck[100] = 1.0;
        assert!(Grid(speck).quad().is_none());
        assert!(Grid(vec![f32::NAN; CELLS * CELLS]).quad().is_none());
    }

    #[test]
    fn a_picture_that_is_all_document_has_the_corners_of_the_picture() {
        let found = Grid(vec![0.9; CELLS * CELLS]).quad().expect("a quad").quad;
        assert!((found.area() - 1.0).abs() < 0.05);
    }
}
