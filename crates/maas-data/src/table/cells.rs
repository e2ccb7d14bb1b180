use std::str;
use std::sync::Arc;

use csv::ByteRecord;

use crate::Error;

/// Rows of text cells, all in one string.
#[derive(Clone)]
pub(crate) struct Cells {
    names: Arc<[String]>,
    text: String,
    /// Where each cell ends, row-major.
    ends: Vec<usize>,
    /// Where each row starts in its file, from 1.
    lines: Vec<u64>,
}

impl Cells {
    pub(crate) fn new(names: Arc<[String]>) -> Self {
        Self {
            names,
            text: String::new(),
            ends: Vec::new(),
            lines: Vec::new(),
        }
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn rows(&self) -> usize {
        self.lines.len()
    }

    pub(crate) fn line(&self, row: usize) -> u64 {
        self.lines[row]
    }

    pub(crate) fn cell(&self, row: usize, column: usize) -> &str {
        let index = row * self.names.len() + column;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..self.ends[index]]
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
        self.lines.clear();
    }

    /// Appends a row, its cells without the white space around them.
    pub(crate) fn push(&mut self, record: &ByteRecord, line: u64) -> Result<(), Error> {
        if record.len() != self.names.len() {
            return Err(Error::RowWidth {
                line,
                expected: self.names.len(),
                found: record.len(),
            });
        }
        self.lines.push(line);
        for cell in texts(record, line)? {
            self.text.push_str(cell.trim());
            self.ends.push(self.text.len());
        }
        Ok(())
    }

    /// The rows of these numbers, which are below [`Cells::rows`].
    pub(crate) fn select(&self, rows: &[usize]) -> Self {
        let mut selected = Self::new(Arc::clone(&self.names));
        for &row in rows {
            selected.lines.push(self.lines[row]);
            for column in 0..self.names.len() {
                selected.text.push_str(self.cell(row, column));
                selected.ends.push(selected.text.len());
            }
        }
        selected
    }
}

/// The cells of a record as text.
pub(crate) fn texts(record: &ByteRecord, line: u64) -> Result<impl Iterator<Item = &str>, Error> {
    let bad = || Error::NotUtf8 {
        line,
        cell: 1 + record
            .iter()
            .position(|cell| str::from_utf8(cell).is_err())
            .unwrap_or(0),
    };
    let text = str::from_utf8(record.as_slice()).map_err(|_| bad())?;
    let ranges = (0..record.len()).map(|cell| record.range(cell).unwrap_or(0..0));
    // Two cells that are no text may be one together.
    if ranges
        .clone()
        .any(|range| !text.is_char_boundary(range.end))
    {
        return Err(bad());
    }
    Ok(ranges.map(|range| &text[range]))
}
