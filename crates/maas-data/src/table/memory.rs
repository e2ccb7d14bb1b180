use std::sync::Arc;

use super::cells::Cells;
use super::learn::Learner;
use super::{Encoding, InMemoryRows, Table, Target};
use crate::{Classes, Dataset, Error};

/// Tables in memory, and data sets of them.
impl Table {
    pub(crate) fn new(names: Arc<[String]>, cells: Cells) -> Result<Self, Error> {
        let table = Self::with_rows(names, InMemoryRows(cells))?;
        if table.rows() == 0 {
            return Err(Error::NoRows);
        }
        Ok(table)
    }

    pub(super) fn cells(&self) -> &Cells {
        &self.rows.0
    }

    /// How many rows there are, those with missing values too.
    ///
    /// ```
    /// assert_eq!(maas_data::Dataset::from_csv_reader("a\n1\n2\n".as_bytes())?.rows(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.cells().rows()
    }

    /// The rows of these numbers, counted from 0 behind the header, in this order.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`]; [`Error::NoRows`] when `rows` is empty.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b\n1,2\n3,4\n".as_bytes())?;
    /// assert_eq!(table.select(&[1])?.target("b")?.y(), ndarray::array![[4.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Self, Error> {
        if rows.is_empty() {
            return Err(Error::NoRows);
        }
        match rows.iter().find(|&&row| row >= self.rows()) {
            Some(&found) => Err(Error::NoSuchRow {
                rows: self.rows(),
                found,
            }),
            None => Ok(Self {
                rows: InMemoryRows(self.cells().select(rows)),
                ..self.clone()
            }),
        }
    }

    /// The rows that are not in `rows`, in their order, and those that are, in the order of `rows`: a split that
    /// someone has fixed. What is learnt from the first part ([`Table::encoding`]) knows nothing of the second.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] and [`Error::RepeatedRow`]; [`Error::NoRows`] when a part would have none.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b\n1,2\n3,4\n5,6\n".as_bytes())?;
    /// let (train, test) = table.hold_out(&[1])?;
    /// assert_eq!((train.rows(), test.rows()), (2, 1));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn hold_out(&self, rows: &[usize]) -> Result<(Self, Self), Error> {
        let rest = crate::split::others(self.rows(), rows)?;
        Ok((self.select(&rest)?, self.select(rows)?))
    }

    /// A regression: this column is to be learnt from all others in use.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`] with the names that there are; [`Error::NoInputs`] when it is the only one;
    /// [`Error::NoRows`] when all are dropped. With line and column of a cell: [`Error::MissingValue`],
    /// [`Error::NotANumber`], [`Error::CellNotFinite`], [`Error::Date`] and [`Error::SeparatedNumber`]. For rules and
    /// categories that do not fit: [`Error::NothingToLearn`], [`Error::NoStatistic`], [`Error::FillValue`],
    /// [`Error::UnknownClass`]. [`Error::Memory`] when there is not enough.
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// let table = Dataset::from_csv_reader("pH,quality\n3.51,5\n".as_bytes())?;
    /// let error = table.target("color").unwrap_err();
    /// assert_eq!(error.to_string(), "no column is called `color`; there are: pH, quality");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn target(&self, name: &str) -> Result<Dataset, Error> {
        self.targets(&[name])
    }

    /// A regression: these columns are to be learnt from all others in use.
    ///
    /// # Errors
    /// Those of [`Table::target`]; [`Error::DuplicateColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b,c\n1,2,3\n".as_bytes())?;
    /// assert_eq!(table.targets(&["b", "c"])?.y().ncols(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn targets(&self, names: &[&str]) -> Result<Dataset, Error> {
        self.dataset(Target::values(names))
    }

    /// A classification: this column names the class of each row, to be learnt from all others in use.
    ///
    /// The classes are the texts that occur, in numerical order when all of them are integers, else in the order of
    /// their characters.
    ///
    /// # Errors
    /// Those of [`Table::target`], but any text is a class.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,label\n1,10\n2,9\n3,10\n".as_bytes())?;
    /// let data = table.classes("label")?;
    /// assert_eq!(data.class_labels().unwrap(), ["9", "10"]);
    /// assert_eq!(data.labels().unwrap(), [1, 0, 1]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn classes(&self, name: &str) -> Result<Dataset, Error> {
        self.dataset(Target::classes(name))
    }

    /// A classification whose classes are known: the column holds their names or, when `classes` is a number, the
    /// integers below it.
    ///
    /// # Errors
    /// Those of [`Table::classes`]; [`Error::UnknownClass`] with line and column; [`Error::NoClasses`],
    /// [`Error::DuplicateClass`].
    ///
    /// ```
    /// use maas_data::{Dataset, Error};
    /// let table = Dataset::from_csv_reader("a,label\n1,0\n2,2\n".as_bytes())?;
    /// assert_eq!(table.classes_among("label", 3)?.labels().unwrap(), [0, 2]);
    /// let error = table.classes_among("label", 2).unwrap_err();
    /// assert_eq!(error.to_string(), "line 3, column `label`: one of 0 to 1 expected, found `2`");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn classes_among(&self, name: &str, classes: impl Into<Classes>) -> Result<Dataset, Error> {
        self.dataset(Target::classes_among(name, classes))
    }

    /// Rows to be predicted: all columns in use are inputs.
    ///
    /// # Errors
    /// Those of [`Table::target`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?;
    /// assert_eq!(table.unlabelled()?.x(), ndarray::array![[1.0, 2.0]]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn unlabelled(&self) -> Result<Dataset, Error> {
        self.dataset(Target::Unknown)
    }

    /// How these rows become numbers, to do the same to others.
    ///
    /// # Errors
    /// Those of [`Table::target`] that show in the columns that something is learnt of.
    ///
    /// ```
    /// use maas_data::{Dataset, Target};
    /// let table = Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?;
    /// let encoding = table.encoding(Target::values(&["b"]))?;
    /// assert_eq!(encoding.apply(&table)?, table.target("b")?);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn encoding(&self, target: Target) -> Result<Encoding, Error> {
        let mut learner = Learner::new(&self.names, &self.recipe, target)?;
        if learner.needs_rows() {
            learner.observe(self.cells())?;
        }
        learner.finish()
    }

    fn dataset(&self, target: Target) -> Result<Dataset, Error> {
        self.encoding(target)?.apply(self)
    }
}
