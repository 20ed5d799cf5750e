//! What is wrong with an upload → one error in the uploader's words, in two languages.

use serde::{Deserialize, Deserializer, Serialize};

/// What a format is called.
type Name = &'static str;

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
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
        /// [`Limits::bytes`](super::Limits::bytes).
        limit: usize,
    },
    /// The content is no picture at all.
    #[error("the file is not a picture")]
    NotAnImage,
    /// A picture or document, but of a format or kind that is not examined.
    #[error("{format} cannot be examined; send the JPEG or HEIC file of the camera")]
    Unsupported {
        /// What it is, as the subject of a sentence: `GIF`, `A JPEG with arithmetic coding`, ….
        #[serde(deserialize_with = "known")]
        format: Name,
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
    /// Opening it takes more memory or time than a picture of its size may.
    #[error("opening the picture takes more memory or time than is allowed; save it as JPEG and send that")]
    TooCostly,
    /// Too few pixels.
    #[error("the picture is {width} × {height} pixels; each side must have at least {limit}")]
    TooSmall {
        /// Declared width.
        width: u32,
        /// Declared height.
        height: u32,
        /// [`Limits::smallest_side`](super::Limits::smallest_side).
        limit: u32,
    },
    /// The file ends before the picture does.
    #[error("the file is incomplete: part of the picture is missing; send it again")]
    Truncated,
    /// The data is damaged.
    #[error("the picture is damaged and cannot be opened")]
    Undecodable,
}

/// What is not examined, in English and Chinese.
const UNSUPPORTED: &[(&str, &str)] = &[
    ("A BMP of an unusual kind", "特殊类型的 BMP 图片"),
    ("A HEIC of an unusual kind", "特殊类型的 HEIC 图片"),
    ("A JPEG of unusual colours", "特殊色彩的 JPEG 图片"),
    ("A JPEG that tells its height at its end", "在末尾才注明高度的 JPEG 图片"),
    ("A JPEG with 12 bits a sample", "每样本 12 位的 JPEG 图片"),
    ("A JPEG with arithmetic coding", "算术编码的 JPEG 图片"),
    ("A PDF with more than one picture, or with text", "含文字或多张图片的 PDF 文件"),
    ("A TIFF of an unusual kind", "特殊类型的 TIFF 图片"),
    ("A camera's raw file", "相机原始格式文件"),
    ("A lossless or hierarchical JPEG", "无损或分层的 JPEG 图片"),
    ("A picture of this kind", "这种类型的图片"),
    ("A sound or film", "音频或视频文件"),
    ("AVIF", "AVIF 图片"),
    ("BigTIFF", "BigTIFF 图片"),
    ("DNG", "DNG 图片"),
    ("HEIC", "HEIC 图片"),
    ("ICO", "ICO 图标"),
    ("JPEG 2000", "JPEG 2000 图片"),
    ("JPEG XL", "JPEG XL 图片"),
    ("Photoshop's own format", "Photoshop 文件"),
    ("SVG", "SVG 图片"),
];

fn known<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
    Ok(of_list(&String::deserialize(deserializer)?))
}

fn of_list(format: &str) -> Name {
    let known = UNSUPPORTED.iter().find(|(english, _)| *english == format);
    known.map_or("A picture of this kind", |(english, _)| english)
}

impl CaptureError {
    /// That `format`, one of a fixed list, is not examined.
    pub(super) fn unsupported(format: &str) -> Self {
        Self::Unsupported { format: of_list(format) }
    }

    /// The same words in Chinese.
    #[must_use]
    pub fn in_chinese(&self) -> String {
        match self {
            Self::Empty => "文件为空。".to_owned(),
            Self::TooManyBytes { bytes, limit } => format!("文件大小为 {bytes} 字节，最大 {limit} 字节。"),
            Self::NotAnImage => "该文件不是图片。".to_owned(),
            Self::Unsupported { format } => {
                let known = UNSUPPORTED.iter().find(|(english, _)| english == format);
                let format = known.map_or("这种类型的图片", |(_, chinese)| chinese);
                format!("不支持{format}，请上传相机拍摄的 JPEG 或 HEIC 文件。")
            }
            Self::TooLarge { width, height, limit } => format!("图片为 {width} × {height} 像素，超过上限（{limit}）。"),
            Self::TooCostly => "打开该图片所需的内存或时间超过上限，请另存为 JPEG 后上传。".to_owned(),
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
            Self::TooManyBytes { .. } | Self::TooLarge { .. } | Self::TooCostly => Category::TooLarge,
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
            Self::TooCostly => "too_costly",
            Self::TooSmall { .. } => "too_small",
            Self::Truncated => "truncated",
            Self::Undecodable => "undecodable",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_a_sentence_in_both_languages() {
        for (english, chinese) in UNSUPPORTED {
            let error = CaptureError::unsupported(english);
            assert!(error.to_string().starts_with(english));
            assert!(english.starts_with(char::is_uppercase));
            assert!(error.in_chinese().contains(chinese));
        }
        let four = [
            CaptureError::unsupported("AVIF"),
            CaptureError::Undecodable,
            CaptureError::Truncated,
            CaptureError::TooCostly,
        ];
        for (i, one) in four.iter().enumerate() {
            for other in &four[..i] {
                assert_ne!((one.code(), one.to_string(), one.in_chinese()), {
                    (other.code(), other.to_string(), other.in_chinese())
                });
                assert_ne!(one.code(), other.code());
            }
        }
    }
}
