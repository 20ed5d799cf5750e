//! Row → what a person reads in a terminal: the verdict, why, and what to do.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::{Report, Row};
use crate::policy::Decision;
use crate::reading::NumberCode;
use crate::vocabulary::Language;

/// The row in words, with ANSI colours; print it through a stream that takes them off where there is no terminal.
#[must_use]
pub fn render(row: &Row, language: Language) -> String {
    let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
    let mut out = format!("{bold}{}{bold:#}\n", printable(row.path()));
    match row {
        Row::Report(report) => describe(report, language, &mut out),
        Row::Failure(failure) => {
            let style = AnsiColor::Magenta.on_default().bold();
            let head = language.pick("NOT EXAMINED", "无法检查");
            let _ = writeln!(out, "  {style}{head}{style:#}  {}", printable(&failure.error.message));
            let _ = writeln!(out, "  {dim}{}{dim:#}", failure.error.code);
        }
    }
    out
}

fn describe(report: &Report, language: Language, out: &mut String) {
    let dim = Style::new().dimmed();
    let (style, word, advice) = verdict(report.decision, language);
    let kind = match language {
        Language::En => report.classification.name().replace('_', " "),
        Language::Zh => kind_zh(report.classification.name()).to_owned(),
    };
    let _ = writeln!(out, "  {style}{word}{style:#}  {kind}");
    let score = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.2}"));
    let _ = writeln!(
        out,
        "  {dim}{} {} · {} {} · {} {} · {} × {} · {} · {:.0} ms{dim:#}",
        language.pick("screen", "屏幕"),
        score(report.scores.screen),
        language.pick("print", "打印"),
        score(report.scores.print),
        language.pick("legibility", "清晰度"),
        score(report.scores.legibility),
        report.width,
        report.height,
        report.media_type,
        report.elapsed_ms,
    );
    if let Some(number) = &report.number {
        let what = match number.kind {
            "resident_id" => language.pick("Resident number", "居民身份号码"),
            "mrz" => language.pick("Machine-readable zone", "机读码"),
            _ => language.pick("Credit code", "统一社会信用代码"),
        };
        let how = match number.code {
            NumberCode::NoneFound => language.pick("none found", "未找到"),
            NumberCode::Unreadable => language.pick("not read whole", "未完整读取"),
            NumberCode::Illegal => language.pick("checks fail", "校验未通过"),
            NumberCode::Consistent => language.pick("checks hold", "校验通过"),
            NumberCode::LowerCaseX => language.pick("checks hold, small x", "校验通过，小写 x"),
        };
        let _ = writeln!(out, "  {what}  {} ({how})", printable(&number.text));
    }
    if !report.reasons.is_empty() {
        let _ = writeln!(out, "  {}", language.pick("Why", "原因"));
    }
    for reason in &report.reasons {
        let (style, ..) = verdict(reason.action, language);
        let words = printable(language.pick(&reason.en, &reason.zh));
        let _ = writeln!(out, "   {style}•{style:#} {words}");
        let against = language.pick("against a threshold of", "阈值");
        let _ =
            writeln!(out, "     {dim}{}: {:.3} {against} {:.3}{dim:#}", reason.code, reason.score, reason.threshold);
    }
    let told: Vec<_> = report.findings.iter().filter(|f| !f.explanation.en.is_empty()).collect();
    if !told.is_empty() {
        let _ = writeln!(out, "  {}", language.pick("Measured", "测量"));
    }
    for finding in told {
        let words = printable(language.pick(&finding.explanation.en, &finding.explanation.zh));
        let _ = writeln!(out, "   {dim}{:<12}{dim:#} {words}", finding.detector);
    }
    let _ = writeln!(out, "  {} {advice}", language.pick("What to do:", "处理："));
}

fn verdict(decision: Decision, language: Language) -> (Style, &'static str, &'static str) {
    let (colour, en, zh, en_advice, zh_advice) = match decision {
        Decision::Accept => {
            (AnsiColor::Green, "ACCEPT", "通过", "nothing; the photograph can be taken.", "无需处理，可以接收。")
        }
        Decision::Retake => (
            AnsiColor::Yellow,
            "RETAKE",
            "重拍",
            "ask for another photograph of the original, as the reasons say.",
            "请按上述原因重新拍摄证件原件。",
        ),
        Decision::Review => (
            AnsiColor::Blue,
            "REVIEW",
            "人工复核",
            "have a person look at it before it is taken.",
            "接收前请人工复核。",
        ),
        Decision::Reject => (
            AnsiColor::Red,
            "REJECT",
            "拒绝",
            "do not take it; ask for a photograph of the original document.",
            "不要接收；请拍摄证件原件。",
        ),
    };
    (colour.on_default().bold(), language.pick(en, zh), language.pick(en_advice, zh_advice))
}

fn kind_zh(name: &str) -> &'static str {
    match name {
        "bona_fide" => "原件拍摄",
        "screen" => "屏幕翻拍",
        "print" => "打印件翻拍",
        "screenshot" => "截图",
        _ => "无法判断",
    }
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
