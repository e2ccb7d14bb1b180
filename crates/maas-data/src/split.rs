use maas_core::{Seed, TensorSpec};

use crate::shuffle::Shuffle;
use crate::{Dataset, Error};

/// The parts of a data set: what is learnt from, what choices are made by, and what is looked at once, at the end.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
/// let split = data.split([0.7, 0.15, 0.15], Seed(7))?;
/// assert_eq!((split.train.rows(), split.validation.rows(), split.test.rows()), (14, 3, 3));
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Split {
    /// The rows to learn from.
    pub train: Dataset,
    /// The rows to make choices by: when to stop, how much to prune.
    pub validation: Dataset,
    /// The rows to judge the result by.
    pub test: Dataset,
}

impl Split {
    /// What a network that takes these data says about its inputs: [`Dataset::features`] of every part.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let split = data.split([0.5, 0.25, 0.25], Seed(7))?;
    /// assert_eq!(split.features()[0].row_elements(), Some(3));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn features(&self) -> Vec<TensorSpec> {
        self.train.features()
    }
}

impl Dataset {
    /// The rows in random parts: for training, validation and testing. Each row is in exactly one of them.
    ///
    /// Validation and test get their fraction of the rows, rounded; training gets the rest.
    ///
    /// # Errors
    /// [`Error::Fractions`] unless all fractions are positive and add up to 1; [`Error::EmptyPart`] when there are so
    /// few rows that a part would have none.
    ///
    /// ```
    /// # use {maas_core::Seed, ndarray::Array2};
    /// use maas_data::{Dataset, Error};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let error = data.split([0.7, 0.7, 0.7], Seed(7)).unwrap_err();
    /// assert_eq!(error.to_string(), "positive fractions that add up to 1 expected, found 0.7, 0.7, 0.7");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn split(&self, fractions: [f64; 3], seed: Seed) -> Result<Split, Error> {
        let sizes = sizes(self.rows(), &fractions)?;
        let order = self.order(seed);
        let (train, rest) = order.split_at(sizes[0]);
        let (validation, test) = rest.split_at(sizes[1]);
        Ok(Split {
            train: self.gather(train),
            validation: self.gather(validation),
            test: self.gather(test),
        })
    }

    /// The rows in two random parts; the second gets this fraction of the rows, rounded.
    ///
    /// # Errors
    /// [`Error::Fractions`] unless the fraction lies between 0 and 1; [`Error::EmptyPart`] when a part would have no
    /// rows.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let (train, test) = data.split_off(0.2, Seed(7))?;
    /// assert_eq!((train.rows(), test.rows()), (16, 4));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn split_off(&self, fraction: f64, seed: Seed) -> Result<(Self, Self), Error> {
        let sizes = sizes(self.rows(), &[1.0 - fraction, fraction])?;
        let order = self.order(seed);
        let (first, second) = order.split_at(sizes[0]);
        Ok((self.gather(first), self.gather(second)))
    }

    /// The rows that are not in `rows`, in their order, and those that are, in the order of `rows`: a split that
    /// someone has fixed.
    ///
    /// # Errors
    /// [`Error::NoSuchRow`] and [`Error::RepeatedRow`]; [`Error::NoRows`] when a part would have none.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let (train, test) = data.hold_out(&[3, 5])?;
    /// assert_eq!((train.rows(), test.rows()), (18, 2));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn hold_out(&self, rows: &[usize]) -> Result<(Self, Self), Error> {
        let rest = others(self.rows(), rows)?;
        Ok((self.select(&rest)?, self.select(rows)?))
    }

    /// All rows, in a random order.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::Dataset};
    /// # use ndarray::{Array1, Axis};
    /// let column = Array1::from_iter((0..9).map(|row| row as f32)).insert_axis(Axis(1));
    /// let data = Dataset::new(column.view(), column.view())?;
    /// let shuffled = data.shuffled(Seed(7));
    /// assert_ne!(shuffled, data);
    /// assert_eq!(shuffled.x(), shuffled.y());
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    #[must_use]
    pub fn shuffled(&self, seed: Seed) -> Self {
        self.gather(&self.order(seed))
    }

    pub(crate) fn order(&self, seed: Seed) -> Vec<usize> {
        let mut order = vec![0; self.rows()];
        // A stream apart from the epochs of a trainer that got the same seed.
        Shuffle::new(seed.derive(u64::MAX)).fill(0, &mut order);
        order.into_iter().map(|row| row as usize).collect()
    }
}

/// How many rows each part gets; the first one gets what rounding leaves.
fn sizes(rows: usize, fractions: &[f64]) -> Result<Vec<usize>, Error> {
    check_fractions(fractions)?;
    let mut sizes: Vec<usize> = fractions
        .iter()
        .map(|fraction| (fraction * rows as f64).round() as usize)
        .collect();
    sizes[0] = rows.saturating_sub(sizes[1..].iter().sum());
    match sizes.iter().zip(fractions).find(|&(&size, _)| size == 0) {
        Some((_, &fraction)) => Err(Error::EmptyPart { fraction, rows }),
        None => Ok(sizes),
    }
}

pub(crate) fn check_fractions(fractions: &[f64]) -> Result<(), Error> {
    let total: f64 = fractions.iter().sum();
    let positive = fractions.iter().all(|&fraction| fraction > 0.0);
    let whole = (total - 1.0).abs() < 1e-6;
    if positive && whole {
        Ok(())
    } else {
        Err(Error::Fractions {
            found: fractions.to_vec(),
        })
    }
}

/// The rows below `count` that are not in `rows`, which are each below it and named once.
pub(crate) fn others(count: usize, rows: &[usize]) -> Result<Vec<usize>, Error> {
    let mut named = vec![false; count];
    for &row in rows {
        let flag = named.get_mut(row).ok_or(Error::NoSuchRow {
            rows: count,
            found: row,
        })?;
        if std::mem::replace(flag, true) {
            return Err(Error::RepeatedRow { row });
        }
    }
    Ok((0..count).filter(|&row| !named[row]).collect())
}
