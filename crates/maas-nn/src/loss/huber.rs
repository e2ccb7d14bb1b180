use maas_kernels::ElementLoss;

use super::elementwise::{self, Mean};
use crate::{Error, Loss, LossBatch};

/// The mean of h(p − t) over all elements, with h(d) = d²/2 where |d| ≤ δ, else δ·(|d| − δ/2): Keras' `huber`
/// (Huber, 1964).
///
/// ```
/// use maas_nn::{Huber, Loss, LossBatch, Targets};
///
/// let batch = LossBatch::new(&[1.5, 4.0], Targets::Values(&[1.0, 2.0]), 2)?;
/// assert_eq!(Huber::new(1.0).evaluate(&batch, None)?, (0.125 + 1.5) / 2.0);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    delta: f32,
}

impl Huber {
    /// With the width `delta` of the quadratic part, which is to be positive; checked on use.
    ///
    /// ```
    /// assert_eq!(maas_nn::Huber::new(1.0), maas_nn::Huber::default());
    /// ```
    #[must_use]
    pub fn new(delta: f32) -> Self {
        Self { delta }
    }

    fn check(self) -> Result<(), Error> {
        if self.delta.is_finite() && self.delta > 0.0 {
            Ok(())
        } else {
            Err(Error::Setting {
                name: "delta",
                expected: "positive and finite",
                found: self.delta,
            })
        }
    }
}

impl Default for Huber {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Loss for Huber {
    fn name(&self) -> &str {
        "huber"
    }

    fn config(&self) -> serde_json::Value {
        serde_json::json!({ "delta": self.delta })
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        self.check()?;
        batch.values(self.name())?;
        let loss = ElementLoss::Huber { delta: self.delta };
        elementwise::evaluate(loss, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.check()?;
        let delta = f64::from(self.delta);
        elementwise::reference_of_difference(self.name(), predictions, batch, |d| {
            if d.abs() <= delta {
                0.5 * d * d
            } else {
                delta * (d.abs() - 0.5 * delta)
            }
        })
    }
}
