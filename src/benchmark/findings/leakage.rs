//! Samples of several splits, and fingerprints of their pictures → what is on both sides of a split.

use std::collections::{BTreeMap, BTreeSet};

use image::GrayImage;
use serde::Serialize;

use crate::benchmark::labels::Sample;

/// How many of the 256 bits of two fingerprints of the same picture may differ. Saving a picture again, smaller or
/// with more compression, changes few bits; those of pictures that have nothing to do with each other differ in some
/// hundred. Below `BANDS`, so that comparing by bands misses no pair.
pub const NEAR_BITS: u32 = 12;

/// A fingerprint with fewer bits set, or fewer unset, than this is of a flat or evenly shaded picture. Any two of those
/// are alike, so they are never near-identical to anything.
pub const LEAST_BITS: u32 = 24;

/// Grey levels by which the right one of two neighbours must be brighter to set a bit; noise on flat areas sets none.
const STEP: f64 = 1.0;

const BANDS: usize = 16;

/// The difference hash of a picture: its averages over 17 by 16 cells, and a bit for each two neighbours in a row,
/// row by row, set where the right one is brighter. After Krawetz, "Kind of Like That" (2013), there with 9 by 8 cells.
#[must_use]
pub fn fingerprint(grey: &GrayImage) -> [u64; 4] {
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    if width == 0 || height == 0 {
        return [0; 4];
    }
    let across: Vec<f64> = grey
        .as_raw()
        .chunks_exact(width)
        .take(height)
        .flat_map(|row| averages(|x| f64::from(row[x]), width, 17))
        .collect();
    let columns: Vec<Vec<f64>> = (0..17).map(|x| averages(|y| across[y * 17 + x], height, 16)).collect();
    let mut bits = [0; 4];
    for (x, pair) in columns.windows(2).enumerate() {
        for (y, (left, right)) in pair[0].iter().zip(&pair[1]).enumerate() {
            if right - left > STEP {
                let at = y * 16 + x;
                bits[at / 64] |= 1 << (at % 64);
            }
        }
    }
    bits
}

/// The averages of `length` values over `cells` stretches of equal length, values on a border by their share.
fn averages(value: impl Fn(usize) -> f64, length: usize, cells: usize) -> Vec<f64> {
    let stretch = length as f64 / cells as f64;
    let average = |cell: usize| {
        let (from, to) = (cell as f64 * stretch, (cell + 1) as f64 * stretch);
        let last = (to.ceil() as usize).min(length);
        let share = |at: usize| (to.min(at as f64 + 1.0) - from.max(at as f64)).max(0.0);
        (from as usize..last).map(|at| value(at) * share(at)).sum::<f64>() / stretch
    };
    (0..cells).map(average).collect()
}

/// How many bits differ, 0 to 256.
#[must_use]
pub fn distance(a: &[u64; 4], b: &[u64; 4]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Whether a fingerprint is of a flat picture, by [`LEAST_BITS`].
#[must_use]
pub fn is_flat(bits: &[u64; 4]) -> bool {
    let set = distance(bits, &[0; 4]);
    !(LEAST_BITS..=256 - LEAST_BITS).contains(&set)
}

/// A sample and what is known of its file.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a> {
    /// Its row.
    pub sample: &'a Sample,
    /// Its `fingerprint`; none where the file could not be decoded.
    pub fingerprint: Option<[u64; 4]>,
    /// The SHA-256 of its bytes in hexadecimal; none where the file could not be read.
    pub sha256: Option<&'a str>,
}

/// What two splits share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeakKind {
    /// A physical document.
    Document,
    /// A source.
    Source,
    /// A file, byte for byte.
    Identical,
    /// A picture, but for at most `NEAR_BITS` bits of its fingerprint.
    NearIdentical,
}

/// One thing that is in two splits; `split_a` comes first by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// What is shared.
    pub kind: LeakKind,
    /// One split.
    pub split_a: String,
    /// A row of it.
    pub row_a: usize,
    /// The other split.
    pub split_b: String,
    /// A row of that.
    pub row_b: usize,
    /// The document, the source, the SHA-256, or how many bits differ.
    pub value: String,
}

/// What [`find`] found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Leakage {
    /// By kind, splits and rows. A document, source or file is named once for each two splits, with the first row of
    /// each; a row is named near-identical to the one nearest to it in each other split, and not where that split has
    /// the file itself.
    pub leaks: Vec<Leak>,
    /// For each split, how many files repeat an earlier one of it byte for byte; rows without a split are under an
    /// empty name. Splits without such files are absent.
    pub duplicates: BTreeMap<String, usize>,
}

/// Everything that is in two splits. Rows without a split are in none.
#[must_use]
pub fn find(pictures: &[Picture]) -> Leakage {
    let mut leaks = Vec::new();
    shared(pictures, LeakKind::Document, |picture| picture.sample.document_id.as_deref(), &mut leaks);
    shared(pictures, LeakKind::Source, |picture| Some(&picture.sample.source), &mut leaks);
    shared(pictures, LeakKind::Identical, |picture| picture.sha256, &mut leaks);
    near_identical(pictures, &mut leaks);
    leaks.sort_by(|a, b| {
        (a.kind, &a.split_a, &a.split_b, a.row_a, a.row_b).cmp(&(b.kind, &b.split_a, &b.split_b, b.row_a, b.row_b))
    });
    Leakage { leaks, duplicates: duplicates(pictures) }
}

fn duplicates(pictures: &[Picture]) -> BTreeMap<String, usize> {
    let mut seen = BTreeSet::new();
    let mut counts = BTreeMap::new();
    for picture in pictures {
        let split = picture.sample.split.as_deref().unwrap_or_default();
        if picture.sha256.is_some_and(|sha256| !seen.insert((split, sha256))) {
            *counts.entry(split.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

fn shared<'a>(
    pictures: &'a [Picture<'a>],
    kind: LeakKind,
    value: impl Fn(&'a Picture<'a>) -> Option<&'a str>,
    leaks: &mut Vec<Leak>,
) {
    let mut first_rows: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for picture in pictures {
        if let (Some(value), Some(split)) = (value(picture), picture.sample.split.as_deref()) {
            let row = first_rows.entry(value).or_default().entry(split).or_insert(picture.sample.row);
            *row = picture.sample.row.min(*row);
        }
    }
    for (value, splits) in first_rows {
        let splits: Vec<(&str, usize)> = splits.into_iter().collect();
        for (at, (split_a, row_a)) in splits.iter().enumerate() {
            for (split_b, row_b) in &splits[at + 1..] {
                leaks.push(Leak {
                    kind,
                    split_a: (*split_a).to_owned(),
                    row_a: *row_a,
                    split_b: (*split_b).to_owned(),
                    row_b: *row_b,
                    value: value.to_owned(),
                });
            }
        }
    }
}

/// Bits of a band: one of every row and of every column of the 16 by 16, so that margins alone make no band.
fn bands(bits: &[u64; 4]) -> [u16; BANDS] {
    let mut bands = [0; BANDS];
    for (band, word) in bands.iter_mut().enumerate() {
        for y in 0..16 {
            let at = y * 16 + (band + y) % 16;
            *word |= ((bits[at / 64] >> (at % 64) & 1) as u16) << y;
        }
    }
    bands
}

/// Two fingerprints that differ in fewer bits than there are bands agree in a band, so only pictures that share a band
/// are compared.
fn near_identical(pictures: &[Picture], leaks: &mut Vec<Leak>) {
    struct Print<'a> {
        split: usize,
        row: usize,
        sha256: Option<&'a str>,
        bits: [u64; 4],
        bands: [u16; BANDS],
    }
    let splits: Vec<&str> = pictures
        .iter()
        .filter_map(|picture| picture.sample.split.as_deref())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut prints = Vec::new();
    let mut files: BTreeSet<(usize, &str)> = BTreeSet::new();
    for picture in pictures {
        let Some(split) = picture.sample.split.as_deref().and_then(|name| splits.binary_search(&name).ok()) else {
            continue;
        };
        files.extend(picture.sha256.map(|sha256| (split, sha256)));
        if let Some(bits) = picture.fingerprint.filter(|bits| !is_flat(bits)) {
            let (row, sha256) = (picture.sample.row, picture.sha256);
            prints.push(Print { split, row, sha256, bits, bands: bands(&bits) });
        }
    }
    prints.sort_by_key(|print| (print.split, print.row));
    // For each print and split, by turns: how many bits the nearest print there differs in, and which it is.
    let mut nearest: Vec<Option<(u32, usize)>> = vec![None; prints.len() * splits.len()];
    for band in 0..BANDS {
        let mut order: Vec<usize> = (0..prints.len()).collect();
        order.sort_by_key(|at| (prints[*at].bands[band], *at));
        for group in order.chunk_by(|a, b| prints[*a].bands[band] == prints[*b].bands[band]) {
            for (at, a) in group.iter().enumerate() {
                let first = &prints[*a];
                // Prints are in the order of splits, so those of other splits follow those of the same.
                let others = group[at..].partition_point(|b| prints[*b].split == first.split);
                for b in &group[at + others..] {
                    let second = &prints[*b];
                    // Those that agree in an earlier band were compared there.
                    if first.bands[..band].iter().zip(&second.bands).any(|(one, other)| one == other) {
                        continue;
                    }
                    let bits = distance(&first.bits, &second.bits);
                    if bits > NEAR_BITS {
                        continue;
                    }
                    for (one, other) in [(*a, *b), (*b, *a)] {
                        let known = &mut nearest[one * splits.len() + prints[other].split];
                        if known.is_none_or(|known| (bits, other) < known) {
                            *known = Some((bits, other));
                        }
                    }
                }
            }
        }
    }
    let mut pairs: BTreeMap<(usize, usize), u32> = BTreeMap::new();
    for (at, found) in nearest.into_iter().enumerate() {
        let (one, split) = (at / splits.len(), at % splits.len());
        let there = prints[one].sha256.is_some_and(|sha256| files.contains(&(split, sha256)));
        if let Some((bits, other)) = found.filter(|_| !there) {
            pairs.insert((one.min(other), one.max(other)), bits);
        }
    }
    for ((a, b), bits) in pairs {
        leaks.push(Leak {
            kind: LeakKind::NearIdentical,
            split_a: splits[prints[a].split].to_owned(),
            row_a: prints[a].row,
            split_b: splits[prints[b].split].to_owned(),
            row_b: prints[b].row,
            value: bits.to_string(),
        });
    }
}

/// The samples whose source was trained on, in their order; the caller refuses them unless asked not to.
#[must_use]
pub fn trained_on<'a>(training_sources: &BTreeSet<String>, samples: &[&'a Sample]) -> Vec<&'a Sample> {
    samples.iter().copied().filter(|sample| training_sources.contains(&sample.source)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::labels::Label;

    fn sample(row: usize, split: &str, source: &str, document: &str) -> Sample {
        let mut sample = Sample::new(row, &format!("{row}.jpg"), Label::Print);
        sample.split = (!split.is_empty()).then(|| split.to_owned());
        sample.source = source.to_owned();
        sample.document_id = (!document.is_empty()).then(|| document.to_owned());
        sample
    }

    fn bare(sample: &Sample) -> Picture<'_> {
        Picture { sample, fingerprint: None, sha256: None }
    }

    /// Numbers that look random: the `SplitMix64` of Steele, Lea and Flood.
    fn mix(state: &mut u64) -> u64 {
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = *state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn random(state: &mut u64) -> [u64; 4] {
        [(); 4].map(|()| mix(state))
    }

    fn flipped(mut bits: [u64; 4], places: impl IntoIterator<Item = usize>) -> [u64; 4] {
        for place in places {
            bits[place / 64] ^= 1 << (place % 64);
        }
        bits
    }

    /// A made-up document: dark strokes at random on a light ground.
    fn page(seed: u64, width: u32, height: u32) -> GrayImage {
        let mut state = seed;
        let blocks: Vec<u64> = (0..32 * 24).map(|_| mix(&mut state) % 4).collect();
        GrayImage::from_fn(width, height, |x, y| {
            let block = blocks[(y * 24 / height * 32 + x * 32 / width) as usize];
            image::Luma([if block == 0 { 40 } else { 150 + block as u8 * 20 }])
        })
    }

    #[test]
    fn a_picture_stays_near_itself_when_smaller_noisier_and_brighter() {
        let before = fingerprint(&page(1, 640, 480));
        let mut state = 7;
        let mut after = page(1, 333, 250);
        for pixel in after.pixels_mut() {
            pixel.0[0] = pixel.0[0].saturating_add((mix(&mut state) % 12) as u8);
        }
        assert!(distance(&before, &fingerprint(&after)) <= NEAR_BITS);
        assert!(distance(&before, &fingerprint(&page(2, 640, 480))) > 4 * NEAR_BITS);
        assert!(!is_flat(&before));
    }

    #[test]
    fn the_bits_are_those_of_the_neighbours_in_each_row() {
        // One column of cells lighter than the rest: brighter to its left neighbour, and no other.
        let stripe = GrayImage::from_fn(170, 160, |x, _| image::Luma([if x / 10 == 5 { 200 } else { 50 }]));
        let expected = flipped([0; 4], (0..16).map(|y| y * 16 + 4));
        assert_eq!(fingerprint(&stripe), expected);
    }

    #[test]
    fn averages_share_values_on_a_border() {
        let close = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}");
        };
        close(averages(|x| [0.0, 30.0, 60.0][x], 3, 2), &[10.0, 50.0]);
        close(averages(|x| [10.0, 20.0][x], 2, 4), &[10.0, 10.0, 20.0, 20.0]);
    }

    #[test]
    fn flat_noisy_and_evenly_shaded_pictures_are_flat() {
        let mut state = 3;
        let noisy = GrayImage::from_fn(640, 480, |_, _| image::Luma([128 + (mix(&mut state) % 9) as u8]));
        let shaded = GrayImage::from_fn(340, 320, |x, _| image::Luma([(x / 2) as u8]));
        for flat in [GrayImage::new(0, 5), GrayImage::new(1, 1), GrayImage::new(64, 64), noisy, shaded] {
            assert!(is_flat(&fingerprint(&flat)), "{:?}", flat.dimensions());
        }
    }

    #[test]
    fn shared_documents_and_sources_are_named_once_with_the_first_rows() {
        let samples = [
            sample(2, "train", "one", "card"),
            sample(3, "train", "two", "card"),
            sample(4, "test", "one", "card"),
            sample(5, "test", "three", "other"),
            sample(6, "", "three", "other"),
        ];
        let found = find(&samples.iter().map(bare).collect::<Vec<_>>());
        let leak = |kind, value: &str| Leak {
            kind,
            split_a: "test".into(),
            row_a: 4,
            split_b: "train".into(),
            row_b: 2,
            value: value.into(),
        };
        assert_eq!(found.leaks, [leak(LeakKind::Document, "card"), leak(LeakKind::Source, "one")]);
        assert!(found.duplicates.is_empty());
    }

    #[test]
    fn repeated_files_leak_across_splits_and_count_within_one() {
        let samples: Vec<Sample> =
            [(2, "test"), (3, "test"), (4, "test"), (5, "train"), (6, "train"), (7, ""), (8, "")]
                .map(|(row, split)| sample(row, split, &row.to_string(), ""))
                .into();
        let bits = random(&mut 5);
        let files = ["aa", "aa", "aa", "aa", "bb", "cc", "cc"];
        let pictures: Vec<Picture> = samples
            .iter()
            .zip(files)
            .map(|(sample, file)| Picture { sample, fingerprint: Some(bits), sha256: Some(file) })
            .collect();
        let found = find(&pictures);
        assert_eq!(found.duplicates, BTreeMap::from([(String::new(), 1), ("test".into(), 2)]));
        let rows: Vec<_> = found.leaks.iter().map(|leak| (leak.kind, leak.row_a, leak.row_b)).collect();
        // Row 6 is another file with the same picture; rows 2 to 5 are the same file and not named again.
        assert_eq!(rows, [(LeakKind::Identical, 2, 5), (LeakKind::NearIdentical, 2, 6)]);
    }

    #[test]
    fn pictures_are_near_identical_up_to_the_limit_and_not_beyond() {
        let mut state = 11;
        for bits in 0..=NEAR_BITS as usize + 1 {
            let before = random(&mut state);
            let start = (mix(&mut state) % 256) as usize;
            // One bit in each band first, which leaves the fewest bands alike.
            let after = flipped(before, (0..bits).map(|n| (start / 16 * 16) % 256 + (start + n) % 16));
            let (a, b) = (sample(2, "a", "x", ""), sample(3, "b", "y", ""));
            let picture = |sample, bits| Picture { sample, fingerprint: Some(bits), sha256: None };
            let found = find(&[picture(&a, before), picture(&b, after)]).leaks;
            assert_eq!(found.len(), usize::from(bits <= NEAR_BITS as usize), "{bits}");
            assert!(found.iter().all(|leak| leak.value == bits.to_string() && leak.split_a == "a"));
        }
    }

    #[test]
    fn flat_pictures_are_near_nothing() {
        let (a, b) = (sample(2, "a", "x", ""), sample(3, "b", "y", ""));
        for bits in [[0; 4], [u64::MAX; 4], [0xffff, 0, 0, 0]] {
            let picture = |sample| Picture { sample, fingerprint: Some(bits), sha256: None };
            assert!(find(&[picture(&a), picture(&b)]).leaks.is_empty());
        }
    }

    #[test]
    fn bands_find_what_comparing_all_pairs_finds() {
        let mut state = 17;
        let centres: Vec<[u64; 4]> = (0..40).map(|_| random(&mut state)).collect();
        let samples: Vec<Sample> =
            (0..400).map(|row| sample(row, ["a", "b", "c"][row % 3], &row.to_string(), "")).collect();
        let prints: Vec<[u64; 4]> = (0..400)
            .map(|_| {
                let flips = mix(&mut state) % 12;
                let centre = centres[(mix(&mut state) % 40) as usize];
                flipped(centre, (0..flips).map(|_| (mix(&mut state) % 256) as usize).collect::<Vec<_>>())
            })
            .collect();
        let pictures: Vec<Picture> = samples
            .iter()
            .zip(&prints)
            .map(|(sample, bits)| Picture { sample, fingerprint: Some(*bits), sha256: None })
            .collect();
        let mut expected = BTreeSet::new();
        for one in 0..400 {
            for split in ["a", "b", "c"] {
                let there = (0..400).filter(|at| samples[*at].split.as_deref() == Some(split) && at % 3 != one % 3);
                let nearest = there.map(|at| (distance(&prints[one], &prints[at]), at)).min();
                if let Some((_, other)) = nearest.filter(|(bits, _)| *bits <= NEAR_BITS) {
                    let (a, b) = if one % 3 < other % 3 { (one, other) } else { (other, one) };
                    expected.insert((a, b));
                }
            }
        }
        let found: BTreeSet<_> = find(&pictures).leaks.iter().map(|leak| (leak.row_a, leak.row_b)).collect();
        assert!(expected.len() > 100);
        assert_eq!(found, expected);
    }

    #[test]
    fn twenty_thousand_pictures_are_compared_in_seconds() {
        let mut state = 23;
        // Half of the bits are the same in all of them, as of documents of one kind.
        let (common, mask) = (random(&mut state), random(&mut state));
        let samples: Vec<Sample> =
            (0..20_000).map(|row| sample(row, ["a", "b"][row % 2], &row.to_string(), "")).collect();
        let prints: Vec<[u64; 4]> = (0..20_000)
            .map(|_| {
                let own = random(&mut state);
                std::array::from_fn(|at| (common[at] & mask[at]) | (own[at] & !mask[at]))
            })
            .collect();
        let picture = |(sample, bits): (_, &[u64; 4])| Picture { sample, fingerprint: Some(*bits), sha256: None };
        let pictures: Vec<Picture> = samples.iter().zip(&prints).map(picture).collect();
        let start = std::time::Instant::now();
        assert!(find(&pictures).leaks.is_empty());
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }

    #[test]
    fn samples_of_training_sources_are_listed() {
        let samples = [sample(2, "", "one", ""), sample(3, "", "two", ""), sample(4, "", "one", "")];
        let all: Vec<&Sample> = samples.iter().collect();
        let rows = |names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            trained_on(&names, &all).iter().map(|sample| sample.row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&["one", "none"]), [2, 4]);
        assert!(rows(&[]).is_empty());
    }
}
