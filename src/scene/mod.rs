//! What every detector may look at: computed once, when first asked for, and shared.

mod boxes;
#[cfg(feature = "qr")]
mod codes;
mod document;
mod edges;
mod face;
mod flat;
mod locator;
mod looks;
mod overview;
mod print;
mod spectra;
mod tiles;

use std::cell::OnceCell;
use std::time::{Duration, Instant};

use image::RgbImage;
use jiff::Timestamp;
use jiff::tz::TimeZone;

#[cfg(feature = "qr")]
pub use codes::{Code, Codes};
pub use document::{Device, Document, StraightEdge};
pub use edges::{EDGE_REACH_PX, diagonal_ratio, edge_widths, lower_quartile, noise_luma};
pub use face::{Classifier, Seen};
pub use flat::Flat;
pub use locator::{Found, LOCATOR_PX, Locator, Maps};
pub use looks::Near;
pub use overview::{OVERVIEW_PX, Overview, squashed, ycc_to_rgb};
pub use print::{BLOCK_PX, GLYPH_PX, PIECE_PX, Piece, PrintMap, PrintMask};
#[cfg(test)]
pub(crate) use spectra::testing;
pub use spectra::{Peak, Spectrum, TileSpectra};
pub use tiles::{Place, SPECTRAL_TILE_PX, TEXTURE_TILE_PX, TEXTURE_TILES, Tile};

use crate::capture::Capture;
use crate::geometry::{PixelRect, Quad};
use crate::reading::{Date, lines};
use crate::vocabulary::DocumentKind;

/// When to stop: detectors that have not begun by then abstain, and the report says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// No limit.
    pub const NEVER: Self = Self(None);

    /// `span` from now.
    #[must_use]
    pub fn after(span: Duration) -> Self {
        Self(Instant::now().checked_add(span))
    }

    /// The moment itself.
    #[must_use]
    pub const fn instant(self) -> Option<Instant> {
        self.0
    }

    /// Whether it has passed.
    #[must_use]
    pub fn passed(self) -> bool {
        self.0.is_some_and(|at| Instant::now() >= at)
    }
}

/// The learned eyes of a survey; what is missing is done without.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    /// Where the document is.
    pub locator: Option<Locator>,
    /// Which document it is.
    pub classifier: Option<Classifier>,
}

/// The document to read, and what it looks like.
#[derive(Debug)]
struct Subject {
    document: Document,
    seen: Option<Seen>,
    /// Laid straight, its long side across; `None` where its corners make no rectangle.
    small: Option<RgbImage>,
}

/// A capture, looked over: overview, document, tiles and their spectra, each made when first asked for.
#[derive(Debug)]
pub struct Scene<'a> {
    capture: &'a Capture,
    deadline: Deadline,
    today: Date,
    overview: OnceCell<Overview>,
    #[cfg(feature = "qr")]
    codes: OnceCell<Codes>,
    edges: OnceCell<document::Edges>,
    networks: Option<&'a Networks>,
    squashed: OnceCell<RgbImage>,
    near: OnceCell<Option<Near>>,
    maps: OnceCell<Option<Maps>>,
    document: OnceCell<Option<Document>>,
    subject: OnceCell<Option<Subject>>,
    flat: OnceCell<Option<Flat>>,
    print_boxes: OnceCell<Vec<PixelRect>>,
    print_map: OnceCell<PrintMap>,
    print_pieces: OnceCell<Vec<Piece>>,
    spectral_tiles: OnceCell<Vec<Tile>>,
    texture_tiles: OnceCell<Vec<Tile>>,
    spectra: OnceCell<Vec<TileSpectra>>,
}

/// Begins to look at a capture; nothing is computed yet.
#[must_use]
pub fn survey(capture: &Capture, deadline: Deadline) -> Scene<'_> {
    Scene {
        capture,
        deadline,
        today: today(),
        overview: OnceCell::new(),
        #[cfg(feature = "qr")]
        codes: OnceCell::new(),
        edges: OnceCell::new(),
        networks: None,
        squashed: OnceCell::new(),
        near: OnceCell::new(),
        maps: OnceCell::new(),
        document: OnceCell::new(),
        subject: OnceCell::new(),
        flat: OnceCell::new(),
        print_boxes: OnceCell::new(),
        print_map: OnceCell::new(),
        print_pieces: OnceCell::new(),
        spectral_tiles: OnceCell::new(),
        texture_tiles: OnceCell::new(),
        spectra: OnceCell::new(),
    }
}

/// Today in UTC.
fn today() -> Date {
    TimeZone::UTC.to_datetime(Timestamp::now()).date()
}

impl<'a> Scene<'a> {
    /// The same with learned eyes; without a locator straight edges are searched alone.
    #[must_use]
    pub fn guided_by(mut self, networks: &'a Networks) -> Self {
        self.networks = Some(networks);
        self
    }

    /// The capture itself.
    #[must_use]
    pub const fn capture(&self) -> &'a Capture {
        self.capture
    }

    /// When to stop.
    #[must_use]
    pub const fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The whole picture, small: luma and chroma, long side at most [`OVERVIEW_PX`].
    pub fn overview(&self) -> &Overview {
        self.overview.get_or_init(|| Overview::of(self.capture))
    }

    /// The QR codes in the picture and what they say; reports hold no more of it than scheme and host.
    #[cfg(feature = "qr")]
    pub fn codes(&self) -> &Codes {
        self.codes.get_or_init(|| codes::find(&self.overview().luma))
    }

    /// The document whose border was found, and the device around it.
    pub fn document(&self) -> Option<&Document> {
        self.document
            .get_or_init(|| match self.maps() {
                Some(maps) => document::guided(self.edges(), maps),
                None => document::find(self.edges()),
            })
            .as_ref()
    }

    /// The document to read: the one whose border was found, or the whole picture where that looks more like a document:
    /// cut out by the uploader, or larger than the frame.
    pub fn subject(&self) -> Option<&Document> {
        self.looked_at().map(|subject| &subject.document)
    }

    /// Which document it is and how it lies; nothing without a document or a classifier.
    pub fn seen(&self) -> Option<&Seen> {
        self.looked_at()?.seen.as_ref()
    }

    fn looked_at(&self) -> Option<&Subject> {
        self.subject.get_or_init(|| self.choose()).as_ref()
    }

    fn choose(&self) -> Option<Subject> {
        let classifier = self.networks.and_then(|networks| networks.classifier.as_ref());
        let look = |document: Document| {
            let small = face::small(self.overview(), &face::across(&document.quad));
            let seen = classifier.zip(small.as_ref()).and_then(|(classifier, small)| classifier.look(small));
            Subject { document, seen, small }
        };
        let found = self.document().cloned().map(look);
        let whole = look(Document::filling(self.capture.width(), self.capture.height()));
        let doubt = |subject: &Subject| subject.seen.as_ref().map(Seen::doubt);
        let frame = (self.capture.width() as f32, self.capture.height() as f32);
        let sure = whole.seen.as_ref().is_some_and(Seen::is_sure);
        let unbounded = found.as_ref().is_some_and(|found| found.document.is_unbounded(frame, sure));
        let instead = match (doubt(&whole), found.as_ref().map(doubt)) {
            _ if unbounded => true,
            (Some(whole), Some(found)) => face::fills_frame(whole, found),
            (Some(whole), None) => face::fills_frame(whole, Some(1.0)),
            (None, _) => false,
        };
        // Instead of a guess there is no document: print is then looked for everywhere.
        let guessed = |found: &Subject| face::is_guess(found.seen.as_ref(), found.document.is_bounded());
        if instead { Some(whole) } else { found.filter(|found| !guessed(found)) }
    }

    /// The document's corners clockwise from its own top left, where it is sure which way up it lies.
    #[must_use]
    pub fn upright(&self) -> Option<Quad> {
        face::upright(&self.subject()?.quad, self.seen()?)
    }

    /// By how many degrees the document lies turned clockwise in the picture, 0, 90, 180 or 270, where that is sure.
    #[must_use]
    pub fn turned_deg(&self) -> Option<u32> {
        let first = self.upright()?.0[0];
        self.subject()?.quad.0.iter().position(|corner| *corner == first).map(|quarters| 90 * quarters as u32)
    }

    /// The document seen straight on, upright as far as that is known; nothing without a document.
    pub fn flat(&self) -> Option<&Flat> {
        self.flat
            .get_or_init(|| {
                let document = self.subject()?;
                // Cards are wider than high: which way up one lies is left to who reads it.
                let laid =
                    if document.kind == DocumentKind::Card { face::across(&document.quad) } else { document.quad };
                Flat::of(self.capture, self.overview(), &self.upright().unwrap_or(laid), document.kind)
            })
            .as_ref()
    }

    /// The document laid straight in colour, small, its long side across, with its corners there in the capture.
    pub fn small(&self) -> Option<(&RgbImage, Quad)> {
        let subject = self.looked_at()?;
        Some((subject.small.as_ref()?, face::across(&subject.document.quad)))
    }

    /// The corners of the document from its own top left as far as that is known; of the picture without a document.
    #[must_use]
    pub fn outline(&self) -> Quad {
        let whole = || Quad(PixelRect::new(0, 0, self.capture.width(), self.capture.height()).corners());
        self.upright().or_else(|| Some(self.subject()?.quad)).unwrap_or_else(whole)
    }

    /// Where fine edges lie that may be print.
    pub fn print_map(&self) -> &PrintMap {
        self.print_map.get_or_init(|| PrintMap::of(self.overview()))
    }

    /// Pieces of the document that may bear print, of the picture without a document; at most two in each of nine zones.
    pub fn print_pieces(&self) -> &[Piece] {
        self.print_pieces
            .get_or_init(|| print::pieces(self.capture, self.overview(), self.print_map(), &self.outline()))
    }

    /// The day on which the capture is looked at.
    #[must_use]
    pub const fn today(&self) -> Date {
        self.today
    }

    /// What lies within `quad` seen straight on, its long side of `long` pixels.
    #[must_use]
    pub fn flat_of(&self, quad: &Quad, long: f32) -> Option<Flat> {
        Flat::of_long_side(self.capture, self.overview(), quad, long)
    }

    /// Lines of print of the document seen straight on, and pieces of them, the widest first; none without a document.
    pub fn print_boxes(&self) -> &[PixelRect] {
        self.print_boxes.get_or_init(|| self.flat().map_or_else(Vec::new, |flat| lines::boxes(&flat.luma)))
    }

    /// The maps of the learned locator, if there is one.
    pub fn maps(&self) -> Option<&Maps> {
        self.maps.get_or_init(|| self.networks?.locator.as_ref()?.look(self.squashed())).as_ref()
    }

    /// The whole capture squashed to [`LOCATOR_PX`] a side: what the networks of the whole picture see.
    pub fn squashed(&self) -> &RgbImage {
        self.squashed.get_or_init(|| self.overview().rgb(LOCATOR_PX, LOCATOR_PX))
    }

    /// The second look: the device or document and what lies about it, squashed like the whole; nothing where none was
    /// found or it is nearly all of the picture.
    pub fn near(&self) -> Option<&Near> {
        let look = || Near::of(self.overview(), self.maps()?.subject_bounds()?, LOCATOR_PX);
        self.near.get_or_init(look).as_ref()
    }

    /// The straight edges of the picture, longest first.
    pub fn straight_edges(&self) -> Vec<StraightEdge> {
        self.edges().straight()
    }

    fn edges(&self) -> &document::Edges {
        self.edges.get_or_init(|| document::Edges::of(self.overview()))
    }

    /// Native tiles of [`SPECTRAL_TILE_PX`] for periodicity, inside, across the border of and outside the document.
    /// Empty when the picture is smaller than one tile.
    pub fn spectral_tiles(&self) -> &[Tile] {
        self.spectral_tiles.get_or_init(|| tiles::spectral(self.capture, self.document()))
    }

    /// Native tiles of [`TEXTURE_TILE_PX`] for the texture network, at most [`TEXTURE_TILES`], never none.
    pub fn texture_tiles(&self) -> &[Tile] {
        self.texture_tiles.get_or_init(|| tiles::texture(self.capture, self.document()))
    }

    /// Spectra of the spectral tiles, in their order.
    pub fn spectra(&self) -> &[TileSpectra] {
        self.spectra.get_or_init(|| spectra::of(self.spectral_tiles()))
    }
}
