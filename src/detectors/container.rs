//! Markers, tables and boxes → readings: how the file was written, and whether that fits the stated camera.

use super::{Detector, DetectorInfo, Entry};
use crate::capture::{self, MediaType};
use crate::evidence::{Evidence, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::scene::Scene;
use crate::words::{Fact, FileFact};

pub static FILE_BYTES: Reading = Reading::new("container.file_bytes", "bytes", "size of the file");
pub static JPEG: Reading = Reading::flag("container.jpeg", "the file is a JPEG, by its content");
pub static PNG: Reading = Reading::flag("container.png", "the file is a PNG");
pub static GIF: Reading = Reading::flag("container.gif", "the file is a GIF");
pub static STANDARD_TABLES: Reading =
    Reading::flag("container.standard_tables", "the JPEG tables are the standard ones of libjpeg at some quality");
pub static TABLES_QUALITY: Reading =
    Reading::new("container.tables_quality", "1 to 100", "libjpeg quality whose luma table is nearest");
pub static REENCODED_UNDER_MAKE: Reading =
    Reading::flag("container.reencoded_under_make", "standard JPEG tables in a file that names a camera maker");
pub static PROGRESSIVE: Reading =
    Reading::flag("container.progressive", "progressive JPEG, as web services write and cameras do not");
pub static PHOTOSHOP_BLOCK: Reading = Reading::flag("container.photoshop_block", "Photoshop's own block is present");
pub static TRAILING_BYTES: Reading =
    Reading::new("container.trailing_bytes", "bytes", "bytes after the end of the picture");
pub static ALPHA: Reading = Reading::flag("container.alpha", "an alpha channel is stored");
pub static DISPLAY_SIZE: Reading =
    Reading::flag("container.display_size", "no camera is named and the size is that of a common display");
pub static C2PA_PRESENT: Reading = Reading::flag("container.c2pa_present", "a C2PA manifest is present, not validated");
pub static C2PA_SCREEN_CAPTURE: Reading =
    Reading::flag("container.c2pa_screen_capture", "a digital source type of screen capture is named");
pub static C2PA_GENERATED: Reading =
    Reading::flag("container.c2pa_generated", "a digital source type of generated media is named");
pub static C2PA_COMPOSITE: Reading =
    Reading::flag("container.c2pa_composite", "a digital source type of a composite is named");
pub static GRID_OFFSET: Reading =
    Reading::flag("container.grid_offset", "the strongest 8 × 8 block grid does not begin at the origin");
pub static GRID_STRENGTH: Reading =
    Reading::new("container.grid_strength", "ratio", "steps at the strongest grid phase over the mean of all phases");

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "container",
        question: "How was the file written, and does that fit a camera?",
        readings: &[
            &FILE_BYTES,
            &JPEG,
            &PNG,
            &GIF,
            &STANDARD_TABLES,
            &TABLES_QUALITY,
            &REENCODED_UNDER_MAKE,
            &PROGRESSIVE,
            &PHOTOSHOP_BLOCK,
            &TRAILING_BYTES,
            &ALPHA,
            &DISPLAY_SIZE,
            &C2PA_PRESENT,
            &C2PA_SCREEN_CAPTURE,
            &C2PA_GENERATED,
            &C2PA_COMPOSITE,
            &GRID_OFFSET,
            &GRID_STRENGTH,
        ],
        method: "Quantisation tables are compared with the example tables of ITU-T T.81 annex K scaled as libjpeg does. \
                 The block grid is the phase, of eight across and eight down, at which the steps between neighbouring \
                 luma samples of up to five native patches exceed those beside them most. Digital source types are \
                 the IPTC NewsCodes named in C2PA manifests and XMP.",
        blind_spots: "Messengers and web services re-encode honestly. Manifests are not validated, so anyone can write \
                      one. A block grid is invisible at high quality or after resizing, and the picture's own vertical \
                      and horizontal edges can look like one.",
    },
    build: |_| Box::new(Container),
};

/// Long and short sides of common displays in pixels, phones, tablets and monitors, from makers' data sheets.
const DISPLAYS: &[(u32, u32)] = &[
    (1136, 640),
    (1334, 750),
    (1792, 828),
    (1920, 1080),
    (2208, 1242),
    (2340, 1080),
    (2400, 1080),
    (2408, 1080),
    (2412, 1080),
    (2436, 1125),
    (2532, 1170),
    (2556, 1179),
    (2622, 1206),
    (2688, 1242),
    (2778, 1284),
    (2796, 1290),
    (2868, 1320),
    (1600, 720),
    (1280, 720),
    (1520, 720),
    (1560, 720),
    (2160, 1080),
    (2220, 1080),
    (2280, 1080),
    (2310, 1080),
    (2316, 1080),
    (2388, 1080),
    (2640, 1200),
    (2664, 1200),
    (2712, 1220),
    (2720, 1224),
    (2780, 1264),
    (2960, 1440),
    (3040, 1440),
    (3088, 1440),
    (3120, 1440),
    (3168, 1440),
    (3200, 1440),
    (3216, 1440),
    (2992, 1344),
    (2048, 1536),
    (2160, 1620),
    (2224, 1668),
    (2360, 1640),
    (2388, 1668),
    (2420, 1668),
    (2732, 2048),
    (2266, 1488),
    (2000, 1200),
    (2560, 1600),
    (2800, 1752),
    (2960, 1848),
    (1366, 768),
    (1440, 900),
    (1536, 864),
    (1600, 900),
    (1680, 1050),
    (1920, 1200),
    (2560, 1440),
    (2880, 1800),
    (3024, 1964),
    (3456, 2234),
    (2560, 1664),
    (3840, 2160),
    (3440, 1440),
    (5120, 2880),
];

/// Example tables of ITU-T T.81, K.1 and K.2, in zigzag order.
const LUMA: [u16; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
];
const CHROMA_HEAD: [u16; 16] = [17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99];

struct Container;

impl Detector for Container {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let capture = scene.capture();
        let facts = &capture.container;
        let mut out = Evidence::default();
        if facts.bytes > 0 {
            out.read(&FILE_BYTES, facts.bytes as f64);
        }
        for (reading, media_type) in [(&JPEG, MediaType::Jpeg), (&PNG, MediaType::Png), (&GIF, MediaType::Gif)] {
            out.flag(reading, capture.media_type == media_type);
        }
        let types = facts.digital_source_types.join(", ");
        let mut found = Vec::new();
        if capture.media_type == MediaType::Jpeg {
            if let Some((quality, exact)) = tables(&facts.quantisation_tables) {
                out.flag(&STANDARD_TABLES, exact);
                out.read(&TABLES_QUALITY, f64::from(quality));
                let under_make = exact && capture.metadata.make.is_some();
                out.flag(&REENCODED_UNDER_MAKE, under_make);
                found.push(FileFact::Tables { exact, quality });
            }
            out.flag(&PROGRESSIVE, facts.progressive);
            out.flag(&PHOTOSHOP_BLOCK, facts.photoshop);
            if facts.photoshop {
                found.push(FileFact::PhotoshopBlock);
            }
        }
        out.read(&TRAILING_BYTES, facts.trailing_bytes as f64);
        out.flag(&ALPHA, facts.alpha);
        if facts.alpha {
            found.push(FileFact::Alpha);
        }
        let size = (capture.width().max(capture.height()), capture.width().min(capture.height()));
        let display = capture.metadata.make.is_none() && DISPLAYS.contains(&size);
        out.flag(&DISPLAY_SIZE, display);
        if display {
            found.push(FileFact::SizeOfDisplay { long: size.0, short: size.1 });
        }
        provenance(facts, &mut out);
        if facts.c2pa {
            found.push(FileFact::C2pa);
        }
        if !facts.digital_source_types.is_empty() {
            found.push(FileFact::DigitalSource { types: &types });
        }
        if let Some((strength, at_origin)) = grid(scene) {
            out.flag(&GRID_OFFSET, !at_origin);
            out.read(&GRID_STRENGTH, strength);
        }
        out.tell(Fact::File { mime: capture.media_type.mime(), found: &found });
        out.into()
    }
}

fn provenance(facts: &capture::Container, out: &mut Evidence) {
    let any = |test: fn(&str) -> bool| facts.digital_source_types.iter().any(|t| test(t));
    out.flag(&C2PA_PRESENT, facts.c2pa);
    out.flag(&C2PA_SCREEN_CAPTURE, any(|t| t == "screenCapture"));
    out.flag(&C2PA_GENERATED, any(|t| t == "trainedAlgorithmicMedia" || t == "algorithmicMedia"));
    // computational photography merges exposures: compositeCapture is a camera's doing unless edited.
    out.flag(&C2PA_COMPOSITE, any(|t| t.starts_with("composite")));
}

/// A table value at libjpeg quality `quality`, limited to 8 bits as baseline files have it.
fn scaled(value: u16, quality: u32) -> u16 {
    let scale = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
    ((u32::from(value) * scale + 50) / 100).clamp(1, 255) as u16
}

/// The nearest libjpeg quality of the luma table, and whether all tables are exactly libjpeg's at it.
fn tables(found: &[[u16; 64]]) -> Option<(u32, bool)> {
    let luma = found.first()?;
    let distance = |q: &u32| -> u64 { luma.iter().zip(LUMA).map(|(&v, s)| u64::from(v.abs_diff(scaled(s, *q)))).sum() };
    let quality = (1..=100).min_by_key(distance)?;
    let chroma = |i: usize| CHROMA_HEAD.get(i).copied().unwrap_or(99);
    let standard_chroma = |table: &[u16; 64]| table.iter().enumerate().all(|(i, &v)| v == scaled(chroma(i), quality));
    Some((quality, distance(&quality) == 0 && found[1..].iter().all(standard_chroma)))
}

/// Strength of the strongest 8 × 8 grid and whether it begins at the stored origin; `None` without native patches.
/// Only for pictures stored upright-or-mirrored on whole blocks, where the origin is known.
fn grid(scene: &Scene<'_>) -> Option<(f64, bool)> {
    const PATCH: u32 = 128;
    let capture = scene.capture();
    let (width, height) = (capture.width(), capture.height());
    if capture.pixels().orientation() != capture::Orientation::Upright || width.min(height) < PATCH {
        return None;
    }
    let (mut across, mut down) = ([0.0_f64; 8], [0.0_f64; 8]);
    for (fx, fy) in [(1, 1), (3, 1), (2, 2), (1, 3), (3, 3)] {
        // Patches begin on whole blocks.
        let x = ((width - PATCH) * fx / 4) & !7;
        let y = ((height - PATCH) * fy / 4) & !7;
        let patch = capture.luma(PixelRect::new(x, y, PATCH, PATCH))?;
        let raw = patch.as_raw();
        let side = PATCH as usize;
        for row in 2..side - 2 {
            for column in 2..side - 2 {
                let at = row * side + column;
                across[column % 8] += step(raw, at, 1);
                down[row % 8] += step(raw, at, side);
            }
        }
    }
    let strongest = |sums: &[f64; 8]| {
        let mean = sums.iter().sum::<f64>() / 8.0;
        let (phase, most) = sums.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))?;
        (mean > 0.0).then_some((phase, most / mean))
    };
    let (a, d) = (strongest(&across)?, strongest(&down)?);
    Some((a.1.min(d.1), a.0 == 0 && d.0 == 0))
}

/// How much the step between a sample and the one before exceeds its neighbours' steps.
fn step(raw: &[u8], at: usize, stride: usize) -> f64 {
    let difference = |i: usize| i32::from(raw[i].abs_diff(raw[i - stride]));
    f64::from((2 * difference(at) - difference(at - stride) - difference(at + stride)).max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_tables_are_known_at_their_quality() {
        for quality in [30, 50, 75, 90, 95] {
            let luma = LUMA.map(|v| scaled(v, quality));
            let chroma = std::array::from_fn(|i| scaled(CHROMA_HEAD.get(i).copied().unwrap_or(99), quality));
            assert_eq!(tables(&[luma, chroma]), Some((quality, true)));
        }
        let mut odd = LUMA.map(|v| scaled(v, 80));
        odd[5] += 1;
        assert_eq!(tables(&[odd]), Some((80, false)));
        assert_eq!(tables(&[]), None);
    }
}
