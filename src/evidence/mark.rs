//! A place on the picture → what an overlay draws there, and how strongly.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;
use crate::vocabulary::Zone;

/// What a mark shows, so that an overlay can choose its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum MarkKind {
    /// The document's border.
    Document,
    /// Border of a device around the document.
    Device,
    /// An edge line of a device or frame.
    Edge,
    /// A tile with a periodic pattern; strength is the vote.
    Pattern,
    /// The tile whose spectrum shows the pattern best.
    Spectrum,
    /// A printed dot lattice.
    Halftone,
    /// A tile as the texture network saw it; strength is its share of the score.
    Heat,
    /// Clipped highlights.
    Glare,
    /// Text that cannot be read well.
    Blur,
    /// Something that lies over the document.
    Cover,
    /// A corner or side outside the picture.
    Cut,
    /// A code.
    Code,
    /// The line in which the document's number stands.
    Number,
    /// The line that says until when it holds.
    Validity,
    /// A seal.
    Seal,
    /// The line in which the document names itself.
    Title,
}

/// A place on the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "service", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What it shows.
    pub kind: MarkKind,
    /// Two points are a line, more a closed polygon; upright capture pixels.
    pub polygon: Vec<Point>,
    /// How strongly, 0 to 1.
    pub strength: f32,
    /// Where on the document its middle lies, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}
