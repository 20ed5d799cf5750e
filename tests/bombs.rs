//! Small files that would make a decoder hold or do far more than their picture is worth → refused before it begins, and
//! decoders in processes of their own.

use std::io::Cursor;

use bonafide::capture::{Capture, CaptureError, Isolation, Limits, Upload, decode, decode_within};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

fn picture() -> DynamicImage {
    RgbImage::from_fn(96, 64, |x, y| Rgb([(x * 2) as u8, (y * 3) as u8, (x * y) as u8])).into()
}

fn encoded(format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture().write_to(&mut bytes, format).expect("the encoder takes it");
    bytes.into_inner()
}

#[test]
fn a_tiff_that_repeats_or_counts_without_end_is_refused() {
    // One tag `times` times over, each with a million values at the same place.
    let bomb = |times: u16, tag: u16, values: u32| {
        let mut out = b"II*\0".to_vec();
        out.extend((8 + values).to_le_bytes());
        out.resize(8 + values as usize, 0);
        out.extend(times.to_le_bytes());
        for i in 0..times {
            // The sides are there, so that nothing else can be wrong with it.
            let (tag, kind, count, value) = match i {
                0 => (0x100, 3, 1, 64),
                1 => (0x101, 3, 1, 64),
                _ => (tag, 1, values, 8),
            };
            out.extend(u16::to_le_bytes(tag));
            out.extend(u16::to_le_bytes(kind));
            out.extend(u32::to_le_bytes(count));
            out.extend(u32::to_le_bytes(value));
        }
        out.extend([0; 4]);
        out
    };
    assert_eq!(open(&bomb(2000, 0x111, 1 << 20)).unwrap_err(), CaptureError::TooCostly);
    assert!(open(&bomb(60_000, 0x111, 1 << 18)).is_err());
    assert!(open(&bomb(60_000, 0x9999, 4)).is_err());
}

fn with_app1(block: &[u8]) -> Vec<u8> {
    let jpeg = encoded(ImageFormat::Jpeg);
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1];
    out.extend(((block.len() + 2) as u16).to_be_bytes());
    out.extend(block);
    out.extend(&jpeg[2..]);
    out
}

#[test]
fn directories_that_lie_over_one_another_are_a_broken_block() {
    // Every entry of the first directory points to a directory of its own, two bytes on from the last.
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend(2000_u16.to_le_bytes());
    for i in 0..2000_u32 {
        tiff.extend(0x8769_u16.to_le_bytes());
        tiff.extend(4_u16.to_le_bytes());
        tiff.extend(1_u32.to_le_bytes());
        tiff.extend((8 + 2 * i).to_le_bytes());
    }
    tiff.extend([0; 4]);
    let capture = open(&with_app1(&[&b"Exif\0\0"[..], &tiff].concat())).expect("the picture is whole");
    assert!(capture.metadata.exif_broken);
    // Texts of nothing but ends.
    let mut png = encoded(ImageFormat::Tiff);
    png.truncate(8);
    assert!(open(&png).is_err());
}

#[test]
fn xmp_of_fifty_megabytes_and_values_without_an_end_cost_nothing() {
    let key = b"CreatorTool>";
    let endless: Vec<u8> = key.iter().copied().cycle().take(65_000 - 40).collect();
    let capture = open(&with_app1(&[&b"http://ns.adobe.com/xap/1.0/\0"[..], &endless].concat())).expect("whole");
    assert!(capture.metadata.has_xmp && capture.metadata.xmp_tools.iter().all(|tool| tool.chars().count() <= 128));
    let png = encoded(ImageFormat::Png);
    let mut chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0".to_vec();
    chunk.resize(50 << 20, b'<');
    let mut large = png[..33].to_vec();
    large.extend(((chunk.len() - 4) as u32).to_be_bytes());
    large.extend(&chunk);
    let mut sum = flate2::Crc::new();
    sum.update(&chunk);
    large.extend(sum.sum().to_be_bytes());
    large.extend(&png[33..]);
    // Read past, as are texts and profiles that unpack to gigabytes.
    assert!(!open(&large).expect("the picture is whole").metadata.has_xmp);
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 64 << 20), &mut packer).expect("packed");
    let packed = packer.finish().expect("packed");
    let mut bombs = png[..33].to_vec();
    for head in [&b"iCCPx\0\0"[..], b"zTXtx\0\0", b"iTXtXML:com.adobe.xmp\0\x01\0\0\0"].repeat(20) {
        let chunk = [head, &packed].concat();
        bombs.extend(((chunk.len() - 4) as u32).to_be_bytes());
        bombs.extend(&chunk);
        let mut sum = flate2::Crc::new();
        sum.update(&chunk);
        bombs.extend(sum.sum().to_be_bytes());
    }
    bombs.extend(&png[33..]);
    let tight = Limits { allocation: 4 << 20, ..Limits::default() };
    assert!(decode(&Upload { bytes: &bombs, name: None }, &tight).is_ok());
}

#[test]
fn more_coded_bits_than_a_picture_is_worth_are_refused() {
    // A lossy WebP of a kilopixel, most of whose bytes say nothing.
    let mut webp = include_bytes!("fixtures/lossy.webp").to_vec();
    assert!(open(&webp).is_ok());
    let length = |bytes: usize| (bytes as u32).to_le_bytes();
    webp.resize((4 << 20) + 100, 0);
    let (file, chunk) = (length(webp.len() - 8), length(webp.len() - 20));
    webp[4..8].copy_from_slice(&file);
    webp[16..20].copy_from_slice(&chunk);
    assert_eq!(open(&webp).unwrap_err(), CaptureError::TooCostly);
    // A lossless WebP of noise in all eight bits of a sample, and in the lower six, as of a very grainy photograph.
    let noise = |bits: u32| {
        let mut state = 1u32;
        let picture = RgbImage::from_fn(1600, 1100, |_, _| {
            Rgb([(); 3].map(|()| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> (32 - bits)) as u8
            }))
        });
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, ImageFormat::WebP).expect("the encoder takes it");
        bytes.into_inner()
    };
    assert_eq!(open(&noise(8)).unwrap_err(), CaptureError::TooCostly);
    assert!(open(&noise(6)).is_ok());
    // A progressive JPEG with as much before its end.
    let mut jpeg = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.set_progressive(true);
    encoder.encode(&[128; 64 * 64 * 3], 64, 64, jpeg_encoder::ColorType::Rgb).expect("the encoder takes it");
    assert!(open(&jpeg).is_ok());
    let end = jpeg.len() - 2;
    jpeg.splice(end..end, vec![0; (4 << 20) + 1]);
    assert_eq!(open(&jpeg).unwrap_err(), CaptureError::TooCostly);
}

#[test]
fn a_progressive_file_of_hundreds_of_scans_is_refused() {
    // A megapixel whose last scan of coefficients comes again and again.
    let mut jpeg = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.set_progressive(true);
    let samples = vec![128; 1024 * 1024 * 3];
    encoder.encode(&samples, 1024, 1024, jpeg_encoder::ColorType::Rgb).expect("the encoder takes it");
    let last = bonafide::capture::segments(&jpeg).filter(|s| s.code == 0xDA).last().expect("a scan");
    let scan = jpeg[last.start..last.end + last.scan_bytes].to_vec();
    jpeg.truncate(jpeg.len() - 2);
    for _ in 0..400 {
        jpeg.extend(&scan);
    }
    jpeg.extend([0xFF, 0xD9]);
    assert_eq!(open(&jpeg).unwrap_err(), CaptureError::TooCostly);
}

#[cfg(feature = "heic")]
#[allow(clippy::trivially_copy_pass_by_ref, reason = "names of boxes are written as references")]
mod heic {
    use super::*;

    const HEIC: &[u8] = include_bytes!("fixtures/picture.heic");

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        [&(8 + body.len() as u32).to_be_bytes(), &kind[..], body].concat()
    }

    fn full(kind: &[u8; 4], version: u8, body: &[u8]) -> Vec<u8> {
        boxed(kind, &[&[version, 0, 0, 0], body].concat())
    }

    fn item(id: u32, kind: &[u8; 4]) -> Vec<u8> {
        full(b"infe", 3, &[&id.to_be_bytes()[..], &[0, 0], kind, &[0]].concat())
    }

    /// A file with these items, places, properties, associations and references.
    fn file(items: &[(u32, &[u8; 4])], parts: &[Vec<u8>], data: usize) -> Vec<u8> {
        let mut list = (items.len() as u32).to_be_bytes().to_vec();
        for (id, kind) in items {
            list.extend(item(*id, kind));
        }
        let mut meta = full(b"hdlr", 0, b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0");
        meta.extend(full(b"pitm", 0, &[0, 1]));
        meta.extend(full(b"iinf", 1, &list));
        meta.extend(parts.concat());
        let mut out = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
        out.extend(full(b"meta", 0, &meta));
        out.extend(boxed(b"mdat", &vec![0; data]));
        out
    }

    fn properties(of: &[Vec<u8>], associations: &[u8]) -> Vec<u8> {
        boxed(b"iprp", &[boxed(b"ipco", &of.concat()), full(b"ipma", 0, associations)].concat())
    }

    fn configuration(picture: Option<&[u8]>) -> Vec<u8> {
        let mut body = vec![0; 22];
        body[0] = 1;
        match picture {
            None => body.push(0),
            Some(unit) => {
                body.extend([1, 33, 0, 1]);
                body.extend((unit.len() as u16).to_be_bytes());
                body.extend(unit);
            }
        }
        boxed(b"hvcC", &body)
    }

    /// A sequence parameter set that declares `side` × `side` pixels, and nothing after that.
    fn parameters(side: u32) -> Vec<u8> {
        let mut bits: Vec<bool> = Vec::new();
        let mut put = |value: u64, count: u32| bits.extend((0..count).rev().map(|i| value >> i & 1 == 1));
        put(0b1000_0000 >> 1, 8);
        for _ in 0..12 {
            put(1, 8);
        }
        let mut golomb = |value: u32| {
            let code = u64::from(value) + 1;
            let length = 64 - code.leading_zeros();
            put(0, length - 1);
            put(code, length);
        };
        golomb(0);
        golomb(1);
        golomb(side);
        golomb(side);
        put(1, 8);
        let byte = |bits: &[bool]| bits.iter().enumerate().fold(0, |byte, (i, bit)| byte | u8::from(*bit) << (7 - i));
        [&[0x42, 1][..], &bits.chunks(8).map(byte).collect::<Vec<_>>()].concat()
    }

    #[test]
    fn what_multiplies_is_counted_before_a_decoder_runs() {
        // 255 × 256 tiles that are all the same item of 16 KB.
        let tiles = 255_u16 * 256 - 1;
        let places = |count: u16, rest: &[u8]| full(b"iloc", 1, &[&[0x44, 0, 0][..], &[count as u8], rest].concat());
        let two = [
            &[0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8][..],
            &[0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x40, 0],
        ]
        .concat();
        let associated = [0, 0, 0, 2, 0, 1, 1, 1, 0, 2, 1, 1];
        let references = [&[0, 1][..], &tiles.to_be_bytes(), &[0, 2].repeat(usize::from(tiles))].concat();
        let grid = |rows: u8, columns: u8, side: u16| {
            boxed(b"idat", &[&[0, 0, rows, columns][..], &side.to_be_bytes(), &side.to_be_bytes()].concat())
        };
        let items: [(u32, &[u8; 4]); 2] = [(1, b"grid"), (2, b"hvc1")];
        let copies = file(
            &items,
            &[
                places(2, &two),
                properties(&[configuration(None)], &associated),
                full(b"iref", 0, &boxed(b"dimg", &references)),
                grid(254, 255, 1000),
            ],
            16 << 10,
        );
        assert_eq!(open(&copies).unwrap_err(), CaptureError::TooCostly);

        // 250 tiles of a megapixel each in a picture of a quarter of one.
        let small =
            [&[0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8][..], &[0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4]]
                .concat();
        let references = [&[0, 1, 0, 250][..], &[0, 2].repeat(250)].concat();
        let pixels = file(
            &items,
            &[
                places(2, &small),
                properties(&[configuration(Some(&parameters(1024)))], &associated),
                full(b"iref", 0, &boxed(b"dimg", &references)),
                grid(0, 249, 500),
            ],
            64,
        );
        assert_eq!(open(&pixels).unwrap_err(), CaptureError::TooCostly);

        // One item that is the same half megabyte thousands of times.
        let mut extents = vec![0x44, 0, 0, 1, 0, 1, 0, 0];
        extents.extend(9000_u16.to_be_bytes());
        extents.extend([0, 0, 0, 0, 0, 8, 0, 0].repeat(9000));
        let one: [(u32, &[u8; 4]); 1] = [(1, b"hvc1")];
        let repeated = file(
            &one,
            &[full(b"iloc", 0, &extents), properties(&[configuration(None)], &[0, 0, 0, 1, 0, 1, 1, 1])],
            1 << 19,
        );
        assert_eq!(open(&repeated).unwrap_err(), CaptureError::TooCostly);

        // Ten thousand blocks of metadata, and a long list that names none of them.
        let mut many: Vec<(u32, &[u8; 4])> = vec![(1, b"hvc1")];
        many.extend((10..10_010).map(|id| (id, b"Exif")));
        let list = [&[0, 2, 0xC3, 0x50][..], &vec![0; 100_000]].concat();
        let crossed = file(
            &many,
            &[full(b"iloc", 0, &[0x44, 0, 0, 0]), properties(&[], &[0; 4]), full(b"iref", 0, &boxed(b"cdsc", &list))],
            64,
        );
        assert_eq!(open(&crossed).unwrap_err(), CaptureError::TooCostly);

        // Coded bits without end, in few pixels.
        let mut place = vec![0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
        place.extend(((4 << 20) + 1_u32).to_be_bytes());
        let coded = |place: &[u8], data| {
            let parts = [full(b"iloc", 0, place), properties(&[configuration(None)], &[0, 0, 0, 1, 0, 1, 1, 1])];
            file(&one, &parts, data)
        };
        assert_eq!(open(&coded(&place, 5 << 20)).unwrap_err(), CaptureError::TooCostly);

        // A picture turned two hundred times.
        let place = [0x44, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 4];
        let turns = [&[0, 0, 0, 1, 0, 1, 200, 1][..], &[2; 199]].concat();
        let turned = file(
            &one,
            &[full(b"iloc", 0, &place), properties(&[configuration(None), boxed(b"irot", &[1])], &turns)],
            64,
        );
        assert_eq!(open(&turned).unwrap_err(), CaptureError::TooCostly);
        assert!(open(HEIC).is_ok());
    }
}

#[cfg(all(feature = "cli", feature = "heic"))]
mod apart {
    use std::time::{Duration, Instant};

    use super::*;

    const PROGRAM: &str = env!("CARGO_BIN_EXE_bonafide");

    fn apart(bytes: &[u8], name: Option<&str>, isolation: &Isolation) -> Result<Capture, CaptureError> {
        decode_within(&Upload { bytes, name }, &Limits::default(), isolation, None)
    }

    #[test]
    fn a_picture_is_the_same_wherever_it_was_decoded() {
        let all = Isolation::of_all(PROGRAM);
        let heic = include_bytes!("fixtures/picture.heic").to_vec();
        let cmyk = include_bytes!("fixtures/cmyk.jpg").to_vec();
        let others = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff, ImageFormat::Bmp];
        for bytes in [heic, cmyk].into_iter().chain(others.map(encoded)) {
            let (here, there) = (open(&bytes).expect("whole"), apart(&bytes, None, &all).expect("whole"));
            assert_eq!(
                (&here.metadata, &here.container, here.media_type),
                (&there.metadata, &there.container, there.media_type)
            );
            assert_eq!(here.ycc(here.frame()), there.ycc(there.frame()));
            for cut in [bytes.len() / 2, bytes.len() / 3] {
                assert_eq!(open(&bytes[..cut]).err(), apart(&bytes[..cut], None, &all).err());
            }
        }
        assert_eq!(apart(b"", None, &all).err(), Some(CaptureError::Empty));
        assert_eq!(apart(b"words", None, &all).err(), Some(CaptureError::NotAnImage));
        assert_eq!(
            apart(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif", None, &all).err(),
            open(b"\0\0\0\x1cftypavif\0\0\0\0mif1avif").err()
        );
        let named = apart(&encoded(ImageFormat::Png), Some("Screenshot_1.png"), &all).expect("whole");
        assert!(named.metadata.says_screenshot);
    }

    #[test]
    fn the_death_of_a_decoder_is_one_refused_upload() {
        let heic = include_bytes!("fixtures/picture.heic");
        for program in ["/bin/false", "/bin/echo", "/nowhere/at/all"] {
            let dead = Isolation::of_heic(program);
            assert_eq!(apart(heic, None, &dead).err(), Some(CaptureError::TooCostly), "{program}");
            // Others are opened here.
            assert!(apart(&encoded(ImageFormat::Jpeg), None, &dead).is_ok());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn memory_that_is_not_there_ends_the_process_and_nothing_else() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let script = folder.path().join("short of memory");
        std::fs::write(&script, format!("#!/bin/sh\nulimit -d 3000\nexec '{PROGRAM}' \"$@\"\n")).expect("written");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("executable");
        let mut large = Cursor::new(Vec::new());
        RgbImage::new(3000, 2000).write_to(&mut large, ImageFormat::Png).expect("written");
        let found = apart(large.get_ref(), None, &Isolation::of_all(&script));
        assert_eq!(found.err(), Some(CaptureError::TooCostly));
    }

    #[test]
    fn a_deadline_ends_the_process() {
        let late = Instant::now().checked_sub(Duration::from_secs(1)).expect("a second ago");
        let mut large = Cursor::new(Vec::new());
        picture()
            .resize_exact(4000, 3000, image::imageops::FilterType::Nearest)
            .write_to(&mut large, ImageFormat::Png)
            .expect("written");
        let upload = Upload { bytes: large.get_ref(), name: None };
        let found = decode_within(&upload, &Limits::default(), &Isolation::of_all(PROGRAM), Some(late));
        assert_eq!(found.err(), Some(CaptureError::TooCostly));
    }
}
