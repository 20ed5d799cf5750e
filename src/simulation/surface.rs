//! A spec to the light leaving the scene at any point of the presentation's plane, in millimetres about the document's centre.

use super::design::{Colour, Design, Document, Raster, srgb};
use super::{Device, Ink, Panel, Presentation, Spec};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

/// Side of the noise tile in samples.
const TILE: usize = 512;
/// Side of the desk texture in pixels, and its pixels a millimetre.
const DESK: usize = 1024;
const DESK_SCALE: f32 = 5.0;
/// AM screen angles for cyan, magenta, yellow, black, in degrees: the usual offset set.
const ANGLES: [f32; 4] = [15.0, 75.0, 0.0, 45.0];
/// Light that solid process inks let through (linear RGB), approximated from coated-paper process colours.
const INKS: [[f32; 3]; 4] = [[0.02, 0.30, 0.62], [0.52, 0.03, 0.16], [0.88, 0.72, 0.03], [0.02, 0.02, 0.02]];

/// Periodic value noise of several octaves, about 0, within -1..1.
struct Noise(Vec<f32>);

impl Noise {
    fn new(rng: &mut ChaCha8Rng) -> Self {
        let mut sum = vec![0.0f32; TILE * TILE];
        for (octave, weight) in [(8usize, 0.5f32), (16, 0.4), (32, 0.3), (64, 0.25), (128, 0.2), (512, 0.15)] {
            let grid: Vec<f32> = (0..octave * octave).map(|_| rng.random_range(-1.0..1.0)).collect();
            let step = octave as f32 / TILE as f32;
            for (i, value) in sum.iter_mut().enumerate() {
                let (x, y) = ((i % TILE) as f32 * step, (i / TILE) as f32 * step);
                let (x0, y0) = (x as usize, y as usize);
                let (fx, fy) = (x - x0 as f32, y - y0 as f32);
                let (fx, fy) = (fx * fx * (3.0 - 2.0 * fx), fy * fy * (3.0 - 2.0 * fy));
                let at = |i: usize, j: usize| grid[(j % octave) * octave + i % octave];
                let a = at(x0, y0) * (1.0 - fx) + at(x0 + 1, y0) * fx;
                let b = at(x0, y0 + 1) * (1.0 - fx) + at(x0 + 1, y0 + 1) * fx;
                *value += weight * (a * (1.0 - fy) + b * fy);
            }
        }
        Self(sum)
    }

    /// The noise at (`x`, `y`) in tile samples, wrapped.
    fn at(&self, x: f32, y: f32) -> f32 {
        let (xf, yf) = (x.floor(), y.floor());
        let (fx, fy) = (x - xf, y - yf);
        let (x0, y0) = ((xf as i64).rem_euclid(TILE as i64) as usize, (yf as i64).rem_euclid(TILE as i64) as usize);
        let (x1, y1) = ((x0 + 1) % TILE, (y0 + 1) % TILE);
        let a = self.0[y0 * TILE + x0] * (1.0 - fx) + self.0[y0 * TILE + x1] * fx;
        let b = self.0[y1 * TILE + x0] * (1.0 - fx) + self.0[y1 * TILE + x1] * fx;
        a * (1.0 - fy) + b * fy
    }
}

/// Share of the interval of width `w` about `u` that is lit, for a stripe lit over `a`..`a + length` of every unit,
/// divided by `length`: the stripe seen through a box, with mean 1.
fn stripe(u: f32, w: f32, a: f32, length: f32) -> f32 {
    let lit = |v: f32| v.floor() * length + (v - v.floor() - a).clamp(0.0, length);
    (lit(u + w / 2.0) - lit(u - w / 2.0)) / (w * length)
}

fn smooth(edge0: f32, edge1: f32, v: f32) -> f32 {
    let t = ((v - edge0) / (edge1 - edge0)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Signed distance to a rounded rectangle about the origin; negative inside.
fn rounded(x: f32, y: f32, half: [f32; 2], radius: f32) -> f32 {
    let (dx, dy) = (x.abs() - half[0] + radius, y.abs() - half[1] + radius);
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
}

/// A finger lying in the plane: a capsule from its tip to the hand, out of the picture.
struct Finger {
    tip: [f32; 2],
    /// Unit vector from the tip to the hand.
    along: [f32; 2],
    /// Half its width in millimetres.
    radius: f32,
}

impl Finger {
    /// Millimetres along the finger from the tip's centre, and off its axis over the half width: inside below 1.
    fn place(&self, x: f32, y: f32) -> (f32, f32) {
        let (dx, dy) = (x - self.tip[0], y - self.tip[1]);
        let t = dx * self.along[0] + dy * self.along[1];
        let off = dx * self.along[1] - dy * self.along[0];
        (t, if t < 0.0 { off.hypot(t) } else { off.abs() } / self.radius)
    }
}

/// A thumb over the border of what is presented, and fingers that show behind it.
struct Hand {
    thumb: Finger,
    behind: Vec<Finger>,
    skin: Colour,
}

impl Hand {
    /// A hand that holds a rectangle of half size `half` about `at` by its left, right or lower border, its thumb
    /// reaching `deep` millimetres over it; one that reaches far comes from below.
    fn new(half: [f32; 2], at: [f32; 2], deep: f32, rng: &mut ChaCha8Rng) -> Self {
        let side = if deep > 18.0 { 2 } else { rng.random_range(0..3) };
        let along = rng.random_range(-0.4..0.5f32);
        let lean = rng.random_range(-0.5..0.5f32);
        // Out of the border, and along it.
        let (out, edge, reach) = match side {
            0 => ([-1.0, 0.0], [0.0, 1.0], [half[0], half[1]]),
            1 => ([1.0, 0.0], [0.0, 1.0], [half[0], half[1]]),
            _ => ([0.0, 1.0], [1.0, 0.0], [half[1], half[0]]),
        };
        let on =
            |depth: f32, share: f32| [0, 1].map(|k| at[k] + out[k] * (reach[0] - depth) + edge[k] * share * reach[1]);
        let turned = |lean: f32| {
            let v = [out[0] + edge[0] * lean, out[1] + edge[1] * lean];
            let n = v[0].hypot(v[1]);
            v.map(|c| c / n)
        };
        let behind = (0..rng.random_range(1..4))
            .map(|k| Finger {
                tip: on(-rng.random_range(1.0..5.0f32), along + (k as f32 - 0.7) * 17.0 / reach[1].max(20.0)),
                along: turned(lean * 0.6),
                radius: rng.random_range(6.5..8.5),
            })
            .collect();
        let skin = [0xE3_B896, 0xC6_9272, 0xF0_CBAE, 0x8E_5F44][rng.random_range(0..4)];
        let radius = rng.random_range(8.0..11.0);
        let thumb = Finger { tip: on(deep - radius, along), along: turned(lean), radius };
        Self { thumb, behind, skin: srgb(skin) }
    }

    /// Colour of the hand where it covers the point; `outside` what is presented, the fingers behind show too.
    fn at(&self, x: f32, y: f32, outside: bool) -> Option<Colour> {
        let (t, off) = self.thumb.place(x, y);
        let hit = if off < 1.0 {
            Some((t, off))
        } else if outside {
            self.behind.iter().map(|f| f.place(x, y)).find(|(_, off)| *off < 1.0)
        } else {
            None
        };
        hit.map(|(t, off)| {
            let round = (1.0 - 0.75 * off * off).sqrt();
            // A thumb's nail, near its tip.
            let nail = (off * 1.7).hypot((t - 2.0) / 7.0) < 1.0;
            let tint = if nail { [1.06, 1.0, 1.02, 0.0] } else { [1.0, 0.97, 0.95, 0.0] };
            [0, 1, 2, 3].map(|i| self.skin[i] * tint[i] * round)
        })
    }
}

/// Everything in front of the camera.
pub struct Surface {
    spec: Spec,
    noise: Noise,
    desk: Raster,
    /// The document's pixels: reflectance, ink coverages (print) or display light (screen).
    face: Raster,
    /// Document half size on the plane, in millimetres.
    half: [f32; 2],
    radius: f32,
    /// Half size of the display or of the sheet printed on, and its middle relative to the document's.
    carrier: [f32; 2],
    carrier_at: [f32; 2],
    light: [f32; 2],
    glare_at: [f32; 2],
    shadow_angle: f32,
    window: Colour,
    angles: [[f32; 2]; 4],
    panel_ui: [Colour; 3],
    paper: Colour,
    hand: Option<Hand>,
    /// Colours of a laptop's deck and keys.
    deck: [Colour; 2],
}

impl Surface {
    /// The scene that `spec` describes; `seed` sets what the spec leaves open.
    #[must_use]
    #[allow(clippy::too_many_lines)]
    pub fn new(spec: &Spec, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x05EE_D0F5_CE4E);
        let mut design = Design::new(spec.document, &mut ChaCha8Rng::seed_from_u64(spec.content));
        if spec.document == Document::Page {
            design.stamp(spec.seal, spec.seal_at, spec.seal_ink);
        }
        let noise = Noise::new(&mut rng);
        let desk = desk(&noise, &mut rng);
        let size = spec.document.size_mm();
        let half = size.map(|v| v * spec.zoom / 2.0);
        // Twice the scale a 1600-pixel capture of the whole document has, as the lens sees no more.
        let fine = design.raster(match spec.document {
            Document::Card | Document::Reverse => 24.0,
            Document::Passport => 16.0,
            Document::Page => 10.0,
        });
        let face = match spec.presentation {
            Presentation::BonaFide if spec.offset_lpi > 0.0 => separations(fine, spec),
            Presentation::BonaFide => fine,
            Presentation::Screen => on_display(&fine, half, 25.4 / spec.ppi),
            Presentation::Print => separations(fine, spec),
        };
        let (carrier, carrier_at) = match (spec.presentation, spec.device) {
            (Presentation::BonaFide, _) => (half, [0.0; 2]),
            (Presentation::Print, _) => {
                let margin = [rng.random_range(1.0..14.0f32), rng.random_range(1.0..14.0f32)];
                let share = [rng.random_range(-0.8..0.8f32), rng.random_range(-0.8..0.8f32)];
                ([half[0] + margin[0], half[1] + margin[1]], [margin[0] * share[0], margin[1] * share[1]])
            }
            (Presentation::Screen, device) => {
                let display = device.size_mm(spec.document);
                let slack = [(display[0] / 2.0 - half[0]).max(0.0), (display[1] / 2.0 - half[1]).max(0.0)];
                let (x, y) = (rng.random_range(-0.5..0.5f32), rng.random_range(-0.5..0.5f32));
                (display.map(|v| v / 2.0), [slack[0] * x, slack[1] * y])
            }
        };
        let turn = rng.random_range(-2.0..2.0f32);
        let angles = ANGLES.map(|a| {
            let a = if spec.ink == Ink::Grey { 45.0 } else { a } + turn;
            [a.to_radians().cos(), a.to_radians().sin()]
        });
        let angle = rng.random_range(0.0..TAU);
        let tone = rng.random_range(0.0..1.0f32);
        let hand = (spec.hand_mm > 0.0).then(|| {
            let rim = if spec.presentation == Presentation::Screen { spec.device.bezel_mm() } else { 0.0 };
            Hand::new(carrier.map(|v| v + rim), carrier_at, spec.hand_mm, &mut rng)
        });
        let deck =
            if rng.random_bool(0.5) { [srgb(0xA8_AAAE), srgb(0x24_2426)] } else { [srgb(0x30_3236), srgb(0x18_181A)] };
        let ui = [0xF2_F2F4, 0x1C_1E22, 0x52_5659, 0xFF_FFFF][rng.random_range(0..4)];
        Self {
            spec: spec.clone(),
            noise,
            desk,
            face,
            half,
            radius: spec.document.radius_mm() * spec.zoom,
            carrier,
            carrier_at,
            light: [angle.cos(), angle.sin()].map(|v| v * rng.random_range(0.05..0.28f32)),
            glare_at: [rng.random_range(-0.7..0.7f32) * half[0], rng.random_range(-0.7..0.7f32) * half[1]],
            shadow_angle: rng.random_range(0.0..TAU),
            window: [1.0, 0.96 + 0.06 * tone, 0.9 + 0.2 * tone, 0.0],
            angles,
            panel_ui: [srgb(ui), srgb(if rng.random_bool(0.5) { 0x2B_579A } else { 0x30_3438 }), srgb(0xC8_CCD0)],
            paper: [0.86, 0.86 + rng.random_range(-0.02..0.02f32), 0.86 + rng.random_range(-0.05..0.05f32), 0.0],
            hand,
            deck,
        }
    }

    /// Direction of the lattice's first axis on the plane: along display rows, or along the first ink's screen.
    #[must_use]
    pub fn first_axis(&self) -> [f32; 2] {
        match (self.spec.presentation, self.spec.ink) {
            (Presentation::Print, Ink::Process) => self.angles[0],
            (Presentation::Print, Ink::Grey) => self.angles[3],
            _ => [1.0, 0.0],
        }
    }

    /// Light from the point (`x`, `y`), averaged over a square of side `footprint`, all in millimetres.
    #[must_use]
    pub fn light(&self, x: f32, y: f32, footprint: f32) -> [f32; 3] {
        match self.spec.presentation {
            Presentation::Screen => self.screen(x, y, footprint),
            Presentation::BonaFide | Presentation::Print => self.reflecting(x, y, footprint),
        }
    }

    /// The share of lamp light that arrives at a point: fall-off to one side and somebody's shadow.
    fn lamp(&self, x: f32, y: f32) -> f32 {
        let reach = self.half[0].max(self.half[1]);
        let fall = 1.0 + (self.light[0] * x + self.light[1] * y) / reach;
        let (sin, cos) = self.shadow_angle.sin_cos();
        let bend = 0.12 * reach * ((cos * y - sin * x) / reach * 3.0).sin();
        let across = cos * x + sin * y + bend - 0.35 * reach;
        fall.max(0.15) * (1.0 - self.spec.shadow * smooth(-0.12 * reach, 0.18 * reach, across))
    }

    fn desk_at(&self, x: f32, y: f32) -> Colour {
        let side = DESK as f32;
        let (u, v) = ((x * DESK_SCALE).rem_euclid(side), (y * DESK_SCALE).rem_euclid(side));
        self.desk.bilinear(u, v)
    }

    fn reflecting(&self, x: f32, y: f32, footprint: f32) -> [f32; 3] {
        let lamp = self.lamp(x, y);
        let print = self.spec.presentation == Presentation::Print;
        let (cx, cy) = (x - self.carrier_at[0], y - self.carrier_at[1]);
        let carrier_radius = if print { 0.0 } else { self.radius };
        let edge = rounded(cx, cy, self.carrier, carrier_radius);
        if let Some(skin) = self.hand.as_ref().and_then(|hand| hand.at(x, y, edge > 0.0)) {
            return [0, 1, 2].map(|i| skin[i] * lamp);
        }
        if edge > 0.0 {
            // A sheet or a card lies nearly flat: a contact shadow of a millimetre or two away from the light.
            let thick = if self.spec.document.is_card() { 1.6 } else { 2.2 };
            let (sx, sy) = (cx + self.light[0] * 6.0 * thick, cy + self.light[1] * 6.0 * thick);
            let shade = 1.0 - 0.55 * (-(rounded(sx, sy, self.carrier, carrier_radius).max(0.0)) / thick).exp();
            let desk = self.desk_at(x, y);
            return [desk[0] * lamp * shade, desk[1] * lamp * shade, desk[2] * lamp * shade];
        }
        let fibre = 1.0 + 0.025 * self.noise.at(x * 9.0, y * 9.0) + 0.02 * self.noise.at(x * 0.4, y * 0.4);
        let inside = rounded(x, y, self.half, self.radius) <= 0.0;
        let (u, v) = self.to_face(x, y);
        let mut colour = if !inside {
            self.paper
        } else if print {
            self.halftone(x, y, footprint, 25.4 / self.spec.lpi, self.face.bilinear(u, v))
        } else if self.spec.offset_lpi > 0.0 {
            self.halftone(x, y, footprint, 25.4 / self.spec.offset_lpi, self.face.bilinear(u, v))
        } else {
            self.face.bilinear(u, v).map(|c| c * 0.88)
        };
        if !self.spec.document.is_card() || print {
            colour = colour.map(|c| c * fibre);
        }
        // The cut edge catches a little light.
        let rim = if edge > -0.25 { 0.92 } else { 1.0 };
        let gloss = self.gloss(x, y);
        [0, 1, 2].map(|i| colour[i] * lamp * rim + gloss * self.window[i])
    }

    /// What a laminated or glossy face mirrors of a lamp or a window.
    fn gloss(&self, x: f32, y: f32) -> f32 {
        if self.spec.glare <= 0.0 {
            return 0.0;
        }
        let reach = self.half[0].max(self.half[1]);
        let ripple = 0.05 * reach * self.noise.at(x * 1.2, y * 1.2);
        let (dx, dy) = (x - self.glare_at[0] + ripple, y - self.glare_at[1] - ripple);
        let (sin, cos) = (self.shadow_angle + 0.6).sin_cos();
        let (a, b) = ((cos * dx + sin * dy) / (0.34 * reach), (cos * dy - sin * dx) / (0.13 * reach));
        let core = (-(a * a + b * b)).exp();
        let halo = (-(a * a + b * b) * 0.18).exp();
        self.spec.glare * (1.3 * core + 0.22 * halo)
    }

    fn to_face(&self, x: f32, y: f32) -> (f32, f32) {
        let u = (x + self.half[0]) / (2.0 * self.half[0]) * self.face.width as f32;
        let v = (y + self.half[1]) / (2.0 * self.half[1]) * self.face.height as f32;
        (u, v)
    }

    /// Paper under dots of the four inks, `pitch` millimetres apart.
    fn halftone(&self, x: f32, y: f32, footprint: f32, pitch: f32, cover: Colour) -> Colour {
        let mut colour = self.paper;
        // A dot's rim is soft by ink bleed and toner scatter (about 12 micrometres), and by the footprint looked through.
        let soft = ((0.012f32.powi(2) + 0.33 * footprint * footprint).sqrt() / pitch * 1.6).max(0.02);
        for (i, ink) in INKS.iter().enumerate() {
            let c = cover[i];
            if c <= 0.004 {
                continue;
            }
            let [cos, sin] = self.angles[i];
            let (u, v) = ((cos * x + sin * y) / pitch, (cos * y - sin * x) / pitch);
            let spot = 0.5 + 0.25 * (wave(u) + wave(v));
            let dot = if c > 0.985 { 1.0 } else { ((spot - (1.0 - c)) / soft + 0.5).clamp(0.0, 1.0) };
            // Wider than a dot, the screen is a tint.
            let tint = smooth(0.35, 1.0, footprint / pitch);
            let laid = dot + (c - dot) * tint;
            for k in 0..3 {
                colour[k] *= 1.0 - laid * (1.0 - ink[k]);
            }
        }
        colour
    }

    fn screen(&self, x: f32, y: f32, footprint: f32) -> [f32; 3] {
        let (cx, cy) = (x - self.carrier_at[0], y - self.carrier_at[1]);
        let corner = self.spec.device.corner_mm();
        let edge = rounded(cx, cy, self.carrier, corner);
        let bezel = self.spec.device.bezel_mm();
        // Room light is a fifth or less of what the display gives.
        let room = 0.16 * self.lamp(x, y);
        if let Some(skin) = self.hand.as_ref().and_then(|hand| hand.at(x, y, edge > bezel)) {
            return [0, 1, 2].map(|i| skin[i] * room);
        }
        if let Some(deck) = self.deck_at(cx, cy) {
            return [0, 1, 2].map(|i| deck[i] * room);
        }
        if edge > bezel {
            let shade = 1.0 - 0.5 * (-(edge - bezel) / 5.0).exp();
            let desk = self.desk_at(x, y);
            return [desk[0] * room * shade, desk[1] * room * shade, desk[2] * room * shade];
        }
        let glass = self.glass(x, y);
        if edge > 0.0 {
            let lip = if edge > bezel - 0.7 { 0.35 } else { 0.025 };
            return [0, 1, 2].map(|i| lip * room + glass * self.window[i]);
        }
        let pitch = 25.4 / self.spec.ppi;
        // The lattice starts at the document's top left pixel.
        let (u, v) = ((x + self.half[0]) / pitch, (y + self.half[1]) / pitch);
        let w = (footprint / pitch).max(0.02);
        let shown = self.shown(u.floor(), v.floor(), cy);
        let mask = self.subpixels(u, v, w);
        // Fall-off of an LCD seen off its axis, and light that leaks through black.
        let reach = self.carrier[0].max(self.carrier[1]);
        let axis = 1.0 - 0.18 * ((cx * cx + cy * cy) / (reach * reach)).min(1.0) + 0.5 * self.light[0] * cx / reach;
        let leak = if self.spec.panel == Panel::PenTile { 0.0004 } else { 0.002 };
        [0, 1, 2].map(|i| (shown[i] + leak) * mask[i] * axis + glass * self.window[i] + 0.012 * room)
    }

    /// A laptop's hinge, deck and keys below its display, seen from above at a slant.
    fn deck_at(&self, cx: f32, cy: f32) -> Option<Colour> {
        let down = cy - self.carrier[1] - self.spec.device.bezel_mm() - 8.0;
        let half = self.carrier[0] + self.spec.device.bezel_mm();
        if self.spec.device != Device::Laptop || !(0.0..130.0).contains(&down) || cx.abs() > half {
            return None;
        }
        let [deck, keys] = self.deck;
        // Keys 19 mm apart as ISO/IEC 9995 keyboards have them, foreshortened, in six rows.
        let (column, row) = ((cx + half) / 19.0, (down - 14.0) / 12.0);
        let on_key = (0.0..6.0).contains(&row)
            && cx.abs() < half - 12.0
            && (0.06..0.94).contains(&(column + 0.3 * row.floor()).rem_euclid(1.0))
            && (0.08..0.92).contains(&row.rem_euclid(1.0));
        Some(if down < 5.0 || on_key { keys } else { deck })
    }

    /// What the glass mirrors: a soft window with a cross bar, and dust.
    fn glass(&self, x: f32, y: f32) -> f32 {
        let reach = self.half[0].max(self.half[1]);
        let (dx, dy) = ((x - self.glare_at[0]) / reach, (y - self.glare_at[1]) / reach);
        let dx = dx + 0.3 * dy;
        let box_in = |v: f32, half: f32| 1.0 - smooth(half - 0.08, half + 0.08, v.abs());
        let bar = 1.0 - 0.8 * box_in(dx - 0.05, 0.02);
        self.spec.glare * 0.5 * box_in(dx, 0.34) * box_in(dy, 0.42) * bar
    }

    /// The colour the display shows at its pixel (`i`, `j`) counted from the document's corner.
    fn shown(&self, i: f32, j: f32, cy: f32) -> Colour {
        let (w, h) = (self.face.width as f32, self.face.height as f32);
        if i >= 0.0 && j >= 0.0 && i < w && j < h {
            let pitch = 25.4 / self.spec.ppi;
            let inside = self.radius <= 0.0
                || rounded((i + 0.5) * pitch - self.half[0], (j + 0.5) * pitch - self.half[1], self.half, self.radius)
                    <= 0.0;
            if inside {
                return self.face.pixels[j as usize * self.face.width + i as usize];
            }
        }
        let [ground, bar, text] = self.panel_ui;
        if !self.spec.ui {
            return ground;
        }
        // A title bar at the top and a row of keys at the bottom.
        let tall = 2.0 * self.carrier[1];
        let t = (cy + self.carrier[1]) / tall;
        if t < 0.055 {
            let label = (0.018..0.036).contains(&t) && (i * 0.11).sin() + (i * 0.043).sin() > 0.9;
            if label { text } else { bar }
        } else if t > 0.94 {
            let key = (0.955..0.985).contains(&t) && (i / 46.0).rem_euclid(2.0) < 0.7;
            if key { text } else { bar }
        } else {
            ground
        }
    }

    /// Light of the red, green and blue subpixels at (`u`, `v`) in display pixels, seen through a box `w` wide; mean 1.
    fn subpixels(&self, u: f32, v: f32, w: f32) -> [f32; 3] {
        // Lit shares between the black matrix of common panels: 0.26 of 1/3 across, 0.82 of 1 down.
        let down = stripe(v, w, 0.09, 0.82);
        let third = |k: f32| stripe(u, w, k / 3.0 + 0.036, 0.26) * down;
        match self.spec.panel {
            Panel::Rgb => [third(0.0), third(1.0), third(2.0)],
            Panel::Bgr => [third(2.0), third(1.0), third(0.0)],
            Panel::PenTile => {
                let odd = v.floor().rem_euclid(2.0) / 2.0;
                let wide = |shift: f32| stripe(u / 2.0 + odd + shift, w / 2.0, 0.29, 0.18) * stripe(v, w, 0.3, 0.5);
                [wide(0.0), stripe(u, w, 0.08, 0.26) * stripe(v, w, 0.22, 0.56), wide(0.5)]
            }
        }
    }
}

/// A cosine of `u` turns, by a parabola to each half turn: within 6 %, and quick.
fn wave(u: f32) -> f32 {
    let t = (u - u.floor()) * 2.0 - 1.0;
    let s = 1.0 - t.abs();
    // s runs 0..1..0; the cosine is 1 at s = 0.
    let k = 2.0 * s - 1.0;
    -k * (2.0 - k.abs())
}

/// The document at the display's pixels: averaged, rounded to 8 bits, and turned to light by the display's gamma.
fn on_display(fine: &Raster, half: [f32; 2], pitch: f32) -> Raster {
    let width = (2.0 * half[0] / pitch).round().max(1.0) as usize;
    let height = (2.0 * half[1] / pitch).round().max(1.0) as usize;
    let (sx, sy) = (fine.width as f32 / width as f32, fine.height as f32 / height as f32);
    let mut pixels = Vec::with_capacity(width * height);
    for j in 0..height {
        for i in 0..width {
            let (x, y) = (i as f32 * sx, j as f32 * sy);
            let mean =
                if sx < 1.2 { fine.bilinear(x + sx / 2.0, y + sy / 2.0) } else { fine.mean(x, y, x + sx, y + sy) };
            // sRGB file value to display light: a 2.2 display (range 1.8-2.4 in the field) over a near-2.2 file.
            pixels.push(mean.map(|c| ((c.powf(1.0 / 2.2) * 255.0).round() / 255.0).powf(2.3)));
        }
    }
    Raster { width, height, pixels }
}

/// Ink coverages for each pixel, dot gain added: grey replaced by black where it is dark.
fn separations(mut raster: Raster, spec: &Spec) -> Raster {
    // Dot gain is largest at mid-tone and worth `gain` there.
    let gain = |c: f32| (c + spec.dot_gain * 4.0 * c * (1.0 - c)).clamp(0.0, 1.0);
    for pixel in &mut raster.pixels {
        let [r, g, b, _] = *pixel;
        *pixel = if spec.ink == Ink::Grey {
            let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            [0.0, 0.0, 0.0, gain(1.0 - luma.powf(0.6))]
        } else {
            let [c, m, y] = [r, g, b].map(|v| 1.0 - v.powf(0.5));
            let k = ((c.min(m).min(y) - 0.3) / 0.7).max(0.0) * 0.9;
            let under = |v: f32| gain(((v - k) / (1.0 - k).max(0.05)).clamp(0.0, 1.0));
            [under(c), under(m), under(y), gain(k)]
        };
    }
    raster
}

/// A desk: wood, cloth, laminate or stone.
fn desk(noise: &Noise, rng: &mut ChaCha8Rng) -> Raster {
    let kind = rng.random_range(0..4);
    let pick = |rng: &mut ChaCha8Rng, set: [u32; 4]| srgb(set[rng.random_range(0..4)]);
    let base = match kind {
        0 => pick(rng, [0x9C_6B3F, 0x6E_4628, 0xC4_9A66, 0x58_3A26]),
        1 => pick(rng, [0x3E_4A60, 0x80_7468, 0x6A_2C34, 0x4C_5648]),
        2 => pick(rng, [0xB8_B6B0, 0x8E_9296, 0xD8_D4CA, 0x3A_3C40]),
        _ => pick(rng, [0x70_6C66, 0x9A_948C, 0x4C_4A4A, 0xA8_9A88]),
    };
    let side = DESK as f32;
    let pixels = (0..DESK * DESK)
        .map(|i| {
            let (x, y) = ((i % DESK) as f32, (i / DESK) as f32);
            let step = TILE as f32 / side;
            let level = match kind {
                0 => {
                    let rings = noise.at(x * step, y * step * 4.0) + 0.4 * noise.at(x * step, y * step);
                    let grain = noise.at(x * step, y * step * 32.0);
                    1.0 + 0.28 * (rings * 9.0).sin() + 0.16 * grain
                }
                1 => {
                    let (wx, wy) = ((x * TAU / 8.0).sin(), (y * TAU / 8.0).sin());
                    0.85 + 0.25
                        * if ((x / 8.0) as u32 + (y / 8.0) as u32).is_multiple_of(2) { wx.abs() } else { wy.abs() }
                        + 0.22 * noise.at(x * step * 4.0, y * step * 4.0)
                }
                2 => 1.0 + 0.05 * noise.at(x * step * 8.0, y * step * 8.0),
                _ => {
                    let fleck = noise.at(x * step * 8.0, y * step * 8.0);
                    1.0 + 0.3 * noise.at(x * step, y * step) + if fleck > 0.55 { 0.5 } else { 0.25 * fleck }
                }
            };
            base.map(|c| (c * level.max(0.1)).min(0.95))
        })
        .collect();
    Raster { width: DESK, height: DESK, pixels }
}

impl Device {
    /// Display width and height in millimetres: a 27-inch desktop, a 14-inch laptop, an 11-inch tablet, a 6.5-inch phone, turned to suit.
    #[must_use]
    pub const fn size_mm(self, document: Document) -> [f32; 2] {
        match (self, document) {
            (Self::Monitor, _) => [597.0, 336.0],
            (Self::Laptop, _) => [302.0, 189.0],
            (Self::Tablet, Document::Page) => [160.0, 228.0],
            (Self::Tablet, _) => [228.0, 160.0],
            (Self::Phone, Document::Page) => [68.0, 150.0],
            (Self::Phone, _) => [150.0, 68.0],
        }
    }

    const fn bezel_mm(self) -> f32 {
        match self {
            Self::Monitor => 12.0,
            Self::Laptop => 7.0,
            Self::Tablet => 9.0,
            Self::Phone => 4.0,
        }
    }

    const fn corner_mm(self) -> f32 {
        match self {
            Self::Monitor | Self::Laptop => 0.5,
            Self::Tablet => 4.0,
            Self::Phone => 7.0,
        }
    }
}
