//! Ten to twenty-five genuine captures of one site → a threshold of the screen score for it, as a policy, with what is
//! known of its price.
//!
//! Cameras, light and documents of a site move the scores of its genuine captures more than those of screens. The
//! threshold is the upper bound, by a one-sided tolerance interval of a normal distribution, under which 95 % of the
//! site's genuine captures lie with a confidence of 95 % (NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.6.3, by
//! Natrella's approximation), of log-odds; never below what was seen, and above the shipped one only where that stops one
//! of them.

use std::fmt::Write as _;

use super::intervals::Interval;
use super::metrics::Share;
use super::rates::LEVEL;

/// Fewest captures from which a threshold is proposed.
pub const LEAST: usize = 10;

/// The normal quantile of 95 %: of the share that is to lie below, and of the confidence.
const Z: f64 = 1.644_854;

/// No threshold is proposed outside these: below, genuine captures of another day are stopped; above, hardly a screen is.
const RANGE: [f64; 2] = [0.30, 0.95];

/// Screens of `models/NOTEBOOK.md` ("fusion"; sources left out) that lie under a threshold: of all, and of those that show
/// documents, cards or text.
const MISSED: [(f64, usize, usize); 9] = [
    (0.20, 44, 4),
    (0.30, 65, 7),
    (0.40, 84, 10),
    (0.50, 105, 18),
    (0.60, 129, 23),
    (0.70, 159, 32),
    (0.80, 201, 38),
    (0.90, 270, 56),
    (0.95, 349, 71),
];
/// How many screens those are of.
const SCREENS: [usize; 2] = [830, 237];

/// A threshold for a site.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// Screen scores of the genuine captures, ascending.
    pub scores: Vec<f64>,
    /// At or above it a person looks.
    pub threshold: f64,
    /// Genuine captures at or above the threshold of the shipped policy.
    pub stopped_before: Share,
    /// The same at the new threshold.
    pub stopped_after: Share,
}

/// Proposes a threshold from the screen scores of genuine captures; `shipped` is that of the shipped policy.
///
/// # Errors
/// In words, when there are fewer than [`LEAST`] scores.
pub fn propose(mut scores: Vec<f64>, shipped: f64) -> Result<Proposal, String> {
    let n = scores.len();
    if n < LEAST {
        return Err(format!("{n} genuine captures have a screen score; a threshold needs at least {LEAST}"));
    }
    scores.sort_by(f64::total_cmp);
    let odds: Vec<f64> = scores.iter().map(|p| p.clamp(1e-6, 1.0 - 1e-6)).map(|p| (p / (1.0 - p)).ln()).collect();
    let count = n as f64;
    let mean = odds.iter().sum::<f64>() / count;
    let deviation = (odds.iter().map(|o| (o - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
    let bound = mean + tolerance_factor(count) * deviation;
    // Above every score that was seen, which the normal distribution knows nothing of.
    let highest = (odds[n - 1] + 0.1).max(bound);
    let threshold = (1.0 / (1.0 + (-highest).exp())).clamp(RANGE[0], RANGE[1]);
    let threshold = (100.0 * threshold).ceil() / 100.0;
    let stopped = |at: f64| Share { count: scores.iter().filter(|score| **score >= at).count(), of: n };
    // It is raised only where it stops what it should not.
    let threshold = if stopped(shipped).count == 0 { threshold.min(shipped) } else { threshold };
    Ok(Proposal { threshold, stopped_before: stopped(shipped), stopped_after: stopped(threshold), scores })
}

/// One-sided tolerance factor for 95 % of a normal distribution with a confidence of 95 %, within 1.5 % of the exact one
/// from ten values on.
fn tolerance_factor(n: f64) -> f64 {
    let a = 1.0 - Z * Z / (2.0 * (n - 1.0));
    let b = Z * Z - Z * Z / n;
    (Z + (Z * Z - a * b).sqrt()) / a
}

/// A policy that begins with the shipped one and holds `proposal`, saying what is known of it.
#[must_use]
pub fn policy(proposal: &Proposal, shipped: [f64; 2], id: &str, folder: &str) -> String {
    let Proposal { scores, threshold, stopped_before, stopped_after } = proposal;
    let mut text = String::new();
    let lines = [
        format!(
            "# A threshold of the screen score for one site, from {} genuine captures of it ({folder:?}).",
            scores.len()
        ),
        format!("# Their scores lie between {:.2} and {:.2}.", scores[0], scores[scores.len() - 1]),
        format!("# Stopped of them by the shipped threshold {:.2}: {}", shipped[0], told(*stopped_before)),
        format!("# by this one: {}. It was chosen on them: others will be stopped more often.", told(*stopped_after)),
        format!(
            "# Of screens from other sources lie under it: {}; of those that show documents, cards or text: {}.",
            missed(*threshold, 0),
            missed(*threshold, 1)
        ),
        format!("# Under the shipped one: {}; {}.", missed(shipped[0], 0), missed(shipped[0], 1)),
        "# No screen of the site itself was seen: what they score is not known.".to_owned(),
        format!("id = {id:?}"),
        "base = \"shipped\"".to_owned(),
        "[override.screen_recapture]".to_owned(),
        format!("review = {threshold:?} # {:?} as shipped", shipped[0]),
        format!("classify = {threshold:?}"),
        format!("reject = {:?} # {:?} as shipped", threshold.max(shipped[1]), shipped[1]),
    ];
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// Screens under `threshold`, at the nearest one that was measured.
fn missed(threshold: f64, which: usize) -> String {
    let off = |at: f64| (at - threshold).abs();
    let nearest = MISSED.iter().min_by(|a, b| off(a.0).total_cmp(&off(b.0)));
    nearest.map_or_else(String::new, |(at, all, documents)| {
        let share = Share { count: [*all, *documents][which], of: SCREENS[which] };
        format!("{} at {at:.2}", told(share))
    })
}

fn told(share: Share) -> String {
    let Interval { low, high } = share.interval(LEVEL).unwrap_or(Interval { low: 0.0, high: 1.0 });
    let rate = 100.0 * share.rate().unwrap_or_default();
    format!("{} of {}, {rate:.1} % [{:.1}, {:.1}]", share.count, share.of, 100.0 * low, 100.0 * high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_is_that_of_the_tables_within_two_hundredths_of_it() {
        // One-sided factors for 95 % with 95 %: 2.911, 2.566, 2.396 and 2.292 (Hahn and Meeker, 1991).
        for (n, exact) in [(10.0, 2.911), (15.0, 2.566), (20.0, 2.396), (25.0, 2.292)] {
            assert!((tolerance_factor(n) / exact - 1.0).abs() < 0.015, "{n}: {}", tolerance_factor(n));
        }
    }

    #[test]
    fn genuine_captures_that_score_high_raise_the_threshold_above_them() {
        let scores: Vec<f64> = (0..20).map(|k| 0.30 + 0.02 * f64::from(k)).collect();
        let found = propose(scores, 0.60).expect("enough captures");
        assert!(found.threshold > 0.68 && found.threshold <= 0.95, "{}", found.threshold);
        assert_eq!((found.stopped_before.count, found.stopped_after.count), (5, 0));
        let text = policy(&found, [0.60, 0.90], "site", "captures");
        assert!(text.contains("[override.screen_recapture]") && text.contains("5 of 20"));
        crate::policy::Policy::parse(&text, &crate::checker::known_readings()).expect("a policy");
    }

    #[test]
    fn a_site_whose_captures_score_low_gets_a_lower_one_that_stops_more_screens() {
        let found = propose(vec![0.01; 12], 0.60).expect("enough captures");
        assert!((found.threshold - 0.30).abs() < 1e-9);
    }

    #[test]
    fn a_threshold_that_stops_nobody_is_not_raised() {
        let scores: Vec<f64> = (0..12).map(|k| 0.003 * 1.5f64.powi(k)).collect();
        assert!((propose(scores, 0.40).expect("enough captures").threshold - 0.40).abs() < 1e-9);
    }

    #[test]
    fn too_few_are_refused() {
        assert!(propose(vec![0.1; 9], 0.60).is_err());
    }
}
