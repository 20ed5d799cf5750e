//! The document seen straight on, small and in colour → which document it is, which side of it, and which way up.

use strum::VariantArray as _;

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading, Sentence};
use crate::scene::Scene;
use crate::vocabulary::Face;

pub static PORTRAIT_SIDE: Reading =
    Reading::share("document_net.portrait_side", "how likely it is an identity card or driving licence, portrait side");
pub static EMBLEM_SIDE: Reading =
    Reading::share("document_net.emblem_side", "the emblem side of a Chinese resident identity card");
pub static CARD: Reading = Reading::share("document_net.card", "any other card");
pub static PASSPORT_PAGE: Reading = Reading::share("document_net.passport_page", "the data page of a passport");
pub static LICENCE: Reading = Reading::share("document_net.licence", "a business licence or certificate");
pub static PAGE: Reading = Reading::share("document_net.page", "a letter, form or receipt");
pub static NONE: Reading = Reading::share("document_net.none", "nothing of these");
pub static CONFIDENCE: Reading =
    Reading::share("document_net.confidence", "the largest of these but the last: how sure it is which document it is");
pub static TURNED_DEG: Reading = Reading::new(
    "document_net.turned_deg",
    "deg",
    "how far it lies turned clockwise in the picture: 0, 90, 180, 270; where that is sure",
);

/// How likely it is `face`, as that is read.
#[must_use]
pub const fn share_of(face: Face) -> &'static Reading {
    match face {
        Face::PortraitSide => &PORTRAIT_SIDE,
        Face::EmblemSide => &EMBLEM_SIDE,
        Face::Card => &CARD,
        Face::PassportPage => &PASSPORT_PAGE,
        Face::Licence => &LICENCE,
        Face::Page => &PAGE,
        Face::None => &NONE,
    }
}

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "document_net",
        question: "Which document is it, which side, and which way up?",
        readings: &[
            &PORTRAIT_SIDE,
            &EMBLEM_SIDE,
            &CARD,
            &PASSPORT_PAGE,
            &LICENCE,
            &PAGE,
            &NONE,
            &CONFIDENCE,
            &TURNED_DEG,
        ],
        method: "A small network on the document laid straight, 192 × 120 in colour; trained on drawn documents, phone \
                 frames of mock documents and pictures of cards and papers (models/README.md).",
        blind_spots: "Knows layouts, not issuers: a drawing of a card is a card. Sides other than the two of the Chinese \
                      card count as other cards.",
    },
    build: |models| Box::new(DocumentNet { loaded: models.get("document_net").is_some() }),
};

struct DocumentNet {
    loaded: bool,
}

impl Detector for DocumentNet {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        if !self.loaded {
            return abstain_without_model("document_net");
        }
        let Some(seen) = scene.seen() else {
            let (en, zh) = ("No document was found, so it was not told which it is.", "未找到证件，未判断证件类型。");
            return Abstention::new(AbstentionCause::NoDocument, en, zh).into();
        };
        let (face, confidence) = seen.face();
        let (en, zh) = name(face);
        let mut evidence = Evidence::told(Sentence::new(
            format!("It looks like {en} ({:.0} %).", 100.0 * confidence),
            format!("看起来是{zh}（{:.0}%）。", 100.0 * confidence),
        ));
        for (face, share) in Face::VARIANTS.iter().zip(seen.shares) {
            evidence.read(share_of(*face), f64::from(share));
        }
        let documents = Face::VARIANTS.iter().zip(seen.shares).filter(|(face, _)| **face != Face::None);
        evidence.read(&CONFIDENCE, f64::from(documents.map(|(_, share)| share).fold(0.0, f32::max)));
        if let Some(degrees) = scene.turned_deg() {
            evidence.read(&TURNED_DEG, f64::from(degrees));
        }
        evidence.into()
    }
}

const fn name(face: Face) -> (&'static str, &'static str) {
    match face {
        Face::PortraitSide => ("the portrait side of an identity card", "证件人像面"),
        Face::EmblemSide => ("the emblem side of an identity card", "身份证国徽面"),
        Face::Card => ("a card of another kind", "其他卡片"),
        Face::PassportPage => ("the data page of a passport", "护照资料页"),
        Face::Licence => ("a licence or certificate", "执照或证书"),
        Face::Page => ("a paper", "纸质文件"),
        Face::None => ("no document", "非证件"),
    }
}
