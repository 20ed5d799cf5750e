//! Depthwise convolution of a channel as a whole, many columns at a time, instead of one row and one
//! tap at a time.
//!
//! Every output is the sum that the row-wise kernel makes, added in the same order (initial value,
//! then the taps by rows and columns), each product rounded before it is added. The one difference is
//! that taps which lie in the padding are added as `0.0 * weight` instead of being left out. With
//! finite weights that product is a zero, and adding a zero changes the bits of no number but -0.0. A
//! sum is -0.0 only if both of its terms are, so one that does not start at -0.0 never gets there.
//! [`ChannelConv::same_bits`] checks both conditions.

use std::mem::MaybeUninit;

/// Columns that are computed together.
const LANES: usize = 8;

/// Rows that are computed together.
const ROWS: usize = 4;

/// What is convolved with what, and where the result goes.
pub struct Channel<'a> {
    pub input: &'a [f32],
    pub in_row_stride: usize,
    /// Taps by rows and columns.
    pub weights: &'a [f32],
    /// What every sum starts with.
    pub init: f32,
    pub output: &'a mut [MaybeUninit<f32>],
    pub out_row_stride: usize,
}

/// Sizes of a depthwise convolution with a square kernel, equal strides and no dilation.
#[derive(Clone, Copy)]
pub struct ChannelConv {
    kernel: usize,
    stride: usize,
    pad_top: usize,
    pad_left: usize,
    in_h: usize,
    in_w: usize,
    out_h: usize,
    out_w: usize,
    /// Floats from one row of the padded copy to the next.
    pitch: usize,
    /// Offset of the odd columns in a row of the padded copy if the stride is 2.
    odd: usize,
}

impl ChannelConv {
    /// Return the plan for a convolution, or `None` if its sizes are not among those that are
    /// handled.
    pub fn new(
        kernel: [usize; 2],
        strides: [usize; 2],
        dilations: [usize; 2],
        padding: [usize; 4],
        in_hw: [usize; 2],
        out_hw: [usize; 2],
    ) -> Option<ChannelConv> {
        let [k, k_w] = kernel;
        let [stride, stride_w] = strides;
        let [pad_top, pad_left, _, _] = padding;
        let [out_h, out_w] = out_hw;
        if k != k_w || stride != stride_w || dilations != [1, 1] {
            return None;
        }
        if !matches!(k, 3 | 5 | 7) || !matches!(stride, 1 | 2) || out_h == 0 || out_w == 0 {
            return None;
        }
        // Blocks of columns reach to `out_w`, the only block of a narrow channel to `LANES`.
        let width = out_w.max(LANES);
        let (odd, pitch) = match stride {
            1 => (0, width + k - 1),
            _ => (width + k / 2, 2 * (width + k / 2)),
        };
        let [in_h, in_w] = in_hw;
        Some(ChannelConv {
            kernel: k,
            stride,
            pad_top,
            pad_left,
            in_h,
            in_w,
            out_h,
            out_w,
            pitch,
            odd,
        })
    }

    /// Return true if the result of [`run`](Self::run) has the same bits as if the padding were left
    /// out of the sums.
    pub fn same_bits(init: f32, weights: &[f32]) -> bool {
        let negative_zero = init == 0. && init.is_sign_negative();
        !init.is_nan() && !negative_zero && weights.iter().all(|w| w.is_finite())
    }

    /// Convolve `channel` and write its whole output.
    ///
    /// `padded` is scratch memory: empty at the first call, and kept between calls of one plan.
    pub fn run(&self, padded: &mut Vec<f32>, channel: Channel) {
        #[cfg(target_arch = "x86_64")]
        {
            /// The same code, compiled for 256-bit vectors. FMA stays out: it would round
            /// differently.
            #[target_feature(enable = "avx2")]
            fn run_avx2(conv: &ChannelConv, padded: &mut Vec<f32>, channel: Channel) {
                conv.run_generic(padded, channel);
            }
            if std::is_x86_feature_detected!("avx2") {
                // Safety: AVX2 is supported.
                return unsafe { run_avx2(self, padded, channel) };
            }
        }
        self.run_generic(padded, channel);
    }

    #[inline(always)]
    fn run_generic(&self, padded: &mut Vec<f32>, channel: Channel) {
        self.pad(padded, channel.input, channel.in_row_stride);
        match (self.kernel, self.stride) {
            (3, 1) => self.convolve::<3, 1>(padded, channel),
            (3, _) => self.convolve::<3, 2>(padded, channel),
            (5, 1) => self.convolve::<5, 1>(padded, channel),
            (5, _) => self.convolve::<5, 2>(padded, channel),
            (_, 1) => self.convolve::<7, 1>(padded, channel),
            (_, _) => self.convolve::<7, 2>(padded, channel),
        }
    }

    /// Copy the channel into `padded`, with zeros around it. For stride 2 the even columns of each
    /// row come first, then the odd ones, so that neighbouring outputs read neighbouring floats.
    #[inline(always)]
    fn pad(&self, padded: &mut Vec<f32>, input: &[f32], in_row_stride: usize) {
        let rows = (self.out_h - 1) * self.stride + self.kernel;
        if padded.len() != rows * self.pitch {
            padded.clear();
            padded.resize(rows * self.pitch, 0.);
        }
        // Zeros are written once: every channel of the plan overwrites the same floats.
        let in_rows = self.in_h.min(rows.saturating_sub(self.pad_top));
        for y in 0..in_rows {
            let src = &input[y * in_row_stride..][..self.in_w];
            let dest = &mut padded[(y + self.pad_top) * self.pitch..][..self.pitch];
            if self.stride == 1 {
                let n = self.in_w.min(self.pitch.saturating_sub(self.pad_left));
                if n > 0 {
                    dest[self.pad_left..][..n].copy_from_slice(&src[..n]);
                }
            } else {
                let (even, odd) = dest.split_at_mut(self.odd);
                // The first column goes to the odd ones if the padding before it is odd.
                let skip = self.pad_left / 2;
                let (first, second, second_skip) = match self.pad_left % 2 {
                    0 => (even, odd, skip),
                    _ => (odd, even, skip + 1),
                };
                let (pairs, rest) = src.as_chunks::<2>();
                let first = &mut first[skip..];
                for ((a, b), pair) in first.iter_mut().zip(&mut second[second_skip..]).zip(pairs) {
                    *a = pair[0];
                    *b = pair[1];
                }
                if let (Some(dest), Some(last)) = (first.get_mut(pairs.len()), rest.first()) {
                    *dest = *last;
                }
            }
        }
    }

    #[inline(always)]
    fn convolve<const K: usize, const S: usize>(&self, padded: &[f32], channel: Channel) {
        let Channel {
            weights,
            init,
            output,
            out_row_stride,
            ..
        } = channel;
        let weights = &weights[..K * K];
        // The last block of columns and of rows starts early rather than reach beyond the channel;
        // what it shares with the block before is computed twice.
        for x in (0..self.out_w).step_by(LANES) {
            let x = x.min(self.out_w.saturating_sub(LANES));
            if self.out_h < ROWS {
                for y in 0..self.out_h {
                    self.block::<K, S, 1>(padded, weights, init, y, x, output, out_row_stride);
                }
            } else {
                for y in (0..self.out_h).step_by(ROWS) {
                    let y = y.min(self.out_h - ROWS);
                    self.block::<K, S, ROWS>(padded, weights, init, y, x, output, out_row_stride);
                }
            }
        }
    }

    /// Compute `R` rows of `LANES` columns.
    #[inline(always)]
    fn block<const K: usize, const S: usize, const R: usize>(
        &self,
        padded: &[f32],
        weights: &[f32],
        init: f32,
        y: usize,
        x: usize,
        output: &mut [MaybeUninit<f32>],
        out_row_stride: usize,
    ) {
        let mut sums = [[init; LANES]; R];
        let padded = &padded[y * S * self.pitch + x..];
        let reach = self.odd * (S - 1) + (K - 1) / S + LANES;
        assert!(padded.len() >= ((R - 1) * S + K - 1) * self.pitch + reach);
        for k_y in 0..K {
            for k_x in 0..K {
                let weight = weights[k_y * K + k_x];
                let column = match S {
                    1 => k_x,
                    _ => k_x % 2 * self.odd + k_x / 2,
                };
                for (r, sums) in sums.iter_mut().enumerate() {
                    let start = (r * S + k_y) * self.pitch + column;
                    // Safety: `start` is largest in the last row at the last column, which the
                    // assertion covers.
                    let values = unsafe { padded.get_unchecked(start..start + LANES) };
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum += value * weight;
                    }
                }
            }
        }
        let columns = self.out_w.min(LANES);
        for r in 0..R {
            let dest = &mut output[(y + r) * out_row_stride + x..][..columns];
            for (dest, sum) in dest.iter_mut().zip(sums[r]) {
                dest.write(sum);
            }
        }
    }
}
