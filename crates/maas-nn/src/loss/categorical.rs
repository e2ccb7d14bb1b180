use maas_kernels::ClassTargets;

use super::elementwise::{BLOCK, check_length};
use super::{Link, Targets, check_labels};
use crate::{Error, Loss, LossBatch};

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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CategoricalCrossEntropy;

impl Loss for CategoricalCrossEntropy {
    fn name(&self) -> &str {
        "categorical_cross_entropy"
    }

    fn link(&self) -> Link {
        Link::Softmax
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        if let Some(gradient) = gradient.as_deref() {
            check_length(batch, gradient)?;
        }
        check(batch)?;
        let (kernels, width) = (batch.compute.kernels, batch.width);
        let mut losses = [0.0; BLOCK];
        let mut sum = 0.0;
        for first in (0..batch.rows).step_by(BLOCK) {
            let rows = first..batch.rows.min(first + BLOCK);
            let elements = rows.start * width..rows.end * width;
            let targets = match batch.targets {
                Targets::Labels(labels) => ClassTargets::Labels(&labels[rows.clone()]),
                Targets::Values(values) => ClassTargets::Probabilities(&values[elements.clone()]),
            };
            let gradient = gradient
                .as_deref_mut()
                .map(|gradient| &mut gradient[elements.clone()]);
            let losses = &mut losses[..rows.len()];
            kernels.softmax_cross_entropy(
                &batch.predictions[elements],
                width,
                targets,
                losses,
                gradient,
            );
            sum += kernels.sum(losses);
        }
        if let Some(gradient) = gradient {
            kernels.scale(1.0 / batch.rows as f32, gradient);
        }
        Ok(sum / batch.rows as f32)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let width = batch.width;
        check(batch)?;
        let mut sum = 0.0;
        for (row, logits) in predictions.chunks_exact(width.max(1)).enumerate() {
            let greatest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = greatest
                + logits
                    .iter()
                    .map(|z| (z - greatest).exp())
                    .sum::<f64>()
                    .ln();
            sum += match batch.targets {
                Targets::Labels(labels) => log_sum - logits[labels[row] as usize],
                Targets::Values(values) => {
                    let targets = &values[row * width..(row + 1) * width];
                    logits
                        .iter()
                        .zip(targets)
                        .map(|(z, &t)| f64::from(t) * (log_sum - z))
                        .sum()
                }
            };
        }
        Ok(Some(sum / batch.rows as f64))
    }
}

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
