//! BMP headers and TIFF directories → size, alpha and compression, and whether the file is whole.

use super::{BLOCK_BYTES, Container, Survey, be16, be32, le32};
use crate::capture::CaptureError;

pub(super) fn bmp(bytes: &[u8]) -> Survey {
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
    if !matches!(depth, 1 | 2 | 4 | 8 | 16 | 24 | 32) && compression == 0 {
        survey.refused = Some(CaptureError::unsupported("A BMP of an unusual kind"));
    }
    let stored = if matches!(compression, 0 | 3 | 6) {
        (u64::from(width) * u64::from(depth)).div_ceil(32) * 4 * u64::from(height)
    } else {
        u64::from(le32(bytes, 34).unwrap_or(0))
    };
    let end = (start as u64).saturating_add(stored);
    let runs = matches!(compression, 1 | 2);
    let drawn = |data: &[u8]| runs_are_whole(data, (width, height), compression == 2);
    survey.complete = end <= bytes.len() as u64 && (!runs || bytes.get(start..).is_some_and(drawn));
    survey.container.trailing_bytes = (bytes.len() as u64).saturating_sub(end) as usize;
    survey
}

/// Whether the runs of a BMP, of 4 or 8 bits a pixel, come to the end of its last row.
fn runs_are_whole(data: &[u8], (width, height): (u32, u32), four_bits: bool) -> bool {
    let (mut x, mut y, mut at) = (0_u64, 0_u64, 0);
    while let Some([count, value]) = data.get(at..at + 2).and_then(<[u8]>::first_chunk) {
        at += 2;
        match (count, value) {
            (0, 0) => (x, y) = (0, y + 1),
            (0, 1) => break,
            // A step to the right and down.
            (0, 2) => {
                let Some([right, down]) = data.get(at..at + 2).and_then(<[u8]>::first_chunk) else { break };
                (x, y, at) = (x + u64::from(*right), y + u64::from(*down), at + 2);
            }
            // Pixels one by one, an even number of bytes.
            (0, count) => {
                let bytes = if four_bits { usize::from(*count).div_ceil(2) } else { usize::from(*count) };
                at += bytes.next_multiple_of(2);
                x += u64::from(*count);
            }
            (count, _) => x += u64::from(*count),
        }
    }
    at <= data.len() && (y >= u64::from(height) || (y + 1 == u64::from(height) && x >= u64::from(width)))
}

/// The first picture of a GIF: what it is drawn on, and whether all of it is there.
pub(super) fn gif(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let half = |at: usize| bytes.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    survey.size = half(6).zip(half(8));
    let Some(flags) = bytes.get(10) else { return survey };
    let mut at = 13 + table(*flags);
    while let Some(kind) = bytes.get(at) {
        at += 1;
        match kind {
            // An extension: its label.
            0x21 => {
                let label = bytes.get(at);
                let transparent = bytes.get(at + 2).is_some_and(|flags| flags & 1 == 1);
                survey.container.alpha |= label == Some(&0xF9) && transparent;
                at += 1;
            }
            // A picture: its place, size, colours, and the width of its codes.
            0x2C => {
                let Some(flags) = bytes.get(at + 8) else { return survey };
                survey.container.progressive = flags & 0x40 != 0;
                at += 9 + table(*flags) + 1;
            }
            _ => return survey,
        }
        while let Some(length) = bytes.get(at) {
            at += 1 + usize::from(*length);
            if *length == 0 {
                break;
            }
        }
        if *kind == 0x2C {
            survey.complete = at <= bytes.len() && bytes.get(at - 1) == Some(&0);
            return survey;
        }
    }
    survey
}

/// Most tags whose values are not read that are remembered.
const MOST_TAGS: usize = 512;

/// One entry of a TIFF directory with whole-number values.
pub(super) struct TiffEntry {
    pub(super) tag: u16,
    pub(super) values: Vec<u64>,
}

/// Most values of all entries of a directory together: 64 megapixels in tiles of 16 × 16, places and sizes.
const MOST_VALUES: usize = 1 << 19;

/// The first directory.
///
/// # Errors
/// Truncated when it is not there, too costly when it says more than a picture within any limits has to say.
pub(super) fn tiff_directory(bytes: &[u8]) -> Result<Vec<TiffEntry>, CaptureError> {
    let mut room = MOST_VALUES;
    tiff_entries(bytes, &mut room).ok_or(if room == 0 { CaptureError::TooCostly } else { CaptureError::Truncated })
}

/// `room` is what values may still come, and becomes 0 where more are told.
fn tiff_entries(bytes: &[u8], room: &mut usize) -> Option<Vec<TiffEntry>> {
    let little = bytes.starts_with(b"II");
    let short = |at: usize| be16(bytes, at).map(|v| if little { v.swap_bytes() } else { v });
    let long = |at: usize| be32(bytes, at).map(|v| if little { v.swap_bytes() } else { v });
    let at = long(4)? as usize;
    let count = usize::from(short(at)?);
    let mut entries: Vec<TiffEntry> = Vec::new();
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
        let wanted =
            matches!(tag, 0xFE | 0x100..=0x103 | 0x106 | 0x111 | 0x112 | 0x115 | 0x117 | 0x144 | 0x145 | 0x152 | 0x15B);
        // A tag counts once.
        if entries.iter().any(|e| e.tag == tag) || (!wanted && entries.len() >= MOST_TAGS) {
            continue;
        }
        let mut values = Vec::new();
        if wanted && size > 0 {
            *room = room.saturating_sub(number);
            if *room == 0 {
                return None;
            }
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

pub(super) fn tiff(bytes: &[u8]) -> Survey {
    let mut survey = Survey::default();
    let directory = match tiff_directory(bytes) {
        Ok(directory) => directory,
        Err(error) => {
            survey.refused = Some(error);
            return survey;
        }
    };
    let values = |tag| directory.iter().find(|e| e.tag == tag).map(|e| e.values.as_slice()).unwrap_or_default();
    let side = |tag| values(tag).first().map(|&v| u32::try_from(v).unwrap_or(u32::MAX));
    survey.size = side(0x100).zip(side(0x101));
    survey.container.alpha = values(0x152).iter().any(|&v| v == 1 || v == 2);
    survey.container.lossless = Some(!matches!(values(0x103).first(), Some(6 | 7)));
    let places = [(0x111, 0x117), (0x144, 0x145)].map(|(offsets, counts)| (values(offsets), values(counts)));
    let whole = |(offsets, counts): (&[u64], &[u64])| {
        offsets.iter().zip(counts).all(|(offset, count)| offset.saturating_add(*count) <= bytes.len() as u64)
    };
    if values(0x103).first() == Some(&7) {
        survey.shared = values(0x15B).iter().map(|&v| v as u8).collect();
        survey.strips = places
            .iter()
            .flat_map(|(offsets, counts)| offsets.iter().zip(*counts))
            .map(|(&offset, &count)| (offset as usize, count as usize))
            .collect();
    }
    survey.orientation = values(0x112).first().map(|&v| u32::try_from(v).unwrap_or(0));
    survey.complete = places.iter().any(|p| !p.0.is_empty()) && places.into_iter().all(whole);
    if bytes.len() <= BLOCK_BYTES {
        survey.exif = Some(bytes.to_vec());
    }
    survey
}
