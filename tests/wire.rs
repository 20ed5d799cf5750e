//! The JSON contract as a client would write it down; unknown fields are refused.
#![allow(dead_code, reason = "the fields are there to be read by serde")]

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    schema_version: u32,
    path: String,
    sha256: String,
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
    face: Option<Face>,
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
    score: f64,
    threshold: f64,
    margin: f64,
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
    error: FailureCause,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FailureCause {
    code: String,
    message: String,
}

#[test]
fn a_report_and_a_failure_have_exactly_the_fields_of_the_contract() {
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("a.png");
    crate::write_picture(&picture, 640, 420, 1);
    let missing = dir.path().join("missing.jpg");
    let output =
        crate::bonafide(["check".as_ref(), "--format=json".as_ref(), picture.as_os_str(), missing.as_os_str()]);
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let report: Report = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!((report.schema_version, report.width, report.height), (1, 640, 420));
    assert_eq!(report.sha256.len(), 64);
    let failure: Failure = serde_json::from_str(lines.next().unwrap()).unwrap();
    assert_eq!(failure.error.code, "missing");
    assert_eq!(lines.next(), None);
}
