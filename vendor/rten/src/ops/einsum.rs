use std::collections::HashMap;

use rten_base::num::AsUsize;
use rten_shape_inference::einsum_parser::{EinsumExpr, ValidateError, expand_ellipsis};
use rten_shape_inference::ops as shape_ops;
use rten_tensor::layout::{MutLayout, OverlapPolicy};
use rten_tensor::prelude::*;
use rten_tensor::{Contiguous, CowTensor, DynLayout, Tensor, TensorView};

use smallvec::SmallVec;

use crate::buffer_pool::{AutoReturn, BufferPool, PoolRef};
use crate::infer_shapes::{InferShapes, impl_infer_shapes};
use crate::operator::{
    IntoOpResult, OpError, OpRunContext, Operator, OutputList, OutputType, OutputTypeList,
    OutputTypesContext,
};
use crate::ops::layout::expand_to;
use crate::ops::{matmul, mul, reduce_sum};

#[derive(Debug)]
pub struct Einsum {
    pub equation: String,
}

impl Operator for Einsum {
    fn name(&self) -> &str {
        "Einsum"
    }

    fn max_inputs(&self) -> Option<usize> {
        None
    }

    fn run(&self, ctx: &OpRunContext) -> Result<OutputList, OpError> {
        let inputs = ctx.inputs();
        let mut typed_inputs: SmallVec<[TensorView; 2]> = SmallVec::with_capacity(inputs.len());
        for i in 0..inputs.len() {
            typed_inputs.push(inputs.require_as(i)?);
        }
        einsum(ctx.pool(), &typed_inputs, &self.equation).into_op_result()
    }

    fn output_types(&self, _ctx: &OutputTypesContext) -> Option<OutputTypeList> {
        Some([OutputType::CopyFromInput(0)].into())
    }

    fn as_infer_shapes(&self) -> Option<&dyn InferShapes> {
        Some(self)
    }
}

impl_infer_shapes!(
    Einsum,
    op,
    shape_ops::Einsum {
        equation: &op.equation,
    }
);

pub fn einsum(
    pool: &BufferPool,
    inputs: &[TensorView],
    equation_str: &str,
) -> Result<Tensor, OpError> {
    let equation =
        EinsumExpr::parse(equation_str).map_err(|err| OpError::invalid_value(err.as_str()))?;

    let broadcast_ndim = equation
        .validate_inputs(inputs.iter().map(|view| Some(view.ndim())))
        .map_err(|err| match err {
            ValidateError::IncorrectInputCount => OpError::invalid_value(
                "Number of terms in Einsum equation does not match input tensor count",
            ),
            ValidateError::TooManyDims => {
                OpError::unsupported_value("Einsum input or term has too many dimensions")
            }
            ValidateError::BroadcastMismatch => {
                OpError::invalid_value("Number of broadcast dims does not match across inputs")
            }
            ValidateError::RankMismatch => {
                OpError::invalid_value("Einsum term dimension count does not match input tensor")
            }
            // Should not happen as the rank of every input is known.
            ValidateError::UnknownRank => unreachable!(),
        })? as u8;

    let path = einsum_path(&equation, broadcast_ndim);

    let mut output: Option<PoolRef<Tensor>> = None;
    for step in &path {
        let output_view = output.as_ref().map(|o| o.view());
        let x = match step.lhs.input {
            EinsumInput::Index(idx) => &inputs[idx.as_usize()],
            EinsumInput::PrevOutput => output_view.as_ref().expect("invalid einsum path"),
        };
        let y = step.rhs.as_ref().map(|rhs| match rhs.input {
            EinsumInput::Index(idx) => &inputs[idx.as_usize()],
            EinsumInput::PrevOutput => output_view.as_ref().expect("invalid einsum path"),
        });
        let new_output = einsum_step(pool, step, x, y)?.auto_return(pool);
        output = Some(new_output);
    }

    // EinsumExpr ensures that equations have at least one input, so the path
    // should never be empty.
    Ok(output.expect("empty path").take())
}

/// Take diagonals over dimensions which are repeated in an einsum term.
///
/// `term` is a sequence of dimension labels. For any labels that are repeated,
/// the corresponding dimensions in `x` are replaced with a single dimension
/// that is the diagonal.
///
/// For example, `take_diagonals("ii", x)` takes a matrix as input and returns
/// a 1D view that is the diagonal. `take_diagonals("iji", x)` takes a 3D
/// tensor as input and returns a 2D view.
///
/// Dimensions over which diagonals are taken must be the same size. An error
/// is returned if this is not the case.
///
/// Returns a tuple of `(unique_labels, diagonal_view)`.
fn take_diagonals<'a>(term: &str, x: &TensorView<'a>) -> Result<(String, TensorView<'a>), OpError> {
    assert!(term.chars().count() == x.ndim());

    let mut out_shape: Vec<usize> = Vec::new();
    let mut out_strides: Vec<usize> = Vec::new();
    let mut unique_dims = String::with_capacity(term.len());

    for (i, label) in (0..x.ndim()).zip(term.chars()) {
        if unique_dims.contains(label) {
            // We have already added the diagonal for this label to the output.
            continue;
        }
        unique_dims.push(label);

        let dim_size = x.size(i);
        out_shape.push(dim_size);

        let mut diagonal_stride = 0;
        for (k, other_label) in (0..x.ndim()).zip(term.chars()) {
            if label != other_label {
                continue;
            }
            if x.size(k) != dim_size {
                return Err(OpError::invalid_value(
                    "Dimension sizes for repeated labels in term do not match",
                ));
            }
            diagonal_stride += x.stride(k);
        }
        out_strides.push(diagonal_stride);
    }

    let out_layout =
        DynLayout::from_shape_and_strides(&out_shape, &out_strides, OverlapPolicy::AllowOverlap)
            .expect("failed to create diagonal layout");
    let out_view = TensorView::from_storage_and_layout(x.storage(), out_layout);

    Ok((unique_dims, out_view))
}

/// Sum out the dimensions of `term` which appear in neither `other_term` nor
/// `output`.
///
/// Returns `term` with the summed-over dimensions removed and the tensor.
fn sum_lone_dims<'a>(
    pool: &BufferPool,
    view: TensorView<'a>,
    term: String,
    other_term: &str,
    output: &str,
) -> Result<(String, CowTensor<'a, f32>), OpError> {
    let mut lone_axes = Vec::new();
    let mut new_term = String::with_capacity(term.len());
    for (i, c) in term.chars().enumerate() {
        if other_term.contains(c) || output.contains(c) {
            new_term.push(c);
        } else {
            lone_axes.push(i as i32);
        }
    }
    if lone_axes.is_empty() {
        Ok((new_term, view.as_cow()))
    } else {
        let summed = reduce_sum(pool, view, Some(&lone_axes), false /* keep_dims */)?;
        Ok((new_term, summed.into_cow()))
    }
}

/// Return the size of a dimension whose label has size `a` in one term and
/// size `b` in another.
///
/// A 1-sized dimension is broadcast to match the other input. Note that the
/// result may be zero, as a 1-sized dimension broadcasts to a zero-sized one.
fn broadcast_size(a: usize, b: usize) -> Result<usize, OpError> {
    match (a, b) {
        (a, b) if a == b => Ok(a),
        (1, size) | (size, 1) => Ok(size),
        _ => Err(OpError::incompatible_input_shapes(
            "Einsum label has different sizes in different terms",
        )),
    }
}

/// Expand the dimension `from_end` positions from the end of `view` to `size`.
///
/// The input is returned unchanged if the dimension already has this size.
fn expand_dim<'a>(
    pool: &BufferPool,
    view: TensorView<'a>,
    size: usize,
    from_end: usize,
) -> CowTensor<'a, f32> {
    let dim = view.ndim() - from_end;
    if view.size(dim) == size {
        return view.as_cow();
    }
    let mut shape = view.shape().to_vec();
    shape[dim] = size;
    expand_to(pool, view, &shape).into_cow()
}

/// Return the unique labels in `lhs_term` and `rhs_term` which do not appear
/// in `output`. These are the dimensions summed over when evaluating a step.
fn reduced_dims(lhs_term: &str, rhs_term: &str, output: &str) -> Vec<char> {
    let mut dims = Vec::new();
    for c in lhs_term.chars().chain(rhs_term.chars()) {
        if !output.contains(c) && !dims.contains(&c) {
            dims.push(c);
        }
    }
    dims
}

/// Evaluate a single step in an einsum path.
fn einsum_step(
    pool: &BufferPool,
    step: &EinsumStep,
    x: &TensorView,
    y: Option<&TensorView>,
) -> Result<Tensor, OpError> {
    let (lhs_term, x) = take_diagonals(&step.lhs.term, x)?;

    let (Some(y), Some(rhs)) = (y, &step.rhs) else {
        // Re-arrange input views as `[output_dims][reduced_dims]`.
        let reduced_dims = reduced_dims(&lhs_term, "", &step.output);
        let common_order: String = step
            .output
            .chars()
            .chain(reduced_dims.iter().copied())
            .collect();

        let xp = permute_and_insert_axes(&x, &lhs_term, &common_order);
        if reduced_dims.is_empty() {
            return Ok(xp.to_tensor_in(pool));
        }

        let reduced_dim_indices: Vec<i32> = (xp.ndim() - reduced_dims.len()..xp.ndim())
            .map(|i| i as i32)
            .collect();
        return reduce_sum(
            pool,
            xp,
            Some(reduced_dim_indices.as_slice()),
            false, /* keep_dims */
        );
    };

    let (rhs_term, y) = take_diagonals(&rhs.term, y)?;

    // Sum out reduced dimensions which appear in only one term, so that all
    // remaining reduced dimensions appear in both terms.
    let (lhs_term, x) = sum_lone_dims(pool, x, lhs_term, &rhs_term, &step.output)?;
    let (rhs_term, y) = sum_lone_dims(pool, y, rhs_term, &lhs_term, &step.output)?;

    let reduced_dims = reduced_dims(&lhs_term, &rhs_term, &step.output);

    // A single reduced dimension maps directly onto the `K` dimension of a
    // matmul.
    if let [matmul_k] = reduced_dims[..] {
        einsum_matmul(
            pool,
            &x.view(),
            &y.view(),
            &lhs_term,
            &rhs_term,
            &step.output,
            matmul_k,
        )
    } else {
        // Re-arrange input views as `[output_dims][reduced_dims]`. This makes
        // the reduced dimensions adjacent.
        let common_order: String = step
            .output
            .chars()
            .chain(reduced_dims.iter().copied())
            .collect();
        let xp = permute_and_insert_axes(&x.view(), &lhs_term, &common_order);
        let yp = permute_and_insert_axes(&y.view(), &rhs_term, &common_order);

        // If there are no reduced dimensions, fall back to a simple multiply
        // with broadcasting.
        if reduced_dims.is_empty() {
            let output = mul(pool, xp, yp)?;
            return Ok(output);
        }

        // Expand the reduced dimensions of each input if needed, so they are
        // the same size. Note that the non-reduced dimensions are not expanded,
        // they will be broadcast if needed during the matmul.
        let mut tmp_x_shape = xp.shape().to_vec();
        let mut tmp_y_shape = yp.shape().to_vec();
        for i in xp.ndim() - reduced_dims.len()..xp.ndim() {
            let size = broadcast_size(tmp_x_shape[i], tmp_y_shape[i])?;
            tmp_x_shape[i] = size;
            tmp_y_shape[i] = size;
        }
        let x = if tmp_x_shape == xp.shape() {
            xp.to_contiguous_in(pool)
        } else {
            Contiguous::new(expand_to(pool, xp.view(), &tmp_x_shape).into_cow()).unwrap()
        };
        let y = if tmp_y_shape == yp.shape() {
            yp.to_contiguous_in(pool)
        } else {
            Contiguous::new(expand_to(pool, yp.view(), &tmp_y_shape).into_cow()).unwrap()
        };

        // Reshape the adjacent reduced dimensions into a single dimension.
        // The expanded shapes must be used here since a 1-sized reduced
        // dimension in either input may have been expanded to match the other
        // input.
        let reduced_dims_start_index = xp.ndim() - reduced_dims.len();
        let reduced_size: usize = tmp_x_shape[reduced_dims_start_index..].iter().product();

        tmp_x_shape.truncate(reduced_dims_start_index);
        tmp_x_shape.push(reduced_size);
        let x = x.reshaped(tmp_x_shape.as_slice());

        tmp_y_shape.truncate(reduced_dims_start_index);
        tmp_y_shape.push(reduced_size);
        let y = y.reshaped(tmp_y_shape.as_slice());

        // Evaluate the equation with the simplified input shapes using a
        // matmul.
        let reduced_dim = MERGED_K;
        let term_simplified: String = step
            .output
            .chars()
            .chain(std::iter::once(reduced_dim))
            .collect();
        einsum_matmul(
            pool,
            &x.view(),
            &y.view(),
            &term_simplified,
            &term_simplified,
            &step.output,
            reduced_dim,
        )
    }
}

/// Label for a 1-sized dimension inserted into a term to serve as the `M`
/// dimension of a matmul.
///
/// Labels from the equation are ASCII letters or digits (standing in for
/// ellipsis dimensions), so non-alphanumeric characters are used for labels
/// generated internally.
const INSERTED_M: char = '<';

/// Label for a 1-sized dimension inserted into a term to serve as the `N`
/// dimension of a matmul. See [`INSERTED_M`].
const INSERTED_N: char = '>';

/// Label for the single dimension formed by merging several reduced dimensions
/// into one. See [`INSERTED_M`].
const MERGED_K: char = '*';

/// Return true if `c` denotes a 1-sized dimension which was inserted into a
/// term to give an input the shape required by a matmul, rather than a
/// dimension from the equation.
fn is_inserted_dim(c: char) -> bool {
    matches!(c, INSERTED_M | INSERTED_N)
}

fn is_valid_permute_insert_spec(src: &str, dest: &str) -> bool {
    if src.len() > dest.len() {
        return false;
    }
    for src_ch in src.chars() {
        let src_count = src.chars().filter(|c| *c == src_ch).count();
        let dest_count = dest.chars().filter(|c| *c == src_ch).count();
        if src_count != 1 || dest_count != 1 {
            return false;
        }
    }
    true
}

/// Permute a tensor by using label strings to specify the input and output
/// order of dimensions.
///
/// All dimensions listed in the input order must occur in the output order. The
/// output order may contain dimensions that are missing from the input order.
/// In that case a 1-sized dimension will be inserted.
///
/// Examples of input and output orders:
///
/// `"xy", "yx"` - Transpose a matrix
/// `"x", "axb"` - Insert two 1-sized dimensions
fn permute_and_insert_axes<'a, T>(
    tensor: &TensorView<'a, T>,
    in_order: &str,
    out_order: &str,
) -> TensorView<'a, T> {
    assert!(
        is_valid_permute_insert_spec(in_order, out_order),
        "invalid permute-and-insert spec {}->{}",
        in_order,
        out_order
    );
    assert!(
        tensor.ndim() == in_order.len(),
        "input order does not match tensor ndim"
    );
    let perm: Vec<usize> = out_order
        .chars()
        .filter_map(|c| in_order.chars().position(|ic| ic == c))
        .collect();
    let mut permuted = tensor.permuted(&perm);

    for (i, c) in out_order.chars().enumerate() {
        if !in_order.contains(c) {
            permuted.insert_axis(i);
        }
    }

    permuted
}

/// Reduce inputs of an Einsum equation with two terms using matrix
/// multiplication.
///
/// The equation must have a single reduced dimension, which must appear in
/// both terms.
fn einsum_matmul(
    pool: &BufferPool,
    x: &TensorView,
    y: &TensorView,
    term1: &str,
    term2: &str,
    output: &str,
    reduced_dim: char,
) -> Result<Tensor, OpError> {
    let matmul_k = reduced_dim;

    // Find terms that can be used as the `N` and `M` dimensions of a matmul.
    // These must be dimensions which appear in only one of the two inputs.
    //
    // If there aren't suitable dimensions, we'll insert them. Non-alphanumeric
    // labels are used to denote inserted dimensions since these cannot conflict
    // with dimensions in the equation.
    //
    // The last candidate is chosen in each case because it requires the least
    // re-ordering of the input: `M` and `N` need to be the second-to-last and
    // last dimensions of the LHS and RHS respectively.
    //
    // Since the reduced dimension appears in both terms, it is excluded as a
    // candidate by the `contains` tests.
    let matmul_n = term2
        .chars()
        .rev()
        .find(|c| !term1.contains(*c))
        .unwrap_or(INSERTED_N);
    let matmul_m = term1
        .chars()
        .rev()
        .find(|c| !term2.contains(*c))
        .unwrap_or(INSERTED_M);

    // Every remaining dimension becomes a matmul batch dimension. A dimension
    // which appears in only one input is handled by inserting a 1-sized
    // dimension into the other input, so it is broadcast by the matmul.
    let mut batch_dims = String::new();
    for c in term1.chars().chain(term2.chars()) {
        if c != matmul_k && c != matmul_m && c != matmul_n && !batch_dims.contains(c) {
            batch_dims.push(c);
        }
    }

    let mut x_order: String = batch_dims.clone();
    x_order.push(matmul_m);
    x_order.push(matmul_k);

    let mut y_order: String = batch_dims.clone();
    y_order.push(matmul_k);
    y_order.push(matmul_n);

    // Inserted 1-sized dimensions are excluded from the output.
    let mut out_order: String = batch_dims;
    if !is_inserted_dim(matmul_m) {
        out_order.push(matmul_m);
    }
    if !is_inserted_dim(matmul_n) {
        out_order.push(matmul_n);
    }

    let xp = permute_and_insert_axes(x, term1, &x_order);
    let yp = permute_and_insert_axes(y, term2, &y_order);

    // Matmul broadcasts batch dimensions, but requires the `K` dimension of
    // both inputs to match, so expand it here if the reduced label has size 1
    // in one term. The `M` and `N` dimensions cannot need broadcasting, as
    // they are labels which appear in only one of the two terms.
    let k_size = broadcast_size(xp.size(xp.ndim() - 1), yp.size(yp.ndim() - 2))?;
    let xp = expand_dim(pool, xp, k_size, 1);
    let yp = expand_dim(pool, yp, k_size, 2);

    let mut out = matmul(pool, xp.view(), yp.view(), None)?;

    if is_inserted_dim(matmul_m) {
        out.remove_axis(out.ndim() - 2);
    }
    if is_inserted_dim(matmul_n) {
        out.remove_axis(out.ndim() - 1);
    }

    if out_order == output {
        Ok(out)
    } else {
        let out_permuted = permute_and_insert_axes(&out.view(), &out_order, output);
        Ok(out_permuted.to_tensor_in(pool))
    }
}

/// Specifies the input tensor to use when processing a term in an Einsum
/// equation.
#[derive(Copy, Clone, Debug, PartialEq)]
enum EinsumInput {
    /// Use the nth input tensor, from the list of inputs for the complete
    /// einsum equation.
    Index(u32),
    /// Use the output from the previous step.
    PrevOutput,
}

/// A term in an Einsum equation which specifies the input to use and labels
/// for the dimensions.
#[derive(Clone, Debug, PartialEq)]
struct EinsumTerm {
    term: String,
    input: EinsumInput,
}

/// A processing step in an Einsum path which handles one or two terms.
#[derive(Clone, Debug, PartialEq)]
struct EinsumStep {
    lhs: EinsumTerm,
    rhs: Option<EinsumTerm>,
    output: String,
}

/// Iterate over the unique labels of a term, in order of first occurrence.
fn unique_dims(term: &str) -> impl Iterator<Item = char> + '_ {
    term.chars()
        .enumerate()
        .filter_map(|(i, dim)| (!term.chars().take(i).any(|c| c == dim)).then_some(dim))
}

/// Decrement the count of terms which have yet to use each label in `term`.
fn subtract_term_dims(reduced_dims: &mut HashMap<char, usize>, term: &str) {
    for dim in unique_dims(term) {
        if let Some(count) = reduced_dims.get_mut(&dim) {
            *count -= 1;
        }
    }
}

/// Return the output term for an intermediate step in a multi-step einsum
/// path.
///
/// This contains the unique labels of the step's input terms which either
/// appear in the final output or are reduced dimensions used by subsequent
/// steps.
fn step_output(
    term_a: &str,
    term_b: &str,
    final_output: &str,
    reduced_dims: &HashMap<char, usize>,
) -> String {
    let mut output = String::new();
    for dim in term_a.chars().chain(term_b.chars()) {
        if !output.contains(dim)
            && (final_output.contains(dim) || reduced_dims.get(&dim).copied().unwrap_or(0) > 0)
        {
            output.push(dim);
        }
    }
    output
}

/// Convert an Einsum expression with many inputs into a sequence of steps which
/// each processes one or two inputs.
///
/// `broadcast_ndim` specifies how many dimensions ellipses in input and output
/// terms stand for. The ellipses are replaced with digit labels in the path.
fn einsum_path(expr: &EinsumExpr, broadcast_ndim: u8) -> Vec<EinsumStep> {
    let output = expand_ellipsis(&expr.output, broadcast_ndim as usize);
    let in_terms: Vec<String> = expr
        .inputs
        .iter()
        .map(|term| expand_ellipsis(term, broadcast_ndim as usize))
        .collect();
    let input_term = |term: &str, index: u32| EinsumTerm {
        term: term.to_string(),
        input: EinsumInput::Index(index),
    };

    match &in_terms[..] {
        // This case shouldn't happen since Einsum equations must have at least
        // one input term.
        [] => Vec::new(),
        [term] => {
            let step = EinsumStep {
                lhs: input_term(term, 0),
                rhs: None,
                output,
            };
            [step].into()
        }
        [term_a, term_b] => {
            let step = EinsumStep {
                lhs: input_term(term_a, 0),
                rhs: Some(input_term(term_b, 1)),
                output,
            };
            [step].into()
        }
        all_terms @ [term_a, term_b, rest @ ..] => {
            let mut steps = Vec::with_capacity(all_terms.len() - 1);

            // Count how many terms use each reduced dimension.
            let mut reduced_dims: HashMap<char, usize> = HashMap::new();
            for term in all_terms {
                for dim in unique_dims(term) {
                    if !output.contains(dim) {
                        *reduced_dims.entry(dim).or_insert(0) += 1;
                    }
                }
            }

            // Add step for first two terms.
            subtract_term_dims(&mut reduced_dims, term_a);
            subtract_term_dims(&mut reduced_dims, term_b);

            let mut next_output = step_output(term_a, term_b, &output, &reduced_dims);

            steps.push(EinsumStep {
                lhs: input_term(term_a, 0),
                rhs: Some(input_term(term_b, 1)),
                output: next_output.clone(),
            });

            // Add a step for each remaining term.
            for (term_idx, term) in rest.iter().enumerate() {
                subtract_term_dims(&mut reduced_dims, term);
                let prev_output = next_output;
                if term_idx == rest.len() - 1 {
                    next_output = output.clone();
                } else {
                    next_output = step_output(&prev_output, term, &output, &reduced_dims);
                }
                steps.push(EinsumStep {
                    lhs: EinsumTerm {
                        term: prev_output,
                        input: EinsumInput::PrevOutput,
                    },
                    // The first two inputs are used in the first step.
                    // Each subsequent step uses one term from the input
                    // plus the output from the previous step.
                    rhs: Some(input_term(term, term_idx as u32 + 2)),
                    output: next_output.clone(),
                });
            }

            steps
        }
    }
}

