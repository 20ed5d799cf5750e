//! Cells under something, and the face of the document → over which of its fields that lies.

use super::{EMBLEM_SHARE, NUMBER_SHARE, PORTRAIT_SHARE};
use crate::evidence::Evidence;
use crate::geometry::{Homography, Point, UNIT};
use crate::scene::{Scene, Seen};
use crate::vocabulary::Face;

/// A field in shares of the upright document: left, top, right, bottom.
type Field = [f32; 4];

/// Where a portrait is, on the left or on the right: the resident identity card has it on the right, most other cards and
/// every passport (ICAO Doc 9303 part 4) on the left.
const PORTRAITS: [Field; 2] = [[0.04, 0.16, 0.34, 0.78], [0.62, 0.12, 0.94, 0.76]];
/// Print without which a side is none that text stands on, as a share of its cells.
const TEXT: f32 = 0.35;
/// How much more print the other side must bear than the portrait's.
const MORE: f32 = 1.3;
/// The emblem of the resident identity card, and of a licence.
const EMBLEM_OF_CARD: Field = [0.05, 0.07, 0.28, 0.44];
const EMBLEM_OF_LICENCE: Field = [0.42, 0.03, 0.58, 0.18];
/// The number of the resident identity card (GB 11643 on GA 490), and the zone of a passport.
const NUMBER_OF_CARD: Field = [0.32, 0.80, 0.94, 0.94];
const ZONE_OF_PASSPORT: Field = [0.03, 0.78, 0.97, 0.98];

/// The cells of the network's map.
pub(super) struct Cells {
    /// Their middles in the capture.
    pub(super) places: Vec<Point>,
    /// Whether something lies over each.
    pub(super) under: Vec<bool>,
    /// Whether print is seen in each, or would go on there.
    pub(super) print: Vec<bool>,
}

impl Cells {
    /// Adds the share of every field that the document has and that is under something.
    pub(super) fn measure(&self, scene: &Scene<'_>, evidence: &mut Evidence) {
        #[cfg(feature = "qr")]
        if let Some(share) = self.of_codes(scene) {
            evidence.read(&super::QR_SHARE, share);
        }
        let (Some(quad), Some((face, _))) = (scene.upright(), scene.seen().map(Seen::face)) else { return };
        let Some(shares) = Homography::between(&quad, &UNIT) else { return };
        let upright: Vec<Point> = self.places.iter().map(|p| shares.apply(*p)).collect();
        let portrait = match face {
            Face::PassportPage => Some(0),
            Face::PortraitSide => self.portrait_side(&upright),
            _ => None,
        };
        let number = match face {
            Face::PassportPage => Some(ZONE_OF_PASSPORT),
            // Other cards than the resident's, which has its portrait on the right, have theirs anywhere.
            Face::PortraitSide if portrait == Some(1) => Some(NUMBER_OF_CARD),
            _ => None,
        };
        let emblem = match face {
            Face::EmblemSide => Some(EMBLEM_OF_CARD),
            Face::Licence => Some(EMBLEM_OF_LICENCE),
            _ => None,
        };
        let fields =
            [(&PORTRAIT_SHARE, portrait.map(|side| PORTRAITS[side])), (&EMBLEM_SHARE, emblem), (&NUMBER_SHARE, number)];
        for (reading, field) in fields {
            if let Some(share) = field.and_then(|field| share(&upright, &self.under, field)) {
                evidence.read(reading, f64::from(share));
            }
        }
    }

    /// The side on which the portrait is: the other bears text. Nothing where that cannot be told.
    fn portrait_side(&self, upright: &[Point]) -> Option<usize> {
        let [left, right] = PORTRAITS.map(|field| share(upright, &self.print, field).unwrap_or(0.0));
        let (side, text, other) = if left > right { (1, left, right) } else { (0, right, left) };
        (text >= TEXT && text >= MORE * other).then_some(side)
    }

    /// The largest share of a code that is under something, of those that cannot be read; nothing without one.
    #[cfg(feature = "qr")]
    fn of_codes(&self, scene: &Scene<'_>) -> Option<f64> {
        let (codes, scale) = (scene.codes(), scene.overview().scale);
        let unread = codes.found.iter().filter(|code| code.content.is_none()).map(|code| {
            let corners: Vec<Point> = code.corners.iter().map(|p| p.scaled(scale)).collect();
            self.near(middle(&corners), reach(&corners))
        });
        let whole = codes.found.iter().any(|code| code.content.is_some());
        // Two finder patterns stand at both ends of a side, or of the diagonal: the code is within their distance.
        let pair = codes.finders.filter(|_| !whole).map(|pair| {
            let [a, b] = pair.map(|p| p.scaled(scale));
            self.near(a.towards(b, 0.5), a.distance(b))
        });
        unread.chain(pair).flatten().fold(None, |most: Option<f64>, share| Some(most.map_or(share, |m| m.max(share))))
    }

    /// Share of the cells within `reach` of `centre` that are under something.
    #[cfg(feature = "qr")]
    fn near(&self, centre: Point, reach: f32) -> Option<f64> {
        let near: Vec<bool> =
            self.places.iter().zip(&self.under).filter(|(p, _)| p.distance(centre) <= reach).map(|(_, u)| *u).collect();
        let under = near.iter().filter(|under| **under).count();
        (!near.is_empty()).then(|| under as f64 / near.len() as f64)
    }
}

#[cfg(feature = "qr")]
fn middle(corners: &[Point]) -> Point {
    let count = corners.len().max(1) as f32;
    let sum = |of: fn(&Point) -> f32| corners.iter().map(of).sum::<f32>() / count;
    Point::new(sum(|p| p.x), sum(|p| p.y))
}

#[cfg(feature = "qr")]
fn reach(corners: &[Point]) -> f32 {
    corners.iter().map(|p| p.distance(middle(corners))).fold(0.0, f32::max)
}

/// Share of the cells of `field` that are `set`; nothing where it has none.
fn share(upright: &[Point], set: &[bool], [left, top, right, bottom]: Field) -> Option<f32> {
    let inside = |p: &Point| (left..right).contains(&p.x) && (top..bottom).contains(&p.y);
    let (mut all, mut of_them) = (0usize, 0usize);
    for (_, set) in upright.iter().zip(set).filter(|(p, _)| inside(p)) {
        all += 1;
        of_them += usize::from(*set);
    }
    (all > 0).then(|| of_them as f32 / all as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cells of the unit square with print and something over them where `print` and `under` say so.
    fn cells(print: impl Fn(f32, f32) -> bool, under: impl Fn(f32, f32) -> bool) -> Cells {
        let places: Vec<Point> =
            (0..15 * 24).map(|i| Point::new(((i % 24) as f32 + 0.5) / 24.0, ((i / 24) as f32 + 0.5) / 15.0)).collect();
        Cells {
            under: places.iter().map(|p| under(p.x, p.y)).collect(),
            print: places.iter().map(|p| print(p.x, p.y)).collect(),
            places,
        }
    }

    #[test]
    fn a_portrait_is_beside_the_text_and_nowhere_where_that_is_not_known() {
        let left_text = cells(|x, _| x < 0.55, |_, _| false);
        assert_eq!(left_text.portrait_side(&left_text.places), Some(1));
        let right_text = cells(|x, _| x > 0.4, |_, _| false);
        assert_eq!(right_text.portrait_side(&right_text.places), Some(0));
        for print in [|_: f32, _: f32| false, |_: f32, _: f32| true] {
            let cells = cells(print, |_, _| false);
            assert_eq!(cells.portrait_side(&cells.places), None);
        }
    }

    #[test]
    fn a_field_is_covered_by_its_own_cells_alone() {
        let thumb = cells(|_, _| false, |x, y| x > 0.7 && y < 0.5);
        let of = |field| share(&thumb.places, &thumb.under, field).expect("cells");
        assert!(of(PORTRAITS[1]) > 0.35 && of(PORTRAITS[0]) < 1e-6);
        assert!(of(EMBLEM_OF_CARD) < 1e-6 && of(NUMBER_OF_CARD) < 1e-6);
        assert_eq!(share(&thumb.places, &thumb.under, [0.5, 0.5, 0.5, 0.5]), None);
    }
}
