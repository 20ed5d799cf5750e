//! Lines of print → characters → whether the numbers in them hold together: check characters, dates, regions.
//!
//! Nothing is corrected: a number misread by one character is illegal, not guessed at. What was read prints masked and
//! is not serialised; a caller that wants it asks for it by name.

pub mod credit_code;
pub mod lines;
pub mod mrz;
pub mod place;
pub mod recogniser;
pub mod resident_id;
pub mod text;
pub mod title;
pub mod validity;

pub use credit_code::{CreditCode, QrMatch};
pub use mrz::Mrz;
pub use recogniser::{Line, Recogniser, Strip};
pub use resident_id::ResidentId;
pub use text::TextReader;
pub use title::Title;
pub use validity::{Until, Validity};

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

pub use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// How the reading of a number came out; extends Baidu's `idcard_number_type` (−1 none, 0 illegal, 1 consistent).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum NumberCode {
    /// Nothing that could be such a number.
    NoneFound,
    /// Something is there, but of the wrong length or with characters that such a number cannot have.
    Unreadable,
    /// The form is right, and a check fails.
    Illegal,
    /// Every check holds.
    Consistent,
    /// Every check holds, but the check character is a lower-case x; a card has a capital.
    LowerCaseX,
}

impl NumberCode {
    /// Whether every check holds.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self, Self::Consistent | Self::LowerCaseX)
    }

    fn of(faults: &[Fault]) -> Self {
        if faults.is_empty() {
            Self::Consistent
        } else if faults.iter().any(|fault| matches!(fault, Fault::Length | Fault::Alphabet)) {
            Self::Unreadable
        } else {
            Self::Illegal
        }
    }
}

/// A number that was read off a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Number of a Chinese resident.
    ResidentId(ResidentId),
    /// Machine-readable zone.
    Mrz(Mrz),
    /// Unified social credit code.
    CreditCode(CreditCode),
}

impl Proof {
    /// How its reading came out.
    #[must_use]
    pub const fn code(&self) -> NumberCode {
        match self {
            Self::ResidentId(number) => number.code,
            Self::Mrz(zone) => zone.code,
            Self::CreditCode(number) => number.code,
        }
    }

    /// The same read with too little certainty for its checks to mean anything.
    #[must_use]
    pub fn doubted(mut self) -> Self {
        let code = match &mut self {
            Self::ResidentId(number) => &mut number.code,
            Self::Mrz(zone) => &mut zone.code,
            Self::CreditCode(number) => &mut number.code,
        };
        *code = (*code).min(NumberCode::Unreadable);
        self
    }

    /// The checks that fail.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::ResidentId(number) => &number.faults,
            Self::Mrz(zone) => &zone.faults,
            Self::CreditCode(number) => &number.faults,
        }
    }

    /// Its name in the JSON contract.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ResidentId(_) => "resident_id",
            Self::Mrz(_) => "mrz",
            Self::CreditCode(_) => "credit_code",
        }
    }

    /// What was read, most of it hidden.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::ResidentId(number) => number.masked(),
            Self::Mrz(zone) => zone.masked(),
            Self::CreditCode(number) => number.masked(),
        }
    }

    /// What the number says of its holder, in clear, by name: only for those who ask.
    #[must_use]
    pub fn fields(&self, today: Date) -> BTreeMap<&'static str, String> {
        let mut fields = BTreeMap::new();
        match self {
            Self::ResidentId(number) => {
                if let Some(holder) = number.holder() {
                    fields.insert("birth", holder.birth.to_string());
                    fields.insert("sex", holder.sex.name().to_owned());
                }
            }
            Self::Mrz(zone) => {
                if let Some(said) = zone.fields(today) {
                    fields.extend(said.by_name());
                }
            }
            Self::CreditCode(_) => {}
        }
        fields
    }

    /// What was read, in clear.
    #[must_use]
    pub fn revealed(&self) -> String {
        match self {
            Self::ResidentId(number) => number.revealed().to_owned(),
            Self::Mrz(zone) => zone.revealed(),
            Self::CreditCode(number) => number.revealed().to_owned(),
        }
    }
}

/// A check that fails. The first two are of form; the others are looked at only where the form is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Too many or too few characters.
    Length,
    /// A character that cannot stand where it stands.
    Alphabet,
    /// A check character.
    Check,
    /// The region code.
    Region,
    /// A date that is not in the calendar or cannot be.
    Date,
}

/// What a document says of its holder's sex; where it says nothing, there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

impl Sex {
    /// Its name in the JSON contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A day of the Gregorian calendar, years 1 to 9999, or `None` where it has no such day; months and days count from 1.
fn day(year: u16, month: u8, day: u8) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| *year >= 1)?;
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Text read off a document: prints masked, the first two characters and the last one kept.
#[derive(Clone, PartialEq, Eq, Default)]
struct Private(String);

impl Private {
    fn masked(&self) -> String {
        mask(&self.0, 2, 1)
    }
}

impl fmt::Debug for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

/// `text` with a `*` for every character but the first `keep_first` and the last `keep_last`; all of them where it has
/// no more characters than would be kept.
#[must_use]
pub fn mask(text: &str, keep_first: usize, keep_last: usize) -> String {
    let count = text.chars().count();
    let kept = |i: usize| count > keep_first.saturating_add(keep_last) && (i < keep_first || i + keep_last >= count);
    text.chars().enumerate().map(|(i, c)| if kept(i) { c } else { '*' }).collect()
}

/// The ASCII character that a full-width one stands for (Unicode block FF01 to FF5E, and the ideographic space); any
/// other as it is.
#[must_use]
pub fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from((u32::from(c) - 0xff01 + 0x21) as u8),
        other => other,
    }
}

/// `text` in half-width characters without its white space.
#[must_use]
pub fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).map(half_width).collect()
}

/// Characters of a resident number and of a credit code (GB 11643-1999, GB 32100-2015).
const LENGTH: usize = 18;

/// Digits that make a stretch of [`LENGTH`] letters and digits more than words: a credit code has eight at least.
const CANDIDATE_DIGITS: usize = 8;

/// Digits on end that are taken for part of a number: a date has 8, a mobile telephone 11.
const PART_DIGITS: usize = 12;

/// Byte ranges of `text` that could be a number of 18 characters: whole words of letters and digits, half or full
/// width, that lie on one line with nothing but white space between them. They may overlap.
#[must_use]
pub fn find_candidates(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for words in stretches(text) {
        for (first, word) in words.iter().enumerate() {
            let mut count = 0;
            for last in &words[first..] {
                count += text[last.clone()].chars().count();
                if count == LENGTH && digits(&text[word.start..last.end]) >= CANDIDATE_DIGITS {
                    found.push(word.start..last.end);
                }
                if count >= LENGTH {
                    break;
                }
            }
        }
    }
    found
}

/// Words of letters and digits, by line and by what stands between them: only white space within a group.
fn stretches(text: &str) -> Vec<Vec<Range<usize>>> {
    let mut stretches = Vec::new();
    let mut words: Vec<Range<usize>> = Vec::new();
    for (at, c) in text.char_indices() {
        if half_width(c).is_ascii_alphanumeric() {
            let end = at + c.len_utf8();
            match words.last_mut() {
                Some(word) if word.end == at => word.end = end,
                _ => words.push(at..end),
            }
        } else if !c.is_whitespace() || matches!(c, '\n' | '\r') {
            stretches.push(std::mem::take(&mut words));
        }
    }
    stretches.push(words);
    stretches
}

fn digits(text: &str) -> usize {
    text.chars().filter(|c| half_width(*c).is_ascii_digit()).count()
}

/// The best that `check` makes of the candidates in `text`; else of a stretch that may be part of a number; else of
/// nothing.
fn best<T>(text: &str, check: impl Fn(&str) -> T, code: impl Fn(&T) -> NumberCode) -> T {
    let better = |a: T, b: T| if code(&b) > code(&a) { b } else { a };
    if let Some(best) = find_candidates(text).into_iter().map(|range| check(&text[range])).reduce(better) {
        return best;
    }
    let part = stretches(text).into_iter().find_map(|words| {
        let stretch = &text[words.first()?.start..words.last()?.end];
        (digits(stretch) >= PART_DIGITS).then_some(stretch)
    });
    check(part.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Text that nobody would write, the same every time: `check` gets it in one piece and in pieces.
    pub(super) fn weird_texts(seeds: &[&str]) -> Vec<String> {
        const ODD: [char; 24] = [
            '0',
            '9',
            'X',
            'x',
            '<',
            '１',
            'Ｘ',
            'ｘ',
            '＜',
            ' ',
            '\u{3000}',
            '\n',
            '-',
            '证',
            'é',
            '\u{301}',
            '\u{200d}',
            '🪪',
            '\0',
            '\u{10ffff}',
            '٣',
            'ß',
            '%',
            '«',
        ];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let mut texts: Vec<String> =
            (0..2000).map(|_| (0..next(60)).map(|_| ODD[next(ODD.len())]).collect::<String>()).collect();
        for seed in seeds {
            for _ in 0..500 {
                let mut text: Vec<char> = seed.chars().collect();
                for _ in 0..=next(3) {
                    let at = next(text.len());
                    text[at] = ODD[next(ODD.len())];
                }
                texts.push(text.into_iter().collect());
            }
        }
        texts
    }

    #[test]
    fn a_mask_keeps_the_ends_and_the_length() {
        assert_eq!(mask("11010519491231002X", 2, 1), "11***************X");
        assert_eq!(mask("中华人民", 1, 1), "中**民");
        assert_eq!(mask("abc", 2, 1), "***");
        assert_eq!(mask("ab", usize::MAX, usize::MAX), "**");
        assert_eq!(mask("", 2, 1), "");
    }

    #[test]
    fn full_width_becomes_half_width_and_space_goes() {
        assert_eq!(compact(" １１\u{3000}0１ ｘＸ\t＜！～ "), "1101xX<!~");
        assert_eq!(compact("身份证"), "身份证");
    }

    #[test]
    fn only_days_of_the_calendar_are_dates() {
        assert!(day(2000, 2, 29).is_some() && day(2024, 2, 29).is_some());
        assert!(day(1900, 2, 29).is_none() && day(2023, 2, 29).is_none());
        assert!(day(2023, 4, 31).is_none() && day(2023, 13, 1).is_none());
        assert!(day(2023, 0, 1).is_none() && day(2023, 1, 0).is_none() && day(0, 1, 1).is_none());
        assert!(day(1999, 12, 31) < day(2000, 1, 1));
    }

    #[test]
    fn candidates_are_whole_words_of_one_line() {
        let found = |text: &str| find_candidates(text).into_iter().map(|r| text[r].to_owned()).collect::<Vec<_>>();
        assert_eq!(found("公民身份号码11010519491231002X。"), ["11010519491231002X"]);
        assert_eq!(found("ID 110105 19491231 002X 12"), ["110105 19491231 002X"]);
        assert_eq!(found("１１０１０５１９４９１２３１００２Ｘ"), ["１１０１０５１９４９１２３１００２Ｘ"]);
        assert!(found("6222021234567890123").is_empty(), "a longer number is not cut");
        assert!(found("110105-19491231-002X").is_empty());
        assert!(found("110105194\n91231002X").is_empty());
        assert!(found("REPUBLIC OF CHINAXXX").is_empty());
    }

    #[test]
    fn candidates_lie_on_characters_whatever_the_text() {
        for text in weird_texts(&["公民身份号码 11010519491231002X"]) {
            for range in find_candidates(&text) {
                assert_eq!(compact(&text[range]).len(), LENGTH, "{text:?}");
            }
        }
    }
}
