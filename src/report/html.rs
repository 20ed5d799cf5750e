//! Rows → one self-contained HTML page, written as the rows come so that memory does not grow with them.

use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use maud::{DOCTYPE, Markup, PreEscaped, Render, html};
use sha2::Digest;

use super::alone::Part;
use super::entry::CLASSES;
use super::{Entry, FailureCause, Told};
use crate::geometry::Quad;
use crate::names::printable;
use crate::policy::Decision;
use crate::scene::Overview;
use crate::vocabulary::Language;
use crate::words::{self, Label};

/// Longest side of a thumbnail, in pixels.
pub const THUMBNAIL_PX: u32 = 180;

const STYLE: &str = include_str!("html.css");
const SCRIPT: &str = include_str!("html.js");
/// Room kept at the top of the page for the counts, which are known at the end.
const COUNTS_BYTES: usize = 1024;
/// Where the counts and the rows go in the frame; escaped text cannot hold it.
const GAP: PreEscaped<&str> = PreEscaped("<!-- gap -->");
/// Decisions in the order of the page; the last is none.
const DECISIONS: [Option<Decision>; 5] =
    [Some(Decision::Accept), Some(Decision::Retake), Some(Decision::Review), Some(Decision::Reject), None];
/// A page in the making: rows go to `FILE.part` beside its destination, and it takes its name when finished.
pub struct HtmlReport {
    part: Part,
    counts_at: u64,
    counts: [u64; DECISIONS.len()],
}

impl HtmlReport {
    /// Begins the page that [`HtmlReport::finish`] puts at `path`.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another run is writing it; when the folder of `path` cannot be written.
    pub fn begin(path: &Path) -> io::Result<Self> {
        let mut part = Part::begin(path)?;
        let out = part.out();
        let frame = frame("").into_string();
        let mut parts = frame.split(GAP.0);
        out.write_all(parts.next().unwrap_or_default().as_bytes())?;
        let counts_at = out.stream_position()?;
        out.write_all(&[b' '; COUNTS_BYTES])?;
        out.write_all(parts.next().unwrap_or_default().as_bytes())?;
        Ok(Self { part, counts_at, counts: [0; DECISIONS.len()] })
    }

    /// Adds a row with its thumbnail, a JPEG file.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn write(&mut self, entry: &Entry, thumbnail: Option<&[u8]>) -> io::Result<()> {
        let decision = entry.decision();
        for (known, count) in DECISIONS.iter().zip(&mut self.counts) {
            *count += u64::from(*known == decision);
        }
        writeln!(self.part.out(), "{}", article(entry, thumbnail).into_string())
    }

    /// Ends the page with `note` at its foot and gives it its name.
    ///
    /// # Errors
    /// When the page cannot be written or renamed; it is removed then.
    pub fn finish(mut self, note: &str) -> io::Result<()> {
        let frame = frame(note).into_string();
        let out = self.part.out();
        writeln!(out, "{}", frame.rsplit(GAP.0).next().unwrap_or_default())?;
        out.seek(SeekFrom::Start(self.counts_at))?;
        let list = counts(&self.counts).into_string();
        debug_assert!(list.len() <= COUNTS_BYTES);
        out.write_all(list.as_bytes())?;
        self.part.finish()
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

/// A name or sentence that may come from a stranger's file: what could disguise it is written by its number, and like all
/// text of a template it is escaped.
pub(crate) struct Foreign<'a>(pub &'a str);

impl Render for Foreign<'_> {
    fn render_to(&self, out: &mut String) {
        printable(self.0).render_to(out);
    }
}

/// The source of a picture whose bytes are in the page.
pub(crate) fn jpeg_url(jpeg: &[u8]) -> String {
    format!("data:image/jpeg;base64,{}", BASE64.encode(jpeg))
}

/// The policy of contents of a self-contained page: nothing but its own style, its own script where it has one, and
/// pictures within it.
pub(crate) fn content_policy(style: &str, script: Option<&str>) -> String {
    let hash = |text: &str| format!("'sha256-{}'", BASE64.encode(sha2::Sha256::digest(text.as_bytes())));
    let script = script.map(|script| format!(" script-src {};", hash(script))).unwrap_or_default();
    format!("default-src 'none'; img-src data:; style-src {};{script} base-uri 'none'; form-action 'none'", hash(style))
}

/// The name that the page's style and script know a decision by, and its Chinese one.
fn named(decision: Option<Decision>) -> (&'static str, &'static str) {
    decision.map_or_else(
        || ("failed", words::label(Label::NotExamined, Language::Zh)),
        |decision| (decision.name(), words::decision(decision, Language::Zh)),
    )
}

/// All of the page but its counts and its rows.
fn frame(note: &str) -> Markup {
    let policy = content_policy(STYLE, Some(SCRIPT));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { "bonafide: screening report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (words::both(Label::Screening)) }
                    ul.counts { (GAP) }
                }
                (form())
                main { (GAP) }
                footer { (Foreign(note)) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    }
}

fn counts(counts: &[u64; DECISIONS.len()]) -> Markup {
    html! {
        li { b { (counts.iter().sum::<u64>()) } (words::both(Label::All)) }
        @for ((name, zh), count) in DECISIONS.map(named).iter().zip(counts) {
            li.(name) { b { (count) } (name) " " (zh) }
        }
    }
}

fn form() -> Markup {
    let search = words::both(Label::Search);
    html! {
        form hidden {
            select name="decision" aria-label=(words::both(Label::Decision)) {
                option value="" { (words::both(Label::EveryDecision)) }
                @for (name, zh) in DECISIONS.map(named) {
                    option value=(name) { (name) " " (zh) }
                }
            }
            select name="kind" aria-label=(words::both(Label::Class)) {
                option value="" { (words::both(Label::EveryClass)) }
                @for class in CLASSES {
                    option value=(class.name()) { (words::class(class)) }
                }
            }
            select name="code" aria-label=(words::both(Label::Reason)) {
                option value="" { (words::both(Label::EveryReason)) }
            }
            input name="text" type="search" placeholder=(search) aria-label=(search);
            output {}
        }
    }
}

fn article(entry: &Entry, thumbnail: Option<&[u8]>) -> Markup {
    let (decision, zh) = named(entry.decision());
    let (kind, codes) = match &entry.outcome {
        Ok(told) => {
            let codes: Vec<_> = told.reasons.iter().map(|why| why.code.as_str()).collect();
            (told.classification.name(), codes.join(" "))
        }
        Err(cause) => ("", cause.code.clone()),
    };
    html! {
        article data-decision=(decision) data-kind=(kind) data-codes=(Foreign(&codes)) {
            figure {
                @if let Some(jpeg) = thumbnail.filter(|jpeg| !jpeg.is_empty()) {
                    img alt="" src=(jpeg_url(jpeg));
                }
            }
            div {
                h2 { (Foreign(&entry.path)) }
                span.badge.(decision) { (decision) " " (zh) }
                @match &entry.outcome {
                    Ok(told) => (described(told)),
                    Err(cause) => (failed(cause)),
                }
            }
        }
    }
}

fn described(told: &Told) -> Markup {
    let names = [Label::Screen, Label::Print, Label::ShortLegibility];
    let (width, height) = told.size;
    html! {
        b { (words::class(told.classification)) }
        ul.scores {
            @for (name, score) in names.into_iter().zip(told.scores) {
                li {
                    (words::both(name)) " "
                    @if let Some(score) = score {
                        (format_args!("{score:.2}"))
                        meter min="0" max="1" value=(format_args!("{score:.4}")) {}
                    } @else {
                        "–"
                    }
                }
            }
        }
        div.num {
            (width) " × " (height) " px · " (Foreign(&told.media_type)) " · "
            @if let Some(document) = &told.document {
                "document: " (Foreign(document))
            } @else {
                (words::both(Label::NoDocument))
            }
        }
        ul.reasons {
            @for why in &told.reasons {
                li.(why.action.name()) {
                    (paragraphs(&why.en, &why.zh))
                    span.num {
                        code { (Foreign(&why.code)) }
                        @if let Some(by) = &why.measured {
                            " " (Foreign(&by.reading)) (format_args!(" {:.3}, limit {:.3}", by.score, by.threshold))
                        }
                    }
                }
            }
        }
    }
}

fn failed(cause: &FailureCause) -> Markup {
    html! {
        ul.reasons {
            li.failed {
                (paragraphs(&cause.message, &cause.message_zh))
                span.num { code { (Foreign(&cause.code)) } }
            }
        }
    }
}

/// A sentence in both languages, where it is told.
fn paragraphs(en: &str, zh: &str) -> Markup {
    html! {
        @if !en.is_empty() {
            p { (Foreign(en)) }
        }
        @if !zh.is_empty() {
            p lang="zh-Hans" { (Foreign(zh)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Classification;
    use crate::report::{Judge, Why};

    #[test]
    fn what_is_markup_or_disguise_in_a_name_stays_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        let mut page = HtmlReport::begin(&path).unwrap();
        let name = "\"><script>alert(1)</script><img src=x onerror='a'>\u{202e}\u{1b}.jpg";
        let error = FailureCause { code: "missing\"".into(), message: "<b>".into(), message_zh: "<i>中".into() };
        page.write(&Entry { path: name.into(), path_bytes: None, outcome: Err(error) }, None).unwrap();
        let why = Why {
            code: "<u>".into(),
            action: Decision::Review,
            measured: None,
            en: "Saved by <script src=//x>.".into(),
            zh: "<s>".into(),
        };
        let told = Told {
            decision: Decision::Review,
            classification: Classification::BonaFide,
            scores: [None; 3],
            size: (1, 1),
            media_type: "<h6>".into(),
            document: Some("<tt>".into()),
            corners: None,
            reasons: vec![why],
            sha256: String::new(),
            judge: Judge::default(),
        };
        page.write(&Entry { path: "a".into(), path_bytes: None, outcome: Ok(told) }, None).unwrap();
        page.finish("done & <dusted>").unwrap();
        let html = std::fs::read_to_string(&path).unwrap();
        assert_eq!(html.matches("<script").count(), 1);
        for tag in ["<img src=x", "<b><", "<i>", "<u>", "<s>", "<h6>", "<tt>", "\u{202e}", "\u{1b}"] {
            assert!(!html.contains(tag), "{tag}");
        }
        assert!(html.contains(
            "<h2>&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror='a'&gt;\\u{202e}\\u{1b}.jpg</h2>"
        ));
        assert!(html.contains(" data-codes=\"missing&quot;\""));
        assert!(html.contains("<p>&lt;b&gt;</p><p lang=\"zh-Hans\">&lt;i&gt;中</p>"));
        assert!(html.contains("</main><footer>done &amp; &lt;dusted&gt;</footer>"));
        assert!(html.contains("<li class=\"failed\"><b>1</b>"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
