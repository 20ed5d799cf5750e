//! Spectra of native tiles → periodic patterns that a display's pixel grid leaves, and whether they leave the document.
//!
//! Physics: the display's grid and the sensor's grid (with its colour mosaic) beat against each other; the beat is a
//! sharp spectral line whose frequency drifts smoothly over the picture, is often coloured, and knows nothing of the
//! document's border. Source: recapture forensics after Cao and Kot, 2010, and Patel et al., 2015 (moiré on faces).
//! Blind spots: strong downscaling, defocus, high-density displays from afar; patterns of genuine documents.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::scene::{Peak, Place, Scene, Spectrum, TileSpectra};
use crate::words::Fact;

pub static PEAK_DB: Reading = Reading::new(
    "moire.peak_db",
    "dB",
    "strongest luma line of a tile over its ring and neighbourhood, upper quartile of the tiles",
);
pub static MEAN_PEAK_DB: Reading =
    Reading::new("moire.mean_peak_db", "dB", "strongest line of the tiles' mean luma spectrum");
pub static CHROMA_PEAK_DB: Reading =
    Reading::new("moire.chroma_peak_db", "dB", "strongest chroma line of a tile, upper quartile of the tiles");
pub static CHROMA_MEAN_PEAK_DB: Reading =
    Reading::new("moire.chroma_mean_peak_db", "dB", "strongest line of the tiles' mean chroma spectrum");
pub static TILE_SHARE: Reading =
    Reading::share("moire.tile_share", "tiles that share the frequency most tiles agree on, luma");
pub static CHROMA_TILE_SHARE: Reading = Reading::share("moire.chroma_tile_share", "the same for chroma");
pub static BORDER_PEAK_DB: Reading = Reading::new(
    "moire.border_peak_db",
    "dB",
    "strongest luma line common to the mean spectra inside and outside the document, the weaker side",
);
pub static CROSSING: Reading = Reading::share(
    "moire.crossing",
    "tiles with the shared frequency, on the side of the document's border with fewer",
);
pub static PITCH_PX: Reading = Reading::new("moire.pitch_px", "px", "period of the frequency most tiles agree on");
pub static ANGLE_DEG: Reading =
    Reading::new("moire.angle_deg", "deg", "direction in which it repeats, 0 to 180 from the x axis");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "moire",
        question: "Is there a periodic pattern as a display's pixel grid leaves it?",
        readings: &[
            &PEAK_DB,
            &MEAN_PEAK_DB,
            &CHROMA_PEAK_DB,
            &CHROMA_MEAN_PEAK_DB,
            &TILE_SHARE,
            &CHROMA_TILE_SHARE,
            &BORDER_PEAK_DB,
            &CROSSING,
            &PITCH_PX,
            &ANGLE_DEG,
        ],
        method: "Hann-windowed power spectra of up to 12 native 256-px tiles, in dB over the ring at the same distance \
                 from the centre. A line must be a local maximum; its strength is the smaller of its excess over the \
                 ring and over its neighbourhood 4 to 8 bins away, so that ridges of text do not count. The axes' cross \
                 (±3 bins), the 8-px block grid of JPEG and pitches beyond 51 px are left out. Tiles vote with \
                 frequency, within 2 bins and 6 %, since perspective makes the pitch drift.",
        blind_spots: "Strong downscaling, defocus and distance erase the pattern; displays aligned with the sensor hide \
                      in the axes' cross. Genuine patterns are told apart only in part: text lines give ridges and \
                      pitches left out here; guilloche bends from tile to tile and gathers few votes, stays inside \
                      the border (see crossing); fabric stays outside it or along the axes and has no colour beat; a \
                      halftone has an equal partner at right angles (see halftone.lattice).",
    },
    build: |_| Box::new(Moire),
};

struct Moire;

impl Detector for Moire {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let spectra = scene.spectra();
        if spectra.is_empty() {
            return Abstention::new(AbstentionCause::InsufficientResolution, Fact::MoireNeedsPixels).into();
        }
        measure(spectra, scene.document().is_some()).into()
    }
}

/// How clearly a line stands out.
fn strength(peak: &Peak) -> f32 {
    peak.ring_db.min(peak.local_db)
}

/// Whether two tiles may show one drifting pattern.
fn alike(a: &Peak, b: &Peak) -> bool {
    a.distance(b) <= 2.0 + 0.06 * a.radius()
}

/// The frequency that gathers most votes, by summed strength of each tile's best fitting line; and who voted for it.
fn vote<'a>(tiles: &[&'a Spectrum]) -> Option<(&'a Peak, Vec<Option<f32>>)> {
    /// Lines of a tile that may stand for election.
    const CANDIDATES: usize = 3;
    let ballots = |wanted: &Peak| -> Vec<Option<f32>> {
        tiles.iter().map(|t| t.peaks.iter().filter(|p| alike(wanted, p)).map(strength).max_by(f32::total_cmp)).collect()
    };
    tiles
        .iter()
        .flat_map(|t| t.peaks.iter().take(CANDIDATES))
        .map(|p| (p, ballots(p)))
        .max_by(|a, b| total(&a.1).total_cmp(&total(&b.1)))
}

fn total(ballots: &[Option<f32>]) -> f32 {
    ballots.iter().flatten().sum()
}

fn share(ballots: &[Option<f32>]) -> f64 {
    ballots.iter().flatten().count() as f64 / ballots.len().max(1) as f64
}

/// Upper quartile over the tiles of their strongest line; a tile without any counts as 0 dB.
fn upper_quartile(tiles: &[&Spectrum]) -> f64 {
    let mut best: Vec<f32> = tiles.iter().map(|t| t.peaks.first().map_or(0.0, strength)).collect();
    best.sort_by(f32::total_cmp);
    best.get(best.len() * 3 / 4).copied().map_or(f64::NAN, f64::from)
}

fn mean_peak(tiles: &[&Spectrum]) -> f64 {
    Spectrum::average(tiles.iter().copied())
        .map_or(f64::NAN, |mean| mean.peaks.first().map_or(0.0, |p| f64::from(strength(p))))
}

/// Strongest line that the mean spectra of both sides have.
fn common_peak(inside: &[&Spectrum], outside: &[&Spectrum]) -> Option<f64> {
    let [a, b] = [inside, outside].map(|side| Spectrum::average(side.iter().copied()));
    let (a, b) = (a?, b?);
    let both =
        a.peaks.iter().flat_map(|p| b.peaks.iter().filter(|q| alike(p, q)).map(|q| strength(p).min(strength(q))));
    Some(f64::from(both.fold(0.0, f32::max)))
}

fn measure(spectra: &[TileSpectra], has_document: bool) -> Evidence {
    let luma: Vec<&Spectrum> = spectra.iter().map(|t| &t.y).collect();
    let chroma: Vec<&Spectrum> = spectra.iter().map(|t| &t.chroma).collect();
    let mut evidence = Evidence::default();
    let (peak_db, chroma_db) = (upper_quartile(&luma), upper_quartile(&chroma));
    evidence.read(&PEAK_DB, peak_db);
    evidence.read(&MEAN_PEAK_DB, mean_peak(&luma));
    evidence.read(&CHROMA_PEAK_DB, chroma_db);
    evidence.read(&CHROMA_MEAN_PEAK_DB, mean_peak(&chroma));
    let elected = vote(&luma);
    evidence.read(&TILE_SHARE, elected.as_ref().map_or(0.0, |(_, b)| share(b)));
    evidence.read(&CHROMA_TILE_SHARE, vote(&chroma).map_or(0.0, |(_, b)| share(&b)));
    let at = |place: Place| (0..spectra.len()).filter(move |&i| spectra[i].place == place);
    if has_document && at(Place::Inside).next().is_some() && at(Place::Outside).next().is_some() {
        let side = |place| at(place).map(|i| luma[i]).collect::<Vec<_>>();
        if let Some(db) = common_peak(&side(Place::Inside), &side(Place::Outside)) {
            evidence.read(&BORDER_PEAK_DB, db);
        }
        let voted = |place| elected.as_ref().map_or(0.0, |(_, b)| share(&at(place).map(|i| b[i]).collect::<Vec<_>>()));
        evidence.read(&CROSSING, voted(Place::Inside).min(voted(Place::Outside)));
    }
    let Some((peak, ballots)) = elected else {
        evidence.tell(Fact::MoireNone { tiles: spectra.len() });
        return evidence;
    };
    evidence.read(&PITCH_PX, f64::from(peak.pitch_px()));
    evidence.read(&ANGLE_DEG, f64::from(peak.angle_deg()));
    evidence.tell(Fact::Moire {
        tiles: spectra.len(),
        alike: ballots.iter().flatten().count(),
        pitch_px: peak.pitch_px(),
        angle_deg: peak.angle_deg(),
        luma_db: peak_db,
        chroma_db,
    });
    for (tile, db) in spectra.iter().zip(&ballots) {
        if let Some(db) = db {
            evidence.mark(MarkKind::Pattern, tile.rect.corners(), shown(*db));
        }
    }
    let clearest = spectra.iter().zip(&ballots).filter_map(|(t, db)| Some((t, (*db)?)));
    if let Some((tile, db)) = clearest.max_by(|a, b| a.1.total_cmp(&b.1)) {
        evidence.mark(MarkKind::Spectrum, tile.rect.corners(), shown(db));
    }
    evidence
}

/// How strongly a line of `db` is drawn: not at all at 14 dB, which the highest of a tile's thousands of noise bins
/// reaches by chance, and fully at 36 dB, a display shot close up.
fn shown(db: f32) -> f32 {
    (db - 14.0) / 22.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::Tile;
    use crate::scene::testing::{noise, spectra_of, tile, wave};

    fn value(evidence: &Evidence, id: &str) -> f64 {
        evidence.value(id).expect("measured")
    }

    /// A beat of about `pitch` px in noise.
    fn moire(pitch: f32, degrees: f32) -> Tile {
        tile(
            |x, y| 150.0 + noise(x, y, 8.0) + 4.0 * wave(x, y, pitch, degrees),
            |x, y| 128.0 + noise(x, y + 999.0, 3.0) + 3.0 * wave(x, y, pitch, degrees),
        )
    }

    fn plain() -> Tile {
        tile(|x, y| 150.0 + noise(x, y, 8.0), |x, y| 128.0 + noise(x, y + 999.0, 3.0))
    }

    #[test]
    fn a_drifting_coloured_beat_is_shared_by_all_tiles() {
        let tiles = [9.0, 9.1, 9.2, 9.3].map(|pitch| moire(pitch, 33.0));
        let evidence = measure(&spectra_of(&tiles), false);
        assert!(value(&evidence, "moire.peak_db") > 20.0, "{evidence:?}");
        assert!(value(&evidence, "moire.chroma_peak_db") > 20.0, "{evidence:?}");
        assert!((value(&evidence, "moire.tile_share") - 1.0).abs() < 1e-9);
        assert!((value(&evidence, "moire.pitch_px") - 9.15).abs() < 0.3);
        assert!((value(&evidence, "moire.angle_deg") - 33.0).abs() < 1.0);
        assert_eq!(evidence.value("moire.border_peak_db"), None);
        assert_eq!(evidence.marks.iter().filter(|m| m.kind == MarkKind::Pattern).count(), 4);
        assert_eq!(evidence.marks.iter().filter(|m| m.kind == MarkKind::Spectrum).count(), 1);
    }

    #[test]
    fn a_beat_that_crosses_the_border_is_read_apart_from_one_that_does_not() {
        let placed = |outside: Tile| [moire(7.0, 60.0), Tile { place: Place::Outside, ..outside }];
        let crosses = measure(&spectra_of(&placed(moire(7.1, 60.0))), true);
        let stays = measure(&spectra_of(&placed(plain())), true);
        assert!(value(&crosses, "moire.border_peak_db") > 20.0);
        assert!((value(&crosses, "moire.crossing") - 1.0).abs() < 1e-9);
        assert!(value(&stays, "moire.border_peak_db") < 14.0);
        assert!(value(&stays, "moire.crossing") < 1e-9);
    }

    #[test]
    fn noise_flat_ground_edges_text_lines_and_weave_stay_low() {
        let text = |x: f32, y: f32| {
            let line = (y / 28.0).fract() < 0.4;
            let stroke = noise((x / 4.0).floor(), (y / 28.0).floor() + 500.0, 1.0) > 0.0;
            if line && stroke { 40.0 } else { 220.0 }
        };
        let weave = |x: f32, y: f32| 150.0 + 20.0 * (wave(x, y, 9.0, 0.0) + wave(x, y, 9.0, 90.0)) + noise(x, y, 8.0);
        let cases = [
            ("noise", plain()),
            ("flat", tile(|_, _| 200.0, |_, _| 128.0)),
            (
                "edges",
                tile(
                    |x, y| if ((x / 13.0) as u32).is_multiple_of(2) { 200.0 } else { 60.0 } + noise(x, y, 4.0),
                    |_, _| 128.0,
                ),
            ),
            ("text", tile(|x, y| text(x, y) + noise(x, y, 4.0), |_, _| 128.0)),
            ("weave", tile(weave, |_, _| 128.0)),
        ];
        for (name, t) in cases {
            let evidence = measure(&spectra_of(&[t]), false);
            assert!(value(&evidence, "moire.peak_db") < 18.0, "{name}: {evidence:?}");
            assert!(value(&evidence, "moire.chroma_peak_db") < 14.0, "{name}: {evidence:?}");
        }
    }
}
