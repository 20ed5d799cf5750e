//! Words that all stages share: which document, which side and part of it, what attacks it, what is decided, and in
//! which language.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

/// Kind of instrument shown instead of the original (ISO/IEC 30107-3: PAI species).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Species {
    /// A screen.
    Screen,
    /// A print or photocopy.
    Print,
    /// A screenshot: no camera at all.
    Screenshot,
}

/// What the picture is classified as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Classification {
    /// Original capture.
    BonaFide,
    /// Recapture or screenshot.
    Attack(Species),
    /// Nothing could be said (ISO/IEC 30107-3: non-response).
    NoResponse,
}

impl Classification {
    /// The name in the JSON contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BonaFide => "bona_fide",
            Self::Attack(Species::Screen) => "screen",
            Self::Attack(Species::Print) => "print",
            Self::Attack(Species::Screenshot) => "screenshot",
            Self::NoResponse => "no_response",
        }
    }
}

#[cfg(feature = "service")]
impl utoipa::PartialSchema for Classification {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        let attacks = [Species::Screen, Species::Print, Species::Screenshot].map(Self::Attack);
        let all = [Self::BonaFide, Self::NoResponse].into_iter().chain(attacks);
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(all.map(Self::name)))
            .description(Some("Original capture, species of attack, or nothing could be said."))
            .into()
    }
}

#[cfg(feature = "service")]
impl utoipa::ToSchema for Classification {}

impl Serialize for Classification {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// What the gate does with an upload, mildest first.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Decision {
    /// Take it.
    Accept,
    /// Ask for another photograph; the reasons say how.
    Retake,
    /// A person looks at it.
    Review,
    /// Refuse it.
    Reject,
}

impl Decision {
    /// The name in the JSON contract.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The exit code of a program that checked one photograph: 0 accepted, 1 not accepted, 3 for a person to look at. 2 is
    /// for what could not be examined ([`crate::capture::Category::exit_code`]).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Accept => 0,
            Self::Retake | Self::Reject => 1,
            Self::Review => 3,
        }
    }
}

/// Which document, and which side of it; in the order of the classifier's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumString, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = String, parse_err_fn = no_face)]
#[non_exhaustive]
pub enum Face {
    /// An identity card or driving licence, the side with the portrait.
    PortraitSide,
    /// The other side of a Chinese resident identity card, with the emblem.
    EmblemSide,
    /// Any other card.
    Card,
    /// The data page of a passport.
    PassportPage,
    /// A business licence or certificate.
    Licence,
    /// A letter, form or receipt.
    Page,
    /// Nothing of these.
    None,
}

impl Face {
    /// The name in the JSON contract and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

fn no_face(text: &str) -> String {
    let known: Vec<_> = Face::VARIANTS.iter().map(|face| face.name()).collect();
    format!("`{text}` is none of {}", known.join(", "))
}

/// What the document seems to be, by shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DocumentKind {
    /// ID-1 card, 85.6 × 54.0 mm.
    Card,
    /// A page in the proportions of ISO 216 (A4, A5, …), 1 : √2.
    Page,
    /// Any other quadrilateral.
    Other,
}

/// Language of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "service", schema(as = Lang))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese (simplified).
    Zh,
}

impl Language {
    /// The name in HTTP.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh-CN",
        }
    }

    /// The one of two texts that is in this language.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

/// A ninth of a document, named as it is seen upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// Upper left.
    UpperLeft,
    /// Above the middle.
    UpperMiddle,
    /// Upper right.
    UpperRight,
    /// Left of the middle.
    MiddleLeft,
    /// The middle.
    Middle,
    /// Right of the middle.
    MiddleRight,
    /// Lower left.
    LowerLeft,
    /// Below the middle.
    LowerMiddle,
    /// Lower right.
    LowerRight,
}

impl Zone {
    /// Row by row from the upper left.
    pub const ALL: [Self; 9] = [
        Self::UpperLeft,
        Self::UpperMiddle,
        Self::UpperRight,
        Self::MiddleLeft,
        Self::Middle,
        Self::MiddleRight,
        Self::LowerLeft,
        Self::LowerMiddle,
        Self::LowerRight,
    ];

    /// The zone that holds the point at (`x`, `y`) in shares of the document's width and height.
    #[must_use]
    pub fn at(x: f32, y: f32) -> Self {
        let third = |v: f32| ((v * 3.0).max(0.0) as usize).min(2);
        Self::ALL[third(y) * 3 + third(x)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_is_read_by_its_name_and_another_name_is_refused_with_those_there_are() {
        for face in Face::VARIANTS {
            assert_eq!(face.name().parse(), Ok(*face));
            assert_eq!(serde_json::to_value(face).expect("a name"), face.name());
        }
        let refused = "card_side".parse::<Face>().expect_err("no such face");
        assert!(refused.starts_with("`card_side` is none of portrait_side, emblem_side, card,"), "{refused}");
    }
}
