//! Risk → what is wrong and what to do, in English, to the one who took the photograph.

use super::name;
use crate::vocabulary::{Face, Zone};
use crate::words::Risk;

pub fn said(risk: Risk, face: Option<Face>, zone: Option<Zone>, suspected: bool) -> String {
    let (thing, place) = (thing(face), zone.map(name::zone));
    match risk {
        Risk::ScreenRecapture if suspected => {
            "It cannot be ruled out that this is a photograph of a screen. A person will look at it; a photograph \
             of the original itself is surest."
                .into()
        }
        Risk::ScreenRecapture => {
            "This looks like a photograph of a screen. Photograph the original document itself.".into()
        }
        Risk::PrintRecapture if suspected => {
            "It cannot be ruled out that this is a print or photocopy. A person will look at it; a photograph of \
             the original itself is surest."
                .into()
        }
        Risk::PrintRecapture => "This looks like a print or photocopy. Photograph the original document itself.".into(),
        Risk::GreyCopy if suspected => {
            "The document shows hardly any colour; a black-and-white copy cannot be ruled out. A person will look \
             at it."
                .into()
        }
        Risk::GreyCopy => {
            "The document shows no colour. Photograph the original in colour, not a black-and-white copy.".into()
        }
        Risk::GreyPicture => "The photograph is black and white. Photograph the document in colour.".into(),
        Risk::NumberIllegal => {
            "The document's number does not hold together. If it is sharp and whole, the document should be \
             looked at."
                .into()
        }
        Risk::NumberUnread => {
            format!("Part of the {thing}'s number cannot be read. Keep reflections and fingers off it.")
        }
        Risk::Screenshot => {
            "This is a screenshot, not a photograph. Take a photograph of the original with the camera.".into()
        }
        Risk::ElectronicCopy if suspected => {
            "The picture is as even, or its letters stand as level, as only on a drawn or scanned page; an electronic \
             copy cannot be ruled out. A person will look at it."
                .into()
        }
        Risk::ElectronicCopy => {
            "This is an electronic picture of the document, not a photograph. Photograph the original with the \
             camera."
                .into()
        }
        Risk::CutShort => {
            "There was no time to look at everything. A person looks at the picture, or send it again.".into()
        }
        Risk::Edited => "The file was saved by an image editor. Send the photograph as the camera took it.".into(),
        Risk::Illegible => match place {
            Some(place) => format!(
                "The {place} of the {thing} cannot be read well. Hold still, let the camera focus, and photograph \
                 it again."
            ),
            None => {
                format!("The {thing} cannot be read well. Hold still, let the camera focus, and photograph it again.")
            }
        },
        Risk::Blurred => format!(
            "The picture is out of focus. Tap on the {thing} to focus, keep a hand's width away, and photograph \
             it again."
        ),
        Risk::Moved => format!(
            "The camera moved. Hold it still with both hands, or rest your elbows, and photograph the {thing} \
             again."
        ),
        Risk::Compressed => {
            "The picture was compressed until its print suffered. Send the photograph itself, not a copy from a \
             messenger."
                .into()
        }
        Risk::Covered => match place {
            Some(place) => format!(
                "Something covers the {place} of the {thing}. Hold it by its edges, or lay it down, and show all \
                 of it."
            ),
            None => format!(
                "Something covers part of the {thing}. Hold it by its edges, or lay it down, and show all of it."
            ),
        },
        Risk::Shadow => {
            "A shadow lies over the print. Move so that neither you nor the phone stands in the light.".into()
        }
        Risk::UnexpectedDocument => {
            "This is not the document, or not the side of it, that was asked for. Photograph the one that is \
             named."
                .into()
        }
        Risk::Mirrored => "The picture is mirrored. Use the rear camera, and do not flip the photograph.".into(),
        Risk::QrMismatch => "The QR code says another number than the print. The document should be looked at.".into(),
        Risk::Glare => match place {
            Some(place) => {
                format!("A reflection covers the {place} of the {thing}. Tilt the {thing} away from the lamp.")
            }
            None => format!("A reflection covers part of the {thing}. Tilt the {thing} away from the lamp."),
        },
        Risk::Dark => "The picture is too dark. Turn on a light or move to a brighter place.".into(),
        Risk::Overexposed => "The picture is too bright. Avoid direct light and photograph it again.".into(),
        Risk::NoDocument => {
            "No whole document was found in the picture. Lay it on a plain surface and show all four corners.".into()
        }
        Risk::NoPrint => {
            "Hardly any print that can be read was found. Fill the picture with the document, let the camera focus, and \
             hold still."
                .into()
        }
        Risk::SeveralDocuments => {
            "Several things that may be documents lie in the picture. Photograph one at a time.".into()
        }
        Risk::CutOff => format!("Part of the {thing} lies outside the picture. Show all four corners."),
        Risk::Tilted => format!("The {thing} is seen too much from the side. Hold the camera straight above it."),
        Risk::TooSmall => format!(
            "The print of the {thing} is too small in the picture. Move closer until the {thing} fills the frame."
        ),
        Risk::Expired => format!("The {thing} is out of date by {}. Use one that is in date.", term(face)),
        Risk::ExpiresSoon => {
            format!("The {thing} expires too soon by {}. Use one that is valid for longer.", term(face))
        }
        Risk::SentAgain => {
            "This is the picture that was sent before, and it is refused for the same reasons. Take a new photograph."
                .into()
        }
        Risk::AttemptsExhausted => {
            "Several photographs were not accepted. A person will look at this one; you need send no more.".into()
        }
        Risk::SealMissing => {
            format!("No red seal was seen on the {thing}. Photograph the sealed original, the whole seal in the picture.")
        }
        Risk::SealUnclear => {
            "The red seal is too pale to be read. Photograph the original in good light, without a filter, or have it \
             sealed again."
                .into()
        }
        Risk::PortraitCovered => covered("the portrait", thing),
        Risk::EmblemCovered => covered("the emblem", thing),
        Risk::QrCovered => covered("the QR code", thing),
        Risk::NumberCovered => covered("the number", thing),
        Risk::TemporaryCard => {
            "This is a temporary identity card. Photograph your resident identity card, or write to the desk if you have none \
             yet."
                .into()
        }
        Risk::NotUpright => {
            format!("The {thing} does not stand upright in the picture. Turn the photograph, or take it again upright.")
        }
        Risk::Scanned => format!("This is a scan. Photograph the original {thing} with the camera."),
        Risk::FormatRefused => {
            "Files of this format are not taken here. Send the photograph as JPEG or PNG.".into()
        }
        Risk::FileTooSmall => {
            "The file is smaller than is taken here. Send the photograph as the camera took it, not a reduced copy.".into()
        }
        Risk::FileTooLarge => {
            "The file is larger than is taken here. Send the photograph at a lower resolution, still sharp.".into()
        }
    }
}

/// Where its validity stands.
const fn term(face: Option<Face>) -> &'static str {
    match face {
        Some(Face::EmblemSide) => "its last line, the period of validity",
        Some(Face::Licence) => "the term that is printed on it",
        Some(Face::PassportPage) => "its date of expiry, in the lines at the bottom",
        _ => "its date of expiry",
    }
}

fn covered(field: &str, thing: &str) -> String {
    format!("Something covers {field} of the {thing}. Hold it by its edges, or lay it down, and show all of it.")
}

/// What the document is called to the one who photographed it.
const fn thing(face: Option<Face>) -> &'static str {
    match face {
        Some(Face::PortraitSide | Face::EmblemSide | Face::Card) => "card",
        Some(Face::PassportPage) => "passport",
        Some(Face::Licence) => "certificate",
        Some(Face::Page) => "page",
        Some(Face::None) | None => "document",
    }
}
