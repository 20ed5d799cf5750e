//! Bytes → [`Capture`]: the only place that calls a picture decoder.

use super::{Capture, CaptureError, Container, Limits, MediaType, Metadata, Orientation, Pixels, Upload};

/// Decodes an upload, once, to upright pixels at native resolution.
///
/// # Errors
/// A [`CaptureError`] in the uploader's words when the file is no picture, not whole, too large or damaged.
pub fn decode(upload: &Upload<'_>, limits: &Limits) -> Result<Capture, CaptureError> {
    if upload.bytes.is_empty() {
        return Err(CaptureError::Empty);
    }
    if upload.bytes.len() > limits.bytes {
        return Err(CaptureError::TooManyBytes { bytes: upload.bytes.len(), limit: limits.bytes });
    }
    #[allow(clippy::disallowed_methods)]
    let rgb = image::load_from_memory(upload.bytes).map_err(|_| CaptureError::Undecodable)?.to_rgb8();
    let (width, height) = rgb.dimensions();
    let samples = rgb.pixels().flat_map(|p| p.0).collect();
    let pixels = Pixels::new(width, height, samples, Orientation::Upright).ok_or(CaptureError::Undecodable)?;
    Ok(Capture::new(MediaType::Jpeg, pixels, Metadata::default(), Container::default()))
}
