//! Overview → the document's four corners, and the device around it when it is shown on one.
//!
//! Straight edges are found by a Hough transform in which every edge pixel votes along its own signed gradient only
//! (after O'Gorman and Clowes, 1976), refined by least squares, and every pair of near-parallel edges is combined with
//! every pair across it. A quadrilateral is scored by how much of each side is really an edge, by whether all sides
//! are brighter (or all darker) inside, by whether the edges end at its corners, and by known aspect ratios.

mod lines;
mod quads;

use quads::Candidate;
pub(super) use quads::Edges;
pub use quads::StraightEdge;

use super::locator::Maps;
use crate::geometry::{PixelRect, Point, Quad};
use crate::vocabulary::{DocumentKind, Face};

/// What agreement with the locator's maps weighs beside the score of straight edges: by trial on the phone frames that the
/// locator was taught with (weights 1, 2 and 3), so it leans to the locator.
const AGREEMENT: f32 = 3.0;
/// Agreement below which a quadrilateral is another one than the locator means.
const LEAST_AGREEMENT: f32 = 0.3;
/// Least share of any one side that must be an edge.
const LEAST_SUPPORT: f32 = 0.3;
/// Share of the picture from which a document without a border in it fills it.
const NEARLY_ALL: f32 = 0.90;

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

    /// Whether at least as much of its border is an edge as any one side must have.
    pub(super) fn is_bounded(&self) -> bool {
        self.edge_support >= LEAST_SUPPORT
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

#[cfg(test)]
mod tests {
    use image::GrayImage;

    use super::*;
    use crate::scene::Overview;

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
}
