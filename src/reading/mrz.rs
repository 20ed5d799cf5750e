//! Recognised lines → the machine-readable zone among them, its check digits and, on request, its fields.
//!
//! ICAO Doc 9303 parts 3 to 7: TD1 (three lines of 30), TD2 (two of 36), TD3 (two of 44), visas (MRV-A two of 44, MRV-B
//! two of 36, without a composite check digit), and the French card of 1988 to 2021 (two of 36).

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Date, Fault, NumberCode, Private, Sex, compact, mask};

/// Size and layout of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Cards: three lines of 30 characters (part 5).
    Td1,
    /// Larger cards: two lines of 36 (part 6).
    Td2,
    /// Passports: two lines of 44 (part 4).
    Td3,
    /// Large visas: two lines of 44 (part 7).
    MrvA,
    /// Small visas: two lines of 36 (part 7).
    MrvB,
    /// French identity cards of 1988 to 2021: two lines of 36 (arrêté of 1987, in no part of Doc 9303).
    French,
}

/// What a check digit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Covered {
    /// Document number, with its continuation where it is longer than nine characters.
    DocumentNumber,
    /// Date of birth.
    BirthDate,
    /// Date of expiry.
    ExpiryDate,
    /// Personal number or other optional data; TD3 alone.
    OptionalData,
    /// All of these together.
    Composite,
}

/// One check digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Check {
    /// What it covers.
    covers: Covered,
    /// Whether it is the one that belongs there.
    holds: bool,
}

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
    /// Issuing state or organisation, one to three letters (part 3, section 5).
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
        let day = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
        let all = [
            ("document_code", self.document_code.clone()),
            ("issuing_state", self.issuing_state.clone()),
            ("surname", self.surname.clone()),
            ("given_names", self.given_names.clone()),
            ("document_number", self.document_number.clone()),
            ("nationality", self.nationality.clone()),
            ("birth", day(self.birth)),
            ("sex", self.sex.map_or("", Sex::name).to_owned()),
            ("expiry", day(self.expiry)),
            ("optional", self.optional.join(" ")),
        ];
        all.into_iter().filter(|(_, said)| !said.is_empty()).collect()
    }
}

/// Where things stand in the zone's lines put end to end. The check digit of a range is the character after it; that of
/// the composite is the character after its last range.
struct Layout {
    format: Format,
    lines: usize,
    width: usize,
    /// First characters of a document code.
    initials: &'static str,
    /// The issuing state where the layout is one state's own; empty where it is anyone's.
    state: &'static str,
    names: Range<usize>,
    /// Given names where they stand apart from the names.
    given_names: Range<usize>,
    number: Range<usize>,
    nationality: Range<usize>,
    birth: Range<usize>,
    sex: usize,
    expiry: Range<usize>,
    optional: [Range<usize>; 2],
    /// Whether the first optional data have a check digit. Where not, a long document number goes on in them.
    optional_check: bool,
    /// All empty where there is no composite check digit.
    composite: [Range<usize>; 3],
}

/// Document code and issuing state stand in the same place in all formats.
const DOCUMENT_CODE: Range<usize> = 0..2;
const ISSUING_STATE: Range<usize> = 2..5;

const NOTHING: Range<usize> = 0..0;

/// Parts 5, 6 and 4, section 4.2.2 of each; part 7, sections 4.2.2 and 5.2.2; one state's own before anyone's.
const LAYOUTS: [Layout; 6] = [
    Layout {
        format: Format::Td1,
        lines: 3,
        width: 30,
        initials: "ACI",
        state: "",
        names: 60..90,
        given_names: NOTHING,
        number: 5..14,
        nationality: 45..48,
        birth: 30..36,
        sex: 37,
        expiry: 38..44,
        optional: [15..30, 48..59],
        optional_check: false,
        composite: [5..37, 38..45, 48..59],
    },
    Layout {
        format: Format::French,
        lines: 2,
        width: 36,
        initials: "I",
        state: "FRA",
        names: 5..30,
        given_names: 49..63,
        number: 36..48,
        nationality: NOTHING,
        birth: 63..69,
        sex: 70,
        expiry: NOTHING,
        optional: [NOTHING, NOTHING],
        optional_check: false,
        composite: [0..71, NOTHING, 71..71],
    },
    Layout {
        format: Format::Td2,
        lines: 2,
        width: 36,
        initials: "ACI",
        state: "",
        names: 5..36,
        given_names: NOTHING,
        number: 36..45,
        nationality: 46..49,
        birth: 49..55,
        sex: 56,
        expiry: 57..63,
        optional: [64..71, NOTHING],
        optional_check: false,
        composite: [36..46, 49..56, 57..71],
    },
    Layout {
        format: Format::Td3,
        lines: 2,
        width: 44,
        initials: "P",
        state: "",
        names: 5..44,
        given_names: NOTHING,
        number: 44..53,
        nationality: 54..57,
        birth: 57..63,
        sex: 64,
        expiry: 65..71,
        optional: [72..86, NOTHING],
        optional_check: true,
        composite: [44..54, 57..64, 65..87],
    },
    Layout {
        format: Format::MrvA,
        lines: 2,
        width: 44,
        initials: "V",
        state: "",
        names: 5..44,
        given_names: NOTHING,
        number: 44..53,
        nationality: 54..57,
        birth: 57..63,
        sex: 64,
        expiry: 65..71,
        optional: [72..88, NOTHING],
        optional_check: false,
        composite: [NOTHING, NOTHING, NOTHING],
    },
    Layout {
        format: Format::MrvB,
        lines: 2,
        width: 36,
        initials: "V",
        state: "",
        names: 5..36,
        given_names: NOTHING,
        number: 36..45,
        nationality: 46..49,
        birth: 49..55,
        sex: 56,
        expiry: 57..63,
        optional: [64..72, NOTHING],
        optional_check: false,
        composite: [NOTHING, NOTHING, NOTHING],
    },
];

impl Layout {
    /// Ranges that hold digits alone.
    fn dates(&self) -> impl Iterator<Item = &Range<usize>> {
        [&self.birth, &self.expiry].into_iter().filter(|range| !range.is_empty())
    }

    /// Where the composite check digit stands, if there is one.
    fn composite_digit(&self) -> Option<usize> {
        let [first, .., last] = &self.composite;
        (!first.is_empty()).then_some(last.end)
    }

    /// The line that holds nothing but document code, state and names: no check digit covers it.
    fn names_line(&self) -> Option<usize> {
        let covered = self.composite[0].start <= self.names.start && !self.composite[0].is_empty();
        let line = self.names.start / self.width;
        (!covered || self.composite.iter().all(|range| range.end <= line * self.width)).then_some(line)
    }

    /// `line`, the `at`-th, as it fits here: fillers on end are easily miscounted, and a few more or less after names
    /// say nothing. Nothing else is changed.
    fn fitted(&self, at: usize, line: &str) -> Option<String> {
        if !line.chars().all(in_alphabet) {
            return None;
        }
        let slip = self.names_line() == Some(at) && line.ends_with(FILLERS) && line.len().abs_diff(self.width) <= SLIP;
        let bare = line.trim_end_matches(FILLER);
        let fitted = if slip && bare.len() < self.width {
            format!("{bare:<<width$}", width = self.width)
        } else {
            line.to_owned()
        };
        (fitted.len() == self.width).then_some(fitted)
    }

    /// `text` with O and I where a field has letters alone, 0 and 1 where it has digits alone: machine faces draw them
    /// all but alike, and the standard leaves it to the field which one is meant (part 3, section 4). Nothing else is
    /// touched, and nothing in a field that may hold both.
    fn in_fields(&self, text: &str) -> String {
        let letters = [&ISSUING_STATE, &self.names, &self.nationality];
        let letters = letters.into_iter().chain([&self.given_names]).collect::<Vec<_>>();
        let digits = self.dates().collect::<Vec<_>>();
        let check_digit = |at: usize| self.composite_digit() == Some(at) || digits.iter().any(|range| range.end == at);
        let place = |(at, c): (usize, char)| match c {
            '0' | '1' if letters.iter().any(|range| range.contains(&at)) => {
                if c == '0' {
                    'O'
                } else {
                    'I'
                }
            }
            'O' | 'I' if check_digit(at) || digits.iter().any(|range| range.contains(&at)) => {
                if c == 'O' {
                    '0'
                } else {
                    '1'
                }
            }
            other => other,
        };
        text.chars().enumerate().map(place).collect()
    }
}

/// Stands for nothing, and for the space between names.
const FILLER: char = '<';

/// Two fillers on end: no other text on a document has them, and every line of names does.
const FILLERS: &str = "<<";

/// How many fillers more or less at the end of a line of names are a miscount.
const SLIP: usize = 2;

/// First characters of the document codes of all formats, and 1, which is read for I.
const HEADS: &str = "PVACI1";

/// Least length of a zone's line as it is read, at most two characters lost.
const SHORTEST: usize = 28;
/// Greatest length of a zone's line as it is read, at most two characters too many.
const LONGEST: usize = 46;

/// A date of expiry lies less than this many years ahead; the standard gives two digits of the year and no century.
const EXPIRY_YEARS: u16 = 50;

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

fn in_alphabet(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == FILLER
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

/// A zone of the right size and alphabet: ASCII, `layout.lines` × `layout.width` characters.
struct Zone<'a> {
    layout: &'static Layout,
    text: &'a str,
}

impl<'a> Zone<'a> {
    fn at(&self, range: &Range<usize>) -> &'a str {
        &self.text[range.clone()]
    }

    fn after(&self, range: &Range<usize>) -> char {
        char::from(self.text.as_bytes()[range.end])
    }

    /// Whether digits stand only where digits may, and letters only where letters may (part 3, section 4).
    fn well_formed(&self) -> bool {
        let layout = self.layout;
        let letters = |range| self.at(range).chars().all(|c| !c.is_ascii_digit());
        let digits = |range| self.at(range).chars().all(|c| !c.is_ascii_uppercase());
        let [optional, _] = &layout.optional;
        let composite = layout.composite_digit().map(|at| char::from(self.text.as_bytes()[at]));
        let may_be_absent = [&layout.number].into_iter().chain(Some(optional).filter(|_| layout.optional_check));
        self.text.starts_with(|c| layout.initials.contains(c))
            && [&ISSUING_STATE, &layout.names, &layout.given_names, &layout.nationality].into_iter().all(letters)
            && layout.dates().all(digits)
            && layout.dates().map(|range| self.after(range)).chain(composite).all(|c| c.is_ascii_digit())
            && may_be_absent.into_iter().all(|range| !self.after(range).is_ascii_uppercase())
            && matches!(self.text.as_bytes()[layout.sex], b'F' | b'M' | b'<')
    }

    fn checks(&self) -> Vec<Check> {
        let layout = self.layout;
        let plain = |covers, range| Check { covers, holds: belongs(self.at(range), self.after(range)) };
        let (number, check, _) = self.document_number();
        let [optional, _] = &layout.optional;
        let optional = layout.optional_check.then(|| {
            // Part 4, section 4.2.2: where there are no data, the check digit may be left out.
            let absent = self.at(optional).chars().chain([self.after(optional)]).all(|c| c == FILLER);
            let holds = absent || belongs(self.at(optional), self.after(optional));
            Check { covers: Covered::OptionalData, holds }
        });
        let covered: String = layout.composite.iter().map(|range| self.at(range)).collect();
        let digit = layout.composite_digit().map(|at| char::from(self.text.as_bytes()[at]));
        let composite = digit.map(|digit| Check { covers: Covered::Composite, holds: belongs(&covered, digit) });
        let number = Check { covers: Covered::DocumentNumber, holds: belongs(&number, check) };
        let expiry = (!layout.expiry.is_empty()).then(|| plain(Covered::ExpiryDate, &layout.expiry));
        let dates = [plain(Covered::BirthDate, &layout.birth)].into_iter().chain(expiry);
        [number].into_iter().chain(dates).chain(optional).chain(composite).collect()
    }

    /// The document number as its check digit covers it, that digit, and how many characters of the optional data
    /// belong to it. A filler for check digit says that the number goes on in the optional data, its check digit at the
    /// end, up to a filler (part 5, section 4.2.4; part 6, note j).
    fn document_number(&self) -> (String, char, usize) {
        let (number, check) = (self.at(&self.layout.number), self.after(&self.layout.number));
        let goes_on = check == FILLER
            && !number.ends_with(FILLER)
            && !self.layout.optional_check
            && self.layout.composite_digit().is_some();
        let [optional, _] = &self.layout.optional;
        let more = if goes_on { self.at(optional).split(FILLER).next().unwrap_or_default() } else { "" };
        match more.char_indices().next_back() {
            Some((at, last)) if at > 0 => (format!("{number}{}", &more[..at]), last, more.len()),
            _ => (number.to_owned(), check, 0),
        }
    }

    fn fields(&self, today: Date) -> Fields {
        let layout = self.layout;
        let (number, _, taken) = self.document_number();
        let names = self.at(&layout.names);
        let (surname, given_names) = names.split_once(FILLERS).unwrap_or((names, ""));
        let apart = !layout.given_names.is_empty();
        let given_names = if apart { self.at(&layout.given_names) } else { given_names };
        let optional = layout.optional.iter().enumerate().map(|(i, range)| {
            let text = self.at(range);
            spaced(if i == 0 { &text[taken..] } else { text })
        });
        Fields {
            document_code: spaced(self.at(&DOCUMENT_CODE)),
            issuing_state: spaced(self.at(&ISSUING_STATE)),
            surname: spaced(surname),
            given_names: spaced(given_names),
            document_number: number.trim_end_matches(FILLER).to_owned(),
            nationality: spaced(self.at(&layout.nationality)),
            birth: latest(self.at(&layout.birth), today),
            sex: match self.text.as_bytes()[layout.sex] {
                b'F' => Some(Sex::Female),
                b'M' => Some(Sex::Male),
                _ => None,
            },
            expiry: Date::new(today.year() + EXPIRY_YEARS - 1, 12, 31)
                .and_then(|horizon| latest(self.at(&layout.expiry), horizon)),
            optional: optional.filter(|data| !data.is_empty()).collect(),
        }
    }
}

/// `text` with a space for each filler within it, and none at its ends.
fn spaced(text: &str) -> String {
    text.trim_matches(FILLER).replace(FILLER, " ")
}

/// The check digit of `text`: weights 7, 3, 1 over 0 to 9, A = 10 to Z = 35 and `<` = 0, modulo 10 (part 3, section
/// 4.9).
pub(crate) fn check_digit(text: &str) -> u32 {
    let values = text.chars().map(|c| c.to_digit(36).unwrap_or(0));
    values.zip([7, 3, 1].into_iter().cycle()).map(|(value, weight)| value * weight).sum::<u32>() % 10
}

fn belongs(text: &str, check: char) -> bool {
    check.to_digit(10) == Some(check_digit(text))
}

/// Two digits of year, of month and of day; `None` where one is neither digits nor unknown, which is two fillers.
fn parts(yymmdd: &str) -> Option<[Option<u8>; 3]> {
    let part = |from: usize| match yymmdd.get(from..from + 2)? {
        FILLERS => Some(None),
        digits => digits.parse().ok().map(Some),
    };
    Some([part(0)?, part(2)?, part(4)?])
}

/// Whether a date could be in the calendar of some century, whatever part of it is unknown.
fn can_be(yymmdd: &str) -> bool {
    let [year, month, day] = parts(yymmdd).unwrap_or([None, Some(0), None]);
    // A leap year and a month of 31 days allow most.
    Date::new(2000 + u16::from(year.unwrap_or(0)), month.unwrap_or(1), day.unwrap_or(1)).is_some()
}

/// The last day with these two digits of the year that is not after `horizon`.
fn latest(yymmdd: &str, horizon: Date) -> Option<Date> {
    let [Some(year), Some(month), Some(day)] = parts(yymmdd)? else { return None };
    let back = (horizon.year() + 100 - u16::from(year)) % 100;
    let last = horizon.year().checked_sub(back)?;
    let before = || Date::new(last.checked_sub(100)?, month, day);
    Date::new(last, month, day).filter(|date| *date <= horizon).or_else(before)
}

#[cfg(test)]
mod tests {
    use super::super::tests::weird_texts;
    use super::*;

    /// The specimens of parts 5, 6 and 4.
    const SPECIMENS: [&[&str]; 3] = [
        &["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"],
        &["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"],
        &["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"],
    ];

    /// Numbers of twelve characters, D23145890734: the examples of part 11, appendix D.2.
    const LONG: [&[&str]; 2] = [
        &["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"],
        &["I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8"],
    ];

    fn today() -> Date {
        Date::new(2026, 1, 15).expect("a day")
    }

    fn digit(text: &str) -> char {
        ('0'..='9').find(|c| belongs(text, *c)).expect("one belongs")
    }

    /// A passport whose check digits are right; `optional` is of 14 characters, `check` its digit.
    fn passport(names: &str, number: &str, birth: &str, expiry: &str, optional: &str, check: char) -> [String; 2] {
        let (number, birth, expiry) = (format!("{number:<<9}"), format!("{birth}{}", digit(birth)), expiry.to_owned());
        let number = format!("{number}{}", digit(&number));
        let expiry = format!("{expiry}{}", digit(&expiry));
        let composite = digit(&format!("{number}{birth}{expiry}{optional}{check}"));
        [format!("P<UTO{names:<<39}"), format!("{number}UTO{birth}<{expiry}{optional}{check}{composite}")]
    }

    fn with(lines: &[&str], line: usize, at: usize, c: char) -> Vec<String> {
        let change = |(l, text): (usize, &&str)| {
            text.chars().enumerate().map(|(i, d)| if (l, i) == (line, at) { c } else { d }).collect()
        };
        lines.iter().enumerate().map(change).collect()
    }

    #[test]
    fn the_specimens_hold() {
        let formats = [(Format::Td1, 4), (Format::Td2, 4), (Format::Td3, 5)];
        for (lines, (format, checks)) in SPECIMENS.into_iter().zip(formats) {
            let mrz = read(lines);
            assert_eq!((mrz.code, mrz.format), (NumberCode::Consistent, Some(format)));
            assert_eq!(mrz.checks.len(), checks);
            assert!(mrz.checks.iter().all(|check| check.holds) && mrz.faults.is_empty());
            assert_eq!(mrz.revealed(), lines.join("\n"));
        }
    }

    #[test]
    fn the_standards_examples_of_check_digits_hold() {
        // Part 3, appendix A, examples 1 to 5.
        for (text, check) in [
            ("520727", '3'),
            ("AB2134<<<", '5'),
            ("HA672242<658022549601086<<<<<<<<<<<<<<0", '8'),
            ("D231458907<<<<<<<<<<<<<<<34071279507122<<<<<<<<<<<", '2'),
            ("HA672242<658022549601086<<<<<<<", '8'),
        ] {
            assert!(belongs(text, check), "{text}");
        }
    }

    #[test]
    fn fields_are_told_on_request() {
        for lines in SPECIMENS {
            let fields = read(lines).fields(today()).expect("readable");
            assert_eq!((fields.surname.as_str(), fields.given_names.as_str()), ("ERIKSSON", "ANNA MARIA"));
            assert_eq!((fields.issuing_state.as_str(), fields.nationality.as_str()), ("UTO", "UTO"));
            assert_eq!((fields.birth, fields.expiry), (Date::new(1974, 8, 12), Date::new(2012, 4, 15)));
            assert_eq!(fields.sex, Some(Sex::Female));
        }
        let fields = read(SPECIMENS[2]).fields(today()).expect("readable");
        assert_eq!((fields.document_code.as_str(), fields.document_number.as_str()), ("P", "L898902C3"));
        assert_eq!(fields.optional, ["ZE184226B"]);
        let fields = read(SPECIMENS[0]).fields(today()).expect("readable");
        assert_eq!((fields.document_code.as_str(), fields.document_number.as_str()), ("I", "D23145890"));
        assert!(fields.optional.is_empty());
    }

    #[test]
    fn a_long_number_goes_on_in_the_optional_data() {
        for lines in LONG {
            let mrz = read(lines);
            assert_eq!(mrz.code, NumberCode::Consistent, "{:?}", mrz.checks);
            let fields = mrz.fields(today()).expect("readable");
            assert_eq!(fields.document_number, "D23145890734");
            assert!(fields.optional.is_empty());
            assert_eq!((fields.birth, fields.expiry), (Date::new(1934, 7, 12), Date::new(1995, 7, 12)));
            assert_eq!(mrz.masked(), "D2*********4");
        }
        let composite = digit("D23145890<7349<ABC<<<<<<<34071279507122<<<<<<<<<<<");
        let more = ["I<UTOD23145890<7349<ABC<<<<<<<", &format!("3407127M9507122UTO<<<<<<<<<<<{composite}"), LONG[0][2]];
        assert_eq!(read(&more).code, NumberCode::Consistent);
        assert_eq!(read(&more).fields(today()).expect("readable").optional, ["ABC"]);
        // A filler for check digit, and nothing that goes on.
        assert!(!read(&["I<UTOD23145890<<<<<<<<<<<<<<<<", LONG[0][1], LONG[0][2]]).checks[0].holds);
    }

    #[test]
    fn a_wrong_digit_is_illegal_wherever_a_check_digit_covers_it() {
        for lines in SPECIMENS.into_iter().chain(LONG) {
            let mut changed = 0;
            for (line, text) in lines.iter().enumerate() {
                for (at, old) in text.chars().enumerate().filter(|(_, old)| old.is_ascii_digit()) {
                    for c in ('0'..='9').filter(|c| *c != old) {
                        let mrz = read(&with(lines, line, at, c));
                        assert_eq!(mrz.code, NumberCode::Illegal, "{c} at {at} of line {line}");
                        assert!(mrz.checks.iter().any(|check| !check.holds));
                        changed += 1;
                    }
                }
            }
            assert!(changed >= 9 * 22, "{changed}");
        }
    }

    #[test]
    fn a_letter_for_a_digit_is_unreadable_even_where_the_check_digit_holds() {
        // Modulo 10 a B, worth 11, is as good as 1, a G as 6, an R as 7.
        assert!(belongs("R40812", '2') && belongs("1204B5", '9'));
        let letters = [
            with(SPECIMENS[2], 1, 25, 'B'),
            with(SPECIMENS[2], 1, 13, 'R'),
            with(SPECIMENS[1], 1, 35, 'G'),
            with(SPECIMENS[0], 1, 7, 'G'),
            with(SPECIMENS[2], 1, 42, 'B'),
        ];
        for lines in letters {
            let mrz = read(&lines);
            assert_eq!(
                (mrz.code, mrz.faults.as_slice()),
                (NumberCode::Unreadable, &[Fault::Alphabet][..]),
                "{lines:?}"
            );
            assert!(mrz.fields(today()).is_none() && mrz.masked().is_empty());
        }
    }

    #[test]
    fn each_check_digit_is_told_by_name() {
        let failing = |line, at, c| {
            let mrz = read(&with(SPECIMENS[2], line, at, c));
            mrz.checks.into_iter().filter(|check| !check.holds).map(|check| check.covers).collect::<Vec<_>>()
        };
        assert_eq!(failing(1, 1, '9'), [Covered::DocumentNumber, Covered::Composite]);
        assert_eq!(failing(1, 13, '8'), [Covered::BirthDate, Covered::Composite]);
        assert_eq!(failing(1, 22, '3'), [Covered::ExpiryDate, Covered::Composite]);
        assert_eq!(failing(1, 30, '2'), [Covered::OptionalData, Covered::Composite]);
        assert_eq!(failing(1, 43, '1'), [Covered::Composite]);
    }

    #[test]
    fn a_passports_optional_data_may_be_absent() {
        for check in ['0', '<'] {
            let lines = passport("ERIKSSON<<ANNA", "L898902C3", "740812", "120415", "<<<<<<<<<<<<<<", check);
            let mrz = read(&lines);
            assert_eq!(mrz.code, NumberCode::Consistent, "{:?}", mrz.checks);
            assert!(mrz.fields(today()).expect("readable").optional.is_empty());
        }
        let lines = passport("ERIKSSON<<ANNA", "L898902C3", "740812", "120415", "ZE184226B<<<<<", '<');
        assert_eq!(read(&lines).code, NumberCode::Illegal);
    }

    #[test]
    fn dates_may_be_unknown_but_not_impossible() {
        let read = |birth: &str, expiry: &str| read(&passport("A<<B", "L1", birth, expiry, "<<<<<<<<<<<<<<", '0'));
        for (birth, expiry) in [("74<<<<", "120415"), ("<<<<<<", "<<<<<<"), ("000229", "120415"), ("74<<31", "120415")]
        {
            assert_eq!(read(birth, expiry).code, NumberCode::Consistent, "{birth} {expiry}");
        }
        for (birth, expiry) in [("741301", "120415"), ("740812", "120431"), ("010229", "120415"), ("7408<2", "120415")]
        {
            let mrz = read(birth, expiry);
            assert_eq!(
                (mrz.code, mrz.faults.as_slice()),
                (NumberCode::Illegal, &[Fault::Date][..]),
                "{birth} {expiry}"
            );
        }
        let fields = read("74<<<<", "<<<<<<").fields(today()).expect("readable");
        assert_eq!((fields.birth, fields.expiry, fields.sex), (None, None, None));
    }

    #[test]
    fn the_century_follows_from_today() {
        let (today, far) = (today(), Date::new(2075, 12, 31).expect("a day"));
        assert_eq!(latest("260115", today), Date::new(2026, 1, 15));
        assert_eq!(latest("260116", today), Date::new(1926, 1, 16));
        assert_eq!(latest("000229", today), Date::new(2000, 2, 29));
        assert_eq!(latest("751231", far), Date::new(2075, 12, 31));
        assert_eq!(latest("760101", far), Date::new(1976, 1, 1));
        assert_eq!(latest("990101", Date::new(1, 1, 1).expect("a day")), None);
        let late = Date::new(9999, 12, 31).expect("a day");
        assert_eq!(Mrz::fields(&super::read(SPECIMENS[0]), late).expect("readable").expiry, None);
    }

    #[test]
    fn names_without_given_names_are_read() {
        let lines = passport("ARKFREITH", "L1", "740812", "120415", "<<<<<<<<<<<<<<", '0');
        let fields = read(&lines).fields(today()).expect("readable");
        assert_eq!((fields.surname.as_str(), fields.given_names.as_str()), ("ARKFREITH", ""));
        assert_eq!(fields.document_number, "L1");
        assert_eq!(read(&lines).masked(), "**");
    }

    #[test]
    fn a_zone_is_found_among_other_lines() {
        let mut lines = vec!["UTOPIA", "Passport No. L898902C3", ""];
        lines.extend(SPECIMENS[2]);
        lines.push("页");
        assert_eq!(read(&lines).code, NumberCode::Consistent);
        let spaced: Vec<String> = SPECIMENS[1].iter().map(|line| line.replace('<', " ＜")).collect();
        assert_eq!(read(&spaced).code, NumberCode::Consistent);
        let illegal = with(SPECIMENS[2], 1, 1, '9');
        let both: Vec<&str> = illegal.iter().map(String::as_str).chain(SPECIMENS[0].iter().copied()).collect();
        assert_eq!((read(&both).code, read(&both).format), (NumberCode::Consistent, Some(Format::Td1)));
    }

    #[test]
    fn what_fits_no_format_is_unreadable_or_not_there() {
        let told = |lines: &[&str]| (read(lines).code, read(lines).faults);
        assert_eq!(told(&[]), (NumberCode::NoneFound, vec![]));
        assert_eq!(told(&["Name: ERIKSSON", "11010519491231002X"]), (NumberCode::NoneFound, vec![]));
        let short = &SPECIMENS[2][1][1..];
        assert_eq!(told(&[SPECIMENS[2][0], short]), (NumberCode::Unreadable, vec![Fault::Length]));
        assert_eq!(told(&SPECIMENS[2][..1]), (NumberCode::NoneFound, vec![]), "one line is no zone");
        let small = SPECIMENS[2][0].to_lowercase();
        assert_eq!(told(&[&small, SPECIMENS[2][1]]), (NumberCode::Unreadable, vec![Fault::Alphabet]));
    }

    #[test]
    fn prose_is_no_zone() {
        let told = |lines: &[&str]| read(lines).code;
        for lines in [
            ["THISAGREEMENTISMADEBETWEENTHEPARTIES", "ANDSHALLBEGOVERNEDBYTHELAWSOFUTOPIA1"],
            ["TOTAL<<12.50", "CASH<<20.00"],
            ["TEA<<<<<<<<<<<<<<<<<<<<<<<<<<<<<12", "SUM<<<<<<<<<<<<<<<<<<<<<<<<<<<<<99"],
        ] {
            assert_eq!(told(&lines), NumberCode::NoneFound, "{lines:?}");
        }
    }

    #[test]
    fn visas_and_the_french_card_are_formats() {
        // Part 7, sections 4 and 5, with dates whose check digits hold.
        let a = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"];
        let b = ["V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"];
        for (lines, format) in [(a, Format::MrvA), (b, Format::MrvB)] {
            let zone = read(&lines);
            assert_eq!((zone.code, zone.format, zone.proven()), (NumberCode::Consistent, Some(format), false));
            assert_eq!(zone.fields(today()).expect("readable").surname, "ERIKSSON");
            assert_eq!(read(&with(&lines, 1, 1, '9')).code, NumberCode::Illegal);
        }
        let first = format!("{:<<30}750001", "IDFRABERTHIER");
        let second = format!("{}{:<<14}{}F", "8806923102858", "CORINNE", "6512068");
        let lines = [first.clone(), format!("{second}{}", digit(&format!("{first}{second}")))];
        let zone = read(&lines);
        assert_eq!((zone.code, zone.format, zone.proven()), (NumberCode::Consistent, Some(Format::French), true));
        let fields = zone.fields(today()).expect("readable");
        assert_eq!((fields.surname.as_str(), fields.given_names.as_str()), ("BERTHIER", "CORINNE"));
        assert_eq!((fields.birth, fields.expiry), (Date::new(1965, 12, 6), None));
    }

    #[test]
    fn fillers_after_names_may_be_miscounted_and_nothing_else() {
        let [names, numbers] = [SPECIMENS[2][0], SPECIMENS[2][1]];
        assert_eq!(read(&[&names[..43], numbers]).revealed(), SPECIMENS[2].join("\n"));
        assert_eq!(read(&[&format!("{names}<"), numbers]).code, NumberCode::Consistent);
        assert_eq!(read(&[&names[1..], numbers]).code, NumberCode::NoneFound, "no document code at its head");
        assert_eq!(read(&[&names[..40], numbers]).format, None);
        assert_eq!(read(&[names, &numbers.replacen('<', "", 1)]).format, None);
    }

    #[test]
    fn what_the_checks_cover_is_told() {
        let [letters, digits] = read(SPECIMENS[2]).covered();
        let zone = SPECIMENS[2].concat();
        let text = |places: &[usize]| places.iter().map(|at| &zone[*at..=*at]).collect::<String>();
        assert_eq!(text(&digits), "7408122120415906");
        assert!(letters.iter().all(|at| *at >= 44) && text(&letters).starts_with("L898902C3"));
        assert!(read(&["A", "B"]).covered().iter().all(Vec::is_empty));
    }

    #[test]
    fn nothing_personal_is_printed() {
        for lines in SPECIMENS {
            let mrz = read(lines);
            let printed = format!("{mrz:?}") + &serde_json::to_string(&mrz).expect("serialisable");
            for personal in ["ERIKSSON", "ANNA", "UTO", "D231", "8989", "7408", "1204"] {
                assert!(!printed.contains(personal), "{personal} in {printed}");
            }
        }
        assert_eq!(read(SPECIMENS[2]).masked(), "L8******3");
        let json = serde_json::to_value(read(SPECIMENS[0])).expect("serialisable");
        assert_eq!(json["format"], "td1");
        assert_eq!(json["checks"][3], serde_json::json!({ "covers": "composite", "holds": true }));
    }

    #[test]
    fn no_text_panics() {
        let seeds: Vec<String> = SPECIMENS.into_iter().chain(LONG).map(|lines| lines.join("\n")).collect();
        let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
        for text in weird_texts(&seeds) {
            let mrz = read(&text.lines().collect::<Vec<_>>());
            assert_eq!(mrz.fields(today()).is_some(), mrz.code >= NumberCode::Illegal, "{text:?}");
            let _ = (mrz.masked(), mrz.revealed());
        }
    }
}
