use std::collections::HashSet;

use crate::Error;

/// The classes of a classification: how many, and their names if they have any.
///
/// ```
/// use maas_data::Classes;
///
/// assert_eq!(Classes::from(10).count(), 10);
/// assert_eq!(Classes::from(["benign", "malignant"]).labels().unwrap()[1], "malignant");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    count: usize,
    labels: Option<Vec<String>>,
}

impl Classes {
    /// How many there are.
    ///
    /// ```
    /// assert_eq!(maas_data::Classes::from(3).count(), 3);
    /// ```
    pub fn count(&self) -> usize {
        self.count
    }

    /// Their names in the order of their numbers, if they have any.
    ///
    /// ```
    /// assert_eq!(maas_data::Classes::from(3).labels(), None);
    /// ```
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    pub(crate) fn into_labels(self) -> Option<Vec<String>> {
        self.labels
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.count == 0 {
            return Err(Error::NoClasses);
        }
        let mut seen = HashSet::new();
        match self
            .labels
            .iter()
            .flatten()
            .find(|label| !seen.insert(*label))
        {
            Some(name) => Err(Error::DuplicateClass { name: name.clone() }),
            None => Ok(()),
        }
    }
}

impl From<usize> for Classes {
    fn from(count: usize) -> Self {
        Self {
            count,
            labels: None,
        }
    }
}

impl From<Vec<String>> for Classes {
    fn from(labels: Vec<String>) -> Self {
        Self {
            count: labels.len(),
            labels: Some(labels),
        }
    }
}

impl From<&[&str]> for Classes {
    fn from(labels: &[&str]) -> Self {
        Self::from(labels.iter().map(ToString::to_string).collect::<Vec<_>>())
    }
}

impl<const N: usize> From<[&str; N]> for Classes {
    fn from(labels: [&str; N]) -> Self {
        Self::from(labels.as_slice())
    }
}
