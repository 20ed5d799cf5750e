//! Fuzzes `run::labels`.
#![no_main]
#![allow(dead_code)]

mod run;

libfuzzer_sys::fuzz_target!(|data: &[u8]| run::labels(data));
