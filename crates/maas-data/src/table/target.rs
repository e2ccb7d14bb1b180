use std::collections::BTreeSet;

use crate::{Classes, Error};

/// Which columns of a table are to be learnt, and as what.
///
/// ```
/// use maas_data::{Dataset, Target};
/// let table = Dataset::from_csv_reader("a,b\n1,yes\n2,no\n".as_bytes())?;
/// let encoding = table.encoding(Target::classes("b"))?;
/// assert_eq!(encoding.apply(&table)?, table.classes("b")?);
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// Numbers: a regression.
    Values(Vec<String>),
    /// One of several classes: a classification.
    Classes {
        /// The column.
        name: String,
        /// The classes, if they are known before; else the texts that occur.
        classes: Option<Classes>,
    },
    /// Nothing: the rows are to be predicted.
    Unknown,
}

impl Target {
    /// Columns of numbers.
    ///
    /// ```
    /// use maas_data::Target;
    /// assert_eq!(Target::values(&["a"]), Target::Values(vec!["a".to_owned()]));
    /// ```
    pub fn values(names: &[&str]) -> Self {
        Self::Values(names.iter().map(ToString::to_string).collect())
    }

    /// A column of classes, which are the texts that occur.
    ///
    /// ```
    /// assert!(matches!(maas_data::Target::classes("species"), maas_data::Target::Classes { .. }));
    /// ```
    pub fn classes(name: impl Into<String>) -> Self {
        Self::Classes {
            name: name.into(),
            classes: None,
        }
    }

    /// A column of classes that are known: their names or, when `classes` is a number, the integers below it.
    ///
    /// ```
    /// assert!(matches!(maas_data::Target::classes_among("digit", 10), maas_data::Target::Classes { .. }));
    /// ```
    pub fn classes_among(name: impl Into<String>, classes: impl Into<Classes>) -> Self {
        Self::Classes {
            name: name.into(),
            classes: Some(classes.into()),
        }
    }

    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Values(names) => names,
            Self::Classes { name, .. } => std::slice::from_ref(name),
            Self::Unknown => &[],
        }
    }

    pub(super) fn needs_rows(&self) -> bool {
        matches!(self, Self::Classes { classes: None, .. })
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if let Some(name) = first_repeated(self.names()) {
            return Err(Error::DuplicateColumn { name: name.clone() });
        }
        match self {
            Self::Classes {
                classes: Some(classes),
                ..
            } => classes.check(),
            _ => Ok(()),
        }
    }
}

pub(crate) fn first_repeated<S: AsRef<str>>(names: &[S]) -> Option<&S> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert((*name).as_ref()))
}
