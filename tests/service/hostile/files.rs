//! Small files that claim to be large, and cut-off ones → a problem each, held by nobody.

use std::time::Instant;

use super::{LET_GO, SMALL, lives_with};
use crate::service::program::Program;
use crate::service::sample;

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    let table: [u32; 256] = std::array::from_fn(|byte| {
        (0..8).fold(byte as u32, |crc, _| (crc >> 1) ^ (0xEDB8_8320 & 0_u32.wrapping_sub(crc & 1)))
    });
    !bytes.iter().fold(!0_u32, |crc, byte| (crc >> 8) ^ table[usize::from(crc as u8 ^ byte)])
}

/// A PNG with this size in its header, 8-bit RGB, and these blocks.
fn png(width: u32, height: u32, blocks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", &header[..])].iter().chain(blocks).chain(&[(b"IEND", &[][..])]) {
        let block = [&kind[..], data].concat();
        out.extend_from_slice(&(data.len() as u32).to_be_bytes());
        out.extend_from_slice(&block);
        out.extend_from_slice(&crc(&block).to_be_bytes());
    }
    out
}

/// A zlib stream of `length` zeros, a few more at most: each 258 of them in 13 bits.
fn zeros(length: usize) -> Vec<u8> {
    // RFC 1951: one block of fixed codes: a literal 0, then "258 bytes as the one before" again and again, the end.
    const REPEAT: [u8; 13] = [1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0];
    // Eight repeats fill 13 bytes. The head is 11 bits long, so that they begin with the sixth bit of one.
    let eight =
        std::array::from_fn::<u8, 13, _>(|byte| (0..8).map(|bit| REPEAT[(byte * 8 + bit + 5) % 13] << bit).sum());
    let count = length.div_ceil(8 * 258);
    // Adler-32 of n zeros.
    let sum = ((1 + 258 * (8 * count + 1)) % 65_521) as u32;
    [&[0x78, 0x01, 0x63, 0x18], &eight.repeat(count)[..], &[0x05, 0x00], &(sum << 16 | 1).to_be_bytes()].concat()
}

fn riff(kind: &str, data: &[u8]) -> Vec<u8> {
    [kind.as_bytes(), &(data.len() as u32).to_le_bytes(), data].concat()
}

/// Files of every format that claim 65,535 × 65,535 pixels (WebP: 16,384², as much as it can say), and little else.
fn giants() -> Vec<(&'static str, Vec<u8>)> {
    let components = [1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0];
    let frame = [&[0xFF, 0xC0, 0, 17, 8, 0xFF, 0xFF, 0xFF, 0xFF, 3], &components[..]].concat();
    let scan = [0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 1, 2, 3];
    let jpeg = [&[0xFF, 0xD8], &frame[..], &scan, &[0xFF, 0xD9]].concat();
    let canvas = [0, 0, 0, 0, 0xFE, 0xFF, 0, 0xFE, 0xFF, 0];
    // A lossless picture of 16,384 × 16,384.
    let lossless = [0x2F, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0];
    let web = [&b"WEBP"[..], &riff("VP8X", &canvas), &riff("VP8L", &lossless)].concat();
    let side = 65_535_u32.to_le_bytes();
    let mut bmp = b"BM".to_vec();
    bmp.extend_from_slice(&[100, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    bmp.extend_from_slice(&[&side[..], &side, &[1, 0, 24, 0], &[0; 24], &[7; 46]].concat());
    // Width, height, depth, no compression, RGB, where the strip is, samples, rows a strip, bytes.
    let entries: &[(u16, u16, u32)] = &[
        (256, 4, 65_535),
        (257, 4, 65_535),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 2),
        (273, 4, 8),
        (277, 3, 3),
        (278, 4, 65_535),
        (279, 4, 0xFFFF_FFFF),
    ];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend_from_slice(&(entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        tiff.extend_from_slice(&tag.to_le_bytes());
        tiff.extend_from_slice(&kind.to_le_bytes());
        tiff.extend_from_slice(&[1, 0, 0, 0]);
        tiff.extend_from_slice(&value.to_le_bytes());
    }
    tiff.extend_from_slice(&[0; 4]);
    let mut heic = include_bytes!("../../fixtures/picture.heic").to_vec();
    for at in 0..heic.len() - 16 {
        if heic[at..].starts_with(b"ispe") {
            heic[at + 8..at + 16].copy_from_slice(&[0, 0, 0xFF, 0xFF, 0, 0, 0xFF, 0xFF]);
        }
    }
    vec![
        ("jpeg", jpeg),
        ("png", png(65_535, 65_535, &[(b"IDAT", &zeros(1 << 20))])),
        ("webp", riff("RIFF", &web)),
        ("bmp", bmp),
        ("tiff", tiff),
        ("heic", heic),
    ]
}

#[test]
fn a_small_file_that_becomes_large_is_not_held() {
    let program = Program::start(&["--workers", "2"]);
    program.check(SMALL).expect(200);
    let before = program.memory_mib("VmHWM");
    for (name, giant) in giants() {
        let asked = Instant::now();
        let answer = program.check(&giant);
        if answer.status == 200 && name == "heic" {
            // Its size is that of the coded picture; what the container says of it counts for nothing.
            assert_eq!(answer.json()["width"], 96);
        } else {
            assert!([413, 415, 422].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
            answer.problem();
        }
        assert!(asked.elapsed() < LET_GO, "{name}: {:?}", asked.elapsed());
    }
    let text = [b"XML:com.adobe.xmp\0\x01\0\0\0", &zeros(300 << 20)[..]].concat();
    let profile = [b"profile\0\0", &zeros(300 << 20)[..]].concat();
    let pixels = zeros(96 * (96 * 3 + 1));
    let bombs = [
        ("many pixels", png(16_000, 16_000, &[(b"IDAT", &zeros(64 << 20))])),
        ("pixels beyond the picture", png(96, 96, &[(b"IDAT", &zeros(300 << 20))])),
        ("a profile", png(96, 96, &[(b"iCCP", &profile), (b"IDAT", &pixels)])),
        ("a text", png(96, 96, &[(b"zTXt", &profile), (b"iTXt", &text), (b"IDAT", &pixels)])),
    ];
    for (name, bomb) in bombs {
        let asked = Instant::now();
        let answer = program.check(&bomb);
        assert!([200, 413, 415, 422].contains(&answer.status), "{name}: {} {}", answer.status, answer.text());
        assert!(asked.elapsed() < LET_GO, "{name}: {:?}", asked.elapsed());
    }
    let (after, now) = (program.memory_mib("VmHWM"), program.memory_mib("VmRSS"));
    assert!(after < before + 200, "memory rose from {before} to {after} MiB, and is {now} now");
}

#[test]
fn a_sample_cut_off_anywhere_is_a_problem() {
    let program = Program::start(&["--workers", "2"]);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.contains(".jpg") {
            continue;
        }
        let whole = sample(&name);
        for cut in [2, 20, 300, whole.len() / 3, whole.len() / 2, whole.len() - 40, whole.len() - 12] {
            let answer = program.check(&whole[..cut]);
            assert!([415, 422].contains(&answer.status), "{name} cut to {cut}: {} {}", answer.status, answer.text());
            answer.problem();
        }
        // Without its end marker alone no pixel is missing.
        assert_eq!(program.check(&whole[..whole.len() - 2]).status, 200, "{name}");
        seen += 1;
    }
    assert!(seen > 10, "only {seen} samples");
    lives_with(&program, seen);
}
