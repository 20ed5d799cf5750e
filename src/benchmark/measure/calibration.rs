//! Scores and truths → how far scores are the probabilities that they look like, and how far they agree with the truth.

use serde::{Deserialize, Serialize};

use super::curve::Curve;
use super::rates::Share;
use super::values::{MetricsError, below, finite};

/// Rows whose scores lie within equal bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Scores above it; the first bin holds 0 too.
    pub above: f64,
    /// Scores up to and with it.
    pub up_to: f64,
    /// How many of its rows are attacks; `None` as a rate where the bin is empty.
    pub attacks: Share,
    /// Mean score; `None` where the bin is empty.
    pub mean_score: Option<f64>,
}

/// How far scores are the probabilities that they look like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Bins of equal width from 0 to 1, empty ones among them.
    pub bins: Vec<Bin>,
    /// Expected calibration error: distance between mean score and share of attacks, over bins, weighted by their rows
    /// (Guo et al. 2017, "On calibration of modern neural networks", equation 3).
    pub expected_error: f64,
    /// Mean squared distance between score and truth (Brier 1950), 0 to 1.
    pub brier: f64,
}

impl Calibration {
    /// Takes rows of a score and whether it is an attack's, and a number of bins: 10 or 15 are usual.
    ///
    /// # Errors
    /// When there is no row or bin, or a score is not between 0 and 1.
    pub fn of(rows: &[(f64, bool)], bins: usize) -> Result<Self, MetricsError> {
        if bins == 0 {
            return Err(MetricsError::NoBins);
        }
        if rows.is_empty() {
            return Err(MetricsError::Empty("score"));
        }
        let edge = |i: usize| i as f64 / bins as f64;
        let edges: Vec<f64> = (1..bins).map(edge).collect();
        let mut held = vec![(0.0, Share::default()); bins];
        let mut squares = 0.0;
        for (row, &(score, attack)) in rows.iter().enumerate() {
            if !(0.0..=1.0).contains(&score) {
                return Err(MetricsError::NotAProbability { row, value: score });
            }
            let (sum, attacks) = &mut held[below(&edges, score)];
            *sum += score;
            attacks.add(attack);
            squares += (score - f64::from(u8::from(attack))).powi(2);
        }
        let all = rows.len() as f64;
        let distances = held.iter().map(|(sum, attacks)| (sum - attacks.count as f64).abs());
        let expected_error = distances.sum::<f64>() / all;
        let bins = held.iter().enumerate().map(|(i, &(sum, attacks))| Bin {
            above: edge(i),
            up_to: edge(i + 1),
            attacks,
            mean_score: (attacks.of > 0).then(|| sum / attacks.of as f64),
        });
        Ok(Self { bins: bins.collect(), expected_error, brier: squares / all })
    }
}

/// How far legibility scores agree with the truth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Rows called what they are: its rate is the accuracy.
    pub right: Share,
    /// Share of pairs of a legible and an illegible row in which the legible scores higher, equal scores as half;
    /// `None` where all rows are legible or none is.
    pub auc: Option<f64>,
}

impl Agreement {
    /// Takes rows of a score, the higher the better to read, and whether the row is legible. A score at or above
    /// `threshold` calls it legible.
    ///
    /// # Errors
    /// When there is no row, or a score is not a finite number.
    pub fn of(rows: &[(f64, bool)], threshold: f64) -> Result<Self, MetricsError> {
        finite("legibility score", &rows.iter().map(|(score, _)| *score).collect::<Vec<f64>>())?;
        let right = Share::of(rows.iter().map(|(score, legible)| (*score >= threshold) == *legible));
        Ok(Self { right, auc: Curve::of_rows(rows.iter().copied()).ok().map(|curve| curve.auc()) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{near, reference};
    use super::*;

    #[test]
    fn calibration_agrees_with_scikit_learn() {
        for (name, set) in reference().curves {
            for (bins, error) in &set.expected_calibration_error {
                let calibration = Calibration::of(&set.rows(), bins.parse().unwrap()).unwrap();
                near(calibration.expected_error, *error, &name);
                near(calibration.brier, set.brier, &name);
                assert_eq!(calibration.bins.iter().map(|bin| bin.attacks.of).sum::<usize>(), set.scores.len());
            }
            let bins = Calibration::of(&set.rows(), 10).unwrap().bins;
            let filled: Vec<&Bin> = bins.iter().filter(|bin| bin.attacks.of > 0).collect();
            assert_eq!(filled.len(), set.bins[0].len(), "{name}");
            for (i, bin) in filled.iter().enumerate() {
                near(bin.attacks.rate().unwrap(), set.bins[0][i], &name);
                near(bin.mean_score.unwrap(), set.bins[1][i], &name);
            }
        }
    }

    #[test]
    fn a_score_that_is_no_probability_and_no_rows_are_named() {
        assert_eq!(
            Calibration::of(&[(0.5, true), (1.5, false)], 10),
            Err(MetricsError::NotAProbability { row: 1, value: 1.5 })
        );
        assert!(matches!(Calibration::of(&[(f64::NAN, true)], 10), Err(MetricsError::NotAProbability { .. })));
        assert_eq!(Calibration::of(&[(0.5, true)], 0), Err(MetricsError::NoBins));
        assert_eq!(Calibration::of(&[], 10), Err(MetricsError::Empty("score")));
        assert!(Agreement::of(&[], 0.5).is_err());
    }

    #[test]
    fn legibility_is_judged_by_accuracy_and_area() {
        let agreement = Agreement::of(&[(0.9, true), (0.5, true), (0.5, false), (0.2, false)], 0.5).unwrap();
        assert_eq!(agreement.right, Share { count: 3, of: 4 });
        assert_eq!(agreement.auc, Some(0.875));
        assert_eq!(Agreement::of(&[(0.9, true)], 0.5).unwrap().auc, None);
    }
}
