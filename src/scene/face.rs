//! The document's quadrilateral → which document it is, which side of it, and which way up it lies.

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, ArrayD};
use strum::VariantArray as _;

use super::Overview;
use crate::geometry::{Homography, PixelRect, Quad};
use crate::inference::{Model, write_planes};
use crate::vocabulary::Face;

/// Width and height of the picture that the network reads, the document's long side across.
const WIDTH: u32 = 192;
const HEIGHT: u32 = 120;
/// Samples a side that are averaged to one pixel: an overview has up to five pixels for one of the network's.
const FINE: u32 = 3;
/// Certainty from which the network is believed about which way up the document lies: part of what is measured, since it
/// says how the document is looked at; what is made of that stands in the policy.
const SURE_TURN: f32 = 0.8;
/// Doubt above which a whole picture is not taken for a document, likewise part of what is looked at: of 256 photographs of things and of cards on desks 1
/// to 5 % fall below, of 329 identity documents cut out along their border 98 %.
const WHOLE_DOUBT: f32 = 0.1;

/// What the network says of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// How likely each of [`Face::VARIANTS`] is; they sum to 1.
    pub shares: [f32; 7],
    /// How likely it is that the document lies turned clockwise by 0, 1, 2, 3 quarters, against the picture with the
    /// long side across.
    turns: [f32; 4],
}

impl Seen {
    /// The likeliest, and how likely it is, 0 to 1.
    #[must_use]
    pub fn face(&self) -> (Face, f32) {
        let best = likeliest(&self.shares);
        (Face::VARIANTS[best], self.shares[best])
    }

    /// How likely it is no document, 0 to 1.
    pub(super) fn doubt(&self) -> f32 {
        Face::VARIANTS.iter().zip(self.shares).find(|(face, _)| **face == Face::None).map_or(0.0, |(_, share)| share)
    }

    /// Whether a whole picture that looks like this is taken for a document.
    pub(super) fn is_sure(&self) -> bool {
        self.doubt() < WHOLE_DOUBT
    }

    /// Quarters by which the document lies turned clockwise, the long side across, and how sure that is, 0 to 1.
    #[must_use]
    pub fn turn(&self) -> (usize, f32) {
        let best = likeliest(&self.turns);
        (best, self.turns[best])
    }
}

fn likeliest(shares: &[f32]) -> usize {
    (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b])).unwrap_or_default()
}

/// Tells documents apart.
#[derive(Clone)]
pub struct Classifier(Arc<dyn Model>);

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Classifier")
    }
}

impl Classifier {
    /// The classifier that runs `model`.
    #[must_use]
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self(model)
    }

    /// Looks at the document as [`small`] lays it; `None` when the model fails.
    pub(super) fn look(&self, small: &RgbImage) -> Option<Seen> {
        let mut input = Array4::zeros((1, 3, HEIGHT as usize, WIDTH as usize));
        write_planes(small, input.as_slice_mut()?);
        let said = self.0.run(input.view().into_dyn()).ok()?;
        let [kinds, turns] = said.as_slice() else { return None };
        Some(Seen { shares: softmax(kinds)?, turns: softmax(turns)? })
    }
}

/// `quad` with its longer sides across: turned back by a quarter where they are upright.
#[must_use]
pub fn across(quad: &Quad) -> Quad {
    let [top, right, bottom, left] = quad.sides();
    let mut quad = *quad;
    if top + bottom < left + right {
        quad.0.rotate_left(1);
    }
    quad
}

/// `quad` from the document's own top left, where the network is sure which way up it lies.
#[must_use]
pub fn upright(quad: &Quad, seen: &Seen) -> Option<Quad> {
    let (turn, sure) = seen.turn();
    (sure >= SURE_TURN && seen.face().0 != Face::None).then(|| {
        let mut quad = across(quad);
        quad.0.rotate_left(turn);
        quad
    })
}

/// Whether the whole picture, so doubtful as a document, is to be read in place of a found one: where it is far less
/// doubtful than that, or nothing was asked about that.
pub fn fills_frame(whole: f32, found: Option<f32>) -> bool {
    found.is_some_and(|found| whole < WHOLE_DOUBT && 2.0 * whole <= found)
}

/// Whether a found quadrilateral is none after all: it looks like no document, and hardly any of its border is an edge.
pub fn is_guess(seen: Option<&Seen>, bounded: bool) -> bool {
    !bounded && seen.is_some_and(|seen| seen.face().0 == Face::None)
}

fn softmax<const N: usize>(logits: &ArrayD<f32>) -> Option<[f32; N]> {
    let mut shares: [f32; N] = logits.as_slice()?.try_into().ok()?;
    let top = shares.iter().copied().fold(f32::MIN, f32::max);
    shares = shares.map(|v| (v - top).exp());
    let total: f32 = shares.iter().sum();
    total.is_finite().then(|| shares.map(|v| v / total))
}

/// The document whose corners are `quad` in capture pixels seen straight on, in colour and small; `None` where they make
/// no rectangle.
pub(super) fn small(overview: &Overview, quad: &Quad) -> Option<RgbImage> {
    const COLUMNS: usize = (WIDTH * FINE) as usize;
    let fine = Quad(PixelRect::new(0, 0, WIDTH * FINE, HEIGHT * FINE).corners());
    let map = Homography::between(&fine, &quad.scaled(1.0 / overview.scale))?;
    let (width, height) = overview.luma.dimensions();
    let (most_x, most_y) = (width as f32 - 1.0, height as f32 - 1.0);
    let mut sums = vec![[0u16; 3]; (WIDTH * HEIGHT) as usize];
    let planes: [&[u8]; 3] = [&overview.luma, &overview.cb, &overview.cr].map(|plane| plane.as_raw().as_slice());
    let (mut columns, mut rows) = ([0.0; COLUMNS], [0.0; COLUMNS]);
    let mut samples = [0; COLUMNS];
    for y in 0..HEIGHT * FINE {
        // One thing at a time, so that many places are computed at once.
        let along = map.along(f64::from(y) + 0.5);
        for (x, (column, row)) in (0_i32..).zip(columns.iter_mut().zip(&mut rows)) {
            [*column, *row] = along(f64::from(x) + 0.5).map(|v| v as f32);
        }
        for (sample, (column, row)) in samples.iter_mut().zip(columns.iter().zip(&rows)) {
            let (column, row) = (column.max(0.0).min(most_x), row.max(0.0).min(most_y));
            *sample = (row as i32 * width as i32 + column as i32) as u32;
        }
        let sums = sums[(y / FINE * WIDTH) as usize..].iter_mut();
        for (sum, places) in sums.zip(samples.as_chunks::<{ FINE as usize }>().0) {
            for (value, plane) in sum.iter_mut().zip(planes) {
                *value += places.iter().map(|at| u16::from(plane[*at as usize])).sum::<u16>();
            }
        }
    }
    let plane = |c: usize| {
        let values = sums.iter().map(|sum| (sum[c] / (FINE * FINE) as u16) as u8).collect();
        image::GrayImage::from_raw(WIDTH, HEIGHT, values)
    };
    Some(super::ycc_to_rgb(&plane(0)?, &plane(1)?, &plane(2)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

    fn quad() -> Quad {
        Quad([(10.0, 10.0), (60.0, 10.0), (60.0, 90.0), (10.0, 90.0)].map(|(x, y)| Point::new(x, y)))
    }

    fn seen(turn: usize, sure: f32) -> Seen {
        let mut turns = [(1.0 - sure) / 3.0; 4];
        turns[turn] = sure;
        Seen { shares: [0.9, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0], turns }
    }

    #[test]
    fn the_long_side_comes_to_lie_across() {
        let [top, right, ..] = across(&quad()).sides();
        assert!(top > right);
        assert_eq!(across(&across(&quad())), across(&quad()));
    }

    #[test]
    fn a_document_is_turned_only_where_that_is_sure() {
        // Across, the picture was turned back by a quarter; turned forward by one it is as it was.
        assert_eq!(upright(&quad(), &seen(3, 0.95)), Some(quad()));
        assert_eq!(upright(&quad(), &seen(3, 0.5)), None);
    }

    #[test]
    fn what_looks_like_nothing_is_a_document_by_its_border_alone() {
        let mut nothing = seen(0, 0.9);
        let none = Face::VARIANTS.iter().position(|face| *face == Face::None).expect("a kind");
        nothing.shares = [0.03; 7];
        nothing.shares[none] = 0.82;
        assert!(is_guess(Some(&nothing), false) && !is_guess(Some(&nothing), true));
        // A page without a visible border is one, and without a classifier the search along edges is believed.
        assert!(!is_guess(Some(&seen(0, 0.9)), false) && !is_guess(None, false));
    }

    #[test]
    fn shares_sum_to_one_and_nonsense_has_none() {
        let shares: [f32; 3] =
            softmax(&ArrayD::from_shape_vec(vec![1, 3], vec![1.0, 2.0, 3.0]).expect("three")).expect("finite");
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!(softmax::<3>(&ArrayD::from_elem(vec![1, 3], f32::NAN)).is_none());
        assert!(softmax::<3>(&ArrayD::zeros(vec![1, 4])).is_none());
    }
}
