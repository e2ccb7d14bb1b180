use std::io;
use std::path::{Path, PathBuf};

use crate::Schema;

/// What can be wrong with data. Lines count from 1 as an editor counts them, rows from 0.
///
/// ```
/// use maas_data::{Dataset, Error};
///
/// let error = Dataset::from_csv_reader("a,b\n1,2\n3,high\n".as_bytes())?.target("b").unwrap_err();
/// assert!(matches!(error, Error::NotANumber { line: 3, .. }));
/// assert_eq!(error.to_string(), "line 3, column `b`: a number expected, found `high`");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file cannot be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Reading stopped.
    #[error("cannot read the data")]
    Read(#[source] io::Error),
    /// What is in a file is not as it should be.
    #[error("cannot use {}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: Box<Error>,
    },
    /// The data are gzipped, and this build cannot unpack them.
    #[error("gzipped data need the feature `gzip` of maas-data, or to be unpacked before")]
    Gzipped,
    /// The data are not in the IDX format.
    #[error("an IDX file expected, which begins with two bytes 0, found {} {}", found[0], found[1])]
    NotIdx {
        /// The first two bytes.
        found: [u8; 2],
    },
    /// An IDX file holds numbers of an unknown type.
    #[error("one of the type codes 8, 9, 11, 12, 13, 14 expected, found {found}")]
    IdxKind {
        /// The code.
        found: u8,
    },
    /// An IDX file holds something else than what it is read for.
    #[error("{expected} expected, found shape {found:?}")]
    IdxShape {
        /// What it should hold.
        expected: &'static str,
        /// The shape that it holds.
        found: Vec<usize>,
    },
    /// A label of an IDX file is not the number of a class.
    #[error("row {row}: a label from 0 to {} expected, found {found}", classes.saturating_sub(1).min(i32::MAX as usize))]
    IdxLabel {
        /// The row, from 0.
        row: usize,
        /// How many classes there are.
        classes: usize,
        /// The label.
        found: i32,
    },
    /// A file is shorter or longer than its header says. Of one that is gzipped or a stream, no more is counted than
    /// the first byte too many.
    #[error("{expected} bytes expected by the header, found {found}")]
    FileSize {
        /// The size by the header.
        expected: u64,
        /// The size found.
        found: u64,
    },
    /// A file or reader has no header line.
    #[error("a line of column names expected, found nothing")]
    NoHeader,
    /// There are no rows.
    #[error("at least one row expected, found none")]
    NoRows,
    /// More rows than an order of `u32` can number.
    #[error("at most 4294967295 rows expected, found {found}")]
    TooManyRows {
        /// How many there were.
        found: usize,
    },
    /// There is no column left to learn from.
    #[error("at least one input column expected, found none")]
    NoInputs,
    /// Two columns have the same name.
    #[error("two columns are called `{name}`")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A line has more or fewer cells than the header.
    #[error("line {line}: {expected} cells expected, found {found}")]
    RowWidth {
        /// The line.
        line: u64,
        /// How many columns the header has.
        expected: usize,
        /// How many cells the line has.
        found: usize,
    },
    /// A cell is not UTF-8 text.
    #[error("line {line}, cell {cell}: UTF-8 text expected")]
    NotUtf8 {
        /// The line.
        line: u64,
        /// The cell in the line, from 1.
        cell: usize,
    },
    /// There is no column of this name.
    #[error("no column is called `{found}`; there are: {}", columns.join(", "))]
    NoSuchColumn {
        /// The name asked for.
        found: String,
        /// The names that there are.
        columns: Vec<String>,
    },
    /// A cell holds text where a number is expected.
    #[error("line {line}, column `{column}`: a number expected, found `{found}`")]
    NotANumber {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
    },
    /// A cell holds NaN, an infinity, or a number too large for an `f32`.
    #[error("line {line}, column `{column}`: a finite number expected, found `{found}`")]
    CellNotFinite {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
    },
    /// A cell has no value: it is empty, or holds a text that stands for none. [`Missing`](crate::Missing) says what
    /// can be done about it, [`Table::marks`](crate::Table::marks) which texts stand for none.
    #[error(
        "line {line}, column `{column}`: a value expected, found {}",
        missing(found)
    )]
    MissingValue {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
    },
    /// A cell holds a date or a time where a number is expected.
    #[error(
        "line {line}, column `{column}`: a number expected, found the date or time `{found}`; leave the column out, or \
         write it as numbers first, such as days since a day"
    )]
    Date {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
    },
    /// A cell holds a number with thousands separators or a decimal comma.
    #[error(
        "line {line}, column `{column}`: a number with a decimal point and without thousands separators expected, found \
         `{found}`"
    )]
    SeparatedNumber {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
    },
    /// A rule for missing values that categories do not have.
    #[error(
        "column `{column}`: categories have no {rule}; take the most frequent, a constant, or drop the row"
    )]
    NoStatistic {
        /// The column's name.
        column: String,
        /// The rule.
        rule: &'static str,
    },
    /// A value for missing ones that is no number, or none of the categories that were given.
    #[error("column `{column}`: `{found}` cannot stand for missing values here")]
    FillValue {
        /// The column's name.
        column: String,
        /// The value.
        found: String,
    },
    /// A column has no value to learn from.
    #[error("column `{column}`: at least one value expected to learn from, found none")]
    NothingToLearn {
        /// The column's name.
        column: String,
    },
    /// There is not enough memory.
    #[error("no memory for {rows} rows of {width} numbers")]
    Memory {
        /// How many rows there are.
        rows: usize,
        /// How many numbers a row has.
        width: usize,
    },
    /// A cell names a class or a category that is not among those known.
    #[error("line {line}, column `{column}`: one of {} expected, found `{found}`", classes.join(", "))]
    UnknownClass {
        /// The line.
        line: u64,
        /// The column's name.
        column: String,
        /// The cell's text.
        found: String,
        /// Those known; their range where they are numbers.
        classes: Vec<String>,
    },
    /// An array holds NaN or an infinity.
    #[error("row {row}, column {column} of `{name}`: a finite number expected, found {found}")]
    NotFinite {
        /// The input's or the target's name.
        name: String,
        /// The row, from 0.
        row: usize,
        /// The element within the row, from 0.
        column: usize,
        /// The number.
        found: f32,
    },
    /// An input or a target has more or fewer rows than the first input.
    #[error("`{name}`: {expected} rows expected, found {found}")]
    RowCount {
        /// The input's or the target's name.
        name: String,
        /// Rows of the first input.
        expected: usize,
        /// Rows of this one.
        found: usize,
    },
    /// The values of an input are not whole rows of its shape.
    #[error("`{name}`: rows of shape {row_shape:?} expected, found {found} values")]
    RaggedValues {
        /// The input's name.
        name: String,
        /// The shape of a row.
        row_shape: Vec<usize>,
        /// How many values there were.
        found: usize,
    },
    /// A row would have no values, or more than can be counted.
    #[error("`{name}`: rows of at least one value expected, found shape {row_shape:?}")]
    EmptyRow {
        /// The input's name.
        name: String,
        /// The shape of a row.
        row_shape: Vec<usize>,
    },
    /// More or fewer names than columns.
    #[error("{expected} names expected, found {found}")]
    NameCount {
        /// How many columns there are.
        expected: usize,
        /// How many names were given.
        found: usize,
    },
    /// A label is not the number of a class.
    #[error("row {row}: a label below {classes} expected, found {found}")]
    LabelOutOfRange {
        /// The row, from 0.
        row: usize,
        /// How many classes there are.
        classes: usize,
        /// The label.
        found: u32,
    },
    /// A classification needs classes.
    #[error("at least one class expected, found none")]
    NoClasses,
    /// Two classes have the same name.
    #[error("two classes are called `{name}`")]
    DuplicateClass {
        /// The name.
        name: String,
    },
    /// The fractions of a split are not positive or do not add up to 1.
    #[error("positive fractions that add up to 1 expected, found {}", list(found))]
    Fractions {
        /// The fractions.
        found: Vec<f64>,
    },
    /// A part of a split would have no rows.
    #[error("too few rows to split: {fraction} of {rows} rows is none")]
    EmptyPart {
        /// The part's fraction.
        fraction: f64,
        /// How many rows there are.
        rows: usize,
    },
    /// There are fewer than two folds, or more than rows.
    #[error("2 to {rows} folds expected, found {found}")]
    FoldCount {
        /// How many rows there are.
        rows: usize,
        /// How many folds were asked for.
        found: usize,
    },
    /// A class has so few rows that some part of a stratified split would have none of them.
    #[error("class `{class}` has {rows} rows: too few to have some in each of {parts} parts")]
    TooFewOfClass {
        /// The class's name, or its number.
        class: String,
        /// How many rows it has.
        rows: usize,
        /// How many parts or folds there are.
        parts: usize,
    },
    /// A row number is not below the number of rows.
    #[error("a row below {rows} expected, found {found}")]
    NoSuchRow {
        /// How many rows there are.
        rows: usize,
        /// The number asked for.
        found: usize,
    },
    /// A row is held out twice.
    #[error("each row held out once expected, found row {row} again")]
    RepeatedRow {
        /// The row, from 0.
        row: usize,
    },
    /// A row's weight is negative, NaN or infinite.
    #[error("row {row}: a finite weight of at least 0 expected, found {found}")]
    BadWeight {
        /// The row, from 0.
        row: usize,
        /// The weight.
        found: f32,
    },
    /// No row counts.
    #[error("at least one weight above 0 expected, found none")]
    NoWeight,
    /// More or fewer weights than classes.
    #[error("one weight for each of {expected} classes expected, found {found}")]
    ClassWeightCount {
        /// How many classes there are.
        expected: usize,
        /// How many weights were given.
        found: usize,
    },
    /// There are no classes: the targets are numbers, or unknown.
    #[error("a class for each row expected, found none")]
    NotAClassification,
    /// A chunk of a source cannot be read.
    #[error("cannot read chunk {chunk}")]
    Chunk {
        /// The chunk, from 0.
        chunk: u64,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// A chunk of a source has other inputs or targets than the source.
    #[error("chunk {chunk}: rows of {expected} expected, found {found}")]
    ChunkSchema {
        /// The chunk, from 0.
        chunk: u64,
        /// What the source has.
        expected: Box<Schema>,
        /// What the chunk has.
        found: Box<Schema>,
    },
    /// A pass over a source ended before all its rows had come.
    #[error("the stream ended after chunk {}: {expected} rows expected, found {found}", chunks.saturating_sub(1))]
    EarlyEnd {
        /// How many chunks had come.
        chunks: u64,
        /// How many rows a pass has.
        expected: u64,
        /// How many had come.
        found: u64,
    },
    /// A pass over a source went on after all its rows had come.
    #[error("chunk {chunk}: the stream should have ended after {expected} rows, found {found}")]
    LateEnd {
        /// The chunk, from 0, with the first row too many.
        chunk: u64,
        /// How many rows a pass has.
        expected: u64,
        /// How many have come.
        found: u64,
    },
    /// A source panicked on the thread that reads ahead.
    #[error("reading chunk {chunk} panicked: {message}")]
    ReaderPanicked {
        /// The chunk, from 0.
        chunk: u64,
        /// What the panic said.
        message: String,
    },
    /// The system gives no thread to read ahead on.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// A source of the user's own failed: see [`Error::source_failed`].
    #[error("the source failed")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Names, types and shapes do not make a specification.
    #[error("the data do not make a specification")]
    Specification(#[from] maas_core::Error),
}

impl Error {
    /// An error of a source of the user's own.
    ///
    /// ```
    /// let error = maas_data::Error::source_failed("the database is gone");
    /// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the database is gone");
    /// ```
    pub fn source_failed(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Source(cause.into())
    }

    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::InFile {
            path: path.to_owned(),
            source: Box::new(self),
        }
    }
}

fn missing(found: &str) -> String {
    if found.is_empty() {
        "an empty cell".to_owned()
    } else {
        format!("`{found}`, which stands for none")
    }
}

fn list(fractions: &[f64]) -> String {
    let fractions: Vec<String> = fractions.iter().map(ToString::to_string).collect();
    fractions.join(", ")
}
