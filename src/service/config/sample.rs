//! What is told of each setting → the table of the manual and the commented sample file.

use std::fmt::Write as _;

use super::group::{Group, Sample, Setting};
use super::{Attempts, Callers, Handoff, Judging, Listen, Log, Remember, Uploads, Work, tenant, webhook};

/// Width of the sample file.
const WIDTH: usize = 120;

fn groups() -> [Group; 9] {
    [
        Listen::told(),
        Remember::told(),
        Callers::told(),
        Judging::told(),
        Work::told(),
        Uploads::told(),
        Handoff::told(),
        Attempts::told(),
        Log::told(),
    ]
}

impl Setting {
    fn key(&self) -> String {
        self.name.replace('_', "-")
    }

    fn line(&self) -> String {
        let default = |text: &String| {
            // Numbers and truth values stand as they are; everything else is text.
            if text.parse::<u64>().is_ok() || text.parse::<bool>().is_ok() { text.clone() } else { format!("{text:?}") }
        };
        let (mark, value) = match self.sample {
            Some(Sample::Set(value)) => ("", value.to_owned()),
            Some(Sample::Shown(value)) => ("# ", value.to_owned()),
            None => ("# ", self.default.as_ref().map(default).unwrap_or_default()),
        };
        format!("{mark}{} = {value}", self.key())
    }
}

/// Every setting with its key, variable, default and meaning, as Markdown.
#[must_use]
pub fn table() -> String {
    let mut out = "| Flag, key of the file | Variable | Default | What it says |\n|---|---|---|---|\n".to_owned();
    for setting in groups().into_iter().flat_map(|group| group.settings) {
        let default = setting.default.as_ref().map_or_else(|| "–".to_owned(), |text| format!("`{text}`"));
        // A `String` takes everything.
        let _ = writeln!(out, "| `{}` | `{}` | {default} | {} |", setting.key(), setting.variable, setting.help.trim());
    }
    out
}

/// The sample file: every setting, behind a `#` unless a package should set it.
#[must_use]
pub fn sample() -> String {
    let mut out = String::new();
    comment(
        &mut out,
        "Settings of `bonafide serve`. What is left out keeps the value that stands behind the #, unless that is an \
         example; `bonafide serve --settings` tells defaults. A variable of the environment (BONAFIDE_LISTEN, …) or a \
         flag lies over the file. Read at start only.",
    );
    for group in groups() {
        out.push('\n');
        for paragraph in paragraphs(group.about) {
            comment(&mut out, &paragraph);
        }
        for setting in group.settings {
            out.push('\n');
            comment(&mut out, setting.help.trim());
            out.push_str(&setting.line());
            out.push('\n');
        }
    }
    out.push_str(webhook::SAMPLE);
    out.push_str(tenant::SAMPLE);
    out
}

/// Lines that belong together as one, lines that are indented (a command) for themselves.
fn paragraphs(about: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for line in about.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)) {
        let last = found.len() - 1;
        if line.is_empty() || line.starts_with(' ') {
            found.push(line.to_owned());
        } else {
            if !found[last].is_empty() {
                found[last].push(' ');
            }
            found[last].push_str(line);
        }
    }
    found.retain(|paragraph| !paragraph.is_empty());
    found
}

fn comment(out: &mut String, text: &str) {
    let indent = text.len() - text.trim_start().len();
    let mut line = format!("#{}", " ".repeat(indent));
    for word in text.split_whitespace() {
        if indent == 0 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            out.push_str(&line);
            out.push('\n');
            "#".clone_into(&mut line);
        }
        line.push(' ');
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &str = include_str!("../deploy/bonafide.toml");

    #[test]
    fn the_shipped_sample_is_what_the_groups_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/deploy/bonafide.toml");
        if std::env::var_os("BONAFIDE_WRITE_SAMPLE").is_some() {
            std::fs::write(file, sample()).unwrap();
            return;
        }
        assert_eq!(SHIPPED, sample(), "write it anew: BONAFIDE_WRITE_SAMPLE=1 cargo test --lib the_shipped_sample");
    }

    #[test]
    fn every_line_of_the_sample_can_be_taken_into_force() {
        let lines = SHIPPED.lines().filter(|line| line.contains(" = ") && !line.contains("rand"));
        let mut keys = 0;
        for line in lines {
            let line = line.strip_prefix("# ").unwrap_or(line);
            assert!(line.parse::<toml::Table>().is_ok_and(|table| table.len() == 1), "{line}");
            keys += 1;
        }
        // All settings, the five of a webhook, and the nine of a tenant.
        assert_eq!(keys, groups().iter().map(|group| group.settings.len()).sum::<usize>() + 5 + 9);
    }

    #[test]
    fn what_is_shipped_for_containers_sets_settings_that_there_are() {
        let files = [include_str!("../deploy/compose.yaml"), include_str!("../deploy/Dockerfile")];
        let known: Vec<&str> = groups().into_iter().flat_map(|group| group.settings).map(|s| s.variable).collect();
        let mut named = 0;
        for line in files.iter().flat_map(|file| file.lines()).filter(|line| !line.trim_start().starts_with('#')) {
            // `${NAME}` is the operator's own.
            let words = line.split(|c: char| !(c.is_ascii_uppercase() || "_{".contains(c)));
            for word in words.filter(|word| word.starts_with("BONAFIDE_")) {
                assert!(known.contains(&word), "{line}");
                named += 1;
            }
        }
        assert_eq!(named, 5);
    }

    #[test]
    fn variables_are_named_after_their_settings() {
        for setting in groups().into_iter().flat_map(|group| group.settings) {
            assert_eq!(setting.variable, format!("BONAFIDE_{}", setting.name.to_uppercase()));
            assert!(setting.default.is_some() || setting.sample.is_some(), "{setting:?}");
        }
    }
}
