//! A page → Markdown: its text and tables, the captions of its figures, the names and lines of its photographs.

use std::io::{self, Write};

use super::{Cell, Page, Table, columns, numeric};
use crate::names::disguises;

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
            c if disguises(c) => out.extend(c.escape_default()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{page, written};
    use super::*;

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
}
