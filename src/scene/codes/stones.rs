//! Luma → dark and light as rqrr tells them, and the finder patterns that it will see in them, each with its place.
//!
//! rqrr copies the picture for every three finder patterns that might be a code's, and fills a region anew for many a
//! row of one: both grow with what a picture holds, not with its size. What it will see is found here in one pass, by its
//! own rules, so that it can be shown no more than a bounded number of them.

use image::GrayImage;

use crate::geometry::Point;

/// Most finder patterns that are looked at for those of a code.
const MOST_STONES: usize = 300;

/// A picture of dark (1) and light (0), and its regions of dark.
pub(super) struct Shape {
    width: usize,
    dark: Vec<u8>,
    /// Dark runs of all rows: row, first and last column, and the region.
    runs: Vec<Run>,
    /// Pixels of each region and the rectangle about it: left, top, right, bottom.
    regions: Vec<(u32, [u32; 4])>,
}

struct Run {
    y: u32,
    first: u32,
    last: u32,
    region: u32,
}

/// A finder pattern: a ring with a stone in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stone {
    pub(super) middle: Point,
    /// Size of a module in pixels.
    pub(super) module: f32,
    region: u32,
}

impl Shape {
    /// Dark is what is 5 % below the mean of an eighth of the row before and after it, and of the row above.
    pub(super) fn of(luma: &GrayImage) -> Self {
        let (width, height) = (luma.width() as usize, luma.height() as usize);
        let dark = threshold(luma.as_raw(), width, height);
        let mut shape = Self { width, dark, runs: Vec::new(), regions: Vec::new() };
        shape.join(height);
        shape
    }

    /// The same after dark was erased.
    pub(super) fn remade(&self, height: usize) -> Self {
        let mut shape = Self { width: self.width, dark: self.dark.clone(), runs: Vec::new(), regions: Vec::new() };
        shape.join(height);
        shape
    }

    pub(super) fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark[y * self.width + x] == 1
    }

    /// Runs that touch over their sides are one region.
    fn join(&mut self, height: usize) {
        let mut parent: Vec<u32> = Vec::new();
        let mut above = 0..0;
        for y in 0..height {
            let row = &self.dark[y * self.width..(y + 1) * self.width];
            let first = self.runs.len();
            let mut x = 0;
            while let Some(start) = row[x..].iter().position(|v| *v == 1).map(|at| x + at) {
                let end = row[start..].iter().position(|v| *v == 0).map_or(row.len(), |at| start + at);
                let region = parent.len() as u32;
                parent.push(region);
                self.runs.push(Run { y: y as u32, first: start as u32, last: end as u32 - 1, region });
                x = end;
            }
            let mut candidate = above.start;
            for i in first..self.runs.len() {
                while candidate < above.end && self.runs[candidate].last < self.runs[i].first {
                    candidate += 1;
                }
                for touching in candidate..above.end {
                    if self.runs[touching].first > self.runs[i].last {
                        break;
                    }
                    let (a, b) =
                        (root(&mut parent, self.runs[touching].region), root(&mut parent, self.runs[i].region));
                    let (low, high) = (a.min(b), a.max(b));
                    parent[high as usize] = low;
                }
            }
            above = first..self.runs.len();
        }
        self.regions = vec![(0, [u32::MAX, u32::MAX, 0, 0]); parent.len()];
        for run in &mut self.runs {
            run.region = root(&mut parent, run.region);
            let (pixels, about) = &mut self.regions[run.region as usize];
            *pixels += run.last - run.first + 1;
            *about = [about[0].min(run.first), about[1].min(run.y), about[2].max(run.last), about[3].max(run.y)];
        }
    }

    /// The finder patterns that rqrr will see, in its order; and how many pixels it may go over to see them, with nothing
    /// remembered.
    pub(super) fn stones(&self) -> (Vec<Stone>, u64) {
        let mut taken = vec![false; self.regions.len()];
        let (mut found, mut cost) = (Vec::new(), 0_u64);
        for row in self.runs.chunk_by(|a, b| a.y == b.y) {
            for [outer, stone, right] in row.windows(3).filter_map(<[Run]>::as_array) {
                let lengths = [
                    outer.last - outer.first + 1,
                    stone.first - outer.last - 1,
                    stone.last - stone.first + 1,
                    right.first - stone.last - 1,
                    right.last - right.first + 1,
                ];
                if !is_pattern(lengths) {
                    continue;
                }
                let (ring, inner) = (right.region as usize, stone.region as usize);
                cost += u64::from(self.regions[ring].0) + u64::from(self.regions[inner].0);
                let share = u64::from(self.regions[inner].0) * 100 / u64::from(self.regions[ring].0);
                if outer.region != right.region
                    || ring == inner
                    || taken[ring]
                    || taken[inner]
                    || !(11..70).contains(&share)
                {
                    continue;
                }
                taken[ring] = true;
                taken[inner] = true;
                let [left, top, end, bottom] = self.regions[ring].1;
                found.push(Stone {
                    middle: Point::new((left + end) as f32 / 2.0, (top + bottom) as f32 / 2.0),
                    module: ((end - left + bottom - top) as f32 / 2.0 + 1.0) / 7.0,
                    region: stone.region,
                });
            }
        }
        (found, cost)
    }

    /// Makes all dark light but what lies in `keep`, and the middle of each stone that is not in `kept`.
    pub(super) fn erase_but(&mut self, kept: &[Stone], all: &[Stone], keep: &[[f32; 4]]) {
        let inside = |x: u32, y: u32| {
            keep.iter().any(|[left, top, right, bottom]| {
                (*left..=*right).contains(&(x as f32)) && (*top..=*bottom).contains(&(y as f32))
            })
        };
        let mut gone = vec![false; self.regions.len()];
        for stone in all {
            gone[stone.region as usize] = kept.iter().all(|k| k.region != stone.region);
        }
        for run in &self.runs {
            let row = run.y as usize * self.width;
            for x in run.first..=run.last {
                if gone[run.region as usize] || !inside(x, run.y) {
                    self.dark[row + x as usize] = 0;
                }
            }
        }
    }
}

fn root(parent: &mut [u32], mut i: u32) -> u32 {
    while parent[i as usize] != i {
        parent[i as usize] = parent[parent[i as usize] as usize];
        i = parent[i as usize];
    }
    i
}

/// rqrr's proportions of a finder pattern: each of the outer four within three quarters of their mean, the middle within as
/// much of three times that.
fn is_pattern(lengths: [u32; 5]) -> bool {
    let mean = (lengths[0] + lengths[1] + lengths[3] + lengths[4]) / 4;
    let slack = mean * 3 / 4;
    lengths.into_iter().zip([1, 1, 3, 1, 1]).all(|(length, n)| (n * mean - slack..=n * mean + slack).contains(&length))
}

/// Dark and light by a mean that runs along the rows, one to the right and the next to the left, as rqrr has it.
fn threshold(luma: &[u8], width: usize, height: usize) -> Vec<u8> {
    let mut dark = vec![0; luma.len()];
    let mut mean = vec![0_u32; width];
    let span = (width as u32 / 8).max(1);
    let (mut one, mut other) = (0_u32, 0_u32);
    for y in 0..height {
        let row = &luma[y * width..(y + 1) * width];
        mean.fill(0);
        for x in 0..width {
            let (a, b) = if y % 2 == 0 { (width - 1 - x, x) } else { (x, width - 1 - x) };
            one = one * (span - 1) / span + u32::from(row[a]);
            other = other * (span - 1) / span + u32::from(row[b]);
            mean[a] += one;
            mean[b] += other;
        }
        for ((out, value), mean) in dark[y * width..(y + 1) * width].iter_mut().zip(row).zip(&mean) {
            *out = u8::from(u32::from(*value) < mean * 95 / (200 * span));
        }
    }
    dark
}

/// Three stones that may be those of one code, the corner first.
pub(super) type Corner = [Stone; 3];

/// How much larger one finder pattern of a code may seem than another: by perspective, blur and the pixel grid.
const LIKE: f32 = 1.7;
/// Longer over shorter side of a code seen at a slant: rqrr's own bound is 4/3.
const SLANT: f32 = 1.5;
/// Largest cosine of the angle at a code's corner.
const SQUARE: f32 = 0.4;
/// From one finder pattern to the next, in modules: 14 of version 1 to 170 of version 40, and a slant.
const APART: std::ops::RangeInclusive<f32> = 9.0..=200.0;
/// Neighbours of a stone that are tried, the nearest first.
const NEIGHBOURS: usize = 12;

/// Threes of `stones` that stand as those of a code do, the squarest first, each stone in one of them; at most `most`.
/// Also whether some were left out.
pub(super) fn corners(stones: &[Stone], most: usize) -> (Vec<Corner>, bool) {
    let looked_at = &stones[..stones.len().min(MOST_STONES)];
    let like = |a: f32, b: f32, most: f32| a.max(b) <= most * a.min(b);
    let mut found: Vec<(f32, [usize; 3])> = Vec::new();
    for (i, corner) in looked_at.iter().enumerate() {
        let mut beside: Vec<(f32, usize)> = looked_at
            .iter()
            .enumerate()
            .filter(|(j, other)| *j != i && like(other.module, corner.module, LIKE))
            .map(|(j, other)| (other.middle.distance(corner.middle), j))
            .filter(|(length, j)| APART.contains(&(length / f32::midpoint(looked_at[*j].module, corner.module))))
            .collect();
        beside.sort_by(|a, b| a.0.total_cmp(&b.0));
        beside.truncate(NEIGHBOURS);
        for (k, (long, a)) in beside.iter().enumerate() {
            for (short, b) in &beside[..k] {
                let (p, q) = (looked_at[*a].middle, looked_at[*b].middle);
                let along = (p.x - corner.middle.x) * (q.x - corner.middle.x);
                let cosine = ((along + (p.y - corner.middle.y) * (q.y - corner.middle.y)) / (long * short)).abs();
                if *long <= SLANT * short && cosine <= SQUARE {
                    found.push((cosine + (long / short - 1.0), [i, *a, *b]));
                }
            }
        }
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut used = vec![false; looked_at.len()];
    let mut chosen = Vec::new();
    let mut left_out = looked_at.len() < stones.len();
    for (_, three) in found {
        if three.iter().any(|i| used[*i]) {
            continue;
        }
        if chosen.len() == most {
            left_out = true;
            break;
        }
        for i in three {
            used[i] = true;
        }
        chosen.push(three.map(|i| looked_at[i]));
    }
    (chosen, left_out)
}

/// The rectangle about a code with these stones, and its quiet zone: left, top, right, bottom.
pub(super) fn about(corner: &Corner) -> [f32; 4] {
    let [a, b, c] = corner.map(|stone| stone.middle);
    let fourth = Point::new(b.x + c.x - a.x, b.y + c.y - a.y);
    let module = corner.iter().map(|stone| stone.module).fold(0.0, f32::max);
    // Perspective may put the fourth corner a quarter of a side further out.
    let margin = 8.0 * module + a.distance(b).max(a.distance(c)) / 4.0;
    let bound =
        |pick: fn(f32, f32) -> f32, of: fn(&Point) -> f32| [a, b, c, fourth].iter().map(of).reduce(pick).unwrap_or(0.0);
    [
        bound(f32::min, |p| p.x) - margin,
        bound(f32::min, |p| p.y) - margin,
        bound(f32::max, |p| p.x) + margin,
        bound(f32::max, |p| p.y) + margin,
    ]
}
