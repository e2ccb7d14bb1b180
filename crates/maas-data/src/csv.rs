use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::{ByteRecord, ReaderBuilder};

use crate::lines::Lines;
use crate::table::{Cells, OnDisk, texts};
use crate::{Error, Table, file};

/// How a file of separated values is read: by default with commas and a line of column names.
///
/// Quoted cells, both kinds of line ends and a byte order mark are understood; white space around a cell is left out,
/// and so are empty lines. Files that are gzipped are unpacked while they are read, with the feature `gzip`.
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
    named: bool,
}

impl Csv {
    /// Commas between cells, and column names in the first line.
    ///
    /// ```
    /// assert_eq!(maas_data::Csv::new(), maas_data::Csv::default());
    /// ```
    pub fn new() -> Self {
        Self {
            delimiter: b',',
            named: true,
        }
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

    /// No line of column names: the columns are called `c0`, `c1`, …
    ///
    /// ```
    /// let table = maas_data::Csv::new().unnamed().read_from("1,2\n3,4\n".as_bytes())?;
    /// assert_eq!((table.names(), table.rows()), (vec!["c0", "c1"], 2));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn unnamed(mut self) -> Self {
        self.named = false;
        self
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Open`] for a file that is missing or may not be read; [`Error::InFile`] when reading it fails; those of
    /// [`Csv::read_from`].
    ///
    /// ```
    /// use maas_data::{Csv, Error};
    /// assert!(matches!(Csv::new().read("no-such-file.csv"), Err(Error::Open { .. })));
    /// ```
    pub fn read(self, path: impl AsRef<Path>) -> Result<Table, Error> {
        Records::open(self, path.as_ref())?.table()
    }

    /// Opens a file whose rows stay there: what is made of it is a source of chunks, for files larger than memory.
    ///
    /// # Errors
    /// [`Error::Open`]; those of [`Csv::read_from`] that show in the header.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-stream.csv");
    /// # std::fs::write(&path, "a,b\n1,2\n3,4\n").unwrap();
    /// use maas_data::{Csv, Source};
    /// let source = Csv::new().stream(&path)?.target("b")?;
    /// assert_eq!(source.rows(), Some(2));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn stream(self, path: impl AsRef<Path>) -> Result<Table<OnDisk>, Error> {
        Table::on_disk(self, path.as_ref().to_owned())
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
        Records::new(self, reader, None)?.table()
    }
}

impl Default for Csv {
    fn default() -> Self {
        Self::new()
    }
}

/// A file on its way through its rows.
pub(crate) struct Records<R = Box<dyn Read + Send>> {
    reader: csv::Reader<Lines<R>>,
    names: Arc<[String]>,
    record: ByteRecord,
    /// The line of a first row that has been read already.
    waiting: Option<u64>,
    path: Option<PathBuf>,
}

impl Records {
    pub(crate) fn open(csv: Csv, path: &Path) -> Result<Self, Error> {
        Self::new(csv, file::open(path)?.0, Some(path.to_owned()))
    }
}

impl<R: Read> Records<R> {
    fn new(csv: Csv, reader: R, path: Option<PathBuf>) -> Result<Self, Error> {
        let reader = ReaderBuilder::new()
            .delimiter(csv.delimiter)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(BUFFER)
            .from_reader(Lines::new(reader));
        let mut records = Self {
            reader,
            names: Arc::new([]),
            record: ByteRecord::new(),
            waiting: None,
            path,
        };
        let line = records.next()?.ok_or(Error::NoHeader)?;
        if csv.named {
            let names = texts(&records.record, line)?;
            records.names = names.map(|name| name.trim().to_owned()).collect();
        } else {
            let names = 0..records.record.len();
            records.names = names.map(|column| format!("c{column}")).collect();
            records.waiting = Some(line);
        }
        Ok(records)
    }

    pub(crate) fn names(&self) -> &Arc<[String]> {
        &self.names
    }

    /// Appends so many rows, fewer only at the end of the file, and says how many.
    pub(crate) fn read(&mut self, cells: &mut Cells, rows: usize) -> Result<usize, Error> {
        for read in 0..rows {
            let Some(line) = self.next()? else {
                return Ok(read);
            };
            cells.push(&self.record, line)?;
        }
        Ok(rows)
    }

    fn table(mut self) -> Result<Table, Error> {
        let mut cells = Cells::new(Arc::clone(&self.names));
        self.read(&mut cells, usize::MAX)?;
        Table::new(self.names, cells)
    }

    /// Reads a record and says in which line it begins.
    fn next(&mut self) -> Result<Option<u64>, Error> {
        if let Some(line) = self.waiting.take() {
            return Ok(Some(line));
        }
        let read = self.reader.read_byte_record(&mut self.record);
        if !read.map_err(|error| self.failed(error.into()))? {
            return Ok(None);
        }
        let offset = self.record.position().map_or(0, csv::Position::byte);
        Ok(Some(self.reader.get_mut().line_from(offset)))
    }

    fn failed(&self, error: io::Error) -> Error {
        match &self.path {
            Some(path) => Error::Read(error).in_file(path),
            None => Error::Read(error),
        }
    }
}

const BUFFER: usize = 128 * 1024;
