//! Recognised text → the unified social credit code in it, checked, and compared with a QR code (GB 32100-2015).
//!
//! Registering authority, kind, six digits of region, the organisation's code of nine characters, a check character.

use serde::{Deserialize, Serialize};

use super::{Fault, LENGTH, NumberCode, Private, best, compact, find_candidates};

/// Characters of a code, each worth its place here: no I, O, S, V or Z.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

/// Modulus of the check character: as many as there are characters.
const MODULUS: usize = 31;

/// A credit code as it was read. The code prints masked and is not serialised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditCode {
    /// How the reading came out; never [`NumberCode::LowerCaseX`], small letters count as capitals.
    pub code: NumberCode,
    /// Which checks fail.
    pub faults: Vec<Fault>,
    #[serde(skip)]
    number: Private,
}

/// Whether a QR code says the same as the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QrMatch {
    /// It holds the code that was read.
    Same,
    /// It holds another code, whose check character is right.
    Different,
    /// It holds no code: it may lead to a page that does.
    NotInQr,
}

impl CreditCode {
    /// The code with all but its first two characters and its last one hidden; empty where none was found.
    #[must_use]
    pub fn masked(&self) -> String {
        self.number.masked()
    }

    /// The code as it was read, in half-width capitals; empty where none was found.
    #[must_use]
    pub fn revealed(&self) -> &str {
        &self.number.0
    }

    /// Whether the content of a QR code, be it the plain code, an address or other text, holds the same code; `None`
    /// where no code of the right form was read.
    #[must_use]
    pub fn matches_qr(&self, content: &str) -> Option<QrMatch> {
        if self.code < NumberCode::Illegal {
            return None;
        }
        if compact(content).to_ascii_uppercase().contains(self.revealed()) {
            return Some(QrMatch::Same);
        }
        let content = without_escapes(content);
        let other = find_candidates(&content).into_iter().any(|range| check(&content[range]).code.holds());
        Some(if other { QrMatch::Different } else { QrMatch::NotInQr })
    }
}

/// Checks a text that holds the code and nothing else. White space, full width and small letters may be in it.
#[must_use]
pub fn check(text: &str) -> CreditCode {
    let number = compact(text).to_ascii_uppercase();
    if !number.contains(|c: char| c.is_ascii_digit()) {
        let number = Private::default();
        return CreditCode { code: NumberCode::NoneFound, faults: Vec::new(), number };
    }
    let mut faults = Vec::new();
    if number.chars().count() != LENGTH {
        faults.push(Fault::Length);
    }
    let region = number.chars().skip(2).take(6);
    if !number.chars().all(|c| ALPHABET.contains(c)) || !region.clone().all(|c| c.is_ascii_digit()) {
        faults.push(Fault::Alphabet);
    }
    if faults.is_empty() && !number.ends_with(check_character(&number)) {
        faults.push(Fault::Check);
    }
    CreditCode { code: NumberCode::of(&faults), faults, number: Private(number) }
}

/// Checks the likeliest code in a text that may hold anything else: the first whose checks hold, if there is one.
#[must_use]
pub fn find(text: &str) -> CreditCode {
    best(text, check, |found| found.code)
}

/// The check character that belongs to the first 17 of `number` (GB 32100): 31 less the sum, modulo 31, of their values
/// times powers of three. The organisation's own check character (GB 11714-1997) is not looked at: some early codes,
/// though valid, fail it.
pub(crate) fn check_character(number: &str) -> char {
    let values = number.chars().take(LENGTH - 1).map(|c| ALPHABET.find(c).unwrap_or_default());
    let (sum, _) = values.fold((0, 1), |(sum, weight), value| (sum + value * weight, weight * 3 % MODULUS));
    char::from(ALPHABET.as_bytes()[(MODULUS - sum % MODULUS) % MODULUS])
}

/// `text` with a break in place of every percent-encoded byte (RFC 3986), so that an address within an address falls
/// into words.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let escape = part.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        plain.push('%');
        plain.push_str(if escape { &part[2..] } else { part });
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::tests::weird_texts;
    use super::*;

    /// The example of GB 32100-2015, and a code with letters in the organisation's part that tell apart how they count.
    const CODES: [&str; 2] = ["91350100M000100Y43", "11610923MB2900168E"];

    fn with_check(characters: &str) -> String {
        format!("{characters}{}", check_character(characters))
    }

    #[test]
    fn the_printed_code_holds() {
        for code in CODES {
            let read = check(code);
            assert_eq!((read.code, read.revealed()), (NumberCode::Consistent, code));
        }
        assert_eq!(ALPHABET.len(), MODULUS);
    }

    #[test]
    fn spaces_full_width_and_small_letters_are_read() {
        for text in ["91350100 M000100Y 43", "９１３５０１００Ｍ０００１００Ｙ４３", "91350100m000100y43"]
        {
            assert_eq!((check(text).code, check(text).revealed()), (NumberCode::Consistent, CODES[0]));
        }
    }

    #[test]
    fn the_code_prints_masked() {
        let read = check(CODES[0]);
        assert!(format!("{read:?}").contains("91***************3"));
        assert!(!format!("{read:?}").contains("M000100Y"));
        assert_eq!(serde_json::to_string(&read).expect("serialisable"), r#"{"code":"consistent","faults":[]}"#);
    }

    #[test]
    fn a_wrong_character_is_never_consistent() {
        let last_is_zero = (0..31).map(|i| with_check(&format!("9135010{i:010}"))).find(|code| code.ends_with('0'));
        for code in CODES.map(str::to_owned).iter().chain(&last_is_zero) {
            for at in 0..LENGTH {
                for c in ALPHABET.chars().filter(|c| code.chars().nth(at) != Some(*c)) {
                    let wrong: String = code.chars().enumerate().map(|(i, d)| if i == at { c } else { d }).collect();
                    let unreadable = (2..8).contains(&at) && c.is_ascii_alphabetic();
                    let expected = if unreadable { NumberCode::Unreadable } else { NumberCode::Illegal };
                    assert_eq!(check(&wrong).code, expected, "{wrong}");
                }
            }
        }
    }

    #[test]
    fn the_organisations_own_check_accuses_nobody() {
        assert_eq!(check(&with_check("91350100M000100Y5")).code, NumberCode::Consistent);
    }

    #[test]
    fn each_check_is_told_by_name() {
        assert_eq!(check("91350100M000100Y44").faults, [Fault::Check]);
        assert_eq!(check("91350100M000100Y4").faults, [Fault::Length]);
        assert_eq!(check("9135O100M000100Y43").faults, [Fault::Alphabet]);
        assert_eq!(check("91350100-M000100Y4-3").faults, [Fault::Length, Fault::Alphabet]);
        assert_eq!(check("统一社会信用代码").code, NumberCode::NoneFound);
    }

    #[test]
    fn a_code_is_found_among_other_text() {
        let licence = "注册号 350100100000000\n统一社会信用代码：91350100M000100Y43 (1-1)\n成立日期 2015年10月01日";
        assert_eq!(find(licence).revealed(), CODES[0]);
        assert_eq!(find("统一社会信用代码 91350100M000100Y44").code, NumberCode::Illegal);
        assert_eq!(find("统一社会信用代码 91350100 0001 00").code, NumberCode::Unreadable);
        assert_eq!(find("营业执照 副本 1-1").code, NumberCode::NoneFound);
    }

    #[test]
    fn a_qr_code_says_the_same_or_another_or_nothing() {
        let read = check(CODES[0]);
        let told = |content: &str| read.matches_qr(content).expect("a code was read");
        for same in [
            "91350100M000100Y43",
            "http://www.gsxt.gov.cn/index.html?uniscid=91350100m000100y43",
            "https://example.com/?next=https%3A%2F%2Fexample.cn%2F%3Fid%3D91350100M000100Y43%26a",
            "名称：某公司；统一社会信用代码：91350100M000100Y43；",
        ] {
            assert_eq!(told(same), QrMatch::Same, "{same}");
        }
        for different in
            [CODES[1], "https://example.com/?next=a%3Fid%3D11610923MB2900168E", "代码：11610923MB2900168E，100%真"]
        {
            assert_eq!(told(different), QrMatch::Different, "{different}");
        }
        for neither in ["", "https://example.com/q/7f3a9c", "id=123456789012345678901", "100%证%", "91350100M000100Y44"]
        {
            assert_eq!(told(neither), QrMatch::NotInQr, "{neither}");
        }
        assert_eq!(check("91350100M000100Y4").matches_qr(CODES[0]), None);
        assert_eq!(check("91350100M000100Y44").matches_qr(CODES[0]), Some(QrMatch::Different));
    }

    #[test]
    fn no_text_panics() {
        let read = check(CODES[0]);
        for text in weird_texts(&CODES) {
            assert_eq!(check(&text).masked().chars().count(), check(&text).revealed().chars().count());
            let _ = (find(&text), read.matches_qr(&text));
        }
    }
}
