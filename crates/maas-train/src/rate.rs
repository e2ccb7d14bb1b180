//! How large a step is.

use crate::Error;

/// The learning rate α: how far a step goes along the direction that the optimiser chose.
///
/// Numbers turn into a constant rate, and every place that takes a rate takes `impl Into<LearningRate>`. A rate is
/// checked when it is used, so that building an optimiser cannot fail.
///
/// ```
/// use maas_train::LearningRate;
///
/// let rate = LearningRate::from(0.1);
/// assert_eq!(rate.at(1)?, 0.1);
/// assert!(LearningRate::constant(-0.1).at(1).is_err());
/// # Ok::<(), maas_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LearningRate {
    value: f32,
}

impl LearningRate {
    /// The same rate in every step. It must be finite and at least 0.
    ///
    /// ```
    /// assert_eq!(maas_train::LearningRate::constant(0.1), 0.1.into());
    /// ```
    #[must_use]
    pub const fn constant(value: f32) -> Self {
        Self { value }
    }

    /// The rate of step `number`, counted from 1.
    ///
    /// ```
    /// use maas_train::{Error, LearningRate};
    ///
    /// let error = LearningRate::constant(f32::NAN).at(3).unwrap_err();
    /// assert!(matches!(error, Error::LearningRate { step: 3, .. }));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::LearningRate`] when the rate is negative, infinite or not a number.
    pub fn at(&self, number: u64) -> Result<f32, Error> {
        if self.value.is_finite() && self.value >= 0.0 {
            Ok(self.value)
        } else {
            Err(Error::LearningRate {
                step: number,
                value: self.value,
            })
        }
    }
}

impl From<f32> for LearningRate {
    fn from(value: f32) -> Self {
        Self::constant(value)
    }
}
