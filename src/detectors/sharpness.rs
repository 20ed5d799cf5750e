//! Native patches → width of the sharpest edges, and whether they are smeared in one direction.
//!
//! The width of an edge is its contrast divided by its steepest slope: a measure of the blur alone, not of how much
//! texture there is (after Marziliano et al. 2002, "A no-reference perceptual blur metric"). It is taken along the
//! gradient, at the strongest edges of patches chosen on the overview, so that a plain background does not count.

use image::GrayImage;

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::scene::{EDGE_REACH_PX, Scene, edge_widths, lower_quartile};
use crate::words::Fact;

/// Side of a patch: several letters of a card that fills a third of a 12-megapixel picture.
const PATCH_PX: u32 = 128;
/// Patches looked at.
const PATCHES: usize = 8;
/// Edges that make a measurement.
const EDGES: usize = 24;

pub static EDGE_WIDTH_PX: Reading =
    Reading::new("sharpness.edge_width_px", "px", "10 to 90 % width of the sharper edges at native resolution");
pub static RELATIVE_WIDTH_PERMILLE: Reading = Reading::new(
    "sharpness.relative_width_permille",
    "‰ of the document's long side",
    "the same against the document (the picture when none was found)",
);
pub static WIDER_EDGE_PX: Reading = Reading::new(
    "sharpness.wider_edge_px",
    "px",
    "the same in the direction in which edges are wider: defocus or motion",
);
pub static MOTION_RATIO: Reading =
    Reading::new("sharpness.motion_ratio", "ratio", "wider over narrower edges of two directions; 1 = alike");
pub static EDGE_COUNT: Reading = Reading::count("sharpness.edge_count", "edges that were measured");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "sharpness",
        question: "Is the document in focus, and was the camera still?",
        readings: &[&EDGE_WIDTH_PX, &RELATIVE_WIDTH_PERMILLE, &WIDER_EDGE_PX, &MOTION_RATIO, &EDGE_COUNT],
        method: "Edges are followed across eight native patches with the strongest gradients of the overview inside \
                 the document, along rows and columns; the width is contrast over steepest slope, its lower quartile \
                 the reading.",
        blind_spots: "Needs edges: a plain page gives none. A sharp photograph of a blurred screen reads sharp at its \
                      bezel. Sharpening by the phone narrows edges.",
    },
    build: |_| Box::new(Sharpness),
};

struct Sharpness;

impl Detector for Sharpness {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let (mut rows, mut columns) = (Vec::new(), Vec::new());
        let mut widest: Option<(f64, PixelRect)> = None;
        for rect in patches(scene) {
            let Some(luma) = scene.capture().luma(rect) else { continue };
            let (across, down) = (edge_widths(&luma, false), edge_widths(&luma, true));
            if let Some(width) = lower_quartile(&mut [across.clone(), down.clone()].concat())
                && widest.is_none_or(|(w, _)| width > w)
            {
                widest = Some((width, rect));
            }
            rows.extend(across);
            columns.extend(down);
        }
        let count = rows.len() + columns.len();
        let Some(width) = lower_quartile(&mut [rows.clone(), columns.clone()].concat()).filter(|_| count >= EDGES)
        else {
            return Abstention::new(AbstentionCause::NotApplicable, Fact::SharpnessNeedsEdges).into();
        };
        let side = scene.document().map_or_else(
            || scene.capture().width().max(scene.capture().height()) as f32,
            |document| document.quad.sides().into_iter().fold(0.0, f32::max),
        );
        let mut evidence = Evidence::told(Fact::Sharpness { width_px: width });
        evidence.read(&EDGE_WIDTH_PX, width);
        evidence.read(&RELATIVE_WIDTH_PERMILLE, 1000.0 * width / f64::from(side.max(1.0)));
        if rows.len() >= EDGES
            && columns.len() >= EDGES
            && let (Some(a), Some(b)) = (lower_quartile(&mut rows), lower_quartile(&mut columns))
        {
            evidence.read(&WIDER_EDGE_PX, a.max(b));
            evidence.read(&MOTION_RATIO, a.max(b) / a.min(b).max(0.1));
        }
        evidence.read(&EDGE_COUNT, count as f64);
        if let Some((width, rect)) = widest {
            evidence.mark(MarkKind::Blur, rect.corners(), (width / (2 * EDGE_REACH_PX) as f64) as f32);
        }
        evidence.into()
    }
}

/// The native patches with the strongest gradients of the overview, inside the document if there is one.
fn patches(scene: &Scene<'_>) -> Vec<PixelRect> {
    let (overview, frame) = (scene.overview(), scene.capture().frame());
    let (width, height) = (PATCH_PX.min(frame.width), PATCH_PX.min(frame.height));
    let quad = scene.document().map(|document| document.quad);
    let step = |span: u32, side: u32| (span.saturating_sub(side) / 12).max(side / 2).max(1) as usize;
    let mut found: Vec<(u64, PixelRect)> = Vec::new();
    for y in (0..=frame.height - height).step_by(step(frame.height, height)) {
        for x in (0..=frame.width - width).step_by(step(frame.width, width)) {
            let rect = PixelRect::new(x, y, width, height);
            if quad.is_none_or(|quad| rect.corners().iter().all(|corner| quad.contains(*corner))) {
                found.push((energy(&overview.luma, rect, overview.scale), rect));
            }
        }
    }
    found.sort_by_key(|(energy, rect)| (std::cmp::Reverse(*energy), rect.y, rect.x));
    found.into_iter().take(PATCHES).map(|(_, rect)| rect).collect()
}

/// Sum of absolute differences of neighbours on the overview under `rect`.
fn energy(luma: &GrayImage, rect: PixelRect, scale: f32) -> u64 {
    let [a, _, c, _] = rect.corners().map(|corner| corner.scaled(1.0 / scale));
    let (x1, y1) = ((c.x as u32).min(luma.width() - 1), (c.y as u32).min(luma.height() - 1));
    let at = |x: u32, y: u32| luma.get_pixel(x, y).0[0];
    (a.y as u32..y1)
        .flat_map(|y| (a.x as u32..x1).map(move |x| (x, y)))
        .map(|(x, y)| u64::from(at(x, y).abs_diff(at(x + 1, y))) + u64::from(at(x, y).abs_diff(at(x, y + 1))))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    /// Upright stripes whose edges are smeared to a Gaussian of `sigma` pixels.
    fn stripes(sigma: f32) -> Evidence {
        examine_grey(&Sharpness, 400, 400, |x, _| {
            let edge = (x % 50) as f32 - 25.0;
            let rising = if (x / 50).is_multiple_of(2) { edge } else { -edge };
            (128.0 + 80.0 * (rising / (sigma * 1.25)).tanh()) as u8
        })
    }

    #[test]
    fn blur_widens_edges() {
        let widths = [0.7, 1.5, 3.0, 5.0].map(|sigma| stripes(sigma).value("sharpness.edge_width_px").expect("edges"));
        assert!(widths.windows(2).all(|pair| pair[0] < pair[1]), "{widths:?}");
        assert!(widths[0] < 2.5 && widths[3] > 6.0, "{widths:?}");
    }

    #[test]
    fn a_plain_page_is_not_called_blurred() {
        let capture = crate::detectors::testing::grey(300, 300, |_, _| 200);
        let outcome = Sharpness.examine(&crate::scene::survey(&capture, crate::scene::Deadline::NEVER));
        assert!(matches!(outcome, Outcome::Abstained(a) if a.cause == AbstentionCause::NotApplicable));
    }
}
