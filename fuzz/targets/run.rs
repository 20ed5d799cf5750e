//! Bytes → each of the ways in which bytes from outside come in.

use bonafide::benchmark::{Stored, read_labels};
use bonafide::capture::{Limits, Upload, declared, decode, segments};
use bonafide::checker::known_readings;
use bonafide::policy::Policy;

/// Every target by name.
pub const TARGETS: [(&str, fn(&[u8])); 6] = [
    ("decode", pixels),
    ("container", container),
    ("metadata", metadata),
    ("labels", labels),
    ("policy", policy),
    ("json", json),
];

/// Limits within which a fuzzer is quick.
fn limits() -> Limits {
    Limits { pixels: 1 << 20, allocation: 64 << 20, ..Limits::default() }
}

/// A file of any format.
pub fn pixels(data: &[u8]) {
    let _ = decode(&Upload { bytes: data, name: None }, &limits());
}

/// What a file declares, without a decoder.
pub fn container(data: &[u8]) {
    let _ = declared(data);
    segments(data).for_each(drop);
}

/// An EXIF or XMP block, in a picture that is whole.
pub fn metadata(data: &[u8]) {
    const PICTURE: &[u8] = include_bytes!("../../tests/fixtures/grey.jpg");
    let data = &data[..data.len().min(65_000)];
    let mut file = PICTURE[..2].to_vec();
    for prefix in [&b"Exif\0\0"[..], b"http://ns.adobe.com/xap/1.0/\0"] {
        file.extend([0xFF, 0xE1]);
        file.extend(((prefix.len() + data.len() + 2) as u16).to_be_bytes());
        file.extend(prefix);
        file.extend(data);
    }
    file.extend(&PICTURE[2..]);
    assert!(decode(&Upload { bytes: &file, name: None }, &limits()).is_ok(), "metadata never hides a picture");
}

/// A file of labels, a table or JSON Lines.
pub fn labels(data: &[u8]) {
    let path = std::env::temp_dir().join(format!("bonafide-labels-{}", std::process::id()));
    std::fs::write(&path, data).expect("a temporary file");
    let _ = read_labels(&path);
    std::fs::remove_file(&path).expect("it was there");
}

/// A policy.
pub fn policy(data: &[u8]) {
    let _ = Policy::parse(&String::from_utf8_lossy(data), &known_readings());
}

/// A row of an earlier benchmark.
pub fn json(data: &[u8]) {
    let _ = serde_json::from_slice::<Stored>(data);
}
