//! A page → one HTML file that loads nothing, runs nothing, and follows the reader's light or dark scheme.

use std::io::{self, Write};

use maud::{DOCTYPE, Markup, PreEscaped, html as template};

use super::{Cell, ErrorCard, Page, Section, Table, columns, ids, numeric};
use crate::report::html::{Foreign, content_policy, jpeg_url};

const STYLE: &str = include_str!("page.css");

/// Writes the page as one file that loads nothing, runs nothing, and follows the reader's light or dark scheme.
///
/// # Errors
/// When `out` cannot be written.
pub fn html(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", whole(page).into_string())
}

fn whole(page: &Page) -> Markup {
    let ids = ids(page);
    let policy = content_policy(STYLE, None);
    template! {
        (DOCTYPE) "\n"
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy);
                meta name="viewport" content="width=device-width,initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (Foreign(&page.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to content" }
                header {
                    h1 { (Foreign(&page.title)) }
                    (paragraphs(&page.lead))
                }
                @if !page.sections.is_empty() {
                    nav aria-labelledby="contents" {
                        h2 id="contents" { "Contents" }
                        ol {
                            @for (section, id) in page.sections.iter().zip(&ids) {
                                li { a href={ "#" (id) } { (Foreign(&section.heading)) } }
                            }
                        }
                    }
                }
                main id="content" {
                    "\n"
                    @for (section, id) in page.sections.iter().zip(&ids) {
                        (section_html(section, id)) "\n"
                    }
                }
            }
        }
    }
}

fn section_html(section: &Section, id: &str) -> Markup {
    template! {
        section id=(id) aria-labelledby={ (id) "_heading" } {
            h2 id={ (id) "_heading" } { (Foreign(&section.heading)) }
            (paragraphs(&section.text))
            @for (i, table) in section.tables.iter().enumerate() {
                (table_html(table, &format!("{id}_table{i}")))
            }
            @if !section.figures.is_empty() {
                div.drawings {
                    @for figure in &section.figures {
                        figure.drawing {
                            figcaption { (Foreign(&figure.caption)) }
                            (figure.svg)
                        }
                    }
                }
            }
            @if !section.errors.is_empty() {
                div.errors {
                    @for card in &section.errors {
                        (card_html(card))
                    }
                }
            }
        }
    }
}

fn paragraphs(text: &[String]) -> Markup {
    template! {
        @for paragraph in text {
            p { (Foreign(paragraph)) }
        }
    }
}

fn table_html(table: &Table, id: &str) -> Markup {
    let caption = if table.caption.is_empty() { "Table" } else { &table.caption };
    let columns = columns(table);
    template! {
        figure {
            figcaption id=(id) { (Foreign(caption)) }
            div.scroll tabindex="0" role="region" aria-labelledby=(id) {
                table {
                    thead {
                        tr {
                            @for i in 0..columns {
                                th scope="col" class=[number(numeric(table, i))] {
                                    (Foreign(table.head.get(i).map_or("", String::as_str)))
                                }
                            }
                        }
                    }
                    tbody {
                        @for row in &table.rows {
                            "\n"
                            tr {
                                @for i in 0..columns {
                                    @match row.get(i) {
                                        Some(cell) if i == 0 => th scope="row" class=[number(cell.number)] { (content(cell)) },
                                        Some(cell) => td class=[number(cell.number)] { (content(cell)) },
                                        None => td {},
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn number(is: bool) -> Option<&'static str> {
    is.then_some("number")
}

fn content(cell: &Cell) -> Markup {
    template! {
        (Foreign(&cell.text))
        @if let Some(badge) = &cell.badge {
            " " span.badge { (Foreign(badge)) }
        }
    }
}

fn card_html(card: &ErrorCard) -> Markup {
    let pictures = [(&card.thumbnail, "photograph"), (&card.overlay, "where the evidence lies")];
    let pictures: Vec<(&[u8], &str)> = pictures
        .into_iter()
        .filter_map(|(jpeg, name)| Some((jpeg.as_deref().filter(|jpeg| !jpeg.is_empty())?, name)))
        .collect();
    template! {
        article {
            @if !pictures.is_empty() {
                div.pictures {
                    @for (jpeg, name) in pictures {
                        figure {
                            img alt=(name) src=(jpeg_url(jpeg));
                            figcaption { (name) }
                        }
                    }
                }
            }
            h3 { (Foreign(&card.title)) }
            @if !card.lines.is_empty() {
                ul {
                    @for line in &card.lines {
                        li { (Foreign(line)) }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use sha2::Digest as _;

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
