//! Keys → what a report says in Chinese: facts, risks and names.

pub mod fact;
pub mod name;
pub mod risk;
