//! Straight edges around the document → the signs of a device: a second border, a dark frame, bars, parallel edges.
//!
//! Method: the rectangle about the document comes from the same search for straight edges as the document itself
//! ([`crate::scene::Device`]); the frame is the ring just outside the document; bars are whole rows or columns, at the
//! edge of the picture, in which nothing changes. Idea: displays are told by their bezel in the rebroadcast
//! literature (Agarwal et al., 2018). Blind spots: a tight crop shows no device; wallets, clipboards, dark desks
//! and table edges look like one.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Point, Quad};
use crate::scene::{Overview, Scene};
use crate::words::{Around, Fact};

/// Luma below which a frame is dark: a black border under room light stays within a fifth of white.
const DARK: u8 = 51;
/// Chroma this near to neutral is grey: black plastic and glass.
const NEUTRAL: u8 = 20;
/// Neighbours this close in luma are flat: JPEG's noise in an even area.
const FLAT: u8 = 4;
/// Edges within this angle of a side count as parallel to it: a display seen at a moderate slant.
const PARALLEL_DEG: f32 = 5.0;

pub static EDGE_SUPPORT: Reading = Reading::share(
    "bezel.edge_support",
    "border of a larger rectangle about the document that is an edge; 0 where there is none",
);
pub static CONCENTRIC: Reading = Reading::share(
    "bezel.concentric",
    "how exactly that rectangle shares the document's centre, 1 = exactly; 0 where there is none",
);
pub static ASPECT: Reading =
    Reading::new("bezel.aspect", "ratio", "long over short side of that rectangle, perspective undone");
pub static DARK_FRAME_SHARE: Reading = Reading::share(
    "bezel.dark_frame_share",
    "dark, grey and flat part of the ring about the document, or else of the picture's rim",
);
pub static BAR_SHARE: Reading =
    Reading::share("bezel.bar_share", "even rows or columns at the picture's edges, of its height or width");
pub static PARALLEL_EDGES_COUNT: Reading = Reading::count(
    "bezel.parallel_edges_count",
    "long edges parallel to the document's sides and off it; without a document, to one another",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "bezel",
        question: "Is the document shown inside a screen or device?",
        readings: &[&EDGE_SUPPORT, &CONCENTRIC, &ASPECT, &DARK_FRAME_SHARE, &BAR_SHARE, &PARALLEL_EDGES_COUNT],
        method: "Second rectangle about the document from straight edges, colour and evenness of the ring about it, \
                 even bars at the picture's edges, long parallel edges.",
        blind_spots: "A tight crop shows no device. A wallet, a clipboard, a dark desk or a table's edge looks like \
                      one.",
    },
    build: |_| Box::new(Bezel),
};

struct Bezel;

impl Detector for Bezel {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let overview = scene.overview();
        let document = scene.document();
        let quad = document.map(|d| d.quad.scaled(overview.scale.recip()));
        let dark = dark_frame_share(overview, quad.as_ref());
        let bars = bar_share(overview);
        let parallel = parallel_edges(scene, document.map(|d| &d.quad));
        let mut evidence = Evidence::default();
        let mut around = Around::Unknown;
        if let Some(document) = document {
            if let Some(device) = &document.device {
                let centre = Point::new(scene.capture().width() as f32, scene.capture().height() as f32).scaled(0.5);
                let off = device.quad.centre().distance(document.quad.centre());
                let concentric = (1.0 - off / (device.quad.area().sqrt() / 2.0)).max(0.0);
                let aspect = device.quad.aspect_seen_from(centre);
                evidence.read(&EDGE_SUPPORT, f64::from(device.edge_support));
                evidence.read(&CONCENTRIC, f64::from(concentric));
                evidence.read(&ASPECT, f64::from(aspect));
                // The locator marks a device that the network sees.
                if scene.maps().is_none() {
                    evidence.mark(MarkKind::Device, device.quad.0, device.edge_support);
                }
                around = Around::Rectangle { aspect, seen: device.edge_support };
            } else {
                evidence.read(&EDGE_SUPPORT, 0.0);
                evidence.read(&CONCENTRIC, 0.0);
                around = Around::Nothing;
            }
        }
        let edges = parallel.len();
        evidence.tell(Fact::Bezel { around, dark, bars, edges });
        evidence.read(&DARK_FRAME_SHARE, dark);
        evidence.read(&BAR_SHARE, bars);
        evidence.read(&PARALLEL_EDGES_COUNT, edges as f64);
        for (from, to, support) in parallel {
            evidence.mark(MarkKind::Edge, [from, to], support);
        }
        evidence.into()
    }
}

/// Dark, grey and flat share of the ring from 1.04 to 1.35 times the document, or of the outer eighth of the picture.
fn dark_frame_share(overview: &Overview, quad: Option<&Quad>) -> f64 {
    let (width, height) = overview.luma.dimensions();
    let whole = Quad(
        [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| Point::new(x * width as f32, y * height as f32)),
    );
    let (outer, inner) = quad.map_or_else(
        || (whole, whole.scaled_about_centre(0.75)),
        |q| (q.scaled_about_centre(1.35), q.scaled_about_centre(1.04)),
    );
    let (mut ring, mut dark) = (0u32, 0u32);
    for y in (0..height).step_by(3) {
        for x in (0..width.saturating_sub(1)).step_by(3) {
            let p = Point::new(x as f32, y as f32);
            if !outer.contains(p) || inner.contains(p) {
                continue;
            }
            ring += 1;
            let luma = overview.luma.get_pixel(x, y).0[0];
            let next = overview.luma.get_pixel(x + 1, y).0[0];
            let neutral = |plane: &image::GrayImage| plane.get_pixel(x, y).0[0].abs_diff(128) <= NEUTRAL;
            let is = luma < DARK && luma.abs_diff(next) <= FLAT && neutral(&overview.cb) && neutral(&overview.cr);
            dark += u32::from(is);
        }
    }
    f64::from(dark) / f64::from(ring.max(1))
}

/// Rows at the top and bottom, or columns at the sides, in which neighbours hardly differ: the larger share.
fn bar_share(overview: &Overview) -> f64 {
    let (width, height) = (overview.luma.width() as usize, overview.luma.height() as usize);
    let raw = overview.luma.as_raw();
    // An even line holds one grey level in its middle nine tenths, but for one neighbour in fifty.
    let even = |start: usize, step: usize, n: usize| {
        let (from, to) = (n / 20, n - n / 20);
        let at = |i: usize| raw[start + i * step];
        let changes = (from..to.saturating_sub(4)).step_by(4).filter(|&i| at(i).abs_diff(at(i + 4)) > FLAT).count();
        changes * 4 * 50 <= to - from
    };
    let share = |lines: usize, is: &dyn Fn(usize) -> bool| {
        let first = (0..lines).take_while(|i| is(*i)).count();
        let last = (0..lines - first).take_while(|i| is(lines - 1 - i)).count();
        // A picture that is even throughout has no bars.
        if first == lines { 0.0 } else { (first + last) as f64 / lines as f64 }
    };
    let rows = share(height, &|y| even(y * width, 1, width));
    let columns = share(width, &|x| even(x, width, height));
    rows.max(columns)
}

/// Long edges off the document and parallel to its sides; without one, the largest set parallel to one another.
fn parallel_edges(scene: &Scene<'_>, quad: Option<&Quad>) -> Vec<(Point, Point, f32)> {
    let direction = |a: Point, b: Point| (b.y - a.y).atan2(b.x - a.x).to_degrees();
    let aligned = |a: f32, b: f32| {
        let turn = (a - b).rem_euclid(180.0);
        turn.min(180.0 - turn) < PARALLEL_DEG
    };
    let edges: Vec<(Point, Point, f32)> = scene
        .straight_edges()
        .into_iter()
        // Half of it seen: print in line with itself covers less.
        .filter(|e| e.support > 0.5)
        .map(|e| (e.from, e.to, e.support))
        .collect();
    if let Some(quad) = quad {
        let off = quad.scaled_about_centre(1.06);
        let sides: Vec<(f32, f32)> = (0..4)
            .map(|i| (direction(quad.0[i], quad.0[(i + 1) % 4]), quad.0[i].distance(quad.0[(i + 1) % 4])))
            .collect();
        return edges
            .into_iter()
            .filter(|(a, b, _)| {
                let beside = |t: f32| !off.contains(a.towards(*b, t));
                let long =
                    |&(angle, length): &(f32, f32)| aligned(angle, direction(*a, *b)) && a.distance(*b) > 0.5 * length;
                [0.1, 0.3, 0.5, 0.7, 0.9].into_iter().all(beside) && sides.iter().any(long)
            })
            .collect();
    }
    let overview = scene.overview();
    let least = 0.5 * overview.scale * overview.luma.width().min(overview.luma.height()) as f32;
    let long: Vec<_> = edges.into_iter().filter(|(a, b, _)| a.distance(*b) > least).collect();
    let family = |&(a, b, _): &(Point, Point, f32)| {
        let turn = direction(a, b);
        long.iter().filter(|(c, d, _)| aligned(turn, direction(*c, *d))).copied().collect::<Vec<_>>()
    };
    long.iter().map(family).max_by_key(Vec::len).filter(|f| f.len() > 1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Capture, Container, MediaType, Metadata, Orientation, Pixels};
    use crate::geometry::PixelRect;
    use crate::scene::{Deadline, survey};

    /// What is read on a picture of 1024 × 768 with rectangles painted over an even ground.
    fn examined(ground: u8, layers: &[(PixelRect, u8)]) -> Evidence {
        let mut luma = vec![ground; 1024 * 768];
        for (rect, value) in layers {
            for y in rect.y..rect.y + rect.height {
                let start = (y * 1024 + rect.x) as usize;
                luma[start..start + rect.width as usize].fill(*value);
            }
        }
        let pixels = Pixels::new(1024, 768, luma, Orientation::Upright).expect("as many samples as pixels");
        let capture = Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default());
        match Bezel.examine(&survey(&capture, Deadline::NEVER)) {
            Outcome::Evidence(evidence) => evidence,
            Outcome::Abstained(why) => panic!("{why:?}"),
        }
    }

    const CARD: PixelRect = PixelRect::new(300, 221, 440, 278);

    #[test]
    fn a_phone_around_the_card_is_seen() {
        let seen = examined(150, &[(PixelRect::new(120, 150, 800, 420), 15), (CARD, 210)]);
        assert!(seen.value("bezel.edge_support").expect("read") > 0.7);
        assert!(seen.value("bezel.concentric").expect("read") > 0.8);
        assert!(seen.value("bezel.dark_frame_share").expect("read") > 0.8);
        assert!(seen.marks.iter().any(|m| m.kind == MarkKind::Device));
    }

    #[test]
    fn a_card_on_a_desk_has_no_device() {
        let inner = PixelRect::new(CARD.x + 16, CARD.y + 16, CARD.width - 32, CARD.height - 32);
        let middle = PixelRect::new(CARD.x + 20, CARD.y + 20, CARD.width - 40, CARD.height - 40);
        let seen = examined(120, &[(CARD, 225), (inner, 80), (middle, 220)]);
        assert_eq!(seen.value("bezel.edge_support"), Some(0.0));
        assert_eq!(seen.value("bezel.parallel_edges_count"), Some(0.0));
        assert!(seen.value("bezel.dark_frame_share").expect("read") < 0.01);
    }
}
