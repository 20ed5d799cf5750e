//! A file of rows, perhaps broken off in a line → the paths it holds, and where to go on writing.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use serde::Deserialize;

use super::pipeline::Tally;
use super::sinks::Format;
use crate::policy::Decision;
use crate::report::csv;

/// What an earlier screening left.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Held {
    /// Paths that have a row.
    pub paths: BTreeSet<String>,
    /// How they came out.
    pub tally: Tally,
    /// Bytes up to the end of the last whole row; anything after it is to be cut off.
    pub whole_bytes: u64,
}

/// Reads an output from its beginning.
///
/// # Errors
/// When the file cannot be read, or is no output of a screening in `format`: only its last row may be broken.
pub fn held(file: &mut File, format: Format) -> io::Result<Held> {
    file.seek(SeekFrom::Start(0))?;
    match format {
        Format::JsonLines => json_lines(BufReader::new(file)),
        Format::Csv => {
            let length = file.seek(SeekFrom::End(0))?;
            let mut last = [b'\n'];
            if length > 0 {
                file.seek(SeekFrom::End(-1))?;
                file.read_exact(&mut last)?;
            }
            file.seek(SeekFrom::Start(0))?;
            // Where the last record ends without a line end, it is broken even if all its columns are there.
            csv_records(BufReader::new(file), if last == [b'\n'] { u64::MAX } else { length })
        }
    }
}

/// The part of a row that resuming needs.
#[derive(Deserialize)]
struct Line {
    path: String,
    decision: Option<Decision>,
    error: Option<serde::de::IgnoredAny>,
}

fn alien(row: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("line {row} of the output is no row of such a screening"))
}

fn json_lines(mut reader: impl BufRead) -> io::Result<Held> {
    let mut held = Held::default();
    let mut bytes = Vec::new();
    let mut row = 0;
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        row += 1;
        if bytes.last() != Some(&b'\n') {
            break;
        }
        match serde_json::from_slice::<Line>(&bytes) {
            Ok(line) if line.decision.is_some() != line.error.is_some() => {
                held.tally.count(line.decision);
                held.paths.insert(line.path);
            }
            _ if reader.fill_buf()?.is_empty() && row > 1 => break,
            _ => return Err(alien(row)),
        }
        held.whole_bytes += bytes.len() as u64;
        bytes.clear();
    }
    Ok(held)
}

fn csv_records(reader: impl BufRead, broken_at: u64) -> io::Result<Held> {
    let mut held = Held::default();
    let mut records = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(reader);
    let mut record = ::csv::ByteRecord::new();
    let mut row = 0;
    let mut broken = false;
    while records.read_byte_record(&mut record)? {
        row += 1;
        if broken {
            return Err(alien(row - 1));
        }
        let end = records.position().byte();
        let cell = |i: usize| record.get(i).and_then(|c| std::str::from_utf8(c).ok()).unwrap_or_default();
        let column = |name: &str| csv::COLUMNS.iter().position(|c| *c == name).map_or("", cell);
        if end >= broken_at {
            break;
        }
        if row == 1 {
            if !record.iter().eq(csv::COLUMNS.iter().map(|c| c.as_bytes())) {
                return Err(alien(row));
            }
        } else {
            let decision: Option<Decision> = column("decision").parse().ok();
            broken = record.len() != csv::COLUMNS.len() || decision.is_none() == column("error_code").is_empty();
            if broken {
                continue;
            }
            held.tally.count(decision);
            held.paths.insert(csv::unguarded(column("path")).to_owned());
        }
        held.whole_bytes = end;
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Row, json};
    use crate::screening::failure;

    fn rows(format: Format, paths: &[&str]) -> Vec<u8> {
        let mut text = if format == Format::Csv { csv::header() } else { String::new() };
        for path in paths {
            let row = Row::Failure(failure(*path, "missing", "there, is \"none\""));
            text += &match format {
                Format::JsonLines => json::line(&row).unwrap() + "\n",
                Format::Csv => csv::line(&row),
            };
        }
        text.into_bytes()
    }

    #[test]
    fn every_cut_keeps_the_whole_rows_before_it() {
        for format in [Format::JsonLines, Format::Csv] {
            let paths = ["a.jpg", "=b\n\"c\".jpg", "d.jpg"];
            let whole = rows(format, &paths);
            let ends: Vec<usize> = (0..=3).map(|n| rows(format, &paths[..n]).len()).collect();
            for cut in 0..=whole.len() {
                let mut file = tempfile::tempfile().unwrap();
                io::Write::write_all(&mut file, &whole[..cut]).unwrap();
                let held = held(&mut file, format).unwrap();
                let n = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
                assert_eq!(held.paths.len(), n, "{format:?} cut at {cut}");
                assert_eq!(held.tally.failed, n as u64);
                let expected = if cut < ends[0] { 0 } else { ends[n] };
                assert_eq!(held.whole_bytes, expected as u64, "{format:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn another_file_is_not_taken_for_an_output() {
        for format in [Format::JsonLines, Format::Csv] {
            let mut file = tempfile::tempfile().unwrap();
            io::Write::write_all(&mut file, b"dear diary\nwith lines\nand more\n").unwrap();
            assert!(held(&mut file, format).is_err());
        }
    }
}
