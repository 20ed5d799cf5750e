//! A drawing → counts of its elements, and the curves and names that are drawn in tests.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::{Measured, Series, Svg};
use crate::benchmark::measure::{Interval, Point};

pub const HOSTILE: &str = "\"><script>alert(1)</script>&'\u{0}\u{1b}\u{202e}\u{ffff} 证件";

/// Counts of elements by name, when `svg` is well-formed and holds no foreign element and no style.
pub fn elements(svg: &Svg) -> BTreeMap<String, usize> {
    let text = svg.as_str();
    assert!(!text.chars().any(|c| (c < ' ' && c != '\n') || c == '\u{ffff}'), "{text}");
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let mut counts = BTreeMap::new();
    let mut reader = Reader::from_str(text);
    let mut depth = 0;
    loop {
        let (start, empty) = match reader.read_event().unwrap() {
            Event::Start(start) => (start, false),
            Event::Empty(start) => (start, true),
            Event::End(_) => {
                depth -= 1;
                continue;
            }
            Event::Text(text) => {
                text.decode().unwrap();
                continue;
            }
            Event::GeneralRef(_) => continue,
            Event::Eof => break,
            other => panic!("{other:?}"),
        };
        depth += i32::from(!empty);
        let name = String::from_utf8(start.name().as_ref().to_vec()).unwrap();
        assert!(
            ["svg", "title", "text", "line", "polyline", "polygon", "rect", "circle"].contains(&name.as_str()),
            "{name}"
        );
        for attribute in start.attributes() {
            assert_ne!(attribute.unwrap().key.as_ref(), b"style");
        }
        *counts.entry(name).or_insert(0) += 1;
    }
    assert_eq!(depth, 0);
    assert!(text.starts_with("<svg ") && text.contains("role=\"img\"") && counts["title"] == 1);
    counts
}

pub fn says_no_data(svg: &Svg) -> bool {
    elements(svg);
    svg.as_str().contains(">no data<")
}

pub fn point(apcer: f64, bpcer: f64) -> Point {
    Point { threshold: 0.5, apcer, bpcer }
}

pub fn curve(points: Vec<Point>) -> Series {
    Series { name: HOSTILE.into(), operating: points.first().copied(), points }
}

pub fn falling() -> Vec<Point> {
    (0..=50).map(|i| f64::from(i) / 50.0).map(|t| point(t, (1.0 - t).powi(3))).collect()
}

#[expect(clippy::unnecessary_wraps, reason = "rates are optional")]
pub fn measured(rate: f64) -> Option<Measured> {
    Some(Measured { rate, interval: Some(Interval { low: rate / 2.0, high: rate * 1.5 }) })
}
