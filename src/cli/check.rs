//! A few photographs → what was found in each, for a person or a program.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use bonafide::capture::{Limits, Upload};
use bonafide::checker::Checker;
use bonafide::report::text::render;
use bonafide::report::{Failure, Report, Row, json};
use bonafide::scene::Deadline;
use bonafide::screening::{failure, read_upload};
use bonafide::vocabulary::Language;
use clap::{Args, ValueEnum};

use super::{ACCEPTED, CheckerArgs, ERROR, NOT_ACCEPTED, REVIEW};

/// Exit code: 0 everything accepted, 1 something to retake or reject, 3 something to review, 2 a file that could not
/// be examined.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Photographs; `-` for one on standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Form of the answer; `json` is one object a line.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Language of the text.
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

pub(super) fn run(args: CheckArgs) -> Result<u8, String> {
    let checker = args.checker.build()?;
    if let Some(folder) = &args.overlay {
        std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    let mut code = ACCEPTED;
    for (i, file) in args.files.iter().enumerate() {
        let picture = args.overlay.as_ref().map(|folder| folder.join(overlay_name(i, file)));
        let row = match examine(&checker, file, picture.as_deref())? {
            Ok(report) => Row::Report(report),
            Err(failure) => Row::Failure(failure),
        };
        code = worse(code, code_of(&row));
        let text = match args.format {
            Form::Text => render(&row, args.lang),
            Form::Json => json::line(&row).map_err(|e| e.to_string())?,
        };
        match writeln!(anstream::stdout(), "{text}") {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(ERROR),
            outcome => outcome.map_err(|e| e.to_string())?,
        }
    }
    Ok(code)
}

/// The report of `file`; the outer error ends the program, the inner one only concerns this file.
fn examine(checker: &Checker, file: &Path, picture: Option<&Path>) -> Result<Result<Report, Failure>, String> {
    let name = file.to_string_lossy();
    let bytes = match if file.as_os_str() == "-" {
        read_stdin(checker.limits())
    } else {
        read_upload(file, checker.limits())
    } {
        Ok(bytes) => bytes,
        Err(failure) => return Ok(Err(failure)),
    };
    let upload = Upload { bytes: &bytes, name: (name != "-").then_some(&*name) };
    let looked = checker.look(&upload, Deadline::NEVER, |mut look| {
        let report = look.report();
        let saved = picture.map_or(Ok(()), |picture| {
            let drawn = look.overlay(&report).save_with_format(picture, image::ImageFormat::Png);
            drawn.map_err(|e| format!("{}: {e}", picture.display()))
        });
        saved.map(|()| report)
    });
    match looked {
        Ok(outcome) => outcome.map(Ok),
        Err(error) => Ok(Err(failure(&*name, error.code(), error.to_string()))),
    }
}

fn read_stdin(limits: &Limits) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(limits.bytes as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failure("-", "unreadable", format!("standard input cannot be read: {e}")))?;
    Ok(bytes)
}

/// A name for the overlay of the `i`th file that no other file of the command gets.
fn overlay_name(i: usize, file: &Path) -> String {
    let stem = file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
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
