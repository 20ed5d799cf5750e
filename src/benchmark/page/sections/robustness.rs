//! Captures made worse → errors by what was done to them.

use super::super::cells::{bracket, percent, words};
use super::super::plots::{self, Measured, Rates};
use super::super::{Cell, Figure, Section, Table};
use super::curves::thresholds;
use crate::benchmark::labels::Label;
use crate::benchmark::measure::{LEVEL, Share};
use crate::benchmark::run::{Tried, variants};
use crate::checker::Checker;

/// The curves of robustness: what `tried` says of originals and screens, variant by variant, at the policy's threshold of
/// review on the screen score.
#[must_use]
pub fn robustness(tried: &[Tried], checker: &Checker) -> Option<Section> {
    let review = thresholds(checker, "screen").into_iter().find(|t| t.name == "review")?.score;
    let names: Vec<String> = variants().iter().map(|variant| variant.name.to_owned()).collect();
    let rates = |label: Label, name: &str| {
        let of = |variant: &String| {
            let mine = tried.iter().filter(|row| row.label == label && row.variant == variant);
            let wrong = mine.filter_map(|row| Some((row.screen? >= review) != (label == Label::Screen)));
            let share = Share::of(wrong);
            Some(Measured { rate: share.rate()?, interval: share.interval(LEVEL).ok() })
        };
        Rates { name: name.to_owned(), rates: names.iter().map(of).collect() }
    };
    let series = [rates(Label::Screen, "APCER, screens"), rates(Label::Original, "BPCER")];
    let cell = |rate: &Option<Measured>| {
        rate.map_or(Cell::number("-"), |m| Cell::number(format!("{} {}", percent(m.rate), bracket(m.interval))))
    };
    let count = |label: Label| tried.iter().filter(|row| row.label == label && row.variant == names[0]).count();
    let rows = names.iter().enumerate().map(|(i, name)| {
        [vec![Cell::words(name)], series.iter().map(|rates| cell(&rates.rates[i])).collect()].concat()
    });
    Some(Section {
        heading: "Robustness".to_owned(),
        id: "robustness".to_owned(),
        text: vec![format!(
            "{} screens and {} originals, as many of each source as can be, made smaller, compressed, blurred and noisy; \
             at the policy's threshold of review, {review}. Intervals are over files.",
            count(Label::Screen),
            count(Label::Original)
        )],
        tables: vec![Table {
            caption: "Errors at review by what was done to the captures".to_owned(),
            head: words(&["", "APCER, screens", "BPCER"]),
            rows: rows.collect(),
        }],
        figures: vec![Figure {
            caption: "The same, with 95 % intervals over files.".to_owned(),
            svg: plots::bars("rate at review", &names, &series),
        }],
        ..Section::default()
    })
}
