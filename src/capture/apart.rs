//! Upload → [`Capture`], decoded in a process of its own with limits of memory and time where that is asked for.
//!
//! A decoder that allocates without end is aborted by the allocator, and one that loops cannot be stopped: in a process
//! of its own either is one refused upload. The process is the program itself, begun with a word that no command has; it
//! takes the file on standard input and gives facts and samples on standard output. Memory and processor time are limited
//! by the system (`setrlimit`: Linux; elsewhere only the clock ends it).

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::planes::{Planes, Sampling};
use super::{Capture, CaptureError, Container, Limits, MediaType, Metadata, Orientation, Pixels, Upload};
use super::{container, decode, metadata};

/// First argument of a program that is to decode one upload.
const WORD: &str = "decode-one-upload";
/// What the process holds beside pixels and file: the program's own data, threads, tables.
const ASIDE: u64 = 64 << 20;
/// Bytes for each pixel: HEVC tiles, the picture put together, turned, and drawn as RGB, 32 bits a sample.
const PIXEL_BYTES: u64 = 40;
/// Pixels that a second of processor time decodes on a slow machine, and the least seconds.
const PIXELS_A_SECOND: u64 = 4_000_000;
const LEAST_SECONDS: u64 = 3;
/// Longest time on the clock without a deadline.
const LONGEST: Duration = Duration::from_mins(1);
/// Most bytes of facts that are read back.
const FACTS_BYTES: usize = 16 << 20;

/// Whether the running program answers when it is begun with [`WORD`].
static ANSWERS: AtomicBool = AtomicBool::new(false);

/// Which uploads are decoded in a process of their own.
///
/// ```no_run
/// # fn main() -> std::process::ExitCode {
/// // First thing in `main`, in a program that hands itself over:
/// if let Some(code) = bonafide::capture::answer_if_asked() {
///     return code;
/// }
/// # std::process::ExitCode::SUCCESS
/// # }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Isolation {
    program: Option<PathBuf>,
    all: bool,
}

impl Isolation {
    /// None: every decoder runs in this process, within bounds on what it is given.
    #[must_use]
    pub const fn none() -> Self {
        Self { program: None, all: false }
    }

    /// HEIC alone, whose decoder cannot be bounded from outside as the others can. `program` must call
    /// [`answer_if_asked`] first.
    #[must_use]
    pub fn of_heic(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), all: false }
    }

    /// Every format; otherwise as [`Isolation::of_heic`].
    #[must_use]
    pub fn of_all(program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), all: true }
    }

    /// HEIC, or `all` formats, by the running program where it has called [`answer_if_asked`]; none where it has not. On
    /// Linux also after its file was replaced.
    #[must_use]
    pub fn by_this_program(all: bool) -> Self {
        if !ANSWERS.load(Ordering::Relaxed) {
            return Self::none();
        }
        let running = PathBuf::from("/proc/self/exe");
        let program = if running.exists() { Some(running) } else { std::env::current_exe().ok() };
        Self { program, all }
    }

    fn program_for(&self, media_type: MediaType) -> Option<&PathBuf> {
        self.program.as_ref().filter(|_| self.all || media_type == MediaType::Heic)
    }
}

/// What the process is to keep to.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    limits: Limits,
    memory: u64,
    seconds: u64,
    milliseconds: u64,
}

/// What it found; the samples follow.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    media_type: MediaType,
    metadata: Metadata,
    container: Container,
    orientation: Orientation,
    width: u32,
    height: u32,
    sampling: Option<Sampling>,
}

/// Decodes as [`decode`] does, apart where `isolation` says so, by `end` at the latest there.
///
/// # Errors
/// As [`decode`]; [`CaptureError::TooCostly`] where the process ended before its answer.
pub fn decode_within(
    upload: &Upload<'_>,
    limits: &Limits,
    isolation: &Isolation,
    end: Option<Instant>,
) -> Result<Capture, CaptureError> {
    let program = container::sniff(upload.bytes).ok().and_then(|media_type| isolation.program_for(media_type));
    let Some(program) = program.filter(|_| upload.bytes.len() <= limits.bytes) else { return decode(upload, limits) };
    let pixels = pixels(upload.bytes, limits);
    let bytes = 3 * upload.bytes.len() as u64;
    let left = end.map_or(LONGEST, |end| end.saturating_duration_since(Instant::now()).min(LONGEST));
    let order = Order {
        limits: *limits,
        memory: ASIDE + bytes + (PIXEL_BYTES * pixels).min(limits.allocation),
        seconds: pixels.div_ceil(PIXELS_A_SECOND).max(LEAST_SECONDS),
        milliseconds: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
    };
    let order = serde_json::to_string(&order).map_err(|_| CaptureError::TooCostly)?;
    let begun = Command::new(program)
        .args([WORD, &order])
        .env_clear()
        .env("RAYON_NUM_THREADS", threads().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(child) = begun else { return Err(CaptureError::TooCostly) };
    let mut capture = Running(child).answer(upload.bytes)?;
    capture.metadata.says_screenshot |= upload.name.is_some_and(metadata::names_screenshot);
    Ok(capture)
}

/// Threads of one process: no more than a picture is worth on a machine with many cores.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(4)
}

/// Pixels that decoding will hold, as far as the file's structure says.
fn pixels(bytes: &[u8], limits: &Limits) -> u64 {
    #[cfg(feature = "heic")]
    if container::sniff(bytes) == Ok(MediaType::Heic) {
        // What is wrong with it is told by the process, as it would be told here.
        let planned = container::plan(bytes, limits).map_or(0, |plan| plan.pixels);
        return if planned == 0 { limits.pixels } else { planned };
    }
    let declared = super::declared(bytes).map_or(limits.pixels, |declared| declared.pixels);
    declared.min(limits.pixels)
}

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn answer(mut self, bytes: &[u8]) -> Result<Capture, CaptureError> {
        let (Some(mut to), Some(mut from)) = (self.0.stdin.take(), self.0.stdout.take()) else {
            return Err(CaptureError::TooCostly);
        };
        widen(&to);
        widen(&from);
        // It reads all before it writes; where it ended early, there is no answer.
        let _ = to.write_all(bytes);
        drop(to);
        received(&mut from).ok_or(CaptureError::TooCostly)?
    }
}

/// Reads an answer; `None` where it is none.
fn received(from: &mut impl Read) -> Option<Result<Capture, CaptureError>> {
    let mut length = [0; 4];
    from.read_exact(&mut length).ok()?;
    let length = u32::from_le_bytes(length) as usize;
    if length > FACTS_BYTES {
        return None;
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).ok()?;
    let facts: Facts = match serde_json::from_slice(&text).ok()? {
        Ok(facts) => facts,
        Err(error) => return Some(Err(error)),
    };
    if facts.sampling.is_some_and(|s| s.across == 0 || s.down == 0) || facts.width == 0 || facts.height == 0 {
        return None;
    }
    let mut planes = Planes::unwritten(facts.width, facts.height, facts.sampling);
    from.read_exact(planes.samples_mut()).ok()?;
    let pixels = Pixels::of(planes, facts.orientation);
    Some(Ok(Capture::new(facts.media_type, pixels, facts.metadata, facts.container)))
}

/// Decodes one upload from standard input to standard output if the program was begun for that; `None` otherwise.
/// A program that is handed over in an [`Isolation`] calls this first.
#[must_use]
pub fn answer_if_asked() -> Option<ExitCode> {
    ANSWERS.store(true, Ordering::Relaxed);
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != WORD {
        return None;
    }
    let order = arguments.next().and_then(|order| serde_json::from_str(order.to_str()?).ok());
    Some(order.and_then(|order| answer(&order)).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
}

fn answer(order: &Order) -> Option<()> {
    confine(order);
    let limit = Duration::from_millis(order.milliseconds);
    std::thread::Builder::new()
        .stack_size(64 << 10)
        .spawn(move || {
            std::thread::sleep(limit);
            std::process::exit(1);
        })
        .ok()?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(order.limits.bytes as u64 + 1).read_to_end(&mut bytes).ok()?;
    let decoded = decode(&Upload { bytes: &bytes, name: None }, &order.limits);
    let (facts, pixels) = match decoded {
        Ok(capture) => {
            let Capture { media_type, metadata, container, pixels } = capture;
            let (planes, orientation) = (pixels.planes(), pixels.orientation());
            let ((width, height), sampling) = (planes.size(), planes.sampling());
            (Ok(Facts { media_type, metadata, container, orientation, width, height, sampling }), Some(pixels))
        }
        Err(error) => (Err(error), None),
    };
    let text = serde_json::to_vec::<Result<Facts, CaptureError>>(&facts).ok()?;
    let mut out = std::io::stdout().lock();
    out.write_all(&u32::try_from(text.len()).ok()?.to_le_bytes()).ok()?;
    out.write_all(&text).ok()?;
    if let Some(pixels) = pixels {
        out.write_all(pixels.planes().samples()).ok()?;
    }
    out.flush().ok()
}

/// Keeps this process to the memory and processor time of `order`, and to no files.
#[cfg(unix)]
fn confine(order: &Order) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let limits =
        [(Resource::Data, order.memory), (Resource::Cpu, order.seconds), (Resource::Core, 0), (Resource::Fsize, 0)];
    for (resource, most) in limits {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

#[cfg(not(unix))]
fn confine(_: &Order) {}

/// Makes a pipe take a megabyte at a time: sixteen times fewer changes between the two processes.
#[cfg(target_os = "linux")]
fn widen(pipe: &impl std::os::fd::AsFd) {
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, 1 << 20);
}

#[cfg(not(target_os = "linux"))]
fn widen<T>(_: &T) {}
