//! Tests across stages, in one binary:
//!
//! - `first_try`: the committed samples: who passes at first try, and why others do not;
//! - `bombs`: small files that would cost far more than they are worth, and decoders in processes of their own;
//! - `mutants`: a few of them of every format, and the corpus that fuzzing begins with;
//! - `hostile`: what an uploader may send that is no whole picture: one clear error each, never a panic;
//! - `whole`: files that are whole however oddly they are written, and files of which part is missing;
//! - `blocks`: broken blocks beside a whole picture, and data that ends early in a file that looks whole;
//! - `jpeg`: every sampling reads as the published decoder has it;
//! - `inference`: both engines give the same outputs, and a checker judges a capture from bytes to verdict;
//! - `depthwise`: the embedded engine's convolutions have the bits of the published ones;
//! - `reading`: the committed samples: corners, numbers, and what turning and mirroring do to them;
//! - `presets`: made files, and what each provider's preset asks for of them;
//! - `validity`: documents on their last day, on the next and long before;
//! - `wire`: the JSON contract, mirrored field by field: a field that comes or goes fails here;
//! - `benchmark`: labels, runs, comparisons and proposed policies, and labels that cannot be used;
//! - `screening`: the same rows on any number of threads and after any interruption, and hostile files;
//! - `names`: file names, metadata and lists that would run in a terminal, a spreadsheet or a page;
//! - `outputs`: one writer an output, no input lost, whole rows on a full disk and behind a closed pipe;
//! - `resume`: a screening that goes on shows every row, looks at changed files again and mixes no judges;
//! - `signals`: Ctrl-C and TERM end the program in the midst of a picture, with whole rows;
//! - `service`: the HTTP service and its store, on real sockets and real databases;
//! - `snapshots`: one sample's report as text, page and CSV, word for word;
//! - `cli`: the program as its users meet it: streams and exit codes;
//! - `readme`: its table of detectors is what `explain` prints;
//! - `tidy`: modules use only what stands above them, detectors never one another, and files say in their first line what they turn into what.

#[cfg(all(feature = "cli", feature = "bench"))]
mod benchmark;
mod blocks;
mod bombs;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "bench")]
mod depthwise;
mod first_try;
mod hostile;
mod inference;
mod jpeg;
mod mutants;
#[cfg(feature = "cli")]
mod names;
#[cfg(feature = "cli")]
mod outputs;
mod presets;
mod reading;
#[cfg(feature = "cli")]
mod readme;
#[cfg(feature = "cli")]
mod resume;
#[cfg(feature = "cli")]
mod screening;
#[cfg(all(feature = "cli", feature = "service"))]
mod service;
#[cfg(all(feature = "cli", unix))]
mod signals;
#[cfg(feature = "cli")]
mod snapshots;
mod tidy;
#[cfg(feature = "simulation")]
mod titles;
mod validity;
mod whole;
#[cfg(feature = "cli")]
mod wire;

#[cfg(feature = "cli")]
use std::path::Path;
#[cfg(feature = "cli")]
use std::process::{Command, Output};

/// Writes a picture with texture, different for every `seed`, as the format that the extension names.
#[cfg(feature = "cli")]
fn write_picture(path: &Path, width: u32, height: u32, seed: u32) {
    let picture = image::RgbImage::from_fn(width, height, |x, y| {
        let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503) ^ seed.wrapping_mul(97)) >> 7;
        image::Rgb([(noise % 60 + 90) as u8, (x * 180 / width) as u8, (y * 180 / height) as u8])
    });
    picture.save(path).unwrap();
}

/// Runs the program.
#[cfg(feature = "cli")]
fn bonafide<I: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = I>) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bonafide")).args(args).output().unwrap()
}

#[cfg(feature = "cli")]
fn lines(text: &[u8]) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(text).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
