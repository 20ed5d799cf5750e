//! The document's lines of print → the number that proves it can be read: resident number, MRZ, credit code.

use std::cell::Cell;

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, ReadingInfo, Sentence};
use crate::geometry::{PixelRect, Point, Quad};
#[cfg(feature = "qr")]
use crate::reading::QrMatch;
use crate::reading::{
    Fault, Line, Mrz, NumberCode, Proof, Recogniser, ResidentId, credit_code, lines, mrz, place, resident_id,
};
use crate::scene::{DocumentKind, Face, Flat, Scene, Seen};

/// Lines that are read for a number where no place is likelier than another, the widest first.
const MOST_LINES: usize = 4;
/// Lines that are read where the face bears a number in a place of its own.
const MOST_LINES_IN_PLACE: usize = 8;
/// Lines that are read of one document in all: 2 ms each at most.
const MOST_READ: usize = 28;
/// Groups of lines of one view that are tried as a machine-readable zone.
const MOST_ZONES: usize = 3;
/// Share of the picture from which a document is all of it, and nothing beside it is looked for.
const MOST_OF_IT: f32 = 0.8;
/// Long lines across without which print may run down.
const FEW_LINES: usize = 4;
/// Least width over height of a line of 18 characters, even in a narrow face.
const LONG: u32 = 8;
/// Where the number of a portrait side stands: its lower third and a little, as the card of GB 11643 has it.
const NUMBER_FROM: f32 = 0.6;
/// Least width of that number, over the document's: 18 characters of 2.5 mm on 85.6 mm are 0.5.
const NUMBER_WIDE: f32 = 0.3;
/// Where the code of a licence stands: above, beside its title or under it.
const CODE_TO: f32 = 0.6;
/// Digits without which a line of about 18 characters is no resident number read in part, but any code of a card.
const LEAST_DIGITS: usize = 14;
/// Greatest width over height of a line of 18 characters with a label before it.
const CODE_LONG: u32 = 34;
/// Gap between pieces of one number, over their height: five hidden digits leave about this.
const HIDDEN_GAP: f32 = 6.0;
/// Long side in pixels at which a zone's lines, equally long across a TD3 page (7.5 px/mm), are 20 px high.
const ZONE_PX: f32 = 1000.0;
/// Long side of a document below which it is seen larger for its zone: lines of a TD3 page would be 13 px high.
const SMALL_PX: u32 = 650;
/// Long side of a licence in pixels at which its code, 3 to 4 mm high on A3, is 14 px high.
const LICENCE_PX: f32 = 1700.0;
/// How sure the face must be before a number that is not read whole is said to be missing there: the network says 0.72 to
/// 0.94 of simulated cards, and what was read of the number says the rest.
const SURE_FACE: f32 = 0.7;
/// Confidence of a character that counts as read.
const SURE: f32 = 0.9;
/// Confidence that every character of a number needs before its checks mean anything: of 20,000 made-up numbers whose
/// checks fail, half of them hardly legible, none was then misread into one that holds (models/NOTEBOOK.md,
/// `reader_net`).
const TRUSTED: f32 = 0.9;
/// The same for a machine-readable zone where letters may stand, whose several check digits cover one another: of 16,000
/// second lines of passports (`models/train/draw/print.py`, style `HARD`, half of them with a digit changed) one was
/// misread into another that holds, of 4,000 with common damage none. At 0.7 it were eight, and letters for digits of equal
/// weight (S for 8, U for 0, B for 1) nearly all of them.
const TRUSTED_ZONE: f32 = 0.8;
/// The same where digits alone may stand and the composite check digit holds with all others: the same one of 16,000
/// holds wrongly, and 13 % more of the lines that are read right are believed. Names, state and sex are covered by no
/// check digit: nothing is asked of them.
const TRUSTED_DIGIT: f32 = 0.4;
/// Mean confidence from which lines as long as a zone's, that fit no format, are one not read whole: rules, texture and
/// prose read as characters stay below.
const TRUSTED_LINES: f32 = 0.85;

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
            ReadingInfo {
                id: "number.expected_unread",
                unit: "0 or 1",
                meaning: "a resident number or credit code stands in its place, sharp, and part of it cannot be read",
            },
        ],
        method: "The document is seen straight on; ink darker than its surround is smeared to lines; those that stand \
                 where the face bears its number, and pairs and triples equally long, are read by a small \
                 convolutional network with CTC decoding, and checked: GB 11643 with ISO 7064 MOD 11-2, ICAO 9303 \
                 check digits, GB 32100. A zone is looked for in the whole picture and turned by quarters too. Nothing \
                 is corrected; a number with a character below 0.9 of confidence (in a zone 0.8, or 0.4 for digits \
                 that all its check digits prove) counts as not read. Numbers are shown masked.",
        blind_spots: "Reads OCR-B and like faces, not handwriting. A wrong document border gives no lines. A number in \
                      small print needs about 12 px of height.",
    },
    build: |models| Box::new(Number(models.get("reader_net").map(Recogniser::new))),
};

struct Number(Option<Recogniser>);

/// What came of reading a document one way up.
#[derive(Default)]
struct Reading {
    lines: Vec<(PixelRect, Line)>,
    /// Lines, among those that were read, that may be a zone's.
    zone: Vec<PixelRect>,
    proof: Option<Proof>,
    /// Lines that the proof stands in, or the surest.
    at: Vec<usize>,
}

/// Reads lines of one scene, not too many.
struct Reader<'a> {
    recogniser: &'a Recogniser,
    scene: &'a Scene<'a>,
    face: Option<(Face, f32)>,
    kind: DocumentKind,
    left: Cell<usize>,
}

impl Detector for Number {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(recogniser) = &self.0 else { return abstain_without_model("reader_net") };
        let kind = scene.subject().map_or(DocumentKind::Other, |document| document.kind);
        let face = scene.seen().map(Seen::face);
        let reader = Reader { recogniser, scene, face, kind, left: Cell::new(MOST_READ) };
        let Some(flat) = scene.flat() else {
            return match reader.zone_in_picture() {
                Some((reading, view)) => told(&reading, scene, &view, None, None),
                None => Abstention::new(
                    AbstentionCause::NoDocument,
                    "No document was found, so no number was looked for.",
                    "未找到证件，未读取号码。",
                )
                .into(),
            };
        };
        let upright = reader.read(flat, scene.print_boxes());
        if upright.code().holds() {
            return told(&upright, scene, flat, None, None);
        }
        // Digits read upside down are digits too: only a number that holds says which way is up.
        if scene.upright().is_none() && !upright.lines.is_empty() {
            let turned = flat.turned();
            let boxes = lines::boxes(&turned.luma);
            let other = reader.read(&turned, &boxes);
            if (other.code(), other.sure()) > (upright.code(), upright.sure()) {
                let unread = reader.unread(&turned, &boxes, &other);
                return told(&other, scene, &turned, Some("number.upside_down"), unread.as_deref());
            }
        }
        if let Some((other, view)) = reader.elsewhere(flat, !upright.zone.is_empty())
            && other.code() > upright.code()
        {
            return told(&other, scene, &view, None, None);
        }
        if reader.may_be_mirrored() && !upright.lines.is_empty() {
            let mirrored = flat.mirrored();
            let other = reader.read(&mirrored, &lines::boxes(&mirrored.luma));
            if other.code().holds() {
                return told(&other, scene, &mirrored, Some("number.mirrored"), None);
            }
        }
        let unread = reader.unread(flat, scene.print_boxes(), &upright);
        told(&upright, scene, flat, None, unread.as_deref())
    }
}

impl Reading {
    fn code(&self) -> NumberCode {
        self.proof.as_ref().map_or(NumberCode::NoneFound, Proof::code)
    }

    /// Characters read for sure.
    fn sure(&self) -> usize {
        self.lines.iter().map(|(_, line)| sure(line)).sum()
    }

    /// Confidence of the least sure character of the proof, or of the surest line.
    fn least(&self) -> Option<f32> {
        if let Some(Proof::Mrz(zone)) = &self.proof
            && zone.code >= NumberCode::Illegal
        {
            return self.covered(zone, &self.at).into_iter().reduce(f32::min);
        }
        let number = self.proof.as_ref().map_or_else(String::new, Proof::revealed);
        self.at.iter().map(|i| self.lines[*i].1.least(&number)).reduce(f32::min)
    }

    /// Confidence of the least sure of the characters that a zone's check digits cover, where letters may stand and
    /// where digits alone may. `at` are the zone's lines.
    fn covered(&self, zone: &Mrz, at: &[usize]) -> [f32; 2] {
        let width = zone.width().unwrap_or_default();
        let line = |i: &usize| {
            let line = &self.lines[*i].1;
            let read = line.text.chars().zip(&line.confidence).filter(|(c, _)| *c != ' ');
            // Fillers after names may be a few more or less.
            read.map(|(_, confidence)| *confidence).chain(std::iter::repeat(1.0)).take(width).collect::<Vec<_>>()
        };
        let confidence: Vec<f32> = at.iter().flat_map(line).collect();
        let least = |places: &Vec<usize>| {
            places.iter().map(|at| confidence.get(*at).copied().unwrap_or(0.0)).fold(1.0, f32::min)
        };
        zone.covered().each_ref().map(least)
    }

    /// Mean confidence of the characters of the lines `at`.
    fn mean(&self, at: &[usize]) -> f32 {
        let confidence: Vec<f32> = at.iter().flat_map(|i| self.lines[*i].1.confidence.iter().copied()).collect();
        confidence.iter().sum::<f32>() / confidence.len().max(1) as f32
    }

    /// The zones that may stand in the lines, and the lines they stand in.
    fn zones(&self) -> Vec<(Proof, Vec<usize>)> {
        let all: Vec<usize> = (0..self.lines.len()).collect();
        let zone: Vec<usize> = all.iter().copied().filter(|i| self.zone.contains(&self.lines[*i].0)).collect();
        let long: Vec<usize> = all.into_iter().filter(|i| mrz::long(&self.lines[*i].1.text)).collect();
        let mut found: Vec<(Proof, Vec<usize>)> = Vec::new();
        for (at, grouped) in [(long, false), (zone, true)] {
            for count in [2, 3] {
                for at in at.windows(count) {
                    let texts: Vec<&str> = at.iter().map(|i| self.lines[*i].1.text.as_str()).collect();
                    let zone = mrz::read(&texts);
                    let [letters, digits] = self.covered(&zone, at);
                    // Visas have no composite check digit: of 8,000 second lines half legible three hold wrongly at
                    // 0.8, two at 0.9; of 4,000 with common damage none.
                    let (letter, digit) =
                        if zone.proven() { (TRUSTED_ZONE, TRUSTED_DIGIT) } else { (TRUSTED, TRUSTED) };
                    let sure = letters >= letter && digits >= digit;
                    if zone.format.is_none() && self.mean(at) < TRUSTED_LINES {
                        continue;
                    }
                    // Lines that stand together by chance are a zone only if their checks hold.
                    if grouped || (sure && zone.code.holds()) {
                        let proof = Proof::Mrz(zone);
                        found.push((if sure { proof } else { proof.doubted() }, at.to_vec()));
                    }
                }
            }
        }
        found
    }
}

fn sure(line: &Line) -> usize {
    line.text.chars().zip(&line.confidence).filter(|(c, confidence)| *c != ' ' && **confidence > SURE).count()
}

impl Reader<'_> {
    fn is(&self, face: Face) -> bool {
        self.face.is_some_and(|(seen, _)| seen == face)
    }

    /// Whether a resident number may be expected: on the side with the portrait, or on any card where nobody looked.
    fn bears_number(&self) -> bool {
        self.is(Face::PortraitSide) || (self.face.is_none() && self.kind == DocumentKind::Card)
    }

    /// Whether a credit code may be expected.
    fn bears_code(&self) -> bool {
        self.is(Face::Licence) || (self.face.is_none() && self.kind != DocumentKind::Card)
    }

    /// What bears no number of its own is not looked at in the mirror.
    fn may_be_mirrored(&self) -> bool {
        self.face.is_none_or(|(face, _)| matches!(face, Face::PortraitSide | Face::PassportPage | Face::Licence))
    }

    /// Reads `rect`; `fine` at the capture's own resolution where that is more.
    fn line(&self, flat: &Flat, rect: PixelRect, fine: bool) -> Option<Line> {
        let left = self.left.get();
        if left == 0 || self.scene.deadline().passed() {
            return None;
        }
        self.left.set(left - 1);
        let finer = fine.then(|| flat.finer(self.scene.capture(), rect)).flatten();
        Some(match finer {
            Some((luma, rect)) => self.recogniser.read(&luma, rect),
            None => self.recogniser.read(&flat.luma, rect),
        })
    }

    /// Reads `rect` unless it was read; whether it is there now.
    fn add(&self, reading: &mut Reading, flat: &Flat, rect: PixelRect, fine: bool) -> bool {
        if reading.lines.iter().any(|(read, _)| *read == rect) {
            return true;
        }
        let Some(line) = self.line(flat, rect, fine) else { return false };
        reading.lines.push((rect, line));
        reading.lines.sort_by_key(|(rect, _)| rect.y);
        true
    }

    fn read(&self, flat: &Flat, boxes: &[PixelRect]) -> Reading {
        let mut reading = self.zone(flat, boxes);
        self.judge(&mut reading);
        for rect in self.candidates(boxes, flat.luma.dimensions()) {
            // One number is enough.
            if reading.code().holds() || !self.add(&mut reading, flat, rect, self.bears_number() || self.bears_code()) {
                break;
            }
            self.judge(&mut reading);
        }
        reading
    }

    /// Reads lines equally long that may be a zone: all of a group in which one has a zone's length and fillers.
    fn zone(&self, flat: &Flat, boxes: &[PixelRect]) -> Reading {
        let mut reading = Reading::default();
        for group in lines::zones(boxes).into_iter().take(MOST_ZONES) {
            let like = |reading: &mut Reading, rect: &PixelRect| {
                self.add(reading, flat, *rect, false)
                    && reading.lines.iter().any(|(read, line)| read == rect && mrz::like(&line.text))
            };
            if group.iter().take(2).any(|rect| like(&mut reading, rect)) {
                self.zone_of(&mut reading, flat, group);
                break;
            }
        }
        reading
    }

    /// Reads a whole zone: the lines of `group`; where they do not hold with the lines that would stand above and below
    /// two; where these do not with what hangs on above and below each taken off.
    fn zone_of(&self, reading: &mut Reading, flat: &Flat, group: Vec<PixelRect>) {
        let (width, height) = flat.luma.dimensions();
        let inside = |r: &PixelRect| r.x + r.width <= width && r.y + r.height <= height;
        let mut wider = group.clone();
        if let [first, second] = group[..] {
            wider.extend(lines::around(first, second).into_iter().flatten().filter(inside));
        }
        // All lines of a zone begin and end together: what only one has at its ends is not of it.
        let begin = group.iter().map(|line| line.x).max().unwrap_or_default();
        let end = group.iter().map(|line| line.x + line.width).min().unwrap_or_default();
        let tight: Vec<PixelRect> = wider.iter().map(|line| lines::tight(&flat.luma, *line)).collect();
        let within = |line: &PixelRect| PixelRect::new(begin, line.y, end.saturating_sub(begin), line.height);
        let even: Vec<PixelRect> = tight.iter().map(within).collect();
        // Until now they were but looked at.
        reading.lines.retain(|(read, _)| !group.contains(read));
        let mut best = (None, Vec::new());
        for zone in [group, wider, tight, even] {
            for rect in &zone {
                self.add(reading, flat, *rect, true);
            }
            reading.zone.clone_from(&zone);
            let code = reading.zones().iter().map(|(proof, _)| proof.code()).max();
            if code > best.0 {
                best = (code, zone);
            }
            if code.is_some_and(NumberCode::holds) {
                break;
            }
        }
        reading.zone = best.1;
    }

    /// Lines long enough for a number, those in its place first.
    fn candidates(&self, boxes: &[PixelRect], (width, height): (u32, u32)) -> Vec<PixelRect> {
        let (width, height) = (width as f32, height as f32);
        let long: Vec<PixelRect> =
            lines::long(boxes).into_iter().filter(|line| line.width >= LONG * line.height).collect();
        let low =
            |line: &PixelRect| line.centre().y >= NUMBER_FROM * height && line.width as f32 >= NUMBER_WIDE * width;
        let high = |line: &PixelRect| line.centre().y <= CODE_TO * height && line.width <= CODE_LONG * line.height;
        if self.bears_number() {
            let (first, other): (Vec<_>, Vec<_>) = long.into_iter().partition(low);
            return first.into_iter().chain(other).take(MOST_LINES_IN_PLACE).collect();
        }
        if self.is(Face::Licence) {
            let (mut first, other): (Vec<_>, Vec<_>) = long.into_iter().partition(high);
            first.sort_by_key(|line| line.y);
            return first.into_iter().chain(other).take(MOST_LINES_IN_PLACE).collect();
        }
        long.into_iter().take(MOST_LINES).collect()
    }

    /// Looks for the proof among the lines; of equals the last counts.
    fn judge(&self, reading: &mut Reading) {
        let surest = (0..reading.lines.len()).max_by_key(|i| sure(&reading.lines[*i].1));
        (reading.proof, reading.at) = (None, surest.into_iter().collect());
        let numbers = self.numbers(&reading.lines).into_iter().chain(reading.zones());
        let told = numbers.filter(|(proof, _)| self.is_told(proof));
        if let Some((proof, at)) = told.max_by_key(|(proof, _)| proof.code()) {
            (reading.proof, reading.at) = (Some(proof), at);
        }
    }

    /// The numbers of 18 characters that may stand in the lines; the likelier kind comes later.
    fn numbers(&self, read: &[(PixelRect, Line)]) -> Vec<(Proof, Vec<usize>)> {
        let mut found: Vec<(Proof, Vec<usize>)> = Vec::new();
        for (i, (_, line)) in read.iter().enumerate() {
            // The recogniser does not tell O from 0 and I from 1, and neither number has those letters.
            let text = line.text.replace('O', "0").replace('I', "1");
            let resident = resident_id::find(&text, self.scene.today());
            // A date and a province where a resident number has them are no chance.
            let certain = is_certain(&resident);
            found.push((Proof::ResidentId(resident), vec![i]));
            if !certain && !self.bears_number() {
                found.push((Proof::CreditCode(credit_code::find(&text)), vec![i]));
            }
        }
        let doubted = |(proof, at): (Proof, Vec<usize>)| {
            let sure = read[at[0]].1.least(&proof.revealed()) >= TRUSTED;
            (if sure { proof } else { proof.doubted() }, at)
        };
        found.into_iter().map(doubted).collect()
    }

    /// Whether a number is one where it was read: text that is none is not told as one that cannot be read.
    fn is_told(&self, proof: &Proof) -> bool {
        let about_18 = |text: &str| (15..=20).contains(&text.len());
        match (proof, proof.code()) {
            (_, NumberCode::NoneFound) => false,
            (Proof::Mrz(_), _) | (_, NumberCode::Consistent | NumberCode::LowerCaseX) => true,
            (Proof::ResidentId(number), NumberCode::Illegal) => is_certain(number) || self.bears_number(),
            (Proof::ResidentId(number), NumberCode::Unreadable) => {
                let digits = number.revealed().bytes().filter(u8::is_ascii_digit).count();
                self.bears_number() && about_18(number.revealed()) && digits >= LEAST_DIGITS
            }
            (Proof::CreditCode(_), NumberCode::Illegal) => self.bears_code(),
            (Proof::CreditCode(code), NumberCode::Unreadable) => self.bears_code() && about_18(code.revealed()),
        }
    }

    /// Whether a zone may stand elsewhere than in the lines of the document as it was laid.
    fn may_bear_zone(&self) -> bool {
        self.face.is_none_or(|(face, _)| !matches!(face, Face::EmblemSide | Face::Licence))
    }

    /// Whether a zone that is not in the document as it was laid may be in the picture all the same: a page of a passport
    /// must bear one, and of any other card than a Chinese one it may be on another side or beside the border that was
    /// found.
    fn is_zone_elsewhere(&self) -> bool {
        let picture = self.scene.capture().width() as f32 * self.scene.capture().height() as f32;
        let beside = self.scene.subject().is_none_or(|document| document.quad.area() < MOST_OF_IT * picture);
        let bears = self.face.is_none_or(|(face, _)| matches!(face, Face::PassportPage | Face::Card));
        beside && bears
    }

    /// What is read in other views: a licence's code finer, a zone turned by quarters, larger, or anywhere in the picture.
    /// `seen` says that lines of a zone were seen, and not read whole.
    fn elsewhere(&self, flat: &Flat, seen: bool) -> Option<(Reading, Flat)> {
        let mut best: Option<(Reading, Flat)> = None;
        let better = |found: Option<(Reading, Flat)>, best: &mut Option<(Reading, Flat)>| {
            let code =
                |found: &Option<(Reading, Flat)>| found.as_ref().map_or(NumberCode::NoneFound, |(r, _)| r.code());
            if code(&found) > code(best) {
                *best = found;
            }
            code(best).holds()
        };
        if self.is(Face::Licence) && flat.scale > 1.2 {
            let view = self.scene.flat_of(&self.scene.outline(), LICENCE_PX.min(flat.scale * long_side(flat) as f32));
            let found = view.map(|view| (self.read(&view, &lines::boxes(&view.luma)), view));
            better(found, &mut best);
        }
        if !self.may_bear_zone() {
            return best;
        }
        if better(self.zone_within(flat, self.scene.print_boxes(), true), &mut best) {
            return best;
        }
        if few_lines(self.scene.print_boxes()) {
            let quarter = flat.quarter();
            if better(self.zone_within(&quarter, &lines::boxes(&quarter.luma), false), &mut best) {
                return best;
            }
        }
        if long_side(flat) < SMALL_PX
            && self.kind != DocumentKind::Card
            && let Some(view) = self.scene.flat_of(&self.scene.outline(), ZONE_PX)
            && better(self.zone_any_way(&view), &mut best)
        {
            return best;
        }
        if seen || self.is_zone_elsewhere() {
            better(self.zone_in_picture(), &mut best);
        }
        best
    }

    /// A zone anywhere in the picture.
    fn zone_in_picture(&self) -> Option<(Reading, Flat)> {
        let capture = self.scene.capture();
        let whole = PixelRect::new(0, 0, capture.width(), capture.height());
        self.zone_any_way(&self.scene.flat_of(&Quad(whole.corners()), ZONE_PX)?)
    }

    fn zone_any_way(&self, view: &Flat) -> Option<(Reading, Flat)> {
        let boxes = lines::boxes(&view.luma);
        self.zone_within(view, &boxes, false).or_else(|| {
            if !few_lines(&boxes) || self.is(Face::Card) {
                return None;
            }
            let quarter = view.quarter();
            self.zone_within(&quarter, &lines::boxes(&quarter.luma), false)
        })
    }

    /// A zone in a view or in the same upside down; `read` where the view itself was read.
    fn zone_within(&self, view: &Flat, boxes: &[PixelRect], read: bool) -> Option<(Reading, Flat)> {
        let (width, height) = view.luma.dimensions();
        if lines::zones(boxes).is_empty() {
            return None;
        }
        let look = |view: &Flat, boxes: &[PixelRect]| {
            let mut reading = self.zone(view, boxes);
            self.judge(&mut reading);
            (reading.code() > NumberCode::NoneFound).then(|| (reading, view.clone()))
        };
        let upright = if read { None } else { look(view, boxes) };
        upright.or_else(|| {
            let turn =
                |r: &PixelRect| PixelRect::new(width - r.x - r.width, height - r.y - r.height, r.width, r.height);
            look(&view.turned(), &boxes.iter().map(turn).collect::<Vec<_>>())
        })
    }

    /// Lines in which the number of a resident card or a licence stands in its place, sharp, and part of it cannot be
    /// read; nothing where the face is not sure or bears no such number.
    fn unread(&self, flat: &Flat, boxes: &[PixelRect], reading: &Reading) -> Option<Vec<PixelRect>> {
        let (face, sure) = self.face?;
        if sure < SURE_FACE || !matches!(face, Face::PortraitSide | Face::Licence) {
            return None;
        }
        if reading.code() >= NumberCode::Illegal {
            return Some(Vec::new());
        }
        let (width, height) = flat.luma.dimensions();
        let (low, high) = (NUMBER_FROM * height as f32, CODE_TO * height as f32);
        let in_place = |line: &PixelRect| match face {
            Face::Licence => line.centre().y <= high,
            _ => line.centre().y >= low,
        };
        let partly = |line: &Line| match face {
            Face::Licence => place::partly_read_code(line),
            _ => place::partly_read_number(line),
        };
        let found = reading.lines.iter().find(|(rect, line)| in_place(rect) && partly(line));
        if let Some((rect, _)) = found {
            return Some(vec![*rect]);
        }
        // What hides digits may part the line.
        let boxes: Vec<PixelRect> = boxes.iter().copied().filter(in_place).collect();
        let rows = lines::rows(&boxes, HIDDEN_GAP).into_iter().filter(|row| {
            row.width >= LONG * row.height
                && (face == Face::Licence || row.width as f32 >= NUMBER_WIDE * width as f32)
                && !reading.lines.iter().any(|(read, _)| read == row)
        });
        let missed = |row: &PixelRect| self.line(flat, *row, true).is_some_and(|line| partly(&line));
        Some(rows.take(3).find(missed).into_iter().collect())
    }
}

/// Whether so few boxes are lines that print may run down the picture and not across.
fn few_lines(boxes: &[PixelRect]) -> bool {
    lines::long(boxes).len() < FEW_LINES
}

fn long_side(flat: &Flat) -> u32 {
    flat.luma.width().max(flat.luma.height())
}

/// Read whole, in a province and on a day that there are: at most the check character fails.
fn is_certain(number: &ResidentId) -> bool {
    number.code >= NumberCode::Illegal && number.faults.iter().all(|fault| *fault == Fault::Check)
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

fn told(
    reading: &Reading,
    scene: &Scene<'_>,
    flat: &Flat,
    found: Option<&str>,
    unread: Option<&[PixelRect]>,
) -> Outcome {
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
    if let Some(unread) = unread {
        evidence.flag("number.expected_unread", !unread.is_empty());
        for line in unread {
            evidence.mark(MarkKind::Number, line.corners().map(|p| flat.to_capture(p)).to_vec(), 1.0);
        }
    }
    if let Some(same) = matches_qr(reading.proof.as_ref(), scene) {
        evidence.read("number.matches_qr", same);
    }
    let read: Vec<&(PixelRect, Line)> = reading.at.iter().map(|i| &reading.lines[*i]).collect();
    let empty = read.iter().all(|(_, line)| line.confidence.is_empty());
    if let (Some(least), false) = (reading.least(), empty) {
        let mean = reading.mean(&reading.at);
        evidence.read("number.confidence", f64::from(mean));
        evidence.read("number.least_confidence", f64::from(least));
        evidence.read("number.height_px", f64::from(read[0].0.height as f32 * flat.scale));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Capture, Container, MediaType, Metadata, Orientation, Pixels};
    use crate::inference::Model;
    use crate::scene::{Deadline, survey};

    const PASSPORT: [&str; 2] =
        ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"];
    const VISA: [&str; 2] = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];

    /// Two lines of a zone, all characters sure but for some, as line, place and confidence.
    fn zone(lines: [&str; 2], unsure: &[(usize, usize, f32)]) -> Reading {
        let mut reading = Reading::default();
        for (i, text) in lines.iter().enumerate() {
            let mut line =
                Line { text: (*text).to_owned(), confidence: vec![0.99; text.len()], at: vec![0.0; text.len()] };
            for (_, at, confidence) in unsure.iter().filter(|(line, ..)| *line == i) {
                line.confidence[*at] = *confidence;
            }
            let rect = PixelRect::new(40, 300 + 40 * i as u32, 560, 20);
            reading.zone.push(rect);
            reading.lines.push((rect, line));
        }
        reading
    }

    fn code(reading: &Reading) -> NumberCode {
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

    /// Says that every line is blank.
    #[derive(Debug)]
    struct Blank;

    impl Model for Blank {
        fn run(
            &self,
            input: ndarray::ArrayViewD<'_, f32>,
        ) -> Result<Vec<ndarray::ArrayD<f32>>, crate::inference::InferenceError> {
            let width = input.shape()[3];
            Ok(vec![ndarray::ArrayD::zeros(vec![1, width / 4, 39])])
        }
    }

    fn with_reader<T>(face: Face, ask: impl Fn(&Reader<'_>) -> T) -> T {
        let pixels = Pixels::new(64, 64, vec![200; 64 * 64], Orientation::Upright).expect("64 by 64 samples");
        let capture = Capture::new(MediaType::Png, pixels, Metadata::default(), Container::default());
        let scene = survey(&capture, Deadline::NEVER);
        let recogniser = Recogniser::new(std::sync::Arc::new(Blank));
        let (kind, left) = (DocumentKind::Other, Cell::new(MOST_READ));
        let reader = Reader { recogniser: &recogniser, scene: &scene, face: Some((face, 1.0)), kind, left };
        ask(&reader)
    }

    #[test]
    fn what_is_no_number_is_not_told_as_one_that_cannot_be_read() {
        let told = |face, proof: &Proof| with_reader(face, |reader| reader.is_told(proof));
        let today = crate::reading::Date::new(2026, 1, 15).expect("a day");
        let resident = |text| Proof::ResidentId(resident_id::check(text, today));
        assert!(told(Face::PortraitSide, &resident("110105194912310")));
        assert!(
            !told(Face::PortraitSide, &resident("F81B111H04L4010V9W"))
                && !told(Face::Page, &resident("110105194912310"))
        );
        assert!(told(Face::Page, &resident("11010519491231002X")) && told(Face::Page, &resident("110105194912310021")));
        assert!(!told(Face::Page, &resident("123456789012345678")));
        let code = |text| Proof::CreditCode(credit_code::check(text));
        assert!(told(Face::Licence, &code("91350100M000100Y4")) && told(Face::Licence, &code("91350100M000100Y44")));
        assert!(
            !told(Face::Page, &code("91350100M000100Y4")) && !told(Face::PassportPage, &code("91350100M000100Y44"))
        );
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
}
