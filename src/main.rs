//! The program `bonafide`: runs one subcommand and maps its outcome to an exit code.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    cli::run()
}
