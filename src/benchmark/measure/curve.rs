//! Scores of bona fide and attacks → the error rates of every threshold.
//!
//! Rates follow ISO/IEC 30107-3. The higher a score, the more it looks like an attack; an attack counts as detected
//! when its score is at or above the threshold. All rates are shares, 0 to 1.

use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc_inv;

use super::values::{MetricsError, below, sorted};

/// A threshold and its two error rates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// A score at or above it is called an attack.
    pub threshold: f64,
    /// Attack presentation classification error rate: share of attacks below the threshold.
    pub apcer: f64,
    /// Bona fide presentation classification error rate: share of bona fide at or above the threshold.
    pub bpcer: f64,
}

/// Where both error rates are equal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct EqualError {
    /// Both rates.
    pub rate: f64,
    /// The threshold; between two scores where the crossing was interpolated.
    pub threshold: f64,
}

/// A point of the receiver operating characteristic.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RocPoint {
    /// A score at or above it is called an attack.
    pub threshold: f64,
    /// Share of bona fide called attacks: the horizontal axis.
    pub bpcer: f64,
    /// Share of attacks called attacks, 1 - APCER: the vertical axis.
    pub detected: f64,
}

/// A point of the detection error trade-off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DetPoint {
    /// A score at or above it is called an attack.
    pub threshold: f64,
    /// Share of attacks missed.
    pub apcer: f64,
    /// Share of bona fide called attacks.
    pub bpcer: f64,
    /// Standard normal quantile of the APCER; of n attacks it is first brought within 1/(2n) and 1 - 1/(2n), as the
    /// quantiles of 0 and 1 are infinite.
    pub apcer_probit: f64,
    /// The same for the BPCER, with the number of bona fide.
    pub bpcer_probit: f64,
}

/// Scores of bona fide and attacks, and every error rate that some threshold gives them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    bona_fide: Vec<f64>,
    attacks: Vec<f64>,
}

impl Curve {
    /// Takes any finite scores, in any order.
    ///
    /// # Errors
    /// When a class is empty, or a score is not a finite number.
    pub fn of(bona_fide: &[f64], attacks: &[f64]) -> Result<Self, MetricsError> {
        Ok(Self { bona_fide: sorted("bona fide score", bona_fide)?, attacks: sorted("attack score", attacks)? })
    }

    /// Takes rows of a score and whether it is an attack's; a faulty score is named by its place within its class.
    ///
    /// # Errors
    /// When a class is empty, or a score is not a finite number.
    pub fn of_rows(rows: impl IntoIterator<Item = (f64, bool)>) -> Result<Self, MetricsError> {
        let (mut bona_fide, mut attacks) = (Vec::new(), Vec::new());
        for (score, attack) in rows {
            if attack { &mut attacks } else { &mut bona_fide }.push(score);
        }
        Self::of(&bona_fide, &attacks)
    }

    /// Share of attacks below `threshold`.
    pub fn apcer(&self, threshold: f64) -> f64 {
        below(&self.attacks, threshold) as f64 / self.attacks.len() as f64
    }

    /// Share of bona fide at or above `threshold`.
    pub fn bpcer(&self, threshold: f64) -> f64 {
        (self.bona_fide.len() - below(&self.bona_fide, threshold)) as f64 / self.bona_fide.len() as f64
    }

    /// Every distinct threshold, rising. The first is the lowest score, where all is called an attack; the last is the
    /// next number above the highest score, where nothing is.
    pub fn points(&self) -> Vec<Point> {
        let (bona_fide, attacks) = (self.bona_fide.as_slice(), self.attacks.as_slice());
        let (mut kept, mut missed) = (0, 0);
        let mut points = Vec::with_capacity(bona_fide.len() + attacks.len() + 1);
        let mut highest = f64::MIN;
        loop {
            let next = match (bona_fide.get(kept), attacks.get(missed)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(only), None) | (None, Some(only)) => *only,
                (None, None) => highest.next_up(),
            };
            points.push(Point {
                threshold: next,
                apcer: missed as f64 / attacks.len() as f64,
                bpcer: (bona_fide.len() - kept) as f64 / bona_fide.len() as f64,
            });
            if kept == bona_fide.len() && missed == attacks.len() {
                return points;
            }
            highest = next;
            kept += bona_fide[kept..].iter().take_while(|score| **score <= next).count();
            missed += attacks[missed..].iter().take_while(|score| **score <= next).count();
        }
    }

    /// Detection equal error rate: where APCER and BPCER cross. Between the two neighbouring points around the crossing
    /// both rates and the threshold are taken as linear.
    pub fn d_eer(&self) -> EqualError {
        let points = self.points();
        let gap = |p: &Point| p.apcer - p.bpcer;
        let after = points.partition_point(|p| gap(p) < 0.0).clamp(1, points.len() - 1);
        let [a, b] = [points[after - 1], points[after]];
        if gap(&b) <= 0.0 {
            return EqualError { rate: b.apcer, threshold: b.threshold };
        }
        let along = gap(&a) / (gap(&a) - gap(&b));
        EqualError {
            rate: a.apcer + along * (b.apcer - a.apcer),
            threshold: a.threshold + along * (b.threshold - a.threshold),
        }
    }

    /// The least BPCER over thresholds whose APCER is at most `limit`; of equal ones that with the least APCER. `None`
    /// where the limit is negative or no number. BPCER10, 20 and 100 have limits of 0.1, 0.05 and 0.01.
    pub fn bpcer_at_apcer(&self, limit: f64) -> Option<Point> {
        let points = self.points();
        let last = points.partition_point(|p| p.apcer <= limit).checked_sub(1)?;
        points.iter().find(|p| p.bpcer <= points[last].bpcer).copied()
    }

    /// The least APCER over thresholds whose BPCER is at most `limit`; of equal ones that with the least BPCER. `None`
    /// where the limit is negative or no number.
    pub fn apcer_at_bpcer(&self, limit: f64) -> Option<Point> {
        let points = self.points();
        let first = points.iter().find(|p| p.bpcer <= limit)?;
        points.iter().rfind(|p| p.apcer <= first.apcer).copied()
    }

    /// Area under the receiver operating characteristic: share of pairs of an attack and a bona fide in which the
    /// attack scores higher, equal scores as half (Mann and Whitney 1947).
    pub fn auc(&self) -> f64 {
        let (mut lower, mut not_higher, mut halves) = (0, 0, 0_u64);
        for attack in &self.attacks {
            lower += self.bona_fide[lower..].iter().take_while(|score| *score < attack).count();
            not_higher = not_higher.max(lower);
            not_higher += self.bona_fide[not_higher..].iter().take_while(|score| *score <= attack).count();
            halves += (lower + not_higher) as u64;
        }
        halves as f64 / 2.0 / self.attacks.len() as f64 / self.bona_fide.len() as f64
    }

    /// Receiver operating characteristic in rising thresholds, thinned to at most `most` points (at least its two
    /// ends).
    pub fn roc(&self, most: usize) -> Vec<RocPoint> {
        let points = self.points().into_iter();
        let points = points.map(|p| RocPoint { threshold: p.threshold, bpcer: p.bpcer, detected: 1.0 - p.apcer });
        thinned(points.collect(), most, |p| [p.bpcer, p.detected])
    }

    /// Detection error trade-off in rising thresholds, thinned to at most `most` points (at least its two ends).
    pub fn det(&self, most: usize) -> Vec<DetPoint> {
        let within = |rate: f64, rows: usize| {
            let least = 0.5 / rows as f64;
            probit(rate.clamp(least, 1.0 - least))
        };
        let points = self.points().into_iter().map(|p| DetPoint {
            threshold: p.threshold,
            apcer: p.apcer,
            bpcer: p.bpcer,
            apcer_probit: within(p.apcer, self.attacks.len()),
            bpcer_probit: within(p.bpcer, self.bona_fide.len()),
        });
        thinned(points.collect(), most, |p| [p.bpcer_probit, p.apcer_probit])
    }
}

/// Standard normal quantile of a share strictly between 0 and 1.
pub fn probit(share: f64) -> f64 {
    -SQRT_2 * erfc_inv(2.0 * share)
}

/// At most `most` points, the ends among them, as evenly as may be along the path (the sum of its steps on both axes).
fn thinned<T: Copy>(points: Vec<T>, most: usize, place: impl Fn(&T) -> [f64; 2]) -> Vec<T> {
    let most = most.max(2);
    if points.len() <= most {
        return points;
    }
    let mut along = vec![0.0];
    for pair in points.windows(2) {
        let [a, b] = [place(&pair[0]), place(&pair[1])];
        along.push(along[along.len() - 1] + (b[0] - a[0]).abs() + (b[1] - a[1]).abs());
    }
    let last = points.len() - 1;
    let mut kept: Vec<usize> = (0..most - 1)
        .map(|step| along[last] * step as f64 / (most - 1) as f64)
        .map(|mark| along.partition_point(|length| *length < mark).min(last))
        .chain([last])
        .collect();
    kept.dedup();
    kept.into_iter().map(|i| points[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::super::reference::{near, reference};
    use super::*;

    #[test]
    fn the_curve_and_its_area_agree_with_scikit_learn() {
        for (name, set) in reference().curves {
            let curve = Curve::of_rows(set.rows()).unwrap();
            near(curve.auc(), set.auc, &name);
            let points = curve.points();
            assert_eq!((points.len(), points.len() - 1), (set.apcer.len(), set.thresholds.len()), "{name}");
            for (i, point) in points.iter().enumerate() {
                near(point.apcer, set.apcer[i], &name);
                near(point.bpcer, set.bpcer[i], &name);
                let above_all = points[points.len() - 2].threshold.next_up();
                assert_eq!(Some(point.threshold), set.thresholds.get(i).copied().or(Some(above_all)), "{name}");
                let there = (curve.apcer(point.threshold), curve.bpcer(point.threshold));
                assert_eq!(there, (point.apcer, point.bpcer), "{name}");
            }
            for [threshold, apcer, bpcer] in set.det {
                near(curve.apcer(threshold), apcer, &name);
                near(curve.bpcer(threshold), bpcer, &name);
            }
        }
    }

    #[test]
    fn operating_points_agree_with_the_curve_of_scikit_learn() {
        for (name, set) in reference().curves {
            let curve = Curve::of_rows(set.rows()).unwrap();
            let equal = curve.d_eer();
            near(equal.rate, set.d_eer[0], &name);
            near(equal.threshold, set.d_eer[1], &name);
            for [limit, bpcer] in set.bpcer_at {
                let point = curve.bpcer_at_apcer(limit).unwrap();
                near(point.bpcer, bpcer, &name);
                assert!(point.apcer <= limit, "{name} at {limit}");
                assert_eq!((curve.apcer(point.threshold), curve.bpcer(point.threshold)), (point.apcer, point.bpcer));
            }
            for [limit, apcer] in set.apcer_at {
                let point = curve.apcer_at_bpcer(limit).unwrap();
                near(point.apcer, apcer, &name);
                assert!(point.bpcer <= limit, "{name} at {limit}");
                assert_eq!((curve.apcer(point.threshold), curve.bpcer(point.threshold)), (point.apcer, point.bpcer));
            }
        }
    }

    #[test]
    fn probits_agree_with_scipy() {
        for [share, expected] in reference().probits {
            near(probit(share), expected, "probit");
        }
    }

    /// Hanley and `McNeil` 1982, "The meaning and use of the area under a receiver operating characteristic (ROC)
    /// curve", table I: 109 tomograms rated from 1 (definitely normal) to 5 (definitely abnormal).
    #[test]
    fn the_area_of_rated_tomograms_is_as_published() {
        let rated = |counts: [usize; 5]| -> Vec<f64> {
            (1_u8..).zip(counts).flat_map(|(rating, count)| vec![f64::from(rating); count]).collect()
        };
        let curve = Curve::of(&rated([33, 6, 6, 11, 2]), &rated([3, 2, 2, 11, 33])).unwrap();
        assert!((curve.auc() - 0.893).abs() < 0.0005, "{}", curve.auc());
        // Sensitivity and false positives of the strictest reading: 33 of 51 and 2 of 58.
        near(1.0 - curve.apcer(5.0), 33.0 / 51.0, "sensitivity");
        near(curve.bpcer(5.0), 2.0 / 58.0, "false positives");
    }

    #[test]
    fn an_attack_at_the_threshold_is_detected_and_a_bona_fide_accused() {
        let curve = Curve::of(&[0.2, 0.5], &[0.5, 0.9]).unwrap();
        assert_eq!((curve.apcer(0.5), curve.bpcer(0.5)), (0.0, 0.5));
        assert_eq!((curve.apcer(0.5_f64.next_up()), curve.bpcer(0.5_f64.next_up())), (0.5, 0.0));
        assert_eq!((curve.apcer(f64::INFINITY), curve.bpcer(f64::NEG_INFINITY)), (1.0, 1.0));
    }

    #[test]
    fn equal_rates_are_interpolated_between_neighbours() {
        // Points (APCER, BPCER): (0, 1), (0, 1/2), (1/3, 1/2), (2/3, 1/2), ...; the rates cross half-way on.
        let curve = Curve::of(&[0.1, 0.8], &[0.3, 0.4, 0.9]).unwrap();
        let equal = curve.d_eer();
        near(equal.rate, 0.5, "rate");
        near(equal.threshold, 0.6, "threshold");
        let parted = Curve::of(&[0.1, 0.2], &[0.8, 0.9]).unwrap().d_eer();
        assert_eq!((parted.rate, parted.threshold), (0.0, 0.8));
    }

    #[test]
    fn of_equal_rates_the_operating_point_is_the_better_one() {
        let curve = Curve::of(&[0.1, 0.9], &[0.2, 0.3, 0.95]).unwrap();
        // From 0.2 to 0.9 the BPCER stays a half, while ever more attacks are missed.
        let point = curve.bpcer_at_apcer(0.7).unwrap();
        assert_eq!((point.threshold, point.bpcer, point.apcer), (0.95, 0.0, 2.0 / 3.0));
        let point = curve.bpcer_at_apcer(0.5).unwrap();
        assert_eq!((point.threshold, point.bpcer, point.apcer), (0.2, 0.5, 0.0));
        let point = curve.apcer_at_bpcer(0.6).unwrap();
        assert_eq!((point.threshold, point.apcer, point.bpcer), (0.2, 0.0, 0.5));
        // An APCER of two thirds comes with both BPCERs, at 0.9 and at 0.95.
        assert_eq!(curve.apcer_at_bpcer(0.0).map(|point| point.threshold), Some(0.95));
        assert_eq!(curve.bpcer_at_apcer(-0.1), None);
        assert_eq!(curve.apcer_at_bpcer(f64::NAN), None);
    }

    #[test]
    fn a_score_that_is_no_number_and_an_empty_class_are_named() {
        let error = Curve::of(&[0.1, f64::NAN], &[0.5]).unwrap_err();
        assert_eq!(error.to_string(), "bona fide score 1 is NaN, which is not a finite number");
        let error = Curve::of(&[0.1], &[f64::INFINITY]).unwrap_err();
        assert_eq!(error.to_string(), "attack score 0 is inf, which is not a finite number");
        assert_eq!(Curve::of(&[], &[0.5]), Err(MetricsError::Empty("bona fide score")));
        assert_eq!(Curve::of(&[0.5], &[]), Err(MetricsError::Empty("attack score")));
    }

    #[test]
    fn both_zeros_are_one_threshold() {
        let curve = Curve::of(&[-0.0, 0.0], &[0.0, -0.0]).unwrap();
        assert_eq!((curve.points().len(), curve.auc()), (2, 0.5));
    }

    #[test]
    fn thinned_curves_keep_their_ends_and_stay_near() {
        let spread = |i: u32, step: f64| (f64::from(i) * step).fract();
        let bona_fide: Vec<f64> = (0..700).map(|i| spread(i, 0.618_033_988_7) * 0.8).collect();
        let attacks: Vec<f64> = (0..900).map(|i| 0.2 + spread(i, 0.414_213_562_4) * 0.8).collect();
        let curve = Curve::of(&bona_fide, &attacks).unwrap();
        let whole = curve.roc(usize::MAX);
        assert_eq!(whole.len(), curve.points().len());
        for most in [2, 3, 50, 200] {
            let roc = curve.roc(most);
            assert!(roc.len() <= most && roc.len() * 10 >= most * 9, "{} of {most}", roc.len());
            assert_eq!((roc[0].bpcer, roc[0].detected), (1.0, 1.0));
            assert_eq!((roc[roc.len() - 1].bpcer, roc[roc.len() - 1].detected), (0.0, 0.0));
            // Both axes run over 1, so the path is 2 long.
            let most_step = 2.0 / (most as f64 - 1.0) + 2.0 / 700.0;
            for pair in roc.windows(2) {
                let step = pair[0].bpcer - pair[1].bpcer + pair[0].detected - pair[1].detected;
                assert!(step > 0.0 && step <= most_step, "{step} above {most_step}");
            }
        }
        let det = curve.det(60);
        assert!(det.len() <= 60 && det.iter().all(|p| p.apcer_probit.is_finite() && p.bpcer_probit.is_finite()));
        near(det[0].apcer_probit, probit(0.5 / 900.0), "an APCER of 0");
        near(det[0].bpcer_probit, probit(1.0 - 0.5 / 700.0), "a BPCER of 1");
        let inner = det.iter().find(|p| p.apcer > 0.1).unwrap();
        near(inner.apcer_probit, probit(inner.apcer), "not clamped");
    }
}
