//! The document's lines of print → the number that proves it can be read: resident number, MRZ, credit code.

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::geometry::{PixelRect, Point};
#[cfg(feature = "qr")]
use crate::reading::QrMatch;
use crate::reading::{Date, Fault, Line, NumberCode, Proof, Recogniser, credit_code, lines, mrz, resident_id};
use crate::scene::{DocumentKind, Flat, Scene};

/// Lines that are read, the widest first: an MRZ has three, a card's number is among its widest lines.
const MOST_LINES: usize = 4;
/// Least width over height of a line of 18 characters, even in a narrow face.
const LONG: u32 = 8;
/// Characters below which a zone's line is not tried as one of an MRZ.
const MRZ_LEAST: usize = 28;
/// Confidence of a character that counts as read.
const SURE: f32 = 0.9;
/// Confidence that every character of a number needs before its checks mean anything: of 20,000 made-up numbers whose
/// checks fail, half of them hardly legible, none was then misread into one that holds (models/README.md, `reader_net`).
const TRUSTED: f32 = 0.9;
/// The same for a machine-readable zone, whose several check digits cover one another: of 10,000 lines, half of them
/// hardly legible, one was misread into another that holds.
const TRUSTED_ZONE: f32 = 0.8;

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "number",
        question: "Can the document's number be read, and does it hold together?",
        readings: &[
            ReadingInfo { id: "number.lines_count", unit: "count", meaning: "lines of print that were read" },
            ReadingInfo {
                id: "number.confidence",
                unit: "share",
                meaning: "mean confidence of the characters of the number, or of the surest line without one",
            },
            ReadingInfo {
                id: "number.least_confidence",
                unit: "share",
                meaning: "confidence of the least sure character of the number",
            },
            ReadingInfo { id: "number.height_px", unit: "px", meaning: "height of the number's line in the capture" },
            ReadingInfo { id: "number.consistent", unit: "0 or 1", meaning: "every check of the number holds" },
            ReadingInfo { id: "number.illegal", unit: "0 or 1", meaning: "the form is right and a check fails" },
            ReadingInfo { id: "number.lower_case_x", unit: "0 or 1", meaning: "the check character is a small x" },
            ReadingInfo {
                id: "number.matches_qr",
                unit: "0 or 1",
                meaning: "a QR code beside it says the same credit code, or another",
            },
            ReadingInfo { id: "number.upside_down", unit: "0 or 1", meaning: "it reads when turned by 180°" },
            ReadingInfo { id: "number.mirrored", unit: "0 or 1", meaning: "it reads in the mirror" },
        ],
        method: "The document is seen straight on; ink darker than its surround is smeared to lines; the widest are \
                 read by a small convolutional network with CTC decoding, and checked: GB 11643 with ISO 7064 MOD \
                 11-2, ICAO 9303 check digits, GB 32100. Nothing is corrected; a number with a character below 0.9 of \
                 confidence (0.8 in a zone) counts as not read. Numbers are shown masked.",
        blind_spots: "Reads OCR-B and like faces, not handwriting. A wrong document border gives no lines. A number in \
                      small print needs about 12 px of height.",
    },
    build: |models| Box::new(Number(models.get("reader_net").map(Recogniser::new))),
};

struct Number(Option<Recogniser>);

/// What came of reading a document one way up.
struct Reading {
    lines: Vec<(PixelRect, Line)>,
    proof: Option<Proof>,
    /// Lines that the proof stands in, or the surest.
    at: Vec<usize>,
}

impl Detector for Number {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(recogniser) = &self.0 else { return abstain_without_model("reader_net") };
        let (Some(flat), Some(document)) = (scene.flat(), scene.subject()) else {
            return Abstention::new(
                AbstentionCause::NoDocument,
                "No document was found, so no number was looked for.",
                "未找到证件，未读取号码。",
            )
            .into();
        };
        let (kind, today) = (document.kind, scene.today());
        let upright = read(recogniser, flat, scene.print_lines(), kind, today);
        if upright.code().holds() || upright.lines.is_empty() {
            return told(&upright, scene, flat, None);
        }
        // Digits read upside down are digits too: only a number that holds says which way is up.
        if scene.upright().is_none() {
            let turned = flat.turned();
            let other = read(recogniser, &turned, &lines::find(&turned.luma), kind, today);
            if (other.code(), other.sure()) > (upright.code(), upright.sure()) {
                return told(&other, scene, &turned, Some("number.upside_down"));
            }
        }
        let mirrored = flat.mirrored();
        let other = read(recogniser, &mirrored, &lines::find(&mirrored.luma), kind, today);
        if other.code().holds() {
            return told(&other, scene, &mirrored, Some("number.mirrored"));
        }
        told(&upright, scene, flat, None)
    }
}

impl Reading {
    fn code(&self) -> NumberCode {
        self.proof.as_ref().map_or(NumberCode::NoneFound, Proof::code)
    }

    /// Looks for the proof among the lines; of equals the last counts.
    fn judge(&mut self, kind: DocumentKind, today: Date) {
        let surest = (0..self.lines.len()).max_by_key(|i| sure(&self.lines[*i].1));
        (self.proof, self.at) = (None, surest.into_iter().collect());
        if let Some((proof, at)) = proofs(&self.lines, kind, today).into_iter().max_by_key(|(proof, _)| proof.code()) {
            let enough = if matches!(proof, Proof::Mrz(_)) { TRUSTED_ZONE } else { TRUSTED };
            (self.proof, self.at) = (Some(proof), at);
            if self.least().is_none_or(|least| least < enough) {
                self.proof = self.proof.take().map(Proof::doubted);
            }
        }
    }

    /// Characters read for sure.
    fn sure(&self) -> usize {
        self.lines.iter().map(|(_, line)| sure(line)).sum()
    }

    /// Confidence of the least sure character of the proof, or of the surest line.
    fn least(&self) -> Option<f32> {
        let number = self.proof.as_ref().map_or_else(String::new, Proof::revealed);
        self.at.iter().map(|i| self.lines[*i].1.least(&number)).reduce(f32::min)
    }
}

fn sure(line: &Line) -> usize {
    line.text.chars().zip(&line.confidence).filter(|(c, confidence)| *c != ' ' && **confidence > SURE).count()
}

/// Lines long enough for a number, the widest first.
fn candidates(found: &[PixelRect]) -> impl Iterator<Item = PixelRect> {
    found.iter().copied().filter(|line| line.width >= LONG * line.height).take(MOST_LINES)
}

fn read(recogniser: &Recogniser, flat: &Flat, found: &[PixelRect], kind: DocumentKind, today: Date) -> Reading {
    let mut reading = Reading { lines: Vec::new(), proof: None, at: Vec::new() };
    for rect in candidates(found) {
        reading.lines.push((rect, recogniser.read(&flat.luma, rect)));
        reading.lines.sort_by_key(|(rect, _)| rect.y);
        reading.judge(kind, today);
        // One number is enough; that of a zone is none before all of its lines are read.
        if reading.code().holds() {
            break;
        }
    }
    reading
}

/// The numbers that may stand in the lines, and the lines they stand in; the likelier kind comes later.
fn proofs(read: &[(PixelRect, Line)], kind: DocumentKind, today: Date) -> Vec<(Proof, Vec<usize>)> {
    let mut found: Vec<(Proof, Vec<usize>)> = Vec::new();
    for (i, (_, line)) in read.iter().enumerate() {
        // The recogniser does not tell O from 0 and I from 1, and neither number has those letters.
        let text = line.text.replace('O', "0").replace('I', "1");
        let resident = resident_id::find(&text, today);
        // A date and a province where a resident number has them are no chance.
        let certain = resident.code >= NumberCode::Illegal && resident.faults.iter().all(|f| *f == Fault::Check);
        let resident = (Proof::ResidentId(resident), vec![i]);
        if certain || kind == DocumentKind::Card {
            found.push(resident);
        } else {
            found.extend([resident, (Proof::CreditCode(credit_code::find(&text)), vec![i])]);
        }
    }
    let zone: Vec<usize> = (0..read.len()).filter(|i| read[*i].1.text.len() >= MRZ_LEAST).collect();
    for count in [2, 3] {
        if zone.len() >= count {
            let last = zone[zone.len() - count..].to_vec();
            let texts: Vec<&str> = last.iter().map(|i| read[*i].1.text.as_str()).collect();
            found.push((Proof::Mrz(mrz::read(&texts)), last));
        }
    }
    found.retain(|(proof, _)| proof.code() > NumberCode::NoneFound);
    found
}

/// 1 where a QR code says the same credit code, 0 where it says another; nothing where there is none to compare.
#[cfg(feature = "qr")]
fn matches_qr(proof: Option<&Proof>, scene: &Scene<'_>) -> Option<f64> {
    let Some(Proof::CreditCode(number)) = proof else { return None };
    if !number.code.holds() {
        return None;
    }
    let contents = scene.codes().iter().filter_map(|code| code.content.as_deref());
    let said: Vec<QrMatch> = contents.filter_map(|content| number.matches_qr(content)).collect();
    if said.contains(&QrMatch::Same) { Some(1.0) } else { said.contains(&QrMatch::Different).then_some(0.0) }
}

/// Without a search for QR codes there is nothing to compare.
#[cfg(not(feature = "qr"))]
const fn matches_qr(_: Option<&Proof>, _: &Scene<'_>) -> Option<f64> {
    None
}

fn told(reading: &Reading, scene: &Scene<'_>, flat: &Flat, found: Option<&str>) -> Outcome {
    let code = reading.code();
    let (en, zh) = match code {
        NumberCode::NoneFound => ("No number was found in the document's print.", "未在证件文字中找到号码。"),
        NumberCode::Unreadable => ("A number was found but not read whole.", "找到号码，但未能完整读取。"),
        NumberCode::Illegal => ("A number was read whose checks fail.", "读取到的号码未通过校验。"),
        NumberCode::Consistent => ("The number was read and its checks hold.", "已读取号码，校验通过。"),
        NumberCode::LowerCaseX => {
            ("The number was read and its checks hold, but it ends in a small x.", "号码校验通过，但末位为小写 x。")
        }
    };
    let mut evidence = Evidence::told(Sentence::new(en, zh));
    evidence.read("number.lines_count", reading.lines.len() as f64);
    evidence.flag("number.consistent", code.holds());
    evidence.flag("number.illegal", code == NumberCode::Illegal);
    evidence.flag("number.lower_case_x", code == NumberCode::LowerCaseX);
    for id in ["number.upside_down", "number.mirrored"] {
        evidence.flag(id, found == Some(id));
    }
    if let Some(same) = matches_qr(reading.proof.as_ref(), scene) {
        evidence.read("number.matches_qr", same);
    }
    let read: Vec<&(PixelRect, Line)> = reading.at.iter().map(|i| &reading.lines[*i]).collect();
    let confidence: Vec<f32> = read.iter().flat_map(|(_, line)| line.confidence.iter().copied()).collect();
    if let (Some(least), false) = (reading.least(), confidence.is_empty()) {
        let mean = confidence.iter().sum::<f32>() / confidence.len() as f32;
        evidence.read("number.confidence", f64::from(mean));
        evidence.read("number.least_confidence", f64::from(least));
        evidence.read("number.height_px", f64::from(read[0].0.height as f32 * flat.scale));
        if code > NumberCode::NoneFound {
            for (rect, _) in read {
                let corners: Vec<Point> = rect.corners().map(|p| flat.to_capture(p)).to_vec();
                evidence.mark(MarkKind::Number, corners, mean);
            }
        }
    }
    evidence.number.clone_from(&reading.proof);
    evidence.into()
}
