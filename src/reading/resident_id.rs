//! Recognised text → the Chinese resident identity number in it, checked (GB 11643-1999).
//!
//! Six digits of region, eight of birth date, three of sequence (odd: male), and a check character.

use serde::Serialize;

use super::{Date, Fault, LENGTH, NumberCode, Private, Sex, best, compact, day};

/// Province-level regions (GB/T 2260), with 83 for residence permits of people from Taiwan and 91 for abroad.
pub(super) const REGIONS: [&str; 36] = [
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43", "44",
    "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83", "91",
];

/// Births before this year are implausible: nobody older than 150 years was alive when numbers were first given.
const FIRST_YEAR: i16 = 1850;

/// A resident number as it was read. The number prints masked and is not serialised, nor is what it says of the holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResidentId {
    /// How the reading came out.
    pub code: NumberCode,
    /// Which checks fail.
    pub faults: Vec<Fault>,
    #[serde(skip)]
    number: Private,
}

/// What a number says of its holder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Day of birth.
    pub birth: Date,
    /// Sex.
    pub sex: Sex,
}

impl ResidentId {
    /// The number with all but its first two characters and its last one hidden; empty where none was found.
    #[must_use]
    pub fn masked(&self) -> String {
        self.number.masked()
    }

    /// The number as it was read, half width, with a capital X; empty where none was found.
    #[must_use]
    pub fn revealed(&self) -> &str {
        &self.number.0
    }

    /// What the number says of its holder, if every check holds.
    #[must_use]
    pub fn holder(&self) -> Option<Holder> {
        if !self.code.holds() {
            return None;
        }
        let number = self.revealed();
        let odd = number.as_bytes().get(LENGTH - 2)? % 2 == 1;
        Some(Holder { birth: birth(number)?, sex: if odd { Sex::Male } else { Sex::Female } })
    }
}

/// Checks a text that holds the number and nothing else. White space, full width and a lower-case x may be in it;
/// nobody in it may be born after `today`.
#[must_use]
pub fn check(text: &str, today: Date) -> ResidentId {
    let read = compact(text);
    if !read.contains(|c: char| c.is_ascii_digit()) {
        let number = Private::default();
        return ResidentId { code: NumberCode::NoneFound, faults: Vec::new(), number };
    }
    let number = read.replace('x', "X");
    let faults = faults(&number, today);
    let code = match NumberCode::of(&faults) {
        NumberCode::Consistent if read.ends_with('x') => NumberCode::LowerCaseX,
        code => code,
    };
    ResidentId { code, faults, number: Private(number) }
}

/// Checks the likeliest number in a text that may hold anything else: the first whose checks hold, if there is one.
#[must_use]
pub fn find(text: &str, today: Date) -> ResidentId {
    best(text, |part| check(part, today), |found| found.code)
}

fn faults(number: &str, today: Date) -> Vec<Fault> {
    let digits = number.strip_suffix('X').unwrap_or(number);
    let form = [
        (number.chars().count() != LENGTH, Fault::Length),
        (!digits.bytes().all(|b| b.is_ascii_digit()), Fault::Alphabet),
    ];
    let failing = |checks: &[(bool, Fault)]| checks.iter().filter(|c| c.0).map(|c| c.1).collect::<Vec<_>>();
    let faults = failing(&form);
    if !faults.is_empty() {
        return faults;
    }
    failing(&[
        (!number.ends_with(check_character(number)), Fault::Check),
        (!REGIONS.contains(&&number[..2]), Fault::Region),
        (!birth(number).is_some_and(|birth| birth.year() >= FIRST_YEAR && birth <= today), Fault::Date),
    ])
}

/// ISO 7064 MOD 11-2 over the first 17 digits: with the check character, whose weight is 1, the sum of digits times
/// powers of two leaves 1.
fn check_character(number: &str) -> char {
    let digits = number.chars().take(LENGTH - 1).filter_map(|c| c.to_digit(10));
    let sum = digits.fold(0, |sum, digit| (sum + digit) * 2 % 11);
    char::from_digit((12 - sum) % 11, 10).unwrap_or('X')
}

fn birth(number: &str) -> Option<Date> {
    let part = |from: usize, to: usize| number.get(from..to)?.parse::<u16>().ok();
    day(part(6, 10)?, part(10, 12)? as u8, part(12, 14)? as u8)
}

#[cfg(test)]
mod tests {
    use super::super::tests::weird_texts;
    use super::*;

    /// The two numbers that the standard prints.
    const PRINTED: [&str; 2] = ["11010519491231002X", "440524188001010014"];

    fn today() -> Date {
        day(2026, 1, 15).expect("a day")
    }

    fn with_check(digits: &str) -> String {
        format!("{digits}{}", check_character(digits))
    }

    fn faults_of(text: &str) -> Vec<Fault> {
        check(text, today()).faults
    }

    #[test]
    fn the_printed_numbers_hold() {
        for number in PRINTED {
            let read = check(number, today());
            assert_eq!((read.code, read.faults.len()), (NumberCode::Consistent, 0));
            assert_eq!(read.revealed(), number);
        }
    }

    #[test]
    fn the_check_character_is_that_of_the_standards_tables() {
        const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        for i in 0..200_u64 {
            let digits = format!("{:017}", i * 498_877_660_551_163 % 100_000_000_000_000_000);
            let sum: u32 = digits.chars().zip(WEIGHTS).map(|(c, w)| c.to_digit(10).expect("a digit") * w).sum();
            assert_eq!(Some(check_character(&digits)), "10X98765432".chars().nth((sum % 11) as usize), "{digits}");
        }
    }

    #[test]
    fn the_holder_is_told_only_on_request() {
        let read = check(PRINTED[0], today());
        let holder = read.holder().expect("consistent");
        assert_eq!((holder.birth, holder.sex), (day(1949, 12, 31).expect("a day"), Sex::Female));
        assert_eq!(check(PRINTED[1], today()).holder().expect("consistent").sex, Sex::Male);
        let printed = format!("{read:?}") + &serde_json::to_string(&read).expect("serialisable");
        assert!(printed.contains("11***************X"), "{printed}");
        for personal in ["1949", "1231", "110105", "002X", "emale", "birth"] {
            assert!(!printed.contains(personal), "{personal} in {printed}");
        }
        assert!(check("110105194912310029", today()).holder().is_none());
    }

    #[test]
    fn spaces_full_width_and_a_small_x_are_read_and_told() {
        let told = |text: &str| {
            let read = check(text, today());
            assert_eq!(read.revealed(), PRINTED[0]);
            read.code
        };
        assert_eq!(told(" 110105 1949\u{3000}1231 002X\n"), NumberCode::Consistent);
        assert_eq!(told("11010519491231002x"), NumberCode::LowerCaseX);
        assert_eq!(told("11010519491231002Ｘ"), NumberCode::Consistent);
        assert_eq!(told("１１０１０５１９４９１２３１００２ｘ"), NumberCode::LowerCaseX);
    }

    #[test]
    fn a_wrong_character_is_never_consistent() {
        let more = [with_check("83000020000229123"), with_check("91000019700101998"), with_check("65432618991231777")];
        for number in PRINTED.map(str::to_owned).iter().chain(&more) {
            assert_eq!(check(number, today()).code, NumberCode::Consistent, "{number}");
            for at in 0..LENGTH {
                for c in "0123456789X".chars().filter(|c| number.chars().nth(at) != Some(*c)) {
                    let wrong: String = number.chars().enumerate().map(|(i, d)| if i == at { c } else { d }).collect();
                    let expected =
                        if c == 'X' && at < LENGTH - 1 { NumberCode::Unreadable } else { NumberCode::Illegal };
                    assert_eq!(check(&wrong, today()).code, expected, "{wrong}");
                }
            }
        }
    }

    #[test]
    fn exchanged_neighbours_are_never_consistent() {
        for number in PRINTED {
            for at in 0..LENGTH - 1 {
                let mut wrong: Vec<char> = number.chars().collect();
                wrong.swap(at, at + 1);
                let wrong: String = wrong.into_iter().collect();
                assert!(wrong == number || !check(&wrong, today()).code.holds(), "{wrong}");
            }
        }
    }

    #[test]
    fn each_check_is_told_by_name() {
        assert_eq!(faults_of("110105194912310021"), [Fault::Check]);
        assert_eq!(faults_of(&with_check("16010519491231002")), [Fault::Region]);
        assert_eq!(faults_of(&with_check("11010519490229002")), [Fault::Date]);
        assert_eq!(faults_of(&with_check("11010518491231002")), [Fault::Date]);
        assert_eq!(faults_of(&with_check("11010520260116002")), [Fault::Date]);
        assert!(faults_of(&with_check("11010520260115002")).is_empty());
        assert!(faults_of(&with_check("11010518500101002")).is_empty());
        assert_eq!(faults_of("16010519491331002X"), [Fault::Check, Fault::Region, Fault::Date]);
        assert_eq!(faults_of("1101051949123100X"), [Fault::Length]);
        assert_eq!(faults_of("110105491231002"), [Fault::Length], "numbers of 15 digits ended in 2012");
        assert_eq!(faults_of("1101O519491231002X"), [Fault::Alphabet]);
        assert_eq!(faults_of("110105-19491231-002X"), [Fault::Length, Fault::Alphabet]);
        assert_eq!(faults_of("1101051949123100XX"), [Fault::Alphabet]);
    }

    #[test]
    fn no_digit_is_no_number() {
        for text in ["", " \u{3000}", "公民身份号码", "X"] {
            let read = check(text, today());
            assert_eq!((read.code, read.masked().as_str()), (NumberCode::NoneFound, ""), "{text}");
        }
    }

    #[test]
    fn a_number_is_found_among_other_text() {
        let code = |text: &str| find(text, today()).code;
        let card = "出生 1949 年 12 月 31 日\n住址 北京市朝阳区 1 号\n公民身份号码 110105 19491231 002X";
        assert_eq!(find(card, today()).revealed(), PRINTED[0]);
        assert_eq!(code("123456789012345678 11010519491231002X"), NumberCode::Consistent);
        assert_eq!(code("公民身份号码 110105194912310029"), NumberCode::Illegal);
        assert_eq!(code("公民身份号码 1101051949123100"), NumberCode::Unreadable);
        assert_eq!(code("公民身份号码 1101O519491231002X"), NumberCode::Unreadable);
        assert_eq!(code("有效期限 2010.01.01-2030.01.01 电话 13800138000"), NumberCode::NoneFound);
        assert_eq!(code(""), NumberCode::NoneFound);
    }

    #[test]
    fn no_text_panics() {
        for text in weird_texts(&PRINTED) {
            for read in [check(&text, today()), find(&text, today())] {
                assert_eq!(read.code.holds(), read.holder().is_some(), "{text:?}");
                assert_eq!(read.masked().chars().count(), read.revealed().chars().count());
            }
        }
    }
}
