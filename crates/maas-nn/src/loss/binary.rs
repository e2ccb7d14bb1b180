use maas_kernels::ElementLoss;

use super::elementwise::{self, Mean, check_length, check_probabilities, check_two_classes};
use super::{LabelSmoothing, Link, Loss, LossBatch, Targets};
use crate::Error;

/// The mean of −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) over all elements, from logits z: Keras'
/// `BinaryCrossentropy(from_logits=True)`, computed as max(z, 0) − z·t + ln(1 + exp(−|z|)).
///
/// Targets are probabilities, each between 0 and 1, or labels 0 and 1 where the network has one output. A network that
/// ends in a sigmoid is trained on the logits before it and answers with probabilities.
///
/// ```
/// use maas_nn::{BinaryCrossEntropy, Loss, LossBatch, Targets};
///
/// let batch = LossBatch::new(&[0.0, 0.0], Targets::Labels(&[0, 1]), 2)?;
/// let loss = BinaryCrossEntropy.evaluate(&batch, None)?;
/// assert!((loss - std::f32::consts::LN_2).abs() < 1e-6);
/// # Ok::<(), maas_nn::Error>(())
/// ```
///
/// With [`label_smoothing`](BinaryCrossEntropy::label_smoothing) s, targets become (1 − s)·t + s/2.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy;

impl BinaryCrossEntropy {
    /// Draws targets towards ½: t becomes (1 − `smoothing`)·t + `smoothing`/2 (Szegedy et al., 2016; Keras'
    /// `label_smoothing`). It is to lie between 0 and 1; checked on use.
    ///
    /// ```
    /// use maas_nn::{BinaryCrossEntropy, Loss, LossBatch, Targets};
    ///
    /// let smoothed = BinaryCrossEntropy.label_smoothing(0.2);
    /// let hard = LossBatch::new(&[1.5], Targets::Labels(&[1]), 1)?;
    /// let soft = LossBatch::new(&[1.5], Targets::Values(&[0.9]), 1)?;
    /// let (a, b) = (smoothed.evaluate(&hard, None)?, BinaryCrossEntropy.evaluate(&soft, None)?);
    /// assert!((a - b).abs() < 1e-6);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn label_smoothing(self, smoothing: f32) -> LabelSmoothing<Self> {
        LabelSmoothing::new(self, smoothing)
    }

    fn check(self, batch: &LossBatch<'_>) -> Result<(), Error> {
        match batch.targets {
            Targets::Values(values) => check_probabilities(values, batch.width),
            Targets::Labels(labels) => check_two_classes(self.name(), labels, batch),
        }
    }
}

impl Loss for BinaryCrossEntropy {
    fn name(&self) -> &str {
        "binary_cross_entropy"
    }

    fn link(&self) -> Link {
        Link::Sigmoid
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        self.label_smoothing(0.0).evaluate(batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.label_smoothing(0.0).reference(predictions, batch)
    }
}

impl Loss for LabelSmoothing<BinaryCrossEntropy> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn config(&self) -> serde_json::Value {
        self.as_json()
    }

    fn link(&self) -> Link {
        self.loss.link()
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        let smoothing = self.checked()?;
        check_length(batch, gradient.as_deref())?;
        self.loss.check(batch)?;
        let loss = ElementLoss::SigmoidCrossEntropy { smoothing };
        elementwise::evaluate(loss, Mean::Elements, batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let smoothing = f64::from(self.checked()?);
        self.loss.check(batch)?;
        let term = |z: f64, t: f64| {
            let t = (1.0 - smoothing) * t + 0.5 * smoothing;
            z.max(0.0) - z * t + (-z.abs()).exp().ln_1p()
        };
        Ok(Some(elementwise::reference(
            Mean::Elements,
            predictions,
            batch,
            term,
        )))
    }
}
