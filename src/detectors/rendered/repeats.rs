//! Native luma → how level the same letter stands wherever the page repeats it.
//!
//! A computer sets the letters of a line on one baseline, so that a letter stands at exactly the same height at every
//! repeat, and goes on doing so when the page is compressed or scaled; and it sets lines whole pixels apart, until the
//! page is scaled. In a photograph a line is tilted, bent or runs towards a vanishing point, if only by pixels. The
//! displacement of one image of a letter against the other is that of least squares (Lucas and Kanade, 1981).

use image::GrayImage;

use crate::geometry::PixelRect;
use crate::reading::lines::{Piece, Pieces, Touch};

/// Height of the bands of a large picture that are read, and how many pixels are read at most.
const BAND_PX: u32 = 192;
const MOST_PX: u32 = 2_500_000;
/// Rows by which the bands are chosen are as many pixels apart.
const ROWS_APART: usize = 12;
/// Ink differs by so many levels from the mean of the square of so many pixels a side about it.
const INK_LEVELS: i32 = 20;
const AROUND_PX: usize = 41;
/// Height of letters in pixels, their least width, and the share of their frame that is ink at least.
const HEIGHTS: std::ops::RangeInclusive<u32> = 8..=96;
const LEAST_WIDTH: u32 = 3;
const LEAST_INK: f32 = 0.15;
/// Letters that are compared at most, and partners that are tried for each of them on its line and elsewhere.
const MOST_LETTERS: usize = 300;
const PARTNERS: usize = 5;
/// Partners among which these are chosen: a pattern may look like thousands of letters.
const MOST_PARTNERS: usize = 200;
/// Two letters are the same from this correlation on; on a line they stand as many of their heights apart at least.
const ALIKE: f32 = 0.9;
const APART: u32 = 2;
/// A repeat is level when it is displaced by less, in pixels; of another line, by less besides whole pixels.
const LEVEL_PX: f32 = 0.1;
/// Fewer repeats say nothing.
const LEAST_REPEATS: usize = 16;
/// What is compared beyond a letter's frame, in pixels, and what must lie beyond that for slopes and places beside.
const RIM: u32 = 2;
const REACH: u32 = RIM + 1;

/// The repeats that were found in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Repeats {
    pub(super) count: usize,
    /// Share of them that is level.
    pub(super) level: f64,
    /// Lower quartile of what differs between the two images of a letter, against what the letter has of contrast.
    pub(super) residual: f64,
}

/// The parts of a picture that are read, as upper edge and height: the whole, or the bands with the most edges, from
/// above. `row` gives the luma of a row.
pub(super) fn bands((width, height): (u32, u32), row: impl Fn(u32) -> Option<Vec<u8>>) -> Vec<(u32, u32)> {
    let most = (MOST_PX / width.max(1)).max(1);
    if height <= most {
        return vec![(0, height)];
    }
    let tall = BAND_PX.min(most);
    let edges = |y: u32| {
        let row = row(y).unwrap_or_default();
        row.windows(2).filter(|pair| i32::from(pair[0].abs_diff(pair[1])) > INK_LEVELS).count()
    };
    let mut bands: Vec<(usize, u32)> = (0..height / tall)
        .map(|band| ((band * tall..(band + 1) * tall).step_by(ROWS_APART).map(edges).sum(), band * tall))
        .collect();
    bands.sort_by_key(|(edges, y)| (std::cmp::Reverse(*edges), *y));
    bands.truncate((most / tall).max(1) as usize);
    bands.sort_by_key(|(_, y)| *y);
    bands.into_iter().map(|(_, y)| (y, tall)).collect()
}

/// What `print`, the bands of a picture one below the other, says; nothing where letters are hardly ever repeated.
pub(super) fn measure(print: &GrayImage) -> Option<Repeats> {
    let letters = letters(print);
    let step = letters.len().div_ceil(MOST_LETTERS).max(1);
    let found: Vec<Repeat> = letters.iter().step_by(step).filter_map(|l| repeat(print, l, &letters)).collect();
    // Of other lines only where the lines themselves say too little: a page that was scaled keeps what a line says.
    let on_lines: Vec<Repeat> = found.iter().copied().filter(|repeat| repeat.on_line).collect();
    let found = if on_lines.len() < LEAST_REPEATS { found } else { on_lines };
    if found.len() < LEAST_REPEATS {
        return None;
    }
    let level = found.iter().filter(|repeat| repeat.is_level()).count() as f64 / found.len() as f64;
    let mut residuals: Vec<f32> = found.iter().map(|repeat| repeat.residual).collect();
    residuals.sort_by(f32::total_cmp);
    Some(Repeats { count: found.len(), level, residual: f64::from(residuals[residuals.len() / 4]) })
}

/// Another image of a letter.
#[derive(Debug, Clone, Copy)]
struct Repeat {
    on_line: bool,
    /// Pixels that it stands lower.
    lower: f32,
    /// Root mean square of what differs over that of the letter.
    residual: f32,
}

impl Repeat {
    fn is_level(&self) -> bool {
        let whole = if self.on_line { 0.0 } else { self.lower.round() };
        (self.lower - whole).abs() < LEVEL_PX
    }
}

/// The frame of connected ink.
#[derive(Debug, Clone, Copy)]
struct Letter {
    x: u32,
    y: u32,
    width: u32,
    height: u32,
    ink: u32,
}

/// The letters of `print`, in the order of their uppermost pixels.
fn letters(print: &GrayImage) -> Vec<Letter> {
    let (width, height) = (print.width() as usize, print.height());
    let off = against_surroundings(print);
    // Print is darker than its ground, or lighter: on the side where it stands out further.
    let skew: i64 = off.iter().map(|v| i64::from(i32::from(*v).pow(3))).sum();
    let ink = |v: i16| i32::from(v) * if skew < 0 { -1 } else { 1 } > INK_LEVELS;
    let mut pieces = Pieces::new(Touch::Corners, 0);
    let mut inked = vec![0; width];
    for row in off.chunks_exact(width) {
        inked.iter_mut().zip(row).for_each(|(inked, v)| *inked = u8::from(ink(*v)));
        pieces.add(&inked);
    }
    let whole = |Piece { rect: r, .. }: &Piece| {
        let reach = REACH + 1;
        r.x >= reach && r.y >= reach && r.x + r.width + reach <= width as u32 && r.y + r.height + reach <= height
    };
    let letter = |Piece { rect: PixelRect { x, y, width, height }, area }| Letter { x, y, width, height, ink: area };
    let is_letter = |l: &Letter| {
        HEIGHTS.contains(&l.height)
            && (LEAST_WIDTH..=*HEIGHTS.end()).contains(&l.width)
            && l.ink as f32 >= LEAST_INK * (l.width * l.height) as f32
    };
    pieces.whole().into_iter().filter(whole).map(letter).filter(is_letter).collect()
}

/// What each pixel is above the mean of the square about it, which ends at the border.
fn against_surroundings(print: &GrayImage) -> Vec<i16> {
    let (width, height) = (print.width() as usize, print.height() as usize);
    let half = AROUND_PX / 2;
    let row = |y: usize| &print.as_raw()[y * width..(y + 1) * width];
    let share = |at: usize, length: usize| 1.0 / ((at + half).min(length - 1) + 1 - at.saturating_sub(half)) as f32;
    let across: Vec<f32> = (0..width).map(|x| share(x, width)).collect();
    let mut columns = vec![0u32; width];
    (0..half.min(height)).for_each(|y| columns.iter_mut().zip(row(y)).for_each(|(sum, v)| *sum += u32::from(*v)));
    let mut off = Vec::with_capacity(width * height);
    // Sums of a row's columns up to each: that of a square is the difference of two.
    let mut up_to = vec![0u32; width + 1];
    for y in 0..height {
        if y + half < height {
            columns.iter_mut().zip(row(y + half)).for_each(|(sum, v)| *sum += u32::from(*v));
        }
        if y > half {
            columns.iter_mut().zip(row(y - half - 1)).for_each(|(sum, v)| *sum -= u32::from(*v));
        }
        let mut sum = 0;
        for (up_to, column) in up_to[1..].iter_mut().zip(&columns) {
            sum += column;
            *up_to = sum;
        }
        let (line, down) = (row(y), share(y, height));
        let above = |v: u8, sum: u32, across: f32| i16::from(v) - (sum as f32 * down * across) as i16;
        let cut =
            |x: usize| above(line[x], up_to[(x + half + 1).min(width)] - up_to[x.saturating_sub(half)], across[x]);
        let begin = half.min(width);
        let end = width.saturating_sub(half).max(begin);
        off.extend((0..begin).map(cut));
        let sums = up_to.iter().zip(&up_to[(begin + half + 1).min(width)..]).map(|(before, behind)| behind - before);
        off.extend(
            line[begin..end].iter().zip(sums).zip(&across[begin..end]).map(|((v, sum), share)| above(*v, sum, *share)),
        );
        off.extend((end..width).map(cut));
    }
    off
}

/// A letter's frame and the rim about it, less the mean.
struct Patch {
    values: Vec<f32>,
    norm: f32,
}

fn patch(print: &GrayImage, x: u32, y: u32, letter: &Letter) -> Patch {
    let (columns, rows) = ((letter.width + 2 * RIM) as usize, (letter.height + 2 * RIM) as usize);
    let stride = print.width() as usize;
    let first = (y - RIM) as usize * stride + (x - RIM) as usize;
    let mut values = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        values.extend(print.as_raw()[first + row * stride..][..columns].iter().map(|v| f32::from(*v)));
    }
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    for value in &mut values {
        *value -= mean;
    }
    let norm = values.iter().map(|v| v * v).sum::<f32>().sqrt();
    Patch { values, norm }
}

/// The image of `letter` that is most like it, to its right on its line, or else on a line below.
fn repeat(print: &GrayImage, letter: &Letter, letters: &[Letter]) -> Option<Repeat> {
    let alike = |other: &&Letter| {
        other.width.abs_diff(letter.width) <= 1
            && other.height.abs_diff(letter.height) <= 1
            && other.ink.abs_diff(letter.ink) * 5 <= letter.ink
    };
    let tall = letter.height;
    let beside = |other: &&Letter| other.x > letter.x + APART * tall && other.y.abs_diff(letter.y) <= (tall / 3).max(2);
    let below = |other: &&Letter| other.y > letter.y + tall;
    let on_line = best_of(print, letter, letters.iter().filter(beside).filter(alike).take(MOST_PARTNERS).collect());
    let found = |(correlation, y, theirs), on_line| displaced(print, letter, correlation, y, &theirs, on_line);
    match on_line {
        Some(best) => found(best, true),
        None => found(
            best_of(print, letter, letters.iter().filter(below).filter(alike).take(MOST_PARTNERS).collect())?,
            false,
        ),
    }
}

/// Correlation, upper edge and image of the partner that is most like `letter`.
fn best_of(print: &GrayImage, letter: &Letter, mut partners: Vec<&Letter>) -> Option<(f32, u32, Patch)> {
    partners.sort_by_key(|other| other.ink.abs_diff(letter.ink));
    partners.truncate(PARTNERS);
    if partners.is_empty() {
        return None;
    }
    let mine = patch(print, letter.x, letter.y, letter);
    let at = |(x, y): (u32, u32)| {
        if x + letter.width + REACH > print.width() || y + letter.height + REACH > print.height() {
            return None;
        }
        let theirs = patch(print, x, y, letter);
        let product: f32 = mine.values.iter().zip(&theirs.values).map(|(a, b)| a * b).sum();
        Some((product / (mine.norm * theirs.norm).max(f32::MIN_POSITIVE), x, y, theirs))
    };
    let most = |places: &mut dyn Iterator<Item = (u32, u32)>| places.filter_map(at).max_by(|a, b| a.0.total_cmp(&b.0));
    let (_, x, y, _) = most(&mut partners.iter().map(|p| (p.x, p.y)))?;
    let (correlation, _, y, theirs) = most(&mut (y - 1..=y + 1).flat_map(|y| (x - 1..=x + 1).map(move |x| (x, y))))?;
    (correlation >= ALIKE).then_some((correlation, y, theirs))
}

/// How much lower `theirs` stands than `letter`, to a part of a pixel.
fn displaced(
    print: &GrayImage,
    letter: &Letter,
    correlation: f32,
    y: u32,
    theirs: &Patch,
    on_line: bool,
) -> Option<Repeat> {
    let mine = patch(print, letter.x, letter.y, letter);
    let gain = mine.norm / theirs.norm;
    let level = |x: u32, y: u32| f32::from(print.get_pixel(x, y).0[0]);
    // Least squares of what differs over the slopes across and down; both patches have mean 0.
    let mut sums = [0.0f64; 5]; // across², across·down, down², across·difference, down·difference
    let places = (letter.y - RIM..letter.y + letter.height + RIM)
        .flat_map(|y| (letter.x - RIM..letter.x + letter.width + RIM).map(move |x| (x, y)));
    for ((x, y), (a, b)) in places.zip(mine.values.iter().zip(&theirs.values)) {
        let across = f64::from(level(x + 1, y) - level(x - 1, y)) / 2.0;
        let down = f64::from(level(x, y + 1) - level(x, y - 1)) / 2.0;
        let differs = f64::from(b * gain - a);
        let terms = [across * across, across * down, down * down, across * differs, down * differs];
        sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
    }
    let [xx, xy, yy, xd, yd] = sums;
    let moved = (xx * yd - xy * xd) / (xx * yy - xy * xy);
    let off = f64::from(y) - f64::from(letter.y) - moved;
    let residual = (1.0 - correlation.min(1.0).powi(2)).sqrt();
    off.is_finite().then_some(Repeat { on_line, lower: off as f32, residual })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scene::testing::noise;

    /// Grey of a page of made-up letters, each a ring with strokes, at a place in its own units.
    fn page(x: f32, y: f32) -> f32 {
        let (column, line) = ((x / 22.0).floor(), (y / 40.0).floor());
        let (u, v) = (x - column * 22.0 - 11.0, y - line * 40.0 - 20.0);
        let kind = (column * 7.0 + line * 5.0 + (column * line * 0.37).floor()) as i32 % 6;
        let mut away = ((u / 6.0).hypot(v / 8.0) - 1.0).abs() * 6.0 - 1.2;
        let stroke = |at: f32, along: f32, half: f32| (at.abs() - 1.2).max(along.abs() - half);
        for (bit, bar) in
            [(1, stroke(u + 6.0, v + 3.0, 11.0)), (2, stroke(v, u, 6.0)), (4, stroke(u - 6.0, v - 3.0, 11.0))]
        {
            if (kind + 1) & bit != 0 {
                away = away.min(bar);
            }
        }
        230.0 - 190.0 * (0.5 - away).clamp(0.0, 1.0)
    }

    fn taken(size: (u32, u32), at: impl Fn(f32, f32) -> (f32, f32)) -> Option<Repeats> {
        measure(&GrayImage::from_fn(size.0, size.1, |x, y| {
            let (px, py) = (x as f32, y as f32);
            let (u, v) = at(px, py);
            image::Luma([(page(u, v) + noise(px, py, 5.0)).round().clamp(0.0, 255.0) as u8])
        }))
    }

    #[test]
    fn letters_of_a_rendered_page_stand_level_and_of_a_photograph_do_not() {
        let rendered = taken((900, 640), |x, y| (x, y)).expect("letters");
        assert!(rendered.level > 0.95 && rendered.count > 100, "{rendered:?}");
        let scaled = taken((900, 640), |x, y| (x / 0.83, y / 0.83)).expect("letters");
        assert!(scaled.level > 0.9, "{scaled:?}");
        for tilt in [0.004f32, -0.011, 0.05] {
            let photo = taken((900, 640), |x, y| (x + tilt * y, y - tilt * x)).expect("letters");
            assert!(photo.level < 0.4, "{tilt}: {photo:?}");
        }
        // Lines that run towards a vanishing point: one of them is level.
        let photo = taken((900, 640), |x, y| (x, (y - 320.0) * (1.0 + x * 1e-4) + 320.0)).expect("letters");
        assert!(photo.level < 0.5, "{photo:?}");
    }

    #[test]
    fn light_letters_on_dark_count_too_and_a_few_letters_say_nothing() {
        let dark = GrayImage::from_fn(900, 640, |x, y| image::Luma([255 - page(x as f32, y as f32) as u8]));
        assert!(measure(&dark).expect("letters").level > 0.95);
        assert_eq!(taken((120, 64), |x, y| (x, y)), None);
        assert_eq!(measure(&GrayImage::new(300, 200)), None);
    }

    #[test]
    fn what_is_read_lies_in_the_picture_and_is_bounded() {
        for size in [(64, 64), (1536, 2048), (4000, 3000), (3000, 4000), (64, 60_000), (60_000, 64), (100_000, 20_000)]
        {
            let bands = bands(size, |y| Some(vec![(y % 7) as u8; 5]));
            let read: u64 = bands.iter().map(|(_, tall)| u64::from(*tall) * u64::from(size.0)).sum();
            assert!(read > 0 && read <= u64::from(MOST_PX), "{size:?}: {read}");
            for pair in bands.windows(2) {
                assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{size:?}: {pair:?}");
            }
            assert!(bands.iter().all(|(y, tall)| *tall > 0 && y + tall <= size.1), "{size:?}");
        }
    }

    #[test]
    fn the_bands_with_print_are_read() {
        let print = |y: u32| (1000..1900).contains(&y) || y > 3900;
        let row = |y: u32| Some((0..3000u32).map(|x| if print(y) && x % 9 < 4 { 30 } else { 230 }).collect());
        let bands = bands((3000, 4100), row);
        assert_eq!(bands, [(1152, 192), (1344, 192), (1536, 192), (1728, 192)]);
    }
}
