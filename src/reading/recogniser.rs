//! A line of print → its characters: crop, network, greedy decoding.

use std::sync::Arc;

use image::GrayImage;
use ndarray::{Array4, Ix3};

use crate::geometry::PixelRect;
use crate::inference::Model;

/// How a network wants a line.
pub(super) struct Form {
    /// Rows that it reads.
    pub(super) rows: u32,
    /// Height of a line's print in those rows.
    pub(super) print_rows: f32,
    /// Widest line that it is given, in columns.
    pub(super) most_columns: u32,
}

/// The form of this network's lines: one of a zone, of 44 characters, takes about 700 columns.
const FORM: Form = Form { rows: 32, print_rows: 20.0, most_columns: 1024 };
/// How many times the middle step from one character to the next makes a space.
const APART: f32 = 1.7;
/// Symbols of the network's outputs after the blank.
const SYMBOLS: &[u8; 38] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<x";

/// What was read in one line.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// The characters, a space where they stand wide apart.
    pub text: String,
    /// How sure the network is of each, 0 to 1; 1 for a space.
    pub confidence: Vec<f32>,
    /// Where each stands along the line, in steps of the network; a space between its neighbours.
    pub at: Vec<f32>,
}

impl Line {
    /// How sure the network is of the least sure character of `number`, which was found in this line; of the whole line
    /// where it does not stand there in one piece. 0 for an empty line.
    #[must_use]
    pub fn least(&self, number: &str) -> f32 {
        let wanted: Vec<char> = number.chars().map(twin).collect();
        let read: Vec<(char, f32)> =
            self.text.chars().zip(self.confidence.iter().copied()).filter(|(c, _)| *c != ' ').collect();
        let stands = |part: &&[(char, f32)]| part.iter().zip(&wanted).all(|((c, _), w)| twin(*c) == *w);
        let part = read.windows(wanted.len().max(1)).find(stands).unwrap_or(&read);
        part.iter().map(|(_, confidence)| *confidence).reduce(f32::min).unwrap_or(0.0)
    }
}

/// The digit for the letter that machine faces draw all but alike.
const fn twin(c: char) -> char {
    match c {
        'O' => '0',
        'I' => '1',
        'x' => 'X',
        other => other,
    }
}

/// Reads lines of OCR-B and like faces.
#[derive(Clone)]
pub struct Recogniser(Arc<dyn Model>);

impl std::fmt::Debug for Recogniser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Recogniser")
    }
}

impl Recogniser {
    /// The recogniser that runs `model`.
    #[must_use]
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self(model)
    }

    /// Reads the print in a strip; nothing when the model fails.
    #[must_use]
    pub fn read(&self, strip: &Strip) -> Line {
        self.logits(&strip.0).map(|logits| decoded(&logits)).unwrap_or_default()
    }

    fn logits(&self, strip: &GrayImage) -> Option<Vec<Vec<f32>>> {
        let (width, height) = (strip.width() as usize, strip.height() as usize);
        let samples: Vec<f32> = strip.iter().map(|v| f32::from(*v)).collect();
        let input = Array4::from_shape_vec((1, 1, height, width), samples).ok()?;
        let logits = self.0.run(input.view().into_dyn()).ok()?.into_iter().next()?.into_dimensionality::<Ix3>().ok()?;
        let (_, _, symbols) = logits.dim();
        (symbols == SYMBOLS.len() + 1).then(|| {
            logits.outer_iter().next().map(|frames| frames.outer_iter().map(|frame| frame.to_vec()).collect())
        })?
    }
}

/// A line of print as the network sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strip(GrayImage);

impl Strip {
    /// The print in `line` of `luma`; nothing of a line without pixels.
    #[must_use]
    pub fn of(luma: &GrayImage, line: PixelRect) -> Option<Self> {
        strip(luma, line, &FORM).map(Self)
    }
}

/// The line and a little about it in `form`.
pub(super) fn strip(luma: &GrayImage, line: PixelRect, form: &Form) -> Option<GrayImage> {
    if line.height == 0 || line.width == 0 {
        return None;
    }
    let scale = form.print_rows / line.height as f32;
    let margin = (form.rows as f32 / scale - line.height as f32) / 2.0;
    let (left, top) = (line.x as f32 - 1.5 * margin, line.y as f32 - margin);
    let wide = (line.width as f32 + 3.0 * margin) * scale;
    let columns = ((wide / 8.0).ceil() as u32 * 8).clamp(64, form.most_columns);
    // Print higher than the network's is averaged down first, so that no stroke falls between samples.
    let sub = (1.0 / scale).ceil().max(1.0) as u32;
    // Where the samples of column, or row, `i` of the strip fall, the one as far along as there are samples of it.
    let places = |first: f32, i: u32, length: u32| {
        (0..sub).map(move |part| {
            Between::at(first + (i as f32 + (part as f32 + 0.5) / sub as f32) / scale - 0.5, length - 1)
        })
    };
    let across: Vec<Between> = (0..columns).flat_map(|u| places(left, u, luma.width())).collect();
    let stride = luma.width() as usize;
    let mut out = Vec::with_capacity(columns as usize * form.rows as usize);
    let mut sums = vec![0.0; columns as usize];
    for v in 0..form.rows {
        sums.fill(0.0);
        for row in places(top, v, luma.height()) {
            let [upper, lower] = [row.first, row.second].map(|y| &luma.as_raw()[y * stride..][..stride]);
            for (sum, places) in sums.iter_mut().zip(across.chunks_exact(sub as usize)) {
                for place in places {
                    *sum += place.of(upper) * (1.0 - row.share) + place.of(lower) * row.share;
                }
            }
        }
        out.extend(sums.iter().map(|sum| rounded(sum / (sub * sub) as f32)));
    }
    GrayImage::from_raw(columns, form.rows, out)
}

/// `value`, at least 0, to the nearest whole; without a call, as `round` takes on plain x86-64.
fn rounded(value: f32) -> u8 {
    let whole = value as u8;
    whole + u8::from(value - f32::from(whole) >= 0.5)
}

/// A place between two neighbours along a line.
struct Between {
    first: usize,
    second: usize,
    /// How far it lies from the first to the second, 0 to 1.
    share: f32,
}

impl Between {
    /// The place `at`, held between 0 and `last`.
    fn at(at: f32, last: u32) -> Self {
        let at = at.clamp(0.0, last as f32);
        let first = at as u32;
        Self { first: first as usize, second: (first + 1).min(last) as usize, share: at - first as f32 }
    }

    fn of(&self, line: &[u8]) -> f32 {
        f32::from(line[self.first]) * (1.0 - self.share) + f32::from(line[self.second]) * self.share
    }
}

/// Greedy decoding of connectionist temporal classification (Graves et al. 2006): the best symbol of each frame,
/// repeats joined, blanks dropped; a character's confidence is the highest softmax probability among its frames.
///
/// O and 0, and I and 1, count as one symbol here, said to be the likelier of the two: which is meant is for the format
/// to say, and a network in two minds about it has read the character all the same.
fn decoded(frames: &[Vec<f32>]) -> Line {
    let mut read: Vec<(char, f32, usize)> = Vec::new();
    let mut before = None;
    for (t, frame) in frames.iter().enumerate() {
        let best = best(frame);
        match (best, read.last_mut()) {
            (Some((symbol, confidence)), Some(last)) if before == Some(twin(symbol)) => {
                if confidence > last.1 {
                    (last.0, last.1) = (symbol, confidence);
                }
            }
            (Some((symbol, confidence)), _) => read.push((symbol, confidence, t)),
            (None, _) => {}
        }
        before = best.map(|(symbol, _)| twin(symbol));
    }
    spaced(read)
}

/// Characters, how sure each is and the step at which it stands → a line with a space where they stand wide apart.
pub(super) fn spaced(read: Vec<(char, f32, usize)>) -> Line {
    let mut steps: Vec<usize> = read.windows(2).map(|pair| pair[1].2 - pair[0].2).collect();
    steps.sort_unstable();
    let apart = steps.get(steps.len() / 2).map_or(f32::MAX, |step| APART * *step as f32);
    let mut line = Line::default();
    let mut at = None;
    for (symbol, confidence, t) in read {
        if at.is_some_and(|at| (t - at) as f32 > apart) {
            line.text.push(' ');
            line.confidence.push(1.0);
            line.at.push(at.map_or(0.0, |at: usize| f32::midpoint(at as f32, t as f32)));
        }
        line.text.push(symbol);
        line.confidence.push(confidence);
        line.at.push(t as f32);
        at = Some(t);
    }
    line
}

/// The likeliest symbol of a frame and its probability; `None` for the blank.
fn best(frame: &[f32]) -> Option<(char, f32)> {
    let top = frame.iter().copied().fold(f32::MIN, f32::max);
    let total: f32 = frame.iter().map(|v| (v - top).exp()).sum();
    let share = |i: usize| (frame[i] - top).exp() / total;
    let of = |symbol: char| SYMBOLS.iter().position(|s| char::from(*s) == symbol).map_or(0.0, |i| share(i + 1));
    let mut kept = (None, share(0));
    for (i, symbol) in SYMBOLS.iter().map(|s| char::from(*s)).enumerate() {
        let mine = share(i + 1);
        let other = match symbol {
            '0' => of('O'),
            'O' => of('0'),
            '1' => of('I'),
            'I' => of('1'),
            _ => 0.0,
        };
        if mine >= other && mine + other > kept.1 {
            kept = (Some(symbol), mine + other);
        }
    }
    kept.0.map(|symbol| (symbol, kept.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(symbol: usize, logit: f32) -> Vec<f32> {
        let mut values = vec![0.0; SYMBOLS.len() + 1];
        values[symbol] = logit;
        values
    }

    #[test]
    fn repeats_join_and_blanks_part() {
        let frames = [frame(2, 4.0), frame(2, 9.0), frame(0, 9.0), frame(2, 9.0), frame(38, 9.0), frame(0, 9.0)];
        let line = decoded(&frames);
        assert_eq!(line.text, "11x");
        assert!(line.least("11") > 0.99 && line.least("X") > 0.9);
        assert!(Line::default().least("1").abs() < 1e-9);
    }

    #[test]
    fn a_nought_that_may_be_an_o_is_read_for_sure() {
        let (nought, o) = (1, 25);
        let mut torn = frame(nought, 8.0);
        torn[o] = 7.9;
        let line = decoded(&[torn, frame(0, 9.0), frame(3, 9.0)]);
        assert_eq!(line.text, "02");
        assert!(line.least("O2") > 0.99);
    }

    #[test]
    fn a_wide_gap_is_a_space() {
        let mut frames = vec![frame(0, 9.0); 40];
        for at in [1, 5, 9, 21, 25, 29] {
            frames[at] = frame(4, 9.0);
        }
        let line = decoded(&frames);
        assert_eq!((line.text.as_str(), line.at.as_slice()), ("333 333", &[1.0, 5.0, 9.0, 15.0, 21.0, 25.0, 29.0][..]));
    }

    #[test]
    fn a_strip_is_what_a_walk_pixel_by_pixel_gives() {
        let luma = GrayImage::from_fn(300, 120, |x, y| {
            let wave = (x as f32 / 3.0).sin() * 60.0 + (y as f32 / 2.0 - x as f32 / 50.0).cos() * 60.0;
            image::Luma([(128.0 + wave) as u8])
        });
        for line in [(10, 20, 150, 25), (0, 0, 300, 45), (200, 100, 100, 20), (3, 50, 90, 11)] {
            let line = PixelRect::new(line.0, line.1, line.2, line.3);
            let strip = strip(&luma, line, &FORM).expect("a strip");
            let scale = FORM.print_rows / line.height as f32;
            let margin = (FORM.rows as f32 / scale - line.height as f32) / 2.0;
            let (left, top) = (line.x as f32 - 1.5 * margin, line.y as f32 - margin);
            let sub = (1.0 / scale).ceil().max(1.0) as u32;
            let at = |x: f32, y: f32| {
                let (x, y) = (x.clamp(0.0, 299.0), y.clamp(0.0, 119.0));
                let (x0, y0) = (x as u32, y as u32);
                let (tx, ty) = (x - x0 as f32, y - y0 as f32);
                let at = |x: u32, y: u32| f32::from(luma.get_pixel(x.min(299), y.min(119)).0[0]);
                let row = |y| at(x0, y) * (1.0 - tx) + at(x0 + 1, y) * tx;
                row(y0) * (1.0 - ty) + row(y0 + 1) * ty
            };
            for (u, v, value) in strip.enumerate_pixels() {
                let mut sum = 0.0;
                for i in 0..sub * sub {
                    let (du, dv) = ((i % sub) as f32 + 0.5, (i / sub) as f32 + 0.5);
                    let (x, y) = ((u as f32 + du / sub as f32) / scale, (v as f32 + dv / sub as f32) / scale);
                    sum += at(left + x - 0.5, top + y - 0.5);
                }
                assert_eq!(value.0[0], (sum / (sub * sub) as f32).round() as u8, "{line:?}, {u}, {v}");
            }
        }
    }

    #[test]
    fn a_strip_is_as_high_as_the_network_reads() {
        let luma = GrayImage::from_pixel(200, 60, image::Luma([90]));
        let strip = strip(&luma, PixelRect::new(10, 20, 150, 25), &FORM).expect("a strip");
        assert_eq!((strip.height(), strip.width() % 8), (FORM.rows, 0));
        assert!(strip.iter().all(|v| *v == 90));
    }
}
