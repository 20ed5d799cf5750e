//! One declaration a setting → its field, flag, variable, default and help, and what is told of it.

/// What is told of a setting.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The field's name; with dashes, flag and key of the file.
    pub(super) name: &'static str,
    pub(super) variable: &'static str,
    pub(super) help: &'static str,
    pub(super) default: Option<String>,
    /// How the sample file shows it, where that is not its default.
    pub(super) sample: Option<Sample>,
}

/// A value of the sample file, as TOML writes it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    /// Behind a `#`.
    Shown(&'static str),
    /// In force.
    Set(&'static str),
}

/// A group's settings.
pub(super) struct Group {
    /// What the sample file says above them.
    pub(super) about: &'static str,
    pub(super) settings: Vec<Setting>,
}

/// Declares a group: `name: Type = default`, with its help, the variable of the environment and what else clap is to
/// know. The flag and the key of the file are the name with dashes.
macro_rules! settings {
    (
        $(#[doc = $about:tt])+
        $group:ident {
            $(
                $(#[doc = $help:tt])+
                #[env($variable:tt $(, $($arg:tt)+)?)]
                $(#[sample($sample:ident $shown:tt)])?
                $name:ident: $kind:ty $(= $default:expr)?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        pub struct $group {
            $(
                $(#[doc = $help])+
                #[cfg_attr(feature = "cli", arg(long, env = $variable $(, $($arg)+)? $(, default_value_t = $default)?))]
                pub $name: $kind,
            )+
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($name: $crate::service::config::group::otherwise!($($default)?),)+ }
            }
        }

        impl $group {
            pub(super) fn told() -> $crate::service::config::group::Group {
                use $crate::service::config::group::{Group, Setting};
                let settings = vec![$(Setting {
                    name: stringify!($name),
                    variable: $variable,
                    help: concat!($($help),+),
                    default: $crate::service::config::group::shown!($($default)?),
                    sample: $crate::service::config::group::sample!($($sample $shown)?),
                },)+];
                Group { about: concat!($($about, "\n"),+), settings }
            }
        }
    };
}

macro_rules! otherwise {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

macro_rules! shown {
    () => {
        None
    };
    ($default:expr) => {
        Some(($default).to_string())
    };
}

macro_rules! sample {
    () => {
        None
    };
    ($sample:ident $shown:tt) => {
        Some($crate::service::config::group::Sample::$sample($shown))
    };
}

pub(super) use {otherwise, sample, settings, shown};
