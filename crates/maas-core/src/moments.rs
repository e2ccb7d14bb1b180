use serde::{Deserialize, Serialize};

use crate::Error;

/// The mean and the standard deviation of each column.
///
/// The deviation of a column that never changes is kept as 1, so that dividing by it is always possible.
///
/// ```
/// use maas_core::Moments;
///
/// let moments = Moments::of_rows(2, &[1.0, 5.0, 3.0, 5.0])?;
/// assert_eq!(moments.mean(), [2.0, 5.0]);
/// assert_eq!(moments.deviation(), [1.0, 1.0]);
/// # Ok::<(), maas_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Moments {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl TryFrom<Unchecked> for Moments {
    type Error = Error;

    fn try_from(unchecked: Unchecked) -> Result<Self, Error> {
        Self::new(unchecked.mean, unchecked.deviation)
    }
}

impl Moments {
    /// Moments of known values; a deviation of 0 becomes 1.
    ///
    /// # Errors
    /// [`Error::MomentsCount`] when there are not as many deviations as means; [`Error::BadMoments`] when one is not
    /// finite or a deviation is negative.
    ///
    /// ```
    /// use maas_core::Moments;
    /// assert_eq!(Moments::new([5.0], [0.0])?.deviation(), [1.0]);
    /// assert!(Moments::new([f32::NAN], [1.0]).is_err());
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn new(mean: impl Into<Vec<f32>>, deviation: impl Into<Vec<f32>>) -> Result<Self, Error> {
        let (mean, mut deviation) = (mean.into(), deviation.into());
        if mean.len() != deviation.len() {
            return Err(Error::MomentsCount {
                means: mean.len(),
                deviations: deviation.len(),
            });
        }
        for (column, (&mean, deviation)) in mean.iter().zip(&mut deviation).enumerate() {
            if !mean.is_finite() || !deviation.is_finite() || *deviation < 0.0 {
                return Err(Error::BadMoments {
                    column,
                    mean,
                    deviation: *deviation,
                });
            }
            if *deviation == 0.0 {
                *deviation = 1.0;
            }
        }
        Ok(Self { mean, deviation })
    }

    /// The moments of the columns of row-major values: mean = Σx/n, deviation = √(Σ(x − mean)²/n), summed in `f64`.
    ///
    /// The deviation is the population's, as scikit-learn's `StandardScaler` and Keras' `Normalization` have it.
    ///
    /// # Errors
    /// [`Error::ElementCount`] when the values are not whole rows of `columns`, [`Error::BadMoments`] when a column
    /// holds a value that is not finite.
    ///
    /// ```
    /// let moments = maas_core::Moments::of_rows(1, &[1.0, 3.0])?;
    /// assert_eq!((moments.mean()[0], moments.deviation()[0]), (2.0, 1.0));
    /// # Ok::<(), maas_core::Error>(())
    /// ```
    pub fn of_rows(columns: usize, values: &[f32]) -> Result<Self, Error> {
        let rows = values.len().checked_div(columns).unwrap_or(0);
        if rows * columns != values.len() {
            let shape = [rows, columns].into();
            return Err(Error::ElementCount {
                shape,
                expected: rows * columns,
                found: values.len(),
            });
        }
        let n = rows.max(1) as f64;
        let mean = column_sums(columns, values, |_, value| value).map(|sum| sum / n);
        let mean: Vec<f64> = mean.collect();
        let squares = column_sums(columns, values, |column, value| {
            (value - mean[column]).powi(2)
        });
        let deviation = squares.enumerate().map(|(column, squares)| {
            // The rounded mean of a column that never changes must not give it a deviation of its own.
            let mut rest = values.iter().skip(column).step_by(columns);
            let first = rest.next();
            if rest.all(|value| Some(value) == first) {
                0.0
            } else {
                (squares / n).sqrt() as f32
            }
        });
        let deviation: Vec<f32> = deviation.collect();
        let mean: Vec<f32> = mean.into_iter().map(|mean| mean as f32).collect();
        Self::new(mean, deviation)
    }

    /// Means of 0 and deviations of 1: applying them changes nothing.
    ///
    /// ```
    /// assert_eq!(maas_core::Moments::identity(2).mean(), [0.0, 0.0]);
    /// ```
    pub fn identity(columns: usize) -> Self {
        Self {
            mean: vec![0.0; columns],
            deviation: vec![1.0; columns],
        }
    }

    /// How many columns there are.
    ///
    /// ```
    /// assert_eq!(maas_core::Moments::identity(2).columns(), 2);
    /// ```
    pub fn columns(&self) -> usize {
        self.mean.len()
    }

    /// The means, one a column, finite.
    ///
    /// ```
    /// assert_eq!(maas_core::Moments::identity(1).mean(), [0.0]);
    /// ```
    pub fn mean(&self) -> &[f32] {
        &self.mean
    }

    /// The standard deviations, one a column, finite and positive.
    ///
    /// ```
    /// assert_eq!(maas_core::Moments::identity(1).deviation(), [1.0]);
    /// ```
    pub fn deviation(&self) -> &[f32] {
        &self.deviation
    }
}

/// The sum of `term(column, value)` over each column, all columns at once, row by row.
fn column_sums(
    columns: usize,
    values: &[f32],
    term: impl Fn(usize, f64) -> f64,
) -> impl Iterator<Item = f64> {
    let mut sums = vec![0.0; columns];
    for row in values.chunks_exact(columns.max(1)) {
        for (column, (sum, &value)) in sums.iter_mut().zip(row).enumerate() {
            *sum += term(column, f64::from(value));
        }
    }
    sums.into_iter()
}

/// The moments of a data set: of its features, and of its targets when they are numbers.
///
/// ```
/// use maas_core::{Moments, Statistics};
/// let statistics = Statistics { features: Moments::identity(11), targets: Some(Moments::identity(1)) };
/// assert_eq!(statistics.features.columns(), 11);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// The moments of the features, one column each.
    pub features: Moments,
    /// The moments of the targets of a regression; none for classes.
    pub targets: Option<Moments>,
}

impl From<Moments> for Statistics {
    fn from(features: Moments) -> Self {
        Self {
            features,
            targets: None,
        }
    }
}

impl From<&Self> for Statistics {
    fn from(statistics: &Self) -> Self {
        statistics.clone()
    }
}
