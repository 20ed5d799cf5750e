//! Upload whose verdict names reasons → whether the verdict falls when the evidence that it names is removed.
//!
//! An explanation that points at what the verdict rests on stands this test: without the named evidence the score falls
//! under the threshold that it had crossed, and without as much of something else it does not. Source: the deletion
//! metric of explanations (Petsiuk, Das and Saenko, "RISE", 2018) and occlusion by a sliding mask (Zeiler and Fergus,
//! 2014). Named evidence is of three sorts, told apart in every figure: what the report *marks*; what *occlusion*
//! finds, where the learned networks mark nothing; and what the *metadata* say.
//!
//! Limits: a mask is itself something to see, smoother than any photograph; what it does to a score beyond the loss of
//! what it hides shows in the control, no better. Cells found by occlusion were chosen by the score that then judges
//! them: they show that the score rests on a small part of the picture, not that the part is what a person would name.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use image::{DynamicImage, Rgb, RgbImage};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::robustness::{encode, picture};
use crate::capture::{Capture, CaptureError, MediaType, Upload};
use crate::checker::{Checker, Look};
use crate::detectors::{container, metadata};
use crate::evidence::{Mark, MarkKind, Reading};
use crate::geometry::{PixelRect, Point, Quad};
use crate::policy::{Decision, Pointer, Reason, code};
use crate::report::{Failure, Finding, Report};
use crate::scene::{Deadline, SPECTRAL_TILE_PX, Scene, TileSpectra};
use crate::screening::{failure, read_upload};

/// Quality of JPEG where a picture is re-encoded as one.
const QUALITY: u8 = 98;
/// Longest side of the grid on which regions are kept.
const CANVAS_PX: u32 = 1024;
/// Bins of a spectrum of twice a tile's side that belong to one line: its main lobe, and some drift of its pitch.
const REACH: i32 = 6;
/// Half the width of the band that is masked about a marked edge, as a share of the picture's long side.
const BAND_SHARE: f32 = 0.01;
/// The marked border of a device lies on its edge: as far beyond it the mask goes.
const BEYOND_DEVICE: f32 = 1.03;
/// A highlight's flank that is masked with it, as a share of the picture's long side.
const FLANK_SHARE: f32 = 0.01;

/// How explanations are tested.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settings {
    /// Seed of the controls, beside the file's own SHA-256.
    pub seed: u64,
    /// Cells of the occlusion grid along the longer and the shorter side, at least 1.
    pub cells: (u32, u32),
    /// Share of the picture that occlusion may name at most, 0 to 1.
    pub occluded_share: f64,
    /// Marks weaker than this are not named, 0 to 1; the shipped overlay draws none below 0.2.
    pub faintest: f32,
    /// Spectral lines of a marked tile that stand out less than this are left, in dB; noise alone reaches 14.
    pub line_db: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, cells: (4, 3), occluded_share: 0.25, faintest: 0.2, line_db: 14.0 }
    }
}

impl Settings {
    /// How often a picture with `reasons` reasons is checked at most: once as it came, once re-encoded, once with each
    /// cell masked, and for each reason twice (evidence and control) by at most four kinds of mark, all of them
    /// together, and occlusion.
    #[must_use]
    pub const fn most_checks(&self, reasons: u32) -> u32 {
        let cells = self.cells.0.saturating_mul(self.cells.1);
        2u32.saturating_add(cells).saturating_add(reasons.saturating_mul(12))
    }
}

/// Whose word the removed evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// All marks that show the reason, together.
    Marks,
    /// The marks of one kind.
    Mark(MarkKind),
    /// The cells whose masking moves the score most.
    Occlusion,
    /// What the file says of itself.
    Metadata,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Marks => f.write_str("marks"),
            Self::Mark(kind) => write!(f, "mark_{}", format!("{kind:?}").to_lowercase()),
            Self::Occlusion => f.write_str("occlusion"),
            Self::Metadata => f.write_str("metadata"),
        }
    }
}

impl Serialize for By {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One reason, and what became of it without some evidence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Deleted {
    /// Risk code.
    pub code: &'static str,
    /// Score (`score.screen`) or reading that crossed the threshold.
    pub quantity: String,
    /// The threshold.
    pub threshold: f64,
    /// The quantity in the upload as it came.
    pub reported: f64,
    /// The same after re-encoding without any change; `null` where it is then not measured.
    pub before: Option<f64>,
    /// Whether re-encoding alone brought it to the good side of the threshold: such a row says nothing more.
    pub lost: bool,
    /// Whose word the removed evidence is.
    pub by: By,
    /// Share of the whole picture that was changed.
    pub area_share: f64,
    /// The quantity without the evidence; `null` where it is then not measured.
    pub after: Option<f64>,
    /// Whether it then lies on the good side of the threshold. Where it is not measured: yes for metadata, else no.
    pub fell: bool,
    /// The quantity without as much of something else; `null` where there is no such control.
    pub random_after: Option<f64>,
    /// Whether it then lies on the good side.
    pub random_fell: Option<bool>,
}

/// The deletion test of one upload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// The file as it was named; `-` where it has no name.
    pub path: String,
    /// What the gate does with the upload.
    pub decision: Decision,
    /// One row for each reason and sort of evidence.
    pub reasons: Vec<Deleted>,
    /// Reasons that name no evidence which can be removed.
    pub untested: Vec<&'static str>,
    /// How often the picture was checked.
    pub checks: u32,
}

/// Tests the explanation of `upload`; at most [`Settings::most_checks`] checks.
///
/// Pixels are edited upright and given back as PNG, or as JPEG of quality 98 where a PNG would be larger than the
/// checker takes; every edit is compared with the same re-encoding without an edit.
///
/// # Errors
/// [`CaptureError`] when the upload cannot be examined.
pub fn explain(checker: &Checker, upload: &Upload<'_>, settings: &Settings) -> Result<Explanation, CaptureError> {
    checker.look(upload, Deadline::NEVER, |look| explain_look(checker, upload, look, settings))?
}

fn explain_look(
    checker: &Checker,
    upload: &Upload<'_>,
    mut look: Look<'_>,
    settings: &Settings,
) -> Result<Explanation, CaptureError> {
    let report = look.report();
    let (capture, scene) = (look.capture, &look.scene);
    let mut explanation = Explanation {
        path: report.path.clone(),
        decision: report.decision,
        reasons: Vec::new(),
        untested: Vec::new(),
        checks: 1,
    };
    let tests: Vec<Test<'_>> = report.reasons.iter().map(|reason| Test::of(reason, &report)).collect();
    if tests.iter().any(Test::edits_pixels) {
        let mut bench = Bench::new(checker, upload, capture, settings)?;
        let untouched = bench.examine(&bench.picture.clone())?;
        let cells = cells(bench.picture.size(), settings.cells);
        let mut masked = Vec::new();
        if tests.iter().any(|test| test.learned) {
            for cell in &cells {
                masked.push(bench.without(&[Edit::Mask(cell.clone(), Filling::Surrounding)])?);
            }
        }
        for test in tests.iter().filter(|test| test.edits_pixels()) {
            explanation.reasons.extend(bench.by_marks(test, &report, scene, &untouched)?);
            if test.learned {
                explanation.reasons.push(bench.by_occlusion(test, &untouched, &cells, &masked)?);
            }
        }
        explanation.checks += bench.checks;
    }
    for test in tests.iter().filter(|test| test.metadata) {
        let (row, checks) = by_metadata(checker, upload, capture, test)?;
        explanation.reasons.push(row);
        explanation.checks += checks;
    }
    let tested = |code: &str| explanation.reasons.iter().any(|row| row.code == code);
    explanation.untested = report.reasons.iter().map(|reason| reason.code).filter(|code| !tested(code)).collect();
    Ok(explanation)
}

/// Tests the explanations of files, as many at a time as the pool of threads has workers; in the order of `paths`.
#[must_use]
pub fn explain_files(checker: &Checker, paths: &[PathBuf], settings: &Settings) -> Vec<Result<Explanation, Failure>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let explained = |path: &PathBuf| {
        let name = path.to_string_lossy();
        let bytes = read_upload(path, checker.limits())?;
        explain(checker, &Upload { bytes: &bytes, name: Some(&name) }, settings)
            .map_err(|error| failure(name, error.code(), error.to_string()))
    };
    // One long task a worker, and no parallel iterator: a worker that waits inside an engine must not begin another
    // picture meanwhile.
    rayon::broadcast(|_| {
        while let Some((place, path)) = {
            let place = next.fetch_add(1, Ordering::Relaxed);
            paths.get(place).map(|path| (place, path))
        } {
            let outcome = explained(path);
            done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(place, outcome);
        }
    });
    done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into_values().collect()
}

/// How many rows of one code and sort of evidence came out how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Risk code.
    pub code: &'static str,
    /// Whose word the removed evidence is, as [`By`] is written.
    pub by: String,
    /// Rows whose quantity still crosses its threshold after re-encoding: those that the other numbers count.
    pub tested: u64,
    /// Rows in which re-encoding alone was enough; counted nowhere else.
    pub lost: u64,
    /// Without the evidence it fell.
    pub fell: u64,
    /// Rows with a control.
    pub controls: u64,
    /// In the control it fell.
    pub random_fell: u64,
}

/// Counts, by code and sort of evidence, in the order of their names.
#[must_use]
pub fn summary(explanations: &[Explanation]) -> Vec<Summary> {
    let mut counts: BTreeMap<(&'static str, String), Summary> = BTreeMap::new();
    for row in explanations.iter().flat_map(|explanation| &explanation.reasons) {
        let by = row.by.to_string();
        let count = counts.entry((row.code, by.clone())).or_insert_with(|| Summary {
            code: row.code,
            by,
            tested: 0,
            lost: 0,
            fell: 0,
            controls: 0,
            random_fell: 0,
        });
        if row.lost {
            count.lost += 1;
            continue;
        }
        count.tested += 1;
        count.fell += u64::from(row.fell);
        count.controls += u64::from(row.random_fell.is_some());
        count.random_fell += u64::from(row.random_fell == Some(true));
    }
    counts.into_values().collect()
}

/// Kinds of marks whose evidence can be taken out of the pixels, in the order of the rows.
const EDITABLE: [MarkKind; 7] = [
    MarkKind::Pattern,
    MarkKind::Device,
    MarkKind::Edge,
    MarkKind::Heat,
    MarkKind::Halftone,
    MarkKind::Glare,
    MarkKind::Cover,
];

/// Readings of what the file says of itself.
static SAID: [&Reading; 5] = [
    &metadata::SCREENSHOT_NAMED,
    &metadata::EDITOR_NAMED,
    &container::C2PA_SCREEN_CAPTURE,
    &container::C2PA_COMPOSITE,
    &container::C2PA_GENERATED,
];

/// A reason, and how it can be tested.
struct Test<'a> {
    reason: &'a Reason,
    /// Marks that show it.
    marks: Vec<&'a Mark>,
    /// Whether learned networks speak for it, which point at nothing.
    learned: bool,
    /// Whether it is what the file says of itself.
    metadata: bool,
}

impl<'a> Test<'a> {
    fn of(reason: &'a Reason, report: &'a Report) -> Self {
        let learned = matches!(reason.reading.as_str(), "score.screen" | "score.print");
        // Where a reading alone was judged, marks of another detector show something else.
        let judged = |finding: &Finding| reason.reading.split('.').next() == Some(finding.detector);
        let pointed = |pointer: &Pointer| match *pointer {
            Pointer::Mark { finding, .. } if !learned && !judged(report.findings.get(finding)?) => None,
            pointer => report.mark(pointer),
        };
        let mut marks: Vec<&Mark> = reason.shown_by.iter().filter_map(pointed).collect();
        // An edge of a device is marked where no more of it was found.
        if learned && code(reason.code).is_some_and(|code| code.shows(MarkKind::Device)) {
            let all = report.findings.iter().flat_map(|finding| &finding.marks);
            marks.extend(all.filter(|mark| mark.kind == MarkKind::Edge));
        }
        marks.retain(|mark| EDITABLE.contains(&mark.kind));
        let metadata = SAID.iter().any(|reading| reading.id == reason.reading);
        Self { reason, marks, learned, metadata }
    }

    const fn edits_pixels(&self) -> bool {
        self.learned || !self.marks.is_empty()
    }

    /// Whether a value is on the bad side of the threshold, which is the side of the value that crossed it.
    fn crossed(&self, value: f64) -> bool {
        let (score, threshold) = (self.reason.score, self.reason.threshold);
        if score >= threshold { value >= threshold } else { value < threshold }
    }

    /// By how much `after` is better than `before`.
    fn gain(&self, before: f64, after: f64) -> f64 {
        if self.reason.score >= self.reason.threshold { before - after } else { after - before }
    }

    fn row(&self, by: By, area_share: f64, values: [Option<f64>; 2], control: Option<Control>) -> Deleted {
        let [before, after] = values;
        // A file that says nothing accuses nobody; a score or reading of the pixels that is gone proves nothing.
        let fell = |value: Option<f64>| value.map_or(by == By::Metadata, |value| !self.crossed(value));
        Deleted {
            code: self.reason.code,
            quantity: self.reason.reading.clone(),
            threshold: self.reason.threshold,
            reported: self.reason.score,
            before,
            lost: before.is_none_or(|value| !self.crossed(value)),
            by,
            area_share,
            after,
            fell: fell(after),
            random_after: control.and_then(|Control(value)| value),
            random_fell: control.map(|Control(value)| fell(value)),
        }
    }
}

/// The quantity in a control, if it is measured there.
#[derive(Clone, Copy)]
struct Control(Option<f64>);

/// A score (`score.screen`) or reading of a report.
fn measured(report: &Report, quantity: &str) -> Option<f64> {
    match quantity.strip_prefix("score.") {
        Some(name) => report.scores.named(name),
        None => report.findings.iter().find_map(|finding| finding.readings.get(quantity).copied()),
    }
}

/// The pixels of an upload, to be edited.
#[derive(Clone)]
struct Picture {
    native: RgbImage,
    is_grey: bool,
}

impl Picture {
    fn of(capture: &Capture) -> Result<Self, CaptureError> {
        Ok(Self { is_grey: capture.is_grey(), native: picture(capture)?.into_rgb8() })
    }

    /// Width and height.
    fn size(&self) -> (u32, u32) {
        self.native.dimensions()
    }

    fn file(&self, quality: Option<u8>) -> Result<Vec<u8>, CaptureError> {
        let colour = DynamicImage::ImageRgb8(self.native.clone());
        let picture = if self.is_grey { DynamicImage::ImageLuma8(colour.into_luma8()) } else { colour };
        encode(&picture, quality).map_err(|_| CaptureError::Undecodable)
    }
}

/// A spectral line: cycles per [`SPECTRAL_TILE_PX`] pixels across and down.
type Line = (f32, f32);

/// A change of pixels that removes evidence.
#[derive(Clone)]
enum Edit {
    /// Damps spectral lines of squares to the level of what lies at the same distance from frequency zero.
    Flatten(Vec<(PixelRect, Vec<Line>)>),
    /// Fills a region.
    Mask(Region, Filling),
}

/// What a region is filled with.
#[derive(Clone, Copy)]
enum Filling {
    /// What lies around it, smoothly.
    Surrounding,
    /// One colour.
    Colour([f32; 3]),
}

impl Edit {
    fn apply(&self, picture: &mut Picture, random: &mut ChaCha8Rng) {
        match self {
            Self::Flatten(tiles) => {
                for (rect, lines) in tiles {
                    flatten(&mut picture.native, *rect, lines, random);
                }
            }
            Self::Mask(region, filling) => {
                let mask = region.mask(picture.size());
                fill(&mut picture.native, &mask, *filling);
            }
        }
    }

    /// As much of something else: the same lines turned to another direction, or the same region moved, over the
    /// picture's border to the other side where need be.
    fn elsewhere(&self, random: &mut ChaCha8Rng) -> Self {
        match self {
            Self::Flatten(tiles) => {
                let turned = tiles
                    .iter()
                    .map(|(rect, lines)| (*rect, lines.iter().map(|line| turned(*line, lines, random)).collect()));
                Self::Flatten(turned.collect())
            }
            Self::Mask(region, filling) => {
                let (dx, dy) = (random.random_range(0..region.width), random.random_range(0..region.height));
                Self::Mask(region.moved(dx, dy), *filling)
            }
        }
    }
}

/// The line at the same distance from frequency zero in a random direction, away from `lines` where there is room.
fn turned(line: Line, lines: &[Line], random: &mut ChaCha8Rng) -> Line {
    let radius = line.0.hypot(line.1);
    let apart = |a: Line, b: Line| (a.0 - b.0).hypot(a.1 - b.1).min((a.0 + b.0).hypot(a.1 + b.1));
    let mut found = line;
    for _ in 0..32 {
        let (sine, cosine) = random.random_range(0.0..std::f32::consts::PI).sin_cos();
        found = (radius * cosine, radius * sine);
        if lines.iter().all(|other| apart(found, *other) > REACH as f32) {
            break;
        }
    }
    found
}

/// A part of the picture, on a grid of at most [`CANVAS_PX`] a side.
#[derive(Debug, Clone, PartialEq)]
struct Region {
    width: u32,
    height: u32,
    /// Canvas pixels per picture pixel, across and down.
    factor: (f64, f64),
    held: Vec<bool>,
}

impl Region {
    /// No part of a picture of `size`.
    fn none((width, height): (u32, u32)) -> Self {
        let factor = (f64::from(CANVAS_PX) / f64::from(width.max(height).max(1))).min(1.0);
        let side = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
        let (columns, rows) = (side(width), side(height));
        let share = |canvas: u32, side: u32| f64::from(canvas) / f64::from(side.max(1));
        let held = vec![false; columns as usize * rows as usize];
        Self { width: columns, height: rows, factor: (share(columns, width), share(rows, height)), held }
    }

    /// Takes in, or leaves out, what a polygon in picture pixels encloses, as far as it lies inside the picture; one
    /// with a corner that is no number encloses nothing.
    fn lay(&mut self, polygon: &[Point], held: bool) {
        if polygon.iter().any(|p| !p.x.is_finite() || !p.y.is_finite()) {
            return;
        }
        let corners: Vec<(f64, f64)> =
            polygon.iter().map(|p| (f64::from(p.x) * self.factor.0, f64::from(p.y) * self.factor.1)).collect();
        let mut crossings = Vec::new();
        for (row, cells) in self.held.chunks_exact_mut(self.width as usize).enumerate() {
            let middle = row as f64 + 0.5;
            crossings.clear();
            for (i, a) in corners.iter().enumerate() {
                let b = corners[(i + 1) % corners.len()];
                if (a.1 <= middle) != (b.1 <= middle) {
                    crossings.push(a.0 + (middle - a.1) / (b.1 - a.1) * (b.0 - a.0));
                }
            }
            crossings.sort_by(f64::total_cmp);
            let column = |x: f64| (x.clamp(0.0, f64::from(self.width))).round() as usize;
            for ends in crossings.as_chunks::<2>().0 {
                cells[column(ends[0])..column(ends[1]).max(column(ends[0]))].fill(held);
            }
        }
    }

    fn join(&mut self, other: &Self) {
        for (mine, theirs) in self.held.iter_mut().zip(&other.held) {
            *mine |= theirs;
        }
    }

    fn is_empty(&self) -> bool {
        !self.held.contains(&true)
    }

    /// Share of the picture.
    fn share(&self) -> f64 {
        self.held.iter().filter(|held| **held).count() as f64 / self.held.len() as f64
    }

    /// The same region `dx` columns to the right and `dy` rows down; what leaves the picture enters opposite.
    fn moved(&self, dx: u32, dy: u32) -> Self {
        let (width, height) = (self.width as usize, self.height as usize);
        let mut held = vec![false; self.held.len()];
        for (i, _) in self.held.iter().enumerate().filter(|(_, held)| **held) {
            let (x, y) = ((i % width + dx as usize) % width, (i / width + dy as usize) % height);
            held[y * width + x] = true;
        }
        Self { held, ..self.clone() }
    }

    /// The region and everything within `reach` pixels of the picture of it, across or down.
    fn grown(&self, reach: f64) -> Self {
        let (across, down) = ((reach * self.factor.0).ceil() as usize, (reach * self.factor.1).ceil() as usize);
        let (width, height) = (self.width as usize, self.height as usize);
        let mut grown = self.clone();
        for (i, _) in self.held.iter().enumerate().filter(|(_, held)| **held) {
            let (x, y) = (i % width, i / width);
            for row in y.saturating_sub(down)..=(y + down).min(height - 1) {
                grown.held[row * width + x.saturating_sub(across)..=row * width + (x + across).min(width - 1)]
                    .fill(true);
            }
        }
        grown
    }

    /// Which pixels of a picture of `size` lie in the region, row by row.
    fn mask(&self, size: (u32, u32)) -> Vec<bool> {
        let along = |i: u32, count: u32, cells: u32| {
            ((((f64::from(i) + 0.5) / f64::from(count)) * f64::from(cells)) as u32).min(cells - 1) as usize
        };
        let columns: Vec<usize> = (0..size.0).map(|x| along(x, size.0, self.width)).collect();
        let rows = (0..size.1).map(|y| along(y, size.1, self.height));
        rows.flat_map(|y| columns.iter().map(move |x| self.held[y * self.width as usize + x])).collect()
    }
}

/// The cells of a grid over a picture of `size`, `along.0` of them along its longer side.
fn cells(size: (u32, u32), along: (u32, u32)) -> Vec<Region> {
    let none = Region::none(size);
    let (across, down) = if size.0 >= size.1 { along } else { (along.1, along.0) };
    let (across, down) = (across.clamp(1, none.width), down.clamp(1, none.height));
    let cut = |i: u32, count: u32, span: u32| (u64::from(i) * u64::from(span) / u64::from(count)) as usize;
    let mut cells = Vec::new();
    for (y, x) in (0..down).flat_map(|y| (0..across).map(move |x| (y, x))) {
        let mut cell = none.clone();
        for row in cut(y, down, none.height)..cut(y + 1, down, none.height) {
            let start = row * none.width as usize;
            cell.held[start + cut(x, across, none.width)..start + cut(x + 1, across, none.width)].fill(true);
        }
        cells.push(cell);
    }
    cells
}

/// Fills the masked pixels of a picture; a picture that is masked throughout becomes its own mean colour.
fn fill(picture: &mut RgbImage, mask: &[bool], filling: Filling) {
    if !mask.contains(&true) {
        return;
    }
    let (width, height) = picture.dimensions();
    let levels = |value: f32| value.round().clamp(0.0, 255.0) as u8;
    if let Filling::Colour(colour) = filling {
        for (pixel, _) in picture.pixels_mut().zip(mask).filter(|(_, masked)| **masked) {
            *pixel = Rgb(colour.map(levels));
        }
        return;
    }
    // What fills is smooth: it is worked out on a grid of means, and read between them.
    let step = width.max(height).div_ceil(CANVAS_PX).max(1);
    let (columns, rows) = (width.div_ceil(step) as usize, height.div_ceil(step) as usize);
    let mut known = vec![[0.0f32; 4]; columns * rows];
    let mut total = [0.0f64; 3];
    for ((x, y, pixel), masked) in picture.enumerate_pixels().zip(mask) {
        let place = (y / step) as usize * columns + (x / step) as usize;
        for ((sum, all), value) in known[place].iter_mut().zip(&mut total).zip(pixel.0) {
            *sum += if *masked { 0.0 } else { f32::from(value) };
            *all += f64::from(value);
        }
        known[place][3] += if *masked { 0.0 } else { 1.0 };
    }
    for place in &mut known {
        let count = place[3].max(1.0);
        *place = [place[0] / count, place[1] / count, place[2] / count, place[3].min(1.0)];
    }
    let mean = total.map(|sum| (sum / mask.len() as f64) as f32);
    let filled = diffused(&known, columns, rows, mean);
    for ((x, y, pixel), _) in picture.enumerate_pixels_mut().zip(mask).filter(|(_, masked)| **masked) {
        let at = |i: u32| (i as f32 + 0.5) / step as f32;
        *pixel = Rgb(between(&filled, columns, rows, at(x), at(y)).map(levels));
    }
}

/// Values with weights 0 to 1 → values everywhere: means of means upwards, and back down where weight is missing
/// (pull and push; Gortler et al., "The Lumigraph", 1996). `otherwise` where nothing has weight.
fn diffused(known: &[[f32; 4]], columns: usize, rows: usize, otherwise: [f32; 3]) -> Vec<[f32; 3]> {
    if known.iter().all(|value| value[3] >= 1.0) || (columns == 1 && rows == 1) {
        let own = |v: &[f32; 4]| if v[3] > 0.0 { [v[0], v[1], v[2]] } else { otherwise };
        return known.iter().map(own).collect();
    }
    let (fewer_columns, fewer_rows) = (columns.div_ceil(2), rows.div_ceil(2));
    let mut means = vec![[0.0f32; 4]; fewer_columns * fewer_rows];
    for (i, value) in known.iter().enumerate() {
        let mean = &mut means[i / columns / 2 * fewer_columns + i % columns / 2];
        for (sum, part) in mean.iter_mut().zip(value) {
            *sum += part * value[3];
        }
        // The weight itself is summed as it is.
        mean[3] += value[3] - value[3] * value[3];
    }
    for mean in &mut means {
        let weight = mean[3].max(f32::MIN_POSITIVE);
        *mean = [mean[0] / weight, mean[1] / weight, mean[2] / weight, mean[3].min(1.0)];
    }
    let coarse = diffused(&means, fewer_columns, fewer_rows, otherwise);
    let mixed = |(i, value): (usize, &[f32; 4])| {
        let at = |i: usize| 0.5 * (i as f32 + 0.5);
        let below = between(&coarse, fewer_columns, fewer_rows, at(i % columns), at(i / columns));
        std::array::from_fn(|c| value[c] * value[3] + below[c] * (1.0 - value[3]))
    };
    known.iter().enumerate().map(mixed).collect()
}

/// The value at (`x`, `y`), where that of column `i` lies at `i` + 0.5; bilinear, held at the border.
fn between(values: &[[f32; 3]], columns: usize, rows: usize, x: f32, y: f32) -> [f32; 3] {
    let split = |at: f32, count: usize| {
        let at = (at - 0.5).clamp(0.0, (count - 1) as f32);
        let first = (at as usize).min(count - 1);
        (first, (first + 1).min(count - 1), at - first as f32)
    };
    let ((left, right, across), (upper, lower, down)) = (split(x, columns), split(y, rows));
    let mixed = |a: [f32; 3], b: [f32; 3], t: f32| std::array::from_fn(|c| a[c] + (b[c] - a[c]) * t);
    let row = |y: usize| mixed(values[y * columns + left], values[y * columns + right], across);
    mixed(row(upper), row(lower), down)
}

/// Damps `lines` of the square `rect` in every channel to the geometric mean of their rings, and changes nothing else:
/// nothing outside `rect`, and nothing at all unless it is a square inside the picture.
///
/// The spectrum is taken over twice the square's side, flat over the square and falling to nothing about it, so that a
/// line keeps to few bins and what is taken away is right up to the square's border. Levels are rounded at random:
/// a pattern weaker than half a level would otherwise survive.
fn flatten(picture: &mut RgbImage, rect: PixelRect, lines: &[Line], random: &mut ChaCha8Rng) {
    let (width, height) = picture.dimensions();
    let fits = u64::from(rect.x) + u64::from(rect.width) <= u64::from(width)
        && u64::from(rect.y) + u64::from(rect.height) <= u64::from(height);
    if !fits || rect.width != rect.height || rect.width < 32 || lines.is_empty() {
        return;
    }
    let side = rect.width as usize;
    let n = 2 * side;
    let margin = side / 2;
    let taper = |i: usize| {
        let away = if i < margin { margin - i } else { (i + 1).saturating_sub(margin + side) };
        0.5 + 0.5 * (std::f32::consts::PI * away as f32 / (margin + 1) as f32).cos()
    };
    let fold = |i: i64, count: u32| {
        let period = (2 * i64::from(count) - 2).max(1);
        let i = i.rem_euclid(period);
        (if i < i64::from(count) { i } else { period - i }) as u32
    };
    let column = |i: usize| fold(i64::from(rect.x) + i as i64 - margin as i64, width);
    let row = |i: usize| fold(i64::from(rect.y) + i as i64 - margin as i64, height);
    let (columns, rows): (Vec<u32>, Vec<u32>) = ((0..n).map(column).collect(), (0..n).map(row).collect());
    let mut planner = FftPlanner::new();
    let (forward, inverse) = (planner.plan_fft_forward(n), planner.plan_fft_inverse(n));
    let scale = n as f32 / SPECTRAL_TILE_PX as f32;
    let lines: Vec<Line> = lines.iter().map(|(x, y)| (x * scale, y * scale)).collect();
    let mut taken = vec![[0.0f32; 3]; side * side];
    for channel in 0..3 {
        let value = |x: usize, y: usize| f32::from(picture.get_pixel(columns[x], rows[y]).0[channel]);
        let inner = || (margin..margin + side).flat_map(|y| (margin..margin + side).map(move |x| (x, y)));
        let mean = inner().map(|(x, y)| value(x, y)).sum::<f32>() / (side * side) as f32;
        let mut plane: Vec<Complex32> = (0..n * n)
            .map(|i| Complex32::new((value(i % n, i / n) - mean) * taper(i % n) * taper(i / n), 0.0))
            .collect();
        transform(&mut plane, n, forward.as_ref());
        let mut excess = vec![Complex32::default(); n * n];
        for line in &lines {
            let Some(level) = ring_level(&plane, n, *line, &lines) else { continue };
            for (dx, dy) in (-REACH..=REACH).flat_map(|dy| (-REACH..=REACH).map(move |dx| (dx, dy))) {
                if dx * dx + dy * dy > REACH * REACH {
                    continue;
                }
                for sign in [1, -1] {
                    let at = bin(sign * (line.0.round() as i32 + dx), sign * (line.1.round() as i32 + dy), n);
                    let height = plane[at].norm();
                    if height > level {
                        excess[at] = plane[at] * (1.0 - level / height);
                    }
                }
            }
        }
        transform(&mut excess, n, inverse.as_ref());
        for ((x, y), taken) in inner().zip(&mut taken) {
            taken[channel] = excess[y * n + x].re / (n * n) as f32;
        }
    }
    for (i, taken) in taken.iter().enumerate() {
        let (x, y) = (rect.x + (i % side) as u32, rect.y + (i / side) as u32);
        for (value, part) in picture.get_pixel_mut(x, y).0.iter_mut().zip(taken) {
            *value = (f32::from(*value) - part + random.random::<f32>()).floor().clamp(0.0, 255.0) as u8;
        }
    }
}

/// Where a frequency stands in a transformed plane, which lies column by column.
fn bin(x: i32, y: i32, n: usize) -> usize {
    let fold = |f: i32| f.rem_euclid(n as i32) as usize;
    fold(x) * n + fold(y)
}

/// Geometric mean of the amplitudes about as far from frequency zero as `line`, away from all of `lines`; `None` where
/// nothing is left.
fn ring_level(plane: &[Complex32], n: usize, line: Line, lines: &[Line]) -> Option<f32> {
    let radius = line.0.hypot(line.1);
    let (mut sum, mut count) = (0.0f32, 0u32);
    for step in 0..360u16 {
        let (sine, cosine) = (f32::from(step) * std::f32::consts::PI / 360.0).sin_cos();
        for off in [-3.0, 0.0, 3.0] {
            let (x, y) = ((radius + off) * cosine, (radius + off) * sine);
            let apart = |l: &Line| (x - l.0).hypot(y - l.1).min((x + l.0).hypot(y + l.1)) > (2 * REACH) as f32;
            // The axes' cross holds the picture's own upright edges.
            if x.abs() > REACH as f32 && y.abs() > REACH as f32 && lines.iter().all(apart) {
                sum += plane[bin(x.round() as i32, y.round() as i32, n)].norm().max(f32::MIN_POSITIVE).ln();
                count += 1;
            }
        }
    }
    (count > 0).then(|| (sum / count as f32).exp())
}

/// Transforms a plane of `n` × `n` and leaves it turned about its diagonal: twice, and it lies as before.
fn transform(plane: &mut [Complex32], n: usize, fft: &dyn Fft<f32>) {
    fft.process(plane);
    for y in 0..n {
        for x in 0..y {
            plane.swap(y * n + x, x * n + y);
        }
    }
    fft.process(plane);
}

/// The squares that marks of `kind` show, each with its spectral lines.
fn marked_lines(marks: &[&Mark], spectra: &[TileSpectra], line_db: f32) -> Vec<(PixelRect, Vec<Line>)> {
    let mut found = Vec::new();
    for tile in spectra {
        let Some(mark) = marks.iter().find(|mark| mark.polygon == tile.rect.corners()) else { continue };
        let mut lines: Vec<Line> = Vec::new();
        for peak in tile.y.peaks.iter().chain(&tile.chroma.peaks).filter(|p| p.ring_db.min(p.local_db) >= line_db) {
            lines.push((peak.x, peak.y));
            if mark.kind == MarkKind::Halftone {
                // A lattice has an equal partner at right angles.
                lines.push((-peak.y, peak.x));
            }
        }
        if !lines.is_empty() {
            found.push((tile.rect, lines));
        }
    }
    found
}

/// The region that marks of one kind show; empty for kinds that show none.
fn marked_region(kind: MarkKind, marks: &[&Mark], size: (u32, u32), document: Option<&Quad>) -> Region {
    let mut region = Region::none(size);
    let long_side = size.0.max(size.1) as f32;
    for mark in marks {
        match (kind, mark.polygon.as_slice()) {
            (MarkKind::Device, &[a, b, c, d]) => {
                region.lay(&Quad([a, b, c, d]).scaled_about_centre(BEYOND_DEVICE).0, true);
            }
            (MarkKind::Edge, &[from, to]) => {
                let length = from.distance(to).max(f32::MIN_POSITIVE);
                let off = BAND_SHARE * long_side / length;
                let (x, y) = ((from.y - to.y) * off, (to.x - from.x) * off);
                let beside = |p: Point, way: f32| Point::new(p.x + way * x, p.y + way * y);
                region.lay(&[beside(from, 1.0), beside(to, 1.0), beside(to, -1.0), beside(from, -1.0)], true);
            }
            (MarkKind::Heat | MarkKind::Glare | MarkKind::Cover, polygon) => region.lay(polygon, true),
            _ => {}
        }
    }
    match (kind, document) {
        // What surrounds the document accuses, not the document.
        (MarkKind::Device, Some(document)) => region.lay(&document.0, false),
        (MarkKind::Glare, _) if !region.is_empty() => region = region.grown(f64::from(FLANK_SHARE * long_side)),
        _ => {}
    }
    region
}

/// Everything that the checks of one picture share.
struct Bench<'a> {
    checker: &'a Checker,
    upload: Upload<'a>,
    settings: &'a Settings,
    picture: Picture,
    quality: Option<u8>,
    random: ChaCha8Rng,
    checks: u32,
}

impl<'a> Bench<'a> {
    fn new(
        checker: &'a Checker,
        upload: &Upload<'a>,
        capture: &Capture,
        settings: &'a Settings,
    ) -> Result<Self, CaptureError> {
        let picture = Picture::of(capture)?;
        // An edit may make a PNG somewhat larger.
        let too_large = picture.file(None)?.len() > checker.limits().bytes / 10 * 9;
        let seed = Sha256::new().chain_update(upload.bytes).chain_update(settings.seed.to_le_bytes()).finalize();
        Ok(Self {
            checker,
            upload: *upload,
            settings,
            picture,
            quality: too_large.then_some(QUALITY),
            random: ChaCha8Rng::from_seed(seed.into()),
            checks: 0,
        })
    }

    /// The report of a picture that was re-encoded.
    fn examine(&mut self, picture: &Picture) -> Result<Report, CaptureError> {
        self.checks += 1;
        let bytes = picture.file(self.quality)?;
        let upload = Upload { bytes: &bytes, name: self.upload.name };
        self.checker.check(&upload, Deadline::NEVER)
    }

    /// The report of the picture after `edits`.
    fn without(&mut self, edits: &[Edit]) -> Result<Report, CaptureError> {
        let mut picture = self.picture.clone();
        for edit in edits {
            edit.apply(&mut picture, &mut self.random);
        }
        self.examine(&picture)
    }

    /// One row for each kind of mark that shows the reason, and one for all of them where there are several.
    fn by_marks(
        &mut self,
        test: &Test<'_>,
        report: &Report,
        scene: &Scene<'_>,
        untouched: &Report,
    ) -> Result<Vec<Deleted>, CaptureError> {
        let size = self.picture.size();
        let document = report.document.as_ref().filter(|d| !d.fills_frame).map(|d| d.corners);
        let mut named: Vec<(By, Edit)> = Vec::new();
        for kind in EDITABLE {
            // A tile speaks for a screen from one half on.
            let faintest = if kind == MarkKind::Heat { 0.5 } else { self.settings.faintest };
            let shown = |mark: &&Mark| mark.kind == kind && mark.strength >= faintest;
            let marks: Vec<&Mark> = test.marks.iter().copied().filter(shown).collect();
            if marks.is_empty() {
                continue;
            }
            if matches!(kind, MarkKind::Pattern | MarkKind::Halftone) {
                let tiles = marked_lines(&marks, scene.spectra(), self.settings.line_db);
                if !tiles.is_empty() {
                    named.push((By::Mark(kind), Edit::Flatten(tiles)));
                }
                continue;
            }
            let region = marked_region(kind, &marks, size, document.as_ref());
            if !region.is_empty() {
                let filling = if kind == MarkKind::Glare {
                    self.document_colour(&region, document.as_ref())
                } else {
                    Filling::Surrounding
                };
                named.push((By::Mark(kind), Edit::Mask(region, filling)));
            }
        }
        let mut groups: Vec<(By, Vec<Edit>)> = named.iter().map(|(by, edit)| (*by, vec![edit.clone()])).collect();
        if named.len() > 1 {
            groups.push((By::Marks, named.into_iter().map(|(_, edit)| edit).collect()));
        }
        groups.into_iter().map(|(by, edits)| self.by_edits(test, by, &edits, untouched)).collect()
    }

    fn by_edits(
        &mut self,
        test: &Test<'_>,
        by: By,
        edits: &[Edit],
        untouched: &Report,
    ) -> Result<Deleted, CaptureError> {
        let mut changed = Region::none(self.picture.size());
        for edit in edits {
            match edit {
                Edit::Flatten(tiles) => tiles.iter().for_each(|(rect, _)| changed.lay(&rect.corners(), true)),
                Edit::Mask(region, _) => changed.join(region),
            }
        }
        let value = |report: &Report| measured(report, &test.reason.reading);
        let after = value(&self.without(edits)?);
        let elsewhere: Vec<Edit> = edits.iter().map(|edit| edit.elsewhere(&mut self.random)).collect();
        let random = value(&self.without(&elsewhere)?);
        Ok(test.row(by, changed.share(), [value(untouched), after], Some(Control(random))))
    }

    /// The cells that move the score most, masked together, against as many cells drawn at random.
    fn by_occlusion(
        &mut self,
        test: &Test<'_>,
        untouched: &Report,
        cells: &[Region],
        masked: &[Report],
    ) -> Result<Deleted, CaptureError> {
        let before = measured(untouched, &test.reason.reading);
        let gain = |report: &Report| Some(test.gain(before?, measured(report, &test.reason.reading)?));
        let mut best: Vec<(f64, &Region)> =
            masked.iter().zip(cells).filter_map(|(report, cell)| Some((gain(report)?, cell))).collect();
        best.retain(|(gain, _)| *gain > 0.0);
        best.sort_by(|a, b| b.0.total_cmp(&a.0));
        let mut chosen = Region::none(self.picture.size());
        let mut count = 0;
        for (_, cell) in best {
            // A cell is a whole number of canvas pixels: a quarter of them may be a hair more than a quarter.
            if chosen.share() + cell.share() > self.settings.occluded_share + 0.01 {
                break;
            }
            chosen.join(cell);
            count += 1;
        }
        if count == 0 {
            return Ok(test.row(By::Occlusion, 0.0, [before, before], None));
        }
        let mut drawn: Vec<usize> = (0..cells.len()).collect();
        let mut elsewhere = Region::none(self.picture.size());
        for i in 0..count {
            drawn.swap(i, self.random.random_range(i..cells.len()));
            elsewhere.join(&cells[drawn[i]]);
        }
        let share = chosen.share();
        let after = self.without(&[Edit::Mask(chosen, Filling::Surrounding)])?;
        let random = self.without(&[Edit::Mask(elsewhere, Filling::Surrounding)])?;
        let value = |report: &Report| measured(report, &test.reason.reading);
        Ok(test.row(By::Occlusion, share, [before, value(&after)], Some(Control(value(&random)))))
    }

    /// The mean colour of the document, or of the picture, beside `region`.
    fn document_colour(&self, region: &Region, document: Option<&Quad>) -> Filling {
        let size = self.picture.size();
        let mut wanted = Region::none(size);
        match document {
            Some(quad) => wanted.lay(&quad.0, true),
            None => wanted.held.fill(true),
        }
        for (wanted, left_out) in wanted.held.iter_mut().zip(&region.held) {
            *wanted &= !left_out;
        }
        let mask = wanted.mask(size);
        let mut sum = [0.0f64; 3];
        let mut count = 0.0f64;
        for (pixel, _) in self.picture.native.pixels().zip(&mask).filter(|(_, wanted)| **wanted) {
            for (sum, value) in sum.iter_mut().zip(pixel.0) {
                *sum += f64::from(value);
            }
            count += 1.0;
        }
        if count == 0.0 { Filling::Surrounding } else { Filling::Colour(sum.map(|sum| (sum / count) as f32)) }
    }
}

/// What becomes of a reason when the pixels are kept, as JPEG of quality 98, and everything else that the file says is
/// left away, its name included. The control is the same JPEG with what the file says put back; only a JPEG has one.
fn by_metadata(
    checker: &Checker,
    upload: &Upload<'_>,
    capture: &Capture,
    test: &Test<'_>,
) -> Result<(Deleted, u32), CaptureError> {
    let bytes = encode(&picture(capture)?, Some(QUALITY)).map_err(|_| CaptureError::Undecodable)?;
    let value = |bytes: &[u8], name| {
        let report = checker.check(&Upload { bytes, name }, Deadline::NEVER)?;
        Ok::<_, CaptureError>(measured(&report, &test.reason.reading))
    };
    let after = value(&bytes, None)?;
    let kept = (capture.media_type == MediaType::Jpeg).then(|| with_segments_of(upload.bytes, &bytes));
    let random = kept.map(|kept| value(&kept, upload.name)).transpose()?;
    let checks = 1 + u32::from(random.is_some());
    // Nothing but what the file says was changed: the upload as it came is what is compared.
    Ok((test.row(By::Metadata, 0.0, [Some(test.reason.score), after], random.map(Control)), checks))
}

/// The JPEG `picture` with the application segments and comments of the JPEG `source`, except those that say how its
/// samples are coded.
fn with_segments_of(source: &[u8], picture: &[u8]) -> Vec<u8> {
    const JFIF: u8 = 0xE0;
    const ADOBE: u8 = 0xEE;
    const COMMENT: u8 = 0xFE;
    let mut segments = Vec::new();
    let mut rest = source.get(2..).unwrap_or_default();
    while let [0xFF, marker, high, low, ..] = *rest {
        let end = 2 + usize::from(u16::from_be_bytes([high, low]));
        let Some(segment) = rest.get(..end).filter(|_| end >= 4 && marker >= 0xC0 && marker != 0xDA) else { break };
        if marker == COMMENT || (JFIF + 1..=JFIF + 15).contains(&marker) && marker != ADOBE {
            segments.extend_from_slice(segment);
        }
        rest = &rest[end..];
    }
    let (start, others) = picture.split_at(picture.len().min(2));
    [start, &segments, others].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{Limits, decode};
    use crate::evidence::Sentence;
    use crate::policy::Classification;
    use crate::scene::testing::{noise, spectra_of, wave};
    use crate::scene::{Place, Spectrum, Tile};
    use crate::scoring::Scores;

    fn random() -> ChaCha8Rng {
        ChaCha8Rng::from_seed([7; 32])
    }

    fn grey(width: u32, height: u32, luma: impl Fn(f32, f32) -> f32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            let value = luma(x as f32, y as f32).round().clamp(0.0, 255.0) as u8;
            Rgb([value; 3])
        })
    }

    /// The luma spectrum of a square of a grey picture.
    fn spectrum(picture: &RgbImage, rect: PixelRect) -> TileSpectra {
        let part = image::imageops::crop_imm(picture, rect.x, rect.y, rect.width, rect.height).to_image();
        let y = DynamicImage::ImageRgb8(part).into_luma8();
        let none = image::GrayImage::from_pixel(rect.width, rect.height, image::Luma([128]));
        spectra_of(&[Tile { rect, place: Place::Inside, y, cb: none.clone(), cr: none }]).swap_remove(0)
    }

    fn strongest(spectrum: &Spectrum) -> f32 {
        spectrum.peaks.first().map_or(0.0, |peak| peak.ring_db.min(peak.local_db))
    }

    const TILE: PixelRect = PixelRect::new(70, 40, SPECTRAL_TILE_PX, SPECTRAL_TILE_PX);

    #[test]
    fn flattening_removes_an_injected_line_and_leaves_the_rest_of_the_spectrum() {
        // One of 4 levels, and one of 0.4 that no rounding to the nearest level could remove.
        // There rounding at random is itself some noise; other noise altogether would move bins by 6 dB.
        for (amplitude, deviation, moves_db) in [(4.0, 8.0, 1.5), (0.4, 1.5, 4.0)] {
            let plain = grey(400, 330, |x, y| 128.0 + noise(x, y, deviation));
            let mut waved = grey(400, 330, |x, y| 128.0 + noise(x, y, deviation) + amplitude * wave(x, y, 9.3, 33.0));
            let before = spectrum(&waved, TILE);
            assert!(strongest(&before.y) > 20.0, "{}", strongest(&before.y));
            let marks = [Mark { kind: MarkKind::Pattern, polygon: TILE.corners().to_vec(), strength: 1.0, zone: None }];
            let named = marked_lines(&marks.iter().collect::<Vec<_>>(), std::slice::from_ref(&before), 14.0);
            assert_eq!(named.len(), 1);
            let untouched = waved.clone();
            flatten(&mut waved, TILE, &named[0].1, &mut random());
            let after = spectrum(&waved, TILE);
            assert!(strongest(&after.y) < 14.0, "{}", strongest(&after.y));
            let peak = before.y.peaks[0];
            assert!(before.y.near(peak.x, peak.y, 2) > 20.0);
            assert!(after.y.near(peak.x, peak.y, 2) < 12.0);
            // Rings compare with themselves: what lies elsewhere is as the noise alone has it.
            let noise_alone = spectrum(&plain, TILE);
            let (mut moved, mut raised, mut bins) = (0.0, 0.0, 0.0);
            for (x, y) in (8..110).step_by(3).flat_map(|x| (8..110).step_by(3).map(move |y| (x, y))) {
                if (x as f32 - peak.x).hypot(y as f32 - peak.y) > 12.0 {
                    moved += (after.y.at(x, y) - noise_alone.y.at(x, y)).abs();
                    raised += after.y.at(x, y) - noise_alone.y.at(x, y);
                    bins += 1.0;
                }
            }
            assert!(moved / bins < moves_db, "bins elsewhere move by {} dB", moved / bins);
            assert!((raised / bins).abs() < 0.5, "bins elsewhere rise by {} dB", raised / bins);
            for (x, y, pixel) in waved.enumerate_pixels() {
                let inside = (TILE.x..TILE.x + TILE.width).contains(&x) && (TILE.y..TILE.y + TILE.height).contains(&y);
                assert!(inside || pixel == untouched.get_pixel(x, y), "{x}, {y} lies outside");
            }
        }
    }

    #[test]
    fn the_control_of_a_line_leaves_it_and_keeps_its_distance() {
        let lines = [(22.0, 15.0), (-15.0, 22.0)];
        let Edit::Flatten(tiles) = Edit::Flatten(vec![(TILE, lines.to_vec())]).elsewhere(&mut random()) else {
            panic!("another edit")
        };
        assert_eq!(tiles[0].0, TILE);
        for (turned, line) in tiles[0].1.iter().zip(lines) {
            assert!((turned.0.hypot(turned.1) - line.0.hypot(line.1)).abs() < 0.01);
        }
        let mut waved = grey(400, 330, |x, y| 128.0 + noise(x, y, 8.0) + 4.0 * wave(x, y, 9.3, 33.0));
        let before = strongest(&spectrum(&waved, TILE).y);
        flatten(&mut waved, TILE, &tiles[0].1, &mut random());
        assert!((strongest(&spectrum(&waved, TILE).y) - before).abs() < 1.0);
    }

    #[test]
    fn a_square_that_does_not_fit_is_left() {
        let picture = grey(300, 280, |x, y| 128.0 + noise(x, y, 8.0) + 4.0 * wave(x, y, 9.3, 33.0));
        let rects = [
            PixelRect::new(100, 0, 256, 256),
            PixelRect::new(0, u32::MAX, 256, 256),
            PixelRect::new(0, 0, 256, 200),
            PixelRect::new(0, 0, 8, 8),
        ];
        for rect in rects {
            let mut edited = picture.clone();
            flatten(&mut edited, rect, &[(22.0, 15.0)], &mut random());
            assert_eq!(edited, picture, "{rect:?}");
        }
    }

    #[test]
    fn masking_changes_the_region_and_nothing_else() {
        // A black bar on a slope of grey.
        let slope = |x: f32| 40.0 + x / 2.0;
        let is_bar = |x: f32, y: f32| (100.0..150.0).contains(&x) && (80.0..100.0).contains(&y);
        let picture = grey(300, 200, |x, y| if is_bar(x, y) { 0.0 } else { slope(x) });
        let mut region = Region::none((300, 200));
        region.lay(&PixelRect::new(100, 80, 50, 20).corners(), true);
        let mut edited = Picture { native: picture.clone(), is_grey: false };
        Edit::Mask(region, Filling::Surrounding).apply(&mut edited, &mut random());
        for (x, y, pixel) in edited.native.enumerate_pixels() {
            if is_bar(x as f32, y as f32) {
                let off = (f32::from(pixel.0[0]) - slope(x as f32)).abs();
                assert!(off < 12.0, "{x}, {y} is {off} levels off what lies around");
            } else {
                assert_eq!(pixel, picture.get_pixel(x, y), "{x}, {y} lies outside");
            }
        }
    }

    #[test]
    fn a_picture_masked_throughout_becomes_its_mean() {
        let mut picture = grey(64, 64, |x, _| if x < 32.0 { 100.0 } else { 200.0 });
        fill(&mut picture, &[true; 64 * 64], Filling::Surrounding);
        assert!(picture.pixels().all(|pixel| pixel.0 == [150; 3]));
    }

    #[test]
    fn random_regions_have_the_same_area_and_stay_in_the_picture() {
        let mut region = Region::none((300, 200));
        region.lay(&[Point::new(10.0, 20.0), Point::new(250.0, 60.0), Point::new(40.0, 180.0)], true);
        let held = |region: &Region| region.held.iter().filter(|held| **held).count();
        let mut random = random();
        let mut places = Vec::new();
        for _ in 0..20 {
            let Edit::Mask(moved, _) = Edit::Mask(region.clone(), Filling::Surrounding).elsewhere(&mut random) else {
                panic!("another edit")
            };
            assert_eq!(held(&moved), held(&region));
            let pixels = moved.mask((300, 200));
            assert_eq!(pixels.iter().filter(|masked| **masked).count(), held(&region));
            places.push(moved);
        }
        assert!(places.iter().any(|moved| *moved != region));
        assert!((region.share() - 0.3033).abs() < 0.05, "{}", region.share());
    }

    #[test]
    fn cells_cover_the_picture_once() {
        for size in [(400, 300), (300, 400), (4001, 2999), (5, 2)] {
            let cells = cells(size, (4, 3));
            let mut covered = Region::none(size);
            for cell in &cells {
                assert!(!covered.held.iter().zip(&cell.held).any(|(a, b)| *a && *b), "{size:?}: cells overlap");
                covered.join(cell);
            }
            assert!((covered.share() - 1.0).abs() < 1e-9, "{size:?}");
            if size.0 > 100 {
                assert_eq!(cells.len(), 12);
                let wide = cells[0].held[..cells[0].width as usize].iter().filter(|held| **held).count() as f64;
                let parts = if size.0 > size.1 { 4.0 } else { 3.0 };
                assert!((wide * parts / f64::from(cells[0].width) - 1.0).abs() < 0.02, "{size:?}");
            }
        }
    }

    #[test]
    fn a_polygon_encloses_what_lies_inside_the_picture() {
        let mut region = Region::none((100, 100));
        region.lay(&PixelRect::new(60, 70, 400, 400).corners(), true);
        assert!((region.share() - 0.4 * 0.3).abs() < 1e-9);
        region.lay(&PixelRect::new(60, 70, 40, 15).corners(), false);
        assert!((region.share() - 0.4 * 0.15).abs() < 1e-9);
    }

    #[test]
    fn hostile_marks_enclose_nothing_and_harm_nothing() {
        let polygons: [&[Point]; 7] = [
            &[],
            &[Point::new(5.0, 5.0)],
            &[Point::new(f32::NAN, 1.0), Point::new(30.0, 1.0), Point::new(30.0, 30.0), Point::new(1.0, 30.0)],
            &[Point::new(f32::INFINITY, 1.0), Point::new(30.0, f32::NEG_INFINITY), Point::new(30.0, 30.0)],
            &[Point::new(-900.0, -900.0), Point::new(-800.0, -900.0), Point::new(-800.0, -800.0)],
            &[Point::new(7.0, 7.0), Point::new(7.0, 7.0)],
            &[Point::new(f32::NAN, f32::NAN), Point::new(7.0, 7.0)],
        ];
        let kinds =
            [MarkKind::Device, MarkKind::Edge, MarkKind::Heat, MarkKind::Glare, MarkKind::Cover, MarkKind::Number];
        for (polygon, kind) in polygons.into_iter().flat_map(|p| kinds.map(|kind| (p, kind))) {
            let mark = Mark { kind, polygon: polygon.to_vec(), strength: 1.0, zone: None };
            let nowhere = Quad([Point::new(f32::NAN, 0.0); 4]);
            let region = marked_region(kind, &[&mark], (200, 150), Some(&nowhere));
            assert!(region.is_empty(), "{kind:?} {polygon:?}");
            assert!(marked_lines(&[&mark], &[], 14.0).is_empty());
        }
        let huge = [Point::new(-3e38, -3e38), Point::new(3e38, -3e38), Point::new(3e38, 3e38), Point::new(-3e38, 3e38)];
        let mut everything = Region::none((200, 150));
        everything.lay(&huge, true);
        assert!((everything.share() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_edge_is_masked_as_a_band_and_a_device_without_its_document() {
        let edge = Mark {
            kind: MarkKind::Edge,
            polygon: vec![Point::new(20.0, 50.0), Point::new(180.0, 50.0)],
            strength: 1.0,
            zone: None,
        };
        let band = marked_region(MarkKind::Edge, &[&edge], (200, 100), None);
        assert!((band.share() - 160.0 * 4.0 / 20_000.0).abs() < 0.002, "{}", band.share());
        let frame = PixelRect::new(40, 20, 100, 60).corners();
        let device = Mark { kind: MarkKind::Device, polygon: frame.to_vec(), strength: 1.0, zone: None };
        let whole = marked_region(MarkKind::Device, &[&device], (200, 100), None);
        let document = Quad(PixelRect::new(60, 30, 60, 40).corners());
        let ring = marked_region(MarkKind::Device, &[&device], (200, 100), Some(&document));
        assert!((whole.share() - 6000.0 * 1.03 * 1.03 / 20_000.0).abs() < 0.02, "{}", whole.share());
        assert!((whole.share() - ring.share() - 0.12).abs() < 1e-6);
    }

    fn report(screen: f64) -> Report {
        let reason = Reason {
            code: "screen_recapture",
            action: Decision::Reject,
            reading: "score.screen".to_owned(),
            score: screen,
            threshold: 0.8,
            margin: screen - 0.8,
            shown_by: Vec::new(),
            polygon: None,
            zone: None,
            en: String::new(),
            zh: String::new(),
        };
        Report {
            schema_version: 1,
            path: "-".to_owned(),
            sha256: String::new(),
            media_type: "image/png",
            width: 1,
            height: 1,
            classification: Classification::BonaFide,
            decision: Decision::Reject,
            scores: Scores { screen: Some(screen), ..Scores::default() },
            legible: None,
            document: None,
            reasons: vec![reason],
            number: None,
            findings: vec![Finding {
                detector: "exposure",
                outcome: "evidence",
                readings: BTreeMap::from([("exposure.bright_luma", 30.0)]),
                explanation: Sentence::default(),
                marks: Vec::new(),
            }],
            policy_id: String::new(),
            models: BTreeMap::new(),
            tool_version: String::new(),
            elapsed_ms: 0.0,
        }
    }

    #[test]
    fn a_score_falls_on_the_side_that_it_had_not_crossed() {
        let judged = report(0.9);
        let test = Test::of(&judged.reasons[0], &judged);
        assert!(test.learned && test.edits_pixels() && !test.metadata);
        let row = |before, after, random: Option<_>| test.row(By::Occlusion, 0.2, [before, after], random.map(Control));
        let fell = row(Some(0.85), Some(0.79), Some(Some(0.8)));
        assert!(fell.fell && !fell.lost && fell.random_fell == Some(false));
        assert!(row(Some(0.7), Some(0.7), None).lost);
        let unmeasured = row(Some(0.85), None, Some(None));
        assert!(!unmeasured.fell && unmeasured.random_fell == Some(false));
        // Below is the bad side where the value that crossed lies below.
        let reading = "exposure.bright_luma".to_owned();
        let dark = Reason { reading, score: 30.0, threshold: 60.0, ..judged.reasons[0].clone() };
        let test = Test { reason: &dark, ..test };
        assert!(test.row(By::Marks, 0.2, [Some(30.0), Some(61.0)], None).fell);
        assert!(test.gain(30.0, 61.0) > 0.0);
        assert_eq!(measured(&judged, "exposure.bright_luma"), Some(30.0));
    }

    #[test]
    fn a_risk_judged_by_something_else_is_not_tested() {
        let mut judged = report(0.9);
        let frame = PixelRect::new(0, 0, 1, 1).corners().to_vec();
        judged.findings[0].marks = vec![Mark { kind: MarkKind::Heat, polygon: frame, strength: 1.0, zone: None }];
        judged.reasons[0].shown_by = vec![Pointer::Mark { finding: 0, mark: 0 }];
        assert_eq!(Test::of(&judged.reasons[0], &judged).marks.len(), 1);
        judged.reasons[0].reading = "framing.tilt_deg".to_owned();
        assert!(!Test::of(&judged.reasons[0], &judged).edits_pixels());
        judged.reasons[0].reading = "exposure.bright_luma".to_owned();
        assert!(Test::of(&judged.reasons[0], &judged).edits_pixels(), "the detector that was judged made the mark");
    }

    #[test]
    fn counts_leave_out_what_reencoding_alone_lost() {
        let judged = report(0.9);
        let test = Test::of(&judged.reasons[0], &judged);
        let pattern = By::Mark(MarkKind::Pattern);
        let rows = [
            test.row(pattern, 0.1, [Some(0.9), Some(0.5)], Some(Control(Some(0.9)))),
            test.row(pattern, 0.1, [Some(0.9), Some(0.9)], Some(Control(Some(0.5)))),
            test.row(pattern, 0.1, [Some(0.7), Some(0.5)], Some(Control(Some(0.5)))),
            test.row(By::Occlusion, 0.0, [Some(0.9), Some(0.9)], None),
        ];
        let explanation = |reasons: &[Deleted]| Explanation {
            path: "-".to_owned(),
            decision: Decision::Reject,
            reasons: reasons.to_vec(),
            untested: Vec::new(),
            checks: 1,
        };
        let counts = summary(&[explanation(&rows[..2]), explanation(&rows[2..])]);
        let told: Vec<_> =
            counts.iter().map(|c| (c.by.as_str(), c.tested, c.lost, c.fell, c.controls, c.random_fell)).collect();
        assert_eq!(told, [("mark_pattern", 2, 1, 1, 2, 1), ("occlusion", 1, 0, 0, 0, 0)]);
    }

    #[test]
    fn segments_are_put_back_and_the_picture_stays() {
        let small = |value: u8| {
            let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(32, 24, Rgb([value; 3])));
            encode(&picture, Some(QUALITY)).expect("encoded")
        };
        let exif = b"\xFF\xE1\x00\x0EExif\0\0II\x2A\0\0\0";
        let source = [&small(90)[..2], exif, &small(90)[2..]].concat();
        let kept = with_segments_of(&source, &small(120));
        assert_eq!(kept.len(), small(120).len() + exif.len());
        assert_eq!(&kept[2..2 + exif.len()], exif);
        let decoded = decode(&Upload { bytes: &kept, name: None }, &Limits::default()).expect("whole");
        assert_eq!(picture(&decoded).expect("pixels").into_rgb8().get_pixel(3, 3).0[0].abs_diff(120), 0);
        for broken in
            [&b""[..], b"\xFF", b"\xFF\xD8\xFF\xE1", b"\xFF\xD8\xFF\xE1\x00\x00", b"\xFF\xD8\xFF\xE1\xFF\xFFab"]
        {
            assert_eq!(with_segments_of(broken, &small(120)), small(120));
        }
    }

    #[test]
    fn a_black_upload_names_nothing_that_can_be_removed_and_keeps_within_its_checks() {
        let checker = Checker::new(&crate::checker::Options::default()).expect("shipped");
        let black = DynamicImage::ImageRgb8(RgbImage::new(320, 240));
        let bytes = encode(&black, None).expect("encoded");
        let upload = Upload { bytes: &bytes, name: None };
        let settings = Settings { cells: (2, 1), ..Settings::default() };
        let explained = explain(&checker, &upload, &settings).expect("examined");
        assert!(explained.untested.contains(&"dark"), "{explained:?}");
        let reasons = explained.reasons.iter().map(|row| row.code).chain(explained.untested.iter().copied());
        let count = reasons.collect::<std::collections::BTreeSet<_>>().len() as u32;
        assert!(explained.checks <= settings.most_checks(count), "{explained:?}");
        assert_eq!(explained, explain(&checker, &upload, &settings).expect("examined again"));
    }

    #[test]
    fn a_named_screenshot_falls_without_its_name() {
        let checker = Checker::new(&crate::checker::Options::default()).expect("shipped");
        let picture = grey(320, 240, |x, y| 150.0 + noise(x, y, 4.0));
        let bytes = encode(&DynamicImage::ImageRgb8(picture), Some(90)).expect("encoded");
        let upload = Upload { bytes: &bytes, name: Some("Screenshot_20240102-101112.jpg") };
        let settings = Settings { cells: (1, 1), ..Settings::default() };
        let explained = explain(&checker, &upload, &settings).expect("examined");
        let row = explained.reasons.iter().find(|row| row.code == "screenshot").expect("named");
        assert_eq!((row.by, row.fell, row.random_fell), (By::Metadata, true, Some(false)));
    }
}
