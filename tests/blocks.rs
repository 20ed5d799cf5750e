//! Broken blocks beside a whole picture → it opens as if they were not there; pictures whose data ends early in a file that
//! looks whole → refused, whatever the container says.

use std::io::Write as _;

use bonafide::capture::{Capture, CaptureError, Limits, Upload, decode, segments};
use image::{DynamicImage, GrayImage, ImageFormat, Luma};
use jpeg_encoder::{ColorType, Encoder};

use crate::whole::end_with_directory;

const SIDES: (u32, u32) = (96, 64);

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

/// All of Y, Cb and Cr.
fn samples(bytes: &[u8], name: &str) -> Vec<Vec<u8>> {
    let capture = open(bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
    capture.ycc(capture.frame()).expect("the whole picture").map(GrayImage::into_raw).to_vec()
}

fn textured() -> GrayImage {
    GrayImage::from_fn(SIDES.0, SIDES.1, |x, y| {
        Luma([((x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 9) as u8])
    })
}

fn jpeg(progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 88);
    encoder.set_progressive(progressive);
    let rgb = DynamicImage::from(textured()).to_rgb8();
    encoder.encode(rgb.as_raw(), SIDES.0 as u16, SIDES.1 as u16, ColorType::Rgb).expect("the encoder takes it");
    bytes
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(DynamicImage::from(textured()).to_rgb8()).write_to(&mut bytes, format).expect("written");
    bytes.into_inner()
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

#[test]
fn broken_blocks_beside_a_jpeg_change_nothing() {
    let blocks: [(&str, u8, &[u8]); 15] = [
        ("part 0 of a profile", 0xE2, b"ICC_PROFILE\0\0\x01abc"),
        ("a profile of no parts", 0xE2, b"ICC_PROFILE\0\x01\0abc"),
        ("part 3 of 2", 0xE2, b"ICC_PROFILE\0\x03\x02abc"),
        ("part 1 of 2 alone", 0xE2, b"ICC_PROFILE\0\x01\x02abc"),
        ("a profile cut off", 0xE2, b"ICC_PROFILE\0"),
        ("more XMP, cut off", 0xE1, b"http://ns.adobe.com/xmp/extension/\0abc"),
        ("XMP of nothing", 0xE1, b"http://ns.adobe.com/xap/1.0/\0"),
        ("EXIF of nothing", 0xE1, b"Exif\0\0"),
        ("unknown colours", 0xEE, b"Adobe\0d\0\0\0\0\x03"),
        ("colours cut off", 0xEE, b"Adobe\0d"),
        ("JFIF cut off", 0xE0, b"JF"),
        ("pictures cut off", 0xE2, b"MPF\0"),
        ("a gain map cut off", 0xE2, b"urn:iso:std:iso:ts:21496:-1\0a"),
        ("Photoshop's block cut off", 0xED, b"Photoshop 3.0\0"),
        ("another picture", 0xEF, b"\xFF\xD8\xFF\xD9"),
    ];
    for progressive in [false, true] {
        let whole = jpeg(progressive);
        let expected = samples(&whole, "plain");
        let last = segments(&whole).filter(|s| s.code == 0xDA).last().expect("a scan").start;
        for (name, code, data) in blocks {
            let mut block = vec![0xFF, code];
            block.extend((data.len() as u16 + 2).to_be_bytes());
            block.extend(data);
            // Before all else and, where there are several, before the last scan.
            for at in [2, last] {
                let bytes = [&whole[..at], &block, &whole[at..]].concat();
                assert_eq!(samples(&bytes, name), expected, "{name} at {at}, progressive {progressive}");
            }
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "kinds of chunks are written as references")]
fn chunk(kind: &[u8; 4], data: &[u8], sum_is_right: bool) -> Vec<u8> {
    let mut out = (data.len() as u32).to_be_bytes().to_vec();
    let mut sum = flate2::Crc::new();
    sum.update(kind);
    sum.update(data);
    out.extend(kind);
    out.extend(data);
    out.extend((sum.sum() ^ u32::from(!sum_is_right)).to_be_bytes());
    out
}

/// Chunks of a PNG after its head, without the last.
fn pixels_of(png: &[u8]) -> Vec<u8> {
    let (mut at, mut data) = (33, Vec::new());
    while let Some(length) = png.get(at..at + 4).and_then(<[u8]>::first_chunk).map(|b| u32::from_be_bytes(*b) as usize)
    {
        if &png[at + 4..at + 8] == b"IDAT" {
            data.extend(&png[at + 8..at + 8 + length]);
        }
        at += 12 + length;
    }
    data
}

#[test]
fn broken_chunks_beside_a_png_change_nothing() {
    let png = encoded(ImageFormat::Png);
    let expected = samples(&png, "plain");
    let chunks: [(&[u8; 4], &[u8], bool); 14] = [
        (b"tEXt", b"a\0b", false),
        (b"iCCP", b"a\0\0no data", true),
        (b"iCCP", b"", true),
        (b"iTXt", b"XML:com.adobe.xmp\0\x01\0\0\0no data", true),
        (b"gAMA", b"\0", true),
        (b"cHRM", &[0; 31], true),
        (b"pHYs", b"\0", true),
        (b"sRGB", b"\x09", true),
        (b"bKGD", b"", true),
        (b"eXIf", b"abc", true),
        (b"acTL", &[0; 8], true),
        (b"fcTL", &[0; 26], true),
        (b"cICP", b"\xFF", true),
        (b"vpAg", b"abc", true),
    ];
    for (kind, data, sum_is_right) in chunks {
        let block = chunk(kind, data, sum_is_right);
        let before = [&png[..33], &block, &block, &png[33..]].concat();
        let after = [&png[..png.len() - 12], &block, &png[png.len() - 12..]].concat();
        for bytes in [before, after] {
            assert_eq!(samples(&bytes, "a chunk"), expected, "{}", String::from_utf8_lossy(kind));
        }
    }
    for missing in 1..=12 {
        assert_eq!(samples(&png[..png.len() - missing], "no end"), expected, "{missing} bytes of the end are missing");
    }
    let longer = [&png[..33], &chunk(b"IDAT", &[&pixels_of(&png)[..], b"more"].concat(), true), &png[png.len() - 12..]];
    assert_eq!(samples(&longer.concat(), "more data than pixels"), expected);
}

fn webp(chunks: &[(&[u8; 4], &[u8])], promised: u8, side: u32) -> Vec<u8> {
    let mut body = b"WEBPVP8X\x0a\0\0\0".to_vec();
    body.extend([promised, 0, 0, 0]);
    for side in [if side == 0 { SIDES.0 } else { side }, if side == 0 { SIDES.1 } else { side }] {
        body.extend(&(side - 1).to_le_bytes()[..3]);
    }
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend((data.len() as u32).to_le_bytes());
        body.extend(*data);
        body.extend(&[0][..data.len() % 2]);
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

#[test]
fn broken_chunks_beside_a_webp_change_nothing() {
    let plain = encoded(ImageFormat::WebP);
    let expected = samples(&plain, "plain");
    let picture: (&[u8; 4], &[u8]) = (b"VP8L", &plain[20..]);
    let files: [(&str, u8, Vec<(&[u8; 4], &[u8])>); 7] = [
        ("EXIF that is not promised", 0, vec![picture, (b"EXIF", b"II*\0")]),
        ("broken EXIF", 0x08, vec![picture, (b"EXIF", b"xx")]),
        ("a broken profile", 0x20, vec![(b"ICCP", b"x"), picture]),
        ("a chunk of nobody's", 0, vec![(b"ABCD", b"xyz"), picture, (b"EFGH", b"xyz")]),
        ("EXIF that is promised alone", 0x08, vec![picture]),
        ("XMP that is promised alone", 0x04, vec![picture]),
        ("a profile that is promised alone", 0x20, vec![picture]),
    ];
    for (name, promised, chunks) in files {
        assert_eq!(samples(&webp(&chunks, promised, 0), name), expected, "{name}");
    }
    let lossy = include_bytes!("fixtures/lossy.webp");
    let opaque = webp(&[(b"VP8 ", &lossy[20..])], 0x10, 32);
    assert_eq!(samples(&opaque, "opacity that is promised alone"), samples(lossy, "lossy"));
    let clear = [&[0][..], &[200; 1024]].concat();
    let through = webp(&[(b"ALPH", &clear), (b"VP8 ", &lossy[20..])], 0x10 | 0x08, 32);
    assert_ne!(samples(&through, "with opacity"), samples(lossy, "lossy"));
}

#[cfg(feature = "heic")]
#[test]
fn a_makers_trailer_after_a_heic_changes_nothing() {
    let heic = include_bytes!("fixtures/picture.heic");
    let expected = samples(heic, "plain");
    let trailer = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1690000000000SEFHk\0\0\0\x01\0\0\0SEFT";
    for (name, bytes) in [("a trailer", &trailer[..]), ("three bytes", b"abc"), ("zeros", &[0; 40])] {
        let longer = [heic, bytes].concat();
        assert_eq!(samples(&longer, name), expected, "{name}");
        // A trailer makes no whole picture of a cut one.
        for eighths in 1..8 {
            assert!(open(&[&heic[..heic.len() * eighths / 8], bytes].concat()).is_err(), "{name} after {eighths}/8");
        }
    }
}

/// A little-endian TIFF of 96 × 64 in grey whose strips, with that compression, are these; each of as many rows.
fn tiff(compression: u16, strips: &[&[u8]], shared: &[u8]) -> Vec<u8> {
    let mut out = b"II*\0\0\0\0\0".to_vec();
    let mut places = Vec::new();
    for strip in strips {
        places.push(out.len() as u32);
        out.extend(*strip);
    }
    let lists = [places.clone(), strips.iter().map(|strip| strip.len() as u32).collect()];
    let lists = lists.map(|list| {
        let at = out.len() as u32;
        out.extend(list.iter().flat_map(|value| value.to_le_bytes()));
        if list.len() == 1 { list[0] } else { at }
    });
    let tables = out.len() as u32;
    out.extend(shared);
    let count = strips.len() as u32;
    let mut entries = vec![
        (0x100_u16, 4_u16, 1, SIDES.0),
        (0x101, 4, 1, SIDES.1),
        (0x102, 3, 1, 8),
        (0x103, 3, 1, u32::from(compression)),
        (0x106, 3, 1, 1),
        (0x111, 4, count, lists[0]),
        (0x115, 3, 1, 1),
        (0x116, 4, 1, SIDES.1.div_ceil(count)),
        (0x117, 4, count, lists[1]),
    ];
    if !shared.is_empty() {
        entries.push((0x15B, 7, shared.len() as u32, tables));
    }
    let directory = (out.len() as u32).to_le_bytes();
    out[4..8].copy_from_slice(&directory);
    end_with_directory(&mut out, &entries);
    out
}

fn grey_jpeg(luma: &[u8], rows: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    Encoder::new(&mut bytes, 90)
        .encode(luma, SIDES.0 as u16, rows as u16, ColorType::Luma)
        .expect("the encoder takes it");
    bytes
}

/// A picture whose data ends early, and its like that is whole.
struct Early {
    name: &'static str,
    whole: Vec<u8>,
    cut: Vec<Vec<u8>>,
}

/// In a TIFF, packed in every way that is opened.
fn early_tiffs(luma: &[u8]) -> Vec<Early> {
    let half = luma.len() / 2;
    let packed = deflated(luma);
    let bits: Vec<u8> = luma.chunks(96).flat_map(|row| [&[95][..], row].concat()).collect();
    let picture = grey_jpeg(luma, SIDES.1);
    let halves = [grey_jpeg(&luma[..half], SIDES.1 / 2), grey_jpeg(&luma[half..], SIDES.1 / 2)];
    let scan = segments(&picture).find(|s| s.code == 0xDA).expect("a scan").start;
    let (tables, strip) = (&picture[..scan], &picture[..]);
    let cut_jpeg =
        |jpeg: &[u8], ends: bool| [&jpeg[..jpeg.len() * 2 / 3], &[0xFF, 0xD9][..2 * usize::from(ends)]].concat();
    let cut = |ends| cut_jpeg(&picture, ends);
    let second = cut_jpeg(&halves[1], true);
    // Tables in a stream of their own.
    let shared: Vec<u8> = segments(tables)
        .filter(|s| matches!(s.code, 0xDB | 0xC4))
        .flat_map(|s| tables[s.start..s.end].to_vec())
        .collect();
    let shared = [&[0xFF, 0xD8][..], &shared, &[0xFF, 0xD9]].concat();
    let bare = |jpeg: &[u8]| {
        let kept = segments(jpeg).filter(|s| matches!(s.code, 0xC0 | 0xDA));
        let parts = kept.flat_map(|s| jpeg[s.start..s.end + s.scan_bytes].to_vec()).collect::<Vec<u8>>();
        [&[0xFF, 0xD8][..], &parts, &[0xFF, 0xD9]].concat()
    };
    vec![
        Early { name: "plain", whole: tiff(1, &[luma], b""), cut: vec![tiff(1, &[&luma[..half], b""], b"")] },
        Early {
            name: "deflated",
            whole: tiff(8, &[&packed], b""),
            cut: vec![tiff(8, &[&deflated(&luma[..half])], b""), tiff(8, &[&packed[..packed.len() / 2]], b"")],
        },
        Early {
            name: "runs",
            whole: tiff(32_773, &[&bits], b""),
            cut: vec![tiff(32_773, &[&bits[..bits.len() / 97 / 2 * 97]], b"")],
        },
        Early {
            name: "a JPEG",
            whole: tiff(7, &[strip], b""),
            cut: vec![tiff(7, &[&cut(true)], b""), tiff(7, &[&cut(false)], b"")],
        },
        Early {
            name: "two JPEGs",
            whole: tiff(7, &[&halves[0], &halves[1]], b""),
            cut: vec![tiff(7, &[&halves[0], &second], b"")],
        },
        Early {
            name: "a JPEG with shared tables",
            whole: tiff(7, &[&bare(strip)], &shared),
            cut: vec![tiff(7, &[&bare(&cut(true))], &shared)],
        },
    ]
}

/// An 8-bit BMP of 64 × 64 of runs.
fn runs(data: &[u8]) -> Vec<u8> {
    let start = 14 + 40 + 1024_u32;
    let mut out = b"BM".to_vec();
    out.extend((start + data.len() as u32).to_le_bytes());
    out.extend([0; 4]);
    out.extend(start.to_le_bytes());
    for value in [40, 64, 64, 8 << 16 | 1, 1, data.len() as u32, 0, 0, 256, 256] {
        out.extend(u32::to_le_bytes(value));
    }
    out.extend([0; 1024]);
    out.extend(data);
    out
}

#[test]
fn data_that_ends_early_is_refused_however_whole_the_file_looks() {
    let luma = textured().into_raw();
    let mut all = early_tiffs(&luma);
    let png = encoded(ImageFormat::Png);
    let data = pixels_of(&png);
    let rows = |count: usize| deflated(&vec![0; count * (1 + 3 * SIDES.0 as usize)]);
    let with = |data: &[u8]| [&png[..33], &chunk(b"IDAT", data, true), &png[png.len() - 12..]].concat();
    all.push(Early {
        name: "PNG",
        whole: with(&rows(64)),
        cut: vec![with(&rows(63)), with(&rows(32)), with(&data[..data.len() / 2]), with(b"")],
    });
    let gif = encoded(ImageFormat::Gif);
    // Blocks of the picture's data: the last chunk of the file, each with its length before it.
    let mut at = gif.len() - 2;
    let mut blocks = Vec::new();
    for start in 800..gif.len() {
        let (mut end, mut found) = (start, Vec::new());
        while end < gif.len() - 2 && gif[end] > 0 {
            found.push(end);
            end += 1 + usize::from(gif[end]);
        }
        if end == gif.len() - 2 && found.len() > blocks.len() {
            (blocks, at) = (found, start);
        }
    }
    assert!(blocks.len() > 3 && at < gif.len() / 2, "{} blocks", blocks.len());
    let shorter = |count: usize| [&gif[..blocks[count]], &[0, 0x3B][..]].concat();
    all.push(Early { name: "GIF", whole: gif.clone(), cut: (0..blocks.len()).map(shorter).collect() });
    let row = [&[40, 3, 0, 3, 7, 8, 9, 0, 21, 5][..], &[0, 0]].concat();
    let end = [0, 1];
    all.push(Early {
        name: "BMP",
        whole: runs(&[row.repeat(64), end.to_vec()].concat()),
        cut: vec![
            runs(&[row.repeat(32), end.to_vec()].concat()),
            runs(&end),
            runs(&row.repeat(32)),
            runs(&[row.repeat(63), vec![9, 1], end.to_vec()].concat()),
        ],
    });
    let webp = |plain: &[u8], share: usize| {
        let data = &plain[20..20 + (plain.len() - 20) * share / 16 / 2 * 2];
        let mut out = [&b"RIFF\0\0\0\0WEBP"[..], &plain[12..16], &(data.len() as u32).to_le_bytes(), data].concat();
        let size = (out.len() as u32 - 8).to_le_bytes();
        out[4..8].copy_from_slice(&size);
        out
    };
    let lossy = include_bytes!("fixtures/lossy.webp").to_vec();
    for (name, plain) in [("WebP", encoded(ImageFormat::WebP)), ("lossy WebP", lossy)] {
        all.push(Early { name, cut: (0..15).map(|share| webp(&plain, share)).collect(), whole: plain });
    }
    for Early { name, whole, cut } in all {
        assert!(open(&whole).is_ok(), "{name}: {:?}", open(&whole).err());
        for (i, bytes) in cut.iter().enumerate() {
            let error = open(bytes).err();
            let said = matches!(error, Some(CaptureError::Truncated | CaptureError::Undecodable));
            assert!(said, "{name}, cut {i} of {}: {error:?}", cut.len());
        }
    }
}

#[test]
fn pictures_of_other_kinds_are_neither_damaged_nor_something_else() {
    let mut drawing = vec![1, 0, 0, 0];
    drawing.resize(40, 0);
    drawing.extend(b" EMF");
    let mut scan = vec![0; 128];
    scan.extend(b"DICM");
    let others: [&[u8]; 12] = [
        b"v/1\x01\x02\0\0\0",
        b"#?RADIANCE\n",
        b"II\xBC\x01\x20\0\0\0",
        b"DDS \x7C\0\0\0",
        b"qoif\0\0\0\x10",
        b"P6\n4 4\n255\n",
        b"icns\0\0\0\0",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"AT&TFORM\0\0\0\0DJVU",
        b"\xD7\xCD\xC6\x9A\0\0",
        &drawing,
        &scan,
    ];
    for bytes in others {
        assert_eq!(open(bytes).unwrap_err().code(), "unsupported", "{}", String::from_utf8_lossy(bytes));
    }
    let near_lossless =
        b"\xFF\xD8\xFF\xF7\0\x0B\x08\0\x40\0\x40\x01\x01\x11\0\xFF\xDA\0\x08\x01\x01\0\0\0\0abc\xFF\xD9";
    let mut deep = runs(b"");
    (deep[28], deep[30]) = (64, 0);
    let mut palette = tiff(1, &[&[0; 96 * 64]], b"");
    let photometric = palette.windows(4).rposition(|w| w == [0x06, 1, 3, 0]).expect("the tag");
    palette[photometric + 8] = 8;
    for (bytes, noun) in [(&near_lossless[..], "JPEG"), (&deep, "BMP"), (&palette, "TIFF")] {
        let error = open(bytes).unwrap_err();
        assert!(error.code() == "unsupported" && error.to_string().contains(noun), "{noun}: {error}");
        assert!(error.in_chinese().contains(noun), "{}", error.in_chinese());
    }
    for bytes in [&b"PK\x03\x04 a text"[..], b"<!DOCTYPE html><html>", b"{\\rtf1 hello}"] {
        assert_eq!(open(bytes).unwrap_err(), CaptureError::NotAnImage);
    }
}
