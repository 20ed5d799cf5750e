//! The document seen straight on, in colour → the red seal on it: where, how whole its outline, how plain its strokes.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Homography, PixelRect, Point, Quad};
use crate::scene::{Overview, Scene, Seen};
use crate::vocabulary::{Face, Zone};
use crate::words::Fact;

/// Longest side of the view that is searched, in pixels: a seal of 40 mm on A4 is 70 px wide.
const LONG_PX: f32 = 512.0;
/// Shortest side of a document that can be searched, in pixels of the view.
const LEAST_PX: f32 = 120.0;
/// Side of the cells in which red is gathered, in pixels; and red pixels that make one.
const CELL: usize = 4;
const LEAST_RED: usize = 2;
/// Levels of red-difference chroma above that of the paper from which a pixel is red; where chroma is noisy so many times
/// its spread.
const STEP: i32 = 5;
const NOISE_STEPS: i32 = 4;
/// Red inks, vermilion to pink: blue-difference over red-difference chroma. Skin, wood and gold lie below, violet above.
const HUES: [f32; 2] = [-0.85, 0.45];
/// Seals are 12 to 60 mm wide; shares of the long side of a page.
const SIZES: [f32; 2] = [0.045, 0.40];
/// Longest side over shortest of an oval seal, 45 × 30 mm, and some perspective.
const MOST_LONG: f32 = 1.8;
/// The same of a square one, and its largest size: frames of forms are longer or larger.
const MOST_LONG_SQUARE: f32 = 1.3;
const LARGEST_SQUARE: f32 = 0.24;
/// Red part of what lies within the outline: a ring with nothing in it is none, nor is a disc, as an emblem is.
const FILLS: [f32; 2] = [0.05, 0.66];
/// Directions in which the outline is looked for, and how far from it a stroke may lie, as a share of the half width.
const DIRECTIONS: usize = 60;
const ASTRAY: f32 = 0.07;
/// An outline is followed all round: no more of it counts than this many times its worst quarter.
const OF_WORST: f32 = 1.35;
/// The part of the half width that tells a line around from print that fills a box: there must be less red.
const GAP: [f32; 2] = [0.80, 0.90];
/// Red areas that are looked at, the largest first, points of each, and circles laid through three of these.
const MOST_AREAS: usize = 8;
const MOST_POINTS: usize = 1500;
const CIRCLES: u32 = 150;
/// Where a licence bears the emblem, in shares of the upright document: left, right, lower end.
const EMBLEM: [f32; 3] = [0.38, 0.62, 0.32];

pub static OUTLINE_SHARE: Reading = Reading::share(
    "seal.outline_share",
    "part of a round, oval or square outline that red strokes follow, of what looks most like a seal; 0 where nothing red has \
     a seal's size",
);
pub static ROUND_SHARE: Reading = Reading::share("seal.round_share", "the same of a round or oval outline alone");
pub static AREA_SHARE: Reading = Reading::share("seal.area_share", "part of the document within that outline");
pub static CONTRAST: Reading =
    Reading::share("seal.contrast", "how much darker its strokes are than the paper between them, of the paper's luma");
pub static SATURATION: Reading = Reading::share(
    "seal.saturation",
    "red-difference chroma of its stronger strokes over that of the paper, of what full red has: a pale seal has little",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "seal",
        question: "Does a licence, letter or form bear a red seal, and is it plain?",
        readings: &[&OUTLINE_SHARE, &ROUND_SHARE, &AREA_SHARE, &CONTRAST, &SATURATION],
        method: "Licences and pages alone. The overview's luma and chroma are laid straight; red is chroma against that of \
                 the paper. Red that hangs together is compared with the ellipse and the turned rectangles around it and with \
                 circles through three of its points: the outline counts in 60 directions where a stroke follows it, less \
                 those where red lies as close within. Red discs, and what stands where a licence has its emblem, are left \
                 out.",
        blind_spots: "A seal in black or blue ink, or under a coloured lamp; a dry seal. A red logo in a ring, a circle \
                      drawn around red writing, or a square block of red print looks like one. What it says is not read.",
    },
    build: |_| Box::new(Seal),
};

struct Seal;

impl Detector for Seal {
    fn waits(&self) -> bool {
        true
    }

    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let face = scene.seen().map(Seen::face).map(|(face, _)| face);
        let abstain = |cause, fact| Abstention::new(cause, fact).into();
        let Some(face @ (Face::Licence | Face::Page)) = face else {
            return abstain(AbstentionCause::NotApplicable, Fact::SealNeedsPaper);
        };
        if scene.capture().is_grey() {
            return abstain(AbstentionCause::NotApplicable, Fact::SealNeedsColour);
        }
        let quad = scene.outline();
        let Some(view) = View::of(scene.overview(), &quad) else {
            return abstain(AbstentionCause::InsufficientResolution, Fact::SealNeedsPixels);
        };
        let emblem = face == Face::Licence && scene.upright().is_some();
        let best = view.seals(emblem).into_iter().max_by(|a, b| a.outline.total_cmp(&b.outline));
        let mut evidence = Evidence::default();
        evidence.read(&OUTLINE_SHARE, best.as_ref().map_or(0.0, |seal| f64::from(seal.outline)));
        if let Some(seal) = &best {
            evidence.read(&ROUND_SHARE, f64::from(seal.round));
            evidence.read(&AREA_SHARE, f64::from(seal.area / (view.width * view.height) as f32));
            evidence.read(&CONTRAST, f64::from(seal.contrast));
            evidence.read(&SATURATION, f64::from(seal.saturation));
            let zone = Zone::at(seal.shape.centre.x / view.width as f32, seal.shape.centre.y / view.height as f32);
            let outline = seal.shape.corners().map(|p| view.to_capture.apply(p));
            evidence.mark_zone(MarkKind::Seal, outline, seal.outline, zone);
        }
        evidence.tell(Fact::Seal { found: best.map(|seal| (seal.outline, seal.contrast, seal.saturation)) });
        evidence.into()
    }
}

/// The document laid straight: luma, and chroma against that of its paper.
struct View {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    /// Red-difference chroma above the paper's where the pixel is red, 0 elsewhere.
    red: Vec<u8>,
    to_capture: Homography,
}

/// An outline: half width and half height along an axis turned by `angle`.
#[derive(Debug, Clone, Copy)]
struct Shape {
    centre: Point,
    half: [f32; 2],
    /// Cosine and sine.
    axis: [f32; 2],
    round: bool,
}

/// What looks like a seal.
struct Found {
    shape: Shape,
    outline: f32,
    round: f32,
    /// In pixels of the view.
    area: f32,
    contrast: f32,
    saturation: f32,
}

impl View {
    fn of(overview: &Overview, quad: &Quad) -> Option<Self> {
        let here = quad.scaled(1.0 / overview.scale);
        let [top, right, bottom, left] = here.sides();
        let (across, down) = (f32::midpoint(top, bottom), f32::midpoint(left, right));
        let by = (LONG_PX / across.max(down)).min(1.0);
        if across.min(down) * by < LEAST_PX {
            return None;
        }
        let (width, height) = ((across * by).round() as usize, (down * by).round() as usize);
        let rect = Quad(PixelRect::new(0, 0, width as u32, height as u32).corners());
        let map = Homography::between(&rect, &here)?;
        let planes = [&overview.luma, &overview.cb, &overview.cr];
        let (most_x, most_y) = (f64::from(overview.luma.width()) - 1.0, f64::from(overview.luma.height()) - 1.0);
        let stride = overview.luma.width() as usize;
        let mut seen = [0; 3].map(|_: u8| vec![0; width * height]);
        for y in 0..height {
            let along = map.along(y as f64 + 0.5);
            for x in 0..width {
                let [u, v] = along(x as f64 + 0.5);
                let at = v.clamp(0.0, most_y) as usize * stride + u.clamp(0.0, most_x) as usize;
                for (seen, plane) in seen.iter_mut().zip(planes) {
                    seen[y * width + x] = plane.as_raw()[at];
                }
            }
        }
        let [luma, cb, cr] = seen;
        let red = red(&luma, &cb, &cr);
        Some(Self { width, height, luma, red, to_capture: Homography::between(&rect, quad)? })
    }

    /// What looks like a seal, of every red area; `emblem`: what stands where a licence bears it is none.
    fn seals(&self, emblem: bool) -> Vec<Found> {
        self.areas().iter().filter_map(|points| self.seal(points, emblem)).collect()
    }

    /// The points of red areas that hang together over gaps of a cell, the largest first.
    fn areas(&self) -> Vec<Vec<Point>> {
        let (columns, rows) = (self.width.div_ceil(CELL), self.height.div_ceil(CELL));
        let mut counts = vec![0usize; columns * rows];
        for (y, line) in self.red.chunks_exact(self.width).enumerate() {
            for (x, red) in line.iter().enumerate() {
                counts[y / CELL * columns + x / CELL] += usize::from(*red > 0);
            }
        }
        let mut left: Vec<bool> = counts.iter().map(|count| *count >= LEAST_RED).collect();
        let mut areas: Vec<(usize, Vec<usize>)> = Vec::new();
        for start in 0..left.len() {
            if !std::mem::take(&mut left[start]) {
                continue;
            }
            let (mut open, mut cells) = (vec![start], Vec::new());
            while let Some(i) = open.pop() {
                cells.push(i);
                let (x, y) = (i % columns, i / columns);
                for y in y.saturating_sub(2)..(y + 3).min(rows) {
                    for x in x.saturating_sub(2)..(x + 3).min(columns) {
                        if std::mem::take(&mut left[y * columns + x]) {
                            open.push(y * columns + x);
                        }
                    }
                }
            }
            let red: usize = cells.iter().map(|i| counts[*i]).sum();
            let least = SIZES[0] * self.long() / CELL as f32;
            if cells.len() as f32 >= 2.0 * least {
                areas.push((red, cells));
            }
        }
        areas.sort_by_key(|(red, cells)| (std::cmp::Reverse(*red), cells[0]));
        areas.truncate(MOST_AREAS);
        areas.into_iter().map(|(_, cells)| self.points(&cells, columns)).collect()
    }

    fn points(&self, cells: &[usize], columns: usize) -> Vec<Point> {
        let mut points = Vec::new();
        for i in cells {
            let (left, top) = (i % columns * CELL, i / columns * CELL);
            for y in top..(top + CELL).min(self.height) {
                for x in left..(left + CELL).min(self.width) {
                    if self.red[y * self.width + x] > 0 {
                        points.push(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                    }
                }
            }
        }
        points
    }

    fn long(&self) -> f32 {
        self.width.max(self.height) as f32
    }

    fn seal(&self, points: &[Point], emblem: bool) -> Option<Found> {
        let few: Vec<Point> = points.iter().step_by(points.len().div_ceil(MOST_POINTS).max(1)).copied().collect();
        let fits = |shape: &Shape| {
            let [long, short] = [shape.half[0].max(shape.half[1]), shape.half[0].min(shape.half[1])];
            let place = Point::new(shape.centre.x / self.width as f32, shape.centre.y / self.height as f32);
            let of_emblem = emblem && (EMBLEM[0]..EMBLEM[1]).contains(&place.x) && place.y < EMBLEM[2];
            let size = 2.0 * long / self.long();
            let (largest, most_long) =
                if shape.round { (SIZES[1], MOST_LONG) } else { (LARGEST_SQUARE, MOST_LONG_SQUARE) };
            (SIZES[0]..largest).contains(&size) && long <= most_long * short && !of_emblem
        };
        let around = (0..18).map(|k| Shape::around(&few, 5.0 * k as f32, false));
        let oval = (0..6).map(|k| Shape::around(&few, 30.0 * k as f32, true));
        let shapes = around.chain(oval).flatten().chain(circles(&few)).filter(fits);
        // Thinned out for the choice, whole for what is told.
        let (shape, _) = shapes.map(|shape| (shape, shape.followed(&few))).max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let outline = shape.followed(points);
        let (fill, contrast, saturation) = self.strokes(&shape)?;
        if !(FILLS[0]..=FILLS[1]).contains(&fill) {
            return None;
        }
        let [a, b] = shape.half;
        let area = if shape.round { std::f32::consts::PI * a * b } else { 4.0 * a * b };
        Some(Found { shape, outline, round: if shape.round { outline } else { 0.0 }, area, contrast, saturation })
    }

    /// Of what lies well within `shape`: its red part; and over the whole of it how much darker the strokes are than the
    /// paper between them, and how red.
    fn strokes(&self, shape: &Shape) -> Option<(f32, f32, f32)> {
        let reach = shape.half[0].hypot(shape.half[1]);
        let span = |middle: f32, most: usize| {
            (middle - reach).max(0.0) as usize..((middle + reach).max(0.0).ceil() as usize).min(most)
        };
        let (mut within, mut red_within) = (0usize, 0usize);
        let (mut strokes, mut paper, mut reds) = ([0u32; 256], [0u32; 256], [0u32; 256]);
        for y in span(shape.centre.y, self.height) {
            for x in span(shape.centre.x, self.width) {
                let off = shape.off(Point::new(x as f32 + 0.5, y as f32 + 0.5));
                if off > 1.0 + ASTRAY {
                    continue;
                }
                let (luma, red) = (self.luma[y * self.width + x], self.red[y * self.width + x]);
                if off < GAP[0] {
                    within += 1;
                    red_within += usize::from(red > 0);
                }
                if red > 0 {
                    strokes[usize::from(luma)] += 1;
                    reds[usize::from(red)] += 1;
                } else {
                    paper[usize::from(luma)] += 1;
                }
            }
        }
        let strokes = f32::from(quantile(&strokes, 0.5)?);
        let paper = f32::from(quantile(&paper, 0.6)?);
        // Full red is (255, 0, 0): its red-difference chroma is 127.
        let saturation = f32::from(quantile(&reds, 0.75)?) / 127.0;
        let contrast = ((paper - strokes) / paper.max(1.0)).clamp(0.0, 1.0);
        Some((red_within as f32 / within.max(1) as f32, contrast, saturation.min(1.0)))
    }
}

/// Red-difference chroma above that of the paper where a pixel is red, 0 elsewhere.
fn red(luma: &[u8], cb: &[u8], cr: &[u8]) -> Vec<u8> {
    let count = |values: &mut dyn Iterator<Item = u8>| {
        let mut histogram = [0u32; 256];
        values.for_each(|v| histogram[usize::from(v)] += 1);
        histogram
    };
    let bright = quantile(&count(&mut luma.iter().copied()), 0.4).unwrap_or_default();
    let of_paper = |plane: &[u8]| {
        let mut values = plane.iter().zip(luma).filter(|(_, luma)| **luma >= bright).map(|(v, _)| *v);
        count(&mut values)
    };
    let (blues, reds) = (of_paper(cb), of_paper(cr));
    let middle = |histogram| i32::from(quantile(histogram, 0.5).unwrap_or(128));
    let (paper_cb, paper_cr) = (middle(&blues), middle(&reds));
    let spread = paper_cr - i32::from(quantile(&reds, 0.16).unwrap_or(128));
    let step = STEP.max(NOISE_STEPS * spread);
    let of = |(cb, cr): (&u8, &u8)| {
        let (blue, red) = (i32::from(*cb) - paper_cb, i32::from(*cr) - paper_cr);
        let hue = blue as f32 / red.max(1) as f32;
        if red >= step && (HUES[0]..HUES[1]).contains(&hue) { red.min(255) as u8 } else { 0 }
    };
    cb.iter().zip(cr).map(of).collect()
}

/// The value below which `share` of the counted ones lie.
fn quantile(histogram: &[u32; 256], share: f64) -> Option<u8> {
    let total: u32 = histogram.iter().sum();
    let wanted = (f64::from(total) * share) as u32;
    let mut sum = 0;
    (0..=255u8).find(|v| {
        sum += histogram[usize::from(*v)];
        sum > wanted
    })
}

impl Shape {
    /// The ellipse or rectangle around all but a hundredth of `points` at each end, its axis turned by `degrees`.
    fn around(points: &[Point], degrees: f32, round: bool) -> Option<Self> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let ends = |along: [f32; 2]| {
            let mut at: Vec<f32> = points.iter().map(|p| p.x * along[0] + p.y * along[1]).collect();
            let skipped = at.len() / 100;
            let last = at.len().checked_sub(1 + skipped)?;
            let low = *at.select_nth_unstable_by(skipped, f32::total_cmp).1;
            let high = *at.select_nth_unstable_by(last, f32::total_cmp).1;
            Some((f32::midpoint(low, high), (high - low) / 2.0))
        };
        let ((u, a), (v, b)) = (ends([cos, sin])?, ends([-sin, cos])?);
        let centre = Point::new(u * cos - v * sin, u * sin + v * cos);
        (a >= 2.0 && b >= 2.0).then_some(Self { centre, half: [a, b], axis: [cos, sin], round })
    }

    /// A place in half widths along both axes.
    fn place(&self, p: Point) -> [f32; 2] {
        let (x, y) = (p.x - self.centre.x, p.y - self.centre.y);
        [(x * self.axis[0] + y * self.axis[1]) / self.half[0], (y * self.axis[0] - x * self.axis[1]) / self.half[1]]
    }

    /// How far out a place lies: 1 on the outline.
    fn off(&self, p: Point) -> f32 {
        let [u, v] = self.place(p);
        if self.round { u.hypot(v) } else { u.abs().max(v.abs()) }
    }

    /// Part of the directions in which one of `points` lies on the outline and no more lie close within; hardly more than
    /// in the quarter where it is least.
    fn followed(&self, points: &[Point]) -> f32 {
        let (mut on_count, mut within) = ([0u32; DIRECTIONS], [0u32; DIRECTIONS]);
        for p in points {
            let [u, v] = self.place(*p);
            let off = if self.round { u.hypot(v) } else { u.abs().max(v.abs()) };
            let turn = v.atan2(u) / std::f32::consts::TAU + 0.5;
            let k = ((turn * DIRECTIONS as f32) as usize).min(DIRECTIONS - 1);
            if (off - 1.0).abs() <= ASTRAY {
                on_count[k] += 1;
            } else if (GAP[0]..GAP[1]).contains(&off) {
                within[k] += 1;
            }
        }
        // The border of a block of print looks like a square, but for what lies within.
        let times = if self.round { 1 } else { 2 };
        let line = |k: usize| on_count[k] > 0 && on_count[k] >= times * within[k];
        let share = |from: usize, count: usize| {
            (from..from + count).filter(|k| line(k % DIRECTIONS)).count() as f32 / count as f32
        };
        let quarter = DIRECTIONS / 4;
        let worst = (0..8).map(|eighth| share(eighth * DIRECTIONS / 8, quarter)).fold(1.0, f32::min);
        share(0, DIRECTIONS).min(OF_WORST * worst)
    }

    fn corners(&self) -> [Point; 4] {
        [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)].map(|(u, v)| {
            let (u, v) = (u * self.half[0], v * self.half[1]);
            Point::new(
                self.centre.x + u * self.axis[0] - v * self.axis[1],
                self.centre.y + u * self.axis[1] + v * self.axis[0],
            )
        })
    }
}

/// Circles through three of `points` each, chosen by a fixed rule: the same points give the same circles.
fn circles(points: &[Point]) -> impl Iterator<Item = Shape> {
    let mut state = 1u64;
    let mut next = move || {
        // Knuth's MMIX generator.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        points[(state >> 33) as usize % points.len().max(1)]
    };
    let count = if points.len() < 3 { 0 } else { CIRCLES };
    (0..count).filter_map(move |_| {
        let (a, b, c) = (next(), next(), next());
        let (bx, by, cx, cy) = (b.x - a.x, b.y - a.y, c.x - a.x, c.y - a.y);
        let d = 2.0 * (bx * cy - by * cx);
        let (b2, c2) = (bx * bx + by * by, cx * cx + cy * cy);
        let (x, y) = ((cy * b2 - by * c2) / d, (bx * c2 - cx * b2) / d);
        let radius = x.hypot(y);
        let centre = Point::new(a.x + x, a.y + y);
        (radius.is_finite() && radius >= 2.0).then_some(Shape {
            centre,
            half: [radius; 2],
            axis: [1.0, 0.0],
            round: true,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: usize = 400;

    /// A view of paper with `ink` (0 to 127 levels of red) where `at` says so.
    fn view(ink: u8, at: impl Fn(f32, f32) -> bool) -> View {
        let inked: Vec<bool> = (0..SIDE * SIDE).map(|i| at((i % SIDE) as f32, (i / SIDE) as f32)).collect();
        let luma: Vec<u8> = inked.iter().map(|inked| if *inked { 220 - ink } else { 220 }).collect();
        let cr: Vec<u8> = inked.iter().map(|inked| if *inked { 128 + ink } else { 128 }).collect();
        let cb: Vec<u8> = inked.iter().map(|inked| if *inked { 128 - ink / 3 } else { 128 }).collect();
        let red = red(&luma, &cb, &cr);
        let rect = Quad(PixelRect::new(0, 0, SIDE as u32, SIDE as u32).corners());
        let to_capture = Homography::between(&rect, &rect).expect("a rectangle");
        View { width: SIDE, height: SIDE, luma, red, to_capture }
    }

    fn best(view: &View) -> Option<Found> {
        view.seals(false).into_iter().max_by(|a, b| a.outline.total_cmp(&b.outline))
    }

    /// Writing within an outline: three bars and a dot.
    fn writing(x: f32, y: f32) -> bool {
        x.abs() < 22.0 && [-18.0_f32, 0.0, 18.0].iter().any(|row| (y - row).abs() < 2.0) || x.hypot(y) < 6.0
    }

    #[test]
    fn a_ring_an_oval_and_a_square_with_writing_are_seals() {
        let shapes: [(&str, fn(f32, f32) -> bool); 3] = [
            ("ring", |x, y| (x.hypot(y) - 42.0).abs() < 2.0),
            ("oval", |x, y| ((x / 55.0).hypot(y / 38.0) - 1.0).abs() < 0.05),
            ("square", |x, y| (x.abs().max(y.abs()) - 40.0).abs() < 2.0),
        ];
        for (name, line) in shapes {
            let turned = |x: f32, y: f32| {
                let (x, y) = (x - 230.0, y - 180.0);
                let (sin, cos) = 0.2_f32.sin_cos();
                (x * cos + y * sin, y * cos - x * sin)
            };
            let view = view(60, |x, y| {
                let (x, y) = turned(x, y);
                line(x, y) || writing(x, y)
            });
            let found = best(&view).unwrap_or_else(|| panic!("no {name}"));
            // An oval that lies between two of the angles that are tried is followed in part.
            assert!(found.outline > if name == "oval" { 0.7 } else { 0.9 }, "{name}: {}", found.outline);
            assert_eq!(found.shape.round, name != "square", "{name}");
            assert!(found.shape.centre.distance(Point::new(230.0, 180.0)) < 4.0, "{name}");
            assert!(found.saturation > 0.4 && found.contrast > 0.2, "{name}");
        }
    }

    #[test]
    fn a_pale_seal_is_found_and_told_as_pale() {
        let ring = |x: f32, y: f32| (x.hypot(y) - 42.0).abs() < 2.0 || writing(x, y);
        let view = view(12, |x, y| ring(x - 200.0, y - 200.0));
        let found = best(&view).expect("a pale seal");
        assert!(found.outline > 0.9 && found.saturation < 0.11, "{} {}", found.outline, found.saturation);
    }

    #[test]
    fn a_disc_and_a_line_of_print_are_none() {
        let disc = view(60, |x, y| (x - 200.0).hypot(y - 200.0) < 40.0);
        assert!(best(&disc).is_none_or(|found| found.outline < 0.3));
        let title = view(60, |x, y| {
            (190.0..206.0).contains(&y) && (60.0..340.0).contains(&x) && !(x as u32 / 4).is_multiple_of(3)
        });
        assert!(best(&title).is_none_or(|found| found.outline < 0.5));
    }
}
