//! Keys → what a report says in English: facts, risks, names and notices.

pub mod fact;
pub mod name;
pub mod notice;
pub mod risk;
