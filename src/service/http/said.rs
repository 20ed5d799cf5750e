//! What a caller says of an upload of its own → texts that can be kept: its reference, and small metadata.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Characters of a reference.
const REFERENCE_CHARS: usize = 128;

/// Members of metadata, characters of a name and of a value, and bytes of all as JSON, which the field of a form holds.
const MEMBERS: usize = 16;
const NAME_CHARS: usize = 40;
const VALUE_CHARS: usize = 200;
const METADATA_BYTES: usize = 1000;

/// The caller's own id of an applicant or transaction: 1 to 128 characters, none of them a control character.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reference(String);

impl Reference {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

// Neither is to stand in a log.
impl std::fmt::Debug for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reference(..)")
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let length = text.chars().count();
        if !(1..=REFERENCE_CHARS).contains(&length) || text.chars().any(char::is_control) {
            let told = format!("a `reference` has 1 to {REFERENCE_CHARS} characters, none of them a control character");
            return Err(de::Error::custom(told));
        }
        Ok(Self(text.into_owned()))
    }
}

impl PartialSchema for Reference {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(REFERENCE_CHARS));
        text.description(Some("The caller's own id of an applicant or transaction; no control characters.")).into()
    }
}

impl ToSchema for Reference {}

/// What else a caller says of an upload: an object of texts, at most 16, at most 1,000 bytes as JSON.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Metadata(String);

impl Metadata {
    /// As JSON.
    pub(crate) fn as_json(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Metadata {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metadata(..)")
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let object: &RawValue = serde_json::from_str(&self.0).map_err(ser::Error::custom)?;
        object.serialize(serializer)
    }
}

/// In a body it is an object; a query and a form have its JSON as text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Object(BTreeMap<String, String>),
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let refuse = || {
            de::Error::custom(format!(
                "`metadata` is a JSON object of at most {MEMBERS} texts, with names of 1 to {NAME_CHARS} characters, \
                 values of at most {VALUE_CHARS}, no control characters, and {METADATA_BYTES} bytes in all"
            ))
        };
        let members = match Written::deserialize(deserializer).map_err(|_| refuse())? {
            Written::Object(members) => members,
            Written::Text(text) => serde_json::from_str(&text).map_err(|_| refuse())?,
        };
        let plain = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        let sound = members
            .iter()
            .all(|(name, value)| !name.is_empty() && plain(name, NAME_CHARS) && plain(value, VALUE_CHARS));
        let json = serde_json::to_string(&members).map_err(de::Error::custom)?;
        if !sound || members.len() > MEMBERS || json.len() > METADATA_BYTES {
            return Err(refuse());
        }
        Ok(Self(json))
    }
}

impl PartialSchema for Metadata {
    fn schema() -> RefOr<Schema> {
        let value = ObjectBuilder::new().schema_type(Type::String).max_length(Some(VALUE_CHARS));
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(value.into()))))
            .max_properties(Some(MEMBERS))
            .description(Some("What else the caller says: texts by name, at most 16, 1,000 bytes as JSON."))
            .into()
    }
}

impl ToSchema for Metadata {}

/// Metadata of a row as an answer has it.
pub(crate) fn object(json: Option<String>) -> Option<Box<RawValue>> {
    json.and_then(|json| RawValue::from_string(json).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn metadata(value: Value) -> Result<String, String> {
        serde_json::from_value::<Metadata>(value).map(|read| read.as_json().to_owned()).map_err(|e| e.to_string())
    }

    #[test]
    fn metadata_is_an_object_or_its_text() {
        assert_eq!(metadata(json!({"b": "2", "a": "一"})).unwrap(), r#"{"a":"一","b":"2"}"#);
        assert_eq!(metadata(json!(r#"{"a": "1"}"#)).unwrap(), r#"{"a":"1"}"#);
        let many: BTreeMap<_, _> = (0..17).map(|at| (at.to_string(), "x")).collect();
        let large: BTreeMap<_, _> = (0..9).map(|at| (at.to_string(), "x".repeat(200))).collect();
        for wrong in [
            json!({"a": 1}),
            json!({"a": {"b": "c"}}),
            json!([]),
            json!("a"),
            json!(7),
            json!({"": "x"}),
            json!({"a\u{0}": "x"}),
            json!({"a": "x\ny"}),
            json!({ "x".repeat(41): "x" }),
            json!({"a": "x".repeat(201)}),
            json!(many),
            json!(large),
        ] {
            assert!(metadata(wrong.clone()).is_err_and(|told| told.contains("`metadata`")), "{wrong}");
        }
    }

    #[test]
    fn a_reference_is_bounded_and_not_shown() {
        let read = |text: &str| serde_json::from_value::<Reference>(json!(text));
        let reference = read("订单 4711").unwrap();
        assert_eq!((reference.as_str(), format!("{reference:?}").as_str()), ("订单 4711", "Reference(..)"));
        assert!(read(&"一".repeat(128)).is_ok());
        for wrong in ["", &"x".repeat(129), "a\nb", "a\u{0}"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
