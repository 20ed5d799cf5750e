//! The lines read of a document one way up → the number or zone that stands in them, and how sure every character is.
//!
//! The confidences below say what counts as read: they are part of what the readings of this detector mean, and none of
//! them decides what becomes of a document. That stands in the policy.

use crate::geometry::PixelRect;
use crate::reading::{Line, Mrz, NumberCode, Proof, mrz};

/// Confidence of a character that counts as read.
const SURE: f32 = 0.9;
/// Confidence that every character of a number needs before its checks mean anything: of 20,000 made-up numbers whose
/// checks fail, half of them hardly legible, none was then misread into one that holds (models/README.md, `reader_net`).
pub(super) const TRUSTED: f32 = 0.9;
/// The same for a machine-readable zone where letters may stand, whose several check digits cover one another: of 16,000
/// second lines of passports (`models/train/lines.py`, style `HARD`, half of them with a digit changed) one was misread
/// into another that holds, of 4,000 with common damage none. At 0.7 it were eight, and letters for digits of equal
/// weight (S for 8, U for 0, B for 1) nearly all of them.
const TRUSTED_ZONE: f32 = 0.8;
/// The same where digits alone may stand and the composite check digit holds with all others: the same one of 16,000
/// holds wrongly, and 13 % more of the lines that are read right are believed. Names, state and sex are covered by no
/// check digit: nothing is asked of them.
const TRUSTED_DIGIT: f32 = 0.4;
/// Mean confidence from which lines as long as a zone's, that fit no format, are one not read whole: rules, texture and
/// prose read as characters stay below.
const TRUSTED_LINES: f32 = 0.85;

/// What came of reading a document one way up.
#[derive(Default)]
pub(super) struct Attempt {
    pub(super) lines: Vec<(PixelRect, Line)>,
    /// Lines, among those that were read, that may be a zone's.
    pub(super) zone: Vec<PixelRect>,
    pub(super) proof: Option<Proof>,
    /// Lines that the proof stands in, or the surest.
    pub(super) at: Vec<usize>,
}

impl Attempt {
    pub(super) fn code(&self) -> NumberCode {
        self.proof.as_ref().map_or(NumberCode::NoneFound, Proof::code)
    }

    /// Characters read for sure.
    pub(super) fn sure(&self) -> usize {
        self.lines.iter().map(|(_, line)| sure(line)).sum()
    }

    /// Confidence of the least sure character of the proof, or of the surest line.
    pub(super) fn least(&self) -> Option<f32> {
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
    pub(super) fn mean(&self, at: &[usize]) -> f32 {
        let confidence: Vec<f32> = at.iter().flat_map(|i| self.lines[*i].1.confidence.iter().copied()).collect();
        confidence.iter().sum::<f32>() / confidence.len().max(1) as f32
    }

    /// The zones that may stand in the lines, and the lines they stand in.
    pub(super) fn zones(&self) -> Vec<(Proof, Vec<usize>)> {
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

pub(super) fn sure(line: &Line) -> usize {
    line.text.chars().zip(&line.confidence).filter(|(c, confidence)| *c != ' ' && **confidence > SURE).count()
}
