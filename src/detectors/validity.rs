//! The line of a card's or licence's validity → days until its last one, where that was surely read.
//!
//! The bounds below say where this detector looks: they are part of what its readings mean.

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::reading::{Line, Recogniser, Strip, TextReader, Until, Validity, lines, validity};
use crate::scene::{Flat, Scene, Seen};
use crate::vocabulary::Face;
use crate::words::Fact;

pub static READ: Reading =
    Reading::flag("validity.read", "an end of the validity, or that it has none, was surely read");
pub static DAYS_LEFT: Reading =
    Reading::new("validity.days_left", "d", "days from today to the last day printed, below 0 where that has passed");
pub static LONG_TERM: Reading = Reading::flag("validity.long_term", "it is printed to hold without end");
pub static CONFIDENCE: Reading =
    Reading::share("validity.confidence", "confidence of the least sure character of what was read");

/// Where the line of an emblem side stands, in heights of the card: its lowest one.
const CARD_PLACE: std::ops::Range<f32> = 0.74..0.97;
/// Where the term of a licence stands, in heights of it: below the title, above the seal.
const LICENCE_PLACE: std::ops::Range<f32> = 0.25..0.85;
/// About where it stands in the forms of 2014 and 2019: lines near to it are looked at first.
const LICENCE_MIDDLE: f32 = 0.6;
/// Width over height of such a line: ten characters to two days with words before and between them.
const LONG: std::ops::RangeInclusive<f32> = 7.0..=34.0;
/// Gap between a label and what stands behind it, over their height.
const GAP: f32 = 3.5;
/// Lines of one view of a card that may be the one.
const MOST_CARD_LINES: usize = 2;
/// Lines of a licence that the quick reader looks at for a day, 2 ms each at most.
const MOST_LICENCE_LINES: usize = 10;
/// Lines that the slow reader is asked for, 25 ms each.
const MOST_TEXT_LINES: usize = 2;
/// Digits from which a line that holds no validity may be one all the same.
const SOME_DIGITS: usize = 5;
/// Digits of a line with a day in it: all eight, or nearly.
const DAY_DIGITS: usize = 7;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "validity",
        question: "Until when does the document hold, by its own print?",
        readings: &[&READ, &DAYS_LEFT, &LONG_TERM, &CONFIDENCE],
        method: "On the emblem side of a resident card the lowest line, on a licence lines with a day in them, are found by \
                 a small network for digits, and read by a larger one for Chinese print where that does not suffice. A \
                 card's end is believed where it is 1, 5, 10 or 20 years after its beginning to the day, a licence's \
                 where both networks read the same, or it is whole years after. A character needs a confidence of 0.9, on \
                 a card 0.7 in a year and 0.5 in a day and month, which stand twice. The end of a machine-readable zone is a reading of `number`.",
        blind_spots: "Looks at no other face. The term of a licence that is one word in a line of its own is not found. A \
                      misread decade that is sure of itself goes unseen.",
    },
    build: |models| {
        let (digits, text) = (models.get("reader_net"), models.get("text_net"));
        Box::new(ValidityLine { digits: digits.map(Recogniser::new), text: text.map(TextReader::new) })
    },
};

struct ValidityLine {
    digits: Option<Recogniser>,
    text: Option<TextReader>,
}

impl Detector for ValidityLine {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(digits) = &self.digits else { return abstain_without_model("reader_net") };
        let Some(text) = &self.text else { return abstain_without_model("text_net") };
        let (Some((face, _)), Some(flat)) = (scene.seen().map(Seen::face), scene.flat()) else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::ValidityNeedsDocument).into();
        };
        let looking = Looking { scene, digits, text };
        let found = match face {
            Face::EmblemSide => looking.on_card(flat),
            Face::Licence => looking.on_licence(flat),
            _ => return Abstention::new(AbstentionCause::NotApplicable, Fact::ValidityElsewhere).into(),
        };
        told(scene, found)
    }
}

fn told(scene: &Scene<'_>, found: Option<(Validity, PixelRect, Flat)>) -> Outcome {
    let days_left = found.as_ref().and_then(|(validity, ..)| validity.days_left(scene.today()));
    let fact = match (&found, days_left) {
        (None, _) => Fact::ValidityUnread,
        (Some(_), None) => Fact::ValidityLongTerm,
        (Some(_), Some(days)) => Fact::Validity { over: days < 0 },
    };
    let mut evidence = Evidence::told(fact);
    evidence.flag(&READ, found.is_some());
    let Some((validity, line, flat)) = found else { return evidence.into() };
    if let Some(days) = days_left {
        evidence.read(&DAYS_LEFT, f64::from(days));
    }
    evidence.flag(&LONG_TERM, validity.until == Until::LongTerm);
    evidence.read(&CONFIDENCE, f64::from(validity.least));
    evidence.mark(MarkKind::Validity, line.corners().map(|p| flat.to_capture(p)).to_vec(), validity.least);
    evidence.into()
}

/// Reads lines of one scene.
struct Looking<'a> {
    scene: &'a Scene<'a>,
    digits: &'a Recogniser,
    text: &'a TextReader,
}

impl Looking<'_> {
    /// The line at the capture's own resolution where that is more, as `read` reads it; nothing when there is no time left.
    fn line(&self, flat: &Flat, rect: PixelRect, read: impl Fn(&image::GrayImage, PixelRect) -> Line) -> Line {
        if self.scene.deadline().passed() {
            return Line::default();
        }
        match flat.finer(self.scene.capture(), rect) {
            Some((luma, rect)) => read(&luma, rect),
            None => read(&flat.luma, rect),
        }
    }

    fn digits(&self, flat: &Flat, rect: PixelRect) -> Line {
        self.line(flat, rect, |luma, rect| {
            Strip::of(luma, rect).map_or_else(Line::default, |strip| self.digits.read(&strip))
        })
    }

    fn print(&self, flat: &Flat, rect: PixelRect) -> Line {
        self.line(flat, rect, |luma, rect| self.text.read(luma, rect))
    }

    /// The lowest lines of the card, the way up it lies or both: by the quick reader, then by the other.
    fn on_card(&self, flat: &Flat) -> Option<(Validity, PixelRect, Flat)> {
        let today = self.scene.today();
        let mut unread = Vec::new();
        let turned = self.scene.upright().is_none().then(|| flat.turned());
        for view in [Some(flat), turned.as_ref()].into_iter().flatten() {
            let other = if turned.is_some() { lines::boxes(&view.luma) } else { Vec::new() };
            let boxes = if turned.is_some() { &other } else { self.scene.print_boxes() };
            for rect in lowest(boxes, view.luma.dimensions()) {
                let line = self.digits(view, rect);
                if let Some(validity) = validity::of_card(&line, today) {
                    return Some((validity, rect, view.clone()));
                }
                unread.push((digits_of(&line), rect, view));
            }
        }
        unread.retain(|(digits, ..)| *digits >= SOME_DIGITS);
        unread.sort_by_key(|(digits, ..)| std::cmp::Reverse(*digits));
        unread.into_iter().take(MOST_TEXT_LINES).find_map(|(_, rect, view)| {
            validity::of_card(&self.print(view, rect), today).map(|validity| (validity, rect, view.clone()))
        })
    }

    /// Lines of the licence that have a day in them, those with more digits first.
    fn on_licence(&self, flat: &Flat) -> Option<(Validity, PixelRect, Flat)> {
        let rects = middle(self.scene.print_boxes(), flat.luma.dimensions());
        let mut days: Vec<(Line, PixelRect)> = rects
            .into_iter()
            .map(|rect| (self.digits(flat, rect), rect))
            // What stands between the digits of a day may be read as anything.
            .filter(|(line, _)| digits_of(line) >= DAY_DIGITS)
            .collect();
        days.sort_by_key(|(line, _)| std::cmp::Reverse(digits_of(line)));
        days.into_iter().take(MOST_TEXT_LINES).find_map(|(digits, rect)| {
            validity::of_licence(&self.print(flat, rect), &digits).map(|validity| (validity, rect, flat.clone()))
        })
    }
}

fn digits_of(line: &Line) -> usize {
    line.text.bytes().filter(u8::is_ascii_digit).count()
}

/// Lines with a label before them perhaps, long enough, in `place` of the height.
fn long_rows(boxes: &[PixelRect], height: u32, place: std::ops::Range<f32>) -> Vec<PixelRect> {
    let inside = |rect: &PixelRect| place.contains(&(rect.centre().y / height as f32));
    let boxes: Vec<PixelRect> = boxes.iter().copied().filter(inside).collect();
    let long = |rect: &PixelRect| LONG.contains(&(rect.width as f32 / rect.height as f32));
    lines::rows(&boxes, GAP).into_iter().filter(long).collect()
}

fn lowest(boxes: &[PixelRect], (_, height): (u32, u32)) -> Vec<PixelRect> {
    let mut rows = long_rows(boxes, height, CARD_PLACE);
    rows.sort_by_key(|rect| std::cmp::Reverse(rect.y));
    rows.truncate(MOST_CARD_LINES);
    rows
}

fn middle(boxes: &[PixelRect], (_, height): (u32, u32)) -> Vec<PixelRect> {
    let mut rows = long_rows(boxes, height, LICENCE_PLACE);
    let off = |rect: &PixelRect| (rect.centre().y / height as f32 - LICENCE_MIDDLE).abs();
    rows.sort_by(|a, b| off(a).total_cmp(&off(b)));
    rows.truncate(MOST_LICENCE_LINES);
    rows
}
