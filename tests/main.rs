//! Tests across stages, in one binary:
//!
//! - `hostile`: what an uploader may send that is no whole picture: one clear error each, never a panic;
//! - `inference`: both engines give the same outputs, and a checker judges a capture from bytes to verdict;
//! - `tidy`: modules use only what stands above them, and files say in their first line what they turn into what.

mod hostile;
mod inference;
mod tidy;
