//! A few mutants of every format, and the corpus that fuzzing begins with → answers, never a panic, never half a picture.

#[path = "../examples/mutants/mutate.rs"]
mod mutate;
#[cfg(feature = "bench")]
#[path = "../fuzz/targets/run.rs"]
mod run;

use bonafide::capture::{Capture, CaptureError, Limits, Upload, decode};
use mutate::{Chance, Change, mutant, seeds};

fn open(bytes: &[u8]) -> Result<Capture, CaptureError> {
    decode(&Upload { bytes, name: None }, &Limits::default())
}

#[test]
fn a_mutant_is_opened_whole_or_refused() {
    let mut chance = Chance(0x2545_F491_4F6C_DD1D);
    let (mut opened, mut refused) = (0, 0);
    for seed in seeds() {
        let pixels = |capture: &Capture| capture.ycc(capture.frame());
        let whole = pixels(&open(&seed.bytes).unwrap_or_else(|e| panic!("{}: {e}", seed.name)));
        for _ in 0..40 {
            let (change, bytes) = mutant(&seed.bytes, &mut chance);
            match open(&bytes) {
                Ok(capture) => {
                    opened += 1;
                    if matches!(change, Change::Cut | Change::CutWithEnd) {
                        assert_eq!(pixels(&capture), whole, "{} {change:?} of {} bytes", seed.name, bytes.len());
                    }
                }
                Err(error) => {
                    refused += 1;
                    assert!(!error.in_chinese().is_empty() && error.category().exit_code() == 2);
                }
            }
        }
    }
    assert!(opened > 50 && refused > 500, "{opened} opened, {refused} refused");
}

#[cfg(feature = "bench")]
#[test]
fn the_corpus_of_every_target_runs() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (target, run) in run::TARGETS {
        let mut files = 0;
        for entry in std::fs::read_dir(corpus.join(target)).unwrap_or_else(|e| panic!("{target}: {e}")) {
            let bytes = std::fs::read(entry.expect("readable").path()).expect("read");
            run(&bytes);
            for eighths in 0..8 {
                run(&bytes[..bytes.len() * eighths / 8]);
            }
            files += 1;
        }
        assert!(files > 1, "{target}: {files} files");
    }
}
