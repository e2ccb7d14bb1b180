mod cells;
mod choose;
mod encoder;
mod encoding;
mod file;
mod learn;
mod memory;
mod missing;
mod number;
mod recipe;
mod target;

use std::fmt;
use std::sync::Arc;

pub(crate) use cells::{Cells, texts};
pub use encoding::Encoding;
pub use file::{CsvSource, OnDisk};
pub use missing::Missing;
pub use target::Target;

use crate::Error;
use recipe::Recipe;
use target::first_repeated;

/// Named columns of text, as a file has them; saying what to learn from what makes a [`Dataset`](crate::Dataset).
///
/// Columns in use are numbers unless they are said to be categories. Columns that are not in use are never looked at,
/// so a file may hold anything beside them. What is wrong with a cell is named with its line and column.
///
/// Its rows are in memory; those of a `Table<OnDisk>` stay in their file ([`Csv::stream`](crate::Csv::stream)), and what
/// is made of it is a [`CsvSource`].
///
/// ```
/// use maas_data::{Dataset, Missing};
///
/// let birds = "\
/// species,bill,mass,sex,year
/// Adelie,39.1,3750,male,2007
/// Gentoo,NA,5000,NA,2008
/// Adelie,38.6,3800,female,2009
/// ";
/// let data = Dataset::from_csv_reader(birds.as_bytes())?
///     .without(&["year"])?
///     .one_hot(&["sex"])?
///     .missing(Missing::Median)
///     .missing_in(&["sex"], Missing::constant("unknown"))?
///     .classes("species")?;
/// assert_eq!(data.feature_names(), ["bill", "mass", "sex=female", "sex=male", "sex=unknown"]);
/// assert_eq!(data.x().row(1).to_vec(), [38.85, 5000.0, 0.0, 0.0, 1.0]);
/// assert_eq!(data.class_labels().unwrap(), ["Adelie", "Gentoo"]);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone)]
pub struct Table<R = InMemoryRows> {
    names: Arc<[String]>,
    recipe: Recipe,
    rows: R,
}

/// The rows of a [`Table`] that is in memory.
///
/// ```
/// let table: maas_data::Table<maas_data::InMemoryRows> = maas_data::Dataset::from_csv_reader("a\n1\n".as_bytes())?;
/// assert_eq!(table.rows(), 1);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone)]
pub struct InMemoryRows(Cells);

impl<R> Table<R> {
    fn with_rows(names: Arc<[String]>, rows: R) -> Result<Self, Error> {
        if let Some(name) = first_repeated(&names) {
            return Err(Error::DuplicateColumn { name: name.clone() });
        }
        Ok(Self {
            recipe: Recipe::new(names.len()),
            names,
            rows,
        })
    }
}

impl<R> fmt::Debug for Table<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table")
            .field("names", &self.names())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for InMemoryRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryRows")
            .field("rows", &self.0.rows())
            .finish_non_exhaustive()
    }
}
