//! Overview → brightness, clipping and contrast of the document, or of the whole picture when none was found.

use super::{Detector, DetectorInfo, Entry, document_rows};
use crate::evidence::{Evidence, Outcome, Reading};
use crate::scene::Scene;
use crate::words::Fact;

/// At and below this luma a sensor shows hardly more than noise.
const DARK: usize = 25;
/// At and above this luma an 8-bit picture is clipped, JPEG ringing allowed for.
const CLIPPED: usize = 250;

pub static MEAN_LUMA: Reading = Reading::new("exposure.mean_luma", "luma 0 to 255", "mean brightness");
pub static BRIGHT_LUMA: Reading = Reading::new("exposure.bright_luma", "luma 0 to 255", "95th percentile: the paper");
pub static DARK_SHARE: Reading = Reading::share("exposure.dark_share", "pixels with hardly more than noise");
pub static CLIPPED_SHARE: Reading = Reading::share("exposure.clipped_share", "pixels at the upper end");
pub static CONTRAST_LUMA: Reading =
    Reading::new("exposure.contrast_luma", "luma 0 to 255", "95th minus 5th percentile: between ink and paper");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "exposure",
        question: "Is the document bright enough, and not too bright?",
        readings: &[&MEAN_LUMA, &BRIGHT_LUMA, &DARK_SHARE, &CLIPPED_SHARE, &CONTRAST_LUMA],
        method: "Histogram of luma over the document's corners on the overview; over the whole picture when no \
                 document was found.",
        blind_spots: "A dark document in good light reads dark. Without a document the surround counts too.",
    },
    build: |_| Box::new(Exposure),
};

struct Exposure;

impl Detector for Exposure {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let mut histogram = [0u64; 256];
        let luma = &scene.overview().luma;
        for (y, columns) in document_rows(scene) {
            let row = (y * luma.width()) as usize;
            for value in &luma.as_raw()[row + columns.start as usize..row + columns.end as usize] {
                histogram[usize::from(*value)] += 1;
            }
        }
        let total = histogram.iter().sum::<u64>().max(1) as f64;
        let share = |range: std::ops::RangeInclusive<usize>| histogram[range].iter().sum::<u64>() as f64 / total;
        let mean = histogram.iter().enumerate().map(|(v, n)| v as f64 * *n as f64).sum::<f64>() / total;
        let percentile = |p: f64| {
            let mut seen = 0.0;
            histogram.iter().position(|n| {
                seen += *n as f64;
                seen >= p * total
            })
        };
        let (low, high) = (percentile(0.05).unwrap_or(0) as f64, percentile(0.95).unwrap_or(255) as f64);
        let of_document = scene.document().is_some();
        let mut evidence = Evidence::told(Fact::Exposure { of_document, mean, contrast: high - low });
        evidence.read(&MEAN_LUMA, mean);
        evidence.read(&BRIGHT_LUMA, high);
        evidence.read(&DARK_SHARE, share(0..=DARK));
        evidence.read(&CLIPPED_SHARE, share(CLIPPED..=255));
        evidence.read(&CONTRAST_LUMA, high - low);
        evidence.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::testing::examine_grey;

    fn reading(luma: u8, id: &str) -> f64 {
        examine_grey(&Exposure, 200, 150, |_, _| luma).value(id).expect(id)
    }

    #[test]
    fn a_dark_picture_reads_dark_and_a_bright_one_bright() {
        assert!(reading(10, "exposure.dark_share") > 0.99);
        assert!(reading(255, "exposure.clipped_share") > 0.99);
        assert!((reading(120, "exposure.mean_luma") - 120.0).abs() < 1.0);
        assert!(reading(120, "exposure.contrast_luma") < 1.0);
    }
}
