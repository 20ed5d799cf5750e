//! JPEG segments (ITU-T T.81) → tables, sampling, blocks of metadata, and whether all scans are there.

use super::provenance::{icc_name, note_manifest};
use super::segments::{Segment, segments};
use super::{BLOCK_BYTES, MANIFEST_BYTES, Survey, be16, be32, keep, most_coded_bytes, text};
use crate::capture::CaptureError;

/// Most markers that are remembered.
const REMEMBERED_MARKERS: usize = 96;

/// How often the blocks of a picture may be gone over: a progressive file of many scans does so about ten times, one of
/// a scan for each bit of each coefficient six hundred times.
const PASSES: u64 = 40;
/// Most scans: the decoder takes no more.
const SCANS: usize = 100;
/// Blocks that may be gone over whatever the size.
const FEW_BLOCKS: u64 = 1 << 21;

/// Coded bits for each pixel: as many as without any coding.
const BITS_A_PIXEL: u64 = 24;
/// The same of a progressive file, whose coefficients are all held and gone over again.
const PROGRESSIVE_BITS_A_PIXEL: u64 = 8;

/// A component of a JPEG and what its scans have brought, to tell whether all scans are there.
#[derive(Debug, Clone, Copy)]
struct Coverage {
    id: u8,
    /// Bits of each coefficient that are still to come; `None` before its first scan.
    left: [Option<u8>; 64],
    blocks: u64,
}

pub(super) fn survey(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let mut icc: Vec<u8> = Vec::new();
    let mut manifest: Vec<u8> = Vec::new();
    let mut coverage: Vec<Coverage> = Vec::new();
    let mut tables: [Option<[u16; 64]>; 4] = [None; 4];
    let mut scan_bytes = 0_u64;
    let mut ended = false;
    let (mut passed, mut scans) = (0, 0);
    let mut next = 2;
    for Segment { code, data, start, end, scan_bytes: scanned } in segments(bytes) {
        // Fill bytes, stray bytes and markers without meaning: decoders pass over them.
        survey.odd |= code != 0xD8 && start != next || matches!(code, 0x01 | 0xDC);
        next = end + scanned;
        let container = &mut survey.container;
        if !(0xD0..=0xD7).contains(&code) && container.markers.len() < REMEMBERED_MARKERS {
            container.markers.push(code);
        }
        if code == 0xD9 {
            ended = true;
            container.trailing_bytes = bytes.len() - end;
        }
        let Some(data) = data else { continue };
        survey.odd |= is_broken_block(code, data);
        match code {
            // JPEG-LS (ITU-T T.87).
            0xF7 if survey.size.is_none() => {
                survey.refused = Some(CaptureError::unsupported("A lossless or hierarchical JPEG"));
            }
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if survey.size.is_none() => {
                frame(code, data, &mut survey, &mut coverage);
            }
            // ITU-T T.81, B.2.5: the height of a frame that did not say it.
            0xDC => {
                if let (Some((width, 0)), Some(height)) = (survey.size, be16(data, 0)) {
                    survey.size = Some((width, u32::from(height)));
                }
            }
            0xDB => quantisation(data, &mut tables),
            0xDA => {
                scan_bytes += scanned as u64;
                scans += 1;
                passed += cover(data, survey.container.progressive, &mut coverage);
            }
            0xFE if survey.container.comment.is_none() => survey.container.comment = Some(text(data, 256)),
            0xE0..=0xEF => application(code, data, &mut survey, &mut icc, &mut manifest),
            _ => {}
        }
    }
    let blocks: u64 = coverage.iter().map(|c| c.blocks).sum();
    let area = survey.size.map_or(0, |(width, height)| u64::from(width) * u64::from(height));
    let bits = if survey.container.progressive { PROGRESSIVE_BITS_A_PIXEL } else { BITS_A_PIXEL };
    if scan_bytes > most_coded_bytes(area, bits) || scans > SCANS || passed > (PASSES * blocks).max(FEW_BLOCKS) {
        survey.refused.get_or_insert(CaptureError::TooCostly);
    }
    // A Huffman-coded block costs at least a bit for its DC and, unless progressive, one for its end. Nothing is
    // allocated for a picture of which there cannot be so much.
    let bits = if survey.container.progressive { blocks } else { blocks * 2 };
    let whole = |c: &Coverage| c.left.iter().all(|left| *left == Some(0));
    survey.complete = !coverage.is_empty() && coverage.iter().all(whole) && scan_bytes * 8 >= bits;
    // What a maker puts after a picture without an end marker is not entropy-coded data; the decoder tells whether that
    // ran out.
    survey.odd |= !ended;
    survey.container.quantisation_tables = tables.into_iter().flatten().collect();
    if !icc.is_empty() {
        survey.container.icc_profile = Some(icc_name(&icc));
    }
    note_manifest(&manifest, &mut survey.container);
    survey
}

fn frame(code: u8, data: &[u8], survey: &mut Survey, coverage: &mut Vec<Coverage>) {
    let (Some(height), Some(width), Some(&count)) = (be16(data, 1), be16(data, 3), data.get(5)) else { return };
    let parts: Vec<&[u8]> = data[6..].chunks_exact(3).take(usize::from(count)).collect();
    let sampling: Vec<(u8, u8)> = parts.iter().map(|c| (c[1] >> 4, c[1] & 15)).collect();
    let most = (
        sampling.iter().map(|s| s.0).max().unwrap_or(1).max(1),
        sampling.iter().map(|s| s.1).max().unwrap_or(1).max(1),
    );
    let kind = match (code, data[0]) {
        (0xC3 | 0xC5..=0xC7 | 0xCB | 0xCD..=0xCF, _) => Some("A lossless or hierarchical JPEG"),
        (0xC9 | 0xCA, _) => Some("A JPEG with arithmetic coding"),
        (_, 12) => Some("A JPEG with 12 bits a sample"),
        _ => None,
    };
    survey.refused = kind.map(CaptureError::unsupported);
    survey.size = Some((u32::from(width), u32::from(height)));
    survey.components = parts.len();
    survey.container.progressive = matches!(code, 0xC2 | 0xC6 | 0xCA | 0xCE);
    survey.container.lossless = Some(matches!(code, 0xC3 | 0xC7 | 0xCB | 0xCF));
    if let [luma, blue, _] = sampling[..] {
        survey.container.subsampling = Some((luma.0 / blue.0.max(1), luma.1 / blue.1.max(1)));
    }
    coverage.extend(parts.iter().zip(&sampling).map(|(part, s)| {
        let along =
            |pixels: u16, share: u8, of: u8| (u64::from(pixels) * u64::from(share)).div_ceil(u64::from(of)).div_ceil(8);
        Coverage { id: part[0], left: [None; 64], blocks: along(width, s.0, most.0) * along(height, s.1, most.1) }
    }));
}

/// Notes what a scan header promises: components, first and last coefficient, and the bit that it refines. Returns how
/// many blocks the scan goes over.
fn cover(header: &[u8], progressive: bool, coverage: &mut [Coverage]) -> u64 {
    let Some(&count) = header.first() else { return 0 };
    let count = usize::from(count);
    let Some([from, to, bits]) = header.get(1 + 2 * count..4 + 2 * count).and_then(|t| t.first_chunk::<3>()) else {
        return 0;
    };
    let (from, to, (before, after)) = if progressive { (*from, *to, (bits >> 4, bits & 15)) } else { (0, 63, (0, 0)) };
    let mut passed = 0;
    for part in header[1..].chunks_exact(2).take(count) {
        for component in coverage.iter_mut().filter(|c| c.id == part[0]) {
            passed += component.blocks;
            for left in component.left.iter_mut().take(usize::from(to) + 1).skip(usize::from(from)) {
                // A first scan brings all but the last bits, each later one the next bit.
                match *left {
                    None if before == 0 => *left = Some(after),
                    Some(bits) if before == bits && after + 1 == bits => *left = Some(after),
                    _ => {}
                }
            }
        }
    }
    passed
}

/// Whether a block beside the picture is one that a strict decoder ends at and that browsers pass over.
fn is_broken_block(code: u8, data: &[u8]) -> bool {
    const EXTENDED_XMP: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
    const EXTENDED_XMP_HEAD: usize = 40;
    match code {
        0xE1 => data.strip_prefix(EXTENDED_XMP).is_some_and(|rest| rest.len() < EXTENDED_XMP_HEAD),
        // ICC.1, B.4: parts are counted from 1.
        0xE2 => matches!(data.strip_prefix(b"ICC_PROFILE\0"), Some([part, of, ..]) if *part == 0 || part > of),
        0xEE => data.starts_with(b"Adobe") && data.get(11).is_none_or(|transform| *transform > 2),
        _ => false,
    }
}

fn quantisation(mut data: &[u8], tables: &mut [Option<[u16; 64]>; 4]) {
    while let Some((&head, rest)) = data.split_first() {
        let wide = head >> 4 != 0;
        let size = if wide { 128 } else { 64 };
        let Some(values) = rest.get(..size) else { return };
        let table = std::array::from_fn(|i| {
            if wide { u16::from_be_bytes([values[2 * i], values[2 * i + 1]]) } else { u16::from(values[i]) }
        });
        if let Some(place) = tables.get_mut(usize::from(head & 15)) {
            place.get_or_insert(table);
        }
        data = &rest[size..];
    }
}

fn application(code: u8, data: &[u8], survey: &mut Survey, icc: &mut Vec<u8>, manifest: &mut Vec<u8>) {
    const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
    let container = &mut survey.container;
    match code {
        0xE0 => container.jfif |= data.starts_with(b"JFIF\0"),
        0xE1 if data.starts_with(b"Exif\0") => keep(&mut survey.exif, data.get(6..).unwrap_or_default()),
        0xE1 if data.starts_with(XMP) => keep(&mut survey.xmp, &data[XMP.len()..]),
        0xE2 if data.starts_with(b"ICC_PROFILE\0") && icc.len() < BLOCK_BYTES => {
            icc.extend_from_slice(data.get(14..).unwrap_or_default());
        }
        0xE2 => container.multi_picture |= data.starts_with(b"MPF\0"),
        // ISO 19566-5: "JP", box instance, packet sequence, then the box; later packets repeat the box header.
        0xEB if data.starts_with(b"JP") && manifest.len() < MANIFEST_BYTES => {
            let skip = if be32(data, 4).unwrap_or(1) > 1 { 16 } else { 8 };
            manifest.extend_from_slice(data.get(skip..).unwrap_or_default());
        }
        0xED => container.photoshop |= data.starts_with(b"Photoshop "),
        0xEE if data.starts_with(b"Adobe") => container.adobe_transform = data.get(11).copied(),
        _ => {}
    }
}

/// The same picture without what decoders pass over, and with an end: for one that is stricter than that.
pub fn plain(bytes: &[u8], height: u32) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8];
    out.reserve(bytes.len());
    for Segment { code, data, end, scan_bytes, .. } in segments(bytes) {
        let Some(data) = data else { continue };
        let colours = matches!(code, 0xE0 | 0xEE) && !is_broken_block(code, data);
        if !matches!(code, 0xC0..=0xCF | 0xDA | 0xDB | 0xDD) && !colours {
            continue;
        }
        let start = out.len();
        out.extend([0xFF, code]);
        out.extend((data.len() as u16 + 2).to_be_bytes());
        out.extend(data);
        // A height that came later.
        if matches!(code, 0xC0..=0xC2) && data.get(1..3) == Some(&[0, 0]) {
            out[start + 5..start + 7].copy_from_slice(&(height as u16).to_be_bytes());
        }
        out.extend(&bytes[end..end + scan_bytes]);
    }
    out.extend([0xFF, 0xD9]);
    out
}

/// The width and height a JPEG's frame header declares.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    survey(bytes).size
}
