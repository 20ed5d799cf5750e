//! Labelled samples → a report, a comparison, a proposed policy.

use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bonafide::benchmark::dry_run::{Scored, Target};
use bonafide::benchmark::{
    Figures, Gate, ImportOptions, Judged, Label, LabelError, Origin, Page, Picture, SETS, Sample, Settings, accept,
    accused, bracket, check_classes, compare, comparison, curve_title, dry_run, explain_files, explanations, figures,
    find_leaks, findings_of, genuine, html, import, judge, markdown, measure, page, percent, read_labels, read_run,
    robustness, set, stored, summary, tables_csv, trained_on, try_variants, worst, write_run,
};
use bonafide::checker::Checker;
use bonafide::names::{printable, shown, spoken};
use bonafide::report::Row;
use bonafide::report::alone::open_alone;
use bonafide::report::text::{Notice, noticed};
use bonafide::screening::{BUDGET_PER_WORKER, Gate as ByteGate, Item, examine, gather};
use bonafide::vocabulary::Language;
use clap::{Args, Subcommand, ValueEnum};

use super::outputs::{refuse_losses, unwritten, write, write_with};
use super::progress::Progress;
use super::stop::Stop;
use super::{ACCEPTED, CheckerArgs, say};

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
    let stop = Stop::heed()?;
    let path = args.labels.ok_or("labels are missing")?;
    let labels = read_labels(&path).map_err(words)?;
    let root = args.root.unwrap_or_else(|| path.parent().unwrap_or(Path::new("")).to_owned());
    let mut samples = labels.select(args.split.as_deref()).map_err(words)?;
    let own = args.checker.files();
    let checker = args.checker.build(Language::En)?;
    if args.skip_trained_on {
        let before = samples.len();
        samples.retain(|sample| !checker.trained_on().contains(sample.source.as_str()));
        say(&format!(
            "{} of {before} rows are of sources that the models were trained on: left out",
            before - samples.len()
        ));
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
    let pictures_read: Vec<PathBuf> = samples.iter().map(|sample| root.join(&sample.path)).collect();
    let read = pictures_read.iter().chain(&own).chain([&path]);
    refuse_losses(&files_of(&args.output).each_ref().map(PathBuf::as_path), read.map(PathBuf::as_path), Language::En)?;
    std::fs::create_dir_all(&args.output).map_err(|e| unwritten(&args.output, &e, Language::En))?;
    let file = findings_of(&args.output);
    // Held to the end: the figures and the page are this run's alone too.
    let _alone = open_alone(&file).map_err(|e| unwritten(&file, &e, Language::En))?;
    let threads = args.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, usize::from), usize::from);
    let progress = Progress::of("measured", samples.len() as u64);
    let whole =
        measure(&checker, &samples, &root, &file, threads, stop.flag(), &mut || progress.one()).map_err(words)?;
    progress.end();
    if !whole {
        say("broken off; the same command goes on from here");
        return Ok(stop.code());
    }
    let judged = judge(&checker, &samples, stored(&file).map_err(words)?, &file).map_err(words)?;
    let leaks = find_leaks(&pictures(&judged));
    let found = figures(&judged, &Origin::of(&checker), checker.policy_id(), leaks, checker.trained_on());
    write_run(&args.output, &found, &judged).map_err(|e| unwritten(&args.output, &e, Language::En))?;
    let title = path.file_name().map_or_else(|| shown(&path), |name| shown(Path::new(name)));
    let mut page = page(&title, &found, &judged, &checker, worst(&checker, &judged, &root));
    let report = args.output.join("report.html");
    write_page(&page, &args.output)?;
    if let Some(most) = args.robustness {
        say(&format!("the report is {}; robustness comes to it at the end", spoken(&report)));
        let tries = judged.iter().filter(|row| matches!(row.sample.label, Label::Original | Label::Screen)).count();
        let progress = Progress::of("robustness", tries.min(2 * most) as u64);
        let tried = try_variants(&checker, &judged, &root, most, &|| progress.one());
        progress.end();
        page.sections.extend(robustness(&tried, &checker));
        write_page(&page, &args.output)?;
    }
    tell(&found).map_err(words)?;
    say(&format!("the report is {}", spoken(&report)));
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

/// What a run writes into its folder.
fn files_of(folder: &Path) -> [PathBuf; 5] {
    ["findings.jsonl", "results.jsonl", "figures.json", "report.html", "report.md"].map(|name| folder.join(name))
}

fn write_page(page: &Page, folder: &Path) -> Result<(), String> {
    write_with(&folder.join("report.html"), |mut out| html(page, &mut out))?;
    write_with(&folder.join("report.md"), |mut out| markdown(page, &mut out))?;
    let tables = folder.join("tables");
    std::fs::create_dir_all(&tables).map_err(|e| unwritten(&tables, &e, Language::En))?;
    for (name, text) in tables_csv(page) {
        write(&tables.join(format!("{name}.csv")), text.as_bytes(), Language::En)?;
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
            curve_title(&curve.name, &curve.score),
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
        say(&format!("left out: {count} ({reason})"));
    }
    let sources: BTreeSet<&str> = imported.labels.samples.iter().map(|sample| sample.source.as_str()).collect();
    say(&format!("{} pictures labelled, of {} sources", imported.labels.samples.len(), sources.len()));
    let mut table = Vec::new();
    imported.labels.write_csv(&mut table).map_err(words)?;
    put(args.output.as_deref(), &table, imported.labels.samples.iter().map(|sample| dir.join(&sample.path)))?;
    Ok(ACCEPTED)
}

/// Writes `bytes` to the file, which may be none of `inputs`, or to standard output.
fn put(path: Option<&Path>, bytes: &[u8], inputs: impl Iterator<Item = PathBuf>) -> Result<(), String> {
    let Some(path) = path else { return anstream::stdout().write_all(bytes).map_err(words) };
    let inputs: Vec<PathBuf> = inputs.collect();
    refuse_losses(&[path], inputs.iter().map(PathBuf::as_path), Language::En)?;
    write(path, bytes, Language::En)
}

fn compare_runs(args: &CompareArgs) -> Result<u8, String> {
    let (before, after) = (read_run(&args.before).map_err(words)?, read_run(&args.after).map_err(words)?);
    let page = comparison(&compare(&before, &after));
    let mut bytes = Vec::new();
    match &args.report {
        Some(_) => html(&page, &mut bytes),
        None => markdown(&page, &mut bytes),
    }
    .map_err(words)?;
    let runs = [&args.before, &args.after];
    put(args.report.as_deref(), &bytes, runs.into_iter().flat_map(|run| files_of(run)))?;
    Ok(ACCEPTED)
}

fn explain(args: ExplainArgs) -> Result<u8, String> {
    let _stop = Stop::heed()?;
    let labels = read_labels(&args.labels).map_err(words)?;
    let root = args.root.unwrap_or_else(|| args.labels.parent().unwrap_or(Path::new("")).to_owned());
    let checker = args.checker.build(Language::En)?;
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
    let progress = Progress::of("explained", paths.len() as u64);
    let outcomes = explain_files(&checker, &paths, &Settings::default(), &|| progress.one());
    progress.end();
    let (done, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    for failure in failed.into_iter().filter_map(Result::err) {
        say(&format!("{}: {}", printable(&failure.path), failure.error.message));
    }
    let done: Vec<_> = done.into_iter().filter_map(Result::ok).collect();
    write_with(&args.run.join("explanations.jsonl"), |out| {
        for explanation in &done {
            serde_json::to_writer(&mut *out, explanation)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })?;
    markdown(&explanations(done.len(), &summary(&done)), &mut anstream::stdout()).map_err(words)?;
    Ok(ACCEPTED)
}

fn propose_policy(args: PolicyArgs) -> Result<u8, String> {
    let _stop = Stop::heed()?;
    let mut inputs: Vec<PathBuf> = args.run.iter().flat_map(|run| files_of(run)).chain(args.checker.files()).collect();
    let text = match (&args.genuine, &args.run, &args.target) {
        (Some(folder), ..) => site_policy(folder, &args.id, &args.checker.build(Language::En)?, &mut inputs)?,
        (None, Some(run), Some(target)) => run_policy(run, target, args.score, &args.id)?,
        (None, ..) => return Err("a run and a target are asked for, or --genuine".to_owned()),
    };
    put(args.output.as_deref(), text.as_bytes(), inputs.into_iter())?;
    Ok(ACCEPTED)
}

fn run_policy(folder: &Path, target: &str, score: ScoreName, id: &str) -> Result<String, String> {
    let run = read_run(folder).map_err(words)?;
    let named = spoken(folder);
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

/// A threshold for the site whose genuine captures lie in `folder`; they are added to `inputs`.
fn site_policy(folder: &Path, id: &str, checker: &Checker, inputs: &mut Vec<PathBuf>) -> Result<String, String> {
    let shipped = checker.policy().rules().into_iter().find(|rule| rule.name == "screen_recapture");
    let shipped = shipped.and_then(|rule| Some([rule.review?, rule.reject?]));
    let shipped = shipped.ok_or("the policy has no rule `screen_recapture` with review and reject")?;
    let gathered = gather(&[folder.to_owned()], &mut std::io::empty()).map_err(words)?;
    if !gathered.left_out.is_empty() {
        let counts: Vec<_> = gathered.left_out.into_iter().collect();
        say(&noticed(Notice::LeftOut { counts: &counts }, Language::En));
    }
    let gate = ByteGate::new(BUDGET_PER_WORKER);
    let mut scores = Vec::new();
    for item in gathered.items {
        inputs.push(item.path());
        let row = match item {
            Item::File(path) => examine(checker, &gate, &path, false).row,
            Item::Refused(failure) => Row::Failure(failure),
        };
        match row {
            Row::Report(report) => scores.extend(report.scores.screen),
            Row::Failure(failure) => say(&format!("{}: {}", printable(&failure.path), failure.error.message)),
        }
    }
    let proposal = genuine::propose(scores, shipped[0])?;
    Ok(genuine::policy(&proposal, shipped, id, &spoken(folder)))
}
