//! Rows → lines of a file or of standard output, whole lines only.

use std::io::{self, Write};

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

/// Writes rows as they come; each is flushed, so that an interrupted screening leaves whole lines.
pub struct RowSink<W: Write> {
    out: W,
    format: Format,
}

impl<W: Write> RowSink<W> {
    /// Begins a new output; for CSV with its header.
    ///
    /// # Errors
    /// When `out` cannot be written.
    pub fn begin(mut out: W, format: Format) -> io::Result<Self> {
        if format == Format::Csv {
            out.write_all(csv::header().as_bytes())?;
            out.flush()?;
        }
        Ok(Self { out, format })
    }

    /// Goes on with an output that already holds rows.
    pub const fn resume(out: W, format: Format) -> Self {
        Self { out, format }
    }

    /// Writes one row.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let line = match self.format {
            Format::JsonLines => json::line(row)? + "\n",
            Format::Csv => csv::line(row),
        };
        self.out.write_all(line.as_bytes())?;
        self.out.flush()
    }
}
