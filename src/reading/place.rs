//! A line that was read in part → whether a resident number or a credit code stands in it, some of it hidden.
//!
//! Characters stand evenly: those that were read say where the others are. What was read must be what such a number has
//! there; what was not must lie together, as under a highlight or a finger, and the rest be sharp.

use super::{LENGTH, Line, resident_id};

/// Confidence from which a character is sharp.
const SHARP: f32 = 0.95;
/// Confidence below which nothing was read: between the two a character is a little unsure, as in many a fair photograph,
/// and nothing hides it.
const UNSURE: f32 = 0.5;
/// Characters that must be sharp: with fewer it is a blurred line, or another one.
const LEAST_SHARP: usize = 12;
/// Characters on end that may be hidden.
const MOST_HIDDEN: usize = LENGTH - LEAST_SHARP;
/// Characters on end that must be hidden: one alone is missed in many a fair photograph.
const LEAST_HIDDEN: usize = 2;
/// How far a character may lie from its place, in steps from one to the next.
const ASTRAY: f32 = 0.35;

/// First two characters of a credit code: registering authority and kind (GB 32100-2015, table 1).
const AUTHORITIES: [&str; 20] = [
    "11", "12", "13", "19", "21", "29", "31", "32", "33", "34", "35", "39", "41", "49", "51", "52", "53", "59", "91",
    "92",
];

/// Places of the number, `None` where it was not read sharply.
type Places = [Option<char>; LENGTH];

/// Whether a resident number stands in the line that is sharp but for a few characters on end.
#[must_use]
pub fn partly_read_number(line: &Line) -> bool {
    in_part(line, |places| {
        let digits = places
            .iter()
            .enumerate()
            .all(|(i, c)| c.is_none_or(|c| c.is_ascii_digit() || (i == LENGTH - 1 && matches!(c, 'X' | 'x'))));
        let checks = [
            two(places, 0, |text| resident_id::REGIONS.contains(&text)),
            two(places, 6, |text| matches!(text, "19" | "20")),
            two(places, 10, |text| ("01"..="12").contains(&text)),
            two(places, 12, |text| ("01"..="31").contains(&text)),
        ];
        digits && certain(&checks, places)
    })
}

/// The same of a credit code.
#[must_use]
pub fn partly_read_code(line: &Line) -> bool {
    in_part(line, |places| {
        let region = places[2..8].iter().all(|c| c.is_none_or(|c| c.is_ascii_digit()));
        let letters = places.iter().all(|c| c.is_none_or(|c| c.is_ascii_digit() || c.is_ascii_uppercase()));
        let checks = [
            two(places, 0, |text| AUTHORITIES.contains(&text)),
            two(places, 2, |text| resident_id::REGIONS.contains(&text)),
        ];
        region && letters && checks == [Some(true); 2] && places[LENGTH - 1].is_some()
    })
}

/// All checks that could be made hold, two of them at least, and where the end is hidden all.
fn certain(checks: &[Option<bool>], places: &Places) -> bool {
    let held = checks.iter().filter(|check| **check == Some(true)).count();
    let least = if places[LENGTH - 1].is_some() { 2 } else { checks.len() };
    held >= least && !checks.contains(&Some(false))
}

/// Whether a credit code begins with an authority and a province that there are.
#[must_use]
pub fn is_given(code: &str) -> bool {
    let begins =
        |range: std::ops::Range<usize>, known: &[&str]| code.get(range).is_some_and(|part| known.contains(&part));
    begins(0..2, &AUTHORITIES) && (begins(2..4, &resident_id::REGIONS) || begins(2..4, &["10"]))
}

/// Whether the two characters from `at` on are right; `None` where one of them was not read.
fn two(places: &Places, at: usize, right: impl Fn(&str) -> bool) -> Option<bool> {
    Some(right(&[places[at]?, places[at + 1]?].iter().collect::<String>()))
}

/// Whether the characters of the line, or some of them on end, fall into the places of a number with a few missing on
/// end, and are what `right` asks for.
fn in_part(line: &Line, right: impl Fn(&Places) -> bool) -> bool {
    let unsure = line.confidence.iter().filter(|confidence| (UNSURE..SHARP).contains(*confidence)).count();
    let read: Vec<(char, f32)> = (line.text.chars().zip(&line.confidence).zip(&line.at))
        .filter(|((c, confidence), _)| *c != ' ' && **confidence >= SHARP)
        .map(|((c, _), at)| (c, *at))
        .collect();
    let mut steps: Vec<f32> = read.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    steps.sort_by(f32::total_cmp);
    let Some(middle) = steps.get(steps.len() / 2).copied() else { return false };
    // The network's steps are coarse: a mean over many characters says more than the middle one.
    steps.retain(|step| (0.6 * middle..1.6 * middle).contains(step));
    let step = steps.iter().sum::<f32>() / steps.len().max(1) as f32;
    if step <= 0.0 {
        return false;
    }
    // What stands right before is of the same number, and it is a longer one.
    let apart = |first: usize, shift: usize| {
        first == 0 || (read[first].1 - read[first - 1].1) / step > shift as f32 + 1.0 + ASTRAY
    };
    (0..read.len()).any(|first| {
        (0..=MOST_HIDDEN).filter(|shift| apart(first, *shift)).any(|shift| {
            placed(&read[first..], step, shift).is_some_and(|places| few_hidden(&places, unsure) && right(&places))
        })
    })
}

/// The characters in their places, the first in the `shift`-th; `None` where one lies between two places or nothing ends
/// there.
fn placed(read: &[(char, f32)], step: f32, shift: usize) -> Option<Places> {
    let mut places = [None; LENGTH];
    let (mut last, mut place) = (read.first()?.1, shift);
    for (i, (c, at)) in read.iter().enumerate() {
        let steps = (at - last) / step;
        // Each is measured from the one before: pitch and perspective add up along a line.
        if (steps - steps.round()).abs() > ASTRAY || (i > 0 && steps.round() < 1.0) {
            return None;
        }
        place += steps.round() as usize;
        last = *at;
        if place >= LENGTH {
            if place == LENGTH && steps.round() <= 1.0 {
                return None;
            }
            break;
        }
        let c = match c {
            'O' => '0',
            'I' => '1',
            other => *other,
        };
        places[place] = Some(c);
    }
    Some(places)
}

/// Whether some, not too many, and one piece alone are hidden, and not for `unsure` characters alone.
fn few_hidden(places: &Places, unsure: usize) -> bool {
    let hidden: Vec<usize> = (0..LENGTH).filter(|i| places[*i].is_none()).collect();
    match (hidden.first(), hidden.last()) {
        (Some(first), Some(last)) => {
            (LEAST_HIDDEN + unsure..=MOST_HIDDEN).contains(&hidden.len()) && last - first + 1 == hidden.len()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `text` read with full confidence, three and a half steps a character; nothing is read where a `?` stands, and little where a
    /// small letter does, not much where a `~` does.
    fn line(text: &str) -> Line {
        let mut line = Line::default();
        for (i, c) in text.chars().enumerate().filter(|(_, c)| *c != '?') {
            line.text.push(if c == '~' { '1' } else { c.to_ascii_uppercase() });
            line.confidence.push(if c == '~' {
                0.7
            } else if c.is_ascii_lowercase() {
                0.3
            } else {
                0.99
            });
            line.at.push((7.0 + 3.5 * i as f32).floor());
        }
        line
    }

    #[test]
    fn hidden_digits_of_a_resident_number_are_missed() {
        for text in [
            "11010519491???002X",
            "110105194912??002X",
            "110105???91231002X",
            "11010519491231???",
            "???10519491231002X",
        ] {
            assert!(partly_read_number(&line(text)), "{text}");
        }
        assert!(partly_read_number(&line("1101051949ab31002X")), "unsure is unread");
        assert!(partly_read_number(&line("QQ?11010519491???002X")), "a label before it");
    }

    #[test]
    fn other_lines_miss_nothing() {
        for text in [
            "11010519491231002X",
            "",
            "1",
            "123456789012345678",
            "99010519491???002X",
            "11010529491???002X",
            "110?0519?91231002X",
            "1101051949??????????",
            "ABCDEFGHIJ???KLMNO",
            "1a01051b49123c002X",
            "4012888888???81881",
            "220001293640812520",
            "110105194912~1002X",
            "1101051949~~~1002X",
            "110105194?1231002X",
            "?10105194912310021",
            "110105194912??002X1",
            "111010519491??1002X",
        ] {
            assert!(!partly_read_number(&line(text)), "{text}");
        }
    }

    #[test]
    fn hidden_characters_of_a_credit_code_are_missed() {
        assert!(partly_read_code(&line("91350100M0???00Y43")));
        for text in ["91350100M000100Y43", "AB350100M0???00Y43", "91990100M0???00Y43", "TOTAL 12.50 EUR???43"] {
            assert!(!partly_read_code(&line(text)), "{text}");
        }
    }
}
