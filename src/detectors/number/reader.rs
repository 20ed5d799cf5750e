//! A scene and its recogniser → lines read where a number may stand, in as many views as it takes, and no more.
//!
//! The bounds below say where this detector looks and what it calls a number: they are part of what its readings mean.

use std::cell::{Cell, RefCell};

use super::attempt::{Attempt, TRUSTED, sure};
use crate::geometry::{PixelRect, Quad};
use crate::reading::{
    Fault, Line, NumberCode, Proof, Recogniser, ResidentId, Strip, TextReader, credit_code, half_width, lines, mrz,
    place, resident_id,
};
use crate::scene::{Flat, Scene};
use crate::vocabulary::{DocumentKind, Face};

/// Lines that are read for a number where no place is likelier than another, the widest first.
pub(super) const MOST_LINES: usize = 4;
/// Lines that are read where the face bears a number in a place of its own.
pub(super) const MOST_LINES_IN_PLACE: usize = 8;
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

/// Lines of a card or licence that the slower reader is asked for, 25 ms each.
const MOST_AGAIN: usize = 2;
/// Digits that the quick reader has seen in such a line: of a resident number, and of a code, which has eight at least.
const LEAST_DIGITS_AGAIN: [usize; 2] = [10, 7];
/// Characters of a resident number or credit code.
const LENGTH: usize = 18;
/// Confidence that every character of a number needs that the slower reader has read.
const TRUSTED_AGAIN: f32 = 0.9;

/// Reads lines of one scene, not too many.
pub(super) struct Reader<'a> {
    recogniser: &'a Recogniser,
    scene: &'a Scene<'a>,
    face: Option<(Face, f32)>,
    kind: DocumentKind,
    left: Cell<usize>,
    /// What was read so far: lines come again in the same view made twice.
    known: RefCell<Vec<(Strip, Line)>>,
}

impl<'a> Reader<'a> {
    /// A reader of `scene` that has read nothing yet.
    pub(super) const fn new(
        recogniser: &'a Recogniser,
        scene: &'a Scene<'a>,
        face: Option<(Face, f32)>,
        kind: DocumentKind,
    ) -> Self {
        Self { recogniser, scene, face, kind, left: Cell::new(MOST_READ), known: RefCell::new(Vec::new()) }
    }
}

impl Reader<'_> {
    fn is(&self, face: Face) -> bool {
        self.face.is_some_and(|(seen, _)| seen == face)
    }

    /// Whether a resident number may be expected: on the side with the portrait, or on any card where nobody looked.
    pub(super) fn bears_number(&self) -> bool {
        self.is(Face::PortraitSide) || (self.face.is_none() && self.kind == DocumentKind::Card)
    }

    /// Whether a credit code may be expected.
    fn bears_code(&self) -> bool {
        self.is(Face::Licence) || (self.face.is_none() && self.kind != DocumentKind::Card)
    }

    /// What bears no number of its own is not looked at in the mirror.
    pub(super) fn may_be_mirrored(&self) -> bool {
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
        let strip = match &finer {
            Some((luma, rect)) => Strip::of(luma, *rect),
            None => Strip::of(&flat.luma, rect),
        };
        Some(strip.map_or_else(Line::default, |strip| self.text(strip)))
    }

    /// What stands in `strip`.
    pub(super) fn text(&self, strip: Strip) -> Line {
        let mut known = self.known.borrow_mut();
        if let Some((_, line)) = known.iter().find(|(other, _)| *other == strip) {
            return line.clone();
        }
        let line = self.recogniser.read(&strip);
        known.push((strip, line.clone()));
        line
    }

    /// Reads `rect` unless it was read; whether it is there now.
    fn add(&self, reading: &mut Attempt, flat: &Flat, rect: PixelRect, fine: bool) -> bool {
        if reading.lines.iter().any(|(read, _)| *read == rect) {
            return true;
        }
        let Some(line) = self.line(flat, rect, fine) else { return false };
        reading.lines.push((rect, line));
        reading.lines.sort_by_key(|(rect, _)| rect.y);
        true
    }

    pub(super) fn read(&self, flat: &Flat, boxes: &[PixelRect]) -> Attempt {
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
    fn zone(&self, flat: &Flat, boxes: &[PixelRect]) -> Attempt {
        let mut reading = Attempt::default();
        for group in lines::zones(boxes).into_iter().take(MOST_ZONES) {
            let like = |reading: &mut Attempt, rect: &PixelRect| {
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
    fn zone_of(&self, reading: &mut Attempt, flat: &Flat, group: Vec<PixelRect>) {
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
    pub(super) fn candidates(&self, boxes: &[PixelRect], (width, height): (u32, u32)) -> Vec<PixelRect> {
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
    fn judge(&self, reading: &mut Attempt) {
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
    pub(super) fn is_told(&self, proof: &Proof) -> bool {
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
    pub(super) fn elsewhere(&self, flat: &Flat, seen: bool) -> Option<(Attempt, Flat)> {
        let mut best: Option<(Attempt, Flat)> = None;
        let better = |found: Option<(Attempt, Flat)>, best: &mut Option<(Attempt, Flat)>| {
            let code =
                |found: &Option<(Attempt, Flat)>| found.as_ref().map_or(NumberCode::NoneFound, |(r, _)| r.code());
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
    pub(super) fn zone_in_picture(&self) -> Option<(Attempt, Flat)> {
        let capture = self.scene.capture();
        let whole = PixelRect::new(0, 0, capture.width(), capture.height());
        self.zone_any_way(&self.scene.flat_of(&Quad(whole.corners()), ZONE_PX)?)
    }

    fn zone_any_way(&self, view: &Flat) -> Option<(Attempt, Flat)> {
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
    fn zone_within(&self, view: &Flat, boxes: &[PixelRect], read: bool) -> Option<(Attempt, Flat)> {
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

    /// A number that holds in the lines of `found`, as the slower reader of Chinese print has them: those that may bear one
    /// where the face must, the likeliest first.
    pub(super) fn again(&self, text: &TextReader, found: &Attempt, view: &Flat) -> Option<Attempt> {
        // Of a zone one line may have been read well.
        let mut lines: Vec<(PixelRect, Line)> =
            found.lines.iter().filter(|(rect, _)| found.zone.contains(rect)).cloned().collect();
        for rect in self.likeliest(found, view.luma.dimensions()) {
            if self.scene.deadline().passed() {
                return None;
            }
            let line = match view.finer(self.scene.capture(), rect) {
                Some((luma, rect)) => text.read(&luma, rect),
                None => text.read(&view.luma, rect),
            };
            lines.retain(|(known, _)| *known != rect);
            lines.push((rect, in_symbols(line)));
            let zone = found.zone.clone();
            lines.sort_by_key(|(rect, _)| rect.y);
            let mut again = Attempt { lines: lines.clone(), zone, ..Attempt::default() };
            self.judge(&mut again);
            if again.code().holds()
                && again.proof.as_ref().is_some_and(is_likely)
                && again.least() >= Some(TRUSTED_AGAIN)
            {
                return Some(again);
            }
        }
        None
    }

    /// Lines that the slower reader is asked for: those of a zone that was seen, or the ones most like a number.
    fn likeliest(&self, found: &Attempt, (width, height): (u32, u32)) -> Vec<PixelRect> {
        // Of a zone of two lines the second has the dates, and of one of three the first two.
        if let [first, second, ..] = found.zone[..] {
            return vec![second, first];
        }
        if !self.is(Face::PortraitSide) && !self.is(Face::Licence) {
            return Vec::new();
        }
        let (low, high) = (NUMBER_FROM * height as f32, CODE_TO * height as f32);
        let in_place = |rect: &PixelRect| {
            if self.is(Face::Licence) {
                rect.centre().y <= high
            } else {
                rect.centre().y >= low && rect.width as f32 >= NUMBER_WIDE * width as f32
            }
        };
        let digits = |line: &Line| line.text.bytes().filter(u8::is_ascii_digit).count().min(LENGTH);
        let mut lines: Vec<&(PixelRect, Line)> = found.lines.iter().filter(|(rect, _)| in_place(rect)).collect();
        lines.sort_by_key(|(_, line)| std::cmp::Reverse(digits(line)));
        let least = LEAST_DIGITS_AGAIN[usize::from(self.is(Face::Licence))];
        let some = |line: &&&(PixelRect, Line)| digits(&line.1) >= least;
        lines.iter().filter(some).take(MOST_AGAIN).map(|(rect, _)| *rect).collect()
    }

    /// Lines in which the number of a resident card or a licence stands in its place, sharp, and part of it cannot be
    /// read; nothing where the face is not sure or bears no such number.
    pub(super) fn unread(&self, flat: &Flat, boxes: &[PixelRect], reading: &Attempt) -> Option<Vec<PixelRect>> {
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

/// What the slower reader has read in the symbols of numbers and zones.
fn in_symbols(line: Line) -> Line {
    let capital = |c: char| match half_width(c) {
        '《' | '〈' => '<',
        c => c.to_ascii_uppercase(),
    };
    Line { text: line.text.chars().map(capital).collect(), ..line }
}

/// Whether a number that holds is also one that is given: its authority and province exist.
fn is_likely(proof: &Proof) -> bool {
    match proof {
        Proof::CreditCode(code) => place::is_given(code.revealed()),
        Proof::ResidentId(_) | Proof::Mrz(_) => true,
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
