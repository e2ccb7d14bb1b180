use maas_kernels::ElementLoss;

use super::elementwise::{self, Mean};
use crate::{Error, Loss, LossBatch};

/// The mean of (p − t)² over all elements: Keras' `mse`.
///
/// ```
/// use maas_nn::{Loss, LossBatch, MeanSquaredError, Targets};
///
/// let batch = LossBatch::new(&[1.0, 4.0], Targets::Values(&[1.0, 2.0]), 2)?;
/// let mut gradient = [0.0; 2];
/// assert_eq!(MeanSquaredError.evaluate(&batch, Some(&mut gradient))?, 2.0);
/// assert_eq!(gradient, [0.0, 2.0]);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MeanSquaredError;

impl Loss for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        batch.values(self.name())?;
        elementwise::evaluate(ElementLoss::Squared, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        elementwise::reference_of_difference(self.name(), predictions, batch, |d| d * d)
    }
}
