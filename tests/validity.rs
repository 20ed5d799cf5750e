//! Documents that nobody photographed, on their last day, on the next and long before → in date, expired, soon to expire.

use bonafide::capture::Upload;
use bonafide::checker::{Checker, Options};
use bonafide::inference::EngineChoice;
use bonafide::policy::Decision;
use bonafide::reading::Date;
use bonafide::report::Report;
use bonafide::scene::Deadline;
use bonafide::simulation::design::Design;
use bonafide::simulation::{Document, Presentation, Spec, Truth, encode};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// A plain photograph of `document` whose validity ends on some day, or never.
fn photograph(document: Document, ends: bool) -> (Vec<u8>, Truth) {
    let made = |content| {
        let mut spec = Spec { content, ..Spec::plain(Presentation::BonaFide, document) };
        if document == Document::Page {
            (spec.width, spec.height, spec.fill) = (1200, 1600, 0.85);
        }
        spec
    };
    let until = |content: u64| Design::new(document, &mut ChaCha8Rng::seed_from_u64(content)).valid_until;
    let content = (1..100).find(|content| (until(*content) != "long_term") == ends).expect("one of a hundred");
    encode(&made(content), 1)
}

fn check(jpeg: &[u8], today: Date, valid_for: Option<u16>) -> Report {
    let options = Options { engine: EngineChoice::Embedded, today: Some(today), valid_for, ..Options::default() };
    let checker = Checker::new(&options).expect("the shipped models and policy");
    checker.check(&Upload { bytes: jpeg, name: None }, Deadline::NEVER).expect("examined")
}

fn told(report: &Report) -> Vec<&str> {
    report.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_document_is_refused_from_the_day_after_its_last_and_told_of_before_where_that_is_asked_for() {
    for (document, named) in
        [(Document::Reverse, "last line"), (Document::Page, "term"), (Document::Passport, "date of expiry")]
    {
        let (jpeg, truth) = photograph(document, true);
        let last: Date = truth.valid_until.parse().expect("a day");
        let on_last = check(&jpeg, last, None);
        assert!(!told(&on_last).contains(&"expired"), "{document:?}: {:?}", told(&on_last));
        let after = check(&jpeg, last.tomorrow().expect("a day"), None);
        assert_eq!((after.decision, told(&after).first()), (Decision::Reject, Some(&"expired")), "{document:?}");
        let reason = &after.reasons[0];
        assert!(reason.en.contains(named) && reason.polygon.is_some(), "{document:?}: {}", reason.en);
        let soon = check(&jpeg, last, Some(30));
        assert_eq!(told(&soon).first(), Some(&"expires_soon"), "{document:?}");
    }
}

#[test]
fn what_holds_without_end_never_expires() {
    for document in [Document::Reverse, Document::Page] {
        let (jpeg, _) = photograph(document, false);
        let report = check(&jpeg, Date::MAX, Some(30));
        assert!(!told(&report).iter().any(|code| code.starts_with("expire")), "{document:?}: {:?}", told(&report));
        let validity = report.findings.iter().find(|finding| finding.detector == "validity").expect("it looked");
        assert_eq!(
            validity.readings.get("validity.long_term"),
            Some(&1.0),
            "{document:?}: {}",
            validity.explanation.en
        );
    }
}
