//! Overview and the document's corners → the part of the document in a deep shadow that goes on beyond its border.

use std::collections::BTreeSet;

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Point, Quad};
use crate::scene::{Overview, Scene};
use crate::words::Fact;

/// Cells along a side of the document, and places along a side of a cell at which it is looked at.
const CELLS: usize = 16;
const PLACES: usize = 4;
/// Paper in a cell: the brightest but one in ten of its places. Lit paper: that of the brightest fifth of the cells.
const PAPER: f32 = 0.9;
const LIT: f32 = 0.8;
/// In deep shadow paper has less than this share of the luma of lit paper, and what lies beside it beyond the border less
/// than this share of the lit surround: print that is darker on one side of a document ends at its border, a shadow
/// does not. Of the light a hundredth is left there, and 30 of 255 levels between ink and paper; print in a shadow of a
/// quarter of the luma is read as before.
const DEEP: f32 = 0.12;
const DEEP_BEYOND: f32 = 0.4;
/// How far beyond the border is looked, as shares of the document's extent across it.
const BEYOND: [f32; 3] = [0.04, 0.06, 0.08];
/// Of the 64 cells at the border so many at least lie beside dark surround: a thing beside the document may be dark too.
const LEAST_BESIDE: usize = 8;
/// Places beyond a cell that must lie in the picture, of nine.
const SEEN: usize = 5;

pub static SHARE: Reading =
    Reading::share("shadow.share", "the document in a deep shadow that goes on beyond its border");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "shadow",
        question: "Does part of the document lie in deep shadow?",
        readings: &[&SHARE],
        method: "Luma of the paper in 16 × 16 cells of the document on the overview; cells with less than an eighth of \
                 that of the lit ones count where they hang together with one beside which the surround is dark too.",
        blind_spots: "On a table as dark as a shadow none is seen. A shadow within the document, a shallow one, and one \
                      over all of it are no part of this.",
    },
    build: |_| Box::new(Shadow),
};

struct Shadow;

impl Detector for Shadow {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(document) = scene.subject().filter(|document| !document.fills_frame) else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::SheetNeedsBorder).into();
        };
        let overview = scene.overview();
        let quad = document.quad.scaled(overview.scale.recip());
        let cells = in_shadow(overview, &quad);
        let share = cells.len() as f64 / (CELLS * CELLS) as f64;
        let mut evidence = Evidence::told(Fact::Shadow { share });
        evidence.read(&SHARE, share);
        if let Some(frame) = frame(&cells) {
            evidence.mark(MarkKind::Cover, frame.map(|(u, v)| document.quad.inside(u, v)), share as f32);
        }
        evidence.into()
    }
}

fn quantile(mut values: Vec<f32>, share: f32) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get((share * values.len().saturating_sub(1) as f32).round() as usize).copied()
}

/// Row and column of each cell in deep shadow.
fn in_shadow(overview: &Overview, quad: &Quad) -> BTreeSet<(usize, usize)> {
    let cells = CELLS as f32;
    let luma = |place: Point| overview.at(place).map(|[luma, ..]| luma);
    let paper = |row: usize, column: usize| {
        let at = |cell: usize, k: usize| (cell as f32 + (k as f32 + 0.5) / PLACES as f32) / cells;
        let places = (0..PLACES * PLACES).map(|i| quad.inside(at(column, i % PLACES), at(row, i / PLACES)));
        quantile(places.filter_map(luma).collect(), PAPER)
    };
    let papers: Vec<Option<f32>> = (0..CELLS * CELLS).map(|i| paper(i / CELLS, i % CELLS)).collect();
    let Some(lit) = quantile(papers.iter().copied().flatten().collect(), LIT) else { return BTreeSet::new() };
    let is_deep = |(row, column): (usize, usize)| papers[row * CELLS + column].is_some_and(|paper| paper < DEEP * lit);
    // Beside each cell of the border: above, below, left, right.
    let beside = |k: usize, side: usize| {
        let along = |step: i32| (k as f32 + 0.5 + 0.4 * step as f32) / cells;
        let places = BEYOND.into_iter().flat_map(|off| {
            (-1..=1).map(move |step| match side {
                0 => (along(step), -off),
                1 => (along(step), 1.0 + off),
                2 => (-off, along(step)),
                _ => (1.0 + off, along(step)),
            })
        });
        let seen: Vec<f32> = places.filter_map(|(u, v)| luma(quad.inside(u, v))).collect();
        let cell = [(0, k), (CELLS - 1, k), (k, 0), (k, CELLS - 1)][side];
        (seen.len() >= SEEN).then(|| quantile(seen, 0.5)).flatten().map(|level| (cell, level))
    };
    let surround: Vec<((usize, usize), f32)> = (0..4 * CELLS).filter_map(|i| beside(i % CELLS, i / CELLS)).collect();
    let Some(bright) = quantile(surround.iter().map(|(_, level)| *level).collect(), LIT) else {
        return BTreeSet::new();
    };
    let goes_on = surround.iter().filter(|(cell, level)| *level < DEEP_BEYOND * bright && is_deep(*cell));
    let mut found: BTreeSet<(usize, usize)> = goes_on.map(|(cell, _)| *cell).collect();
    if found.len() < LEAST_BESIDE {
        return BTreeSet::new();
    }
    let mut new: Vec<(usize, usize)> = found.iter().copied().collect();
    while let Some((row, column)) = new.pop() {
        let next = [(row + 1, column), (row, column + 1), (row.wrapping_sub(1), column), (row, column.wrapping_sub(1))];
        for cell in next.into_iter().filter(|cell| cell.0 < CELLS && cell.1 < CELLS) {
            if is_deep(cell) && found.insert(cell) {
                new.push(cell);
            }
        }
    }
    found
}

/// The corners of the smallest frame about `cells`, as shares of the document's sides.
fn frame(cells: &BTreeSet<(usize, usize)>) -> Option<[(f32, f32); 4]> {
    let share = |cell: usize| cell as f32 / CELLS as f32;
    let (top, bottom) = (share(cells.first()?.0), share(cells.last()?.0 + 1));
    let columns = || cells.iter().map(|(_, column)| *column);
    let (left, right) = (share(columns().min()?), share(columns().max()? + 1));
    Some([(left, top), (right, top), (right, bottom), (left, bottom)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::grey;
    use crate::scene::{Deadline, survey};

    /// Cells in shadow of a card from 120 to 520 and 90 to 340, where `light` says what share of it falls on a place.
    fn cells(table: f32, card: impl Fn(u32, u32) -> f32, light: impl Fn(u32, u32) -> f32) -> usize {
        let capture = grey(640, 430, |x, y| {
            let on_card = (120..520).contains(&x) && (90..340).contains(&y);
            let print = on_card && y % 20 < 6 && x % 9 < 4;
            (light(x, y)
                * if print {
                    40.0
                } else if on_card {
                    card(x, y)
                } else {
                    table
                }) as u8
        });
        let scene = survey(&capture, Deadline::NEVER);
        let corners = [(120.0, 90.0), (520.0, 90.0), (520.0, 340.0), (120.0, 340.0)];
        let quad = Quad(corners.map(|(x, y)| Point::new(x, y)));
        in_shadow(scene.overview(), &quad).len()
    }

    #[test]
    fn a_deep_shadow_that_goes_on_beyond_is_seen_and_dark_print_is_not() {
        let white = |_: u32, _: u32| 220.0;
        let on_the_left = |x: u32, _: u32| if x < 220 { 0.1 } else { 1.0 };
        let seen = cells(120.0, white, on_the_left);
        assert!((51..77).contains(&seen), "{seen}");
        // A shallow one: the print in it is read.
        assert_eq!(cells(120.0, white, |x, _| if x < 220 { 0.4 } else { 1.0 }), 0);
        // A card whose own left is black, on a table in one light; and one that is dark throughout.
        assert_eq!(cells(120.0, |x, _| if x < 220 { 20.0 } else { 220.0 }, |_, _| 1.0), 0);
        assert_eq!(cells(120.0, |_, _| 30.0, |_, _| 1.0), 0);
        // A table as dark as a shadow tells nothing.
        assert_eq!(cells(10.0, |x, _| if x < 220 { 20.0 } else { 220.0 }, |_, _| 1.0), 0);
        // From a corner over a few cells.
        let corner = cells(120.0, white, |x, y| if x + y < 330 { 0.1 } else { 1.0 });
        assert!((3..26).contains(&corner), "{corner}");
    }

    #[test]
    fn the_frame_holds_every_cell() {
        assert_eq!(frame(&BTreeSet::new()), None);
        let cells = BTreeSet::from([(2, 5), (4, 3)]);
        let [first, _, third, _] = frame(&cells).expect("cells");
        let sixteenths = |(u, v): (f32, f32)| ((16.0 * u) as usize, (16.0 * v) as usize);
        assert_eq!((sixteenths(first), sixteenths(third)), ((3, 2), (6, 5)));
    }
}
