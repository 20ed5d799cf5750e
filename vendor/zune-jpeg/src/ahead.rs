//! Baseline Huffman blocks, decoded from bytes that were read and unstuffed ahead.
//!
//! [`BitStreamHuffman`](crate::bitstream::BitStreamHuffman) reads four bytes at a time, looks for stuffing in them and
//! stores what is left of them after every symbol. Here the bytes ahead are unstuffed once, up to the next marker, eight of
//! them are added to the bits at a time without a branch, and a short code, its run and its value come from one look-up.
//! A block is decoded whole or not at all: wherever a marker or the end of the data is near, or anything is not as it should
//! be, the stream goes back to where the block began and decodes it in its own way, which alone tells what is wrong.

use alloc::sync::Arc;

use zune_core::bytestream::{ZByteReaderTrait, ZReader};

use crate::huffman::{HuffmanTable, HUFF_LOOKAHEAD};
use crate::mcu::DCT_BLOCK;
use crate::misc::UN_ZIGZAG;

/// Bits of a code and its value that are looked up at once.
pub(crate) const JOINT_BITS: u8 = 11;

/// Where a coefficient stands in a block that was decoded ahead, by its place in zig-zag order: those of rows 0 and 4
/// beside one another, column by column, then those of rows 2 and 6, 1 and 3, 5 and 7.
pub(crate) const PAIRED: [u8; 64] = {
    let mut places = [0; 64];
    let mut i = 0;
    while i < 64 {
        let (row, column) = (UN_ZIGZAG[i] / 8, UN_ZIGZAG[i] % 8);
        let pair = [0, 2, 1, 2, 0, 3, 1, 3][row];
        places[i] = (16 * pair + 2 * column + row / 4 % 2 * (1 - row % 2) + row % 2 * (row / 2 % 2)) as u8;
        i += 1;
    }
    places
};

/// Bytes that are read ahead.
const AHEAD: usize = 4096;
/// Bytes that the longest block takes, 31 bits for each of its coefficients, and those that are read before they are used.
const LONGEST: usize = 64 * 31 / 8 + 24;

/// Codes of up to [`JOINT_BITS`] bits, those of a small coefficient together with its value.
///
/// Value in the upper half; below it one more than the run of zeros before it; then the bits that code and value take. A
/// value of 0 stands for the end of the block (run 0) and for sixteen zeros (run 16), and if it takes no bits, for a
/// symbol that has to be looked for.
pub(crate) type Joint = [i32; 1 << JOINT_BITS];

/// The joint table of codes that `sizes` bits long, in order, for `values`.
pub(crate) fn joint(sizes: &[u8], codes: &[u32], values: &[u8; 256]) -> Arc<Joint> {
    let mut table = [0_i32; 1 << JOINT_BITS];
    for ((size, code), symbol) in sizes.iter().zip(codes).zip(values) {
        if *size > JOINT_BITS {
            break;
        }
        let rest = JOINT_BITS - size;
        let first = (*code as usize) << rest;
        let (run, bits) = (i32::from(symbol >> 4), symbol & 15);
        for (below, entry) in table[first..first + (1 << rest)].iter_mut().enumerate() {
            *entry = match (run, bits) {
                (15, 0) => (16 << 8) | i32::from(*size),
                (_, 0) => i32::from(*size),
                // A value that with any quantisation of 8 bits fits into 16.
                _ if bits <= rest.min(7) => {
                    let read = (below >> (rest - bits)) as i32;
                    let value = if read >> (bits - 1) == 0 { read - (1 << bits) + 1 } else { read };
                    (value << 16) | ((run + 1) << 8) | i32::from(size + bits)
                }
                _ => 0
            };
        }
    }
    Arc::new(table)
}

/// Unstuffed bytes of entropy-coded data, and the bits before them.
pub(crate) struct Ahead {
    bytes: [u8; AHEAD + 8],
    at:    usize,
    end:   usize,
    /// The next bits, the first at the top; below [`Ahead::left`] of them stand those of `bytes[at..]`.
    bits:  u64,
    left:  u32
}

impl Ahead {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; AHEAD + 8], at: 0, end: 0, bits: 0, left: 0 }
    }

    /// Begins with `left` bits at the top of `bits`, before the bytes of the reader.
    pub(crate) fn begin(&mut self, bits: u64, left: u8) {
        self.left = u32::from(left);
        self.bits = bits & !u64::MAX.checked_shr(self.left).unwrap_or(0);
        (self.at, self.end) = (0, 0);
    }

    /// Puts the reader behind the bits that are left, and gives them as [`Ahead::begin`] takes them.
    pub(crate) fn finish<T: ZByteReaderTrait>(&mut self, reader: &mut ZReader<T>) -> Option<(u64, u8)> {
        let rest = &self.bytes[self.at..self.end];
        let stuffed = rest.iter().filter(|byte| **byte == 0xFF).count();
        if !rest.is_empty() {
            reader.rewind(rest.len() + stuffed).ok()?;
        }
        self.at = self.end;
        Some((self.bits & !u64::MAX.checked_shr(self.left).unwrap_or(0), self.left as u8))
    }

    /// Whether the longest block is there; reads on if it is not.
    #[inline(always)]
    pub(crate) fn holds_block<T: ZByteReaderTrait>(&mut self, reader: &mut ZReader<T>) -> bool {
        self.end - self.at >= LONGEST || self.read_on(reader)
    }

    #[cold]
    #[inline(never)]
    fn read_on<T: ZByteReaderTrait>(&mut self, reader: &mut ZReader<T>) -> bool {
        self.bytes.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end - self.at);
        let mut raw = [0; AHEAD - LONGEST];
        let Ok(count) = reader.read_bytes(&mut raw) else { return false };
        let mut taken = 0;
        while taken < count {
            if let Some(eight) = raw[..count].get(taken..taken + 8) {
                let mut word = [0; 8];
                word.copy_from_slice(eight);
                if !has_ff(u64::from_ne_bytes(word)) {
                    self.bytes[self.end..self.end + 8].copy_from_slice(&word);
                    self.end += 8;
                    taken += 8;
                    continue;
                }
            }
            let byte = raw[taken];
            if byte == 0xFF {
                // A marker, or what comes after is not known.
                if taken + 1 >= count || raw[taken + 1] != 0 {
                    break;
                }
                taken += 1;
            }
            self.bytes[self.end] = byte;
            self.end += 1;
            taken += 1;
        }
        if taken < count && reader.rewind(count - taken).is_err() {
            return false;
        }
        self.end >= LONGEST
    }

    /// Decodes a block into `block`, dequantised and in the order of [`PAIRED`], where [`Ahead::holds_block`]; how many
    /// coefficients it has, in zig-zag order, at most. `None`, and nothing is changed, where it is not as it should be.
    /// `quantisation` is in zig-zag order.
    #[inline(always)]
    pub(crate) fn block(
        &mut self, dc: &HuffmanTable, ac: &HuffmanTable, joint: &Joint, quantisation: &[i32; DCT_BLOCK],
        block: &mut [i16; DCT_BLOCK], prediction: &mut i32
    ) -> Option<u16> {
        let bytes = &self.bytes;
        let (mut at, mut bits, mut left) = (self.at, self.bits, self.left);
        macro_rules! refill {
            () => {
                let mut word = [0; 8];
                let from = at.min(AHEAD);
                word.copy_from_slice(&bytes[from..from + 8]);
                bits |= u64::from_be_bytes(word) >> left;
                at += ((63 - left) >> 3) as usize;
                left |= 56;
            };
        }
        macro_rules! take {
            ($count:expr) => {
                bits <<= $count;
                left -= $count;
            };
        }
        // The next `count` bits, 1 to 15, as a coefficient of that size.
        macro_rules! extended {
            ($count:expr) => {{
                let count: u32 = $count;
                let read = (bits >> (64 - count)) as i32;
                take!(count);
                if read >> (count - 1) == 0 { read - (1 << count) + 1 } else { read }
            }};
        }
        refill!();
        let (length, symbol) = dc.symbol(bits)?;
        take!(length);
        let mut value = *prediction;
        if symbol != 0 {
            if symbol > 15 {
                return None;
            }
            value = value.wrapping_add(extended!(u32::from(symbol)));
        }
        block[0] = i16::try_from(value.wrapping_mul(quantisation[0])).ok()?;

        let mut pos = 1;
        let mut count = 64;
        'codes: loop {
            refill!();
            let mut entry = joint[(bits >> (64 - JOINT_BITS)) as usize];
            'short: {
                // After two of them there are the 31 bits that any code and its value may take.
                for _ in 0..3 {
                    if entry >> 16 == 0 {
                        break 'short;
                    }
                    take!((entry & 0xFF) as u32);
                    pos += ((entry >> 8) & 0xFF) as usize;
                    if pos > 63 {
                        if pos > 64 {
                            return None;
                        }
                        block[usize::from(PAIRED[63])] =
                            (entry >> 16).wrapping_mul(quantisation[63]) as i16;
                        break 'codes;
                    }
                    let last = (pos - 1) & 63;
                    block[usize::from(PAIRED[last] & 63)] =
                        (entry >> 16).wrapping_mul(quantisation[last]) as i16;
                    entry = joint[(bits >> (64 - JOINT_BITS)) as usize];
                }
                continue 'codes;
            }
            if entry != 0 {
                take!((entry & 0xFF) as u32);
                if entry >> 8 == 0 {
                    count = pos as u16;
                    break;
                }
                pos += 16;
            } else {
                let (length, symbol) = ac.symbol(bits)?;
                take!(length);
                let (run, size) = (usize::from(symbol >> 4), u32::from(symbol & 15));
                if size == 0 {
                    if run != 15 {
                        count = pos as u16;
                        break;
                    }
                    pos += 16;
                } else {
                    pos += run;
                    if pos > 63 {
                        return None;
                    }
                    let value = extended!(size).wrapping_mul(quantisation[pos]);
                    block[usize::from(PAIRED[pos] & 63)] = i16::try_from(value).ok()?;
                    pos += 1;
                }
            }
            if pos > 63 {
                break;
            }
        }
        (self.at, self.bits, self.left) = (at, bits, left);
        *prediction = value;
        Some(count)
    }
}

impl HuffmanTable {
    /// The code at the top of `bits`: its length and symbol; `None` if it is no code.
    #[inline(always)]
    fn symbol(&self, bits: u64) -> Option<(u32, u8)> {
        let found = self.lookup[(bits >> (64 - HUFF_LOOKAHEAD)) as usize];
        let length = (found >> HUFF_LOOKAHEAD) as u32;
        if length <= u32::from(HUFF_LOOKAHEAD) {
            return Some((length, found as u8));
        }
        self.long_symbol((bits >> 48) as i32)
    }

    #[cold]
    fn long_symbol(&self, sixteen: i32) -> Option<(u32, u8)> {
        let length = (usize::from(HUFF_LOOKAHEAD) + 1..17).find(|length| sixteen < self.maxcode[*length])?;
        let index = ((sixteen >> (16 - length)) + self.offset[length]) & 0xFF;
        Some((length as u32, self.values[index as usize]))
    }
}

/// Whether a byte of `word` is 0xFF.
const fn has_ff(word: u64) -> bool {
    const LOW: u64 = 0x0101_0101_0101_0101;
    let inverse = !word;
    inverse.wrapping_sub(LOW) & word & (LOW << 7) != 0
}
