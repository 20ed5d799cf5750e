//! A PC that asks for photographs → a phone that takes them.

mod qr;
mod review;
mod session;
mod words;

pub(crate) use qr::svg;
pub(crate) use session::{Handoff, Handoffs, MOST_STEPS, Opened, Side, Wanted};
pub(crate) use words::{SessionState, SessionView, StepDecision, StepView, Wish};
