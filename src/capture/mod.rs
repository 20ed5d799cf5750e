//! Untrusted bytes → pixels, and what the file says of itself. The only stage that can fail on an upload.

mod apart;
mod container;
mod decode;
mod error;
#[cfg(feature = "heic")]
mod heic;
mod limits;
mod metadata;
mod pixels;
mod planes;

pub use apart::{Isolation, answer_if_asked, decode_within};
pub use container::{Container, Declared, Segment, declared, segments};
pub use decode::decode;
pub use error::{CaptureError, Category};
pub use limits::Limits;
pub use metadata::{Metadata, Thumbnail, Timestamp};
pub use pixels::{Chroma, Orientation, Pixels};
pub use planes::{ChromaRows, kept_bytes};

use serde::{Deserialize, Serialize};

use crate::geometry::PixelRect;

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub struct Upload<'a> {
    /// The file's bytes.
    pub bytes: &'a [u8],
    /// The name it came under; only ever a hint (`Screenshot_2024…`), never the format.
    pub name: Option<&'a str>,
}

/// A file format, told by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum MediaType {
    /// JPEG, baseline or progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy or lossless.
    WebP,
    /// HEIC / HEIF.
    Heic,
    /// Windows bitmap.
    Bmp,
    /// TIFF.
    Tiff,
    /// GIF: its first picture.
    Gif,
    /// PDF that is one page with one JPEG on it.
    Pdf,
}

impl MediaType {
    const ALL: [Self; 8] = [Self::Jpeg, Self::Png, Self::WebP, Self::Heic, Self::Bmp, Self::Tiff, Self::Gif, Self::Pdf];

    /// The format whose IANA name this is, as [`Self::mime`] writes it.
    #[must_use]
    pub fn named(mime: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.mime() == mime)
    }

    /// The IANA name.
    #[must_use]
    pub const fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Heic => "image/heic",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
            Self::Gif => "image/gif",
            Self::Pdf => "application/pdf",
        }
    }
}

/// A decoded upload: pixels upright at native resolution, and the facts of its file.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Format by content.
    pub media_type: MediaType,
    /// What the file's metadata states.
    pub metadata: Metadata,
    /// How the file is built.
    pub container: Container,
    pixels: Pixels,
}

impl Capture {
    /// A capture of decoded pixels and the facts of their file.
    #[must_use]
    pub fn new(media_type: MediaType, pixels: Pixels, metadata: Metadata, container: Container) -> Self {
        Self { media_type, metadata, container, pixels }
    }

    /// Upright width in pixels.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.pixels.width()
    }

    /// Upright height in pixels.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.pixels.height()
    }

    /// The whole of the picture.
    #[must_use]
    pub const fn frame(&self) -> PixelRect {
        PixelRect::new(0, 0, self.width(), self.height())
    }

    /// Luma of `rect`, upright; `None` unless `rect` lies inside the picture.
    #[must_use]
    pub fn luma(&self, rect: PixelRect) -> Option<image::GrayImage> {
        self.pixels.luma(rect)
    }

    /// Y, Cb and Cr of `rect`, upright (128 = no chroma); `None` unless `rect` lies inside the picture.
    #[must_use]
    pub fn ycc(&self, rect: PixelRect) -> Option<[image::GrayImage; 3]> {
        self.pixels.ycc(rect)
    }

    /// Whether the file stores luma only.
    #[must_use]
    pub const fn is_grey(&self) -> bool {
        self.pixels.is_grey()
    }

    /// The pixels as they are stored.
    #[must_use]
    pub const fn pixels(&self) -> &Pixels {
        &self.pixels
    }
}
