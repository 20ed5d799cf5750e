//! The address that a phone is to open → a QR code.

use qrcode::QrCode;
use qrcode::render::svg;

use crate::service::http::problem::{Kind, Problem};

/// Least width and height in pixels.
const SIDE_PX: u32 = 240;

/// The QR code of `address` as SVG.
pub(crate) fn svg(address: &str) -> Result<String, Problem> {
    let code = QrCode::new(address).map_err(|_| {
        Problem::new(Kind::Internal, "The address is too long for a QR code.", "地址过长，无法生成二维码。")
    })?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(SIDE_PX, SIDE_PX).build())
}
