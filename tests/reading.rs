//! The committed samples → corners and numbers, upright, turned and mirrored; and pictures that hold none.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::geometry::{Point, Quad};
use bonafide::inference::EngineChoice;
use bonafide::reading::NumberCode;
use bonafide::report::Report;
use bonafide::scene::Deadline;
use image::{ImageFormat, RgbImage, imageops};

fn checker() -> Checker {
    let options = Options { engine: EngineChoice::Embedded, reveal: true, ..Options::default() };
    Checker::new(&options).expect("the shipped models and policy")
}

fn check(checker: &Checker, picture: &RgbImage) -> Report {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("encoded");
    checker.check(&Upload { bytes: bytes.get_ref(), name: None }, Deadline::NEVER).expect("examined")
}

struct Sample {
    picture: RgbImage,
    corners: Quad,
    number: String,
    held: bool,
}

/// The clean originals of cards among the committed samples.
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn cards() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
    let mut table = csv::Reader::from_path(folder.join("labels.csv")).expect("labels");
    let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(|row| row.expect("a row")).collect();
    rows.iter()
        .filter(|row| row["label"] == "original" && row["content"] == "card" && row["fault"].is_empty())
        .map(|row| {
            let at = |k: usize, axis: &str| row[&format!("corner{k}_{axis}")].parse().expect("a coordinate");
            Sample {
                picture: image::open(folder.join(&row["path"])).expect("a sample").to_rgb8(),
                corners: Quad([0, 1, 2, 3].map(|k| Point::new(at(k, "x"), at(k, "y")))),
                number: row["number"].clone(),
                held: row["hand_mm"] != "0.0",
            }
        })
        .collect()
}

/// Largest distance of a corner of `found` to the nearest of `wanted`, as a share of the latter's long side.
fn miss(found: &Quad, wanted: &Quad) -> f32 {
    let nearest = |p: &Point| wanted.0.iter().map(|w| w.distance(*p)).fold(f32::MAX, f32::min);
    found.0.iter().map(nearest).fold(0.0, f32::max) / wanted.sides().into_iter().fold(0.0, f32::max)
}

#[test]
fn corners_and_numbers_of_the_samples_are_found() {
    let (checker, cards) = (checker(), cards());
    assert!(cards.iter().filter(|card| !card.held).count() >= 3);
    for card in &cards {
        let report = check(&checker, &card.picture);
        let number = report.number.filter(|n| n.code == NumberCode::Consistent).map(|n| n.text);
        // A number that is reported to hold is the one that is printed; a thumb may lie over it.
        assert!(number.as_ref().is_none_or(|n| *n == card.number), "{number:?} against {}", card.number);
        if !card.held {
            assert_eq!(number.as_deref(), Some(card.number.as_str()));
            let document = report.document.expect("a document");
            assert!(miss(&document.corners, &card.corners) < 0.02, "{}", miss(&document.corners, &card.corners));
        }
    }
}

#[test]
fn turning_keeps_the_number_and_mirroring_loses_it() {
    let checker = checker();
    let card = cards().into_iter().next().expect("a card");
    let (w, h) = (card.picture.width() as f32, card.picture.height() as f32);
    let moved = |f: &dyn Fn(Point) -> Point| Quad(card.corners.0.map(f));
    let cases = [
        (imageops::rotate90(&card.picture), moved(&|p| Point::new(h - p.y, p.x)), true),
        (imageops::rotate180(&card.picture), moved(&|p| Point::new(w - p.x, h - p.y)), true),
        (imageops::rotate270(&card.picture), moved(&|p| Point::new(p.y, w - p.x)), true),
        (imageops::flip_horizontal(&card.picture), moved(&|p| Point::new(w - p.x, p.y)), false),
    ];
    for (i, (picture, corners, readable)) in cases.iter().enumerate() {
        let report = check(&checker, picture);
        let document = report.document.expect("a document");
        assert!(miss(&document.corners, corners) < 0.02, "case {i}: {}", miss(&document.corners, corners));
        let text = report.number.filter(|n| n.code == NumberCode::Consistent).map(|n| n.text);
        assert_eq!(text.as_deref(), readable.then_some(card.number.as_str()), "case {i}");
    }
}

#[test]
fn nothing_is_read_where_nothing_is_written() {
    let checker = checker();
    let mut state = 7u32;
    let noise = RgbImage::from_fn(640, 480, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8; 3])
    });
    let blank = RgbImage::from_pixel(640, 480, image::Rgb([235; 3]));
    for picture in [noise, blank, RgbImage::new(1200, 64), RgbImage::new(64, 1200)] {
        let number = check(&checker, &picture).number;
        assert!(number.is_none_or(|n| !n.code.holds()));
    }
}
