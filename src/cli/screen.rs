//! Folders, lists and files → rows, a page for people, and one exit code for all.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bonafide::report::Row;
use bonafide::report::html::HtmlReport;
use bonafide::screening::{
    BUDGET_PER_WORKER, Done, Format, Gate, Held, Item, RowSink, Settings, Tally, examine, gather, held, run as pipeline,
};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{ACCEPTED, CheckerArgs, ERROR, INTERRUPTED, NOT_ACCEPTED, REVIEW};

/// Exit code: 0 every file could be examined, 2 one could not; 130 after Ctrl-C. Verdicts count only with --fail-on.
#[derive(Debug, Args)]
pub(super) struct ScreenArgs {
    /// Folders (searched to the bottom), files, or `-` for a list on standard input, one path a line.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Writes the rows to this file instead of standard output. With --report and without this, rows are not printed
    /// on a terminal.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also writes a page with thumbnails and reasons, to look at in a browser.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Photographs examined at a time; as many as there are processors when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Goes on with an output that was broken off: paths that it holds are not examined again.
    #[arg(long, requires = "output")]
    resume: bool,
    /// Exit code 1 when something is rejected or, with `review`, also 3 when something is to be reviewed or retaken.
    #[arg(long, value_enum, value_name = "DECISION")]
    fail_on: Option<FailOn>,
    #[command(flatten)]
    checker: CheckerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum Form {
    #[default]
    Jsonl,
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Review,
    Reject,
}

pub(super) fn run(args: ScreenArgs) -> Result<u8, String> {
    let checker = args.checker.build()?;
    let format = match args.format {
        Form::Jsonl => Format::JsonLines,
        Form::Csv => Format::Csv,
    };
    let mut items = gather(&args.paths, &mut io::stdin().lock()).map_err(|e| format!("standard input: {e}"))?;
    let (mut sink, earlier) = open_output(args.output.as_deref(), args.resume, args.report.is_some(), format)?;
    items.retain(|item| earlier.paths.is_empty() || !earlier.paths.contains(&*item.name()));
    let mut page = match &args.report {
        Some(path) => Some(HtmlReport::begin(path).map_err(|e| format!("{}: {e}", path.display()))?),
        None => None,
    };

    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let gate = Gate::new(BUDGET_PER_WORKER * threads as u64);
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).map_err(|e| e.to_string())?;
    let bar = progress_bar(items.len() as u64);
    let mut tally = earlier.tally;
    let mut now = Tally::default();

    let with_thumbnail = page.is_some();
    let work = |item: &Item| match item {
        Item::File(path) => examine(&checker, &gate, path, with_thumbnail),
        Item::Refused(failure) => Done { row: Row::Failure(failure.clone()), thumbnail: None },
    };
    let mut write = |done: Done| {
        let decision = match &done.row {
            Row::Report(report) => Some(report.decision),
            Row::Failure(_) => None,
        };
        tally.count(decision);
        now.count(decision);
        bar.inc(1);
        sink.write(&done.row)?;
        page.as_mut().map_or(Ok(()), |page| page.write(&done.row, done.thumbnail.as_deref()))
    };
    let outcome = pipeline(&items, Settings::with_threads(threads), &stop, &work, &mut write);
    bar.finish_and_clear();
    let interrupted = now.total() < items.len() as u64;
    if let Some(page) = page {
        let note = page_note(&earlier, interrupted && outcome.is_ok());
        page.finish(&note).map_err(|e| format!("the report cannot be written: {e}"))?;
    }
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(ERROR),
        outcome => outcome.map_err(|e| format!("the rows cannot be written: {e}"))?,
    }
    eprintln!("{}", summary(&now, earlier.paths.len()));
    if let Some(path) = &args.report {
        eprintln!("the page is {}", path.display());
    }
    Ok(if interrupted { INTERRUPTED } else { code_of(&tally, args.fail_on) })
}

fn code_of(tally: &Tally, fail_on: Option<FailOn>) -> u8 {
    match fail_on {
        _ if tally.failed > 0 => ERROR,
        Some(_) if tally.reject > 0 => NOT_ACCEPTED,
        Some(FailOn::Review) if tally.retake + tally.review > 0 => REVIEW,
        _ => ACCEPTED,
    }
}

fn open_output(
    path: Option<&Path>,
    resume: bool,
    with_page: bool,
    format: Format,
) -> Result<(RowSink<Box<dyn Write>>, Held), String> {
    if let Some(path) = path {
        return open_file(path, resume, format).map_err(|e| format!("{}: {e}", path.display()));
    }
    // A person who asked for the page wants to see the summary, not a screenful of JSON a file.
    let unread = with_page && io::stdout().is_terminal();
    let out: Box<dyn Write> = if unread { Box::new(io::sink()) } else { Box::new(io::stdout()) };
    Ok((RowSink::begin(out, format).map_err(|e| e.to_string())?, Held::default()))
}

fn open_file(path: &Path, resume: bool, format: Format) -> io::Result<(RowSink<Box<dyn Write>>, Held)> {
    if !resume {
        return Ok((RowSink::begin(Box::new(File::create(path)?) as Box<dyn Write>, format)?, Held::default()));
    }
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    let earlier = held(&mut file, format)?;
    file.set_len(earlier.whole_bytes)?;
    file.seek(SeekFrom::End(0))?;
    let file: Box<dyn Write> = Box::new(file);
    let sink = if earlier.whole_bytes == 0 { RowSink::begin(file, format)? } else { RowSink::resume(file, format) };
    Ok((sink, earlier))
}

pub(super) fn progress_bar(items: u64) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(items), target);
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len}  {per_sec}  {eta} left");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn summary(now: &Tally, earlier: usize) -> String {
    let before = if earlier > 0 { format!(" ({earlier} examined earlier)") } else { String::new() };
    format!(
        "{} files{before}: {} accept, {} retake, {} review, {} reject, {} not examined",
        now.total(),
        now.accept,
        now.retake,
        now.review,
        now.reject,
        now.failed
    )
}

fn page_note(earlier: &Held, interrupted: bool) -> String {
    let mut note = format!("bonafide {}", env!("CARGO_PKG_VERSION"));
    if interrupted {
        note += ". Broken off: not every file is here. 已中断，未包含全部文件。";
    }
    if !earlier.paths.is_empty() {
        let _ = write!(note, ". {} files were examined earlier and are in the output only.", earlier.paths.len());
    }
    note
}
