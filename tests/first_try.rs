//! The committed samples → whether a faultless original passes at first try, and a faulty one is sent back for its fault.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::inference::EngineChoice;
use bonafide::policy::Decision;
use bonafide::reading::Date;
use bonafide::report::Report;
use bonafide::scene::Deadline;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/samples")
}

/// Looks at the samples on a day on which all of them are in date.
fn checker() -> Checker {
    let today = Date::new(2019, 1, 1).ok();
    let options = Options { engine: EngineChoice::Embedded, today, ..Options::default() };
    Checker::new(&options).expect("the shipped models and policy")
}

/// The rows of the samples.
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn rows() -> Vec<BTreeMap<String, String>> {
    let mut table = csv::Reader::from_path(folder().join("labels.csv")).expect("labels");
    table.deserialize().map(|row| row.expect("a row")).collect()
}

#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn check(checker: &Checker, path: &Path) -> Report {
    let bytes = std::fs::read(path).expect("a sample");
    checker.check(&Upload { bytes: &bytes, name: None }, Deadline::NEVER).expect("examined")
}

#[test]
fn faultless_originals_are_accepted_and_faults_are_the_first_reason() {
    let checker = checker();
    let (mut faultless, mut faulty) = (0, 0);
    for row in rows().into_iter().filter(|row| row["label"] == "original") {
        let report = check(&checker, &folder().join(&row["path"]));
        let told: Vec<&str> = report.reasons.iter().map(|reason| reason.code).collect();
        if row["fault"].is_empty() {
            faultless += 1;
            assert_eq!((report.decision, told), (Decision::Accept, Vec::new()), "{}", row["path"]);
        } else {
            faulty += 1;
            assert_eq!(told.first(), Some(&row["fault"].as_str()), "{}", row["path"]);
            assert_eq!(report.decision, Decision::Retake, "{}", row["path"]);
        }
    }
    assert_eq!((faultless, faulty), (10, 2));
}

#[test]
fn screens_are_stopped_and_printed_cards_are_looked_at() {
    let checker = checker();
    let (mut screens, mut prints) = (0, 0);
    for row in rows() {
        let told = |report: &Report| report.reasons.first().map(|reason| reason.code);
        match (row["label"].as_str(), row["content"].as_str()) {
            ("screen", _) => {
                screens += 1;
                let report = check(&checker, &folder().join(&row["path"]));
                assert!(matches!(report.decision, Decision::Review | Decision::Reject), "{}", row["path"]);
                assert_eq!(told(&report), Some("screen_recapture"), "{}", row["path"]);
            }
            // Of printed pages and reverses nothing is known that tells them.
            ("print", "card") => {
                prints += 1;
                let report = check(&checker, &folder().join(&row["path"]));
                assert_eq!(
                    (report.decision, told(&report)),
                    (Decision::Review, Some("print_recapture")),
                    "{}",
                    row["path"]
                );
            }
            _ => {}
        }
    }
    assert_eq!((screens, prints), (10, 4));
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the project's own files")]
fn turned_upright_and_upside_down_a_faultless_original_still_passes() {
    let checker = checker();
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
