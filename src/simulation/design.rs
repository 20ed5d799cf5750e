//! Seed to a document's vector design in millimetres, and from there to a linear-light raster at any scale.

use crate::lettering;
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::f32::consts::TAU;

/// Linear-light red, green, blue in 0..1, and a spare channel.
pub type Colour = [f32; 4];

/// Which document is presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum Document {
    /// The side of an identity card with the portrait, ID-1.
    Card,
    /// Its other side, with the emblem.
    Reverse,
    /// The data page of a passport, ID-3.
    Passport,
    /// A licence or certificate, A4.
    Page,
}

impl Document {
    /// Width and height in millimetres: ISO/IEC 7810 ID-1 and ID-3, ISO 216 A4.
    #[must_use]
    pub const fn size_mm(self) -> [f32; 2] {
        match self {
            Self::Card | Self::Reverse => [85.6, 54.0],
            Self::Passport => [125.0, 88.0],
            Self::Page => [210.0, 297.0],
        }
    }

    /// Whether it is a card, of either side.
    #[must_use]
    pub const fn is_card(self) -> bool {
        matches!(self, Self::Card | Self::Reverse)
    }

    /// Corner radius in millimetres: ISO/IEC 7810 for ID-1, none for paper.
    #[must_use]
    pub const fn radius_mm(self) -> f32 {
        match self {
            Self::Card | Self::Reverse | Self::Passport => 3.18,
            Self::Page => 0.0,
        }
    }

    /// The word used in file names and truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Reverse => "reverse",
            Self::Passport => "passport",
            Self::Page => "page",
        }
    }
}

/// The red seal on a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Seal {
    /// Two rings.
    #[default]
    Round,
    /// Two ellipses.
    Oval,
    /// Two squares.
    Square,
    /// No seal.
    None,
}

/// A linear-light picture with a scale.
#[derive(Debug, Clone)]
pub struct Raster {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Row-major pixels.
    pub pixels: Vec<Colour>,
}

impl Raster {
    /// The value at (`x`, `y`) in pixels, pixel centres at .5, borders held.
    #[must_use]
    pub fn bilinear(&self, x: f32, y: f32) -> Colour {
        let x = (x - 0.5).clamp(0.0, (self.width - 1) as f32);
        let y = (y - 0.5).clamp(0.0, (self.height - 1) as f32);
        let (x0, y0) = (x as usize, y as usize);
        let (x1, y1) = ((x0 + 1).min(self.width - 1), (y0 + 1).min(self.height - 1));
        let (fx, fy) = (x - x0 as f32, y - y0 as f32);
        let (top, low) = (&self.pixels[y0 * self.width..], &self.pixels[y1 * self.width..]);
        let mut out = [0.0; 4];
        for (i, value) in out.iter_mut().enumerate() {
            let a = top[x0][i] + (top[x1][i] - top[x0][i]) * fx;
            let b = low[x0][i] + (low[x1][i] - low[x0][i]) * fx;
            *value = a + (b - a) * fy;
        }
        out
    }

    /// Mean over the block of pixels from (`x0`, `y0`) to (`x1`, `y1`), at least one pixel.
    #[must_use]
    pub fn mean(&self, x0: f32, y0: f32, x1: f32, y1: f32) -> Colour {
        let left = (x0.max(0.0) as usize).min(self.width - 1);
        let top = (y0.max(0.0) as usize).min(self.height - 1);
        let right = (x1.max(0.0) as usize).clamp(left + 1, self.width.max(left + 1));
        let low = (y1.max(0.0) as usize).clamp(top + 1, self.height.max(top + 1));
        let mut sum = [0.0; 4];
        for row in top..low {
            for pixel in &self.pixels[row * self.width + left..row * self.width + right] {
                for (s, p) in sum.iter_mut().zip(pixel) {
                    *s += p;
                }
            }
        }
        let n = ((right - left) * (low - top)) as f32;
        sum.map(|s| s / n)
    }
}

/// sRGB byte triple to linear light (IEC 61966-2-1).
#[must_use]
pub fn srgb(hex: u32) -> Colour {
    let channel = |shift: u32| {
        let v = ((hex >> shift) & 255) as f32 / 255.0;
        if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    [channel(16), channel(8), channel(0), 0.0]
}

/// One mark of a design, in millimetres.
#[derive(Debug, Clone)]
enum Mark {
    Line { points: Vec<[f32; 2]>, width: f32, colour: Colour, alpha: f32 },
    Ellipse { centre: [f32; 2], radii: [f32; 2], clip: [f32; 4], colour: Colour },
    Rect { area: [f32; 4], colour: Colour, alpha: f32 },
}

/// A document as vectors.
#[derive(Debug, Clone)]
pub struct Design {
    /// Which document this is.
    pub document: Document,
    /// The number printed on it, empty where there is none that has checks.
    pub number: String,
    /// The last day on which it holds, by its print, as 2030-01-31; `long_term` where it has none, empty where that is not
    /// printed.
    pub valid_until: String,
    ground: [Colour; 2],
    marks: Vec<Mark>,
}

impl Design {
    /// A document with fields and colours from `rng`.
    #[must_use]
    pub fn new(document: Document, rng: &mut ChaCha8Rng) -> Self {
        match document {
            Document::Card => Self::card(rng),
            Document::Reverse => Self::reverse(rng),
            Document::Passport => Self::passport(rng),
            Document::Page => Self::page(rng),
        }
    }

    pub(super) fn blank(document: Document, ground: [Colour; 2]) -> Self {
        Self { document, number: String::new(), valid_until: String::new(), ground, marks: Vec::new() }
    }

    pub(super) fn line(&mut self, points: Vec<[f32; 2]>, width: f32, colour: Colour, alpha: f32) {
        self.marks.push(Mark::Line { points, width, colour, alpha });
    }

    pub(super) fn rect(&mut self, area: [f32; 4], colour: Colour, alpha: f32) {
        self.marks.push(Mark::Rect { area, colour, alpha });
    }

    pub(super) fn ellipse(&mut self, centre: [f32; 2], radii: [f32; 2], clip: [f32; 4], colour: Colour) {
        self.marks.push(Mark::Ellipse { centre, radii, clip, colour });
    }

    pub(super) fn text(&mut self, text: &str, at: [f32; 2], height: f32, colour: Colour) {
        // Stroke weight of a book face: about a seventh of the capital height.
        for points in lettering::lines(text, at[0], at[1], height) {
            self.line(points, height / 7.0, colour, 1.0);
        }
    }

    pub(super) fn centred(&mut self, text: &str, y: f32, height: f32, colour: Colour) {
        let width = text.len() as f32 * lettering::ADVANCE * height;
        self.text(text, [(self.document.size_mm()[0] - width) / 2.0, y], height, colour);
    }

    pub(super) fn rosette(
        &mut self,
        centre: [f32; 2],
        radius: f32,
        rings: u32,
        lobes: f32,
        colour: Colour,
        alpha: f32,
    ) {
        for ring in 0..rings {
            let phase = ring as f32 / rings as f32 * TAU;
            let points = (0..=240)
                .map(|i| {
                    let t = i as f32 / 240.0 * TAU;
                    let r = radius * (0.72 + 0.28 * (lobes * t + phase).sin());
                    [centre[0] + r * t.cos(), centre[1] + r * t.sin()]
                })
                .collect();
            self.line(points, 0.09, colour, alpha);
        }
    }

    pub(super) fn waves(&mut self, area: [f32; 4], count: u32, colours: [Colour; 2], rng: &mut ChaCha8Rng) {
        let [x0, y0, x1, y1] = area;
        let (a, b) = (rng.random_range(1.5..3.5f32), rng.random_range(3.0..6.0f32));
        for i in 0..count {
            let share = i as f32 / count as f32;
            let points = (0..=160)
                .map(|k| {
                    let t = k as f32 / 160.0;
                    let swing = (TAU * (a * t + share * 0.8)).sin() + 0.5 * (TAU * (b * t - share * 1.7)).sin();
                    [x0 + (x1 - x0) * t, y0 + (y1 - y0) * (share + 0.045 * swing)]
                })
                .collect();
            self.line(points, 0.1, colours[(i % 2) as usize], 0.45);
        }
    }

    /// The design drawn at `scale` pixels a millimetre, anti-aliased.
    #[must_use]
    pub fn raster(&self, scale: f32) -> Raster {
        let [w, h] = self.document.size_mm();
        let (width, height) = ((w * scale).round() as usize, (h * scale).round() as usize);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let t = 0.5 * (x as f32 / width as f32 + y as f32 / height as f32);
                pixels.push(mix(self.ground[0], self.ground[1], t));
            }
        }
        let mut raster = Raster { width, height, pixels };
        for mark in &self.marks {
            raster.draw(mark, scale);
        }
        raster
    }
}

fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t, 0.0]
}

impl Raster {
    /// Blends `colour` over every pixel of `area` (pixels) by what `cover` says for the pixel's centre.
    fn blend(&mut self, area: [f32; 4], colour: Colour, cover: impl Fn(f32, f32) -> f32) {
        let left = area[0].floor().max(0.0) as usize;
        let top = area[1].floor().max(0.0) as usize;
        let right = (area[2].ceil().max(0.0) as usize).min(self.width);
        let low = (area[3].ceil().max(0.0) as usize).min(self.height);
        for y in top..low {
            for x in left..right {
                let a = cover(x as f32 + 0.5, y as f32 + 0.5);
                if a > 0.0 {
                    let pixel = &mut self.pixels[y * self.width + x];
                    *pixel = mix(*pixel, colour, a);
                }
            }
        }
    }

    fn draw(&mut self, mark: &Mark, scale: f32) {
        match mark {
            Mark::Line { points, width, colour, alpha } => {
                let half = (width * scale / 2.0).max(0.5);
                // Lines thinner than a pixel are drawn a pixel wide and paler.
                let alpha = alpha * (width * scale).min(1.0);
                for pair in points.windows(2) {
                    let (a, b) = (pair[0].map(|v| v * scale), pair[1].map(|v| v * scale));
                    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
                    let length = (dx * dx + dy * dy).max(1e-9);
                    let m = half + 1.0;
                    let area = [a[0].min(b[0]) - m, a[1].min(b[1]) - m, a[0].max(b[0]) + m, a[1].max(b[1]) + m];
                    self.blend(area, *colour, |x, y| {
                        let t = (((x - a[0]) * dx + (y - a[1]) * dy) / length).clamp(0.0, 1.0);
                        let d = (x - a[0] - t * dx).hypot(y - a[1] - t * dy);
                        alpha * (half - d + 0.5).clamp(0.0, 1.0)
                    });
                }
            }
            Mark::Ellipse { centre, radii, clip, colour } => {
                let (c, r, k) = (centre.map(|v| v * scale), radii.map(|v| v * scale), clip.map(|v| v * scale));
                let area = [
                    (c[0] - r[0]).max(k[0]),
                    (c[1] - r[1]).max(k[1]),
                    (c[0] + r[0]).min(k[2]),
                    (c[1] + r[1]).min(k[3]),
                ];
                self.blend(area, *colour, |x, y| {
                    let d = ((x - c[0]) / r[0]).hypot((y - c[1]) / r[1]);
                    ((1.0 - d) * r[0].min(r[1]) + 0.5).clamp(0.0, 1.0)
                });
            }
            Mark::Rect { area, colour, alpha } => {
                let k = area.map(|v| v * scale);
                let side = |v: f32, lo: f32, hi: f32| ((v + 0.5).min(hi) - (v - 0.5).max(lo)).clamp(0.0, 1.0);
                self.blend(k, *colour, |x, y| alpha * side(x, k[0], k[2]) * side(y, k[1], k[3]));
            }
        }
    }
}
