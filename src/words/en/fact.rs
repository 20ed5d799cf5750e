//! Fact → the sentence in English.

use std::fmt::Display;

use super::name;
use crate::reading::{NumberCode, Title};
use crate::vocabulary::Face;
use crate::words::{Around, DocumentSize, Fact, FileFact, Found, MetadataFact, Scale, TooFine};

pub fn said(fact: &Fact<'_>) -> String {
    match *fact {
        Fact::ModelMissing { model } => format!("The model {model} is not loaded."),
        Fact::NotMeasured { cause } => format!("Could not be measured: {cause}."),
        Fact::NoTimeLeft => "There was no time left to measure this.".into(),
        Fact::Broken => "This could not be measured.".into(),
        Fact::Unscored { cause } => format!("There are no scores: {cause}. A person has to look at the picture."),

        Fact::MoireNeedsPixels => "Moiré needs native pixels of at least 256 × 256.".into(),
        Fact::MoireNone { tiles } => format!("No periodic pattern stands out in {tiles} tiles."),
        Fact::Moire { tiles, alike, pitch_px, angle_deg, luma_db, chroma_db } => format!(
            "{alike} of {tiles} tiles share a pattern of {pitch_px:.1} px at {angle_deg:.0}°; luma lines reach \
             {luma_db:.1} dB over their surroundings, chroma lines {chroma_db:.1} dB."
        ),
        Fact::HalftoneNeedsPixels => "A printed dot lattice needs native pixels of at least 256 × 256.".into(),
        Fact::HalftoneNone { tiles } => format!("No dot lattice in {tiles} tiles."),
        Fact::Halftone { tiles, alike, pitch_px, angle_deg, db } => format!(
            "The strongest dot lattice repeats every {pitch_px:.1} px at {angle_deg:.0}°, {db:.1} dB over its \
             surroundings, in {alike} of {tiles} tiles."
        ),
        Fact::Bezel { around, dark, bars, edges } => {
            let (second, place) = match around {
                Around::Unknown => (String::new(), "the picture's rim"),
                Around::Nothing => ("No second rectangle surrounds the document; ".into(), "the ring about it"),
                Around::Rectangle { aspect, seen } => {
                    let seen = percent(100.0 * seen);
                    let said = format!(
                        "A second rectangle of {aspect:.2} : 1 surrounds the document, {seen} of its border seen; "
                    );
                    (said, "the ring about it")
                }
            };
            let (dark, bars) = (percent(100.0 * dark), percent(100.0 * bars));
            format!(
                "{second}{dark} of {place} is dark and even, even bars take {bars} of the picture; long parallel edges \
                 around: {edges}."
            )
        }
        Fact::ColoursOfPicture { spread } => {
            format!("The picture's colours spread by {spread:.1} levels; no document was found.")
        }
        Fact::ColoursOfFullDocument { spread } => {
            format!("The document's colours spread by {spread:.1} levels; it fills the picture.")
        }
        Fact::Colours { document, surround } => {
            format!("The document's colours spread by {document:.1} levels, its surround's by {surround:.1}.")
        }
        Fact::SheetNeedsBorder => "No document border was found.".into(),
        Fact::SheetNeedsPixels => "The document is too small in the picture.".into(),
        Fact::Shadow { share: 0.0 } => "No deep shadow lies on the document and beyond it.".into(),
        Fact::Shadow { share } => {
            format!("A deep shadow lies on {:.0} % of the document and goes on beyond it.", 100.0 * share)
        }
        Fact::Sheet { sides: 0 } => "The document does not go on into a larger white sheet.".into(),
        Fact::Sheet { sides } => {
            format!("The document's own white goes on beyond {sides} of its 4 sides, without an edge.")
        }
        Fact::Texture { tiles, screen } => {
            format!("The texture of {tiles} native tiles gives log-odds {screen:+.1} for a screen.")
        }
        Fact::Scene { screen, again: None } => {
            format!("The picture as a whole gives log-odds {screen:+.1} for a screen.")
        }
        Fact::Scene { screen, again: Some(again) } => format!(
            "The picture as a whole gives log-odds {screen:+.1} for a screen, a closer look at its subject {again:+.1}."
        ),
        Fact::RenderedNeedsPixels => "The picture is smaller than a tile.".into(),
        Fact::Rendered { share, level } => {
            let even = format!("{} of the pixels have exactly the same brightness", percent(100.0 * share));
            match level {
                None => format!("{even}."),
                Some((count, level)) => {
                    format!("{even}; of {count} repeated letters {} stand exactly level.", percent(100.0 * level))
                }
            }
        }

        Fact::MetadataNone => "The file carries no metadata; apps and browsers often remove it.".into(),
        Fact::Metadata { found } => sentence(found.iter().map(metadata)),
        Fact::File { mime, found } => {
            sentence([format!("The file is {mime}")].into_iter().chain(found.iter().map(file)))
        }

        Fact::SharpnessNeedsEdges => "There are too few edges to judge focus by.".into(),
        Fact::Sharpness { width_px } => format!("The sharper edges are {width_px:.1} px wide."),
        Fact::Glare { count, share, print } => format!(
            "Clipped highlights: {count}, over {:.1} % of the area; they wash out {:.1} % of the print.",
            share * 100.0,
            print * 100.0
        ),
        Fact::Exposure { of_document, mean, contrast } => {
            let what = if of_document { "document" } else { "picture" };
            format!("The {what} has a mean brightness of {mean:.0} of 255 and a contrast of {contrast:.0}.")
        }
        Fact::FramingNeedsBorder => "No document border was found, so its framing cannot be measured.".into(),
        Fact::FramingFull { print } => {
            format!(
                "No border of the document was found; print stands at {} of the picture's edge.",
                percent(100.0 * print)
            )
        }
        Fact::Framing { share, cut, rotation_deg, tilt_deg } => format!(
            "The document covers {} of the picture; corners cut off: {cut}; it is turned by {rotation_deg:.0}° and \
             opposite sides converge by {tilt_deg:.0}°.",
            percent(100.0 * share)
        ),
        Fact::Resolution { width, height, megapixels, document } => {
            format!("The picture is {width} × {height} px ({megapixels:.1} Mpx); {}.", size(document))
        }

        Fact::Located { found, others, device } => located(found, others, device),
        Fact::FaceNeedsDocument => "No document was found, so it was not told which it is.".into(),
        Fact::Face { face: of, share } => format!("It looks like {} ({}).", face(of), percent(100.0 * share)),
        Fact::PrintNone => "No print was seen: there is nothing to read.".into(),
        Fact::Legible { zones, mean, worst, at } => format!(
            "Print was seen in {zones} of 9 zones. On average {} of its characters can be read, {} at the {}.",
            percent(100.0 * mean),
            percent(100.0 * worst),
            name::zone(at)
        ),
        Fact::CoverNeedsDocument => "No document was found, so what may lie over it was not looked at.".into(),
        Fact::Cover { share, print } if share < 5e-4 && print < 5e-4 => "Nothing covers the document.".into(),
        Fact::Cover { share, print } => {
            format!("Things lie over {:.1} % of the document and {:.1} % of its print.", share * 100.0, print * 100.0)
        }
        Fact::TitleNeedsDocument => "No document was found, so its name was not looked for.".into(),
        Fact::TitleElsewhere => "The name of such a document is not read.".into(),
        Fact::Title { title: None } => "What the document calls itself was not surely read.".into(),
        Fact::Title { title: Some(title) } => format!("The document calls itself {}.", titled(title)),
        Fact::NotAsked => "No rule of the policy asks for this, so it was not looked for.".into(),
        Fact::SealNeedsPaper => "Only licences, letters and forms bear a seal; none was looked for.".into(),
        Fact::SealNeedsColour => "The picture has no colour, so no red seal was looked for.".into(),
        Fact::SealNeedsPixels => "The document is too small in the picture for a seal to be looked for.".into(),
        Fact::Seal { found: None } => "Nothing red that has a seal's size was found.".into(),
        Fact::Seal { found: Some((outline, contrast, saturation)) } => format!(
            "What looks most like a red seal has {} of an outline; its strokes are {} darker than the paper and {} red.",
            percent(100.0 * outline),
            percent(100.0 * contrast),
            percent(100.0 * saturation)
        ),
        Fact::NumberNeedsDocument => "No document was found, so no number was looked for.".into(),
        Fact::Number { code } => match code {
            NumberCode::NoneFound => "No number was found in the document's print.",
            NumberCode::Unreadable => "A number was found but not read whole.",
            NumberCode::Illegal => "A number was read whose checks fail.",
            NumberCode::Consistent => "The number was read and its checks hold.",
            NumberCode::LowerCaseX => "The number was read and its checks hold, but it ends in a small x.",
        }
        .into(),
        Fact::ValidityNeedsDocument => "No document was found, so no validity was looked for.".into(),
        Fact::ValidityElsewhere => "No line of validity is read on such a document or side.".into(),
        Fact::ValidityUnread => "No end of the validity was surely read.".into(),
        Fact::ValidityLongTerm => "The document is printed to hold without end.".into(),
        Fact::Validity { over: false } => "The document is in date by its own print.".into(),
        Fact::Validity { over: true } => "The document is out of date by its own print.".into(),
        #[cfg(feature = "qr")]
        Fact::Codes { found, read, target, cut_short } => {
            let target = target.map_or_else(String::new, |(scheme, host)| format!(" One leads to {scheme}://{host}."));
            let more = if cut_short { " There may be more: not all finder patterns were looked at." } else { "" };
            format!("QR codes found: {found}; read: {read}.{target}{more}")
        }
    }
}

/// A share in hundredths, single or double as it was measured.
fn percent(hundredths: impl Display) -> String {
    format!("{hundredths:.0} %")
}

/// `parts` as one sentence that begins with a capital.
fn sentence(parts: impl Iterator<Item = String>) -> String {
    let joined = parts.collect::<Vec<_>>().join("; ");
    let mut letters = joined.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

fn metadata(fact: &MetadataFact<'_>) -> String {
    match *fact {
        MetadataFact::CallsItselfScreenshot => "the file calls itself a screenshot".into(),
        MetadataFact::NotOfCamera => "no camera wrote this kind of file".into(),
        MetadataFact::Camera { name, tags } => format!("stated camera {name}, {tags} of 7 exposure tags"),
        MetadataFact::ExifDamaged => "the EXIF block is damaged".into(),
        MetadataFact::Editor { name } => format!("written by {name}"),
        MetadataFact::Scanner { name } => format!("it names a scanner, {name}"),
        MetadataFact::Changed { after_s } => format!("changed {after_s} s after it was taken"),
        MetadataFact::MakerNoteMissing => "the maker's own block is missing".into(),
        MetadataFact::NothingNamed => "the metadata names no camera and no editor".into(),
    }
}

fn file(fact: &FileFact<'_>) -> String {
    match *fact {
        FileFact::Tables { exact, quality } => {
            format!("its tables are {} libjpeg quality {quality}", if exact { "exactly" } else { "nearest to" })
        }
        FileFact::PhotoshopBlock => "it holds Photoshop's own block".into(),
        FileFact::Alpha => "it has an alpha channel".into(),
        FileFact::SizeOfDisplay { long, short } => format!("{long} × {short} is the size of a display"),
        FileFact::C2pa => "it carries a C2PA manifest (not validated)".into(),
        FileFact::DigitalSource { types } => format!("stated digital source: {types}"),
    }
}

fn size(document: Option<DocumentSize<'_>>) -> String {
    let Some(DocumentSize { long_px, scale }) = document else {
        return "no document border was found to measure against".into();
    };
    let long = format!("the document's long side is {long_px:.0} px");
    let Some(Scale { px_per_mm, dpi, too_fine }) = scale else { return long };
    let fine: Vec<_> = too_fine
        .iter()
        .map(|what| match what {
            TooFine::Halftone => "a 150-lpi halftone",
            TooFine::TabletGrid => "the pixels of a 264-ppi tablet",
            TooFine::PhoneGrid => "the pixels of a 460-ppi phone",
        })
        .collect();
    let few = if fine.is_empty() { String::new() } else { format!("; too coarse to show {}", fine.join(" or ")) };
    format!("{long}, {px_per_mm:.1} px/mm ({dpi:.0} dpi){few}")
}

fn located(found: Found, others: usize, device: Option<f32>) -> String {
    let found = match found {
        Found::Nothing => "No document was found in the picture.".into(),
        Found::FullFrame => "No border was found; the whole picture looks like a document.".into(),
        Found::Document { edges } => {
            format!("A document was found; {} of its border is a straight edge.", percent(100.0 * edges))
        }
        Found::NoDocument { edges } => format!(
            "Something with four sides was found, {} of them straight edges, but no document.",
            percent(100.0 * edges)
        ),
    };
    let others = match others {
        0 => String::new(),
        1 => " Another thing may be a document too; the largest was looked at.".into(),
        _ => format!(" {others} other things may be documents too; the largest was looked at."),
    };
    let device =
        device.map_or_else(String::new, |share| format!(" A device may surround it ({}).", percent(100.0 * share)));
    found + &others + &device
}

fn face(face: Face) -> &'static str {
    match face {
        Face::PortraitSide => "the portrait side of an identity card",
        Face::EmblemSide => "the emblem side of an identity card",
        Face::Card => "a card of another kind",
        Face::PassportPage => "the data page of a passport",
        Face::Licence => "a licence or certificate",
        Face::Page => "a paper",
        Face::None => "no document",
    }
}

/// What a document calls itself.
const fn titled(title: Title) -> &'static str {
    match title {
        Title::ResidentIdentityCard => "a resident identity card",
        Title::TemporaryIdentityCard => "a temporary identity card",
        Title::HongKongMacaoPermit => "a mainland travel permit for residents of Hong Kong and Macao",
        Title::TaiwanPermit => "a mainland travel permit for residents of Taiwan",
        Title::HongKongMacaoResidencePermit => "a residence permit for residents of Hong Kong and Macao",
        Title::TaiwanResidencePermit => "a residence permit for residents of Taiwan",
        Title::PermanentResidenceCard => "a foreigner's permanent residence card",
        Title::ResidencePermit => "a residence permit",
        Title::BusinessLicence => "a business licence",
        Title::OrganisationCodeCertificate => "an organisation code certificate",
        Title::CreditCodeCertificate => "a certificate of a unified social credit code",
        Title::PublicInstitutionCertificate => "a certificate of a public institution",
        Title::SocialOrganisationCertificate => "a registration certificate of a social organisation",
        Title::PrivateNonEnterpriseCertificate => "a registration certificate of a private non-enterprise unit",
        Title::Letter => "a letter",
    }
}
