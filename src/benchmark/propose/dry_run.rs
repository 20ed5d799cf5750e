//! A finished run and a target → thresholds that reach it, with their intervals, and a policy that holds them.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::Serialize;

use super::relax::Left;
use crate::benchmark::labels::Label;
use crate::benchmark::measure::{
    Curve, Groups, Interval, LEVEL, Point, REPLICATES, SEED, Share, bootstrap_over_groups,
};
use crate::benchmark::run::{ResultRow, Run};
use crate::policy::PolicyError;

/// Which rate is to be held, for the attacks of one score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Most {
    /// Hold the APCER rather than the BPCER.
    pub apcer: bool,
    /// At most this, 0 to 1.
    pub most: f64,
}

/// What is asked of a policy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Target {
    /// An error rate of one score, at most.
    Most(Most),
    /// The share of readable originals that are accepted at the first try, at least; 0 to 1.
    Accept(f64),
}

impl FromStr for Target {
    type Err = String;

    /// `apcer<=5%`, `bpcer<=0.01`, `accept>=95%`.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no target: write for example `apcer<=5%`, `bpcer<=0.01` or `accept>=95%`");
        let plain = text.to_lowercase().replace(' ', "").replace('≤', "<=").replace('≥', ">=");
        let at_least = plain.contains(">=");
        let (name, value) = plain.split_once(if at_least { ">=" } else { "<=" }).ok_or_else(wrong)?;
        let (digits, scale) = value.strip_suffix('%').map_or((value, 1.0), |digits| (digits, 100.0));
        let share = digits.parse::<f64>().map_err(|_| wrong())? / scale;
        let within = share > 0.0 && share < 1.0;
        match name {
            "apcer" if within && !at_least => Ok(Self::Most(Most { apcer: true, most: share })),
            "bpcer" if within && !at_least => Ok(Self::Most(Most { apcer: false, most: share })),
            "accept" if at_least && share > 0.0 && share <= 1.0 => Ok(Self::Accept(share)),
            _ => Err(wrong()),
        }
    }
}

/// Which score gets a new threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scored {
    /// `score.screen`, against attacks labelled `screen`.
    Screen,
    /// `score.print`, against attacks labelled `print`.
    Print,
}

impl Scored {
    const fn label(self) -> Label {
        match self {
            Self::Screen => Label::Screen,
            Self::Print => Label::Print,
        }
    }

    const fn risk(self) -> &'static str {
        match self {
            Self::Screen => "screen_recapture",
            Self::Print => "print_recapture",
        }
    }

    const fn of(self, row: &ResultRow) -> Option<f64> {
        match self {
            Self::Screen => row.screen,
            Self::Print => row.print,
        }
    }
}

/// A threshold and what it would have done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The score.
    pub score: Scored,
    /// At or above it is an attack.
    pub threshold: f64,
    /// Where the threshold falls when whole sources are drawn anew; `None` where there are fewer than two.
    pub threshold_interval: Option<Interval>,
    /// Attacks that are let pass.
    pub apcer: Share,
    /// Over files, exact, for a threshold fixed beforehand; and over sources, the threshold chosen anew in each draw.
    pub apcer_intervals: (Interval, Option<Interval>),
    /// Bona fide that are not.
    pub bpcer: Share,
    /// As for APCER.
    pub bpcer_intervals: (Interval, Option<Interval>),
    /// Sources behind it.
    pub sources: usize,
}

/// Why nothing can be proposed.
#[derive(Debug, thiserror::Error)]
pub enum DryRunError {
    /// One class has no score.
    #[error("the run has no {0} with a score of this kind: nothing can be proposed")]
    NoRows(&'static str),
    /// No original is labelled as readable.
    #[error("no original of this run is labelled readable=yes: nothing can be proposed")]
    NotLabelled,
    /// A result has no findings.
    #[error("nothing is stored of `{0}` in the findings of this run: nothing can be proposed")]
    NoFindings(String),
    /// The shipped policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No threshold reaches the target; what is left over is named where that is known.
    #[error("no threshold reaches the target on this run{0}")]
    OutOfReach(Left),
}

fn out_of_reach() -> DryRunError {
    DryRunError::OutOfReach(Left::default())
}

/// The threshold of `score` that reaches `target` on `run` and does best by the other rate.
///
/// # Errors
/// [`DryRunError`] when a class is missing, or the target is out of reach.
pub fn propose(run: &Run, score: Scored, target: Most) -> Result<Proposal, DryRunError> {
    let rows: Vec<(&str, f64, bool)> = run
        .rows
        .iter()
        .filter(|row| row.label == Label::Original || row.label == score.label())
        .filter_map(|row| Some((row.source.as_str(), score.of(row)?, row.label != Label::Original)))
        .collect();
    for (attack, what) in [(false, "original"), (true, "attack")] {
        if !rows.iter().any(|row| row.2 == attack) {
            return Err(DryRunError::NoRows(what));
        }
    }
    let curve = |at: &[usize]| Curve::of_rows(at.iter().map(|i| (rows[*i].1, rows[*i].2))).ok();
    let point = |curve: &Curve| {
        if target.apcer { curve.bpcer_at_apcer(target.most) } else { curve.apcer_at_bpcer(target.most) }
    };
    let all: Vec<usize> = (0..rows.len()).collect();
    let chosen = curve(&all).and_then(|whole| point(&whole)).ok_or_else(out_of_reach)?;
    let threshold = chosen.threshold.clamp(0.0, 1.0);
    let groups = Groups::by(rows.iter().map(|(source, ..)| *source));
    let drawn = |of: &(dyn Fn(&Point) -> f64 + Sync)| {
        bootstrap_over_groups(&groups, REPLICATES, SEED, |at| Some(of(&point(&curve(at)?)?))).map(|b| b.interval)
    };
    // What the threshold of a draw does to the rows at hand: choosing on few sources is part of what is uncertain.
    let here = curve(&all).ok_or_else(out_of_reach)?;
    let share =
        |attack: bool| Share::of(rows.iter().filter(|row| row.2 == attack).map(|row| (row.1 < threshold) == attack));
    let exact = |share: Share| share.interval(LEVEL).unwrap_or(Interval { low: 0.0, high: 1.0 });
    let (apcer, bpcer) = (share(true), share(false));
    Ok(Proposal {
        score,
        threshold,
        threshold_interval: drawn(&|point| point.threshold.clamp(0.0, 1.0)),
        apcer,
        apcer_intervals: (exact(apcer), drawn(&|point| here.apcer(point.threshold))),
        bpcer,
        bpcer_intervals: (exact(bpcer), drawn(&|point| here.bpcer(point.threshold))),
        sources: groups.len(),
    })
}

/// The comments with which a proposed policy begins: for what, from what, and what that is worth.
pub(super) fn origin(run: &Run, sources: usize, target: &str, folder: &str) -> String {
    let mut text = String::new();
    let _ =
        writeln!(text, "# Proposed for {target} by `bonafide bench policy`. A dry run: chosen on the rows below and");
    let _ = writeln!(text, "# promised for no others. Measure it on sources that it was not chosen on.");
    let _ = writeln!(text, "# rows: {}, {sources} sources; labels {folder}", run.rows.len());
    let _ = writeln!(text, "# measured by {}; judged before by {}", run.figures.origin.short(), run.figures.policy_id);
    if run.figures.trained_on > 0 {
        let _ = writeln!(text, "# {} rows are of sources that the models were trained on", run.figures.trained_on);
    }
    text
}

/// A policy that begins with the shipped one and holds `proposal`, saying where that came from. Review, classification
/// and rejection stand at `threshold`, rejection only where the shipped one would be milder.
#[must_use]
pub fn policy(run: &Run, proposal: &Proposal, target: &str, id: &str, labels: &str) -> String {
    let rate = |share: Share, (files, sources): (Interval, Option<Interval>)| {
        let percent = |i: Interval| format!("[{:.1}, {:.1}]", 100.0 * i.low, 100.0 * i.high);
        let over = sources.map_or("one source".to_owned(), |i| format!("{} over sources", percent(i)));
        let value = 100.0 * share.rate().unwrap_or_default();
        format!("{value:.1} % (n {}; 95 % {} over files, {over})", share.of, percent(files))
    };
    let risk = proposal.score.risk();
    let mut text = origin(run, proposal.sources, target, labels);
    let _ = writeln!(text, "# APCER {}", rate(proposal.apcer, proposal.apcer_intervals));
    let _ = writeln!(text, "# BPCER {}", rate(proposal.bpcer, proposal.bpcer_intervals));
    if let Some(interval) = proposal.threshold_interval {
        let _ = writeln!(text, "# threshold 95 % [{:.3}, {:.3}] over sources", interval.low, interval.high);
    }
    let threshold = proposal.threshold;
    let _ = writeln!(text, "id = {id:?}\nbase = \"shipped\"\n\n[override.{risk}]");
    let _ = writeln!(text, "review = {threshold:?}\nclassify = {threshold:?}");
    if proposal.score == Scored::Screen && threshold > 0.8 {
        let _ = writeln!(text, "reject = {threshold:?}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read_as_people_write_them() {
        for text in ["apcer<=5%", "APCER ≤ 5 %", "apcer<=0.05"] {
            assert_eq!(text.parse(), Ok(Target::Most(Most { apcer: true, most: 0.05 })), "{text}");
        }
        assert_eq!("bpcer<=1%".parse(), Ok(Target::Most(Most { apcer: false, most: 0.01 })));
        for text in ["accept>=95%", "Accept ≥ 95 %", "accept>=0.95"] {
            assert_eq!(text.parse(), Ok(Target::Accept(0.95)), "{text}");
        }
        assert_eq!("accept>=100%".parse(), Ok(Target::Accept(1.0)));
        for text in [
            "",
            "5%",
            "eer<=5%",
            "apcer<=0",
            "apcer<=100%",
            "apcer<=x",
            "apcer>=5%",
            "accept<=95%",
            "accept>=0",
            "accept>=101%",
            "accept>=nan",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
