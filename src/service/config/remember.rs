//! What the service remembers: where its store is, what is kept of an upload, and for how long.
#![allow(clippy::doc_markdown, reason = "the commented sample shows these words as they are typed")]

use std::fmt;
use std::path::PathBuf;

use super::group::settings;
use super::span::{Span, of_secs};
use crate::service::store::SealingKey;

settings! {
    /// What the service remembers, and where.
    ///
    /// A file of SQLite; or PostgreSQL: "postgres:///bonafide?host=/run/postgresql&user=bonafide" asks for no password on
    /// the same machine. A URL with a password goes into /etc/bonafide/environment instead, as BONAFIDE_STORE=…
    ///
    /// Pictures are kept sealed, by a key that is made so:
    ///   openssl rand -base64 32 | sudo install -m 0640 -g bonafide /dev/stdin /etc/bonafide/sealing.key
    Remember {
        /// The store: a file of SQLite, or a `postgres://` URL.
        #[env("BONAFIDE_STORE", value_name = "PLACE", hide_env_values = true)]
        #[sample(Set "\"/var/lib/bonafide/bonafide.db\"")]
        store: String = "bonafide.db".to_owned(),
        /// What is kept of an upload beside its verdict: nothing, or the picture of a case that a person is to review.
        #[env("BONAFIDE_KEEP", value_enum, value_name = "WHAT")]
        keep: Keep = Keep::Nothing,
        /// How long kept pictures stay.
        #[env("BONAFIDE_KEEP_FOR", value_name = "TIME", value_parser = super::span::span)]
        keep_for: Span = of_secs(30 * 86_400),
        /// How long reports stay, from when they were made; for good when left out. The case stays without it.
        #[env("BONAFIDE_KEEP_REPORTS", value_name = "TIME", value_parser = super::span::span)]
        #[sample(Shown "\"180d\"")]
        keep_reports: Option<Span>,
        /// How long cases stay until they are purged, decided or not; for good when left out.
        #[env("BONAFIDE_KEEP_CASES", value_name = "TIME", value_parser = super::span::span)]
        #[sample(Shown "\"730d\"")]
        keep_cases: Option<Span>,
        /// File with the base64 of 32 random bytes that kept pictures are sealed with.
        #[env("BONAFIDE_SEALING_KEY", value_name = "FILE")]
        #[sample(Shown "\"/etc/bonafide/sealing.key\"")]
        sealing_key: Option<PathBuf>,
        /// How long an idempotency key is remembered.
        #[env("BONAFIDE_IDEMPOTENCY", value_name = "TIME", value_parser = super::span::span)]
        idempotency: Span = of_secs(86_400),
    }
}

/// What is kept of an upload beside its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// The picture of a case that a person is to review.
    Review,
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Review => "review",
        })
    }
}

impl Remember {
    /// What kept pictures are sealed with; `None` where none are kept.
    pub(crate) fn sealing_key(&self) -> Result<Option<SealingKey>, String> {
        if self.keep == Keep::Nothing {
            return Ok(None);
        }
        let file = self.sealing_key.as_ref().ok_or("--keep review needs --sealing-key")?;
        SealingKey::from_file(file).map(Some).map_err(|e| format!("{}: {e}", file.display()))
    }
}
