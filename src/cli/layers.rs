//! A file of settings → flags in front of those that were given, for what neither a flag nor the environment says.

use std::ffi::OsString;
use std::path::Path;

use bonafide::service::config::{Settings, TenantSettings, WebhookSettings};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};
use serde::Deserialize as _;
use toml::{Table, Value};

/// The keys that are no flags.
const WEBHOOK: &str = "webhook";
const TENANT: &str = "tenant";

/// The settings that flags and environment say, over those of `file`, over the defaults.
pub(super) fn laid<A: Into<OsString> + Clone>(
    command: Command,
    flags: &[A],
    file: Option<&Path>,
) -> Result<Settings, String> {
    let arguments = |more: Vec<OsString>| {
        let name = std::iter::once(OsString::from("serve"));
        name.chain(more).chain(flags.iter().cloned().map(Into::into)).collect::<Vec<_>>()
    };
    let given = command.clone().try_get_matches_from(arguments(Vec::new())).map_err(|e| e.to_string())?;
    let Some(file) = file else { return Settings::from_arg_matches(&given).map_err(|e| e.to_string()) };
    let wrong =
        |cause: &dyn std::fmt::Display| format!("{}: {}", bonafide::names::shown(file), cause.to_string().trim());
    let text = std::fs::read_to_string(file).map_err(|e| wrong(&e))?;
    let mut table: Table = toml::from_str(&text).map_err(|e| wrong(&e))?;
    let (webhooks, tenants) = (table.remove(WEBHOOK), table.remove(TENANT));
    let more = as_flags(&given, table).map_err(|e| wrong(&e))?;
    // A value that clap refuses now is the file's: what was given has passed.
    let laid = command.try_get_matches_from(arguments(more)).map_err(|e| wrong(&e))?;
    let mut settings = Settings::from_arg_matches(&laid).map_err(|e| wrong(&e))?;
    if let Some(webhooks) = webhooks {
        settings.webhooks = Vec::<WebhookSettings>::deserialize(webhooks).map_err(|e| wrong(&e))?;
    }
    if let Some(tenants) = tenants {
        settings.tenants = Vec::<TenantSettings>::deserialize(tenants).map_err(|e| wrong(&e))?;
    }
    Ok(settings)
}

/// The settings of `file`, whatever the environment says.
pub(super) fn of_file(file: Option<&Path>) -> Result<Settings, String> {
    let command = Settings::augment_args(Command::new("serve")).mut_args(|arg| arg.env(None::<&str>));
    laid::<OsString>(command, &[], file)
}

fn as_flags(given: &ArgMatches, table: Table) -> Result<Vec<OsString>, String> {
    let settings = Settings::augment_args(Command::new("serve"));
    let mut flags = Vec::new();
    for (key, value) in table {
        let known = settings.get_arguments().find(|arg| arg.get_long() == Some(&key));
        let Some(arg) = known else { return Err(format!("there is no setting `{key}`")) };
        let source = given.value_source(arg.get_id().as_str());
        if matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
            continue;
        }
        let values = match value {
            Value::Array(values) => values,
            one => vec![one],
        };
        for value in values {
            let text = match value {
                Value::String(text) => text,
                Value::Integer(number) => number.to_string(),
                Value::Boolean(truth) => truth.to_string(),
                other => return Err(format!("`{key}` cannot be a {}", other.type_str())),
            };
            flags.push(format!("--{key}={text}").into());
        }
    }
    Ok(flags)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn command() -> Command {
        Settings::augment_args(Command::new("serve")).mut_args(|arg| arg.env(None::<&str>))
    }

    #[test]
    fn the_command_line_lies_over_the_file_and_both_over_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bonafide.toml");
        let text = "listen = \"127.0.0.1:1\"\nqueue = 3\nupload-gap = \"7s\"\ncors-origin = [\"https://a\", \"https://b\"]\n\
                    insecure-no-auth = true\n";
        std::fs::write(&file, text).unwrap();
        let settings = laid(command(), &["--queue", "5"], Some(&file)).unwrap();
        assert_eq!((settings.listen.listen.port(), settings.work.queue), (1, 5));
        let uploads = &settings.uploads;
        assert_eq!((*uploads.upload_gap, *uploads.upload_time), (Duration::from_secs(7), Duration::from_secs(20)));
        assert_eq!(settings.listen.cors_origin, ["https://a", "https://b"]);
        assert!(settings.callers.insecure_no_auth);
        for (wrong, named) in [("qeueu = 3\n", "qeueu"), ("queue = 0\n", "queue"), ("config = \"x\"\n", "config")] {
            std::fs::write(&file, wrong).unwrap();
            let error = laid::<&str>(command(), &[], Some(&file)).unwrap_err();
            assert!(error.contains(named) && error.contains("bonafide.toml"), "{error}");
        }
    }

    #[test]
    fn webhooks_are_of_the_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bonafide.toml");
        let text = "[[webhook]]\nname = \"desk\"\nurl = \"https://desk.example\"\nsecret-file = \"/s\"\n\
                    decisions = [\"review\"]\n";
        std::fs::write(&file, text).unwrap();
        let settings = of_file(Some(&file)).unwrap();
        assert_eq!(settings.webhooks.len(), 1);
        std::fs::write(&file, text.replace("secret-file", "secret")).unwrap();
        assert!(of_file(Some(&file)).unwrap_err().contains("secret"));
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let settings = of_file(None).unwrap();
        assert_eq!(settings.remember.store, "bonafide.db");
        assert_eq!(format!("{settings:?}"), format!("{:?}", Settings::default()));
    }
}
