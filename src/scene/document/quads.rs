//! Straight edges → quadrilaterals that may be a document, scored, and the longest edges themselves.

use fast_image_resize as fr;
use image::GrayImage;

use super::lines::{Line, edge_pixels, lines_of};
use super::{Device, Document, LEAST_SUPPORT, kind_of};
use crate::geometry::{Point, Quad};
use crate::scene::Overview;
use crate::scene::locator::meet;
use crate::scene::overview::resize;

/// Long side of the picture that is searched: a card that takes a tenth of the frame keeps 50 px a side.
const SEARCH_PX: u32 = 512;
/// Share of a side at each end that is not asked for an edge: rounded corners, fingers.
const CORNER_SHARE: f32 = 0.08;
/// How far an edge may lie from the side that the locator gives, in shares of the picture's long side: a cell and a
/// half of its maps.
const DRAW_SHARE: f32 = 0.03;

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

#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) quad: Quad,
    pub(super) score: f32,
    pub(super) support: f32,
}

/// The straight edges of a picture, and its luma, both as far reduced as they are searched.
#[derive(Debug)]
pub struct Edges {
    luma: GrayImage,
    scale: f32,
    lines: Vec<Line>,
}

impl Edges {
    pub fn of(overview: &Overview) -> Self {
        let long = overview.luma.width().max(overview.luma.height());
        let planes = [&overview.luma, &overview.cb, &overview.cr].map(|plane| reduced(plane, SEARCH_PX));
        let scale = overview.scale * long as f32 / planes[0].width().max(planes[0].height()) as f32;
        let bins = edge_pixels(&planes);
        let (width, height) = planes[0].dimensions();
        let lines = lines_of(&bins, width as f32, height as f32);
        let [luma, ..] = planes;
        Self { luma, scale, lines }
    }

    pub(super) fn size(&self) -> (f32, f32) {
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
    pub(super) fn report(
        &self,
        document: (Quad, f32),
        device: Option<(Quad, f32)>,
        confidence: Option<f32>,
    ) -> Document {
        let quad = self.to_capture(&clockwise(document.0));
        let kind = kind_of(quad.aspect_seen_from(self.centre()));
        let device =
            device.map(|(quad, support)| Device { quad: self.to_capture(&clockwise(quad)), edge_support: support });
        Document { quad, kind, edge_support: document.1, confidence, fills_frame: false, device }
    }

    /// `quad` with each side laid on the straight edge that runs along it, where there is one; and the mean share of
    /// the sides that is an edge.
    pub(super) fn drawn_in(&self, quad: &Quad) -> (Quad, f32) {
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
    pub fn straight(&self) -> Vec<StraightEdge> {
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
    pub(super) fn quads(&self) -> Vec<Candidate> {
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
    pub(super) fn zone_luma(&self, outer: &Quad, inner: &Quad) -> Option<(f32, f32)> {
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
    resize(plane.as_raw(), (width, height), &mut out, to, 1, fr::FilterType::Bilinear);
    out
}
