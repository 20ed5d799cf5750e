//! Zones, decisions, classes, numbers and parts of a report → their names in English.

use crate::reading::NumberCode;
use crate::vocabulary::{Classification, Decision, Species, Zone};
use crate::words::Label;

/// As it stands in a sentence.
pub const fn zone(zone: Zone) -> &'static str {
    match zone {
        Zone::UpperLeft => "upper left",
        Zone::UpperMiddle => "upper middle",
        Zone::UpperRight => "upper right",
        Zone::MiddleLeft => "left",
        Zone::Middle => "middle",
        Zone::MiddleRight => "right",
        Zone::LowerLeft => "lower left",
        Zone::LowerMiddle => "lower middle",
        Zone::LowerRight => "lower right",
    }
}

pub const fn decision(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "ACCEPT",
        Decision::Retake => "RETAKE",
        Decision::Review => "REVIEW",
        Decision::Reject => "REJECT",
    }
}

pub const fn advice(decision: Decision) -> &'static str {
    match decision {
        Decision::Accept => "nothing; the photograph can be taken.",
        Decision::Retake => "ask for another photograph of the original, as the reasons say.",
        Decision::Review => "have a person look at it before it is taken.",
        Decision::Reject => "do not take it; ask for a photograph of the original document.",
    }
}

pub const fn classification(classification: Classification) -> &'static str {
    match classification {
        Classification::BonaFide => "bona fide",
        Classification::Attack(Species::Screen) => "screen",
        Classification::Attack(Species::Print) => "print",
        Classification::Attack(Species::Screenshot) => "screenshot",
        Classification::NoResponse => "no response",
    }
}

pub fn number_kind(kind: &str) -> &'static str {
    match kind {
        "resident_id" => "Resident number",
        "mrz" => "Machine-readable zone",
        _ => "Credit code",
    }
}

pub const fn number_code(code: NumberCode) -> &'static str {
    match code {
        NumberCode::NoneFound => "none found",
        NumberCode::Unreadable => "not read whole",
        NumberCode::Illegal => "checks fail",
        NumberCode::Consistent => "checks hold",
        NumberCode::LowerCaseX => "checks hold, small x",
    }
}

pub const fn label(label: Label) -> &'static str {
    match label {
        Label::Screen => "screen",
        Label::Print => "print",
        Label::Legibility | Label::ShortLegibility => "legibility",
        Label::Why => "Why",
        Label::Measured => "Measured",
        Label::WhatToDo => "What to do:",
        Label::Threshold => "limit",
        Label::NotExamined => "NOT EXAMINED",
        Label::Screening => "Screening report",
        Label::All => "all",
        Label::Decision => "Decision",
        Label::EveryDecision => "every decision",
        Label::Class => "Class",
        Label::EveryClass => "every class",
        Label::Reason => "Reason",
        Label::EveryReason => "every reason",
        Label::Search => "Search",
        Label::NoDocument => "no document found",
    }
}
