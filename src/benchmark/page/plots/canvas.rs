//! Whatever draws and its key → a whole `svg` element, or one that says that there is no data.

use maud::{Markup, PreEscaped, Render, html};
use plotters::coord::Shift;
use plotters::prelude::{Circle, Color as _, DrawingArea, DrawingAreaErrorKind, IntoDrawingArea as _, SVGBackend};
use plotters::style::text_anchor::{HPos, VPos};

use super::ink::{DASHES, INK, colour, filled_bar, stroke, write};
use super::text::{FONT, fitted, plain, width_of};

/// Width of every drawing, in its own units.
pub(super) const WIDTH: i32 = 640;
/// From one line of text to the next.
pub(super) const LINE: i32 = 26;
/// Room below a plane for labels of ticks and the name of the axis.
pub(super) const FOOT: i32 = 2 * LINE + 12;

pub(super) type Root<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<std::io::Error>>;
/// A place in the drawing.
pub(super) type Place = (i32, i32);

/// A drawing, well-formed whatever the names that it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Svg(String);

impl Svg {
    /// Its text, a whole `svg` element.
    #[cfg(test)]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Render for Svg {
    fn render_to(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// What stands before a name in the key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mark {
    /// A series drawn as a line.
    Line(usize),
    /// A series drawn as bars.
    Bar(usize),
    /// A series drawn as discs.
    Disc(usize),
    /// A line of comparison.
    Dashes(usize),
    /// The ring around a point in use.
    Ring,
    /// Nothing was drawn.
    Absent,
}

/// A line of the key.
pub(super) struct Key {
    name: String,
    mark: Mark,
}

impl Key {
    /// Width of the sample before the name.
    const SAMPLE: i32 = 54;

    pub(super) fn new(name: &str, mark: Mark) -> Self {
        Self { name: fitted(name, WIDTH - Self::SAMPLE - 30), mark }
    }

    /// A series without enough to draw.
    pub(super) fn absent(name: &str) -> Self {
        Self { name: format!("{} (no data)", fitted(name, WIDTH - Self::SAMPLE - 130)), mark: Mark::Absent }
    }

    fn draw(&self, root: &Root, (left, middle): Place) -> Drawn {
        let line = vec![(left, middle), (left + Self::SAMPLE - 10, middle)];
        let centre = (left + (Self::SAMPLE - 10) / 2, middle);
        match self.mark {
            Mark::Line(i) => stroke(root, line, colour(i).to_rgba(), i, 3)?,
            Mark::Bar(i) => filled_bar(root, [(left, middle - 8), (left + Self::SAMPLE - 10, middle + 8)], i)?,
            Mark::Disc(i) => root.draw(&Circle::new(centre, 9, colour(i).mix(0.6).filled()))?,
            Mark::Dashes(i) => stroke(root, line, INK.mix(0.7), 1 + i % (DASHES.len() - 1), 2)?,
            Mark::Ring => root.draw(&Circle::new(centre, 11, INK.stroke_width(2)))?,
            Mark::Absent => {}
        }
        write(root, &self.name, (left + Self::SAMPLE, middle), HPos::Left, VPos::Center)
    }
}

/// A drawing of `height` and its key below; what `draw` puts into it is in units from its upper left corner.
pub(super) fn figure(title: &str, height: i32, keys: Vec<Key>, draw: impl FnOnce(&Root) -> Drawn) -> Svg {
    let mut places = Vec::with_capacity(keys.len());
    let (mut left, mut row) = (8, 0);
    for key in &keys {
        let width = Key::SAMPLE + width_of(&key.name) + 22;
        if left > 8 && left + width > WIDTH {
            (left, row) = (8, row + 1);
        }
        places.push((left, height + 12 + LINE / 2 + row * LINE));
        left += width;
    }
    let whole = height + if keys.is_empty() { 0 } else { (row + 1) * LINE + 16 };
    let mut text = String::new();
    let drawn = {
        let root = SVGBackend::with_string(&mut text, (WIDTH as u32, whole as u32)).into_drawing_area();
        draw(&root.clone().shrink((0, 0), (WIDTH, height)))
            .and_then(|()| keys.iter().zip(&places).try_for_each(|(key, place)| key.draw(&root, *place)))
            .and_then(|()| root.present())
    };
    let content = text.trim_end().strip_suffix("</svg>").and_then(|open| Some(open.split_once('>')?.1));
    match (drawn, content) {
        (Ok(()), Some(content)) => {
            let ink = format!("\"#{:02X}{:02X}{:02X}\"", INK.0, INK.1, INK.2);
            framed(title, whole, &PreEscaped(content.replace(&ink, "\"currentColor\"")))
        }
        _ => no_data(title),
    }
}

pub(super) fn no_data(title: &str) -> Svg {
    let content = html! {
        rect x="1" y="1" width=(WIDTH - 2) height="158" fill="none" stroke="currentColor" opacity="0.3" {}
        text x=(WIDTH / 2) y="87" text-anchor="middle" font-family="sans-serif" font-size=(FONT) fill="currentColor" {
            "no data"
        }
    };
    framed(title, 160, &content)
}

fn framed(title: &str, height: i32, content: &Markup) -> Svg {
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox={ "0 0 " (WIDTH) " " (height) } width="100%" role="img" {
            title { (plain(title)) }
            (content)
        }
    };
    Svg(svg.into_string())
}
