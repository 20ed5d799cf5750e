//! Settings of a file, the environment and the command line → the HTTP service, until it is told to stop.

use std::path::PathBuf;
use std::sync::Arc;

use bonafide::checker::Checker;
use bonafide::service::config::{Settings, table};
use bonafide::service::{Config, Service};
use clap::{Args, Command};

use super::signals::{Signals, Told};
use super::{ACCEPTED, layers};

/// Threads that only move bytes; pictures are examined on threads of their own.
const NETWORK_THREADS: usize = 2;

/// Serves the checks over HTTP, with the hand-off to a phone.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// File of settings, TOML; the environment and the command line are laid over it.
    #[arg(long, env = "BONAFIDE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Prints the table of all settings and ends.
    #[arg(long)]
    settings: bool,
    #[command(flatten)]
    given: Settings,
}

pub(super) fn run(args: &ServeArgs) -> Result<u8, String> {
    if args.settings {
        print!("{}", table());
        return Ok(ACCEPTED);
    }
    let settings = match &args.config {
        None => args.given.clone(),
        Some(file) => {
            // Behind the names of the program and of the command.
            let flags: Vec<_> = std::env::args_os().skip(2).collect();
            layers::laid(ServeArgs::augment_args(Command::new("serve")), &flags, Some(file))?
        }
    };
    settings.log.begin()?;
    let config = settings.config()?;
    let checker = settings.judging.checker()?;
    tracing::info!(engine = checker.engine_line(), policy = checker.policy_id(), "checker");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(NETWORK_THREADS)
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    runtime.block_on(serve(config, checker))?;
    Ok(ACCEPTED)
}

async fn serve(config: Config, checker: Checker) -> Result<(), String> {
    // Before anything can be told to stop.
    let mut signals = Signals::new().map_err(|e| format!("signals: {e}"))?;
    let service = Service::start(config, Arc::new(checker)).await.map_err(|e| e.to_string())?;
    while let Told::Reload = signals.next().await {
        match service.reload().await {
            Ok(true) => tracing::info!("certificate read again"),
            Ok(false) => tracing::info!("there is no certificate to read again"),
            Err(error) => tracing::error!(%error, "the new certificate cannot be used; the old one stays"),
        }
    }
    tracing::info!("stopping: what was begun is finished");
    // Told twice, nothing is waited for.
    let stopped = tokio::select! {
        stopped = service.stop() => stopped,
        () = async { while signals.next().await == Told::Reload {} } => Ok(()),
    };
    tracing::info!("stopped");
    stopped.map_err(|e| e.to_string())
}
