//! Lines as they are read, sure and unsure → which numbers are told, and which lines are read for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::reader::{MOST_LINES, MOST_LINES_IN_PLACE};
use super::*;
use crate::capture::{Capture, Container, MediaType, Metadata, Orientation, Pixels};
use crate::inference::Model;
use crate::reading::{Strip, credit_code, resident_id};
use crate::scene::{Deadline, survey};
use crate::vocabulary::Face;

const PASSPORT: [&str; 2] =
    ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
const VISA: [&str; 2] = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];

/// Two lines of a zone, all characters sure but for some, as line, place and confidence.
fn zone(lines: [&str; 2], unsure: &[(usize, usize, f32)]) -> Attempt {
    let mut reading = Attempt::default();
    for (i, text) in lines.iter().enumerate() {
        let mut line = Line { text: (*text).to_owned(), confidence: vec![0.99; text.len()], at: vec![0.0; text.len()] };
        for (_, at, confidence) in unsure.iter().filter(|(line, ..)| *line == i) {
            line.confidence[*at] = *confidence;
        }
        let rect = PixelRect::new(40, 300 + 40 * i as u32, 560, 20);
        reading.zone.push(rect);
        reading.lines.push((rect, line));
    }
    reading
}

fn code(reading: &Attempt) -> NumberCode {
    reading.zones().iter().map(|(proof, _)| proof.code()).max().unwrap_or(NumberCode::NoneFound)
}

#[test]
fn a_proof_is_not_thrown_away_for_an_unsure_name_or_digit() {
    assert_eq!(code(&zone(PASSPORT, &[])), NumberCode::Consistent);
    for unsure in [(0, 10, 0.3), (1, 11, 0.3), (1, 20, 0.3), (1, 14, 0.5), (1, 43, 0.45)] {
        assert_eq!(code(&zone(PASSPORT, &[unsure])), NumberCode::Consistent, "{unsure:?}");
    }
    // Letters and digits of one weight change places unseen: there the characters must be sure themselves.
    for unsure in [(1, 3, 0.7), (1, 30, 0.7), (1, 14, 0.3)] {
        assert_eq!(code(&zone(PASSPORT, &[unsure])), NumberCode::Unreadable, "{unsure:?}");
    }
}

#[test]
fn without_a_composite_every_character_of_the_number_must_be_sure() {
    assert_eq!(code(&zone(VISA, &[(0, 10, 0.3)])), NumberCode::Consistent);
    assert_eq!(code(&zone(VISA, &[(1, 14, 0.85)])), NumberCode::Unreadable);
}

#[test]
fn prose_is_no_zone_that_was_not_read() {
    let prose = ["THE<<PARTIES<AGREE<THAT<THE<SUM<IS", "PAYABLE<WITHIN<THIRTY<DAYS<AND<THE"];
    assert_eq!(code(&zone(prose, &[])), NumberCode::NoneFound);
    let torn = ["P<1<<11<<<X11<1<<11111<1<<1<11<11", "1<<1<1<1X<11<1<111<11<<1<11<1<1<1"];
    let mut reading = zone(torn, &[]);
    reading.lines.iter_mut().for_each(|(_, line)| line.confidence.fill(0.6));
    assert_eq!(code(&reading), NumberCode::NoneFound);
}

/// Says that every line is blank, and counts them.
#[derive(Debug, Default)]
struct Blank(AtomicUsize);

impl Model for Blank {
    fn run(
        &self,
        input: ndarray::ArrayViewD<'_, f32>,
    ) -> Result<Vec<ndarray::ArrayD<f32>>, crate::inference::InferenceError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let width = input.shape()[3];
        Ok(vec![ndarray::ArrayD::zeros(vec![1, width / 4, 39])])
    }
}

fn with_reader<T>(face: Face, ask: impl Fn(&Reader<'_>) -> T) -> T {
    with_model(Arc::new(Blank::default()), face, ask)
}

fn with_model<T>(model: Arc<Blank>, face: Face, ask: impl Fn(&Reader<'_>) -> T) -> T {
    let pixels = Pixels::new(64, 64, vec![200; 64 * 64], Orientation::Upright).expect("64 by 64 samples");
    let capture = Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default());
    let scene = survey(&capture, Deadline::NEVER);
    let recogniser = Recogniser::new(model);
    ask(&Reader::new(&recogniser, &scene, Some((face, 1.0)), DocumentKind::Other))
}

#[test]
fn a_line_that_comes_again_is_read_once() {
    let luma = image::GrayImage::from_fn(200, 60, |x, y| image::Luma([(x * 7 + y * 13) as u8]));
    let strip = |x| Strip::of(&luma, PixelRect::new(x, 20, 120, 14)).expect("a line");
    let model = Arc::new(Blank::default());
    with_model(Arc::clone(&model), Face::Page, |reader| {
        assert_eq!(reader.text(strip(10)), reader.text(strip(10)));
        reader.text(strip(30));
    });
    assert_eq!(model.0.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_no_number_is_not_told_as_one_that_cannot_be_read() {
    let told = |face, proof: &Proof| with_reader(face, |reader| reader.is_told(proof));
    let today = crate::reading::Date::new(2026, 1, 15).expect("a day");
    let resident = |text| Proof::ResidentId(resident_id::check(text, today));
    assert!(told(Face::PortraitSide, &resident("110105194912310")));
    assert!(
        !told(Face::PortraitSide, &resident("F81B111H04L4010V9W")) && !told(Face::Page, &resident("110105194912310"))
    );
    assert!(told(Face::Page, &resident("11010519491231002X")) && told(Face::Page, &resident("110105194912310021")));
    assert!(!told(Face::Page, &resident("123456789012345678")));
    let code = |text| Proof::CreditCode(credit_code::check(text));
    assert!(told(Face::Licence, &code("91350100M000100Y4")) && told(Face::Licence, &code("91350100M000100Y44")));
    assert!(!told(Face::Page, &code("91350100M000100Y4")) && !told(Face::PassportPage, &code("91350100M000100Y44")));
    assert!(told(Face::Page, &code("91350100M000100Y43")));
}

#[test]
fn lines_are_chosen_by_face_and_place() {
    let line = |x, y, width, height| PixelRect::new(x, y, width, height);
    let wide: Vec<PixelRect> = (0..9).map(|i| line(20, 150 + 18 * i, 500, 12)).collect();
    let (number, code) = (line(220, 340, 330, 22), line(420, 60, 180, 14));
    let boxes: Vec<PixelRect> = wide.iter().copied().chain([number, code]).collect();
    let candidates = |face, boxes: &[PixelRect]| with_reader(face, |reader| reader.candidates(boxes, (640, 400)));
    assert!(candidates(Face::PortraitSide, &boxes).contains(&number));
    assert_eq!(candidates(Face::Licence, &boxes)[0], code);
    assert_eq!(candidates(Face::Page, &boxes).len(), MOST_LINES);
    assert!(candidates(Face::Licence, &boxes).len() <= MOST_LINES_IN_PLACE);
}
