//! `tests/data/metrics.json` → what scikit-learn and its kin say of small sets of scores.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
pub struct Reference {
    pub curves: BTreeMap<String, Set>,
    pub probits: Vec<[f64; 2]>,
    pub quantiles: Quantiles,
}

#[derive(Deserialize)]
pub struct Set {
    pub scores: Vec<f64>,
    pub labels: Vec<u8>,
    pub auc: f64,
    pub bpcer: Vec<f64>,
    pub apcer: Vec<f64>,
    pub thresholds: Vec<f64>,
    pub det: Vec<[f64; 3]>,
    pub d_eer: [f64; 2],
    pub bpcer_at: Vec<[f64; 2]>,
    pub apcer_at: Vec<[f64; 2]>,
    pub brier: f64,
    pub expected_calibration_error: BTreeMap<String, f64>,
    pub bins: [Vec<f64>; 2],
}

#[derive(Deserialize)]
pub struct Quantiles {
    pub values: Vec<f64>,
    pub answers: Vec<[f64; 2]>,
}

impl Set {
    pub fn rows(&self) -> Vec<(f64, bool)> {
        self.scores.iter().copied().zip(self.labels.iter().map(|label| *label == 1)).collect()
    }
}

pub fn reference() -> Reference {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/metrics.json"));
    let reference: Reference = serde_json::from_str(text).unwrap();
    assert!(reference.curves.len() >= 9 && reference.probits.len() >= 7);
    reference
}

#[track_caller]
pub fn near(a: f64, b: f64, what: &str) {
    assert!((a - b).abs() <= 1e-9, "{what}: {a} is not {b}");
}
