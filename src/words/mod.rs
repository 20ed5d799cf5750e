//! Facts → sentences: everything that a report says in words, in each language, in one room.
//!
//! A detector hands a [`Fact`] with its values and knows no language; a policy names a [`Risk`]. Each language has one
//! file of every kind, whose `match` names every key: a new sentence that a language lacks does not compile.

mod en;
mod fact;
mod notice;
mod zh;

pub use fact::{Around, DocumentSize, Fact, FileFact, Found, MetadataFact, Scale, TooFine};
pub use notice::{Counts, LeftOut, Notice, noticed, noticed_in_both};
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::reading::NumberCode;
use crate::vocabulary::{Classification, Decision, Face, Language, Zone};

/// One sentence in English and Chinese.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// Chinese (simplified).
    pub zh: String,
}

/// What a detector measured, in a sentence.
pub fn said(fact: &Fact<'_>) -> Sentence {
    Sentence { en: en::fact::said(fact), zh: zh::fact::said(fact) }
}

/// What is wrong and what to do, said to the one who took the photograph of `face`: with the place on the document where
/// that is known, and as a suspicion where a person will look.
pub fn risk(risk: Risk, face: Option<Face>, zone: Option<Zone>, suspected: bool) -> Sentence {
    Sentence { en: en::risk::said(risk, face, zone, suspected), zh: zh::risk::said(risk, face, zone, suspected) }
}

/// What the gate does, as a heading.
pub fn decision(decision: Decision, language: Language) -> &'static str {
    language.pick(en::name::decision(decision), zh::name::decision(decision))
}

/// What the one who runs the gate does after `decision`.
pub fn advice(decision: Decision, language: Language) -> &'static str {
    language.pick(en::name::advice(decision), zh::name::advice(decision))
}

/// What the picture is classified as.
pub fn classification(classification: Classification, language: Language) -> &'static str {
    language.pick(en::name::classification(classification), zh::name::classification(classification))
}

/// The same shortly and in both languages, for a page that all read.
pub fn class(class: Classification) -> String {
    format!("{} {}", en::name::classification(class), zh::name::class(class))
}

/// What kind of number it is, by its name in the JSON contract.
pub fn number_kind(kind: &str, language: Language) -> &'static str {
    language.pick(en::name::number_kind(kind), zh::name::number_kind(kind))
}

/// How reading a number came out.
pub fn number_code(code: NumberCode, language: Language) -> &'static str {
    language.pick(en::name::number_code(code), zh::name::number_code(code))
}

/// What a report calls one of its parts.
pub fn label(label: Label, language: Language) -> &'static str {
    language.pick(en::name::label(label), zh::name::label(label))
}

/// The same in both languages.
pub fn both(label: Label) -> String {
    format!("{} {}", en::name::label(label), zh::name::label(label))
}

/// A part of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// The score against screens.
    Screen,
    /// The score against prints.
    Print,
    /// The score of legibility.
    Legibility,
    /// The same where there is little room.
    ShortLegibility,
    /// The reasons.
    Why,
    /// The findings.
    Measured,
    /// The advice.
    WhatToDo,
    /// The threshold of a reason.
    Threshold,
    /// In place of a decision.
    NotExamined,
    /// The heading of a page of many reports.
    Screening,
    /// All reports of the page.
    All,
    /// The decision, to choose reports by.
    Decision,
    /// No choice of decision.
    EveryDecision,
    /// The class, to choose by.
    Class,
    /// No choice of class.
    EveryClass,
    /// The reason, to choose by.
    Reason,
    /// No choice of reason.
    EveryReason,
    /// Words to search for.
    Search,
    /// In place of the document.
    NoDocument,
}

/// A risk that a policy may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Risk {
    /// A photograph of a screen.
    ScreenRecapture,
    /// A photograph of a print.
    PrintRecapture,
    /// A document without colour in a picture with colour.
    GreyCopy,
    /// A picture without colour.
    GreyPicture,
    /// A number whose checks fail.
    NumberIllegal,
    /// A number that is there and cannot be read.
    NumberUnread,
    /// A screenshot.
    Screenshot,
    /// A drawn or scanned page.
    ElectronicCopy,
    /// Too little time.
    CutShort,
    /// Saved by an editor.
    Edited,
    /// Print that cannot be read.
    Illegible,
    /// Out of focus.
    Blurred,
    /// A moving camera.
    Moved,
    /// Compressed too much.
    Compressed,
    /// Something over the document.
    Covered,
    /// A shadow over the print.
    Shadow,
    /// Another document than was asked for.
    UnexpectedDocument,
    /// A mirrored picture.
    Mirrored,
    /// A QR code that says another number.
    QrMismatch,
    /// A reflection.
    Glare,
    /// Too dark.
    Dark,
    /// Too bright.
    Overexposed,
    /// No document.
    NoDocument,
    /// No print.
    NoPrint,
    /// More documents than one.
    SeveralDocuments,
    /// A document that is not whole in the picture.
    CutOff,
    /// Seen from the side.
    Tilted,
    /// Print that is too small.
    TooSmall,
    /// A validity that has ended.
    Expired,
    /// One that ends before it may.
    ExpiresSoon,
    /// A picture that was refused before.
    SentAgain,
    /// As many attempts as one may have.
    AttemptsExhausted,
    /// A licence, letter or form without a red seal.
    SealMissing,
    /// A red seal that is pale or hard to see.
    SealUnclear,
    /// Something over the portrait.
    PortraitCovered,
    /// Something over the emblem.
    EmblemCovered,
    /// Something over the QR code.
    QrCovered,
    /// Something over the number.
    NumberCovered,
    /// A temporary identity card.
    TemporaryCard,
    /// A document that does not stand upright in the picture.
    NotUpright,
    /// A scan.
    Scanned,
    /// A file of another format than is taken.
    FormatRefused,
    /// A file of fewer bytes than are taken.
    FileTooSmall,
    /// A file of more bytes than are taken.
    FileTooLarge,
}

impl Risk {
    /// The risk code: its name in policies and in the JSON contract.
    pub fn code(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_risk_is_told_of_every_document_and_place_in_both_languages() {
        for risk in Risk::VARIANTS.iter().copied() {
            for face in Face::VARIANTS.iter().copied().map(Some).chain([None]) {
                for (zone, suspected) in [(None, false), (Some(Zone::Middle), false), (None, true)] {
                    let Sentence { en, zh } = super::risk(risk, face, zone, suspected);
                    assert!(en.ends_with('.') && zh.ends_with('。'), "{en} {zh}");
                    assert!(!en.contains("  ") && !en.contains(['{', '}']) && !zh.contains(['{', '}']), "{en} {zh}");
                }
            }
        }
        let glare = |face| super::risk(Risk::Glare, Some(face), None, false).en;
        assert!(glare(Face::Page).contains("Tilt the page") && glare(Face::Card).contains("Tilt the card"));
    }
}
