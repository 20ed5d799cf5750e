//! Shares of a document's width and height → the ninth of it that a place lies in, and its name.

use serde::{Deserialize, Serialize};

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

    /// Its name in English and Chinese, as it stands in a sentence.
    #[must_use]
    pub const fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::UpperLeft => ("upper left", "左上部"),
            Self::UpperMiddle => ("upper middle", "上部"),
            Self::UpperRight => ("upper right", "右上部"),
            Self::MiddleLeft => ("left", "左部"),
            Self::Middle => ("middle", "中部"),
            Self::MiddleRight => ("right", "右部"),
            Self::LowerLeft => ("lower left", "左下部"),
            Self::LowerMiddle => ("lower middle", "下部"),
            Self::LowerRight => ("lower right", "右下部"),
        }
    }
}
