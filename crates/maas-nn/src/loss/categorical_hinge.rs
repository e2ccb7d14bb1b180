use super::batch::find;
use super::elementwise::{check_labels, check_length};
use super::{Loss, LossBatch, Targets};
use crate::Error;

/// The mean over rows of max(0, 1 + max ((1 − t)·p) − Σ t·p): Keras' `categorical_hinge`.
///
/// Targets are labels, or rows of numbers between 0 and 1, one of them 1. Of several largest outputs the first has the
/// gradient; at the corner it is 0.
///
/// ```
/// use maas_nn::{CategoricalHinge, Loss, LossBatch, Targets};
///
/// let p = [0.5, 2.0, -1.0];
/// let label = LossBatch::new(&p, Targets::Labels(&[0]), 1)?;
/// let one_hot = LossBatch::new(&p, Targets::Values(&[1.0, 0.0, 0.0]), 1)?;
/// assert_eq!(CategoricalHinge.evaluate(&label, None)?, 1.0 + 2.0 - 0.5);
/// assert_eq!(CategoricalHinge.evaluate(&one_hot, None)?, 2.5);
/// # Ok::<(), maas_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CategoricalHinge;

impl CategoricalHinge {
    fn check(self, batch: &LossBatch<'_>) -> Result<(), Error> {
        match batch.targets {
            Targets::Labels(labels) => check_labels(labels, batch.width),
            Targets::Values(values) => match find(values, |value| !(0.0..=1.0).contains(value)) {
                None => Ok(()),
                Some(index) => Err(Error::Target {
                    loss: self.name().to_owned(),
                    row: index / batch.width,
                    found: values[index],
                    expected: "1 for a row's class, 0 for the others",
                }),
            },
        }
    }
}

impl Loss for CategoricalHinge {
    fn name(&self) -> &str {
        "categorical_hinge"
    }

    fn evaluate(
        &self,
        batch: &LossBatch<'_>,
        mut gradient: Option<&mut [f32]>,
    ) -> Result<f32, Error> {
        check_length(batch, gradient.as_deref())?;
        self.check(batch)?;
        let (width, scale) = (batch.width, 1.0 / batch.rows as f32);
        let mut sum = 0.0;
        for (row, p) in batch.predictions.chunks_exact(width.max(1)).enumerate() {
            let weight = batch.weight(row);
            let out = gradient
                .as_deref_mut()
                .map(|gradient| &mut gradient[row * width..(row + 1) * width]);
            sum += weight * margin(p, Row::of(batch, row), scale * weight, out);
        }
        Ok(sum / batch.rows as f32)
    }

    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        self.check(batch)?;
        let mut sum = 0.0;
        for (row, p) in predictions.chunks_exact(batch.width.max(1)).enumerate() {
            let target = Row::of(batch, row);
            let (mut own, mut other) = (0.0, f64::NEG_INFINITY);
            for (class, &p) in p.iter().enumerate() {
                let t = f64::from(target.at(class));
                own += t * p;
                other = other.max((1.0 - t) * p);
            }
            sum += f64::from(batch.weight(row)) * (1.0 + other - own).max(0.0);
        }
        Ok(Some(sum / batch.rows as f64))
    }
}

/// A row's targets.
#[derive(Clone, Copy)]
enum Row<'a> {
    Label(usize),
    Values(&'a [f32]),
}

impl<'a> Row<'a> {
    fn of(batch: &LossBatch<'a>, row: usize) -> Self {
        match batch.targets {
            Targets::Labels(labels) => Self::Label(labels[row] as usize),
            Targets::Values(values) => {
                Self::Values(&values[row * batch.width..(row + 1) * batch.width])
            }
        }
    }

    fn at(self, class: usize) -> f32 {
        match self {
            Self::Label(label) => f32::from(u8::from(class == label)),
            Self::Values(values) => values[class],
        }
    }
}

/// A row's loss; its gradient, times `scale`, goes to `out`.
fn margin(p: &[f32], target: Row<'_>, scale: f32, out: Option<&mut [f32]>) -> f32 {
    let (mut own, mut other) = (0.0, (0, f32::NEG_INFINITY));
    for (class, &p) in p.iter().enumerate() {
        let t = target.at(class);
        own += t * p;
        let rest = (1.0 - t) * p;
        if rest > other.1 || (rest.is_nan() && !other.1.is_nan()) {
            other = (class, rest);
        }
    }
    let margin = 1.0 + other.1 - own;
    let satisfied = margin <= 0.0;
    if let Some(out) = out {
        if satisfied {
            out.fill(0.0);
        } else {
            for (class, out) in out.iter_mut().enumerate() {
                *out = -target.at(class) * scale;
            }
            out[other.0] += (1.0 - target.at(other.0)) * scale;
        }
    }
    if satisfied { 0.0 } else { margin }
}
