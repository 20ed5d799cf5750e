//! Files that are whole however oddly they are written → opened; files of which part is missing → refused, each by its
//! own answer.

use bonafide::capture::{Capture, CaptureError, Limits, MediaType, Upload, decode, segments};
use bonafide::geometry::PixelRect;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

/// All of Y, Cb and Cr.
fn samples(capture: &Capture) -> Vec<Vec<u8>> {
    capture.ycc(capture.frame()).expect("the whole picture").map(GrayImage::into_raw).to_vec()
}

fn textured(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 9;
        Rgb([(noise % 90 + 80) as u8, (x * 200 / width) as u8, (y * 220 / height) as u8])
    })
}

fn jpeg(picture: &RgbImage, progressive: bool, restart: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 88);
    encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
    encoder.set_progressive(progressive);
    encoder.set_restart_interval(restart);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).expect("the encoder takes it");
    bytes
}

/// Where the entropy-coded data of each scan begins and ends.
fn scans(bytes: &[u8]) -> Vec<(usize, usize)> {
    segments(bytes).filter(|s| s.code == 0xDA).map(|s| (s.end, s.end + s.scan_bytes)).collect()
}

#[test]
fn a_scan_that_ends_early_is_not_whole_whatever_follows_it() {
    let picture = textured(160, 128);
    let mut tried = 0;
    for (progressive, restart) in [(false, 0), (false, 5), (true, 0)] {
        let whole = jpeg(&picture, progressive, restart);
        assert!(open(&whole).is_ok(), "progressive {progressive}, restart {restart}");
        for (start, end) in scans(&whole) {
            for eighths in 0..8 {
                let cut = start + (end - start) * eighths / 8;
                // A scan that says nothing but "no more" may be that short.
                if end - cut < 4 {
                    continue;
                }
                let mut bytes = whole[..cut].to_vec();
                bytes.extend(&whole[end..]);
                let found = open(&bytes);
                assert!(
                    matches!(found, Err(CaptureError::Truncated | CaptureError::Undecodable)),
                    "progressive {progressive}, restart {restart}, scan at {start} cut to {eighths}/8"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "only {tried} cuts");
}

#[test]
fn a_progressive_file_without_one_of_its_scans_is_not_whole() {
    let whole = jpeg(&textured(96, 64), true, 0);
    let all = segments(&whole).filter(|s| s.code == 0xDA).collect::<Vec<_>>();
    assert!(all.len() > 3, "only {} scans", all.len());
    for scan in all {
        let mut bytes = whole[..scan.start].to_vec();
        bytes.extend(&whole[scan.end + scan.scan_bytes..]);
        assert_eq!(open(&bytes).unwrap_err(), CaptureError::Truncated);
    }
}

#[test]
fn plain_and_regular_pictures_are_whole() {
    let mut pictures: Vec<(String, RgbImage)> = Vec::new();
    for period in 1..=8 {
        let board =
            RgbImage::from_fn(192, 160, |x, y| Rgb([if (x / period + y / period) % 2 == 0 { 20 } else { 235 }; 3]));
        pictures.push((format!("a checkerboard of {period}"), board));
    }
    // A bar, and a shadow along the lower edge.
    pictures.push(("a bar".into(), RgbImage::from_fn(192, 160, |_, y| Rgb([if y > 148 { 40 } else { 200 }; 3]))));
    pictures.push(("a shadow".into(), RgbImage::from_fn(192, 160, |_, y| Rgb([(250 - y) as u8; 3]))));
    for (name, picture) in &pictures {
        for progressive in [false, true] {
            assert!(open(&jpeg(picture, progressive, 0)).is_ok(), "{name}, progressive {progressive}");
        }
    }
}

#[test]
fn oddities_that_decoders_pass_over_change_nothing() {
    for progressive in [false, true] {
        let plain = jpeg(&textured(150, 90), progressive, 0);
        let expected = samples(&open(&plain).expect("whole"));
        let table = segments(&plain).find(|s| s.code == 0xDB).expect("a table").start;
        let put = |at: usize, bytes: &[u8]| [&plain[..at], bytes, &plain[at..]].concat();
        let without_end = &plain[..plain.len() - 2];
        let trailer = b"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1690000000000SEFHk\0\0\0\x01\0\0\0SEFT";
        let odd: [(&str, Vec<u8>); 6] = [
            ("a TEM marker", put(table, &[0xFF, 0x01])),
            ("stray bytes before a marker", put(table, &[0, 7, 42, 0, 9, 1, 2, 3, 4])),
            ("fill bytes before a marker", put(table, &[0xFF; 9])),
            ("no end", without_end.to_vec()),
            ("no end, and a maker's trailer", [without_end, trailer].concat()),
            ("a trailer", [&plain, &trailer[..]].concat()),
        ];
        for (name, bytes) in odd {
            let capture = open(&bytes).unwrap_or_else(|e| panic!("{name}, progressive {progressive}: {e}"));
            assert_eq!(samples(&capture), expected, "{name}, progressive {progressive}");
        }
    }
}

#[test]
fn a_height_that_comes_after_the_scan_counts() {
    let plain = jpeg(&textured(150, 90), false, 0);
    let expected = samples(&open(&plain).expect("whole"));
    let frame = segments(&plain).find(|s| s.code == 0xC0).expect("a frame").start;
    let mut later = plain[..plain.len() - 2].to_vec();
    later[frame + 5..frame + 7].fill(0);
    later.extend([0xFF, 0xDC, 0, 4, 0, 90, 0xFF, 0xD9]);
    assert_eq!(samples(&open(&later).expect("its height is told")), expected);
}

#[test]
fn what_is_not_examined_is_neither_damaged_nor_missing() {
    let plain = jpeg(&textured(64, 48), false, 0);
    let frame = segments(&plain).find(|s| s.code == 0xC0).expect("a frame").start;
    let with = |code: u8, bits: u8| {
        let mut bytes = plain.clone();
        bytes[frame + 1] = code;
        bytes[frame + 4] = bits;
        open(&bytes).expect_err("not examined")
    };
    let kinds = [with(0xC9, 8), with(0xCA, 8), with(0xC3, 8), with(0xC5, 8), with(0xCF, 8), with(0xC1, 12)];
    for error in kinds {
        assert_eq!(error.code(), "unsupported", "{error}");
        assert!(error.to_string().contains("JPEG") && error.in_chinese().contains("JPEG"), "{error}");
    }
    let film = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42\0\0\0\x08free";
    for (bytes, name) in [
        (&film[..], "film"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", "AVIF"),
        (b"\xFF\x0A\0\0\0\0\0\0\0\0\0\0", "JPEG XL"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Page >>\nendobj\n%%EOF", "PDF"),
    ] {
        let error = open(bytes).expect_err("not examined");
        assert!(error.code() == "unsupported" && error.to_string().contains(name), "{name}: {error}");
    }
}

/// The last directory of a little-endian TIFF, of tags with their type, count and value, at the end of `out`.
pub(crate) fn end_with_directory(out: &mut Vec<u8>, entries: &[(u16, u16, u32, u32)]) {
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        out.extend(tag.to_le_bytes());
        out.extend(kind.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend([0; 4]);
}

/// A little-endian TIFF of 96 × 64 whose one strip is uncompressed grey, with `orientation`.
fn tiff(orientation: u16, luma: &GrayImage) -> Vec<u8> {
    let (width, height) = (luma.width() as u16, luma.height() as u16);
    let pixels = luma.as_raw();
    let entries: [(u16, u16, u32, u32); 9] = [
        (0x100, 3, 1, u32::from(width)),
        (0x101, 3, 1, u32::from(height)),
        (0x102, 3, 1, 8),
        (0x103, 3, 1, 1),
        (0x106, 3, 1, 1),
        (0x111, 4, 1, 8),
        (0x112, 3, 1, u32::from(orientation)),
        (0x115, 3, 1, 1),
        (0x117, 4, 1, pixels.len() as u32),
    ];
    let mut out = b"II*\0".to_vec();
    out.extend((8 + pixels.len() as u32).to_le_bytes());
    out.extend(pixels);
    end_with_directory(&mut out, &entries);
    out
}

fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0]);
    block
}

fn png_with_exif(luma: &GrayImage, block: &[u8]) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    luma.write_to(&mut png, ImageFormat::Png).expect("written");
    let png = png.into_inner();
    let mut chunk = (block.len() as u32).to_be_bytes().to_vec();
    chunk.extend(b"eXIf");
    chunk.extend(block);
    let sum = chunk[4..].iter().fold(u32::MAX, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 };
        }
        sum
    });
    chunk.extend((!sum).to_be_bytes());
    [&png[..33], &chunk, &png[33..]].concat()
}

fn webp_with_exif(luma: &GrayImage, block: &[u8]) -> Vec<u8> {
    let mut webp = std::io::Cursor::new(Vec::new());
    DynamicImage::from(luma.clone()).to_rgb8().write_to(&mut webp, ImageFormat::WebP).expect("written");
    let plain = webp.into_inner();
    let side = |side: u32| (side - 1).to_le_bytes()[..3].to_vec();
    let mut body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0".to_vec();
    body.extend(side(luma.width()));
    body.extend(side(luma.height()));
    body.extend(&plain[12..]);
    body.extend(b"EXIF");
    body.extend((block.len() as u32).to_le_bytes());
    body.extend(block);
    if block.len() % 2 == 1 {
        body.push(0);
    }
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

#[test]
fn orientation_counts_in_every_container_that_has_one() {
    // Bright top left as stored; 6 turns it to the top right.
    let stored = GrayImage::from_fn(96, 64, |x, y| Luma([if x < 48 && y < 32 { 250 } else { 20 }]));
    let files = [
        ("TIFF", tiff(6, &stored)),
        ("PNG", png_with_exif(&stored, &exif(6))),
        ("WebP", webp_with_exif(&stored, &exif(6))),
    ];
    for (name, bytes) in files {
        let capture = open(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((capture.width(), capture.height()), (64, 96), "{name}");
        let at = |x, y| capture.luma(PixelRect::new(x, y, 1, 1)).expect("inside").get_pixel(0, 0).0[0];
        assert!(at(50, 10) > 200 && at(10, 10) < 60, "{name}");
    }
}

#[test]
fn the_first_picture_of_a_gif_is_examined() {
    let mut gif = std::io::Cursor::new(Vec::new());
    DynamicImage::from(textured(96, 64)).write_to(&mut gif, ImageFormat::Gif).expect("written");
    let gif = gif.into_inner();
    let capture = open(&gif).expect("whole");
    assert_eq!((capture.media_type, capture.width(), capture.height()), (MediaType::Gif, 96, 64));
    for cut in (20..gif.len() - 4).step_by(97) {
        assert_eq!(open(&gif[..cut]).err(), Some(CaptureError::Truncated), "cut to {cut} of {}", gif.len());
    }
}

#[test]
fn the_picture_that_is_a_pdfs_only_page_is_examined_as_the_page_lies() {
    let picture = jpeg(&textured(96, 64), false, 0);
    let page = "<< /Type /Page /Rotate 90 /Resources << /XObject << /Im0 2 0 R >> >> >>";
    let image = format!("<< /Type /XObject /Subtype /Image /Filter /DCTDecode /Length {} >>", picture.len());
    let mut pdf = format!("%PDF-1.4\n1 0 obj\n{page}\nendobj\n2 0 obj\n{image}\nstream\n").into_bytes();
    pdf.extend(&picture);
    pdf.extend(b"\nendstream\nendobj\ntrailer << >>\n%%EOF\n");
    let capture = open(&pdf).expect("one page with one JPEG");
    assert_eq!((capture.media_type, capture.width(), capture.height()), (MediaType::Pdf, 64, 96));
    assert!(capture.media_type.mime() == "application/pdf");
}
