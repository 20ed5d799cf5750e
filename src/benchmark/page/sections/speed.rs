//! Times of the checks → tables of the whole and of its stages.

use super::super::cells::words;
use super::super::{Cell, Section, Table};
use crate::benchmark::measure::Figures;

pub(super) fn speed(figures: &Figures) -> Option<Section> {
    let speed = figures.speed.as_ref()?;
    let [p50, p95, p99] = speed.p50_p95_p99_ms.map(|ms| Cell::number(format!("{ms:.1} ms")));
    let mut stages: Vec<(&String, f64)> = speed.stages_ms.iter().map(|(name, ms)| (name, *ms)).collect();
    stages.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rate = Cell::number(format!("{:.1}", speed.per_worker_per_s));
    Some(Section {
        heading: "Time".to_owned(),
        id: "time".to_owned(),
        text: vec![
            "As it was when the findings were measured, on that machine and beside whatever else it did.".to_owned(),
        ],
        tables: vec![
            Table {
                caption: "Of one check".to_owned(),
                head: words(&["n", "p50", "p95", "p99", "checks a second of one worker"]),
                rows: vec![vec![Cell::number(speed.n.to_string()), p50, p95, p99, rate]],
            },
            Table {
                caption: "Mean by stage; what detectors share counts for the first that asks for it".to_owned(),
                head: words(&["stage", "ms"]),
                rows: stages
                    .into_iter()
                    .map(|(name, ms)| vec![Cell::words(name), Cell::number(format!("{ms:.2}"))])
                    .collect(),
            },
        ],
        ..Section::default()
    })
}
