//! Keys → what a report says in Chinese: facts, risks, names and notices.

pub mod fact;
pub mod name;
pub mod notice;
pub mod risk;
