//! The program `bonafide`: runs one subcommand and maps its outcome to an exit code.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    // Before anything else: the program decodes one upload where it was begun for that.
    bonafide::capture::answer_if_asked().unwrap_or_else(cli::run)
}
