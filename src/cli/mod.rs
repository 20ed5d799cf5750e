//! Command line → one subcommand → exit code.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line program speaks on its streams")]

#[cfg(feature = "service")]
mod administer;
#[cfg(feature = "bench")]
mod bench;
mod check;
mod explain;
#[cfg(feature = "service")]
mod layers;
mod outputs;
mod progress;
mod screen;
#[cfg(feature = "service")]
mod serve;
#[cfg(feature = "service")]
mod signals;
#[cfg(feature = "simulation")]
mod simulate;
mod stop;
mod version;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bonafide::capture::{Isolation, Limits};
use bonafide::checker::{Checker, Options};
use bonafide::inference::EngineChoice;
use bonafide::names::{disguises, printable_lines, shown};
use bonafide::policy::{Preset, Sensitivity};
use bonafide::reading::Date;
use bonafide::report::text::{Notice, noticed};
use bonafide::vocabulary::{Face, Language};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

/// Everything was accepted.
const ACCEPTED: u8 = 0;
/// Something was not accepted: to be photographed again, or refused.
const NOT_ACCEPTED: u8 = 1;
/// Something could not be done, or a file could not be examined.
const ERROR: u8 = 2;
/// Nothing was refused, and something is for a person to look at.
const REVIEW: u8 = 3;
/// Ended by Ctrl-C, as shells count it; 143 is TERM.
const INTERRUPTED: u8 = 130;

/// Tells an original capture of a document from a recapture of a screen or print, and whether it is legible.
#[derive(Debug, Parser)]
#[command(name = "bonafide", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Checks photographs one by one and says why.
    Check(check::CheckArgs),
    /// Checks many photographs and writes one row each.
    Screen(screen::ScreenArgs),
    /// Says what each detector measures, how, and what it cannot see.
    Explain(explain::ExplainArgs),
    /// Measures against labelled samples: figures, comparisons, proposed thresholds.
    #[cfg(feature = "bench")]
    Bench(Box<bench::BenchArgs>),
    /// Serves the checks over HTTP, with the hand-off to a phone.
    #[cfg(feature = "service")]
    Serve(Box<serve::ServeArgs>),
    /// Makes, lists, revokes and renews API keys of the service.
    #[cfg(feature = "service")]
    Key(administer::KeyArgs),
    /// The service's record of every decision.
    #[cfg(feature = "service")]
    Audit(administer::AuditArgs),
    /// Messages to webhooks that were given up.
    #[cfg(feature = "service")]
    Webhook(administer::WebhookArgs),
    /// Deletes the report and picture of a case of the service for good, or all that is too old.
    #[cfg(feature = "service")]
    Purge(administer::PurgeArgs),
    /// What the policies in the shadow of the service would change.
    #[cfg(feature = "service")]
    Shadow(administer::ShadowArgs),
    /// Makes labelled captures nobody photographed.
    #[cfg(feature = "simulation")]
    Simulate(simulate::Simulate),
}

/// What a checker is made of.
#[derive(Debug, Args)]
struct CheckerArgs {
    /// Policy to judge by, instead of the built-in one.
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Judges by a provider's published filing rules: formats, size of the file, scans, seal, upright.
    #[arg(long, value_enum, conflicts_with = "policy")]
    preset: Option<Preset>,
    /// Folder with models and their manifest, instead of the built-in ones.
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// Engine that runs the networks.
    #[arg(long, value_enum, default_value_t)]
    engine: EngineChoice,
    /// Overrides how strictly one risk is judged, for example `glare=relaxed`: off, relaxed, normal or strict.
    /// Can be repeated.
    #[arg(long, value_name = "RISK=LEVEL", value_parser = Sensitivity::of_risk)]
    sensitivity: Vec<(String, Sensitivity)>,
    /// Asks for this document, or side of it, and for a retake of anything else: `portrait_side`, `emblem_side`,
    /// `card`, `passport_page`, `licence` or `page`.
    #[arg(long, value_name = "DOCUMENT")]
    expect: Option<Face>,
    /// Wants documents that are valid for so many days more, for example `90d`; being in date is enough without it.
    #[arg(long, value_name = "DAYS", value_parser = bonafide::policy::days)]
    valid_for: Option<u16>,
    /// The day from which validity is counted, for example `2026-01-31`; today in UTC without it.
    #[arg(long, value_name = "DAY")]
    today: Option<Date>,
    /// Shows the document's number in full and what it encodes of its holder; without this most of it is masked.
    #[arg(long)]
    reveal: bool,
    /// Opens every picture in a process of its own with limits of memory and time; HEIC always is.
    #[arg(long)]
    isolate: bool,
}

/// Says `text` on standard error, which may have been closed. Nothing in it reaches a terminal as more than text.
fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(text));
}

impl CheckerArgs {
    /// The files that a checker is made of.
    fn files(&self) -> Vec<PathBuf> {
        let models = self.models.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        let models = models.filter_map(|entry| Some(entry.ok()?.path()));
        self.policy.iter().cloned().chain(models).collect()
    }

    fn build(self, language: Language) -> Result<Checker, String> {
        let options = Options {
            models: self.models,
            policy: self.policy,
            preset: self.preset,
            sensitivity: self.sensitivity,
            expect: self.expect,
            valid_for: self.valid_for,
            today: self.today,
            engine: self.engine,
            limits: Limits::default(),
            reveal: self.reveal,
            isolation: Isolation::by_this_program(self.isolate),
        };
        let cannot = |cause: &str| noticed(Notice::CannotBegin { cause }, language);
        let checker = Checker::new(&options).map_err(|e| cannot(&e.to_string()))?;
        say(&noticed(Notice::Engine { line: &checker.engine_line() }, language));
        Ok(checker)
    }
}

/// What the command line asks for. What `--version` says takes reading the policy and looking for an engine, so it is made
/// only where it is asked for.
fn read() -> Cli {
    let asked = std::env::args_os().nth(1).is_some_and(|first| first == "--version" || first == "-V");
    let command = if asked { Cli::command().version(version::text().leak() as &str) } else { Cli::command() };
    let parsed = command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| {
        if error.kind() == ErrorKind::InvalidSubcommand
            && let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand)
            && let Some(feature) = version::missing(name)
        {
            say(&format!(
                "bonafide: this program was built without `{name}`; `cargo build --release --features {feature}` builds it, \
                 `--features full` everything"
            ));
            std::process::exit(i32::from(ERROR));
        }
        // A name that a shell put in for `*` may be taken for a flag, and is shown.
        if std::env::args_os().any(|arg| shown(Path::new(&arg)).contains(disguises)) {
            say(&error.render().to_string());
            std::process::exit(error.exit_code());
        }
        error.exit()
    })
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    let outcome = match read().command {
        Command::Check(args) => check::run(args),
        Command::Screen(args) => screen::run(args),
        Command::Explain(args) => explain::run(&args),
        #[cfg(feature = "bench")]
        Command::Bench(args) => bench::run(*args),
        #[cfg(feature = "service")]
        Command::Serve(args) => serve::run(&args),
        #[cfg(feature = "service")]
        Command::Key(args) => administer::key(&args),
        #[cfg(feature = "service")]
        Command::Audit(args) => administer::audit(&args),
        #[cfg(feature = "service")]
        Command::Webhook(args) => administer::webhook(&args),
        #[cfg(feature = "service")]
        Command::Purge(args) => administer::purge(&args),
        #[cfg(feature = "service")]
        Command::Shadow(args) => administer::shadow(&args),
        #[cfg(feature = "simulation")]
        Command::Simulate(args) => simulate::run(&args).map(|_| ACCEPTED),
    };
    ExitCode::from(outcome.unwrap_or_else(|message| {
        say(&format!("bonafide: {message}"));
        ERROR
    }))
}
