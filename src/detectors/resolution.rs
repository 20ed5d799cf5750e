//! Picture size and document corners → pixels per millimetre, and which signals they can carry.
//!
//! Method: the long side of an ID-1 card is 85.6 mm (ISO/IEC 7810); a page may be A4 or A5, so that it has no scale.
//! Blind spots: the kind is told by shape alone; enlarging a small picture adds pixels but no detail.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, Outcome, Reading};
use crate::scene::Scene;
use crate::words::{DocumentSize, Fact, Scale, TooFine};

/// Card widths in pixels below which a signal cannot be seen, by sampling theory.
const NEEDS: [(f64, TooFine); 3] =
    [(1011.0, TooFine::Halftone), (1780.0, TooFine::TabletGrid), (3100.0, TooFine::PhoneGrid)];

pub static MEGAPIXELS: Reading = Reading::new("resolution.megapixels", "Mpx", "size of the whole picture");
pub static DOCUMENT_WIDTH_PX: Reading = Reading::new("resolution.document_width_px", "px", "long side of the document");
pub static PX_PER_MM: Reading = Reading::new("resolution.px_per_mm", "px/mm", "along the long side of a card");
pub static DPI: Reading = Reading::new("resolution.dpi", "dpi", "the same per inch");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "resolution",
        question: "Does the picture have enough pixels for the text and for the other signals?",
        readings: &[&MEGAPIXELS, &DOCUMENT_WIDTH_PX, &PX_PER_MM, &DPI],
        method: "Long side of the document over 85.6 mm for a card (ISO/IEC 7810 ID-1).",
        blind_spots: "The kind is told by shape alone, a page has no known size, and an enlarged picture has pixels but no \
                      detail.",
    },
    build: |_| Box::new(Resolution),
};

struct Resolution;

impl Detector for Resolution {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let (width, height) = (scene.capture().width(), scene.capture().height());
        let megapixels = f64::from(width) * f64::from(height) / 1e6;
        let mut evidence = Evidence::default();
        evidence.read(&MEGAPIXELS, megapixels);
        let (mut size, mut too_fine) = (None, Vec::new());
        if let Some(document) = scene.subject() {
            let [top, right, bottom, left] = document.quad.sides();
            let long_px = f32::midpoint(top, bottom).max(f32::midpoint(left, right));
            evidence.read(&DOCUMENT_WIDTH_PX, f64::from(long_px));
            let scale = document.px_per_mm(None).map(|px_per_mm| (px_per_mm, px_per_mm * 25.4));
            if let Some((px_per_mm, dpi)) = scale {
                evidence.read(&PX_PER_MM, px_per_mm);
                evidence.read(&DPI, dpi);
                too_fine = out_of_reach(px_per_mm * 85.6);
            }
            let scale = scale.map(|(px_per_mm, dpi)| Scale { px_per_mm, dpi, too_fine: &too_fine });
            size = Some(DocumentSize { long_px, scale });
        }
        evidence.tell(Fact::Resolution { width, height, megapixels, document: size });
        evidence.into()
    }
}

/// What a card `width` px wide cannot show.
fn out_of_reach(width: f64) -> Vec<TooFine> {
    NEEDS.into_iter().filter(|(needed, _)| width < *needed).map(|(_, what)| what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_card_shows_no_halftone_and_a_large_one_everything() {
        assert_eq!(out_of_reach(600.0).len(), 3);
        assert_eq!(out_of_reach(1500.0).len(), 2);
        assert!(out_of_reach(3200.0).is_empty());
    }
}
