use maas_kernels::ElementLoss;

use super::elementwise::{self, Mean};
use crate::{Error, Loss, LossBatch};

/// The mean of ln cosh(p − t) over all elements: Keras' `log_cosh`. Near zero it is d²/2, far from it |d| − ln 2, so
/// that outliers pull no harder than a constant; the gradient is tanh(p − t).
///
/// ```
/// use maas_nn::{LogCosh, Loss, LossBatch, Targets};
///
/// let batch = LossBatch::new(&[1.5, 4.0], Targets::Values(&[1.0, 2.0]), 2)?;
/// let expected = (0.5_f32.cosh().ln() + 2_f32.cosh().ln()) / 2.0;
/// assert!((LogCosh.evaluate(&batch, None)? - expected).abs() < 1e-6);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LogCosh;

impl Loss for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        batch.values(self.name())?;
        elementwise::evaluate(ElementLoss::LogCosh, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let term = |d: f64| {
            if d.abs() < 1.0 {
                0.5 * d.sinh().powi(2).ln_1p()
            } else {
                d.abs() + (-2.0 * d.abs()).exp().ln_1p() - std::f64::consts::LN_2
            }
        };
        elementwise::reference_of_difference(self.name(), predictions, batch, term)
    }
}
