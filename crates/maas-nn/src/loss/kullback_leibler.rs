use maas_kernels::ElementLoss;

use super::elementwise::{self, EPSILON, Mean, check_length, check_probabilities};
use crate::{Error, Loss, LossBatch};

/// The mean over rows of Σ t·ln(t/p), how much a row of probabilities p misses of t: Keras' `kl_divergence` (Kullback
/// and Leibler, 1951).
///
/// Predictions are probabilities, as a softmax gives them. Like Keras it brings both into \[1e-7, 1\] first; a prediction
/// outside of that has gradient 0. Targets are probabilities, each between 0 and 1.
///
/// ```
/// use maas_nn::{KullbackLeibler, Loss, LossBatch, Targets};
///
/// let batch = LossBatch::new(&[0.5, 0.5], Targets::Values(&[1.0, 0.0]), 1)?;
/// assert!((KullbackLeibler.evaluate(&batch, None)? - std::f32::consts::LN_2).abs() < 1e-5);
///
/// let batch = LossBatch::new(&[0.5, 0.5], Targets::Values(&[1.0, -0.1]), 1)?;
/// assert!(KullbackLeibler.evaluate(&batch, None).is_err());
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KullbackLeibler;

impl Loss for KullbackLeibler {
    fn name(&self) -> &str {
        "kullback_leibler"
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        check_length(batch, gradient.as_deref())?;
        check_probabilities(batch.values(self.name())?, batch.width)?;
        let loss = ElementLoss::KullbackLeibler { epsilon: EPSILON };
        elementwise::evaluate(loss, Mean::Rows, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        check_probabilities(batch.values(self.name())?, batch.width)?;
        let clip = |x: f64| x.clamp(f64::from(EPSILON), 1.0);
        let term = |p, t| clip(t) * (clip(t) / clip(p)).ln();
        Ok(Some(elementwise::reference(
            Mean::Rows,
            predictions,
            batch,
            term,
        )))
    }
}
