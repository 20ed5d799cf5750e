//! Fuzzes `run::container`.
#![no_main]
#![allow(dead_code)]

mod run;

libfuzzer_sys::fuzz_target!(|data: &[u8]| run::container(data));
