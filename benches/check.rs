//! Time of decoding, of each detector, of a whole check and of screening, on a 12-megapixel JPEG made here.
//!
//! The README's ratios come from the group `whole`: `image` is the image crate decoding the file to RGB and nothing
//! else, the others are complete checks of the same file, in the same run and on one thread.

mod picture;

use std::hint::black_box;
use std::io::Cursor;

use bonafide::capture::{Limits, Upload, decode};
use bonafide::checker::{Checker, Options};
use bonafide::detectors::DETECTORS;
use bonafide::inference::{EngineChoice, ModelSource, Models};
use bonafide::scene::{Deadline, survey};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use image::ImageDecoder;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use picture::{HEIGHT, WIDTH, photograph};

fn to_rgb(bytes: &[u8]) -> Vec<u8> {
    let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(bytes)).expect("a JPEG");
    let mut rgb = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut rgb).expect("decoded");
    rgb
}

fn checker(engine: EngineChoice) -> Option<Checker> {
    Checker::new(&Options { engine, ..Options::default() }).ok()
}

fn whole(c: &mut Criterion) {
    let bytes = photograph();
    let upload = Upload { bytes: &bytes, name: None };
    let mut group = c.benchmark_group("whole");
    group.sample_size(20).throughput(Throughput::Elements(u64::from(WIDTH * HEIGHT)));
    group.bench_function("image", |b| b.iter(|| to_rgb(black_box(&bytes))));
    group.bench_function("decode", |b| b.iter(|| decode(black_box(&upload), &Limits::default())));
    for (name, engine) in [("check_onnxruntime", EngineChoice::OnnxRuntime), ("check_embedded", EngineChoice::Embedded)]
    {
        // Without ONNX Runtime its line is missing, not faked.
        if let Some(checker) = checker(engine) {
            group.bench_function(name, |b| b.iter(|| checker.check(black_box(&upload), Deadline::NEVER)));
        }
    }
    group.finish();
}

fn detectors(c: &mut Criterion) {
    let bytes = photograph();
    let capture = decode(&Upload { bytes: &bytes, name: None }, &Limits::default()).expect("a JPEG");
    let models = Models::load(&ModelSource::Shipped, EngineChoice::Auto).expect("shipped models");
    let checker = checker(EngineChoice::Auto).expect("shipped models");
    let mut group = c.benchmark_group("detectors");
    group.sample_size(20).throughput(Throughput::Elements(u64::from(WIDTH * HEIGHT)));
    // What detectors share, each part with what it needs made before.
    group.bench_function("scene_overview", |b| b.iter(|| survey(&capture, Deadline::NEVER).overview().scale));
    let with_overview = || {
        let scene = survey(&capture, Deadline::NEVER);
        scene.overview();
        scene
    };
    let with_tiles = || {
        let scene = with_overview();
        scene.spectral_tiles();
        scene
    };
    group.bench_function("scene_document", |b| {
        b.iter_batched(with_overview, |scene| scene.document().is_some(), BatchSize::PerIteration);
    });
    group.bench_function("scene_spectra", |b| {
        b.iter_batched(with_tiles, |scene| scene.spectra().len(), BatchSize::PerIteration);
    });
    for entry in DETECTORS {
        let detector = (entry.build)(&models);
        // What detectors share is computed outside the measurement.
        let prepared = || {
            let scene = checker.survey(&capture, Deadline::NEVER);
            scene.print_boxes();
            scene.spectra();
            scene.texture_tiles();
            scene
        };
        group.bench_function(entry.info.id, |b| {
            b.iter_batched(prepared, |scene| detector.examine(&scene), BatchSize::PerIteration);
        });
    }
    group.finish();
}

/// What is photographed in [`document`]: the samples drawn out to as many pixels as a phone's photograph.
const SUBJECTS: [(&str, &[u8]); 2] = [
    ("card", include_bytes!("../datasets/samples/original_card_01.jpg")),
    ("page", include_bytes!("../datasets/samples/original_page_03.jpg")),
];

fn encoded(large: &image::RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, 90);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let (width, height) = large.dimensions();
    encoder.encode(large.as_raw(), width as u16, height as u16, ColorType::Rgb).expect("encoded");
    bytes
}

/// The subjects as 12-megapixel photographs, and a receipt: a column of the page's print on a dark table.
fn subjects() -> Vec<(&'static str, Vec<u8>)> {
    let mut made = Vec::new();
    for (name, sample) in SUBJECTS {
        let small = image::load_from_memory_with_format(sample, image::ImageFormat::Jpeg).expect("a sample").to_rgb8();
        let upright = small.height() > small.width();
        let (width, height) = if upright { (HEIGHT, WIDTH) } else { (WIDTH, HEIGHT) };
        let large = image::imageops::resize(&small, width, height, image::imageops::FilterType::CatmullRom);
        if name == "page" {
            let strip = image::imageops::crop_imm(&large, width / 4, height / 8, width / 3, height * 3 / 4).to_image();
            let mut receipt = image::RgbImage::from_pixel(HEIGHT, WIDTH, image::Rgb([60, 50, 45]));
            let (x, y) = ((HEIGHT - strip.width()) / 2, WIDTH.saturating_sub(strip.height()) / 2);
            image::imageops::overlay(&mut receipt, &strip, i64::from(x), i64::from(y));
            made.push(("receipt", encoded(&receipt)));
        }
        made.push((name, encoded(&large)));
    }
    made
}

/// Finding the document, telling which it is, judging its print, what lies over it, and reading its number, the overview
/// made before.
fn document(c: &mut Criterion) {
    let mut group = c.benchmark_group("document");
    group.sample_size(20).throughput(Throughput::Elements(u64::from(WIDTH * HEIGHT)));
    for (subject, bytes) in subjects() {
        let capture = decode(&Upload { bytes: &bytes, name: None }, &Limits::default()).expect("a JPEG");
        for (name, engine) in [("onnxruntime", EngineChoice::OnnxRuntime), ("embedded", EngineChoice::Embedded)] {
            let (Some(checker), Ok(models)) = (checker(engine), Models::load(&ModelSource::Shipped, engine)) else {
                continue;
            };
            let prepared = || {
                let scene = checker.survey(&capture, Deadline::NEVER);
                scene.squashed();
                scene
            };
            for part in [
                &["locator"][..],
                &["legibility"],
                &["cover"],
                &["number"],
                &["locator", "document_net", "legibility", "cover", "number"],
            ] {
                let detectors: Vec<_> =
                    DETECTORS.iter().filter(|e| part.contains(&e.info.id)).map(|e| (e.build)(&models)).collect();
                // Each part alone has what comes before it made outside the measurement.
                let before = || {
                    let scene = prepared();
                    match part {
                        ["locator", ..] => {}
                        ["number"] => {
                            scene.print_boxes();
                        }
                        _ => {
                            scene.subject();
                        }
                    }
                    scene
                };
                let examine = |scene: bonafide::scene::Scene<'_>| {
                    for detector in &detectors {
                        black_box(detector.examine(&scene));
                    }
                };
                let label = if part.len() > 1 { "all" } else { part[0] };
                group.bench_function(format!("{subject}_{name}_{label}"), |b| {
                    b.iter_batched(before, examine, BatchSize::PerIteration);
                });
            }
        }
    }
    group.finish();
}

fn screening(c: &mut Criterion) {
    let bytes = photograph();
    let checker = checker(EngineChoice::Auto).expect("shipped models");
    let mut group = c.benchmark_group("screening");
    group.sample_size(10).throughput(Throughput::Elements(8));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        group.bench_function(format!("{threads}_threads"), |b| {
            b.iter(|| {
                let next = std::sync::atomic::AtomicUsize::new(0);
                pool.broadcast(|_| {
                    while next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) < 8 {
                        let report = checker.check(&Upload { bytes: &bytes, name: None }, Deadline::NEVER);
                        black_box(report.expect("examined"));
                    }
                });
            });
        });
    }
    group.finish();
}

criterion_group!(benches, whole, detectors, document, screening);
criterion_main!(benches);
