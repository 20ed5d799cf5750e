//! A page → one HTML file that loads nothing, runs nothing, and follows the reader's light or dark scheme.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::Digest as _;

use super::{ErrorCard, Page, Section, Table, columns, ids, numeric};
use crate::report::html::escaped;

const STYLE: &str = include_str!("page.css");

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::testing::{page, written};
    use super::*;

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
}
