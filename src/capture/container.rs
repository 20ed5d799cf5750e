//! Markers, tables and boxes of the file → facts about how it was written, without judgement.

use super::{CaptureError, MediaType};

/// Most markers or chunks that are remembered.
const REMEMBERED_MARKERS: usize = 96;
/// Most bytes of metadata blocks that are kept, each kind.
const BLOCK_BYTES: usize = 4 << 20;
/// Most bytes of a C2PA manifest store that are searched.
const MANIFEST_BYTES: usize = 16 << 20;

/// How the file is built.
#[allow(clippy::struct_excessive_bools)] // Independent facts, not states.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Container {
    /// JPEG marker codes (0xD8 = SOI, …) in file order, restart markers left out, at most 96.
    pub markers: Vec<u8>,
    /// Whether a JPEG is progressive, or a PNG interlaced.
    pub progressive: bool,
    /// JPEG quantisation tables in order of their number, values in zigzag order as stored.
    pub quantisation_tables: Vec<[u16; 64]>,
    /// Luma samples per chroma sample, across and down: (2, 2) is 4:2:0. JPEG with three components only.
    pub subsampling: Option<(u8, u8)>,
    /// Whether a JFIF block is present.
    pub jfif: bool,
    /// Whether Photoshop's own block is present (JPEG APP13 "Photoshop 3.0").
    pub photoshop: bool,
    /// Colour transform of an Adobe block (JPEG APP14): 0 none, 1 YCbCr, 2 YCCK.
    pub adobe_transform: Option<u8>,
    /// Whether further pictures are announced (CIPA DC-007 multi-picture format), as phones do for depth and gain maps.
    pub multi_picture: bool,
    /// Bytes after the picture's end.
    pub trailing_bytes: usize,
    /// First comment, at most 256 characters.
    pub comment: Option<String>,
    /// Name of the embedded colour profile, empty if it has none; `None` without a profile.
    pub icc_profile: Option<String>,
    /// Whether a C2PA manifest store is present; never validated.
    pub c2pa: bool,
    /// IPTC digital source types named in the manifest or XMP, last part of the address: `screenCapture`, ….
    pub digital_source_types: Vec<String>,
    /// Writing program named in PNG text.
    pub text_software: Option<String>,
    /// Whether an alpha channel or transparent colour is stored.
    pub alpha: bool,
    /// Whether compression loses nothing: PNG, BMP, lossless WebP; `None` where unknown.
    pub lossless: Option<bool>,
}

/// What one walk over the file brings: facts, blocks to parse and the declared size.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub container: Container,
    /// Declared width and height, as stored.
    pub size: Option<(u32, u32)>,
    /// Colour components of a JPEG frame.
    pub components: usize,
    /// EXIF from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    pub xmp: Option<Vec<u8>>,
    /// Whether the file holds all of the picture that it announces.
    pub complete: bool,
}

/// The format of `bytes`, by content.
pub(super) fn sniff(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let unsupported = |format| Err(CaptureError::Unsupported { format });
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    if starts(&[0xFF, 0xD8, 0xFF]) {
        return Ok(MediaType::Jpeg);
    }
    if starts(b"\x89PNG\r\n\x1a\n") {
        return Ok(MediaType::Png);
    }
    if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(MediaType::WebP);
    }
    if starts(b"BM") && bytes.len() >= 26 && matches!(le32(bytes, 14), Some(12 | 40 | 52 | 56 | 64 | 108 | 124)) {
        return Ok(MediaType::Bmp);
    }
    if starts(b"II*\0") || starts(b"MM\0*") {
        return tiff_kind(bytes);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return isobmff_kind(bytes);
    }
    match () {
        () if starts(b"II+\0") || starts(b"MM\0+") => unsupported("BigTIFF"),
        () if starts(b"GIF8") => unsupported("GIF"),
        () if starts(b"%PDF") => unsupported("PDF"),
        () if starts(b"FUJIFILMCCD-RAW") || starts(b"IIRO") || starts(b"IIRS") || starts(b"IIU\0") => {
            unsupported("Camera raw")
        }
        () if starts(b"\0\0\0\x0cJXL ") || starts(&[0xFF, 0x0A]) => unsupported("JPEG XL"),
        () if starts(b"\0\0\0\x0cjP  ") || starts(&[0xFF, 0x4F, 0xFF, 0x51]) => unsupported("JPEG 2000"),
        () if starts(b"8BPS") => unsupported("Photoshop"),
        () if starts(b"\0\0\x01\0") && bytes.len() >= 22 => unsupported("ICO"),
        () if is_svg(bytes) => unsupported("SVG"),
        () => Err(CaptureError::NotAnImage),
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    head.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).starts_with('<') && head.contains("<svg")
}

/// Raw files are TIFFs too: told by the DNG version, Canon's mark, or previews beside the first directory.
fn tiff_kind(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let Some(directory) = tiff_directory(bytes) else { return Ok(MediaType::Tiff) };
    let has = |tag| directory.iter().any(|e| e.tag == tag);
    if has(0xC612) {
        return Err(CaptureError::Unsupported { format: "DNG" });
    }
    let first = |tag| directory.iter().find(|e| e.tag == tag).and_then(|e| e.values.first().copied());
    if bytes.get(8..10) == Some(b"CR") || (has(0x14A) && has(0x10F) && first(0xFE) == Some(1)) {
        return Err(CaptureError::Unsupported { format: "Camera raw" });
    }
    Ok(MediaType::Tiff)
}

fn isobmff_kind(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let size = be32(bytes, 0).map_or(16, |s| s as usize).clamp(16, 256).min(bytes.len());
    let brands: Vec<&[u8]> = bytes[8..size.max(8)].chunks_exact(4).collect();
    let any = |names: &[&[u8; 4]]| brands.iter().any(|b| names.iter().any(|n| n.as_slice() == *b));
    if any(&[b"avif", b"avis"]) {
        return Err(CaptureError::Unsupported { format: "AVIF" });
    }
    if any(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"]) {
        return Ok(MediaType::Heic);
    }
    Err(match brands.first().copied() {
        Some(b"crx ") => CaptureError::Unsupported { format: "Camera raw" },
        Some(b"jxl ") => CaptureError::Unsupported { format: "JPEG XL" },
        Some(b"jp2 ") => CaptureError::Unsupported { format: "JPEG 2000" },
        _ => CaptureError::NotAnImage,
    })
}

/// Walks the file once.
pub(super) fn survey(media_type: MediaType, bytes: &[u8]) -> Survey {
    let mut survey = match media_type {
        MediaType::Jpeg => jpeg(bytes),
        MediaType::Png => png(bytes),
        MediaType::WebP => webp(bytes),
        MediaType::Heic => heic(bytes),
        MediaType::Bmp => bmp(bytes),
        MediaType::Tiff => tiff(bytes),
    };
    if let Some(xmp) = &survey.xmp {
        source_types(xmp, &mut survey.container.digital_source_types);
    }
    survey
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at.checked_add(2)?).map(|b| u16::from_be_bytes([b[0], b[1]]))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    be32(bytes, at).map(u32::swap_bytes)
}

fn keep(block: &mut Option<Vec<u8>>, data: &[u8]) {
    if block.is_none() && data.len() <= BLOCK_BYTES {
        *block = Some(data.to_vec());
    }
}

/// What a JPEG scan refines, to tell whether all scans are there.
#[derive(Debug, Default, Clone, Copy)]
struct Coverage {
    id: u8,
    /// Bit per coefficient that has reached its last bit.
    done: u64,
    blocks: u64,
}

fn jpeg(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let mut icc: Vec<u8> = Vec::new();
    let mut manifest: Vec<u8> = Vec::new();
    let mut coverage: Vec<Coverage> = Vec::new();
    let mut tables: [Option<[u16; 64]>; 4] = [None; 4];
    let mut scan_bytes = 0_u64;
    let mut at = 0;
    let mut ended = false;
    // Markers may be preceded by any number of fill bytes; other bytes between segments are skipped, as decoders do.
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.windows(2).position(is_marker)) {
        let code = bytes[at + found + 1];
        at += found + 2;
        let container = &mut survey.container;
        if !(0xD0..=0xD7).contains(&code) && container.markers.len() < REMEMBERED_MARKERS {
            container.markers.push(code);
        }
        match code {
            0xD8 | 0x01 | 0xD0..=0xD7 => continue,
            0xD9 => {
                ended = true;
                container.trailing_bytes = bytes.len() - at;
                break;
            }
            _ => {}
        }
        let Some(length) = be16(bytes, at).map(usize::from).filter(|&l| l >= 2) else { break };
        let Some(data) = bytes.get(at + 2..at + length) else { break };
        at += length;
        match code {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF if survey.size.is_none() => {
                frame(code, data, &mut survey, &mut coverage);
            }
            0xDB => quantisation(data, &mut tables),
            0xDA => {
                let start = at;
                at = scan_end(bytes, at);
                scan_bytes += (at - start) as u64;
                cover(data, survey.container.progressive, &mut coverage);
            }
            0xFE if survey.container.comment.is_none() => survey.container.comment = Some(text(data, 256)),
            0xE0..=0xEF => application(code, data, &mut survey, &mut icc, &mut manifest),
            _ => {}
        }
    }
    let blocks: u64 = coverage.iter().map(|c| c.blocks).sum();
    // A Huffman-coded block costs at least a bit for its DC and, unless progressive, one for its end.
    let bits = if survey.container.progressive { 0 } else { blocks * 2 };
    let refined = |c: &Coverage| c.done & 1 == 1 && (c.done == u64::MAX || !survey.container.progressive);
    survey.complete =
        ended && !coverage.is_empty() && coverage.iter().all(refined) && scan_bytes * 8 >= bits.min(blocks * 2);
    survey.container.quantisation_tables = tables.into_iter().flatten().collect();
    if !icc.is_empty() {
        survey.container.icc_profile = Some(icc_name(&icc));
    }
    note_manifest(&manifest, &mut survey.container);
    survey
}

fn is_marker(pair: &[u8]) -> bool {
    pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xFF)
}

#[allow(clippy::needless_bitwise_bool)] // Without branches, so that it becomes vector instructions.
fn holds_marker_byte(word: &[u8; 32]) -> bool {
    word.iter().fold(false, |any, &b| any | (b == 0xFF))
}

/// Where the entropy-coded data that begins at `at` ends: at the next marker that is no restart.
fn scan_end(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        let (words, _) = bytes[at..].as_chunks::<32>();
        // Runs without 0xFF, 32 bytes at a time: the compiler makes one vector comparison of each.
        at += words.iter().take_while(|w| !holds_marker_byte(w)).count() * 32;
        let until = bytes.len().min(at + 33);
        while at < until {
            if bytes[at] == 0xFF {
                match bytes.get(at + 1) {
                    Some(0x00 | 0xD0..=0xD7) => at += 1,
                    Some(0xFF) => {}
                    _ => return at,
                }
            }
            at += 1;
        }
    }
    bytes.len()
}

fn frame(code: u8, data: &[u8], survey: &mut Survey, coverage: &mut Vec<Coverage>) {
    let (Some(height), Some(width), Some(&count)) = (be16(data, 1), be16(data, 3), data.get(5)) else { return };
    let parts: Vec<&[u8]> = data[6..].chunks_exact(3).take(usize::from(count)).collect();
    let sampling: Vec<(u8, u8)> = parts.iter().map(|c| (c[1] >> 4, c[1] & 15)).collect();
    let most = (
        sampling.iter().map(|s| s.0).max().unwrap_or(1).max(1),
        sampling.iter().map(|s| s.1).max().unwrap_or(1).max(1),
    );
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
        Coverage { id: part[0], done: 0, blocks: along(width, s.0, most.0) * along(height, s.1, most.1) }
    }));
}

/// Notes what a scan header promises: components, first and last coefficient, and the bit left to refine.
fn cover(header: &[u8], progressive: bool, coverage: &mut [Coverage]) {
    let Some(&count) = header.first() else { return };
    let count = usize::from(count);
    let Some([from, to, bits]) = header.get(1 + 2 * count..4 + 2 * count).and_then(|t| t.first_chunk::<3>()) else {
        return;
    };
    let mask = if !progressive {
        u64::MAX
    } else if bits & 15 != 0 || *from > 63 || to < from {
        0
    } else {
        (u64::MAX >> (63 - (to.min(&63) - from))) << from
    };
    for part in header[1..].chunks_exact(2).take(count) {
        for component in coverage.iter_mut().filter(|c| c.id == part[0]) {
            component.done |= mask;
        }
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

fn png(bytes: &[u8]) -> Survey {
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

fn webp(bytes: &[u8]) -> Survey {
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
fn heic(bytes: &[u8]) -> Survey {
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

fn bmp(bytes: &[u8]) -> Survey {
    let mut survey =
        Survey { container: Container { lossless: Some(true), ..Container::default() }, ..Survey::default() };
    let Some(header) = le32(bytes, 14) else { return survey };
    let start = le32(bytes, 10).unwrap_or(0) as usize;
    let half = |at: usize| bytes.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
    let (size, depth, compression) = if header == 12 {
        (half(18).zip(half(20)), half(24), 0)
    } else {
        let side = |at| le32(bytes, at).map(|v| v.cast_signed().unsigned_abs());
        (side(18).zip(side(22)), half(28), le32(bytes, 30).unwrap_or(0))
    };
    survey.size = size;
    let (Some((width, height)), Some(depth)) = (size, depth) else { return survey };
    survey.container.alpha = depth == 32 && header >= 56 && le32(bytes, 66).is_some_and(|mask| mask != 0);
    let stored = if matches!(compression, 0 | 3 | 6) {
        (u64::from(width) * u64::from(depth)).div_ceil(32) * 4 * u64::from(height)
    } else {
        u64::from(le32(bytes, 34).unwrap_or(0))
    };
    let end = (start as u64).saturating_add(stored);
    survey.complete = end <= bytes.len() as u64;
    survey.container.trailing_bytes = (bytes.len() as u64).saturating_sub(end) as usize;
    survey
}

/// One entry of a TIFF directory with whole-number values.
struct TiffEntry {
    tag: u16,
    values: Vec<u64>,
}

/// The first directory; `None` when it is not there.
fn tiff_directory(bytes: &[u8]) -> Option<Vec<TiffEntry>> {
    let little = bytes.starts_with(b"II");
    let short = |at: usize| be16(bytes, at).map(|v| if little { v.swap_bytes() } else { v });
    let long = |at: usize| be32(bytes, at).map(|v| if little { v.swap_bytes() } else { v });
    let at = long(4)? as usize;
    let count = usize::from(short(at)?);
    let mut entries = Vec::new();
    for i in 0..count {
        let entry = at.checked_add(2 + 12 * i)?;
        let (tag, kind, number) = (short(entry)?, short(entry + 2)?, long(entry + 4)? as usize);
        long(entry + 8)?;
        let size = match kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 13 => 4,
            _ => 0,
        };
        let wanted = matches!(tag, 0xFE | 0x100..=0x103 | 0x106 | 0x111 | 0x115 | 0x117 | 0x144 | 0x145 | 0x152);
        let mut values = Vec::new();
        if wanted && size > 0 && number <= 1 << 20 {
            let start = if number * size <= 4 { entry + 8 } else { long(entry + 8)? as usize };
            for k in 0..number {
                let place = start.checked_add(k * size)?;
                values.push(match size {
                    1 => u64::from(*bytes.get(place)?),
                    2 => u64::from(short(place)?),
                    _ => u64::from(long(place)?),
                });
            }
        }
        entries.push(TiffEntry { tag, values });
    }
    Some(entries)
}

fn tiff(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let Some(directory) = tiff_directory(bytes) else { return survey };
    let values = |tag| directory.iter().find(|e| e.tag == tag).map(|e| e.values.as_slice()).unwrap_or_default();
    let side = |tag| values(tag).first().map(|&v| u32::try_from(v).unwrap_or(u32::MAX));
    survey.size = side(0x100).zip(side(0x101));
    survey.container.alpha = values(0x152).iter().any(|&v| v == 1 || v == 2);
    survey.container.lossless = Some(!matches!(values(0x103).first(), Some(6 | 7)));
    let places = [(0x111, 0x117), (0x144, 0x145)].map(|(offsets, counts)| (values(offsets), values(counts)));
    let whole = |(offsets, counts): (&[u64], &[u64])| {
        offsets.iter().zip(counts).all(|(offset, count)| offset + count <= bytes.len() as u64)
    };
    survey.complete = places.iter().any(|p| !p.0.is_empty()) && places.into_iter().all(whole);
    if bytes.len() <= BLOCK_BYTES {
        survey.exif = Some(bytes.to_vec());
    }
    survey
}

/// The width and height a JPEG's frame header declares.
pub(super) fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    jpeg(bytes).size
}

fn note_manifest(manifest: &[u8], container: &mut Container) {
    container.c2pa |= manifest.windows(4).any(|w| w == b"c2pa");
    source_types(manifest, &mut container.digital_source_types);
}

/// Collects the last part of IPTC digital-source-type addresses, each once, at most eight.
pub(super) fn source_types(block: &[u8], found: &mut Vec<String>) {
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
pub(super) fn icc_name(profile: &[u8]) -> String {
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

/// Printable text of at most `most` characters, cut at the first NUL.
fn text(bytes: &[u8], most: usize) -> String {
    let bytes = bytes.split(|&b| b == 0).next().unwrap_or_default();
    String::from_utf8_lossy(&bytes[..bytes.len().min(4 * most)])
        .chars()
        .filter(|c| !c.is_control())
        .take(most)
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_content() {
        assert_eq!(sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Ok(MediaType::Jpeg));
        assert_eq!(sniff(b"RIFF\0\0\0\0WEBPVP8 "), Ok(MediaType::WebP));
        assert_eq!(sniff(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), Ok(MediaType::Heic));
        let named = |bytes: &[u8]| match sniff(bytes) {
            Err(CaptureError::Unsupported { format }) => format,
            other => panic!("{other:?}"),
        };
        assert_eq!(named(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif"), "AVIF");
        assert_eq!(named(b"GIF89a"), "GIF");
        assert_eq!(named(b"%PDF-1.7"), "PDF");
        assert_eq!(named(b"<?xml version='1.0'?><svg xmlns='x'/>"), "SVG");
        assert_eq!(sniff(b"hello, this is text"), Err(CaptureError::NotAnImage));
    }

    #[test]
    fn entropy_data_ends_at_the_next_marker() {
        let mut bytes = vec![7; 100];
        bytes[40] = 0xFF; // stuffed
        bytes[41] = 0;
        bytes[63] = 0xFF; // restart
        bytes[64] = 0xD3;
        bytes[90] = 0xFF;
        bytes[91] = 0xD9;
        assert_eq!(scan_end(&bytes, 3), 90);
        assert_eq!(scan_end(&bytes[..90], 3), 90);
    }

    #[test]
    fn source_types_are_cut_out_of_binary_text() {
        let mut found = Vec::new();
        source_types(b"..http://cv.iptc.org/newscodes/digitalsourcetype/screenCapturefsoft..", &mut found);
        source_types(b"digitalsourcetype/screenCapture\" digitalsourcetype/trainedAlgorithmicMedia", &mut found);
        assert_eq!(found, ["screenCapture", "trainedAlgorithmicMedia"]);
    }
}
