//! Overview → the document's four corners, and the device around it when it is shown on one.

use serde::Serialize;

use super::Overview;
use crate::geometry::Quad;

/// What the document seems to be, by shape alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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

/// A document found in the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Corners in upright capture pixels, clockwise from the top left; may lie outside the picture when cut off.
    pub quad: Quad,
    /// By shape.
    pub kind: DocumentKind,
    /// How much of the border was seen as an edge, 0 to 1.
    pub edge_support: f32,
    /// The device around it.
    pub device: Option<Device>,
}

impl Document {
    /// Pixels per millimetre along the long side, for a format of known size: ID-1 (ISO/IEC 7810).
    #[must_use]
    pub fn px_per_mm(&self) -> Option<f64> {
        let [top, right, bottom, left] = self.quad.sides().map(f64::from);
        let long = f64::midpoint(top, bottom).max(f64::midpoint(right, left));
        match self.kind {
            DocumentKind::Card => Some(long / 85.6),
            DocumentKind::Page | DocumentKind::Other => None,
        }
    }
}

/// A rectangle concentric with the document: the border of a screen or device.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Corners in upright capture pixels, clockwise.
    pub quad: Quad,
    /// How much of its border was seen as an edge, 0 to 1.
    pub edge_support: f32,
}

/// Searches the overview for a document.
pub(super) fn find(_overview: &Overview) -> Option<Document> {
    None
}
