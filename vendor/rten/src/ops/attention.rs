//! Attention-related operations.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use rayon::prelude::*;
use rten_base::bit_set::BitSet;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmUninitOptions};
use rten_shape_inference::ops as shape_ops;
use rten_simd::SimdOp;
use rten_tensor::prelude::*;
use rten_tensor::{CowNdTensor, NdTensor, NdTensorView, NdTensorViewMut, Tensor, TensorView};
use rten_vecmath::Softmax;

use crate::buffer_pool::{AutoReturn, BufferPool, PoolRef};
use crate::infer_shapes::{InferShapes, impl_infer_shapes};
use crate::operator::{
    InPlaceInputs, IntoOpResult, OpError, OpRunContext, Operator, OutputList, OutputType,
    OutputTypeList, OutputTypesContext,
};
use crate::ops::{
    binary_elementwise::broadcast_shapes, layout::expand_to, norm::NanHandling, resolve_axis,
};
use crate::value::{Value, ValueView};

const BROADCAST_ERROR: OpError =
    OpError::IncompatibleInputShapes(Cow::Borrowed("Cannot broadcast inputs"));

/// Perform lanewise `Add + Softmax` on tensors `qk` and `m`.
///
/// `m` must be broadcastable to the shape of `qk`.
fn add_softmax_in_place(
    pool: &BufferPool,
    qk: Tensor<f32>,
    m: TensorView<f32>,
    nan_handling: NanHandling,
) -> Result<Tensor, OpError> {
    let axis = resolve_axis(qk.ndim(), -1)?;
    let m = m.try_broadcast(qk.shape()).map_err(|_| BROADCAST_ERROR)?;

    // We assume `qk` is likely already contiguous and `m` is likely contiguous
    // along the `axis` dim, so this will be a no-op, but handle the case where
    // they are not.
    let mut qk = if qk.stride(axis) == 1 {
        qk
    } else {
        qk.auto_return(pool).to_tensor_in(pool)
    };

    let flush_nans = match nan_handling {
        NanHandling::KeepNans => false,
        NanHandling::FlushToZero => true,
    };

    qk.lanes_mut(axis)
        .into_par_iter()
        .zip(m.lanes(axis).into_par_iter())
        .for_each(|(mut qk_inner, m_inner)| {
            // OK, as we made the lanes contiguous above.
            let qk_inner = qk_inner.as_slice_mut().unwrap();
            for (qk, m) in qk_inner.iter_mut().zip(m_inner) {
                *qk += m;
            }
            Softmax::new_mut(qk_inner)
                .flush_nans_to_zero(flush_nans)
                .dispatch();
        });

    Ok(qk)
}

/// Operation which fuses Add(QK, M) -> Softmax(axis = -1).
///
/// This sequence is common in attention operations where `QK` is the query-key
/// product and `M` is a mask matrix.
///
/// The fusion takes advantage of the fact that we can perform Add + Softmax
/// on each lane separately, and get better cache efficiency by having
/// the lane already be in a higher cache level when the Softmax step runs.
#[derive(Debug)]
pub struct AddSoftmax {
    /// See `flush_nans_to_zero` on Softmax operator.
    pub flush_nans_to_zero: bool,
}

impl AddSoftmax {
    fn nan_handling(&self) -> NanHandling {
        if self.flush_nans_to_zero {
            NanHandling::FlushToZero
        } else {
            NanHandling::KeepNans
        }
    }
}

impl Operator for AddSoftmax {
    fn name(&self) -> &str {
        "AddSoftmax"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let x: TensorView = ctx.inputs().require_as(0)?;
        let y: TensorView = ctx.inputs().require_as(1)?;

        let (qk, m) = if x.len() > y.len() { (x, y) } else { (y, x) };

        let out_shape = broadcast_shapes(qk.shape(), m.shape());
        let qk = match out_shape.as_deref() {
            // Create a copy and run this operator in-place, on the assumption
            // that the operator will usually run via `run_in_place`.
            Some(shape) => qk.broadcast(shape).to_tensor_in(ctx.pool()),
            None => {
                return Err(BROADCAST_ERROR);
            }
        };

        add_softmax_in_place(ctx.pool(), qk, m, self.nan_handling()).into_op_result()
    }

    fn is_commutative(&self) -> bool {
        true
    }

    fn in_place_inputs(&self) -> BitSet<u16> {
        BitSet::from_indices([0])
    }

    fn run_in_place(
        &self,
        in_place: InPlaceInputs,
        ctx: &OpRunContext,
    ) -> Result<OutputList, OpError> {
        let qk: Tensor = in_place.into_single().try_into()?;
        // This operator is commutative, so the other input may be at either
        // position depending on which was selected for in-place execution.
        let m: TensorView = ctx.inputs().require_first_present_as()?;

        let out_shape = broadcast_shapes(qk.shape(), m.shape());
        let qk = match out_shape.as_deref() {
            // We expect to always use this path, as commutative ops always
            // receive the largest input as the in-place input.
            Some(shape) if shape == qk.shape() => qk,

            // However, the `Add` operation allows for broadcasting _both_
            // inputs to a larger size, in which case fall back to a copy.
            Some(shape) => qk.broadcast(shape).to_tensor_in(ctx.pool()),

            None => {
                return Err(BROADCAST_ERROR);
            }
        };

        add_softmax_in_place(ctx.pool(), qk, m, self.nan_handling()).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        None
    }
}

fn repeat_interleave<T: Copy>(
    pool: &BufferPool,
    mut input: TensorView<T>,
    axis: usize,
    repeats: usize,
) -> Result<Tensor<T>, OpError> {
    if input.ndim() <= axis {
        return Err(OpError::invalid_value("Input has too few dims"));
    }

    // Insert temporary 1-sized axis and use broadcasting to repeat along
    // that axis.
    //
    // This is effectively a combination of Unsqueeze + Expand + Reshape.
    input.insert_axis(axis + 1);
    let mut target_shape = input.shape().to_vec();
    target_shape[axis + 1] *= repeats;
    let mut expanded = expand_to(pool, input, &target_shape);
    target_shape.remove(axis + 1);
    target_shape[axis] *= repeats;
    expanded.reshape(&target_shape);

    Ok(expanded)
}

/// Repeat elements of a tensor.
///
/// This differs from the `Tile` ONNX operator in that it repeats individual
/// elements rather than a whole axis, eg. `[1, 2]` -> `[1, 1, 2, 2]` rather
/// than `[1, 2]` -> `[1, 2, 1, 2]`.
///
/// This operation has limited value as a fusion by itself, since it doesn't
/// eliminate the expensive step of materializing the expanded tensor, but
/// it acts as a building block for higher-level fusions.
///
/// See https://docs.pytorch.org/docs/stable/generated/torch.repeat_interleave.html.
#[derive(Debug)]
pub struct RepeatInterleave {
    pub axis: usize,
    pub repeats: usize,
}

impl Operator for RepeatInterleave {
    fn name(&self) -> &str {
        "RepeatInterleave"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(1)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let input: TensorView<f32> = ctx.inputs().require_as(0)?;
        repeat_interleave(ctx.pool(), input, self.axis, self.repeats).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        None
    }
}

/// A fusion of `MatMul(Q, RepeatInterleave(K))` where Q and K are 4D tensors
/// and the second dimension of K is repeated.
///
/// This fusion is used in Grouped-query Attention operators, where K represents
/// either the key or value tensor.
#[derive(Debug)]
pub struct GroupedQueryAttentionMatMul {
    /// Number of times to repeat the second dimension of the RHS input.
    pub repeats: usize,
    /// Alpha value for the matmul.
    pub alpha: Option<f32>,
    /// True if the last two dimensions of the RHS input should be transposed.
    pub transpose_rhs: bool,
}

impl Operator for GroupedQueryAttentionMatMul {
    fn name(&self) -> &str {
        "GroupedQueryAttentionMatMul"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let lhs: NdTensorView<f32, 4> = ctx.inputs().require_as(0)?;
        let mut rhs: NdTensorView<f32, 4> = ctx.inputs().require_as(1)?;
        if self.transpose_rhs {
            rhs.permute([0, 1, 3, 2]);
        }

        let [batch, heads, seq, k] = lhs.shape();
        let [rhs_batch, rhs_heads, rhs_k, rhs_n] = rhs.shape();

        if batch != rhs_batch {
            return Err(OpError::incompatible_input_shapes("Batch size mismatch"));
        }
        if k != rhs_k {
            return Err(OpError::incompatible_input_shapes("K size mismatch"));
        }
        if rhs_heads * self.repeats != heads {
            return Err(OpError::incompatible_input_shapes(
                "Repeated axis size mismatch",
            ));
        }

        let chunk_size = self.repeats * seq * rhs_n;
        let out_size = batch * (heads / self.repeats) * chunk_size;
        let mut out_data = ctx.pool().alloc(out_size);
        let out_uninit = &mut out_data.spare_capacity_mut()[..out_size];

        let gemm = GemmExecutor::default();
        let lhs_mats = lhs.reshaped_in(
            ctx.pool(),
            [batch, heads / self.repeats, self.repeats * seq, k],
        );
        let opts = GemmUninitOptions {
            alpha: self.alpha.unwrap_or(1.0),
            ..Default::default()
        };

        lhs_mats
            .inner_iter::<2>()
            .into_par_iter()
            .zip(rhs.inner_iter::<2>())
            .zip(out_uninit.par_chunks_mut(chunk_size))
            .for_each(|((lhs, rhs), out)| {
                gemm.gemm_uninit(
                    out,
                    GemmInputA::Unpacked(lhs),
                    GemmInputB::Unpacked(rhs),
                    opts.clone(),
                )
                .unwrap();
            });

        // Safety: gemm_uninit initialized the full output data.
        unsafe { out_data.set_len(out_size) };

        Tensor::from_data(&[batch, heads, seq, rhs_n], out_data).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        None
    }
}

/// Reshape (batch, seq, hidden) to (batch, num_heads, seq, head).
pub fn split_attention_heads<'a>(
    pool: &BufferPool,
    input: CowNdTensor<'a, f32, 3>,
    num_heads: usize,
    head_size: usize,
) -> Result<CowNdTensor<'a, f32, 4>, OpError> {
    let [batch_size, seq_len, hidden] = input.shape();
    if hidden != num_heads * head_size {
        return Err(OpError::incompatible_input_shapes(
            "Hidden size does not match number of attention heads",
        ));
    }

    Ok(input
        .into_shape_in(pool, [batch_size, seq_len, num_heads, head_size])
        .into_permuted([0, 2, 1, 3]))
}

/// Reshape (batch, num_heads, seq, head) to (batch, seq, num_heads * head).
///
/// This is the inverse of [`split_attention_heads`].
pub fn merge_attention_heads(pool: &BufferPool, input: NdTensor<f32, 4>) -> NdTensor<f32, 3> {
    let [batch, num_heads, seq, head_size] = input.shape();
    input
        .permuted([0, 2, 1, 3])
        .to_tensor_in(pool)
        .into_shape([batch, seq, num_heads * head_size])
}

/// Concatenate a past KV cache and the current key or value along the
/// sequence dimension.
///
/// `past` has shape `(batch, kv_heads, past_seq, head_size)` and `current`
/// has shape `(batch, kv_heads, current_seq, head_size)`.
fn concat_kv_cache(
    pool: &BufferPool,
    past: NdTensorView<f32, 4>,
    current: NdTensorView<f32, 4>,
) -> NdTensor<f32, 4> {
    let [batch, kv_heads, past_seq, head_size] = past.shape();
    let total_seq = past_seq + current.size(2);

    let mut out = NdTensor::uninit_in(pool, [batch, kv_heads, total_seq, head_size]);
    out.inner_iter_mut::<2>()
        .into_par_iter()
        .enumerate()
        .for_each(|(i, mut block)| {
            let b = i / kv_heads;
            let h = i % kv_heads;
            block.slice_mut(..past_seq).init_from(&past.slice([b, h]));
            block
                .slice_mut(past_seq..)
                .init_from(&current.slice([b, h]));
        });

    // Safety: every (total_seq, head_size) block was fully initialized above.
    unsafe { out.assume_init() }
}

/// Extend an owned past KV cache with the current key or value along the
/// sequence dimension (axis 2), reusing spare capacity in the past cache's
/// buffer if the caller reserved any.
///
/// This is the in-place equivalent of [`concat_kv_cache`] and produces an
/// identical result. It makes decoding much more efficient, as the KV cache no
/// longer needs to be reallocated and copied on every step. See
/// <https://github.com/robertknight/rten/issues/1305>.
fn concat_kv_cache_in_place(
    pool: &BufferPool,
    mut past: NdTensor<f32, 4>,
    current: NdTensorView<f32, 4>,
) -> NdTensor<f32, 4> {
    let total_seq = past.size(2) + current.size(2);
    if past.has_capacity(2, total_seq) {
        past.append(2, &current).expect("cache has capacity");
        past
    } else {
        // Not enough reserved capacity, so fall back to allocating a new cache.
        let past = past.auto_return(pool);
        concat_kv_cache(pool, past.view(), current)
    }
}

/// A past key or value cache passed to [`concat_past_kv`].
enum PastCache<'a> {
    View(NdTensorView<'a, f32, 4>),
    Owned(NdTensor<f32, 4>),
}

impl PastCache<'_> {
    fn view(&self) -> NdTensorView<'_, f32, 4> {
        match self {
            PastCache::View(view) => view.view(),
            PastCache::Owned(tensor) => tensor.view(),
        }
    }

    fn shape(&self) -> [usize; 4] {
        self.view().shape()
    }
}

/// Concatenate a past KV cache and the current key or value along the sequence
/// dimension, extending the past cache in-place if possible.
fn extend_kv_cache(
    pool: &BufferPool,
    past: PastCache,
    current: NdTensorView<f32, 4>,
) -> NdTensor<f32, 4> {
    match past {
        PastCache::View(past) => concat_kv_cache(pool, past, current),
        PastCache::Owned(past) => concat_kv_cache_in_place(pool, past, current),
    }
}

/// Extract the owned `past_key` and `past_value` caches from the in-place
/// inputs of an attention operator.
fn take_past_kv(
    in_place: InPlaceInputs,
    past_key_index: usize,
    past_value_index: usize,
) -> Result<(Option<PastCache<'static>>, Option<PastCache<'static>>), OpError> {
    let mut past_key = None;
    let mut past_value = None;
    for (index, value) in in_place {
        let cache = PastCache::Owned(value.try_into()?);
        if index == past_key_index {
            past_key = Some(cache);
        } else if index == past_value_index {
            past_value = Some(cache);
        } else {
            return Err(OpError::invalid_value("unexpected in-place input"));
        }
    }
    Ok((past_key, past_value))
}

/// Validate the shapes of past key/value caches against the current key and
/// value, then concatenate past and current along the sequence dimension.
///
/// `key` and `value` have shape `(batch, kv_heads, kv_seq, {head_size,
/// v_head_size})` and the past tensors, if present, must have shape
/// `(batch, kv_heads, past_seq, {head_size, v_head_size})`.
///
/// Returns the number of cached key/value positions (zero when there is no
/// cache).
fn concat_past_kv<'a, 'b>(
    pool: &'a BufferPool,
    past_key: Option<PastCache>,
    past_value: Option<PastCache>,
    key: &mut PoolRef<'a, CowNdTensor<'b, f32, 4>>,
    value: &mut PoolRef<'a, CowNdTensor<'b, f32, 4>>,
) -> Result<usize, OpError> {
    match (past_key, past_value) {
        (Some(past_key), Some(past_value)) => {
            let [batch, kv_heads, _kv_seq, head_size] = key.shape();
            let v_head_size = value.size(3);
            let [pk_batch, pk_heads, pk_seq, pk_head_size] = past_key.shape();
            let [pv_batch, pv_heads, pv_seq, pv_head_size] = past_value.shape();
            if pk_batch != batch
                || pv_batch != batch
                || pk_heads != kv_heads
                || pv_heads != kv_heads
                || pk_head_size != head_size
                || pv_head_size != v_head_size
                || pk_seq != pv_seq
            {
                return Err(OpError::incompatible_input_shapes(
                    "past_key/past_value shape does not match key/value shape",
                ));
            }
            *key = extend_kv_cache(pool, past_key, key.view())
                .into_cow()
                .auto_return(pool);
            *value = extend_kv_cache(pool, past_value, value.view())
                .into_cow()
                .auto_return(pool);
            Ok(pk_seq)
        }
        (None, None) => Ok(0),
        _ => Err(OpError::invalid_value(
            "past_key and past_value must either both be present or both be absent",
        )),
    }
}

/// Compute scaled dot-product attention for a single (batch, head):
///
/// `out = softmax(score_mod(scale · Q Kᵀ)) · V`
///
/// `query` is `[q_seq, head_size]`, `key` is `[kv_seq, head_size]`, `value`
/// is `[kv_seq, v_head_size]` and `out` is `[q_seq, v_head_size]`.
/// `score_mod(row, query_index)` modifies a single score row (of length
/// `kv_seq`).
pub fn sdpa_head(
    pool: &BufferPool,
    gemm: &GemmExecutor<f32>,
    scale: f32,
    query: NdTensorView<f32, 2>,
    key: NdTensorView<f32, 2>,
    value: NdTensorView<f32, 2>,
    mut out: NdTensorViewMut<MaybeUninit<f32>, 2>,
    score_mod: impl Fn(&mut [f32], usize),
) {
    let q_seq = query.size(0);
    let kv_seq = key.size(0);

    // scores = scale · Q Kᵀ
    let mut scores = NdTensor::uninit_in(pool, [q_seq, kv_seq]);
    gemm.gemm_uninit(
        scores.data_mut().unwrap(),
        GemmInputA::Unpacked(query),
        GemmInputB::Unpacked(key.transposed()),
        GemmUninitOptions {
            alpha: scale,
            ..Default::default()
        },
    )
    .unwrap();
    // Safety: `gemm_uninit` initializes every element.
    let mut scores = unsafe { scores.assume_init() };

    for (s, mut row) in scores.lanes_mut(1).enumerate() {
        let row = row.as_slice_mut().unwrap();
        score_mod(row, s);
        // Flush NaNs to zero so that fully-masked rows (all scores -inf)
        // produces zeros rather than NaN outputs.
        Softmax::new_mut(row).flush_nans_to_zero(true).dispatch();
    }

    // out = scores · V
    gemm.gemm_uninit(
        out.data_mut().unwrap(),
        GemmInputA::Unpacked(scores.view()),
        GemmInputB::Unpacked(value),
        GemmUninitOptions::default(),
    )
    .unwrap();
}

/// Softcap a row of attention scores in place via `softcap · tanh(x / softcap)`.
pub fn apply_softcap(row: &mut [f32], softcap: f32) {
    if softcap > 0.0 {
        for x in row.iter_mut() {
            *x = softcap * (*x / softcap).tanh();
        }
    }
}

/// Apply causal masking to a row of attention scores.
fn causal_mask_row(row: &mut [f32], offset: isize, q_idx: usize, fill: f32) {
    let masked_from = (offset + q_idx as isize + 1).clamp(0, row.len() as isize) as usize;
    row[masked_from..].fill(fill);
}

/// Compute scaled dot-product attention for every (batch, head) of a query.
///
/// `query` has shape (batch, q_heads, q_seq, head_size); `key` and `value`
/// have shape (batch, kv_heads, kv_seq, {head_size, v_head_size}), where
/// `q_heads` must be a multiple of `kv_heads` (grouped-query attention).
/// `score_mod(b, h, row, q_idx)` modifies a single score row (of length
/// `kv_seq`) for query index `q_idx` of batch `b` and query head `h`.
///
/// Returns the attention output with shape (batch, q_heads, q_seq,
/// v_head_size).
fn sdpa_multi_head(
    pool: &BufferPool,
    gemm: &GemmExecutor<f32>,
    scale: f32,
    query: NdTensorView<f32, 4>,
    key: NdTensorView<f32, 4>,
    value: NdTensorView<f32, 4>,
    score_mod: impl Fn(usize, usize, &mut [f32], usize) + Sync,
) -> NdTensor<f32, 4> {
    let [batch, q_heads, q_seq, _head_size] = query.shape();
    let kv_factor = q_heads / key.size(1);
    let v_head_size = value.size(3);

    let mut attn_out = NdTensor::uninit_in(pool, [batch, q_heads, q_seq, v_head_size]);
    attn_out
        .inner_iter_mut::<2>()
        .into_par_iter()
        .enumerate()
        .for_each(|(i, out)| {
            let b = i / q_heads;
            let h = i % q_heads;
            let kv_head = h / kv_factor;

            sdpa_head(
                pool,
                gemm,
                scale,
                query.slice([b, h]),
                key.slice([b, kv_head]),
                value.slice([b, kv_head]),
                out,
                |row, q_idx| score_mod(b, h, row, q_idx),
            );
        });

    // Safety: every (q_seq, v_head_size) block was written by `sdpa_head`.
    unsafe { attn_out.assume_init() }
}

/// Attention mask, broadcast to (batch, q_heads, q_seq, total_seq).
///
/// A boolean mask allows attending to a key position where the value is
/// non-zero. A float mask is added to the pre-softmax attention scores.
#[derive(Clone, Copy)]
enum Mask<'a> {
    Bool(NdTensorView<'a, i32, 4>),
    Float(NdTensorView<'a, f32, 4>),
}

/// Scaled dot-product attention operator from the ONNX standard.
///
/// This computes `softmax(softcap(scale · Q Kᵀ) + mask) · V` with optional
/// causal masking, attention softcapping and grouped-query attention.
///
/// See <https://onnx.ai/onnx/operators/onnx__Attention.html>.
#[derive(Debug)]
pub struct Attention {
    /// Enable causal masking.
    pub is_causal: bool,
    /// Number of key/value heads. Required when Q/K/V are 3D.
    pub kv_num_heads: Option<u32>,
    /// Number of query heads. Required when Q/K/V are 3D.
    pub q_num_heads: Option<u32>,
    /// Scale applied to `Q Kᵀ`. Defaults to `1 / sqrt(head_size)`.
    pub scale: Option<f32>,
    /// If `> 0`, softcap the attention scores via `softcap · tanh(x / softcap)`.
    pub softcap: f32,
}

impl Attention {
    fn run_impl(
        &self,
        ctx: &OpRunContext,
        past_key: Option<PastCache>,
        past_value: Option<PastCache>,
    ) -> Result<OutputList, OpError> {
        let inputs = ctx.inputs();

        // (batch, q_seq, q_hidden) or (batch, q_heads, q_seq, head_size)
        let query: TensorView<f32> = inputs.require_as(0)?;
        let key: TensorView<f32> = inputs.require_as(1)?;
        let value: TensorView<f32> = inputs.require_as(2)?;
        // Broadcastable to (batch, q_heads, q_seq, total_seq).
        let attn_mask = inputs.get(3);
        // (batch,). Number of valid (non-padding) key/value positions per
        // batch row, when the caller manages the KV cache externally and the
        // key/value inputs are right-padded.
        let nonpad_kv_seqlen: Option<NdTensorView<i32, 1>> = inputs.get_as(6)?;

        ctx.outputs().check_unsupported(3, "qk_matmul_output")?;

        let input_3d = match query.ndim() {
            3 => true,
            4 => false,
            _ => {
                return Err(OpError::invalid_value("query must have 3 or 4 dimensions"));
            }
        };
        if key.ndim() != query.ndim() || value.ndim() != query.ndim() {
            return Err(OpError::incompatible_input_shapes(
                "query, key and value must have the same rank",
            ));
        }

        let pool = ctx.pool();

        // Reshape inputs to (batch, heads, seq, head_size) layout.
        let (query, key, value) = if input_3d {
            let q_num_heads = self.q_num_heads.ok_or(OpError::invalid_value(
                "q_num_heads is required for 3D inputs",
            ))? as usize;
            let kv_num_heads = self.kv_num_heads.ok_or(OpError::invalid_value(
                "kv_num_heads is required for 3D inputs",
            ))? as usize;
            if q_num_heads == 0 || kv_num_heads == 0 {
                return Err(OpError::invalid_value(
                    "q_num_heads and kv_num_heads must be positive",
                ));
            }

            let query = query.nd_view::<3>();
            let key = key.nd_view::<3>();
            let value = value.nd_view::<3>();

            let [batch, _q_seq, q_hidden] = query.shape();
            let [key_batch, kv_seq, k_hidden] = key.shape();
            let [value_batch, v_seq, v_hidden] = value.shape();
            if key_batch != batch || value_batch != batch {
                return Err(OpError::incompatible_input_shapes(
                    "query, key and value must have the same batch size",
                ));
            }
            if kv_seq != v_seq {
                return Err(OpError::incompatible_input_shapes(
                    "key and value must have the same sequence length",
                ));
            }
            if q_hidden % q_num_heads != 0 {
                return Err(OpError::incompatible_input_shapes(
                    "query hidden size must be divisible by q_num_heads",
                ));
            }
            let head_size = q_hidden / q_num_heads;
            if k_hidden % kv_num_heads != 0 || v_hidden % kv_num_heads != 0 {
                return Err(OpError::incompatible_input_shapes(
                    "key/value hidden size must be divisible by kv_num_heads",
                ));
            }
            if k_hidden / kv_num_heads != head_size {
                return Err(OpError::incompatible_input_shapes(
                    "key head size must match query head size",
                ));
            }
            let v_head_size = v_hidden / kv_num_heads;

            (
                split_attention_heads(pool, query.as_cow(), q_num_heads, head_size)?,
                split_attention_heads(pool, key.as_cow(), kv_num_heads, head_size)?,
                split_attention_heads(pool, value.as_cow(), kv_num_heads, v_head_size)?,
            )
        } else {
            let query = query.nd_view::<4>();
            let key = key.nd_view::<4>();
            let value = value.nd_view::<4>();

            let [batch, _q_heads, _q_seq, head_size] = query.shape();
            let [key_batch, kv_heads, kv_seq, k_head_size] = key.shape();
            let [value_batch, v_kv_heads, value_seq, _v_head_size] = value.shape();
            if key_batch != batch || value_batch != batch {
                return Err(OpError::incompatible_input_shapes(
                    "query, key and value must have the same batch size",
                ));
            }
            if kv_heads != v_kv_heads || kv_seq != value_seq {
                return Err(OpError::incompatible_input_shapes(
                    "key and value must have the same number of heads and sequence length",
                ));
            }
            if k_head_size != head_size {
                return Err(OpError::incompatible_input_shapes(
                    "key head size must match query head size",
                ));
            }

            (query.as_cow(), key.as_cow(), value.as_cow())
        };

        let query = query.auto_return(pool);
        let mut key = key.auto_return(pool);
        let mut value = value.auto_return(pool);

        let [batch, q_num_heads, q_seq, head_size] = query.shape();
        let kv_num_heads = key.size(1);

        if q_num_heads == 0 || kv_num_heads == 0 || !q_num_heads.is_multiple_of(kv_num_heads) {
            return Err(OpError::incompatible_input_shapes(
                "q_num_heads must be a positive multiple of kv_num_heads",
            ));
        }

        // Concatenate past and present key/value caches along the sequence
        // dimension to form the full (batch, kv_heads, total_seq, head)
        // tensors.
        let has_past_kv = past_key.is_some();
        let past_len = concat_past_kv(pool, past_key, past_value, &mut key, &mut value)?;

        let total_seq = key.size(2);

        if let Some(nonpad) = nonpad_kv_seqlen.as_ref() {
            if has_past_kv {
                return Err(OpError::invalid_value(
                    "nonpad_kv_seqlen cannot be combined with past_key/past_value",
                ));
            }
            if nonpad.len() != batch {
                return Err(OpError::incompatible_input_shapes(
                    "nonpad_kv_seqlen must have batch_size elements",
                ));
            }
            if nonpad
                .iter()
                .any(|&len| len < 0 || len as usize > total_seq)
            {
                return Err(OpError::invalid_value(
                    "nonpad_kv_seqlen entry is out of range",
                ));
            }
        }
        let scale = self
            .scale
            .unwrap_or_else(|| 1.0 / (head_size as f32).sqrt());

        // Validate and broadcast the attention mask.
        let target = [batch, q_num_heads, q_seq, total_seq];
        let mask = match attn_mask {
            None => None,
            Some(ValueView::FloatTensor(mask)) => Some(Mask::Float(
                mask.try_broadcast(target).map_err(|_| BROADCAST_ERROR)?,
            )),
            Some(ValueView::Int32Tensor(mask)) => Some(Mask::Bool(
                mask.try_broadcast(target).map_err(|_| BROADCAST_ERROR)?,
            )),
            Some(_) => {
                return Err(OpError::invalid_value(
                    "attn_mask must have a float or bool (int32) type",
                ));
            }
        };

        let gemm = GemmExecutor::<f32>::new();
        let attn_out = sdpa_multi_head(
            pool,
            &gemm,
            scale,
            query.view(),
            key.view(),
            value.view(),
            |b, h, row, q_idx| {
                apply_softcap(row, self.softcap);

                // Apply the attention mask. A float mask is added to the
                // scores; a boolean mask disallows attending to positions
                // where the value is zero.
                match mask {
                    Some(Mask::Float(m)) => {
                        for (x, m) in row.iter_mut().zip(m.slice([b, h, q_idx]).iter()) {
                            *x += m;
                        }
                    }
                    Some(Mask::Bool(m)) => {
                        for (x, keep) in row.iter_mut().zip(m.slice([b, h, q_idx]).iter()) {
                            if *keep == 0 {
                                *x = f32::NEG_INFINITY;
                            }
                        }
                    }
                    None => {}
                }

                // Mask future positions for causal attention. With an
                // external KV cache the causal window is anchored by the
                // per-batch valid key/value length instead of the internal
                // cache length.
                if self.is_causal {
                    let offset = match nonpad_kv_seqlen.as_ref() {
                        Some(nonpad) => nonpad[b] as isize - q_seq as isize,
                        None => past_len as isize,
                    };
                    causal_mask_row(row, offset, q_idx, f32::NEG_INFINITY);
                } else if let Some(nonpad) = nonpad_kv_seqlen.as_ref() {
                    // Mask padded key positions.
                    row[nonpad[b] as usize..].fill(f32::NEG_INFINITY);
                }
            },
        );

        // For 3D inputs, reshape the output back to (batch, q_seq, hidden).
        let output: Value = if input_3d {
            merge_attention_heads(pool, attn_out).into()
        } else {
            attn_out.into()
        };

        let mut outputs: OutputList = [output].into();
        if ctx.outputs().is_used(1) || ctx.outputs().is_used(2) {
            outputs.push(key.take().into_owned_in(pool).into());
        }
        if ctx.outputs().is_used(2) {
            outputs.push(value.take().into_owned_in(pool).into());
        }
        Ok(outputs)
    }
}

impl Operator for Attention {
    fn name(&self) -> &str {
        "Attention"
    }

    fn max_inputs(&self) -> Option<usize> {
        // Q, K, V, attn_mask, past_key, past_value, nonpad_kv_seqlen.
        Some(7)
    }

    fn max_outputs(&self) -> Option<usize> {
        // Spec defines 4 outputs: Y, present_key, present_value,
        // qk_matmul_output. The `qk_matmul_output` output is not implemented.
        Some(4)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        // (batch, kv_heads, past_seq, head_size)
        let past_key: Option<NdTensorView<f32, 4>> = ctx.inputs().get_as(4)?;
        // (batch, kv_heads, past_seq, v_head_size)
        let past_value: Option<NdTensorView<f32, 4>> = ctx.inputs().get_as(5)?;
        self.run_impl(
            ctx,
            past_key.map(PastCache::View),
            past_value.map(PastCache::View),
        )
    }

    fn in_place_inputs(&self) -> BitSet<u16> {
        // past_key and past_value.
        BitSet::from_indices([4, 5])
    }

    fn run_in_place(
        &self,
        in_place: InPlaceInputs,
        ctx: &OpRunContext,
    ) -> Result<OutputList, OpError> {
        let (past_key, past_value) = take_past_kv(in_place, 4, 5)?;
        self.run_impl(ctx, past_key, past_value)
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some(
            [
                OutputType::CopyFromInput(0),
                OutputType::CopyFromInput(0),
                OutputType::CopyFromInput(0),
            ]
            .into_iter()
            .collect(),
        )
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        Some(self)
    }
}

impl_infer_shapes!(
    Attention,
    op,
    shape_ops::Attention {
        q_num_heads: op.q_num_heads,
        kv_num_heads: op.kv_num_heads,
    }
);

#[cfg(feature = "contrib")]
pub use contrib::{GroupQueryAttention, MultiHeadAttention};

#[cfg(feature = "contrib")]
mod contrib;

