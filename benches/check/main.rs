//! Photographs → what a check of them costs, beside plain decoders of the same files in the same process, stage by stage.
//!
//! ```sh
//! cargo bench --features simulation --bench check                        # everything, some ten minutes
//! cargo bench --features simulation --bench check -- files sizes         # parts of it: files, sizes, start, threads, memory
//! cargo bench --features simulation --bench check -- short               # three photographs, in a minute
//! cargo bench --features simulation --bench check -- files --real DIR --rounds 9 --json after.json
//! cargo bench --features simulation --bench check -- files --peer PYTHON # beside benches/peers/speed.py
//! cargo bench --features simulation --bench check -- compare before.json after.json
//! ```
//!
//! Photographs of 12 megapixels are made by the simulator, once, and kept below `target/tmp`; `--real` adds those JPEGs of
//! a folder that have 8 megapixels and more. In every round each is decoded and checked in turn, so that whatever else the
//! machine does falls on all alike; of each figure the least of all rounds counts. Figures are CPU time, user and system,
//! of one thread. Nothing is held: read the ratios, and compare runs of one machine.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "prints what it measured")]

mod files;
mod measure;
mod programs;
mod tables;

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    parts: Vec<String>,
    real: Vec<PathBuf>,
    rounds: Option<usize>,
    json: Option<PathBuf>,
    peer: Option<PathBuf>,
}

impl Asked {
    fn read(given: &[String]) -> Result<Self, Box<dyn Error>> {
        let mut asked = Self::default();
        let mut given = given.iter();
        while let Some(word) = given.next() {
            let mut value = || given.next().ok_or(format!("{word} takes a value"));
            match word.as_str() {
                "--real" => asked.real.push(value()?.into()),
                "--rounds" => asked.rounds = Some(value()?.parse()?),
                "--json" => asked.json = Some(value()?.into()),
                "--peer" => asked.peer = Some(value()?.into()),
                "files" | "sizes" | "start" | "threads" | "memory" | "short" => asked.parts.push(word.clone()),
                other => {
                    return Err(
                        format!("`{other}` is none of files, sizes, start, threads, memory, short, compare").into()
                    );
                }
            }
        }
        Ok(asked)
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|p| p == part)
    }

    fn short(&self) -> bool {
        self.parts.iter().any(|part| part == "short")
    }
}

/// What was measured of one photograph, the least of all rounds.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Row {
    name: String,
    megapixels: f64,
    bytes: usize,
    /// CPU milliseconds of each yardstick, of decoding here and of a check with each engine.
    cpu_ms: BTreeMap<String, f64>,
    /// Pages of memory that the system had to give, likewise.
    faults: BTreeMap<String, u64>,
    /// CPU milliseconds of each stage of a check, by engine.
    stages: BTreeMap<String, BTreeMap<String, f64>>,
}

/// One run of this bench.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Run {
    version: String,
    processor: String,
    rounds: usize,
    /// Photographs of about 12 megapixels.
    files: Vec<Row>,
    /// The same subject at other sizes.
    sizes: Vec<Row>,
    /// CPU milliseconds of the program from start to end on a small picture, by engine.
    start_ms: BTreeMap<String, f64>,
    /// The program on many files, by engine and threads.
    batches: Vec<programs::Batch>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds `--bench`.
    let given: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [word, before, after] = &given[..]
        && word == "compare"
    {
        let read =
            |path: &str| -> Result<Run, Box<dyn Error>> { Ok(serde_json::from_str(&fs::read_to_string(path)?)?) };
        tables::compare(&read(before)?, &read(after)?);
        return Ok(());
    }
    let asked = Asked::read(&given)?;
    let rounds = asked.rounds.unwrap_or(if asked.short() { 3 } else { 5 });
    let mut run = Run {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        processor: measure::processor(),
        rounds,
        ..Run::default()
    };
    println!("{}; least of {rounds} rounds; ms of CPU, user and system\n", run.processor);
    let engines = measure::engines();
    if asked.has("files") || asked.short() {
        let mut made = files::made(if asked.short() { 3 } else { usize::MAX })?;
        made.extend(files::real(&asked.real)?);
        run.files = measure::rows(&made, &engines, rounds);
        if let Some(python) = &asked.peer {
            programs::peer(python, &made, &mut run.files, rounds)?;
        }
        tables::files(&run.files);
        tables::stages(&run.files);
    }
    if asked.has("sizes") {
        run.sizes = measure::rows(&files::sizes()?, &engines, rounds);
        tables::sizes(&run.sizes);
    }
    drop(engines);
    if asked.has("start") || asked.short() {
        run.start_ms = programs::start(rounds)?;
        tables::start(&run.start_ms);
    }
    if asked.has("threads") || asked.has("memory") {
        run.batches = programs::batches(&files::made(usize::MAX)?)?;
        tables::batches(&run.batches);
    }
    if let Some(path) = &asked.json {
        fs::write(path, serde_json::to_string_pretty(&run)?)?;
    }
    Ok(())
}
