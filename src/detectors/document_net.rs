//! The document seen straight on, small and in colour → which document it is, which side of it, and which way up.

use strum::VariantArray as _;

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, Outcome, Reading};
use crate::scene::Scene;
use crate::vocabulary::Face;
use crate::words::Fact;

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
            return Abstention::new(AbstentionCause::NoDocument, Fact::FaceNeedsDocument).into();
        };
        let (face, confidence) = seen.face();
        let mut evidence = Evidence::told(Fact::Face { face, share: confidence });
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
