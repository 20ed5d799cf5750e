//! A drawn photograph of a temporary identity card → what it calls itself, read where a rule asks and only there.

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::inference::EngineChoice;
use bonafide::policy::{Decision, Sensitivity};
use bonafide::reading::Title;
use bonafide::report::Report;
use bonafide::scene::Deadline;

fn check(sensitivity: Vec<(String, Sensitivity)>) -> Report {
    let options = Options { engine: EngineChoice::Embedded, sensitivity, ..Options::default() };
    let checker = Checker::new(&options).expect("the shipped models and policy");
    // `python -m train titles`, made smaller.
    let bytes = include_bytes!("fixtures/temporary_card.jpg");
    checker.check(&Upload { bytes, name: None }, Deadline::NEVER).expect("examined")
}

fn outcome(report: &Report, detector: &str) -> &'static str {
    report.findings.iter().find(|finding| finding.detector == detector).expect("a finding").outcome
}

#[test]
fn a_temporary_card_is_refused_where_a_rule_asks_and_its_name_is_not_read_otherwise() {
    let asked = check(vec![("temporary_card".to_owned(), Sensitivity::Normal)]);
    let told: Vec<&str> = asked.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!((asked.decision, told), (Decision::Reject, vec!["temporary_card"]));
    assert_eq!(asked.document.and_then(|document| document.title), Some(Title::TemporaryIdentityCard));
    assert!(asked.reasons[0].polygon.is_some(), "it says where");

    let plain = check(Vec::new());
    assert_eq!((plain.decision, outcome(&plain, "title"), outcome(&plain, "seal")), {
        (Decision::Accept, "not_asked", "not_asked")
    });
    assert_eq!(plain.document.and_then(|document| document.title), None);
}
