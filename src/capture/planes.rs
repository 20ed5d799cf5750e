//! Decoded Y, Cb and Cr, each at its own sampling, in memory that a thread keeps → lines, chroma drawn out to full size.

use std::cell::Cell;
use std::mem;
use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Luma samples for one chroma sample, across and down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sampling {
    pub(super) across: u32,
    pub(super) down: u32,
}

impl Sampling {
    /// Chroma in every pixel.
    pub(super) const FULL: Self = Self { across: 1, down: 1 };

    /// Size of a chroma plane beside luma of `width` × `height`.
    pub(super) const fn of(self, width: u32, height: u32) -> (u32, u32) {
        (width.div_ceil(self.across), height.div_ceil(self.down))
    }

    /// Whether chroma between samples is interpolated; wider samplings are repeated, as the JPEG decoder does.
    const fn is_smooth(self) -> bool {
        self.across <= 2 && self.down <= 2
    }
}

/// A plane of luma and, unless the picture is grey, two of chroma, row by row as stored.
#[derive(Debug, Clone)]
pub(super) struct Planes {
    width: u32,
    height: u32,
    sampling: Option<Sampling>,
    samples: Kept,
}

impl Planes {
    /// Planes whose samples are still to be written: they hold whatever the last picture left.
    pub(super) fn unwritten(width: u32, height: u32, sampling: Option<Sampling>) -> Self {
        let area = |(width, height): (u32, u32)| width as usize * height as usize;
        let chroma = sampling.map_or(0, |s| area(s.of(width, height)));
        Self { width, height, sampling, samples: Kept::new(area((width, height)) + 2 * chroma) }
    }

    /// Planes of interleaved Y Cb Cr, or of Y alone; `None` unless there are `width` × `height` × 3 or 1 samples.
    pub(super) fn of(width: u32, height: u32, samples: &[u8]) -> Option<Self> {
        let area = (width as usize).checked_mul(height as usize)?;
        if area == 0 {
            return None;
        }
        if samples.len() == area {
            let mut planes = Self::unwritten(width, height, None);
            planes.split_mut()[0].copy_from_slice(samples);
            return Some(planes);
        }
        if samples.len() != area.checked_mul(3)? {
            return None;
        }
        let mut planes = Self::unwritten(width, height, Some(Sampling::FULL));
        let [y, cb, cr] = planes.split_mut();
        let out = y.iter_mut().zip(cb).zip(cr);
        for (((y, cb), cr), pixel) in out.zip(samples.as_chunks::<3>().0) {
            [*y, *cb, *cr] = *pixel;
        }
        Some(planes)
    }

    /// Stored width and height.
    pub(super) const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// How chroma is sampled; `None` where only luma is stored.
    pub(super) const fn sampling(&self) -> Option<Sampling> {
        self.sampling
    }

    /// Luma, Cb and Cr to be written; the latter two are empty without chroma.
    pub(super) fn split_mut(&mut self) -> [&mut [u8]; 3] {
        let (luma, chroma) = self.samples.all_mut().split_at_mut(self.width as usize * self.height as usize);
        let (cb, cr) = chroma.split_at_mut(chroma.len() / 2);
        [luma, cb, cr]
    }

    /// All samples, plane after plane.
    pub(super) fn samples(&self) -> &[u8] {
        self.samples.all()
    }

    /// All samples to be written, plane after plane.
    pub(super) fn samples_mut(&mut self) -> &mut [u8] {
        self.samples.all_mut()
    }

    /// Luma, row by row.
    pub(super) fn luma(&self) -> &[u8] {
        &self.samples.all()[..self.width as usize * self.height as usize]
    }

    /// Cb (0) or Cr (1), row by row at its own sampling.
    fn chroma(&self, which: usize) -> &[u8] {
        let chroma = &self.samples.all()[self.width as usize * self.height as usize..];
        let (cb, cr) = chroma.split_at(chroma.len() / 2);
        [cb, cr][which]
    }

    /// Cb (0) or Cr (1) of the `columns` of row `y`, as many samples as pixels.
    ///
    /// A sample that stands for two pixels weighs three quarters in each and its neighbour on that side one quarter,
    /// first down and then across, each time rounded: what libjpeg calls fancy upsampling.
    pub(super) fn chroma_line(&self, which: usize, y: u32, columns: Range<u32>, out: &mut [u8]) {
        /// Samples drawn out at a time: two columns more than half of them fit beside one another.
        const PART: usize = 1024;
        let Some(sampling) = self.sampling else {
            out.fill(128);
            return;
        };
        let (width, height) = sampling.of(self.width, self.height);
        let plane = self.chroma(which);
        let line = |row: u32| &plane[row as usize * width as usize..][..width as usize];
        let row = y / sampling.down;
        let this = line(row);
        if !sampling.is_smooth() {
            for (x, value) in columns.zip(out) {
                *value = this[(x / sampling.across) as usize];
            }
            return;
        }
        let beside = match (sampling.down, y % 2) {
            (1, _) => this,
            (_, 0) => line(row.saturating_sub(1)),
            _ => line((row + 1).min(height - 1)),
        };
        if sampling.across == 1 {
            let range = columns.start as usize..columns.end as usize;
            blend(&this[range.clone()], &beside[range], out);
            return;
        }
        // One sample more on each side than the columns stand on; at the picture's border, the border's again.
        let mut blended = [0; PART / 2 + 3];
        let last = width as usize - 1;
        let mut x = columns.start as usize;
        for part in out.chunks_mut(PART) {
            let (first, end) = (x / 2, (x + part.len() - 1) / 2);
            let (from, to) = (first.saturating_sub(1), (end + 1).min(last));
            let skip = usize::from(first == 0);
            let filled = &mut blended[..end - first + 3];
            blend(&this[from..=to], &beside[from..=to], &mut filled[skip..=skip + to - from]);
            if first == 0 {
                filled[0] = filled[1];
            }
            if end == last {
                filled[end - first + 2] = filled[end - first + 1];
            }
            draw_out(filled, x % 2, part);
            x += part.len();
        }
    }
}

/// Means of rows of chroma, as many samples as pixels; keeps what lies between.
#[derive(Debug, Default)]
pub struct ChromaRows {
    /// Rows of the plane and what they weigh, in quarters.
    weights: Vec<(u32, u16)>,
    mean: Vec<u8>,
}

impl Planes {
    /// Cb (0) or Cr (1), the mean of `rows`, as many samples as pixels.
    ///
    /// As [`Planes::chroma_line`] draws them out, but for one rounding in place of one a row: the mean comes first. Where
    /// rows are blended, an eighth is added before it, which is what rounding quarters row by row adds on average: what
    /// networks learnt from has it.
    pub(super) fn chroma_mean(&self, which: usize, rows: Range<u32>, kept: &mut ChromaRows, out: &mut [u8]) {
        let Some(sampling) = self.sampling else {
            out.fill(128);
            return;
        };
        let (width, height) = sampling.of(self.width, self.height);
        let quarters = 4 * rows.len() as u16;
        kept.weights.clear();
        let mut add = |row: u32, weight: u16| match kept.weights.iter_mut().find(|(known, _)| *known == row) {
            Some((_, sum)) => *sum += weight,
            None => kept.weights.push((row, weight)),
        };
        for y in rows {
            let row = y / sampling.down;
            let beside = match (sampling.down, y % 2) {
                (2, 0) if sampling.is_smooth() => row.saturating_sub(1),
                (2, _) if sampling.is_smooth() => (row + 1).min(height - 1),
                _ => row,
            };
            add(row, 3);
            add(beside, 1);
        }
        let plane = self.chroma(which);
        let line = |row: u32| &plane[row as usize * width as usize..][..width as usize];
        let half = quarters / 2 + if sampling.is_smooth() && sampling.down == 2 { quarters / 8 } else { 0 };
        let lines = kept.weights.iter().map(|(row, weight)| (line(*row), *weight));
        if sampling.across == 1 {
            weighted_mean(lines, quarters, half, out);
            return;
        }
        // One sample more on each side, for drawing out: the border's again.
        let last = width as usize + 1;
        kept.mean.resize(last + 1, 0);
        let mean = &mut kept.mean[..];
        weighted_mean(lines, quarters, half, &mut mean[1..last]);
        if sampling.is_smooth() {
            (mean[0], mean[last]) = (mean[1], mean[last - 1]);
            draw_out(mean, 0, out);
        } else {
            for (pixels, value) in out.chunks_mut(sampling.across as usize).zip(&mean[1..]) {
                pixels.fill(*value);
            }
        }
    }
}

/// The mean of `lines`, each with its weight, which sum to `total`, after `more` was added to the sum; of more than a dozen
/// lines to a tenth of a value.
fn weighted_mean<'a>(lines: impl Iterator<Item = (&'a [u8], u16)> + Clone, total: u16, more: u16, out: &mut [u8]) {
    /// Samples added at a time, in registers.
    const BLOCK: usize = 64;
    let share = (u32::from(u16::MAX) / u32::from(total) + 1) as u16;
    for (x, block) in (0..).step_by(BLOCK).zip(out.chunks_mut(BLOCK)) {
        let mut sums = [more; BLOCK];
        for (line, weight) in lines.clone() {
            // A whole block has a length known to the compiler.
            if let Some((part, _)) = line[x..].split_first_chunk::<BLOCK>() {
                sums = std::array::from_fn(|i| sums[i] + weight * u16::from(part[i]));
            } else {
                for (sum, sample) in sums.iter_mut().zip(&line[x..]) {
                    *sum += weight * u16::from(*sample);
                }
            }
        }
        sums = sums.map(|sum| ((u32::from(sum) * u32::from(share)) >> 16) as u16);
        for (value, sum) in block.iter_mut().zip(sums) {
            *value = sum as u8;
        }
    }
}

/// Three quarters of each sample of `near` and a quarter of that of `far`.
fn blend(near: &[u8], far: &[u8], out: &mut [u8]) {
    for ((out, &near), &far) in out.iter_mut().zip(near).zip(far) {
        *out = ((3 * u16::from(near) + u16::from(far) + 2) >> 2) as u8;
    }
}

/// Two pixels of every sample but the first and last of `line`, without the first `skip` of them.
fn draw_out(line: &[u8], skip: usize, out: &mut [u8]) {
    let quarter = |near: u8, far: u8| ((3 * u16::from(near) + u16::from(far) + 2) >> 2) as u8;
    let (line, out) = match out.split_first_mut() {
        Some((first, rest)) if skip == 1 => {
            *first = quarter(line[1], line[2]);
            (&line[1..], rest)
        }
        _ => (line, out),
    };
    let (pairs, rest) = out.as_chunks_mut::<2>();
    let samples = line.iter().zip(&line[1..]).zip(&line[2..]);
    for (pair, ((&before, &this), &after)) in pairs.iter_mut().zip(samples) {
        *pair = [quarter(this, before), quarter(this, after)];
    }
    if let ([value], [before, this, ..]) = (rest, &line[pairs.len()..]) {
        *value = quarter(*this, *before);
    }
}

/// Memory for samples that goes back to its thread when it is dropped and serves the next picture there.
///
/// Fresh memory of this size is mapped and cleared by the system for every picture, which costs a third of decoding.
#[derive(Debug)]
struct Kept {
    memory: Vec<u8>,
    length: usize,
}

thread_local! {
    static KEPT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Bytes that this thread keeps for the samples of its next picture, whatever its size.
#[must_use]
pub fn kept_bytes() -> u64 {
    let memory = KEPT.take();
    let length = memory.len() as u64;
    KEPT.set(memory);
    length
}

impl Kept {
    /// What a thread keeps at most: a picture of 32 megapixels at 4:2:0, of 16 at 4:4:4.
    const MOST: usize = 48 << 20;

    /// Room for `length` samples of any value.
    fn new(length: usize) -> Self {
        let mut memory = KEPT.take();
        if memory.len() < length {
            // Not grown: what it holds need not be copied.
            drop(mem::take(&mut memory));
            memory = vec![0; length];
        }
        Self { memory, length }
    }

    fn all(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    fn all_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.length]
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.length);
        copy.all_mut().copy_from_slice(self.all());
        copy
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let memory = mem::take(&mut self.memory);
        if memory.len() > Self::MOST {
            return;
        }
        // At the thread's end there is nothing left to keep it.
        let _ = KEPT.try_with(|kept| {
            let other = kept.take();
            kept.set(if other.len() > memory.len() { other } else { memory });
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Planes of samples without regularity.
    fn planes(width: u32, height: u32, across: u32, down: u32) -> Planes {
        let mut planes = Planes::unwritten(width, height, Some(Sampling { across, down }));
        let mut state = 1_u32;
        for plane in planes.split_mut() {
            for sample in plane {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                *sample = (state >> 24) as u8;
            }
        }
        planes
    }

    #[test]
    fn a_line_of_chroma_is_its_nearest_samples_three_to_one() {
        for (across, down) in [(1, 1), (2, 1), (1, 2), (2, 2)] {
            let planes = planes(37, 22, across, down);
            let (width, height) = Sampling { across, down }.of(37, 22);
            let at = |x: i64, y: i64| {
                let (x, y) = (x.clamp(0, i64::from(width) - 1), y.clamp(0, i64::from(height) - 1));
                i64::from(planes.chroma(1)[(y * i64::from(width) + x) as usize])
            };
            let beside = |v: i64, step: u32| if step == 1 { (v, v) } else { (v / 2, v / 2 - 1 + 2 * (v % 2)) };
            for y in 0..22 {
                let (row, other) = beside(y, down);
                let mut line = [0; 37];
                planes.chroma_line(1, y as u32, 0..37, &mut line);
                for x in 0..37 {
                    let (column, side) = beside(x, across);
                    let mixed = |x: i64| (3 * at(x, row) + at(x, other) + 2) / 4;
                    let expected = (3 * mixed(column) + mixed(side) + 2) / 4;
                    assert_eq!(i64::from(line[x as usize]), expected, "{across} × {down}, {x}, {y}");
                }
            }
        }
    }

    #[test]
    fn a_mean_of_rows_of_chroma_is_that_of_its_lines() {
        for (across, down) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)] {
            let planes = planes(333, 41, across, down);
            let mut kept = ChromaRows::default();
            for rows in [0..1, 0..4, 7..10, 20..37, 38..41] {
                let mut line = vec![0; 333];
                let mut sums = vec![0.0; 333];
                for y in rows.clone() {
                    planes.chroma_line(1, y, 0..333, &mut line);
                    for (sum, value) in sums.iter_mut().zip(&line) {
                        *sum += f32::from(*value);
                    }
                }
                let mut mean = vec![0; 333];
                planes.chroma_mean(1, rows.clone(), &mut kept, &mut mean);
                for (mean, sum) in mean.iter().zip(sums) {
                    let off = (f32::from(*mean) - sum / rows.len() as f32).abs();
                    assert!(off < 1.3, "{across} × {down}, {rows:?}: {off}");
                }
            }
        }
    }

    #[test]
    fn part_of_a_line_is_the_same_as_in_the_whole() {
        for (across, down) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2)] {
            let planes = planes(2500, 9, across, down);
            let mut whole = vec![0; 2500];
            planes.chroma_line(0, 4, 0..2500, &mut whole);
            for (from, to) in [(0, 1), (1, 2), (3, 1030), (1022, 2050), (2499, 2500), (1, 2500)] {
                let mut part = vec![0; to - from];
                planes.chroma_line(0, 4, from as u32..to as u32, &mut part);
                assert_eq!(part, whole[from..to], "{across} × {down}, {from} to {to}");
            }
        }
    }

    #[test]
    fn a_thread_keeps_its_memory_for_the_next_picture() {
        std::thread::spawn(|| {
            let first = planes(640, 480, 2, 2);
            let at = first.luma().as_ptr();
            drop(first);
            assert_eq!(kept_bytes(), 640 * 480 * 3 / 2);
            assert_eq!(planes(320, 240, 1, 1).luma().as_ptr(), at);
            assert_eq!(planes(640, 480, 2, 2).clone().luma().len(), 640 * 480);
        })
        .join()
        .expect("no panic");
    }
}
