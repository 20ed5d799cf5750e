//! Made-up JPEGs of every sampling → the same pixels that the published decoder interleaves.

use bonafide::capture::{Capture, CaptureError, Limits, Upload, decode};
use image::GrayImage;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;

const SAMPLINGS: [SamplingFactor; 8] = [
    SamplingFactor::R_4_4_4,
    SamplingFactor::R_4_4_0,
    SamplingFactor::R_4_4_1,
    SamplingFactor::R_4_2_2,
    SamplingFactor::R_4_2_0,
    SamplingFactor::R_4_2_1,
    SamplingFactor::R_4_1_1,
    SamplingFactor::R_4_1_0,
];

/// Channels of waves that meet at no common period, so that every block differs from its neighbours.
fn waves(width: u16, height: u16, channels: u32) -> Vec<u8> {
    let value = |x: f32, y: f32, c: f32| 127.0 + 60.0 * (x / (2.3 + c) + y / 9.1).sin() + 60.0 * (y / (3.7 - c)).cos();
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (f32::from(x), f32::from(y))));
    pixels.flat_map(|(x, y)| (0..channels).map(move |c| value(x, y, c as f32) as u8)).collect()
}

struct Kind {
    sampling: SamplingFactor,
    colours: ColorType,
    channels: u32,
    progressive: bool,
    restart: u16,
}

impl Kind {
    const fn colour(sampling: SamplingFactor) -> Self {
        Self { sampling, colours: ColorType::Ycbcr, channels: 3, progressive: false, restart: 0 }
    }

    fn encoded(&self, width: u16, height: u16) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 92);
        encoder.set_sampling_factor(self.sampling);
        encoder.set_progressive(self.progressive);
        encoder.set_restart_interval(self.restart);
        let samples = waves(width, height, self.channels);
        encoder.encode(&samples, width, height, self.colours).expect("the encoder takes it");
        bytes
    }
}

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

fn planes(bytes: &[u8]) -> Result<[GrayImage; 3], CaptureError> {
    open(bytes).map(|capture| capture.ycc(capture.frame()).expect("the whole picture"))
}

/// What the published decoder gives, interleaved, in `colours`.
fn published(bytes: &[u8], colours: ColorSpace) -> Option<Vec<u8>> {
    let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(colours);
    zune_jpeg_published::JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().ok()
}

/// Y, Cb and Cr of what `kind` makes, as the published decoder interleaves them.
///
/// Of the progressive file: it holds the same coefficients, and of files whose components come one after another the
/// published decoder misreads those that sample luma four times down, or four across and twice down.
fn expected(kind: &Kind, width: u16, height: u16) -> Vec<u8> {
    let bytes = Kind { progressive: true, restart: 0, ..*kind }.encoded(width, height);
    published(&bytes, ColorSpace::YCbCr).expect("the published decoder takes it")
}

/// Pixels in which a plane differs from a channel of `expected`, and the largest difference.
fn differing(plane: &GrayImage, expected: &[u8], channels: usize, channel: usize) -> (Vec<(u32, u32)>, u8) {
    let pairs = plane.enumerate_pixels().zip(expected[channel..].iter().step_by(channels));
    let unlike = pairs.filter(|((_, _, value), expected)| value.0[0] != **expected);
    unlike.fold((Vec::new(), 0), |(mut places, most), ((x, y, value), expected)| {
        places.push((x, y));
        (places, most.max(value.0[0].abs_diff(*expected)))
    })
}

#[test]
fn every_sampling_reads_as_the_published_decoder_has_it() {
    for sampling in SAMPLINGS {
        for (progressive, restart) in [(false, 0), (false, 3), (true, 0)] {
            let kind = Kind { progressive, restart, ..Kind::colour(sampling) };
            // Whole units of coding: the border of the picture is that of its blocks.
            let (bytes, expected) = (kind.encoded(160, 96), expected(&kind, 160, 96));
            for (channel, plane) in planes(&bytes).expect("a picture").iter().enumerate() {
                let (places, most) = differing(plane, &expected, 3, channel);
                assert!(
                    places.is_empty(),
                    "{sampling:?}, progressive {progressive}: {channel} by {most} in {}",
                    places.len()
                );
            }
        }
    }
}

/// Blocks of every strength beside one another: plain, faint, textured, and as hard as samples allow.
fn blocks(width: u16, height: u16) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    pixels
        .flat_map(|(x, y)| {
            [(); 3].map(|()| match (x / 16 + y / 16 * 3) % 5 {
                0 => (x / 16 * 5) as u8,
                1 => 120 + next() % 4,
                2 => 80 + next() % 90,
                3 => next(),
                _ => 255 * (next() % 2),
            })
        })
        .collect()
}

#[test]
fn blocks_read_ahead_are_those_of_the_published_decoder() {
    let (width, height) = (640, 240);
    let samples = blocks(width, height);
    let encoded = |quality: u8, sampling: SamplingFactor, progressive: bool, restart: u16| {
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, quality);
        encoder.set_sampling_factor(sampling);
        encoder.set_progressive(progressive);
        encoder.set_restart_interval(restart);
        encoder.encode(&samples, width, height, ColorType::Ycbcr).expect("the encoder takes it");
        bytes
    };
    for quality in [3, 40, 75, 92, 100] {
        for sampling in [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_0] {
            // The same coefficients by another way of coding, which nothing is read ahead for.
            let expected = published(&encoded(quality, sampling, true, 0), ColorSpace::YCbCr).expect("a picture");
            for restart in [0, 1, 9, 200] {
                let bytes = encoded(quality, sampling, false, restart);
                for (channel, plane) in planes(&bytes).expect("a picture").iter().enumerate() {
                    let (places, most) = differing(plane, &expected, 3, channel);
                    assert!(
                        places.is_empty(),
                        "{sampling:?}, quality {quality}, restart {restart}: {channel} by {most} in {}",
                        places.len()
                    );
                }
            }
        }
    }
}

#[test]
fn a_picture_that_ends_within_a_block_differs_in_its_last_row_and_column_alone() {
    for sampling in SAMPLINGS {
        for (width, height) in [(150, 90), (149, 91), (33, 17)] {
            let kind = Kind::colour(sampling);
            let expected = expected(&kind, width, height);
            let found = planes(&kind.encoded(width, height)).expect("a picture");
            assert!(differing(&found[0], &expected, 3, 0).0.is_empty(), "{sampling:?}: luma");
            for channel in [1, 2] {
                // The published decoder mixes in what lies beyond the picture, in the rest of the block.
                let (places, _) = differing(&found[channel], &expected, 3, channel);
                let at_the_end = |(x, y): &(u32, u32)| x + 1 == u32::from(width) || y + 1 == u32::from(height);
                assert!(places.iter().all(at_the_end), "{sampling:?}, {width} × {height}");
            }
        }
    }
}

#[test]
fn grey_is_grey_whatever_sampling_it_declares() {
    let kind = Kind { colours: ColorType::Luma, channels: 1, ..Kind::colour(SamplingFactor::R_4_4_4) };
    let mut bytes = kind.encoded(149, 91);
    let frame = bytes.windows(2).position(|marker| marker == [0xFF, 0xC0]).expect("a frame header");
    for declared in [0x11, 0x22, 0x21, 0x41] {
        bytes[frame + 11] = declared;
        let capture = open(&bytes).expect("a picture");
        let luma = capture.luma(capture.frame()).expect("the whole picture");
        let expected = published(&bytes, ColorSpace::Luma).expect("the published decoder takes it");
        assert!(capture.is_grey());
        assert!(differing(&luma, &expected, 1, 0).0.is_empty(), "{declared:#x}");
    }
}

#[test]
fn inks_become_the_colours_that_the_published_decoder_gives() {
    let vendored = |bytes: &[u8], colours| {
        let options = DecoderOptions::default().set_strict_mode(true).jpeg_set_out_colorspace(colours);
        zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(bytes), options).decode().ok()
    };
    for colours in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let kind = Kind { colours, channels: 4, ..Kind::colour(SamplingFactor::R_4_4_4) };
        let bytes = kind.encoded(149, 91);
        assert_eq!(vendored(&bytes, ColorSpace::RGB), published(&bytes, ColorSpace::RGB), "{colours:?}");
        assert!(!open(&bytes).expect("a picture").is_grey());
    }
}

#[test]
fn what_a_thread_decoded_before_never_shows() {
    let plain = |value: u8| {
        let mut bytes = Vec::new();
        let samples = vec![value; 160 * 96 * 3];
        Encoder::new(&mut bytes, 92).encode(&samples, 160, 96, ColorType::Ycbcr).expect("the encoder takes it");
        bytes
    };
    let before = [plain(10), plain(250)];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut opened = 0;
    for sampling in [SamplingFactor::R_4_2_0, SamplingFactor::R_4_4_4, SamplingFactor::R_4_1_1] {
        for (progressive, restart) in [(false, 0), (false, 2), (true, 0)] {
            let bytes = Kind { progressive, restart, ..Kind::colour(sampling) }.encoded(160, 96);
            for _ in 0..40 {
                let mut damaged = bytes.clone();
                for _ in 0..=next() % 4 {
                    let at = (next() % damaged.len() as u64) as usize;
                    damaged[at] ^= 1 << (next() % 8);
                }
                let seen = before.each_ref().map(|other| {
                    drop(open(other).expect("a picture"));
                    planes(&damaged)
                });
                assert_eq!(seen[0], seen[1]);
                opened += usize::from(seen[0].is_ok());
            }
        }
    }
    assert!(opened > 20, "only {opened} of the damaged files open");
}
