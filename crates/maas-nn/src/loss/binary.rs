use super::elementwise::{BLOCK, check_length};
use super::{Link, Targets, check_labels};
use crate::{Error, Loss, LossBatch};

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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy;

impl Loss for BinaryCrossEntropy {
    fn name(&self) -> &str {
        "binary_cross_entropy"
    }

    fn link(&self) -> Link {
        Link::Sigmoid
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        if let Some(gradient) = gradient.as_deref() {
            check_length(batch, gradient)?;
        }
        self.check(batch)?;
        let (kernels, share) = (batch.compute.kernels, 1.0 / batch.predictions.len() as f32);
        let (mut losses, mut numbers) = ([0.0; BLOCK], [0.0; BLOCK]);
        let mut sum = 0.0;
        for (block, logits) in batch.predictions.chunks(BLOCK).enumerate() {
            let range = block * BLOCK..block * BLOCK + logits.len();
            let targets = match batch.targets {
                Targets::Values(values) => &values[range.clone()],
                Targets::Labels(labels) => {
                    let numbers = &mut numbers[..logits.len()];
                    for (number, &label) in numbers.iter_mut().zip(&labels[range.clone()]) {
                        *number = label as f32;
                    }
                    &*numbers
                }
            };
            let gradient = gradient.as_deref_mut().map(|gradient| &mut gradient[range]);
            let losses = &mut losses[..logits.len()];
            kernels.sigmoid_cross_entropy(logits, targets, losses, gradient);
            sum += kernels.sum(losses);
        }
        if let Some(gradient) = gradient {
            kernels.scale(share, gradient);
        }
        Ok(sum / batch.predictions.len() as f32)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.check(batch)?;
        let target = |i: usize| match batch.targets {
            Targets::Values(values) => f64::from(values[i]),
            Targets::Labels(labels) => f64::from(labels[i]),
        };
        let term = |(i, &z): (usize, &f64)| z.max(0.0) - z * target(i) + (-z.abs()).exp().ln_1p();
        let sum: f64 = predictions.iter().enumerate().map(term).sum();
        Ok(Some(sum / predictions.len() as f64))
    }
}

impl BinaryCrossEntropy {
    fn check(self, batch: &LossBatch<'_>) -> Result<(), Error> {
        match batch.targets {
            Targets::Values(values) => {
                let outside = |value: &f32| !(0.0..=1.0).contains(value);
                match values.iter().position(outside) {
                    None => Ok(()),
                    Some(index) => Err(Error::Probability {
                        row: index / batch.width.max(1),
                        found: values[index],
                    }),
                }
            }
            Targets::Labels(labels) if batch.width == 1 || batch.rows == 0 => {
                check_labels(labels, 2)
            }
            Targets::Labels(_) => Err(Error::TargetKind {
                loss: self.name().to_owned(),
                expected: "labels for one output only; give values for several",
            }),
        }
    }
}
