//! A line of Chinese or Latin print → its characters: what the reader of numbers has no symbols for.

use std::sync::Arc;

use image::GrayImage;
use ndarray::{Array4, ArrayView1, Ix3};

use super::Line;
use super::recogniser::{Form, spaced, strip};
use crate::geometry::PixelRect;
use crate::inference::Model;

/// The form of the network's lines; a zone's of 44 characters takes about 1400 columns.
const FORM: Form = Form { rows: 48, print_rows: 30.0, most_columns: 1600 };
/// Symbols of the network's outputs after the blank, one a line; `models/train/nets/text.py` writes them beside the graph.
const SYMBOLS: &str = include_str!("../../models/text_net.txt");

/// Reads lines of print in ASCII and the 3 755 common Chinese characters. Slow beside [`super::Recogniser`]: for lines that
/// this one cannot read.
#[derive(Clone)]
pub struct TextReader {
    model: Arc<dyn Model>,
    symbols: Arc<[char]>,
}

impl std::fmt::Debug for TextReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TextReader")
    }
}

impl TextReader {
    /// The reader that runs `model`.
    #[must_use]
    pub fn new(model: Arc<dyn Model>) -> Self {
        Self { model, symbols: SYMBOLS.lines().filter_map(|line| line.chars().next()).collect() }
    }

    /// Reads the print in `line` of `luma`, a space where characters stand wide apart; nothing when there are no pixels or
    /// the model fails.
    #[must_use]
    pub fn read(&self, luma: &GrayImage, line: PixelRect) -> Line {
        strip(luma, line, &FORM).and_then(|strip| self.read_strip(&strip)).unwrap_or_default()
    }

    fn read_strip(&self, strip: &GrayImage) -> Option<Line> {
        let samples: Vec<f32> = strip.iter().map(|v| f32::from(*v)).collect();
        let shape = (1, 1, strip.height() as usize, strip.width() as usize);
        let input = Array4::from_shape_vec(shape, samples).ok()?;
        let logits =
            self.model.run(input.view().into_dyn()).ok()?.into_iter().next()?.into_dimensionality::<Ix3>().ok()?;
        let frames = logits.outer_iter().next()?;
        (frames.ncols() == self.symbols.len() + 1).then(|| self.decoded(frames.outer_iter()))
    }

    /// Greedy decoding of connectionist temporal classification (Graves et al. 2006): the best class of each frame, repeats
    /// joined, blanks dropped; a character's confidence is the highest softmax probability among its frames.
    fn decoded<'a>(&self, frames: impl Iterator<Item = ArrayView1<'a, f32>>) -> Line {
        let mut read: Vec<(char, f32, usize)> = Vec::new();
        let mut before = 0;
        for (t, frame) in frames.enumerate() {
            let best = (0..frame.len()).max_by(|a, b| frame[*a].total_cmp(&frame[*b])).unwrap_or_default();
            if best > 0 {
                let confidence = 1.0 / frame.iter().map(|logit| (logit - frame[best]).exp()).sum::<f32>();
                match read.last_mut() {
                    Some(last) if best == before => last.1 = last.1.max(confidence),
                    _ => read.push((self.symbols[best - 1], confidence, t)),
                }
            }
            before = best;
        }
        spaced(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::{EngineChoice, ModelSource, Models};
    use crate::lettering;

    fn reader() -> TextReader {
        let models = Models::load(&ModelSource::Shipped, EngineChoice::Embedded).expect("shipped models");
        TextReader::new(models.get("text_net").expect("shipped"))
    }

    #[test]
    fn every_class_has_one_symbol() {
        let mut symbols: Vec<char> = reader().symbols.to_vec();
        assert_eq!(symbols.len(), 3866);
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len(), 3866);
    }

    #[test]
    fn repeats_join_and_blanks_part() {
        let reader = reader();
        let class = |symbol: char| 1 + reader.symbols.iter().position(|known| *known == symbol).expect("known");
        let frames: Vec<ndarray::Array1<f32>> = [class('长'), class('长'), 0, class('长'), 0, class('期')]
            .map(|class| ndarray::Array1::from_shape_fn(3867, |i| if i == class { 20.0 } else { 0.0 }))
            .to_vec();
        let line = reader.decoded(frames.iter().map(|frame| frame.view()));
        assert_eq!((line.text.as_str(), line.at.as_slice()), ("长长期", &[0.0, 3.0, 5.0][..]));
        assert!(line.confidence.iter().all(|confidence| *confidence > 0.99));
    }

    #[test]
    fn a_drawn_line_is_read() {
        let (text, height) = ("2015.01.01-2035.01.01", 20.0);
        let mut luma = GrayImage::from_pixel(460, 60, image::Luma([220]));
        for stroke in lettering::lines(text, 30.0, 20.0, height) {
            for pair in stroke.windows(2) {
                for step in 0..=40 {
                    let at = |axis: usize| pair[0][axis] + (pair[1][axis] - pair[0][axis]) * step as f32 / 40.0;
                    for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                        luma.put_pixel(at(0) as u32 + dx, at(1) as u32 + dy, image::Luma([40]));
                    }
                }
            }
        }
        let reader = reader();
        let line = reader.read(&luma, PixelRect::new(30, 19, 390, 22));
        assert_eq!(line.text, text);
        assert!(reader.read(&luma, PixelRect::new(30, 19, 0, 22)).text.is_empty());
    }
}
