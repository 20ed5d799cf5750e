//! A provider's name → the policy that its published filing rules make of the shipped one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use super::{Policy, PolicyError};

/// A provider whose filing rules are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumString, IntoStaticStr, VariantArray)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[non_exhaustive]
pub enum Preset {
    /// Alibaba Cloud.
    Aliyun,
    /// Tencent Cloud.
    Tencent,
    /// Huawei Cloud.
    Huawei,
}

impl Preset {
    /// The name on the command line and in settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Its file: each rule says where it was published, and when.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Aliyun => include_str!("presets/aliyun.toml"),
            Self::Tencent => include_str!("presets/tencent.toml"),
            Self::Huawei => include_str!("presets/huawei.toml"),
        }
    }
}

impl Policy {
    /// The policy of a provider; `readings` are the ids of everything that is measured.
    ///
    /// # Errors
    /// As [`Policy::parse`]; a test holds that each is good.
    pub fn preset(preset: Preset, readings: &BTreeSet<&str>) -> Result<Self, PolicyError> {
        Self::parse(preset.text(), readings)
    }
}
