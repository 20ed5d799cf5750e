//! Seed to the faces of the documents that are presented: fields, colours, and numbers that hold together.

use std::f32::consts::TAU;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rxing::qrcode::QRCodeWriter;
use rxing::{BarcodeFormat, Writer};

use super::design::{Design, Document, Seal, srgb};
use crate::lettering;
use crate::reading::{credit_code, mrz};

/// Made-up names; none is a person's.
const FIRST: [&str; 8] = ["ALVA", "BRIN", "CORWEN", "DELPHA", "EDRIS", "FENNA", "GALO", "HESTRA"];
const LAST: [&str; 8] =
    ["QUILLMARK", "TESTWELL", "SAMPLETON", "VOIDSEN", "MOCKFORD", "DUMMERSON", "NULLGARD", "PROBEWICK"];
/// What truth says of a validity without end.
const LONG_TERM: &str = "long_term";
/// Made-up places.
const PLACE: [&str; 6] =
    ["NORTH EXAMPLE", "PORT NOWHERE", "SAMPLE HILL", "LOWER FIXTURE", "EAST VECTOR", "NEW SPECIMEN"];

/// Seventeen digits with their check character (ISO 7064 MOD 11-2, as GB 11643 has it).
fn with_check(digits: &str) -> String {
    let sum = digits.bytes().fold(0u32, |sum, d| (sum + u32::from(d - b'0')) * 2 % 11);
    format!("{digits}{}", char::from(b"10X98765432"[sum as usize % 11]))
}

fn digits(rng: &mut ChaCha8Rng, count: usize) -> String {
    (0..count).map(|_| char::from(b'0' + rng.random_range(0..10u8))).collect()
}

/// A credit code of region 119999, which is nobody's: it holds together and can be no company's (GB 32100).
fn credit_number(rng: &mut ChaCha8Rng) -> String {
    let plain = format!("91119999{}", digits(rng, 8));
    let organisation = organisation_check(&plain[8..]);
    let plain = format!("{plain}{organisation}");
    format!("{plain}{}", credit_code::check_character(&plain))
}

/// The check character that belongs to the eight characters of an organisation's code (GB 11714-1997).
fn organisation_check(code: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let values = code.chars().filter_map(|c| c.to_digit(36));
    let sum: u32 = values.zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    char::from_digit((11 - sum % 11) % 11, 10).unwrap_or('X')
}

/// `text` with its check digit (ICAO Doc 9303 part 3).
fn with_digit(text: &str) -> String {
    format!("{text}{}", mrz::check_digit(text))
}

impl Design {
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

    pub(super) fn card(rng: &mut ChaCha8Rng) -> Self {
        let [g0, g1, l0, l1] = Self::palette(rng);
        let mut d = Self::blank(Document::Card, [srgb(g0), srgb(g1)]);
        let (ink, label, red) = (srgb(0x1A_1A1E), srgb(0x2A_5FA8), srgb(0xB8_2E34));
        d.waves([0.0, -3.0, 85.6, 57.0], 44, [srgb(l0), srgb(l1)], rng);
        d.rosette([24.0, 30.0], 15.0, 12, 9.0, srgb(l0), 0.5);
        d.text("EXAMPLIA  IDENTITY CARD", [5.0, 4.2], 2.6, label);
        d.line(vec![[5.0, 8.4], [80.6, 8.4]], 0.25, label, 0.9);
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

    pub(super) fn page(rng: &mut ChaCha8Rng) -> Self {
        let [g0, _, l0, l1] = Self::palette(rng);
        let tint = srgb(g0).map(|v| 1.0 - (1.0 - v) * 0.5);
        let mut d = Self::blank(Document::Page, [tint, srgb(0xFC_FBF6)]);
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
        let code = credit_number(rng);
        d.centred(&format!("CREDIT CODE {code}"), 79.0, 4.0, ink);
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
        d.text("TERM", [28.0, 204.0], 3.8, ink);
        let term = d.term(rng);
        d.text(&term, [62.0, 204.0], 3.8, ink);
        d.code_block(&format!("https://register.example/{code}"), [28.0, 222.0], 32.0);
        d.number = code;
        d.text("ISSUED BY THE REGISTER OF", [88.0, 228.0], 2.8, ink);
        d.text(place, [88.0, 235.0], 2.8, ink);
        d
    }

    /// A red seal of 38 mm about `at`, over what is printed, like a stamp: an outline, a star, a word across.
    pub(super) fn stamp(&mut self, seal: Seal, at: [f32; 2], ink: f32) {
        let red = srgb(0xC2_2A2E);
        let ring = |a: f32, b: f32| {
            let turn = (0..=120).map(|i| i as f32 / 120.0 * TAU);
            turn.map(|t| [at[0] + a * t.cos(), at[1] + b * t.sin()]).collect::<Vec<_>>()
        };
        let square = |half: f32| {
            [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)]
                .map(|(x, y): (f32, f32)| [at[0] + half * x, at[1] + half * y])
                .to_vec()
        };
        let outline = match seal {
            Seal::Round => [ring(19.0, 19.0), ring(17.6, 17.6)],
            Seal::Oval => [ring(22.0, 15.0), ring(20.6, 13.6)],
            Seal::Square => [square(14.0), square(12.6)],
            Seal::None => return,
        };
        for points in outline {
            self.line(points, 0.7, red, 0.85 * ink);
        }
        let star = (0..=5)
            .map(|i| (i * 2) as f32 / 5.0 * TAU - TAU / 4.0)
            .map(|t| [at[0] + 6.0 * t.cos(), at[1] + 6.0 * t.sin()]);
        self.line(star.collect(), 1.1, red, 0.85 * ink);
        for points in lettering::lines("SPECIMEN", at[0] - 10.5, at[1] + 8.0, 3.0) {
            self.line(points, 3.0 / 7.0, red, ink);
        }
    }

    /// The term of a licence as it is printed; when it ends is kept.
    fn term(&mut self, rng: &mut ChaCha8Rng) -> String {
        let (from, years) = (rng.random_range(2021..2026), [10, 20, 30][rng.random_range(0..3)]);
        // It ends on the day before the one on which it began.
        let (month, day) = (rng.random_range(1..13), rng.random_range(2..29));
        let begins = format!("{from}年{month:02}月{day:02}日");
        if rng.random_bool(0.25) {
            self.valid_until = LONG_TERM.into();
            return format!("{begins}至长期");
        }
        let (until, last) = (from + years, day - 1);
        self.valid_until = format!("{until}-{month:02}-{last:02}");
        format!("{begins}至{until}年{month:02}月{last:02}日")
    }

    /// The other side of an identity card: emblem, two lines of title, who issued it and until when it holds.
    pub(super) fn reverse(rng: &mut ChaCha8Rng) -> Self {
        let [g0, g1, l0, l1] = Self::palette(rng);
        let mut d = Self::blank(Document::Reverse, [srgb(g0), srgb(g1)]);
        let (ink, red, gold) = (srgb(0x1A_1A1E), srgb(0xB8_2E34), srgb(0xD8_A848));
        d.waves([0.0, -3.0, 85.6, 57.0], 44, [srgb(l0), srgb(l1)], rng);
        d.rosette([60.0, 34.0], 15.0, 12, 9.0, srgb(l1), 0.5);
        // The emblem: a red disc with a rim of gold, a star over a bar.
        let (middle, whole) = ([15.5, 14.0], [0.0, 0.0, 85.6, 54.0]);
        d.ellipse(middle, [9.0, 9.0], whole, gold);
        d.ellipse(middle, [7.8, 7.8], whole, red);
        let star = (0..=5).map(|i| (i * 2) as f32 / 5.0 * TAU - TAU / 4.0);
        d.line(star.map(|t| [middle[0] + 3.2 * t.cos(), 12.0 + 3.2 * t.sin()]).collect(), 0.7, gold, 1.0);
        d.line(vec![[11.0, 18.6], [20.0, 18.6]], 1.4, gold, 1.0);
        d.text("REPUBLIC OF EXAMPLIA", [29.0, 8.6], 2.9, ink);
        d.text("IDENTITY CARD", [31.0, 16.0], 4.4, ink);
        let (from, day) = (rng.random_range(2021..2026), rng.random_range(1..29));
        let month = rng.random_range(1..13);
        let until = from + [10, 20, 20][rng.random_range(0..3)];
        let office = format!("{} REGISTER", PLACE[rng.random_range(0..6)]);
        // The last draw: those before it are what they were without it.
        let begins = format!("{from}.{month:02}.{day:02}-");
        let holds = if rng.random_bool(0.12) {
            d.valid_until = LONG_TERM.into();
            begins + "长期"
        } else {
            d.valid_until = format!("{until}-{month:02}-{day:02}");
            format!("{begins}{until}.{month:02}.{day:02}")
        };
        for (i, (key, value)) in [("ISSUED BY", office), ("VALID", holds)].iter().enumerate() {
            let y = 38.4 + i as f32 * 7.0;
            d.text(key, [12.0, y], 1.9, ink);
            d.text(value, [30.0, y - 0.2], 2.3, ink);
        }
        d.text("SPECIMEN - NO VALUE", [30.0, 28.0], 2.2, red);
        d
    }

    /// The data page of a passport, ID-3, with its machine-readable zone (ICAO Doc 9303 part 4).
    pub(super) fn passport(rng: &mut ChaCha8Rng) -> Self {
        let [g0, g1, l0, l1] = Self::palette(rng);
        let mut d = Self::blank(Document::Passport, [srgb(g0), srgb(g1)]);
        let (ink, label, red) = (srgb(0x1A_1A1E), srgb(0x2A_5FA8), srgb(0xB8_2E34));
        d.waves([0.0, -3.0, 125.0, 66.0], 52, [srgb(l0), srgb(l1)], rng);
        d.rosette([76.0, 32.0], 22.0, 14, 11.0, srgb(l0), 0.5);
        d.text("PASSPORT", [6.0, 5.0], 3.2, label);
        d.text("REPUBLIC OF EXAMPLIA", [42.0, 5.2], 2.6, label);
        d.portrait([5.0, 13.0, 37.0, 54.0], rng);
        let (first, last) = (FIRST[rng.random_range(0..8)], LAST[rng.random_range(0..8)]);
        let day = |rng: &mut ChaCha8Rng, years: std::ops::Range<u32>| {
            [rng.random_range(years), rng.random_range(1..13), rng.random_range(1..29)]
        };
        let (birth, expiry) = (day(rng, 1955..2004), day(rng, 2032..2041));
        let sex = ["F", "M", "<"][rng.random_range(0..3)];
        let number = format!("X{}", digits(rng, 8));
        let plain = |[year, month, day]: [u32; 3]| format!("{day:02}.{month:02}.{year}");
        let until = format!("{}-{:02}-{:02}", expiry[0], expiry[1], expiry[2]);
        let fields = [
            ("PASSPORT NO.", number.clone()),
            ("SURNAME", last.to_owned()),
            ("GIVEN NAMES", first.to_owned()),
            ("NATIONALITY", "UTOPIAN".to_owned()),
            ("DATE OF BIRTH", plain(birth)),
            ("DATE OF EXPIRY", plain(expiry)),
        ];
        for (i, (key, value)) in fields.iter().enumerate() {
            let y = 12.0 + i as f32 * 7.4;
            d.text(key, [42.0, y], 1.5, label);
            d.text(value, [42.0, y + 2.5], 2.6, ink);
        }
        d.text("SPECIMEN - NO VALUE", [78.0, 57.0], 2.0, red);
        let short = |[year, month, day]: [u32; 3]| with_digit(&format!("{:02}{month:02}{day:02}", year % 100));
        let (number, birth, expiry) = (with_digit(&number), short(birth), short(expiry));
        let optional = with_digit("<<<<<<<<<<<<<<");
        let composite = with_digit(&format!("{number}{birth}{expiry}{optional}"));
        let names = format!("{last}<<{first}");
        let lines = [
            format!("P<UTO{names:<<39}"),
            format!("{number}UTO{birth}{sex}{expiry}{optional}{}", &composite[composite.len() - 1..]),
        ];
        // Capitals a tenth higher than the standard's, as they are set closer.
        for (i, line) in lines.iter().enumerate() {
            d.text(line, [8.5, 67.0 + i as f32 * 8.5], 2.75, ink);
        }
        d.number = lines.join("\n");
        d.valid_until = until;
        d
    }

    /// A QR code that says `content`, `side` millimetres wide with its quiet zone.
    fn code_block(&mut self, content: &str, at: [f32; 2], side: f32) {
        let Ok(code) = QRCodeWriter.encode(content, &BarcodeFormat::QR_CODE, 0, 0) else { return };
        self.rect([at[0], at[1], at[0] + side, at[1] + side], srgb(0xFC_FCFC), 1.0);
        let (module, ink) = (side / code.width() as f32, srgb(0x10_1010));
        for y in 0..code.height() {
            for x in (0..code.width()).filter(|x| code.get(*x, y)) {
                let corner = [at[0] + x as f32 * module, at[1] + y as f32 * module];
                self.rect([corner[0], corner[1], corner[0] + module, corner[1] + module], ink, 1.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisations_check_character_is_that_of_the_standard() {
        // The code within the example of GB 32100-2015, and the two ends of the modulus.
        for (code, check) in [("M000100Y", '4'), ("00000006", 'X'), ("00000000", '0')] {
            assert_eq!(organisation_check(code), check, "{code}");
        }
    }
}
