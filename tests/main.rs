//! Tests across stages, in one binary:
//!
//! - `inference`: both engines give the same outputs, and a checker judges a capture from bytes to verdict;
//! - `tidy`: modules use only what stands above them, and files say in their first line what they turn into what.

mod inference;
mod tidy;
