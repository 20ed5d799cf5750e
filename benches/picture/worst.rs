//! Nothing → pictures made to cost as much as they can.
//!
//! Whoever finds a worse kind adds it here. All are of the same size, so that their costs can be compared; a picture that
//! cannot be had at that size within the limits of a file is as large as it may be.

use std::io::{Cursor, Write as _};

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Sides of all: 12 megapixels.
pub const SIDES: (u32, u32) = (4000, 3000);

/// A picture, and what it is an example of.
pub struct Worst {
    pub name: &'static str,
    pub bytes: Vec<u8>,
}

fn noise(x: u32, y: u32) -> u8 {
    let mixed = (x.wrapping_mul(0x9E37_79B1) ^ y.wrapping_mul(0x85EB_CA77)).wrapping_mul(0xC2B2_AE3D);
    (mixed >> 24) as u8
}

fn grey(of: impl Fn(u32, u32) -> u8) -> DynamicImage {
    GrayImage::from_fn(SIDES.0, SIDES.1, |x, y| Luma([of(x, y)])).into()
}

fn coloured(of: impl Fn(u32, u32) -> u8) -> DynamicImage {
    RgbImage::from_fn(SIDES.0, SIDES.1, |x, y| Rgb([of(x, y), of(x + 7919, y), of(x, y + 104_729)])).into()
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("the encoder takes it");
    bytes.into_inner()
}

pub fn jpeg(picture: &DynamicImage, quality: u8, set: impl Fn(&mut Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let (mut bytes, rgb) = (Vec::new(), picture.to_rgb8());
    let mut encoder = Encoder::new(&mut bytes, quality);
    set(&mut encoder);
    let (width, height) = (rgb.width() as u16, rgb.height() as u16);
    encoder.encode(rgb.as_raw(), width, height, ColorType::Rgb).expect("the encoder takes it");
    bytes
}

/// Lines of so many letters and two spaces, `module` pixels a dot, of 5 × 7 dots that no alphabet has, `step` dots apart.
fn print(columns: u32, module: u32, step: u32) -> impl Fn(u32, u32) -> u8 {
    move |x, y| {
        let (row, line) = (y / (module * step), y % (module * step) / module);
        let (letter, dot) = (x / (6 * module), x % (6 * module) / module);
        let there = line < 7 && dot < 5 && letter % (columns + 2) < columns;
        if there && noise(letter * 8 + dot, row * 8 + line) > 110 { 10 } else { 240 }
    }
}

/// The finder pattern of a QR code, `module` pixels a module, over and over.
fn finders(module: u32) -> impl Fn(u32, u32) -> u8 {
    move |x, y| {
        let (dx, dy) = (x % (9 * module) / module, y % (9 * module) / module);
        let ring = |from: u32, to: u32| (from..=to).contains(&dx) && (from..=to).contains(&dy);
        if (ring(1, 7) && !ring(2, 6)) || ring(3, 5) { 0 } else { 255 }
    }
}

/// The bars that a row of finder patterns is told by: 1 : 1 : 3 : 1 : 1.
fn bars(at: u32) -> u8 {
    [0, 255, 0, 0, 0, 255, 0, 255][(at / 12 % 8) as usize]
}

/// A little-endian TIFF whose one strip holds `data`.
fn tiff(compression: u32, bits: u32, samples: u32, predictor: u32, data: &[u8]) -> Vec<u8> {
    let mut out = b"II*\0".to_vec();
    out.extend((8 + data.len() as u32).to_le_bytes());
    out.extend(data);
    let each = out.len() as u32 + 2 + 12 * 10 + 4;
    let (kind, depths) = if samples == 1 { (1, bits) } else { (samples, each) };
    let entries = [
        (0x100, 1, SIDES.0),
        (0x101, 1, SIDES.1),
        (0x102, kind, depths),
        (0x103, 1, compression),
        (0x106, 1, if samples == 3 { 2 } else { 1 }),
        (0x111, 1, 8),
        (0x115, 1, samples),
        (0x116, 1, SIDES.1),
        (0x117, 1, data.len() as u32),
        (0x13D, 1, predictor),
    ];
    out.extend((entries.len() as u16).to_le_bytes());
    for (tag, count, value) in entries {
        out.extend(u16::to_le_bytes(tag));
        out.extend([if tag == 0x102 { 3 } else { 4 }, 0]);
        out.extend(count.to_le_bytes());
        out.extend(value.to_le_bytes());
    }
    out.extend([0; 4]);
    for _ in 0..samples {
        out.extend((bits as u16).to_le_bytes());
    }
    out
}

fn deflated(of: impl IntoIterator<Item = u8>) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&of.into_iter().collect::<Vec<u8>>()).expect("packed");
    packer.finish().expect("packed")
}

/// Codes of nine bits, a new table every 250 of them.
fn lzw(count: usize) -> Vec<u8> {
    let mut bits: Vec<u8> = Vec::new();
    let (mut held, mut holds) = (0_u32, 0);
    for i in 0..count + count / 250 + 2 {
        let code = if i % 251 == 0 {
            256
        } else if i > count + count / 250 {
            257
        } else {
            u32::from(noise(i as u32, 5))
        };
        held = held << 9 | code;
        holds += 9;
        while holds >= 8 {
            bits.push((held >> (holds - 8)) as u8);
            holds -= 8;
        }
        held &= (1 << holds) - 1;
    }
    bits.push((held << (8 - holds)) as u8);
    bits
}

/// A sample at the size of all: what a normal picture costs.
#[allow(clippy::disallowed_methods, reason = "a sample of the project")]
pub fn normal() -> DynamicImage {
    let sample = image::load_from_memory(include_bytes!("../../datasets/samples/original_card_01.jpg")).expect("whole");
    sample.resize_exact(SIDES.0, SIDES.1, image::imageops::FilterType::Triangle)
}

/// All of them; `normal` is what one is made of.
pub fn pictures(normal: &DynamicImage) -> Vec<Worst> {
    let grain = coloured(noise);
    let mut all: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (name, format) in [
        ("noise, PNG", ImageFormat::Png),
        ("noise, BMP", ImageFormat::Bmp),
        ("noise, TIFF", ImageFormat::Tiff),
        ("noise, lossless WebP", ImageFormat::WebP),
    ] {
        all.push((name, written(&grain, format)));
    }
    all.push(("noise, JPEG at quality 100", jpeg(&grain, 100, |e| e.set_sampling_factor(SamplingFactor::R_4_4_4))));
    all.push(("noise, JPEG at quality 96", jpeg(&grain, 96, |e| e.set_sampling_factor(SamplingFactor::R_4_4_4))));
    all.push(("noise, progressive JPEG at quality 60", jpeg(&grain, 60, |e| e.set_progressive(true))));
    all.push(("noise, progressive JPEG", jpeg(&grain, 90, |e| e.set_progressive(true))));
    all.push(("noise, JPEG with a restart at each block", jpeg(&grain, 80, |e| e.set_restart_interval(1))));
    all.push(("normal, progressive JPEG of 64 scans", jpeg(normal, 85, |e| e.set_progressive_scans(64))));
    let count = SIDES.0 as usize * SIDES.1 as usize;
    all.push(("noise, TIFF in LZW", tiff(5, 8, 1, 1, &lzw(count))));
    let deep = deflated((0..6 * count).map(|i| (i % 251) as u8));
    all.push(("TIFF of 16 bits with a predictor", tiff(8, 16, 3, 2, &deep)));
    let drawn: [(&'static str, DynamicImage); 17] = [
        ("one colour", grey(|_, _| 200)),
        ("black and white noise", grey(|x, y| if noise(x, y) > 127 { 255 } else { 0 })),
        ("a checkerboard of 1 px", grey(|x, y| if (x + y) % 2 == 0 { 0 } else { 255 })),
        ("a checkerboard of 16 px", grey(|x, y| if (x / 16 + y / 16) % 2 == 0 { 0 } else { 255 })),
        ("checkerboards in three colours", coloured(|x, y| if (x / 17 + y / 13) % 2 == 0 { 0 } else { 255 })),
        ("a halftone", grey(|x, y| if noise(x, y) / 4 + 96 > ((x % 7) * 18 + (y % 7) * 18) as u8 { 255 } else { 0 })),
        ("dots", grey(|x, y| if x % 6 < 2 && y % 6 < 2 { 255 } else { 0 })),
        ("fine waves", grey(|x, y| (127.0 + 120.0 * (x as f32 / 3.1).sin() * (y as f32 / 2.7).sin()) as u8)),
        ("cards without number", grey(|x, y| if x % 310 > 40 && y % 200 > 30 { 220 } else { 40 })),
        (
            "frames within frames",
            grey(|x, y| if x.min(SIDES.0 - x).min(y).min(SIDES.1 - y) % 40 < 4 { 20 } else { 230 }),
        ),
        ("finder patterns of 4 px", grey(finders(4))),
        ("finder patterns of 12 px", grey(finders(12))),
        ("finder patterns in rows and columns", grey(|x, y| bars(x).min(bars(y)))),
        ("lines of 44 characters", grey(print(44, 7, 11))),
        ("lines of 18 characters in columns", grey(print(18, 4, 11))),
        ("small print", grey(print(60, 2, 10))),
        ("dashes", grey(|x, y| if y % 40 < 26 && noise(x / 30, y / 40) > 90 { 0 } else { 255 })),
    ];
    all.extend(drawn.iter().map(|(name, picture)| (*name, written(picture, ImageFormat::Png))));
    all.into_iter().map(|(name, bytes)| Worst { name, bytes }).collect()
}
