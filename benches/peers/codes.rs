//! Pictures → what this program, rqrr alone and rxing alone read of the QR codes in them, one JSON object a line.
//!
//! `benches/peers/qr.py` sets it beside other decoders.
#![allow(clippy::print_stdout, reason = "a program that prints")]

use bonafide::capture::{Limits, Upload, decode};
use bonafide::geometry::PixelRect;
use bonafide::scene::{Deadline, survey};
use image::GrayImage;
use rxing::common::HybridBinarizer;
use rxing::qrcode::QRCodeReader;
use rxing::{BinaryBitmap, DecodeHints, Luma8LuminanceSource, Reader};

fn by_rqrr(luma: &GrayImage) -> Vec<String> {
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(luma.width() as usize, luma.height() as usize, |x, y| {
            luma.get_pixel(x as u32, y as u32).0[0]
        });
    picture.detect_grids().into_iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect()
}

fn by_rxing(luma: &GrayImage) -> Vec<String> {
    let hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    let source = Luma8LuminanceSource::new(luma.as_raw().clone(), luma.width(), luma.height());
    let read = source.ok().and_then(|source| {
        QRCodeReader.decode_with_hints(&mut BinaryBitmap::new(HybridBinarizer::new(source)), &hints).ok()
    });
    read.into_iter().map(|read| read.getText().to_owned()).collect()
}

fn main() {
    for path in std::env::args().skip(1) {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(capture) = decode(&Upload { bytes: &bytes, name: None }, &Limits::default()) else { continue };
        let scene = survey(&capture, Deadline::NEVER);
        let ours: Vec<&String> = scene.codes().found.iter().filter_map(|code| code.content.as_ref()).collect();
        let Some(luma) = capture.luma(PixelRect::new(0, 0, capture.width(), capture.height())) else { continue };
        let row = serde_json::json!({
            "path": path, "bonafide": ours, "rqrr": by_rqrr(&luma), "rxing": by_rxing(&luma)
        });
        println!("{row}");
    }
}
