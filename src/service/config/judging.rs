//! How the service judges: policies, models and the engine that runs them.

use std::path::{Path, PathBuf};

use super::group::settings;
use super::tenant;
use crate::capture::{Isolation, Limits};
use crate::checker::{Checker, Options};
use crate::inference::EngineChoice;
use crate::policy::{Policy, Preset, Sensitivity};

settings! {
    /// How it judges.
    Judging {
        /// Policy to judge by, instead of the built-in one.
        #[env("BONAFIDE_POLICY", value_name = "FILE")]
        #[sample(Shown "\"/etc/bonafide/policy.toml\"")]
        policy: Option<PathBuf>,
        /// A provider's published filing rules to judge by, instead of the built-in policy; `policy` goes before it.
        #[env("BONAFIDE_PRESET", value_enum)]
        #[sample(Shown "\"tencent\"")]
        preset: Option<Preset>,
        /// Another policy that a request may name; can be repeated.
        #[env("BONAFIDE_NAMED_POLICY", value_name = "NAME=FILE", value_delimiter = ',')]
        #[sample(Shown "[\"strict=/etc/bonafide/strict.toml\"]")]
        named_policy: Vec<String>,
        /// A policy that judges every outcome beside the one in force and decides nothing; see `bonafide shadow`.
        #[env("BONAFIDE_SHADOW_POLICY", value_name = "FILE")]
        #[sample(Shown "\"/etc/bonafide/next.toml\"")]
        shadow_policy: Option<PathBuf>,
        /// Overrides how strictly one risk is judged, for example `glare=relaxed`; can be repeated.
        #[env("BONAFIDE_SENSITIVITY", value_name = "RISK=LEVEL", value_delimiter = ',', value_parser = Sensitivity::of_risk)]
        #[sample(Shown "[\"glare=relaxed\"]")]
        sensitivity: Vec<(String, Sensitivity)>,
        /// Wants documents that are valid for so many days more; being in date is enough without it.
        #[env("BONAFIDE_VALID_FOR", value_name = "DAYS", value_parser = crate::policy::days)]
        #[sample(Shown "\"90d\"")]
        valid_for: Option<u16>,
        /// Folder with models and their manifest, instead of the built-in ones.
        #[env("BONAFIDE_MODELS", value_name = "DIR")]
        #[sample(Shown "\"/usr/share/bonafide/models\"")]
        models: Option<PathBuf>,
        /// Engine that runs the networks.
        #[env("BONAFIDE_ENGINE", value_enum)]
        engine: EngineChoice = EngineChoice::Auto,
        /// Opens every picture in a process of its own with limits of memory and time; HEIC always is.
        #[env("BONAFIDE_ISOLATE", num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
        isolate: bool = false,
    }
}

impl Judging {
    /// The checker that judges where a request names no policy.
    ///
    /// # Errors
    /// When a file cannot be used.
    pub fn checker(&self) -> Result<Checker, String> {
        let options = Options {
            models: self.models.clone(),
            policy: self.policy.clone(),
            preset: self.preset,
            sensitivity: self.sensitivity.clone(),
            expect: None,
            valid_for: self.valid_for,
            engine: self.engine,
            limits: Limits::default(),
            reveal: false,
            isolation: Isolation::by_this_program(self.isolate),
            ..Options::default()
        };
        Checker::new(&options).map_err(|e| e.to_string())
    }

    pub(super) fn named_policies(&self) -> Result<Vec<(String, Policy)>, String> {
        let named = self.named_policy.iter().map(|named| {
            let (name, file) = named.split_once('=').ok_or("a named policy has the form NAME=FILE")?;
            Ok((name.to_owned(), tenant::policy(Path::new(file))?))
        });
        named.collect()
    }

    pub(super) fn shadow(&self) -> Result<Option<Policy>, String> {
        self.shadow_policy.as_deref().map(tenant::policy).transpose()
    }
}
