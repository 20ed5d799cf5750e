//! What was measured → tables for a person, and two runs side by side.

use std::collections::{BTreeMap, BTreeSet};

use crate::programs::Batch;
use crate::{Row, Run};

/// Columns of the tables of photographs, as they come.
const COLUMNS: [&str; 7] = ["image", "image_kept", "djpeg", "decode", "onnxruntime", "embedded", "peer"];

fn heading(title: &str) {
    println!("{title:<34}{}", COLUMNS.map(|column| format!("{column:>13}")).concat());
}

fn line(name: &str, value: impl Fn(&str) -> Option<f64>, digits: usize) {
    let cells = COLUMNS.map(|column| value(column).map_or(" ".repeat(13), |v| format!("{v:>13.digits$}")));
    println!("{name:<34}{}", cells.concat());
}

fn mean(rows: &[Row], column: &str) -> Option<f64> {
    let known: Vec<f64> = rows.iter().filter_map(|row| row.cpu_ms.get(column).copied()).collect();
    (!known.is_empty() && known.len() == rows.len()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// Each photograph, the mean of all, their ratios to the yardstick and the worst of them.
pub fn files(rows: &[Row]) {
    heading("photographs");
    for row in rows {
        line(&format!("{} {:.1} MB", row.name, row.bytes as f64 / 1e6), |column| row.cpu_ms.get(column).copied(), 1);
    }
    line("mean", |column| mean(rows, column), 1);
    line("ratio of the means to image", |column| Some(mean(rows, column)? / mean(rows, "image")?), 2);
    let ratio = |row: &Row, column: &str| Some(row.cpu_ms.get(column)? / row.cpu_ms.get("image")?);
    let worst = |column: &str| rows.iter().filter_map(|row| ratio(row, column)).reduce(f64::max);
    line("worst ratio", worst, 2);
    let faults = |column: &str| {
        let sum: u64 = rows.iter().map(|row| row.faults.get(column)).sum::<Option<u64>>()?;
        (column != "djpeg").then(|| sum as f64 / rows.len().max(1) as f64)
    };
    line("page faults", faults, 0);
    println!();
}

/// The mean of each stage by engine, the longest first; what takes less than a fifth of a millisecond is left out.
pub fn stages(rows: &[Row]) {
    let mut sums: BTreeMap<&str, BTreeMap<&str, f64>> = BTreeMap::new();
    for row in rows {
        for (engine, stages) in &row.stages {
            for (stage, ms) in stages {
                *sums.entry(stage).or_default().entry(engine).or_default() += ms / rows.len() as f64;
            }
        }
    }
    let mut stages: Vec<_> = sums.into_iter().collect();
    stages.sort_by(|a, b| b.1.values().sum::<f64>().total_cmp(&a.1.values().sum()));
    heading("stages, mean");
    for (stage, by_engine) in stages.iter().filter(|(_, by_engine)| by_engine.values().any(|ms| *ms >= 0.2)) {
        line(stage, |column| by_engine.get(column).copied(), 1);
    }
    println!();
}

/// Each size, with what is left of a check after 0.6 of the yardstick: the part that should not grow.
pub fn sizes(rows: &[Row]) {
    heading("sizes");
    for row in rows {
        line(&format!("{:.1} megapixels", row.megapixels), |column| row.cpu_ms.get(column).copied(), 1);
    }
    println!("a check less 0.6 × image:");
    for row in rows {
        let rest = |column: &str| {
            ["onnxruntime", "embedded"].contains(&column).then_some(())?;
            Some(row.cpu_ms.get(column)? - 0.6 * row.cpu_ms.get("image")?)
        };
        line(&format!("{:.1} megapixels", row.megapixels), rest, 1);
    }
    println!();
}

/// What `check` of a small picture costs from start to end.
pub fn start(by_engine: &BTreeMap<String, f64>) {
    for (engine, ms) in by_engine {
        println!("`check` of a picture of 0.15 megapixels, {engine}: {ms:.0} ms of CPU from start to end");
    }
    println!();
}

/// The program on many files.
pub fn batches(batches: &[Batch]) {
    println!(
        "{:<14}{:>9}{:>8}{:>10}{:>12}{:>12}{:>12}",
        "screen", "threads", "files", "wall, s", "CPU, s", "peak, MB", "speed-up"
    );
    for batch in batches {
        let first = batches.iter().find(|other| other.engine == batch.engine && other.threads == 1);
        let faster = first.map_or(1.0, |first| first.wall_s / batch.wall_s);
        let peak = batch.peak_mb.map_or_else(String::new, |mb| format!("{mb:.0}"));
        println!(
            "{:<14}{:>9}{:>8}{:>10.2}{:>12.2}{peak:>12}{faster:>12.2}",
            batch.engine, batch.threads, batch.files, batch.wall_s, batch.cpu_s
        );
    }
    println!();
}

/// What changed from one run to another: times of the same photographs, each as a share of its own run's yardstick too,
/// since the machine may have been slower.
pub fn compare(before: &Run, after: &Run) {
    println!("before: {} {}\nafter:  {} {}\n", before.version, before.processor, after.version, after.processor);
    for (title, old, new) in [("files", &before.files, &after.files), ("sizes", &before.sizes, &after.sizes)] {
        let names: BTreeSet<(&str, usize)> = old.iter().map(|row| (row.name.as_str(), row.bytes)).collect();
        let new: Vec<Row> = new.iter().filter(|row| names.contains(&(&row.name, row.bytes))).cloned().collect();
        let same: BTreeSet<&str> = new.iter().map(|row| row.name.as_str()).collect();
        let old: Vec<Row> = old.iter().filter(|row| same.contains(row.name.as_str())).cloned().collect();
        if new.is_empty() {
            continue;
        }
        heading(&format!("{title}: {} in both", new.len()));
        line("before, ms", |column| mean(&old, column), 1);
        line("after, ms", |column| mean(&new, column), 1);
        line("after / before", |column| Some(mean(&new, column)? / mean(&old, column)?), 3);
        let share = |rows: &[Row], column: &str| Some(mean(rows, column)? / mean(rows, "image")?);
        line("before, of image", |column| share(&old, column), 2);
        line("after, of image", |column| share(&new, column), 2);
        println!();
        println!("before:");
        stages(&old);
        println!("after:");
        stages(&new);
    }
    for (engine, ms) in &after.start_ms {
        let was = before.start_ms.get(engine).map_or_else(String::new, |was| format!("{was:.0} → "));
        println!("start, {engine}: {was}{ms:.0} ms");
    }
    for batch in &after.batches {
        let was = before.batches.iter().find(|b| b.engine == batch.engine && b.threads == batch.threads);
        let was = was.map_or_else(String::new, |b| format!("{:.2} s, {:.0} MB → ", b.cpu_s, b.peak_mb.unwrap_or(0.0)));
        let peak = batch.peak_mb.unwrap_or(0.0);
        println!("screen, {} × {}: {was}{:.2} s of CPU, {peak:.0} MB", batch.engine, batch.threads, batch.cpu_s);
    }
}
