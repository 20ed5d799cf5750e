//! A finished run and a share of readable originals to accept → the shipped policy with the rules relaxed that stand
//! between, and what that lets pass.
//!
//! The reasons of a run are not enough: of several rules of one code a verdict tells only the weightiest. So each rule
//! of the shipped policy judges the stored findings alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::dry_run::{DryRunError, origin};
use super::relax::{HeldOut, Kind, Limit, Moves, Row, Rule, Stop, Tally, held_out, relax, stopped_by, tally};
use crate::benchmark::findings::Stored;
use crate::benchmark::labels::{Label, Readable};
use crate::benchmark::measure::{LEVEL, NO_SCORE, NOT_EXAMINED, Rate, Share};
use crate::benchmark::run::{ResultRow, Run};
use crate::checker::known_readings;
use crate::detectors::readings;
use crate::policy::{Policy, PolicyError, RuleView};
use crate::scoring::{Readings, Scores};

/// A rule that is relaxed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its name in the policy's file.
    pub rule: String,
    /// Names, former and new values of its thresholds that move; `None` where it judges no more.
    pub thresholds: Option<Vec<(&'static str, f64, f64)>>,
    /// Readable originals, attacks and unreadable originals that it stops, before and after.
    pub stops: [[usize; 2]; 3],
}

/// Thresholds that reach a share of readable originals, and what they do.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// What is relaxed, in the order of rules; none where the shipped policy reaches the share as it is.
    pub changes: Vec<Change>,
    /// Accepted before and after: readable originals first, then those readable in part and not at all, then each
    /// species of attack, where a share is the APCER of a gate that stops what it does not accept. Attacks of which
    /// nothing could be said are in none.
    pub tallies: Vec<Tally>,
    /// What thresholds chosen on some sources do to others; `None` where there are too few.
    pub held_out: Option<HeldOut>,
    /// Sources behind it.
    pub sources: usize,
}

/// The rules to relax so that at least `share` of the readable originals of `run` are accepted; `stored` are its
/// findings.
///
/// # Errors
/// [`DryRunError`] when no original is labelled readable, findings are missing, or the share is out of reach.
pub fn propose(run: &Run, stored: &[Stored], share: f64) -> Result<Proposal, DryRunError> {
    let views = Policy::shipped(&known_readings())?.rules();
    let rules: Vec<Rule> = views.iter().map(rule).collect();
    let rows = rows(run, stored, &views)?;
    if !rows.iter().any(|row| row.kind == Kind::Readable) {
        return Err(DryRunError::NotLabelled);
    }
    let moves = relax(&rules, &rows.iter().collect::<Vec<_>>(), share).map_err(DryRunError::OutOfReach)?;
    let held_out = if moves.is_empty() { None } else { held_out(&rules, &rows, share) };
    let sources: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).collect();
    Ok(Proposal {
        changes: changes(&rules, &rows, &moves),
        tallies: tally(&rules, &rows, &moves),
        held_out,
        sources: sources.len(),
    })
}

fn changes(rules: &[Rule], rows: &[Row], moves: &Moves) -> Vec<Change> {
    let change = |(place, limit): (&usize, &Limit)| Change {
        rule: rules[*place].name.clone(),
        thresholds: match limit {
            Limit::At(at) => Some(rules[*place].moved(*at)),
            Limit::Off => None,
        },
        stops: stopped_by(rules, rows, *place, *limit),
    };
    moves.iter().map(change).collect()
}

fn rule(view: &RuleView) -> Rule {
    let thresholds =
        [("retake", view.retake), ("review", view.review), ("reject", view.reject), ("classify", view.classify)];
    let share = view.quantity.starts_with("score.")
        || readings().any(|reading| reading.id == view.quantity && matches!(reading.unit, "share" | "0 or 1"));
    Rule {
        name: view.name.clone(),
        above: view.bad == "above",
        thresholds: thresholds.into_iter().filter_map(|(name, threshold)| Some((name, threshold?))).collect(),
        range: share.then_some([0.0, 1.0]),
    }
}

/// The shipped policy with the rule at each place as the only one that judges; `None` for rules that never do.
fn alone(views: &[RuleView]) -> Result<Vec<Option<Policy>>, PolicyError> {
    let known = known_readings();
    let only = |view: &RuleView| {
        let mut text = "id = \"alone\"\nbase = \"shipped\"\n".to_owned();
        for other in views.iter().filter(|other| other.name != view.name) {
            let _ = writeln!(text, "[override.{}]\nenabled = false", key(&other.name));
        }
        view.enabled.then(|| Policy::parse(&text, &known)).transpose()
    };
    views.iter().map(only).collect()
}

/// `name` as a key of TOML.
fn key(name: &str) -> String {
    let bare = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { format!("{name:?}") }
}

fn rows(run: &Run, stored: &[Stored], views: &[RuleView]) -> Result<Vec<Row>, DryRunError> {
    let policies = alone(views)?;
    let known = known_readings();
    let by_path: BTreeMap<&str, &Stored> = stored.iter().map(|row| (row.path.as_str(), row)).collect();
    let mut rows = Vec::new();
    for row in &run.rows {
        let Some(kind) = kind(row) else { continue };
        let stuck = match row {
            row if row.decision.is_none() => Some(NOT_EXAMINED),
            row if row.screen.is_none() && row.print.is_none() => Some(NO_SCORE),
            _ => None,
        };
        // Attacks of which nothing could be said are counted apart and in no rate (ISO/IEC 30107-3).
        if stuck.is_some() && matches!(kind, Kind::Attack(_)) {
            continue;
        }
        let found = by_path.get(row.path.as_str()).filter(|found| found.sha256 == row.sha256);
        let found = found.ok_or_else(|| DryRunError::NoFindings(row.path.clone()))?;
        let readings: Readings =
            found.readings.iter().filter_map(|(id, value)| Some((*known.get(id.as_str())?, *value))).collect();
        let scores = Scores { screen: row.screen, print: row.print, legibility: row.legibility };
        let stops = policies.iter().enumerate().filter_map(|(rule, policy)| {
            let verdict = policy.as_ref()?.judge(&scores, &readings, |_| None);
            verdict.reasons.first().map(|reason| Stop { rule, value: reason.score })
        });
        rows.push(Row { kind, source: row.source.clone(), stops: stops.collect(), stuck });
    }
    Ok(rows)
}

fn kind(row: &ResultRow) -> Option<Kind> {
    match (row.label, row.readable) {
        (Label::Original, None) => None,
        (Label::Original, Some(Readable::Yes)) => Some(Kind::Readable),
        (Label::Original, Some(Readable::Part)) => Some(Kind::Part),
        (Label::Original, Some(Readable::No)) => Some(Kind::Unreadable),
        (Label::Screen | Label::Print | Label::Screenshot, _) => Some(Kind::Attack(row.species.clone())),
    }
}

/// A policy that begins with the shipped one and holds `proposal`, saying what it changes for whom.
#[must_use]
pub fn policy(run: &Run, proposal: &Proposal, target: &str, id: &str, folder: &str) -> String {
    let mut text = origin(run, proposal.sources, target, folder);
    let _ =
        writeln!(text, "# Begins with the shipped policy: \"before\" is what that one does with the same findings.");
    let _ = writeln!(
        text,
        "# Accepted, before -> after; 95 % intervals [over files] [over sources], for the thresholds below:"
    );
    for Tally { kind, before, after } in &proposal.tallies {
        let name = match kind {
            Kind::Readable => "readable originals".to_owned(),
            Kind::Part => "originals readable in part".to_owned(),
            Kind::Unreadable => "unreadable originals".to_owned(),
            // A species is a stranger's word: it may not end the comment.
            Kind::Attack(species) => format!("attacks, {}: APCER", species.escape_debug()),
        };
        let _ = writeln!(text, "#   {name} (n {}): {} -> {}", before.share.of, told(before), told(after));
    }
    let attacks = |rate: &dyn Fn(&Tally) -> Rate| {
        let attacks = proposal.tallies.iter().filter(|tally| matches!(tally.kind, Kind::Attack(_)));
        attacks.filter_map(|tally| rate(tally).share.rate()).reduce(f64::max)
    };
    if let Some((before, after)) = attacks(&|tally| tally.before).zip(attacks(&|tally| tally.after)) {
        let _ = writeln!(
            text,
            "#   attacks, highest of the species: APCER {:.1} % -> {:.1} %",
            100.0 * before,
            100.0 * after
        );
    } else {
        let _ = writeln!(text, "#   no attack is in this run: what the change lets pass is not known");
    }
    if !proposal.tallies.iter().any(|tally| tally.kind == Kind::Unreadable) {
        let _ = writeln!(text, "#   no original is labelled readable=no: how many of them pass is not known");
    }
    if let Some(HeldOut { readable, attacks, parts }) = proposal.held_out {
        let before = |attack: bool| {
            let mine = proposal.tallies.iter().filter(|tally| match tally.kind {
                Kind::Readable => !attack,
                Kind::Attack(_) => attack,
                Kind::Part | Kind::Unreadable => false,
            });
            mine.fold(Share::default(), |sum, Tally { before: Rate { share, .. }, .. }| Share {
                count: sum.count + share.count,
                of: sum.of + share.of,
            })
        };
        let _ = writeln!(
            text,
            "# The same where each of {parts} parts of the sources is judged by thresholds chosen on the"
        );
        let _ =
            writeln!(text, "# others, over files: readable originals {} -> {}", plain(before(false)), plain(readable));
        let _ = writeln!(text, "#   attacks of all species {} -> {}", plain(before(true)), plain(attacks));
    }
    let _ = writeln!(text, "id = {id:?}\nbase = \"shipped\"");
    if proposal.changes.is_empty() {
        let _ = writeln!(text, "# The shipped policy reaches the target on these rows: nothing is changed.");
    }
    for Change { rule, thresholds, stops } in &proposal.changes {
        let [readable, attacks, unreadable] = stops.map(|[before, after]| format!("{before} -> {after}"));
        let _ = writeln!(
            text,
            "\n# stops readable originals {readable}, attacks {attacks}, unreadable originals {unreadable}"
        );
        if stops[1][0] + stops[2][0] == 0 {
            let _ = writeln!(
                text,
                "# This run has no attack and no unreadable original that it stops: its price is not known."
            );
        }
        let _ = writeln!(text, "[override.{}]", key(rule));
        match thresholds {
            None => {
                let _ = writeln!(text, "enabled = false");
            }
            Some(moved) => {
                for (name, before, after) in moved {
                    let _ = writeln!(text, "{name} = {after:?} # {before:?} as shipped");
                }
            }
        }
    }
    text
}

fn told(rate: &Rate) -> String {
    let sources = rate.sources.map_or("[one source]".to_owned(), |i| bracket(i.low, i.high));
    let value = 100.0 * rate.share.rate().unwrap_or_default();
    format!("{value:.1} % {} {sources}", bracket(rate.files.low, rate.files.high))
}

fn plain(share: Share) -> String {
    match (share.rate(), share.interval(LEVEL)) {
        (Some(rate), Ok(i)) => format!("{:.1} % {}", 100.0 * rate, bracket(i.low, i.high)),
        _ => "none".to_owned(),
    }
}

fn bracket(low: f64, high: f64) -> String {
    format!("[{:.1}, {:.1}]", 100.0 * low, 100.0 * high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::findings::{Leakage, Origin};
    use crate::benchmark::measure::figures;
    use crate::policy::Decision;

    /// An original or a screen of the shipped policy's own making: its scores and readings, judged.
    struct Case(&'static str, Label, Option<Readable>, [f64; 2], &'static [(&'static str, f64)]);

    fn run(cases: &[Case]) -> (Run, Vec<Stored>) {
        let shipped = Policy::shipped(&known_readings()).unwrap();
        let origin = Origin { tool_version: "0".to_owned(), models: BTreeMap::new() };
        let (mut rows, mut stored) = (Vec::new(), Vec::new());
        for (at, Case(source, label, readable, [screen, legibility], readings)) in cases.iter().enumerate() {
            let scores = Scores { screen: Some(*screen), legibility: Some(*legibility), ..Scores::default() };
            let readings: Vec<(&str, f64)> =
                [("exposure.bright_luma", 200.0)].iter().chain(*readings).copied().collect();
            let verdict = shipped.judge(&scores, &readings.iter().copied().collect(), |_| None);
            let (path, sha256) = (format!("{at}.jpg"), format!("{at:064}"));
            rows.push(ResultRow {
                row: at + 2,
                path: path.clone(),
                sha256: sha256.clone(),
                label: *label,
                species: label.name().to_owned(),
                source: (*source).to_owned(),
                content: None,
                readable: *readable,
                screen: scores.screen,
                print: None,
                legibility: scores.legibility,
                classification: verdict.classification.name().to_owned(),
                decision: Some(verdict.decision),
                legible: verdict.legible,
                reasons: verdict.reasons.iter().map(|reason| reason.code.to_owned()).collect(),
                error: None,
            });
            stored.push(Stored {
                sha256,
                bytes: 1,
                readings: readings.iter().map(|(id, value)| ((*id).to_owned(), *value)).collect(),
                ..Stored::unmeasured(&path, shipped.id(), origin.clone())
            });
        }
        let figures = figures(&[], &origin, shipped.id(), Leakage::default(), &BTreeSet::new());
        (Run { figures, rows }, stored)
    }

    const YES: Option<Readable> = Some(Readable::Yes);

    fn cases() -> Vec<Case> {
        let (original, screen) = (Label::Original, Label::Screen);
        vec![
            Case("a", original, YES, [0.1, 0.9], &[]),
            Case(
                "a",
                original,
                YES,
                [0.1, 0.9],
                &[("glare.print_share", 0.04), ("legibility.print_share", 0.5), ("cover.glare_share", 0.02)],
            ),
            Case(
                "b",
                original,
                YES,
                [0.1, 0.4],
                &[("legibility.print_px", 8.0), ("legibility.blur_ratio", 0.2), ("resolution.dpi", 145.0)],
            ),
            Case("b", original, YES, [0.7, 0.9], &[]),
            Case("b", original, YES, [0.1, 0.9], &[("number.illegal", 1.0)]),
            Case("c", original, Some(Readable::No), [0.1, 0.3], &[("legibility.blur_ratio", 0.2)]),
            Case(
                "c",
                original,
                Some(Readable::No),
                [0.1, 0.3],
                &[("glare.print_share", 0.09), ("legibility.print_share", 0.5), ("cover.glare_share", 0.02)],
            ),
            Case("c", original, Some(Readable::Part), [0.1, 0.9], &[]),
            Case("c", original, None, [0.9, 0.9], &[]),
            Case("d", screen, None, [0.9, 0.9], &[]),
            Case("d", screen, None, [0.6, 0.9], &[]),
        ]
    }

    #[test]
    fn rules_of_one_code_are_each_seen_and_rows_without_a_stop_are_the_accepted_ones() {
        let (run, stored) = run(&cases());
        let views = Policy::shipped(&known_readings()).unwrap().rules();
        let rows = rows(&run, &stored, &views).unwrap();
        let judged: Vec<&ResultRow> = run.rows.iter().filter(|row| kind(row).is_some()).collect();
        assert_eq!((rows.len(), judged.len()), (10, 10));
        for (row, judged) in rows.iter().zip(judged) {
            assert_eq!(row.stops.is_empty(), judged.decision == Some(Decision::Accept), "{row:?}");
        }
        let names: BTreeSet<&str> = rows[2].stops.iter().map(|stop| views[stop.rule].name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["blurred", "illegible", "small_print", "too_small"]));
    }

    #[test]
    fn the_proposal_is_a_policy_that_accepts_what_it_says() {
        let (run, stored) = run(&cases());
        for share in [0.2, 0.4, 0.6, 0.8, 1.0] {
            let proposal = propose(&run, &stored, share).unwrap();
            let text = policy(&run, &proposal, "accept", "mine", "run");
            let policy = Policy::parse(&text, &known_readings()).expect(&text);
            let accepted = |wanted: Kind| {
                let mine = run.rows.iter().zip(&stored).filter(|(row, _)| kind(row) == Some(wanted.clone()));
                let decisions = mine.map(|(row, stored)| {
                    let known = known_readings();
                    let readings = stored.readings.iter().map(|(id, value)| (*known.get(id.as_str()).unwrap(), *value));
                    let scores = Scores { screen: row.screen, legibility: row.legibility, ..Scores::default() };
                    policy.judge(&scores, &readings.collect(), |_| None).decision
                });
                Share::of(decisions.map(|decision| decision == Decision::Accept))
            };
            for tally in &proposal.tallies {
                assert_eq!(tally.after.share, accepted(tally.kind.clone()), "{share} {text}");
            }
            assert!(proposal.tallies[0].after.share.rate() >= Some(share), "{text}");
        }
    }

    #[test]
    fn a_policy_says_what_it_changes_and_for_whom() {
        let (run, stored) = run(&cases());
        let told = |share: f64| policy(&run, &propose(&run, &stored, share).unwrap(), "accept", "mine", "run");
        assert!(told(0.2).contains("nothing is changed"));
        // The highlight of one original costs nothing, and neither does the number of another.
        let text = told(0.4);
        assert!(text.contains("[override.glare]\nretake = 0.04") && text.contains("# 0.03 as shipped"), "{text}");
        assert!(text.contains("readable originals (n 5): 20.0 % ["), "{text}");
        let text = told(1.0);
        assert!(text.contains("[override.number_illegal]\nenabled = false"), "{text}");
        assert!(text.contains("its price is not known"), "{text}");
        assert!(text.contains("each of 2 parts of the sources"), "{text}");
        assert!(text.contains("attacks, screen: APCER (n 2): 0.0 % [0.0, 84.2] [one source] -> 50.0 %"), "{text}");
        assert!(text.contains("unreadable originals (n 2): 0.0 %"), "{text}");
    }

    #[test]
    fn a_run_that_cannot_answer_says_why() {
        let (run, stored) = run(&cases());
        let refused = |run: &Run, stored: &[Stored]| propose(run, stored, 0.9).unwrap_err().to_string();
        assert!(refused(&run, &stored[1..]).contains("0.jpg"));
        let mut unlabelled = run.clone();
        unlabelled.rows.iter_mut().for_each(|row| row.readable = None);
        assert!(refused(&unlabelled, &stored).contains("readable=yes"));
        let mut broken = run.clone();
        broken.rows[0].decision = None;
        assert!(refused(&broken, &stored).contains("1 that could not be examined"));
    }
}
