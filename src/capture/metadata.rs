//! EXIF and XMP → stated facts, without judgement.

use exif::{Exif, Field, In, Tag, Value};
use image::GrayImage;
use serde::{Deserialize, Serialize};

use super::container::jpeg_size;

/// Longest text that is kept, in characters.
const TEXT_CHARS: usize = 128;
/// Largest thumbnail that is looked at, in bytes and pixels a side: EXIF blocks end at 64 KiB.
const THUMBNAIL_BYTES: usize = 512 << 10;
const THUMBNAIL_PX: u32 = 1024;
/// Longest value that is looked at, in bytes.
const VALUE_BYTES: usize = 1024;
/// Most XMP that is searched, in bytes.
const XMP_BYTES: usize = 1 << 20;

/// What the file's metadata states. Positions are never read, only whether there is one.
#[allow(clippy::struct_excessive_bools)] // Independent facts, not states.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Whether an EXIF block is present, broken or not.
    pub has_exif: bool,
    /// Whether the EXIF block could not be read, or only in part.
    pub exif_broken: bool,
    /// Maker of the camera.
    pub make: Option<String>,
    /// Model of the camera.
    pub model: Option<String>,
    /// Program that wrote the file, or firmware of the camera.
    pub software: Option<String>,
    /// Lens.
    pub lens: Option<String>,
    /// Exposure time in seconds.
    pub exposure_time_s: Option<f64>,
    /// Focal ratio.
    pub f_number: Option<f64>,
    /// Sensitivity, ISO.
    pub iso: Option<u32>,
    /// Focal length in millimetres.
    pub focal_length_mm: Option<f64>,
    /// When the picture was taken.
    pub datetime_original: Option<Timestamp>,
    /// When the file was last changed.
    pub datetime: Option<Timestamp>,
    /// Stated width in pixels, as stored.
    pub pixel_x: Option<u32>,
    /// Stated height in pixels, as stored.
    pub pixel_y: Option<u32>,
    /// EXIF orientation, 1 to 8.
    pub orientation: Option<u32>,
    /// Whether the maker's own block is present.
    pub has_maker_note: bool,
    /// Whether a position is stored.
    pub has_gps: bool,
    /// Whether a comment, description or the file's name calls the picture a screenshot.
    pub says_screenshot: bool,
    /// The embedded preview.
    pub thumbnail: Option<Thumbnail>,
    /// Whether an XMP packet is present.
    pub has_xmp: bool,
    /// Programs named in XMP: `CreatorTool` and the software of each step of the history, each once, at most eight.
    pub xmp_tools: Vec<String>,
}

/// The embedded preview.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// Size in bytes.
    pub bytes: usize,
    /// Its luma, as stored; `None` when it cannot be decoded.
    #[serde(with = "grey")]
    pub luma: Option<GrayImage>,
}

/// A grey picture as width, height and samples.
mod grey {
    use image::GrayImage;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::ref_option, reason = "what serde calls it with")]
    pub(super) fn serialize<S: Serializer>(luma: &Option<GrayImage>, to: S) -> Result<S::Ok, S::Error> {
        luma.as_ref().map(|luma| (luma.width(), luma.height(), luma.as_raw())).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<GrayImage>, D::Error> {
        let parts = Option::<(u32, u32, Vec<u8>)>::deserialize(from)?;
        Ok(parts.and_then(|(width, height, samples)| GrayImage::from_raw(width, height, samples)))
    }
}

/// A local date and time without a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp {
    /// Seconds since 1970-01-01 00:00 of the same clock.
    pub seconds: i64,
    /// Year.
    pub year: u16,
}

impl Timestamp {
    /// Reads "2024:05:17 10:20:30"; `None` for blanks, zeros and impossible dates.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let date = exif::DateTime::from_ascii(text).ok()?;
        let (year, month, day) = (i64::from(date.year), i64::from(date.month), i64::from(date.day));
        if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || date.hour > 23 {
            return None;
        }
        // Days from civil, Howard Hinnant: the year begins in March.
        let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let days = 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719_468;
        let seconds =
            days * 86_400 + i64::from(date.hour) * 3600 + i64::from(date.minute) * 60 + i64::from(date.second);
        Some(Self { seconds, year: date.year })
    }
}

/// Reads the blocks that the container held; a broken one leaves its facts out.
pub(super) fn read(exif: Option<Vec<u8>>, xmp: Option<&[u8]>, is_file: bool) -> Metadata {
    let mut metadata = Metadata::default();
    if let Some(block) = exif {
        metadata.has_exif = !is_file;
        let mut broken = false;
        let parsed = is_bounded(&block).then(|| {
            exif::Reader::new()
                .continue_on_error(true)
                .read_raw(block)
                .or_else(|e| e.distill_partial_result(|_| broken = true))
        });
        match parsed {
            Some(Ok(exif)) => facts(&exif, &mut metadata),
            _ => broken = true,
        }
        metadata.exif_broken = broken && !is_file;
    }
    if let Some(packet) = xmp {
        metadata.has_xmp = true;
        let packet = String::from_utf8_lossy(&packet[..packet.len().min(XMP_BYTES)]);
        for key in ["CreatorTool", "softwareAgent"] {
            tools(&packet, key, &mut metadata.xmp_tools);
        }
        metadata.says_screenshot |= packet.contains(">Screenshot<") || packet.contains("\"Screenshot\"");
    }
    metadata
}

/// Most entries of all directories of a block, each as often as it is pointed to: a phone's has about a hundred.
const ENTRIES: usize = 4096;
/// Most directories, and how deep they lie in one another: IFD0 → Exif → Interoperability.
const DIRECTORIES: usize = 32;
const DEPTH: usize = 3;
/// Most texts of one entry: each is kept by itself, also where it is empty.
const TEXT_BYTES: u32 = 64 << 10;

/// Whether a reader of `block` will hold no more than a bounded number of entries and texts. Directories may lie over one
/// another, so that a block of a megabyte can have as many entries as the square of its length.
fn is_bounded(block: &[u8]) -> bool {
    let little = block.starts_with(b"II");
    let number = |at: usize, size: usize| -> Option<u32> {
        let bytes = block.get(at..at.checked_add(size)?)?;
        let step = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        Some(if little { bytes.iter().rev().fold(0, step) } else { bytes.iter().fold(0, step) })
    };
    let mut waiting: Vec<(usize, usize)> = number(4, 4).map(|at| (at as usize, 0)).into_iter().collect();
    let (mut entries, mut directories) = (0, 0);
    while let Some((at, depth)) = waiting.pop() {
        directories += 1;
        if directories > DIRECTORIES {
            return false;
        }
        let Some(count) = number(at, 2).map(|count| count as usize) else { continue };
        entries += count.min(block.len() / 12);
        if entries > ENTRIES {
            return false;
        }
        for i in 0..count {
            let entry = at + 2 + 12 * i;
            let (Some(tag), Some(kind), Some(length), Some(value)) =
                (number(entry, 2), number(entry + 2, 2), number(entry + 4, 4), number(entry + 8, 4))
            else {
                break;
            };
            if kind == 2 && length > TEXT_BYTES {
                return false;
            }
            if matches!(tag, 0x8769 | 0x8825 | 0xA005) && depth < DEPTH {
                waiting.push((value as usize, depth + 1));
            }
        }
        if let Some(next) = number(at + 2 + 12 * count, 4).filter(|next| *next != 0 && depth == 0) {
            waiting.push((next as usize, 0));
        }
    }
    true
}

fn facts(exif: &Exif, metadata: &mut Metadata) {
    let field = |tag| exif.get_field(tag, In::PRIMARY);
    let text = |tag| field(tag).and_then(string);
    let number = |tag| field(tag).and_then(real);
    let whole = |tag| field(tag).and_then(|f: &Field| f.value.get_uint(0));
    metadata.has_exif |= field(Tag::ExifVersion).is_some() || field(Tag::Make).is_some();
    metadata.make = text(Tag::Make);
    metadata.model = text(Tag::Model);
    metadata.software = text(Tag::Software);
    metadata.lens = text(Tag::LensModel);
    metadata.exposure_time_s = number(Tag::ExposureTime);
    metadata.f_number = number(Tag::FNumber);
    metadata.iso = whole(Tag::PhotographicSensitivity);
    metadata.focal_length_mm = number(Tag::FocalLength);
    metadata.datetime_original = field(Tag::DateTimeOriginal).and_then(date);
    metadata.datetime = field(Tag::DateTime).and_then(date);
    metadata.pixel_x = whole(Tag::PixelXDimension);
    metadata.pixel_y = whole(Tag::PixelYDimension);
    metadata.orientation = whole(Tag::Orientation).filter(|v| (1..=8).contains(v));
    metadata.has_maker_note = field(Tag::MakerNote).is_some();
    metadata.has_gps = field(Tag::GPSLatitude).is_some() || field(Tag::GPSLongitude).is_some();
    metadata.says_screenshot =
        [Tag::UserComment, Tag::ImageDescription].into_iter().filter_map(text).any(|t| names_screenshot(&t));
    let place = |tag| exif.get_field(tag, In::THUMBNAIL).and_then(|f| f.value.get_uint(0)).map(|v| v as usize);
    if let (Some(start), Some(length)) = (place(Tag::JPEGInterchangeFormat), place(Tag::JPEGInterchangeFormatLength)) {
        metadata.thumbnail = thumbnail(exif.buf(), start, length);
    }
}

/// Whether `text` calls a picture a screenshot, in the languages of common phones.
pub(super) fn names_screenshot(text: &str) -> bool {
    const WORDS: &[&str] =
        &["screenshot", "screen shot", "screen_shot", "screencap", "截屏", "截图", "屏幕快照", "螢幕截圖"];
    let text = text.to_lowercase();
    WORDS.iter().any(|word| text.contains(word))
}

fn thumbnail(buffer: &[u8], start: usize, length: usize) -> Option<Thumbnail> {
    let bytes = buffer.get(start..start.checked_add(length.min(THUMBNAIL_BYTES + 1))?)?;
    if bytes.len() > THUMBNAIL_BYTES {
        return None;
    }
    let (width, height) = jpeg_size(bytes)?;
    let decodable = (1..=THUMBNAIL_PX).contains(&width) && (1..=THUMBNAIL_PX).contains(&height);
    let luma = decodable
        .then(|| image::load_from_memory_with_format(bytes, image::ImageFormat::Jpeg).ok())
        .flatten()
        .map(image::DynamicImage::into_luma8);
    Some(Thumbnail { width, height, bytes: length, luma })
}

fn string(field: &Field) -> Option<String> {
    let bytes: &[u8] = match &field.value {
        Value::Ascii(parts) => parts.first()?,
        // UserComment: eight bytes name the character code.
        Value::Undefined(bytes, _) => bytes.get(8..)?,
        Value::Byte(bytes) => bytes,
        _ => return None,
    };
    let raw = &bytes[..bytes.len().min(4 * TEXT_CHARS)];
    let utf16 = raw.len() >= 4 && raw.chunks_exact(2).all(|pair| pair.contains(&0));
    let text: String = if utf16 {
        raw.iter().filter(|b| **b != 0).map(|&b| char::from(b)).collect()
    } else {
        String::from_utf8_lossy(raw).into_owned()
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn real(field: &Field) -> Option<f64> {
    let value = match &field.value {
        Value::Rational(v) => v.first()?.to_f64(),
        Value::SRational(v) => v.first()?.to_f64(),
        Value::Float(v) => f64::from(*v.first()?),
        Value::Double(v) => *v.first()?,
        other => f64::from(other.get_uint(0)?),
    };
    value.is_finite().then_some(value)
}

fn date(field: &Field) -> Option<Timestamp> {
    match &field.value {
        Value::Ascii(parts) => Timestamp::parse(parts.first()?),
        _ => None,
    }
}

/// Values of `key`, as attribute (`key="…"`) or element (`key>…<`).
fn tools(packet: &str, key: &str, found: &mut Vec<String>) {
    for (at, _) in packet.match_indices(key) {
        if found.len() >= 8 {
            return;
        }
        // No further than a name may reach: a value that never ends would be searched to the end each time.
        let rest = &packet[at + key.len()..];
        let rest = &rest[..rest.floor_char_boundary(VALUE_BYTES)];
        let value = match rest.as_bytes().first() {
            Some(b'=') => rest[1..].strip_prefix(['"', '\'']).and_then(|r| r.split(['"', '\'']).next()),
            Some(b'>') => rest[1..].split('<').next(),
            _ => None,
        };
        let value: String = value.unwrap_or_default().trim().chars().take(TEXT_CHARS).collect();
        if !value.is_empty() && !found.contains(&value) {
            found.push(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_seconds_of_their_own_clock() {
        let at = |text: &str| Timestamp::parse(text.as_bytes()).map(|t| t.seconds);
        assert_eq!(at("1970:01:01 00:00:00"), Some(0));
        assert_eq!(at("2024:02:29 12:00:01"), Some(1_709_208_001));
        assert_eq!(at("0000:00:00 00:00:00"), None);
        assert_eq!(at("    :  :     :  :  "), None);
    }

    #[test]
    fn programs_are_read_from_both_forms_of_xmp() {
        let packet =
            br#"<x xmp:CreatorTool="Adobe Photoshop 25.0"><stEvt:softwareAgent>GIMP</stEvt:softwareAgent></x>"#;
        let metadata = read(None, Some(packet), false);
        assert_eq!(metadata.xmp_tools, ["Adobe Photoshop 25.0", "GIMP"]);
        assert!(metadata.has_xmp && !metadata.has_exif);
    }

    #[test]
    fn a_broken_block_is_a_fact_not_a_failure() {
        let metadata = read(Some(b"II*\0\xff\xff\xff\xff rubbish".to_vec()), None, false);
        assert!(metadata.has_exif && metadata.exif_broken && metadata.make.is_none());
    }
}
