//! Made files → what each provider's preset asks for of them, over what the shipped policy does.

use std::io::Cursor;
use std::path::PathBuf;

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Look, Options, known_readings};
use bonafide::inference::EngineChoice;
use bonafide::policy::{Decision, Policy, Preset};
use bonafide::report::Report;
use bonafide::scene::Deadline;
use image::{ImageFormat, RgbImage, imageops};

const PRESETS: [Preset; 3] = [Preset::Aliyun, Preset::Tencent, Preset::Huawei];

fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/samples").join(name);
    std::fs::read(path).expect("a sample")
}

#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn picture(name: &str) -> RgbImage {
    image::load_from_memory(&sample(name)).expect("a sample").to_rgb8()
}

fn encoded(picture: &RgbImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// `jpeg` with bytes behind its end until it has `size` of them, as makers' trailers are.
fn grown(mut jpeg: Vec<u8>, size: usize) -> Vec<u8> {
    assert!(jpeg.len() <= size);
    jpeg.resize(size, 0);
    jpeg
}

/// `jpeg` with an XMP block that names the program that wrote it.
fn written_by(jpeg: &[u8], program: &str) -> Vec<u8> {
    let xmp = format!(
        "http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:CreatorTool=\"{program}\"/></rdf:RDF></x:xmpmeta>"
    );
    let length = u16::try_from(xmp.len() + 2).expect("a short block").to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, xmp.as_bytes(), &jpeg[2..]].concat()
}

fn checker() -> Checker {
    let options = Options { engine: EngineChoice::Embedded, ..Options::default() };
    Checker::new(&options).expect("a checker")
}

/// What the shipped policy and every preset make of one look at a file.
fn judged(checker: &Checker, bytes: &[u8]) -> (Report, [Report; 3]) {
    let known = known_readings();
    let policies = PRESETS.map(|preset| Policy::preset(preset, &known).expect("a preset"));
    let upload = Upload { bytes, name: None };
    let look = |mut look: Look<'_>| (look.report(), policies.each_ref().map(|policy| look.judge(policy, false)));
    checker.look(&upload, Deadline::NEVER, look).expect("examined")
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn each_preset_refuses_and_accepts_as_its_rules_say() {
    let (card, small) = (sample("original_card_01.jpg"), picture("original_card_07.jpg"));
    let jpeg = |picture: &RgbImage| grown(encoded(picture, ImageFormat::Jpeg), 300_000);
    // The file, and what Alibaba, Tencent and Huawei ask for.
    let made: [(&str, Vec<u8>, [Option<&str>; 3]); 10] = [
        ("a photograph of 260 kB", card.clone(), [None; 3]),
        ("of 180 kB", sample("original_card_02.jpg"), [None, Some("file_too_small"), None]),
        ("of 4 MiB", grown(card.clone(), 4 << 20), [None; 3]),
        ("of a byte more", grown(card.clone(), (4 << 20) + 1), [Some("file_too_large"), None, Some("file_too_large")]),
        ("of more than 8 MiB", grown(card.clone(), (8 << 20) + 1), [Some("file_too_large"); 3]),
        ("a PNG", encoded(&small, ImageFormat::Png), [None; 3]),
        ("a GIF", encoded(&small, ImageFormat::Gif), [Some("format_refused"), None, Some("format_refused")]),
        ("a BMP", encoded(&small, ImageFormat::Bmp), [Some("format_refused"); 3]),
        ("a scan", written_by(&card, "CamScanner"), [Some("scanned"), None, None]),
        (
            "upside down",
            jpeg(&imageops::rotate180(&picture("original_card_01.jpg"))),
            [Some("not_upright"), None, None],
        ),
    ];
    let checker = checker();
    for (name, bytes, wanted) in &made {
        let (plain, reports) = judged(&checker, bytes);
        for ((report, preset), wanted) in reports.iter().zip(PRESETS).zip(wanted) {
            let preset = preset.name();
            if let Some(code) = wanted {
                let told = report.reasons.iter().find(|reason| reason.code == *code);
                let told = told.unwrap_or_else(|| panic!("{name}, {preset}: {:?}", codes(report)));
                assert_eq!(report.decision, Decision::Retake, "{name}, {preset}");
                assert!(told.en.ends_with('.') && told.zh.ends_with('。'), "{name}");
            } else {
                let same = (report.decision, codes(report)) == (plain.decision, codes(&plain));
                assert!(same, "{name}, {preset}: {:?}", codes(report));
            }
            assert!(report.policy_id.starts_with(preset), "{}", report.policy_id);
        }
    }
    let named = Options { preset: Some(Preset::Tencent), engine: EngineChoice::Embedded, ..Options::default() };
    assert!(Checker::new(&named).expect("a checker").policy_id().starts_with("tencent"));
}

#[cfg(feature = "simulation")]
mod seals {
    use bonafide::simulation::{Document, Presentation, Seal, Spec, encode};

    use super::*;

    fn licence(seal: Seal, ink: f32) -> Vec<u8> {
        let (width, height) = (1080, 1440);
        let spec = Spec {
            seal,
            seal_ink: ink,
            width,
            height,
            fill: 0.86,
            content: 7,
            // Seen from straight above, its letters would be as level as a drawn page's.
            tilt: [4.0, -3.0],
            roll: 1.5,
            ..Spec::plain(Presentation::BonaFide, Document::Page)
        };
        grown(encode(&spec, 5).0, 700_000)
    }

    #[test]
    fn a_licence_without_a_seal_is_asked_for_again_where_a_preset_wants_one() {
        let checker = checker();
        let told = |bytes: &[u8]| {
            let (plain, [_, tencent, _]) = judged(&checker, bytes);
            assert!(
                !codes(&plain).iter().any(|code| code.starts_with("seal_")),
                "no gate asks for one unless it says so"
            );
            let seal = tencent.findings.iter().find(|finding| finding.detector == "seal").expect("it looked");
            (codes(&tencent), format!("{:?}", seal.readings))
        };
        for seal in [Seal::Round, Seal::Oval, Seal::Square] {
            let (codes, seen) = told(&licence(seal, 1.0));
            assert!(!codes.iter().any(|code| code.starts_with("seal_")), "{seal:?}: {codes:?} {seen}");
        }
        let (codes, seen) = told(&licence(Seal::None, 1.0));
        assert!(codes.contains(&"seal_missing"), "{codes:?} {seen}");
        let (pale, seen) = told(&licence(Seal::Round, 0.18));
        assert!(pale.iter().any(|code| code.starts_with("seal_")), "{pale:?} {seen}");
    }
}
