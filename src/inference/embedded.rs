//! A graph in the embedded engine (rten, `vendor/README.md`): pure Rust, always there.

use std::borrow::Cow;
use std::sync::Arc;

use ndarray::{ArrayD, ArrayViewD, IxDyn};
use rten::{NodeId, RunOptions, ThreadPool, Value};
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};

use super::{InferenceError, Model};

pub(super) struct EmbeddedModel {
    id: String,
    model: rten::Model,
    input: NodeId,
    outputs: Vec<NodeId>,
}

thread_local! {
    // One thread a caller: captures are the unit of parallel work, and a pool shared by callers would let one that
    // waits begin another capture in the middle of its own.
    static POOL: Arc<ThreadPool> = Arc::new(ThreadPool::with_num_threads(1));
}

impl EmbeddedModel {
    pub(super) fn load(id: &str, bytes: Cow<'static, [u8]>) -> Result<Self, InferenceError> {
        let refuse = |cause: String| InferenceError::Load { model: id.to_owned(), cause };
        let model = match bytes {
            Cow::Borrowed(bytes) => rten::Model::load_static_slice(bytes),
            Cow::Owned(bytes) => rten::Model::load(bytes),
        };
        let model = model.map_err(|e| refuse(e.to_string()))?;
        let input = *model.input_ids().first().ok_or_else(|| refuse("the graph has no input".to_owned()))?;
        let outputs = model.output_ids().to_vec();
        Ok(Self { id: id.to_owned(), model, input, outputs })
    }
}

impl Model for EmbeddedModel {
    fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
        let refuse = |cause: String| InferenceError::Run { model: self.id.clone(), cause };
        let standard = input.as_standard_layout();
        let samples = standard.as_slice().ok_or_else(|| refuse("input is not contiguous".to_owned()))?;
        let view = TensorView::from_data(standard.shape(), samples);
        let mut options = RunOptions::default();
        options.thread_pool = Some(POOL.with(Arc::clone));
        let outputs = self
            .model
            .run(vec![(self.input, view.into())], &self.outputs, Some(options))
            .map_err(|e| refuse(e.to_string()))?;
        outputs.into_iter().map(|value| array(value).map_err(refuse)).collect()
    }
}

fn array(value: Value) -> Result<ArrayD<f32>, String> {
    let tensor: Tensor<f32> = value.try_into().map_err(|_| "an output is not of type float32".to_owned())?;
    let shape = IxDyn(tensor.shape());
    ArrayD::from_shape_vec(shape, tensor.to_vec()).map_err(|e| e.to_string())
}
