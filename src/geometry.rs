//! Points, rectangles, quadrilaterals and homographies, all in upright capture pixels: origin top left, x right, y down.

use image::GrayImage;
use serde::{Deserialize, Serialize};

/// A position in upright capture pixels; serialised as `[x, y]`.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "[f32; 2]", into = "[f32; 2]")]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

#[cfg(feature = "service")]
impl utoipa::PartialSchema for Point {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ArrayBuilder::new()
            .items(f32::schema())
            .min_items(Some(2))
            .max_items(Some(2))
            .description(Some("`[x, y]` in upright capture pixels, origin top left."))
            .into()
    }
}

#[cfg(feature = "service")]
impl utoipa::ToSchema for Point {}

impl Point {
    /// The point at (`x`, `y`).
    #[must_use]
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Euclidean distance to `other`, in pixels.
    #[must_use]
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    /// The point a share `t` of the way to `other`; `t` = 0 is `self`.
    #[must_use]
    pub fn towards(self, other: Self, t: f32) -> Self {
        Self::new(self.x + (other.x - self.x) * t, self.y + (other.y - self.y) * t)
    }

    /// Both coordinates times `factor`.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self::new(self.x * factor, self.y * factor)
    }
}

impl From<[f32; 2]> for Point {
    fn from([x, y]: [f32; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f32; 2] {
    fn from(p: Point) -> Self {
        [p.x, p.y]
    }
}

/// A block of whole pixels in upright capture coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PixelRect {
    /// First column.
    pub x: u32,
    /// First row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl PixelRect {
    /// The block of `width` × `height` pixels whose first pixel is (`x`, `y`).
    #[must_use]
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The four corners, clockwise from the top left.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn corners(self) -> [Point; 4] {
        let (x0, y0) = (self.x as f32, self.y as f32);
        let (x1, y1) = ((self.x + self.width) as f32, (self.y + self.height) as f32);
        [Point::new(x0, y0), Point::new(x1, y0), Point::new(x1, y1), Point::new(x0, y1)]
    }

    /// The middle of the block.
    #[must_use]
    pub fn centre(self) -> Point {
        let [a, _, c, _] = self.corners();
        a.towards(c, 0.5)
    }

    /// Whether `other` lies wholly inside.
    #[must_use]
    pub const fn holds(self, other: Self) -> bool {
        other.x >= self.x
            && other.y >= self.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }

    /// What of `plane` lies inside.
    #[must_use]
    pub fn cut(self, plane: &GrayImage) -> GrayImage {
        let (left, right) = (self.x.min(plane.width()), (self.x + self.width).min(plane.width()));
        let (top, bottom) = (self.y.min(plane.height()), (self.y + self.height).min(plane.height()));
        let mut samples = Vec::with_capacity((right - left) as usize * (bottom - top) as usize);
        for row in top..bottom {
            let line = &plane.as_raw()[row as usize * plane.width() as usize..];
            samples.extend_from_slice(&line[left as usize..right as usize]);
        }
        GrayImage::from_raw(right - left, bottom - top, samples).unwrap_or_default()
    }
}

/// Four corners, clockwise; for a document from the text's top left where that is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Quad(pub [Point; 4]);

/// The square from (0, 0) to (1, 1): shares of a document's width and height.
pub const UNIT: Quad = Quad([Point::new(0.0, 0.0), Point::new(1.0, 0.0), Point::new(1.0, 1.0), Point::new(0.0, 1.0)]);

impl Quad {
    /// Enclosed area in square pixels (shoelace formula, always positive).
    #[must_use]
    pub fn area(&self) -> f32 {
        let p = &self.0;
        let twice: f32 = (0..4).map(|i| p[i].x * p[(i + 1) % 4].y - p[(i + 1) % 4].x * p[i].y).sum();
        twice.abs() / 2.0
    }

    /// Share of a picture of `width` × `height` that lies inside, on a grid of 64 × 64 points.
    #[must_use]
    pub fn share_of(&self, width: f32, height: f32) -> f32 {
        let at = |i: u32, side: f32| (i as f32 + 0.5) / 64.0 * side;
        let inside = (0..64 * 64).filter(|i| self.contains(Point::new(at(i % 64, width), at(i / 64, height)))).count();
        inside as f32 / (64.0 * 64.0)
    }

    /// Mean of the corners.
    #[must_use]
    pub fn centre(&self) -> Point {
        let sum = self.0.iter().fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
        sum.scaled(0.25)
    }

    /// Whether the corners turn the same way all round (no crossing, no dent).
    #[must_use]
    pub fn is_convex(&self) -> bool {
        let p = &self.0;
        let turn = |i: usize| {
            let (a, b, c) = (p[i], p[(i + 1) % 4], p[(i + 2) % 4]);
            (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x)
        };
        let first = turn(0);
        first != 0.0 && (1..4).all(|i| turn(i) * first > 0.0)
    }

    /// Whether `point` lies inside a convex quad, border included.
    #[must_use]
    pub fn contains(&self, point: Point) -> bool {
        let p = &self.0;
        let side = |i: usize| {
            let (a, b) = (p[i], p[(i + 1) % 4]);
            (b.x - a.x) * (point.y - a.y) - (b.y - a.y) * (point.x - a.x)
        };
        let sides = [side(0), side(1), side(2), side(3)];
        sides.iter().all(|s| *s >= 0.0) || sides.iter().all(|s| *s <= 0.0)
    }

    /// A place as shares of the sides, from the first corner on; beyond the quad below 0 and above 1.
    #[must_use]
    pub fn inside(&self, u: f32, v: f32) -> Point {
        self.0[0].towards(self.0[1], u).towards(self.0[3].towards(self.0[2], u), v)
    }

    /// The quad with every corner moved from the centre by `factor`; below 1 shrinks.
    #[must_use]
    pub fn scaled_about_centre(&self, factor: f32) -> Self {
        let centre = self.centre();
        Self(self.0.map(|p| centre.towards(p, factor)))
    }

    /// Every coordinate times `factor`: from one picture scale to another.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        Self(self.0.map(|p| p.scaled(factor)))
    }

    /// Lengths of the sides in pixels: top, right, bottom, left.
    #[must_use]
    pub fn sides(&self) -> [f32; 4] {
        let p = &self.0;
        [p[0].distance(p[1]), p[1].distance(p[2]), p[2].distance(p[3]), p[3].distance(p[0])]
    }

    /// Long side over short side of the rectangle that this quad shows in perspective, for a camera whose optical axis
    /// meets the picture at `centre` (Zhang and He, Whiteboard scanning and image enhancement, 2007); the ratio of the
    /// mean opposite sides where the view is too nearly frontal to tell, or the answer is not physical.
    #[must_use]
    pub fn aspect_seen_from(&self, centre: Point) -> f32 {
        let [top, right, bottom, left] = self.sides();
        let flat = f64::from(top + bottom) / f64::from((left + right).max(1e-3));
        let ratio = self.perspective_aspect(centre).filter(|r| (r / flat).ln().abs() < 0.4).unwrap_or(flat);
        ratio.max(ratio.recip()) as f32
    }

    /// Width over height by perspective; `None` where undetermined.
    fn perspective_aspect(&self, centre: Point) -> Option<f64> {
        let m: [[f64; 3]; 4] =
            [0usize, 1, 3, 2].map(|i| [f64::from(self.0[i].x - centre.x), f64::from(self.0[i].y - centre.y), 1.0]);
        let cross = |a: [f64; 3], b: [f64; 3]| {
            [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
        };
        let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
        let k2 = dot(cross(m[0], m[3]), m[2]) / dot(cross(m[1], m[3]), m[2]);
        let k3 = dot(cross(m[0], m[3]), m[1]) / dot(cross(m[2], m[3]), m[1]);
        let along = |k: f64, p: [f64; 3]| [k * p[0] - m[0][0], k * p[1] - m[0][1], k - 1.0];
        let (n2, n3) = (along(k2, m[1]), along(k3, m[2]));
        if n2[2].abs() < 0.02 || n3[2].abs() < 0.02 {
            return None;
        }
        let f2 = -(n2[0] * n3[0] + n2[1] * n3[1]) / (n2[2] * n3[2]);
        if !f2.is_finite() || f2 <= 0.0 {
            return None;
        }
        let length = |n: [f64; 3]| (n[0] * n[0] + n[1] * n[1]) / f2 + n[2] * n[2];
        Some((length(n2) / length(n3)).sqrt()).filter(|r| r.is_finite() && *r > 0.0)
    }
}

/// A projective map of the plane, row-major 3 × 3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography(pub [f64; 9]);

impl Homography {
    /// The map that takes each corner of `from` to the same corner of `to`; `None` when three corners are in line.
    #[must_use]
    pub fn between(from: &Quad, to: &Quad) -> Option<Self> {
        // Direct linear transform with h33 = 1: eight equations, solved by Gaussian elimination with pivoting.
        let mut a = [[0.0f64; 9]; 8];
        for i in 0..4 {
            let (x, y) = (f64::from(from.0[i].x), f64::from(from.0[i].y));
            let (u, v) = (f64::from(to.0[i].x), f64::from(to.0[i].y));
            a[2 * i] = [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, u];
            a[2 * i + 1] = [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, v];
        }
        for column in 0..8 {
            let pivot = (column..8).max_by(|&i, &j| a[i][column].abs().total_cmp(&a[j][column].abs()))?;
            if a[pivot][column].abs() < 1e-9 {
                return None;
            }
            a.swap(column, pivot);
            let head = a[column];
            for (i, row) in a.iter_mut().enumerate() {
                if i != column {
                    let factor = row[column] / head[column];
                    for (value, above) in row.iter_mut().zip(head).skip(column) {
                        *value -= factor * above;
                    }
                }
            }
        }
        let mut h = [1.0; 9];
        for (i, value) in h.iter_mut().take(8).enumerate() {
            *value = a[i][8] / a[i][i];
        }
        Some(Self(h))
    }

    /// Where `point` goes.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn apply(&self, point: Point) -> Point {
        let [x, y] = self.at(f64::from(point.x), f64::from(point.y));
        Point::new(x as f32, y as f32)
    }

    /// Where (`x`, `y`) goes, in full precision.
    #[must_use]
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let h = &self.0;
        let w = h[6] * x + h[7] * y + h[8];
        [(h[0] * x + h[1] * y + h[2]) / w, (h[3] * x + h[4] * y + h[5]) / w]
    }

    /// [`Homography::at`] of the places of a row, to the same bit.
    pub(crate) fn along_row(&self, y: f64) -> impl Fn(f64) -> [f64; 2] {
        let h = self.0;
        let [x_row, y_row, w_row] = [1, 4, 7].map(|k| h[k] * y);
        move |x| {
            let w = h[6] * x + w_row + h[8];
            [(h[0] * x + x_row + h[2]) / w, (h[3] * x + y_row + h[5]) / w]
        }
    }

    /// Where (x, `y`) goes for any x: cheaper than [`Homography::at`] for a whole row, and the same to the last digits.
    pub fn along(&self, y: f64) -> impl Fn(f64) -> [f64; 2] {
        let h = self.0;
        let [x_row, y_row, w_row] = [1, 4, 7].map(|k| h[k] * y + h[k + 1]);
        move |x| {
            let w = h[6] * x + w_row;
            [(h[0] * x + x_row) / w, (h[3] * x + y_row) / w]
        }
    }

    /// The map back: the adjugate over the determinant.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let m = &self.0;
        let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[b] - m[c] * m[d];
        let adjugate = [
            minor(4, 8, 5, 7),
            minor(2, 7, 1, 8),
            minor(1, 5, 2, 4),
            minor(5, 6, 3, 8),
            minor(0, 8, 2, 6),
            minor(2, 3, 0, 5),
            minor(3, 7, 4, 6),
            minor(1, 6, 0, 7),
            minor(0, 4, 1, 3),
        ];
        let determinant = m[0] * adjugate[0] + m[1] * adjugate[3] + m[2] * adjugate[6];
        Self(adjugate.map(|value| value / determinant))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_at_once_goes_where_its_points_go() {
        let quad = Quad([(31.0, 12.0), (402.0, 55.0), (377.0, 290.0), (9.0, 251.0)].map(|(x, y)| Point::new(x, y)));
        let map = Homography::between(&UNIT, &quad).expect("a quadrilateral");
        for y in [0.0, 0.3, 1.0] {
            let along = map.along(y);
            for x in [-0.1, 0.0, 0.5, 0.9] {
                let ([ax, ay], [bx, by]) = (along(x), map.at(x, y));
                assert!((ax - bx).abs() < 1e-9 && (ay - by).abs() < 1e-9, "{x}, {y}");
            }
        }
    }

    #[test]
    fn homography_takes_corners_to_corners() {
        let from = Quad(PixelRect::new(0, 0, 856, 540).corners());
        let to = Quad([
            Point::new(100.0, 80.0),
            Point::new(700.0, 120.0),
            Point::new(650.0, 500.0),
            Point::new(90.0, 430.0),
        ]);
        let map = Homography::between(&from, &to).expect("no three corners are in line");
        for (a, b) in from.0.iter().zip(to.0) {
            assert!(map.apply(*a).distance(b) < 1e-2);
        }
    }

    #[test]
    fn the_inverse_of_a_homography_leads_back() {
        let map = Homography([1.1, 0.2, 30.0, -0.1, 0.9, 12.0, 1e-4, -2e-4, 1.0]);
        for (x, y) in [(0.0, 0.0), (640.0, 20.0), (310.5, 479.0)] {
            let [u, v] = map.at(x, y);
            let [back_x, back_y] = map.inverse().at(u, v);
            assert!((back_x - x).abs() < 1e-9 && (back_y - y).abs() < 1e-9, "{back_x}, {back_y}");
        }
    }

    #[test]
    fn homography_refuses_corners_in_line() {
        let line = Quad([0.0, 1.0, 2.0, 3.0].map(|t| Point::new(t, t)));
        assert!(Homography::between(&line, &Quad(PixelRect::new(0, 0, 1, 1).corners())).is_none());
    }

    #[test]
    fn crossed_corners_are_not_convex() {
        let [a, b, c, d] = PixelRect::new(0, 0, 10, 10).corners();
        assert!(Quad([a, b, c, d]).is_convex());
        assert!(!Quad([a, c, b, d]).is_convex());
    }

    #[test]
    fn perspective_aspect_is_that_of_the_card() {
        // A 1.585 card turned by 40° about its upright axis, 3 card widths away, focal length 1000 px.
        let (s, c) = 40f32.to_radians().sin_cos();
        let corners = [(-0.5, -0.315), (0.5, -0.315), (0.5, 0.315), (-0.5, 0.315)].map(|(x, y): (f32, f32)| {
            let (x, z) = (x * c, 2.0 + x * s);
            Point::new(500.0 + 1000.0 * (x + 0.1) / z, 400.0 + 1000.0 * (y + 0.05) / z)
        });
        let quad = Quad(corners);
        let aspect = quad.aspect_seen_from(Point::new(500.0, 400.0));
        let [top, right, ..] = quad.sides();
        assert!((top / right - 1.585).abs() > 0.1, "the view is slanted");
        assert!(aspect > 1.1 && aspect < 1.75, "{aspect}");
    }
}
