//! Readings → calibrated scores per species, with each reading's contribution. Never sees a pixel.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, Ix2};
use serde::Serialize;

use crate::inference::{Model, Models};

/// Measured values by reading id; an absent reading was not measured.
pub type Readings = BTreeMap<&'static str, f64>;

/// Calibrated scores, each 0 to 1; `None` when nothing was measured that speaks of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Scores {
    /// That the picture shows a screen.
    pub screen: Option<f64>,
    /// That it shows a print or copy.
    pub print: Option<f64>,
    /// That the document can be read.
    pub legibility: Option<f64>,
    /// What each reading adds to the scores, the strongest first.
    #[serde(skip)]
    pub contributions: Vec<Contribution>,
}

impl Scores {
    /// The score named `screen`, `print` or `legibility`.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<f64> {
        match name {
            "screen" => self.screen,
            "print" => self.print,
            "legibility" => self.legibility,
            _ => None,
        }
    }
}

/// How far the scores move when one reading is left out: positive means that it raises the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// Reading id.
    pub reading: String,
    /// Score with it minus score without it, for screen, print and legibility.
    pub screen: f64,
    /// The same for print.
    pub print: f64,
    /// The same for legibility.
    pub legibility: f64,
}

/// The fusion model: named readings in, scores out.
///
/// Its input is a row of the readings' values followed by a row of ones and zeros that say which were measured; its
/// output a row of screen, print and legibility.
#[derive(Clone, Default)]
pub struct Fusion {
    model: Option<(Arc<dyn Model>, Vec<String>)>,
}

/// Readings whose id starts with one of these speak of a score: without any of them the score is absent.
const SPEAKERS: [&[&str]; 3] =
    [&["texture_net.screen", "scene_net.screen"], &["texture_net.print", "scene_net.print"], &["legibility.readable"]];

impl Fusion {
    /// The model `fusion` of `models`, if it is there.
    #[must_use]
    pub fn of(models: &Models) -> Self {
        Self { model: models.get("fusion").map(|model| (model, models.inputs("fusion").to_vec())) }
    }

    /// Ids of the readings that the scores are made of.
    #[must_use]
    pub fn inputs(&self) -> &[String] {
        self.model.as_ref().map_or(&[], |(_, inputs)| inputs)
    }

    /// Scores the readings, and again without each of them in turn.
    #[must_use]
    pub fn score(&self, readings: &Readings) -> Scores {
        let Some((model, inputs)) = &self.model else { return Scores::default() };
        let width = inputs.len();
        let present: Vec<usize> = (0..width).filter(|i| readings.contains_key(inputs[*i].as_str())).collect();
        let mut rows = Array2::<f32>::zeros((present.len() + 1, 2 * width));
        for (r, mut row) in rows.outer_iter_mut().enumerate() {
            for (k, &i) in present.iter().enumerate() {
                if r != k + 1 {
                    row[i] = readings[inputs[i].as_str()] as f32;
                    row[width + i] = 1.0;
                }
            }
        }
        let outputs = model.run(rows.view().into_dyn()).unwrap_or_default();
        let Some(Ok(scores)) = outputs.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix2>) else {
            return Scores::default();
        };
        if scores.dim() != (present.len() + 1, 3) {
            return Scores::default();
        }
        let speaks = |s: usize| present.iter().any(|i| SPEAKERS[s].iter().any(|id| inputs[*i].starts_with(id)));
        let score = |s: usize| speaks(s).then(|| f64::from(scores[[0, s]]));
        let mut contributions: Vec<Contribution> = present
            .iter()
            .enumerate()
            .map(|(k, i)| {
                let moved = |s: usize| f64::from(scores[[0, s]] - scores[[k + 1, s]]);
                Contribution { reading: inputs[*i].clone(), screen: moved(0), print: moved(1), legibility: moved(2) }
            })
            .collect();
        let weight = |c: &Contribution| c.screen.abs().max(c.print.abs()).max(c.legibility.abs());
        contributions.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
        Scores { screen: score(0), print: score(1), legibility: score(2), contributions }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;
    use crate::inference::InferenceError;

    /// Screen is the logistic of the first reading, the others constant.
    struct FirstReading;

    impl Model for FirstReading {
        fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
            let rows = input.shape()[0];
            let scores =
                Array2::from_shape_fn(
                    (rows, 3),
                    |(r, s)| {
                        if s == 0 { 1.0 / (1.0 + (-input[[r, 0]]).exp()) } else { 0.25 }
                    },
                );
            Ok(vec![scores.into_dyn()])
        }
    }

    fn fusion() -> Fusion {
        let inputs = ["texture_net.screen_logodds", "moire.peak_db"].map(str::to_owned).to_vec();
        Fusion::of(&Models::none().with("fusion", Arc::new(FirstReading), inputs))
    }

    #[test]
    fn a_reading_contributes_what_its_absence_takes_away() {
        let readings = Readings::from([("texture_net.screen_logodds", 2.0), ("moire.peak_db", 9.0)]);
        let scores = fusion().score(&readings);
        assert!((scores.screen.expect("scored") - 0.8808).abs() < 1e-4);
        assert_eq!(scores.contributions[0].reading, "texture_net.screen_logodds");
        assert!((scores.contributions[0].screen - 0.3808).abs() < 1e-4);
        assert!(scores.contributions[1].screen.abs() < 1e-9);
    }

    #[test]
    fn a_score_that_no_reading_speaks_of_is_absent_not_zero() {
        let scores = fusion().score(&Readings::from([("moire.peak_db", 9.0)]));
        assert_eq!((scores.screen, scores.print, scores.legibility), (None, None, None));
    }
}
