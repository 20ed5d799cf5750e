//! What an operator decides → values that the service is made of: one group of settings a file.
//!
//! A setting is said once, in the `settings!` of its group: field, default, variable of the environment, check and help.
//! Flag, key of the file, the table of the manual and the sample file follow from that.

mod attempts;
mod callers;
mod group;
mod handoff;
mod judging;
mod listen;
mod log;
mod remember;
mod sample;
mod span;
mod tenant;
mod uploads;
mod webhook;
mod work;

pub use attempts::Attempts;
pub use callers::Callers;
pub(crate) use callers::OidcSettings;
pub use handoff::Handoff;
pub use judging::Judging;
pub use listen::Listen;
pub use log::{Log, LogForm};
pub use remember::{Keep, Remember};
pub use sample::{sample, table};
pub use span::{Span, span};
pub use tenant::{Tenant, TenantSettings, Tenants};
pub use uploads::Uploads;
pub use webhook::WebhookSettings;
pub use work::Work;

use super::webhooks::Webhook;
use crate::policy::Policy;

/// A service; the default listens on loopback, keeps nothing but verdicts, and lets in who is on the same machine.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// Where it listens.
    pub listen: Listen,
    /// What it remembers.
    pub remember: Remember,
    /// Who may call.
    pub callers: Callers,
    /// Policies that a request may name, beside the checker's own.
    pub policies: Vec<(String, Policy)>,
    /// How much at a time.
    pub work: Work,
    /// Bounds on an upload and on the time it takes.
    pub uploads: Uploads,
    /// The hand-off to a phone.
    pub handoff: Handoff,
    /// How often one applicant may try.
    pub attempts: Attempts,
    /// A policy that judges beside the one in force and decides nothing.
    pub shadow: Option<Policy>,
    /// What some callers have of their own.
    pub tenants: Tenants,
    /// Where verdicts are reported.
    pub webhooks: Vec<Webhook>,
}

/// Every setting of the program.
#[derive(Debug, Clone, Default)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
pub struct Settings {
    /// Where the service listens.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub listen: Listen,
    /// What it remembers.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub remember: Remember,
    /// Who may call.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub callers: Callers,
    /// How it judges.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub judging: Judging,
    /// How much at a time.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub work: Work,
    /// Bounds on an upload and on the time it takes.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub uploads: Uploads,
    /// The hand-off to a phone.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub handoff: Handoff,
    /// How often one applicant may try.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub attempts: Attempts,
    /// The log.
    #[cfg_attr(feature = "cli", command(flatten))]
    pub log: Log,
    /// Where verdicts are reported; in the file only, as `[[webhook]]` tables.
    #[cfg_attr(feature = "cli", arg(skip))]
    pub webhooks: Vec<WebhookSettings>,
    /// What some callers have of their own; in the file only, as `[[tenant]]` tables.
    #[cfg_attr(feature = "cli", arg(skip))]
    pub tenants: Vec<TenantSettings>,
}

impl Config {
    /// What the caller `id` has of its own.
    pub(crate) fn tenant(&self, id: &str) -> Option<&Tenant> {
        self.tenants.get(id)
    }
}

impl Settings {
    /// What the service is made of, the checker aside.
    ///
    /// # Errors
    /// When a file that a setting names cannot be used.
    pub fn config(&self) -> Result<Config, String> {
        Ok(Config {
            listen: self.listen.clone(),
            remember: self.remember.clone(),
            callers: self.callers.clone(),
            policies: self.judging.named_policies()?,
            work: self.work.clone(),
            uploads: self.uploads.clone(),
            handoff: self.handoff.clone(),
            attempts: self.attempts.clone(),
            shadow: self.judging.shadow()?,
            tenants: tenant::tenants(&self.tenants)?,
            webhooks: self.webhooks.iter().map(WebhookSettings::webhook).collect::<Result<_, _>>()?,
        })
    }
}
