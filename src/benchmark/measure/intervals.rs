//! Counts or grouped rows → intervals that a figure lies in.
//!
//! Rows of one source resemble each other. Where they do, [`clopper_pearson`] is too narrow, and whole groups are to be
//! drawn instead.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::exact;

/// From here to there, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies within.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Why there is no interval.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum IntervalError {
    /// More than all.
    #[error("{0} successes are more than the {1} trials")]
    TooManySuccesses(usize, usize),
    /// A level that is no share.
    #[error("a level of confidence of {0} is not between 0 and 1")]
    Level(f64),
}

/// The exact interval of a share at `level`, such as 0.95: at least that often it holds the truth, whatever the truth
/// (Clopper and Pearson 1934, "The use of confidence or fiducial limits illustrated in the case of the binomial"). Each
/// tail gets half of what is left, also where all or none succeed. Of no trials it is 0 to 1.
///
/// # Errors
/// When there are more successes than trials, or the level is not strictly between 0 and 1.
pub fn clopper_pearson(successes: usize, trials: usize, level: f64) -> Result<Interval, IntervalError> {
    if successes > trials {
        return Err(IntervalError::TooManySuccesses(successes, trials));
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(IntervalError::Level(level));
    }
    let [low, high] = exact::interval(successes, trials, level);
    Ok(Interval { low, high })
}

/// Rows by the source that they share.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups {
    rows: Vec<Vec<usize>>,
}

impl Groups {
    /// Takes the source of each row. Groups stand in the order of their sources, so the order of rows draws no others.
    pub fn by<K: Ord>(sources: impl IntoIterator<Item = K>) -> Self {
        let mut groups: BTreeMap<K, Vec<usize>> = BTreeMap::new();
        for (row, source) in sources.into_iter().enumerate() {
            groups.entry(source).or_default().push(row);
        }
        Self { rows: groups.into_values().collect() }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// As many groups as there are, drawn with replacement, and all their rows.
    fn drawn(&self, seed: u64, replicate: usize) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(replicate as u64);
        (0..self.len()).flat_map(|_| &self.rows[random.random_range(0..self.len())]).copied().collect()
    }

    /// The value of every replicate that has a finite one, in their order: the same whatever the threads.
    fn replicated<T: Send>(
        &self,
        replicates: usize,
        seed: u64,
        value: impl Fn(&[usize]) -> Option<T> + Sync,
    ) -> Option<Vec<T>> {
        if self.len() < 2 {
            return None;
        }
        let values = (0..replicates).into_par_iter().map(|replicate| value(&self.drawn(seed, replicate)));
        Some(values.collect::<Vec<Option<T>>>().into_iter().flatten().collect())
    }
}

/// What the replicates of a figure say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The middle 95 % of the replicates.
    pub interval: Interval,
    /// Replicates that stand behind it.
    pub kept: usize,
    /// Replicates in which the figure was not defined, such as those without an attack.
    pub left_out: usize,
}

/// What the replicates of a difference say.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PairedBootstrap {
    /// The middle 95 % of first minus second.
    pub difference: Interval,
    /// Twice the share of replicates on the rarer side of no difference, at most 1, replicates without a difference on
    /// both sides; one replicate is added to each count, so it is never 0. Read as a two-sided p-value.
    pub two_sided: f64,
    /// Replicates that stand behind it.
    pub kept: usize,
    /// Replicates in which one of the figures was not defined.
    pub left_out: usize,
}

/// Of n values the k-th least to the k-th greatest, k being (n + 1) / 40 rounded down: the middle 95 % (Efron and
/// Tibshirani 1993, "An introduction to the bootstrap", sections 12.5 and 13.3). `None` of fewer than 39.
fn middle(mut values: Vec<f64>) -> Option<Interval> {
    let tail = ((values.len() + 1) / 40).checked_sub(1)?;
    values.sort_unstable_by(f64::total_cmp);
    Some(Interval { low: values[tail], high: values[values.len() - 1 - tail] })
}

/// The percentile interval of a figure at 95 %, from replicates that draw whole groups with replacement (the cluster
/// bootstrap; Field and Welsh 2007, "Bootstrapping clustered data"). `statistic` gets the rows drawn, some more than
/// once, and says `None` where it is not defined. The same seed gives the same interval.
///
/// `None` where there are fewer than two groups, as one says nothing of how groups differ, and where the figure is
/// defined in fewer than 39 replicates. With few groups, about twenty or less, the interval is too narrow.
pub fn bootstrap_over_groups(
    groups: &Groups,
    replicates: usize,
    seed: u64,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Option<Bootstrap> {
    let values = groups.replicated(replicates, seed, |rows| statistic(rows).filter(|value| value.is_finite()))?;
    let kept = values.len();
    Some(Bootstrap { interval: middle(values)?, kept, left_out: replicates - kept })
}

/// The same for the difference of two figures, first minus second, of the same rows in each replicate.
pub fn paired_bootstrap_over_groups(
    groups: &Groups,
    replicates: usize,
    seed: u64,
    first: impl Fn(&[usize]) -> Option<f64> + Sync,
    second: impl Fn(&[usize]) -> Option<f64> + Sync,
) -> Option<PairedBootstrap> {
    let difference = |rows: &[usize]| Some(first(rows)? - second(rows)?).filter(|value| value.is_finite());
    let values = groups.replicated(replicates, seed, difference)?;
    let kept = values.len();
    let up = values.iter().filter(|value| **value >= 0.0).count();
    let down = values.iter().filter(|value| **value <= 0.0).count();
    let two_sided = (2.0 * (up.min(down) + 1) as f64 / (kept + 1) as f64).min(1.0);
    Some(PairedBootstrap { difference: middle(values)?, two_sided, kept, left_out: replicates - kept })
}

#[cfg(test)]
mod tests {
    use super::super::curve::Curve;
    use super::*;

    #[derive(Deserialize)]
    struct Reference {
        exact: Vec<Exact>,
    }

    #[derive(Deserialize)]
    struct Exact {
        successes: usize,
        n: usize,
        level: f64,
        low: f64,
        high: f64,
    }

    fn uniform(random: &mut ChaCha8Rng) -> f64 {
        random.random::<f64>()
    }

    /// About standard normal: twelve uniform numbers less six have a variance of one.
    fn normal(random: &mut ChaCha8Rng) -> f64 {
        (0..12).map(|_| uniform(random)).sum::<f64>() - 6.0
    }

    fn mean(values: &[f64]) -> impl Fn(&[usize]) -> Option<f64> + Sync {
        |rows| (!rows.is_empty()).then(|| rows.iter().map(|row| values[*row]).sum::<f64>() / rows.len() as f64)
    }

    #[test]
    fn exact_intervals_agree_with_scipy() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/metrics.json"));
        let reference: Reference = serde_json::from_str(text).unwrap();
        assert!(reference.exact.len() >= 40);
        for exact in reference.exact {
            let Exact { successes, n, level, low, high } = exact;
            let interval = clopper_pearson(successes, n, level).unwrap();
            let far = (interval.low - low).abs().max((interval.high - high).abs());
            assert!(far <= 1e-9, "{successes} of {n} at {level}: {interval:?} is {far} from {low} to {high}");
        }
    }

    /// Newcombe 1998, "Two-sided confidence intervals for the single proportion: comparison of seven methods", table I.
    #[test]
    fn exact_intervals_are_as_published() {
        for (successes, trials, low, high) in
            [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)]
        {
            let interval = clopper_pearson(successes, trials, 0.95).unwrap();
            let far = (interval.low - low).abs().max((interval.high - high).abs());
            assert!(far < 0.000_05 + 1e-12, "{successes} of {trials}: {interval:?}");
        }
    }

    #[test]
    fn no_trials_say_nothing_and_impossible_counts_are_named() {
        assert_eq!(clopper_pearson(0, 0, 0.95), Ok(Interval { low: 0.0, high: 1.0 }));
        assert_eq!(clopper_pearson(3, 2, 0.95).unwrap_err().to_string(), "3 successes are more than the 2 trials");
        for level in [0.0, 1.0, -0.5, f64::NAN] {
            assert!(matches!(clopper_pearson(1, 2, level), Err(IntervalError::Level(_))), "{level}");
        }
    }

    #[test]
    fn exact_intervals_hold_the_truth_at_least_as_often_as_they_say() {
        let mut all = Vec::new();
        for trials in [1, 5, 10, 20, 50] {
            let intervals: Vec<Interval> = (0..=trials).map(|k| clopper_pearson(k, trials, 0.95).unwrap()).collect();
            for truth in (1..200_u8).map(|i| f64::from(i) / 200.0) {
                let mut chance = (1.0 - truth).powi(trials as i32);
                let mut covered = 0.0;
                for (successes, interval) in intervals.iter().enumerate() {
                    covered += if interval.holds(truth) { chance } else { 0.0 };
                    chance *= (trials - successes) as f64 / (successes + 1) as f64 * truth / (1.0 - truth);
                }
                assert!(covered >= 0.95 - 1e-12, "{trials} trials at {truth}: {covered}");
                all.push((trials, covered));
            }
        }
        // Not by being needlessly wide: of 50 trials, between 95 and 99 % on average.
        let many: Vec<f64> =
            all.into_iter().filter_map(|(trials, covered)| (trials == 50).then_some(covered)).collect();
        assert!(many.iter().sum::<f64>() / (many.len() as f64) < 0.98);
    }

    /// How many of 300 sets of 30 groups of 6 rows, whose means differ, have their true mean of 0 in the interval.
    fn coverage(by_group: bool) -> f64 {
        let groups = Groups::by((0..180).map(|row| if by_group { row / 6 } else { row }));
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let held = (0..300).filter(|set| {
            let mut values = Vec::new();
            for _ in 0..30 {
                let group = normal(&mut random);
                values.extend((0..6).map(|_| group + normal(&mut random)));
            }
            bootstrap_over_groups(&groups, 300, *set, mean(&values)).unwrap().interval.holds(0.0)
        });
        held.count() as f64 / 300.0
    }

    #[test]
    fn the_bootstrap_over_groups_holds_the_truth_as_often_as_it_says() {
        let covered = coverage(true);
        assert!((0.88..=0.99).contains(&covered), "{covered}");
    }

    #[test]
    fn drawing_rows_as_if_they_were_independent_would_be_too_narrow() {
        let covered = coverage(false);
        assert!(covered < 0.8, "{covered}");
    }

    #[test]
    fn the_interval_of_an_area_holds_the_truth() {
        // An attack scores 1 more, each group varies by 1 and each row by 1: pairs of different groups differ by a
        // normal of variance 4, so the area is the normal distribution at 1 / 2. Pairs within a group are few.
        let truth = 0.691_462_461_274_013;
        let groups = Groups::by((0..240).map(|row| row / 4));
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let held = (0..150).filter(|set| {
            let mut rows = Vec::new();
            for i in 0..60 {
                let group = normal(&mut random) + f64::from(i % 2);
                rows.extend((0..4).map(|_| (group + normal(&mut random), i % 2 == 1)));
            }
            let area = |drawn: &[usize]| Curve::of_rows(drawn.iter().map(|row| rows[*row])).ok().map(|c| c.auc());
            bootstrap_over_groups(&groups, 150, *set, area).unwrap().interval.holds(truth)
        });
        let covered = held.count() as f64 / 150.0;
        assert!((0.88..=0.99).contains(&covered), "{covered}");
    }

    #[test]
    fn groups_are_drawn_whole_and_as_many_as_there_are() {
        let groups = Groups::by(["b", "a", "b", "c", "a", "b"]);
        assert_eq!(groups.len(), 3);
        let mut seen = std::collections::BTreeSet::new();
        for replicate in 0..200 {
            let rows = groups.drawn(7, replicate);
            let count = |row: usize| rows.iter().filter(|drawn| **drawn == row).count();
            assert_eq!((count(0), count(0), count(1)), (count(2), count(5), count(4)));
            assert_eq!(count(0) + count(1) + count(3), 3);
            seen.insert((count(0), count(1), count(3)));
        }
        // Three groups may be drawn in ten different multitudes.
        assert_eq!(seen.len(), 10);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_whatever_the_threads() {
        let values: Vec<f64> = (0..60_u32).map(|i| f64::from(i * i % 17)).collect();
        let groups = Groups::by((0..60).map(|row| row % 9));
        let run = |seed| bootstrap_over_groups(&groups, 200, seed, mean(&values)).unwrap();
        let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(|| run(5));
        assert_eq!(run(5), alone);
        assert_ne!(run(5), run(6));
        // Known numbers: another generator, or another way to draw, would not give them.
        assert_eq!(alone.interval, Interval { low: 7.081_967_213_114_754, high: 8.766_666_666_666_667 });
    }

    #[test]
    fn one_group_or_too_few_defined_replicates_give_no_interval() {
        let values = [1.0, 2.0, 3.0];
        let alone = Groups::by(["a"; 3]);
        assert_eq!(bootstrap_over_groups(&alone, 1000, 1, mean(&values)), None);
        assert_eq!(bootstrap_over_groups(&Groups::default(), 1000, 1, mean(&[])), None);
        assert_eq!(paired_bootstrap_over_groups(&alone, 1000, 1, mean(&values), mean(&values)), None);
        let each = Groups::by(0..3);
        assert_eq!(bootstrap_over_groups(&each, 38, 1, mean(&values)), None);
        assert!(bootstrap_over_groups(&each, 39, 1, mean(&values)).is_some());
        assert_eq!(bootstrap_over_groups(&each, 1000, 1, |_| None), None);
        assert_eq!(bootstrap_over_groups(&each, 1000, 1, |_| Some(f64::NAN)), None);
    }

    #[test]
    fn replicates_without_a_value_are_left_out_and_counted() {
        // Of two rows, both bona fide or both attacks are drawn half the time.
        let rows = [(0.2, false), (0.9, true)];
        let area = |drawn: &[usize]| Curve::of_rows(drawn.iter().map(|row| rows[*row])).ok().map(|curve| curve.auc());
        let bootstrap = bootstrap_over_groups(&Groups::by(0..2), 1000, 3, area).unwrap();
        assert_eq!(bootstrap.kept + bootstrap.left_out, 1000);
        assert!((430..570).contains(&bootstrap.left_out), "{}", bootstrap.left_out);
        assert_eq!(bootstrap.interval, Interval { low: 1.0, high: 1.0 });
    }

    #[test]
    fn the_middle_leaves_out_as_many_at_both_ends() {
        let values = |n: u32| (1..=n).rev().map(f64::from).collect::<Vec<f64>>();
        assert_eq!(middle(values(1000)), Some(Interval { low: 25.0, high: 976.0 }));
        assert_eq!(middle(values(999)), Some(Interval { low: 25.0, high: 975.0 }));
        assert_eq!(middle(values(39)), Some(Interval { low: 1.0, high: 39.0 }));
        assert_eq!(middle(values(38)), None);
    }

    #[test]
    fn paired_replicates_cancel_what_both_figures_share() {
        let mut random = ChaCha8Rng::seed_from_u64(4);
        let groups = Groups::by((0..100).map(|row| row / 5));
        let base: Vec<f64> = (0..100).map(|_| 10.0 * normal(&mut random)).collect();
        let better: Vec<f64> = base.iter().map(|value| value + 0.5 + 0.1 * normal(&mut random)).collect();
        let paired = paired_bootstrap_over_groups(&groups, 999, 1, mean(&better), mean(&base)).unwrap();
        assert!(paired.difference.low > 0.4 && paired.difference.high < 0.6, "{paired:?}");
        // None of 999 replicates fell below: 2 * (0 + 1) / (999 + 1).
        assert!((paired.two_sided - 0.002).abs() < 1e-12, "{paired:?}");
        let turned = paired_bootstrap_over_groups(&groups, 999, 1, mean(&base), mean(&better)).unwrap();
        assert_eq!((turned.difference.low, turned.two_sided), (-paired.difference.high, paired.two_sided));
        let alone = bootstrap_over_groups(&groups, 999, 1, mean(&better)).unwrap().interval;
        assert!(alone.high - alone.low > 1.0, "{alone:?}");
        let same = paired_bootstrap_over_groups(&groups, 999, 1, mean(&base), mean(&base)).unwrap();
        assert_eq!((same.difference, same.two_sided), (Interval { low: 0.0, high: 0.0 }, 1.0));
        let noise: Vec<f64> = base.iter().map(|value| value + normal(&mut random)).collect();
        let even = paired_bootstrap_over_groups(&groups, 999, 1, mean(&noise), mean(&base)).unwrap();
        assert!(even.two_sided > 0.05 && even.difference.holds(0.0), "{even:?}");
        let half = |rows: &[usize]| rows.contains(&0).then_some(1.0);
        let some = paired_bootstrap_over_groups(&groups, 999, 1, half, mean(&base)).unwrap();
        assert!(some.left_out > 0 && some.kept + some.left_out == 999);
    }
}
