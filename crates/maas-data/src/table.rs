use std::collections::{BTreeSet, HashMap};
use std::fmt;

use csv::StringRecord;

use crate::{Classes, Dataset, Error, Input, Targets};

/// Named columns of text, as a file has them; choosing what to learn makes a [`Dataset`].
///
/// Columns that are not chosen are never read as numbers, so a file may hold text beside them.
///
/// ```
/// use maas_data::Dataset;
///
/// let table = Dataset::from_csv_reader("species,bill,mass\nAdelie,39.1,3750\nGentoo,NA,5000\n".as_bytes())?;
/// let masses = table.clone().drop_missing(&["NA"]).columns(&["bill", "mass"])?.target("mass")?;
/// assert_eq!((masses.rows(), masses.feature_names()), (1, ["bill".to_owned()].as_slice()));
///
/// let species = table.without(&["bill"])?.classes("species")?;
/// assert_eq!(species.class_labels().unwrap(), ["Adelie", "Gentoo"]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone)]
pub struct Table {
    names: Vec<String>,
    rows: Vec<Row>,
    /// Which columns are in use, in which order.
    selected: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Where the row starts in its file, from 1.
    pub(crate) line: u64,
    pub(crate) cells: StringRecord,
}

impl Table {
    /// `rows` are as wide as `names`.
    pub(crate) fn new(names: Vec<String>, rows: Vec<Row>) -> Result<Self, Error> {
        if let Some(name) = first_repeated(&names) {
            return Err(Error::DuplicateColumn { name: name.clone() });
        }
        if rows.is_empty() {
            return Err(Error::NoRows);
        }
        let selected = (0..names.len()).collect();
        Ok(Self {
            names,
            rows,
            selected,
        })
    }

    /// How many rows there are.
    ///
    /// ```
    /// assert_eq!(maas_data::Dataset::from_csv_reader("a\n1\n2\n".as_bytes())?.rows(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// The names of the columns in use, in order.
    ///
    /// ```
    /// assert_eq!(maas_data::Dataset::from_csv_reader("a,b\n1,2\n".as_bytes())?.names(), ["a", "b"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn names(&self) -> Vec<&str> {
        self.selected
            .iter()
            .map(|&column| self.names[column].as_str())
            .collect()
    }

    /// These columns alone, in this order. The target has to be among them.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`], [`Error::DuplicateColumn`] when one is named twice.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b,c\n1,2,3\n".as_bytes())?;
    /// assert_eq!(table.columns(&["c", "a"])?.names(), ["c", "a"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn columns(mut self, names: &[&str]) -> Result<Self, Error> {
        if let Some(name) = first_repeated(names) {
            return Err(Error::DuplicateColumn {
                name: (*name).to_owned(),
            });
        }
        self.selected = names
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// All columns but these.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("id,a,b\n7,1,2\n".as_bytes())?;
    /// assert_eq!(table.without(&["id"])?.names(), ["a", "b"]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn without(mut self, names: &[&str]) -> Result<Self, Error> {
        let left_out = names
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<Vec<_>, _>>()?;
        self.selected.retain(|column| !left_out.contains(column));
        Ok(self)
    }

    /// Leaves out the rows that have, in a column in use, an empty cell or one of these marks, such as `NA`.
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b\n1,2\n3,NA\n,4\n".as_bytes())?;
    /// assert_eq!(table.drop_missing(&["NA"]).rows(), 1);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[must_use]
    pub fn drop_missing(mut self, marks: &[&str]) -> Self {
        let selected = &self.selected;
        self.rows.retain(|row| {
            selected.iter().all(|&column| {
                !row.cells[column].is_empty() && !marks.contains(&&row.cells[column])
            })
        });
        self
    }

    /// A regression: this column is to be learnt from all others in use.
    ///
    /// # Errors
    /// [`Error::NoSuchColumn`] with the names that there are; [`Error::NotANumber`], [`Error::CellNotFinite`] and
    /// [`Error::EmptyCell`] with line and column; [`Error::NoInputs`] when it is the only one; [`Error::NoRows`].
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
    /// Those of [`Table::target`].
    ///
    /// ```
    /// let table = maas_data::Dataset::from_csv_reader("a,b,c\n1,2,3\n".as_bytes())?;
    /// assert_eq!(table.targets(&["b", "c"])?.y().ncols(), 2);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn targets(&self, names: &[&str]) -> Result<Dataset, Error> {
        if let Some(name) = first_repeated(names) {
            return Err(Error::DuplicateColumn {
                name: (*name).to_owned(),
            });
        }
        let columns = names
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<Vec<_>, _>>()?;
        let (inputs, features) = self.inputs_without(&columns)?;
        let targets = Targets::Values {
            width: columns.len(),
            data: self.numbers(&columns)?,
        };
        Dataset::from_inputs(inputs, targets)?.named(features, names.iter().copied())
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
        let column = self.column(name)?;
        let mut classes: Vec<&str> = self
            .rows
            .iter()
            .map(|row| &row.cells[column])
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if let Ok(numbers) = classes
            .iter()
            .map(|class| class.parse::<i64>())
            .collect::<Result<Vec<_>, _>>()
        {
            let mut numbered: Vec<_> = numbers.into_iter().zip(classes).collect();
            numbered.sort_unstable();
            classes = numbered.into_iter().map(|(_, class)| class).collect();
        }
        self.classes_among(name, classes.as_slice())
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
        let classes = classes.into();
        classes.check()?;
        let column = self.column(name)?;
        let names = classes.labels().unwrap_or_default();
        let numbers: HashMap<&str, u32> = names.iter().map(String::as_str).zip(0..).collect();
        let number = |text: &str| match classes.labels() {
            Some(_) => numbers.get(text).copied(),
            None => text
                .parse()
                .ok()
                .filter(|&class: &u32| (class as usize) < classes.count()),
        };
        let labels = self.rows.iter().map(|row| match &row.cells[column] {
            "" => Err(self.empty_cell(row, column)),
            text => number(text).ok_or_else(|| Error::UnknownClass {
                line: row.line,
                column: name.to_owned(),
                found: text.to_owned(),
                classes: match classes.labels() {
                    Some(names) => names.to_vec(),
                    None => vec![format!("0 to {}", classes.count() - 1)],
                },
            }),
        });
        let targets = Targets::Labels {
            classes: classes.count(),
            data: labels.collect::<Result<_, _>>()?,
        };
        let (inputs, features) = self.inputs_without(&[column])?;
        Dataset::from_inputs(inputs, targets)?
            .named(features, [name])?
            .with_classes(classes)
    }

    /// The index of a column in use.
    fn column(&self, name: &str) -> Result<usize, Error> {
        self.selected
            .iter()
            .copied()
            .find(|&column| self.names[column] == name)
            .ok_or_else(|| Error::NoSuchColumn {
                found: name.to_owned(),
                columns: self.names().into_iter().map(str::to_owned).collect(),
            })
    }

    fn inputs_without(&self, targets: &[usize]) -> Result<(Vec<Input>, Vec<String>), Error> {
        let columns: Vec<usize> = self
            .selected
            .iter()
            .copied()
            .filter(|column| !targets.contains(column))
            .collect();
        if columns.is_empty() {
            return Err(Error::NoInputs);
        }
        let names = columns
            .iter()
            .map(|&column| self.names[column].clone())
            .collect();
        Ok((
            vec![Input::new("x", &[columns.len()], self.numbers(&columns)?)?],
            names,
        ))
    }

    /// The cells of these columns as numbers, row-major.
    fn numbers(&self, columns: &[usize]) -> Result<Vec<f32>, Error> {
        let mut numbers = Vec::with_capacity(self.rows.len() * columns.len());
        for row in &self.rows {
            for &column in columns {
                numbers.push(self.number(row, column)?);
            }
        }
        Ok(numbers)
    }

    fn number(&self, row: &Row, column: usize) -> Result<f32, Error> {
        let text = &row.cells[column];
        if text.is_empty() {
            return Err(self.empty_cell(row, column));
        }
        let (line, name, found) = (row.line, || self.names[column].clone(), || text.to_owned());
        match text.parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            Ok(_) => Err(Error::CellNotFinite {
                line,
                column: name(),
                found: found(),
            }),
            Err(_) => Err(Error::NotANumber {
                line,
                column: name(),
                found: found(),
            }),
        }
    }

    fn empty_cell(&self, row: &Row, column: usize) -> Error {
        Error::EmptyCell {
            line: row.line,
            column: self.names[column].clone(),
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("names", &self.names())
            .field("rows", &self.rows())
            .finish()
    }
}

fn first_repeated<S: AsRef<str>>(names: &[S]) -> Option<&S> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert((*name).as_ref()))
}
