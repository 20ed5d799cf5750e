//! A report in sections → one self-contained HTML file, Markdown, or tables as CSV.
//!
//! Names, captions and cells may come from strangers' files; all three writers keep them text.

use std::collections::BTreeSet;
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::Digest as _;

use super::plots::Svg;
use crate::report::csv::guarded;
use crate::report::html::escaped;

const STYLE: &str = include_str!("page.css");

/// A report.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Heading of the whole, and title of the window.
    pub title: String,
    /// Paragraphs before the contents.
    pub lead: Vec<String>,
    /// In order.
    pub sections: Vec<Section>,
}

/// A part of a report that the contents name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Section {
    /// Its heading.
    pub heading: String,
    /// Anchor, and beginning of the names of its tables; brought to lower-case letters, digits and hyphens, and made
    /// unlike those before it.
    pub id: String,
    /// Paragraphs.
    pub text: Vec<String>,
    /// After the paragraphs.
    pub tables: Vec<Table>,
    /// After the tables.
    pub figures: Vec<Figure>,
    /// After the figures.
    pub errors: Vec<ErrorCard>,
}

/// A table. A row shorter than the longest is filled up with empty cells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub head: Vec<String>,
    /// Its rows; the first cell names the row.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cell {
    /// As it is to be read.
    pub text: String,
    /// Whether it is a number, which stands at the right.
    pub number: bool,
    /// A mark such as "seen in training".
    pub badge: Option<String>,
}

impl Cell {
    /// A cell of words.
    pub fn words(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: false, badge: None }
    }

    /// A cell of figures, with their unit if the column has none.
    pub fn number(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: true, badge: None }
    }

    /// The same with a mark.
    #[must_use]
    pub fn badged(mut self, badge: impl Into<String>) -> Self {
        self.badge = Some(badge.into());
        self
    }
}

/// A drawing with what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// What it shows, and how to read it.
    pub caption: String,
    /// The drawing.
    pub svg: Svg,
}

/// A photograph that was judged wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorCard {
    /// The photograph, small: a JPEG file.
    pub thumbnail: Option<Vec<u8>>,
    /// The photograph with its evidence marked: a JPEG file.
    pub overlay: Option<Vec<u8>>,
    /// Its name.
    pub title: String,
    /// Scores, truth and reasons.
    pub lines: Vec<String>,
}

/// Writes the page as one file that loads nothing, runs nothing, and follows the reader's light or dark scheme.
///
/// # Errors
/// When `out` cannot be written.
pub fn html(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    let ids = ids(page);
    let title = escaped(&page.title);
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'sha256-{}'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body><a class=\"skip\" href=\"#content\">Skip to content</a><header><h1>{title}</h1>",
        BASE64.encode(sha2::Sha256::digest(STYLE.as_bytes())),
    )?;
    paragraphs(&page.lead, out)?;
    out.write_all(b"</header>\n")?;
    if !page.sections.is_empty() {
        out.write_all(b"<nav aria-labelledby=\"contents\"><h2 id=\"contents\">Contents</h2><ol>")?;
        for (section, id) in page.sections.iter().zip(&ids) {
            write!(out, "<li><a href=\"#{id}\">{}</a></li>", escaped(&section.heading))?;
        }
        out.write_all(b"</ol></nav>\n")?;
    }
    out.write_all(b"<main id=\"content\">\n")?;
    for (section, id) in page.sections.iter().zip(&ids) {
        section_html(section, id, out)?;
    }
    out.write_all(b"</main></body></html>\n")
}

fn section_html(section: &Section, id: &str, out: &mut dyn Write) -> io::Result<()> {
    let heading = escaped(&section.heading);
    write!(out, "<section id=\"{id}\" aria-labelledby=\"{id}_heading\"><h2 id=\"{id}_heading\">{heading}</h2>")?;
    paragraphs(&section.text, out)?;
    for (i, table) in section.tables.iter().enumerate() {
        table_html(table, &format!("{id}_table{i}"), out)?;
    }
    if !section.figures.is_empty() {
        out.write_all(b"<div class=\"drawings\">")?;
        for figure in &section.figures {
            let caption = escaped(&figure.caption);
            let svg = figure.svg.as_str();
            writeln!(out, "<figure class=\"drawing\"><figcaption>{caption}</figcaption>{svg}</figure>")?;
        }
        out.write_all(b"</div>")?;
    }
    if !section.errors.is_empty() {
        out.write_all(b"<div class=\"errors\">")?;
        for card in &section.errors {
            card_html(card, out)?;
        }
        out.write_all(b"</div>")?;
    }
    out.write_all(b"</section>\n")
}

fn paragraphs(text: &[String], out: &mut dyn Write) -> io::Result<()> {
    text.iter().try_for_each(|paragraph| write!(out, "<p>{}</p>", escaped(paragraph)))
}

fn table_html(table: &Table, id: &str, out: &mut dyn Write) -> io::Result<()> {
    let caption = if table.caption.is_empty() { "Table" } else { &table.caption };
    write!(
        out,
        "<figure><figcaption id=\"{id}\">{}</figcaption>\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"{id}\"><table><thead><tr>",
        escaped(caption)
    )?;
    let columns = columns(table);
    for i in 0..columns {
        let name = table.head.get(i).map_or("", String::as_str);
        write!(out, "<th scope=\"col\"{}>{}</th>", class(numeric(table, i)), escaped(name))?;
    }
    out.write_all(b"</tr></thead><tbody>\n")?;
    for row in &table.rows {
        out.write_all(b"<tr>")?;
        for i in 0..columns {
            let Some(cell) = row.get(i) else {
                out.write_all(b"<td></td>")?;
                continue;
            };
            let (open, close) = if i == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
            write!(out, "<{open}{}>{}", class(cell.number), escaped(&cell.text))?;
            if let Some(badge) = &cell.badge {
                write!(out, " <span class=\"badge\">{}</span>", escaped(badge))?;
            }
            write!(out, "</{close}>")?;
        }
        out.write_all(b"</tr>\n")?;
    }
    out.write_all(b"</tbody></table></div></figure>\n")
}

fn class(number: bool) -> &'static str {
    if number { " class=\"number\"" } else { "" }
}

fn card_html(card: &ErrorCard, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<article>")?;
    let pictures = [(&card.thumbnail, "photograph"), (&card.overlay, "where the evidence lies")];
    let pictures = pictures.map(|(jpeg, name)| (jpeg.as_deref().unwrap_or_default(), name));
    if pictures.iter().any(|(jpeg, _)| !jpeg.is_empty()) {
        out.write_all(b"<div class=\"pictures\">")?;
        for (jpeg, name) in pictures.into_iter().filter(|(jpeg, _)| !jpeg.is_empty()) {
            let data = BASE64.encode(jpeg);
            write!(
                out,
                "<figure><img alt=\"{name}\" src=\"data:image/jpeg;base64,{data}\"><figcaption>{name}</figcaption>\
                 </figure>"
            )?;
        }
        out.write_all(b"</div>")?;
    }
    write!(out, "<h3>{}</h3>", escaped(&card.title))?;
    if !card.lines.is_empty() {
        out.write_all(b"<ul>")?;
        card.lines.iter().try_for_each(|line| write!(out, "<li>{}</li>", escaped(line)))?;
        out.write_all(b"</ul>")?;
    }
    out.write_all(b"</article>\n")
}

/// Writes text and tables; of figures the captions, of photographs the names and lines.
///
/// # Errors
/// When `out` cannot be written.
pub fn markdown(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# {}", marked(&page.title))?;
    for text in &page.lead {
        write!(out, "\n{}\n", marked(text))?;
    }
    for section in &page.sections {
        write!(out, "\n## {}\n", marked(&section.heading))?;
        for text in &section.text {
            write!(out, "\n{}\n", marked(text))?;
        }
        for table in &section.tables {
            table_markdown(table, out)?;
        }
        for figure in &section.figures {
            write!(out, "\nFigure: {}\n", marked(&figure.caption))?;
        }
        for (i, card) in section.errors.iter().enumerate() {
            writeln!(out, "{}- {}", if i == 0 { "\n" } else { "" }, marked(&card.title))?;
            card.lines.iter().try_for_each(|line| writeln!(out, "  - {}", marked(line)))?;
        }
    }
    Ok(())
}

fn table_markdown(table: &Table, out: &mut dyn Write) -> io::Result<()> {
    let columns = columns(table);
    if !table.caption.is_empty() {
        write!(out, "\n{}\n", marked(&table.caption))?;
    }
    if columns == 0 {
        return Ok(());
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let head = (0..columns).map(|i| table.head.get(i).map(|name| marked(name)).unwrap_or_default()).collect();
    let rule = (0..columns).map(|i| if numeric(table, i) { "---:" } else { "---" }.to_owned()).collect();
    write!(out, "\n{}{}", line(head), line(rule))?;
    for row in &table.rows {
        let cell = |cell: &Cell| {
            let badge = cell.badge.as_ref().map(|badge| format!(" ({})", marked(badge))).unwrap_or_default();
            marked(&cell.text) + &badge
        };
        out.write_all(line((0..columns).map(|i| row.get(i).map(cell).unwrap_or_default()).collect()).as_bytes())?;
    }
    Ok(())
}

/// `text` on one line, with everything escaped that Markdown could read as markup, table or link.
fn marked(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len());
    // A line may begin with signs of a list, a heading or a rule, or with a number and a full stop.
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let opener = if text.starts_with(['#', '+', '-', '=']) { Some(0) } else { Some(digits).filter(|n| *n > 0) };
    for (i, c) in text.char_indices() {
        let rest = &text[i..];
        let link = rest.starts_with("://") || (c == '.' && text[..i].to_ascii_lowercase().ends_with("www"));
        let begins = opener == Some(i) && (i == 0 || matches!(c, '.' | ')')) && !text[..i].contains(c);
        let list = begins && (i == 0 || rest[1..].is_empty() || rest[1..].starts_with(' '));
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' => out.extend(['\\', c]),
            c if link || list => out.extend(['\\', c]),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The tables, each with the stem of a file name of its own and its records. Marks stand in a last column of their own,
/// so that numbers stay numbers; words that a spreadsheet would take for a formula get an apostrophe.
pub fn tables_csv(page: &Page) -> Vec<(String, String)> {
    let mut taken = BTreeSet::new();
    let mut files = Vec::new();
    for (section, id) in page.sections.iter().zip(ids(page)) {
        for table in &section.tables {
            let caption = slug(&table.caption);
            let caption = if caption.is_empty() { "table" } else { &caption };
            files.push((unlike(&mut taken, &format!("{id}-{caption}")), records(table)));
        }
    }
    files
}

fn records(table: &Table) -> String {
    let columns = columns(table);
    let badges = |row: &[Cell]| row.iter().filter_map(|cell| cell.badge.clone()).collect::<Vec<_>>().join("; ");
    let marks = table.rows.iter().any(|row| !badges(row).is_empty());
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    let mut record = |mut cells: Vec<String>, last: String| {
        if marks {
            cells.push(last);
        }
        // Writing to memory does not fail.
        let _ = writer.write_record(cells);
    };
    let name = |i: usize| table.head.get(i).map(|name| guarded(name)).unwrap_or_default();
    record((0..columns).map(name).collect(), "marks".to_owned());
    for row in &table.rows {
        let text = |cell: &Cell| {
            let number = cell.number && cell.text.parse::<f64>().is_ok();
            if number { cell.text.clone() } else { guarded(&cell.text) }
        };
        let cells = (0..columns).map(|i| row.get(i).map(text).unwrap_or_default()).collect();
        record(cells, guarded(&badges(row)));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn columns(table: &Table) -> usize {
    table.rows.iter().map(Vec::len).fold(table.head.len(), usize::max)
}

/// Whether a column holds a number in some row.
fn numeric(table: &Table, column: usize) -> bool {
    table.rows.iter().filter_map(|row| row.get(column)).any(|cell| cell.number)
}

/// The anchors of the sections, in their order.
fn ids(page: &Page) -> Vec<String> {
    let mut taken = BTreeSet::from(["content".to_owned(), "contents".to_owned()]);
    let id = |(i, section): (usize, &Section)| {
        let slug = slug(&section.id);
        unlike(&mut taken, &if slug.is_empty() { format!("section-{}", i + 1) } else { slug })
    };
    page.sections.iter().enumerate().map(id).collect()
}

/// At most 60 lower-case letters and digits of ASCII, with one hyphen for whatever is between them.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(60);
    out.trim_end_matches('-').to_owned()
}

/// `name`, with a number at its end when it is taken already.
fn unlike(taken: &mut BTreeSet<String>, name: &str) -> String {
    let numbered = |n: usize| if n == 1 { name.to_owned() } else { format!("{name}-{n}") };
    let free = (1..=taken.len() + 1).map(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or_else(|| name.to_owned());
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::super::plots;
    use super::*;

    const HOSTILE: &str = "\"><script>alert(1)</script><img src=x onerror='a'>|`*_[a](b)\u{202e}\u{0}";

    fn page() -> Page {
        let cells = |text: &str| vec![Cell::words(text).badged(HOSTILE), Cell::number("0.5")];
        let table = Table {
            caption: HOSTILE.into(),
            head: vec![HOSTILE.into(), "rate".into()],
            rows: vec![cells(HOSTILE), vec![], vec![Cell::words("=1+1"), Cell::number("-0.25"), Cell::number("-x")]],
        };
        let card = |jpeg: Option<&[u8]>| ErrorCard {
            thumbnail: jpeg.map(<[u8]>::to_vec),
            overlay: None,
            title: HOSTILE.into(),
            lines: vec![HOSTILE.into()],
        };
        let figure = Figure { caption: HOSTILE.into(), svg: plots::calibration(&[(0.2, 0.3, 9), (0.8, 0.7, 1)]) };
        let section = Section {
            heading: HOSTILE.into(),
            id: "a\" onclick=\"b".into(),
            text: vec![HOSTILE.into()],
            tables: vec![table.clone(), table],
            figures: vec![figure],
            errors: vec![card(Some(b"\xff\xd8")), card(None), card(Some(b""))],
        };
        let foreign = Section { heading: "证件".into(), id: "证件".into(), ..Section::default() };
        let sections = vec![section.clone(), section, foreign, Section { id: "contents".into(), ..Section::default() }];
        Page { title: HOSTILE.into(), lead: vec![HOSTILE.into()], sections }
    }

    fn written(writer: fn(&Page, &mut dyn Write) -> io::Result<()>, page: &Page) -> String {
        let mut out = Vec::new();
        writer(page, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
        let name = format!(" {name}=\"");
        html.split(name.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
    }

    #[test]
    fn what_is_markup_in_a_name_stays_text() {
        let html = written(html, &page());
        for tag in ["<script", "<img src=x", "onclick=", "\u{202e}", "\u{0}"] {
            assert!(!html.contains(tag), "{tag}");
        }
        // Only the two pictures with bytes are there, and every picture is data.
        assert_eq!(html.matches("<img").count(), 2);
        assert!(attributes(&html, "src").iter().all(|src| *src == "data:image/jpeg;base64,/9g="));
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn the_page_is_well_formed_apart_from_its_head() {
        let html = written(html, &page());
        let body = &html[html.find("<body>").unwrap()..html.rfind("</html>").unwrap()];
        let mut reader = quick_xml::Reader::from_str(body);
        // Pictures are the one element that HTML leaves open.
        reader.config_mut().check_end_names = false;
        let mut open = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(start) if start.name().as_ref() != b"img" => {
                    open.push(start.name().as_ref().to_vec());
                }
                quick_xml::events::Event::End(end) => assert_eq!(open.pop().as_deref(), Some(end.name().as_ref())),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    #[test]
    fn the_page_may_load_and_run_nothing() {
        let html = written(html, &page());
        let policy = attributes(&html, "content").into_iter().find(|c| c.contains("default-src")).unwrap();
        let style = &html[html.find("<style>").unwrap() + 7..html.find("</style>").unwrap()];
        let hash = BASE64.encode(sha2::Sha256::digest(style.as_bytes()));
        assert!(policy.starts_with("default-src 'none'; "));
        assert!(policy.contains(&format!("style-src 'sha256-{hash}'")) && !policy.contains("script-src"));
        assert!(!html.contains(" style=\"") && !style.contains("url(") && !style.contains("@import"));
        let outside = html.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        assert!(!outside.replace("http-equiv", "").contains("http"));
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
    }

    #[test]
    fn every_anchor_leads_somewhere_and_none_is_there_twice() {
        let html = written(html, &page());
        let ids = attributes(&html, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
        let links: Vec<_> = attributes(&html, "href").into_iter().map(|link| link.strip_prefix('#').unwrap()).collect();
        assert_eq!(links, ["content", "a-onclick-b", "a-onclick-b-2", "section-3", "contents-2"]);
        let named = attributes(&html, "aria-labelledby");
        assert!(named.len() > 4 && links.iter().chain(&named).all(|link| ids.contains(link)));
    }

    #[test]
    fn numbers_stand_at_the_right_and_short_rows_are_filled_up() {
        let html = written(html, &page());
        assert!(html.contains("<td class=\"number\">0.5</td>"));
        let table = &html[html.find("<table>").unwrap()..html.find("</table>").unwrap()];
        for row in table.split("<tr>").skip(1) {
            assert_eq!(row.matches("</td>").count() + row.matches("</th>").count(), 3, "{row}");
        }
        assert!(html.contains("<div class=\"scroll\" tabindex=\"0\" role=\"region\""));
    }

    #[test]
    fn an_empty_page_is_a_page() {
        let page = Page { title: "t".into(), ..Page::default() };
        assert!(written(html, &page).ends_with("<main id=\"content\">\n</main></body></html>\n"));
        assert_eq!(written(markdown, &page), "# t\n");
        assert!(tables_csv(&page).is_empty());
    }

    #[test]
    fn markup_in_markdown_is_escaped() {
        for (text, expected) in [
            ("a|b`c`", "a\\|b\\`c\\`"),
            ("<b> & \\", "\\<b\\> \\& \\\\"),
            ("[a](b) *c* _d_ ~e~ $f$", "\\[a\\](b) \\*c\\* \\_d\\_ \\~e\\~ \\$f\\$"),
            ("two\nlines\r\n\n# three", "two lines # three"),
            ("# heading", "\\# heading"),
            ("- item", "\\- item"),
            ("---", "\\---"),
            ("+", "\\+"),
            ("1. item", "1\\. item"),
            ("12) item", "12\\) item"),
            ("1.", "1\\."),
            ("0.25", "0.25"),
            ("3.5. x", "3.5. x"),
            ("http://a.b www.c.d", "http\\://a.b www\\.c.d"),
            ("证件 0.5–0.6", "证件 0.5–0.6"),
        ] {
            assert_eq!(marked(text), expected);
        }
    }

    #[test]
    fn a_markdown_table_has_as_many_cells_in_every_row() {
        let markdown = written(markdown, &page());
        let rows: Vec<_> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(rows.len(), 20);
        for row in &rows {
            assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
        }
        assert_eq!(rows[1], "| --- | ---: | ---: |");
        assert!(markdown.contains("\nFigure: \""));
    }

    #[test]
    fn tables_have_names_of_their_own_and_can_be_read_back() {
        let files = tables_csv(&page());
        let stems: Vec<_> = files.iter().map(|(stem, _)| stem.as_str()).collect();
        let slug = "script-alert-1-script-img-src-x-onerror-a-a-b";
        assert_eq!(stems[0], format!("a-onclick-b-{slug}"));
        assert_eq!(stems[1], format!("a-onclick-b-{slug}-2"));
        assert_eq!(stems.iter().collect::<BTreeSet<_>>().len(), 4);
        let mut reader = csv::Reader::from_reader(files[0].1.as_bytes());
        assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), [HOSTILE, "rate", "", "marks"]);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows[0], [HOSTILE, "0.5", "", HOSTILE]);
        assert_eq!(rows[1], ["", "", "", ""]);
        assert_eq!(rows[2], ["'=1+1", "-0.25", "'-x", ""]);
    }
}
