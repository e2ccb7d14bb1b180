use maas_kernels::ClassTargets;

use super::elementwise::{BLOCK, check_labels, check_length};
use super::{LabelSmoothing, Link, Loss, LossBatch, Targets};
use crate::Error;

/// The mean over rows of −Σ tₖ·ln softmax(z)ₖ, from logits z: Keras' `CategoricalCrossentropy(from_logits=True)`,
/// and the sparse one where targets are labels. Targets that are values are probabilities: rows of them sum to 1.
///
/// A network that ends in a softmax is trained on the logits before it and answers with probabilities.
///
/// ```
/// use maas_nn::{CategoricalCrossEntropy, Loss, LossBatch, Targets};
///
/// let batch = LossBatch::new(&[0.0, 0.0, 0.0, 0.0], Targets::Labels(&[0, 1]), 2)?;
/// let loss = CategoricalCrossEntropy.evaluate(&batch, None)?;
/// assert!((loss - std::f32::consts::LN_2).abs() < 1e-6);
///
/// let batch = LossBatch::new(&[0.0, 0.0], Targets::Labels(&[2]), 1)?;
/// let error = CategoricalCrossEntropy.evaluate(&batch, None).unwrap_err();
/// assert_eq!(error.to_string(), "row 0 has label 2, but there are 2 classes");
/// # Ok::<(), maas_nn::Error>(())
/// ```
///
/// With [`label_smoothing`](CategoricalCrossEntropy::label_smoothing) s, targets become (1 − s)·t + s/classes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CategoricalCrossEntropy;

impl CategoricalCrossEntropy {
    /// Draws targets towards equal probabilities: t becomes (1 − `smoothing`)·t + `smoothing`/classes (Szegedy et al.,
    /// 2016; Keras' and PyTorch's `label_smoothing`). It is to lie between 0 and 1; checked on use.
    ///
    /// ```
    /// use maas_nn::{CategoricalCrossEntropy, Loss, LossBatch, Targets};
    ///
    /// let smoothed = CategoricalCrossEntropy.label_smoothing(0.2);
    /// let hard = LossBatch::new(&[1.5, -0.5], Targets::Labels(&[0]), 1)?;
    /// let soft = LossBatch::new(&[1.5, -0.5], Targets::Values(&[0.9, 0.1]), 1)?;
    /// let (a, b) = (smoothed.evaluate(&hard, None)?, CategoricalCrossEntropy.evaluate(&soft, None)?);
    /// assert!((a - b).abs() < 1e-6);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn label_smoothing(self, smoothing: f32) -> LabelSmoothing<Self> {
        LabelSmoothing::new(self, smoothing)
    }
}

impl Loss for CategoricalCrossEntropy {
    fn name(&self) -> &str {
        "categorical_cross_entropy"
    }

    fn link(&self) -> Link {
        Link::Softmax
    }

    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
        self.label_smoothing(0.0).evaluate(batch, gradient)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.label_smoothing(0.0).reference(predictions, batch)
    }
}

impl Loss for LabelSmoothing<CategoricalCrossEntropy> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn config(&self) -> serde_json::Value {
        self.as_json()
    }

    fn link(&self) -> Link {
        self.loss.link()
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        let smoothing = self.checked()?;
        check_length(batch, gradient.as_deref())?;
        check(batch)?;
        let (kernels, width) = (batch.compute.kernels, batch.width);
        let scale = 1.0 / batch.rows as f32;
        let mut losses = [0.0; BLOCK];
        let mut sum = 0.0;
        for first in (0..batch.rows).step_by(BLOCK) {
            let block = first..batch.rows.min(first + BLOCK);
            let losses = &mut losses[..block.len()];
            // So many rows that what one pass leaves lies in a near cache for the next.
            let near = (NEAR / width.max(1)).max(1);
            for start in block.clone().step_by(near) {
                let rows = start..block.end.min(start + near);
                let elements = rows.start * width..rows.end * width;
                let targets = match batch.targets {
                    Targets::Labels(labels) => ClassTargets::Labels(&labels[rows.clone()]),
                    Targets::Values(values) => {
                        ClassTargets::Probabilities(&values[elements.clone()])
                    }
                };
                let mut gradient = gradient
                    .as_deref_mut()
                    .map(|gradient| &mut gradient[elements.clone()]);
                kernels.softmax_cross_entropy(
                    &batch.predictions[elements],
                    width,
                    targets,
                    smoothing,
                    &mut losses[rows.start - first..rows.end - first],
                    gradient.as_deref_mut(),
                );
                match (gradient, batch.weights) {
                    (None, _) => {}
                    (Some(gradient), None) => kernels.scale(scale, gradient),
                    (Some(gradient), Some(weights)) => {
                        kernels.scale_rows(scale, &weights[rows], gradient);
                    }
                }
            }
            if let Some(weights) = batch.weights {
                kernels.multiply(&weights[block], losses);
            }
            sum += kernels.sum(losses);
        }
        Ok(sum / batch.rows as f32)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let (smoothing, width) = (f64::from(self.checked()?), batch.width);
        check(batch)?;
        let mut sum = 0.0;
        for (row, logits) in predictions.chunks_exact(width.max(1)).enumerate() {
            let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let exponentials = logits.iter().map(|z| (z - greatest).exp());
            let log_sum = greatest + exponentials.sum::<f64>().ln();
            let target = |class: usize| match batch.targets {
                Targets::Labels(labels) => f64::from(u8::from(labels[row] as usize == class)),
                Targets::Values(values) => f64::from(values[row * width + class]),
            };
            let smoothed = |class| (1.0 - smoothing) * target(class) + smoothing / width as f64;
            let terms = logits.iter().enumerate();
            let terms = terms.map(|(class, z)| smoothed(class) * (log_sum - z));
            sum += f64::from(batch.weight(row)) * terms.sum::<f64>();
        }
        Ok(Some(sum / batch.rows as f64))
    }
}

/// Elements of a pass over several rows.
const NEAR: usize = 4096;

/// Labels must name classes; probabilities must be some, or the gradient softmax(z) − t would not be the loss's.
fn check(batch: &LossBatch<'_>) -> Result<(), Error> {
    match batch.targets {
        Targets::Labels(labels) => check_labels(labels, batch.width),
        Targets::Values(values) => {
            for (row, targets) in values.chunks_exact(batch.width.max(1)).enumerate() {
                let sum: f32 = targets.iter().sum();
                let least = targets.iter().copied().fold(0.0, f32::min);
                if !((sum - 1.0).abs() <= 1e-3 && least == 0.0) {
                    return Err(Error::Probabilities { row, sum, least });
                }
            }
            Ok(())
        }
    }
}
