//! Readings → calibrated scores per species and of legibility. Never sees a pixel.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{Array2, Ix2};
use serde::Serialize;

use crate::detectors::{legibility, scene_net, texture_net};
use crate::evidence::Reading;
use crate::inference::{InferenceError, Model, Models};

/// Measured values by reading id; an absent reading was not measured.
pub type Readings = BTreeMap<&'static str, f64>;

/// Calibrated scores, each 0 to 1; `None` when nothing was measured that speaks of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
pub struct Scores {
    /// That the picture shows a screen.
    pub screen: Option<f64>,
    /// That it shows a print or copy.
    pub print: Option<f64>,
    /// That the document can be read.
    pub legibility: Option<f64>,
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

/// The fusion model: named readings in, scores out.
///
/// Its input is a row of the readings' values followed by a row of ones and zeros that say which were measured; its
/// output a row of screen, print and legibility.
#[derive(Clone, Default)]
pub struct Fusion {
    model: Option<(Arc<dyn Model>, Vec<String>)>,
}

/// Readings that speak of the screen, print and legibility score: without any of them the score is absent.
const SPEAKERS: [&[&Reading]; 3] = [
    &[&texture_net::SCREEN_LOGODDS, &scene_net::SCREEN_LOGODDS],
    &[&texture_net::PRINT_LOGODDS, &scene_net::PRINT_LOGODDS],
    &[&legibility::READABLE],
];

/// Why readings could not be scored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FusionError {
    /// The fusion model is not loaded.
    #[error("the model fusion is not loaded")]
    NoModel,
    /// It failed.
    #[error(transparent)]
    Failed(#[from] InferenceError),
    /// It gave something else than a row of three scores.
    #[error("the model fusion gave something else than three scores")]
    Alien,
}

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

    /// Scores the readings.
    ///
    /// # Errors
    /// [`FusionError`] when there is no model or it does not give scores; a score that nothing speaks of is no error.
    pub fn score(&self, readings: &Readings) -> Result<Scores, FusionError> {
        let (model, inputs) = self.model.as_ref().ok_or(FusionError::NoModel)?;
        let width = inputs.len();
        let mut row = Array2::<f32>::zeros((1, 2 * width));
        for (i, input) in inputs.iter().enumerate() {
            if let Some(value) = readings.get(input.as_str()) {
                row[[0, i]] = *value as f32;
                row[[0, width + i]] = 1.0;
            }
        }
        let output = model.run(row.view().into_dyn())?.into_iter().next().ok_or(FusionError::Alien)?;
        let scores = output.into_dimensionality::<Ix2>().map_err(|_| FusionError::Alien)?;
        if scores.dim() != (1, 3) {
            return Err(FusionError::Alien);
        }
        let score = |s: usize| {
            let speaks = |id: &str| inputs.iter().any(|input| input == id) && readings.contains_key(id);
            SPEAKERS[s].iter().any(|reading| speaks(reading.id)).then(|| f64::from(scores[[0, s]]))
        };
        Ok(Scores { screen: score(0), print: score(1), legibility: score(2) })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;

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
    fn what_was_measured_is_scored() {
        let readings = Readings::from([("texture_net.screen_logodds", 2.0), ("moire.peak_db", 9.0)]);
        let scores = fusion().score(&readings).expect("scored");
        assert!((scores.screen.expect("spoken of") - 0.8808).abs() < 1e-4);
    }

    #[test]
    fn a_model_that_fails_is_said_to_fail() {
        struct Broken(Option<Vec<ArrayD<f32>>>);
        impl Model for Broken {
            fn run(&self, _: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
                self.0.clone().ok_or_else(|| InferenceError::Manifest("broken".to_owned()))
            }
        }
        let score = |said| {
            let inputs = vec!["moire.peak_db".to_owned()];
            let models = Models::none().with("fusion", Arc::new(Broken(said)), inputs);
            Fusion::of(&models).score(&Readings::from([("moire.peak_db", 9.0)]))
        };
        assert!(matches!(score(None), Err(FusionError::Failed(_))));
        for alien in [vec![], vec![ArrayD::zeros(vec![3])], vec![ArrayD::zeros(vec![1, 2])]] {
            assert!(matches!(score(Some(alien)), Err(FusionError::Alien)));
        }
        assert!(matches!(Fusion::default().score(&Readings::new()), Err(FusionError::NoModel)));
    }

    #[test]
    fn a_score_that_no_reading_speaks_of_is_absent_not_zero() {
        let scores = fusion().score(&Readings::from([("moire.peak_db", 9.0)])).expect("scored");
        assert_eq!((scores.screen, scores.print, scores.legibility), (None, None, None));
    }
}
