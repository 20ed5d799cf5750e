//! Overview → the document's four corners, and the device around it when it is shown on one.
//!
//! Straight edges are found by a Hough transform in which every edge pixel votes along its own signed gradient only
//! (after O'Gorman and Clowes, 1976), refined by least squares, and every pair of near-parallel edges is combined with
//! every pair across it. A quadrilateral is scored by how much of each side is really an edge, by whether all sides
//! are brighter (or all darker) inside, by whether the edges end at its corners, and by known aspect ratios.

use fast_image_resize as fr;
use image::GrayImage;
use serde::Serialize;

use super::locator::{Maps, meet};
use super::overview::resize;
use super::{Face, Overview};
use crate::geometry::{PixelRect, Point, Quad};

/// Long side of the picture that is searched: a card that takes a tenth of the frame keeps 50 px a side.
const SEARCH_PX: u32 = 512;
/// Bin of the Hough transform in degrees of the signed gradient direction.
const THETA_DEG: f32 = 2.0;
/// Directions of the Hough transform.
const THETAS: usize = 180;
/// Bin of the Hough transform in pixels of distance.
const RHO_PX: f32 = 2.0;
/// How many straight edges are kept, the longest first.
const LINES: usize = 36;
/// Share of a side at each end that is not asked for an edge: rounded corners, fingers.
const CORNER_SHARE: f32 = 0.08;
/// How far an edge may lie from the side that the locator gives, in shares of the picture's long side: a cell and a
/// half of its maps.
const DRAW_SHARE: f32 = 0.03;
/// What agreement with the locator's maps weighs beside the score of straight edges: by trial on the phone frames that the
/// locator was taught with (weights 1, 2 and 3), so it leans to the locator.
const AGREEMENT: f32 = 3.0;
/// Agreement below which a quadrilateral is another one than the locator means.
const LEAST_AGREEMENT: f32 = 0.3;
/// Least share of any one side that must be an edge.
const LEAST_SUPPORT: f32 = 0.3;
/// Share of the picture from which a document without a border in it fills it.
const NEARLY_ALL: f32 = 0.90;

/// What the document seems to be, by shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentKind {
    /// ID-1 card, 85.6 × 54.0 mm.
    Card,
    /// A page in the proportions of ISO 216 (A4, A5, …), 1 : √2.
    Page,
    /// Any other quadrilateral.
    Other,
}

/// A document found in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Corners in upright capture pixels, clockwise from the top left; may lie outside the picture when cut off.
    pub quad: Quad,
    /// By shape.
    pub kind: DocumentKind,
    /// How much of the border was seen as an edge, 0 to 1.
    pub edge_support: f32,
    /// How sure the learned locator is, 0 to 1; `None` where straight edges alone were searched.
    pub confidence: Option<f32>,
    /// No border was found: the whole picture is the document.
    pub fills_frame: bool,
    /// The device around it.
    pub device: Option<Device>,
}

impl Document {
    /// A whole picture of `width` × `height` pixels as a document.
    pub(super) fn filling(width: u32, height: u32) -> Self {
        let kind = kind_of(width.max(height) as f32 / width.min(height).max(1) as f32);
        let quad = Quad(PixelRect::new(0, 0, width, height).corners());
        Self { quad, kind, edge_support: 0.0, confidence: None, fills_frame: true, device: None }
    }

    /// Whether the border that was found is none: it takes in nearly all of a picture of this width and height and hardly
    /// any of it is an edge; or most of a picture that surely shows a document as a whole, and none of it is an edge.
    pub(super) fn is_unbounded(&self, (width, height): (f32, f32), whole_is_sure: bool) -> bool {
        let share = self.quad.share_of(width, height);
        self.edge_support < LEAST_SUPPORT && share > NEARLY_ALL
            || whole_is_sure && self.edge_support == 0.0 && share > 0.5
    }

    /// Pixels per millimetre along the long side, for a format of known size: ID-1 and ID-3 (ISO/IEC 7810), and A4
    /// (ISO 216) for a page in its proportions, whichever of that series it is.
    #[must_use]
    pub fn px_per_mm(&self, face: Option<Face>) -> Option<f64> {
        let [top, right, bottom, left] = self.quad.sides().map(f64::from);
        let long = f64::midpoint(top, bottom).max(f64::midpoint(right, left));
        match (self.kind, face) {
            (DocumentKind::Card, _) => Some(long / 85.6),
            (DocumentKind::Page, Some(Face::PassportPage)) => Some(long / 125.0),
            (DocumentKind::Page, Some(Face::Page | Face::Licence)) => Some(long / 297.0),
            (DocumentKind::Page | DocumentKind::Other, _) => None,
        }
    }
}

/// What a rectangle with this ratio of long to short side seems to be.
fn kind_of(aspect: f32) -> DocumentKind {
    match aspect {
        a if (1.49..1.72).contains(&a) => DocumentKind::Card,
        a if (1.33..1.49).contains(&a) => DocumentKind::Page,
        _ => DocumentKind::Other,
    }
}

/// A rectangle concentric with the document: the border of a screen or device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Corners in upright capture pixels, clockwise.
    pub quad: Quad,
    /// How much of its border was seen as an edge, 0 to 1.
    pub edge_support: f32,
}

/// A straight edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StraightEdge {
    /// One end in upright capture pixels.
    pub from: Point,
    /// The other end.
    pub to: Point,
    /// Share of the pixels between the ends that are an edge of this direction, 0 to 1.
    pub support: f32,
}

impl Quad {
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

/// Searches the straight edges of the picture for a document.
pub(super) fn find(edges: &Edges) -> Option<Document> {
    let candidates = edges.quads();
    let best = *candidates.first()?;
    let dark_between = |outer: &Candidate, inner: &Candidate| {
        let zone = edges.zone_luma(&outer.quad, &inner.quad);
        zone.is_some_and(|(between, inside)| between < 70.0 && inside > between + 30.0)
    };
    // A device shows the document on a dark surface: its rectangle then holds a second one, concentric and brighter
    // than what lies between them. The frame printed on a card lies on the card's own, bright stock.
    let inner = candidates
        .iter()
        .find(|c| concentric(&best.quad, &c.quad) && c.score > 0.8 * best.score && dark_between(&best, c));
    let (document, device) = if let Some(inner) = inner {
        (*inner, Some(best))
    } else {
        let outer = candidates.iter().find(|c| concentric(&c.quad, &best.quad) && c.score > 0.7 * best.score).copied();
        match outer {
            Some(outer) if dark_between(&outer, &best) => (best, Some(outer)),
            // Bright and narrow between the two: the document's margin.
            Some(outer) if best.quad.area() > 0.5 * outer.quad.area() => (outer, None),
            outer => (best, outer),
        }
    };
    Some(edges.report((document.quad, document.support), device.map(|d| (d.quad, d.support)), None))
}

/// What the learned locator saw: the quadrilateral of straight edges that agrees with its maps best, or its own, the
/// sides drawn in to the straight edges of the picture.
pub(super) fn guided(edges: &Edges, maps: &Maps) -> Option<Document> {
    let found = maps.document()?;
    let (width, height) = edges.size();
    let searched = |quad: &Quad| Quad(quad.0.map(|p| Point::new(p.x * width - 0.5, p.y * height - 0.5)));
    let shares = |quad: &Quad| Quad(quad.0.map(|p| Point::new((p.x + 0.5) / width, (p.y + 0.5) / height)));
    let own = edges.drawn_in(&searched(&found.quad));
    let own_worth = own.1 + AGREEMENT * maps.agreement(&shares(&own.0));
    let seen = edges.quads().into_iter().map(|c| {
        let agreement = maps.agreement(&shares(&c.quad));
        (c.score + AGREEMENT * agreement, agreement, (c.quad, c.support))
    });
    let best = seen.filter(|(worth, agreement, _)| *agreement > LEAST_AGREEMENT && *worth > own_worth);
    let document = best.max_by(|a, b| a.0.total_cmp(&b.0)).map_or(own, |(_, _, quad)| quad);
    let device = maps.device(&shares(&document.0)).map(|d| edges.drawn_in(&searched(&d.quad)));
    Some(edges.report(document, device, Some(found.confidence)))
}

/// Whether `inner` lies inside `outer`, well off its border, about the same centre.
fn concentric(outer: &Quad, inner: &Quad) -> bool {
    let ratio = inner.area() / outer.area().max(1.0);
    let reach = outer.area().sqrt();
    ratio < 0.8
        && ratio > 0.12
        && outer.centre().distance(inner.centre()) < 0.18 * reach
        && inner.0.iter().all(|p| outer.contains(*p))
}

/// An edge pixel after thinning.
#[derive(Debug, Clone, Copy)]
struct EdgePixel {
    x: f32,
    y: f32,
    nx: f32,
    ny: f32,
    weight: f32,
}

/// A line with the stretches of it that are an edge. The normal points to the brighter side.
#[derive(Debug)]
struct Line {
    nx: f32,
    ny: f32,
    rho: f32,
    /// Edge pixels up to each step along the line, from `first`.
    cover: Vec<u16>,
    first: f32,
    /// Where the line enters and leaves the picture.
    visible: (f32, f32),
    /// A side of the picture itself, where a document may be cut off.
    frame: bool,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    quad: Quad,
    score: f32,
    support: f32,
}

#[derive(Debug)]
pub(super) struct Edges {
    luma: GrayImage,
    scale: f32,
    lines: Vec<Line>,
}

impl Line {
    fn along(&self, p: Point) -> f32 {
        p.y * self.nx - p.x * self.ny
    }

    fn at(&self, t: f32) -> Point {
        Point::new(self.rho * self.nx - t * self.ny, self.rho * self.ny + t * self.nx)
    }

    fn distance(&self, p: Point) -> f32 {
        p.x * self.nx + p.y * self.ny - self.rho
    }

    /// Share of the steps from `a` to `b` that are an edge; 0 outside the picture.
    fn covered(&self, a: f32, b: f32) -> f32 {
        let step = |t: f32| ((t - self.first).max(0.0) as usize).min(self.cover.len() - 1);
        let (low, high) = (step(a.min(b)), step(a.max(b)));
        if high <= low {
            return 0.0;
        }
        f32::from(self.cover[high] - self.cover[low]) / (high - low) as f32
    }

    fn meet(&self, other: &Self) -> Option<Point> {
        let det = self.nx * other.ny - self.ny * other.nx;
        (det.abs() > 0.3).then(|| {
            Point::new(
                (self.rho * other.ny - other.rho * self.ny) / det,
                (other.rho * self.nx - self.rho * other.nx) / det,
            )
        })
    }
}

impl Edges {
    pub(super) fn of(overview: &Overview) -> Self {
        let long = overview.luma.width().max(overview.luma.height());
        let planes = [&overview.luma, &overview.cb, &overview.cr].map(|plane| reduced(plane, SEARCH_PX));
        let scale = overview.scale * long as f32 / planes[0].width().max(planes[0].height()) as f32;
        let bins = edge_pixels(&planes);
        let (width, height) = planes[0].dimensions();
        let lines = lines_of(&bins, width as f32, height as f32);
        let [luma, ..] = planes;
        Self { luma, scale, lines }
    }

    fn size(&self) -> (f32, f32) {
        (self.luma.width() as f32, self.luma.height() as f32)
    }

    fn centre(&self) -> Point {
        let (width, height) = self.size();
        Point::new(width / 2.0, height / 2.0).scaled(self.scale)
    }

    fn to_capture(&self, quad: &Quad) -> Quad {
        Quad(quad.0.map(|p| Point::new(p.x + 0.5, p.y + 0.5).scaled(self.scale)))
    }

    /// The document as detectors see it, from what was found in the searched picture: a quad and its support each.
    fn report(&self, document: (Quad, f32), device: Option<(Quad, f32)>, confidence: Option<f32>) -> Document {
        let quad = self.to_capture(&clockwise(document.0));
        let kind = kind_of(quad.aspect_seen_from(self.centre()));
        let device =
            device.map(|(quad, support)| Device { quad: self.to_capture(&clockwise(quad)), edge_support: support });
        Document { quad, kind, edge_support: document.1, confidence, fills_frame: false, device }
    }

    /// `quad` with each side laid on the straight edge that runs along it, where there is one; and the mean share of
    /// the sides that is an edge.
    fn drawn_in(&self, quad: &Quad) -> (Quad, f32) {
        let (width, height) = self.size();
        let reach = DRAW_SHARE * width.max(height);
        let mut support = 0.0;
        let sides: Vec<(Point, Point)> = (0..4)
            .map(|k| {
                let (a, b) = (quad.0[k], quad.0[(k + 1) % 4]);
                let fits = |line: &&Line| {
                    let off = line.distance(a.towards(b, 0.1)).abs().max(line.distance(a.towards(b, 0.9)).abs());
                    let (t0, t1) = (line.along(a), line.along(b));
                    let inset = CORNER_SHARE * (t1 - t0);
                    let covered = line.covered(t0 + inset, t1 - inset);
                    (off < reach && covered > LEAST_SUPPORT).then_some((covered - 0.5 * off / reach, covered))
                };
                let best = self.lines.iter().filter(|l| !l.frame).filter_map(|l| fits(&l).map(|f| (f, l)));
                match best.max_by(|x, y| x.0.0.total_cmp(&y.0.0)) {
                    Some(((_, covered), line)) => {
                        support += covered / 4.0;
                        (line.at(line.along(a)), line.at(line.along(b)))
                    }
                    None => (a, b),
                }
            })
            .collect();
        let corner = |k: usize| meet(sides[(k + 3) % 4], sides[k]);
        let drawn = [corner(0), corner(1), corner(2), corner(3)];
        match drawn {
            [Some(a), Some(b), Some(c), Some(d)] if Quad([a, b, c, d]).is_convex() => (Quad([a, b, c, d]), support),
            _ => (*quad, 0.0),
        }
    }

    /// The straight edges of the picture, longest first.
    pub(super) fn straight(&self) -> Vec<StraightEdge> {
        let mut found: Vec<StraightEdge> =
            self.lines.iter().filter(|l| !l.frame).filter_map(|l| self.extent(l)).collect();
        found.sort_by(|a, b| b.from.distance(b.to).total_cmp(&a.from.distance(a.to)));
        found
    }

    /// The longest stretch of `line` that is mostly an edge.
    fn extent(&self, line: &Line) -> Option<StraightEdge> {
        let total = f32::from(*line.cover.last()?);
        let at = |share: f32| line.cover.iter().position(|c| f32::from(*c) >= share * total);
        // The outer 3 % at each end may be strays.
        let (a, b) = (at(0.03)? as f32, at(0.97)? as f32);
        let (from, to) = (line.at(line.first + a), line.at(line.first + b));
        let support = line.covered(line.first + a, line.first + b);
        let [from, to] = [from, to].map(|p| Point::new(p.x + 0.5, p.y + 0.5).scaled(self.scale));
        Some(StraightEdge { from, to, support })
    }

    /// Every acceptable quadrilateral, the best first, without near repeats.
    fn quads(&self) -> Vec<Candidate> {
        let (width, height) = self.size();
        let middle = Point::new(width / 2.0, height / 2.0);
        let lines = &self.lines;
        let mut pairs = Vec::new();
        for i in 0..lines.len() {
            for j in i + 1..lines.len() {
                let (a, b) = (&lines[i], &lines[j]);
                let turn = (a.nx * b.nx + a.ny * b.ny).abs();
                // Sides of a card seen at a slant of 45° converge by up to about 25°.
                if turn < 0.9 || (a.frame && b.frame) {
                    continue;
                }
                let sign = (a.nx * b.nx + a.ny * b.ny).signum();
                if (a.distance(middle) - sign * b.distance(middle)).abs() > 0.12 * width.min(height) {
                    pairs.push((a, b));
                }
            }
        }
        let mut found = Vec::new();
        for (i, (a, b)) in pairs.iter().enumerate() {
            for (c, d) in &pairs[i + 1..] {
                found.extend(self.candidate([a, c, b, d]));
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut kept: Vec<Candidate> = Vec::new();
        for candidate in found {
            let near = |k: &Candidate| {
                let reach = 0.04 * k.quad.area().sqrt();
                k.quad.0.iter().zip(candidate.quad.0).all(|(p, q)| p.distance(q) < reach)
            };
            if kept.len() < 24 && !kept.iter().any(near) {
                kept.push(candidate);
            }
        }
        kept
    }

    fn candidate(&self, sides: [&Line; 4]) -> Option<Candidate> {
        let (width, height) = self.size();
        if sides.iter().filter(|l| l.frame).count() > 1 {
            return None;
        }
        let mut corners = [Point::default(); 4];
        for (k, corner) in corners.iter_mut().enumerate() {
            let p = sides[k].meet(sides[(k + 3) % 4])?;
            let (mx, my) = (0.2 * width, 0.2 * height);
            if p.x < -mx || p.x > width + mx || p.y < -my || p.y > height + my {
                return None;
            }
            *corner = p;
        }
        // Side k runs from corner k to corner k + 1.
        let quad = Quad(corners);
        let area = quad.area() / (width * height);
        if !(0.03..=1.05).contains(&area) || !quad.is_convex() {
            return None;
        }
        let lengths = quad.sides();
        let (a, b) = (f32::midpoint(lengths[0], lengths[2]), f32::midpoint(lengths[1], lengths[3]));
        if a.max(b) / a.min(b) > 2.6 {
            return None;
        }
        let centre = quad.centre();
        let (mut sum, mut least, mut overshoot, mut inward) = (0.0f32, 1.0f32, 0.0f32, 0i32);
        for (k, line) in sides.iter().enumerate() {
            let (t0, t1) = (line.along(corners[k]), line.along(corners[(k + 1) % 4]));
            let (low, high) = (t0.min(t1), t0.max(t1));
            let margin = CORNER_SHARE * (high - low);
            let (from, to) = ((low + margin).max(line.visible.0), (high - margin).min(line.visible.1));
            if to - from < 0.35 * (high - low) {
                return None;
            }
            // A side of the picture speaks for a document no more than the least edge that is accepted.
            let support = if line.frame { LEAST_SUPPORT } else { line.covered(from, to) };
            sum += support;
            least = least.min(support);
            if !line.frame {
                let reach = 0.15 * (high - low);
                overshoot += line.covered(low - reach, low - 3.0) + line.covered(high + 3.0, high + reach);
                inward += if line.distance(centre) > 0.0 { 1 } else { -1 };
            }
        }
        let support = sum / 4.0;
        let seen = sides.iter().filter(|l| !l.frame).count() as i32;
        // Two thirds of the border seen, no side mostly guessed.
        if support < 0.6 || least < LEAST_SUPPORT {
            return None;
        }
        let polarity = if inward.abs() == seen { 0.12 } else { 0.0 };
        // Cards are 1.586 : 1 (ISO/IEC 7810 ID-1), passports and pages about 1.414 : 1 (ID-3, ISO 216).
        let aspect = quad.aspect_seen_from(Point::new(width / 2.0, height / 2.0));
        let off = [1.414f32, 1.586].iter().map(|known| (aspect / known).ln().abs()).fold(f32::MAX, f32::min);
        let shape = 0.3 * (1.0 - off / 0.15).max(0.0);
        // Weights by trial on phone frames of three kinds of document, checked on four others.
        let score = f32::midpoint(support, least) + polarity + shape + 0.2 * area.min(0.6).sqrt() - 0.15 * overshoot;
        Some(Candidate { quad: clockwise(quad), score, support })
    }

    /// Mean luma between two quads, and inside the inner one.
    fn zone_luma(&self, outer: &Quad, inner: &Quad) -> Option<(f32, f32)> {
        let (mut between, mut inside) = ((0u32, 0u32), (0u32, 0u32));
        for (x, y, luma) in self.luma.enumerate_pixels().filter(|(x, y, _)| x % 4 == 0 && y % 4 == 0) {
            let p = Point::new(x as f32, y as f32);
            let slot = if inner.contains(p) {
                &mut inside
            } else if outer.contains(p) {
                &mut between
            } else {
                continue;
            };
            *slot = (slot.0 + u32::from(luma.0[0]), slot.1 + 1);
        }
        let mean = |(sum, n): (u32, u32)| (n > 0).then(|| sum as f32 / n as f32);
        Some((mean(between)?, mean(inside)?))
    }
}

/// `quad` clockwise, beginning with the corner nearest the top left.
fn clockwise(quad: Quad) -> Quad {
    let mut p = quad.0;
    let twice: f32 = (0..4).map(|i| p[i].x * p[(i + 1) % 4].y - p[(i + 1) % 4].x * p[i].y).sum();
    if twice < 0.0 {
        p.reverse();
    }
    let first = (0..4).min_by(|&i, &j| (p[i].x + p[i].y).total_cmp(&(p[j].x + p[j].y))).unwrap_or(0);
    p.rotate_left(first);
    Quad(p)
}

/// `plane` with its long side at most `long`.
fn reduced(plane: &GrayImage, long: u32) -> GrayImage {
    let (width, height) = plane.dimensions();
    if width.max(height) <= long {
        return plane.clone();
    }
    let factor = f64::from(long) / f64::from(width.max(height));
    let side = |s: u32| ((f64::from(s) * factor).round() as u32).max(1);
    let mut out = GrayImage::new(side(width), side(height));
    let to = out.dimensions();
    resize(plane.as_raw(), (width, height), &mut out, to, fr::FilterType::Bilinear);
    out
}

/// Thinned edge pixels of the strongest of the planes, by signed gradient direction in steps of [`THETA_DEG`].
fn edge_pixels(planes: &[GrayImage; 3]) -> Vec<Vec<EdgePixel>> {
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
            let at = y * width;
            let (ox, oy, op) = (&mut gx[at..at + width], &mut gy[at..at + width], &mut power[at..at + width]);
            for x in 1..width - 1 {
                let v = |r: &[u8], i: usize| i16::from(r[i]);
                let dx = v(a, x + 1) - v(a, x - 1) + 2 * (v(b, x + 1) - v(b, x - 1)) + v(c, x + 1) - v(c, x - 1);
                let dy = v(c, x - 1) + 2 * v(c, x) + v(c, x + 1) - v(a, x - 1) - 2 * v(a, x) - v(a, x + 1);
                let (dx, dy) = (dx * weight, dy * weight);
                let p = i32::from(dx) * i32::from(dx) + i32::from(dy) * i32::from(dy);
                if p > op[x] {
                    (ox[x], oy[x], op[x]) = (dx, dy, p);
                }
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
            let bin = (ny.atan2(nx).to_degrees().rem_euclid(360.0) / THETA_DEG) as usize % THETAS;
            bins[bin].push(EdgePixel { x: x as f32, y: y as f32, nx, ny, weight });
        }
    }
    bins
}

/// The longest straight edges among `bins`, and the four sides of the picture.
fn lines_of(bins: &[Vec<EdgePixel>], width: f32, height: f32) -> Vec<Line> {
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

    /// An overview of `width` × `height` in which each quad is painted over the one before.
    fn painted(width: u32, height: u32, ground: u8, layers: &[(Quad, u8)]) -> Overview {
        let luma = GrayImage::from_fn(width, height, |x, y| {
            let p = Point::new(x as f32 + 0.5, y as f32 + 0.5);
            let top = layers.iter().rev().find(|(quad, _)| quad.contains(p));
            image::Luma([top.map_or(ground, |(_, luma)| *luma)])
        });
        let none = GrayImage::from_pixel(width, height, image::Luma([128]));
        Overview { luma, cb: none.clone(), cr: none, scale: 3.0 }
    }

    fn card(centre: (f32, f32), width: f32, turn_deg: f32) -> Quad {
        let (s, c) = turn_deg.to_radians().sin_cos();
        let (w, h) = (width / 2.0, width / 2.0 / 1.585);
        Quad(
            [(-w, -h), (w, -h), (w, h), (-w, h)]
                .map(|(x, y)| Point::new(centre.0 + x * c - y * s, centre.1 + x * s + y * c)),
        )
    }

    fn noise(width: u32, height: u32) -> Overview {
        let mut state = 1u32;
        let mut overview = painted(width, height, 0, &[]);
        for p in overview.luma.iter_mut() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *p = (state >> 24) as u8;
        }
        overview
    }

    #[test]
    fn a_bright_card_is_found_at_every_turn() {
        for turn in [0.0, 7.0, -18.0, 45.0, 90.0] {
            let truth = card((520.0, 380.0), 560.0, turn);
            let found = find(&Edges::of(&painted(1024, 768, 60, &[(truth, 200)]))).expect("a card");
            for corner in found.quad.0 {
                let miss = truth.0.iter().map(|t| t.scaled(3.0).distance(corner)).fold(f32::MAX, f32::min);
                assert!(miss < 0.02 * 560.0 * 3.0, "turn {turn}: a corner is {miss} px off");
            }
            assert_eq!(found.kind, DocumentKind::Card, "turn {turn}");
            assert!(found.device.is_none(), "turn {turn}");
        }
    }

    #[test]
    fn nothing_is_found_on_flat_or_noise() {
        assert!(find(&Edges::of(&painted(1024, 768, 90, &[]))).is_none());
        assert!(find(&Edges::of(&noise(1024, 768))).is_none());
    }

    #[test]
    fn a_card_shown_on_a_phone_has_a_device() {
        let phone = Quad(crate::geometry::PixelRect::new(120, 150, 800, 420).corners());
        let shown = card((520.0, 360.0), 440.0, 0.0);
        let found = find(&Edges::of(&painted(1024, 768, 150, &[(phone, 15), (shown, 210)]))).expect("a card");
        assert!(found.quad.0[0].distance(shown.0[0].scaled(3.0)) < 20.0);
        assert!(found.device.expect("the phone").quad.0[0].distance(phone.0[0].scaled(3.0)) < 20.0);
    }

    #[test]
    fn a_frame_printed_on_a_card_makes_no_device() {
        let outer = card((520.0, 380.0), 700.0, 3.0);
        let frame = outer.scaled_about_centre(0.86);
        let inner = outer.scaled_about_centre(0.84);
        let found =
            find(&Edges::of(&painted(1024, 768, 70, &[(outer, 225), (frame, 80), (inner, 220)]))).expect("a card");
        assert!(found.device.is_none());
        assert!(found.quad.area() > 0.9 * outer.area() * 9.0, "the card, not its frame");
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
