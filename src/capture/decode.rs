//! Bytes → [`Capture`]: the only place that calls a picture decoder.

use std::borrow::Cow;
use std::cell::Cell;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader};
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::{JpegDecoder, RawImcuRowStatus};

use super::container::{self, Survey};
#[cfg(feature = "heic")]
use super::heic;
use super::planes::{Planes, Sampling};
use super::{Capture, CaptureError, Limits, MediaType, Orientation, Pixels, Upload, metadata};

/// Decodes an upload, once, to upright pixels at native resolution.
///
/// The format is told by content, the declared size is checked before anything is allocated for it, and a file that
/// ends before its picture does is refused even where a decoder would fill the rest with grey.
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
    let media_type = container::sniff(upload.bytes)?;
    let decoded = quietly(|| match media_type {
        MediaType::Pdf => page(upload, limits),
        _ => examine(media_type, upload, limits),
    });
    let mut capture = decoded.unwrap_or(Err(CaptureError::Undecodable))?;
    capture.container.bytes = upload.bytes.len();
    Ok(capture)
}

/// The picture that is the only page of a PDF.
fn page(upload: &Upload<'_>, limits: &Limits) -> Result<Capture, CaptureError> {
    let (bytes, turned) = container::pdf_picture(upload.bytes)?;
    let mut capture = examine(MediaType::Jpeg, &Upload { bytes, name: upload.name }, limits)?;
    capture.media_type = MediaType::Pdf;
    // A viewer looks at the page, not at what the picture says of itself.
    capture.pixels = capture.pixels.turned(turned);
    Ok(capture)
}

fn examine(media_type: MediaType, upload: &Upload<'_>, limits: &Limits) -> Result<Capture, CaptureError> {
    let mut bytes = upload.bytes;
    let mut survey = container::survey(media_type, bytes);
    if media_type == MediaType::Heic {
        bytes = heic::whole(bytes, &mut survey)?;
        heic::survey(bytes, &mut survey, limits)?;
    }
    if let Some(error) = survey.refused.take() {
        return Err(error);
    }
    let Some((width, height)) = survey.size else {
        return Err(if survey.complete { CaptureError::Undecodable } else { CaptureError::Truncated });
    };
    check_size(width, height, limits)?;
    if !survey.complete {
        return Err(CaptureError::Truncated);
    }
    let xmp = survey.xmp.take();
    let mut metadata = metadata::read(survey.exif.take(), xmp.as_deref(), media_type == MediaType::Tiff);
    metadata.says_screenshot |= upload.name.is_some_and(metadata::names_screenshot);
    // A HEIC decoder turns the picture by the file's own property; the EXIF value repeats it.
    let orientation = if media_type == MediaType::Heic {
        Orientation::Upright
    } else {
        let stated = survey.orientation.or(metadata.orientation);
        stated.map_or(Orientation::Upright, Orientation::from_exif)
    };
    let planes = match media_type {
        MediaType::Jpeg if survey.odd => jpeg(&container::plain(bytes, height), limits)?,
        MediaType::Jpeg => jpeg(bytes, limits)?,
        MediaType::Heic => heic::planes(bytes, limits)?,
        other => {
            let plain = match other {
                MediaType::Png if survey.odd => Cow::Owned(container::plain_png(bytes)),
                MediaType::WebP if survey.odd => Cow::Owned(container::plain_webp(bytes)),
                _ => Cow::Borrowed(bytes),
            };
            strips_are_whole(bytes, &survey, limits)?;
            raster(&plain, other, (width, height), limits).and_then(in_planes)?
        }
    };
    Ok(Capture::new(media_type, Pixels::of(planes, orientation), metadata, survey.container))
}

/// Whether every JPEG of a TIFF is whole: the decoder that `image` uses for them fills up what is missing.
fn strips_are_whole(bytes: &[u8], survey: &Survey, limits: &Limits) -> Result<(), CaptureError> {
    for (start, length) in &survey.strips {
        let strip = start.checked_add(*length).and_then(|end| bytes.get(*start..end)).ok_or(CaptureError::Truncated)?;
        // Tables that all strips share have a begin and an end of their own.
        let tables = survey.shared.strip_suffix(b"\xFF\xD9").unwrap_or(&survey.shared);
        if tables.is_empty() {
            jpeg(strip, limits)?;
        } else {
            jpeg(&[tables, strip.get(2..).unwrap_or_default()].concat(), limits)?;
        }
    }
    Ok(())
}

/// Width, height and interleaved Y Cb Cr or Y.
pub(super) type Samples = (u32, u32, Vec<u8>);

pub(super) fn in_planes((width, height, samples): Samples) -> Result<Planes, CaptureError> {
    Planes::of(width, height, &samples).ok_or(CaptureError::Undecodable)
}

pub(super) fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), CaptureError> {
    let smallest = width.min(height);
    if width.max(height) > limits.side {
        return Err(CaptureError::TooLarge { width, height, limit: format!("{} pixels a side", limits.side) });
    }
    if u64::from(width) * u64::from(height) > limits.pixels {
        let limit = format!("{} megapixels", limits.pixels / 1_000_000);
        return Err(CaptureError::TooLarge { width, height, limit });
    }
    if smallest < limits.smallest_side {
        return Err(CaptureError::TooSmall { width, height, limit: limits.smallest_side });
    }
    Ok(())
}

/// Planes straight from the decoder, as the file samples them. Its own upsampling and colour conversion run only for
/// RGB, CMYK and YCCK, and where chroma does not stand for a whole number of pixels of full luma.
fn jpeg(bytes: &[u8], limits: &Limits) -> Result<Planes, CaptureError> {
    let side = limits.side as usize;
    let options = DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| CaptureError::Undecodable)?;
    let (width, height) = decoder.dimensions().ok_or(CaptureError::Undecodable)?;
    let stored = decoder.input_colorspace().ok_or(CaptureError::Undecodable)?;
    let wanted = match stored {
        ColorSpace::YCbCr | ColorSpace::Luma => stored,
        ColorSpace::RGB | ColorSpace::CMYK | ColorSpace::YCCK => ColorSpace::RGB,
        _ => return Err(CaptureError::unsupported("A JPEG of unusual colours")),
    };
    let (wide, high) = (width as u32, height as u32);
    let planes = if let Some(mut planes) = room(&mut decoder, stored, wide, high) {
        fill(&mut decoder, &mut planes)?;
        planes
    } else {
        decoder.set_options(options.jpeg_set_out_colorspace(wanted));
        let mut samples = decoder.decode().map_err(|e| jpeg_error(&e))?;
        if wanted == ColorSpace::RGB {
            rgb_to_ycc(&mut samples);
        }
        in_planes((wide, high, samples))?
    };
    Ok(planes)
}

fn jpeg_error(error: &zune_jpeg::errors::DecodeErrors) -> CaptureError {
    match error {
        zune_jpeg::errors::DecodeErrors::ExhaustedData => CaptureError::Truncated,
        _ => CaptureError::Undecodable,
    }
}

/// Planes of the sampling of the file, still to be written; `None` where its components are no such planes.
fn room(decoder: &mut JpegDecoder<ZCursor<&[u8]>>, stored: ColorSpace, width: u32, height: u32) -> Option<Planes> {
    let raw = decoder.raw_output();
    let [luma, blue, red, ..] =
        raw.layout()?.map(|p| (p.horizontal_sampling_factor as u32, p.vertical_sampling_factor as u32));
    let sampling = match (stored, raw.num_components()?) {
        (ColorSpace::Luma, 1) => None,
        (ColorSpace::YCbCr, 3) if blue == red && luma.0.is_multiple_of(blue.0) && luma.1.is_multiple_of(blue.1) => {
            Some(Sampling { across: luma.0 / blue.0, down: luma.1 / blue.1 })
        }
        _ => return None,
    };
    Some(Planes::unwritten(width, height, sampling))
}

/// Decodes into `planes`, row of blocks by row of blocks. A row that does not come is damage: the planes still hold an
/// earlier picture there.
fn fill(decoder: &mut JpegDecoder<ZCursor<&[u8]>>, planes: &mut Planes) -> Result<(), CaptureError> {
    let mut raw = decoder.raw_output();
    let count = raw.num_components().ok_or(CaptureError::Undecodable)?;
    let width = planes.size().0;
    let across = planes.sampling().map_or(width, |s| s.of(width, 1).0);
    let strides = [width as usize, across as usize, across as usize];
    let mut rest = planes.split_mut();
    loop {
        match raw.decode_next_imcu_row(&mut rest[..count], &strides[..count]) {
            Ok(RawImcuRowStatus::RowReady { rows_written }) => {
                for ((plane, stride), rows) in rest.iter_mut().zip(strides).zip(rows_written) {
                    *plane = std::mem::take(plane).get_mut(rows * stride..).ok_or(CaptureError::Undecodable)?;
                }
            }
            Ok(RawImcuRowStatus::Complete) => break,
            // More input is needed.
            Ok(_) => return Err(CaptureError::Truncated),
            Err(error) => return Err(jpeg_error(&error)),
        }
    }
    if rest.iter().all(|plane| plane.is_empty()) { Ok(()) } else { Err(CaptureError::Undecodable) }
}

/// What a PNG of `declared` pixels may take, in bytes: four samples of 16 bits, and room beside them.
fn png_allocation((width, height): (u32, u32), limits: &Limits) -> u64 {
    const ASIDE: u64 = 4 << 20;
    (u64::from(width) * u64::from(height)).saturating_mul(8).saturating_add(ASIDE).min(limits.allocation)
}

fn raster(bytes: &[u8], media_type: MediaType, declared: (u32, u32), limits: &Limits) -> Result<Samples, CaptureError> {
    let format = match media_type {
        MediaType::Png => ImageFormat::Png,
        MediaType::WebP => ImageFormat::WebP,
        MediaType::Bmp => ImageFormat::Bmp,
        MediaType::Gif => ImageFormat::Gif,
        _ => ImageFormat::Tiff,
    };
    let mut bounds = image::Limits::default();
    bounds.max_image_width = Some(limits.side);
    bounds.max_image_height = Some(limits.side);
    bounds.max_alloc =
        Some(if media_type == MediaType::Png { png_allocation(declared, limits) } else { limits.allocation });
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(bounds);
    let decoder = reader.into_decoder().map_err(|e| image_error(&e, media_type, None))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    if decoder.total_bytes() > limits.allocation {
        let limit = format!("{} MiB of memory", limits.allocation >> 20);
        return Err(CaptureError::TooLarge { width, height, limit });
    }
    let picture =
        DynamicImage::from_decoder(decoder).map_err(|e| image_error(&e, media_type, Some((width, height, limits))))?;
    let mut samples = match picture {
        DynamicImage::ImageLuma8(grey) => return Ok((width, height, grey.into_raw())),
        DynamicImage::ImageLuma16(_) => return Ok((width, height, picture.into_luma8().into_raw())),
        DynamicImage::ImageLumaA8(_) | DynamicImage::ImageLumaA16(_) => {
            return Ok((width, height, on_white::<2>(picture.into_luma_alpha8().into_raw())));
        }
        coloured if coloured.color().has_alpha() => on_white::<4>(coloured.into_rgba8().into_raw()),
        coloured => coloured.into_rgb8().into_raw(),
    };
    rgb_to_ycc(&mut samples);
    Ok((width, height, samples))
}

fn image_error(error: &image::ImageError, media_type: MediaType, size: Option<(u32, u32, &Limits)>) -> CaptureError {
    match (error, size) {
        (image::ImageError::IoError(e), _) if e.kind() == std::io::ErrorKind::UnexpectedEof => CaptureError::Truncated,
        (image::ImageError::Limits(_), Some((width, height, limits))) => {
            CaptureError::TooLarge { width, height, limit: format!("{} MiB of memory", limits.allocation >> 20) }
        }
        // Before its size is known: texts or tables that take more than the picture may.
        (image::ImageError::Limits(_), None) => CaptureError::TooCostly,
        (image::ImageError::Unsupported(_), _) => CaptureError::unsupported(match media_type {
            MediaType::Bmp => "A BMP of an unusual kind",
            MediaType::Tiff => "A TIFF of an unusual kind",
            _ => "A picture of this kind",
        }),
        _ => CaptureError::Undecodable,
    }
}

/// Lays `N - 1` colour channels over white by their alpha, in place.
pub(super) fn on_white<const N: usize>(mut samples: Vec<u8>) -> Vec<u8> {
    let count = samples.len() / N;
    for i in 0..count {
        let alpha = u32::from(samples[i * N + N - 1]);
        for c in 0..N - 1 {
            let over = (u32::from(samples[i * N + c]) * alpha + 255 * (255 - alpha) + 127) / 255;
            samples[i * (N - 1) + c] = over as u8;
        }
    }
    samples.truncate(count * (N - 1));
    samples
}

/// RGB → full-range BT.601 Y Cb Cr as in JFIF, in place, in 16-bit fixed point.
pub(super) fn rgb_to_ycc(samples: &mut [u8]) {
    const HALF: i32 = 1 << 15;
    const CENTRE: i32 = (128 << 16) + HALF;
    for pixel in samples.as_chunks_mut::<3>().0 {
        let [r, g, b] = pixel.map(i32::from);
        let clamp = |v: i32| (v >> 16).clamp(0, 255) as u8;
        *pixel = [
            clamp(19_595 * r + 38_470 * g + 7_471 * b + HALF),
            clamp(-11_059 * r - 21_709 * g + 32_768 * b + CENTRE),
            clamp(32_768 * r - 27_439 * g - 5_329 * b + CENTRE),
        ];
    }
}

#[cfg(not(feature = "heic"))]
mod heic {
    //! Built without the decoder.
    use super::{CaptureError, Limits, Planes, Survey};

    pub(super) fn whole<'a>(_: &'a [u8], _: &mut Survey) -> Result<&'a [u8], CaptureError> {
        Err(CaptureError::unsupported("HEIC"))
    }

    pub(super) fn survey(_: &[u8], _: &mut Survey, _: &Limits) -> Result<(), CaptureError> {
        Err(CaptureError::unsupported("HEIC"))
    }

    pub(super) fn planes(_: &[u8], _: &Limits) -> Result<Planes, CaptureError> {
        Err(CaptureError::unsupported("HEIC"))
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; `None` when it panicked, without a word on standard error.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                previous(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work)).ok();
    QUIET.set(before);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_convert_as_jfif_says() {
        let mut samples = vec![255, 255, 255, 0, 0, 0, 255, 0, 0, 0, 0, 255];
        rgb_to_ycc(&mut samples);
        assert_eq!(samples, [255, 128, 128, 0, 128, 128, 76, 85, 255, 29, 255, 107]);
    }

    #[test]
    fn transparent_pixels_become_white() {
        assert_eq!(on_white::<4>(vec![10, 20, 30, 0, 10, 20, 30, 255]), [255, 255, 255, 10, 20, 30]);
        assert_eq!(on_white::<2>(vec![0, 128]), [127]);
    }

    #[test]
    fn a_panic_is_a_damaged_picture() {
        assert_eq!(quietly(|| 3), Some(3));
        assert_eq!(quietly(|| -> u8 { panic!("inside a decoder") }), None);
    }
}
