//! Rates by category → bars with their intervals.

use plotters::style::text_anchor::{HPos, VPos};

use super::Rates;
use super::axis::Axis;
use super::canvas::{FOOT, Key, LINE, Mark, Svg, WIDTH, figure, no_data};
use super::ink::{INK, filled_bar, whisker, write};
use super::plane::Plane;
use super::text::{fitted, names};

/// Rates by category, such as source or species, one bar per series under the name of each category; `label` names the
/// rate, without its unit, which is per cent.
pub fn bars(label: &str, categories: &[String], series: &[Rates]) -> Svg {
    let title = format!("{label}: {}", names(categories.iter()));
    let drawn: Vec<_> = series.iter().map(|s| s.drawn(categories.len())).collect();
    if drawn.iter().all(Vec::is_empty) {
        return no_data(&title);
    }
    let highest = drawn.iter().flatten().map(|(_, m)| m.highest()).fold(0.0, f64::max);
    let keys = series.iter().enumerate().map(|(i, s)| Key::new(&s.name, Mark::Bar(i)));
    let keys = if series.len() > 1 { keys.collect() } else { Vec::new() };
    let (bar, gap, room) = (20, 12, 100);
    let row = LINE + bar * series.len() as i32 + gap;
    let height = row * categories.len() as i32 + 8 + FOOT;
    figure(&title, height, keys, |root| {
        let area = root.clone().shrink((0, 0), (WIDTH - room, height));
        let x = Axis::rate(&format!("{label}, %"), highest);
        let plane = Plane::draw(&area, x, Axis::categories("", 1), [8, 8, FOOT])?;
        for (c, name) in categories.iter().enumerate() {
            let top = 8 + row * c as i32;
            let name = fitted(name, WIDTH - 40);
            write(root, &name, (plane.columns.start + 4, top + 4), HPos::Left, VPos::Top)?;
            for (i, rates) in drawn.iter().enumerate() {
                let Some((_, measured)) = rates.iter().find(|(category, _)| *category == c) else { continue };
                let (upper, middle) = (top + LINE + bar * i as i32, top + LINE + bar * i as i32 + bar / 2);
                let end = plane.at(measured.rate, 0.0).0;
                filled_bar(root, [(plane.columns.start, upper + 1), (end, upper + bar - 1)], i)?;
                if let Some(interval) = measured.interval {
                    let end = |rate: f64| (plane.at(rate, 0.0).0, middle);
                    whisker(root, end(interval.low), end(interval.high), INK)?;
                }
                let text = format!("{:.2} %", measured.rate * 100.0);
                write(root, &text, (WIDTH - 6, middle), HPos::Right, VPos::Center)?;
            }
        }
        Ok(())
    })
}
