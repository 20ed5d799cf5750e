//! Overview and the document's corners → whether it is printed on a sheet: the same white paper within and beyond its border.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading};
use crate::geometry::{Point, Quad};
use crate::scene::{Overview, Scene};
use crate::words::Fact;

/// Places along a side at which it is looked at, between these shares of its length: corners are round.
const PLACES: usize = 32;
const ALONG: [f32; 2] = [0.15, 0.85];
/// How far from the border is looked, inwards and outwards, in steps of a hundredth of the document's short side.
const INWARDS: i32 = 8;
const OUTWARDS: i32 = 7;
/// From this step outwards on white paper must lie.
const FIRST: i32 = 3;
/// White paper has this share of the brightness of the document's own white, differs from its chroma by so many levels at
/// most, and from a straight fall of light by this share.
const BRIGHT: f32 = 0.80;
const CHROMA: f32 = 7.0;
const UNEVEN: f32 = 0.03;
/// The edge of a card, or its shadow, is darker than what lies on either side by this share.
const LINE: f32 = 0.08;

pub static SIDES_COUNT: Reading = Reading::count(
    "sheet.sides_count",
    "sides beyond which the document's own white goes on, without the line that an edge makes",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "sheet",
        question: "Is the document printed on a larger sheet?",
        readings: &[&SIDES_COUNT],
        method: "Brightness and chroma along lines parallel to each side, from a twelfth of the short side within to a \
                 fourteenth beyond, against the brightest tenth of the document. Geometry of copies on sheets; tried on real \
                 ones and on genuine cards (models/README.md).",
        blind_spots: "A copy cut out along its border, under a shadow or at the edge of its sheet; a genuine card on white \
                      paper in light that throws no shadow looks printed on it.",
    },
    build: |_| Box::new(Sheet),
};

struct Sheet;

impl Detector for Sheet {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(document) = scene.subject().filter(|document| !document.fills_frame) else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::SheetNeedsBorder).into();
        };
        let overview = scene.overview();
        let quad = document.quad.scaled(overview.scale.recip());
        let Some(white) = white(overview, &quad) else {
            return Abstention::new(AbstentionCause::InsufficientResolution, Fact::SheetNeedsPixels).into();
        };
        let sides = (0..4).filter(|side| goes_on(overview, &quad, *side, white)).count();
        let mut evidence = Evidence::told(Fact::Sheet { sides });
        evidence.read(&SIDES_COUNT, sides as f64);
        evidence.into()
    }
}

fn median(values: &mut [f32]) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

/// The brightest tenth of what lies within `quad`: its luma from there on, and mean chroma.
fn white(overview: &Overview, quad: &Quad) -> Option<[f32; 3]> {
    let share = |k: usize| 0.08 + 0.84 * (k as f32 + 0.5) / 24.0;
    let inside = (0..24 * 24).filter_map(|i| {
        let (u, v) = (share(i % 24), share(i / 24));
        overview.at(quad.inside(u, v))
    });
    let mut inside: Vec<[f32; 3]> = inside.collect();
    inside.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let brightest = inside.get(inside.len() * 9 / 10..).filter(|brightest| !brightest.is_empty())?;
    let mean = |c: usize| brightest.iter().map(|p| p[c]).sum::<f32>() / brightest.len() as f32;
    Some([brightest[0][0], mean(1), mean(2)])
}

/// What lies along a line: median luma, how far it is from a straight fall of light (75th percentile), median chroma.
struct Line {
    luma: f32,
    uneven: f32,
    chroma: [f32; 2],
}

/// Whether the white of the document goes on beyond `side` without a darker line between.
fn goes_on(overview: &Overview, quad: &Quad, side: usize, [white, cb, cr]: [f32; 3]) -> bool {
    let (from, to) = (quad.0[side], quad.0[(side + 1) % 4]);
    let lengths = quad.sides();
    let short = f32::midpoint(lengths[0], lengths[2]).min(f32::midpoint(lengths[1], lengths[3]));
    let length = from.distance(to).max(1e-6);
    let (nx, ny) = ((to.y - from.y) / length, (from.x - to.x) / length);
    let middle = from.towards(to, 0.5);
    let away = if (middle.x - quad.centre().x) * nx + (middle.y - quad.centre().y) * ny < 0.0 { -1.0 } else { 1.0 };
    let line = |step: i32| {
        let off = away * step as f32 / 100.0 * short;
        let seen = (0..PLACES).filter_map(|k| {
            let share = ALONG[0] + (ALONG[1] - ALONG[0]) * k as f32 / (PLACES - 1) as f32;
            let on = from.towards(to, share);
            overview.at(Point::new(on.x + off * nx, on.y + off * ny))
        });
        let seen: Vec<[f32; 3]> = seen.collect();
        if seen.len() * 10 < PLACES * 6 {
            return None;
        }
        let plane = |c: usize| median(&mut seen.iter().map(|p| p[c]).collect::<Vec<f32>>());
        Some(Line { luma: plane(0)?, uneven: uneven(&seen)?, chroma: [plane(1)?, plane(2)?] })
    };
    let lines: Vec<Option<Line>> = (-INWARDS..=OUTWARDS).map(line).collect();
    let step = |step: i32| lines[(step + INWARDS) as usize].as_ref();
    let paper = |line: &Line| {
        let tint = (line.chroma[0] - cb).abs() + (line.chroma[1] - cr).abs();
        line.luma >= BRIGHT * white && tint < CHROMA && line.uneven <= UNEVEN * white
    };
    if !(FIRST..=OUTWARDS).all(|k| step(k).is_some_and(paper)) {
        return false;
    }
    let luma = |steps: std::ops::Range<i32>| steps.filter_map(|k| step(k).map(|line| line.luma)).collect::<Vec<f32>>();
    let (beyond, within) = (median(&mut luma(4..8)), median(&mut luma(-8..-3)));
    let Some(either) = beyond.zip(within).map(|(beyond, within)| beyond.min(within)) else { return false };
    let darkest = luma(-2..4).into_iter().fold(f32::MAX, f32::min);
    (either - darkest) / either.max(1.0) < LINE
}

/// 75th percentile of the distance of luma from a line through it, least squares.
fn uneven(seen: &[[f32; 3]]) -> Option<f32> {
    let n = seen.len() as f32;
    let centre = (n - 1.0) / 2.0;
    let mean = seen.iter().map(|p| p[0]).sum::<f32>() / n;
    let (mut xy, mut xx) = (0.0, 0.0);
    for (x, p) in seen.iter().enumerate() {
        xy += (x as f32 - centre) * (p[0] - mean);
        xx += (x as f32 - centre).powi(2);
    }
    let slope = xy / xx.max(1e-6);
    let mut off: Vec<f32> =
        seen.iter().enumerate().map(|(x, p)| (p[0] - mean - slope * (x as f32 - centre)).abs()).collect();
    off.sort_by(f32::total_cmp);
    off.get(off.len() * 3 / 4).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::grey;
    use crate::scene::{Deadline, survey};

    /// Sides of a card from 120 to 520 and 90 to 340 of a sheet that are without an edge; `border` is the luma of a line
    /// about the card.
    fn sides(border: u8, beyond: u8) -> usize {
        let capture = grey(640, 430, |x, y| {
            let card = (120..520).contains(&x) && (90..340).contains(&y);
            let edge = (117..523).contains(&x) && (87..343).contains(&y);
            match (card, edge) {
                (true, _) if (x / 6 + y / 9) % 5 == 0 => 120,
                (true, _) => 225,
                (false, true) => border,
                (false, false) => beyond,
            }
        });
        let scene = survey(&capture, Deadline::NEVER);
        let corners = [(120.0, 90.0), (520.0, 90.0), (520.0, 340.0), (120.0, 340.0)];
        let quad = Quad(corners.map(|(x, y)| Point::new(x, y)));
        let white = white(scene.overview(), &quad).expect("a document");
        (0..4).filter(|side| goes_on(scene.overview(), &quad, *side, white)).count()
    }

    #[test]
    fn a_printed_card_has_no_edge_and_a_real_one_has() {
        assert_eq!(sides(230, 230), 4);
        assert_eq!(sides(90, 230), 0);
        assert_eq!(sides(230, 120), 0);
    }
}
