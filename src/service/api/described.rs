//! What the description of the API has beside the types: a tag and examples for each route.
//!
//! The examples were answered by the service; findings, marks and long texts are cut short.

use utoipa::openapi::path::{Operation, Paths};
use utoipa::openapi::{Content, RefOr, Tag};

use super::operations;

/// Tags by the beginning of a path, in the order of the documentation.
const TAGS: [(&str, &str, &str); 6] = [
    ("/v1/check", "checks", "One photograph, or many, to a verdict."),
    ("/v1/sessions", "hand-offs", "From a computer to the applicant's phone."),
    ("/v1/tokens", "hand-offs", "From a computer to the applicant's phone."),
    ("/v1/cases", "cases", "What was decided, and what people decide."),
    ("/v1/", "rules", "Policies, reasons, detectors, and what another policy would change."),
    ("/", "operation", "Whether the service is well."),
];

/// Method, path and what each is an example of: the request's body, or the answer of a status.
const EXAMPLES: [(&str, &str, &str, &str); 11] = [
    ("post", "/v1/check", "200", include_str!("examples/checked.json")),
    ("post", "/v1/check", "415", include_str!("examples/problem.json")),
    ("get", "/v1/cases", "200", include_str!("examples/cases.json")),
    ("get", "/v1/cases/{id}", "200", include_str!("examples/case.json")),
    ("post", "/v1/cases/{id}/decision", "body", include_str!("examples/decision.json")),
    ("post", "/v1/cases/{id}/decision", "200", include_str!("examples/decided.json")),
    ("post", "/v1/sessions", "body", include_str!("examples/new_session.json")),
    ("post", "/v1/sessions", "201", include_str!("examples/opened.json")),
    ("post", "/v1/tokens", "body", include_str!("examples/new_token.json")),
    ("post", "/v1/tokens", "201", include_str!("examples/token.json")),
    ("get", "/v1/reasons", "200", include_str!("examples/reasons.json")),
];

/// Adds them to `paths`; gives the tags.
pub(super) fn complete(paths: &mut Paths) -> Vec<Tag> {
    for (path, item) in &mut paths.paths {
        let tag = TAGS.iter().find(|(begin, ..)| path.starts_with(begin)).map(|(_, tag, _)| (*tag).to_owned());
        for operation in operations(item) {
            operation.tags = tag.clone().map(|tag| vec![tag]);
        }
    }
    for (method, path, of, text) in EXAMPLES {
        let Some(item) = paths.paths.get_mut(path) else { continue };
        let operation = match method {
            "get" => item.get.as_mut(),
            _ => item.post.as_mut(),
        };
        if let Some(operation) = operation {
            show(operation, of, text);
        }
    }
    let mut tags: Vec<Tag> = Vec::new();
    for (_, name, description) in TAGS {
        if !tags.iter().any(|tag| tag.name == name) {
            let mut tag = Tag::new(name);
            tag.description = Some(description.to_owned());
            tags.push(tag);
        }
    }
    tags
}

/// Puts the example into the JSON of the request's body or of an answer.
fn show(operation: &mut Operation, of: &str, text: &str) {
    let example = serde_json::from_str(text).ok();
    let put = |kind: &str, content: &mut RefOr<Content>| {
        if kind.ends_with("json")
            && let RefOr::T(content) = content
        {
            content.example.clone_from(&example);
        }
    };
    if of == "body" {
        if let Some(RefOr::T(body)) = &mut operation.request_body {
            body.content.iter_mut().for_each(|(kind, content)| put(kind, content));
        }
    } else if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(of) {
        response.content.iter_mut().for_each(|(kind, content)| put(kind, content));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Fails where `value` has a member that `schema` does not name, or lacks one that it asks for.
    fn fits(api: &Value, schema: &Value, value: &Value, at: &str) {
        if let Some(name) = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
            return fits(api, &api["components"]["schemas"][name], value, at);
        }
        if let Some(all) = schema["allOf"].as_array() {
            // Members of one are unknown to the other: their names are put together.
            let known: Vec<&Value> = all.iter().flat_map(|part| named(api, part)).collect();
            for member in value.as_object().expect("an object").keys() {
                assert!(known.iter().any(|part| part["properties"].get(member).is_some()), "{at}: {member}");
            }
            return;
        }
        if let Some(one) = schema["oneOf"].as_array() {
            let kind = one.iter().find(|one| one["type"] != "null");
            if !value.is_null() {
                fits(api, kind.expect("a kind"), value, at);
            }
            return;
        }
        match value {
            Value::Object(members) => {
                let Some(known) = schema["properties"].as_object() else { return };
                for (name, value) in members {
                    let schema = known.get(name).unwrap_or_else(|| panic!("{at}: {name} is not described"));
                    fits(api, schema, value, &format!("{at}/{name}"));
                }
                for name in schema["required"].as_array().into_iter().flatten() {
                    assert!(members.contains_key(name.as_str().expect("a name")), "{at}: {name} is missing");
                }
            }
            Value::Array(items) => items.iter().for_each(|item| fits(api, &schema["items"], item, at)),
            _ => {}
        }
    }

    fn named<'a>(api: &'a Value, part: &'a Value) -> Vec<&'a Value> {
        match part["$ref"].as_str().and_then(|to| to.rsplit('/').next()) {
            Some(name) => match api["components"]["schemas"][name]["allOf"].as_array() {
                Some(all) => all.iter().flat_map(|part| named(api, part)).collect(),
                None => vec![&api["components"]["schemas"][name]],
            },
            None => vec![part],
        }
    }

    #[test]
    fn every_example_is_as_its_schema_says_and_every_route_has_a_tag() {
        let api = serde_json::to_value(crate::service::openapi()).expect("a description");
        for (method, path, of, text) in EXAMPLES {
            let operation = &api["paths"][path][method];
            let content = match of {
                "body" => &operation["requestBody"]["content"],
                status => &operation["responses"][status]["content"],
            };
            let json = content.as_object().and_then(|content| content.iter().find(|(kind, _)| kind.ends_with("json")));
            let (_, content) = json.unwrap_or_else(|| panic!("{method} {path} {of}: no JSON"));
            let example: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(content["example"], example, "{method} {path} {of}");
            fits(&api, &content["schema"], &example, &format!("{method} {path} {of}"));
        }
        for (path, item) in api["paths"].as_object().expect("paths") {
            for operation in item.as_object().expect("operations").values() {
                assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{path}");
            }
        }
        assert_eq!(api["tags"].as_array().map(Vec::len), Some(5));
    }
}
