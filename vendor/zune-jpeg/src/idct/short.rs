#![cfg(any(target_arch = "x86", target_arch = "x86_64"))]
//! The IDCT of [`super::scalar`] of coefficients of 16 bits.
//!
//! Every output is a sum of products of inputs and constants, so that two rows at a time are multiplied and added by one
//! instruction. The sums are the same, whatever order they are made in. Between the two passes values have 16 bits:
//! blocks whose coefficients are too large for that are refused.

#[cfg(target_arch = "x86")]
use core::arch::x86::*;
#[cfg(target_arch = "x86_64")]
use core::arch::x86_64::*;

const SCALE_BITS: i32 = 512 + 65536 + (128 << 17);

/// Of the sums of absolute coefficients of a column, in two parts: a pass gives at most 5.55 times the sum.
const LARGEST: i16 = 2900;

#[target_feature(enable = "avx2")]
fn pair(first: i16, second: i16) -> __m256i {
    _mm256_set1_epi32(i32::from(first as u16) | (i32::from(second) << 16))
}

/// One pass over eight columns: pairs of rows 0 and 4, 2 and 6, 1 and 3, 5 and 7.
#[target_feature(enable = "avx2")]
fn pass<const SHIFT: i32>(rows: [__m256i; 4], bias: i32) -> [__m256i; 8] {
    let [r04, r26, r13, r57] = rows;
    let madd = |rows, first, second| _mm256_madd_epi16(rows, pair(first, second));
    let bias = _mm256_set1_epi32(bias);
    let t0 = _mm256_add_epi32(madd(r04, 4096, 4096), bias);
    let t1 = _mm256_add_epi32(madd(r04, 4096, -4096), bias);
    let t2 = madd(r26, 2217, -5350);
    let t3 = madd(r26, 5352, 2217);
    let even = [
        _mm256_add_epi32(t0, t3),
        _mm256_add_epi32(t1, t2),
        _mm256_sub_epi32(t1, t2),
        _mm256_sub_epi32(t0, t3)
    ];
    let odd = [
        _mm256_add_epi32(madd(r13, 5683, 4816), madd(r57, 3219, 1131)),
        _mm256_add_epi32(madd(r13, 4816, -1129), madd(r57, -5681, -3218)),
        _mm256_add_epi32(madd(r13, 3219, -5681), madd(r57, 1132, 4816)),
        _mm256_add_epi32(madd(r13, 1131, -3218), madd(r57, 4816, -5680))
    ];
    butterflies::<SHIFT>(even, odd)
}

#[target_feature(enable = "avx2")]
fn butterflies<const SHIFT: i32>(even: [__m256i; 4], odd: [__m256i; 4]) -> [__m256i; 8] {
    let sum = |i: usize| _mm256_srai_epi32::<SHIFT>(_mm256_add_epi32(even[i], odd[i]));
    let difference = |i: usize| _mm256_srai_epi32::<SHIFT>(_mm256_sub_epi32(even[i], odd[i]));
    [
        sum(0),
        sum(1),
        sum(2),
        sum(3),
        difference(3),
        difference(2),
        difference(1),
        difference(0)
    ]
}

/// Columns 0 to 7, a row in every place → values of 0 to 255, in each vector row `i` and row `i + 4` by place.
#[target_feature(enable = "avx2")]
fn rows(columns: [__m256i; 8]) -> [__m256i; 4] {
    let [c0, c1, c2, c3, c4, c5, c6, c7] = columns;
    let most = _mm256_set1_epi16(255);
    let packed = |a, b| _mm256_min_epu16(_mm256_packus_epi32(a, b), most);
    let (q0, q1, q2, q3) = (packed(c0, c1), packed(c2, c3), packed(c4, c5), packed(c6, c7));
    let (even, odd) = (_mm256_unpacklo_epi16(q0, q1), _mm256_unpackhi_epi16(q0, q1));
    let (left01, left23) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
    let (even, odd) = (_mm256_unpacklo_epi16(q2, q3), _mm256_unpackhi_epi16(q2, q3));
    let (right01, right23) = (_mm256_unpacklo_epi16(even, odd), _mm256_unpackhi_epi16(even, odd));
    [
        _mm256_unpacklo_epi64(left01, right01),
        _mm256_unpackhi_epi64(left01, right01),
        _mm256_unpacklo_epi64(left23, right23),
        _mm256_unpackhi_epi64(left23, right23)
    ]
}

/// Writes a row of eight values.
#[target_feature(enable = "avx2")]
fn store(out: &mut [i16], at: usize, row: __m128i) {
    let out = &mut out[at..at + 8];
    // SAFETY: there are eight values of 16 bits.
    unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), row) };
}

/// Coefficients in the order of [`crate::ahead::PAIRED`], of which those from `len` in zig-zag order on are zero → values
/// of 0 to 255 in `out`. `false`, and nothing is written, where they are too large.
#[target_feature(enable = "avx2")]
pub fn idct_short_avx2(block: &[i16; 64], len: u16, out: &mut [i16], stride: usize) -> bool {
    // What is written, checked once.
    let Some(out) = out.get_mut(..7 * stride + 8) else { return false };
    if len <= 1 {
        let value = ((i32::from(block[0]) + 4 + 1024) >> 3).clamp(0, 255) as i16;
        let row = _mm_set1_epi16(value);
        for i in 0..8 {
            store(out, i * stride, row);
        }
        return true;
    }
    // SAFETY: 64 values of 16 bits are four vectors.
    let load = |i: usize| unsafe { _mm256_loadu_si256(block.as_ptr().cast::<__m256i>().add(i)) };
    let vectors = [load(0), load(1), load(2), load(3)];
    let sums = _mm256_adds_epu16(
        _mm256_adds_epu16(_mm256_abs_epi16(vectors[0]), _mm256_abs_epi16(vectors[1])),
        _mm256_adds_epu16(_mm256_abs_epi16(vectors[2]), _mm256_abs_epi16(vectors[3]))
    );
    let over = _mm256_subs_epu16(sums, _mm256_set1_epi16(LARGEST));
    if _mm256_testz_si256(over, over) == 0 {
        return false;
    }
    if len <= 10 {
        let rows = rows(small(vectors));
        for (i, row) in rows.into_iter().enumerate() {
            store(out, i * stride, _mm256_castsi256_si128(row));
            store(out, (i + 4) * stride, _mm256_extracti128_si256::<1>(row));
        }
        return true;
    }
    let [r0, r1, r2, r3, r4, r5, r6, r7] = pass::<10>(vectors, 512);
    // Two rows of eight columns, these in pairs: 0 and 4, 2 and 6, 1 and 3, 5 and 7.
    let order = _mm256_setr_epi8(
        0, 1, 8, 9, 4, 5, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15, 0, 1, 8, 9, 4, 5, 12, 13, 2, 3, 6, 7,
        10, 11, 14, 15
    );
    let two = |a, b| {
        let both = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(a, b));
        _mm256_shuffle_epi8(both, order)
    };
    let (q0, q1, q2, q3) = (two(r0, r1), two(r2, r3), two(r4, r5), two(r6, r7));
    let (low, high) = (_mm256_unpacklo_epi32(q0, q1), _mm256_unpackhi_epi32(q0, q1));
    let (low2, high2) = (_mm256_unpacklo_epi32(q2, q3), _mm256_unpackhi_epi32(q2, q3));
    let columns = [
        _mm256_unpacklo_epi64(low, low2),
        _mm256_unpackhi_epi64(low, low2),
        _mm256_unpacklo_epi64(high, high2),
        _mm256_unpackhi_epi64(high, high2)
    ];
    // Even rows stand in the lower half now, odd ones in the upper.
    for (i, row) in rows(pass::<17>(columns, SCALE_BITS)).into_iter().enumerate() {
        store(out, 2 * i * stride, _mm256_castsi256_si128(row));
        store(out, (2 * i + 1) * stride, _mm256_extracti128_si256::<1>(row));
    }
    true
}

/// Both passes where all but the first four coefficients of the first four rows are zero: columns 0 to 7, a row in every
/// place.
#[target_feature(enable = "avx2")]
fn small(vectors: [__m256i; 4]) -> [__m256i; 8] {
    let [r04, r26, r13, _] = vectors.map(|v| _mm256_castsi256_si128(v));
    let madd = |rows, first, second| _mm_madd_epi16(rows, _mm256_castsi256_si128(pair(first, second)));
    let t0 = _mm_add_epi32(madd(r04, 4096, 0), _mm_set1_epi32(512));
    let (t2, t3) = (madd(r26, 2217, 0), madd(r26, 5352, 0));
    let even =
        [_mm_add_epi32(t0, t3), _mm_add_epi32(t0, t2), _mm_sub_epi32(t0, t2), _mm_sub_epi32(t0, t3)];
    let odd = [
        madd(r13, 5683, 4816),
        madd(r13, 4816, -1129),
        madd(r13, 3219, -5681),
        madd(r13, 1131, -3218)
    ];
    let sum = |i: usize| _mm_srai_epi32::<10>(_mm_add_epi32(even[i], odd[i]));
    let difference = |i: usize| _mm_srai_epi32::<10>(_mm_sub_epi32(even[i], odd[i]));
    // Two rows of four columns, these in pairs: 0 and 2, 1 and 3.
    let order = _mm_setr_epi8(0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
    let two = |a, b| _mm_castsi128_ps(_mm_shuffle_epi8(_mm_packs_epi32(a, b), order));
    let (q0, q1) = (two(sum(0), sum(1)), two(sum(2), sum(3)));
    let (q2, q3) = (two(difference(3), difference(2)), two(difference(1), difference(0)));
    let both = |low, high| _mm256_set_m128i(_mm_castps_si128(high), _mm_castps_si128(low));
    let c02 = both(_mm_shuffle_ps::<0b10_00_10_00>(q0, q1), _mm_shuffle_ps::<0b10_00_10_00>(q2, q3));
    let c13 = both(_mm_shuffle_ps::<0b11_01_11_01>(q0, q1), _mm_shuffle_ps::<0b11_01_11_01>(q2, q3));
    let madd = |rows, first, second| _mm256_madd_epi16(rows, pair(first, second));
    let bias = _mm256_set1_epi32(SCALE_BITS);
    let even = [
        _mm256_add_epi32(madd(c02, 4096, 5352), bias),
        _mm256_add_epi32(madd(c02, 4096, 2217), bias),
        _mm256_add_epi32(madd(c02, 4096, -2217), bias),
        _mm256_add_epi32(madd(c02, 4096, -5352), bias)
    ];
    let odd = [
        madd(c13, 5683, 4816),
        madd(c13, 4816, -1129),
        madd(c13, 3219, -5681),
        madd(c13, 1131, -3218)
    ];
    butterflies::<17>(even, odd)
}
