//! Photographs → CPU time, page faults and stages of checking them, and of the yardsticks, round by round in turn.

use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::io::Cursor;
use std::process::{Command, Stdio};

use bonafide::capture::{Limits, Upload, decode};
use bonafide::checker::{Checker, Options};
use bonafide::detectors::{DETECTORS, Detector};
use bonafide::inference::{EngineChoice, ModelSource, Models};
use bonafide::scene::{Deadline, Scene};
use image::ImageDecoder;

use crate::Row;
use crate::files::Photograph;

/// CPU time and page faults of a process so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub cpu_ms: f64,
    pub faults: u64,
}

impl Usage {
    /// Of this process.
    pub fn own() -> Self {
        Self::of(false)
    }

    /// Of the processes that it started and that have ended.
    pub fn children() -> Self {
        Self::of(true)
    }

    #[cfg(unix)]
    fn of(children: bool) -> Self {
        use nix::sys::resource::{UsageWho, getrusage};
        let who = if children { UsageWho::RUSAGE_CHILDREN } else { UsageWho::RUSAGE_SELF };
        let usage = getrusage(who).expect("known on every Unix");
        let ms = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 * 1e3 + time.tv_usec() as f64 / 1e3;
        Self { cpu_ms: ms(usage.user_time()) + ms(usage.system_time()), faults: usage.minor_page_faults() as u64 }
    }

    /// The clock where nothing better is known.
    #[cfg(not(unix))]
    fn of(_children: bool) -> Self {
        static BEGUN: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
        Self { cpu_ms: BEGUN.elapsed().as_secs_f64() * 1e3, faults: 0 }
    }

    /// What was used since `before`.
    pub fn since(self, before: Self) -> Self {
        Self { cpu_ms: self.cpu_ms - before.cpu_ms, faults: self.faults - before.faults }
    }
}

/// The processor's name, where the system tells it.
pub fn processor() -> String {
    let told = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |name| name.trim().to_owned())
}

type Detectors = Vec<(&'static str, Box<dyn Detector>)>;

/// What runs on one engine: checks, and the detectors of a check one by one.
pub struct Engine {
    name: &'static str,
    checker: Checker,
    detectors: Detectors,
}

/// The engines that are there; without ONNX Runtime its figures are missing, not made up.
pub fn engines() -> Vec<Engine> {
    let made = ENGINES.into_iter().filter_map(|(name, engine)| {
        let checker = Checker::new(&Options { engine, ..Options::default() }).ok()?;
        let models = Models::load(&ModelSource::Shipped, engine).ok()?;
        let detectors = DETECTORS.iter().map(|entry| (entry.info.id, (entry.build)(&models))).collect();
        Some(Engine { name, checker, detectors })
    });
    made.collect()
}

/// The engines by name.
pub const ENGINES: [(&str, EngineChoice); 2] =
    [("onnxruntime", EngineChoice::OnnxRuntime), ("embedded", EngineChoice::Embedded)];

fn to_rgb(bytes: &[u8], rgb: &mut Vec<u8>) {
    let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(bytes)).expect("a JPEG");
    rgb.resize(decoder.total_bytes() as usize, 0);
    decoder.read_image(rgb).expect("decoded");
}

/// Whether `djpeg` of libjpeg-turbo is installed.
fn has_djpeg() -> bool {
    Command::new("djpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A row for each of `photographs`.
pub fn rows(photographs: &[Photograph], engines: &[Engine], rounds: usize) -> Vec<Row> {
    let djpeg = has_djpeg();
    let mut kept = Vec::new();
    let mut rows: Vec<Row> = photographs
        .iter()
        .map(|photograph| Row {
            name: photograph.name.clone(),
            megapixels: photograph.megapixels,
            bytes: photograph.bytes.len(),
            cpu_ms: BTreeMap::new(),
            faults: BTreeMap::new(),
            stages: BTreeMap::new(),
        })
        .collect();
    for _ in 0..rounds {
        for (photograph, row) in photographs.iter().zip(&mut rows) {
            let bytes = &photograph.bytes;
            let upload = Upload { bytes, name: None };
            row.add("image", || to_rgb(black_box(bytes), &mut Vec::new()));
            row.add("image_kept", || to_rgb(black_box(bytes), &mut kept));
            if djpeg {
                let before = Usage::children();
                let done = Command::new("djpeg").args(["-outfile", "/dev/null"]).arg(&photograph.path).status();
                if done.is_ok_and(|status| status.success()) {
                    row.least("djpeg", Usage::children().since(before));
                }
            }
            row.add("decode", || drop(black_box(decode(black_box(&upload), &Limits::default()))));
            for Engine { name: engine, checker, detectors } in engines {
                row.add(engine, || drop(black_box(checker.check(black_box(&upload), Deadline::NEVER))));
                row.add_stages(engine, checker, detectors, &upload);
            }
        }
    }
    rows
}

impl Row {
    /// Goes through the stages of a check one by one; what detectors share counts for the first that asks for it.
    fn add_stages(&mut self, engine: &str, checker: &Checker, detectors: &Detectors, upload: &Upload<'_>) {
        let least = self.stages.entry(engine.to_owned()).or_default();
        let mut ended = |stage: &str, before: Usage| {
            let spent = Usage::own().since(before).cpu_ms;
            let known = least.entry(stage.to_owned()).or_insert(f64::MAX);
            *known = known.min(spent);
        };
        let before = Usage::own();
        let Ok(capture) = decode(upload, &Limits::default()) else { return };
        ended("decode", before);
        let scene = checker.survey(&capture, Deadline::NEVER);
        let shared: [(&str, fn(&Scene<'_>)); 5] = [
            ("overview", |scene| _ = scene.overview()),
            ("document", |scene| _ = scene.document()),
            ("which document", |scene| _ = scene.subject()),
            ("flat view", |scene| _ = scene.flat()),
            ("spectra", |scene| _ = scene.spectra()),
        ];
        for (stage, part) in shared {
            let before = Usage::own();
            part(&scene);
            ended(stage, before);
        }
        for (id, detector) in detectors {
            let before = Usage::own();
            black_box(detector.examine(&scene));
            ended(id, before);
        }
    }

    fn add(&mut self, what: &str, run: impl FnOnce()) {
        let before = Usage::own();
        run();
        self.least(what, Usage::own().since(before));
    }

    /// Keeps the least of what `what` used so far.
    pub fn least(&mut self, what: &str, used: Usage) {
        let known = self.cpu_ms.entry(what.to_owned()).or_insert(f64::MAX);
        *known = known.min(used.cpu_ms);
        let known = self.faults.entry(what.to_owned()).or_insert(u64::MAX);
        *known = (*known).min(used.faults);
    }
}
