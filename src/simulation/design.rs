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
#[serde(rename_all = "lowercase")]
pub enum Document {
    /// An identity card, ID-1.
    Card,
    /// A licence or certificate, A4.
    Page,
}

impl Document {
    /// Width and height in millimetres: ISO/IEC 7810 ID-1, ISO 216 A4.
    #[must_use]
    pub const fn size_mm(self) -> [f32; 2] {
        match self {
            Self::Card => [85.6, 54.0],
            Self::Page => [210.0, 297.0],
        }
    }

    /// Corner radius in millimetres: ISO/IEC 7810 for ID-1, none for paper.
    #[must_use]
    pub const fn radius_mm(self) -> f32 {
        match self {
            Self::Card => 3.18,
            Self::Page => 0.0,
        }
    }

    /// The word used in file names and truth.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Page => "page",
        }
    }
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
    ground: [Colour; 2],
    marks: Vec<Mark>,
}

/// Made-up names; none is a person's.
const FIRST: [&str; 8] = ["ALVA", "BRIN", "CORWEN", "DELPHA", "EDRIS", "FENNA", "GALO", "HESTRA"];
const LAST: [&str; 8] =
    ["QUILLMARK", "TESTWELL", "SAMPLETON", "VOIDSEN", "MOCKFORD", "DUMMERSON", "NULLGARD", "PROBEWICK"];
/// Made-up places.
const PLACE: [&str; 6] =
    ["NORTH EXAMPLE", "PORT NOWHERE", "SAMPLE HILL", "LOWER FIXTURE", "EAST VECTOR", "NEW SPECIMEN"];

/// Seventeen digits with their check character (ISO 7064 MOD 11-2, as GB 11643 has it).
fn with_check(digits: &str) -> String {
    let sum = digits.bytes().fold(0u32, |sum, d| (sum + u32::from(d - b'0')) * 2 % 11);
    format!("{digits}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

impl Design {
    /// A document with fields and colours from `rng`.
    #[must_use]
    pub fn new(document: Document, rng: &mut ChaCha8Rng) -> Self {
        match document {
            Document::Card => Self::card(rng),
            Document::Page => Self::page(rng),
        }
    }

    fn line(&mut self, points: Vec<[f32; 2]>, width: f32, colour: Colour, alpha: f32) {
        self.marks.push(Mark::Line { points, width, colour, alpha });
    }

    fn rect(&mut self, area: [f32; 4], colour: Colour, alpha: f32) {
        self.marks.push(Mark::Rect { area, colour, alpha });
    }

    fn ellipse(&mut self, centre: [f32; 2], radii: [f32; 2], clip: [f32; 4], colour: Colour) {
        self.marks.push(Mark::Ellipse { centre, radii, clip, colour });
    }

    fn text(&mut self, text: &str, at: [f32; 2], height: f32, colour: Colour) {
        // Stroke weight of a book face: about a seventh of the capital height.
        for points in lettering::lines(text, at[0], at[1], height) {
            self.line(points, height / 7.0, colour, 1.0);
        }
    }

    fn centred(&mut self, text: &str, y: f32, height: f32, colour: Colour) {
        let width = text.len() as f32 * lettering::ADVANCE * height;
        self.text(text, [(self.document.size_mm()[0] - width) / 2.0, y], height, colour);
    }

    fn rosette(&mut self, centre: [f32; 2], radius: f32, rings: u32, lobes: f32, colour: Colour, alpha: f32) {
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

    fn waves(&mut self, area: [f32; 4], count: u32, colours: [Colour; 2], rng: &mut ChaCha8Rng) {
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

    fn portrait(&mut self, area: [f32; 4], rng: &mut ChaCha8Rng) {
        let [x0, y0, x1, y1] = area;
        let (w, h) = (x1 - x0, y1 - y0);
        let pick = |rng: &mut ChaCha8Rng, set: [u32; 4]| srgb(set[rng.random_range(0..4)]);
        let ground = pick(rng, [0xC9_D8E8, 0xE6_E6E6, 0xB8_CFE6, 0xF0_F0F0]);
        let coat = pick(rng, [0x25_2C3D, 0x5A_2F35, 0x3D_4C3A, 0x2B_2B2B]);
        let skin = pick(rng, [0xE3_B896, 0xC6_9272, 0xF0_CBAE, 0x8E_5F44]);
        let hair = pick(rng, [0x1E_1815, 0x3A_271B, 0x6B_4A2B, 0x2A_2A2E]);
        self.rect(area, ground, 1.0);
        let at = |u: f32, v: f32| [x0 + u * w, y0 + v * h];
        let of = |u: f32, v: f32| [u * w, v * h];
        self.ellipse(at(0.5, 0.40), of(0.27, 0.29), area, hair);
        self.ellipse(at(0.5, 1.08), of(0.46, 0.34), area, coat);
        self.ellipse(at(0.5, 0.74), of(0.11, 0.14), area, skin.map(|v| v * 0.8));
        self.ellipse(at(0.5, 0.46), of(0.22, 0.26), area, skin);
        for side in [-1.0f32, 1.0] {
            self.ellipse(at(0.5 + side * 0.09, 0.43), of(0.035, 0.016), area, srgb(0x20_1A18));
            self.line(vec![at(0.5 + side * 0.05, 0.385), at(0.5 + side * 0.14, 0.39)], 0.012 * h, hair, 0.8);
            self.line(vec![at(0.5 + side * 0.02, 0.82), at(0.5 + side * 0.1, 1.0)], 0.02 * h, srgb(0xF0_F0F0), 0.9);
        }
        self.line(vec![at(0.5, 0.45), at(0.515, 0.53), at(0.49, 0.535)], 0.01 * h, skin.map(|v| v * 0.55), 0.8);
        self.line(vec![at(0.43, 0.60), at(0.5, 0.612), at(0.57, 0.60)], 0.014 * h, srgb(0x8C_4540), 0.9);
    }

    fn palette(rng: &mut ChaCha8Rng) -> [u32; 4] {
        const SETS: [[u32; 4]; 4] = [
            [0xE4_EEF6, 0xF6_F0E2, 0x5F_9CC4, 0xC4_8A9C],
            [0xE9_F3E6, 0xF4_F4EC, 0x6F_AA78, 0x8A_A0C0],
            [0xF5_E8EA, 0xEE_F0F8, 0xC0_7888, 0x7C_8CC0],
            [0xF6_F0DC, 0xE6_F0EE, 0xB8_9A58, 0x68_A8A0],
        ];
        SETS[rng.random_range(0..SETS.len())]
    }

    fn card(rng: &mut ChaCha8Rng) -> Self {
        let [g0, g1, l0, l1] = Self::palette(rng);
        let mut d =
            Self { document: Document::Card, number: String::new(), ground: [srgb(g0), srgb(g1)], marks: Vec::new() };
        let (ink, label, red) = (srgb(0x1A_1A1E), srgb(0x2A_5FA8), srgb(0xB8_2E34));
        d.waves([0.0, -3.0, 85.6, 57.0], 44, [srgb(l0), srgb(l1)], rng);
        d.rosette([24.0, 30.0], 15.0, 12, 9.0, srgb(l0), 0.5);
        d.text("EXAMPLIA  IDENTITY CARD", [5.0, 4.2], 2.6, label);
        d.line(vec![[5.0, 8.4], [80.6, 8.4]], 0.25, label, 0.9);
        let digits = |rng: &mut ChaCha8Rng, n: usize| -> String {
            (0..n).map(|_| char::from(b'0' + rng.random_range(0..10u8))).collect()
        };
        let date = |rng: &mut ChaCha8Rng| {
            format!("{:02}.{:02}.{}", rng.random_range(1..29), rng.random_range(1..13), rng.random_range(1955..2004))
        };
        let name = format!("{} {}", FIRST[rng.random_range(0..8)], LAST[rng.random_range(0..8)]);
        let birth = date(rng);
        let home = format!("{} {}", rng.random_range(1..200), PLACE[rng.random_range(0..6)]);
        let fields =
            [("NAME", name), ("BORN", birth), ("SEX", ["F", "M", "X"][rng.random_range(0..3)].into()), ("HOME", home)];
        for (i, (key, value)) in fields.iter().enumerate() {
            let y = 12.0 + i as f32 * 6.6;
            d.text(key, [5.0, y], 1.7, label);
            d.text(value, [15.0, y - 0.3], 2.2, ink);
        }
        d.portrait([58.0, 11.5, 79.5, 39.0], rng);
        d.rosette([57.0, 37.0], 5.5, 7, 7.0, srgb(l1), 0.6);
        d.text("NO.", [5.0, 45.6], 1.9, label);
        // Region 119999 is nobody's: the number holds together and can be no person's.
        let date =
            format!("{}{:02}{:02}", rng.random_range(1955..2004), rng.random_range(1..13), rng.random_range(1..29));
        let number = with_check(&format!("119999{date}{}", digits(rng, 3)));
        d.text(&number, [13.0, 44.6], 3.4, ink);
        d.number = number;
        d.text("SPECIMEN", [6.5, 38.6], 3.4, red);
        d.text("SPECIMEN - NO VALUE", [58.2, 40.6], 1.15, red);
        d
    }

    fn page(rng: &mut ChaCha8Rng) -> Self {
        let [g0, _, l0, l1] = Self::palette(rng);
        let tint = srgb(g0).map(|v| 1.0 - (1.0 - v) * 0.5);
        let mut d = Self {
            document: Document::Page,
            number: String::new(),
            ground: [tint, srgb(0xFC_FBF6)],
            marks: Vec::new(),
        };
        let (ink, red, gold) = (srgb(0x1C_1A1C), srgb(0xC2_2A2E), srgb(0xB0_8A3C));
        for k in 0..4 {
            let inset = 9.0 + k as f32 * 1.6;
            let (x0, y0, x1, y1) = (inset, inset, 210.0 - inset, 297.0 - inset);
            for (a, b) in [([x0, y0], [x1, y0]), ([x1, y0], [x1, y1]), ([x1, y1], [x0, y1]), ([x0, y1], [x0, y0])] {
                let length = (b[0] - a[0]).hypot(b[1] - a[1]);
                let (ux, uy) = ((b[0] - a[0]) / length, (b[1] - a[1]) / length);
                let steps = (length * 2.0) as u32;
                let points = (0..=steps)
                    .map(|i| {
                        let t = i as f32 / steps as f32 * length;
                        let s = 1.5 * (t * TAU / 9.0 + k as f32 * TAU / 4.0).sin();
                        [a[0] + ux * t - uy * s, a[1] + uy * t + ux * s]
                    })
                    .collect();
                d.line(points, 0.3, gold, 0.9);
            }
        }
        d.waves([20.0, 60.0, 190.0, 240.0], 60, [srgb(l0), srgb(l1)], rng);
        d.rosette([105.0, 150.0], 52.0, 16, 12.0, srgb(l0), 0.4);
        d.rosette([105.0, 34.0], 11.0, 8, 8.0, red, 0.9);
        d.ellipse([105.0, 34.0], [5.0, 5.0], [0.0, 0.0, 210.0, 297.0], red);
        d.centred("TRADING LICENCE", 52.0, 10.0, ink);
        d.centred("SPECIMEN - WITHOUT VALUE", 68.0, 4.5, red);
        let code: String = (0..16).map(|_| char::from(b'0' + rng.random_range(0..10u8))).collect();
        d.centred(&format!("REGISTER NO. TEST{code}"), 79.0, 3.4, ink);
        let place = PLACE[rng.random_range(0..6)];
        let fields = [
            ("NAME", format!("{} FIXTURE WORKS", LAST[rng.random_range(0..8)])),
            ("KIND", "COMPANY OF NO ACCOUNT".into()),
            ("SEAT", format!("{} {place}", rng.random_range(1..90))),
            ("HEAD", format!("{} {}", FIRST[rng.random_range(0..8)], LAST[rng.random_range(0..8)])),
            ("CAPITAL", format!("{} 000 TOKENS", rng.random_range(10..900))),
            (
                "FOUNDED",
                format!(
                    "{:02}.{:02}.{}",
                    rng.random_range(1..29),
                    rng.random_range(1..13),
                    rng.random_range(1985..2024)
                ),
            ),
            ("TRADE", "MAKING OF EXAMPLES, SAMPLES AND".into()),
            ("", "FIXTURES, SALE OF VECTORS, HIRE".into()),
            ("", "OF TEST RIGS, ADVICE ON NOTHING".into()),
        ];
        for (i, (key, value)) in fields.iter().enumerate() {
            let y = 96.0 + i as f32 * 12.0;
            d.text(key, [28.0, y], 3.8, ink);
            d.text(value, [62.0, y], 3.8, ink);
        }
        d.code_block([28.0, 222.0], 1.1, rng);
        d.text("ISSUED BY THE REGISTER OF", [88.0, 228.0], 2.8, ink);
        d.text(place, [88.0, 235.0], 2.8, ink);
        // The seal: two rings, a star and a word across, over the text like a stamp.
        let seal = [150.0, 242.0];
        for r in [19.0f32, 17.6] {
            let ring =
                (0..=120).map(|i| i as f32 / 120.0 * TAU).map(|t| [seal[0] + r * t.cos(), seal[1] + r * t.sin()]);
            d.line(ring.collect(), 0.7, red, 0.85);
        }
        let star = (0..=5)
            .map(|i| (i * 2) as f32 / 5.0 * TAU - TAU / 4.0)
            .map(|t| [seal[0] + 6.0 * t.cos(), seal[1] + 6.0 * t.sin()]);
        d.line(star.collect(), 1.1, red, 0.85);
        d.text("SPECIMEN", [seal[0] - 10.5, seal[1] + 8.0], 3.0, red);
        d
    }

    /// A block of modules with three finders: looks like a two-dimensional code, carries nothing.
    fn code_block(&mut self, at: [f32; 2], module: f32, rng: &mut ChaCha8Rng) {
        const SIDE: usize = 29;
        let ink = srgb(0x10_1010);
        let side = SIDE as f32 * module;
        self.rect([at[0] - 2.0, at[1] - 2.0, at[0] + side + 2.0, at[1] + side + 2.0], srgb(0xFC_FCFC), 1.0);
        let finder = |i: usize, j: usize| {
            let (x, y) = (if i >= SIDE - 8 { SIDE - 1 - i } else { i }, if j >= SIDE - 8 { SIDE - 1 - j } else { j });
            let corner = x < 8 && y < 8 && !(i >= SIDE - 8 && j >= SIDE - 8);
            corner.then(|| {
                let ring = x.abs_diff(3).max(y.abs_diff(3));
                ring <= 1 || ring == 3
            })
        };
        for j in 0..SIDE {
            for i in 0..SIDE {
                if finder(i, j).unwrap_or_else(|| rng.random_bool(0.48)) {
                    let (x, y) = (at[0] + i as f32 * module, at[1] + j as f32 * module);
                    self.rect([x, y, x + module, y + module], ink, 1.0);
                }
            }
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
