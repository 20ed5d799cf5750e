//! C2PA manifests, XMP and colour profiles → what they name: source types, and the profile's own name.

use super::{Container, be32, text};

pub(super) fn note_manifest(manifest: &[u8], container: &mut Container) {
    container.c2pa |= manifest.windows(4).any(|w| w == b"c2pa");
    source_types(manifest, &mut container.digital_source_types);
}

/// Collects the last part of IPTC digital-source-type addresses, each once, at most eight.
pub fn source_types(block: &[u8], found: &mut Vec<String>) {
    const PREFIX: &[u8] = b"digitalsourcetype/";
    let mut at = 0;
    while let Some(next) = block[at..].windows(PREFIX.len()).position(|w| w == PREFIX) {
        at += next + PREFIX.len();
        let name: Vec<u8> = block[at..].iter().copied().take(64).take_while(u8::is_ascii_alphanumeric).collect();
        // CBOR text is followed by the next item's head, which may be a letter: known names are cut out.
        let name = String::from_utf8_lossy(&name).into_owned();
        let name = SOURCE_TYPES.iter().find(|known| name.starts_with(*known)).map_or(name, |k| (*k).to_owned());
        if !name.is_empty() && found.len() < 8 && !found.contains(&name) {
            found.push(name);
        }
    }
}

/// IPTC `NewsCodes` digital source types, longer names before those they begin with.
const SOURCE_TYPES: &[&str] = &[
    "compositeWithTrainedAlgorithmicMedia",
    "trainedAlgorithmicMedia",
    "trainedAlgorithmicData",
    "compositeSynthetic",
    "compositeCapture",
    "composite",
    "algorithmicallyEnhanced",
    "algorithmicMedia",
    "computationalCapture",
    "digitalCapture",
    "digitalCreation",
    "digitalArt",
    "dataDrivenMedia",
    "humanEdits",
    "minorHumanEdits",
    "negativeFilm",
    "positiveFilm",
    "print",
    "screenCapture",
    "softwareImage",
    "virtualRecording",
];

/// The `desc` tag of an ICC profile: ASCII in version 2, UTF-16 in version 4; empty when there is none.
pub fn icc_name(profile: &[u8]) -> String {
    let count = be32(profile, 128).unwrap_or(0).min(100) as usize;
    let Some(offset) = (0..count).map(|i| 132 + 12 * i).find(|&at| profile.get(at..at + 4) == Some(b"desc")) else {
        return String::new();
    };
    let start = be32(profile, offset + 4).unwrap_or(u32::MAX) as usize;
    let Some(tag) = profile.get(start..) else { return String::new() };
    if tag.starts_with(b"mluc") {
        let (length, from) = (be32(tag, 20).unwrap_or(0) as usize, be32(tag, 24).unwrap_or(0) as usize);
        let raw = tag.get(from..from.saturating_add(length.min(256))).unwrap_or_default();
        let units: Vec<u16> = raw.chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
        return String::from_utf16_lossy(&units).trim_end_matches('\0').to_owned();
    }
    let length = be32(tag, 8).unwrap_or(0).min(128) as usize;
    text(tag.get(12..12 + length).unwrap_or_default(), 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_types_are_cut_out_of_binary_text() {
        let mut found = Vec::new();
        source_types(b"..http://cv.iptc.org/newscodes/digitalsourcetype/screenCapturefsoft..", &mut found);
        source_types(b"digitalsourcetype/screenCapture\" digitalsourcetype/trainedAlgorithmicMedia", &mut found);
        assert_eq!(found, ["screenCapture", "trainedAlgorithmicMedia"]);
    }
}
