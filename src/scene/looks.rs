//! What was found in the picture → where the second look goes: that, and what lies about it. `models/train/data/looks.py`
//! does the same for training.

use image::RgbImage;

use super::overview::Overview;
use crate::geometry::PixelRect;

/// How much more is seen on each side, as a share of the width and height of what was found.
const AROUND: f32 = 0.5;
/// From this share of the picture on, a look at what was found and about it is a look at the whole again.
const NEARLY_ALL: f32 = 0.8;

/// The second look at a capture.
#[derive(Debug, Clone)]
pub struct Near {
    /// The part of the capture that is seen, in its pixels.
    pub rect: PixelRect,
    /// That part, squashed.
    pub pixels: RgbImage,
}

impl Near {
    /// Looks at `found` (left, top, right, bottom in shares of the picture) and what is about it; `None` where that is
    /// nearly all of the picture.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(super) fn of(overview: &Overview, found: [f32; 4], side: u32) -> Option<Self> {
        let seen = about(found)?;
        let at = |share: f32, length: u32| (share * length as f32 * overview.scale).round() as u32;
        let (width, height) = overview.luma.dimensions();
        let (left, top) = (at(seen[0], width), at(seen[1], height));
        Some(Self {
            rect: PixelRect::new(left, top, at(seen[2], width) - left, at(seen[3], height) - top),
            pixels: overview.part(seen, side),
        })
    }
}

fn about([left, top, right, bottom]: [f32; 4]) -> Option<[f32; 4]> {
    let (x, y) = ((right - left) * AROUND, (bottom - top) * AROUND);
    let seen = [(left - x).max(0.0), (top - y).max(0.0), (right + x).min(1.0), (bottom + y).min(1.0)];
    Some(seen).filter(|seen| (seen[2] - seen[0]) * (seen[3] - seen[1]) < NEARLY_ALL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_what_was_found_is_seen_on_each_side_as_far_as_there_is_picture() {
        let seen = about([0.4, 0.5, 0.6, 0.9]).expect("a part of the picture");
        for (found, expected) in seen.into_iter().zip([0.3, 0.3, 0.7, 1.0]) {
            assert!((found - expected).abs() < 1e-6, "{seen:?}");
        }
    }

    #[test]
    fn what_is_nearly_all_of_the_picture_is_not_looked_at_again() {
        assert_eq!(about([0.0, 0.0, 1.0, 1.0]), None);
        assert_eq!(about([0.1, 0.1, 0.8, 0.8]), None);
    }
}
