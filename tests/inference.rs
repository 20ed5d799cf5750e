//! Shipped models → the same outputs from every engine.
//!
//! `BONAFIDE_REQUIRE_ONNXRUNTIME=1` turns a missing ONNX Runtime from a skip into a failure.

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::inference::{EngineChoice, ModelSource, Models};
use bonafide::scene::Deadline;
use image::{ImageFormat, RgbImage};
use ndarray::Array4;

/// Waves and edges: enough to excite every layer.
fn pattern(n: usize, side: usize) -> Array4<f32> {
    Array4::from_shape_fn((n, 3, side, side), |(i, c, y, x)| {
        let wave = ((x * (3 + i) + y * (2 + c)) as f32 / 7.0).sin();
        if (x / 16 + y / 16) % 2 == 0 { 127.0 + 100.0 * wave } else { 90.0 + 40.0 * wave }
    })
}

#[test]
fn both_engines_agree_to_1e_4() {
    let embedded =
        Models::load(&ModelSource::Shipped, EngineChoice::Embedded).expect("the embedded engine is always there");
    let runtime = match Models::load(&ModelSource::Shipped, EngineChoice::OnnxRuntime) {
        Ok(models) => models,
        Err(error) => {
            assert!(std::env::var_os("BONAFIDE_REQUIRE_ONNXRUNTIME").is_none(), "{error}");
            return;
        }
    };
    for (id, input) in
        [("texture_net", pattern(6, 128)), ("texture_net", pattern(1, 128)), ("scene_net", pattern(1, 192))]
    {
        let run = |models: &Models| models.get(id).expect(id).run(input.view().into_dyn()).expect(id);
        let (a, b) = (run(&embedded), run(&runtime));
        assert!(!a.is_empty() && a.len() == b.len());
        for (x, y) in a.iter().zip(&b) {
            assert_eq!(x.shape(), y.shape());
            for (x, y) in x.iter().zip(y) {
                assert!((x - y).abs() <= 1e-4 * (1.0 + x.abs()), "{id}: {x} against {y}");
            }
        }
    }
}

#[test]
fn the_embedded_engine_gives_a_verdict_from_bytes() {
    let checker = Checker::new(&Options { engine: EngineChoice::Embedded, ..Options::default() }).expect("shipped");
    let picture =
        RgbImage::from_fn(640, 480, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, ((x + y) % 256) as u8]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("encoded");
    let upload = Upload { bytes: bytes.get_ref(), name: Some("pattern.png") };
    let report = checker.check(&upload, Deadline::NEVER).expect("examined");
    assert!(report.scores.screen.is_some_and(|s| (0.0..=1.0).contains(&s)));
    assert_eq!((report.width, report.height, report.models.len()), (640, 480, 9));
}
