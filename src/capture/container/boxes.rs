//! PNG chunks, WebP chunks and HEIF boxes → size, blocks of metadata, and whether the file is whole.

use super::provenance::{icc_name, note_manifest};
use super::{Container, MANIFEST_BYTES, Survey, be32, keep, le32, text};

pub(super) fn png(bytes: &[u8]) -> Survey {
    let mut survey =
        Survey { container: Container { lossless: Some(true), ..Container::default() }, ..Survey::default() };
    let mut at = 8;
    let mut pixels = false;
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let Some(data) = bytes.get(at + 8..(at + 8).saturating_add(length as usize)) else { break };
        if bytes.len() < at + 12 + data.len() {
            break;
        }
        at += 12 + data.len();
        let container = &mut survey.container;
        match kind {
            b"IHDR" if data.len() >= 13 => {
                survey.size = be32(data, 0).zip(be32(data, 4));
                container.alpha = matches!(data[9], 4 | 6);
                container.progressive = data[12] != 0;
            }
            b"IDAT" => pixels = true,
            b"tRNS" => container.alpha = true,
            b"eXIf" => keep(&mut survey.exif, data.strip_prefix(b"Exif\0\0").unwrap_or(data)),
            b"iCCP" => {
                let name = data.split(|&b| b == 0).next().unwrap_or_default();
                container.icc_profile = Some(text(name, 79));
            }
            b"caBX" => note_manifest(&data[..data.len().min(MANIFEST_BYTES)], container),
            b"tEXt" | b"iTXt" => png_text(kind == b"iTXt", data, &mut survey),
            b"IEND" => {
                survey.complete = pixels;
                container.trailing_bytes = bytes.len() - at;
                break;
            }
            _ => {}
        }
    }
    survey
}

fn png_text(international: bool, data: &[u8], survey: &mut Survey) {
    let mut parts = data.splitn(2, |&b| b == 0);
    let (Some(key), Some(value)) = (parts.next(), parts.next()) else { return };
    // iTXt: compression flag and method, language, translated key; compressed text is left alone.
    let value = if international {
        if value.first() != Some(&0) {
            return;
        }
        value.get(2..).and_then(|v| v.splitn(3, |&b| b == 0).nth(2)).unwrap_or_default()
    } else {
        value
    };
    match key {
        b"Software" if survey.container.text_software.is_none() => {
            survey.container.text_software = Some(text(value, 256));
        }
        b"Comment" if survey.container.comment.is_none() => survey.container.comment = Some(text(value, 256)),
        b"XML:com.adobe.xmp" => keep(&mut survey.xmp, value),
        _ => {}
    }
}

pub(super) fn webp(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let declared = le32(bytes, 4).map_or(usize::MAX, |s| s as usize).saturating_add(8);
    survey.container.trailing_bytes = bytes.len().saturating_sub(declared);
    let mut at = 12;
    let mut whole = declared <= bytes.len();
    let mut pixels = false;
    while at + 8 <= bytes.len().min(declared) {
        let Some(length) = le32(bytes, at + 4).map(|l| l as usize) else { break };
        let data = bytes.get(at + 8..).unwrap_or_default();
        whole &= length <= data.len();
        let data = &data[..length.min(data.len())];
        let container = &mut survey.container;
        let le24 = |i: usize| data.get(i..i + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]));
        match &bytes[at..at + 4] {
            b"VP8X" => {
                container.alpha |= data.first().is_some_and(|f| f & 0x10 != 0);
                survey.size = le24(4).zip(le24(7)).map(|(w, h)| (w + 1, h + 1));
            }
            b"VP8 " => {
                container.lossless = Some(false);
                pixels = true;
                let side = |i: usize| data.get(i..i + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]]) & 0x3FFF));
                survey.size = survey.size.or_else(|| side(6).zip(side(8)));
            }
            b"VP8L" => {
                container.lossless = Some(true);
                pixels = true;
                if let Some(bits) = le32(data, 1) {
                    container.alpha |= bits & (1 << 28) != 0;
                    survey.size = survey.size.or(Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)));
                }
            }
            b"ANMF" => pixels = true,
            b"ALPH" => container.alpha = true,
            b"EXIF" => keep(&mut survey.exif, data.strip_prefix(b"Exif\0\0").unwrap_or(data)),
            b"XMP " => keep(&mut survey.xmp, data),
            b"ICCP" => container.icc_profile = Some(icc_name(data)),
            b"C2PA" => note_manifest(&data[..data.len().min(MANIFEST_BYTES)], container),
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(length).saturating_add(length & 1);
    }
    survey.complete = whole && pixels;
    survey
}

/// Boxes at the top level only; pixels, size and EXIF are the decoder's.
pub(super) fn heic(bytes: &[u8]) -> Survey {
    const C2PA_UUID: [u8; 16] =
        [0xD8, 0xFE, 0xC3, 0xD6, 0x1B, 0x0E, 0x48, 0x3C, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7E, 0xC4, 0x81];
    let mut survey =
        Survey { container: Container { lossless: Some(false), ..Container::default() }, ..Survey::default() };
    let mut at = 0_usize;
    while let (Some(size), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let size = match size {
            0 => bytes.len() - at,
            1 => be32(bytes, at + 8)
                .zip(be32(bytes, at + 12))
                .map_or(usize::MAX, |(high, low)| if high == 0 { low as usize } else { usize::MAX }),
            size => size as usize,
        };
        let end = at.saturating_add(size);
        if size < 8 || end > bytes.len() {
            return survey;
        }
        if kind == b"uuid" && bytes.get(at + 8..at + 24) == Some(&C2PA_UUID) {
            note_manifest(&bytes[at + 24..end.max(at + 24).min(at + 24 + MANIFEST_BYTES)], &mut survey.container);
        }
        at = end;
    }
    survey.complete = at == bytes.len();
    survey
}

/// The largest image extent (`ispe` property) of a HEIF file.
pub(super) fn largest_extent(head: &[u8]) -> Option<u64> {
    let extents = head.windows(4).enumerate().filter(|(_, name)| *name == b"ispe");
    let area = |at: usize| Some(u64::from(be32(head, at + 8)?) * u64::from(be32(head, at + 12)?));
    extents.filter_map(|(at, _)| area(at)).max()
}
