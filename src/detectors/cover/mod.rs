//! The document seen straight on, small and in colour → what lies over it, and over how much of its print and fields.

mod fields;

use std::sync::Arc;

use image::RgbImage;
use ndarray::{Array4, Ix4};

use fields::Cells;

use super::{Detector, DetectorInfo, Entry, abstain_without_model, failed};
use crate::evidence::{Abstention, AbstentionCause, Evidence, MarkKind, Outcome, Reading};
use crate::geometry::{Homography, PixelRect, Point, Quad, UNIT};
use crate::inference::{Model, write_planes};
use crate::scene::{PrintMask, Scene};
use crate::vocabulary::Zone;
use crate::words::Fact;

/// Side of the network's cells, in pixels of what it reads.
const CELL: u32 = 8;
/// Cells that make a thing: a finger tip over a card is 10 mm wide, three cells.
const LEAST_CELLS: usize = 2;

pub static SHARE: Reading =
    Reading::share("cover.share", "part of the document under something that is not the document");
pub static PRINT_SHARE: Reading =
    Reading::share("cover.print_share", "part of the document's print that is under it, or would be");
pub static BORDER_RATIO: Reading = Reading::new(
    "cover.border_ratio",
    "ratio",
    "step of colour across the border of what covers most, over the steps inside the document",
);
pub static LIGHT_RATIO: Reading = Reading::new(
    "cover.light_ratio",
    "ratio",
    "brightness of what covers most over that of the document: a deep shadow has little",
);
pub static GLARE_SHARE: Reading =
    Reading::share("cover.glare_share", "part of the document under a highlight that washes it out, by the network");
pub static PORTRAIT_SHARE: Reading = Reading::share(
    "cover.portrait_share",
    "part of the portrait's place under something, where print beside it says which side it is on",
);
pub static EMBLEM_SHARE: Reading = Reading::share("cover.emblem_share", "part of the emblem's place under something");
pub static NUMBER_SHARE: Reading = Reading::share(
    "cover.number_share",
    "part of the line of a card's number, or of a passport's zone, under something",
);
pub static QR_SHARE: Reading = Reading::share(
    "cover.qr_share",
    "part of a QR code that cannot be read, or of where two of its finder patterns say one is, under something",
);

pub(super) const ENTRY: Entry = Entry {
    info: DetectorInfo {
        id: "cover",
        question: "Does something lie over the document, and over its print?",
        readings: &[
            &SHARE,
            &PRINT_SHARE,
            &BORDER_RATIO,
            &LIGHT_RATIO,
            &GLARE_SHARE,
            &PORTRAIT_SHARE,
            &EMBLEM_SHARE,
            &NUMBER_SHARE,
            &QR_SHARE,
        ],
        method: "A small network on the document laid straight, 192 × 120 in colour, says for every 8 px whether \
                 something lies over it and whether a highlight washes it out. It learnt from photographs of documents \
                 with things laid over them (models/README.md). What hangs together is measured against the picture: \
                 the step of colour across its border, and whether print is seen there or runs up to it. Fields \
                 are where the document's kind has them, on a document that is surely upright.",
        blind_spots: "Smaller things than two cells, clear foil, and what has the document's own colours are not seen. \
                      What a covered place without print around it held cannot be known.",
    },
    build: |models| Box::new(Cover(models.get("cover_net"))),
};

struct Cover(Option<Arc<dyn Model>>);

/// Cells that hang together.
struct Thing {
    cells: Vec<usize>,
    /// Step of colour across its border, in grey levels.
    border: f64,
    /// Those under which print is expected.
    over_print: usize,
}

impl Detector for Cover {
    fn examine(&self, scene: &Scene<'_>) -> Outcome {
        let Some(model) = &self.0 else { return abstain_without_model("cover_net") };
        let Some((small, quad)) = scene.small() else {
            return Abstention::new(AbstentionCause::NoDocument, Fact::CoverNeedsDocument).into();
        };
        let said = match look(model.as_ref(), small) {
            Ok(said) => said,
            Err(cause) => return failed(&cause),
        };
        let (columns, rows) = (said.dim().3, said.dim().2);
        let rect = Quad(PixelRect::new(0, 0, small.width(), small.height()).corners());
        let Some(to_capture) = Homography::between(&rect, &quad) else {
            return failed(&"the document's corners make no rectangle");
        };
        let print = scene.print_map().within(&quad);
        let middle = |i: usize| {
            let at = |v: usize| (v as f32 + 0.5) * CELL as f32;
            to_capture.apply(Point::new(at(i % columns), at(i / columns)))
        };
        let covered: Vec<bool> = (0..rows * columns).map(|i| said[[0, 0, i / columns, i % columns]] > 0.0).collect();
        let colours: Vec<[f64; 3]> =
            (0..rows * columns).map(|i| mean_colour(small, i % columns, i / columns)).collect();
        let things = things(&covered, columns, &colours, &print, &middle);
        let bearing = (0..rows * columns).filter(|i| print.bears(middle(*i)) || print.expects(middle(*i))).count();
        let cells: usize = things.iter().map(|thing| thing.cells.len()).sum();
        let over_print: usize = things.iter().map(|thing| thing.over_print).sum();
        let count = (rows * columns) as f64;
        let glare = (0..rows * columns).filter(|i| said[[0, 1, i / columns, i % columns]] > 0.0).count();
        let mut evidence = Evidence::default();
        let (covered_share, print_share) = (cells as f64 / count, over_print as f64 / bearing.max(1) as f64);
        evidence.read(&SHARE, covered_share);
        evidence.read(&PRINT_SHARE, print_share);
        evidence.read(&GLARE_SHARE, glare as f64 / count);
        if let Some(largest) = things.iter().max_by_key(|thing| (thing.over_print, thing.cells.len())) {
            evidence.read(&BORDER_RATIO, largest.border / texture(&colours, columns).max(1.0));
            let light = |i: usize| colours[i].iter().sum::<f64>() / 3.0;
            let mean = largest.cells.iter().map(|i| light(*i)).sum::<f64>() / largest.cells.len() as f64;
            let mut all: Vec<f64> = (0..rows * columns).map(light).collect();
            all.sort_by(f64::total_cmp);
            evidence.read(&LIGHT_RATIO, mean / all[all.len() / 2].max(1.0));
        }
        // Zones are those of the document as it is read, and things lie as it lies in the small picture.
        let shares = Homography::between(&scene.outline(), &UNIT);
        let mut under = vec![false; rows * columns];
        things.iter().flat_map(|thing| &thing.cells).for_each(|i| under[*i] = true);
        let cells = Cells {
            places: (0..rows * columns).map(middle).collect(),
            under,
            print: (0..rows * columns).map(|i| print.bears(middle(i)) || print.expects(middle(i))).collect(),
        };
        cells.measure(scene, &mut evidence);
        for thing in &things {
            let outline = around(&thing.cells, columns).map(|p| to_capture.apply(p));
            let centre = outline[0].towards(outline[2], 0.5);
            let strength = (4.0 * thing.cells.len() as f64 / count) as f32;
            match &shares {
                Some(shares) => {
                    let at = shares.apply(centre);
                    evidence.mark_zone(MarkKind::Cover, outline, strength, Zone::at(at.x, at.y));
                }
                None => evidence.mark(MarkKind::Cover, outline, strength),
            }
        }
        evidence.tell(Fact::Cover { share: covered_share, print: print_share });
        evidence.into()
    }
}

/// Log-odds of covered and glare, cell by cell.
fn look(model: &dyn Model, small: &RgbImage) -> Result<Array4<f32>, String> {
    let (width, height) = (small.width() as usize, small.height() as usize);
    let mut input = Array4::zeros((1, 3, height, width));
    if let Some(planes) = input.as_slice_mut() {
        write_planes(small, planes);
    }
    let said = model.run(input.view().into_dyn()).map_err(|e| e.to_string())?;
    let maps = said.into_iter().next().map(ndarray::ArrayBase::into_dimensionality::<Ix4>);
    match maps {
        Some(Ok(maps)) if maps.dim() == (1, 2, height / CELL as usize, width / CELL as usize) => Ok(maps),
        _ => Err("the model gave another output than two maps".to_owned()),
    }
}

/// What of `covered` hangs together and is large enough, with its border and the print under it.
fn things(
    covered: &[bool],
    columns: usize,
    colours: &[[f64; 3]],
    print: &PrintMask<'_>,
    middle: &impl Fn(usize) -> Point,
) -> Vec<Thing> {
    let mut left = covered.to_vec();
    let mut found = Vec::new();
    for start in 0..covered.len() {
        if !left[start] {
            continue;
        }
        left[start] = false;
        let (mut open, mut cells) = (vec![start], Vec::new());
        let (mut steps, mut beside) = (0.0, 0usize);
        while let Some(i) = open.pop() {
            cells.push(i);
            for j in neighbours(i, columns, covered.len()) {
                if !covered[j] {
                    steps += distance(colours[i], colours[j]);
                    beside += 1;
                } else if left[j] {
                    left[j] = false;
                    open.push(j);
                }
            }
        }
        if cells.len() >= LEAST_CELLS {
            let hides = |i: &&usize| print.expects(middle(**i)) || print.reaches(middle(**i));
            let over_print = cells.iter().filter(hides).count();
            found.push(Thing { cells, border: steps / beside.max(1) as f64, over_print });
        }
    }
    found
}

/// The cells above, below, left and right of one.
fn neighbours(i: usize, columns: usize, count: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (i % columns, i / columns);
    let rows = count / columns;
    [
        (x > 0).then(|| i - 1),
        (x + 1 < columns).then(|| i + 1),
        (y > 0).then(|| i - columns),
        (y + 1 < rows).then(|| i + columns),
    ]
    .into_iter()
    .flatten()
}

fn mean_colour(small: &RgbImage, column: usize, row: usize) -> [f64; 3] {
    let mut sum = [0u32; 3];
    for y in 0..CELL {
        for x in 0..CELL {
            let pixel = small.get_pixel(column as u32 * CELL + x, row as u32 * CELL + y).0;
            sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u32::from(value));
        }
    }
    sum.map(|sum| f64::from(sum) / f64::from(CELL * CELL))
}

fn distance(a: [f64; 3], b: [f64; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>() / 3.0
}

/// Median step of colour between neighbouring cells: what the document's own print and pictures make.
fn texture(colours: &[[f64; 3]], columns: usize) -> f64 {
    let mut steps: Vec<f64> = (0..colours.len())
        .filter(|i| i % columns + 1 < columns)
        .map(|i| distance(colours[i], colours[i + 1]))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

/// The rectangle around cells, in pixels of the small picture.
fn around(cells: &[usize], columns: usize) -> [Point; 4] {
    let fold = |of: fn(usize, usize) -> usize| {
        cells.iter().map(|i| of(*i, columns)).fold((usize::MAX, 0), |(low, high), v| (low.min(v), high.max(v)))
    };
    let ((left, right), (top, bottom)) = (fold(|i, columns| i % columns), fold(|i, columns| i / columns));
    let rect = PixelRect::new(left as u32, top as u32, (right - left + 1) as u32, (bottom - top + 1) as u32);
    rect.corners().map(|p| p.scaled(CELL as f32))
}

#[cfg(test)]
mod tests {
    use ndarray::{ArrayD, ArrayViewD};

    use super::*;
    use crate::inference::InferenceError;

    /// Says that what is redder than green is covered.
    struct Red;

    impl Model for Red {
        fn run(&self, input: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
            let maps = Array4::from_shape_fn((1, 2, 15, 24), |(_, map, row, column)| {
                let at = |c: usize| input[[0, c, 8 * row + 4, 8 * column + 4]];
                if map == 0 && at(0) > at(1) + 40.0 { 5.0 } else { -5.0 }
            });
            Ok(vec![maps.into_dyn()])
        }
    }

    #[test]
    fn what_hangs_together_is_one_thing_with_a_border() {
        // A red finger over grey paper, and a single red cell that is too small to be a thing.
        let small = RgbImage::from_fn(192, 120, |x, y| {
            let finger = (64..96).contains(&x) && y >= 72;
            let speck = x / 8 == 20 && y / 8 == 2;
            image::Rgb(if finger || speck { [200, 120, 100] } else { [190, 190, 190] })
        });
        let maps = look(&Red, &small).expect("two maps");
        let covered: Vec<bool> = (0..15 * 24).map(|i| maps[[0, 0, i / 24, i % 24]] > 0.0).collect();
        let capture = crate::detectors::testing::grey(192, 120, |_, _| 190);
        let scene = crate::scene::survey(&capture, crate::scene::Deadline::NEVER);
        let print = scene.print_map().within(&scene.outline());
        let colours: Vec<[f64; 3]> = (0..15 * 24).map(|i| mean_colour(&small, i % 24, i / 24)).collect();
        let found = things(&covered, 24, &colours, &print, &|i| Point::new((i % 24) as f32, (i / 24) as f32));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].cells.len(), found[0].over_print), (4 * 6, 0));
        // A mean of 40 + 70 + 90 and 10 over three colours.
        assert!(found[0].border > 50.0 && texture(&colours, 24) < 1.0);
        let outline = around(&found[0].cells, 24);
        assert_eq!((outline[0], outline[2]), (Point::new(64.0, 72.0), Point::new(96.0, 120.0)));
    }

    #[test]
    fn a_model_with_other_maps_is_refused() {
        struct Foreign;
        impl Model for Foreign {
            fn run(&self, _: ArrayViewD<'_, f32>) -> Result<Vec<ArrayD<f32>>, InferenceError> {
                Ok(vec![ArrayD::zeros(vec![1, 2, 3, 4])])
            }
        }
        assert!(look(&Foreign, &RgbImage::new(192, 120)).is_err());
    }
}
