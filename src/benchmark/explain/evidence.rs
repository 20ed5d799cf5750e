//! Marks → the spectral lines and the part of the picture that they point at.

use super::flatten::Line;
use super::region::Region;
use crate::evidence::{Mark, MarkKind};
use crate::geometry::{PixelRect, Point, Quad};
use crate::scene::TileSpectra;

/// Half the width of the band that is masked about a marked edge, as a share of the picture's long side.
const BAND_SHARE: f32 = 0.01;
/// The marked border of a device lies on its edge: as far beyond it the mask goes.
const BEYOND_DEVICE: f32 = 1.03;
/// A highlight's flank that is masked with it, as a share of the picture's long side.
const FLANK_SHARE: f32 = 0.01;

/// The squares that marks of `kind` show, each with its spectral lines.
pub(super) fn marked_lines(marks: &[&Mark], spectra: &[TileSpectra], line_db: f32) -> Vec<(PixelRect, Vec<Line>)> {
    let mut found = Vec::new();
    for tile in spectra {
        let Some(mark) = marks.iter().find(|mark| mark.polygon == tile.rect.corners()) else { continue };
        let mut lines: Vec<Line> = Vec::new();
        for peak in tile.y.peaks.iter().chain(&tile.chroma.peaks).filter(|p| p.ring_db.min(p.local_db) >= line_db) {
            lines.push((peak.x, peak.y));
            if mark.kind == MarkKind::Halftone {
                // A lattice has an equal partner at right angles.
                lines.push((-peak.y, peak.x));
            }
        }
        if !lines.is_empty() {
            found.push((tile.rect, lines));
        }
    }
    found
}

/// The region that marks of one kind show; empty for kinds that show none.
pub(super) fn marked_region(kind: MarkKind, marks: &[&Mark], size: (u32, u32), document: Option<&Quad>) -> Region {
    let mut region = Region::none(size);
    let long_side = size.0.max(size.1) as f32;
    for mark in marks {
        match (kind, mark.polygon.as_slice()) {
            (MarkKind::Device, &[a, b, c, d]) => {
                region.lay(&Quad([a, b, c, d]).scaled_about_centre(BEYOND_DEVICE).0, true);
            }
            (MarkKind::Edge, &[from, to]) => {
                let length = from.distance(to).max(f32::MIN_POSITIVE);
                let off = BAND_SHARE * long_side / length;
                let (x, y) = ((from.y - to.y) * off, (to.x - from.x) * off);
                let beside = |p: Point, way: f32| Point::new(p.x + way * x, p.y + way * y);
                region.lay(&[beside(from, 1.0), beside(to, 1.0), beside(to, -1.0), beside(from, -1.0)], true);
            }
            (MarkKind::Heat | MarkKind::Glare | MarkKind::Cover, polygon) => region.lay(polygon, true),
            _ => {}
        }
    }
    match (kind, document) {
        // What surrounds the document accuses, not the document.
        (MarkKind::Device, Some(document)) => region.lay(&document.0, false),
        (MarkKind::Glare, _) if !region.is_empty() => region = region.grown(f64::from(FLANK_SHARE * long_side)),
        _ => {}
    }
    region
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_marks_enclose_nothing_and_harm_nothing() {
        let polygons: [&[Point]; 7] = [
            &[],
            &[Point::new(5.0, 5.0)],
            &[Point::new(f32::NAN, 1.0), Point::new(30.0, 1.0), Point::new(30.0, 30.0), Point::new(1.0, 30.0)],
            &[Point::new(f32::INFINITY, 1.0), Point::new(30.0, f32::NEG_INFINITY), Point::new(30.0, 30.0)],
            &[Point::new(-900.0, -900.0), Point::new(-800.0, -900.0), Point::new(-800.0, -800.0)],
            &[Point::new(7.0, 7.0), Point::new(7.0, 7.0)],
            &[Point::new(f32::NAN, f32::NAN), Point::new(7.0, 7.0)],
        ];
        let kinds =
            [MarkKind::Device, MarkKind::Edge, MarkKind::Heat, MarkKind::Glare, MarkKind::Cover, MarkKind::Number];
        for (polygon, kind) in polygons.into_iter().flat_map(|p| kinds.map(|kind| (p, kind))) {
            let mark = Mark { kind, polygon: polygon.to_vec(), strength: 1.0, zone: None };
            let nowhere = Quad([Point::new(f32::NAN, 0.0); 4]);
            let region = marked_region(kind, &[&mark], (200, 150), Some(&nowhere));
            assert!(region.is_empty(), "{kind:?} {polygon:?}");
            assert!(marked_lines(&[&mark], &[], 14.0).is_empty());
        }
        let huge = [Point::new(-3e38, -3e38), Point::new(3e38, -3e38), Point::new(3e38, 3e38), Point::new(-3e38, 3e38)];
        let mut everything = Region::none((200, 150));
        everything.lay(&huge, true);
        assert!((everything.share() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_edge_is_masked_as_a_band_and_a_device_without_its_document() {
        let edge = Mark {
            kind: MarkKind::Edge,
            polygon: vec![Point::new(20.0, 50.0), Point::new(180.0, 50.0)],
            strength: 1.0,
            zone: None,
        };
        let band = marked_region(MarkKind::Edge, &[&edge], (200, 100), None);
        assert!((band.share() - 160.0 * 4.0 / 20_000.0).abs() < 0.002, "{}", band.share());
        let frame = PixelRect::new(40, 20, 100, 60).corners();
        let device = Mark { kind: MarkKind::Device, polygon: frame.to_vec(), strength: 1.0, zone: None };
        let whole = marked_region(MarkKind::Device, &[&device], (200, 100), None);
        let document = Quad(PixelRect::new(60, 30, 60, 40).corners());
        let ring = marked_region(MarkKind::Device, &[&device], (200, 100), Some(&document));
        assert!((whole.share() - 6000.0 * 1.03 * 1.03 / 20_000.0).abs() < 0.02, "{}", whole.share());
        assert!((whole.share() - ring.share() - 0.12).abs() < 1e-6);
    }
}
