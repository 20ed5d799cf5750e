//! The registry of detectors → its documentation, for a terminal or as the table of `src/detectors/README.md`.

use std::fmt::Write as _;
use std::io::Write as _;

use bonafide::detectors::{DETECTORS, DetectorInfo};
use clap::{Args, ValueEnum};

use super::ACCEPTED;

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    /// One detector; all of them when left out.
    detector: Option<String>,
    /// Form of the text.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    /// For a terminal.
    #[default]
    Text,
    /// The table of `src/detectors/README.md`.
    Markdown,
}

pub(super) fn run(args: &ExplainArgs) -> Result<u8, String> {
    let known = || DETECTORS.iter().map(|entry| &entry.info);
    let chosen: Vec<&DetectorInfo> = match &args.detector {
        None => known().collect(),
        Some(id) => vec![known().find(|info| info.id == id).ok_or_else(|| {
            let ids: Vec<_> = known().map(|info| info.id).collect();
            format!("there is no detector {id}; there are {}", ids.join(", "))
        })?],
    };
    let text = match args.format {
        Form::Text => chosen.iter().map(|info| text(info)).collect::<Vec<_>>().join("\n"),
        Form::Markdown => markdown(&chosen),
    };
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(ACCEPTED),
    }
}

fn text(info: &DetectorInfo) -> String {
    let bold = anstyle::Style::new().bold();
    let mut out = format!("{bold}{}{bold:#}  {}\n", info.id, info.question);
    let _ = writeln!(out, "  How: {}\n  Blind spots: {}\n  Readings:", info.method, info.blind_spots);
    for reading in info.readings {
        let _ = writeln!(out, "    {:<34} {:<8} {}", reading.id, reading.unit, reading.meaning);
    }
    out
}

fn markdown(chosen: &[&DetectorInfo]) -> String {
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    let mut out = "| Detector | Question | Readings | How | Blind spots |\n|---|---|---|---|---|\n".to_owned();
    for info in chosen {
        let readings: Vec<_> =
            info.readings.iter().map(|r| format!("`{}` ({}): {}", r.id, cell(r.unit), cell(r.meaning))).collect();
        let (question, method, blind_spots) = (cell(info.question), cell(info.method), cell(info.blind_spots));
        let _ = writeln!(out, "| `{}` | {question} | {} | {method} | {blind_spots} |", info.id, readings.join("<br>"));
    }
    out
}
