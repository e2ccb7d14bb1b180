use super::{Dataset, check_rows};
use crate::{Error, Targets};

/// How much each row counts.
impl Dataset {
    /// The same rows with a weight each: how much the row counts in a loss. A row of weight 2 counts as if it were
    /// there twice, one of weight 0 as if its error were none; without weights each row counts once.
    ///
    /// Parts of a data set ([`Dataset::split`], [`Dataset::select`], ...) keep the weights of their rows.
    ///
    /// # Errors
    /// [`Error::RowCount`] unless there is one weight a row; [`Error::BadWeight`] with the row of one that is negative,
    /// NaN or infinite; [`Error::NoWeight`] when all are 0.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32], [2.0]].view(), array![[1.0_f32], [2.0]].view())?;
    /// let data = data.weighted([1.0, 0.5])?;
    /// assert_eq!(data.weights(), Some(&[1.0, 0.5][..]));
    /// let error = data.weighted([1.0, -0.5]).unwrap_err();
    /// assert_eq!(error.to_string(), "row 1: a finite weight of at least 0 expected, found -0.5");
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn weighted(self, weights: impl Into<Vec<f32>>) -> Result<Self, Error> {
        let data = self.with_weights(weights.into())?;
        data.weights().map_or(Ok(()), check_any_weight)?;
        Ok(data)
    }

    /// The same for a part of the rows, which may all have no weight.
    pub(crate) fn with_weights(self, weights: Vec<f32>) -> Result<Self, Error> {
        check_rows("weights", self.rows(), weights.len())?;
        check_each(&weights)?;
        Ok(Self {
            weights: Some(weights),
            ..self
        })
    }

    /// The weight of each row, if rows have weights.
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::new(array![[1.0_f32]].view(), array![[1.0_f32]].view())?;
    /// assert_eq!(data.weights(), None);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn weights(&self) -> Option<&[f32]> {
        self.weights.as_deref()
    }

    /// Weights by class: each row gets the weight of its class, times the weight it has already.
    ///
    /// # Errors
    /// [`Error::NotAClassification`]; [`Error::ClassWeightCount`] unless there is one weight a class; those of
    /// [`Dataset::weighted`].
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32], [2.0], [3.0]].view(), &[0, 1, 0], ["well", "ill"])?;
    /// assert_eq!(data.class_weighted(&[1.0, 10.0])?.weights(), Some(&[1.0, 10.0, 1.0][..]));
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn class_weighted(self, class_weights: &[f32]) -> Result<Self, Error> {
        let weights = self.weights_by_class(class_weights)?;
        self.weighted(weights)
    }

    /// Each row's weight times that of its class.
    pub(crate) fn weights_by_class(&self, class_weights: &[f32]) -> Result<Vec<f32>, Error> {
        let Targets::Labels { classes, data } = &self.targets else {
            return Err(Error::NotAClassification);
        };
        if class_weights.len() != *classes {
            return Err(Error::ClassWeightCount {
                expected: *classes,
                found: class_weights.len(),
            });
        }
        let of_class = data.iter().map(|&label| class_weights[label as usize]);
        Ok(match &self.weights {
            Some(weights) => of_class.zip(weights).map(|(a, b)| a * b).collect(),
            None => of_class.collect(),
        })
    }

    /// How many rows each class has.
    ///
    /// # Errors
    /// [`Error::NotAClassification`].
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32], [2.0], [3.0]].view(), &[0, 2, 0], 3)?;
    /// assert_eq!(data.class_counts()?, [2, 0, 1]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn class_counts(&self) -> Result<Vec<usize>, Error> {
        let Targets::Labels { classes, data } = &self.targets else {
            return Err(Error::NotAClassification);
        };
        let mut counts = vec![0; *classes];
        for &label in data {
            counts[label as usize] += 1;
        }
        Ok(counts)
    }

    /// Weights that let every class count the same: n / (k · nᶜ) for n rows, nᶜ of them of class c, and k classes that
    /// have rows; 0 for a class without any. It is what scikit-learn calls `class_weight="balanced"`
    /// (King and Zeng, *Logistic regression in rare events data*, 2001).
    ///
    /// # Errors
    /// [`Error::NotAClassification`].
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32], [2.0], [3.0], [4.0]].view(), &[0, 0, 0, 1], 2)?;
    /// assert_eq!(data.balanced_class_weights()?, [4.0 / 6.0, 2.0]);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn balanced_class_weights(&self) -> Result<Vec<f32>, Error> {
        let counts = self.class_counts()?;
        let present = counts.iter().filter(|&&count| count > 0).count();
        Ok(counts
            .iter()
            .map(|&count| match count {
                0 => 0.0,
                count => (self.rows() as f64 / (present as f64 * count as f64)) as f32,
            })
            .collect())
    }

    /// The same rows, weighted so that every class counts the same: [`Dataset::class_weighted`] with
    /// [`Dataset::balanced_class_weights`].
    ///
    /// # Errors
    /// [`Error::NotAClassification`].
    ///
    /// ```
    /// # use {maas_data::Dataset, ndarray::array};
    /// let data = Dataset::classification(array![[1.0_f32], [2.0], [3.0], [4.0]].view(), &[0, 0, 1, 0], 2)?;
    /// assert_eq!(data.balanced()?.weights().unwrap()[2], 2.0);
    /// # Ok::<(), maas_data::Error>(())
    /// ```
    pub fn balanced(self) -> Result<Self, Error> {
        let weights = self.balanced_class_weights()?;
        self.class_weighted(&weights)
    }
}

pub(crate) fn check_weights(weights: &[f32]) -> Result<(), Error> {
    check_each(weights)?;
    check_any_weight(weights)
}

/// Checks that a row counts.
pub(crate) fn check_any_weight(weights: &[f32]) -> Result<(), Error> {
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::NoWeight);
    }
    Ok(())
}

fn check_each(weights: &[f32]) -> Result<(), Error> {
    let bad = |weight: &f32| !(weight.is_finite() && *weight >= 0.0);
    match weights.iter().position(bad) {
        Some(row) => Err(Error::BadWeight {
            row,
            found: weights[row],
        }),
        None => Ok(()),
    }
}
