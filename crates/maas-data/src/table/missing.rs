use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What is done about a cell without a value.
///
/// What is filled in is learnt from the rows of a [`Table`](crate::Table), and is part of its
/// [`Encoding`](crate::Encoding): other rows get the same. Only inputs are filled in; a target without a value is
/// refused, or its row dropped.
///
/// ```
/// use maas_data::{Dataset, Missing};
///
/// let table = Dataset::from_csv_reader("a,b\n1,5\n,6\n4,7\n".as_bytes())?;
/// assert_eq!(
///     table.clone().target("b").unwrap_err().to_string(),
///     "line 3, column `a`: a value expected, found an empty cell"
/// );
/// let data = table.clone().missing(Missing::Mean).target("b")?;
/// assert_eq!(data.x(), ndarray::array![[1.0], [2.5], [4.0]]);
/// assert_eq!(table.missing(Missing::Drop).target("b")?.rows(), 2);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// It is an error, with line and column.
    #[default]
    Refuse,
    /// Its row is left out.
    Drop,
    /// It gets the mean of the column.
    Mean,
    /// It gets the median of the column: of an even number of values, the mean of the two in the middle.
    Median,
    /// It gets the most frequent value of the column, or the first in order of several that are. For categories too.
    MostFrequent,
    /// It gets this value: for categories one of them, which may be one that no row has.
    Constant(String),
}

impl Missing {
    /// This value, a number or a text.
    ///
    /// ```
    /// use maas_data::Missing;
    /// assert_eq!(Missing::constant(0.5), Missing::Constant("0.5".to_owned()));
    /// assert_eq!(Missing::constant("unknown"), Missing::Constant("unknown".to_owned()));
    /// ```
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a value is written where it is given"
    )]
    pub fn constant(value: impl ToString) -> Self {
        Self::Constant(value.to_string())
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Drop => "drop",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::MostFrequent => "most frequent",
            Self::Constant(_) => "constant",
        }
    }
}

/// Which texts stand for a missing value, beside an empty cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Marks(BTreeSet<String>);

impl Marks {
    pub(super) fn new(marks: &[&str]) -> Self {
        Self(marks.iter().map(ToString::to_string).collect())
    }

    /// Whether a cell of this text has no value.
    pub(super) fn is_missing(&self, text: &str) -> bool {
        text.is_empty() || self.0.contains(text)
    }

    /// Whether one of them looks like a number.
    pub(super) fn any_number(&self) -> bool {
        let mut marks = self.0.iter();
        marks.any(|mark| mark.parse::<f32>().is_ok_and(f32::is_finite))
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self::new(&[
            "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "?",
        ])
    }
}
