//! Damaged, oversized and mislabelled uploads → an error in words or a picture, never a panic.

use std::io::Cursor;

use bonafide::capture::{Capture, CaptureError, Limits, MediaType, Upload, decode};
use bonafide::geometry::PixelRect;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

const BASELINE: &[u8] = include_bytes!("fixtures/baseline.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("fixtures/progressive.jpg");
const CMYK: &[u8] = include_bytes!("fixtures/cmyk.jpg");
const GREY: &[u8] = include_bytes!("fixtures/grey.jpg");
#[cfg(feature = "heic")]
const HEIC: &[u8] = include_bytes!("fixtures/picture.heic");

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

fn picture() -> DynamicImage {
    RgbImage::from_fn(96, 64, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, (x * y) as u8])).into()
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("the encoder takes it");
    bytes.into_inner()
}

/// Every format with its bytes.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("baseline", BASELINE.to_vec()),
        ("progressive", PROGRESSIVE.to_vec()),
        ("cmyk", CMYK.to_vec()),
        ("grey", GREY.to_vec()),
        ("png", encoded(&picture(), ImageFormat::Png)),
        ("webp", encoded(&picture(), ImageFormat::WebP)),
        ("bmp", encoded(&picture(), ImageFormat::Bmp)),
        ("tiff", encoded(&picture(), ImageFormat::Tiff)),
        #[cfg(feature = "heic")]
        ("heic", HEIC.to_vec()),
    ]
}

/// `bytes` of a JPEG with an EXIF block put after its first marker.
fn with_exif(bytes: &[u8], tiff: &[u8]) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1];
    out.extend(((tiff.len() + 8) as u16).to_be_bytes());
    out.extend(b"Exif\0\0");
    out.extend(tiff);
    out.extend(&bytes[2..]);
    out
}

fn orientation_block(value: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([value, 0, 0, 0, 0, 0, 0]);
    tiff
}

#[test]
fn whole_files_open() {
    for (name, bytes) in samples() {
        let capture = open(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((capture.width(), capture.height()), (96, 64), "{name}");
        assert_eq!(capture.is_grey(), name == "grey", "{name}");
    }
}

#[test]
fn half_a_file_is_refused() {
    for (name, bytes) in samples() {
        for eighths in 1..8 {
            let cut = bytes.len() * eighths / 8;
            assert!(open(&bytes[..cut]).is_err(), "{name} cut to {cut} of {} bytes opens", bytes.len());
        }
        // The last chunk of a PNG says nothing but that it ends.
        let end = if name == "png" { bytes.len() - 12 } else { bytes.len() - 2 };
        for cut in (0..end).step_by(37).chain(end.saturating_sub(16)..end) {
            let result = open(&bytes[..cut]);
            assert!(result.is_err(), "{name} cut to {cut} of {} bytes opens", bytes.len());
        }
    }
}

#[test]
fn half_a_jpeg_with_an_end_put_on_is_refused() {
    for bytes in [BASELINE, PROGRESSIVE, GREY, CMYK] {
        let mut half = bytes[..bytes.len() * 3 / 4].to_vec();
        half.extend([0xFF, 0xD9]);
        assert!(open(&half).is_err());
    }
}

#[test]
fn bytes_after_the_end_are_a_fact() {
    let mut bytes = BASELINE.to_vec();
    bytes.extend(b"trailer");
    assert_eq!(open(&bytes).expect("whole").container.trailing_bytes, 7);
}

#[test]
fn flipped_bits_never_panic() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let limits = Limits { pixels: 1 << 20, allocation: 64 << 20, ..Limits::default() };
    for (_, bytes) in samples() {
        for _ in 0..60 {
            let mut damaged = bytes.clone();
            for _ in 0..=next() % 8 {
                let at = (next() % damaged.len() as u64) as usize;
                damaged[at] ^= 1 << (next() % 8);
            }
            let _ = decode(&Upload { bytes: &damaged, name: None }, &limits);
        }
    }
}

#[test]
fn what_is_no_picture_is_told() {
    assert_eq!(open(b"").unwrap_err(), CaptureError::Empty);
    assert_eq!(open(b"Dear Sir or Madam, please find attached").unwrap_err(), CaptureError::NotAnImage);
    assert_eq!(open(&[0; 4096]).unwrap_err(), CaptureError::NotAnImage);
    assert_eq!(open(b"GIF89a\x10\0\x10\0").unwrap_err(), CaptureError::Truncated);
    let few = Limits { bytes: 100, ..Limits::default() };
    let error = decode(&Upload { bytes: BASELINE, name: None }, &few).unwrap_err();
    assert_eq!(error.code(), "too_many_bytes");
}

#[test]
fn giant_declared_sizes_are_refused_from_the_header() {
    let giant = |name: &str, bytes: &[u8]| {
        assert!(matches!(open(bytes), Err(CaptureError::TooLarge { .. })), "{name}: {:?}", open(bytes).err());
    };
    for (name, jpeg) in [("baseline", BASELINE), ("progressive", PROGRESSIVE)] {
        let mut jpeg = jpeg.to_vec();
        let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0] || w == [0xFF, 0xC2]).expect("a frame");
        jpeg[frame + 5..frame + 9].fill(0xFF);
        giant(name, &jpeg);
    }
    let mut png = encoded(&picture(), ImageFormat::Png);
    png[16..24].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
    giant("png", &png);
    let mut bmp = encoded(&picture(), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0xFF, 0xFF, 0, 0, 0xFF, 0xFF, 0, 0]);
    giant("bmp", &bmp);
    // Lossless WebP: two 14-bit sides after the signature byte; 16,384 squared is too many pixels.
    let mut webp = encoded(&picture(), ImageFormat::WebP);
    let at = webp.windows(4).position(|w| w == b"VP8L").expect("lossless") + 9;
    webp[at..at + 3].fill(0xFF);
    webp[at + 3] |= 0x0F;
    giant("webp", &webp);
    // A little-endian TIFF with nothing but its sides.
    let mut tiff = b"II*\0\x08\0\0\0\x02\0".to_vec();
    tiff.extend(b"\0\x01\x04\0\x01\0\0\0\xff\xff\0\0\x01\x01\x04\0\x01\0\0\0\xff\xff\0\0\0\0\0\0");
    giant("tiff", &tiff);
}

#[test]
fn a_decompression_bomb_is_refused() {
    // A hundred megapixels of white in a few kilobytes.
    let bomb = encoded(&image::GrayImage::from_pixel(10_000, 10_000, image::Luma([255])).into(), ImageFormat::Png);
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(open(&bomb), Err(CaptureError::TooLarge { .. })));
    let tight = Limits { allocation: 1000, ..Limits::default() };
    let small = encoded(&picture(), ImageFormat::Png);
    assert!(decode(&Upload { bytes: &small, name: None }, &tight).is_err());
}

#[test]
fn the_name_never_decides_the_format() {
    let capture = decode(&Upload { bytes: BASELINE, name: Some("photo.png") }, &Limits::default()).expect("a JPEG");
    assert_eq!(capture.media_type, MediaType::Jpeg);
    assert!(!capture.metadata.says_screenshot);
    let named = Upload { bytes: BASELINE, name: Some("Screenshot_20240101.jpg") };
    assert!(decode(&named, &Limits::default()).expect("a JPEG").metadata.says_screenshot);
}

#[test]
fn every_exif_orientation_turns_the_picture() {
    // The stored top left quarter is bright, all else dark; where it must appear upright, for EXIF 1 to 8.
    let stored = RgbImage::from_fn(96, 64, |x, y| if x < 48 && y < 32 { Rgb([250; 3]) } else { Rgb([20; 3]) });
    let jpeg = encoded(&stored.into(), ImageFormat::Jpeg);
    let expected = [(0, 0), (1, 0), (1, 1), (0, 1), (0, 0), (1, 0), (1, 1), (0, 1)];
    for (value, (right, bottom)) in (1..).zip(expected) {
        let capture = open(&with_exif(&jpeg, &orientation_block(value))).expect("whole");
        let (width, height) = (capture.width(), capture.height());
        assert_eq!((width, height), if value > 4 { (64, 96) } else { (96, 64) }, "EXIF {value}");
        for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let rect = PixelRect::new(width / 4 + column * width / 2, height / 4 + row * height / 2, 1, 1);
            let bright = capture.luma(rect).expect("inside").get_pixel(0, 0).0[0] > 128;
            assert_eq!(bright, (column, row) == (right, bottom), "EXIF {value}, quarter {column} {row}");
        }
    }
}

#[test]
fn a_broken_exif_block_still_opens() {
    for block in [&b"II*\0\xff\xff\xff\xff"[..], b"", b"MM\0*\0\0\0\x08\xff\xff\x01\x12", &[0xFF; 300]] {
        let capture = open(&with_exif(BASELINE, block)).expect("the picture is whole");
        assert!(capture.metadata.exif_broken, "{block:?}");
    }
}

#[test]
fn transparency_is_laid_on_white_and_told() {
    let clear = RgbaImage::from_pixel(32, 32, Rgba([0, 0, 0, 0]));
    let capture = open(&encoded(&clear.into(), ImageFormat::Png)).expect("a PNG");
    assert!(capture.container.alpha);
    assert_eq!(capture.luma(PixelRect::new(5, 5, 1, 1)).expect("inside").get_pixel(0, 0).0[0], 255);
}

#[test]
fn colours_survive_every_format() {
    // A plain orange: Y 146, Cb 51, Cr 188 by the JFIF equations.
    let plain: DynamicImage = RgbImage::from_pixel(32, 32, Rgb([230, 130, 10])).into();
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Tiff] {
        let capture = open(&encoded(&plain, format)).expect("whole");
        let planes = capture.ycc(PixelRect::new(16, 16, 1, 1)).expect("inside");
        for (plane, expected) in planes.iter().zip([146_u8, 51, 188]) {
            let value = plane.get_pixel(0, 0).0[0];
            assert!(value.abs_diff(expected) <= 4, "{format:?}: {value} for {expected}");
        }
    }
    let deep = DynamicImage::ImageRgb16(plain.to_rgb16());
    let capture = open(&encoded(&deep, ImageFormat::Png)).expect("16 bits");
    assert!(!capture.is_grey());
}
