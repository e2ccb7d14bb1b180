//! Losses that are means over elements of a function of prediction and target.

use maas_kernels::Kernels;

use crate::{Error, LossBatch};

/// Elements a block: those of the kernels' sums, so that blocks change no bit.
pub(crate) const BLOCK: usize = 4096;

/// The mean of `term(difference)`, and where asked for the gradient `slope(difference) / elements`.
pub(crate) fn mean(
    name: &str,
    batch: &LossBatch<'_>,
    gradient: Option<&mut [f32]>,
    term: impl Fn(f32) -> f32,
    slope: impl Fn(f32) -> f32,
) -> Result<f32, Error> {
    let targets = batch.values(name)?;
    if let Some(gradient) = gradient {
        check_length(batch, gradient)?;
        let share = 1.0 / targets.len() as f32;
        for ((g, p), t) in gradient.iter_mut().zip(batch.predictions).zip(targets) {
            *g = slope(p - t) * share;
        }
    }
    let sum = sum_of_terms(batch.compute.kernels, batch.predictions, targets, term);
    Ok(sum / targets.len() as f32)
}

/// The same in double precision.
pub(crate) fn reference(
    name: &str,
    predictions: &[f64],
    batch: &LossBatch<'_>,
    term: impl Fn(f64) -> f64,
) -> Result<Option<f64>, Error> {
    let targets = batch.values(name)?;
    let sum: f64 = predictions
        .iter()
        .zip(targets)
        .map(|(p, &t)| term(p - f64::from(t)))
        .sum();
    Ok(Some(sum / targets.len() as f64))
}

pub(crate) fn check_length(batch: &LossBatch<'_>, gradient: &[f32]) -> Result<(), Error> {
    if gradient.len() == batch.predictions.len() {
        Ok(())
    } else {
        Err(Error::Length {
            expected: batch.predictions.len(),
            found: gradient.len(),
        })
    }
}

fn sum_of_terms(
    kernels: Kernels,
    predictions: &[f32],
    targets: &[f32],
    term: impl Fn(f32) -> f32,
) -> f32 {
    let mut terms = [0.0; BLOCK];
    let blocks = predictions.chunks(BLOCK).zip(targets.chunks(BLOCK));
    blocks.fold(0.0, |sum, (predictions, targets)| {
        let terms = &mut terms[..predictions.len()];
        for ((t, p), target) in terms.iter_mut().zip(predictions).zip(targets) {
            *t = term(p - target);
        }
        sum + kernels.sum(terms)
    })
}
