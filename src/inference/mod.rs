//! ONNX models behind one trait: ONNX Runtime when its library is found, the embedded engine otherwise.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD};

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
    /// The engine refused an input.
    #[error("model {model} could not be run: {cause}")]
    Run {
        /// Model id.
        model: String,
        /// The engine's words.
        cause: String,
    },
}

/// The loaded models by id.
#[derive(Clone, Default)]
pub struct Models {
    by_id: BTreeMap<String, Arc<dyn Model>>,
}

impl Models {
    /// No models: detectors that need one abstain.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The model `id`, if it is loaded.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<Arc<dyn Model>> {
        self.by_id.get(id).cloned()
    }

    /// The same set with `model` as `id`.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, model: Arc<dyn Model>) -> Self {
        self.by_id.insert(id.into(), model);
        self
    }
}
