//! The formats of zones → where each field stands in the lines put end to end, and a line as it fits there.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{FILLER, FILLERS};

/// How many fillers more or less at the end of a line of names are a miscount.
pub(super) const SLIP: usize = 2;

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

/// Where things stand in the zone's lines put end to end. The check digit of a range is the character after it; that of
/// the composite is the character after its last range.
pub(super) struct Layout {
    pub(super) format: Format,
    pub(super) lines: usize,
    pub(super) width: usize,
    /// First characters of a document code.
    pub(super) initials: &'static str,
    /// The issuing state where the layout is one state's own; empty where it is anyone's.
    pub(super) state: &'static str,
    pub(super) names: Range<usize>,
    /// Given names where they stand apart from the names.
    pub(super) given_names: Range<usize>,
    pub(super) number: Range<usize>,
    pub(super) nationality: Range<usize>,
    pub(super) birth: Range<usize>,
    pub(super) sex: usize,
    pub(super) expiry: Range<usize>,
    pub(super) optional: [Range<usize>; 2],
    /// Whether the first optional data have a check digit. Where not, a long document number goes on in them.
    pub(super) optional_check: bool,
    /// All empty where there is no composite check digit.
    pub(super) composite: [Range<usize>; 3],
}

/// Document code and issuing state stand in the same place in all formats.
pub(super) const DOCUMENT_CODE: Range<usize> = 0..2;
pub(super) const ISSUING_STATE: Range<usize> = 2..5;

const NOTHING: Range<usize> = 0..0;

/// Parts 5, 6 and 4, section 4.2.2 of each; part 7, sections 4.2.2 and 5.2.2; one state's own before anyone's.
pub(super) const LAYOUTS: [Layout; 6] = [
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
    pub(super) fn dates(&self) -> impl Iterator<Item = &Range<usize>> {
        [&self.birth, &self.expiry].into_iter().filter(|range| !range.is_empty())
    }

    /// Where the composite check digit stands, if there is one.
    pub(super) fn composite_digit(&self) -> Option<usize> {
        let [first, .., last] = &self.composite;
        (!first.is_empty()).then_some(last.end)
    }

    /// The line that holds nothing but document code, state and names: no check digit covers it.
    pub(super) fn names_line(&self) -> Option<usize> {
        let covered = self.composite[0].start <= self.names.start && !self.composite[0].is_empty();
        let line = self.names.start / self.width;
        (!covered || self.composite.iter().all(|range| range.end <= line * self.width)).then_some(line)
    }

    /// `line`, the `at`-th, as it fits here: fillers on end are easily miscounted, and a few more or less after names
    /// say nothing. Nothing else is changed.
    pub(super) fn fitted(&self, at: usize, line: &str) -> Option<String> {
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
    pub(super) fn in_fields(&self, text: &str) -> String {
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

pub(super) fn in_alphabet(c: char) -> bool {
    c.is_ascii_uppercase() || c.is_ascii_digit() || c == FILLER
}
