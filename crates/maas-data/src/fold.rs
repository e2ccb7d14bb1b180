use std::fmt;

use maas_core::Seed;

use crate::{Dataset, Error};

/// The folds of a cross-validation: pairs of a training and a validation part. Each row is in the validation part of
/// exactly one pair.
///
/// The parts are gathered when their pair is asked for, so that one pair at a time is in memory.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use ndarray::Array2;
///
/// let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
/// for (train, validation) in data.folds(5, Seed(7))? {
///     assert_eq!((train.rows(), validation.rows()), (16, 4));
/// }
/// # Ok::<(), maas_data::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Folds<'a> {
    data: &'a Dataset,
    /// The rows in a random order, and the fold that each row validates.
    order: Vec<usize>,
    fold_of: Vec<usize>,
    next: usize,
    count: usize,
}

impl Dataset {
    /// Random folds of equal size, give or take a row.
    ///
    /// # Errors
    /// [`Error::FoldCount`] for fewer than two folds, or more than rows.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// assert_eq!(data.folds(3, Seed(7))?.count(), 3);
    /// assert!(matches!(data.folds(21, Seed(7)), Err(Error::FoldCount { rows: 20, found: 21 })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn folds(&self, folds: usize, seed: Seed) -> Result<Folds<'_>, Error> {
        self.check_folds(folds)?;
        let order = self.order(seed);
        let mut fold_of = vec![0; order.len()];
        for (index, &row) in order.iter().enumerate() {
            fold_of[row] = index % folds;
        }
        Ok(Folds::new(self, order, fold_of, folds))
    }

    /// Random folds in which each class has its share: in the validation part of each fold as many rows, give or take
    /// one. The folds too are of equal size, give or take a row.
    ///
    /// # Errors
    /// Those of [`Dataset::folds`]; [`Error::NotAClassification`]; [`Error::TooFewOfClass`] for a class that has fewer
    /// rows than there are folds.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// let data = Dataset::classification(Array2::zeros((6, 1)).view(), &[0, 0, 0, 1, 1, 0], 2)?;
    /// for (train, validation) in data.stratified_folds(2, Seed(7))? {
    ///     assert_eq!((train.class_counts()?, validation.class_counts()?), (vec![2, 1], vec![2, 1]));
    /// }
    /// assert!(matches!(data.stratified_folds(3, Seed(7)), Err(Error::TooFewOfClass { .. })));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn stratified_folds(&self, folds: usize, seed: Seed) -> Result<Folds<'_>, Error> {
        self.check_folds(folds)?;
        let strata = self.strata(folds, folds)?;
        let order = self.order(seed);
        // Each class goes on with the fold after the last one that the class before it gave a row to.
        let mut next = Vec::with_capacity(strata.len());
        let mut start = 0;
        for count in &strata {
            next.push(start);
            start += count;
        }
        let labels = self.labels().unwrap_or_default();
        let mut fold_of = vec![0; order.len()];
        for &row in &order {
            let next = &mut next[labels[row] as usize];
            fold_of[row] = *next % folds;
            *next += 1;
        }
        Ok(Folds::new(self, order, fold_of, folds))
    }

    fn check_folds(&self, folds: usize) -> Result<(), Error> {
        if (2..=self.rows()).contains(&folds) {
            Ok(())
        } else {
            Err(Error::FoldCount {
                rows: self.rows(),
                found: folds,
            })
        }
    }

    /// How many rows each class has, none of them fewer than `least`.
    pub(crate) fn strata(&self, least: usize, parts: usize) -> Result<Vec<usize>, Error> {
        let counts = self.class_counts()?;
        match counts.iter().position(|&count| count < least) {
            Some(class) => Err(self.too_few(class, counts[class], parts)),
            None => Ok(counts),
        }
    }

    pub(crate) fn too_few(&self, class: usize, rows: usize, parts: usize) -> Error {
        let name = self.class_labels().map(|labels| labels[class].clone());
        Error::TooFewOfClass {
            class: name.unwrap_or_else(|| class.to_string()),
            rows,
            parts,
        }
    }
}

impl<'a> Folds<'a> {
    fn new(data: &'a Dataset, order: Vec<usize>, fold_of: Vec<usize>, count: usize) -> Self {
        Self {
            data,
            order,
            fold_of,
            next: 0,
            count,
        }
    }

    /// What a closure says of each pair that is left, such as the loss on the validation part of a network that has
    /// learnt from the training part.
    ///
    /// # Errors
    /// The first error of the closure.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let scores = data.folds(4, Seed(7))?.score(|train, validation| {
    ///     Ok::<_, Error>(validation.rows() as f64 / train.rows() as f64)
    /// })?;
    /// assert_eq!(scores.mean(), 1.0 / 3.0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn score<E>(
        self,
        mut score: impl FnMut(&Dataset, &Dataset) -> Result<f64, E>,
    ) -> Result<Scores, E> {
        self.map(|(train, validation)| score(&train, &validation))
            .collect::<Result<_, _>>()
            .map(Scores)
    }
}

impl Iterator for Folds<'_> {
    type Item = (Dataset, Dataset);

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.count {
            return None;
        }
        let (validation, train): (Vec<usize>, Vec<usize>) = self
            .order
            .iter()
            .partition(|&&row| self.fold_of[row] == self.next);
        self.next += 1;
        Some((self.data.gather(&train), self.data.gather(&validation)))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }

    fn nth(&mut self, skipped: usize) -> Option<Self::Item> {
        self.next = self.count.min(self.next.saturating_add(skipped));
        self.next()
    }
}

impl ExactSizeIterator for Folds<'_> {}

/// One figure for each fold of a cross-validation.
///
/// ```
/// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
/// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
/// let mut losses = [0.5, 0.7].into_iter();
/// let scores = data.folds(2, Seed(7))?.score(|_, _| losses.next().ok_or(Error::NoRows))?;
/// assert_eq!(scores.to_string(), "0.6 ± 0.1414");
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scores(Vec<f64>);

impl FromIterator<f64> for Scores {
    fn from_iter<I: IntoIterator<Item = f64>>(figures: I) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl Scores {
    /// The figures, fold by fold.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// let scores = data.folds(2, Seed(7))?.score(|_, _| Ok::<_, Error>(0.5))?;
    /// assert_eq!(scores.values(), [0.5, 0.5]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// Their mean, NaN when there are none.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// assert_eq!(data.folds(2, Seed(7))?.score(|_, _| Ok::<_, Error>(0.5))?.mean(), 0.5);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// Their sample standard deviation: √(Σ (x − mean)² / (n − 1)); NaN when there are fewer than two.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, Error}, ndarray::Array2};
    /// # let data = Dataset::new(Array2::zeros((20, 3)).view(), Array2::zeros((20, 1)).view())?;
    /// assert_eq!(data.folds(2, Seed(7))?.score(|_, _| Ok::<_, Error>(0.5))?.deviation(), 0.0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|score| (score - mean).powi(2)).sum();
        (squares / (self.0.len() as f64 - 1.0)).sqrt()
    }
}

impl fmt::Display for Scores {
    /// The mean and the deviation, in four digits behind the point at most.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let round = |figure: f64| (figure * 1e4).round() / 1e4;
        write!(f, "{} ± {}", round(self.mean()), round(self.deviation()))
    }
}
