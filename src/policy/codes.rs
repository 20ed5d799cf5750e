//! Risks → what other services call each, what shows it, and which species it accuses of. Its words stand in `words`.

use crate::evidence::MarkKind;
use crate::vocabulary::{Decision, Face, Species, Zone};
use crate::words::{self, Risk, Sentence};

/// One risk, and its names elsewhere (from the services' public API references).
#[derive(Debug, Clone, Copy)]
pub struct Code {
    risk: Risk,
    /// Tencent `VerifyGeneralCardWarn` / `IDCardOCR`.
    pub tencent: Option<&'static str>,
    /// Baidu `idcard`.
    pub baidu: Option<&'static str>,
    /// Onfido or Veriff.
    pub onfido_veriff: Option<&'static str>,
    /// The species it classifies as, for a risk that is an attack.
    pub species: Option<Species>,
    /// Marks that show it on the picture.
    pub shown_by: &'static [MarkKind],
}

impl Code {
    /// Our name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.risk.code()
    }

    /// Whether marks of `kind` show it; a pattern is shown by its spectrum too.
    #[must_use]
    pub fn shows(&self, kind: MarkKind) -> bool {
        let kind = if kind == MarkKind::Spectrum { MarkKind::Pattern } else { kind };
        self.shown_by.contains(&kind)
    }

    /// What is wrong with the document and what to do; with the place where that is known, and as a suspicion where a
    /// person looks.
    #[must_use]
    pub fn told(&self, action: Decision, zone: Option<Zone>, face: Option<Face>) -> Sentence {
        words::risk(self.risk, face, zone, action == Decision::Review)
    }
}

/// Every risk a policy may name.
pub const CODES: &[Code] = &[
    Code {
        risk: Risk::ScreenRecapture,
        tencent: Some("RemakeScreen (-9103)"),
        baidu: Some("risk_type=screen"),
        onfido_veriff: Some("photo_of_screen / 504"),
        species: Some(Species::Screen),
        shown_by: &[MarkKind::Device, MarkKind::Heat, MarkKind::Pattern],
    },
    Code {
        risk: Risk::PrintRecapture,
        tencent: Some("Copy (-9102)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("document_on_printed_paper / 505"),
        species: Some(Species::Print),
        shown_by: &[MarkKind::Halftone],
    },
    Code {
        risk: Risk::GreyCopy,
        tencent: Some("Copy (-9108)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("document_on_printed_paper / 505"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        risk: Risk::GreyPicture,
        tencent: Some("Copy (-9108)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::NumberIllegal,
        tencent: Some("-9109"),
        baidu: Some("idcard_number_type 0"),
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        risk: Risk::NumberUnread,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        risk: Risk::Screenshot,
        tencent: Some("Screenshot"),
        baidu: Some("截屏"),
        onfido_veriff: Some("screenshot"),
        species: Some(Species::Screenshot),
        shown_by: &[],
    },
    Code {
        risk: Risk::ElectronicCopy,
        tencent: Some("Screenshot"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: Some("digital_document / 502"),
        species: Some(Species::Screenshot),
        shown_by: &[],
    },
    Code { risk: Risk::CutShort, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
    Code {
        risk: Risk::Edited,
        tencent: Some("Ps (-9106)"),
        baidu: Some("edit_tool"),
        onfido_veriff: Some("digital_tampering / 506"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::Illegible,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        risk: Risk::Blurred,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        risk: Risk::Moved,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        risk: Risk::Compressed,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur],
    },
    Code {
        risk: Risk::Covered,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover],
    },
    Code {
        risk: Risk::Shadow,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Blur, MarkKind::Cover],
    },
    Code {
        risk: Risk::UnexpectedDocument,
        tencent: None,
        baidu: Some("image_status=reversed_side / other_type_card"),
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        risk: Risk::Mirrored,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Number],
    },
    Code {
        risk: Risk::QrMismatch,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Code],
    },
    Code {
        risk: Risk::Glare,
        tencent: Some("Reflection (-9107)"),
        baidu: Some("over_exposure"),
        onfido_veriff: Some("glare"),
        species: None,
        shown_by: &[MarkKind::Glare],
    },
    Code {
        risk: Risk::Dark,
        tencent: None,
        baidu: Some("over_dark"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::Overexposed,
        tencent: None,
        baidu: Some("over_exposure"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::NoDocument,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::NoPrint,
        tencent: Some("Blur"),
        baidu: Some("blurred"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::SeveralDocuments,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[],
    },
    Code {
        risk: Risk::CutOff,
        tencent: Some("BorderIncomplete (-9101)"),
        baidu: Some("IsComplete"),
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cut],
    },
    Code {
        risk: Risk::Tilted,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        risk: Risk::TooSmall,
        tencent: None,
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        risk: Risk::Expired,
        tencent: Some("-9100"),
        baidu: None,
        onfido_veriff: Some("document_expiration"),
        species: None,
        shown_by: &[MarkKind::Validity, MarkKind::Number],
    },
    Code {
        risk: Risk::ExpiresSoon,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Validity, MarkKind::Number],
    },
    Code { risk: Risk::SentAgain, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
    Code {
        risk: Risk::AttemptsExhausted,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[],
    },
    Code { risk: Risk::SealMissing, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
    Code {
        risk: Risk::SealUnclear,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Seal],
    },
    Code {
        risk: Risk::PortraitCovered,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover],
    },
    Code {
        risk: Risk::EmblemCovered,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover],
    },
    Code {
        risk: Risk::QrCovered,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover],
    },
    Code {
        risk: Risk::NumberCovered,
        tencent: Some("Cover (-9101)"),
        baidu: None,
        onfido_veriff: Some("image_quality"),
        species: None,
        shown_by: &[MarkKind::Cover, MarkKind::Number],
    },
    Code {
        risk: Risk::TemporaryCard,
        tencent: Some("-9104"),
        baidu: Some("risk_type=temporary"),
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Title],
    },
    Code {
        risk: Risk::NotUpright,
        tencent: None,
        baidu: None,
        onfido_veriff: None,
        species: None,
        shown_by: &[MarkKind::Document],
    },
    Code {
        risk: Risk::Scanned,
        tencent: Some("Copy (-9102)"),
        baidu: Some("risk_type=copy"),
        onfido_veriff: None,
        species: None,
        shown_by: &[],
    },
    Code { risk: Risk::FormatRefused, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
    Code { risk: Risk::FileTooSmall, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
    Code { risk: Risk::FileTooLarge, tencent: None, baidu: None, onfido_veriff: None, species: None, shown_by: &[] },
];

/// The entry of `code`.
#[must_use]
pub fn code(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|entry| entry.code() == code)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn every_risk_has_one_entry() {
        let codes: BTreeSet<_> = CODES.iter().map(Code::code).collect();
        assert_eq!(codes.len(), CODES.len());
        assert_eq!(codes, Risk::VARIANTS.iter().map(|risk| risk.code()).collect());
    }
}
