//! Row → what a person reads in a terminal: the verdict, why, and what to do.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, Row};
use crate::evidence::AbstentionCause;
use crate::names::printable;
use crate::policy::Decision;
use crate::vocabulary::Language;
use crate::words::{self, Label};
pub use crate::words::{Counts, Notice, noticed, noticed_in_both};

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
            let said = printable(language.pick(&failure.error.message, &failure.error.message_zh));
            let _ = writeln!(out, "  {style}{head}{style:#}  {said}");
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
    let not_asked = AbstentionCause::NotAsked.name();
    let told = report.findings.iter().filter(|f| !f.explanation.en.is_empty() && f.outcome != not_asked);
    let told: Vec<_> = told.collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Failure, FailureCause};

    #[test]
    fn nothing_that_a_terminal_obeys_is_printed_of_a_name_or_message() {
        let error = FailureCause {
            code: "missing".into(),
            message: "there is no\u{9b}31m such file".into(),
            message_zh: "文件不存在\u{7}".into(),
        };
        let row = Row::Failure(Failure { path: "a\u{1b}[2J\n.jpg".into(), path_bytes: None, error });
        for language in [Language::En, Language::Zh] {
            let text = anstream::adapter::strip_str(&render(&row, language)).to_string();
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
            assert!(text.contains("a\\u{1b}[2J\\n.jpg"), "{text}");
        }
        assert!(render(&row, Language::Zh).contains("文件不存在"));
    }
}
