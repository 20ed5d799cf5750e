//! Scores for screen and legibility → a judged original, for the tests of figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::benchmark::findings::{Judged, Origin, Stored};
use crate::benchmark::labels::{Label, Readable, Sample};
use crate::policy::Policy;
use crate::scoring::{Readings, Scores};

const RULES: &str = "id = \"test\"\nlegible_from = 0.5\n\
    [risk.screen_recapture]\nquantity = \"score.screen\"\nbad = \"above\"\nseverity = \"high\"\n\
    review = 0.4\nreject = 0.8\n\
    [risk.illegible]\nquantity = \"score.legibility\"\nbad = \"below\"\nseverity = \"low\"\nretake = 0.5\n";

/// A row of an original with these scores for screen and legibility; without any, a file that was not examined.
pub fn row(source: &str, readable: Option<Readable>, content: &str, scores: Option<(Option<f64>, f64)>) -> Judged {
    let policy = Policy::parse(RULES, &BTreeSet::new()).unwrap();
    let of = |(screen, legibility)| Scores { screen, legibility: Some(legibility), ..Scores::default() };
    let verdict = scores.map(|scores| policy.judge(&of(scores), &Readings::new(), |_| None));
    let mut sample = Sample::new(2, "a.jpg", Label::Original);
    sample.source = source.to_owned();
    sample.readable = readable;
    sample.content = Some(content.to_owned()).filter(|content| !content.is_empty());
    let origin = Origin { tool_version: String::new(), models: BTreeMap::new() };
    let stored = Stored::unmeasured(&sample.path, "", origin);
    Judged { sample, stored, scores: scores.map(of).unwrap_or_default(), verdict }
}
