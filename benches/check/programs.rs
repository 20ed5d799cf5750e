//! The program as a process of its own → what starting costs, what more threads bring and what memory they take.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Row;
use crate::files::{Photograph, folder, small};
use crate::measure::{ENGINES, Usage};

/// Files of a batch.
const BATCH: usize = 80;
/// Workers that a batch is screened with.
const THREADS: [usize; 3] = [1, 2, 3];

/// One run of `screen`.
#[derive(Debug, Serialize, Deserialize)]
pub struct Batch {
    pub engine: String,
    pub threads: usize,
    pub files: usize,
    pub wall_s: f64,
    pub cpu_s: f64,
    /// Most memory that the process held at a time, where the system tells it.
    pub peak_mb: Option<f64>,
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// CPU time of `check` of a small picture, by engine.
pub fn start(rounds: usize) -> Result<BTreeMap<String, f64>, Box<dyn Error>> {
    let photograph = small()?;
    let path = photograph.path.to_string_lossy();
    let mut least = BTreeMap::new();
    for _ in 0..rounds {
        for (engine, _) in ENGINES {
            let before = Usage::children();
            let status = program(&["check", &path, "--engine", engine]).status()?;
            // 2: it could not run; anything else is a verdict.
            if status.code() == Some(2) {
                continue;
            }
            let spent = Usage::children().since(before).cpu_ms;
            let known = least.entry(engine.to_owned()).or_insert(f64::MAX);
            *known = spent.min(*known);
        }
    }
    Ok(least)
}

/// `screen` of as many files as [`BATCH`], with each engine and number of threads.
pub fn batches(photographs: &[Photograph]) -> Result<Vec<Batch>, Box<dyn Error>> {
    let many = folder().join("many");
    fs::create_dir_all(&many)?;
    let mut list = Vec::new();
    for (i, photograph) in (0..BATCH).zip(photographs.iter().cycle()) {
        let path = many.join(format!("{i:02}.jpg"));
        if !path.exists() {
            fs::hard_link(&photograph.path, &path)?;
        }
        writeln!(list, "{}", path.display())?;
    }
    let mut done = Vec::new();
    for (engine, _) in ENGINES {
        for threads in THREADS {
            let (before, begun) = (Usage::children(), Instant::now());
            let arguments = ["screen", "-", "--engine", engine, "--threads", &threads.to_string()];
            let mut child = program(&arguments).stdin(Stdio::piped()).spawn()?;
            if let Some(mut input) = child.stdin.take() {
                input.write_all(&list)?;
            }
            let (status, peak_mb) = watched(&mut child)?;
            if status == Some(2) {
                break;
            }
            done.push(Batch {
                engine: engine.to_owned(),
                threads,
                files: BATCH,
                wall_s: begun.elapsed().as_secs_f64(),
                cpu_s: Usage::children().since(before).cpu_ms / 1e3,
                peak_mb,
            });
        }
    }
    Ok(done)
}

/// Waits for `child`: its exit code, and the most memory that it held.
fn watched(child: &mut Child) -> Result<(Option<i32>, Option<f64>), Box<dyn Error>> {
    let status = format!("/proc/{}/status", child.id());
    let mut peak_mb = None;
    loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let peak = told.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB"));
        if let Some(kib) = peak.and_then(|kib| kib.trim().parse::<f64>().ok()) {
            peak_mb = Some(kib / 1000.0);
        }
        if let Some(status) = child.try_wait()? {
            return Ok((status.code(), peak_mb));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Adds what the Python peer takes for each photograph to its row.
pub fn peer(python: &Path, photographs: &[Photograph], rows: &mut [Row], rounds: usize) -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(python);
    command.arg(root.join("benches/peers/speed.py")).arg(root.join("models")).arg(rounds.to_string());
    let output = command.args(photographs.iter().map(|p| &p.path)).stderr(Stdio::inherit()).output()?;
    let told: Vec<f64> = serde_json::from_slice(&output.stdout)?;
    for (row, cpu_ms) in rows.iter_mut().zip(told) {
        row.cpu_ms.insert("peer".to_owned(), cpu_ms);
    }
    Ok(())
}
