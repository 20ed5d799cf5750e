//! PDF (ISO 32000-1) → the JPEG that is its only page, as scanners and phones write it; nothing is drawn.
//!
//! Objects are found by their own words, one after the other, without the table of places: a file whose table is wrong
//! opens in viewers too. Anything beside one page with one picture is refused: text, further pages, other pictures.

use std::io::Read;

use super::be16;
use crate::capture::{CaptureError, Orientation};

/// Most objects that are looked at, and most bytes of one dictionary.
const OBJECTS: usize = 4096;
const DICTIONARY_BYTES: usize = 64 << 10;
/// Most bytes of all objects that are packed in streams, unpacked.
const PACKED_BYTES: u64 = 1 << 20;

/// The word after a stream.
const END: &[u8] = b"endstream";

/// What the objects say.
#[derive(Default)]
struct Found<'a> {
    pages: usize,
    turned: i32,
    pictures: Vec<Option<&'a [u8]>>,
    else_too: bool,
}

/// The JPEG on the only page, and how the page lies.
///
/// # Errors
/// Unsupported where there is more or something else than that; truncated where the file has no end.
pub fn picture(bytes: &[u8]) -> Result<(&[u8], Orientation), CaptureError> {
    let other = || CaptureError::unsupported("A PDF with more than one picture, or with text");
    let mut found = Found::default();
    let mut at = 0;
    let mut objects = 0;
    let mut room = PACKED_BYTES;
    let last = bytes.windows(END.len()).rposition(|w| w == END).unwrap_or(0);
    while let Some(next) = find(bytes, b" obj", at) {
        objects += 1;
        if objects > OBJECTS {
            return Err(other());
        }
        at = next + 4;
        let rest = &bytes[at..];
        let (dictionary, length) = dictionary(rest);
        at += length;
        let stream = stream(bytes, at, dictionary, last);
        if let Some((_, end)) = stream {
            at = end;
        }
        let stream = stream.map(|(data, _)| data);
        if has(dictionary, b"/ObjStm") {
            let mut text = Vec::new();
            let packed = flate2::read::ZlibDecoder::new(stream.unwrap_or_default());
            // A part of it is no worse than none: what is not there is not found.
            let _ = packed.take(room).read_to_end(&mut text);
            room -= text.len() as u64;
            note_all(&text, &mut found);
        } else {
            note(dictionary, stream, &mut found);
        }
    }
    if find(&bytes[bytes.len().saturating_sub(2048)..], b"%%EOF", 0).is_none() {
        return Err(CaptureError::Truncated);
    }
    let turned = match found.turned.rem_euclid(360) {
        90 => Orientation::Turned90,
        180 => Orientation::Turned180,
        270 => Orientation::Turned270,
        _ => Orientation::Upright,
    };
    match (found.else_too, found.pages, found.pictures.as_slice()) {
        (false, 1, [Some(jpeg)]) => Ok((jpeg, turned)),
        _ => Err(other()),
    }
}

/// Dictionaries of packed objects, none of which holds a stream.
fn note_all(text: &[u8], found: &mut Found<'_>) {
    let mut at = 0;
    let mut objects = 0;
    while let Some(next) = find(text, b"<<", at) {
        objects += 1;
        let (dictionary, length) = dictionary(&text[next..]);
        note(dictionary, None, found);
        at = next + length.max(2);
        if objects > OBJECTS {
            found.else_too = true;
            return;
        }
    }
}

fn note<'a>(dictionary: &[u8], stream: Option<&'a [u8]>, found: &mut Found<'a>) {
    found.else_too |= has(dictionary, b"/Font") || has(dictionary, b"/Encrypt") || has(dictionary, b"/Annots");
    if is(dictionary, b"/Type", b"/Page") {
        found.pages += 1;
    }
    if let Some(degrees) = value(dictionary, b"/Rotate").and_then(|v| std::str::from_utf8(v).ok()?.parse::<i32>().ok())
    {
        found.turned = degrees;
    }
    if is(dictionary, b"/Subtype", b"/Image") {
        let filters = value_and_more(dictionary, b"/Filter");
        let jpeg =
            filters.is_some_and(|f| has(f, b"/DCTDecode") && !has(f, b"/FlateDecode") && !has(f, b"/ASCII85Decode"));
        found.pictures.push(stream.filter(|data| jpeg && be16(data, 0) == Some(0xFFD8)));
    }
}

/// The dictionary that `rest` begins with, and how long it is with what stands before it.
fn dictionary(rest: &[u8]) -> (&[u8], usize) {
    let Some(begin) =
        rest.iter().take(64).position(|b| !b.is_ascii_whitespace()).filter(|at| rest[*at..].starts_with(b"<<"))
    else {
        return (&[], 0);
    };
    let mut depth = 0;
    let mut at = begin;
    while let Some(pair) = rest.get(at..at + 2).filter(|_| at < begin + DICTIONARY_BYTES) {
        match pair {
            b"<<" => depth += 1,
            b">>" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return (&rest[begin..at], at);
        }
    }
    (&[], 0)
}

/// The stream that begins at `at`, after white space and its word, and where it ends: at `last` at the latest.
fn stream<'a>(bytes: &'a [u8], at: usize, dictionary: &[u8], last: usize) -> Option<(&'a [u8], usize)> {
    let word = bytes.get(at..)?.iter().take(8).position(|b| !b.is_ascii_whitespace())? + at;
    let start = bytes.get(word..)?.strip_prefix(b"stream").map(|_| word + 6)?;
    let start = start + bytes.get(start..)?.iter().take(2).take_while(|b| matches!(b, b'\r' | b'\n')).count();
    // A length that stands elsewhere, or is wrong: the word that ends it is looked for.
    let told = value(dictionary, b"/Length").and_then(|v| std::str::from_utf8(v).ok()?.parse::<usize>().ok());
    let after = |length: usize| bytes.get(start + length..).map(|rest| &rest[..rest.len().min(16)]);
    let direct = !value_and_more(dictionary, b"/Length").is_some_and(is_reference);
    let length = told.filter(|length| direct && after(*length).is_some_and(|rest| find(rest, END, 0).is_some()));
    let length = length.or_else(|| Some((start <= last).then(|| find(bytes, END, start))?? - start))?;
    Some((&bytes[start..start + length], start + length))
}

fn is_reference(value: &[u8]) -> bool {
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    words.nth(1).is_some_and(|word| word.iter().all(u8::is_ascii_digit))
        && words.next().is_some_and(|w| w.starts_with(b"R"))
}

/// What stands after the name `key`, up to 128 bytes.
fn value_and_more<'a>(dictionary: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let mut at = 0;
    while let Some(next) = find(dictionary, key, at) {
        at = next + key.len();
        let rest = &dictionary[at..];
        if !rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            let skip = rest.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(rest.len());
            return Some(&rest[skip..rest.len().min(skip + 128)]);
        }
    }
    None
}

/// The word after the name `key`.
fn value<'a>(dictionary: &'a [u8], key: &[u8]) -> Option<&'a [u8]> {
    let more = value_and_more(dictionary, key)?;
    let end = more
        .iter()
        .skip(1)
        .position(|b| b.is_ascii_whitespace() || b"/<>[]()".contains(b))
        .map_or(more.len(), |at| at + 1);
    Some(&more[..end])
}

fn is(dictionary: &[u8], key: &[u8], name: &[u8]) -> bool {
    value(dictionary, key) == Some(name)
}

fn has(dictionary: &[u8], word: &[u8]) -> bool {
    find(dictionary, word, 0).is_some()
}

fn find(bytes: &[u8], word: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = word[0];
    let mut at = 0;
    while let Some(next) = rest.get(at..)?.iter().position(|b| *b == first) {
        at += next;
        if rest[at..].starts_with(word) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(objects: &[(&str, Option<&[u8]>)]) -> Vec<u8> {
        let mut out = b"%PDF-1.4\n".to_vec();
        for (i, (dictionary, stream)) in objects.iter().enumerate() {
            out.extend(format!("{} 0 obj\n{dictionary}\n", i + 1).bytes());
            if let Some(stream) = stream {
                out.extend(b"stream\r\n");
                out.extend(*stream);
                out.extend(b"\nendstream\n");
            }
            out.extend(b"endobj\n");
        }
        out.extend(b"trailer << /Root 1 0 R >>\n%%EOF\n");
        out
    }

    const PAGE: &str = "<< /Type /Page /Rotate 90 /Resources << /XObject << /Im0 4 0 R >> >> >>";
    const IMAGE: &str = "<</Type/XObject/Subtype/Image/Width 8/Height 8/Filter/DCTDecode/Length 6>>";

    #[test]
    fn the_only_picture_of_the_only_page_is_found() {
        let jpeg = b"\xFF\xD8 obj";
        let whole = file(&[
            ("<< /Type /Catalog >>", None),
            ("<</Type/Pages/Count 1>>", None),
            (PAGE, None),
            (IMAGE, Some(jpeg)),
        ]);
        assert_eq!(picture(&whole), Ok((&jpeg[..], Orientation::Turned90)));
        // A length that is wrong or stands elsewhere.
        for length in ["/Length 900", "/Length 9 0 R"] {
            let other = IMAGE.replace("/Length 6", length);
            let found = file(&[(PAGE, None), (&other, Some(jpeg))]);
            assert_eq!(picture(&found).map(|(jpeg, _)| &jpeg[..6]), Ok(&jpeg[..6]), "{length}");
        }
        assert_eq!(picture(&whole[..whole.len() - 8]), Err(CaptureError::Truncated));
    }

    #[test]
    fn anything_more_is_refused_in_a_sentence() {
        let jpeg: Option<&[u8]> = Some(b"\xFF\xD8jpeg");
        let flate = IMAGE.replace("/DCTDecode", "[/FlateDecode /DCTDecode]");
        for objects in [
            vec![(PAGE, None), (PAGE, None), (IMAGE, jpeg)],
            vec![(PAGE, None), (IMAGE, jpeg), (IMAGE, jpeg)],
            vec![(PAGE, None), ("<< /Type /Font >>", None), (IMAGE, jpeg)],
            vec![(PAGE, None), (flate.as_str(), jpeg)],
            vec![(PAGE, None)],
            vec![(IMAGE, jpeg)],
        ] {
            assert!(matches!(picture(&file(&objects)), Err(CaptureError::Unsupported { .. })), "{objects:?}");
        }
    }
}
