//! Rates and intervals → cells of a table, and what a drawing takes.

use super::Cell;
use super::plots::Measured;
use crate::benchmark::measure::{Interval, Rate, Share};

/// In per cent.
#[must_use]
pub fn percent(rate: f64) -> String {
    format!("{:.1} %", 100.0 * rate)
}

/// In per cent, in brackets.
#[must_use]
pub fn bracket(interval: Option<Interval>) -> String {
    interval.map_or("-".to_owned(), |i| format!("[{:.1}, {:.1}]", 100.0 * i.low, 100.0 * i.high))
}

pub(super) fn share(share: Share) -> String {
    share.rate().map_or("-".to_owned(), percent)
}

/// Value, n and both intervals.
pub(super) fn rate_cells(rate: Option<&Rate>) -> Vec<Cell> {
    match rate {
        Some(rate) => vec![
            Cell::number(share(rate.share)),
            Cell::number(format!("{} of {}", rate.share.count, rate.share.of)),
            Cell::number(bracket(Some(rate.files))),
            Cell::number(bracket(rate.sources)),
        ],
        None => vec![Cell::number("-"), Cell::number("0"), Cell::number("-"), Cell::number("-")],
    }
}

pub(super) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

pub(super) fn measured(rate: &Rate) -> Option<Measured> {
    Some(Measured { rate: rate.share.rate()?, interval: Some(rate.sources.unwrap_or(rate.files)) })
}
