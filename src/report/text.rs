//! Row → what a person reads in a terminal: the verdict, why, and what to do.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, Row};
use crate::policy::Decision;
use crate::vocabulary::Language;
use crate::words::{self, Label};

/// The row in words, with ANSI colours; print it through a stream that takes them off where there is no terminal.
#[must_use]
pub fn render(row: &Row, language: Language) -> String {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let mut out = format!("{bold}{}{bold:#}\n", printable(row.path()));
    match row {
        Row::Report(report) => describe(report, language, &mut out),
        Row::Failure(failure) => {
            let style = AnsiColor::Magenta.on_default().bold();
            let head = words::label(Label::NotExamined, language);
            let _ = writeln!(out, "  {style}{head}{style:#}  {}", printable(&failure.error.message));
            let _ = writeln!(out, "  {dim}{}{dim:#}", failure.error.code);
        }
    }
    out
}

fn describe(report: &Report, language: Language, out: &mut String) {
    let dim = Style::new().dimmed();
    let style = coloured(report.decision);
    let word = words::decision(report.decision, language);
    let kind = words::classification(report.classification, language);
    let _ = writeln!(out, "  {style}{word}{style:#}  {kind}");
    let score = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}"));
    let _ = writeln!(
        out,
        "  {dim}{} {} · {} {} · {} {} · {} × {} · {} · {:.0} ms{dim:#}",
        words::label(Label::Screen, language),
        score(report.scores.screen),
        words::label(Label::Print, language),
        score(report.scores.print),
        words::label(Label::Legibility, language),
        score(report.scores.legibility),
        report.width,
        report.height,
        report.media_type,
        report.elapsed_ms,
    );
    if let Some(number) = &report.number {
        let what = words::number_kind(number.kind, language);
        let how = words::number_code(number.code, language);
        let _ = writeln!(out, "  {what}  {} ({how})", printable(&number.text));
    }
    if !report.reasons.is_empty() {
        let _ = writeln!(out, "  {}", words::label(Label::Why, language));
    }
    for reason in &report.reasons {
        let style = coloured(reason.action);
        let said = printable(language.pick(&reason.en, &reason.zh));
        let _ = writeln!(out, "   {style}•{style:#} {said}");
        let against = words::label(Label::Threshold, language);
        let (code, reading, score) = (reason.code, &reason.reading, reason.score);
        let _ = writeln!(out, "     {dim}{code}: {reading} {score:.3}, {against} {:.3}{dim:#}", reason.threshold);
    }
    let told: Vec<_> = report.findings.iter().filter(|f| !f.explanation.en.is_empty()).collect();
    if !told.is_empty() {
        let _ = writeln!(out, "  {}", words::label(Label::Measured, language));
    }
    for finding in told {
        let said = printable(language.pick(&finding.explanation.en, &finding.explanation.zh));
        let _ = writeln!(out, "   {dim}{:<12}{dim:#} {said}", finding.detector);
    }
    let advice = words::advice(report.decision, language);
    let _ = writeln!(out, "  {} {advice}", words::label(Label::WhatToDo, language));
}

fn coloured(decision: Decision) -> Style {
    let colour = match decision {
        Decision::Accept => AnsiColor::Green,
        Decision::Retake => AnsiColor::Yellow,
        Decision::Review => AnsiColor::Blue,
        Decision::Reject => AnsiColor::Red,
    };
    colour.on_default().bold()
}

/// `text` without anything a terminal would obey.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Failure, FailureCause};

    #[test]
    fn an_escape_sequence_in_a_name_is_not_printed() {
        let error = FailureCause { code: "missing".into(), message: "there is no such file".into() };
        let row = Row::Failure(Failure { path: "a\u{1b}[2J\n.jpg".into(), error });
        let text = render(&row, Language::En);
        assert!(!text.contains("[2J") || !text.contains("\u{1b}[2J"));
        assert!(render(&row, Language::Zh).contains("无法检查"));
    }
}
