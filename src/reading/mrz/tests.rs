//! The standard's specimens, whole, misread and damaged → what is read of them.

use super::zone::{belongs, latest};
use super::*;
use crate::reading::day;
use crate::reading::tests::weird_texts;

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
    day(2026, 1, 15).expect("a day")
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
fn names_beside_a_state_that_is_none_are_not_believed() {
    // The O of UTO was lost: every check digit still holds.
    let zone = read(&["P<UTERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<<", SPECIMENS[2][1]]);
    assert!(zone.code.holds());
    let fields = zone.fields(today()).expect("readable");
    assert!(fields.issuing_state.is_empty() && fields.surname.is_empty() && fields.given_names.is_empty());
    assert_eq!((fields.document_number.as_str(), fields.nationality.as_str()), ("L898902C3", "UTO"));
}

#[test]
fn fields_are_told_on_request() {
    for lines in SPECIMENS {
        let fields = read(lines).fields(today()).expect("readable");
        assert_eq!((fields.surname.as_str(), fields.given_names.as_str()), ("ERIKSSON", "ANNA MARIA"));
        assert_eq!((fields.issuing_state.as_str(), fields.nationality.as_str()), ("UTO", "UTO"));
        assert_eq!((fields.birth, fields.expiry), (day(1974, 8, 12), day(2012, 4, 15)));
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
        assert_eq!((fields.birth, fields.expiry), (day(1934, 7, 12), day(1995, 7, 12)));
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
        assert_eq!((mrz.code, mrz.faults.as_slice()), (NumberCode::Unreadable, &[Fault::Alphabet][..]), "{lines:?}");
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
    for (birth, expiry) in [("74<<<<", "120415"), ("<<<<<<", "<<<<<<"), ("000229", "120415"), ("74<<31", "120415")] {
        assert_eq!(read(birth, expiry).code, NumberCode::Consistent, "{birth} {expiry}");
    }
    for (birth, expiry) in [("741301", "120415"), ("740812", "120431"), ("010229", "120415"), ("7408<2", "120415")] {
        let mrz = read(birth, expiry);
        assert_eq!((mrz.code, mrz.faults.as_slice()), (NumberCode::Illegal, &[Fault::Date][..]), "{birth} {expiry}");
    }
    let fields = read("74<<<<", "<<<<<<").fields(today()).expect("readable");
    assert_eq!((fields.birth, fields.expiry, fields.sex), (None, None, None));
}

#[test]
fn the_century_follows_from_today() {
    let (today, far) = (today(), day(2075, 12, 31).expect("a day"));
    assert_eq!(latest("260115", today), day(2026, 1, 15));
    assert_eq!(latest("260116", today), day(1926, 1, 16));
    assert_eq!(latest("000229", today), day(2000, 2, 29));
    assert_eq!(latest("751231", far), day(2075, 12, 31));
    assert_eq!(latest("760101", far), day(1976, 1, 1));
    assert_eq!(latest("990101", day(1, 1, 1).expect("a day")), None);
    let late = day(9999, 12, 31).expect("a day");
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
    assert_eq!((fields.birth, fields.expiry), (day(1965, 12, 6), None));
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
