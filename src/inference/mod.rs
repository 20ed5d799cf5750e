//! ONNX models behind one trait: ONNX Runtime when its library is found, the embedded engine otherwise.

mod embedded;
mod manifest;
#[cfg(feature = "onnxruntime")]
mod onnxruntime;
#[cfg(feature = "onnxruntime")]
mod pool;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use ndarray::{ArrayD, ArrayViewD};

pub use manifest::{ModelEntry, ModelSource};

use crate::names;

/// A loaded network. Safe to run from several threads at once.
pub trait Model: Send + Sync {
    /// Runs on one `input` and gives the outputs in the order of the graph.
    ///
    /// # Errors
    /// [`InferenceError::Run`] when the input does not fit the graph.
    fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError>;
}

/// Why a model could not be loaded or run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The manifest or a model file cannot be read.
    #[error("{}: {cause}", names::shown(path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        cause: String,
    },
    /// The manifest is not what it should be.
    #[error("the model manifest is not valid: {0}")]
    Manifest(String),
    /// A model file is not the one the manifest names.
    #[error("model {model} has SHA-256 {found}, the manifest says {expected}")]
    Hash {
        /// Model id.
        model: String,
        /// Of the file.
        found: String,
        /// In the manifest.
        expected: String,
    },
    /// The engine refused a graph.
    #[error("model {model} cannot be loaded: {cause}")]
    Load {
        /// Model id.
        model: String,
        /// The engine's words.
        cause: String,
    },
    /// The engine refused an input.
    #[error("model {model} could not be run: {cause}")]
    Run {
        /// Model id.
        model: String,
        /// The engine's words.
        cause: String,
    },
    /// ONNX Runtime was asked for by name and is not there.
    #[error("ONNX Runtime cannot be used: {0}")]
    NoRuntime(String),
}

/// Which engine runs the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum EngineChoice {
    /// ONNX Runtime when its library is found, otherwise the embedded engine.
    #[default]
    Auto,
    /// The embedded engine.
    Embedded,
    /// ONNX Runtime, or an error.
    #[cfg_attr(feature = "cli", value(name = "onnxruntime"))]
    OnnxRuntime,
}

impl std::fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Embedded => "embedded",
            Self::OnnxRuntime => "onnxruntime",
        })
    }
}

/// The loaded models by id, with the hash of each file and the engine that runs them.
#[derive(Clone, Default)]
pub struct Models {
    by_id: BTreeMap<String, Loaded>,
    engine: String,
}

#[derive(Clone)]
struct Loaded {
    model: Arc<dyn Model>,
    sha256: String,
    inputs: Vec<String>,
}

impl Models {
    /// No models: detectors that need one abstain.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Loads the models of `source` into the chosen engine; those of a folder after checking their SHA-256. A shipped one
    /// that few pictures need waits until it is first run.
    ///
    /// # Errors
    /// [`InferenceError`] naming the file or model that could not be used.
    pub fn load(source: &ModelSource, choice: EngineChoice) -> Result<Self, InferenceError> {
        let (engine, runtime) = choose(choice)?;
        let mut models = Self { engine, ..Self::default() };
        for (entry, bytes) in source.read()? {
            let model = match bytes {
                Cow::Borrowed(bytes) if WHEN_NEEDED.contains(&entry.id.as_str()) => {
                    Arc::new(Waiting { id: entry.id.clone(), bytes, runtime, loaded: OnceLock::new() })
                }
                bytes => build(&entry.id, bytes, runtime)?,
            };
            models.by_id.insert(entry.id, Loaded { model, sha256: entry.sha256, inputs: entry.inputs });
        }
        Ok(models)
    }

    /// The engine that `choice` gives on this machine, in one line; no model is loaded.
    ///
    /// # Errors
    /// [`InferenceError::NoRuntime`] when ONNX Runtime is asked for and is not there.
    pub fn engine_of(choice: EngineChoice) -> Result<String, InferenceError> {
        choose(choice).map(|(engine, _)| engine)
    }

    /// The model `id`, if it is loaded.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<dyn Model>> {
        self.by_id.get(id).map(|loaded| Arc::clone(&loaded.model))
    }

    /// Names of the readings that model `id` takes, in its order; empty for one that takes pixels.
    #[must_use]
    pub fn inputs(&self, id: &str) -> &[String] {
        self.by_id.get(id).map_or(&[], |loaded| &loaded.inputs)
    }

    /// SHA-256 of every loaded model, lower-case hex, by id.
    #[must_use]
    pub fn hashes(&self) -> BTreeMap<String, String> {
        self.by_id.iter().map(|(id, loaded)| (id.clone(), loaded.sha256.clone())).collect()
    }

    /// The engine in one line, with where ONNX Runtime was found or why it was not.
    #[must_use]
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// The same set with `model` as `id`: for tests and for models that stand in no manifest.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, model: Arc<dyn Model>, inputs: Vec<String>) -> Self {
        self.by_id.insert(id.into(), Loaded { model, sha256: String::new(), inputs });
        self
    }
}

#[cfg(feature = "onnxruntime")]
fn choose(choice: EngineChoice) -> Result<(String, bool), InferenceError> {
    if choice == EngineChoice::Embedded {
        return Ok(("models run on the embedded engine".to_owned(), false));
    }
    match onnxruntime::library() {
        Ok((path, _)) => Ok((format!("models run on ONNX Runtime ({})", names::shown(path)), true)),
        Err(cause) if choice == EngineChoice::OnnxRuntime => Err(InferenceError::NoRuntime(cause.clone())),
        Err(cause) => Ok((format!("models run on the embedded engine ({cause})"), false)),
    }
}

#[cfg(not(feature = "onnxruntime"))]
fn choose(choice: EngineChoice) -> Result<(String, bool), InferenceError> {
    if choice == EngineChoice::OnnxRuntime {
        return Err(InferenceError::NoRuntime("this build has no support for it (feature `onnxruntime`)".to_owned()));
    }
    Ok(("models run on the embedded engine".to_owned(), false))
}

/// Models that many pictures do without: those of print, numbers and what lies over a document.
const WHEN_NEEDED: [&str; 4] = ["cover_net", "legibility_net", "reader_net", "text_net"];

/// A shipped model that is loaded when it is first run.
struct Waiting {
    id: String,
    bytes: &'static [u8],
    runtime: bool,
    loaded: OnceLock<Result<Arc<dyn Model>, String>>,
}

impl Model for Waiting {
    fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let load = || {
            build(&self.id, Cow::Borrowed(self.bytes), self.runtime).map_err(|error| match error {
                InferenceError::Load { cause, .. } => cause,
                other => other.to_string(),
            })
        };
        match self.loaded.get_or_init(load) {
            Ok(model) => model.run(input),
            Err(cause) => Err(InferenceError::Load { model: self.id.clone(), cause: cause.clone() }),
        }
    }
}

fn build(id: &str, bytes: Cow<'static, [u8]>, runtime: bool) -> Result<Arc<dyn Model>, InferenceError> {
    #[cfg(feature = "onnxruntime")]
    if runtime {
        return Ok(Arc::new(onnxruntime::RuntimeModel::load(id, bytes)?));
    }
    let _ = runtime;
    Ok(Arc::new(embedded::EmbeddedModel::load(id, bytes)?))
}

/// RGB samples as planes of 0 to 255, the layout of the networks' inputs; `planes` holds 3 × width × height values.
pub(crate) fn write_planes(rgb: &image::RgbImage, planes: &mut [f32]) {
    let area = rgb.width() as usize * rgb.height() as usize;
    for (c, plane) in planes.chunks_exact_mut(area).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(rgb.as_chunks::<3>().0) {
            *value = f32::from(pixel[c]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(bytes: &'static [u8]) -> Waiting {
        Waiting { id: "cover_net".to_owned(), bytes, runtime: false, loaded: OnceLock::new() }
    }

    #[test]
    fn a_model_is_loaded_when_it_is_first_run() {
        let model = waiting(include_bytes!("../../models/cover_net.onnx"));
        assert!(model.loaded.get().is_none());
        let input = ArrayD::zeros(vec![1, 3, 120, 192]);
        let first = model.run(input.view()).expect("run");
        assert!(matches!(model.loaded.get(), Some(Ok(_))));
        assert_eq!(model.run(input.view()).expect("run again"), first);
    }

    #[test]
    fn one_that_cannot_be_loaded_says_so_whenever_it_is_run() {
        let model = waiting(b"no graph");
        for _ in 0..2 {
            let refused = model.run(ArrayD::zeros(vec![1]).view()).expect_err("no graph");
            assert!(matches!(refused, InferenceError::Load { .. }), "{refused}");
        }
    }
}
