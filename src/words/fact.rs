//! What detectors measure → the keys of their sentences, each with the values that the sentence names.

use crate::reading::{NumberCode, Title};
use crate::vocabulary::{Face, Zone};

/// One sentence of a detector, without its words. Shares are 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fact<'a> {
    // Any detector.
    ModelMissing {
        model: &'a str,
    },
    NotMeasured {
        cause: &'a str,
    },
    NoTimeLeft,
    Broken,
    Unscored {
        cause: &'a str,
    },

    // Traces of a screen or print.
    MoireNeedsPixels,
    MoireNone {
        tiles: usize,
    },
    Moire {
        tiles: usize,
        alike: usize,
        pitch_px: f32,
        angle_deg: f32,
        luma_db: f64,
        chroma_db: f64,
    },
    HalftoneNeedsPixels,
    HalftoneNone {
        tiles: usize,
    },
    Halftone {
        tiles: usize,
        alike: usize,
        pitch_px: f64,
        angle_deg: f64,
        db: f64,
    },
    Bezel {
        around: Around,
        dark: f64,
        bars: f64,
        edges: usize,
    },
    ColoursOfPicture {
        spread: f64,
    },
    ColoursOfFullDocument {
        spread: f64,
    },
    Colours {
        document: f64,
        surround: f64,
    },
    SheetNeedsBorder,
    SheetNeedsPixels,
    Sheet {
        sides: usize,
    },
    Shadow {
        share: f64,
    },
    Texture {
        tiles: usize,
        screen: f64,
    },
    Scene {
        screen: f64,
        again: Option<f64>,
    },
    RenderedNeedsPixels,
    Rendered {
        share: f64,
        level: Option<(usize, f64)>,
    },

    // The file.
    MetadataNone,
    Metadata {
        found: &'a [MetadataFact<'a>],
    },
    File {
        mime: &'a str,
        found: &'a [FileFact<'a>],
    },

    // The photograph.
    SharpnessNeedsEdges,
    Sharpness {
        width_px: f64,
    },
    Glare {
        count: usize,
        share: f64,
        print: f64,
    },
    Exposure {
        of_document: bool,
        mean: f64,
        contrast: f64,
    },
    FramingNeedsBorder,
    FramingFull {
        print: f64,
    },
    Framing {
        share: f32,
        cut: usize,
        rotation_deg: f32,
        tilt_deg: f32,
    },
    Resolution {
        width: u32,
        height: u32,
        megapixels: f64,
        document: Option<DocumentSize<'a>>,
    },

    // The document.
    Located {
        found: Found,
        others: usize,
        device: Option<f32>,
    },
    FaceNeedsDocument,
    Face {
        face: Face,
        share: f32,
    },
    PrintNone,
    Legible {
        zones: usize,
        mean: f32,
        worst: f32,
        at: Zone,
    },
    CoverNeedsDocument,
    Cover {
        share: f64,
        print: f64,
    },
    NotAsked,
    TitleNeedsDocument,
    TitleElsewhere,
    /// What a document calls itself.
    Title {
        title: Option<Title>,
    },
    SealNeedsPaper,
    SealNeedsColour,
    SealNeedsPixels,
    /// Share of an outline, contrast and saturation of what looks most like a seal.
    Seal {
        found: Option<(f32, f32, f32)>,
    },
    NumberNeedsDocument,
    Number {
        code: NumberCode,
    },
    ValidityNeedsDocument,
    ValidityElsewhere,
    ValidityUnread,
    ValidityLongTerm,
    Validity {
        over: bool,
    },
    #[cfg(feature = "qr")]
    Codes {
        found: usize,
        read: usize,
        target: Option<(&'a str, &'a str)>,
        cut_short: bool,
    },
}

/// What lies around the document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Around {
    /// No document was found.
    Unknown,
    /// No second rectangle.
    Nothing,
    /// A rectangle, and the share of its border that is seen.
    Rectangle { aspect: f32, seen: f32 },
}

/// One thing that the metadata says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MetadataFact<'a> {
    CallsItselfScreenshot,
    NotOfCamera,
    Camera { name: &'a str, tags: u8 },
    ExifDamaged,
    Editor { name: &'a str },
    Scanner { name: &'a str },
    Changed { after_s: i64 },
    MakerNoteMissing,
    NothingNamed,
}

/// One thing that the file's container shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum FileFact<'a> {
    Tables { exact: bool, quality: u32 },
    PhotoshopBlock,
    Alpha,
    SizeOfDisplay { long: u32, short: u32 },
    C2pa,
    DigitalSource { types: &'a str },
}

/// The document's size in the picture, and its scale where its kind has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DocumentSize<'a> {
    pub long_px: f32,
    pub scale: Option<Scale<'a>>,
}

/// Pixels for each millimetre and inch of a card, and what they cannot show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale<'a> {
    pub px_per_mm: f64,
    pub dpi: f64,
    pub too_fine: &'a [TooFine],
}

/// A structure that takes many pixels to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooFine {
    Halftone,
    TabletGrid,
    PhoneGrid,
}

/// What the search for a document came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A document without a border in the picture.
    FullFrame,
    /// A document, and the share of its border that is a straight edge.
    Document { edges: f32 },
    /// Four sides about something else.
    NoDocument { edges: f32 },
}
