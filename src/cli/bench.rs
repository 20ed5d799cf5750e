//! Labelled samples → a report, a comparison, a proposed policy.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bonafide::benchmark::dry_run::{Scored, Target};
use bonafide::benchmark::{
    Figures, Gate, ImportOptions, Judged, LabelError, Labels, Origin, Page, Picture, SETS, Sample, Settings, accept,
    accused, bracket, check_classes, compare, comparison, dry_run, explain_files, explanations, figures, find_leaks,
    findings_of, genuine, html, import, judge, markdown, measure, page, percent, read_labels, read_run, robustness,
    set, stored, summary, tables_csv, trained_on, try_variants, worst, write_run,
};
use bonafide::capture::Upload;
use bonafide::checker::Checker;
use bonafide::scene::Deadline;
use bonafide::screening::{Item, gather, read_upload};
use clap::{Args, Subcommand, ValueEnum};

use super::screen::progress_bar;
use super::{ACCEPTED, CheckerArgs, INTERRUPTED};

/// Figures against labelled samples, by ISO/IEC 30107-3.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct BenchArgs {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    #[command(flatten)]
    run: RunArgs,
}

#[derive(Debug, Subcommand)]
enum BenchCommand {
    /// Writes the labels of a public set as it is published, or of plain `class/...` folders.
    Import(ImportArgs),
    /// Says what changed between two runs.
    Compare(CompareArgs),
    /// Removes the evidence that verdicts name, and counts how often the score falls under its threshold.
    Explain(ExplainArgs),
    /// Proposes thresholds that reach a target on a run, and writes a policy that holds them; nothing is changed.
    Policy(PolicyArgs),
}

#[derive(Debug, Args)]
struct RunArgs {
    /// CSV or JSON Lines with path and label, and optionally species, source, device, `document_id`, content, split,
    /// legible (yes, no) and readable (yes, part, no). Readable originals give the first-try pass rate; where legible
    /// is empty, readable stands for it, and part for neither.
    #[arg(required = true, value_name = "LABELS")]
    labels: Option<PathBuf>,
    /// Folder that the paths are below; the folder of the labels when left out.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder of the run: findings, results, figures and the report. What it holds is not measured again.
    #[arg(long, short, value_name = "DIR", default_value = "bench-report")]
    output: PathBuf,
    /// Only the rows of this split.
    #[arg(long)]
    split: Option<String>,
    /// Photographs examined at a time; as many as there are processors when left out.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Also takes captures of sources that the models were trained on; the report says which figures are theirs.
    #[arg(long, conflicts_with = "skip_trained_on")]
    allow_trained_on: bool,
    /// Leaves out captures of sources that the models were trained on, and says how many.
    #[arg(long)]
    skip_trained_on: bool,
    /// Also makes so many originals and as many screens smaller, compressed, blurred and noisy, and draws the errors.
    #[arg(long, value_name = "N")]
    robustness: Option<usize>,
    #[command(flatten)]
    checker: CheckerArgs,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The set, by name; without one the known sets are listed, with where to get them and how they are laid out.
    #[arg(value_name = "SET", requires = "dir")]
    set: Option<String>,
    /// Its folder.
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Writes the labels to this file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also takes digitally altered documents, as originals of the species `altered`: they are photographed, not shown.
    #[arg(long)]
    with_altered: bool,
}

#[derive(Debug, Args)]
struct CompareArgs {
    /// Folder of the earlier run.
    before: PathBuf,
    /// Folder of the later run.
    after: PathBuf,
    /// Writes the page to this file instead of Markdown to standard output.
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ExplainArgs {
    /// The labels of a finished run.
    labels: PathBuf,
    /// Folder that the paths are below; the folder of the labels when left out.
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Folder of the run; its findings say which captures to test.
    #[arg(long, value_name = "DIR", default_value = "bench-report")]
    run: PathBuf,
    /// Captures to test at most, source by source in turn; each is checked some twenty times.
    #[arg(long, default_value_t = 60)]
    count: usize,
    #[command(flatten)]
    checker: CheckerArgs,
}

#[derive(Debug, Args)]
struct PolicyArgs {
    /// Folder of a finished run.
    #[arg(required_unless_present = "genuine", conflicts_with = "genuine", requires = "target")]
    run: Option<PathBuf>,
    /// Ten to twenty-five genuine captures of one site, instead of a run: proposes a threshold of the screen score under
    /// which its genuine captures stay, and says what is known of the screens that it lets pass.
    #[arg(long, value_name = "DIR")]
    genuine: Option<PathBuf>,
    /// What to reach, for example `apcer<=5%`, `bpcer<=1%` or `accept>=95%`. The last relaxes the rules that stop
    /// readable originals until that share is accepted at the first try, those first that let the fewest attacks and
    /// unreadable originals pass with them; it begins with the shipped policy and needs the label readable.
    #[arg(long, conflicts_with = "genuine")]
    target: Option<String>,
    /// The score that gets a threshold, where an error rate is to be held.
    #[arg(long, value_enum, default_value_t = ScoreName::Screen)]
    score: ScoreName,
    /// Name of the policy.
    #[arg(long, default_value = "dry-run")]
    id: String,
    /// Writes the policy to this file instead of standard output.
    #[arg(long, short, value_name = "FILE.toml")]
    output: Option<PathBuf>,
    #[command(flatten)]
    checker: CheckerArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ScoreName {
    Screen,
    Print,
}

pub(super) fn run(args: BenchArgs) -> Result<u8, String> {
    match args.command {
        Some(BenchCommand::Import(args)) => import_set(&args),
        Some(BenchCommand::Compare(args)) => compare_runs(&args),
        Some(BenchCommand::Explain(args)) => explain(args),
        Some(BenchCommand::Policy(args)) => propose_policy(args),
        None => bench(args.run),
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn bench(args: RunArgs) -> Result<u8, String> {
    let path = args.labels.ok_or("labels are missing")?;
    let labels = read_labels(&path).map_err(words)?;
    let root = args.root.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).to_owned());
    let mut samples = labels.select(args.split.as_deref()).map_err(words)?;
    let checker = args.checker.build()?;
    if args.skip_trained_on {
        let before = samples.len();
        samples.retain(|sample| !checker.trained_on().contains(sample.source.as_str()));
        eprintln!(
            "{} of {before} rows are of sources that the models were trained on: left out",
            before - samples.len()
        );
    }
    check_classes(&samples).map_err(words)?;
    let missing = labels.check_files(&root);
    if !missing.is_empty() {
        return Err(LabelError::of_rows(&path, missing).to_string());
    }
    let remembered = trained_on(checker.trained_on(), &samples);
    if !remembered.is_empty() && !args.allow_trained_on {
        let sources: BTreeSet<&str> = remembered.iter().map(|sample| sample.source.as_str()).collect();
        let named: Vec<&str> = sources.iter().copied().take(5).collect();
        return Err(format!(
            "{} of {} rows are of {} sources that the models were trained on ({}{}): that is no test. Say \
             --skip-trained-on to leave them out, or --allow-trained-on to have their figures marked",
            remembered.len(),
            samples.len(),
            sources.len(),
            named.join(", "),
            if sources.len() > named.len() { ", ..." } else { "" }
        ));
    }
    std::fs::create_dir_all(&args.output).map_err(|e| format!("{}: {e}", args.output.display()))?;
    let file = findings_of(&args.output);
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let stop = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&stop);
    ctrlc::set_handler(move || told.store(true, Ordering::Relaxed)).map_err(words)?;
    let bar = progress_bar(samples.len() as u64);
    let whole = measure(&checker, &samples, &root, &file, threads, &stop, &mut || bar.inc(1)).map_err(words)?;
    bar.finish_and_clear();
    if !whole {
        eprintln!("broken off; the same command goes on from here");
        return Ok(INTERRUPTED);
    }
    let judged = judge(&checker, &samples, stored(&file).map_err(words)?, &file).map_err(words)?;
    let leaks = find_leaks(&pictures(&judged));
    let found = figures(&judged, &Origin::of(&checker), checker.policy_id(), leaks, checker.trained_on());
    write_run(&args.output, &found, &judged).map_err(|e| format!("{}: {e}", args.output.display()))?;
    let title = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut page = page(&title, &found, &judged, &checker, worst(&checker, &judged, &root));
    if let Some(most) = args.robustness {
        let bar = progress_bar(2 * most as u64);
        let tried = try_variants(&checker, &judged, &root, most, &|| bar.inc(1));
        bar.finish_and_clear();
        page.sections.extend(robustness(&tried, &checker));
    }
    write_page(&page, &args.output).map_err(|e| format!("{}: {e}", args.output.display()))?;
    tell(&found).map_err(words)?;
    eprintln!("the report is {}", args.output.join("report.html").display());
    Ok(ACCEPTED)
}

fn pictures(judged: &[Judged]) -> Vec<Picture<'_>> {
    let mut pictures = Vec::with_capacity(judged.len());
    for Judged { sample, stored, .. } in judged {
        let sha256 = (!stored.sha256.is_empty()).then_some(stored.sha256.as_str());
        pictures.push(Picture { sample, fingerprint: stored.fingerprint, sha256 });
    }
    pictures
}

fn write_page(page: &Page, folder: &Path) -> std::io::Result<()> {
    let mut out = BufWriter::new(File::create(folder.join("report.html"))?);
    html(page, &mut out)?;
    out.flush()?;
    let mut out = BufWriter::new(File::create(folder.join("report.md"))?);
    markdown(page, &mut out)?;
    out.flush()?;
    let tables = folder.join("tables");
    std::fs::create_dir_all(&tables)?;
    for (name, text) in tables_csv(page) {
        std::fs::write(tables.join(format!("{name}.csv")), text)?;
    }
    Ok(())
}

/// The figures that matter most, on standard output.
fn tell(figures: &Figures) -> std::io::Result<()> {
    let mut out = anstream::stdout();
    if let Some(accepted) =
        figures.first_try.as_ref().and_then(|found| found.readable.map(|readable| readable.accepted))
    {
        writeln!(
            out,
            "first-try pass rate {} {} over files, {} over sources (n {} readable originals)",
            accepted.share.rate().map_or("-".to_owned(), percent),
            bracket(Some(accepted.files)),
            bracket(accepted.sources),
            accepted.share.of
        )?;
    }
    for curve in &figures.curves {
        writeln!(
            out,
            "{}: AUC {:.3}, D-EER {} {} (n {} / {} from {} sources)",
            curve.name,
            curve.auc.value,
            percent(curve.d_eer.value),
            bracket(curve.d_eer.sources),
            curve.attacks,
            curve.bona_fide,
            curve.sources
        )?;
    }
    for at in figures.gates.iter().filter(|at| at.gate != Gate::NotAccepted) {
        let rate = |value: Option<f64>| value.map_or("-".to_owned(), percent);
        writeln!(
            out,
            "{}: APCER {}, BPCER {}",
            at.gate.name(),
            rate(at.highest_apcer),
            rate(at.bpcer.as_ref().and_then(|bpcer| bpcer.share.rate()))
        )?;
    }
    if figures.trained_on > 0 {
        writeln!(out, "{} of these captures are of sources that the models were trained on", figures.trained_on)?;
    }
    Ok(())
}

fn import_set(args: &ImportArgs) -> Result<u8, String> {
    let mut out = anstream::stdout();
    let (Some(name), Some(dir)) = (&args.set, &args.dir) else {
        for set in SETS {
            writeln!(out, "{}\n  {}\n  licence: {}\n  layout: {}", set.name, set.home, set.licence, set.layout)
                .map_err(words)?;
        }
        return Ok(ACCEPTED);
    };
    let options = ImportOptions { with_altered: args.with_altered };
    let imported = set(name).and_then(|set| import(set, dir, options)).map_err(words)?;
    for (reason, count) in &imported.left_out {
        eprintln!("left out: {count} ({reason})");
    }
    eprintln!("{} pictures labelled", imported.labels.samples.len());
    write_labels(&imported.labels, args.output.as_deref())?;
    Ok(ACCEPTED)
}

fn write_labels(labels: &Labels, path: Option<&Path>) -> Result<(), String> {
    match path {
        Some(path) => {
            let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
            labels.write_csv(BufWriter::new(file)).map_err(words)
        }
        None => labels.write_csv(anstream::stdout()).map_err(words),
    }
}

fn compare_runs(args: &CompareArgs) -> Result<u8, String> {
    let (before, after) = (read_run(&args.before).map_err(words)?, read_run(&args.after).map_err(words)?);
    let page = comparison(&compare(&before, &after));
    match &args.report {
        Some(path) => {
            let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
            let mut out = BufWriter::new(file);
            html(&page, &mut out).and_then(|()| out.flush()).map_err(|e| format!("{}: {e}", path.display()))?;
        }
        None => markdown(&page, &mut anstream::stdout()).map_err(words)?,
    }
    Ok(ACCEPTED)
}

fn explain(args: ExplainArgs) -> Result<u8, String> {
    let labels = read_labels(&args.labels).map_err(words)?;
    let root = args.root.unwrap_or_else(|| args.labels.parent().unwrap_or(Path::new("")).to_owned());
    let checker = args.checker.build()?;
    let file = findings_of(&args.run);
    let rows = stored(&file).map_err(words)?;
    let measured: BTreeSet<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    let samples: Vec<&Sample> =
        labels.samples.iter().filter(|sample| measured.contains(sample.path.as_str())).collect();
    let judged = judge(&checker, &samples, rows.clone(), &file).map_err(words)?;
    let paths: Vec<PathBuf> = accused(&judged, args.count).into_iter().map(|row| root.join(&row.sample.path)).collect();
    if paths.is_empty() {
        return Err("no attack of this run is accused as one: there is nothing to test".to_owned());
    }
    let outcomes = explain_files(&checker, &paths, &Settings::default());
    let (done, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    for failure in failed.into_iter().filter_map(Result::err) {
        eprintln!("{}: {}", failure.path, failure.error.message);
    }
    let done: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
    let mut out = BufWriter::new(File::create(args.run.join("explanations.jsonl")).map_err(words)?);
    for explanation in &done {
        serde_json::to_writer(&mut out, explanation).map_err(words)?;
        out.write_all(b"\n").map_err(words)?;
    }
    out.flush().map_err(words)?;
    markdown(&explanations(done.len(), &summary(&done)), &mut anstream::stdout()).map_err(words)?;
    Ok(ACCEPTED)
}

fn propose_policy(args: PolicyArgs) -> Result<u8, String> {
    let text = match (&args.genuine, &args.run, &args.target) {
        (Some(folder), ..) => site_policy(folder, &args.id, &args.checker.build()?)?,
        (None, Some(run), Some(target)) => run_policy(run, target, args.score, &args.id)?,
        (None, ..) => return Err("a run and a target are asked for, or --genuine".to_owned()),
    };
    match &args.output {
        Some(path) => std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?,
        None => anstream::stdout().write_all(text.as_bytes()).map_err(words)?,
    }
    Ok(ACCEPTED)
}

fn run_policy(folder: &Path, target: &str, score: ScoreName, id: &str) -> Result<String, String> {
    let run = read_run(folder).map_err(words)?;
    let named = folder.display().to_string();
    Ok(match target.parse()? {
        Target::Most(most) => {
            let score = match score {
                ScoreName::Screen => Scored::Screen,
                ScoreName::Print => Scored::Print,
            };
            dry_run::policy(&run, &dry_run::propose(&run, score, most).map_err(words)?, target, id, &named)
        }
        Target::Accept(share) => {
            let findings = stored(&findings_of(folder)).map_err(words)?;
            accept::policy(&run, &accept::propose(&run, &findings, share).map_err(words)?, target, id, &named)
        }
    })
}

/// A threshold for the site whose genuine captures lie in `folder`.
fn site_policy(folder: &Path, id: &str, checker: &Checker) -> Result<String, String> {
    let shipped = checker.policy().rules().into_iter().find(|rule| rule.name == "screen_recapture");
    let shipped = shipped.and_then(|rule| Some([rule.review?, rule.reject?]));
    let shipped = shipped.ok_or("the policy has no rule `screen_recapture` with review and reject")?;
    let mut scores = Vec::new();
    for item in gather(&[folder.to_owned()], &mut std::io::empty()).map_err(words)? {
        let Item::File(path) = item else {
            eprintln!("{}: cannot be opened", item.name());
            continue;
        };
        let name = path.to_string_lossy();
        let bytes = match read_upload(&path, checker.limits()) {
            Ok(bytes) => bytes,
            Err(failure) => {
                eprintln!("{name}: {}", failure.error.message);
                continue;
            }
        };
        match checker.check(&Upload { bytes: &bytes, name: Some(&name) }, Deadline::NEVER) {
            Ok(report) => scores.extend(report.scores.screen),
            Err(error) => eprintln!("{name}: {error}"),
        }
    }
    let proposal = genuine::propose(scores, shipped[0])?;
    Ok(genuine::policy(&proposal, shipped, id, &folder.display().to_string()))
}
