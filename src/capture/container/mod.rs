//! Markers, tables and boxes of the file → facts about how it was written, without judgement.

mod boxes;
#[cfg(feature = "heic")]
mod heif;
mod jpeg;
mod pdf;
mod provenance;
mod raster;
mod segments;

pub(super) use boxes::{plain_png, plain_webp};
#[cfg(feature = "heic")]
pub(super) use heif::{Plan, is_whole, plan};
pub(super) use jpeg::{plain, size as jpeg_size};
pub(super) use pdf::picture as pdf_picture;
#[cfg(feature = "heic")]
pub(super) use provenance::icc_name;
pub(super) use provenance::source_types;

pub use self::segments::{Segment, segments};
use serde::{Deserialize, Serialize};

use super::{CaptureError, MediaType};

/// Most bytes of metadata blocks that are kept, each kind.
const BLOCK_BYTES: usize = 4 << 20;
/// Most bytes of a C2PA manifest store that are searched.
const MANIFEST_BYTES: usize = 16 << 20;

/// Most bytes of a picture of `pixels` that may be decoded bit by bit: so many bits a pixel, and 4 MiB whatever the size.
///
/// A camera's HEIC has one to three bits a pixel and takes 70 ns a byte; noise has up to twelve. Of lossy WebP a byte takes
/// 40 ns, of progressive JPEG 35 ns.
fn most_coded_bytes(pixels: u64, bits_a_pixel: u64) -> u64 {
    (pixels / 8 * bits_a_pixel).max(4 << 20)
}

/// How the file is built.
#[allow(clippy::struct_excessive_bools)] // Independent facts, not states.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Container {
    /// Size of the file in bytes; 0 where that is not known.
    #[serde(default)]
    pub bytes: usize,
    /// JPEG marker codes (0xD8 = SOI, …) in file order, restart markers left out, at most 96.
    pub markers: Vec<u8>,
    /// Whether a JPEG is progressive, or a PNG interlaced.
    pub progressive: bool,
    /// JPEG quantisation tables in order of their number, values in zigzag order as stored.
    #[serde(with = "tables")]
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

/// Tables as lists: arrays of more than 32 are not written as they are.
mod tables {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(tables: &[[u16; 64]], to: S) -> Result<S::Ok, S::Error> {
        tables.iter().map(<[u16; 64]>::as_slice).collect::<Vec<_>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<[u16; 64]>, D::Error> {
        let tables = Vec::<Vec<u16>>::deserialize(from)?;
        Ok(tables.into_iter().filter_map(|table| table.try_into().ok()).collect())
    }
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
    /// Whether the file holds what a strict decoder stumbles over, or has no end: its plain form is to be decoded.
    pub odd: bool,
    /// Where the whole boxes of a HEIF file end; a maker's trailer may follow.
    pub boxes_end: usize,
    /// Coded pictures of a TIFF, each a JPEG, and what all of them share.
    pub strips: Vec<(usize, usize)>,
    pub shared: Vec<u8>,
    /// EXIF orientation that stands in the file's own structure, not in a block.
    pub orientation: Option<u32>,
    /// Why the picture is not decoded, where its structure says so.
    pub refused: Option<CaptureError>,
}

/// The format of `bytes`, by content.
pub(super) fn sniff(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let unsupported = |format| Err(CaptureError::unsupported(format));
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
        () if starts(b"GIF87a") || starts(b"GIF89a") => Ok(MediaType::Gif),
        () if bytes[..bytes.len().min(1024)].windows(5).any(|w| w == b"%PDF-") => Ok(MediaType::Pdf),
        () if starts(b"FUJIFILMCCD-RAW") || starts(b"IIRO") || starts(b"IIRS") || starts(b"IIU\0") => {
            unsupported("A camera's raw file")
        }
        () if starts(b"\0\0\0\x0cJXL ") || starts(&[0xFF, 0x0A]) => unsupported("JPEG XL"),
        () if starts(b"\0\0\0\x0cjP  ") || starts(&[0xFF, 0x4F, 0xFF, 0x51]) => unsupported("JPEG 2000"),
        () if starts(b"RIFF") && matches!(bytes.get(8..12), Some(b"AVI " | b"WAVE")) => unsupported("A sound or film"),
        () if starts(b"\x1aE\xdf\xa3") || starts(b"OggS") || starts(b"ID3") => unsupported("A sound or film"),
        () if starts(b"8BPS") => unsupported("Photoshop's own format"),
        () if starts(b"\0\0\x01\0") && bytes.len() >= 22 => unsupported("ICO"),
        () if is_other(bytes) => unsupported("A picture of this kind"),
        () if is_svg(bytes) => unsupported("SVG"),
        () => Err(CaptureError::NotAnImage),
    }
}

/// Pictures and drawings that are known by their first bytes and by nobody's camera.
const OTHERS: &[&[u8]] = &[
    b"#?RADIANCE",
    b"#?RGBE",
    b"%!PS",
    b"AT&TFORM",
    b"BPG\xFB",
    b"DDS ",
    b"FLIF",
    b"II\xBC\x01",
    b"P1\n",
    b"P2\n",
    b"P3\n",
    b"P4\n",
    b"P5\n",
    b"P6\n",
    b"SIMPLE  =",
    b"\0\0\x02\0\x01\0",
    b"\x01\xDA\0",
    b"\x01\xDA\x01",
    b"\x0A\x05\x01\x08",
    b"\x8AMNG",
    b"\x8BJNG",
    b"\xD7\xCD\xC6\x9A",
    b"gimp xcf",
    b"icns",
    b"qoif",
    b"v/1\x01",
];

fn is_other(bytes: &[u8]) -> bool {
    OTHERS.iter().any(|magic| bytes.starts_with(magic))
        || bytes.get(128..132) == Some(b"DICM")
        || (bytes.starts_with(&[1, 0, 0, 0]) && bytes.get(40..44) == Some(b" EMF"))
}

fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]).to_lowercase();
    head.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).starts_with('<') && head.contains("<svg")
}

/// Raw files are TIFFs too: told by the DNG version, Canon's mark, or previews beside the first directory.
fn tiff_kind(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let Ok(directory) = raster::tiff_directory(bytes) else { return Ok(MediaType::Tiff) };
    let has = |tag| directory.iter().any(|e| e.tag == tag);
    if has(0xC612) {
        return Err(CaptureError::unsupported("DNG"));
    }
    let first = |tag| directory.iter().find(|e| e.tag == tag).and_then(|e| e.values.first().copied());
    if bytes.get(8..10) == Some(b"CR") || (has(0x14A) && has(0x10F) && first(0xFE) == Some(1)) {
        return Err(CaptureError::unsupported("A camera's raw file"));
    }
    Ok(MediaType::Tiff)
}

/// Brands of ISO base media files that hold films and sound.
const FILMS: &[&[u8]] = &[b"isom", b"iso", b"mp4", b"avc", b"qt  ", b"M4", b"3gp", b"3g2", b"dash", b"MSNV"];

fn isobmff_kind(bytes: &[u8]) -> Result<MediaType, CaptureError> {
    let size = be32(bytes, 0).map_or(16, |s| s as usize).clamp(16, 256).min(bytes.len());
    let brands: Vec<&[u8]> = bytes[8..size.max(8)].chunks_exact(4).collect();
    let any = |names: &[&[u8; 4]]| brands.iter().any(|b| names.iter().any(|n| n.as_slice() == *b));
    if any(&[b"avif", b"avis"]) {
        return Err(CaptureError::unsupported("AVIF"));
    }
    if any(&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"]) {
        return Ok(MediaType::Heic);
    }
    Err(match brands.first().copied() {
        Some(b"crx ") => CaptureError::unsupported("A camera's raw file"),
        Some(b"jxl ") => CaptureError::unsupported("JPEG XL"),
        Some(b"jp2 ") => CaptureError::unsupported("JPEG 2000"),
        Some(brand) if FILMS.iter().any(|film| brand.starts_with(film)) => CaptureError::unsupported("A sound or film"),
        _ => CaptureError::NotAnImage,
    })
}

/// What the first bytes of a file declare of its picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// The format, by content.
    pub media_type: MediaType,
    /// Width times height.
    pub pixels: u64,
    /// Whether a JPEG is progressive, or a PNG interlaced.
    pub progressive: bool,
}

/// What `head`, the first bytes of a file, declares; `None` where it is no picture that is examined, or its size comes
/// later in the file.
#[must_use]
pub fn declared(head: &[u8]) -> Option<Declared> {
    let media_type = sniff(head).ok()?;
    let survey = survey(media_type, head);
    let area = |(width, height): (u32, u32)| u64::from(width) * u64::from(height);
    let pixels = if media_type == MediaType::Heic { boxes::largest_extent(head) } else { survey.size.map(area) };
    Some(Declared { media_type, pixels: pixels?, progressive: survey.container.progressive })
}

/// Walks the file once.
pub(super) fn survey(media_type: MediaType, bytes: &[u8]) -> Survey {
    let mut survey = match media_type {
        MediaType::Jpeg => jpeg::survey(bytes),
        MediaType::Png => boxes::png(bytes),
        MediaType::WebP => boxes::webp(bytes),
        MediaType::Heic => boxes::heic(bytes),
        MediaType::Bmp => raster::bmp(bytes),
        MediaType::Tiff => raster::tiff(bytes),
        MediaType::Gif => raster::gif(bytes),
        // What it holds is walked once it is found.
        MediaType::Pdf => Survey::default(),
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
        assert_eq!(sniff(b"GIF89a"), Ok(MediaType::Gif));
        assert_eq!(sniff(b"\n%PDF-1.7"), Ok(MediaType::Pdf));
        assert_eq!(named(b"<?xml version='1.0'?><svg xmlns='x'/>"), "SVG");
        assert_eq!(sniff(b"hello, this is text"), Err(CaptureError::NotAnImage));
    }
}
