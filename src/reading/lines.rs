//! A flat document's luma → its lines of print, as boxes: where numbers may stand.
//!
//! Ink is what is darker than its surround (a mean over a window, after Wellner 1993, "Adaptive thresholding for the
//! `DigitalDesk`"); ink is smeared along the rows (run-length smoothing, Wong, Casey and Wahl 1982) and what hangs
//! together is a line when it is long and about as high as print. Lines as long and as high as each other and close
//! together may be a machine-readable zone.

use image::GrayImage;

use crate::geometry::PixelRect;

/// Side of the window of the local mean, in pixels: wider than a stroke, about a line and its gap.
const WINDOW: u32 = 25;
/// How much darker than its surround ink is, at least: share of the surround, and grey levels.
const DARKER: (f32, f32) = (0.1, 9.0);
/// Gap between characters of a line, in pixels: a character of 20 px height and its space.
const GAP: u32 = 15;
/// Heights of a line of print, in pixels.
const HEIGHTS: std::ops::RangeInclusive<u32> = 10..=40;
/// Least width of a line over its height.
const LONG: u32 = 6;

/// Least width over height of a line of a zone: one of 30 characters at a pitch of 2.54 mm has 25, all but the letters'
/// height gone to noise above and below it 12 (ICAO Doc 9303 part 3, section 4.4).
const ZONE_LONG: u32 = 12;
/// Steps from one line of a zone to the next, over the line's height: 6.35 mm over 2.5 to 5 mm.
const ZONE_STEPS: std::ops::RangeInclusive<f32> = 1.05..=4.0;
/// Lines on end, each as long as the other, that make a paragraph and no zone.
const PARAGRAPH: usize = 5;
/// Ink in a row of a line's characters, in hundredths of that in the fullest row: between characters and a rule is less.
const INKED: u8 = 25;
/// Boxes that are put together to rows, the widest first.
const MOST_BOXES: usize = 300;

/// Lines of print in `luma`, the widest first.
#[must_use]
pub fn find(luma: &GrayImage) -> Vec<PixelRect> {
    long(&boxes(luma))
}

/// Those of `boxes` that are as long as a line.
#[must_use]
pub fn long(boxes: &[PixelRect]) -> Vec<PixelRect> {
    boxes.iter().copied().filter(|r| r.width >= LONG * r.height).collect()
}

/// What hangs together in `luma` and is as high as print, lines and pieces of lines, the widest first.
#[must_use]
pub fn boxes(luma: &GrayImage) -> Vec<PixelRect> {
    let (width, height) = luma.dimensions();
    if width < 2 * WINDOW || height < 2 * WINDOW {
        return Vec::new();
    }
    let mut pieces = Pieces::new(Touch::Sides, GAP);
    ink_rows(luma, WINDOW, DARKER, |row| pieces.add(row));
    let mut boxes: Vec<PixelRect> = pieces
        .whole()
        .into_iter()
        .map(|piece| piece.rect)
        .filter(|r| HEIGHTS.contains(&r.height) && r.width >= r.height / 2)
        .collect();
    boxes.sort_by_key(|line| std::cmp::Reverse(line.width));
    boxes
}

/// Over what pixels hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    /// Their sides alone.
    Sides,
    /// Their sides and their corners.
    Corners,
}

/// What hangs together: where it lies, and how many pixels of it there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// Where it lies.
    pub rect: PixelRect,
    /// Its pixels, those of filled gaps among them.
    pub area: u32,
}

/// Pixels that are not 0, told row by row → what hangs together: runs of one row join those of the row above that they
/// touch.
#[derive(Debug)]
pub struct Pieces {
    touch: Touch,
    /// Runs of a row so many pixels apart are one.
    gap: u32,
    rows: u32,
    /// First and last column of each run, in the order of rows: those of the row above are the ones from `above`.
    runs: Vec<[u32; 2]>,
    above: usize,
    /// Left, top, right, bottom and pixels of each run and what joined it.
    joined: Vec<[u32; 5]>,
    parent: Vec<usize>,
}

impl Pieces {
    /// Of no rows yet; gaps of up to `gap` pixels along a row are filled.
    #[must_use]
    pub const fn new(touch: Touch, gap: u32) -> Self {
        Self { touch, gap, rows: 0, runs: Vec::new(), above: 0, joined: Vec::new(), parent: Vec::new() }
    }

    /// Adds the next row below.
    pub fn add(&mut self, row: &[u8]) {
        let first = self.runs.len();
        runs(row, self.gap.max(1), &mut self.runs);
        let reach = u32::from(self.touch == Touch::Corners);
        let (mut candidate, y) = (self.above, self.rows);
        for i in first..self.runs.len() {
            let [left, right] = self.runs[i];
            self.joined.push([left, y, right, y, right - left + 1]);
            self.parent.push(i);
            while candidate < first && self.runs[candidate][1] + reach < left {
                candidate += 1;
            }
            for touching in candidate..first {
                if self.runs[touching][0] > right + reach {
                    break;
                }
                let (a, b) = (self.root(touching), self.root(i));
                if a != b {
                    // The earlier run stands for both, so that pieces come in the order of their first.
                    let (a, b) = (a.min(b), a.max(b));
                    self.parent[b] = a;
                    let [l, t, r, d, area] = self.joined[b];
                    let whole = &mut self.joined[a];
                    *whole = [whole[0].min(l), whole[1].min(t), whole[2].max(r), whole[3].max(d), whole[4] + area];
                }
            }
        }
        self.above = first;
        self.rows += 1;
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    /// What hung together in all rows, in the order of the uppermost pixels.
    #[must_use]
    pub fn whole(self) -> Vec<Piece> {
        let roots = self.joined.into_iter().zip(self.parent).enumerate().filter(|(i, (_, parent))| i == parent);
        roots
            .map(|(_, ([left, top, right, bottom, area], _))| Piece {
                rect: PixelRect::new(left, top, right - left + 1, bottom - top + 1),
                area,
            })
            .collect()
    }
}

/// Adds first and last column of each run of `row` that is not 0, those no more than `gap` columns on as one.
fn runs(row: &[u8], gap: u32, out: &mut Vec<[u32; 2]>) {
    /// Columns that are passed over at a time where nothing is.
    const BLOCK: usize = 16;
    let first = out.len();
    for (start, block) in (0..).step_by(BLOCK).zip(row.chunks(BLOCK)) {
        if block == [0; BLOCK] {
            continue;
        }
        for (x, _) in (start..).zip(block).filter(|(_, value)| **value != 0) {
            match out[first..].last_mut() {
                Some(run) if x - run[1] <= gap => run[1] = x,
                _ => out.push([x, x]),
            }
        }
    }
}

/// `boxes` that stand side by side and are as high as each other, put together to rows where no more than `gap` of their
/// height is between them.
#[must_use]
pub fn rows(boxes: &[PixelRect], gap: f32) -> Vec<PixelRect> {
    let mut boxes: Vec<PixelRect> = boxes.iter().copied().take(MOST_BOXES).collect();
    boxes.sort_by_key(|b| b.x);
    let mut rows: Vec<PixelRect> = Vec::new();
    for b in boxes {
        let beside = |r: &&mut PixelRect| {
            let (top, bottom) = (r.y.max(b.y), (r.y + r.height).min(b.y + b.height));
            let (low, high) = (r.height.min(b.height), r.height.max(b.height));
            let between = b.x as f32 - (r.x + r.width) as f32;
            10 * bottom.saturating_sub(top) >= 6 * low && 10 * high <= 17 * low && between <= gap * high as f32
        };
        match rows.iter_mut().find(beside) {
            Some(row) => *row = union(*row, b),
            None => rows.push(b),
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.width));
    rows
}

fn union(a: PixelRect, b: PixelRect) -> PixelRect {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let (right, bottom) = ((a.x + a.width).max(b.x + b.width), (a.y + a.height).max(b.y + b.height));
    PixelRect::new(x, y, right - x, bottom - y)
}

/// Lines that may be those of a machine-readable zone, from top to bottom: two to four, as long and as high as each
/// other, one under the other and evenly close; the longest first, whatever stands above, below or between.
#[must_use]
pub fn zones(boxes: &[PixelRect]) -> Vec<Vec<PixelRect>> {
    let mut left: Vec<PixelRect> = rows(boxes, 1.5).into_iter().filter(|r| r.width >= ZONE_LONG * r.height).collect();
    left.sort_by_key(|line| line.y);
    let mut zones: Vec<Vec<PixelRect>> = Vec::new();
    while let Some(first) = (!left.is_empty()).then(|| left.remove(0)) {
        let mut zone = vec![first];
        while let Some(next) = left.iter().position(|line| follows(&zone, line)) {
            zone.push(left.remove(next));
        }
        if (2..PARAGRAPH).contains(&zone.len()) {
            zones.push(zone);
        }
    }
    zones.sort_by_key(|zone| std::cmp::Reverse(zone[0].width));
    zones
}

/// Whether `line` may be the next of the zone.
fn follows(zone: &[PixelRect], line: &PixelRect) -> bool {
    let Some(before) = zone.last() else { return true };
    let (low, high) = (before.height.min(line.height) as f32, before.height.max(line.height) as f32);
    let step = |a: &PixelRect, b: &PixelRect| b.centre().y - a.centre().y;
    let even = zone.len() < 2 || (step(before, line) / step(&zone[0], &zone[1]) - 1.0).abs() < 0.25;
    let slack = 2 * before.height.min(line.height);
    high <= 1.6 * low
        && even
        && ZONE_STEPS.contains(&(step(before, line) / low))
        && line.x.abs_diff(before.x) <= slack
        && (line.x + line.width).abs_diff(before.x + before.width) <= slack
}

/// Where the line before and the line after two of a zone would stand.
#[must_use]
pub fn around(first: PixelRect, second: PixelRect) -> [Option<PixelRect>; 2] {
    let step = second.y as f32 - first.y as f32;
    let whole = union(first, second);
    let height = first.height.max(second.height);
    let at = |y: f32| (y >= 0.0).then(|| PixelRect::new(whole.x, y as u32, whole.width, height));
    [at(first.y as f32 - step), at(second.y as f32 + step)]
}

/// The rows of `line` that its characters take, without the rules and the small print that hang on above and below: the
/// most rows on end that have ink in them.
#[must_use]
pub fn tight(luma: &GrayImage, line: PixelRect) -> PixelRect {
    let margin = WINDOW / 2;
    let (left, top) = (line.x.saturating_sub(margin), line.y.saturating_sub(margin));
    let right = (line.x + line.width + margin).min(luma.width());
    let bottom = (line.y + line.height + margin).min(luma.height());
    if right <= left + WINDOW || bottom <= top + WINDOW {
        return line;
    }
    let about = PixelRect::new(left, top, right - left, bottom - top).cut(luma);
    let mut dark: Vec<usize> = Vec::new();
    ink_rows(&about, WINDOW, DARKER, |row| dark.push(row.iter().filter(|v| **v > 0).count()));
    let least = (f32::from(INKED) / 100.0 * dark.iter().copied().max().unwrap_or(0) as f32) as usize;
    let (mut best, mut start) = ((0, 0), 0);
    for (y, count) in dark.iter().chain([&0]).enumerate() {
        if *count <= least {
            if y - start > best.1 - best.0 {
                best = (start, y);
            }
            start = y + 1;
        }
    }
    let height = (best.1 - best.0) as u32;
    if height < *HEIGHTS.start() / 2 { line } else { PixelRect::new(line.x, top + best.0 as u32, line.width, height) }
}

/// Tells each row of `luma`, from the top: 255 where a pixel is darker than the mean of the `window` about it, by `darker`:
/// a share of that mean, and at least so many grey levels; 0 elsewhere.
pub fn ink_rows(luma: &GrayImage, window: u32, darker: (f32, f32), mut told: impl FnMut(&[u8])) {
    let (width, height) = (luma.width() as usize, luma.height() as usize);
    let (half, raw) = (window as usize / 2, luma.as_raw());
    let row = |y: usize| &raw[y * width..(y + 1) * width];
    // Sums of the window's columns, and in each row running sums over them.
    let mut columns = vec![0u32; width];
    let mut before = vec![0u32; width + 1];
    let mut mask = vec![0; width];
    let inner = half.min(width)..width.saturating_sub(half).max(half.min(width));
    for y in 0..half.min(height) {
        columns.iter_mut().zip(row(y)).for_each(|(sum, v)| *sum += u32::from(*v));
    }
    for y in 0..height {
        if y + half < height {
            columns.iter_mut().zip(row(y + half)).for_each(|(sum, v)| *sum += u32::from(*v));
        }
        if y > half {
            columns.iter_mut().zip(row(y - half - 1)).for_each(|(sum, v)| *sum -= u32::from(*v));
        }
        let rows = (y + half).min(height - 1) - y.saturating_sub(half) + 1;
        let mut sum = 0;
        for (before, column) in before[1..].iter_mut().zip(&columns) {
            sum += column;
            *before = sum;
        }
        // Signed, as processors turn such sums into fractions at once; they are far below 2³¹.
        let dark = |sum: u32, count: f32, v: u8| {
            let mean = sum as i32 as f32 / count;
            if mean - f32::from(v) > darker.1.max(darker.0 * mean) { 255 } else { 0 }
        };
        let line = row(y);
        for x in (0..inner.start).chain(inner.end..width) {
            let (x0, x1) = (x.saturating_sub(half), (x + half).min(width - 1));
            mask[x] = dark(before[x1 + 1] - before[x0], ((x1 - x0 + 1) * rows) as f32, line[x]);
        }
        if !inner.is_empty() {
            let sums = before[2 * half + 1..].iter().zip(&before);
            let count = ((2 * half + 1) * rows) as f32;
            for ((value, v), (to, from)) in mask[inner.clone()].iter_mut().zip(&line[inner.clone()]).zip(sums) {
                *value = dark(to - from, count, *v);
            }
        }
        told(&mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bars 12 px wide and 20 high, 6 px apart, on white.
    fn bars(count: u32, at: (u32, u32)) -> GrayImage {
        GrayImage::from_fn(640, 400, |x, y| {
            let inside = (at.1..at.1 + 20).contains(&y) && x >= at.0 && x < at.0 + 18 * count && (x - at.0) % 18 < 12;
            image::Luma([if inside { 30 } else { 220 }])
        })
    }

    #[test]
    fn a_row_of_characters_is_one_line() {
        let found = find(&bars(18, (150, 330)));
        assert_eq!(found.len(), 1);
        let line = found[0];
        assert!(line.x.abs_diff(150) < 3 && line.y.abs_diff(330) < 3, "{line:?}");
        assert!(line.width.abs_diff(18 * 18 - 6) < 6 && line.height.abs_diff(20) < 4, "{line:?}");
    }

    #[test]
    fn lines_as_long_as_each_other_are_a_zone_whatever_stands_about_them() {
        let line = |x, y, width, height| PixelRect::new(x, y, width, height);
        let (a, b) = (line(40, 300, 560, 20), line(41, 344, 558, 19));
        let others = [line(40, 20, 300, 20), line(200, 80, 250, 24), line(40, 390, 590, 10), line(300, 150, 120, 18)];
        let boxes: Vec<PixelRect> = others.into_iter().chain([b, a]).collect();
        assert_eq!(zones(&boxes), [vec![a, b]]);
        let third = line(39, 388, 561, 20);
        assert_eq!(zones(&[others[0], third, b, a]), [vec![a, b, third]]);
        // A line in two pieces, as where a highlight parts it.
        let parted = [line(40, 300, 200, 20), line(250, 301, 350, 19), b];
        assert_eq!(zones(&parted), [vec![line(40, 300, 560, 20), b]]);
        let paragraph: Vec<PixelRect> = (0..7).map(|i| line(40, 100 + 40 * i, 560, 20)).collect();
        assert!(zones(&paragraph).is_empty() && zones(&[a]).is_empty() && zones(&[]).is_empty());
    }

    #[test]
    fn a_rule_below_is_no_part_of_the_characters() {
        let mut luma = bars(18, (150, 330));
        for x in 140..480 {
            for y in 354..356 {
                luma.put_pixel(x, y, image::Luma([60]));
            }
        }
        let line = tight(&luma, PixelRect::new(150, 330, 318, 27));
        assert!(line.y.abs_diff(330) < 3 && line.height.abs_diff(20) < 4, "{line:?}");
        let blank = PixelRect::new(10, 10, 100, 20);
        assert_eq!(tight(&GrayImage::from_pixel(300, 200, image::Luma([200])), blank), blank);
    }

    #[test]
    fn a_zone_may_go_on_above_and_below() {
        let (a, b) = (PixelRect::new(40, 30, 560, 20), PixelRect::new(41, 74, 558, 19));
        assert_eq!(around(a, b), [None, Some(PixelRect::new(40, 118, 560, 20))]);
    }

    /// What hangs together in rows of `#` and other marks, as left, top, width, height and area.
    fn pieces(rows: &[&str], touch: Touch, gap: u32) -> Vec<[u32; 5]> {
        let mut pieces = Pieces::new(touch, gap);
        for row in rows {
            pieces.add(&row.bytes().map(|mark| if mark == b'#' { 255 } else { 0 }).collect::<Vec<u8>>());
        }
        let parts = |p: Piece| [p.rect.x, p.rect.y, p.rect.width, p.rect.height, p.area];
        let mut found: Vec<[u32; 5]> = pieces.whole().into_iter().map(parts).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn what_touches_hangs_together() {
        let rows = ["#..#.#", "####..", ".....#", "#.#.##", "###..."];
        let by_sides = [[0, 0, 4, 2, 6], [0, 3, 3, 2, 5], [4, 2, 2, 2, 3], [5, 0, 1, 1, 1]];
        assert_eq!(pieces(&rows, Touch::Sides, 0), by_sides);
        assert_eq!(pieces(&["#.#", ".#.", "#.."], Touch::Corners, 0), [[0, 0, 3, 3, 4]]);
        assert_eq!(pieces(&["#..#...#"], Touch::Sides, 3), [[0, 0, 4, 1, 4], [7, 0, 1, 1, 1]]);
        assert!(pieces(&["...."], Touch::Sides, 0).is_empty());
    }

    /// Speckles and bars, by a rule without a pattern.
    fn speckled(width: u32, height: u32) -> GrayImage {
        GrayImage::from_fn(width, height, |x, y| {
            let noise = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519) >> 24;
            let print = (y / 20) % 3 == 1 && (x / 7 + y / 50) % 4 < 3 && x % 120 > 30;
            image::Luma([(if print {
                noise / 3
            } else if noise > 250 {
                90
            } else {
                170 + noise / 24
            }) as u8])
        })
    }

    /// The same as sums over each pixel's own window.
    fn plain_ink(luma: &GrayImage, window: u32, darker: (f32, f32)) -> GrayImage {
        let (half, (width, height)) = (window / 2, luma.dimensions());
        GrayImage::from_fn(width, height, |x, y| {
            let (x0, y0) = (x.saturating_sub(half), y.saturating_sub(half));
            let (x1, y1) = ((x + half).min(width - 1), (y + half).min(height - 1));
            let about = (y0..=y1).flat_map(|y| (x0..=x1).map(move |x| (x, y)));
            let sum: u32 = about.map(|(x, y)| u32::from(luma.get_pixel(x, y).0[0])).sum();
            let mean = sum as f32 / ((x1 - x0 + 1) * (y1 - y0 + 1)) as f32;
            let dark = mean - f32::from(luma.get_pixel(x, y).0[0]) > darker.1.max(darker.0 * mean);
            image::Luma([if dark { 255 } else { 0 }])
        })
    }

    #[test]
    fn ink_is_darker_than_the_mean_about_it() {
        for (width, height) in [(70, 60), (26, 90), (25, 25), (9, 40)] {
            let luma = speckled(width, height);
            let mut rows = Vec::new();
            ink_rows(&luma, WINDOW, DARKER, |row| rows.extend_from_slice(row));
            assert_eq!(&rows, plain_ink(&luma, WINDOW, DARKER).as_raw(), "{width} × {height}");
        }
    }

    #[test]
    fn boxes_are_those_of_smeared_ink_whose_pixels_are_labelled() {
        use imageproc::region_labelling::{Connectivity, connected_components};

        let luma = speckled(430, 310);
        let mut mask = plain_ink(&luma, WINDOW, DARKER);
        for row in mask.chunks_exact_mut(430) {
            let dark: Vec<usize> = (0..430).filter(|x| row[*x] > 0).collect();
            for pair in dark.windows(2).filter(|pair| pair[1] - pair[0] <= GAP as usize) {
                row[pair[0]..pair[1]].fill(255);
            }
        }
        let labels = connected_components(&mask, Connectivity::Four, image::Luma([0u8]));
        let mut expected: std::collections::BTreeMap<u32, [u32; 4]> = std::collections::BTreeMap::new();
        for (x, y, label) in labels.enumerate_pixels().filter(|(.., label)| label.0[0] > 0) {
            let b = expected.entry(label.0[0]).or_insert([x, y, x, y]);
            *b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
        }
        let rect = |b: &[u32; 4]| PixelRect::new(b[0], b[1], b[2] - b[0] + 1, b[3] - b[1] + 1);
        let print = |r: &PixelRect| HEIGHTS.contains(&r.height) && r.width >= r.height / 2;
        let mut expected: Vec<PixelRect> = expected.values().map(rect).filter(print).collect();
        let mut found = boxes(&luma);
        for boxes in [&mut expected, &mut found] {
            boxes.sort_by_key(|r| (r.x, r.y, r.width, r.height));
        }
        assert!(found.len() > 5, "{}", found.len());
        assert_eq!(found, expected);
    }

    #[test]
    fn blank_and_tiny_pictures_have_no_lines() {
        assert!(find(&GrayImage::from_pixel(300, 200, image::Luma([200]))).is_empty());
        assert!(find(&GrayImage::new(3, 900)).is_empty());
        assert!(find(&bars(2, (10, 100))).is_empty());
    }
}
