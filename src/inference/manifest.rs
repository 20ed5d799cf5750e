//! `manifest.toml` → the bytes of each model, those of a folder checked against their SHA-256; the shipped set is
//! compiled in, and a test checks it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::InferenceError;

/// One model in a manifest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelEntry {
    /// Name by which detectors and scoring ask for it.
    pub id: String,
    /// File beside the manifest.
    pub file: String,
    /// Of the file, lower-case hex.
    pub sha256: String,
    /// For a model over readings: their ids, in the order of its input.
    #[serde(default)]
    pub inputs: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// Sources of the photographs that any of the models was trained on.
    #[serde(default)]
    trained_on: BTreeSet<String>,
    model: Vec<ModelEntry>,
}

/// Where models come from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ModelSource {
    /// The set compiled into this program.
    #[default]
    Shipped,
    /// A folder with a `manifest.toml`.
    Folder(PathBuf),
}

const SHIPPED_MANIFEST: &str = include_str!("../../models/manifest.toml");
const SHIPPED_FILES: &[(&str, &[u8])] = &[
    ("texture_net.onnx", include_bytes!("../../models/texture_net.onnx")),
    ("scene_net.onnx", include_bytes!("../../models/scene_net.onnx")),
    ("fusion.onnx", include_bytes!("../../models/fusion.onnx")),
    ("locator_net.onnx", include_bytes!("../../models/locator_net.onnx")),
    ("reader_net.onnx", include_bytes!("../../models/reader_net.onnx")),
    ("document_net.onnx", include_bytes!("../../models/document_net.onnx")),
    ("cover_net.onnx", include_bytes!("../../models/cover_net.onnx")),
    ("legibility_net.onnx", include_bytes!("../../models/legibility_net.onnx")),
    ("text_net.onnx", include_bytes!("../../models/text_net.onnx")),
];

impl ModelSource {
    pub(super) fn read(&self) -> Result<Vec<(ModelEntry, Cow<'static, [u8]>)>, InferenceError> {
        self.entries()?.into_iter().map(|entry| self.read_one(entry)).collect()
    }

    /// Sources of the photographs that any of the models was trained on, as data sets name them.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn trained_on(&self) -> Result<BTreeSet<String>, InferenceError> {
        Ok(self.manifest()?.trained_on)
    }

    /// The models of the manifest, in its order.
    ///
    /// # Errors
    /// When the manifest cannot be read.
    pub fn entries(&self) -> Result<Vec<ModelEntry>, InferenceError> {
        Ok(self.manifest()?.model)
    }

    fn manifest(&self) -> Result<Manifest, InferenceError> {
        static SHIPPED: OnceLock<Manifest> = OnceLock::new();
        match self {
            Self::Shipped => {
                if let Some(manifest) = SHIPPED.get() {
                    return Ok(manifest.clone());
                }
                let manifest = parsed(SHIPPED_MANIFEST)?;
                Ok(SHIPPED.get_or_init(|| manifest).clone())
            }
            Self::Folder(folder) => {
                let path = folder.join("manifest.toml");
                parsed(&std::fs::read_to_string(&path).map_err(|e| unreadable(&path, &e))?)
            }
        }
    }

    fn read_one(&self, entry: ModelEntry) -> Result<(ModelEntry, Cow<'static, [u8]>), InferenceError> {
        match self {
            Self::Shipped => {
                let file = SHIPPED_FILES.iter().find(|(name, _)| *name == entry.file);
                let (_, bytes) = file.ok_or_else(|| InferenceError::Manifest(format!("no file {}", entry.file)))?;
                Ok((entry, Cow::Borrowed(*bytes)))
            }
            Self::Folder(folder) => {
                let path = folder.join(&entry.file);
                let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, &e))?;
                check(&entry, &bytes)?;
                Ok((entry, Cow::Owned(bytes)))
            }
        }
    }
}

fn parsed(text: &str) -> Result<Manifest, InferenceError> {
    toml::from_str(text).map_err(|e| InferenceError::Manifest(e.to_string()))
}

/// Whether `bytes` are those that `entry` names.
fn check(entry: &ModelEntry, bytes: &[u8]) -> Result<(), InferenceError> {
    let found = hex::encode(Sha256::digest(bytes));
    if found == entry.sha256 {
        return Ok(());
    }
    Err(InferenceError::Hash { model: entry.id.clone(), found, expected: entry.sha256.clone() })
}

fn unreadable(path: &Path, error: &std::io::Error) -> InferenceError {
    InferenceError::Unreadable { path: path.to_owned(), cause: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_model_is_the_one_the_manifest_names() {
        let models = ModelSource::Shipped.read().expect("a file each");
        assert_eq!(models.len(), SHIPPED_FILES.len());
        for (entry, bytes) in models {
            check(&entry, &bytes).expect("hashes agree");
        }
    }

    #[test]
    fn a_changed_model_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("x.onnx"), b"changed").expect("written");
        let manifest = "[[model]]\nid = \"x\"\nfile = \"x.onnx\"\nsha256 = \"00\"\n";
        std::fs::write(folder.path().join("manifest.toml"), manifest).expect("written");
        let refused = ModelSource::Folder(folder.path().to_owned()).read().expect_err("the hash differs");
        assert!(matches!(refused, InferenceError::Hash { .. }), "{refused}");
    }
}
