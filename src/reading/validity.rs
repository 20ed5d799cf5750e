//! A line of a card's or licence's validity → the day on which it ends, where that was surely read.
//!
//! No check digit covers these dates. On a card beginning and end are of one day of the year and so many years apart as the
//! law has it (Law on Resident Identity Cards, article 5: 5, 10 or 20), so that a digit misread in one of them seldom goes
//! unseen; a licence's end is believed where two readers saw the same digits, or it is whole years after its beginning.

use std::ops::Range;

use super::{Date, Line, day, half_width};

/// Confidence that every character of a date must have: as of a number's, whose checks hold far more.
const SURE: f32 = 0.9;
/// The same of a digit of a card's day or month, which stand twice and prove each other.
const SURE_TWICE: f32 = 0.5;
/// The same of a digit of its years: one that is wrong may still leave ten years for twenty.
const SURE_YEAR: f32 = 0.7;
/// First year in which a validity may begin; no licence is older than the reform of 1979.
const FIRST_YEAR: i16 = 1979;
/// Years from beginning to end of a card's validity: resident cards of 5, 10 or 20, permits of 1, 5 or 10.
const CARD_YEARS: [i16; 4] = [1, 5, 10, 20];
/// Greatest number of years of a licence's term.
const MOST_YEARS: i16 = 100;
/// What stands in place of an end: long-term.
const LONG_TERM: [char; 2] = ['长', '期'];
/// What stands between two days of a licence's term.
const UNTIL: char = '至';
/// Digits of a date, and of its year before the others.
const DATE: usize = 8;
const YEAR: usize = 4;

/// When a validity ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Its last day.
    Day(Date),
    /// Never.
    LongTerm,
}

/// A validity that was read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Validity {
    /// When it ends.
    pub until: Until,
    /// How sure the least sure of its characters is, 0 to 1.
    pub least: f32,
}

impl Validity {
    /// Days from `today` to its last day, below 0 where that has passed; `None` where it never ends.
    #[must_use]
    pub fn days_left(&self, today: Date) -> Option<i32> {
        match self.until {
            Until::Day(last) => days_between(today, last),
            Until::LongTerm => None,
        }
    }
}

/// Days from `from` to `to`, below 0 where that lies before.
#[must_use]
pub fn days_between(from: Date, to: Date) -> Option<i32> {
    from.until(to).ok().map(|span| span.get_days())
}

/// The characters of a line that may be of a date, and how sure each is.
fn signs(line: &Line) -> Vec<(char, f32)> {
    let apart = |c: &char| matches!(c, ' ' | '.' | '-' | '—' | '·' | ',' | '。' | '、' | '，' | ':' | '<' | '_' | '~');
    let read = line.text.chars().map(half_width).zip(line.confidence.iter().copied());
    read.filter(|(c, _)| !apart(c)).map(|(c, confidence)| (if c == 'O' { '0' } else { c }, confidence)).collect()
}

/// How sure the least sure of `signs` is.
fn least(signs: &[(char, f32)]) -> f32 {
    signs.iter().map(|(_, confidence)| *confidence).fold(1.0, f32::min)
}

/// The date that eight digits are: year, month, day.
fn date(signs: &[(char, f32)]) -> Option<Date> {
    let digits: Vec<u16> = signs.iter().map(|(c, _)| c.to_digit(10).map(|d| d as u16)).collect::<Option<_>>()?;
    let [y0, y1, y2, y3, m0, m1, d0, d1] = digits[..].try_into().ok()?;
    let date = day(y0 * 1000 + y1 * 100 + y2 * 10 + y3, (m0 * 10 + m1) as u8, (d0 * 10 + d1) as u8)?;
    (date.year() >= FIRST_YEAR).then_some(date)
}

/// Whether `until` is whole years after `from`, or the day before: how many.
fn years_between(from: Date, until: Date) -> Option<i16> {
    let years = until.year() - from.year();
    let ends = |last: Date| {
        // The 29th of February ends on the 28th or on the 1st of March.
        (last.month(), last.day()) == (from.month(), from.day())
            || ((from.month(), from.day()) == (2, 29) && matches!((last.month(), last.day()), (2, 28) | (3, 1)))
    };
    let next = until.tomorrow().ok()?;
    if ends(until) { Some(years) } else { ends(next).then(|| next.year() - from.year()) }
}

/// The validity that stands in a card's line: `2015.01.01-2035.01.01`, `2006.05.12-长期`; `None` where none was surely
/// read, or what was read cannot be.
#[must_use]
pub fn of_card(line: &Line, today: Date) -> Option<Validity> {
    let signs = signs(line);
    let begins = |signs: &[(char, f32)]| date(signs).filter(|from| *from <= today);
    let sure = |(at, (_, confidence)): (usize, &(char, f32))| {
        *confidence >= if at % DATE < YEAR { SURE_YEAR } else { SURE_TWICE }
    };
    let term = signs.windows(2 * DATE).find_map(|part| {
        if !part.iter().enumerate().all(sure) {
            return None;
        }
        let (from, until) = (begins(&part[..DATE])?, date(&part[DATE..])?);
        CARD_YEARS
            .contains(&years_between(from, until)?)
            .then(|| Validity { until: Until::Day(until), least: least(part) })
    });
    let endless = || {
        signs.windows(DATE + LONG_TERM.len()).find_map(|part| {
            begins(&part[..DATE])?;
            let long = part[DATE..].iter().map(|(c, _)| *c).eq(LONG_TERM);
            (long && least(part) >= SURE).then(|| Validity { until: Until::LongTerm, least: least(part) })
        })
    };
    term.or_else(endless)
}

/// The term that stands in a licence's line, `2015年10月01日至2035年09月30日`, `至2035年09月30日`, `长期`; `digits` is
/// the same line as the reader of numbers has it. `None` where none was surely read.
#[must_use]
pub fn of_licence(line: &Line, digits: &Line) -> Option<Validity> {
    let signs = signs(line);
    let (days, parts) = days(&signs);
    let until = signs.iter().position(|(c, _)| *c == UNTIL);
    let long = signs.windows(LONG_TERM.len()).find(|part| part.iter().map(|(c, _)| *c).eq(LONG_TERM));
    if let Some(long) = long {
        return Some(Validity { until: Until::LongTerm, least: least(long) }).filter(|validity| validity.least >= SURE);
    }
    let (last, at) = days.last().copied().zip(parts.last())?;
    // A day alone is that of a foundation; one behind "until", or behind another, is an end.
    let first = (days.len() == 2).then(|| days[0]);
    if days.len() > 2 || (first.is_none() && until.is_none_or(|until| until >= at.start)) {
        return None;
    }
    if first.is_some_and(|first| first >= last || last.year() - first.year() > MOST_YEARS) {
        return None;
    }
    let seen: String = digits.text.chars().filter(char::is_ascii_digit).collect();
    let plain = format!("{}{}{}", last.year(), last.month(), last.day());
    let twice = seen.contains(&compact(last)) || seen.contains(&plain);
    let whole = first.is_some_and(|first| years_between(first, last).is_some_and(|years| years > 0));
    let least = least(&signs[parts[0].start..at.end]);
    (least >= SURE && (twice || whole)).then_some(Validity { until: Until::Day(last), least })
}

/// `date` as eight digits.
fn compact(date: Date) -> String {
    format!("{:04}{:02}{:02}", date.year(), date.month(), date.day())
}

/// The days that are written out with 年, 月 and 日, or those of `20151001至20350930`, and where they stand.
fn days(signs: &[(char, f32)]) -> (Vec<Date>, Vec<Range<usize>>) {
    let short = (0..signs.len().saturating_sub(2 * DATE)).find_map(|at| {
        let (first, last) = (at..at + DATE, at + DATE + 1..at + 2 * DATE + 1);
        let days = vec![date(&signs[first.clone()])?, date(&signs[last.clone()])?];
        (signs[first.end].0 == UNTIL).then(|| (days, vec![first, last]))
    });
    if let Some(short) = short {
        return short;
    }
    let number = |range: Range<usize>| {
        let text: String = signs.get(range)?.iter().map(|(c, _)| *c).collect();
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok())?
    };
    let next = |from: usize, c: char| (from..signs.len().min(from + 3)).find(|i| signs[*i].0 == c);
    let years = (4..signs.len()).filter(|i| signs[*i].0 == '年');
    let found = years.filter_map(|year| {
        let month = next(year + 1, '月')?;
        let of_month = next(month + 1, '日')?;
        let parts = [number(year - 4..year)?, number(year + 1..month)?, number(month + 1..of_month)?];
        let date = day(parts[0], parts[1] as u8, parts[2] as u8)?;
        (date.year() >= FIRST_YEAR).then_some((date, year - 4..of_month + 1))
    });
    found.unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        let count = text.chars().count();
        Line { text: text.to_owned(), confidence: vec![0.99; count], at: (0..count).map(|i| i as f32).collect() }
    }

    fn on(year: u16, month: u8, of_month: u8) -> Date {
        day(year, month, of_month).expect("a day")
    }

    fn card(text: &str) -> Option<Until> {
        of_card(&line(text), on(2026, 11, 28)).map(|validity| validity.until)
    }

    fn licence(text: &str, digits: &str) -> Option<Until> {
        of_licence(&line(text), &line(digits)).map(|validity| validity.until)
    }

    #[test]
    fn a_cards_end_is_read_however_its_signs_came_out() {
        for text in [
            "2015.01.01-2035.01.01",
            "有效期限2015.01.01-2035.01.01",
            "VALID 20150101 20350101",
            "2015.01.01—2035.O1.01",
            "２０１５．０１．０１-２０３５．０１．０１",
            "1 2015.01.01 2035.01.01",
        ] {
            assert_eq!(card(text), Some(Until::Day(on(2035, 1, 1))), "{text}");
        }
        assert_eq!(card("有效期限2006.05.12-长期"), Some(Until::LongTerm));
        assert_eq!(card("2016.02.29-2026.02.28"), Some(Until::Day(on(2026, 2, 28))));
        assert_eq!(card("2019.03.17-2029.03.16"), Some(Until::Day(on(2029, 3, 16))));
    }

    #[test]
    fn one_wrong_digit_of_a_cards_dates_is_seen_but_in_a_decade_or_by_a_day() {
        let text = "2015.03.14-2035.03.14";
        let mut believed = Vec::new();
        for (at, right) in text.char_indices().filter(|(_, c)| c.is_ascii_digit()) {
            for digit in ('0'..='9').filter(|digit| *digit != right) {
                let wrong: String = text.char_indices().map(|(i, c)| if i == at { digit } else { c }).collect();
                believed.extend(card(&wrong).map(|_| wrong));
            }
        }
        // Ten and twenty years differ by one digit of either year, and a permit ends on the day before.
        let expected =
            ["2025.03.14-2035.03.14", "2015.03.15-2035.03.14", "2015.03.14-2025.03.14", "2015.03.14-2035.03.13"];
        assert_eq!(believed, expected);
    }

    #[test]
    fn no_end_is_told_of_what_was_not_surely_read_or_cannot_be() {
        for text in [
            "",
            "2015.01.01",
            "长期",
            "2015.01.01-2036.01.01",
            "2015.13.01-2035.13.01",
            "2035.01.01-2055.01.01",
            "2015.01.01-长",
            "1915.01.01-1935.01.01",
            "2015.01.01-2015.01.01",
            "20150101x20350101",
        ] {
            assert_eq!(card(text), None, "{text}");
        }
        // Signs between digits have no say, and years more than what stands twice.
        for (at, confidence, read) in
            [(4, 0.2, true), (6, 0.6, true), (6, 0.4, false), (13, 0.8, true), (13, 0.6, false)]
        {
            let mut unsure = line("2015.01.01-2035.01.01");
            unsure.confidence[at] = confidence;
            assert_eq!(of_card(&unsure, on(2026, 11, 28)).is_some(), read, "{at} {confidence}");
        }
        let mut unsure = line("2006.05.12-长期");
        unsure.confidence[11] = 0.8;
        assert_eq!(of_card(&unsure, on(2026, 11, 28)), None);
    }

    #[test]
    fn a_licences_end_is_read_where_it_is_one() {
        let end = Some(Until::Day(on(2035, 9, 30)));
        let both = "2015年10月01日至2035年09月30日";
        assert_eq!((licence(both, ""), licence(&format!("营业期限自{both}"), "")), (end, end));
        let odd = "2015年10月11日至2035年9月30日";
        assert_eq!((licence(odd, ""), licence(odd, "20151011 20350930")), (None, end));
        assert_eq!(licence(odd, "2015101120359 30"), end);
        assert_eq!((licence("至2035年09月30日", "20350930"), licence("至2035年09月30日", "20350980")), (end, None));
        assert_eq!(licence("2015年10月01日至长期", ""), Some(Until::LongTerm));
        assert_eq!(licence("2015-10-01至2035-09-30", ""), end);
        for other in
            ["成立日期2015年10月01日", "2035年09月30日", "2035年10月01日至2015年09月30日", "2015年10月至2035年"]
        {
            assert_eq!(licence(other, "20151001 20350930"), None, "{other}");
        }
    }

    #[test]
    fn days_are_counted_to_the_last_one() {
        let validity = |until| Validity { until, least: 1.0 };
        let until = |date| validity(Until::Day(date)).days_left(on(2026, 11, 28));
        assert_eq!(
            (until(on(2026, 11, 28)), until(on(2026, 11, 27)), until(on(2027, 11, 28))),
            (Some(0), Some(-1), Some(365))
        );
        assert_eq!(validity(Until::LongTerm).days_left(on(2026, 11, 28)), None);
    }
}
