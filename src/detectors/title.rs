//! The upper lines of a document → what it calls itself, where that was surely read.
//!
//! The bounds below say where this detector looks: they are part of what its readings mean.

use image::imageops;

use super::{Detector, DetectorInfo, Entry, abstain_without_model};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::PixelRect;
use crate::reading::title::of_line;
use crate::reading::{Line, TextReader, Title, lines};
use crate::scene::{Flat, Scene, Seen};
use crate::vocabulary::Face;
use crate::words::Fact;

pub static READ: Reading = Reading::flag("title.read", "the document's name was surely read");
pub static CONFIDENCE: Reading =
    Reading::share("title.confidence", "confidence of the least sure character of that name");
pub static TEMPORARY: Reading =
    Reading::flag("title.temporary", "it calls itself a temporary identity card (临时居民身份证)");

/// Lowest end of the lines that are read, in heights of the document.
const PLACE: f32 = 0.62;
/// Width over height of a title, and its least width in widths of the document.
const LONG: std::ops::RangeInclusive<f32> = 2.2..=26.0;
const LEAST_WIDE: f32 = 0.12;
/// Gap between two characters of a title, over their height: 营 业 执 照 is set wide.
const GAP: f32 = 3.0;
/// Lines of one view that are read, the highest first, 25 ms each.
const MOST_LINES: usize = 3;
/// The view's print is looked for at these parts of its size: titles of licences are higher than print is.
const SIZES: [u32; 3] = [1, 2, 3];

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "title",
        question: "What does the document call itself?",
        readings: &[&READ, &CONFIDENCE, &TEMPORARY],
        method: "The highest lines of the upper part of a card, licence or page are read by the network for Chinese print, three \
                 at most, and compared with the names of the documents that filings take: resident and temporary identity \
                 cards, permits of residents of Hong Kong, Macao and Taiwan, residence permits, the permanent residence card, \
                 licences, certificates, letters. Every character of the line needs a confidence of 0.9.",
        blind_spots: "A name in traditional characters, in a column, or set in a curve. Documents of other countries. A \
                      portrait side of a resident card bears no name.",
    },
    build: |models| Box::new(TitleLine { text: models.get("text_net").map(TextReader::new) }),
};

struct TitleLine {
    text: Option<TextReader>,
}

impl Detector for TitleLine {
    fn waits(&self) -> bool {
        true
    }

    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(text) = &self.text else { return abstain_without_model("text_net") };
        let (Some((face, _)), Some(flat)) = (scene.seen().map(Seen::face), scene.flat()) else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::TitleNeedsDocument).into();
        };
        if matches!(face, Face::PassportPage | Face::None) {
            return Abstention::new(AbstentionCause::NotApplicable, Fact::TitleElsewhere).into();
        }
        let turned = scene.upright().is_none().then(|| flat.turned());
        let found = [Some(flat), turned.as_ref()].into_iter().flatten().find_map(|view| {
            highest(view).into_iter().find_map(|rect| {
                let (title, least) = of_line(&read(scene, text, view, rect))?;
                Some((title, least, rect, view))
            })
        });
        let mut evidence = Evidence::told(Fact::Title { title: found.as_ref().map(|(title, ..)| *title) });
        evidence.flag(&READ, found.is_some());
        let Some((title, least, rect, view)) = found else { return evidence.into() };
        evidence.read(&CONFIDENCE, f64::from(least));
        evidence.flag(&TEMPORARY, title == Title::TemporaryIdentityCard);
        evidence.mark(MarkKind::Title, rect.corners().map(|p| view.to_capture(p)).to_vec(), least);
        evidence.title = Some(title);
        evidence.into()
    }
}

/// A line at the capture's own resolution where that is more; nothing when there is no time left.
fn read(scene: &Scene<'_>, text: &TextReader, view: &Flat, rect: PixelRect) -> Line {
    if scene.deadline().passed() {
        return Line::default();
    }
    match view.finer(scene.capture(), rect) {
        Some((luma, rect)) => text.read(&luma, rect),
        None => text.read(&view.luma, rect),
    }
}

/// The highest lines of the upper part of `view` that are as long as a title.
fn highest(view: &Flat) -> Vec<PixelRect> {
    let (width, height) = view.luma.dimensions();
    let mut found: Vec<PixelRect> = Vec::new();
    for by in SIZES {
        let small = (by > 1).then(|| imageops::thumbnail(&view.luma, (width / by).max(1), (height / by).max(1)));
        let boxes = lines::boxes(small.as_ref().unwrap_or(&view.luma));
        let rows = lines::rows(&boxes, GAP).into_iter();
        found.extend(rows.map(|r| PixelRect::new(r.x * by, r.y * by, r.width * by, r.height * by)));
    }
    found.retain(|rect| {
        rect.centre().y < PLACE * height as f32
            && LONG.contains(&(rect.width as f32 / rect.height as f32))
            && rect.width as f32 > LEAST_WIDE * width as f32
    });
    found.sort_by_key(|rect| (std::cmp::Reverse(rect.height), rect.y, rect.x));
    let mut lines: Vec<PixelRect> = Vec::new();
    for rect in found {
        // The same line at another size.
        let same = |other: &PixelRect| {
            let (top, bottom) = (rect.y.max(other.y), (rect.y + rect.height).min(other.y + other.height));
            2 * bottom.saturating_sub(top) > rect.height.min(other.height)
        };
        if !lines.iter().any(same) {
            lines.push(rect);
        }
    }
    lines.truncate(MOST_LINES);
    lines
}
