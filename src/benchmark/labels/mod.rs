//! A CSV or JSON Lines file that says what each picture is → samples, or every row that is wrong.
//!
//! A row needs `path` and `label`; it may have `species`, `source`, `device`, `document_id`, `content`, `split`,
//! `legible` and `readable`. Further columns are ignored. Names of columns and labels may be in any case; cells are
//! taken without surrounding blanks, except paths, which may not be empty, absolute or lead out of their root.

mod error;
mod label;
mod read;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use serde::Serialize;

pub use self::error::{LabelError, Problem};
pub use self::label::{Label, Readable};
pub use self::read::read;
use crate::names;
use crate::report::csv::{guarded, writer};

/// The columns that are read, in the order in which they are written.
pub const COLUMNS: [&str; 10] =
    ["path", "label", "species", "source", "device", "document_id", "content", "split", "legible", "readable"];

/// One labelled picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Line of the file on which the row begins; the first line is 1.
    pub row: usize,
    /// Path below the root, with `/` between its parts and without `.` parts.
    pub path: String,
    /// What it is.
    pub label: Label,
    /// The kind of presentation more closely, such as `colour-copy`; the name of the label where none is given.
    pub species: String,
    /// What the picture shares with others that are not independent of it: a clip, a person, a collection. Where none
    /// is given, the first folder of the path; where there is none, the path, so that intervals are over files.
    pub source: String,
    /// The camera.
    pub device: Option<String>,
    /// The physical document.
    pub document_id: Option<String>,
    /// What the picture shows.
    pub content: Option<String>,
    /// Name of the part of the set, such as `test`.
    pub split: Option<String>,
    /// Whether a person can read the document.
    pub legible: Option<bool>,
    /// How much of it a person can read.
    pub readable: Option<Readable>,
}

impl Sample {
    /// A sample with nothing but a path and a label, the rest as for absent cells.
    #[must_use]
    pub fn new(row: usize, path: &str, label: Label) -> Self {
        let folder = path.split_once('/').map_or("", |(folder, _)| folder.trim());
        let source = if folder.is_empty() { path.trim() } else { folder };
        Self {
            row,
            path: path.to_owned(),
            label,
            species: label.name().to_owned(),
            source: source.to_owned(),
            device: None,
            document_id: None,
            content: None,
            split: None,
            legible: None,
            readable: None,
        }
    }

    /// Whether a person can read the document: the column `legible`, and where that is empty `readable`, of which `part`
    /// says neither.
    #[must_use]
    pub fn is_legible(&self) -> Option<bool> {
        self.legible.or_else(|| self.readable?.legible())
    }
}

/// Labelled pictures in the order of their file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// One for each row.
    pub samples: Vec<Sample>,
}

impl Labels {
    /// One problem for each row whose path names no file below `root`.
    #[must_use]
    pub fn check_files(&self, root: &Path) -> Vec<Problem> {
        let missing = self.samples.iter().filter(|sample| !root.join(&sample.path).is_file());
        let what = |sample: &Sample| format!("there is no file \"{}\" in {}", sample.path, names::shown(root));
        missing.map(|sample| Problem { row: sample.row, what: what(sample) }).collect()
    }

    /// The rows of one split, or all rows, in the order of the file.
    ///
    /// # Errors
    /// When no row is in `split`, or there are no rows at all.
    pub fn select(&self, split: Option<&str>) -> Result<Vec<&Sample>, LabelError> {
        let rows: Vec<&Sample> =
            self.samples.iter().filter(|sample| split.is_none() || sample.split.as_deref() == split).collect();
        if rows.is_empty() {
            let splits: BTreeSet<&str> = self.samples.iter().filter_map(|sample| sample.split.as_deref()).collect();
            let known = if splits.is_empty() {
                "the labels name no splits".to_owned()
            } else {
                format!("splits are: {}", splits.into_iter().collect::<Vec<_>>().join(", "))
            };
            return Err(LabelError::Split { split: split.unwrap_or("all").to_owned(), known });
        }
        Ok(rows)
    }

    /// Writes a table with all of `COLUMNS`, ordered by path, that [`read`] takes back but for the row numbers; cells that a
    /// spreadsheet would run have an apostrophe before them, which [`read`] takes off.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_csv(&self, out: impl io::Write) -> Result<(), LabelError> {
        let mut samples: Vec<&Sample> = self.samples.iter().collect();
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        let mut writer = writer(out);
        writer.write_record(COLUMNS)?;
        for sample in samples {
            let legible = sample.legible.map_or("", |legible| if legible { "true" } else { "false" });
            // Names of files and folders are strangers'.
            let optional = |text: &Option<String>| text.as_deref().map(guarded).unwrap_or_default();
            writer.write_record([
                guarded(&sample.path).as_str(),
                sample.label.name(),
                &guarded(&sample.species),
                &guarded(&sample.source),
                &optional(&sample.device),
                &optional(&sample.document_id),
                &optional(&sample.content),
                &optional(&sample.split),
                legible,
                sample.readable.map_or("", Readable::name),
            ])?;
        }
        writer.flush().map_err(csv::Error::from)?;
        Ok(())
    }
}

/// Whether `samples` hold originals and anything else, without which there is nothing to tell apart.
///
/// # Errors
/// When they do not.
pub fn check_classes(samples: &[&Sample]) -> Result<(), LabelError> {
    let labels: BTreeSet<Label> = samples.iter().map(|sample| sample.label).collect();
    let others = labels.iter().any(|label| *label != Label::Original);
    // Originals that say whether they are readable have a figure of their own: who passes at first try.
    let alone = labels.contains(&Label::Original) && samples.iter().any(|sample| sample.readable.is_some());
    if labels.contains(&Label::Original) && (others || alone) {
        return Ok(());
    }
    let names: Vec<&str> = labels.into_iter().map(Label::name).collect();
    let what = if names.is_empty() { "no label".to_owned() } else { format!("all labelled {}", names.join(" or ")) };
    Err(LabelError::OneClass { rows: samples.len(), what })
}

#[cfg(test)]
mod testing {
    use std::path::PathBuf;

    use super::{LabelError, Labels, read};

    pub fn file(name: &str, text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    pub fn read_text(name: &str, text: &str) -> Result<Labels, LabelError> {
        let (_dir, path) = file(name, text.as_bytes());
        read(&path)
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{file, read_text};
    use super::*;

    #[test]
    fn an_empty_split_is_refused_with_the_splits_there_are() {
        let labels = read_text("a.csv", "path,label,split\na.jpg,print,test\nb.jpg,print,train\n").unwrap();
        assert_eq!(labels.select(Some("test")).unwrap()[0].path, "a.jpg");
        assert_eq!(labels.select(None).unwrap().len(), 2);
        assert!(labels.select(Some("dev")).unwrap_err().to_string().ends_with("splits are: test, train"));
        assert!(Labels::default().select(None).is_err());
    }

    #[test]
    fn one_class_alone_is_refused_by_the_check_of_classes() {
        let labels = read_text("a.csv", "path,label\na.jpg,print\nb.jpg,screen\nc.jpg,original\n").unwrap();
        let all = labels.select(None).unwrap();
        assert!(check_classes(&all).is_ok());
        let error = check_classes(&all[..2]).unwrap_err().to_string();
        assert!(error.contains("2 rows, all labelled screen or print"), "{error}");
        assert!(check_classes(&all[2..]).is_err());
        assert!(check_classes(&[]).is_err());
    }

    #[test]
    fn missing_files_are_named_by_row() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b.jpg")).unwrap();
        std::fs::write(dir.path().join("a.jpg"), "").unwrap();
        let labels = read_text("l.csv", "path,label\na.jpg,print\nb.jpg,print\nc.jpg,print\n").unwrap();
        let missing = labels.check_files(dir.path());
        assert_eq!(missing.iter().map(|problem| problem.row).collect::<Vec<_>>(), [3, 4]);
        assert!(missing[1].what.contains("c.jpg"));
    }

    #[test]
    fn what_is_written_reads_the_same_and_in_the_order_of_paths() {
        let mut samples = vec![
            Sample::new(2, "z,\"1\"\n.jpg", Label::Print),
            Sample::new(3, "b/ü 1.jpg", Label::Screenshot),
            Sample::new(4, " a.jpg", Label::Original),
            Sample::new(5, "=cmd|' C'!A0/@x.jpg", Label::Original),
            Sample::new(6, "-1.jpg", Label::Screen),
            Sample::new(7, "\t+1.jpg", Label::Print),
            Sample::new(8, "'quoted'.jpg", Label::Print),
            Sample::new(9, "'=2.jpg", Label::Print),
        ];
        samples[0].species = "colour-copy".into();
        samples[0].legible = Some(false);
        samples[0].readable = Some(Readable::No);
        samples[2].readable = Some(Readable::Part);
        samples[1].document_id = Some("x/7".into());
        samples[1].device = Some("a, b".into());
        for sample in &mut samples {
            sample.split = Some("test".into());
        }
        let labels = Labels { samples };
        let mut bytes = Vec::new();
        labels.write_csv(&mut bytes).unwrap();
        for record in csv::Reader::from_reader(bytes.as_slice()).records() {
            for cell in &record.unwrap() {
                assert!(!cell.trim_start().starts_with(['=', '+', '-', '@', '\t']), "{cell}");
            }
        }
        let (_dir, path) = file("out.csv", &bytes);
        let mut back = read(&path).unwrap();
        let order: Vec<&str> = back.samples.iter().map(|sample| sample.path.as_str()).collect();
        let expected = [
            "\t+1.jpg",
            " a.jpg",
            "'=2.jpg",
            "'quoted'.jpg",
            "-1.jpg",
            "=cmd|' C'!A0/@x.jpg",
            "b/ü 1.jpg",
            "z,\"1\"\n.jpg",
        ];
        assert_eq!(order, expected);
        let mut again = Vec::new();
        back.write_csv(&mut again).unwrap();
        assert_eq!(bytes, again);
        let mut before = labels.samples;
        before.sort_by(|a, b| a.path.cmp(&b.path));
        for (sample, before) in back.samples.iter_mut().zip(&before) {
            sample.row = before.row;
        }
        assert_eq!(back.samples, before);
    }
}
