//! Depthwise convolutions in the embedded engine → the bits that the published engine gives (`vendor/README.md`).

use bonafide::inference::{EngineChoice, ModelSource, Models};
use ndarray::Array4;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rten::BufferPool;
use rten::ops::conv;
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use sha2::{Digest, Sha256};

/// One convolution: channels, rows and columns; side of the kernel, stride and dilation; rows and columns of padding
/// above, left, below and right.
#[derive(Debug, Clone, Copy)]
struct Shape {
    input: [usize; 3],
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    padding: [usize; 4],
}

impl Shape {
    fn output(&self) -> Option<[usize; 2]> {
        let [_, height, width] = self.input;
        let [top, left, bottom, right] = self.padding;
        let side = |length: usize, axis: usize| {
            let reach = (self.kernel[axis] - 1) * self.dilation[axis] + 1;
            length.checked_sub(reach).map(|free| free / self.stride[axis] + 1)
        };
        Some([side(height + top + bottom, 0)?, side(width + left + right, 1)?])
    }
}

/// The published arithmetic: the bias, then tap by tap in order; what lies in the padding is left out.
fn reference(shape: &Shape, input: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let [channels, height, width] = shape.input;
    let [out_height, out_width] = shape.output().expect("not empty");
    let [k_height, k_width] = shape.kernel;
    let mut output = Vec::new();
    for c in 0..channels {
        for y in 0..out_height {
            for x in 0..out_width {
                let mut sum = bias[c];
                for k_y in 0..k_height {
                    let row = (y * shape.stride[0] + k_y * shape.dilation[0]).checked_sub(shape.padding[0]);
                    let Some(row) = row.filter(|row| *row < height) else { continue };
                    for k_x in 0..k_width {
                        let column = (x * shape.stride[1] + k_x * shape.dilation[1]).checked_sub(shape.padding[1]);
                        let Some(column) = column.filter(|column| *column < width) else { continue };
                        let weight = weights[(c * k_height + k_y) * k_width + k_x];
                        sum += input[(c * height + row) * width + column] * weight;
                    }
                }
                output.push(sum);
            }
        }
    }
    output
}

fn engine(shape: &Shape, input: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let [channels, height, width] = shape.input;
    let [k_height, k_width] = shape.kernel;
    let output = conv::<f32, f32, f32>(
        &BufferPool::new(),
        Tensor::from_data(&[1, channels, height, width], input.to_vec()).view(),
        Tensor::from_data(&[channels, 1, k_height, k_width], weights.to_vec()).view(),
        Some(NdTensor::from_data([channels], bias.to_vec()).view()),
        shape.padding.into(),
        channels,
        &shape.stride,
        &shape.dilation,
    );
    output.expect("convolved").to_vec()
}

fn compare(shape: &Shape, input: &[f32], weights: &[f32], bias: &[f32]) {
    let (expected, found) = (reference(shape, input, weights, bias), engine(shape, input, weights, bias));
    assert_eq!(expected.len(), found.len(), "{shape:?}");
    for (i, (a, b)) in expected.iter().zip(&found).enumerate() {
        // Which NaN it is, no engine promises.
        let same = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(same, "{shape:?}, bias {bias:?}, value {i}: {a} and not {b}");
    }
}

/// Values as activations have them: many zeros of either sign, and some that are hardly more than zero.
fn values(random: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    let value = |random: &mut ChaCha8Rng| match random.random_range(0..8) {
        0 => 0.0,
        1 => -0.0,
        2 => random.random_range(-1e-38..1e-38),
        _ => random.random_range(-6.0..6.0),
    };
    (0..n).map(|_| value(random)).collect()
}

fn drawn(shape: &Shape, random: &mut ChaCha8Rng) -> [Vec<f32>; 3] {
    let [channels, height, width] = shape.input;
    let [k_height, k_width] = shape.kernel;
    [channels * height * width, channels * k_height * k_width, channels].map(|n| values(random, n))
}

#[test]
fn every_size_has_the_bits_of_the_published_loop() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let sides = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 33];
    let mut seen = 0;
    for kernel in [1, 2, 3, 4, 5, 7, 9] {
        for stride in [1, 2, 3] {
            for height in sides {
                for width in sides {
                    for _ in 0..2 {
                        let padding = std::array::from_fn(|_| random.random_range(0..=kernel + 2));
                        let shape = Shape {
                            input: [2, height, width],
                            kernel: [kernel; 2],
                            stride: [stride; 2],
                            dilation: [1; 2],
                            padding,
                        };
                        if shape.output().is_none() {
                            continue;
                        }
                        let [input, weights, bias] = drawn(&shape, &mut random);
                        compare(&shape, &input, &weights, &bias);
                        seen += 1;
                    }
                }
            }
        }
    }
    assert!(seen > 8000, "compared only {seen}");
}

#[test]
fn uneven_kernels_strides_and_dilations_have_them_too() {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    for _ in 0..2000 {
        let shape = Shape {
            input: [3, random.random_range(1..20), random.random_range(1..20)],
            kernel: std::array::from_fn(|_| random.random_range(1..8)),
            stride: std::array::from_fn(|_| random.random_range(1..4)),
            dilation: std::array::from_fn(|_| random.random_range(1..3)),
            padding: std::array::from_fn(|_| random.random_range(0..10)),
        };
        if shape.output().is_some() {
            let [input, weights, bias] = drawn(&shape, &mut random);
            compare(&shape, &input, &weights, &bias);
        }
    }
}

/// Where a zero added for the padding would show: sums that are -0.0, and weights that make it no zero.
#[test]
fn padding_leaves_negative_zeros_and_weights_that_are_not_finite_alone() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for kernel in [3, 5, 7] {
        for stride in [1, 2] {
            let shape = Shape {
                input: [4, 9, 11],
                kernel: [kernel; 2],
                stride: [stride; 2],
                dilation: [1; 2],
                padding: [kernel / 2; 4],
            };
            let [input, mut weights, _] = drawn(&shape, &mut random);
            let bias = [-0.0, 0.0, 1.0, f32::NAN];
            compare(&shape, &vec![-0.0; input.len()], &vec![1.0; weights.len()], &bias);
            compare(&shape, &vec![0.0; input.len()], &vec![-1.0; weights.len()], &bias);
            for odd in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN] {
                weights[0] = odd;
                compare(&shape, &input, &weights, &bias);
            }
            let overflowing = vec![f32::MAX; input.len()];
            compare(&shape, &overflowing, &values(&mut random, weights.len()), &bias);
        }
    }
}

/// SHA-256 of a model's file, and of its outputs on [`pattern`] from rten 0.27.0 as published, little-endian.
const RECORDED: &[(&str, [usize; 2], &str, &str)] = &[
    (
        "texture_net",
        [6, 128],
        "5516c325fa73518f84cdeaf26e162b2b3f2e05a3f18a2ab1c264df3edfaec170",
        "8fe7e9cfc124d11b202ff7cdf9bd45f1d3d20d04b328a6644af5aa55777d29c3",
    ),
    (
        "scene_net",
        [1, 192],
        "796e4fac931b9151f6df80e57b72c7dfa171c385a205fbe05e311c6b1eb07a15",
        "4726a1757296cd3b1ca7ddd513d911467adac1596eddd607aea06763ca97a7cb",
    ),
];

fn pattern(n: usize, side: usize) -> Array4<f32> {
    // Whole numbers, so that no library's sine has a say.
    Array4::from_shape_fn((n, 3, side, side), |(i, c, y, x)| {
        let wave = (x * (3 + i) + y * (2 + c)) % 44;
        if (x / 16 + y / 16) % 2 == 0 { 40.0 + 4.0 * wave as f32 } else { 90.0 + wave as f32 }
    })
}

/// Other instruction sets sum products of matrices in another order: the record is of AVX2.
#[cfg(target_arch = "x86_64")]
#[test]
fn networks_give_the_outputs_recorded_from_the_published_engine() {
    let avx2 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
    if !avx2 || std::is_x86_feature_detected!("avx512f") {
        return;
    }
    let models = Models::load(&ModelSource::Shipped, EngineChoice::Embedded).expect("shipped");
    for &(id, [n, side], file, outputs) in RECORDED {
        let mut digest = Sha256::new();
        for output in models.get(id).expect(id).run(pattern(n, side).view().into_dyn()).expect(id) {
            for value in &output {
                digest.update(value.to_le_bytes());
            }
        }
        let found = hex::encode(digest.finalize());
        assert_eq!(
            (models.hashes()[id].as_str(), found.as_str()),
            (file, outputs),
            "{id}: if the file is another one, take `path` out of rten's line in Cargo.toml, run this test and record what \
             it finds"
        );
    }
}
