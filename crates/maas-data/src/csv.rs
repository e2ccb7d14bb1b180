use std::fs::File;
use std::io;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder, StringRecord, Trim};

use crate::lines::Lines;
use crate::table::Row;
use crate::{Error, Table};

/// How a file of separated values is read: by default with commas.
///
/// Quoted cells, both kinds of line ends and a byte order mark are understood; white space around a cell is left out,
/// and so are empty lines.
///
/// ```
/// use maas_data::Csv;
///
/// let table = Csv::new().delimiter(b';').read_from("\"fixed acidity\";quality\n7.4;5\n".as_bytes())?;
/// assert_eq!(table.names(), ["fixed acidity", "quality"]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Csv {
    delimiter: u8,
}

impl Csv {
    /// Commas between cells.
    ///
    /// ```
    /// assert_eq!(maas_data::Csv::new(), maas_data::Csv::default());
    /// ```
    pub fn new() -> Self {
        Self { delimiter: b',' }
    }

    /// Another character between cells: `b';'`, `b'\t'`.
    ///
    /// ```
    /// let table = maas_data::Csv::new().delimiter(b'\t').read_from("a\tb\n1\t2\n".as_bytes())?;
    /// assert_eq!(table.names(), ["a", "b"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Open`] for a file that is missing or may not be read; those of [`Csv::read_from`].
    ///
    /// ```
    /// use maas_data::{Csv, Error};
    /// assert!(matches!(Csv::new().read("no-such-file.csv"), Err(Error::Open { .. })));
    /// ```
    pub fn read(self, path: impl AsRef<Path>) -> Result<Table, Error> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| Error::Open {
            path: path.to_owned(),
            source,
        })?;
        self.read_from(file).map_err(|error| match error {
            Error::Read(source) => Error::Read(io::Error::new(
                source.kind(),
                format!("{}: {source}", path.display()),
            )),
            error => error,
        })
    }

    /// Reads from any reader, which needs no buffer of its own.
    ///
    /// # Errors
    /// [`Error::NoHeader`] and [`Error::NoRows`]; [`Error::RowWidth`] with the line that has more or fewer cells than
    /// the header; [`Error::DuplicateColumn`], [`Error::NotUtf8`]; [`Error::Read`] when the reader fails.
    ///
    /// ```
    /// use maas_data::{Csv, Error};
    /// let error = Csv::new().read_from("a,b\n1,2\n3\n".as_bytes()).unwrap_err();
    /// assert_eq!(error.to_string(), "line 3: 2 cells expected, found 1");
    /// ```
    pub fn read_from(self, reader: impl io::Read) -> Result<Table, Error> {
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .from_reader(Lines::new(reader));
        let mut records = Records {
            reader: &mut reader,
            record: ByteRecord::new(),
        };
        let header = records.next()?.ok_or(Error::NoHeader)?;
        let names: Vec<String> = header.cells.iter().map(str::to_owned).collect();
        let mut rows = Vec::new();
        while let Some(row) = records.next()? {
            if row.cells.len() != names.len() {
                return Err(Error::RowWidth {
                    line: row.line,
                    expected: names.len(),
                    found: row.cells.len(),
                });
            }
            rows.push(row);
        }
        Table::new(names, rows)
    }
}

impl Default for Csv {
    fn default() -> Self {
        Self::new()
    }
}

struct Records<'a, R> {
    reader: &'a mut csv::Reader<Lines<R>>,
    record: ByteRecord,
}

impl<R: io::Read> Records<'_, R> {
    fn next(&mut self) -> Result<Option<Row>, Error> {
        if !self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| Error::Read(error.into()))?
        {
            return Ok(None);
        }
        let offset = self.record.position().map_or(0, csv::Position::byte);
        let line = self.reader.get_mut().line_from(offset);
        match StringRecord::from_byte_record(self.record.clone()) {
            Ok(cells) => Ok(Some(Row { line, cells })),
            Err(error) => Err(Error::NotUtf8 {
                line,
                cell: error.utf8_error().field() + 1,
            }),
        }
    }
}
