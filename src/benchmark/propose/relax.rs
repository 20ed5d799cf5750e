//! Rows with what stops them, and a share to accept → the least relaxed thresholds that reach it.
//!
//! Knows no policy and no file: a rule is a name and its thresholds, a row is what it counts as and the values by which
//! rules stop it. A row is accepted when no rule stops it.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use rayon::prelude::*;

use crate::benchmark::measure::{NOT_EXAMINED, Rate, Share};

/// Parts of the sources of which each is left out once in [`held_out`].
const FOLDS: usize = 5;
/// Decimals of a new threshold that count.
const DIGITS: i32 = 4;

/// A rule and its thresholds.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its name in the policy's file.
    pub name: String,
    /// Whether the bad side of a threshold is above it; a value on the threshold is then bad, and good otherwise.
    pub above: bool,
    /// The thresholds it has by name: `retake`, `review`, `reject`, `classify`.
    pub thresholds: Vec<(&'static str, f64)>,
    /// Least and greatest value of its quantity, where that is known: a threshold beyond them stops nothing.
    pub range: Option<[f64; 2]>,
}

/// What a row counts as.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A readable original: to be accepted.
    Readable,
    /// An original that can be read in part: counted, neither wanted nor a cost.
    Part,
    /// An original that cannot be read: a cost where it is accepted.
    Unreadable,
    /// An attack of this species: a cost where it is accepted.
    Attack(String),
}

/// A rule that stops a row, by its place among the rules, and the value that crosses its thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stop {
    /// The rule.
    pub rule: usize,
    /// The value it judged.
    pub value: f64,
}

/// A row of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// What it counts as.
    pub kind: Kind,
    /// What it shares with others that are not independent of it.
    pub source: String,
    /// Every rule that stops it.
    pub stops: Vec<Stop>,
    /// Why it is not accepted whatever the thresholds, if so.
    pub stuck: Option<&'static str>,
}

/// How far a rule is relaxed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Every threshold that is stricter than this moves here.
    At(f64),
    /// It judges no more.
    Off,
}

/// The rules that are relaxed, by their place among the rules.
pub type Moves = BTreeMap<usize, Limit>;

/// What no threshold can free.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Left {
    /// The readable originals that could be accepted at most.
    pub most: Share,
    /// Why the others cannot, and how many they are.
    pub by: BTreeMap<&'static str, usize>,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share { count, of } = self.most;
        if of > 0 {
            write!(f, ": at most {count} of {of} readable originals can be accepted; left are")?;
        }
        for (i, (why, count)) in self.by.iter().enumerate() {
            let words = if *why == NOT_EXAMINED { "that could not be examined" } else { "of which no score is known" };
            write!(f, "{} {count} {words}", if i > 0 { "," } else { "" })?;
        }
        Ok(())
    }
}

impl Rule {
    /// How far the rule must be relaxed to let `value` pass: just beyond it, with few digits.
    fn beyond(&self, value: f64) -> Limit {
        let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 + 1 };
        let scale = 10_f64.powi((DIGITS - magnitude).clamp(0, 12));
        let at = if self.above {
            let up = ((value * scale).floor() + 1.0) / scale;
            if up > value { up } else { value.next_up() }
        } else {
            ((value * scale).floor() / scale).min(value)
        };
        match self.range {
            Some([least, _]) if !self.above && at <= least => Limit::Off,
            Some([_, most]) if self.above && at > most => Limit::Off,
            _ => Limit::At(at),
        }
    }

    /// Whether the rule relaxed to `limit` lets `value` pass.
    fn passes(&self, limit: Limit, value: f64) -> bool {
        match limit {
            Limit::Off => true,
            Limit::At(at) => (value < at) == self.above,
        }
    }

    /// The more relaxed comes last.
    fn compare(&self, a: Limit, b: Limit) -> Ordering {
        match (a, b) {
            (Limit::Off, Limit::Off) => Ordering::Equal,
            (Limit::Off, Limit::At(_)) => Ordering::Greater,
            (Limit::At(_), Limit::Off) => Ordering::Less,
            (Limit::At(a), Limit::At(b)) if self.above => a.total_cmp(&b),
            (Limit::At(a), Limit::At(b)) => b.total_cmp(&a),
        }
    }

    /// Names, former and new values of the thresholds that move when the rule is relaxed to `at`.
    #[must_use]
    pub fn moved(&self, at: f64) -> Vec<(&'static str, f64, f64)> {
        let new = |threshold: f64| if self.above { threshold.max(at) } else { threshold.min(at) };
        let moved = self.thresholds.iter().map(|(name, threshold)| (*name, *threshold, new(*threshold)));
        moved.filter(|(_, before, after)| before.total_cmp(after).is_ne()).collect()
    }
}

impl Row {
    /// Whether it is accepted when `moves` are made.
    #[must_use]
    pub fn accepted(&self, rules: &[Rule], moves: &Moves) -> bool {
        let freed =
            |stop: &Stop| moves.get(&stop.rule).is_some_and(|limit| rules[stop.rule].passes(*limit, stop.value));
        self.stuck.is_none() && self.stops.iter().all(freed)
    }

    /// `moves` and what else it takes to accept this row.
    fn freed(&self, rules: &[Rule], moves: &Moves) -> Moves {
        let mut moves = moves.clone();
        for stop in &self.stops {
            let rule = &rules[stop.rule];
            let limit = rule.beyond(stop.value);
            let held = moves.entry(stop.rule).or_insert(limit);
            if rule.compare(*held, limit).is_lt() {
                *held = limit;
            }
        }
        moves
    }

    const fn is_readable(&self) -> bool {
        matches!(self.kind, Kind::Readable)
    }

    const fn costs(&self) -> bool {
        matches!(self.kind, Kind::Unreadable | Kind::Attack(_))
    }
}

fn count_accepted(rules: &[Rule], rows: &[&Row], moves: &Moves) -> usize {
    rows.iter().filter(|row| row.is_readable()).filter(|row| row.accepted(rules, moves)).count()
}

/// Moves that might be made next.
struct Step {
    moves: Moves,
    /// Readable originals that it frees.
    freed: usize,
    /// The same, as far as they are still needed.
    useful: usize,
    /// Attacks and unreadable originals that it lets pass.
    cost: usize,
}

impl Step {
    fn of(rules: &[Rule], waiting: &[&Row], moves: Moves, needed: usize) -> Self {
        let now = |row: &&&Row| row.accepted(rules, &moves);
        let freed = waiting.iter().filter(|row| row.is_readable()).filter(now).count();
        let cost = waiting.iter().filter(|row| row.costs()).filter(now).count();
        Self { freed, useful: freed.min(needed), cost, moves }
    }

    /// Which of two is to be preferred, as the lesser: the one that frees more for its cost, then more, then by fewer
    /// rules, then with less excess.
    fn compare(&self, other: &Self) -> Ordering {
        let gain = (other.useful * self.cost).cmp(&(self.useful * other.cost));
        gain.then(other.useful.cmp(&self.useful))
            .then(self.moves.len().cmp(&other.moves.len()))
            .then(self.freed.cmp(&other.freed))
    }
}

/// The moves by which at least `target` of the readable originals among `rows` are accepted. In each step the rules that
/// stop one of them are relaxed just so far that it passes: of all of them the one that frees the most readable originals
/// for each attack and each unreadable original that passes with it. What then turns out to be more than is needed is
/// taken back.
///
/// # Errors
/// [`Left`] where too many are stopped by no threshold.
pub fn relax(rules: &[Rule], rows: &[&Row], target: f64) -> Result<Moves, Left> {
    let readable: Vec<&Row> = rows.iter().filter(|row| row.is_readable()).copied().collect();
    let of = readable.len();
    let needed = (0..=of).find(|count| *count as f64 >= target * of as f64 - 1e-9).unwrap_or(of);
    let mut by = BTreeMap::new();
    for why in readable.iter().filter_map(|row| row.stuck) {
        *by.entry(why).or_default() += 1;
    }
    let most = Share { count: of - by.values().sum::<usize>(), of };
    if most.count < needed {
        return Err(Left { most, by });
    }
    let mut moves = Moves::new();
    loop {
        let accepted = count_accepted(rules, &readable, &moves);
        if accepted >= needed {
            break;
        }
        let waiting: Vec<&Row> =
            rows.iter().filter(|row| row.stuck.is_none() && !row.accepted(rules, &moves)).copied().collect();
        let readable_waiting: Vec<&Row> = waiting.iter().filter(|row| row.is_readable()).copied().collect();
        let step = |row: &&Row| Step::of(rules, &waiting, row.freed(rules, &moves), needed - accepted);
        // Collected in the order of rows, so that the first of equal steps is the same whatever the threads.
        let steps: Vec<Step> = readable_waiting.par_iter().map(step).collect();
        // Every step frees the row it begins with, so there is one as long as any is missing.
        match steps.into_iter().min_by(Step::compare) {
            Some(step) => moves = step.moves,
            None => return Err(Left { most, by }),
        }
    }
    Ok(tightened(rules, &readable, moves, needed))
}

/// `moves` with every rule as strict as it may be with `needed` still accepted, the others being as they are.
fn tightened(rules: &[Rule], readable: &[&Row], mut moves: Moves, needed: usize) -> Moves {
    for place in moves.keys().copied().collect::<Vec<_>>() {
        let rule = &rules[place];
        let stops = readable.iter().flat_map(|row| &row.stops).filter(|stop| stop.rule == place);
        let mut limits: Vec<Limit> = stops.map(|stop| rule.beyond(stop.value)).collect();
        limits.sort_by(|a, b| rule.compare(*a, *b));
        let tries = std::iter::once(None).chain(limits.into_iter().map(Some));
        let tries = tries.map(|limit| {
            let mut tried = moves.clone();
            match limit {
                Some(limit) => tried.insert(place, limit),
                None => tried.remove(&place),
            };
            tried
        });
        if let Some(enough) = tries.into_iter().find(|tried| count_accepted(rules, readable, tried) >= needed) {
            moves = enough;
        }
    }
    moves
}

/// A share before and after a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// Of what.
    pub kind: Kind,
    /// As it is.
    pub before: Rate,
    /// With the moves.
    pub after: Rate,
}

/// How many rows of each kind are accepted without and with `moves`, kinds in their order.
#[must_use]
pub fn tally(rules: &[Rule], rows: &[Row], moves: &Moves) -> Vec<Tally> {
    let kinds: BTreeSet<&Kind> = rows.iter().map(|row| &row.kind).collect();
    let rate = |kind: &Kind, moves: &Moves| {
        let mine = rows.iter().filter(|row| row.kind == *kind);
        Rate::of(mine.map(|row| (row.source.as_str(), row.accepted(rules, moves))))
    };
    let tallies = kinds.into_iter().filter_map(|kind| {
        let (before, after) = (rate(kind, &Moves::new())?, rate(kind, moves)?);
        Some(Tally { kind: kind.clone(), before, after })
    });
    tallies.collect()
}

/// Rows that one rule stops: readable originals, attacks, unreadable originals; before and after.
#[must_use]
pub fn stopped_by(rules: &[Rule], rows: &[Row], place: usize, limit: Limit) -> [[usize; 2]; 3] {
    let mut counts = [[0; 2]; 3];
    for row in rows {
        let at = match row.kind {
            Kind::Readable => 0,
            Kind::Attack(_) => 1,
            Kind::Unreadable => 2,
            Kind::Part => continue,
        };
        if let Some(stop) = row.stops.iter().find(|stop| stop.rule == place) {
            counts[at][0] += 1;
            counts[at][1] += usize::from(!rules[place].passes(limit, stop.value));
        }
    }
    counts
}

/// What moves chosen on some sources do to others: readable originals accepted, and attacks accepted, over all parts of
/// the sources, each left out once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeldOut {
    /// Readable originals that are accepted.
    pub readable: Share,
    /// Attacks that are accepted.
    pub attacks: Share,
    /// Parts of the sources.
    pub parts: usize,
}

/// Chooses anew on the rest of the sources, for each part of them in turn, and counts on the part left out. `None` where
/// there are fewer than two sources, or the target is out of reach on some rest.
#[must_use]
pub fn held_out(rules: &[Rule], rows: &[Row], target: f64) -> Option<HeldOut> {
    let readable = rows.iter().filter(|row| row.is_readable());
    // Sources of readable originals come first, so that every part has its share of them.
    let mut sources: Vec<&str> = readable.map(|row| row.source.as_str()).collect::<BTreeSet<_>>().into_iter().collect();
    let folds = FOLDS.min(sources.len());
    let others: BTreeSet<&str> = rows.iter().map(|row| row.source.as_str()).filter(|s| !sources.contains(s)).collect();
    sources.extend(others);
    let part: BTreeMap<&str, usize> = sources.into_iter().enumerate().map(|(i, s)| (s, i % folds.max(1))).collect();
    if folds < 2 {
        return None;
    }
    let mut found = HeldOut { readable: Share::default(), attacks: Share::default(), parts: folds };
    for fold in 0..folds {
        let (out, rest): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| part[row.source.as_str()] == fold);
        let moves = relax(rules, &rest, target).ok()?;
        for row in out {
            match row.kind {
                Kind::Readable => found.readable.add(row.accepted(rules, &moves)),
                Kind::Attack(_) => found.attacks.add(row.accepted(rules, &moves)),
                Kind::Part | Kind::Unreadable => {}
            }
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::measure::NO_SCORE;

    /// A score that is bad above, a length that is bad below, and a share that is bad below.
    fn rules() -> Vec<Rule> {
        let rule = |name: &str, above, thresholds: &[(&'static str, f64)], range| Rule {
            name: name.to_owned(),
            above,
            thresholds: thresholds.to_vec(),
            range,
        };
        let share = Some([0.0, 1.0]);
        vec![
            rule("screen", true, &[("review", 0.3), ("reject", 0.8), ("classify", 0.5)], share),
            rule("small", false, &[("retake", 150.0)], None),
            rule("illegible", false, &[("retake", 0.5)], share),
        ]
    }

    fn row(kind: Kind, source: &str, stops: &[(usize, f64)]) -> Row {
        let stops = stops.iter().map(|(rule, value)| Stop { rule: *rule, value: *value }).collect();
        Row { kind, source: source.to_owned(), stops, stuck: None }
    }

    fn readable(stops: &[(usize, f64)]) -> Row {
        row(Kind::Readable, "a", stops)
    }

    fn attack(stops: &[(usize, f64)]) -> Row {
        row(Kind::Attack("screen".to_owned()), "b", stops)
    }

    fn relaxed(rows: &[Row], target: f64) -> Moves {
        relax(&rules(), &rows.iter().collect::<Vec<_>>(), target).unwrap()
    }

    #[test]
    fn nothing_moves_where_enough_are_accepted_already() {
        let rows = [readable(&[]), readable(&[]), readable(&[]), readable(&[(0, 0.9)])];
        assert_eq!(relaxed(&rows, 0.75), Moves::new());
    }

    #[test]
    fn the_reason_that_lets_no_attack_pass_is_relaxed_first_and_just_far_enough() {
        let mut rows = vec![readable(&[(0, 0.35)]), readable(&[(1, 140.0)]), readable(&[(1, 100.0)])];
        rows.extend([attack(&[(0, 0.31)]), attack(&[(0, 0.9)]), attack(&[(0, 0.9), (1, 50.0)])]);
        rows.push(row(Kind::Unreadable, "c", &[(1, 90.0)]));
        assert_eq!(relaxed(&rows, 0.3), Moves::from([(1, Limit::At(140.0))]));
        assert_eq!(relaxed(&rows, 0.6), Moves::from([(1, Limit::At(100.0))]));
        let all = relaxed(&rows, 1.0);
        assert_eq!(all, Moves::from([(0, Limit::At(0.3501)), (1, Limit::At(100.0))]));
        let shares: Vec<_> = tally(&rules(), &rows, &all)
            .into_iter()
            .map(|tally| (tally.before.share.count, tally.after.share.count, tally.after.share.of))
            .collect();
        assert_eq!(shares, [(0, 3, 3), (0, 0, 1), (0, 1, 3)], "readable, unreadable, attacks");
        assert_eq!(stopped_by(&rules(), &rows, 0, all[&0]), [[1, 0], [3, 2], [0, 0]]);
    }

    #[test]
    fn the_most_freed_for_each_attack_wins() {
        // Through `screen` three pass for one attack, through `small` one for one.
        let mut rows = vec![readable(&[(0, 0.4)]), readable(&[(0, 0.4)]), readable(&[(0, 0.4)])];
        rows.extend([readable(&[(1, 140.0)]), attack(&[(0, 0.35)]), attack(&[(1, 145.0)])]);
        assert_eq!(relaxed(&rows, 0.75), Moves::from([(0, Limit::At(0.4001))]));
    }

    #[test]
    fn a_row_that_two_rules_stop_needs_both() {
        let rows = [readable(&[(0, 0.4), (1, 120.0)]), readable(&[])];
        assert_eq!(relaxed(&rows, 1.0), Moves::from([(0, Limit::At(0.4001)), (1, Limit::At(120.0))]));
    }

    #[test]
    fn what_turns_out_to_be_more_than_needed_is_taken_back() {
        // The cheap step first; the dear one then frees enough by itself.
        let mut rows = vec![readable(&[(1, 140.0)])];
        rows.extend((0..9).map(|_| readable(&[(0, 0.4)])));
        rows.push(attack(&[(0, 0.35)]));
        assert_eq!(relaxed(&rows, 0.9), Moves::from([(0, Limit::At(0.4001))]));
    }

    #[test]
    fn a_threshold_that_would_lie_beyond_all_values_turns_its_rule_off() {
        assert_eq!(relaxed(&[readable(&[(0, 1.0)])], 1.0), Moves::from([(0, Limit::Off)]));
        assert_eq!(relaxed(&[readable(&[(2, 0.0)])], 1.0), Moves::from([(2, Limit::Off)]));
        assert_eq!(relaxed(&[readable(&[(1, 0.0)])], 1.0), Moves::from([(1, Limit::At(0.0))]), "no range is known");
    }

    #[test]
    fn a_new_threshold_lets_its_value_pass_and_is_near_it() {
        for value in [0.0, 1e-9, 0.000_123_456, 0.3, 0.299_999_9, 0.999_99, 1.0, 9.0, 149.987_65, 2_345.678, 1e17] {
            for rule in &rules()[..2] {
                let rule = Rule { range: None, ..rule.clone() };
                let Limit::At(at) = rule.beyond(value) else { panic!("{value}") };
                assert!(rule.passes(Limit::At(at), value), "{value} {at}");
                assert!((at - value).abs() <= 1e-3 * value.abs().max(1.0), "{value} {at}");
            }
        }
    }

    #[test]
    fn thresholds_stricter_than_the_limit_move_and_milder_ones_stay() {
        let rules = rules();
        assert_eq!(rules[0].moved(0.6), [("review", 0.3, 0.6), ("classify", 0.5, 0.6)]);
        assert_eq!(rules[1].moved(120.0), [("retake", 150.0, 120.0)]);
    }

    #[test]
    fn what_no_threshold_frees_is_named() {
        let stuck = |why| Row { stuck: Some(why), ..readable(&[]) };
        let rows = [readable(&[(0, 0.4)]), readable(&[]), stuck(NOT_EXAMINED), stuck(NO_SCORE), stuck(NO_SCORE)];
        let all: Vec<&Row> = rows.iter().collect();
        let left = relax(&rules(), &all, 0.8).unwrap_err();
        assert_eq!((left.most, left.by.len()), (Share { count: 2, of: 5 }, 2));
        let words = left.to_string();
        assert!(words.contains("at most 2 of 5") && words.contains("1 that could not be examined"), "{words}");
        assert!(words.contains("2 of which no score is known"), "{words}");
        assert!(relax(&rules(), &all, 0.4).is_ok());
    }

    #[test]
    fn sources_left_out_are_counted_with_thresholds_chosen_on_the_others() {
        let from = |source: &str, value: f64| row(Kind::Readable, source, &[(0, value)]);
        let mut rows = vec![from("a", 0.4), from("b", 0.5), from("c", 0.6)];
        rows.push(row(Kind::Attack("screen".to_owned()), "d", &[(0, 0.55)]));
        // The highest value is never reached by what the others ask for; the attack, beside `a`, is let pass.
        let found = held_out(&rules(), &rows, 1.0).unwrap();
        assert_eq!(found.readable, Share { count: 2, of: 3 });
        assert_eq!((found.attacks, found.parts), (Share { count: 1, of: 1 }, 3));
        assert_eq!(held_out(&rules(), &rows[..1], 1.0), None);
    }
}
