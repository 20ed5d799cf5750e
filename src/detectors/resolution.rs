//! Picture size and document corners → pixels per millimetre, and which signals they can carry.
//!
//! Method: the long side of an ID-1 card is 85.6 mm (ISO/IEC 7810); a page may be A4 or A5, so that it has no scale.
//! Blind spots: the kind is told by shape alone; enlarging a small picture adds pixels but no detail.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, Outcome, Reading, Sentence};
use crate::scene::Scene;

/// Card widths in pixels below which a signal cannot be seen, by sampling theory.
const NEEDS: [(f64, &str, &str); 3] = [
    (1011.0, "a 150-lpi halftone", "150 线网点"),
    (1780.0, "the pixel grid of a 264-ppi tablet", "264 ppi 平板的像素栅格"),
    (3100.0, "the pixel grid of a 460-ppi phone", "460 ppi 手机的像素栅格"),
];

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
        let mut en = vec![format!("The picture is {width} × {height} px ({megapixels:.1} Mpx)")];
        let mut zh = vec![format!("图片为 {width} × {height} 像素（{megapixels:.1} 百万像素）")];
        let mut evidence = Evidence::default();
        evidence.read(&MEGAPIXELS, megapixels);
        if let Some(document) = scene.subject() {
            let [top, right, bottom, left] = document.quad.sides();
            let long = f32::midpoint(top, bottom).max(f32::midpoint(left, right));
            evidence.read(&DOCUMENT_WIDTH_PX, f64::from(long));
            en.push(format!("; the document's long side is {long:.0} px"));
            zh.push(format!("；证件长边 {long:.0} 像素"));
            if let Some(per_mm) = document.px_per_mm(None) {
                let dpi = per_mm * 25.4;
                evidence.read(&PX_PER_MM, per_mm);
                evidence.read(&DPI, dpi);
                en.push(format!(", {per_mm:.1} px/mm ({dpi:.0} dpi)"));
                zh.push(format!("，{per_mm:.1} 像素/毫米（{dpi:.0} dpi）"));
                let missing = out_of_reach(per_mm * 85.6);
                if !missing.is_empty() {
                    let list = |pick: fn(&(f64, &'static str, &'static str)) -> &'static str, between: &str| {
                        missing.iter().map(pick).collect::<Vec<_>>().join(between)
                    };
                    en.push(format!("; too few to show {}", list(|n| n.1, " or ")));
                    zh.push(format!("；不足以显示{}", list(|n| n.2, "、")));
                }
            }
        } else {
            en.push("; no document border was found to measure against".into());
            zh.push("；未找到证件边界，无法换算尺寸".into());
        }
        evidence.explanation = Sentence::new(en.concat() + ".", zh.concat() + "。");
        evidence.into()
    }
}

/// The signals that a card `width` px wide cannot show.
fn out_of_reach(width: f64) -> Vec<(f64, &'static str, &'static str)> {
    NEEDS.into_iter().filter(|(needed, ..)| width < *needed).collect()
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
