//! The service as a process → what it does to processor, memory, files and store.

use std::collections::BTreeMap;
use std::error::Error;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use tempfile::TempDir;

use crate::client::{Client, Request};

/// Clock ticks a second in `/proc`; the same on every Linux that people use.
const TICKS: f64 = 100.0;

/// The service as a process of its own, with a store on the disk; it ends with this value.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
    folder: TempDir,
}

impl Server {
    /// Starts it with the shipped settings and waits until it listens.
    pub fn start(workers: usize) -> Result<Self, Box<dyn Error>> {
        Self::start_in(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?, workers)
    }

    /// The same with a key for each of so many callers.
    pub fn start_with_keys<const N: usize>(workers: usize) -> Result<(Self, [String; N]), Box<dyn Error>> {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut keys = [const { String::new() }; N];
        for (index, key) in keys.iter_mut().enumerate() {
            let mut create = program();
            create.args(["key", "create", "--name", &format!("caller {index}"), "--store"]);
            let told = String::from_utf8(create.arg(folder.path().join("store.db")).output()?.stdout)?;
            told.split_whitespace().last().ok_or("no key was made")?.clone_into(key);
        }
        Ok((Self::start_in(folder, workers)?, keys))
    }

    fn start_in(folder: TempDir, workers: usize) -> Result<Self, Box<dyn Error>> {
        let log = folder.path().join("log");
        let child = program()
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", &workers.to_string(), "--store"])
            .arg(folder.path().join("store.db"))
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?)
            .spawn()?;
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)), folder };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            for line in fs::read_to_string(&log)?.lines() {
                let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
                if line["message"] == "listening" {
                    server.address = line["address"].as_str().unwrap_or_default().parse()?;
                    return Ok(server);
                }
            }
            if server.child.try_wait()?.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the service does not start: {}", fs::read_to_string(&log)?).into())
    }

    /// Processor time that it has had, in seconds.
    pub fn cpu_s(&self) -> f64 {
        cpu_s(&self.child.id().to_string())
    }

    /// A number of `/proc/…/status`, such as `VmRSS` in kB.
    pub fn status(&self, name: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(f64::NAN)
    }

    /// Open file descriptors.
    pub fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).map_or(0, Iterator::count)
    }

    /// Bytes of the store and of its write-ahead log.
    pub fn store_bytes(&self) -> (u64, u64) {
        let bytes = |name: &str| fs::metadata(self.folder.path().join(name)).map_or(0, |file| file.len());
        (bytes("store.db"), bytes("store.db-wal"))
    }

    /// Purges the newest case, upon which the service copies the write-ahead log into the store's file.
    pub fn empty_log(&self) -> io::Result<()> {
        let mut client = Client::new(self.address);
        let newest = client.send(&Request::get("/v1/cases?limit=1"))?.json();
        let id = newest["cases"][0]["id"].as_str().unwrap_or_default();
        client.send(&Request::new("DELETE", &format!("/v1/cases/{id}"), &[], &[])).map(|_| ())
    }

    /// Counters of `/metrics` that begin with `name`, by their labels.
    pub fn figures(&self, name: &str) -> BTreeMap<String, f64> {
        let answer = Client::new(self.address).send(&Request::get("/metrics"));
        let text = answer.map(|answer| answer.body).unwrap_or_default();
        let lines = String::from_utf8_lossy(&text).into_owned();
        let lines = lines.lines().filter_map(|line| {
            let (label, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
            Some((label.to_owned(), value.parse().ok()?))
        });
        lines.collect()
    }

    /// Warnings and errors of its log, counted.
    pub fn complaints(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for line in fs::read_to_string(self.folder.path().join("log")).unwrap_or_default().lines() {
            match serde_json::from_str::<serde_json::Value>(line) {
                Ok(line) if matches!(line["level"].as_str(), Some("INFO" | "DEBUG")) => {}
                Ok(line) => {
                    let text = format!("{} {} {}", line["level"], line["message"], line["error"]);
                    *counts.entry(text).or_default() += 1;
                }
                Err(_) => *counts.entry(line.chars().take(120).collect()).or_default() += 1,
            }
        }
        counts
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, with the shipped settings.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BONAFIDE_") {
            command.env_remove(name);
        }
    }
    command
}

/// Processor time of a process and of its children that have ended, in seconds.
pub fn cpu_s(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name before it may hold anything.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(4).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}
