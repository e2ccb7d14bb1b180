use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ClassFigures, ClassificationReport, table};
use crate::Error;
use crate::metric::{MetricBatch, classes, figures};

/// How many rows of each class were taken for each class. It prints as a table, rows being what they are and columns what
/// they were taken for.
///
/// ```
/// use maas_nn::metric::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::from_labels(3, &[0, 0, 1, 2, 2], &[0, 1, 1, 2, 2])?.names(["red", "green", "blue"])?;
/// assert_eq!(matrix.count(0, 1), 1);
/// assert_eq!(matrix.accuracy(), 0.8);
/// assert_eq!(matrix.class(1).recall, 1.0);
/// assert_eq!(
///     matrix.to_string(),
///     "\
/// actual \\ predicted  red  green  blue
/// red                   1      1     0
/// green                 0      1     0
/// blue                  0      0     2
/// "
/// );
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct ConfusionMatrix {
    names: Vec<String>,
    /// Row-major, classes × classes.
    counts: Vec<u64>,
    threshold: Threshold,
}

/// What a single output has to be above to mean class 1: the bits of a float, which compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Threshold(u32);

impl ConfusionMatrix {
    /// Of `classes` classes, called by their numbers, and no rows yet.
    ///
    /// # Panics
    /// When so many classes' counts would not fit into memory.
    ///
    /// ```
    /// assert_eq!(maas_nn::metric::ConfusionMatrix::new(3).rows(), 0);
    /// ```
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self {
            names: (0..classes).map(|class| class.to_string()).collect(),
            counts: vec![0; classes * classes],
            threshold: Threshold(0.5_f32.to_bits()),
        }
    }

    /// Of what rows are and what they were taken for.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not equally many, [`Error::Label`] for a label that is no class.
    ///
    /// See the type for an example.
    pub fn from_labels(classes: usize, actual: &[u32], predicted: &[u32]) -> Result<Self, Error> {
        if actual.len() != predicted.len() {
            return Err(Error::Length {
                expected: actual.len(),
                found: predicted.len(),
            });
        }
        crate::loss::check_labels(actual, classes)?;
        crate::loss::check_labels(predicted, classes)?;
        let mut matrix = Self::new(classes);
        for (&actual, &predicted) in actual.iter().zip(predicted) {
            matrix.add(actual as usize, predicted as usize);
        }
        Ok(matrix)
    }

    /// The same with names for the classes.
    ///
    /// # Errors
    /// [`Error::ClassNames`] when there are more or fewer than classes.
    ///
    /// See the type for an example.
    pub fn names(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, Error> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.names.len() {
            return Err(Error::ClassNames {
                classes: self.names.len(),
                found: names.len(),
            });
        }
        self.names = names;
        Ok(self)
    }

    /// What a single output has to be above to mean class 1; ½ unless set.
    ///
    /// ```
    /// use maas_nn::Targets;
    /// use maas_nn::metric::{ConfusionMatrix, MetricBatch};
    ///
    /// let mut matrix = ConfusionMatrix::new(2).threshold(0.9);
    /// matrix.update(&MetricBatch::new(&[0.8, 0.95], Targets::Labels(&[1, 1]), 1))?;
    /// assert_eq!((matrix.count(1, 0), matrix.count(1, 1)), (1, 1));
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn threshold(mut self, threshold: f32) -> Self {
        self.threshold = Threshold(threshold.to_bits());
        self
    }

    /// Takes in a row.
    ///
    /// # Panics
    /// When either is no class.
    ///
    /// ```
    /// let mut matrix = maas_nn::metric::ConfusionMatrix::new(2);
    /// matrix.add(1, 0);
    /// assert_eq!(matrix.count(1, 0), 1);
    /// ```
    #[track_caller]
    pub fn add(&mut self, actual: usize, predicted: usize) {
        let place = self.place(actual, predicted);
        self.counts[place] += 1;
    }

    /// Takes in a batch of a network's answers: the largest output of a row is its class, or where there is one
    /// output, 1 above the threshold and 0 below.
    ///
    /// # Errors
    /// [`Error::Width`] when the network has not an output a class (or one for two), [`Error::Label`] for a label that
    /// is no class. The matrix is as it was then.
    ///
    /// See [`threshold`](ConfusionMatrix::threshold) for an example.
    pub fn update(&mut self, batch: &MetricBatch<'_>) -> Result<(), Error> {
        let classes = self.classes();
        if classes::count(batch.width) != classes {
            return Err(Error::Width {
                expected: classes,
                found: batch.width,
            });
        }
        if let crate::Targets::Labels(labels) = batch.targets {
            crate::loss::check_labels(labels, classes)?;
        }
        classes::each(
            batch,
            f32::from_bits(self.threshold.0),
            |actual, predicted| {
                self.counts[actual * classes + predicted] += 1;
            },
        );
        Ok(())
    }

    /// How many classes there are.
    ///
    /// ```
    /// assert_eq!(maas_nn::metric::ConfusionMatrix::new(3).classes(), 3);
    /// ```
    #[must_use]
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// What the classes are called.
    ///
    /// ```
    /// assert_eq!(maas_nn::metric::ConfusionMatrix::new(2).class_names(), ["0", "1"]);
    /// ```
    #[must_use]
    pub fn class_names(&self) -> &[String] {
        &self.names
    }

    /// How many rows there are.
    ///
    /// ```
    /// assert_eq!(maas_nn::metric::ConfusionMatrix::new(3).rows(), 0);
    /// ```
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many rows of one class were taken for another, or the same.
    ///
    /// # Panics
    /// When either is no class.
    ///
    /// See the type for an example.
    #[must_use]
    #[track_caller]
    pub fn count(&self, actual: usize, predicted: usize) -> u64 {
        self.counts[self.place(actual, predicted)]
    }

    /// The share of rows that were taken for what they are; NaN of no rows.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let right: u64 = (0..self.classes())
            .map(|class| self.count(class, class))
            .sum();
        right as f64 / self.rows() as f64
    }

    /// A class's precision, recall, F1 and support.
    ///
    /// # Panics
    /// When it is no class.
    ///
    /// See the type for an example.
    #[must_use]
    #[track_caller]
    pub fn class(&self, class: usize) -> ClassFigures {
        let support: u64 = (0..self.classes())
            .map(|other| self.count(class, other))
            .sum();
        let predicted: u64 = (0..self.classes())
            .map(|other| self.count(other, class))
            .sum();
        let (right, actual) = (self.count(class, class) as f64, support as f64);
        ClassFigures {
            precision: figures::precision(right, predicted as f64, actual),
            recall: figures::recall(right, predicted as f64, actual),
            f1: figures::f1(right, predicted as f64, actual),
            support,
            predicted,
        }
    }

    /// Precision, recall, F1 and support of every class, and their averages.
    ///
    /// ```
    /// use maas_nn::metric::ConfusionMatrix;
    ///
    /// let matrix = ConfusionMatrix::from_labels(2, &[0, 0, 1], &[0, 1, 1])?;
    /// assert_eq!(matrix.report().macro_average.f1, 2.0 / 3.0);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn report(&self) -> ClassificationReport {
        ClassificationReport::new(self)
    }

    /// Takes in the rows of another matrix.
    ///
    /// # Errors
    /// [`Error::Width`] when that has more or fewer classes.
    ///
    /// ```
    /// use maas_nn::metric::ConfusionMatrix;
    ///
    /// let mut all = ConfusionMatrix::from_labels(2, &[0, 1], &[0, 0])?;
    /// all.merge(&ConfusionMatrix::from_labels(2, &[1, 1], &[0, 1])?)?;
    /// assert_eq!(all.count(1, 0), 2);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if other.classes() != self.classes() {
            return Err(Error::Width {
                expected: self.classes(),
                found: other.classes(),
            });
        }
        for (count, other) in self.counts.iter_mut().zip(&other.counts) {
            *count += other;
        }
        Ok(())
    }

    #[track_caller]
    fn place(&self, actual: usize, predicted: usize) -> usize {
        let classes = self.classes();
        assert!(
            actual < classes && predicted < classes,
            "class {actual} taken for {predicted}, but there are {classes}"
        );
        actual * classes + predicted
    }
}

impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head =
            std::iter::once("actual \\ predicted".to_owned()).chain(self.names.iter().cloned());
        let mut rows = vec![head.collect()];
        for (class, name) in self.names.iter().enumerate() {
            let counts = (0..self.classes()).map(|other| self.count(class, other).to_string());
            rows.push(std::iter::once(name.clone()).chain(counts).collect());
        }
        table::write(f, &rows)
    }
}

/// As it is written: the names, and a row of counts for each of them.
#[derive(Serialize, Deserialize)]
struct Stored {
    names: Vec<String>,
    counts: Vec<Vec<u64>>,
}

impl From<ConfusionMatrix> for Stored {
    fn from(matrix: ConfusionMatrix) -> Self {
        let rows = matrix.counts.chunks(matrix.names.len().max(1));
        Self {
            counts: rows.map(<[u64]>::to_vec).collect(),
            names: matrix.names,
        }
    }
}

impl TryFrom<Stored> for ConfusionMatrix {
    type Error = Error;

    fn try_from(stored: Stored) -> Result<Self, Error> {
        let classes = stored.names.len();
        let wrong = |found| Error::ClassNames {
            classes: found,
            found: classes,
        };
        if stored.counts.len() != classes {
            return Err(wrong(stored.counts.len()));
        }
        if let Some(row) = stored.counts.iter().find(|row| row.len() != classes) {
            return Err(wrong(row.len()));
        }
        let mut matrix = Self::new(classes).names(stored.names)?;
        matrix.counts = stored.counts.concat();
        Ok(matrix)
    }
}
