//! The program `bonafide`: run one subcommand, map the outcome to an exit code.

fn main() {}
