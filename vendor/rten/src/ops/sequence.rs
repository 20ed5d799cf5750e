use rten_base::bit_set::BitSet;
use rten_tensor::prelude::*;
use rten_tensor::{Tensor, TensorView};

use crate::buffer_pool::BufferPool;
use crate::infer_shapes::InferShapes;
use crate::operator::{
    InPlaceInputs, InputList, IntoOpResult, OpError, OpRunContext, Operator, OutputList,
    OutputType, OutputTypeList, OutputTypesContext,
};
use crate::ops::split::SplitSizes;
use crate::ops::split::split;
use crate::ops::{Concat, map_value_view, resolve_axis, resolve_index};
use crate::value::{DataType, Sequence, Value, ValueType, ValueView};

/// Resolve a sequence position in `[-len, len)` to an index in `[0, len)`.
fn try_resolve_position(len: usize, pos: i32) -> Result<usize, OpError> {
    resolve_index(len, pos as isize).ok_or_else(|| {
        OpError::invalid_value(format!(
            "Sequence position {} is out of range. Must be in [{}, {})",
            pos,
            -(len as isize),
            len
        ))
    })
}

#[derive(Debug)]
pub struct SequenceEmpty {
    pub dtype: Option<DataType>,
}

impl Operator for SequenceEmpty {
    fn name(&self) -> &str {
        "SequenceEmpty"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(0)
    }

    fn run(&self, _ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let dtype = self.dtype.unwrap_or(DataType::Float);
        Value::from(Sequence::new(dtype)).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        let dtype = self.dtype.unwrap_or(DataType::Float);
        Some([OutputType::Fixed(ValueType::Sequence(dtype))].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

#[derive(Debug)]
pub struct SequenceAt {}

impl Operator for SequenceAt {
    fn name(&self) -> &str {
        "SequenceAt"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let seq: &Sequence = ctx.inputs().require_as(0)?;
        let pos: i32 = ctx.inputs().require_as(1)?;
        let pos = try_resolve_position(seq.len(), pos)?;
        seq.at(pos)
            .unwrap()
            .to_owned_in(ctx.pool())
            .into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::ElementTypeOfInputSequence(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

#[derive(Debug)]
pub struct SequenceConstruct {}

impl Operator for SequenceConstruct {
    fn name(&self) -> &str {
        "SequenceConstruct"
    }

    fn max_inputs(&self) -> Option<usize> {
        None
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let first = ctx.inputs().require(0)?;
        let rest = ctx.inputs().iter().flatten().skip(1);

        let sequence = map_value_view!(first, first, {
            let mut items = Vec::with_capacity(ctx.inputs().len());
            items.push(first.to_tensor_in(ctx.pool()));

            for value in rest {
                let tensor: TensorView<_> = value.try_into()?;
                items.push(tensor.to_tensor_in(ctx.pool()));
            }

            Ok(Sequence::from(items))
        })?;

        Value::from(sequence).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::SequenceWithElementTypeOfInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

fn sequence_erase(mut seq: Sequence, pos: Option<i32>) -> Result<Sequence, OpError> {
    let Some(max_index) = seq.len().checked_sub(1) else {
        return Err(OpError::invalid_value(
            "Cannot remove element from empty sequence",
        ));
    };

    let pos = pos
        .map(|pos| try_resolve_position(seq.len(), pos))
        .transpose()?
        .unwrap_or(max_index);

    seq.remove(pos).unwrap();

    Ok(seq)
}

#[derive(Debug)]
pub struct SequenceErase {}

impl Operator for SequenceErase {
    fn name(&self) -> &str {
        "SequenceErase"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn in_place_inputs(&self) -> BitSet<u16> {
        BitSet::from_indices([0])
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let seq: &Sequence = ctx.inputs().require_as(0)?;
        let pos: Option<i32> = ctx.inputs().get_as(1)?;
        sequence_erase(seq.clone(), pos)
            .map(Value::from)
            .into_op_result()
    }

    fn run_in_place(
        &self,
        in_place: InPlaceInputs,
        ctx: &OpRunContext,
    ) -> Result<OutputList, OpError> {
        let seq: Sequence = in_place.into_single().try_into()?;
        let pos: Option<i32> = ctx.inputs().get_as(1)?;
        sequence_erase(seq, pos).map(Value::from).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

fn sequence_insert(
    pool: &BufferPool,
    mut seq: Sequence,
    pos: Option<i32>,
    val: ValueView,
) -> Result<Sequence, OpError> {
    let ValueType::Tensor(val_dtype) = val.dtype() else {
        return Err(OpError::invalid_value("expected input to be a tensor"));
    };

    if seq.dtype() != val_dtype {
        return Err(OpError::invalid_value(
            "Tensor type does not match sequence type",
        ));
    }
    let pos = pos
        .map(|pos| try_resolve_position(seq.len() + 1, pos))
        .transpose()?
        .unwrap_or(seq.len());

    seq.insert(pos, val.to_owned_in(pool)).unwrap();

    Ok(seq)
}

#[derive(Debug)]
pub struct SequenceInsert {}

impl Operator for SequenceInsert {
    fn name(&self) -> &str {
        "SequenceInsert"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(3)
    }

    fn in_place_inputs(&self) -> BitSet<u16> {
        BitSet::from_indices([0])
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let seq: &Sequence = ctx.inputs().require_as(0)?;
        let value = ctx.inputs().require(1)?;
        let pos: Option<i32> = ctx.inputs().get_as(2)?;
        sequence_insert(ctx.pool(), seq.clone(), pos, value)
            .map(Value::from)
            .into_op_result()
    }

    fn run_in_place(
        &self,
        in_place: InPlaceInputs,
        ctx: &OpRunContext,
    ) -> Result<OutputList, OpError> {
        let seq: Sequence = in_place.into_single().try_into()?;
        let value = ctx.inputs().require(1)?;
        let pos: Option<i32> = ctx.inputs().get_as(2)?;
        sequence_insert(ctx.pool(), seq, pos, value)
            .map(Value::from)
            .into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

#[derive(Debug)]
pub struct SequenceLength {}

impl Operator for SequenceLength {
    fn name(&self) -> &str {
        "SequenceLength"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(1)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let seq: &Sequence = ctx.inputs().require_as(0)?;
        let len = seq.len() as i32;
        Tensor::from(len).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::Fixed(ValueType::Tensor(DataType::Int32))].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

#[derive(Debug)]
pub struct ConcatFromSequence {
    pub axis: i32,
    pub new_axis: bool,
}

impl Operator for ConcatFromSequence {
    fn name(&self) -> &str {
        "ConcatFromSequence"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(1)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let seq: &Sequence = ctx.inputs().require_as(0)?;

        // Prepare inputs for Concat op.
        //
        // The spec requires that all inputs must have the same shape, except
        // for the axis along which concatenation is happening. Here we rely
        // on the Concat op to check this.
        let values: Result<Vec<ValueView>, OpError> = seq
            .iter()
            .map(|value| {
                // The Concat op only supports concatenating on an existing axis, so
                // if `new_axis` is set, add a 1-sized axis to each of the values.
                if self.new_axis {
                    let resolved_axis = resolve_axis(value.ndim() + 1, self.axis as isize)?;
                    map_value_view!(value, tensor, {
                        let mut tensor = tensor;
                        tensor.insert_axis(resolved_axis);
                        Ok(tensor.into())
                    })
                } else {
                    Ok(value)
                }
            })
            .collect();
        let values = values?;

        // Execute Concat op
        let concat_op = Concat {
            axis: self.axis as isize,
        };
        let concat_inputs = InputList::from(&values);
        let concat_ctx = ctx.with_new_inputs(&concat_inputs);
        concat_op.run(&concat_ctx)
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::ElementTypeOfInputSequence(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

#[derive(Debug)]
pub struct SplitToSequence {
    pub axis: i32,
    pub keep_dims: bool,
}

impl Operator for SplitToSequence {
    fn name(&self) -> &str {
        "SplitToSequence"
    }

    fn max_inputs(&self) -> Option<usize> {
        Some(2)
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let input = ctx.inputs().require(0)?;
        let splits: Option<TensorView<i32>> = ctx.inputs().get_as(1)?;
        let axis = resolve_axis(input.ndim(), self.axis as isize)?;

        let split_sizes = if let Some(splits) = &splits {
            // Check both `ndim` and `item` because `item` only checks if tensor
            // has exactly one element.
            match (splits.ndim(), splits.item()) {
                (0, Some(&size)) => {
                    if size >= 1 {
                        SplitSizes::Size(size)
                    } else {
                        return Err(OpError::invalid_value("Split size must be >= 1"));
                    }
                }
                (1, _) => SplitSizes::Sizes(splits.nd_view()),
                _ => {
                    return Err(OpError::invalid_value(
                        "Split size must be scalar or vector",
                    ));
                }
            }
        } else {
            SplitSizes::Size(1)
        };

        // `keep_dim` is ignored if the split input is set. The dimension can
        // only be removed if it has size 1, which is true when split is unset.
        let keep_dim = if splits.is_none() {
            self.keep_dims
        } else {
            true
        };

        let sequence = map_value_view!(input, input, {
            split(ctx.pool(), input, self.axis as isize, split_sizes).map(|mut pieces| {
                if !keep_dim {
                    for item in &mut pieces {
                        item.remove_axis(axis);
                    }
                }
                Sequence::from(pieces)
            })
        })?;

        Value::from(sequence).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::SequenceWithElementTypeOfInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        // Shape inference does not support sequence types yet.
        None
    }
}

