//! A directory, a count and a seed to JPEG captures and their `labels.csv`.

use super::{Delivery, Document, Presentation, Spec, Truth, encode};
use crate::names;
use crate::report::alone::{open_alone, write_whole};
use parking_lot::Mutex;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Seek;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a set could not be written.
#[derive(Debug, Error)]
pub enum SetError {
    /// A directory or file could not be written.
    #[error("cannot write {path}: {source}", path = names::shown(path))]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another run writes there.
    #[error("{path}: another run is writing this file; wait for it, or choose another folder", path = names::shown(path))]
    Taken {
        /// The labels.
        path: PathBuf,
    },
    /// The folder holds labels of other pictures.
    #[error("{path} holds labels of other pictures, which would be lost; choose another folder", path = names::shown(path))]
    Foreign {
        /// The labels.
        path: PathBuf,
    },
    /// The labels could not be put into rows.
    #[error("cannot write labels: {0}")]
    Labels(#[from] csv::Error),
}

/// How many captures of each presentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Bona fide presentations.
    pub original: u32,
    /// Screens.
    pub screen: u32,
    /// Prints.
    pub print: u32,
    /// Every document is this one, but for faulty ones; they come in turn otherwise.
    pub only: Option<Document>,
    /// Originals of cards with one fault each: blurred, bleached by glare, moved, dark, small, compressed, in shadow,
    /// covered by a thumb, in turn.
    pub faulty: u32,
}

impl Counts {
    /// `count` captures: two sevenths prints, the rest screens and bona fide by halves.
    #[must_use]
    pub const fn of(count: u32) -> Self {
        let print = (count as u64 * 2 / 7) as u32;
        let screen = (count - print) / 2;
        Self { original: count - screen - print, screen, print, only: None, faulty: 0 }
    }

    /// `count` originals of `document`.
    #[must_use]
    pub const fn originals_of(document: Document, count: u32) -> Self {
        Self { original: count, screen: 0, print: 0, only: Some(document), faulty: 0 }
    }
}

/// What can make a capture of a card illegible, each alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Blurred,
    Glare,
    Moved,
    Dark,
    Small,
    Compressed,
    Shadow,
    Covered,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Blurred,
        Self::Glare,
        Self::Moved,
        Self::Dark,
        Self::Small,
        Self::Compressed,
        Self::Shadow,
        Self::Covered,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Blurred => "blurred",
            Self::Glare => "glare",
            Self::Moved => "moved",
            Self::Dark => "dark",
            Self::Small => "small",
            Self::Compressed => "compressed",
            Self::Shadow => "shadow",
            Self::Covered => "covered",
        }
    }

    /// Lays the fault on a clean capture; `strength` from 0, hardly seen, to 1, hopeless.
    fn befall(self, spec: &mut Spec, strength: f32) {
        (spec.blur_px, spec.motion_px, spec.glare, spec.shadow) = (0.6, 0.0, 0.0, 0.0);
        (spec.exposure, spec.full_well, spec.jpeg_quality) = (1.0, 12_000.0, 90);
        (spec.delivery, spec.hand_mm) = (None, 0.0);
        let between = |low: f32, high: f32| low * (high / low).powf(strength);
        match self {
            Self::Blurred => spec.blur_px = between(1.2, 14.0),
            Self::Glare => spec.glare = between(0.4, 4.0),
            Self::Moved => spec.motion_px = between(4.0, 60.0),
            Self::Dark => (spec.exposure, spec.full_well) = (between(0.3, 0.012), between(2_000.0, 40.0)),
            Self::Small => spec.delivery = Some(Delivery { long_side: between(700.0, 130.0) as u32, quality: 85 }),
            Self::Compressed => {
                spec.delivery = Some(Delivery { long_side: 800, quality: between(30.0, 1.0) as u8 });
            }
            Self::Shadow => (spec.shadow, spec.full_well) = (1.0 - between(0.3, 0.004), 1_500.0),
            // The number is 6 to 9 mm from the lower border.
            Self::Covered => spec.hand_mm = between(13.0, 35.0),
        }
    }
}

/// One capture still to be made.
struct Order {
    name: String,
    spec: Spec,
    seed: u64,
    fault: Option<Fault>,
}

/// The n-th number of a set's own sequence (`SplitMix64`), so that a capture does not depend on its neighbours.
const fn seed_of(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add((n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    // Below 2^53, so that any reader of JSON keeps it whole.
    (z ^ (z >> 31)) >> 11
}

/// Which documents come in turn: the portrait side above all, then licences.
const TURNS: [Document; 12] = [
    Document::Card,
    Document::Card,
    Document::Page,
    Document::Reverse,
    Document::Card,
    Document::Page,
    Document::Card,
    Document::Passport,
    Document::Page,
    Document::Reverse,
    Document::Card,
    Document::Passport,
];

fn orders(counts: Counts, seed: u64) -> Vec<Order> {
    let groups = [
        (Presentation::BonaFide, counts.original, false),
        (Presentation::Screen, counts.screen, false),
        (Presentation::Print, counts.print, false),
        (Presentation::BonaFide, counts.faulty, true),
    ];
    let mut out = Vec::new();
    for (presentation, count, faulty) in groups {
        for i in 0..count {
            let seed = seed_of(seed, out.len() as u64);
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let in_turn = counts.only.unwrap_or(TURNS[i as usize % TURNS.len()]);
            let document = if faulty { Document::Card } else { in_turn };
            let mut spec = Spec::random_of(presentation, document, &mut rng);
            let fault = faulty.then(|| Fault::ALL[i as usize % Fault::ALL.len()]);
            if let Some(fault) = fault {
                // The first of each kind is beyond doubt, the others make a ladder.
                let strength = if i < Fault::ALL.len() as u32 { 0.8 } else { rng.random_range(0.0..1.0) };
                fault.befall(&mut spec, strength);
            }
            let note = fault.map_or_else(String::new, |fault| format!("_{}", fault.name()));
            let what = match presentation {
                Presentation::BonaFide => "original",
                Presentation::Screen if spec.panel == super::Panel::PenTile => "screen_oled",
                Presentation::Screen => "screen_lcd",
                Presentation::Print if spec.ink == super::Ink::Grey => "print_laser",
                Presentation::Print => "print_colour",
            };
            let name = format!("{what}_{}{note}_{:02}.jpg", document.name(), i + 1);
            out.push(Order { name, spec, seed, fault });
        }
    }
    out
}

const COLUMNS: [&str; 30] = [
    "path",
    "label",
    "species",
    "source",
    "content",
    "seed",
    "width",
    "height",
    "corner0_x",
    "corner0_y",
    "corner1_x",
    "corner1_y",
    "corner2_x",
    "corner2_y",
    "corner3_x",
    "corner3_y",
    "lattice_px",
    "tilt_x",
    "tilt_y",
    "roll",
    "blur_px",
    "motion_px",
    "glare",
    "jpeg_quality",
    "hand_mm",
    "offset_lpi",
    "delivered_quality",
    "number",
    "valid_until",
    "fault",
];

fn row(order: &Order, truth: &Truth) -> Vec<String> {
    let spec = &truth.spec;
    let mut row = vec![
        order.name.clone(),
        truth.label.clone(),
        truth.species.clone(),
        format!("simulated-{:016x}", spec.content),
        spec.document.name().to_owned(),
        truth.seed.to_string(),
        truth.width.to_string(),
        truth.height.to_string(),
    ];
    row.extend(truth.corners.0.iter().flat_map(|p| [format!("{:.1}", p.x), format!("{:.1}", p.y)]));
    row.push(truth.lattice_px.map_or_else(String::new, |p| format!("{p:.3}")));
    row.extend(
        [spec.tilt[0], spec.tilt[1], spec.roll, spec.blur_px, spec.motion_px, spec.glare].map(|v| format!("{v:.2}")),
    );
    row.push(spec.jpeg_quality.to_string());
    row.push(format!("{:.1}", spec.hand_mm));
    row.push(if spec.offset_lpi > 0.0 { format!("{:.0}", spec.offset_lpi) } else { String::new() });
    row.push(spec.delivery.map_or_else(String::new, |d| d.quality.to_string()));
    row.push(truth.number.clone());
    row.push(truth.valid_until.clone());
    row.push(order.fault.map_or("", Fault::name).to_owned());
    row
}

/// The labels file while captures are made out of turn: rows are written in the order of the captures, each as soon as
/// all before it are there, so that a run that was broken off leaves labels for what it wrote.
struct Labels {
    table: csv::Writer<std::fs::File>,
    waiting: BTreeMap<usize, Vec<String>>,
    next: usize,
}

impl Labels {
    fn add(&mut self, index: usize, row: Vec<String>) -> Result<(), csv::Error> {
        self.waiting.insert(index, row);
        while let Some(row) = self.waiting.remove(&self.next) {
            self.table.write_record(row)?;
            self.next += 1;
        }
        Ok(self.table.flush()?)
    }
}

/// Writes the captures and `labels.csv` into `dir`, made if missing; `done` is called after each capture.
///
/// # Errors
///
/// When the directory, a capture or the labels cannot be written.
pub fn write_set(dir: &Path, counts: Counts, seed: u64, done: impl Fn() + Sync) -> Result<Vec<Truth>, SetError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SetError::Write { path, source }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    let path = dir.join("labels.csv");
    let file = open_alone(&path).map_err(|source| match source.kind() {
        std::io::ErrorKind::WouldBlock => SetError::Taken { path: path.clone() },
        _ => SetError::Write { path: path.clone(), source },
    })?;
    let mut known = csv::Reader::from_reader(&file);
    if known
        .byte_headers()
        .is_ok_and(|names| !names.is_empty() && !names.iter().eq(COLUMNS.iter().map(|name| name.as_bytes())))
    {
        return Err(SetError::Foreign { path });
    }
    file.set_len(0).map_err(failed(&path))?;
    (&file).rewind().map_err(failed(&path))?;
    let mut table = csv::Writer::from_writer(file);
    table.write_record(COLUMNS)?;
    let labels = Mutex::new(Labels { table, waiting: BTreeMap::new(), next: 0 });
    // A bridge hands orders out one after the other, so that labels do not wait for a far part of the set.
    let made: Result<Vec<(usize, Truth)>, SetError> = orders(counts, seed)
        .into_iter()
        .enumerate()
        .par_bridge()
        .map(|(index, order)| {
            let (jpeg, truth) = encode(&order.spec, order.seed);
            let path = dir.join(&order.name);
            write_whole(&path, &jpeg).map_err(failed(&path))?;
            labels.lock().add(index, row(&order, &truth))?;
            done();
            Ok((index, truth))
        })
        .collect();
    let mut made = made?;
    made.sort_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, truth)| truth).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_seeds_differ() {
        let all = orders(Counts { original: 12, screen: 12, print: 12, only: None, faulty: 2 }, 1);
        let names: std::collections::BTreeSet<_> = all.iter().map(|o| &o.name).collect();
        let seeds: std::collections::BTreeSet<_> = all.iter().map(|o| o.seed).collect();
        assert_eq!((names.len(), seeds.len()), (38, 38));
        let licences = orders(Counts::originals_of(Document::Page, 5), 1);
        assert!(licences.len() == 5 && licences.iter().all(|order| order.spec.document == Document::Page));
    }

    #[test]
    fn labels_name_every_file() {
        let dir = tempfile::tempdir().expect("a scratch directory");
        let counts = Counts { original: 1, screen: 1, print: 1, only: None, faulty: 0 };
        let truths = write_set(dir.path(), counts, 2, || ()).expect("the set is written");
        assert_eq!(truths.len(), 3);
        let mut table = csv::Reader::from_path(dir.path().join("labels.csv")).expect("labels open");
        assert_eq!(table.headers().expect("a header").iter().collect::<Vec<_>>(), COLUMNS);
        for (record, label) in table.records().zip(["original", "screen", "print"]) {
            let record = record.expect("a whole row");
            assert_eq!(&record[1], label);
            #[allow(clippy::disallowed_methods, reason = "its own file")]
            let picture = image::open(dir.path().join(&record[0])).expect("the file decodes");
            assert_eq!(picture.width().to_string(), record[6]);
            assert_eq!(record[16].is_empty(), label == "original");
        }
    }
}
