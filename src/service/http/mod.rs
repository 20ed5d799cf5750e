//! Sockets and requests → bytes under limits, problems in two languages, a line in the log.

pub(crate) mod connections;
pub(crate) mod encoded;
pub(crate) mod intake;
pub(crate) mod language;
pub(crate) mod names;
pub(crate) mod pace;
pub(crate) mod peer;
pub(crate) mod problem;
pub(crate) mod said;
pub(crate) mod shares;
pub(crate) mod trace;
