//! A spec and a seed to a capture nobody photographed: document, presentation and camera, with known truth.

// Picture sides are far below any integer's end.
#![allow(clippy::cast_possible_wrap)]

pub mod camera;
pub mod design;
mod faces;
pub mod set;
pub mod surface;

pub use design::{Document, Seal};
pub use set::{Counts, SetError, write_set};

use crate::geometry::{Point, Quad};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What is held before the camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presentation {
    /// The document itself.
    BonaFide,
    /// A picture of it on a display.
    Screen,
    /// A print of it on paper.
    Print,
}

impl Presentation {
    /// The label of the labels file.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BonaFide => "original",
            Self::Screen => "screen",
            Self::Print => "print",
        }
    }
}

/// How a display's pixels are divided into colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Panel {
    /// Red, green, blue stripes.
    Rgb,
    /// The same, turned about.
    Bgr,
    /// Two subpixels a pixel, red and blue shared by neighbours, as on OLED phones.
    PenTile,
}

/// What shows the document in a screen presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A desktop monitor.
    Monitor,
    /// A laptop, its keys below the display.
    Laptop,
    /// A tablet.
    Tablet,
    /// A phone.
    Phone,
}

/// What a print is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ink {
    /// Cyan, magenta, yellow and black.
    Process,
    /// Black toner.
    Grey,
}

/// What a messenger or a web form does with a photograph before it arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Long side it is reduced to, in pixels; never enlarged.
    pub long_side: u32,
    /// JPEG quality, 1..100.
    pub quality: u8,
}

/// Everything about a capture that is chosen; what is left open (desk, light, paper) comes from the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What is presented.
    pub presentation: Presentation,
    /// Which document.
    pub document: Document,
    /// Seed of the document's fields and colours, so that one document can be presented in several ways.
    pub content: u64,
    /// Columns of the capture.
    pub width: u32,
    /// Rows of the capture.
    pub height: u32,
    /// Document's long side as a share of the frame's.
    pub fill: f32,
    /// Tilt about the horizontal and the vertical, in degrees.
    pub tilt: [f32; 2],
    /// Turn in the picture, in degrees.
    pub roll: f32,
    /// Document's middle off the frame's, in shares of the frame.
    pub shift: [f32; 2],
    /// Size presented over true size.
    pub zoom: f32,
    /// Screen: the device.
    pub device: Device,
    /// Screen: subpixel layout.
    pub panel: Panel,
    /// Screen: pixels an inch.
    pub ppi: f32,
    /// Screen: whether a title bar and keys are shown.
    pub ui: bool,
    /// Screen: flicker of the backlight, share of the mean.
    pub flicker: f32,
    /// Bona fide: lines an inch of the offset press the document came from; 0 is line work without dots.
    pub offset_lpi: f32,
    /// How far a thumb that holds it reaches over its border, in millimetres; 0 is no hand.
    pub hand_mm: f32,
    /// Licence: the outline of its seal.
    #[serde(default)]
    pub seal: Seal,
    /// Licence: the middle of its seal, in millimetres from the upper left.
    #[serde(default = "beside_the_register")]
    pub seal_at: [f32; 2],
    /// Licence: how strong the ink of its seal is; 1 is full, 0.2 pale.
    #[serde(default = "full")]
    pub seal_ink: f32,
    /// Print: inks.
    pub ink: Ink,
    /// Print: screen ruling, lines an inch.
    pub lpi: f32,
    /// Print: dot gain at mid-tone.
    pub dot_gain: f32,
    /// Strength of the mirrored light; 0 is none, 1 bleaches.
    pub glare: f32,
    /// Depth of a shadow cast over the scene, 0..1.
    pub shadow: f32,
    /// Standard deviation of the lens blur, in pixels.
    pub blur_px: f32,
    /// Length of the hand's movement, in pixels.
    pub motion_px: f32,
    /// Its direction, in radians.
    pub motion_angle: f32,
    /// Radial distortion at the frame's corner.
    pub distortion: f32,
    /// Light lost in the frame's corner.
    pub vignetting: f32,
    /// Exposure about the metered one.
    pub exposure: f32,
    /// Electrons at white: fewer is noisier.
    pub full_well: f32,
    /// Amount of the unsharp mask.
    pub sharpening: f32,
    /// JPEG quality of the camera, 1..100.
    pub jpeg_quality: u8,
    /// What happened to the camera's file on its way.
    pub delivery: Option<Delivery>,
}

const fn beside_the_register() -> [f32; 2] {
    [150.0, 242.0]
}

const fn full() -> f32 {
    1.0
}

impl Spec {
    /// A plain, straight, sharp capture to start from.
    #[must_use]
    pub const fn plain(presentation: Presentation, document: Document) -> Self {
        Self {
            presentation,
            document,
            content: 0,
            width: 1600,
            height: 1200,
            fill: 0.7,
            tilt: [0.0; 2],
            roll: 0.0,
            shift: [0.0; 2],
            zoom: 1.0,
            device: Device::Monitor,
            panel: Panel::Rgb,
            ppi: 92.0,
            ui: false,
            flicker: 0.0,
            offset_lpi: 0.0,
            hand_mm: 0.0,
            seal: Seal::Round,
            seal_at: beside_the_register(),
            seal_ink: full(),
            ink: Ink::Process,
            lpi: 133.0,
            dot_gain: 0.15,
            glare: 0.0,
            shadow: 0.0,
            blur_px: 0.5,
            motion_px: 0.0,
            motion_angle: 0.0,
            distortion: 0.0,
            vignetting: 0.0,
            exposure: 1.0,
            full_well: 20_000.0,
            sharpening: 0.4,
            jpeg_quality: 92,
            delivery: None,
        }
    }

    /// A hand-held capture with everything drawn from `rng`.
    #[must_use]
    pub fn random(presentation: Presentation, rng: &mut ChaCha8Rng) -> Self {
        let document = match rng.random_range(0..20) {
            0..10 => Document::Card,
            10..13 => Document::Reverse,
            13..15 => Document::Passport,
            _ => Document::Page,
        };
        Self::random_of(presentation, document, rng)
    }

    /// The same with the document given.
    #[must_use]
    pub fn random_of(presentation: Presentation, document: Document, rng: &mut ChaCha8Rng) -> Self {
        let mut spec = Self::plain(presentation, document);
        spec.content = rng.random();
        let (long, short) = [(1600, 1200), (1440, 1080), (1536, 1152)][rng.random_range(0..3)];
        (spec.width, spec.height) = if document == Document::Page { (short, long) } else { (long, short) };
        spec.fill = rng.random_range(0.62..0.88);
        spec.tilt = [rng.random_range(-11.0..11.0), rng.random_range(-11.0..11.0)];
        spec.roll = rng.random_range(-6.0..6.0);
        spec.shift = [rng.random_range(-0.04..0.04), rng.random_range(-0.04..0.04)];
        spec.blur_px = rng.random_range(0.55..1.15);
        spec.motion_px = if rng.random_bool(0.3) { rng.random_range(0.5..2.5) } else { 0.0 };
        spec.motion_angle = rng.random_range(0.0..std::f32::consts::TAU);
        spec.distortion = rng.random_range(-0.02..0.02);
        spec.vignetting = rng.random_range(0.05..0.35);
        spec.exposure = rng.random_range(0.8..1.15);
        spec.full_well = rng.random_range(3_000.0f32..16_000.0);
        spec.sharpening = rng.random_range(0.3..1.1);
        spec.jpeg_quality = rng.random_range(70..88);
        spec.shadow = if rng.random_bool(0.45) { rng.random_range(0.1..0.4) } else { 0.0 };
        match presentation {
            Presentation::BonaFide => {
                let glossy = document.is_card() && rng.random_bool(0.6);
                spec.glare = if glossy { rng.random_range(0.05..0.4) } else { 0.0 };
            }
            Presentation::Screen => spec.on_screen(rng),
            Presentation::Print => {
                spec.zoom = rng.random_range(0.96..1.06);
                spec.ink = if rng.random_bool(0.3) { Ink::Grey } else { Ink::Process };
                // 85-200 lines an inch is the field's range; office lasers sit at its low end.
                spec.lpi =
                    if spec.ink == Ink::Grey { rng.random_range(75.0..106.0) } else { rng.random_range(85.0..150.0) };
                spec.dot_gain = rng.random_range(0.10..0.25);
                spec.glare = if rng.random_bool(0.25) { rng.random_range(0.02..0.12) } else { 0.0 };
            }
        }
        spec.circumstances(rng);
        spec
    }

    /// What befalls every presentation alike: a hand, little light, a messenger.
    fn circumstances(&mut self, rng: &mut ChaCha8Rng) {
        if self.presentation == Presentation::BonaFide && rng.random_bool(0.4) {
            // Commercial offset: 150 to 200 lines an inch.
            self.offset_lpi = rng.random_range(150.0..200.0);
        }
        let held = match (self.presentation, self.device) {
            (Presentation::Screen, Device::Monitor | Device::Laptop) => 0.0,
            (_, _) if self.document.is_card() => 0.3,
            (_, _) => 0.1,
        };
        // A hold by the border leaves what is printed free: numbers and names lie 5 mm and more from it.
        self.hand_mm = if rng.random_bool(held) { rng.random_range(2.0..5.0) } else { 0.0 };
        if rng.random_bool(0.12) {
            self.full_well = rng.random_range(600.0..1_800.0);
            self.exposure *= rng.random_range(0.65..0.9);
        }
        if rng.random_bool(0.35) {
            let long_side = [960, 1280, 1280, 1600][rng.random_range(0..4)];
            self.delivery = Some(Delivery { long_side, quality: rng.random_range(60..84) });
        }
    }

    fn on_screen(&mut self, rng: &mut ChaCha8Rng) {
        self.device = [Device::Monitor, Device::Laptop, Device::Tablet, Device::Phone][rng.random_range(0..4)];
        (self.ppi, self.panel) = match self.device {
            Device::Monitor => ([92.0, 96.0, 109.0, 141.0, 163.0][rng.random_range(0..5)], Panel::Rgb),
            Device::Laptop => ([112.0, 127.0, 141.0, 227.0][rng.random_range(0..4)], Panel::Rgb),
            Device::Tablet => ([132.0, 224.0, 264.0][rng.random_range(0..3)], Panel::Rgb),
            Device::Phone => ([326.0, 401.0, 458.0][rng.random_range(0..3)], Panel::PenTile),
        };
        if self.panel == Panel::Rgb && rng.random_bool(0.2) {
            self.panel = Panel::Bgr;
        }
        let [w, h] = self.document.size_mm();
        let [dw, dh] = self.device.size_mm(self.document);
        let fits = (dw / w).min(dh / h) * 0.92;
        self.zoom = match self.device {
            Device::Monitor | Device::Laptop => fits.min(rng.random_range(1.0..2.4)),
            Device::Tablet | Device::Phone => fits * rng.random_range(0.85..1.0),
        };
        if matches!(self.device, Device::Tablet | Device::Phone) {
            self.fill = rng.random_range(0.6..0.78);
        } else if self.device == Device::Laptop {
            self.fill = rng.random_range(0.35..0.8);
        }
        self.ui = rng.random_bool(0.6);
        self.flicker = if rng.random_bool(0.3) { rng.random_range(0.01..0.05) } else { 0.0 };
        self.glare = if rng.random_bool(0.5) { rng.random_range(0.02..0.16) } else { 0.0 };
    }

    /// The attack species, or `bona-fide`.
    #[must_use]
    pub const fn species(&self) -> &'static str {
        match (self.presentation, self.device, self.ink) {
            (Presentation::BonaFide, _, _) => "bona-fide",
            (Presentation::Screen, Device::Monitor, _) => "screen-monitor",
            (Presentation::Screen, Device::Laptop, _) => "screen-laptop",
            (Presentation::Screen, Device::Tablet, _) => "screen-tablet",
            (Presentation::Screen, Device::Phone, _) => "screen-phone",
            (Presentation::Print, _, Ink::Process) => "print-process",
            (Presentation::Print, _, Ink::Grey) => "print-grey",
        }
    }

    /// Pitch of the lattice in millimetres on the plane: display pixels or halftone cells.
    #[must_use]
    pub fn lattice_mm(&self) -> Option<f32> {
        match self.presentation {
            Presentation::BonaFide => None,
            Presentation::Screen => Some(25.4 / self.ppi),
            Presentation::Print => Some(25.4 / self.lpi),
        }
    }
}

/// What is known about a simulated capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Label of the labels file: original, screen or print.
    pub label: String,
    /// Attack species, or `bona-fide`.
    pub species: String,
    /// Seed the capture was made with.
    pub seed: u64,
    /// Columns of the file.
    pub width: u32,
    /// Rows of the file.
    pub height: u32,
    /// The number printed on the document, with valid checks; empty where it has none.
    pub number: String,
    /// The last day on which the document holds, by its print, as 2030-01-31; `long_term` where it has none, empty where
    /// that is not printed.
    #[serde(default)]
    pub valid_until: String,
    /// The document's corners in capture pixels, clockwise from its top left; a card's before rounding.
    pub corners: Quad,
    /// Pitch of the lattice at the document's middle, in capture pixels along its first axis.
    pub lattice_px: Option<f32>,
    /// What was asked for.
    pub spec: Spec,
}

/// The JPEG that `spec` and `seed` describe, and what is known about it; the same pair gives the same bytes.
///
/// # Panics
///
/// When the spec asks for a frame of no pixels.
#[must_use]
pub fn encode(spec: &Spec, seed: u64) -> (Vec<u8>, Truth) {
    let surface = surface::Surface::new(spec, seed);
    let [w, h] = spec.document.size_mm().map(|v| v * spec.zoom);
    let pose = camera::Pose::new(spec, w.max(h));
    let mut jpeg = camera::expose(spec, &surface, &pose, seed);
    let (mut width, mut height) = (spec.width, spec.height);
    if let Some(delivery) = spec.delivery {
        (jpeg, width, height) = camera::deliver(&jpeg, delivery);
    }
    let scale = width as f32 / spec.width as f32;
    let design = design::Design::new(spec.document, &mut ChaCha8Rng::seed_from_u64(spec.content));
    let corners = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];
    let truth = Truth {
        label: spec.presentation.label().into(),
        species: spec.species().into(),
        seed,
        width,
        height,
        number: design.number,
        valid_until: design.valid_until,
        corners: Quad(corners.map(|[x, y]| {
            let p = pose.to_picture(x * w / 2.0, y * h / 2.0);
            Point::new(p.x * scale, p.y * scale)
        })),
        lattice_px: spec.lattice_mm().map(|pitch| {
            let a = surface.first_axis();
            let middle: Point = pose.to_picture(0.0, 0.0);
            middle.distance(pose.to_picture(a[0] * pitch, a[1] * pitch)) * scale
        }),
        spec: spec.clone(),
    };
    (jpeg, truth)
}

#[cfg(test)]
mod tests {
    use image::RgbImage;

    use super::*;

    /// A capture as its file decodes, its file and its truth.
    struct Simulated {
        image: RgbImage,
        jpeg: Vec<u8>,
        truth: Truth,
    }

    fn simulate(spec: &Spec, seed: u64) -> Simulated {
        let (jpeg, truth) = encode(spec, seed);
        #[allow(clippy::disallowed_methods, reason = "its own bytes")]
        let image = image::load_from_memory(&jpeg).expect("the encoder's JPEG decodes").to_rgb8();
        Simulated { image, jpeg, truth }
    }

    fn small(presentation: Presentation) -> Spec {
        Spec { width: 480, height: 360, ..Spec::plain(presentation, Document::Card) }
    }

    #[test]
    fn same_seed_same_bytes() {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for presentation in [Presentation::BonaFide, Presentation::Screen, Presentation::Print] {
            let spec = Spec { width: 320, height: 240, ..Spec::random_of(presentation, Document::Card, &mut rng) };
            let (a, b) = (simulate(&spec, 3), simulate(&spec, 3));
            assert_eq!(a.jpeg, b.jpeg);
            assert_eq!(a.truth, b.truth);
            assert_ne!(a.jpeg, simulate(&spec, 4).jpeg);
        }
    }

    #[test]
    fn truth_survives_json() {
        let truth = encode(&small(Presentation::Screen), 1).1;
        let text = serde_json::to_string(&truth).expect("truth serialises");
        assert_eq!(serde_json::from_str::<Truth>(&text).expect("truth parses"), truth);
    }

    /// The steepest step of brightness along a line that crosses an edge of the card, against the truth.
    #[test]
    fn corners_lie_on_the_card_edge() {
        let spec = Spec { tilt: [9.0, -7.0], roll: 4.0, distortion: 0.02, ..small(Presentation::BonaFide) };
        let made = simulate(&spec, 11);
        let c = made.truth.corners.0;
        for side in 0..4 {
            let middle = c[side].towards(c[(side + 1) % 4], 0.5);
            let centre = made.truth.corners.centre();
            let luma = |t: f32| {
                // t pixels outward from the edge, mean over a few neighbours along it.
                let n = centre.distance(middle);
                let (ux, uy) = ((middle.x - centre.x) / n, (middle.y - centre.y) / n);
                (-6i32..=6)
                    .map(|k| {
                        let (x, y) = (middle.x + ux * t - uy * k as f32, middle.y + uy * t + ux * k as f32);
                        made.image.get_pixel(x as u32, y as u32).0.map(f32::from).iter().sum::<f32>()
                    })
                    .sum::<f32>()
            };
            let steepest = (-12..=12)
                .max_by(|&a, &b| {
                    let step = |t: i32| (luma(t as f32 + 1.0) - luma(t as f32 - 1.0)).abs();
                    step(a).total_cmp(&step(b))
                })
                .expect("the range is not empty");
            assert!(steepest.abs() <= 2, "side {side}: edge {steepest} px off");
        }
    }

    /// Amplitude of the mean row profile's green at `period` pixels, about the picture's middle.
    fn tone_at(image: &RgbImage, period: f32) -> f32 {
        let (w, h) = image.dimensions();
        let (mut re, mut im) = (0.0f32, 0.0f32);
        let n = 240;
        for k in 0..n {
            let x = w / 2 - n / 2 + k;
            let mean: f32 = (h / 2 - 20..h / 2 + 20).map(|y| f32::from(image.get_pixel(x, y).0[1])).sum::<f32>() / 40.0;
            let hann = 0.5 - 0.5 * (std::f32::consts::TAU * k as f32 / n as f32).cos();
            let phase = std::f32::consts::TAU * k as f32 / period;
            re += mean * hann * phase.cos();
            im += mean * hann * phase.sin();
        }
        re.hypot(im)
    }

    #[test]
    fn lattice_stands_at_its_pitch() {
        let spec = Spec { ppi: 60.0, fill: 0.9, ..small(Presentation::Screen) };
        let made = simulate(&spec, 5);
        let pitch = made.truth.lattice_px.expect("a screen has a lattice");
        assert!(pitch > 2.0 && pitch < 4.0, "{pitch}");
        let peak = tone_at(&made.image, pitch);
        for other in [0.9, 0.95, 1.05, 1.1] {
            assert!(peak > 3.0 * tone_at(&made.image, pitch * other), "{other}");
        }
        let plain = simulate(&Spec { presentation: Presentation::BonaFide, ..spec }, 5);
        assert!(peak > 3.0 * tone_at(&plain.image, pitch));
    }
}
