//! HEIC → planes, after its structure was counted.

use super::container::{self, Survey};
use super::decode::{in_planes, on_white, rgb_to_ycc};
use super::planes::{Planes, Sampling};
use super::{CaptureError, Limits};

/// The file's whole boxes, without what a maker put after them.
///
/// # Errors
/// Truncated where they do not hold the whole picture.
pub(super) fn whole<'a>(bytes: &'a [u8], survey: &mut Survey) -> Result<&'a [u8], CaptureError> {
    if !survey.complete {
        let boxes = bytes.get(..survey.boxes_end).filter(|boxes| container::is_whole(boxes));
        let boxes = boxes.ok_or(CaptureError::Truncated)?;
        survey.complete = true;
        survey.container.trailing_bytes = bytes.len() - boxes.len();
        return Ok(boxes);
    }
    Ok(bytes)
}

pub(super) fn survey(bytes: &[u8], survey: &mut Survey, limits: &Limits) -> Result<(), CaptureError> {
    let plan = container::plan(bytes, limits)?;
    let info = heic_decoder::probe(bytes).map_err(|e| error(&e, plan))?;
    survey.size = u32::try_from(info.coded_width).ok().zip(u32::try_from(info.coded_height).ok());
    survey.container.alpha = info.alpha_bit_depth.is_some();
    if let Ok(found) = heic_decoder::read_metadata(bytes) {
        survey.exif = found.exif.filter(|b| b.len() <= 4 << 20);
        survey.container.icc_profile = found.icc_profile.map(|profile| container::icc_name(&profile));
        if let Some(xmp) = found.xmp.filter(|b| b.len() <= 4 << 20) {
            container::source_types(&xmp, &mut survey.container.digital_source_types);
            survey.xmp = Some(xmp);
        }
    }
    Ok(())
}

fn error(error: &heic_decoder::HeifError, plan: container::Plan) -> CaptureError {
    match error {
        heic_decoder::HeifError::Unsupported(_) => CaptureError::unsupported("A HEIC of an unusual kind"),
        _ if plan.unusual => CaptureError::unsupported("A HEIC of an unusual kind"),
        heic_decoder::HeifError::LimitExceeded(_) => CaptureError::TooCostly,
        _ => CaptureError::Undecodable,
    }
}

/// Planes of 8 bits, chroma repeated; through RGB when the file's matrix is not full-range BT.601.
pub(super) fn planes(bytes: &[u8], limits: &Limits) -> Result<Planes, CaptureError> {
    let plan = container::plan(bytes, limits)?;
    let info = heic_decoder::probe(bytes).map_err(|e| error(&e, plan))?;
    let (width, height) = (info.coded_width as u32, info.coded_height as u32);
    // The decoder's planes of 32-bit samples at 4:2:0, and those that are kept.
    if u64::from(width) * u64::from(height) * 9 > limits.allocation {
        let limit = format!("{} MiB of memory", limits.allocation >> 20);
        return Err(CaptureError::TooLarge { width, height, limit });
    }
    let picture = heic_decoder::decode(bytes).map_err(|e| error(&e, plan))?;
    let (width, height) = (picture.width, picture.height);
    let matrix_fits = picture.color_info.is_some_and(|c| c.full_range && matches!(c.matrix_coefficients, 5 | 6));
    let grey = picture.cb.is_empty();
    if !grey && (!matrix_fits || picture.alpha.is_some()) {
        let mut rgb = if picture.alpha.is_some() {
            on_white::<4>(picture.to_rgba8().map_err(|e| error(&e, plan))?.data)
        } else {
            picture.to_rgb8().map_err(|e| error(&e, plan))?.data
        };
        rgb_to_ycc(&mut rgb);
        return in_planes((width as u32, height as u32, rgb));
    }
    if width * height == 0 || picture.y.len() != width * height {
        return Err(CaptureError::Undecodable);
    }
    let eight = |value: i32, depth: u32| (value >> depth.saturating_sub(8)).clamp(0, 255) as u8;
    let mut planes = Planes::unwritten(width as u32, height as u32, (!grey).then_some(Sampling::FULL));
    let [luma, blue, red] = planes.split_mut();
    for (out, &value) in luma.iter_mut().zip(&picture.y) {
        *out = eight(value, picture.bit_depth_luma);
    }
    let (across, down) = (width.div_ceil(picture.cb_width.max(1)), height.div_ceil(picture.cb_height.max(1)));
    for (plane, stored) in [(blue, &picture.cb), (red, &picture.cr)] {
        for (row, line) in plane.chunks_exact_mut(width).enumerate() {
            let start = (row / down) * picture.cb_width;
            let samples = stored.get(start..start + picture.cb_width).ok_or(CaptureError::Undecodable)?;
            for (column, out) in line.iter_mut().enumerate() {
                *out = eight(samples[(column / across).min(picture.cb_width - 1)], picture.bit_depth_chroma);
            }
        }
    }
    Ok(planes)
}
