use maas_kernels::Compute;

use crate::Error;

/// What predictions are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets<'a> {
    /// Numbers, rows × width.
    Values(&'a [f32]),
    /// A class a row.
    Labels(&'a [u32]),
}

/// Predictions and their targets, and how much each row counts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LossBatch<'a> {
    /// Predictions, rows × width.
    pub predictions: &'a [f32],
    /// What they are compared with.
    pub targets: Targets<'a>,
    /// Rows.
    pub rows: usize,
    /// Numbers a row.
    pub width: usize,
    /// How much each row counts; without weights all count as 1.
    pub weights: Option<&'a [f32]>,
    /// Kernels to use.
    pub compute: Compute,
}

impl<'a> LossBatch<'a> {
    /// Predictions of `rows` rows beside their targets.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not equally many predictions a row, or not as many targets as the
    /// predictions need: a label a row, or a value a prediction.
    ///
    /// ```
    /// use maas_nn::{LossBatch, Targets};
    /// assert!(LossBatch::new(&[1.0, 2.0], Targets::Values(&[0.0, 1.0]), 2).is_ok());
    /// assert!(LossBatch::new(&[1.0, 2.0], Targets::Values(&[0.0]), 2).is_err());
    /// ```
    pub fn new(predictions: &'a [f32], targets: Targets<'a>, rows: usize) -> Result<Self, Error> {
        let width = predictions.len().checked_div(rows).unwrap_or(0);
        if width * rows != predictions.len() {
            return Err(Error::Length {
                expected: width * rows,
                found: predictions.len(),
            });
        }
        let (expected, found) = match targets {
            Targets::Values(values) => (predictions.len(), values.len()),
            Targets::Labels(labels) => (rows, labels.len()),
        };
        if expected != found {
            return Err(Error::Length { expected, found });
        }
        Ok(Self {
            predictions,
            targets,
            rows,
            width,
            weights: None,
            compute: Compute::default(),
        })
    }

    /// Lets row i count wᵢ times. A loss is then Σ wᵢ·lᵢ / rows, as in Keras: it is linear in the weights, and
    /// weights of 1 change no bit. `None` is as good as weights of 1.
    ///
    /// # Errors
    /// [`Error::Weights`] when there is not a weight a row, [`Error::Weight`] for one that is negative, infinite or
    /// NaN.
    ///
    /// ```
    /// use maas_nn::{Loss, LossBatch, MeanSquaredError, Targets};
    ///
    /// let batch = LossBatch::new(&[1.0, 4.0], Targets::Values(&[0.0, 0.0]), 2)?;
    /// assert_eq!(MeanSquaredError.evaluate(&batch.weights(Some(&[1.0, 0.5]))?, None)?, (1.0 + 0.5 * 16.0) / 2.0);
    /// assert!(batch.weights(Some(&[1.0])).is_err());
    /// assert!(batch.weights(Some(&[1.0, -1.0])).is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn weights(mut self, weights: Option<&'a [f32]>) -> Result<Self, Error> {
        if let Some(weights) = weights {
            if weights.len() != self.rows {
                return Err(Error::Weights {
                    rows: self.rows,
                    found: weights.len(),
                });
            }
            let bad = |&weight: &f32| !(0.0..=f32::MAX).contains(&weight);
            if let Some(row) = find(weights, bad) {
                return Err(Error::Weight {
                    row,
                    found: weights[row],
                });
            }
        }
        self.weights = weights;
        Ok(self)
    }

    /// The weight of a row.
    ///
    /// ```
    /// use maas_nn::{LossBatch, Targets};
    /// let batch = LossBatch::new(&[1.0, 4.0], Targets::Values(&[0.0, 0.0]), 2)?;
    /// assert_eq!(batch.weight(1), 1.0);
    /// assert_eq!(batch.weights(Some(&[1.0, 0.5]))?.weight(1), 0.5);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    ///
    /// # Panics
    /// When there are weights, but not so many rows.
    #[must_use]
    pub fn weight(&self, row: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Uses these kernels.
    ///
    /// ```
    /// use maas_nn::{Compute, LossBatch, Targets};
    /// let batch = LossBatch::new(&[1.0], Targets::Values(&[0.0]), 1)?.compute(Compute::default());
    /// assert_eq!(batch.width, 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn compute(mut self, compute: Compute) -> Self {
        self.compute = compute;
        self
    }

    /// The targets, if they are numbers.
    ///
    /// # Errors
    /// [`Error::TargetKind`].
    ///
    /// ```
    /// use maas_nn::{LossBatch, Targets};
    /// let batch = LossBatch::new(&[1.0, 2.0], Targets::Labels(&[1]), 1)?;
    /// assert!(batch.values("mean_squared_error").is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn values(&self, loss: &str) -> Result<&'a [f32], Error> {
        match self.targets {
            Targets::Values(values) => Ok(values),
            Targets::Labels(_) => Err(Error::TargetKind {
                loss: loss.to_owned(),
                expected: "values, not labels",
            }),
        }
    }
}

/// The first element of which `bad` holds; all are looked at, which vectorises if `bad` has no branches:
/// a range is then a closed one.
pub(crate) fn find<T>(elements: &[T], bad: impl Fn(&T) -> bool) -> Option<usize> {
    if elements
        .iter()
        .fold(false, |any, element| any | bad(element))
    {
        elements.iter().position(bad)
    } else {
        None
    }
}
