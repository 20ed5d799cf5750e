//! The JSON contract as a client would write it down; unknown fields are refused.
#![allow(dead_code, reason = "the fields are there to be read by serde")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    schema_version: u32,
    path: String,
    #[serde(default)]
    path_bytes: Option<String>,
    sha256: String,
    picture_hash: String,
    media_type: String,
    width: u32,
    height: u32,
    classification: Classification,
    decision: Decision,
    scores: Scores,
    #[serde(deserialize_with = "Option::deserialize")]
    legible: Option<bool>,
    #[serde(deserialize_with = "Option::deserialize")]
    document: Option<Document>,
    reasons: Vec<Reason>,
    #[serde(deserialize_with = "Option::deserialize")]
    number: Option<Number>,
    findings: Vec<Finding>,
    policy_id: String,
    models: BTreeMap<String, String>,
    tool_version: String,
    judged_by: String,
    elapsed_ms: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Number {
    kind: String,
    code: String,
    faults: Vec<String>,
    text: String,
    #[serde(deserialize_with = "Option::deserialize")]
    fields: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Classification {
    BonaFide,
    Screen,
    Print,
    Screenshot,
    NoResponse,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Decision {
    Accept,
    Retake,
    Review,
    Reject,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scores {
    screen: Option<f64>,
    print: Option<f64>,
    legibility: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    corners: [[f32; 2]; 4],
    kind: String,
    px_per_mm: Option<f64>,
    fills_frame: bool,
    face: Option<Face>,
    title: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Face {
    kind: String,
    confidence: f32,
    turned_deg: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    code: String,
    action: Decision,
    reading: String,
    score: f64,
    threshold: f64,
    margin: f64,
    shown_by: Vec<String>,
    polygon: Option<Vec<[f32; 2]>>,
    zone: Option<String>,
    en: String,
    zh: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Finding {
    detector: String,
    outcome: String,
    readings: BTreeMap<String, f64>,
    explanation: Sentence,
    marks: Vec<Mark>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sentence {
    en: String,
    zh: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    kind: String,
    polygon: Vec<[f32; 2]>,
    strength: f32,
    #[serde(default)]
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Failure {
    path: String,
    #[serde(default)]
    path_bytes: Option<String>,
    error: FailureCause,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureCause {
    code: String,
    message: String,
    message_zh: String,
}

/// The lines that `check` prints of committed samples, or of a file that is none.
fn check(options: &[&str], samples: &[&str]) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
    let files = samples.iter().map(|sample| folder.join(sample).into_os_string());
    let options = ["check", "--format=json"].iter().chain(options).map(OsString::from);
    let output = crate::bonafide(options.chain(files));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn a_report_and_a_failure_have_exactly_the_fields_of_the_contract() {
    // A card with a highlight, so that a reason names a place; a passport on a screen; and no file at all.
    let lines = check(&["--reveal"], &["original_card_glare_02.jpg", "screen_lcd_passport_08.jpg", "missing.jpg"]);
    let [card, passport, missing] = &lines[..] else { panic!("{lines:?}") };
    for (line, number, face) in [(card, "resident_id", "portrait_side"), (passport, "mrz", "passport_page")] {
        let report: Report = serde_json::from_str(line).unwrap();
        assert_eq!((report.schema_version, report.sha256.len()), (1, 64));
        let read = report.number.expect("a number was read");
        assert_eq!((read.kind.as_str(), read.code.as_str()), (number, "consistent"));
        let fields = read.fields.expect("revealed");
        assert!(fields.contains_key("birth") && !read.text.contains('*'), "{fields:?}");
        let document = report.document.expect("a document was found");
        assert_eq!(document.face.expect("looked at").kind, face);
        assert!(!document.fills_frame);
        assert!(report.findings.iter().any(|finding| finding.marks.iter().any(|mark| mark.zone.is_some())));
    }
    let card: Report = serde_json::from_str(card).unwrap();
    assert!(card.reasons[0].zone.is_some(), "a highlight lies somewhere on the card");
    let failure: Failure = serde_json::from_str(missing).unwrap();
    assert_eq!(failure.error.code, "missing");
    assert!(!failure.error.message.is_empty() && !failure.error.message_zh.is_ascii());
}

#[test]
fn a_reason_points_at_what_it_was_judged_on_and_at_what_shows_it() {
    let lines = check(&[], &["original_card_glare_02.jpg", "screen_lcd_passport_08.jpg"]);
    let mut pointers = 0;
    for line in &lines {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let report: Report = serde_json::from_str(line).unwrap();
        assert!(!report.reasons.is_empty());
        assert!(report.number.expect("a number was read").fields.is_none(), "nothing is shown unasked");
        for reason in report.reasons {
            let judged = match reason.reading.strip_prefix("score.") {
                Some(score) => value["scores"][score].as_f64(),
                None => report.findings.iter().find_map(|finding| finding.readings.get(&reason.reading).copied()),
            };
            assert_eq!(judged, Some(reason.score), "{}", reason.reading);
            for pointer in &reason.shown_by {
                assert!(value.pointer(pointer).is_some_and(serde_json::Value::is_object), "{pointer}");
                pointers += 1;
            }
            let first = reason.shown_by.first().and_then(|pointer| value.pointer(pointer));
            let outline = first.map(|mark| serde_json::from_value::<Vec<[f32; 2]>>(mark["polygon"].clone()).unwrap());
            assert_eq!(outline, reason.polygon);
        }
    }
    assert!(pointers > 1, "nothing was pointed at");
}
