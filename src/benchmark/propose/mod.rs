//! A finished run, or captures of one site → a policy that reaches a target; nothing is changed.

pub mod accept;
pub mod dry_run;
pub mod genuine;
mod relax;
