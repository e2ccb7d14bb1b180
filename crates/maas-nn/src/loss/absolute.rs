use maas_kernels::ElementLoss;

use super::elementwise::{self, Mean};
use crate::{Error, Loss, LossBatch};

/// The mean of |p − t| over all elements: Keras' `mae`. Where p = t the gradient is 0.
///
/// ```
/// use maas_nn::{Loss, LossBatch, MeanAbsoluteError, Targets};
///
/// let batch = LossBatch::new(&[1.0, 4.0], Targets::Values(&[1.0, 2.0]), 2)?;
/// assert_eq!(MeanAbsoluteError.evaluate(&batch, None)?, 1.0);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanAbsoluteError;

impl Loss for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        batch.values(self.name())?;
        elementwise::evaluate(ElementLoss::Absolute, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        elementwise::reference_of_difference(self.name(), predictions, batch, f64::abs)
    }
}
