//! The committed samples → corners and numbers, upright, turned and mirrored; and pictures that hold none.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::geometry::{Point, Quad};
use bonafide::inference::EngineChoice;
use bonafide::policy::Decision;
use bonafide::reading::NumberCode;
use bonafide::report::Report;
use bonafide::scene::Deadline;
use bonafide::vocabulary::Face;
use image::{ImageFormat, RgbImage, imageops};
use imageproc::geometric_transformations::{Border, Interpolation, Projection, warp_into};

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
    content: String,
    number: String,
    held: bool,
}

/// The clean originals of cards, portrait side, among the committed samples.
fn cards() -> Vec<Sample> {
    originals().into_iter().filter(|sample| sample.content == "card").collect()
}

/// The clean originals among the committed samples.
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn originals() -> Vec<Sample> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
    let mut table = csv::Reader::from_path(folder.join("labels.csv")).expect("labels");
    let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(|row| row.expect("a row")).collect();
    rows.iter()
        .filter(|row| row["label"] == "original" && row["fault"].is_empty())
        .map(|row| {
            let at = |k: usize, axis: &str| row[&format!("corner{k}_{axis}")].parse().expect("a coordinate");
            Sample {
                picture: image::open(folder.join(&row["path"])).expect("a sample").to_rgb8(),
                corners: Quad([0, 1, 2, 3].map(|k| Point::new(at(k, "x"), at(k, "y")))),
                content: row["content"].clone(),
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
    assert!(cards.iter().filter(|card| !card.held).count() >= 2);
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
fn a_card_cut_out_along_its_border_is_read_though_it_has_none() {
    let checker = checker();
    for card in cards().iter().filter(|card| !card.held) {
        let ends = [(0.0, 0.0), (1027.0, 0.0), (1027.0, 648.0), (0.0, 648.0)];
        let map = Projection::from_control_points(card.corners.0.map(|p| (p.x, p.y)), ends).expect("a rectangle");
        let mut cut = RgbImage::new(1027, 648);
        let grey = Border::Constant(image::Rgb([128, 128, 128]));
        warp_into(&card.picture, map, Interpolation::Bilinear, grey, &mut cut);
        let report = check(&checker, &cut);
        assert!(report.document.expect("a document").fills_frame);
        assert_eq!(report.legible, Some(true));
        assert_eq!(report.number.map(|n| n.text).as_deref(), Some(card.number.as_str()));
    }
}

#[test]
fn a_picture_without_a_document_is_sent_back_and_never_called_legible() {
    let wall =
        RgbImage::from_fn(1200, 900, |x, y| image::Rgb([150, 140, 120].map(|v| v + ((x / 7 + y / 5) % 9) as u8)));
    let report = check(&checker(), &wall);
    assert_eq!((report.document, report.legible), (None, None));
    assert!(report.reasons.iter().any(|reason| reason.code == "no_document"));
}

/// Part of a page with a ruled grid that goes on beyond the picture, and three digits of seven strokes in it.
fn grid_with_digits() -> RgbImage {
    const CELL: u32 = 300;
    const TALL: u32 = 120;
    let digit = |column: u32, row: u32| match (column, row) {
        (1, 0) => "abgcd",
        (3, 2) => "afgedc",
        (0, 3) => "abcdfg",
        _ => "",
    };
    let ink = |x: u32, y: u32| {
        let (at_x, at_y) = ((x + 40) % CELL, (y + 40) % CELL);
        let strokes = digit((x + 40) / CELL, (y + 40) / CELL);
        let (u, v) = (at_x.wrapping_sub(CELL * 3 / 8), at_y.wrapping_sub(CELL * 2 / 7));
        let (wide, thick) = (TALL * 11 / 20, TALL / 8);
        let (left, right, above) = (u < thick, u >= wide - thick, v < TALL / 2);
        let stroke = |name: char| match name {
            'a' => v < thick,
            'b' => right && above,
            'c' => right && !above,
            'd' => v >= TALL - thick,
            'e' => left && !above,
            'f' => left && above,
            _ => v.abs_diff(TALL / 2) <= thick / 2,
        };
        at_x < 5 || at_y < 5 || (u < wide && v < TALL && strokes.chars().any(stroke))
    };
    RgbImage::from_fn(1100, 1375, |x, y| {
        let rough = ((x * 7919 + y * 104_729 + x * y % 31 * 53) % 7) as f32 - 3.0;
        let luma = rough + if ink(x, y) { 58.0 } else { 200.0 };
        let (red, blue) = (4.0 + 8.0 * (x as f32 / 60.0).sin(), -12.0 - 10.0 * (y as f32 / 80.0).cos());
        image::Rgb([luma + red, luma, luma + blue].map(|v| v as u8))
    })
}

#[test]
fn a_few_large_digits_that_fill_the_picture_are_a_document_without_a_border() {
    let report = check(&checker(), &grid_with_digits());
    let told: Vec<&str> = report.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((report.decision, told), (Decision::Accept, Vec::new()));
}

#[test]
fn documents_and_sides_are_told_apart_whichever_way_up() {
    let checker = checker();
    let mut known = 0;
    for sample in originals() {
        let wanted = match sample.content.as_str() {
            "card" => Face::PortraitSide,
            "reverse" => Face::EmblemSide,
            "passport" => Face::PassportPage,
            _ => Face::Licence,
        };
        let turned = imageops::rotate90(&sample.picture);
        for (picture, degrees) in [(&sample.picture, 0), (&turned, 90)] {
            let document = check(&checker, picture).document.expect("a document");
            let face = document.face.expect("the network looked");
            assert_eq!(face.kind, wanted, "{}", sample.content);
            // Where it is not sure how the document lies it says so.
            assert!(face.turned_deg.is_none_or(|said| said == degrees), "{}: {:?}", sample.content, face.turned_deg);
            known += usize::from(face.turned_deg.is_some());
        }
    }
    assert!(known >= 10, "{known}");
}

#[test]
fn a_gate_that_asks_for_one_side_has_the_other_taken_again() {
    let options = |expect| Options { engine: EngineChoice::Embedded, expect: Some(expect), ..Options::default() };
    let card = cards().into_iter().find(|card| !card.held).expect("a card");
    for (face, refused) in [(Face::EmblemSide, true), (Face::PortraitSide, false)] {
        let report = check(&Checker::new(&options(face)).expect("a checker"), &card.picture);
        let told = report.reasons.iter().any(|reason| reason.code == "unexpected_document");
        assert_eq!(told, refused);
        assert!(report.policy_id.ends_with(face.name()), "{}", report.policy_id);
    }
}

#[test]
fn turning_keeps_the_number_and_a_mirror_image_is_seen_as_one() {
    let checker = checker();
    let card = cards().into_iter().next().expect("a card");
    let (w, h) = (card.picture.width() as f32, card.picture.height() as f32);
    let moved = |f: &dyn Fn(Point) -> Point| Quad(card.corners.0.map(f));
    let cases = [
        (imageops::rotate90(&card.picture), moved(&|p| Point::new(h - p.y, p.x)), false),
        (imageops::rotate180(&card.picture), moved(&|p| Point::new(w - p.x, h - p.y)), false),
        (imageops::rotate270(&card.picture), moved(&|p| Point::new(p.y, w - p.x)), false),
        (imageops::flip_horizontal(&card.picture), moved(&|p| Point::new(w - p.x, p.y)), true),
    ];
    for (i, (picture, corners, mirrored)) in cases.iter().enumerate() {
        let report = check(&checker, picture);
        let document = report.document.expect("a document");
        assert!(miss(&document.corners, corners) < 0.02, "case {i}: {}", miss(&document.corners, corners));
        let text = report.number.filter(|n| n.code == NumberCode::Consistent).map(|n| n.text);
        assert_eq!(text.as_deref(), Some(card.number.as_str()), "case {i}");
        assert_eq!(report.reasons.iter().any(|reason| reason.code == "mirrored"), *mirrored, "case {i}");
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
