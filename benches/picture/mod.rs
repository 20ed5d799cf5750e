//! Nothing → a 12-megapixel JPEG like a phone's, the same in every run.

use image::RgbImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

/// Of the pictures made here, in pixels.
pub const WIDTH: u32 = 4032;
/// Of the pictures made here, in pixels.
pub const HEIGHT: u32 = 3024;

/// A bright card on a noisy desk, at quality 90: entropy like that of a phone's photograph (about 4 bits a pixel).
pub fn photograph() -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as i32 % 13 - 6
    };
    let picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let card = (700..3300).contains(&x) && (700..2340).contains(&y);
        let text = card && (y / 40) % 3 == 1 && (x / 9 + y / 11) % 3 == 0;
        let base = if text {
            60
        } else if card {
            205
        } else {
            90 + ((x / 31 + y / 17) % 20) as i32
        };
        let grain = noise();
        image::Rgb([
            (base + grain).clamp(0, 255) as u8,
            (base + grain - 5).clamp(0, 255) as u8,
            (base - grain - 12).clamp(0, 255) as u8,
        ])
    });
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    // As cameras store chroma.
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.encode(picture.as_raw(), WIDTH as u16, HEIGHT as u16, ColorType::Rgb).expect("encoded");
    bytes
}
