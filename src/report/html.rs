//! Rows → one self-contained HTML page, written as the rows come so that memory does not grow with them.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::Digest;

use super::{Failure, Report, Row, csv::name_of};
use crate::geometry::Quad;
use crate::policy::{Classification, Decision};
use crate::scene::Overview;
use crate::vocabulary::{Language, Species};
use crate::words::{self, Label};

/// Longest side of a thumbnail, in pixels.
pub const THUMBNAIL_PX: u32 = 180;

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");
/// Room kept at the top of the page for the counts, which are known at the end.
const COUNTS_BYTES: usize = 1024;
/// Decisions in the order of the page; the last is none.
const DECISIONS: [Option<Decision>; 5] =
    [Some(Decision::Accept), Some(Decision::Retake), Some(Decision::Review), Some(Decision::Reject), None];
/// Classes in the order of the page.
const CLASSES: [Classification; 5] = [
    Classification::BonaFide,
    Classification::Attack(Species::Screen),
    Classification::Attack(Species::Print),
    Classification::Attack(Species::Screenshot),
    Classification::NoResponse,
];

/// A page in the making: rows go to `FILE.part` beside its destination, and it takes its name when finished.
pub struct HtmlReport {
    out: BufWriter<File>,
    part: PathBuf,
    path: PathBuf,
    counts_at: u64,
    counts: [u64; DECISIONS.len()],
}

impl HtmlReport {
    /// Begins the page that [`HtmlReport::finish`] puts at `path`.
    ///
    /// # Errors
    /// When the folder of `path` cannot be written.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut out = BufWriter::new(File::create(&part)?);
        out.write_all(head().as_bytes())?;
        let counts_at = out.stream_position()?;
        out.write_all(&[b' '; COUNTS_BYTES])?;
        out.write_all(form().as_bytes())?;
        Ok(Self { out, part, path: path.to_owned(), counts_at, counts: [0; DECISIONS.len()] })
    }

    /// Adds a row with its thumbnail, a JPEG file.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn write(&mut self, row: &Row, thumbnail: Option<&[u8]>) -> io::Result<()> {
        let decision = decision(row);
        for (known, count) in DECISIONS.iter().zip(&mut self.counts) {
            *count += u64::from(*known == decision);
        }
        self.out.write_all(article(row, thumbnail).as_bytes())
    }

    /// Ends the page with `note` at its foot and gives it its name.
    ///
    /// # Errors
    /// When the page cannot be written or renamed.
    pub fn finish(mut self, note: &str) -> io::Result<()> {
        writeln!(self.out, "</main><footer>{}</footer><script>{SCRIPT}</script></body></html>", escaped(note))?;
        self.out.seek(SeekFrom::Start(self.counts_at))?;
        let mut list = format!("<li><b>{}</b>{}</li>", self.counts.iter().sum::<u64>(), words::both(Label::All));
        for (decision, count) in DECISIONS.into_iter().zip(self.counts) {
            let (name, zh) = named(decision);
            let _ = write!(list, "<li class={name}><b>{count}</b>{name} {zh}</li>");
        }
        debug_assert!(list.len() <= COUNTS_BYTES);
        self.out.write_all(list.as_bytes())?;
        self.out.flush()?;
        std::fs::rename(&self.part, &self.path)
    }
}

/// The overview as a small JPEG with `quad` (in capture pixels) drawn on it.
#[must_use]
pub fn thumbnail(overview: &Overview, quad: Option<&Quad>) -> Vec<u8> {
    let (width, height) = overview.luma.dimensions();
    let factor = (THUMBNAIL_PX as f32 / width.max(height) as f32).min(1.0);
    let side = |n: u32| ((n as f32 * factor).round() as u32).max(1);
    let mut picture = overview.rgb(side(width), side(height));
    if let Some(quad) = quad {
        let quad = quad.scaled(factor / overview.scale);
        for i in 0..4 {
            let (a, b) = (quad.0[i], quad.0[(i + 1) % 4]);
            for (dx, dy, colour) in [(1.0, 1.0, [0, 0, 0]), (0.0, 0.0, [0, 230, 118])] {
                let (from, to) = ((a.x + dx, a.y + dy), (b.x + dx, b.y + dy));
                imageproc::drawing::draw_line_segment_mut(&mut picture, from, to, image::Rgb(colour));
            }
        }
    }
    let mut jpeg = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 72);
    // Writing to memory does not fail, and an empty picture is only missing from the page.
    let _ = picture.write_with_encoder(encoder);
    jpeg
}

/// `text` with everything escaped that HTML could read as markup, in content and in quoted attributes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Control characters and those that turn the direction of writing could disguise a name.
            c if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) => {
                out.push('\u{fffd}');
            }
            c => out.push(c),
        }
    }
    out
}

/// What the gate does with the photograph of `row`; nothing where it was not examined.
fn decision(row: &Row) -> Option<Decision> {
    match row {
        Row::Failure(_) => None,
        Row::Report(report) => Some(report.decision),
    }
}

/// The name that the page's style and script know a decision by, and its Chinese one.
fn named(decision: Option<Decision>) -> (&'static str, &'static str) {
    decision.map_or_else(
        || ("failed", words::label(Label::NotExamined, Language::Zh)),
        |decision| (decision.name(), words::decision(decision, Language::Zh)),
    )
}

fn head() -> String {
    let hash = |text: &str| BASE64.encode(sha2::Sha256::digest(text.as_bytes()));
    format!(
        "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8>\
         <meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; \
         style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\
         <meta name=viewport content=\"width=device-width,initial-scale=1\"><meta name=referrer content=no-referrer>\
         <title>bonafide: screening report</title><style>{STYLE}</style></head>\n\
         <body><header><h1>{}</h1><ul class=counts>",
        hash(STYLE),
        hash(SCRIPT),
        words::both(Label::Screening),
    )
}

fn form() -> String {
    let mut decisions = String::new();
    for (name, zh) in DECISIONS.map(named) {
        let _ = write!(decisions, "<option value={name}>{name} {zh}</option>");
    }
    let mut kinds = String::new();
    for class in CLASSES {
        let _ = write!(kinds, "<option value={}>{}</option>", class.name(), words::class(class));
    }
    let choice = |name: &str, heading: Label, any: Label, options: &str| {
        let (heading, any) = (words::both(heading), words::both(any));
        format!("<select name={name} aria-label=\"{heading}\"><option value=\"\">{any}</option>{options}</select>")
    };
    format!(
        "</ul></header>\n<form hidden>{}{}{}<input name=text type=search placeholder=\"{search}\" \
         aria-label=\"{search}\"><output></output></form>\n<main>",
        choice("decision", Label::Decision, Label::EveryDecision, &decisions),
        choice("kind", Label::Class, Label::EveryClass, &kinds),
        choice("code", Label::Reason, Label::EveryReason, ""),
        search = words::both(Label::Search),
    )
}

fn article(row: &Row, thumbnail: Option<&[u8]>) -> String {
    let (decision, badge) = named(decision(row));
    let (kind, codes) = match row {
        Row::Report(report) => {
            (report.classification.name(), report.reasons.iter().map(|r| r.code).collect::<Vec<_>>().join(" "))
        }
        Row::Failure(failure) => ("", failure.error.code.clone()),
    };
    let mut html =
        format!("<article data-decision={decision} data-kind=\"{kind}\" data-codes=\"{}\"><figure>", escaped(&codes));
    if let Some(jpeg) = thumbnail.filter(|jpeg| !jpeg.is_empty()) {
        let _ = write!(html, "<img alt=\"\" src=\"data:image/jpeg;base64,{}\">", BASE64.encode(jpeg));
    }
    let _ = write!(
        html,
        "</figure><div><h2>{}</h2><span class=\"badge {decision}\">{decision} {badge}</span>",
        escaped(row.path())
    );
    match row {
        Row::Report(report) => describe(report, &mut html),
        Row::Failure(failure) => describe_failure(failure, &mut html),
    }
    html.push_str("</div></article>\n");
    html
}

fn describe(report: &Report, html: &mut String) {
    let _ = write!(html, "<b>{}</b><ul class=scores>", words::class(report.classification));
    let scores = &report.scores;
    for (name, value) in
        [(Label::Screen, scores.screen), (Label::Print, scores.print), (Label::ShortLegibility, scores.legibility)]
    {
        let name = words::both(name);
        match value {
            Some(v) => {
                let _ = write!(html, "<li>{name} {v:.2}<meter min=0 max=1 value={v:.4}></meter></li>");
            }
            None => {
                let _ = write!(html, "<li>{name} –</li>");
            }
        }
    }
    let document = report
        .document
        .as_ref()
        .map_or_else(|| words::both(Label::NoDocument), |d| format!("document: {}", escaped(&name_of(&d.kind))));
    let _ = write!(
        html,
        "</ul><div class=num>{} × {} px · {} · {document}</div><ul class=reasons>",
        report.width,
        report.height,
        escaped(report.media_type)
    );
    for reason in &report.reasons {
        let _ = write!(
            html,
            "<li class={}><p>{}</p><p lang=zh-Hans>{}</p><span class=num><code>{}</code> {:.3} against {:.3}, by {:.3}\
             </span></li>",
            name_of(&reason.action),
            escaped(&reason.en),
            escaped(&reason.zh),
            escaped(reason.code),
            reason.score,
            reason.threshold,
            reason.margin,
        );
    }
    html.push_str("</ul>");
}

fn describe_failure(failure: &Failure, html: &mut String) {
    let _ = write!(
        html,
        "<ul class=reasons><li class=failed><p>{}</p><span class=num><code>{}</code></span></li></ul>",
        escaped(&failure.error.message),
        escaped(&failure.error.code)
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::FailureCause;

    #[test]
    fn a_name_that_is_markup_stays_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        let mut page = HtmlReport::begin(&path).unwrap();
        let name = "\"><script>alert(1)</script><img src=x onerror='a'>.jpg";
        let error = FailureCause { code: "missing\"".into(), message: "<b>".into() };
        page.write(&Row::Failure(Failure { path: name.into(), error }), None).unwrap();
        page.finish("done & <dusted>").unwrap();
        let html = std::fs::read_to_string(&path).unwrap();
        assert_eq!(html.matches("<script>").count(), 1);
        assert!(!html.contains("<img src=x"));
        assert!(html.contains("<li class=failed><b>1</b>"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
