//! Made-up pictures of every format → mutants of them: cut, flipped, with other lengths, repeated, put together.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// A file to make mutants of.
pub struct Seed {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// What was done to a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Its end is missing.
    Cut,
    /// The same, and the last bytes are put back.
    CutWithEnd,
    /// Single bits are others.
    Flipped,
    /// A number of two or four bytes is another.
    Length,
    /// A part stands twice, or is missing, or is nothing.
    Moved,
}

fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 9;
        Rgb([(noise % 70 + 90) as u8, (x * 3) as u8, (y * 5) as u8])
    })
}

/// Every format and its kinds, none larger than some kilobytes.
pub fn seeds() -> Vec<Seed> {
    let mut seeds: Vec<Seed> = [
        ("baseline", &include_bytes!("../../tests/fixtures/baseline.jpg")[..]),
        ("progressive", include_bytes!("../../tests/fixtures/progressive.jpg")),
        ("cmyk", include_bytes!("../../tests/fixtures/cmyk.jpg")),
        ("grey", include_bytes!("../../tests/fixtures/grey.jpg")),
        #[cfg(feature = "heic")]
        ("heic", include_bytes!("../../tests/fixtures/picture.heic")),
    ]
    .map(|(name, bytes)| Seed { name: name.to_owned(), bytes: bytes.to_vec() })
    .into();
    let mut add = |name: String, bytes: Vec<u8>| seeds.push(Seed { name, bytes });
    let samplings =
        [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_0, SamplingFactor::R_4_2_2, SamplingFactor::R_4_1_1];
    for sampling in samplings {
        for (progressive, restart) in [(false, 0), (false, 3), (true, 0)] {
            let (mut bytes, picture) = (Vec::new(), picture(80, 56));
            let mut encoder = Encoder::new(&mut bytes, 80);
            encoder.set_sampling_factor(sampling);
            encoder.set_progressive(progressive);
            encoder.set_restart_interval(restart);
            encoder.encode(picture.as_raw(), 80, 56, ColorType::Rgb).expect("the encoder takes it");
            add(format!("jpeg {sampling:?} progressive {progressive} restart {restart}"), bytes);
        }
    }
    let formats = [
        ("png", ImageFormat::Png),
        ("webp", ImageFormat::WebP),
        ("bmp", ImageFormat::Bmp),
        ("tiff", ImageFormat::Tiff),
        ("gif", ImageFormat::Gif),
    ];
    for (name, format) in formats {
        let colour = DynamicImage::from(picture(64, 48));
        let kinds = [
            ("colour", colour.clone()),
            ("grey", colour.to_luma8().into()),
            ("opacity", colour.to_rgba8().into()),
            ("narrow", DynamicImage::from(picture(17, 90))),
            ("sixteen bits", colour.to_rgb16().into()),
        ];
        for (kind, picture) in kinds {
            let mut bytes = Cursor::new(Vec::new());
            if picture.write_to(&mut bytes, format).is_ok() {
                add(format!("{name} {kind}"), bytes.into_inner());
            }
        }
    }
    let page = &seeds[0].bytes;
    let mut pdf = b"%PDF-1.4\n1 0 obj\n<< /Type /Page /Rotate 90 >>\nendobj\n2 0 obj\n".to_vec();
    pdf.extend(format!("<< /Subtype /Image /Filter /DCTDecode /Length {} >>\nstream\n", page.len()).bytes());
    pdf.extend(page);
    pdf.extend(b"\nendstream\nendobj\ntrailer << >>\n%%EOF\n");
    seeds.push(Seed { name: "pdf".to_owned(), bytes: pdf });
    seeds
}

/// Numbers that look like chance and are the same every time.
pub struct Chance(pub u64);

impl Chance {
    /// The next one below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }
}

/// A mutant of `bytes`; half of them are cut.
pub fn mutant(bytes: &[u8], chance: &mut Chance) -> (Change, Vec<u8>) {
    let mut out = bytes.to_vec();
    let at = chance.below(out.len());
    let change = [
        Change::Cut,
        Change::CutWithEnd,
        Change::Cut,
        Change::CutWithEnd,
        Change::Flipped,
        Change::Length,
        Change::Moved,
        Change::Flipped,
    ][chance.below(8)];
    match change {
        Change::Cut => out.truncate(at),
        Change::CutWithEnd => {
            // As much as an end marker, or the last chunk of a PNG.
            let end = if bytes.starts_with(b"\x89PNG") { 12 } else { 2 };
            out.truncate(at.min(bytes.len() - end - 1));
            out.extend(&bytes[bytes.len() - end..]);
        }
        Change::Flipped => {
            for _ in 0..=chance.below(8) {
                let at = chance.below(out.len());
                out[at] ^= 1 << chance.below(8);
            }
        }
        Change::Length => {
            const VALUES: [u32; 10] = [0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x00FF_FFFF, 0x7FFF_FFFF, 0xFFFF_FFFF];
            // The head holds most of them.
            let at = if chance.below(2) == 0 { chance.below(out.len().min(200)) } else { at };
            let value = VALUES[chance.below(VALUES.len())].to_be_bytes();
            let size = [2, 4][chance.below(2)].min(out.len() - at);
            out[at..at + size].copy_from_slice(&value[4 - size..]);
        }
        Change::Moved => {
            let part = out[at..(at + 1 + chance.below(64)).min(out.len())].to_vec();
            let to = chance.below(out.len());
            match chance.below(3) {
                0 => drop(out.splice(to..to, part)),
                1 => drop(out.drain(at..at + part.len())),
                _ => out[at..at + part.len()].fill(0),
            }
        }
    }
    (change, out)
}
