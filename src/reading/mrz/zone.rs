//! The text of a zone → whether its form is right, its check digits, and its fields.

use std::ops::Range;

use serde::Serialize;

use super::layout::{DOCUMENT_CODE, ISSUING_STATE, Layout};
use super::states::is_known;
use super::{FILLER, FILLERS, Fields};
use crate::reading::{Date, Sex, day};

/// A date of expiry lies less than this many years ahead; the standard gives two digits of the year and no century.
const EXPIRY_YEARS: u16 = 50;

/// What a check digit covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Covered {
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
pub(super) struct Check {
    /// What it covers.
    pub(super) covers: Covered,
    /// Whether it is the one that belongs there.
    pub(super) holds: bool,
}

/// A zone of the right size and alphabet: ASCII, `layout.lines` × `layout.width` characters.
pub(super) struct Zone<'a> {
    pub(super) layout: &'static Layout,
    pub(super) text: &'a str,
}

impl<'a> Zone<'a> {
    pub(super) fn at(&self, range: &Range<usize>) -> &'a str {
        &self.text[range.clone()]
    }

    fn after(&self, range: &Range<usize>) -> char {
        char::from(self.text.as_bytes()[range.end])
    }

    /// Whether digits stand only where digits may, and letters only where letters may (part 3, section 4).
    pub(super) fn well_formed(&self) -> bool {
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

    pub(super) fn checks(&self) -> Vec<Check> {
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
    pub(super) fn document_number(&self) -> (String, char, usize) {
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

    pub(super) fn fields(&self, today: Date) -> Fields {
        let layout = self.layout;
        let (number, _, taken) = self.document_number();
        let names = self.at(&layout.names);
        let (surname, given_names) = names.split_once(FILLERS).unwrap_or((names, ""));
        let apart = !layout.given_names.is_empty();
        let given_names = if apart { self.at(&layout.given_names) } else { given_names };
        // No check digit covers the line of state and names: where the state is none, a letter may have been lost.
        let state = spaced(self.at(&ISSUING_STATE));
        let (is_state, beside) = (is_known(&state), layout.names.start < layout.width);
        let name = |said: &str| if is_state || !beside { spaced(said) } else { String::new() };
        let optional = layout.optional.iter().enumerate().map(|(i, range)| {
            let text = self.at(range);
            spaced(if i == 0 { &text[taken..] } else { text })
        });
        Fields {
            document_code: spaced(self.at(&DOCUMENT_CODE)),
            surname: name(surname),
            given_names: name(given_names),
            issuing_state: if is_state { state } else { String::new() },
            document_number: number.trim_end_matches(FILLER).to_owned(),
            nationality: spaced(self.at(&layout.nationality)),
            birth: latest(self.at(&layout.birth), today),
            sex: match self.text.as_bytes()[layout.sex] {
                b'F' => Some(Sex::Female),
                b'M' => Some(Sex::Male),
                _ => None,
            },
            expiry: day(year_of(today) + EXPIRY_YEARS - 1, 12, 31)
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

pub(super) fn belongs(text: &str, check: char) -> bool {
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
pub(super) fn can_be(yymmdd: &str) -> bool {
    let [year, month, of_month] = parts(yymmdd).unwrap_or([None, Some(0), None]);
    // A leap year and a month of 31 days allow most.
    day(2000 + u16::from(year.unwrap_or(0)), month.unwrap_or(1), of_month.unwrap_or(1)).is_some()
}

/// The year, 1 to 9999.
fn year_of(date: Date) -> u16 {
    u16::try_from(date.year()).unwrap_or_default()
}

/// The last day with these two digits of the year that is not after `horizon`.
pub(super) fn latest(yymmdd: &str, horizon: Date) -> Option<Date> {
    let [Some(year), Some(month), Some(of_month)] = parts(yymmdd)? else { return None };
    let back = (year_of(horizon) + 100 - u16::from(year)) % 100;
    let last = year_of(horizon).checked_sub(back)?;
    let before = || day(last.checked_sub(100)?, month, of_month);
    day(last, month, of_month).filter(|date| *date <= horizon).or_else(before)
}
