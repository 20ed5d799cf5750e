//! The committed samples → whether a faultless original passes at first try, and a faulty one is sent back for its fault.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::inference::EngineChoice;
use bonafide::policy::Decision;
use bonafide::report::Report;
use bonafide::scene::Deadline;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/samples")
}

/// The rows of the samples that are originals.
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn originals() -> Vec<BTreeMap<String, String>> {
    let mut table = csv::Reader::from_path(folder().join("labels.csv")).expect("labels");
    let rows = table.deserialize::<BTreeMap<String, String>>().map(|row| row.expect("a row"));
    rows.filter(|row| row["label"] == "original").collect()
}

#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn check(checker: &Checker, path: &Path) -> Report {
    let bytes = std::fs::read(path).expect("a sample");
    checker.check(&Upload { bytes: &bytes, name: None }, Deadline::NEVER).expect("examined")
}

#[test]
fn faultless_originals_are_accepted_and_faults_are_the_first_reason() {
    let options = Options { engine: EngineChoice::Embedded, ..Options::default() };
    let checker = Checker::new(&options).expect("the shipped models and policy");
    let (mut faultless, mut faulty) = (0, 0);
    for row in originals() {
        let report = check(&checker, &folder().join(&row["path"]));
        let told: Vec<&str> = report.reasons.iter().map(|reason| reason.code).collect();
        // A thumb that reaches this far over the lower border of a card lies on its number: nobody can read it.
        let held = row["content"] == "card" && row["hand_mm"].parse::<f64>().expect("millimetres") > 8.0;
        if held {
            assert_eq!((report.decision, told), (Decision::Retake, vec!["covered"]), "{}", row["path"]);
        } else if row["fault"].is_empty() {
            faultless += 1;
            assert_eq!((report.decision, told), (Decision::Accept, Vec::new()), "{}", row["path"]);
        } else {
            faulty += 1;
            assert_eq!(told.first(), Some(&row["fault"].as_str()), "{}", row["path"]);
            assert_eq!(report.decision, Decision::Retake, "{}", row["path"]);
        }
    }
    assert_eq!((faultless, faulty), (9, 2));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn turned_upright_and_upside_down_a_faultless_original_still_passes() {
    let options = Options { engine: EngineChoice::Embedded, ..Options::default() };
    let checker = Checker::new(&options).expect("the shipped models and policy");
    for name in ["original_card_01.jpg", "original_page_06.jpg"] {
        let picture = image::open(folder().join(name)).expect("a sample").to_rgb8();
        let turned = [image::imageops::rotate180(&picture), image::imageops::rotate90(&picture)];
        for (turn, picture) in turned.into_iter().enumerate() {
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut bytes, image::ImageFormat::Png).expect("encoded");
            let upload = Upload { bytes: bytes.get_ref(), name: None };
            let report = checker.check(&upload, Deadline::NEVER).expect("examined");
            let told: Vec<&str> = report.reasons.iter().map(|reason| reason.code).collect();
            assert!(report.legible == Some(true) && told.is_empty(), "{name} {turn}: {told:?}");
        }
    }
}
