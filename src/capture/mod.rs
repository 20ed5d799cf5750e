//! Untrusted bytes → pixels, and what the file says of itself. The only stage that can fail on an upload.

mod container;
mod decode;
mod limits;
mod metadata;
mod pixels;
mod planes;

pub use container::{Container, Declared, Segment, declared, segments};
pub use decode::decode;
pub use limits::Limits;
pub use metadata::{Metadata, Thumbnail, Timestamp};
pub use pixels::{Chroma, Orientation, Pixels};
pub use planes::{ChromaRows, kept_bytes};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
}

impl MediaType {
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

/// Kinds of [`CaptureError`] that a caller answers alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// More bytes or pixels than the limits allow: a smaller file helps.
    TooLarge,
    /// No picture, or of a format that is not examined: another file helps.
    Unsupported,
    /// A picture that is empty, too small, not whole or damaged: sending it again helps.
    Unexaminable,
}

impl Category {
    /// The HTTP status that says it: 413, 415 or 422.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::TooLarge => 413,
            Self::Unsupported => 415,
            Self::Unexaminable => 422,
        }
    }

    /// The exit code of a program: 2, whatever was wrong.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        2
    }
}

/// Why an upload cannot be examined, in the uploader's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureError {
    /// Zero bytes.
    #[error("the file is empty")]
    Empty,
    /// More bytes than allowed.
    #[error("the file has {bytes} bytes; at most {limit} are accepted")]
    TooManyBytes {
        /// Size of the file.
        bytes: usize,
        /// [`Limits::bytes`].
        limit: usize,
    },
    /// The content is no picture at all.
    #[error("the file is not a picture")]
    NotAnImage,
    /// A picture, but of a format that is not examined.
    #[error("{format} pictures are not supported; send the JPEG or HEIC file of the camera")]
    Unsupported {
        /// Name of the format or variant.
        format: &'static str,
    },
    /// More pixels or a longer side than allowed, or memory beyond the limit.
    #[error("the picture is {width} × {height} pixels; at most {limit} are accepted")]
    TooLarge {
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
        /// The limit in words.
        limit: String,
    },
    /// Too few pixels.
    #[error("the picture is {width} × {height} pixels; each side must have at least {limit}")]
    TooSmall {
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
        /// [`Limits::smallest_side`].
        limit: u32,
    },
    /// The file ends before the picture does.
    #[error("the file is incomplete: part of the picture is missing; send it again")]
    Truncated,
    /// The data is damaged.
    #[error("the picture is damaged and cannot be opened")]
    Undecodable,
}

impl CaptureError {
    /// The same words in Chinese.
    #[must_use]
    pub fn in_chinese(&self) -> String {
        match self {
            Self::Empty => "文件为空。".to_owned(),
            Self::TooManyBytes { bytes, limit } => format!("文件大小为 {bytes} 字节，最大 {limit} 字节。"),
            Self::NotAnImage => "该文件不是图片。".to_owned(),
            Self::Unsupported { format } => format!("不支持 {format} 图片，请上传相机拍摄的 JPEG 或 HEIC 文件。"),
            Self::TooLarge { width, height, limit } => format!("图片为 {width} × {height} 像素，超过上限（{limit}）。"),
            Self::TooSmall { width, height, limit } => {
                format!("图片为 {width} × {height} 像素，每边至少需要 {limit} 像素。")
            }
            Self::Truncated => "文件不完整，部分图像缺失，请重新上传。".to_owned(),
            Self::Undecodable => "图片已损坏，无法打开。".to_owned(),
        }
    }

    /// Whose fault it is and what helps.
    #[must_use]
    pub const fn category(&self) -> Category {
        match self {
            Self::TooManyBytes { .. } | Self::TooLarge { .. } => Category::TooLarge,
            Self::NotAnImage | Self::Unsupported { .. } => Category::Unsupported,
            Self::Empty | Self::TooSmall { .. } | Self::Truncated | Self::Undecodable => Category::Unexaminable,
        }
    }

    /// A stable code for machines: `empty`, `too_many_bytes`, `not_an_image`, …
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooManyBytes { .. } => "too_many_bytes",
            Self::NotAnImage => "not_an_image",
            Self::Unsupported { .. } => "unsupported",
            Self::TooLarge { .. } => "too_large",
            Self::TooSmall { .. } => "too_small",
            Self::Truncated => "truncated",
            Self::Undecodable => "undecodable",
        }
    }
}
