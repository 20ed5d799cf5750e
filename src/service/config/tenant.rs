//! `[[tenant]]` tables of the file → what one key has of its own: policy, documents, quota, times.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, de};

use super::span::{Span, span};
use crate::checker::known_readings;
use crate::policy::Policy;
use crate::vocabulary::Face;

/// What the sample file says of tenants.
pub(super) const SAMPLE: &str = r#"
# What one key has of its own, one table for each; in the file only. What is left out is as for all. Besides the id of a
# key, `oidc:` and a subject name a caller.
# [[tenant]]
# key = "bkToyMboautW"
# policy = "/etc/bonafide/tenant.toml"
# shadow-policy = "/etc/bonafide/tenant-next.toml"
# documents = ["licence", "page"]                # the only ones that it asks for; the first where it names none
# per-minute = 60
# max-attempts = 5
# keep-for = "7d"
# keep-reports = "90d"
# keep-cases = "365d"
"#;

/// What one key has of its own, as the file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TenantSettings {
    /// Id of the key, or `oidc:` and a subject.
    pub key: String,
    /// Policy to judge by where a request names none.
    pub policy: Option<PathBuf>,
    /// Policy that judges beside it.
    pub shadow_policy: Option<PathBuf>,
    /// The only documents that may be asked for; the first where a request names none.
    #[serde(default)]
    pub documents: Vec<Face>,
    /// Pictures a minute, instead of what the key was made with.
    pub per_minute: Option<u32>,
    /// Photographs of one reference until a person looks.
    pub max_attempts: Option<u16>,
    /// How long kept pictures stay.
    #[serde(default, deserialize_with = "time")]
    pub keep_for: Option<Span>,
    /// How long reports stay.
    #[serde(default, deserialize_with = "time")]
    pub keep_reports: Option<Span>,
    /// How long cases stay.
    #[serde(default, deserialize_with = "time")]
    pub keep_cases: Option<Span>,
}

/// What one caller has of its own; what is `None` or empty is as for all.
#[derive(Debug, Clone, Default)]
pub struct Tenant {
    /// Judges where a request names no policy.
    pub policy: Option<Policy>,
    /// Judges beside it.
    pub shadow: Option<Policy>,
    /// The only documents that may be asked for; the first where a request names none.
    pub documents: Vec<Face>,
    /// Pictures a minute.
    pub per_minute: Option<u32>,
    /// Photographs of one reference until a person looks.
    pub max_attempts: Option<u16>,
    /// How long kept pictures stay.
    pub keep_for: Option<Span>,
    /// How long reports stay.
    pub keep_reports: Option<Span>,
    /// How long cases stay.
    pub keep_cases: Option<Span>,
}

/// What some callers have of their own, by the caller's id: `key:<id>` or `oidc:<subject>`.
pub type Tenants = BTreeMap<String, Tenant>;

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Span>, D::Error> {
    span(&String::deserialize(deserializer)?).map(Some).map_err(de::Error::custom)
}

/// A policy of a file.
pub(super) fn policy(file: &Path) -> Result<Policy, String> {
    Policy::read(file, &known_readings()).map_err(|e| e.to_string())
}

impl TenantSettings {
    fn tenant(&self) -> Result<(String, Tenant), String> {
        let wrong = |cause: &str| format!("tenant {}: {cause}", self.key);
        if self.documents.contains(&Face::None) {
            return Err(wrong("`none` is no document"));
        }
        if self.per_minute == Some(0) {
            return Err(wrong("`per-minute` is 1 or more"));
        }
        let read = |file: &Option<PathBuf>| file.as_deref().map(policy).transpose().map_err(|cause| wrong(&cause));
        let tenant = Tenant {
            policy: read(&self.policy)?,
            shadow: read(&self.shadow_policy)?,
            documents: self.documents.clone(),
            per_minute: self.per_minute,
            max_attempts: self.max_attempts,
            keep_for: self.keep_for,
            keep_reports: self.keep_reports,
            keep_cases: self.keep_cases,
        };
        let id = if self.key.starts_with("oidc:") { self.key.clone() } else { format!("key:{}", self.key) };
        Ok((id, tenant))
    }
}

/// What callers have of their own; each is named once.
pub(super) fn tenants(settings: &[TenantSettings]) -> Result<Tenants, String> {
    let mut tenants = Tenants::new();
    for one in settings {
        let (id, tenant) = one.tenant()?;
        if tenants.insert(id, tenant).is_some() {
            return Err(format!("tenant {}: named twice", one.key));
        }
    }
    Ok(tenants)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Tenants, String> {
        let one: TenantSettings = toml::from_str(text).map_err(|e| e.to_string())?;
        tenants(&[one])
    }

    #[test]
    fn a_tenant_is_read_and_what_cannot_be_is_refused() {
        let all = read("key = \"abc\"\ndocuments = [\"licence\", \"page\"]\nper-minute = 5\nkeep-reports = \"90d\"\n")
            .unwrap();
        let tenant = &all["key:abc"];
        assert_eq!(tenant.documents, [Face::Licence, Face::Page]);
        assert_eq!(tenant.keep_reports.map(|span| span.as_secs()), Some(90 * 86_400));
        assert!(read("key = \"oidc:ann\"\n").unwrap().contains_key("oidc:ann"));
        for wrong in [
            "documents = [\"page\"]",
            "key = \"a\"\ndocuments = [\"none\"]",
            "key = \"a\"\nper-minute = 0",
            "key = \"a\"\nkeep-cases = \"soon\"",
            "key = \"a\"\ncolour = 1",
            "key = \"a\"\npolicy = \"/nowhere/at/all.toml\"",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        let one: TenantSettings = toml::from_str("key = \"a\"").unwrap();
        assert!(tenants(&[one.clone(), one]).is_err_and(|cause| cause.contains("twice")));
    }
}
