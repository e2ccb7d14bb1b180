//! Losses that are sums over elements of a function of prediction and target.

use maas_kernels::{ElementLoss, LossGradient};

use super::batch::find;
use crate::{Error, LossBatch, Targets};

/// Elements a block: those of the kernels' sums, so that blocks change no bit.
pub(crate) const BLOCK: usize = 4096;

/// Keras' `epsilon()`, which keeps logarithms finite.
pub(crate) const EPSILON: f32 = 1e-7;

/// What a sum over elements is divided by.
#[derive(Clone, Copy)]
pub(crate) enum Mean {
    Elements,
    Rows,
}

impl Mean {
    fn count(self, batch: &LossBatch<'_>) -> usize {
        match self {
            Self::Elements => batch.predictions.len(),
            Self::Rows => batch.rows,
        }
    }
}

/// The weighted mean of `loss`, and where asked for its gradient. Labels are targets of 0 and 1.
pub(crate) fn evaluate(
    loss: ElementLoss,
    mean: Mean,
    batch: &LossBatch<'_>,
    gradient: Option<&mut [f32]>,
) -> Result<f32, Error> {
    check_length(batch, gradient.as_deref())?;
    let count = mean.count(batch) as f32;
    let scale = 1.0 / count;
    let gradient = gradient.map(|out| LossGradient { out, scale });
    let (kernels, predictions) = (batch.compute.kernels, batch.predictions);
    let sum = match batch.targets {
        Targets::Values(values) => {
            kernels.element_loss(loss, predictions, values, batch.weights, gradient)
        }
        Targets::Labels(labels) => {
            let mut gradient = gradient;
            let mut numbers = [0.0; BLOCK];
            let blocks = predictions.chunks(BLOCK).zip(labels.chunks(BLOCK));
            blocks.enumerate().fold(0.0, |sum, (block, (p, labels))| {
                let range = block * BLOCK..block * BLOCK + p.len();
                let numbers = &mut numbers[..p.len()];
                for (number, &label) in numbers.iter_mut().zip(labels) {
                    *number = label as f32;
                }
                let weights = batch.weights.map(|weights| &weights[range.clone()]);
                let gradient = gradient.as_mut().map(|gradient| LossGradient {
                    out: &mut gradient.out[range],
                    scale,
                });
                sum + kernels.element_loss(loss, p, numbers, weights, gradient)
            })
        }
    };
    Ok(sum / count)
}

/// The same in double precision.
pub(crate) fn reference(
    mean: Mean,
    predictions: &[f64],
    batch: &LossBatch<'_>,
    term: impl Fn(f64, f64) -> f64,
) -> f64 {
    let terms = predictions.iter().enumerate().map(|(i, &p)| {
        let target = match batch.targets {
            Targets::Values(values) => f64::from(values[i]),
            Targets::Labels(labels) => f64::from(labels[i]),
        };
        f64::from(batch.weight(i / batch.width)) * term(p, target)
    });
    terms.sum::<f64>() / mean.count(batch) as f64
}

/// The same of the difference between prediction and target, which must be a value.
pub(crate) fn reference_of_difference(
    name: &str,
    predictions: &[f64],
    batch: &LossBatch<'_>,
    term: impl Fn(f64) -> f64,
) -> Result<Option<f64>, Error> {
    batch.values(name)?;
    let term = |p, t| term(p - t);
    Ok(Some(reference(Mean::Elements, predictions, batch, term)))
}

/// Checks that there is an element of gradient a prediction.
pub(crate) fn check_length(batch: &LossBatch<'_>, gradient: Option<&[f32]>) -> Result<(), Error> {
    match gradient {
        Some(gradient) if gradient.len() != batch.predictions.len() => Err(Error::Length {
            expected: batch.predictions.len(),
            found: gradient.len(),
        }),
        _ => Ok(()),
    }
}

/// Checks that targets are probabilities, each for itself.
pub(crate) fn check_probabilities(values: &[f32], width: usize) -> Result<(), Error> {
    match find(values, |value| !(0.0..=1.0).contains(value)) {
        None => Ok(()),
        Some(index) => Err(Error::Probability {
            row: index / width.max(1),
            found: values[index],
        }),
    }
}

/// Checks that labels tell two classes apart, by one output.
pub(crate) fn check_two_classes(
    loss: &str,
    labels: &[u32],
    batch: &LossBatch<'_>,
) -> Result<(), Error> {
    if batch.width == 1 || batch.rows == 0 {
        check_labels(labels, 2)
    } else {
        Err(Error::TargetKind {
            loss: loss.to_owned(),
            expected: "labels for one output only; give values for several",
        })
    }
}

/// Checks that every label names one of `classes` classes.
pub(crate) fn check_labels(labels: &[u32], classes: usize) -> Result<(), Error> {
    match find(labels, |&label| label as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::Label {
            row,
            label: labels[row],
            classes,
        }),
    }
}
