//! Sockets and requests → bytes under limits, problems in two languages, a line in the log.

pub(crate) mod connections;
pub(crate) mod intake;
pub(crate) mod language;
pub(crate) mod problem;
pub(crate) mod trace;
