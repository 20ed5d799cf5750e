//! Recognised lines → the machine-readable zone among them, its check digits and, on request, its fields.
//!
//! ICAO Doc 9303 parts 3 to 7: TD1 (three lines of 30), TD2 (two of 36), TD3 (two of 44), visas (MRV-A two of 44, MRV-B
//! two of 36, without a composite check digit), and the French card of 1988 to 2021 (two of 36).

mod layout;
mod states;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::BTreeMap;
use std::ops::Range;

pub use layout::Format;
use layout::{ISSUING_STATE, LAYOUTS, Layout, SLIP, in_alphabet};
use serde::Serialize;
#[cfg(feature = "simulation")]
pub(crate) use zone::check_digit;
use zone::{Check, Covered, Zone, can_be};

use super::{Date, Fault, NumberCode, Private, Sex, compact, mask};

/// A machine-readable zone as it was read. The zone prints masked and is not serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mrz {
    /// How the reading came out; never [`NumberCode::LowerCaseX`].
    pub code: NumberCode,
    /// Size and layout; `None` where no lines fit any.
    pub format: Option<Format>,
    /// Each check digit, in the order of the zone; none where the zone is unreadable.
    checks: Vec<Check>,
    /// Which kinds of check fail.
    pub faults: Vec<Fault>,
    #[serde(skip)]
    zone: Private,
}

/// What a zone says, fillers taken out.
#[derive(Clone, PartialEq, Eq)]
pub struct Fields {
    /// One or two characters: P for passports; A, C or I for cards.
    pub document_code: String,
    /// Issuing state or organisation, one to three letters (part 3, section 5); empty where what was read is none, and so
    /// are the names beside it.
    pub issuing_state: String,
    /// Primary identifier.
    pub surname: String,
    /// Secondary identifier; empty where there is none or it did not fit.
    pub given_names: String,
    /// Document number, with its continuation where it is longer than nine characters.
    pub document_number: String,
    /// Nationality, one to three letters.
    pub nationality: String,
    /// Day of birth; `None` where part of it is unknown or it cannot be.
    pub birth: Option<Date>,
    /// Sex; `None` where unspecified.
    pub sex: Option<Sex>,
    /// Day of expiry; `None` where part of it is unknown or it cannot be.
    pub expiry: Option<Date>,
    /// Optional data, without empty ones.
    pub optional: Vec<String>,
}

impl Fields {
    /// What is there, by name; days as ISO 8601.
    #[must_use]
    pub fn by_name(&self) -> BTreeMap<&'static str, String> {
        let iso = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
        let all = [
            ("document_code", self.document_code.clone()),
            ("issuing_state", self.issuing_state.clone()),
            ("surname", self.surname.clone()),
            ("given_names", self.given_names.clone()),
            ("document_number", self.document_number.clone()),
            ("nationality", self.nationality.clone()),
            ("birth", iso(self.birth)),
            ("sex", self.sex.map_or("", Sex::name).to_owned()),
            ("expiry", iso(self.expiry)),
            ("optional", self.optional.join(" ")),
        ];
        all.into_iter().filter(|(_, said)| !said.is_empty()).collect()
    }
}

/// Stands for nothing, and for the space between names.
const FILLER: char = '<';

/// Two fillers on end: no other text on a document has them, and every line of names does.
const FILLERS: &str = "<<";

/// First characters of the document codes of all formats, and 1, which is read for I.
const HEADS: &str = "PVACI1";

/// Least length of a zone's line as it is read, at most two characters lost.
const SHORTEST: usize = 28;
/// Greatest length of a zone's line as it is read, at most two characters too many.
const LONGEST: usize = 46;

impl Mrz {
    /// The document number with all but its first two characters and its last one hidden; empty where the zone is
    /// unreadable.
    #[must_use]
    pub fn masked(&self) -> String {
        self.zone().map_or_else(String::new, |zone| mask(zone.document_number().0.trim_end_matches(FILLER), 2, 1))
    }

    /// The zone as it was read, its lines apart by `\n`; empty where no lines fit any format.
    #[must_use]
    pub fn revealed(&self) -> String {
        let width = self.layout().map_or(1, |layout| layout.width);
        let lines: Vec<_> = self.zone.0.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
        lines.join("\n")
    }

    /// What the zone says, whether its checks hold or not; `None` where it is unreadable. A birth is the latest not
    /// after `today` with those two digits of the year, an expiry less than 50 calendar years ahead.
    #[must_use]
    pub fn fields(&self, today: Date) -> Option<Fields> {
        Some(self.zone()?.fields(today))
    }

    /// Whether every check digit holds, one over all of them with the others.
    #[must_use]
    pub fn proven(&self) -> bool {
        self.code.holds() && self.checks.iter().any(|check| check.covers == Covered::Composite)
    }

    /// Where check digits and what they cover stand, in the lines put end to end: all that the checks prove. First
    /// where letters may stand too, then where there are digits alone. Nothing where the zone is unreadable.
    #[must_use]
    pub fn covered(&self) -> [Vec<usize>; 2] {
        let Some(layout) = self.layout().filter(|_| self.code >= NumberCode::Illegal) else {
            return Default::default();
        };
        let with_digit = |range: &Range<usize>| range.start..range.end + 1;
        let digits: Vec<usize> =
            layout.dates().flat_map(with_digit).chain(layout.composite_digit()).chain([layout.number.end]).collect();
        let composite = layout.composite.iter().cloned().flatten();
        let letters = composite.chain(layout.number.clone()).filter(|at| !digits.contains(at)).collect();
        [letters, digits]
    }

    /// How many characters a line has; `None` where no lines fit any format.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        self.layout().map(|layout| layout.width)
    }

    fn layout(&self) -> Option<&'static Layout> {
        LAYOUTS.iter().find(|layout| Some(layout.format) == self.format)
    }

    fn zone(&self) -> Option<Zone<'_>> {
        let layout = self.layout().filter(|_| self.code >= NumberCode::Illegal)?;
        Some(Zone { layout, text: &self.zone.0 })
    }
}

/// Checks the zone among the lines of a document, from top to bottom; white space and full width may be in them. Of
/// several the first whose checks hold.
#[must_use]
pub fn read<S: AsRef<str>>(lines: &[S]) -> Mrz {
    let lines: Vec<String> = lines.iter().map(|line| compact(line.as_ref())).filter(|line| !line.is_empty()).collect();
    let zones = (0..lines.len()).flat_map(|first| LAYOUTS.iter().map(move |layout| (first, layout)));
    let found = zones.filter_map(|(first, layout)| {
        let lines = lines.get(first..first + layout.lines)?.iter().enumerate();
        let text = lines.map(|(at, line)| layout.fitted(at, line)).collect::<Option<String>>()?;
        let mine = layout.state.is_empty() || text[ISSUING_STATE] == *layout.state;
        let head = HEADS.contains(&text[..1]);
        (mine && head && text.contains(FILLERS)).then(|| judged(layout, layout.in_fields(&text)))
    });
    found.reduce(|a, b| if b.code > a.code { b } else { a }).unwrap_or_else(|| unplaced(&lines))
}

fn judged(layout: &'static Layout, text: String) -> Mrz {
    let zone = Zone { layout, text: &text };
    let (mut checks, mut faults) = (Vec::new(), Vec::new());
    if zone.well_formed() {
        checks = zone.checks();
        if checks.iter().any(|check| !check.holds) {
            faults.push(Fault::Check);
        }
        if layout.dates().any(|date| !can_be(zone.at(date))) {
            faults.push(Fault::Date);
        }
    } else {
        faults.push(Fault::Alphabet);
    }
    Mrz { code: NumberCode::of(&faults), format: Some(layout.format), checks, faults, zone: Private(text) }
}

/// Whether a line, as it was read, is about as long as one of a zone.
#[must_use]
pub fn long(line: &str) -> bool {
    (SHORTEST..=LONGEST).contains(&compact(line).chars().count())
}

/// The same, with a zone's fillers.
#[must_use]
pub fn like(line: &str) -> bool {
    long(line) && compact(line).contains(FILLERS)
}

/// What is said where no lines fit a format: a zone not read whole where two lines about as long as a zone's and as long
/// as each other follow one another, with fillers, and a document code at the head or after it; no zone otherwise.
fn unplaced(lines: &[String]) -> Mrz {
    let count = |line: &String| line.chars().count();
    let pair = lines.windows(2).find(|pair| {
        pair.iter().all(|line| long(line))
            && count(&pair[0]).abs_diff(count(&pair[1])) <= SLIP
            && pair.iter().any(|line| line.contains(FILLERS))
            && lines
                .iter()
                .any(|line| like(line) && HEADS.contains(line.to_ascii_uppercase().get(..1).unwrap_or_default()))
    });
    let (code, faults) = match pair {
        None => (NumberCode::NoneFound, Vec::new()),
        Some(pair) if pair.iter().all(|line| line.chars().all(in_alphabet)) => {
            (NumberCode::Unreadable, vec![Fault::Length])
        }
        Some(_) => (NumberCode::Unreadable, vec![Fault::Alphabet]),
    };
    Mrz { code, format: None, checks: Vec::new(), faults, zone: Private::default() }
}
