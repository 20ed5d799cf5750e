//! A file → the same pixels with and without what the file says of itself.

use super::reason::{Control, Test, measured};
use super::{By, Deleted, QUALITY};
use crate::benchmark::run::{encode, picture};
use crate::capture::{Capture, CaptureError, MediaType, Upload, segments};
use crate::checker::Checker;
use crate::scene::Deadline;

/// What becomes of a reason when the pixels are kept, as JPEG of quality 98, and everything else that the file says is
/// left away, its name included. The control is the same JPEG with what the file says put back; only a JPEG has one.
pub(super) fn by_metadata(
    checker: &Checker,
    upload: &Upload<'_>,
    capture: &Capture,
    test: &Test<'_>,
) -> Result<(Deleted, u32), CaptureError> {
    let bytes = encode(&picture(capture)?, Some(QUALITY)).map_err(|_| CaptureError::Undecodable)?;
    let value = |bytes: &[u8], name| {
        let report = checker.check(&Upload { bytes, name }, Deadline::NEVER)?;
        Ok::<_, CaptureError>(measured(&report, &test.reason.reading))
    };
    let after = value(&bytes, None)?;
    let kept = (capture.media_type == MediaType::Jpeg).then(|| with_segments_of(upload.bytes, &bytes));
    let random = kept.map(|kept| value(&kept, upload.name)).transpose()?;
    let checks = 1 + u32::from(random.is_some());
    // Nothing but what the file says was changed: the upload as it came is what is compared.
    Ok((test.row(By::Metadata, 0.0, [Some(test.reason.score), after], random.map(Control)), checks))
}

/// The JPEG `picture` with the application segments and comments of the JPEG `source`, except those that say how its
/// samples are coded.
fn with_segments_of(source: &[u8], picture: &[u8]) -> Vec<u8> {
    const JFIF: u8 = 0xE0;
    const ADOBE: u8 = 0xEE;
    const COMMENT: u8 = 0xFE;
    const SCAN: u8 = 0xDA;
    let said = |code: u8| code == COMMENT || (JFIF + 1..=JFIF + 15).contains(&code) && code != ADOBE;
    let kept: Vec<u8> = segments(source)
        .take_while(|segment| segment.code != SCAN)
        .filter(|segment| said(segment.code) && segment.data.is_some())
        .flat_map(|segment| &source[segment.start..segment.end])
        .copied()
        .collect();
    let (start, others) = picture.split_at(picture.len().min(2));
    [start, &kept, others].concat()
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage};

    use super::*;
    use crate::capture::{Limits, decode};

    #[test]
    fn segments_are_put_back_and_the_picture_stays() {
        let small = |value: u8| {
            let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(32, 24, Rgb([value; 3])));
            encode(&picture, Some(QUALITY)).expect("encoded")
        };
        let exif = b"\xFF\xE1\x00\x0EExif\0\0II\x2A\0\0\0";
        let source = [&small(90)[..2], exif, &small(90)[2..]].concat();
        let kept = with_segments_of(&source, &small(120));
        assert_eq!(kept.len(), small(120).len() + exif.len());
        assert_eq!(&kept[2..2 + exif.len()], exif);
        let decoded = decode(&Upload { bytes: &kept, name: None }, &Limits::default()).expect("whole");
        assert_eq!(picture(&decoded).expect("pixels").into_rgb8().get_pixel(3, 3).0[0].abs_diff(120), 0);
        for broken in
            [&b""[..], b"\xFF", b"\xFF\xD8\xFF\xE1", b"\xFF\xD8\xFF\xE1\x00\x00", b"\xFF\xD8\xFF\xE1\xFF\xFFab"]
        {
            assert_eq!(with_segments_of(broken, &small(120)), small(120));
        }
    }
}
