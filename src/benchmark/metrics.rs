//! Scores and truths → error rates of attack detection, calibration, rank correlation and quantiles.
//!
//! Rates follow ISO/IEC 30107-3. The higher a score, the more it looks like an attack; an attack counts as detected
//! when its score is at or above the threshold. All rates are shares, 0 to 1.

use std::collections::BTreeMap;
use std::f64::consts::SQRT_2;

use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc_inv;

use super::intervals::{Interval, IntervalError, clopper_pearson};

/// Why a figure cannot be given. Rows are counted from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// Nothing to count.
    #[error("there is no {0}, so its rate cannot be given")]
    Empty(&'static str),
    /// A value that is no number, or infinite.
    #[error("{what} {row} is {value}, which is not a finite number")]
    NotFinite {
        /// What the value is.
        what: &'static str,
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A score that is no probability.
    #[error("score {row} is {value}, which is not between 0 and 1")]
    NotAProbability {
        /// Its row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// Two columns of the same rows differ in length.
    #[error("one column has {0} rows, the other {1}")]
    UnequalLengths(usize, usize),
    /// Ranks of equal values say nothing.
    #[error("a column holds the same value in all its {0} rows, so it has no rank correlation")]
    Constant(usize),
    /// A quantile outside its range.
    #[error("a quantile is asked for at {0}, which is not between 0 and 1")]
    NotAShare(f64),
    /// Calibration without bins.
    #[error("calibration needs at least one bin")]
    NoBins,
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Share {
    /// Rows that count.
    pub count: usize,
    /// All rows.
    pub of: usize,
}

impl Share {
    /// How many of `answers` are true.
    pub fn of(answers: impl IntoIterator<Item = bool>) -> Self {
        let mut share = Self::default();
        for answer in answers {
            share.add(answer);
        }
        share
    }

    /// One more row.
    pub fn add(&mut self, counts: bool) {
        self.count += usize::from(counts);
        self.of += 1;
    }

    /// 0 to 1; `None` of no rows.
    pub fn rate(self) -> Option<f64> {
        (self.of > 0).then(|| self.count as f64 / self.of as f64)
    }

    /// Its exact interval at `level`, for rows that are independent of each other.
    ///
    /// # Errors
    /// When the count is larger than all rows, or the level not between 0 and 1.
    pub fn interval(self, level: f64) -> Result<Interval, IntervalError> {
        clopper_pearson(self.count, self.of, level)
    }
}

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

    /// Mean of both rates. Here all attacks are one species; with several, papers put the highest APCER in its place.
    pub fn acer(&self, threshold: f64) -> f64 {
        f64::midpoint(self.apcer(threshold), self.bpcer(threshold))
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

fn finite(what: &'static str, values: &[f64]) -> Result<(), MetricsError> {
    match values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
        Some((row, value)) => Err(MetricsError::NotFinite { what, row, value: *value }),
        None if values.is_empty() => Err(MetricsError::Empty(what)),
        None => Ok(()),
    }
}

/// `values` rising.
fn sorted(what: &'static str, values: &[f64]) -> Result<Vec<f64>, MetricsError> {
    finite(what, values)?;
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    Ok(values)
}

fn below(rising: &[f64], threshold: f64) -> usize {
    rising.partition_point(|score| *score < threshold)
}

/// Standard normal quantile of a share strictly between 0 and 1.
pub(super) fn probit(share: f64) -> f64 {
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

/// Presentations without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Attacks without an answer, of all attacks: its rate is the APNRR.
    pub attacks: Share,
    /// Bona fide without an answer, of all bona fide: its rate is the BPNRR.
    pub bona_fide: Share,
}

impl Counts {
    /// One more presentation.
    pub fn add(&mut self, attack: bool, answered: bool) {
        if attack { &mut self.attacks } else { &mut self.bona_fide }.add(!answered);
    }

    /// Attack presentation non-response rate; `None` without attacks.
    pub fn apnrr(&self) -> Option<f64> {
        self.attacks.rate()
    }

    /// Bona fide presentation non-response rate; `None` without bona fide.
    pub fn bpnrr(&self) -> Option<f64> {
        self.bona_fide.rate()
    }
}

/// Missed attacks at one threshold, species by species.
#[derive(Debug, Clone, PartialEq)]
pub struct SpeciesRates<S> {
    /// Attacks below the threshold, of all of the species: its rate is the species' APCER.
    pub missed: BTreeMap<S, Share>,
    /// The species that is missed most, and its APCER; of equal ones the first.
    pub highest: (S, f64),
}

/// Species and score of each attack → APCER of each species at `threshold`, and the highest.
///
/// # Errors
/// When there is no attack, or a score is not a finite number.
pub fn apcer_by_species<S: Ord + Clone>(attacks: &[(S, f64)], threshold: f64) -> Result<SpeciesRates<S>, MetricsError> {
    let scores: Vec<f64> = attacks.iter().map(|(_, score)| *score).collect();
    finite("attack score", &scores)?;
    let mut missed: BTreeMap<S, Share> = BTreeMap::new();
    for (species, score) in attacks {
        missed.entry(species.clone()).or_default().add(*score < threshold);
    }
    let rates = missed.iter().filter_map(|(species, share)| Some((species, share.rate()?)));
    let highest = rates.reduce(|best, next| if next.1 > best.1 { next } else { best });
    let (species, rate) = highest.ok_or(MetricsError::Empty("attack score"))?;
    Ok(SpeciesRates { highest: (species.clone(), rate), missed })
}

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

/// Ranks from 1, equal values sharing the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    let compared = |a: &usize, b: &usize| (values[*a] + 0.0).total_cmp(&(values[*b] + 0.0));
    order.sort_unstable_by(compared);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for equal in order.chunk_by(|a, b| compared(a, b).is_eq()) {
        for i in equal {
            ranks[*i] = before as f64 + f64::midpoint(1.0, equal.len() as f64);
        }
        before += equal.len();
    }
    ranks
}

/// Spearman's rank correlation of two columns of the same rows, -1 to 1: Pearson's correlation of their ranks, equal
/// values sharing the mean of their ranks.
///
/// # Errors
/// When the columns differ in length, are empty or constant, or a value is not a finite number.
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64, MetricsError> {
    if x.len() != y.len() {
        return Err(MetricsError::UnequalLengths(x.len(), y.len()));
    }
    finite("value", x)?;
    finite("value", y)?;
    let mean = f64::midpoint(1.0, x.len() as f64);
    let [x, y] = [ranks(x), ranks(y)].map(|ranks| ranks.into_iter().map(|rank| rank - mean).collect::<Vec<f64>>());
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let spread = product(&x, &x).sqrt() * product(&y, &y).sqrt();
    if spread <= 0.0 {
        return Err(MetricsError::Constant(x.len()));
    }
    Ok((product(&x, &y) / spread).clamp(-1.0, 1.0))
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

/// The nearest-rank quantile of `values` at each of `shares`: the least value such that at least that share of all
/// values is not above it. It is always one of the values; at 0 the least.
///
/// # Errors
/// When there is no value, one is not a finite number, or a share is not between 0 and 1.
pub fn quantiles<const N: usize>(values: &[f64], shares: [f64; N]) -> Result<[f64; N], MetricsError> {
    let rising = sorted("value", values)?;
    if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        return Err(MetricsError::NotAShare(*share));
    }
    let all = rising.len();
    // Quotients, not products, are compared: 0.07 times 100 is above 7, but 7 / 100 is 0.07.
    Ok(shares.map(|share| rising[(1..all).find(|rank| *rank as f64 / all as f64 >= share).unwrap_or(all) - 1]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Reference {
        curves: BTreeMap<String, Set>,
        ranks: Vec<Ranked>,
        probits: Vec<[f64; 2]>,
        quantiles: Quantiles,
    }

    #[derive(Deserialize)]
    struct Set {
        scores: Vec<f64>,
        labels: Vec<u8>,
        auc: f64,
        bpcer: Vec<f64>,
        apcer: Vec<f64>,
        thresholds: Vec<f64>,
        det: Vec<[f64; 3]>,
        d_eer: [f64; 2],
        bpcer_at: Vec<[f64; 2]>,
        apcer_at: Vec<[f64; 2]>,
        brier: f64,
        expected_calibration_error: BTreeMap<String, f64>,
        bins: [Vec<f64>; 2],
    }

    #[derive(Deserialize)]
    struct Ranked {
        x: Vec<f64>,
        y: Vec<f64>,
        spearman: f64,
    }

    #[derive(Deserialize)]
    struct Quantiles {
        values: Vec<f64>,
        answers: Vec<[f64; 2]>,
    }

    impl Set {
        fn rows(&self) -> Vec<(f64, bool)> {
            self.scores.iter().copied().zip(self.labels.iter().map(|label| *label == 1)).collect()
        }
    }

    fn reference() -> Reference {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/metrics.json"));
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert!(reference.curves.len() >= 9 && reference.ranks.len() >= 4 && reference.probits.len() >= 7);
        reference
    }

    #[track_caller]
    fn near(a: f64, b: f64, what: &str) {
        assert!((a - b).abs() <= 1e-9, "{what}: {a} is not {b}");
    }

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
                near(curve.acer(point.threshold), f64::midpoint(set.apcer[i], set.bpcer[i]), &name);
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
    fn rank_correlation_agrees_with_scipy() {
        for ranked in reference().ranks {
            near(spearman(&ranked.x, &ranked.y).unwrap(), ranked.spearman, "spearman");
        }
    }

    #[test]
    fn probits_agree_with_scipy() {
        for [share, expected] in reference().probits {
            near(probit(share), expected, "probit");
        }
    }

    #[test]
    fn quantiles_are_nearest_ranks_as_in_numpy() {
        let quantiles_reference = reference().quantiles;
        for [share, expected] in quantiles_reference.answers {
            assert_eq!(quantiles(&quantiles_reference.values, [share]), Ok([expected]), "{share}");
        }
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(quantiles(&hundred, [0.0, 0.07, 0.5, 0.95, 0.99, 1.0]), Ok([1.0, 7.0, 50.0, 95.0, 99.0, 100.0]));
        assert_eq!(quantiles(&[3.0], [0.5, 0.99]), Ok([3.0, 3.0]));
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
        assert_eq!(
            Calibration::of(&[(0.5, true), (1.5, false)], 10),
            Err(MetricsError::NotAProbability { row: 1, value: 1.5 })
        );
        assert!(matches!(Calibration::of(&[(f64::NAN, true)], 10), Err(MetricsError::NotAProbability { .. })));
        assert_eq!(Calibration::of(&[(0.5, true)], 0), Err(MetricsError::NoBins));
        assert_eq!(Calibration::of(&[], 10), Err(MetricsError::Empty("score")));
        assert_eq!(spearman(&[1.0], &[]), Err(MetricsError::UnequalLengths(1, 0)));
        assert_eq!(spearman(&[1.0, 2.0], &[4.0, 4.0]), Err(MetricsError::Constant(2)));
        assert!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]).is_err());
        assert_eq!(quantiles(&[1.0], [1.1]), Err(MetricsError::NotAShare(1.1)));
        assert_eq!(quantiles(&[], [0.5]), Err(MetricsError::Empty("value")));
        assert!(apcer_by_species::<u8>(&[], 0.5).is_err());
        assert!(apcer_by_species(&[(1, f64::NAN)], 0.5).is_err());
        assert!(Agreement::of(&[], 0.5).is_err());
    }

    #[test]
    fn both_zeros_are_one_threshold() {
        let curve = Curve::of(&[-0.0, 0.0], &[0.0, -0.0]).unwrap();
        assert_eq!((curve.points().len(), curve.auc()), (2, 0.5));
        near(spearman(&[-0.0, 0.0, 1.0, 2.0], &[1.0, 1.0, 2.0, 3.0]).unwrap(), 1.0, "ranks of zeros");
    }

    #[test]
    fn species_have_their_own_rates_and_the_worst_is_named() {
        let attacks = [("screen", 0.9), ("print", 0.2), ("screen", 0.4), ("print", 0.5), ("print", 0.1), ("mask", 0.5)];
        let rates = apcer_by_species(&attacks, 0.5).unwrap();
        assert_eq!(rates.highest, ("print", 2.0 / 3.0));
        assert_eq!(rates.missed["screen"], Share { count: 1, of: 2 });
        assert_eq!(rates.missed["mask"], Share { count: 0, of: 1 });
    }

    #[test]
    fn non_responses_are_shares_of_their_own_class() {
        let mut counts = Counts::default();
        assert_eq!((counts.apnrr(), counts.bpnrr()), (None, None));
        for (attack, answered) in [(true, true), (true, false), (true, true), (true, true), (false, false)] {
            counts.add(attack, answered);
        }
        assert_eq!((counts.apnrr(), counts.bpnrr()), (Some(0.25), Some(1.0)));
    }

    #[test]
    fn legibility_is_judged_by_accuracy_and_area() {
        let agreement = Agreement::of(&[(0.9, true), (0.5, true), (0.5, false), (0.2, false)], 0.5).unwrap();
        assert_eq!(agreement.right, Share { count: 3, of: 4 });
        assert_eq!(agreement.auc, Some(0.875));
        assert_eq!(Agreement::of(&[(0.9, true)], 0.5).unwrap().auc, None);
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
