//! The document's lines of print → the number that proves it can be read: resident number, MRZ, credit code.

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::geometry::{PixelRect, Point};
use crate::reading::{Date, Line, NumberCode, Proof, Recogniser, credit_code, lines, mrz, resident_id};
use crate::scene::{DocumentKind, Flat, Scene};

/// Lines that are read, the widest first: an MRZ has three, a card's number is among its widest lines.
const MOST_LINES: usize = 4;
/// Characters below which a zone's line is not tried as one of an MRZ.
const MRZ_LEAST: usize = 28;
/// Confidence of a character that counts as read.
const SURE: f32 = 0.9;
/// Confidence that every character of a number needs before its checks mean anything: of 20,000 made-up numbers whose
/// checks fail, half of them hardly legible, none was then misread into one that holds (models/README.md, `reader_net`).
const TRUSTED: f32 = 0.9;
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
            ReadingInfo { id: "number.upside_down", unit: "0 or 1", meaning: "it reads when turned by 180°" },
        ],
        method: "The document is seen straight on; ink darker than its surround is smeared to lines; the widest are \
                 read by a small convolutional network with CTC decoding, and checked: GB 11643 with ISO 7064 MOD \
                 11-2, ICAO 9303 check digits, GB 32100. Nothing is corrected; a number with a character below 0.9 of \
                 confidence counts as not read. Numbers are shown masked.",
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
    /// Line that the proof stands in, or the surest.
    best: Option<usize>,
}

impl Detector for Number {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(recogniser) = &self.0 else { return abstain_without_model("reader_net") };
        let (Some(flat), Some(document)) = (scene.flat(), scene.document()) else {
            return Abstention::new(
                AbstentionCause::NoDocument,
                "No document was found, so no number was looked for.",
                "未找到证件，未读取号码。",
            )
            .into();
        };
        let upright = read(recogniser, flat, scene.print_lines(), document.kind, scene.today());
        // Digits read upside down are digits too: only a number that holds says which way is up.
        if upright.code().holds() || upright.lines.is_empty() {
            return told(&upright, flat, false);
        }
        let turned = flat.turned();
        let other = read(recogniser, &turned, &lines::find(&turned.luma), document.kind, scene.today());
        if (other.code(), other.sure()) > (upright.code(), upright.sure()) {
            return told(&other, &turned, true);
        }
        told(&upright, flat, false)
    }
}

impl Reading {
    fn code(&self) -> NumberCode {
        self.proof.as_ref().map_or(NumberCode::NoneFound, Proof::code)
    }

    /// Characters read for sure.
    fn sure(&self) -> usize {
        self.lines.iter().flat_map(|(_, line)| &line.confidence).filter(|c| **c > SURE).count()
    }
}

fn read(recogniser: &Recogniser, flat: &Flat, found: &[PixelRect], kind: DocumentKind, today: Date) -> Reading {
    let mut read: Vec<(PixelRect, Line)> =
        found.iter().take(MOST_LINES).map(|rect| (*rect, recogniser.read(&flat.luma, *rect))).collect();
    read.sort_by_key(|(rect, _)| rect.y);
    let (proof, best) = proof(&read, kind, today);
    let surest = || {
        let sure = |line: &Line| line.confidence.iter().filter(|c| **c > SURE).count();
        (0..read.len()).max_by_key(|i| sure(&read[*i].1))
    };
    let best = best.or_else(surest);
    Reading { lines: read, proof, best }
}

/// The best number among the lines, and the line it stands in.
fn proof(read: &[(PixelRect, Line)], kind: DocumentKind, today: Date) -> (Option<Proof>, Option<usize>) {
    let mut found: Vec<(Proof, usize)> = Vec::new();
    let zone: Vec<usize> = (0..read.len()).filter(|i| read[*i].1.text.len() >= MRZ_LEAST).collect();
    for count in [2, 3] {
        if zone.len() >= count {
            let last = &zone[zone.len() - count..];
            let texts: Vec<&str> = last.iter().map(|i| read[*i].1.text.as_str()).collect();
            found.push((Proof::Mrz(mrz::read(&texts)), last[count - 1]));
        }
    }
    for (i, (_, line)) in read.iter().enumerate() {
        if kind != DocumentKind::Page {
            found.push((Proof::ResidentId(resident_id::find(&line.text, today)), i));
        }
        if kind != DocumentKind::Card {
            found.push((Proof::CreditCode(credit_code::find(&line.text)), i));
        }
    }
    found.retain(|(proof, _)| proof.code() > NumberCode::NoneFound);
    let best = found.into_iter().max_by(|(a, _), (b, _)| a.code().cmp(&b.code()));
    best.map_or((None, None), |(proof, line)| {
        let sure = least(&proof, &read[line].1) >= TRUSTED;
        (Some(if sure { proof } else { proof.doubted() }), Some(line))
    })
}

/// Confidence of the least sure character of the number that stands in `line`.
fn least(proof: &Proof, line: &Line) -> f32 {
    let number = proof.revealed();
    let whole = 0..line.confidence.len();
    line.least(line.text.find(&number).map_or(whole, |at| at..at + number.len()))
}

fn told(reading: &Reading, flat: &Flat, upside_down: bool) -> Outcome {
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
    evidence.flag("number.upside_down", upside_down);
    if let Some((rect, line)) = reading.best.map(|i| &reading.lines[i])
        && !line.confidence.is_empty()
    {
        let mean = line.confidence.iter().sum::<f32>() / line.confidence.len() as f32;
        evidence.read("number.confidence", f64::from(mean));
        let whole = line.least(0..line.confidence.len());
        let least = reading.proof.as_ref().map_or(whole, |proof| least(proof, line));
        evidence.read("number.least_confidence", f64::from(least));
        evidence.read("number.height_px", f64::from(rect.height as f32 * flat.scale));
        if code > NumberCode::NoneFound {
            let corners: Vec<Point> = rect.corners().map(|p| flat.to_capture(p)).to_vec();
            evidence.mark(MarkKind::Number, corners, mean);
        }
    }
    evidence.number.clone_from(&reading.proof);
    evidence.into()
}
