//! A page whose every name is hostile, for the tests of its writers.

use std::io::{self, Write};

use super::{Cell, ErrorCard, Figure, Page, Section, Table, plots};

pub const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror='a'>|`*_[a](b)\u{202e}\u{0}";

pub fn page() -> Page {
    let cells = |text: &str| vec![Cell::words(text).badged(HOSTILE), Cell::number("0.5")];
    let table = Table {
        caption: HOSTILE.into(),
        head: vec![HOSTILE.into(), "rate".into()],
        rows: vec![cells(HOSTILE), vec![], vec![Cell::words("=1+1"), Cell::number("-0.25"), Cell::number("-x")]],
    };
    let card = |jpeg: Option<&[u8]>| ErrorCard {
        thumbnail: jpeg.map(<[u8]>::to_vec),
        overlay: None,
        title: HOSTILE.into(),
        lines: vec![HOSTILE.into()],
    };
    let figure = Figure { caption: HOSTILE.into(), svg: plots::reliability(&[(0.2, 0.3, 9), (0.8, 0.7, 1)]) };
    let section = Section {
        heading: HOSTILE.into(),
        id: "a\" onclick=\"b".into(),
        text: vec![HOSTILE.into()],
        tables: vec![table.clone(), table],
        figures: vec![figure],
        errors: vec![card(Some(b"\xff\xd8")), card(None), card(Some(b""))],
    };
    let foreign = Section { heading: "证件".into(), id: "证件".into(), ..Section::default() };
    let sections = vec![section.clone(), section, foreign, Section { id: "contents".into(), ..Section::default() }];
    Page { title: HOSTILE.into(), lead: vec![HOSTILE.into()], sections }
}

pub fn written(writer: fn(&Page, &mut dyn Write) -> io::Result<()>, page: &Page) -> String {
    let mut out = Vec::new();
    writer(page, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}
