use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::number::number;
use crate::{Classes, Csv, CsvSource, Dataset, Error, Input, Table, Targets};

/// How rows of text become rows of numbers: which columns in which order, which category is which number, what is
/// filled in for missing values, and what is to be learnt.
///
/// A [`Table`] learns it from its own rows ([`Table::encoding`]); applied to another table or file it does exactly the
/// same there. It can be stored with `serde`, beside the network that learnt from what it made.
///
/// ```
/// use maas_data::{Dataset, Missing, Target};
///
/// let train = Dataset::from_csv_reader("size,sex,mass\n1,f,5\n3,m,6\n,f,7\n".as_bytes())?;
/// let encoding = train.one_hot(&["sex"])?.missing(Missing::Mean).encoding(Target::values(&["mass"]))?;
///
/// let test = Dataset::from_csv_reader("mass,sex,size\n8,m,\n".as_bytes())?;
/// let data = encoding.apply(&test)?;
/// assert_eq!(data.feature_names(), ["size", "sex=f", "sex=m"]);
/// assert_eq!(data.x(), ndarray::array![[2.0, 0.0, 1.0]]);
///
/// let unknown = Dataset::from_csv_reader("mass,sex,size\n8,x,1\n".as_bytes())?;
/// let error = encoding.apply(&unknown).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column `sex`: one of f, m expected, found `x`");
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoding {
    pub(super) marks: BTreeSet<String>,
    pub(super) columns: Vec<Column>,
    pub(super) target: TargetColumns,
    pub(super) weights: Option<String>,
    /// Whether a target or a weight that is missing drops its row.
    pub(super) drop_targets: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: ColumnKind,
    pub(super) missing: Fill,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ColumnKind {
    Number,
    OneHot(Vec<String>),
    Ordinal(Vec<String>),
    Ids(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fill {
    Refuse,
    Drop,
    Number(f32),
    Category(String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TargetColumns {
    Values(Vec<String>),
    Classes {
        name: String,
        count: usize,
        labels: Option<Vec<String>>,
    },
    Unknown,
}

impl Encoding {
    /// The rows of another table, made numbers in the same way. Its columns are found by name.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`]; [`Error::UnknownClass`] with line, column and text of a category or class that was not
    /// there before; those of [`Table::target`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error, Target};
    /// let encoding = Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.encoding(Target::values(&["b"]))?;
    /// let error = encoding.apply(&Dataset::from_csv_reader("a,c\n1,2\n".as_bytes())?).unwrap_err();
    /// assert_eq!(error.to_string(), "no column is called `b`; there are: a, c");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn apply(&self, table: &Table) -> Result<Dataset, Error> {
        let data = self.encode(table.cells())?.ok_or(Error::NoRows)?;
        match data.weights().map(<[f32]>::to_vec) {
            Some(weights) => data.weighted(weights),
            None => Ok(data),
        }
    }

    /// The same for rows whose targets are not known: only inputs, to be predicted. Rows with missing values that would
    /// be dropped are refused, so that every row gets its prediction.
    ///
    /// ```
    /// use maas_data::{Dataset, Target};
    /// let encoding = Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.encoding(Target::values(&["b"]))?;
    /// let data = encoding.without_target().apply(&Dataset::from_csv_reader("a\n5\n".as_bytes())?)?;
    /// assert_eq!(data.x(), ndarray::array![[5.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[must_use]
    pub fn without_target(&self) -> Self {
        let mut encoding = Self {
            target: TargetColumns::Unknown,
            weights: None,
            ..self.clone()
        };
        for column in &mut encoding.columns {
            if column.missing == Fill::Drop {
                column.missing = Fill::Refuse;
            }
        }
        encoding
    }

    /// The rows of a comma-separated file, chunk by chunk. How many there are is not known until a pass has ended.
    ///
    /// # Errors
    /// Those of [`Csv::stream`]; [`Error::NoSuchColumn`].
    ///
    /// ```
    /// # let path = std::env::temp_dir().join("maas-doc-encoding.csv");
    /// # std::fs::write(&path, "a,b\n1,2\n3,4\n").unwrap();
    /// use maas_data::{Dataset, Source, Target};
    /// let encoding = Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.encoding(Target::values(&["b"]))?;
    /// let source = encoding.stream(&path)?.chunk_rows(1);
    /// assert_eq!(source.open(0)?.count(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn stream(&self, path: impl AsRef<Path>) -> Result<CsvSource, Error> {
        Csv::new().stream(path)?.encoded_by(self)
    }

    /// The categories of a column in the order of their numbers, if it is one of categories.
    ///
    /// ```
    /// use maas_data::{Dataset, Target};
    /// let table = Dataset::from_csv_reader("a,b\nx,2\nw,2\n".as_bytes())?.one_hot(&["a"])?;
    /// assert_eq!(table.encoding(Target::values(&["b"]))?.categories("a").unwrap(), ["w", "x"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn categories(&self, column: &str) -> Option<&[String]> {
        let column = self.columns.iter().find(|found| found.name == column)?;
        column.kind.categories()
    }

    /// The names of the columns of [`Dataset::x`].
    pub(super) fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for column in &self.columns {
            match &column.kind {
                ColumnKind::Number | ColumnKind::Ordinal(_) => names.push(column.name.clone()),
                ColumnKind::OneHot(categories) => {
                    names.extend(categories.iter().map(|c| format!("{}={c}", column.name)));
                }
                ColumnKind::Ids(_) => {}
            }
        }
        names
    }

    /// The names of the inputs of integers.
    pub(super) fn ids(&self) -> impl Iterator<Item = &str> {
        let is_ids = |column: &&Column| matches!(column.kind, ColumnKind::Ids(_));
        self.columns
            .iter()
            .filter(is_ids)
            .map(|column| column.name.as_str())
    }

    /// The rows that are not dropped as a data set, unless there are none.
    pub(super) fn encode(&self, cells: &Cells) -> Result<Option<Dataset>, Error> {
        Encoder::new(self, cells)?.encode()
    }

    fn is_missing(&self, text: &str) -> bool {
        text.is_empty() || self.marks.contains(text)
    }
}

impl ColumnKind {
    pub(super) fn categories(&self) -> Option<&[String]> {
        match self {
            Self::Number => None,
            Self::OneHot(categories) | Self::Ordinal(categories) | Self::Ids(categories) => {
                Some(categories)
            }
        }
    }
}

/// An encoding on its way through some rows.
struct Encoder<'a> {
    encoding: &'a Encoding,
    cells: &'a Cells,
    /// Where the columns are, and the numbers of their categories.
    columns: Vec<(usize, HashMap<&'a str, usize>)>,
    targets: Vec<usize>,
    classes: HashMap<&'a str, usize>,
    weights: Option<usize>,
    /// Whether a mark may look like a number.
    numeric_marks: bool,
}

impl<'a> Encoder<'a> {
    fn new(encoding: &'a Encoding, cells: &'a Cells) -> Result<Self, Error> {
        let find = |name: &str| find(cells.names(), name);
        let numbered = |texts: &'a [String]| texts.iter().map(String::as_str).zip(0..).collect();
        let columns = encoding.columns.iter().map(|column| {
            let categories = numbered(column.kind.categories().unwrap_or_default());
            Ok::<_, Error>((find(&column.name)?, categories))
        });
        let (targets, labels) = match &encoding.target {
            TargetColumns::Values(names) => (names.as_slice(), None),
            TargetColumns::Classes { name, labels, .. } => {
                (std::slice::from_ref(name), labels.as_deref())
            }
            TargetColumns::Unknown => (&[][..], None),
        };
        Ok(Self {
            encoding,
            cells,
            columns: columns.collect::<Result<_, _>>()?,
            targets: targets
                .iter()
                .map(|name| find(name))
                .collect::<Result<_, _>>()?,
            classes: numbered(labels.unwrap_or_default()),
            weights: encoding.weights.as_deref().map(find).transpose()?,
            numeric_marks: encoding
                .marks
                .iter()
                .any(|mark| mark.parse::<f32>().is_ok_and(f32::is_finite)),
        })
    }

    fn encode(&self) -> Result<Option<Dataset>, Error> {
        let encoding = self.encoding;
        let names = encoding.feature_names();
        let rows: Vec<usize> = (0..self.cells.rows())
            .filter(|&row| !self.is_dropped(row))
            .collect();
        if rows.is_empty() {
            return Ok(None);
        }
        let mut x = memory(rows.len(), names.len())?;
        for &row in &rows {
            self.append_row(row, &mut x)?;
        }
        let mut inputs = Vec::new();
        if !names.is_empty() {
            inputs.push(Input::new("x", &[names.len()], x)?);
        }
        for (column, (index, categories)) in encoding.columns.iter().zip(&self.columns) {
            if let ColumnKind::Ids(_) = column.kind {
                let id = |&row: &usize| Ok(self.category(row, *index, column, categories)? as i32);
                let ids = rows.iter().map(id).collect::<Result<Vec<i32>, Error>>()?;
                inputs.push(Input::new(column.name.as_str(), &[1], ids)?);
            }
        }
        if inputs.is_empty() {
            return Err(Error::NoInputs);
        }
        let data = Dataset::from_inputs(inputs, self.target_values(&rows)?)?;
        let data = match &encoding.target {
            TargetColumns::Values(targets) => data.named(names, targets.iter().cloned())?,
            TargetColumns::Classes {
                name,
                count,
                labels,
            } => {
                let classes = labels.clone().map_or(Classes::from(*count), Classes::from);
                data.named(names, [name.clone()])?.with_classes(classes)?
            }
            TargetColumns::Unknown => data.named(names, [] as [String; 0])?,
        };
        match self.weights {
            None => Ok(Some(data)),
            Some(column) => {
                let weights = rows.iter().map(|&row| self.number(row, column));
                data.with_weights(weights.collect::<Result<_, _>>()?)
                    .map(Some)
            }
        }
    }

    fn is_dropped(&self, row: usize) -> bool {
        let encoding = self.encoding;
        let missing = |column: usize| encoding.is_missing(self.cells.cell(row, column));
        let mut inputs = encoding.columns.iter().zip(&self.columns);
        inputs.any(|(column, &(index, _))| column.missing == Fill::Drop && missing(index))
            || (encoding.drop_targets
                && self
                    .targets
                    .iter()
                    .chain(&self.weights)
                    .any(|&column| missing(column)))
    }

    fn append_row(&self, row: usize, x: &mut Vec<f32>) -> Result<(), Error> {
        for (column, (index, categories)) in self.encoding.columns.iter().zip(&self.columns) {
            match &column.kind {
                ColumnKind::Number => x.push(self.number_or(row, *index, &column.missing)?),
                ColumnKind::Ordinal(_) => {
                    x.push(self.category(row, *index, column, categories)? as f32);
                }
                ColumnKind::OneHot(all) => {
                    let start = x.len();
                    x.resize(start + all.len(), 0.0);
                    x[start + self.category(row, *index, column, categories)?] = 1.0;
                }
                ColumnKind::Ids(_) => {}
            }
        }
        Ok(())
    }

    fn number_or(&self, row: usize, column: usize, fill: &Fill) -> Result<f32, Error> {
        match *fill {
            Fill::Number(value) if self.encoding.is_missing(self.cells.cell(row, column)) => {
                Ok(value)
            }
            _ => self.number(row, column),
        }
    }

    fn number(&self, row: usize, column: usize) -> Result<f32, Error> {
        let text = self.cells.cell(row, column);
        let missing = || self.encoding.is_missing(text);
        if self.numeric_marks && missing() {
            return Err(self.missing(row, column));
        }
        number(text, || self.at(row, column)).map_err(|error| {
            if missing() {
                self.missing(row, column)
            } else {
                error
            }
        })
    }

    fn category(
        &self,
        row: usize,
        index: usize,
        column: &Column,
        categories: &HashMap<&str, usize>,
    ) -> Result<usize, Error> {
        let mut text = self.cells.cell(row, index);
        if self.encoding.is_missing(text) {
            match &column.missing {
                Fill::Category(fill) => text = fill,
                _ => return Err(self.missing(row, index)),
            }
        }
        categories.get(text).copied().ok_or_else(|| {
            let known = column.kind.categories().unwrap_or_default();
            self.unknown(row, index, text, known.to_vec())
        })
    }

    fn target_values(&self, rows: &[usize]) -> Result<Targets, Error> {
        match &self.encoding.target {
            TargetColumns::Unknown => Ok(Targets::Unknown { rows: rows.len() }),
            TargetColumns::Values(names) => {
                let mut data = memory(rows.len(), names.len())?;
                for &row in rows {
                    for &column in &self.targets {
                        data.push(self.number(row, column)?);
                    }
                }
                Ok(Targets::Values {
                    width: names.len(),
                    data,
                })
            }
            TargetColumns::Classes { count, labels, .. } => {
                let label = |&row: &usize| self.class(row, *count, labels.as_deref());
                Ok(Targets::Labels {
                    classes: *count,
                    data: rows.iter().map(label).collect::<Result<_, _>>()?,
                })
            }
        }
    }

    fn class(&self, row: usize, count: usize, labels: Option<&[String]>) -> Result<u32, Error> {
        let column = self.targets[0];
        let text = self.cells.cell(row, column);
        if self.encoding.is_missing(text) {
            return Err(self.missing(row, column));
        }
        let number = match labels {
            Some(_) => self.classes.get(text).copied(),
            None => text.parse().ok().filter(|&class: &usize| class < count),
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| {
            let known = labels.map(<[String]>::to_vec);
            let range = || vec![format!("0 to {}", count.saturating_sub(1))];
            self.unknown(row, column, text, known.unwrap_or_else(range))
        })
    }

    fn at(&self, row: usize, column: usize) -> (u64, String) {
        (self.cells.line(row), self.cells.names()[column].clone())
    }

    fn missing(&self, row: usize, column: usize) -> Error {
        let (line, column_name) = self.at(row, column);
        Error::MissingValue {
            line,
            column: column_name,
            found: self.cells.cell(row, column).to_owned(),
        }
    }

    fn unknown(&self, row: usize, column: usize, text: &str, classes: Vec<String>) -> Error {
        let (line, column) = self.at(row, column);
        Error::UnknownClass {
            line,
            column,
            found: text.to_owned(),
            classes,
        }
    }
}

pub(super) fn find(names: &[String], name: &str) -> Result<usize, Error> {
    names
        .iter()
        .position(|found| found == name)
        .ok_or_else(|| Error::NoSuchColumn {
            found: name.to_owned(),
            columns: names.to_vec(),
        })
}

/// Memory for so many numbers, or an error instead of an end of the process.
fn memory(rows: usize, width: usize) -> Result<Vec<f32>, Error> {
    let mut numbers = Vec::new();
    rows.checked_mul(width)
        .and_then(|count| numbers.try_reserve_exact(count).ok())
        .ok_or(Error::Memory { rows, width })?;
    Ok(numbers)
}
