//! Folders, lists and files → rows, a page for people, and one exit code for all.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bonafide::checker::Checker;
use bonafide::names::spoken;
use bonafide::report::alone::open_alone;
use bonafide::report::html::HtmlReport;
use bonafide::report::text::{Notice, noticed, noticed_in_both};
use bonafide::report::{Entry, Row};
use bonafide::screening::{
    BUDGET_PER_WORKER, Done, Format, Gate, Gathered, Held, HeldError, HeldRow, Item, LeftOut, RowSink, Settings, Tally,
    entry, examine, gather, held, in_order, is_same, thumbnail_again, unharmed,
};
use bonafide::vocabulary::Language;
use clap::{Args, ValueEnum};
use parking_lot::Mutex;

use super::outputs::{refuse_losses, unwritten};
use super::progress::Progress;
use super::stop::{Stop, lock_soon};
use super::{ACCEPTED, CheckerArgs, ERROR, NOT_ACCEPTED, REVIEW, say};

/// Exit code: 0 every file could be examined, 2 one could not, or there was none; 130 after Ctrl-C, 143 after TERM.
/// Verdicts count only with --fail-on.
#[derive(Debug, Args)]
pub(super) struct ScreenArgs {
    /// Folders (searched to the bottom; links to folders are not followed), files, or `-` for a list on standard input, one
    /// path a line. What a folder holds besides pictures is counted by kind.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Form of the rows.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Writes the rows to this file instead of standard output; one run writes it at a time. With --report and without
    /// this, rows are not printed on a terminal.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also writes a page with thumbnails and reasons, to look at in a browser.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Photographs examined at a time; as many as there are processors when left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Goes on with an output that was broken off. Files that it holds are not examined again unless their bytes are others
    /// now, or they could not be examined then; rows of another policy, other models or another version are refused.
    #[arg(long, requires = "output")]
    resume: bool,
    /// Exit code 1 when something is rejected or, with `review`, also 3 when something is to be reviewed or retaken.
    #[arg(long, value_enum, value_name = "DECISION")]
    fail_on: Option<FailOn>,
    /// Language of the summary and of errors.
    #[arg(long, value_enum, default_value_t)]
    lang: Language,
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

/// One row to be: of a file that is yet to be examined, or of one that an earlier screening examined, for the page alone.
enum Job {
    New(Item),
    Kept(PathBuf, HeldRow),
}

/// What became of a job.
enum Made {
    New(Done),
    Kept(Entry, Option<Vec<u8>>),
}

pub(super) fn run(args: ScreenArgs) -> Result<u8, String> {
    let stop = Stop::heed()?;
    let lang = args.lang;
    let told = |notice: Notice<'_>| noticed(notice, lang);
    let gathered =
        gather(&args.paths, &mut io::stdin().lock()).map_err(|e| told(Notice::ListCannotBeRead { cause: &e }))?;
    for notice in nothing_in(&gathered, lang) {
        say(&notice);
    }
    let left_out: Vec<(LeftOut, u64)> = gathered.left_out.iter().map(|(kind, count)| (*kind, *count)).collect();
    if gathered.items.is_empty() {
        if !left_out.is_empty() {
            say(&told(Notice::LeftOut { counts: &left_out }));
        }
        return Ok(ERROR);
    }
    refuse_lost_inputs(&args, &gathered)?;
    let checker = args.checker.build(lang)?;
    let format = match args.format {
        Form::Jsonl => Format::JsonLines,
        Form::Csv => Format::Csv,
    };
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let settings = Settings::with_threads(threads);
    let (sink, mut earlier) = match &args.output {
        Some(path) if args.resume => {
            let again = Again { checker: &checker, settings, stop: &stop, format, lang };
            match again.resume(path, &gathered.items)? {
                Some(resumed) => resumed,
                None => return Ok(stop.code()),
            }
        }
        Some(path) => (begin_file(path, format).map_err(|e| unwritten(path, &e, lang))?, Held::default()),
        None => {
            // A person who asked for the page wants to see the summary, not a screenful of JSON a file.
            let unread = args.report.is_some() && io::stdout().is_terminal();
            let out: Box<dyn Write + Send> = if unread { Box::new(io::sink()) } else { Box::new(io::stdout()) };
            let sink = RowSink::stream(out, format);
            (sink.map_err(|e| told(Notice::RowsCannotBeWritten { cause: &e }))?, Held::default())
        }
    };
    let page = match &args.report {
        Some(path) => Some((HtmlReport::begin(path).map_err(|e| unwritten(path, &e, lang))?, path.clone())),
        None => None,
    };
    let tally = earlier.tally();
    let jobs = jobs(gathered.items, &mut earlier, page.is_some());
    let with_thumbnail = page.is_some();
    let writing = Writing {
        sink,
        page,
        tally,
        earlier: tally.total(),
        shown: 0,
        jobs: jobs.len(),
        without_picture: 0,
        left_out,
        lang,
    };
    let writing = Arc::new(Mutex::new(Some(writing)));
    let last = Arc::clone(&writing);
    stop.before_leaving(move || {
        if let Some(writing) = lock_soon(&last).and_then(|mut writing| writing.take()) {
            let _ = writing.close(true);
        }
    });

    let gate = Gate::new(BUDGET_PER_WORKER * threads as u64);
    let progress = Progress::of("screen", jobs.len() as u64);
    let output = args.output.as_deref();
    let work = |job: &Job| match job {
        Job::New(item) => Ok(Made::New(unharmed(item, &|item| match item {
            Item::File(path) => examine(&checker, &gate, path, with_thumbnail),
            Item::Refused(failure) => Done { row: Row::Failure(failure.clone()), thumbnail: None },
        }))),
        Job::Kept(path, row) => kept(&checker, &gate, (output, format), path, row),
    };
    let mut write = |made: io::Result<Made>| {
        let made = made?;
        progress.one();
        // Taken away where the process is about to be left: this row is then examined another time.
        let mut writing = writing.lock();
        writing.as_mut().map_or(Ok(()), |writing| writing.write(made))
    };
    let outcome = in_order(&jobs, settings, stop.flag(), &work, &mut write);
    progress.end();
    let Some(writing) = writing.lock().take() else { wait_for_the_end() };
    let interrupted = writing.shown < writing.jobs && outcome.is_ok();
    let tally = writing.tally;
    let closed = writing.close(interrupted);
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Err(told(Notice::NobodyReads)),
        outcome => outcome.map_err(|e| told(Notice::RowsCannotBeWritten { cause: &e }))?,
    }
    closed?;
    let nothing = !gathered.empty.is_empty() || gathered.empty_list;
    Ok(match code_of(&tally, args.fail_on) {
        _ if interrupted => stop.code(),
        _ if nothing => ERROR,
        code => code,
    })
}

/// A sentence for each folder or list in which there is nothing to examine.
fn nothing_in(gathered: &Gathered, lang: Language) -> Vec<String> {
    let folders = gathered.empty.iter().map(|folder| noticed(Notice::NoPictures { folder: &spoken(folder) }, lang));
    folders.chain(gathered.empty_list.then(|| noticed(Notice::EmptyList, lang))).collect()
}

/// Refuses outputs that are read too, by whatever name, or that hold a picture, and one file for both.
fn refuse_lost_inputs(args: &ScreenArgs, gathered: &Gathered) -> Result<(), String> {
    let (output, report) = (args.output.as_deref(), args.report.as_deref());
    if let (Some(output), Some(report)) = (output, report)
        && output == report
    {
        return Err(noticed(Notice::OneOutputForTwo { output: &spoken(output) }, args.lang));
    }
    // Where the rows go to a file by the shell, and where a list comes from.
    let (stdout, stdin) = (Path::new("/dev/stdout"), Path::new("/dev/stdin"));
    let outputs: Vec<&Path> = [Some(output.unwrap_or(stdout)), report].into_iter().flatten().collect();
    let items: Vec<PathBuf> = gathered.items.iter().map(Item::path).collect();
    let list = args.paths.iter().any(|path| path.as_os_str() == "-").then_some(stdin);
    let own = args.checker.files();
    let inputs = items.iter().chain(&own).map(PathBuf::as_path).chain(list);
    refuse_losses(&outputs, inputs, args.lang)
}

fn begin_file(path: &Path, format: Format) -> io::Result<RowSink> {
    let file = open_alone(path)?;
    if file.metadata()?.is_file() {
        return RowSink::file(file, 0, format);
    }
    RowSink::stream(Box::new(file), format)
}

/// What resuming needs.
struct Again<'a> {
    checker: &'a Checker,
    settings: Settings,
    stop: &'a Stop,
    format: Format,
    lang: Language,
}

impl Again<'_> {
    /// Where to go on writing, and the rows that still hold; `None` when told to stop before that was known, with the output
    /// as it was.
    fn resume(&self, path: &Path, items: &[Item]) -> Result<Option<(RowSink, Held)>, String> {
        let told = |notice: Notice<'_>| noticed(notice, self.lang);
        let failed = |e: io::Error| unwritten(path, &e, self.lang);
        let output = &spoken(path);
        let mut file = open_alone(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(told(Notice::NoFileToResume { output }));
        }
        let mut earlier = held(&mut file, self.format).map_err(|error| match error {
            HeldError::Io(error) => failed(error),
            HeldError::Alien(line) => told(Notice::NoRowOfScreening { output, line }),
        })?;
        let own = self.checker.own_judge();
        if let Some(other) = earlier.judges.iter().find(|judge| **judge != own) {
            let (held, now) = (&spoken(Path::new(&other.to_string())), &own.to_string());
            return Err(told(Notice::JudgedOtherwise { output, held, now }));
        }
        let Some(gone) = self.gone(&earlier, items) else { return Ok(None) };
        if !gone.is_empty() {
            say(&told(Notice::LookedAtAgain { changed: gone.len() as u64 }));
        }
        let file = earlier.without(&gone, file, path).map_err(failed)?;
        let sink = RowSink::file(file, earlier.whole_bytes, self.format).map_err(failed)?;
        Ok(Some((sink, earlier)))
    }

    /// Files among `items` whose rows hold no more: they have other bytes now, or could not be examined then.
    fn gone(&self, earlier: &Held, items: &[Item]) -> Option<BTreeSet<PathBuf>> {
        let paths: BTreeSet<PathBuf> =
            items.iter().map(Item::path).filter(|path| earlier.rows.contains_key(path)).collect();
        let paths: Vec<PathBuf> = paths.into_iter().collect();
        let holds = |path: &PathBuf| {
            earlier.rows[path].iter().all(|row| {
                row.decision.is_some()
                    && catch_unwind(AssertUnwindSafe(|| is_same(path, self.checker.limits(), &row.sha256)))
                        .unwrap_or(false)
            })
        };
        let mut gone = BTreeSet::new();
        let mut seen = 0;
        let progress = Progress::of("files compared with their rows", paths.len() as u64);
        let outcome = in_order(
            &paths,
            self.settings,
            self.stop.flag(),
            &|path| (path.clone(), holds(path)),
            &mut |(path, holds)| {
                seen += 1;
                progress.one();
                if !holds {
                    gone.insert(path);
                }
                Ok(())
            },
        );
        progress.end();
        (outcome.is_ok() && seen == paths.len()).then_some(gone)
    }
}

/// The items whose rows are not held, in order; for a page also what is held, each at the place of its file, and what is held
/// of other files behind.
fn jobs(items: Vec<Item>, earlier: &mut Held, with_page: bool) -> Vec<Job> {
    let mut jobs = Vec::new();
    for item in items {
        match earlier.rows.get_mut(&item.path()).and_then(std::collections::VecDeque::pop_front) {
            None => jobs.push(Job::New(item)),
            Some(row) if with_page => jobs.push(Job::Kept(item.path(), row)),
            Some(_) => {}
        }
    }
    if with_page {
        let rest = std::mem::take(&mut earlier.rows).into_iter();
        jobs.extend(rest.flat_map(|(path, rows)| rows.into_iter().map(move |row| Job::Kept(path.clone(), row))));
    }
    jobs
}

fn kept(
    checker: &Checker,
    gate: &Gate,
    (output, format): (Option<&Path>, Format),
    path: &Path,
    row: &HeldRow,
) -> io::Result<Made> {
    let mut file = File::open(output.ok_or(io::ErrorKind::NotFound)?)?;
    let entry = entry(&mut file, row, format)?;
    let again = |corners| {
        let made = || thumbnail_again(checker, gate, path, &row.sha256, corners);
        catch_unwind(AssertUnwindSafe(made)).ok().flatten()
    };
    let thumbnail = entry.outcome.as_ref().ok().and_then(|told| again(told.corners.as_ref()));
    Ok(Made::Kept(entry, thumbnail))
}

/// What a screening writes, and what it will say of itself.
struct Writing {
    sink: RowSink,
    page: Option<(HtmlReport, PathBuf)>,
    tally: Tally,
    /// Rows of an earlier screening.
    earlier: u64,
    /// Jobs that were written, of so many.
    shown: usize,
    jobs: usize,
    /// Rows of an earlier screening whose pictures are not there any more.
    without_picture: u64,
    left_out: Vec<(LeftOut, u64)>,
    lang: Language,
}

impl Writing {
    fn write(&mut self, made: Made) -> io::Result<()> {
        let (entry, thumbnail) = match made {
            Made::New(done) => {
                self.sink.write(&done.row)?;
                let entry = Entry::from(&done.row);
                self.tally.count(entry.decision());
                (entry, done.thumbnail)
            }
            Made::Kept(entry, thumbnail) => {
                self.without_picture += u64::from(thumbnail.is_none() && entry.outcome.is_ok());
                (entry, thumbnail)
            }
        };
        if let Some((page, _)) = &mut self.page {
            page.write(&entry, thumbnail.as_deref())?;
        }
        self.shown += 1;
        Ok(())
    }

    /// Ends the page and says how it went.
    fn close(self, interrupted: bool) -> Result<(), String> {
        let told = |notice: Notice<'_>| noticed(notice, self.lang);
        let mut notes = vec![format!("bonafide {}", env!("CARGO_PKG_VERSION"))];
        let mut note = |notice: Notice<'_>| {
            let said = noticed_in_both(notice);
            notes.extend([said.en, said.zh]);
        };
        if interrupted {
            note(Notice::BrokenOffPage);
        }
        if !self.left_out.is_empty() {
            note(Notice::LeftOut { counts: &self.left_out });
        }
        if self.without_picture > 0 {
            note(Notice::NotShownAgain { count: self.without_picture });
        }
        let page = match self.page {
            Some((page, path)) => page
                .finish(&notes.join(" · "))
                .map(|()| Some(told(Notice::PageIs { path: &spoken(&path) })))
                .map_err(|e| unwritten(&path, &e, self.lang)),
            None => Ok(None),
        };
        say(&told(Notice::Summary { counts: self.tally.counts(self.earlier) }));
        if !self.left_out.is_empty() {
            say(&told(Notice::LeftOut { counts: &self.left_out }));
        }
        if interrupted {
            say(&told(Notice::BrokenOff));
        }
        page?.iter().for_each(|page| say(page));
        Ok(())
    }
}

/// Waits while another thread writes the last of it and ends the process.
fn wait_for_the_end() -> ! {
    loop {
        std::thread::park();
    }
}

fn code_of(tally: &Tally, fail_on: Option<FailOn>) -> u8 {
    match fail_on {
        _ if tally.failed > 0 => ERROR,
        Some(_) if tally.reject > 0 => NOT_ACCEPTED,
        Some(FailOn::Review) if tally.retake + tally.review > 0 => REVIEW,
        _ => ACCEPTED,
    }
}
