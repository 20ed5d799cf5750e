//! A file of rows, perhaps broken off in a line → the rows it holds, by their files, and where to go on writing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::pipeline::Tally;
use super::sinks::Format;
use crate::policy::Decision;
use crate::report::alone::{Part, open_alone};
use crate::report::{Entry, Judge, csv};

/// A row of an earlier screening: where it stands, and what says whether it still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where it begins in the file.
    at: u64,
    /// Its bytes, with the line end.
    length: u64,
    /// The verdict; `None` for a file that could not be examined.
    pub decision: Option<Decision>,
    /// SHA-256 of the file's bytes; empty for one that could not be examined.
    pub sha256: String,
}

/// What an earlier screening left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Rows by their files, in order.
    pub rows: BTreeMap<PathBuf, VecDeque<Row>>,
    /// Who judged them, each once.
    pub judges: Vec<Judge>,
    /// Bytes up to the end of the last whole row; anything after it is to be cut off.
    pub whole_bytes: u64,
}

impl Held {
    fn add(&mut self, entry: Entry, at: u64, length: u64) {
        let (decision, path) = (entry.decision(), entry.file());
        let sha256 = match entry.outcome {
            Ok(told) => {
                if !self.judges.contains(&told.judge) {
                    self.judges.push(told.judge);
                }
                told.sha256
            }
            Err(_) => String::new(),
        };
        self.rows.entry(path).or_default().push_back(Row { at, length, decision, sha256 });
    }

    /// How they came out.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.rows.values().flatten().for_each(|row| tally.count(row.decision));
        tally
    }

    /// Takes the rows of `gone` out of the output at `path`, in which `self` was read, and gives the file to go on with: it
    /// holds the others, whole. Nothing of the old file is lost before the new one is whole.
    ///
    /// # Errors
    /// When the output cannot be read or written.
    pub fn without(&mut self, gone: &BTreeSet<PathBuf>, mut file: File, path: &Path) -> io::Result<File> {
        if gone.iter().all(|path| !self.rows.contains_key(path)) {
            return Ok(file);
        }
        self.rows.retain(|path, _| !gone.contains(path));
        let mut kept: Vec<&mut Row> = self.rows.values_mut().flatten().collect();
        kept.sort_by_key(|row| row.at);
        let header = kept.iter().map(|row| row.at).min().unwrap_or(0);
        let mut part = Part::begin(path)?;
        let mut whole = 0;
        {
            let out: &mut BufWriter<File> = part.out();
            file.seek(SeekFrom::Start(0))?;
            // A table begins with its header; the first row of it may be gone.
            let mut reader = BufReader::new(&mut file);
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line)?;
            if header > 0 && line == csv::header().as_bytes() {
                out.write_all(&line)?;
                whole = line.len() as u64;
            }
            for row in kept {
                reader.seek(SeekFrom::Start(row.at))?;
                io::copy(&mut Read::by_ref(&mut reader).take(row.length), out)?;
                row.at = whole;
                whole += row.length;
            }
        }
        part.finish()?;
        self.whole_bytes = whole;
        open_alone(path)
    }
}

/// Reads the row at its place again.
///
/// # Errors
/// When the file cannot be read there, or holds no row.
pub fn entry(file: &mut File, row: &Row, format: Format) -> io::Result<Entry> {
    let mut bytes = vec![0; usize::try_from(row.length).map_err(io::Error::other)?];
    file.seek(SeekFrom::Start(row.at))?;
    file.read_exact(&mut bytes)?;
    let found = match format {
        Format::JsonLines => Entry::of_json(&bytes),
        Format::Csv => {
            let mut record = ::csv::ByteRecord::new();
            let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
            reader.read_byte_record(&mut record)?.then(|| Entry::of_csv(&record)).flatten()
        }
    };
    found.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Why an output cannot be gone on with.
#[derive(Debug)]
pub enum HeldError {
    /// It cannot be read.
    Io(io::Error),
    /// This line, from 1, is no row of a screening in the format; only the last may be broken.
    Alien(u64),
}

impl From<io::Error> for HeldError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads an output from its beginning. A record of either format is one line.
///
/// # Errors
/// When the file cannot be read, or is no output of a screening in `format`: only its last row may be broken.
pub fn held(file: &mut File, format: Format) -> Result<Held, HeldError> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(file);
    let mut held = Held::default();
    let mut bytes = Vec::new();
    let mut line = 0;
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        line += 1;
        if bytes.last() != Some(&b'\n') {
            break;
        }
        let (at, length) = (held.whole_bytes, bytes.len() as u64);
        let header = format == Format::Csv && line == 1;
        let known = match format {
            _ if header => (bytes == csv::header().as_bytes()).then_some(None),
            Format::JsonLines => Entry::of_json(&bytes).map(Some),
            Format::Csv => record(&bytes).map(Some),
        };
        match known {
            Some(Some(entry)) => held.add(entry, at, length),
            Some(None) => {}
            // A disk that was full may have kept the end of a line without its middle.
            None if line > 1 && reader.fill_buf()?.is_empty() => break,
            None => return Err(HeldError::Alien(line)),
        }
        held.whole_bytes += length;
        bytes.clear();
    }
    if held.whole_bytes == 0 && !bytes.is_empty() {
        // What has no whole line is an output only where it begins as one does.
        let begins = match format {
            Format::JsonLines => vec![b"{\"path\":".to_vec(), b"{\"schema_version\":".to_vec()],
            Format::Csv => vec![csv::header().into_bytes()],
        };
        if !begins.iter().any(|begin| bytes.iter().zip(begin).all(|(is, wanted)| is == wanted)) {
            return Err(HeldError::Alien(1));
        }
    }
    Ok(held)
}

fn record(bytes: &[u8]) -> Option<Entry> {
    let mut record = ::csv::ByteRecord::new();
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    reader.read_byte_record(&mut record).ok().filter(|some| *some)?;
    Entry::of_csv(&record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Sentence;
    use crate::names;
    use crate::report::{FailureCause, Row as Whole, json};
    use crate::screening::failure;

    fn rows(format: Format, paths: &[&[u8]]) -> Vec<u8> {
        let mut text = if format == Format::Csv { csv::header() } else { String::new() };
        for path in paths {
            let said = Sentence { en: "there, is \"none\"".to_owned(), zh: "无".to_owned() };
            let row = Whole::Failure(failure(&names::of_bytes(path), FailureCause::new("missing", said)));
            text += &match format {
                Format::JsonLines => json::line(&row).unwrap() + "\n",
                Format::Csv => csv::line(&row),
            };
        }
        text.into_bytes()
    }

    fn written(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn every_cut_keeps_the_whole_rows_before_it() {
        for format in [Format::JsonLines, Format::Csv] {
            let paths: [&[u8]; 4] = [b"a.jpg", b"=b\n\"c\".jpg", b"caf\xe9.jpg", b"caf\xe8.jpg"];
            let whole = rows(format, &paths);
            let ends: Vec<usize> = (0..=4).map(|n| rows(format, &paths[..n]).len()).collect();
            for cut in 0..=whole.len() {
                let mut file = written(&whole[..cut]);
                let held = held(&mut file, format).unwrap_or_else(|e| panic!("{format:?} cut at {cut}: {e:?}"));
                let n = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
                assert_eq!(held.rows.len(), n, "{format:?} cut at {cut}");
                assert_eq!(held.tally().failed, n as u64);
                let expected = if cut < ends[0] { 0 } else { ends[n] };
                assert_eq!(held.whole_bytes, expected as u64, "{format:?} cut at {cut}");
                for (path, row) in held.rows.iter().flat_map(|(path, rows)| rows.iter().map(move |row| (path, row))) {
                    assert_eq!(&entry(&mut file, row, format).unwrap().file(), path);
                }
            }
        }
    }

    #[test]
    fn rows_that_hold_no_more_are_taken_out_and_the_others_stay_as_they_are() {
        for format in [Format::JsonLines, Format::Csv] {
            let paths: [&[u8]; 4] = [b"a.jpg", b"b.jpg", b"c.jpg", b"d.jpg"];
            for gone in [&[0][..], &[1, 3], &[0, 1, 2, 3], &[]] {
                let dir = tempfile::tempdir().unwrap();
                let path = dir.path().join("rows");
                std::fs::write(&path, rows(format, &paths)).unwrap();
                let mut file = open_alone(&path).unwrap();
                let mut held = held(&mut file, format).unwrap();
                let set = gone.iter().map(|i| names::of_bytes(paths[*i])).collect();
                let mut file = held.without(&set, file, &path).unwrap();
                let kept: Vec<&[u8]> = (0..4).filter(|i| !gone.contains(i)).map(|i| paths[i]).collect();
                let mut expected = rows(format, &kept);
                if kept.is_empty() {
                    // The header comes again with the next row.
                    expected.clear();
                }
                assert_eq!(std::fs::read(&path).unwrap(), expected);
                assert_eq!(held.whole_bytes, expected.len() as u64);
                for (path, row) in held.rows.iter().flat_map(|(path, rows)| rows.iter().map(move |row| (path, row))) {
                    assert_eq!(&entry(&mut file, row, format).unwrap().file(), path);
                }
                assert!(open_alone(&path).is_err(), "the file in place is the one that is held");
            }
        }
    }

    #[test]
    fn another_file_is_not_taken_for_an_output() {
        for format in [Format::JsonLines, Format::Csv] {
            for other in [&b"dear diary\nwith lines\nand more\n"[..], b"dear diary", b"\xff\xd8\xff\xe0"] {
                assert!(held(&mut written(other), format).is_err(), "{format:?}");
            }
        }
    }
}
