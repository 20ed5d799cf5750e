//! A JSON body with a picture in base64, as cloud services take it → the picture, and what stands beside it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::value::RawValue;

use super::intake::{FIELD_BYTES, Fields, MOST_FIELDS, Picture, too_large};
use super::problem::Problem;

/// With or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes of base64 that `bytes` become, with a line break of two for each line of 76.
pub(crate) const fn encoded_bytes(bytes: usize) -> usize {
    let letters = bytes.div_ceil(3) * 4;
    letters + letters.div_ceil(76) * 4
}

/// The picture of a JSON body, at most `most` bytes of it, and its other members as a form's fields would be.
pub(crate) fn picture(body: &[u8], most: usize) -> Result<(Picture, Fields), Problem> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(|_| refused())?;
    let image = members.remove("image").ok_or_else(refused)?;
    let bytes = decoded(&text(image).ok_or_else(refused)?)?;
    if bytes.len() > most {
        return Err(too_large(most));
    }
    if members.len() > MOST_FIELDS {
        return Err(refused());
    }
    let mut fields = Fields::new();
    for (name, value) in members {
        let raw = value.get();
        let told = match raw.as_bytes().first() {
            _ if raw == "null" => continue,
            Some(b'"') => text(value).ok_or_else(refused)?.into_owned(),
            Some(b'[') | None => return Err(refused()),
            Some(_) => raw.to_owned(),
        };
        if told.len() > FIELD_BYTES {
            return Err(refused());
        }
        fields.push((name, told));
    }
    Ok((Picture { bytes: bytes.into(), name: None }, fields))
}

/// A JSON string; without a copy where nothing in it is escaped.
fn text(value: &RawValue) -> Option<Cow<'_, str>> {
    let plain: Result<&str, _> = serde_json::from_str(value.get());
    plain.map(Cow::Borrowed).ok().or_else(|| serde_json::from_str(value.get()).map(Cow::Owned).ok())
}

/// The bytes of base64, behind the head of a `data:` URL or not, in lines or not.
fn decoded(text: &str) -> Result<Vec<u8>, Problem> {
    let behind = |text: &str| text.starts_with("data:").then(|| text.find(";base64,").map(|at| at + 8)).flatten();
    let text = &text[behind(text).unwrap_or(0)..];
    let lines = text.bytes().any(|byte| byte.is_ascii_whitespace());
    let text: Cow<'_, str> = if lines { text.split_ascii_whitespace().collect() } else { text.into() };
    BASE64.decode(text.as_bytes()).map_err(|_| refused())
}

fn refused() -> Problem {
    Problem::bad_request(
        "The body is a JSON object with the picture in base64 as `image`; its other members count like query parameters.",
        "请求体应为 JSON 对象，image 为图片的 Base64，其余成员等同于查询参数。",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_taken_as_clients_write_it() {
        let picture =
            |body: &str| picture(body.as_bytes(), 8).map(|(picture, fields)| (picture.bytes.to_vec(), fields));
        // PHP escapes slashes, MIME encoders break lines, browsers give `data:` URLs, and some leave the padding out.
        let written = ["/+8=", r"\/+8=", "/+8", r"/+\n8=", "data:image/jpeg;base64,/+8="];
        for image in written {
            let (bytes, fields) = picture(&format!(r#"{{"image":"{image}"}}"#)).unwrap();
            assert_eq!((bytes, fields.len()), (vec![255, 239], 0), "{image}");
        }
        let said = r#"{"image":"AA==","name":"a.jpg","overlay":true,"policy":null,"metadata":{"a":"b"}}"#;
        let fields = picture(said).unwrap().1;
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("metadata", r#"{"a":"b"}"#), ("name", "a.jpg"), ("overlay", "true")]);
    }

    #[test]
    fn what_is_none_is_refused() {
        let code = |body: &str| picture(body.as_bytes(), 8).map(|_| ()).map_err(|problem| problem.code());
        let long = format!(r#"{{"image":"AA==","name":"{}"}}"#, "x".repeat(1025));
        let many: Vec<_> = (0..20).map(|at| format!(r#","{at}":1"#)).collect();
        let many = many.concat();
        let many = format!(r#"{{"image":"AA=="{many}}}"#);
        let deep = format!(r#"{{"image":"AA==","x":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000));
        for body in [
            "",
            "[]",
            "{}",
            "null",
            r#"{"image":7}"#,
            r#"{"image":"*"}"#,
            r#"{"image":"A"}"#,
            r#"{"image":"AA==","x":[1]}"#,
            r#"{"image":"data:image/png,AA=="}"#,
            &long,
            &many,
            &deep,
        ] {
            assert_eq!(code(body), Err("bad_request"), "{body:.60}");
        }
        assert_eq!(code(r#"{"image":"AAAAAAAAAAAAAAAA"}"#), Err("too_large"));
        assert_eq!(code(r#"{"image":""}"#), Ok(()));
    }
}
