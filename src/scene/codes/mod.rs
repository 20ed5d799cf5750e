//! Overview luma → the QR codes in it and what they say.
//!
//! A picture may hold thousands of finder patterns, and both decoders try threes of them: neither is shown more than it
//! ends with at once. A cheap scan for the finder pattern 1 : 1 : 3 : 1 : 1 (ISO/IEC 18004) comes first, so that a picture without a code
//! costs next to nothing; then rqrr, and rxing as second chance.

mod stones;

use image::GrayImage;
use rxing::common::{BitMatrix, HybridBinarizer};
use rxing::qrcode::QRCodeReader;
use rxing::qrcode::detector::FinderPatternFinder;
use rxing::{BinaryBitmap, DecodeHints, Luma8LuminanceSource, Reader};

use self::stones::Shape;
use crate::geometry::Point;

/// Places with a finder pattern that make a search worth while: a code has three, of which one may be blurred.
const FINDERS: usize = 2;

/// Most places of codes that are searched where a picture holds many finder patterns: a document bears one or two.
const MOST_CODES: usize = 4;
/// Most pixels that rqrr may go over to see finder patterns: some hundred milliseconds.
const MOST_COST: u64 = 40_000_000;
/// Most places from which rxing chooses three.
const MOST_CENTRES: usize = 60;

/// Modules of two finder patterns of one code, one over the other, and how many modules they lie apart: 14 along a side of
/// version 1, 170 along that of version 40; along the diagonal 1.4 times as many (ISO/IEC 18004).
const ALIKE: f32 = 1.4;
const APART: std::ops::RangeInclusive<f32> = 12.0..=245.0;

/// A QR code. What it says prints hidden and is not serialised.
#[derive(Clone, PartialEq)]
pub struct Code {
    /// Its corners in overview pixels.
    pub corners: Vec<Point>,
    /// What it says, where it could be decoded.
    pub content: Option<String>,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("corners", &self.corners).field("decoded", &self.content.is_some()).finish()
    }
}

/// The QR codes in a picture.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Codes {
    /// Those that were found.
    pub found: Vec<Code>,
    /// Whether the search ended at one of its bounds, so that there may be more.
    pub cut_short: bool,
    /// Two finder patterns alike, where there are no more and no code was found: a third one may be hidden.
    pub finders: Option<[Point; 2]>,
}

/// The QR codes in `luma`, of at most [`MOST_CODES`] places.
pub(super) fn find(luma: &GrayImage) -> Codes {
    let mut codes = Codes::default();
    if finders(luma) < FINDERS {
        return codes;
    }
    let mut shape = Shape::of(luma);
    let (stones, cost) = shape.stones();
    if let [a, b] = stones.as_slice() {
        let alike = a.module.max(b.module) <= ALIKE * a.module.min(b.module);
        let apart = a.middle.distance(b.middle) / f32::midpoint(a.module, b.module).max(f32::EPSILON);
        codes.finders = (alike && APART.contains(&apart)).then_some([a.middle, b.middle]);
    }
    if stones.len() >= 3 {
        let many = stones.len() > 3 * MOST_CODES || cost > MOST_COST;
        if many {
            let (corners, left_out) = stones::corners(&stones, MOST_CODES);
            codes.cut_short = left_out;
            let areas: Vec<[f32; 4]> = corners.iter().map(stones::about).collect();
            shape.erase_but(&corners.concat(), &stones, &areas);
        }
        // What is kept may lie in a region as large as the picture.
        if many && shape.remade(luma.height() as usize).stones().1 > MOST_COST {
            codes.cut_short = true;
        } else {
            codes.found = by_rqrr(&shape, luma.dimensions());
        }
    }
    if codes.found.iter().all(|code| code.content.is_none()) {
        match second_chance(luma) {
            Some(Ok(code)) => codes.found = vec![code],
            Some(Err(())) => codes.cut_short = true,
            None => {}
        }
    }
    codes
}

fn by_rqrr(shape: &Shape, (width, height): (u32, u32)) -> Vec<Code> {
    let mut prepared =
        rqrr::PreparedImage::prepare_from_bitmap(width as usize, height as usize, |x, y| shape.is_dark(x, y));
    let read = |grid: rqrr::Grid<_>| Code {
        corners: grid.bounds.iter().map(|p| Point::new(p.x as f32, p.y as f32)).collect(),
        content: grid.decode().ok().map(|(_, content)| content),
    };
    prepared.detect_grids().into_iter().map(read).collect()
}

/// What rxing reads; an error where it would see so many finder patterns that it does not end.
fn second_chance(luma: &GrayImage) -> Option<Result<Code, ()>> {
    let source = Luma8LuminanceSource::new(luma.as_raw().clone(), luma.width(), luma.height()).ok()?;
    let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
    if sees_too_much(bitmap.get_black_matrix()) {
        return Some(Err(()));
    }
    let hints = DecodeHints { TryHarder: Some(true), ..DecodeHints::default() };
    let result = QRCodeReader.decode_with_hints(&mut bitmap, &hints).ok()?;
    let corners = result.getPoints().iter().map(|p| Point::new(p.x, p.y)).collect();
    Some(Ok(Code { corners, content: Some(result.getText().to_owned()) }))
}

/// Whether rxing finds more than [`MOST_CENTRES`] places: it tries all threes of them. Rows as it scans them.
fn sees_too_much(dark: &BitMatrix) -> bool {
    let mut finder = FinderPatternFinder::new(dark);
    let skip = FinderPatternFinder::MIN_SKIP as usize;
    for y in (skip as u32 - 1..dark.getHeight()).step_by(skip) {
        let mut runs = [0_u32; 5];
        let mut was_dark = false;
        for x in 0..=dark.getWidth() {
            let is_dark = x < dark.getWidth() && dark.get(x, y);
            if is_dark == was_dark {
                runs[4] += 1;
                continue;
            }
            if was_dark && FinderPatternFinder::foundPatternCross(&runs, 0.0) {
                finder.handlePossibleCenter(&runs, y, x);
                if finder.getPossibleCenters().len() > MOST_CENTRES {
                    return true;
                }
            }
            runs.rotate_left(1);
            runs[4] = 1;
            was_dark = is_dark;
        }
    }
    false
}

/// How many separate places look like a finder pattern along a row and, through the same middle, along the column.
fn finders(luma: &GrayImage) -> usize {
    let (width, height) = luma.dimensions();
    let mut places: Vec<(u32, u32)> = Vec::new();
    let mut column = Vec::new();
    for y in (0..height).step_by(4) {
        let row = &luma.as_raw()[(y * width) as usize..((y + 1) * width) as usize];
        for x in finders_along(row) {
            // Rows of one pattern are one place, and so is what lies as near as two patterns never do.
            let near = |(px, py): &(u32, u32)| px.abs_diff(x) < 8 && py.abs_diff(y) < 16;
            if places.iter().any(near) {
                continue;
            }
            // More say nothing more.
            if places.len() >= FINDERS {
                return places.len();
            }
            let top = y.saturating_sub(SPAN as u32 / 2);
            column.clear();
            column.extend((top..(top + SPAN as u32).min(height)).map(|y| luma.as_raw()[(y * width + x) as usize]));
            if finders_along(&column).iter().any(|middle| (top + middle).abs_diff(y) < 16) {
                places.push((x, y));
            }
        }
    }
    places.len()
}

/// Samples over which dark and light are told apart: a pattern with a module of up to seven pixels and its quiet zone.
const SPAN: usize = 96;

/// Middles of the runs of dark and light in the proportions 1 : 1 : 3 : 1 : 1.
fn finders_along(line: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    for start in (0..line.len()).step_by(SPAN / 2) {
        let part = &line[start..(start + SPAN).min(line.len())];
        let (low, high) = part.iter().fold((255u8, 0u8), |(low, high), v| (low.min(*v), high.max(*v)));
        // Less contrast than this is no printed code.
        if high - low < 60 {
            continue;
        }
        let threshold = u8::midpoint(low, high);
        let mut runs = [0usize; 5];
        let mut dark = part[0] < threshold;
        for (at, value) in part.iter().enumerate() {
            if (*value < threshold) == dark {
                runs[4] += 1;
                continue;
            }
            if dark && in_proportion(runs) {
                found.push((start + at - runs[4] - runs[3] - runs[2] / 2 - 1) as u32);
            }
            runs.rotate_left(1);
            runs[4] = 1;
            dark = !dark;
        }
    }
    found
}

/// Each module within half of its mean size, as ISO/IEC 18004's reference algorithm allows.
fn in_proportion(runs: [usize; 5]) -> bool {
    let module = runs.iter().sum::<usize>() as f32 / 7.0;
    module >= 1.0
        && runs
            .iter()
            .zip([1.0, 1.0, 3.0, 1.0, 1.0])
            .all(|(run, n)| (*run as f32 - n * module).abs() <= n * module / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finder_pattern_is_seen_and_stripes_are_not() {
        let row = |runs: &[usize]| {
            let mut row = vec![230; 12];
            for (i, run) in runs.iter().enumerate() {
                row.extend(std::iter::repeat_n(if i % 2 == 0 { 30 } else { 230 }, *run));
            }
            row.extend([230; 12]);
            row
        };
        assert_eq!(finders_along(&row(&[3, 3, 9, 3, 3])), [22]);
        assert!(finders_along(&row(&[4, 4, 4, 4, 4])).is_empty());
        assert!(finders_along(&row(&[9, 3, 3, 3, 9])).is_empty());
    }

    /// Finder patterns of `module` pixels a module in rows, `count` of them, each with its quiet zone, on white.
    fn patterns(count: u32, module: u32) -> GrayImage {
        let side = 9 * module;
        let across = 1000 / side;
        GrayImage::from_fn(1024, 768, |x, y| {
            let (column, row) = (x / side, y / side);
            let (dx, dy) = (x % side / module, y % side / module);
            let ring = |from: u32, to: u32| (from..=to).contains(&dx) && (from..=to).contains(&dy);
            let dark = (ring(1, 7) && !ring(2, 6)) || ring(3, 5);
            let there = column < across && row * across + column < count;
            image::Luma([if there && dark { 0 } else { 255 }])
        })
    }

    #[test]
    fn what_rqrr_will_see_is_counted_as_it_counts() {
        for count in [1, 3, 12, 40] {
            let (stones, cost) = Shape::of(&patterns(count, 3)).stones();
            assert_eq!(stones.len(), count as usize);
            assert!(stones.iter().all(|stone| (stone.module - 3.0).abs() < 0.3), "{stones:?}");
            assert!(cost > 0 && cost < 1_000_000, "{cost}");
        }
    }

    #[test]
    fn of_a_thousand_finder_patterns_those_of_a_few_codes_are_shown() {
        for (count, module) in [(1000, 3), (3000, 2)] {
            let luma = patterns(count, module);
            let mut shape = Shape::of(&luma);
            let (stones, _) = shape.stones();
            assert!(stones.len() > 500, "{}", stones.len());
            let (corners, left_out) = stones::corners(&stones, MOST_CODES);
            assert!(left_out && corners.len() <= MOST_CODES);
            let areas: Vec<[f32; 4]> = corners.iter().map(stones::about).collect();
            shape.erase_but(&corners.concat(), &stones, &areas);
            assert!(shape.remade(luma.height() as usize).stones().0.len() <= 3 * MOST_CODES);
            assert!(find(&luma).cut_short);
        }
        assert!(!find(&patterns(3, 3)).cut_short);
    }

    #[cfg(feature = "service")]
    #[test]
    fn a_code_among_a_few_finder_patterns_is_read_and_of_many_codes_some_are() {
        let code = qrcode::QrCode::new(b"https://example.com/a").expect("a code");
        let (width, modules) = (code.width() as u32, code.to_colors());
        let draw = |luma: &mut GrayImage, left: u32, top: u32, module: u32| {
            for (i, colour) in modules.iter().enumerate() {
                let (x, y) = (left + i as u32 % width * module, top + i as u32 / width * module);
                let value = if *colour == qrcode::Color::Dark { 10 } else { 245 };
                for (dx, dy) in (0..module).flat_map(|dy| (0..module).map(move |dx| (dx, dy))) {
                    luma.put_pixel(x + dx, y + dy, image::Luma([value]));
                }
            }
        };
        let mut one = GrayImage::from_pixel(1024, 768, image::Luma([245]));
        draw(&mut one, 500, 300, 4);
        let codes = find(&one);
        let read = |codes: &Codes| {
            codes.found.iter().filter(|c| c.content.as_deref() == Some("https://example.com/a")).count()
        };
        assert_eq!((read(&codes), codes.cut_short), (1, false));
        let mut many = GrayImage::from_pixel(1024, 768, image::Luma([245]));
        for i in 0..48 {
            draw(&mut many, 20 + i % 8 * 125, 20 + i / 8 * 120, 3);
        }
        let codes = find(&many);
        assert!((1..=MOST_CODES).contains(&read(&codes)) && codes.cut_short, "{} read", read(&codes));
    }
}
