use std::path::Path;

use serde::{Deserialize, Serialize};

use super::cells::Cells;
use super::encoder::Encoder;
use super::missing::Marks;
use crate::dataset::check_any_weight;
use crate::{Csv, CsvSource, Dataset, Error, Table};

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
    pub(super) marks: Marks,
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
        data.weights().map_or(Ok(()), check_any_weight)?;
        Ok(data)
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
