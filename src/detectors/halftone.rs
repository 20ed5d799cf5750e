//! Spectra of native tiles → the dot lattice of an amplitude-modulated print.
//!
//! Physics: an AM screen is a square lattice of dots, so its spectrum has two lines of like strength at right angles,
//! turned by 15°, 45° or 75° for black, magenta and cyan. A 150-lpi screen on an 85.6 mm card needs about 1,000 px
//! over the card. Source: Ulichney, "Digital Halftoning", 1987; print-recapture forensics after Lampert et al., 2006.
//! Blind spots: FM (blue-noise) and inkjet prints have no lattice; genuine offset-printed documents, newspapers and
//! packaging have one; a screen's pixel grid is a square lattice too.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::scene::{Peak, Scene, TileSpectra};
use crate::words::Fact;

pub static PEAK_DB: Reading = Reading::new(
    "halftone.peak_db",
    "dB",
    "median over the tiles of the weaker of the two lines of a tile's best lattice",
);
pub static BEST_DB: Reading = Reading::new("halftone.best_db", "dB", "the same in the tile where it is strongest");
pub static TILE_SHARE: Reading =
    Reading::share("halftone.tile_share", "tiles whose lattice has the strongest one's pitch and angle");
pub static LATTICE: Reading = Reading::new(
    "halftone.lattice",
    "ratio",
    "excess of the lattice's weaker line over that of its stronger, in dB over dB",
);
pub static PITCH_PX: Reading =
    Reading::new("halftone.pitch_px", "px", "distance between rows of dots of the strongest lattice");
pub static ANGLE_DEG: Reading =
    Reading::new("halftone.angle_deg", "deg", "turn of the strongest lattice against the picture's axes, 0 to 45");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "halftone",
        question: "Is there a lattice of printed dots?",
        readings: &[&PEAK_DB, &BEST_DB, &TILE_SHARE, &LATTICE, &PITCH_PX, &ANGLE_DEG],
        method: "In each 256-px tile every spectral line is paired with the excess at right angles to it and the same \
                 distance from the centre; the pair's weaker line is the lattice's strength (ratio to the radial mean, \
                 Hann window). Tiles vote with pitch (7 %) and angle (4°).",
        blind_spots: "A stripe pattern (text lines, guilloche, most moiré) has no partner at right angles and reads low; \
                      fabric has two, but with unlike threads and usually along the picture's axes, which are left out; \
                      a screen's pixel grid is a true square lattice and reads high, near 0°; genuine offset print \
                      is a lattice of the same kind. FM and inkjet prints have none.",
    },
    build: |_| Box::new(Halftone),
};

/// Nearest to the centre that a dot lattice is looked for: 16 cycles a tile, 16 px from dot to dot; text and its
/// line spacing lie further in.
const INNERMOST: f32 = 16.0;

struct Halftone;

impl Detector for Halftone {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let spectra = scene.spectra();
        if spectra.is_empty() {
            return Abstention::new(AbstentionCause::InsufficientResolution, Fact::HalftoneNeedsPixels).into();
        }
        measure(spectra).into()
    }
}

/// Two spectral lines at right angles.
#[derive(Clone, Copy)]
struct Lattice {
    peak: Peak,
    weaker: f32,
    ratio: f32,
}

impl Lattice {
    /// Turn against the picture's axes, 0 to 45°: a square lattice repeats every 90°, and left and right are alike.
    fn angle(&self) -> f32 {
        let a = self.peak.angle_deg().rem_euclid(90.0);
        a.min(90.0 - a)
    }

    fn like(&self, other: &Self) -> bool {
        let turn = (self.peak.angle_deg() - other.peak.angle_deg()).rem_euclid(90.0);
        (self.peak.radius() / other.peak.radius() - 1.0).abs() < 0.07 && turn.min(90.0 - turn) < 4.0
    }
}

/// The strongest lattice of a tile.
fn lattice(tile: &TileSpectra) -> Option<Lattice> {
    tile.y
        .peaks
        .iter()
        .filter(|p| p.radius() >= INNERMOST)
        .map(|&peak| {
            let partner = tile.y.near(-peak.y, peak.x, 1);
            let own = peak.ring_db.min(peak.local_db);
            let (weaker, stronger) = (partner.min(own), partner.max(own));
            Lattice { peak, weaker, ratio: (weaker / stronger.max(1.0)).clamp(0.0, 1.0) }
        })
        .max_by(|a, b| a.weaker.total_cmp(&b.weaker))
}

fn measure(spectra: &[TileSpectra]) -> Evidence {
    let found: Vec<(&TileSpectra, Lattice)> = spectra.iter().filter_map(|t| Some((t, lattice(t)?))).collect();
    let mut strengths: Vec<f32> = found.iter().map(|(_, l)| l.weaker.max(0.0)).collect();
    strengths.resize(spectra.len(), 0.0);
    strengths.sort_by(f32::total_cmp);
    let median = f64::from(strengths[strengths.len() / 2]);
    let Some((_, best)) = found.iter().max_by(|a, b| a.1.weaker.total_cmp(&b.1.weaker)).copied() else {
        let mut evidence = Evidence::told(Fact::HalftoneNone { tiles: spectra.len() });
        evidence.read(&PEAK_DB, 0.0);
        evidence.read(&BEST_DB, 0.0);
        evidence.read(&TILE_SHARE, 0.0);
        return evidence;
    };
    let alike: Vec<_> = found.iter().filter(|(_, l)| l.like(&best)).collect();
    let share = alike.len() as f64 / spectra.len() as f64;
    let (pitch, angle) = (f64::from(best.peak.pitch_px()), f64::from(best.angle()));
    let best_db = f64::from(best.weaker.max(0.0));
    let mut evidence = Evidence::told(Fact::Halftone {
        tiles: spectra.len(),
        alike: alike.len(),
        pitch_px: pitch,
        angle_deg: angle,
        db: best_db,
    });
    evidence.read(&PEAK_DB, median);
    evidence.read(&BEST_DB, best_db);
    evidence.read(&TILE_SHARE, share);
    evidence.read(&LATTICE, f64::from(best.ratio));
    evidence.read(&PITCH_PX, pitch);
    evidence.read(&ANGLE_DEG, angle);
    for (tile, l) in alike {
        // Nothing at 10 dB, which two bins of noise reach by chance; full strength at 32 dB, print seen close up.
        evidence.mark(MarkKind::Halftone, tile.rect.corners(), (l.weaker - 10.0) / 22.0);
    }
    evidence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::{noise, spectra_of, tile, wave};

    fn value(evidence: &Evidence, id: &str) -> f64 {
        evidence.value(id).expect("measured")
    }

    #[test]
    fn a_dot_lattice_has_its_pitch_and_angle() {
        for (pitch, degrees) in [(6.0f32, 15.0f32), (8.5, 45.0), (5.0, 30.0)] {
            let dots = tile(
                |x, y| {
                    let dot = wave(x, y, pitch, degrees) + wave(x, y, pitch, degrees + 90.0);
                    (if dot > 0.3 { 170.0 } else { 150.0 }) + noise(x, y, 8.0)
                },
                |_, _| 128.0,
            );
            let evidence = measure(&spectra_of(&[dots.clone(), dots]));
            assert!((value(&evidence, "halftone.pitch_px") / f64::from(pitch) - 1.0).abs() < 0.03, "{evidence:?}");
            assert!((value(&evidence, "halftone.angle_deg") - f64::from(degrees)).abs() < 1.5, "{evidence:?}");
            assert!(value(&evidence, "halftone.peak_db") > 20.0, "{evidence:?}");
            assert!(value(&evidence, "halftone.lattice") > 0.8, "{evidence:?}");
            assert!((value(&evidence, "halftone.tile_share") - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn stripes_noise_and_flat_ground_have_no_lattice() {
        let stripes = tile(|x, y| 150.0 + 40.0 * wave(x, y, 7.0, 25.0).signum() + noise(x, y, 8.0), |_, _| 128.0);
        let noisy = tile(|x, y| 128.0 + noise(x, y, 8.0), |_, _| 128.0);
        let flat = tile(|_, _| 200.0, |_, _| 128.0);
        for t in [stripes, noisy, flat] {
            let evidence = measure(&spectra_of(&[t]));
            assert!(value(&evidence, "halftone.best_db") < 14.0, "{evidence:?}");
        }
    }
}
