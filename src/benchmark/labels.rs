//! A CSV or JSON Lines file that says what each picture is → samples, or every row that is wrong.
//!
//! A row needs `path` and `label`; it may have `species`, `source`, `device`, `document_id`, `content`, `split`,
//! `legible` and `readable`. Further columns are ignored. Names of columns and labels may be in any case; cells are
//! taken without surrounding blanks, except paths, which may not be empty, absolute or lead out of their root.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// The columns that are read, in the order in which they are written.
pub const COLUMNS: [&str; 10] =
    ["path", "label", "species", "source", "device", "document_id", "content", "split", "legible", "readable"];

/// How many problems a [`LabelError::Rows`] spells out; the rest is a number.
pub const PROBLEMS_NAMED: usize = 20;

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// A photograph of the document itself.
    Original,
    /// A photograph of a screen that shows the document.
    Screen,
    /// A photograph or scan of a print or photocopy of the document.
    Print,
    /// What a screen shows, saved without a camera.
    Screenshot,
}

impl Label {
    /// Every label.
    pub const ALL: [Self; 4] = [Self::Original, Self::Screen, Self::Print, Self::Screenshot];

    /// The name that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Screen => "screen",
            Self::Print => "print",
            Self::Screenshot => "screenshot",
        }
    }

    /// The label that `word` names by [`ALIASES`], whatever its case and surrounding blanks; `-` and blanks within are
    /// taken for `_`.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        let word = plain(word);
        ALIASES.iter().find(|(alias, _)| *alias == word).map(|(_, label)| *label)
    }
}

/// Every word that names a label. `or`, `re`, `cc` and `cg` are those of DLC-2021: original, recapture of a screen,
/// colour copy and grey copy.
pub const ALIASES: [(&str, Label); 26] = [
    ("original", Label::Original),
    ("bona_fide", Label::Original),
    ("bonafide", Label::Original),
    ("genuine", Label::Original),
    ("real", Label::Original),
    ("live", Label::Original),
    ("or", Label::Original),
    ("screen", Label::Screen),
    ("recapture", Label::Screen),
    ("re", Label::Screen),
    ("display", Label::Screen),
    ("monitor", Label::Screen),
    ("phone", Label::Screen),
    ("photo_of_screen", Label::Screen),
    ("print", Label::Print),
    ("printed", Label::Print),
    ("printout", Label::Print),
    ("paper", Label::Print),
    ("copy", Label::Print),
    ("photocopy", Label::Print),
    ("photo_copy", Label::Print),
    ("cc", Label::Print),
    ("cg", Label::Print),
    ("scan", Label::Print),
    ("screenshot", Label::Screenshot),
    ("screen_shot", Label::Screenshot),
];

/// Words that say that something is wrong with a picture but not what; none is a label.
pub const AMBIGUOUS: [&str; 5] = ["attack", "presentation_attack", "spoof", "spoofed", "fake"];

/// How much of the document a person can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Readable {
    /// Every field that matters.
    Yes,
    /// Some of it.
    Part,
    /// Nothing that would help.
    No,
}

impl Readable {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Yes, Self::Part, Self::No];

    /// The name that is written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Part => "part",
            Self::No => "no",
        }
    }

    /// What `word` names, whatever its case. Words of two answers, such as `true`, name none: they leave no room for a
    /// document that can be read in part.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|readable| word.trim().eq_ignore_ascii_case(readable.name()))
    }

    /// Whether the document counts as legible; `None` where it can be read in part.
    #[must_use]
    pub const fn legible(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::Part => None,
            Self::No => Some(false),
        }
    }
}

fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace(['-', ' '], "_")
}

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

/// What is wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("row {row}: {what}")]
pub struct Problem {
    /// Line of the file on which the row begins.
    pub row: usize,
    /// A clause that names the value.
    pub what: String,
}

/// Why labels cannot be used.
#[derive(Debug, Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("cannot read labels from {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A table without a column that is needed.
    #[error("{path} has no column \"{missing}\"; its columns are: {found}", path = path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// The columns that are missing.
        missing: String,
        /// The columns that are there.
        found: String,
    },
    /// A column that is there twice.
    #[error("{path} has more than one column \"{name}\"", path = path.display())]
    TwoColumns {
        /// The file.
        path: PathBuf,
        /// The column.
        name: String,
    },
    /// One JSON value over the whole file.
    #[error("{path} is a JSON array; one object on each line is expected", path = path.display())]
    Array {
        /// The file.
        path: PathBuf,
    },
    /// No rows.
    #[error("{path} holds no rows", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Rows that are wrong: the first [`PROBLEMS_NAMED`] problems, and how many more there are.
    #[error("{path} cannot be used:{list}", path = path.display(), list = listed(problems, *more))]
    Rows {
        /// The file.
        path: PathBuf,
        /// The first problems, by row.
        problems: Vec<Problem>,
        /// How many further problems there are.
        more: usize,
    },
    /// No row is in the split that was asked for.
    #[error("no row is in the split \"{split}\"; {known}")]
    Split {
        /// What was asked for.
        split: String,
        /// A clause that names the splits there are.
        known: String,
    },
    /// Nothing to tell apart.
    #[error("{rows} rows, {what}: error rates need originals and others")]
    OneClass {
        /// How many rows there are.
        rows: usize,
        /// What there is, in words.
        what: String,
    },
    /// The labels cannot be written.
    #[error("cannot write labels: {0}")]
    Write(#[from] csv::Error),
}

impl LabelError {
    /// The error that `problems` of the rows of `path` make, named in the order of rows, at most [`PROBLEMS_NAMED`].
    #[must_use]
    pub fn of_rows(path: &Path, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.row);
        let more = problems.len().saturating_sub(PROBLEMS_NAMED);
        problems.truncate(PROBLEMS_NAMED);
        Self::Rows { path: path.to_owned(), problems, more }
    }
}

fn listed(problems: &[Problem], more: usize) -> String {
    let mut lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines.iter().flat_map(|line| ["\n  ", line.as_str()]).collect()
}

/// Labelled pictures in the order of their file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels {
    /// One for each row.
    pub samples: Vec<Sample>,
}

/// Reads labels: JSON Lines where the first character is `{` or the file's name ends in `.jsonl` or `.ndjson`, a table
/// with a header otherwise, with commas, or with semicolons or tabs where its header has no comma.
///
/// # Errors
/// When the file cannot be read, has no rows or lacks a column, and when any row is wrong; all such rows are reported
/// together, none is left out.
pub fn read(path: &Path) -> Result<Labels, LabelError> {
    let bytes = std::fs::read(path).map_err(|source| LabelError::Read { path: path.to_owned(), source })?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let mut rows = Rows::default();
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => return Err(LabelError::Empty { path: path.to_owned() }),
        Some(b'[') => return Err(LabelError::Array { path: path.to_owned() }),
        Some(b'{') => json_lines(bytes, &mut rows),
        Some(_) if ending == "jsonl" || ending == "ndjson" => json_lines(bytes, &mut rows),
        Some(_) => table(path, bytes, &mut rows)?,
    }
    rows.finish(path)
}

/// Samples and problems while a file is read.
#[derive(Default)]
struct Rows {
    samples: Vec<Sample>,
    problems: Vec<Problem>,
    first_row_of: BTreeMap<String, usize>,
}

impl Rows {
    fn problem(&mut self, row: usize, what: String) {
        self.problems.push(Problem { row, what });
    }

    /// Takes the row whose cells `cell` gives by column; absent and blank cells are alike.
    fn add(&mut self, row: usize, cell: impl Fn(&str) -> Option<String>) {
        let known = self.problems.len();
        let text = |column: &str| cell(column).map(|t| t.trim().to_owned()).filter(|t| !t.is_empty());
        let path = match cell("path").filter(|path| !path.trim().is_empty()) {
            None => Err("it has no path".to_owned()),
            Some(path) => below_root(&path),
        };
        let label = match text("label") {
            None => Err("it has no label".to_owned()),
            Some(word) => Label::of(&word).ok_or_else(|| unknown_label(&word)),
        };
        let legible = match text("legible").map(|word| word.to_lowercase()).as_deref() {
            None => Ok(None),
            Some("true" | "yes" | "1") => Ok(Some(true)),
            Some("false" | "no" | "0") => Ok(Some(false)),
            Some(word) => Err(format!("legible is \"{word}\", and neither true nor false")),
        };
        let readable = match text("readable") {
            None => Ok(None),
            Some(word) => Readable::of(&word)
                .map(Some)
                .ok_or_else(|| format!("readable is \"{word}\", and none of yes, part and no")),
        };
        if let Ok(path) = &path {
            if let Some(first) = self.first_row_of.get(path) {
                let what = format!("the path \"{path}\" is in row {first} already");
                self.problem(row, what);
            } else {
                self.first_row_of.insert(path.clone(), row);
            }
        }
        match (path, label, legible, readable) {
            (Ok(path), Ok(label), Ok(legible), Ok(readable)) => {
                let mut sample = Sample::new(row, &path, label);
                sample.species = text("species").unwrap_or(sample.species);
                sample.source = text("source").unwrap_or(sample.source);
                sample.device = text("device");
                sample.document_id = text("document_id");
                sample.content = text("content");
                sample.split = text("split");
                sample.legible = legible;
                sample.readable = readable;
                if self.problems.len() == known {
                    self.samples.push(sample);
                }
            }
            (path, label, legible, readable) => {
                for what in [path.err(), label.err(), legible.err(), readable.err()].into_iter().flatten() {
                    self.problem(row, what);
                }
            }
        }
    }

    fn finish(mut self, path: &Path) -> Result<Labels, LabelError> {
        if let Some(with) = self.samples.iter().find(|sample| sample.split.is_some()).map(|sample| sample.row) {
            let without = self.samples.iter().filter(|sample| sample.split.is_none());
            let what = format!("it has no split, as row {with} has");
            self.problems.extend(without.map(|sample| Problem { row: sample.row, what: what.clone() }));
        }
        if !self.problems.is_empty() {
            return Err(LabelError::of_rows(path, self.problems));
        }
        if self.samples.is_empty() {
            return Err(LabelError::Empty { path: path.to_owned() });
        }
        Ok(Labels { samples: self.samples })
    }
}

fn unknown_label(word: &str) -> String {
    if AMBIGUOUS.contains(&plain(word).as_str()) {
        format!("the label \"{word}\" does not say what the picture is of: screen, print or screenshot")
    } else {
        let names = Label::ALL.map(Label::name).join(", ");
        format!("the label \"{word}\" is unknown; labels are: {names}")
    }
}

/// `path` with `/` between its parts and no `.` or empty parts. A `\` parts folders only in the search for `..`, as it
/// may be part of a name.
fn below_root(path: &str) -> Result<String, String> {
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes()[0].is_ascii_alphabetic();
    if path.starts_with(['/', '\\']) || drive {
        return Err(format!("the path \"{path}\" is absolute; paths are below the root"));
    }
    if path.split(['/', '\\']).any(|part| part == "..") {
        return Err(format!("the path \"{path}\" leads out of the root"));
    }
    if path.contains('\0') {
        return Err(format!("the path {path:?} holds a zero character"));
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.is_empty() { Err(format!("the path \"{path}\" names no file")) } else { Ok(parts.join("/")) }
}

fn table(path: &Path, bytes: &[u8], rows: &mut Rows) -> Result<(), LabelError> {
    let header = bytes.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let delimiter =
        if header.contains(&b',') { b',' } else { *[b';', b'\t'].iter().find(|d| header.contains(d)).unwrap_or(&b',') };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let mut record = csv::ByteRecord::new();
    let mut columns: Vec<String> = Vec::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) => {}
            Err(error) => {
                rows.problem(row_of(reader.position()), format!("it cannot be read: {error}"));
                return Ok(());
            }
        }
        let row = record.position().map_or(0, row_of);
        if columns.is_empty() {
            columns = record.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_lowercase()).collect();
            check_columns(path, &columns)?;
            continue;
        }
        if record.len() != columns.len() {
            let what = format!("it has {} columns, and the header {}", record.len(), columns.len());
            rows.problem(row, what);
            continue;
        }
        let Ok(cells) = record.iter().map(std::str::from_utf8).collect::<Result<Vec<_>, _>>() else {
            rows.problem(row, "it is not UTF-8 text".to_owned());
            continue;
        };
        rows.add(row, |name| columns.iter().position(|column| column == name).map(|at| cells[at].to_owned()));
    }
}

fn row_of(position: &csv::Position) -> usize {
    usize::try_from(position.line()).unwrap_or(usize::MAX)
}

fn check_columns(path: &Path, columns: &[String]) -> Result<(), LabelError> {
    let missing: Vec<&str> =
        COLUMNS[..2].iter().copied().filter(|name| !columns.iter().any(|column| column == name)).collect();
    if !missing.is_empty() {
        let (missing, found) = (missing.join("\", \""), columns.join(", "));
        return Err(LabelError::Column { path: path.to_owned(), missing, found });
    }
    match COLUMNS.iter().find(|name| columns.iter().filter(|column| column == *name).count() > 1) {
        Some(name) => Err(LabelError::TwoColumns { path: path.to_owned(), name: (*name).to_owned() }),
        None => Ok(()),
    }
}

fn json_lines(bytes: &[u8], rows: &mut Rows) {
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let row = index + 1;
        let object = match serde_json::from_slice::<serde_json::Map<String, Value>>(line) {
            Ok(object) => object,
            Err(error) => {
                rows.problem(row, format!("it is no JSON object: {error}"));
                continue;
            }
        };
        let cells: BTreeMap<String, Value> =
            object.into_iter().map(|(name, value)| (name.trim().to_lowercase(), value)).collect();
        let nested = COLUMNS.iter().find(|name| cells.get(**name).is_some_and(|v| v.is_array() || v.is_object()));
        if let Some(name) = nested {
            rows.problem(row, format!("{name} is {}, and no single value", cells[*name]));
            continue;
        }
        rows.add(row, |name| match cells.get(name)? {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
    }
}

impl Labels {
    /// One problem for each row whose path names no file below `root`.
    #[must_use]
    pub fn check_files(&self, root: &Path) -> Vec<Problem> {
        let missing = self.samples.iter().filter(|sample| !root.join(&sample.path).is_file());
        let what = |sample: &Sample| format!("there is no file \"{}\" in {}", sample.path, root.display());
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

    /// Writes a table with all of [`COLUMNS`], ordered by path, that [`read`] takes back but for the row numbers.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn write_csv(&self, out: impl io::Write) -> Result<(), LabelError> {
        let mut samples: Vec<&Sample> = self.samples.iter().collect();
        samples.sort_by(|a, b| a.path.cmp(&b.path));
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(COLUMNS)?;
        for sample in samples {
            let legible = sample.legible.map_or("", |legible| if legible { "true" } else { "false" });
            let optional = |text: &'_ Option<String>| text.clone().unwrap_or_default();
            writer.write_record([
                sample.path.as_str(),
                sample.label.name(),
                &sample.species,
                &sample.source,
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
mod tests {
    use super::*;

    fn file(name: &str, text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        (dir, path)
    }

    fn read_text(name: &str, text: &str) -> Result<Labels, LabelError> {
        let (_dir, path) = file(name, text.as_bytes());
        read(&path)
    }

    fn problems(name: &str, text: &str) -> Vec<(usize, String)> {
        match read_text(name, text) {
            Err(LabelError::Rows { problems, .. }) => problems.into_iter().map(|p| (p.row, p.what)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_labels_of_simulated_captures_load() {
        let text = "path,label,species,source,content,seed,width\n\
                    original_card_01.jpg,original,bona-fide,simulated-91f4,card,18,1536\n\
                    screen_card_02.jpg,screen,lcd,simulated-91f4,card,19,1536\n";
        let labels = read_text("labels.csv", text).unwrap();
        assert_eq!(labels.samples.len(), 2);
        let first = &labels.samples[0];
        assert_eq!((first.row, first.label, first.species.as_str()), (2, Label::Original, "bona-fide"));
        assert_eq!((first.source.as_str(), first.content.as_deref()), ("simulated-91f4", Some("card")));
        assert_eq!(labels.samples[1].label, Label::Screen);
    }

    #[test]
    fn json_lines_and_tables_of_the_same_rows_are_alike() {
        let table = "Path;Label;Document_ID;legible;split\na/b.jpg;Photocopy; 7 ;yes;test\nc.jpg;or;;;test\n";
        let lines = "{\"path\":\"./a//b.jpg\",\"label\":\"COPY\",\"document_id\":7,\"legible\":true,\"split\":\"test\"}\n\
                     {\"path\":\"c.jpg\",\"label\":\"genuine\",\"device\":null,\"split\":\"test\",\"other\":[1]}\n";
        let (table, mut lines) = (read_text("a.csv", table).unwrap(), read_text("a.txt", lines).unwrap());
        for sample in &mut lines.samples {
            sample.row += 1;
        }
        assert_eq!(table, lines);
        assert_eq!(table.samples[0].document_id.as_deref(), Some("7"));
        assert_eq!(table.samples[0].legible, Some(true));
    }

    #[test]
    fn readable_is_yes_part_or_no_in_tables_and_lines_and_nothing_else() {
        let table = read_text("a.csv", "path,label,Readable\na.jpg,or,Yes\nb.jpg,or, part \nc.jpg,or,no\nd.jpg,or,\n");
        let lines = "{\"path\":\"a.jpg\",\"label\":\"or\",\"readable\":\"yes\"}\n\
                     {\"path\":\"b.jpg\",\"label\":\"or\",\"readable\":\"part\"}\n\
                     {\"path\":\"c.jpg\",\"label\":\"or\",\"readable\":\"no\"}\n\
                     {\"path\":\"d.jpg\",\"label\":\"or\",\"readable\":null}\n";
        for labels in [table.unwrap(), read_text("a.jsonl", lines).unwrap()] {
            let said: Vec<_> = labels.samples.iter().map(|sample| (sample.readable, sample.is_legible())).collect();
            let expected = [
                (Some(Readable::Yes), Some(true)),
                (Some(Readable::Part), None),
                (Some(Readable::No), Some(false)),
                (None, None),
            ];
            assert_eq!(said, expected);
        }
        let found = problems("a.csv", "path,label,readable\na.jpg,or,true\nb.jpg,or,yes\nc.jpg,or,mostly\n");
        assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [2, 4]);
        assert!(found[1].1.contains("readable is \"mostly\""), "{found:?}");
        assert_eq!(problems("a.jsonl", "{\"path\":\"a.jpg\",\"label\":\"or\",\"readable\":true}\n")[0].0, 1);
    }

    #[test]
    fn legible_has_the_word_where_both_columns_speak() {
        let labels = read_text("a.csv", "path,label,legible,readable\na.jpg,or,no,yes\nb.jpg,or,yes,part\n").unwrap();
        assert_eq!(labels.samples.iter().map(Sample::is_legible).collect::<Vec<_>>(), [Some(false), Some(true)]);
    }

    #[test]
    fn absent_species_and_sources_fall_back_on_label_folder_and_path() {
        let labels = read_text("a.csv", "\u{feff}path,label\nset/b/c.jpg,cg\nd.jpg,screen_shot\n").unwrap();
        assert_eq!((labels.samples[0].species.as_str(), labels.samples[0].source.as_str()), ("print", "set"));
        assert_eq!((labels.samples[1].species.as_str(), labels.samples[1].source.as_str()), ("screenshot", "d.jpg"));
    }

    #[test]
    fn every_label_and_alias_names_what_the_table_says() {
        for label in Label::ALL {
            assert_eq!(Label::of(label.name()), Some(label));
            assert_eq!(serde_json::to_value(label).unwrap(), label.name());
        }
        for (alias, label) in ALIASES {
            assert_eq!(Label::of(&format!(" {} ", alias.to_uppercase())), Some(label), "{alias}");
            assert_eq!(Label::of(&alias.replace('_', "-")), Some(label), "{alias}");
            assert_eq!(ALIASES.iter().filter(|(other, _)| *other == alias).count(), 1, "{alias}");
            assert!(!AMBIGUOUS.contains(&alias), "{alias}");
        }
        assert_eq!(Label::of("bona fide"), Some(Label::Original));
        assert_eq!(Label::of("attack"), None);
    }

    #[test]
    fn all_bad_rows_are_reported_with_row_and_value() {
        let found = problems(
            "a.csv",
            "path,label,legible\n../a.jpg,original,\nb.jpg,attack,\n/c.jpg,hologram,perhaps\n,print,\ne.jpg,,\n\
             f.jpg,print,\nf.jpg,print,\ng.jpg,print\nC:\\h.jpg,print,\nx\\..\\y.jpg,print,\n./,print,\n",
        );
        let expected = [
            (2, "../a.jpg"),
            (3, "attack"),
            (4, "/c.jpg"),
            (4, "hologram"),
            (4, "perhaps"),
            (5, "no path"),
            (6, "no label"),
            (8, "f.jpg\" is in row 7"),
            (9, "2 columns"),
            (10, "C:\\h.jpg"),
            (11, "x\\..\\y.jpg"),
            (12, "./"),
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for ((row, what), (expected_row, part)) in found.iter().zip(expected) {
            assert_eq!(*row, expected_row, "{what}");
            assert!(what.contains(part), "{what}");
        }
    }

    #[test]
    fn problems_beyond_the_limit_are_counted() {
        let rows: String = (0..PROBLEMS_NAMED + 7).fold(String::new(), |text, n| text + &format!("{n}.jpg,x\n"));
        let error = read_text("a.csv", &format!("path,label\n{rows}")).unwrap_err();
        assert!(error.to_string().ends_with("and 7 more"), "{error}");
        assert_eq!(error.to_string().lines().count(), 1 + PROBLEMS_NAMED + 1);
    }

    #[test]
    fn broken_lines_of_json_are_reported_by_line() {
        let text =
            "{\"path\":\"a.jpg\",\"label\":\"print\"}\n\n{\"path\":\"b.jpg\"\n{\"path\":[1],\"label\":\"print\"}\n7\n";
        let found = problems("a.jsonl", text);
        assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 4, 5]);
        assert!(found[1].1.contains("path is [1]"), "{found:?}");
    }

    #[test]
    fn bytes_that_are_no_text_make_their_row_a_problem() {
        let (_dir, path) = file("a.csv", b"path,label\na.jpg,print\n\xff\xfe.jpg,print\n");
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("row 3: it is not UTF-8"), "{error}");
    }

    #[test]
    fn files_without_rows_or_columns_are_refused() {
        assert!(matches!(read_text("a.csv", " \n\n"), Err(LabelError::Empty { .. })));
        assert!(matches!(read_text("a.csv", "path,label\n"), Err(LabelError::Empty { .. })));
        assert!(matches!(read_text("a.json", "[{}]"), Err(LabelError::Array { .. })));
        assert!(matches!(read_text("a.csv", "path,label,Label\na,print,x\n"), Err(LabelError::TwoColumns { .. })));
        assert!(matches!(read(Path::new("/none/such.csv")), Err(LabelError::Read { .. })));
        let error = read_text("a.csv", "file,class\na.jpg,print\n").unwrap_err().to_string();
        assert!(error.contains("\"path\", \"label\"") && error.contains("file, class"), "{error}");
    }

    #[test]
    fn a_row_without_split_among_rows_with_one_is_a_problem() {
        let found = problems("a.csv", "path,label,split\na.jpg,print,test\nb.jpg,print,\n");
        assert_eq!(found, [(3, "it has no split, as row 2 has".to_owned())]);
    }

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
        let (_dir, path) = file("out.csv", &bytes);
        let mut back = read(&path).unwrap();
        let order: Vec<&str> = back.samples.iter().map(|sample| sample.path.as_str()).collect();
        assert_eq!(order, [" a.jpg", "b/ü 1.jpg", "z,\"1\"\n.jpg"]);
        let mut again = Vec::new();
        back.write_csv(&mut again).unwrap();
        assert_eq!(bytes, again);
        back.samples.reverse();
        for (sample, before) in back.samples.iter_mut().zip(&labels.samples) {
            sample.row = before.row;
        }
        assert_eq!(back, labels);
    }

    #[test]
    fn no_cut_of_a_file_panics() {
        let text = "path,label,split\n\"a,\n\"\"ü.jpg\",print,test\nb.jpg,original,test\n".as_bytes();
        let lines = "{\"path\":\"ü.jpg\",\"label\":\"print\"}\n".as_bytes();
        for whole in [text, lines] {
            for cut in 0..whole.len() {
                let (_dir, path) = file("a.csv", &whole[..cut]);
                let _ = read(&path);
            }
        }
    }
}
