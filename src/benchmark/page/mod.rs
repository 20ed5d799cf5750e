//! A report in sections → one self-contained HTML file, Markdown, or tables as CSV.
//!
//! Names, captions and cells may come from strangers' files; all three writers keep them text.

mod cells;
mod comparison;
mod csv;
mod explanations;
mod html;
mod markdown;
mod plots;
mod sections;

use std::collections::BTreeSet;

use self::plots::Svg;

pub use self::cells::{bracket, percent};
pub use self::comparison::comparison;
pub use self::csv::tables_csv;
pub use self::explanations::explanations;
pub use self::html::html;
pub use self::markdown::markdown;
pub use self::sections::{page, robustness, worst};

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
mod testing;

#[cfg(test)]
mod tests {
    use super::testing::written;
    use super::*;

    #[test]
    fn an_empty_page_is_a_page() {
        let page = Page { title: "t".into(), ..Page::default() };
        assert!(written(html, &page).ends_with("<main id=\"content\">\n</main></body></html>\n"));
        assert_eq!(written(markdown, &page), "# t\n");
        assert!(tables_csv(&page).is_empty());
    }
}
