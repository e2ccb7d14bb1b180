use maas_kernels::ElementLoss;

use super::Targets;
use super::batch::find;
use super::elementwise::{self, Mean, check_length, check_two_classes};
use crate::{Error, Loss, LossBatch};

/// The mean of max(0, 1 − t·p) over all elements, the loss of a support vector machine: Keras' `hinge`.
///
/// Targets are 1 for the one class, −1 or 0 for the other, or labels 0 and 1 where the network has one output. At the
/// corner, where t·p = 1, the gradient is 0. A prediction above 0 means the first class.
///
/// ```
/// use maas_nn::{Hinge, Loss, LossBatch, Targets};
///
/// let p = [0.5, -3.0, 2.0];
/// let values = LossBatch::new(&p, Targets::Values(&[1.0, -1.0, -1.0]), 3)?;
/// let labels = LossBatch::new(&p, Targets::Labels(&[1, 0, 0]), 3)?;
/// assert_eq!(Hinge.evaluate(&values, None)?, (0.5 + 0.0 + 3.0) / 3.0);
/// assert_eq!(Hinge.evaluate(&labels, None)?, Hinge.evaluate(&values, None)?);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hinge;

/// The mean of max(0, 1 − t·p)² over all elements: Keras' `squared_hinge`. Targets are those of [`Hinge`].
///
/// ```
/// use maas_nn::{Loss, LossBatch, SquaredHinge, Targets};
///
/// let batch = LossBatch::new(&[0.5, 2.0], Targets::Values(&[1.0, -1.0]), 2)?;
/// assert_eq!(SquaredHinge.evaluate(&batch, None)?, (0.25 + 9.0) / 2.0);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SquaredHinge;

impl Loss for Hinge {
    fn name(&self) -> &str {
        "hinge"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        check_length(batch, gradient.as_deref())?;
        check(self.name(), batch)?;
        elementwise::evaluate(ElementLoss::Hinge, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        check(self.name(), batch)?;
        let mean = elementwise::reference(Mean::Elements, predictions, batch, margin);
        Ok(Some(mean))
    }
}

impl Loss for SquaredHinge {
    fn name(&self) -> &str {
        "squared_hinge"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        check_length(batch, gradient.as_deref())?;
        check(self.name(), batch)?;
        elementwise::evaluate(ElementLoss::SquaredHinge, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        check(self.name(), batch)?;
        let term = |p, t| margin(p, t).powi(2);
        let mean = elementwise::reference(Mean::Elements, predictions, batch, term);
        Ok(Some(mean))
    }
}

fn margin(p: f64, t: f64) -> f64 {
    let t = if t == 0.0 { -1.0 } else { t };
    (1.0 - t * p).max(0.0)
}

fn check(loss: &str, batch: &LossBatch<'_>) -> Result<(), Error> {
    match batch.targets {
        Targets::Labels(labels) => check_two_classes(loss, labels, batch),
        Targets::Values(values) => {
            match find(values, |&value| value != 0.0 && value.abs() != 1.0) {
                None => Ok(()),
                Some(index) => Err(Error::Target {
                    loss: loss.to_owned(),
                    row: index / batch.width,
                    found: values[index],
                    expected: "1 for the one class, −1 or 0 for the other",
                }),
            }
        }
    }
}
