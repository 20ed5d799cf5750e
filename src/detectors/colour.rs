//! Overview → how much colour the document has, against its surround.
//!
//! Physics: a grey copy has the chroma of its paper alone, whatever stands around it in colour; a screen adds the tint
//! of its white point, against the light of the room; ink covers less of the chroma plane than pigment and plastic do.
//! Source: the grey-copy attack of DLC-2021 (Polevoy et al., "Document Liveness Challenge Dataset", 2022).
//! Blind spots: colour prints, documents that are grey by themselves, automatic white balance.

use super::{Detector, DetectorInfo, Entry};
use crate::evidence::{Evidence, Outcome, Reading};
use crate::geometry::{Point, Quad};
use crate::scene::{Overview, Scene};
use crate::words::Fact;

pub static PICTURE_CHROMA: Reading =
    Reading::new("colour.picture_chroma", "levels", "mean distance from neutral grey in Cb, Cr, whole picture");
pub static PICTURE_SPREAD: Reading =
    Reading::new("colour.picture_spread", "levels", "standard deviation of Cb, Cr about their mean, whole picture");
pub static PICTURE_RESIDUAL: Reading =
    Reading::new("colour.picture_residual", "levels", "spread that no one light over grey explains, whole picture");
pub static DOCUMENT_RESIDUAL: Reading =
    Reading::new("colour.document_residual", "levels", "spread that no one light over grey explains, document");
pub static SURROUND_RESIDUAL: Reading =
    Reading::new("colour.surround_residual", "levels", "spread that no one light over grey explains, outside it");
pub static GAMUT_AREA: Reading =
    Reading::share("colour.gamut_area", "occupied share of the Cb, Cr plane in cells of 8 levels, whole picture");
pub static WHITE_CHROMA: Reading =
    Reading::new("colour.white_chroma", "levels", "distance from neutral grey of the brightest tenth, whole picture");
pub static DOCUMENT_CHROMA: Reading =
    Reading::new("colour.document_chroma", "levels", "mean distance from neutral grey in Cb, Cr, document");
pub static DOCUMENT_SPREAD: Reading =
    Reading::new("colour.document_spread", "levels", "standard deviation of Cb, Cr about their mean, document");
pub static SURROUND_CHROMA: Reading =
    Reading::new("colour.surround_chroma", "levels", "mean distance from neutral grey in Cb, Cr, outside the document");
pub static SURROUND_SPREAD: Reading = Reading::new(
    "colour.surround_spread",
    "levels",
    "standard deviation of Cb, Cr about their mean, outside the document",
);
pub static GREY_RATIO: Reading =
    Reading::new("colour.grey_ratio", "ratio", "spread on the document over spread outside it, each plus one level");
pub static TINT_DIFFERENCE: Reading = Reading::new(
    "colour.tint_difference",
    "levels",
    "distance in Cb, Cr between the brightest tenth of document and of surround",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "colour",
        question: "Is the document grey while its surround is in colour, or its white tinted against the room?",
        readings: &[
            &PICTURE_CHROMA,
            &PICTURE_SPREAD,
            &PICTURE_RESIDUAL,
            &DOCUMENT_RESIDUAL,
            &SURROUND_RESIDUAL,
            &GAMUT_AREA,
            &WHITE_CHROMA,
            &DOCUMENT_CHROMA,
            &DOCUMENT_SPREAD,
            &SURROUND_CHROMA,
            &SURROUND_SPREAD,
            &GREY_RATIO,
            &TINT_DIFFERENCE,
        ],
        method: "Mean, spread and brightest tenth of Cb and Cr in the overview, every second pixel, on the document and \
                 outside it. The spread is about the region's own mean, so that a colour cast does not count as colour; \
                 the residual about its regression on luma, so that coloured light over a grey copy does not either.",
        blind_spots: "Colour prints; documents that are grey by themselves; a grey document on a grey desk, where the \
                      ratio is near one; automatic white balance, which shifts both regions together.",
    },
    build: |_| Box::new(Colour),
};

/// Fewer sampled pixels than this tell nothing of a region: its brightest tenth would be ten pixels.
const REGION_PX: u32 = 100;
/// Every how many-th overview pixel is read, each way.
const STRIDE: usize = 2;
/// Cells of the chroma plane, each way: 256 levels by 8.
const CELLS: usize = 32;

struct Colour;

impl Detector for Colour {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let overview = scene.overview();
        let quad = scene.document().map(|d| d.quad.scaled(1.0 / overview.scale));
        measure(overview, quad.as_ref()).into()
    }
}

fn measure(overview: &Overview, quad: Option<&Quad>) -> Evidence {
    let [document, surround] = regions(overview, quad);
    let whole = document.with(&surround);
    let mut evidence = Evidence::default();
    evidence.read(&PICTURE_CHROMA, whole.chroma());
    evidence.read(&PICTURE_SPREAD, whole.spread());
    evidence.read(&PICTURE_RESIDUAL, whole.residual());
    evidence.read(&GAMUT_AREA, whole.gamut_area());
    evidence.read(&WHITE_CHROMA, whole.white().map_or(f64::NAN, |[b, r]| b.hypot(r)));
    if quad.is_none() || document.count < REGION_PX {
        evidence.tell(Fact::ColoursOfPicture { spread: whole.spread() });
        return evidence;
    }
    evidence.read(&DOCUMENT_CHROMA, document.chroma());
    evidence.read(&DOCUMENT_SPREAD, document.spread());
    evidence.read(&DOCUMENT_RESIDUAL, document.residual());
    if surround.count < REGION_PX {
        evidence.tell(Fact::ColoursOfFullDocument { spread: document.spread() });
        return evidence;
    }
    evidence.read(&SURROUND_CHROMA, surround.chroma());
    evidence.read(&SURROUND_SPREAD, surround.spread());
    evidence.read(&SURROUND_RESIDUAL, surround.residual());
    evidence.read(&GREY_RATIO, (document.spread() + 1.0) / (surround.spread() + 1.0));
    if let (Some(a), Some(b)) = (document.white(), surround.white()) {
        evidence.read(&TINT_DIFFERENCE, (a[0] - b[0]).hypot(a[1] - b[1]));
    }
    evidence.tell(Fact::Colours { document: document.spread(), surround: surround.spread() });
    evidence
}

/// Sums over a region.
#[derive(Clone)]
struct Region {
    count: u32,
    distance: f64,
    sum: [f64; 2],
    squares: f64,
    cells: Vec<u32>,
    /// By luma: pixels, and sums of Cb and Cr less 128.
    by_luma: Vec<[i32; 3]>,
}

impl Region {
    fn new() -> Self {
        Self {
            count: 0,
            distance: 0.0,
            sum: [0.0; 2],
            squares: 0.0,
            cells: vec![0; CELLS * CELLS],
            by_luma: vec![[0; 3]; 256],
        }
    }

    fn add(&mut self, y: u8, cb: u8, cr: u8) {
        let (b, r) = (i32::from(cb) - 128, i32::from(cr) - 128);
        let square = f64::from(b * b + r * r);
        self.count += 1;
        self.distance += square.sqrt();
        self.sum[0] += f64::from(b);
        self.sum[1] += f64::from(r);
        self.squares += square;
        self.cells[usize::from(cb / 8) * CELLS + usize::from(cr / 8)] += 1;
        let luma = &mut self.by_luma[usize::from(y)];
        *luma = [luma[0] + 1, luma[1] + b, luma[2] + r];
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.count += other.count;
        both.distance += other.distance;
        both.squares += other.squares;
        both.sum = [self.sum[0] + other.sum[0], self.sum[1] + other.sum[1]];
        both.cells.iter_mut().zip(&other.cells).for_each(|(a, b)| *a += b);
        for (a, b) in both.by_luma.iter_mut().zip(&other.by_luma) {
            *a = [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
        }
        both
    }

    fn chroma(&self) -> f64 {
        self.distance / f64::from(self.count)
    }

    /// Deviation of Cb and Cr about their regression on luma, in levels. One light over grey paper and ink, whatever its
    /// colour, gives a chroma that goes with luma alone, so that it leaves nothing here; two inks of different hue do.
    fn residual(&self) -> f64 {
        let n = f64::from(self.count);
        // Sums of y, y², y·b, y·r.
        let mut sums = [0.0; 4];
        for (y, [count, b, r]) in self.by_luma.iter().enumerate() {
            let y = y as f64;
            let added = [y * f64::from(*count), y * y * f64::from(*count), y * f64::from(*b), y * f64::from(*r)];
            sums.iter_mut().zip(added).for_each(|(sum, v)| *sum += v);
        }
        let about = |products: f64, a: f64, b: f64| products - a * b / n;
        let luma = about(sums[1], sums[0], sums[0]).max(1e-9);
        let explained: f64 = [0, 1].map(|c| about(sums[2 + c], sums[0], self.sum[c]).powi(2) / luma).iter().sum();
        let total = self.squares - (self.sum[0].powi(2) + self.sum[1].powi(2)) / n;
        ((total - explained).max(0.0) / n).sqrt()
    }

    fn spread(&self) -> f64 {
        let n = f64::from(self.count);
        (self.squares / n - (self.sum[0] / n).powi(2) - (self.sum[1] / n).powi(2)).max(0.0).sqrt()
    }

    /// Cells that hold at least one pixel in 5,000 (and two at least) count: below that, stray JPEG ringing does.
    fn gamut_area(&self) -> f64 {
        let least = (self.count / 5000).max(2);
        self.cells.iter().filter(|&&n| n >= least).count() as f64 / self.cells.len() as f64
    }

    /// Mean Cb and Cr, less neutral, of the brightest tenth.
    fn white(&self) -> Option<[f64; 2]> {
        let wanted = i32::try_from(self.count / 10).ok()?.max(1);
        let mut total = [0i32; 3];
        for luma in self.by_luma.iter().rev() {
            if total[0] >= wanted {
                break;
            }
            total = [total[0] + luma[0], total[1] + luma[1], total[2] + luma[2]];
        }
        (total[0] > 0).then(|| [1, 2].map(|i| f64::from(total[i]) / f64::from(total[0])))
    }
}

/// The document, a little smaller than its border, and what lies off it; without a quad everything is surround.
fn regions(overview: &Overview, quad: Option<&Quad>) -> [Region; 2] {
    /// The border blends both sides: a twentieth of the document on either side of it is left out.
    const MARGIN: f32 = 0.05;
    let inner = quad.map(|q| q.scaled_about_centre(1.0 - MARGIN));
    let outer = quad.map(|q| q.scaled_about_centre(1.0 + MARGIN));
    let [mut document, mut surround] = [Region::new(), Region::new()];
    let width = overview.luma.width() as usize;
    let height = overview.luma.height() as usize;
    let planes = [&overview.luma, &overview.cb, &overview.cr].map(|p| p.as_raw().as_slice());
    for y in (0..height).step_by(STRIDE) {
        let [inner, outer] = [&inner, &outer].map(|q| q.as_ref().and_then(|q| span(q, y as f32 + 0.5)));
        let in_span = |span: Option<(f32, f32)>, x: f32| span.is_some_and(|(a, b)| x >= a && x <= b);
        for x in (0..width).step_by(STRIDE) {
            let at = y * width + x;
            let region = if in_span(inner, x as f32 + 0.5) {
                &mut document
            } else if in_span(outer, x as f32 + 0.5) {
                continue;
            } else {
                &mut surround
            };
            region.add(planes[0][at], planes[1][at], planes[2][at]);
        }
    }
    [document, surround]
}

/// Where row `y` enters and leaves a convex quad.
fn span(quad: &Quad, y: f32) -> Option<(f32, f32)> {
    let crossings = (0..4).filter_map(|i| {
        let (a, b): (Point, Point) = (quad.0[i], quad.0[(i + 1) % 4]);
        ((a.y <= y) != (b.y <= y)).then(|| a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y))
    });
    let (low, high) = crossings.fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    (low < high).then_some((low, high))
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, Luma};

    use super::*;
    use crate::geometry::PixelRect;

    fn card() -> PixelRect {
        PixelRect::new(60, 50, 180, 110)
    }

    /// 300 × 200 with patches of strong colour off the card and `on` × as strong on it.
    fn desk_with_card(on: f32) -> Overview {
        let plane = |phase: u32| {
            GrayImage::from_fn(300, 200, |x, y| {
                let c = card();
                let inside = (c.x..c.x + c.width).contains(&x) && (c.y..c.y + c.height).contains(&y);
                let level = ((x / 10 + y / 10 * 3 + phase) % 5) as f32 * 16.0 - 32.0;
                Luma([(128.0 + level * if inside { on } else { 1.0 }) as u8])
            })
        };
        let luma = GrayImage::from_fn(300, 200, |x, _| Luma([(60 + x / 3) as u8]));
        Overview { luma, cb: plane(0), cr: plane(2), scale: 1.0 }
    }

    #[test]
    fn a_grey_card_on_a_coloured_desk_has_a_low_ratio() {
        let quad = Quad(card().corners());
        let grey = measure(&desk_with_card(0.0), Some(&quad)).value("colour.grey_ratio").expect("measured");
        let coloured = measure(&desk_with_card(1.0), Some(&quad)).value("colour.grey_ratio").expect("measured");
        assert!(grey < 0.1, "{grey}");
        assert!((coloured - 1.0).abs() < 0.1, "{coloured}");
    }

    #[test]
    fn without_a_document_only_the_picture_is_measured() {
        let evidence = measure(&desk_with_card(1.0), None);
        assert!(evidence.value("colour.picture_spread").is_some_and(|v| v > 20.0));
        assert_eq!(evidence.value("colour.grey_ratio"), None);
        assert_eq!(evidence.value("colour.document_chroma"), None);
    }

    #[test]
    fn coloured_light_over_grey_leaves_no_residual_and_two_hues_do() {
        let luma = GrayImage::from_fn(300, 200, |x, y| Luma([(40 + (x / 3) + y / 4) as u8]));
        let chroma = |of: &dyn Fn(u32, u8) -> f32| {
            GrayImage::from_fn(300, 200, |x, y| Luma([(128.0 + of(x, luma.get_pixel(x, y).0[0])).round() as u8]))
        };
        let lit = chroma(&|_, y| 0.2 * f32::from(y));
        let inked = chroma(&|x, y| if x / 20 % 2 == 0 { 0.2 } else { -0.1 } * f32::from(y));
        let residual = |cb: &GrayImage| {
            let overview = Overview { luma: luma.clone(), cb: cb.clone(), cr: lit.clone(), scale: 1.0 };
            measure(&overview, None).value("colour.picture_residual").expect("measured")
        };
        assert!(residual(&lit) < 0.6, "{}", residual(&lit));
        assert!(residual(&inked) > 10.0, "{}", residual(&inked));
    }

    #[test]
    fn a_cast_is_chroma_but_not_spread() {
        let flat = |level| GrayImage::from_pixel(300, 200, Luma([level]));
        let evidence = measure(&Overview { luma: flat(90), cb: flat(108), cr: flat(148), scale: 1.0 }, None);
        assert!(evidence.value("colour.picture_spread").is_some_and(|v| v < 1e-3));
        for id in ["colour.picture_chroma", "colour.white_chroma"] {
            assert!(evidence.value(id).is_some_and(|v| (v - 800f64.sqrt()).abs() < 1e-6), "{id}");
        }
    }
}
