//! PNG chunks, WebP chunks and HEIF boxes → size, blocks of metadata, and whether the file is whole.

use super::provenance::{icc_name, note_manifest};
use super::{Container, MANIFEST_BYTES, Survey, be32, keep, le32, most_coded_bytes, text};
use crate::capture::CaptureError;

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
        // Texts, profiles and animations, broken, packed or endless, are not for the decoder of the pixels.
        survey.odd |= !is_of_pixels(kind) && kind != b"IEND";
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
                return survey;
            }
            _ => {}
        }
    }
    // Nothing but the end is missing; whether its data is whole is for the decoder to say.
    survey.odd = true;
    survey.complete = pixels && PNG_END.starts_with(bytes.get(at..).unwrap_or_default());
    survey
}

/// Whether a chunk of a PNG says what its pixels are.
fn is_of_pixels(kind: &[u8]) -> bool {
    matches!(kind, b"IHDR" | b"PLTE" | b"tRNS" | b"IDAT")
}

/// The last chunk of a PNG.
const PNG_END: [u8; 12] = *b"\0\0\0\0IEND\xAEB`\x82";

/// The same picture without what says nothing of its pixels, and with an end.
pub fn plain_png(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes[..bytes.len().min(8)].to_vec();
    let mut at = 8;
    while let (Some(length), Some(kind)) = (be32(bytes, at), bytes.get(at + 4..at + 8)) {
        let end = (at + 12).saturating_add(length as usize);
        let Some(chunk) = bytes.get(at..end) else { break };
        if is_of_pixels(kind) {
            out.extend(chunk);
        }
        at = end;
    }
    out.extend(PNG_END);
    out
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

/// Coded bits of a lossy WebP for each pixel: grainy photographs at the best quality have five.
const BITS_A_PIXEL: u64 = 7;
/// The same of a lossless one: of the 24 bits of a pixel grainy photographs keep 18, noise all.
const LOSSLESS_BITS_A_PIXEL: u64 = 22;
/// What the head of an extended WebP may promise.
const XMP: u8 = 0x04;
const EXIF: u8 = 0x08;
const OPACITY: u8 = 0x10;
const PROFILE: u8 = 0x20;

pub(super) fn webp(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let declared = le32(bytes, 4).map_or(usize::MAX, |s| s as usize).saturating_add(8);
    survey.container.trailing_bytes = bytes.len().saturating_sub(declared);
    let mut at = 12;
    let mut whole = declared <= bytes.len();
    let mut pixels = false;
    // What the head says that there is, and what there is.
    let (mut promised, mut kept) = (0, 0);
    let (mut coded, mut lossless) = (0, 0);
    while at + 8 <= bytes.len().min(declared) {
        let Some(length) = le32(bytes, at + 4).map(|l| l as usize) else { break };
        let data = bytes.get(at + 8..).unwrap_or_default();
        whole &= length <= data.len();
        let data = &data[..length.min(data.len())];
        let container = &mut survey.container;
        let le24 = |i: usize| data.get(i..i + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]));
        match &bytes[at..at + 4] {
            b"VP8X" => {
                promised = data.first().copied().unwrap_or(0);
                container.alpha |= promised & OPACITY != 0;
                survey.size = le24(4).zip(le24(7)).map(|(w, h)| (w + 1, h + 1));
            }
            b"VP8 " => {
                container.lossless = Some(false);
                pixels = true;
                coded = coded.max(length as u64);
                let side = |i: usize| data.get(i..i + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]]) & 0x3FFF));
                survey.size = survey.size.or_else(|| side(6).zip(side(8)));
            }
            b"VP8L" => {
                container.lossless = Some(true);
                pixels = true;
                kept |= OPACITY;
                lossless = lossless.max(length as u64);
                if let Some(bits) = le32(data, 1) {
                    container.alpha |= bits & (1 << 28) != 0;
                    survey.size = survey.size.or(Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)));
                }
            }
            b"ANMF" => {
                pixels = true;
                kept = u8::MAX;
                coded = coded.max(length as u64);
            }
            b"ALPH" => {
                container.alpha = true;
                kept |= OPACITY;
            }
            b"EXIF" => {
                kept |= EXIF;
                keep(&mut survey.exif, data.strip_prefix(b"Exif\0\0").unwrap_or(data));
            }
            b"XMP " => {
                kept |= XMP;
                keep(&mut survey.xmp, data);
            }
            b"ICCP" => {
                kept |= PROFILE;
                container.icc_profile = Some(icc_name(data));
            }
            b"C2PA" => note_manifest(&data[..data.len().min(MANIFEST_BYTES)], container),
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(length).saturating_add(length & 1);
    }
    survey.complete = whole && pixels;
    survey.odd = promised & (EXIF | XMP | PROFILE | OPACITY) & !kept != 0;
    let area = survey.size.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    let most = |bits| most_coded_bytes(area, bits);
    if survey.complete && (coded > most(BITS_A_PIXEL) || lossless > most(LOSSLESS_BITS_A_PIXEL)) {
        survey.refused = Some(CaptureError::TooCostly);
    }
    survey
}

/// The same still picture without the blocks beside it, and without the promise of any.
pub fn plain_webp(bytes: &[u8]) -> Vec<u8> {
    let mut out = b"RIFF\0\0\0\0WEBP".to_vec();
    let (mut extended, mut at) = (None, 12);
    while let (Some(length), Some(kind)) = (le32(bytes, at + 4), bytes.get(at..at + 4)) {
        let end = (at + 8).saturating_add(length as usize).saturating_add(length as usize & 1);
        let Some(chunk) = bytes.get(at..end.min(bytes.len())) else { break };
        match kind {
            b"VP8X" => extended = Some(chunk),
            b"ALPH" => {
                // Opacity stands before the picture, and has to be promised.
                if let Some(extended) = extended.filter(|chunk| chunk.len() > 8) {
                    out.extend(&extended[..8]);
                    out.push(OPACITY);
                    out.extend(&extended[9..]);
                }
                out.extend(chunk);
            }
            b"VP8 " | b"VP8L" => out.extend(chunk),
            _ => {}
        }
        at = end;
    }
    let size = (out.len() as u32 - 8).to_le_bytes();
    out[4..8].copy_from_slice(&size);
    out
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
            break;
        }
        if kind == b"uuid" && bytes.get(at + 8..at + 24) == Some(&C2PA_UUID) {
            note_manifest(&bytes[at + 24..end.max(at + 24).min(at + 24 + MANIFEST_BYTES)], &mut survey.container);
        }
        at = end;
    }
    survey.complete = at == bytes.len();
    survey.boxes_end = at;
    survey
}

/// The largest image extent (`ispe` property) of a HEIF file.
pub(super) fn largest_extent(head: &[u8]) -> Option<u64> {
    let extents = head.windows(4).enumerate().filter(|(_, name)| *name == b"ispe");
    let area = |at: usize| Some(u64::from(be32(head, at + 8)?) * u64::from(be32(head, at + 12)?));
    extents.filter_map(|(at, _)| area(at)).max()
}
