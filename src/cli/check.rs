//! A few photographs → what was found in each, for a person or a program.

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use bonafide::capture::{Limits, Upload};
use bonafide::checker::Checker;
use bonafide::names::{bytes_of, shown, spoken};
use bonafide::report::text::{Notice, noticed, noticed_in_both, render};
use bonafide::report::{Failure, FailureCause, Report, Row, json};
use bonafide::scene::Deadline;
use bonafide::screening::{failure, read_upload};
use bonafide::vocabulary::Language;
use clap::{Args, ValueEnum};
use parking_lot::Mutex;

use super::outputs::{refuse_overlays, unwritten, write};
use super::stop::{Stop, lock_soon};
use super::{ACCEPTED, CheckerArgs, ERROR, NOT_ACCEPTED, REVIEW};

/// Exit code: 0 everything accepted, 1 something to retake or reject, 3 something to review, 2 a file that could not
/// be examined; 130 after Ctrl-C, 143 after TERM.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Photographs; `-` for one on standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Form of the answer; `json` is one object a line.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Language of the text, of notes and of errors.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
    /// Writes a PNG for each photograph into this folder, with everything found drawn on it.
    #[arg(long, value_name = "DIR")]
    overlay: Option<PathBuf>,
    #[command(flatten)]
    checker: CheckerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Form {
    #[default]
    Text,
    Json,
}

/// Held while an answer is printed, so that a signal does not cut it.
static PRINTING: Mutex<()> = Mutex::new(());

/// Has the GNU allocator keep what is freed: it learns from the largest block that was given back how much to keep, and
/// otherwise gives every buffer of the first picture back to the system, which clears it for the next one.
fn keep_freed_memory() {
    /// The largest block that it learns from is 32 MiB with its header. Nothing is written to it.
    const LARGEST: usize = (32 << 20) - (64 << 10);
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}

pub(super) fn run(args: CheckArgs) -> Result<u8, String> {
    keep_freed_memory();
    let stop = Stop::heed()?;
    stop.before_leaving(|| std::mem::forget(lock_soon(&PRINTING)));
    let lang = args.lang;
    let told = |notice: Notice<'_>| noticed(notice, lang);
    let pictures = args.overlay.as_ref().map(|folder| overlays(folder, &args.files)).unwrap_or_default();
    let outputs: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    let own = args.checker.files();
    refuse_overlays(&outputs, args.files.iter().chain(&own).map(PathBuf::as_path), lang)?;
    let checker = args.checker.build(lang)?;
    if let Some(folder) = &args.overlay {
        std::fs::create_dir_all(folder).map_err(|e| unwritten(folder, &e, lang))?;
    }
    let mut code = ACCEPTED;
    for (i, file) in args.files.iter().enumerate() {
        let row = match examine(&checker, file, pictures.get(i).map(PathBuf::as_path), lang)? {
            Ok(report) => Row::Report(report),
            Err(failure) => Row::Failure(failure),
        };
        code = worse(code, code_of(&row));
        let text = match args.format {
            Form::Text => render(&row, args.lang),
            Form::Json => json::line(&row).map_err(|e| e.to_string())?,
        };
        let printing = PRINTING.lock();
        let printed = anstream::stdout().lock().write_all((text + "\n").as_bytes());
        drop(printing);
        match printed {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(told(Notice::NobodyReads)),
            outcome => outcome.map_err(|e| told(Notice::RowsCannotBeWritten { cause: &e }))?,
        }
        if stop.told() {
            return Ok(stop.code());
        }
    }
    Ok(code)
}

/// The report of `file`; the outer error ends the program, the inner one only concerns this file.
fn examine(
    checker: &Checker,
    file: &Path,
    picture: Option<&Path>,
    lang: Language,
) -> Result<Result<Report, Failure>, String> {
    let bytes = match if file.as_os_str() == "-" {
        read_stdin(checker.limits())
    } else {
        read_upload(file, checker.limits())
    } {
        Ok(bytes) => bytes,
        Err(failure) => return Ok(Err(failure)),
    };
    let name = shown(file);
    let upload = Upload { bytes: &bytes, name: (name != "-").then_some(&*name) };
    let looked = checker.look(&upload, Deadline::NEVER, |mut look| {
        let report = look.report();
        let saved = picture.map_or(Ok(()), |picture| save(&look.overlay(&report), picture, lang));
        saved.map(|()| Report { path_bytes: bytes_of(file), ..report })
    });
    match looked {
        Ok(outcome) => outcome.map(Ok),
        Err(error) => Ok(Err(failure(file, FailureCause::of(&error)))),
    }
}

fn save(drawn: &image::RgbImage, picture: &Path, lang: Language) -> Result<(), String> {
    let mut png = Cursor::new(Vec::new());
    drawn.write_to(&mut png, image::ImageFormat::Png).map_err(|e| e.to_string())?;
    write(picture, png.get_ref(), lang)
}

fn read_stdin(limits: &Limits) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().take(limits.bytes as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|cause| {
        let said = noticed_in_both(Notice::ListCannotBeRead { cause: &cause });
        failure(Path::new("-"), FailureCause::new("unreadable", said))
    })?;
    Ok(bytes)
}

/// Where the overlay of each file goes.
fn overlays(folder: &Path, files: &[PathBuf]) -> Vec<PathBuf> {
    files.iter().enumerate().map(|(i, file)| folder.join(overlay_name(i, file))).collect()
}

/// A name for the overlay of the `i`th file that no other file of the command gets.
fn overlay_name(i: usize, file: &Path) -> String {
    let stem = file.file_stem().map_or_else(String::new, |stem| spoken(Path::new(stem)));
    format!("{:03}-{}.png", i + 1, if stem == "-" { "stdin" } else { &stem })
}

fn code_of(row: &Row) -> u8 {
    match row {
        Row::Failure(_) => ERROR,
        Row::Report(report) => report.decision.exit_code(),
    }
}

/// The code that says more: a file not examined, then one not accepted, then one to review.
fn worse(a: u8, b: u8) -> u8 {
    [ERROR, NOT_ACCEPTED, REVIEW].into_iter().find(|code| *code == a || *code == b).unwrap_or(ACCEPTED)
}
