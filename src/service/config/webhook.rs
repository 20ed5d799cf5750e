//! `[[webhook]]` tables of the file → where verdicts are reported.

use std::path::PathBuf;

use serde::Deserialize;

use crate::policy::Decision;
use crate::service::webhooks::{Event, Webhook};

/// What the sample file says of webhooks.
pub(super) const SAMPLE: &str = r#"
# Where verdicts are reported, one table for each; in the file only. The secret has 16 bytes or more:
#   openssl rand -hex 32 | sudo install -m 0640 -g bonafide /dev/stdin /etc/bonafide/webhook.secret
# [[webhook]]
# name = "desk"
# url = "https://desk.example.com/bonafide"
# secret-file = "/etc/bonafide/webhook.secret"
# decisions = ["review", "reject"]               # all: accept, retake, review, reject
# events = ["verdict"]                           # all: verdict, decision (a person's)
"#;

/// Where verdicts are reported.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookSettings {
    /// What deliveries know it by.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// File with the secret that messages are signed with.
    pub secret_file: PathBuf,
    /// Decisions it is told of; all where left out.
    pub decisions: Option<Vec<Decision>>,
    /// Events it is told of; all where left out.
    pub events: Option<Vec<Event>>,
}

impl WebhookSettings {
    pub(super) fn webhook(&self) -> Result<Webhook, String> {
        let file = &self.secret_file;
        let secret = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        let webhook = Webhook::new(&self.name, &self.url, secret.trim(), self.decisions.clone());
        let webhook = webhook.map_err(|e| format!("webhook {}: {e}", self.name))?;
        Ok(webhook.with_events(self.events.clone()))
    }
}
