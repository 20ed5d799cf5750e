//! Judged originals and how much of each can be read → how many a gate takes at the first try, and why not the others.
//!
//! An applicant with a genuine document whose fields can be read should have to photograph it once. A row without a
//! verdict, such as a file that could not be examined, is not accepted, and is named as what it is.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::rates::Rate;
use crate::benchmark::findings::Judged;
use crate::benchmark::labels::{Label, Readable};
use crate::policy::Decision;

/// What stands in place of a reason where there is no verdict.
pub const NOT_EXAMINED: &str = "not_examined";
/// What stands in place of a reason where a person looks because no score could be formed.
pub const NO_SCORE: &str = "no_score";

/// What a gate does with some originals. The rates but the last are parts of the same whole and add up to it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Accepted.
    pub accepted: Rate,
    /// Sent back for another photograph.
    pub sent_back: Rate,
    /// Looked at by a person.
    pub reviewed: Rate,
    /// Refused.
    pub rejected: Rate,
    /// Without a verdict: files that could not be examined.
    pub not_examined: Rate,
    /// Not accepted, whatever became of them: all but the first.
    pub not_accepted: Rate,
}

impl Outcomes {
    /// Of `rows`; `None` of none.
    fn of(rows: &[&Judged]) -> Option<Self> {
        let share = |counts: &dyn Fn(Option<Decision>) -> bool| {
            Rate::of(rows.iter().map(|row| (row.sample.source.as_str(), counts(decision(row)))))
        };
        let decided = |wanted: Decision| share(&|decision| decision == Some(wanted));
        Some(Self {
            accepted: decided(Decision::Accept)?,
            sent_back: decided(Decision::Retake)?,
            reviewed: decided(Decision::Review)?,
            rejected: decided(Decision::Reject)?,
            not_examined: share(&|decision| decision.is_none())?,
            not_accepted: share(&|decision| decision != Some(Decision::Accept))?,
        })
    }

    /// The parts by name, in the order of the fields; the last is the sum of all but the first.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, &Rate); 6] {
        [
            ("accepted", &self.accepted),
            ("sent back", &self.sent_back),
            ("reviewed", &self.reviewed),
            ("rejected", &self.rejected),
            ("not examined", &self.not_examined),
            ("not accepted", &self.not_accepted),
        ]
    }
}

/// What becomes of originals at the first try, by how much of them can be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirstTry {
    /// Readable originals; their `accepted` is the first-try pass rate. `None` where there are none.
    pub readable: Option<Outcomes>,
    /// The same by what they show, where the labels say so.
    pub by_content: BTreeMap<String, Outcomes>,
    /// Of the readable originals that are not accepted: how many have which reason first, by code. `NOT_EXAMINED` and
    /// `NO_SCORE` stand for those without one.
    pub by_reason: BTreeMap<String, Rate>,
    /// Originals that can be read in part.
    pub part: Option<Outcomes>,
    /// Originals that cannot be read, which should not be accepted.
    pub unreadable: Option<Outcomes>,
}

fn decision(row: &Judged) -> Option<Decision> {
    row.verdict.as_ref().map(|verdict| verdict.decision)
}

/// Code of the reason that comes first.
fn first_reason(row: &Judged) -> &'static str {
    match &row.verdict {
        None => NOT_EXAMINED,
        Some(verdict) => verdict.reasons.first().map_or(NO_SCORE, |reason| reason.code),
    }
}

/// The figures of `judged`; `None` where no row says whether it can be read.
#[must_use]
pub fn first_try(judged: &[Judged]) -> Option<FirstTry> {
    judged.iter().any(|row| row.sample.readable.is_some()).then(|| {
        let originals = |readable: Readable| -> Vec<&Judged> {
            let wanted = |row: &&Judged| row.sample.label == Label::Original && row.sample.readable == Some(readable);
            judged.iter().filter(wanted).collect()
        };
        let readable = originals(Readable::Yes);
        let mut contents: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
        for row in &readable {
            if let Some(content) = &row.sample.content {
                contents.entry(content).or_default().push(row);
            }
        }
        let stopped: Vec<&Judged> =
            readable.iter().copied().filter(|row| decision(row) != Some(Decision::Accept)).collect();
        let codes: BTreeSet<&str> = stopped.iter().map(|row| first_reason(row)).collect();
        let by_reason = codes.into_iter().filter_map(|code| {
            let rows = stopped.iter().map(|row| (row.sample.source.as_str(), first_reason(row) == code));
            Some((code.to_owned(), Rate::of(rows)?))
        });
        FirstTry {
            readable: Outcomes::of(&readable),
            by_content: contents
                .into_iter()
                .filter_map(|(content, rows)| Some((content.to_owned(), Outcomes::of(&rows)?)))
                .collect(),
            by_reason: by_reason.collect(),
            part: Outcomes::of(&originals(Readable::Part)),
            unreadable: Outcomes::of(&originals(Readable::No)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::rates::Share;
    use super::super::testing::row;
    use super::*;

    fn shares(outcomes: &Outcomes) -> [usize; 6] {
        outcomes.named().map(|(_, rate)| rate.share.count)
    }

    #[test]
    fn every_readable_original_is_counted_once_and_the_others_apart() {
        let (yes, part, no) = (Some(Readable::Yes), Some(Readable::Part), Some(Readable::No));
        let mut rows = vec![
            row("a", yes, "card", Some((Some(0.1), 0.9))),
            row("a", yes, "card", Some((Some(0.1), 0.2))),
            row("b", yes, "page", Some((Some(0.5), 0.2))),
            row("b", yes, "page", Some((Some(0.9), 0.9))),
            row("c", yes, "", None),
            row("c", yes, "", Some((None, 0.9))),
            row("a", part, "card", Some((Some(0.1), 0.9))),
            row("a", no, "card", Some((Some(0.1), 0.2))),
            row("b", no, "card", Some((Some(0.1), 0.9))),
            row("b", None, "card", Some((Some(0.1), 0.9))),
        ];
        // An attack is nobody's first try.
        let mut attack = row("b", yes, "card", Some((Some(0.1), 0.9)));
        attack.sample.label = Label::Screen;
        rows.push(attack);
        let found = first_try(&rows).unwrap();
        let readable = found.readable.unwrap();
        assert_eq!(shares(&readable), [1, 1, 2, 1, 1, 5]);
        assert_eq!(readable.accepted.share.of, 6);
        assert!(readable.accepted.files.holds(1.0 / 6.0) && readable.accepted.sources.is_some());
        assert_eq!(shares(&found.by_content["card"]), [1, 1, 0, 0, 0, 1]);
        assert_eq!(found.by_content["card"].accepted.sources, None, "one source says nothing of how sources differ");
        assert_eq!(shares(&found.by_content["page"]), [0, 0, 1, 1, 0, 2]);
        let reasons: Vec<(&str, Share)> = found.by_reason.iter().map(|(code, rate)| (&**code, rate.share)).collect();
        let of = |count| Share { count, of: 5 };
        let expected = [("illegible", of(1)), (NO_SCORE, of(1)), (NOT_EXAMINED, of(1)), ("screen_recapture", of(2))];
        assert_eq!(reasons, expected);
        assert_eq!(shares(&found.part.unwrap()), [1, 0, 0, 0, 0, 0]);
        assert_eq!(shares(&found.unreadable.unwrap()), [1, 1, 0, 0, 0, 1]);
    }

    #[test]
    fn without_labels_there_is_no_figure_and_without_readable_originals_no_pass_rate() {
        assert_eq!(first_try(&[row("a", None, "", Some((Some(0.1), 0.9)))]), None);
        let found = first_try(&[row("a", Some(Readable::No), "", Some((Some(0.1), 0.2)))]).unwrap();
        assert!(found.readable.is_none() && found.by_reason.is_empty() && found.unreadable.is_some());
    }
}
