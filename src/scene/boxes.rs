//! A line of samples → a shorter one, each of its samples the mean of those whose middles lie in the same part of it.

use std::ops::Range;

/// Boxes of a line of samples, each averaged to one: those whose middles lie in the same part of it.
///
/// The same samples with the same weights, in the same fixed point, as the box filter of `fast_image_resize` takes, in a
/// third of the time: nearly all boxes of a photograph are equally wide and lie side by side.
pub(super) struct Boxes {
    runs: Vec<Run>,
    /// 1 / samples, by samples.
    shares: [u32; 9],
    shift: u32,
}

/// Boxes side by side that are equally wide.
struct Run {
    first: u32,
    width: u32,
    count: u32,
}

impl Boxes {
    /// Samples behind a line that may be read.
    pub(super) const BEYOND: usize = 8;

    /// Those of the `part` of a line of `length` samples, `to` of them, which [`Boxes::average`] is given from its begin on;
    /// `None` where a box is wider than eight samples.
    pub(super) fn of(length: u32, part: Range<u32>, to: u32) -> Option<Self> {
        let scale = f64::from(part.end - part.start) / f64::from(to);
        let mut runs: Vec<Run> = Vec::new();
        for x in 0..to {
            let middle = f64::from(part.start) + (f64::from(x) + 0.5) * scale;
            let inside = |at: &u32| {
                let off = (f64::from(*at) - (middle - 0.5)) * (1.0 / scale);
                off > -0.5 && off <= 0.5
            };
            let begin = (middle - 0.5 * scale).floor().max(0.0) as u32;
            let end = ((middle + 0.5 * scale).ceil() as u32).min(length);
            let first = (begin..end).find(inside)?;
            let width = (first..end).take_while(inside).count() as u32;
            let first = first.checked_sub(part.start)?;
            match runs.last_mut() {
                Some(run) if run.width == width && run.first + run.width * run.count == first => run.count += 1,
                _ => runs.push(Run { first, width, count: 1 }),
            }
        }
        let widest = runs.iter().map(|run| run.width).max()?;
        let narrowest = runs.iter().map(|run| run.width).min()?;
        if widest as usize > Self::BEYOND {
            return None;
        }
        // As many places as leave the largest share below 2¹⁵.
        let share = |width: u32, shift: u32| (f64::from(1 << shift) / f64::from(width)).round() as u32;
        let shift = (0..21).find(|shift| share(narrowest, shift + 1) >= 1 << 15).unwrap_or(21);
        let shares = std::array::from_fn(|width| if width == 0 { 0 } else { share(width as u32, shift) });
        Some(Self { runs, shares, shift })
    }

    /// Averages `line`, and [`Boxes::BEYOND`] samples of anything behind it, into `out`.
    pub(super) fn average(&self, line: &[u8], out: &mut [u8]) {
        /// Every other byte of a word: two samples are added in the room of one.
        const EVERY_OTHER: u64 = 0x00ff_00ff_00ff_00ff;
        let (half, shift) = (1 << (self.shift - 1), self.shift);
        let mut rest = out;
        for run in &self.runs {
            let share = self.shares[run.width as usize];
            let Some((values, others)) = rest.split_at_mut_checked(run.count as usize) else { return };
            rest = others;
            let samples = &line[run.first as usize..];
            let mean = |sum: u32| ((sum * share + half) >> shift) as u8;
            match run.width {
                2 => {
                    for (value, two) in values.iter_mut().zip(samples.as_chunks::<2>().0) {
                        *value = mean(u32::from(two[0]) + u32::from(two[1]));
                    }
                }
                4 => {
                    for (value, four) in values.iter_mut().zip(samples.as_chunks::<4>().0) {
                        let four = u32::from_le_bytes(*four);
                        let pairs = (four & EVERY_OTHER as u32) + ((four >> 8) & EVERY_OTHER as u32);
                        *value = mean((pairs + (pairs >> 16)) & 0xffff);
                    }
                }
                width => {
                    let kept = u64::MAX >> (64 - 8 * width);
                    for (value, at) in values.iter_mut().zip((0..).step_by(width as usize)) {
                        let Some(eight) = samples[at..].first_chunk::<8>() else { return };
                        let samples = u64::from_le_bytes(*eight) & kept;
                        let pairs = (samples & EVERY_OTHER) + ((samples >> 8) & EVERY_OTHER);
                        *value = mean((pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48) as u32);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fast_image_resize as fr;

    use super::super::overview::resize_pixels;
    use super::*;

    /// `samples` without regularity.
    fn noise(count: u32) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn boxes_average_as_the_resizer_does() {
        let whole = |length: u32, to: u32| (length, 0..length, to);
        let cases = [
            whole(4032, 1024),
            whole(4000, 1024),
            whole(4608, 1024),
            whole(1500, 1024),
            whole(1025, 1024),
            whole(8064, 1024),
            whole(3456, 771),
            whole(9, 2),
            (4032, 17..3019, 1501),
            (4032, 1..4032, 1344),
            (3024, 600..3024, 606),
            (3000, 250..2251, 667),
        ];
        for (length, part, to) in cases {
            let samples = noise(length * 3 + Boxes::BEYOND as u32);
            let boxes = Boxes::of(length, part.clone(), to).expect("narrow boxes");
            let mut found = vec![0; to as usize * 3];
            for (row, line) in found.chunks_exact_mut(to as usize).enumerate() {
                boxes.average(&samples[(row as u32 * length + part.start) as usize..], line);
            }
            let mut expected = vec![0; to as usize * 3];
            let options = fr::ResizeOptions::new().resize_alg(fr::ResizeAlg::Convolution(fr::FilterType::Box)).crop(
                f64::from(part.start),
                0.0,
                f64::from(part.end - part.start),
                3.0,
            );
            let all = &samples[..length as usize * 3];
            resize_pixels(all, (length, 3), &mut expected, (to, 3), &options).expect("sizes fit");
            assert_eq!(found, expected, "{part:?} of {length} to {to}");
        }
        assert!(Boxes::of(9001, 0..9001, 1000).is_none());
    }
}
