//! A JPEG's bytes → its markers, one by one, each with its segment.

/// A marker of a JPEG and what belongs to it.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'a> {
    /// Marker code: 0xD8 = SOI, ….
    pub code: u8,
    /// What follows the marker and its length; `None` for a marker that has no length, and for one that is cut off.
    pub data: Option<&'a [u8]>,
    /// Where the segment begins in the file: at the marker's own 0xFF.
    pub start: usize,
    /// Where the segment ends, before any entropy-coded data.
    pub end: usize,
    /// Bytes of entropy-coded data that follow a scan's header.
    pub scan_bytes: usize,
}

/// The markers of `bytes` in file order, up to the end of the picture or a segment that is cut off, that one included.
///
/// Markers may be preceded by any number of fill bytes; other bytes between segments are skipped, as decoders do.
pub fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 0;
    let mut ended = false;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|_| !ended)?;
        let start = at + rest.windows(2).position(is_marker)?;
        let code = bytes[start + 1];
        let bare = Segment { code, data: None, start, end: start + 2, scan_bytes: 0 };
        at = bare.end;
        if matches!(code, 0xD8 | 0x01 | 0xD0..=0xD7) {
            return Some(bare);
        }
        let length = bytes.get(at..at + 2).map(|b| usize::from(u16::from_be_bytes([b[0], b[1]])));
        let whole = length.filter(|&length| code != 0xD9 && length >= 2);
        let Some((data, length)) = whole.and_then(|length| Some((bytes.get(at + 2..at + length)?, length))) else {
            ended = true;
            return Some(bare);
        };
        let end = at + length;
        at = if code == 0xDA { scan_end(bytes, end) } else { end };
        Some(Segment { data: Some(data), end, scan_bytes: at - end, ..bare })
    })
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_file_is_walked_up_to_its_end_or_to_what_is_cut_off() {
        let codes = |bytes: &[u8]| segments(bytes).map(|s| (s.code, s.data.map(<[u8]>::len))).collect::<Vec<_>>();
        let whole = b"\xFF\xD8\xFF\xE1\x00\x04ab\xFF\xFF\xFE\x00\x02\xFF\xDA\x00\x02pq\xFF\x00r\xFF\xD9rest\xFF\xE0";
        let expected = [(0xD8, None), (0xE1, Some(2)), (0xFE, Some(0)), (0xDA, Some(0)), (0xD9, None)];
        assert_eq!(codes(whole), expected);
        assert_eq!(segments(whole).map(|s| s.scan_bytes).sum::<usize>(), 5);
        let app = segments(whole).nth(1).expect("there");
        assert_eq!(&whole[app.start..app.end], b"\xFF\xE1\x00\x04ab");
        assert_eq!(codes(b"\xFF\xD8\xFF\xE1\xFF\xFFab\xFF\xE0\x00\x02"), [(0xD8, None), (0xE1, None)]);
        assert_eq!(codes(b"\xFF\xE1\x00\x01\xFF\xE0\x00\x02"), [(0xE1, None)]);
        assert!(codes(b"").is_empty() && codes(b"\xFF").is_empty());
    }
}
