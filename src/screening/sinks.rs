//! Rows → lines of a file or of standard output, whole lines only.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use crate::report::{Row, csv, json};

/// Format of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    JsonLines,
    /// One flat record a line, after a header.
    Csv,
}

enum Out {
    /// A file of its own, and the bytes of its whole rows.
    File(File, u64),
    /// Anything that is only written to.
    Stream(Box<dyn Write + Send>),
}

/// Writes rows as they come, each at once, so that an interrupted screening leaves whole lines.
pub struct RowSink {
    out: Out,
    format: Format,
}

impl RowSink {
    /// Begins a new output on a stream; for CSV with its header.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn stream(out: Box<dyn Write + Send>, format: Format) -> io::Result<Self> {
        let mut sink = Self { out: Out::Stream(out), format };
        sink.begin()?;
        Ok(sink)
    }

    /// Goes on in `file` behind its first `whole` bytes, which hold the header where there are any; the rest is cut off.
    ///
    /// # Errors
    /// When `file` cannot be written.
    pub fn file(mut file: File, whole: u64, format: Format) -> io::Result<Self> {
        file.set_len(whole)?;
        file.seek(SeekFrom::Start(whole))?;
        let mut sink = Self { out: Out::File(file, whole), format };
        if whole == 0 {
            sink.begin()?;
        }
        Ok(sink)
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.format {
            Format::JsonLines => Ok(()),
            Format::Csv => self.put(csv::header().as_bytes()),
        }
    }

    /// Writes one row.
    ///
    /// # Errors
    /// When the output cannot be written; a file then ends with the row before.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let line = match self.format {
            Format::JsonLines => json::line(row)? + "\n",
            Format::Csv => csv::line(row),
        };
        self.put(line.as_bytes())
    }

    fn put(&mut self, line: &[u8]) -> io::Result<()> {
        match &mut self.out {
            Out::Stream(out) => {
                out.write_all(line)?;
                out.flush()
            }
            Out::File(file, whole) => {
                let outcome = file.write_all(line);
                match outcome {
                    Ok(()) => *whole += line.len() as u64,
                    Err(_) => {
                        // What there was room for of a row is none.
                        let _ = file.set_len(*whole);
                    }
                }
                outcome
            }
        }
    }
}
