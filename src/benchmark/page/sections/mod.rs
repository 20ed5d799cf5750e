//! Figures and judged samples → the page of a run, section by section.

mod at_policy;
mod curves;
mod errors;
mod first_try;
mod leakage;
mod legibility;
mod parts;
mod robustness;
mod speed;

use self::at_policy::{confusion, gates, responses};
use self::curves::{calibration, curves};
pub use self::errors::worst;
use self::first_try::first_try;
use self::leakage::leakage;
use self::legibility::legibility;
use self::parts::parts;
pub use self::robustness::robustness;
use self::speed::speed;
use super::{ErrorCard, Page, Section};
use crate::benchmark::findings::Judged;
use crate::benchmark::measure::{Figures, LEVEL, REPLICATES};
use crate::checker::Checker;

/// The mark of what the models were trained on.
const SEEN: &str = "seen in training";

/// The page of `figures` over `judged`; `errors` are the worst ones, as [`worst`] gives them.
#[must_use]
pub fn page(title: &str, figures: &Figures, judged: &[Judged], checker: &Checker, errors: Vec<ErrorCard>) -> Page {
    let rows: Vec<String> = figures.rows.iter().map(|(label, n)| format!("{n} {label}")).collect();
    let mut lead = vec![
        format!("{} from {} sources.", rows.join(", "), figures.sources),
        format!("Measured by {}; judged by policy {}.", figures.origin.short(), figures.policy_id),
        format!(
            "Rates follow ISO/IEC 30107-3. Intervals are at {:.0} %: over files, exact (Clopper and Pearson), and over \
             sources, from {REPLICATES} draws of whole sources; where they differ the wider one counts.",
            100.0 * LEVEL
        ),
    ];
    if figures.trained_on > 0 {
        lead.push(format!(
            "{} of these captures are from sources that the models were trained on: their figures say how well the \
             models remember, not how well they see. Section \u{201c}By part\u{201d} has the others apart.",
            figures.trained_on
        ));
    }
    let mut sections = vec![
        first_try(figures),
        responses(figures),
        gates(figures),
        curves(figures, judged, checker),
        calibration(figures),
        parts(figures, checker.trained_on()),
        confusion(figures),
    ];
    sections.extend(legibility(figures));
    sections.extend(speed(figures));
    sections.push(leakage(figures));
    sections.push(Section {
        heading: "Worst errors".to_owned(),
        id: "errors".to_owned(),
        text: vec![format!(
            "The {} captures that the scores place furthest on the wrong side: originals by the higher score, attacks \
             by their own; non-responses are not among them.",
            errors.len()
        )],
        errors,
        ..Section::default()
    });
    Page { title: title.to_owned(), lead, sections }
}
