//! EXIF and XMP → stated facts, without judgement.

/// What the file's metadata states.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metadata {}
