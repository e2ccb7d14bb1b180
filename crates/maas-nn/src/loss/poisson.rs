use maas_kernels::ElementLoss;

use super::batch::find;
use super::elementwise::{self, EPSILON, Mean, check_length};
use crate::{Error, Loss, LossBatch};

/// The mean of p − t·ln(p + 1e-7) over all elements: the negative logarithm of the likelihood of a count t when p are
/// expected, up to a term without p. Keras' `poisson`.
///
/// Predictions are rates, which are positive: let the network end in an exponential or a softplus; below −1e-7 the loss is
/// NaN. Targets are not negative.
///
/// ```
/// use maas_nn::{Loss, LossBatch, Poisson, Targets};
///
/// let batch = LossBatch::new(&[2.0], Targets::Values(&[3.0]), 1)?;
/// let expected = 2.0 - 3.0 * 2_f32.ln();
/// assert!((Poisson.evaluate(&batch, None)? - expected).abs() < 1e-6);
///
/// let batch = LossBatch::new(&[2.0], Targets::Values(&[-3.0]), 1)?;
/// let error = Poisson.evaluate(&batch, None).unwrap_err();
/// assert_eq!(error.to_string(), "row 0 has target -3, but the loss `poisson` takes targets that are not negative");
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Poisson;

impl Poisson {
    fn check(self, batch: &LossBatch<'_>) -> Result<(), Error> {
        let targets = batch.values(self.name())?;
        match find(targets, |&target| !(0.0..=f32::MAX).contains(&target)) {
            None => Ok(()),
            Some(index) => Err(Error::Target {
                loss: self.name().to_owned(),
                row: index / batch.width,
                found: targets[index],
                expected: "targets that are not negative",
            }),
        }
    }
}

impl Loss for Poisson {
    fn name(&self) -> &str {
        "poisson"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        check_length(batch, gradient.as_deref())?;
        self.check(batch)?;
        let loss = ElementLoss::Poisson { epsilon: EPSILON };
        elementwise::evaluate(loss, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.check(batch)?;
        let term = |p: f64, t: f64| p - t * (p + f64::from(EPSILON)).ln();
        Ok(Some(elementwise::reference(
            Mean::Elements,
            predictions,
            batch,
            term,
        )))
    }
}
