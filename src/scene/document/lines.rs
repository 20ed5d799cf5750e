//! Planes of a small picture → its straight edges, by a Hough transform of signed gradients and least squares.

use image::GrayImage;

use crate::geometry::Point;

/// Bin of the Hough transform in degrees of the signed gradient direction.
const THETA_DEG: f32 = 2.0;
/// Directions of the Hough transform.
const THETAS: usize = 180;
/// Bin of the Hough transform in pixels of distance.
const RHO_PX: f32 = 2.0;
/// How many straight edges are kept, the longest first.
const LINES: usize = 36;

/// An edge pixel after thinning.
#[derive(Debug, Clone, Copy)]
pub(super) struct EdgePixel {
    x: f32,
    y: f32,
    nx: f32,
    ny: f32,
    weight: f32,
}

/// A line with the stretches of it that are an edge. The normal points to the brighter side.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) nx: f32,
    pub(super) ny: f32,
    pub(super) rho: f32,
    /// Edge pixels up to each step along the line, from `first`.
    pub(super) cover: Vec<u16>,
    pub(super) first: f32,
    /// Where the line enters and leaves the picture.
    pub(super) visible: (f32, f32),
    /// A side of the picture itself, where a document may be cut off.
    pub(super) frame: bool,
}

impl Line {
    pub(super) fn along(&self, p: Point) -> f32 {
        p.y * self.nx - p.x * self.ny
    }

    pub(super) fn at(&self, t: f32) -> Point {
        Point::new(self.rho * self.nx - t * self.ny, self.rho * self.ny + t * self.nx)
    }

    pub(super) fn distance(&self, p: Point) -> f32 {
        p.x * self.nx + p.y * self.ny - self.rho
    }

    /// Share of the steps from `a` to `b` that are an edge; 0 outside the picture.
    pub(super) fn covered(&self, a: f32, b: f32) -> f32 {
        let step = |t: f32| ((t - self.first).max(0.0) as usize).min(self.cover.len() - 1);
        let (low, high) = (step(a.min(b)), step(a.max(b)));
        if high <= low {
            return 0.0;
        }
        f32::from(self.cover[high] - self.cover[low]) / (high - low) as f32
    }

    pub(super) fn meet(&self, other: &Self) -> Option<Point> {
        let det = self.nx * other.ny - self.ny * other.nx;
        (det.abs() > 0.3).then(|| {
            Point::new(
                (self.rho * other.ny - other.rho * self.ny) / det,
                (other.rho * self.nx - self.rho * other.nx) / det,
            )
        })
    }
}

/// Thinned edge pixels of the strongest of the planes, by signed gradient direction in steps of [`THETA_DEG`].
pub(super) fn edge_pixels<'a>(planes: &'a [GrayImage; 3]) -> Vec<Vec<EdgePixel>> {
    let (width, height) = (planes[0].width() as usize, planes[0].height() as usize);
    let mut bins = vec![Vec::new(); THETAS];
    if width < 16 || height < 16 {
        return bins;
    }
    let mut gx = vec![0i16; width * height];
    let mut gy = vec![0i16; width * height];
    let mut power = vec![0i32; width * height];
    for (plane, weight) in planes.iter().zip([2i16, 3, 3]) {
        let raw = plane.as_raw();
        if raw.iter().all(|v| *v == raw[0]) {
            continue;
        }
        for y in 1..height - 1 {
            let row = |k: usize| &raw[k * width..(k + 1) * width];
            let (a, b, c) = (row(y - 1), row(y), row(y + 1));
            let (from, to) = (y * width + 1, (y + 1) * width - 1);
            let (ox, oy, op) = (&mut gx[from..to], &mut gy[from..to], &mut power[from..to]);
            // Left, middle and right of each pixel: of one length, so that many are computed at once.
            let n = width - 2;
            let beside = |r: &'a [u8]| [&r[..n], &r[1..=n], &r[2..n + 2]];
            let ([a0, a1, a2], [b0, _, b2], [c0, c1, c2]) = (beside(a), beside(b), beside(c));
            let (ox, oy, op) = (&mut ox[..n], &mut oy[..n], &mut op[..n]);
            for i in 0..n {
                let v = |r: &[u8]| i16::from(r[i]);
                let dx = v(a2) - v(a0) + 2 * (v(b2) - v(b0)) + v(c2) - v(c0);
                let dy = v(c0) + 2 * v(c1) + v(c2) - v(a0) - 2 * v(a1) - v(a2);
                let (dx, dy) = (dx * weight, dy * weight);
                let p = i32::from(dx) * i32::from(dx) + i32::from(dy) * i32::from(dy);
                // Chosen without a branch.
                let more = p > op[i];
                ox[i] = if more { dx } else { ox[i] };
                oy[i] = if more { dy } else { oy[i] };
                op[i] = if more { p } else { op[i] };
            }
        }
    }
    // Gradient (twice Sobel) below 64 is a step of about ten grey levels; above the cap every pixel is an edge.
    let mut histogram = [0u32; 64];
    for p in power.iter().step_by(7) {
        histogram[((*p as f32).sqrt() / 8.0).min(63.0) as usize] += 1;
    }
    let strong = histogram.iter().sum::<u32>() / 5;
    let mut seen = 0;
    let fifth = histogram.iter().rposition(|n| {
        seen += n;
        seen >= strong
    });
    let floor = (fifth.unwrap_or(0) as f32 * 8.0).clamp(64.0, 200.0);
    let least = (floor * floor) as i32;
    let directions = Directions::new();
    for y in 2..height - 2 {
        for x in 2..width - 2 {
            let i = y * width + x;
            let p = power[i];
            if p < least {
                continue;
            }
            let (dx, dy) = (i32::from(gx[i]), i32::from(gy[i]));
            // Neighbours along the gradient, in steps of 45°: tan 22.5° = 53 / 128.
            let step = if dy.abs() * 128 < dx.abs() * 53 {
                1
            } else if dx.abs() * 128 < dy.abs() * 53 {
                width
            } else if (dx > 0) == (dy > 0) {
                width + 1
            } else {
                width - 1
            };
            if p < power[i - step] || p <= power[i + step] {
                continue;
            }
            let magnitude = (p as f32).sqrt();
            let (nx, ny) = (dx as f32 / magnitude, dy as f32 / magnitude);
            let weight = (magnitude / floor).min(2.0);
            let bin = directions.bin(i32::from(gx[i]), i32::from(gy[i]));
            bins[bin].push(EdgePixel { x: x as f32, y: y as f32, nx, ny, weight });
        }
    }
    bins
}

/// Tells the bin of a direction without computing its angle.
struct Directions {
    /// Tangents of the directions where bins begin, from 0 to beyond 45°.
    begins: [f32; Self::COUNT],
}

impl Directions {
    /// The bins that begin below 45°, and one more.
    const COUNT: usize = (45.0 / THETA_DEG) as usize + 2;

    fn new() -> Self {
        Self { begins: std::array::from_fn(|k| (k as f32 * THETA_DEG).to_radians().tan()) }
    }

    /// The bin of the direction of (`x`, `y`), which is not (0, 0): its angle over [`THETA_DEG`].
    fn bin(&self, x: i32, y: i32) -> usize {
        const QUARTER: usize = THETAS / 4;
        let (wide, high) = (x.abs(), y.abs());
        let (low, top) = (wide.min(high), wide.max(high));
        let tangent = low as f32 / top as f32;
        // Within a quarter of a degree of the angle: the bin, or one beside it.
        let mut k = (tangent * (45.0 + 15.6 * (1.0 - tangent)) / THETA_DEG) as usize;
        while tangent >= self.begins[k + 1] {
            k += 1;
        }
        while tangent < self.begins[k] {
            k -= 1;
        }
        // Angles that grow away from an axis, and angles that fall towards it, one of 0 being at its very begin.
        let after = |axis: usize| axis * QUARTER + k;
        let before = |axis: usize| if low == 0 { axis * QUARTER } else { axis * QUARTER - 1 - k };
        let bin = match (wide >= high, x >= 0, y >= 0) {
            (true, true, true) => after(0),
            (false, true, true) => before(1),
            (false, false, true) => after(1),
            (true, false, true) => before(2),
            (true, false, false) => after(2),
            (false, false, false) => before(3),
            (false, true, false) => after(3),
            (true, true, false) => before(4),
        };
        bin % THETAS
    }
}

/// The longest straight edges among `bins`, and the four sides of the picture.
pub(super) fn lines_of(bins: &[Vec<EdgePixel>], width: f32, height: f32) -> Vec<Line> {
    let reach = (width.hypot(height) / 2.0 / RHO_PX).ceil() as usize + 2;
    let rhos = 2 * reach + 1;
    let (cx, cy) = (width / 2.0, height / 2.0);
    let normal = |bin: usize| {
        let angle = ((bin as f32 + 0.5) * THETA_DEG).to_radians();
        (angle.cos(), angle.sin())
    };
    let normals: Vec<(f32, f32)> = (0..THETAS).map(normal).collect();
    let mut votes = vec![0f32; THETAS * rhos];
    for (bin, pixels) in bins.iter().enumerate() {
        for turn in THETAS - 2..=THETAS + 2 {
            let theta = (bin + turn) % THETAS;
            let (nx, ny) = normals[theta];
            let row = &mut votes[theta * rhos..(theta + 1) * rhos];
            for p in pixels {
                let rho = ((p.x - cx) * nx + (p.y - cy) * ny) / RHO_PX + reach as f32 + 0.5;
                row[rho as usize] += p.weight;
            }
        }
    }
    let mut peaks = Vec::new();
    for theta in 0..THETAS {
        for rho in 1..rhos - 1 {
            let v = votes[theta * rhos + rho];
            // A side shorter than 30 px is too short to be told from print.
            if v < 30.0 {
                continue;
            }
            let higher = (THETAS - 1..=THETAS + 1).any(|turn| {
                let row = &votes[(theta + turn) % THETAS * rhos..];
                (rho - 1..=rho + 1).any(|r| row[r] > v)
            });
            if !higher {
                peaks.push((v, theta, rho));
            }
        }
    }
    peaks.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut lines: Vec<Line> = Vec::new();
    for (_, theta, rho) in peaks.into_iter().take(3 * LINES) {
        if lines.len() == LINES {
            break;
        }
        let (nx, ny) = normals[theta];
        let rho = (rho as f32 - reach as f32) * RHO_PX + cx * nx + cy * ny;
        let Some(line) = refined(bins, theta, (nx, ny, rho), width, height) else { continue };
        let middle = line.at(f32::midpoint(line.visible.0, line.visible.1));
        let known = |l: &Line| l.nx * line.nx + l.ny * line.ny > 0.9986 && l.distance(middle).abs() < 3.0;
        if !lines.iter().any(known) {
            lines.push(line);
        }
    }
    for (nx, ny, rho) in [(1.0, 0.0, 0.0), (-1.0, 0.0, -(width - 1.0)), (0.0, 1.0, 0.0), (0.0, -1.0, -(height - 1.0))] {
        let mut line = Line { nx, ny, rho, cover: vec![0], first: 0.0, visible: (0.0, 0.0), frame: true };
        line.visible = visible(&line, width, height);
        lines.push(line);
    }
    lines
}

/// Least-squares line through the edge pixels near `start`, with its cover; `None` when it leaves the picture.
fn refined(bins: &[Vec<EdgePixel>], theta: usize, start: (f32, f32, f32), width: f32, height: f32) -> Option<Line> {
    let (mut nx, mut ny, mut rho) = start;
    let near = || (THETAS - 6..=THETAS + 6).flat_map(move |turn| &bins[(theta + turn) % THETAS]);
    for tolerance in [3.0f32, 2.0] {
        let (mut n, mut sx, mut sy, mut sxx, mut sxy, mut syy) = (0f32, 0f32, 0f32, 0f32, 0f32, 0f32);
        let (ox, oy) = (rho * nx, rho * ny);
        for p in near() {
            if (p.x * nx + p.y * ny - rho).abs() <= tolerance && p.nx * nx + p.ny * ny > 0.97 {
                let (x, y) = (p.x - ox, p.y - oy);
                n += 1.0;
                sx += x;
                sy += y;
                sxx += x * x;
                sxy += x * y;
                syy += y * y;
            }
        }
        if n < 12.0 {
            return None;
        }
        let (mx, my) = (sx / n, sy / n);
        let (vxx, vxy, vyy) = (sxx / n - mx * mx, sxy / n - mx * my, syy / n - my * my);
        let along = 0.5 * (2.0 * vxy).atan2(vxx - vyy);
        let (mut fx, mut fy) = (-along.sin(), along.cos());
        if fx * nx + fy * ny < 0.0 {
            (fx, fy) = (-fx, -fy);
        }
        if fx * nx + fy * ny < 0.99 {
            return None;
        }
        (nx, ny) = (fx, fy);
        rho = (ox + mx) * nx + (oy + my) * ny;
    }
    let mut line = Line { nx, ny, rho, cover: Vec::new(), first: 0.0, visible: (0.0, 0.0), frame: false };
    line.visible = visible(&line, width, height);
    if line.visible.1 - line.visible.0 < 20.0 {
        return None;
    }
    line.first = line.visible.0.floor() - 1.0;
    let steps = (line.visible.1 - line.first).ceil() as usize + 2;
    let mut hit = vec![false; steps];
    for p in near() {
        if (p.x * nx + p.y * ny - rho).abs() <= 2.0 && p.nx * nx + p.ny * ny > 0.94 {
            let t = line.along(Point::new(p.x, p.y)) - line.first;
            // Thinning leaves single gaps on slanted edges: each pixel speaks for its neighbours.
            for step in [t - 0.7, t, t + 0.7] {
                if step >= 0.0 && (step as usize) < steps {
                    hit[step as usize] = true;
                }
            }
        }
    }
    let mut sum = 0u16;
    line.cover = std::iter::once(0)
        .chain(hit.iter().map(|h| {
            sum += u16::from(*h);
            sum
        }))
        .collect();
    Some(line)
}

/// Where `line` enters and leaves the picture.
fn visible(line: &Line, width: f32, height: f32) -> (f32, f32) {
    let (mut from, mut to) = (f32::MIN, f32::MAX);
    let origin = line.at(0.0);
    for (at, step, most) in [(origin.x, -line.ny, width - 1.0), (origin.y, line.nx, height - 1.0)] {
        if step.abs() < 1e-6 {
            continue;
        }
        let (a, b) = (-at / step, (most - at) / step);
        from = from.max(a.min(b));
        to = to.min(a.max(b));
    }
    (from, to.max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bin_of_a_direction_is_that_of_its_angle() {
        let directions = Directions::new();
        let mut seen = [false; THETAS];
        for (x, y) in (-90..=90).flat_map(|y| (-90..=90).map(move |x| (x, y))).filter(|place| *place != (0, 0)) {
            let angle = f64::from(y).atan2(f64::from(x)).to_degrees().rem_euclid(360.0);
            let bin = directions.bin(x, y);
            // One on the border of two bins falls to the later.
            assert_eq!(bin, (angle / f64::from(THETA_DEG) + 1e-6) as usize % THETAS, "{x}, {y}");
            seen[bin] = true;
        }
        assert!(seen.iter().all(|seen| *seen));
    }
}
