//! The document's lines of print → the number that proves it can be read: resident number, MRZ, credit code.

mod attempt;
mod reader;
#[cfg(test)]
mod tests;

use attempt::Attempt;
use reader::Reader;

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{PixelRect, Point};
#[cfg(feature = "qr")]
use crate::reading::QrMatch;
use crate::reading::{Date, Line, NumberCode, Proof, Recogniser, TextReader, lines, validity};
use crate::scene::{Flat, Scene, Seen};
use crate::vocabulary::DocumentKind;
use crate::words::Fact;

pub static LINES_COUNT: Reading = Reading::count("number.lines_count", "lines of print that were read");
pub static CONFIDENCE: Reading = Reading::share(
    "number.confidence",
    "mean confidence of the characters of the number, or of the surest line without one",
);
pub static LEAST_CONFIDENCE: Reading =
    Reading::share("number.least_confidence", "confidence of the least sure character of the number");
pub static HEIGHT_PX: Reading = Reading::new("number.height_px", "px", "height of the number's line in the capture");
pub static CONSISTENT: Reading = Reading::flag("number.consistent", "every check of the number holds");
pub static ILLEGAL: Reading = Reading::flag("number.illegal", "the form is right and a check fails");
pub static LOWER_CASE_X: Reading = Reading::flag("number.lower_case_x", "the check character is a small x");
pub static MATCHES_QR: Reading =
    Reading::flag("number.matches_qr", "a QR code beside it says the same credit code, or another");
pub static UPSIDE_DOWN: Reading = Reading::flag("number.upside_down", "it reads when turned by 180°");
pub static MIRRORED: Reading = Reading::flag("number.mirrored", "it reads in the mirror");
pub static EXPECTED_UNREAD: Reading = Reading::flag(
    "number.expected_unread",
    "a resident number or credit code stands in its place, sharp, and part of it cannot be read",
);
pub static DAYS_LEFT: Reading = Reading::new(
    "number.days_left",
    "d",
    "days from today to the date of expiry in a machine-readable zone whose checks hold, below 0 where that has passed",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "number",
        question: "Can the document's number be read, and does it hold together?",
        readings: &[
            &LINES_COUNT,
            &CONFIDENCE,
            &LEAST_CONFIDENCE,
            &HEIGHT_PX,
            &CONSISTENT,
            &ILLEGAL,
            &LOWER_CASE_X,
            &MATCHES_QR,
            &UPSIDE_DOWN,
            &MIRRORED,
            &EXPECTED_UNREAD,
            &DAYS_LEFT,
        ],
        method: "The document is seen straight on; ink darker than its surround is smeared to lines; those that stand \
                 where the face bears its number, and pairs and triples equally long, are read by a small \
                 convolutional network with CTC decoding, and checked: GB 11643 with ISO 7064 MOD 11-2, ICAO 9303 \
                 check digits, GB 32100. A zone is looked for in the whole picture and turned by quarters too. Nothing \
                 is corrected; a number with a character below 0.9 of confidence (in a zone 0.8, or 0.4 for digits \
                 that all its check digits prove) counts as not read. Where a face that bears a number shows none that holds, a \
                 larger network for Chinese print reads its likeliest lines. Numbers are shown masked.",
        blind_spots: "Reads OCR-B and like faces, not handwriting. A wrong document border gives no lines. A number in \
                      small print needs about 12 px of height.",
    },
    build: |models| {
        let (digits, text) = (models.get("reader_net"), models.get("text_net"));
        Box::new(Number { digits: digits.map(Recogniser::new), text: text.map(TextReader::new) })
    },
};

struct Number {
    digits: Option<Recogniser>,
    /// For lines that the other could not read.
    text: Option<TextReader>,
}

impl Detector for Number {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(recogniser) = &self.digits else { return abstain_without_model("reader_net") };
        let kind = scene.subject().map_or(DocumentKind::Other, |document| document.kind);
        let face = scene.seen().map(Seen::face);
        let reader = Reader::new(recogniser, scene, face, kind);
        let Some(flat) = scene.flat() else {
            return match reader.zone_in_picture() {
                Some((reading, view)) => told(&reading, scene, &view, None, None),
                None => Abstention::new(AbstentionCause::NoDocument, Fact::NumberNeedsDocument).into(),
            };
        };
        let upright = reader.read(flat, scene.print_boxes());
        if upright.code().holds() {
            return told(&upright, scene, flat, None, None);
        }
        // Digits read upside down are digits too: only a number that holds says which way is up.
        let turned = (scene.upright().is_none() && !upright.lines.is_empty()).then(|| {
            let turned = flat.turned();
            let boxes = lines::boxes(&turned.luma);
            (reader.read(&turned, &boxes), turned, boxes)
        });
        let turned = turned.filter(|(other, ..)| (other.code(), other.sure()) > (upright.code(), upright.sure()));
        if let Some((other, turned, _)) = &turned
            && other.code().holds()
        {
            return told(other, scene, turned, Some(&UPSIDE_DOWN), None);
        }
        if turned.is_none()
            && let Some((other, view)) = reader.elsewhere(flat, !upright.zone.is_empty())
            && other.code() > upright.code()
        {
            return match self.again(&reader, &other, &view) {
                Some(again) => told(&again, scene, &view, None, None),
                None => told(&other, scene, &view, None, None),
            };
        }
        let (found, view, boxes, way) = match &turned {
            Some((other, turned, boxes)) => (other, turned, boxes.as_slice(), Some(&UPSIDE_DOWN)),
            None => (&upright, flat, scene.print_boxes(), None),
        };
        if let Some(again) = self.again(&reader, found, view) {
            return told(&again, scene, view, way, None);
        }
        if turned.is_none() && reader.may_be_mirrored() && !upright.lines.is_empty() {
            let mirrored = flat.mirrored();
            let other = reader.read(&mirrored, &lines::boxes(&mirrored.luma));
            if other.code().holds() {
                return told(&other, scene, &mirrored, Some(&MIRRORED), None);
            }
        }
        let unread = reader.unread(view, boxes, found);
        told(found, scene, view, way, unread.as_deref())
    }
}

impl Number {
    /// What the reader of Chinese print makes of the lines in which the other one did not read a number that holds.
    fn again(&self, reader: &Reader<'_>, found: &Attempt, view: &Flat) -> Option<Attempt> {
        if found.code().holds() { None } else { reader.again(self.text.as_ref()?, found, view) }
    }
}

/// 1 where a QR code says the same credit code, 0 where it says another; nothing where there is none to compare.
#[cfg(feature = "qr")]
fn matches_qr(proof: Option<&Proof>, scene: &Scene<'_>) -> Option<f64> {
    let Some(Proof::CreditCode(number)) = proof else { return None };
    if !number.code.holds() {
        return None;
    }
    let contents = scene.codes().found.iter().filter_map(|code| code.content.as_deref());
    let said: Vec<QrMatch> = contents.filter_map(|content| number.matches_qr(content)).collect();
    if said.contains(&QrMatch::Same) { Some(1.0) } else { said.contains(&QrMatch::Different).then_some(0.0) }
}

/// Without a search for QR codes there is nothing to compare.
#[cfg(not(feature = "qr"))]
const fn matches_qr(_: Option<&Proof>, _: &Scene<'_>) -> Option<f64> {
    None
}

/// Days to the expiry that a zone gives, where its check digits prove it.
fn days_left(proof: Option<&Proof>, today: Date) -> Option<i32> {
    let Some(Proof::Mrz(zone)) = proof.filter(|proof| proof.code().holds()) else { return None };
    validity::days_between(today, zone.fields(today)?.expiry?)
}

fn told(
    reading: &Attempt,
    scene: &Scene<'_>,
    flat: &Flat,
    found: Option<&Reading>,
    unread: Option<&[PixelRect]>,
) -> Outcome {
    let code = reading.code();
    let mut evidence = Evidence::told(Fact::Number { code });
    evidence.read(&LINES_COUNT, reading.lines.len() as f64);
    evidence.flag(&CONSISTENT, code.holds());
    evidence.flag(&ILLEGAL, code == NumberCode::Illegal);
    evidence.flag(&LOWER_CASE_X, code == NumberCode::LowerCaseX);
    for way in [&UPSIDE_DOWN, &MIRRORED] {
        evidence.flag(way, found == Some(way));
    }
    if let Some(unread) = unread {
        evidence.flag(&EXPECTED_UNREAD, !unread.is_empty());
        for line in unread {
            evidence.mark(MarkKind::Number, line.corners().map(|p| flat.to_capture(p)).to_vec(), 1.0);
        }
    }
    if let Some(days) = days_left(reading.proof.as_ref(), scene.today()) {
        evidence.read(&DAYS_LEFT, f64::from(days));
    }
    if let Some(same) = matches_qr(reading.proof.as_ref(), scene) {
        evidence.read(&MATCHES_QR, same);
    }
    let read: Vec<&(PixelRect, Line)> = reading.at.iter().map(|i| &reading.lines[*i]).collect();
    let empty = read.iter().all(|(_, line)| line.confidence.is_empty());
    if let (Some(least), false) = (reading.least(), empty) {
        let mean = reading.mean(&reading.at);
        evidence.read(&CONFIDENCE, f64::from(mean));
        evidence.read(&LEAST_CONFIDENCE, f64::from(least));
        evidence.read(&HEIGHT_PX, f64::from(read[0].0.height as f32 * flat.scale));
        if code > NumberCode::NoneFound && unread.is_none_or(<[PixelRect]>::is_empty) {
            for (rect, _) in read {
                let corners: Vec<Point> = rect.corners().map(|p| flat.to_capture(p)).to_vec();
                evidence.mark(MarkKind::Number, corners, mean);
            }
        }
    }
    evidence.number.clone_from(&reading.proof);
    evidence.into()
}
