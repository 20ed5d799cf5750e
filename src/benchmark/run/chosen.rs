//! Judged samples → a few of them, no source more than another as far as that goes.

use std::collections::BTreeMap;

use crate::benchmark::findings::Judged;
use crate::benchmark::labels::Label;
use crate::benchmark::measure::Gate;

/// Up to `most` of `judged` that are `wanted`: the first of each source, then the second of each, and so on.
#[must_use]
pub fn in_turn(judged: &[Judged], wanted: impl Fn(&Judged) -> bool, most: usize) -> Vec<&Judged> {
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<(usize, &Judged)> = judged
        .iter()
        .filter(|row| wanted(row) && row.stored.error.is_none())
        .map(|row| {
            let place = place.entry(&row.sample.source).or_default();
            *place += 1;
            (*place, row)
        })
        .collect();
    rows.sort_by_key(|(place, _)| *place);
    rows.into_iter().take(most).map(|(_, row)| row).collect()
}

/// Attacks of `judged` whose verdict names one: up to `most`, the first of each source, then the second, and so on.
#[must_use]
pub fn accused(judged: &[Judged], most: usize) -> Vec<&Judged> {
    let named = |row: &Judged| row.sample.label != Label::Original && Gate::ReviewedAsAttack.stops(row) == Some(true);
    in_turn(judged, named, most)
}
