//! The laws of losses and metrics, for tests of one's own.

mod law;
mod metric;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use law::{LossBreach, LossLaw};
pub use metric::check_metric;

use crate::{Compute, Error, Kernels, Loss, LossBatch, Targets};

/// Runs a loss through every law that the rest of the library relies on; [`LossLaw`] lists them.
///
/// The batch is one that the loss takes, of at least two rows and without weights; differences are taken around its
/// predictions. They are of the loss's [`reference`](Loss::reference) where it has one, else of the loss itself in single
/// precision. Elements at kinks are left out.
///
/// # Errors
/// [`Error::LossLaw`] for the first law that is broken.
///
/// ```
/// use maas_nn::check::{LossLaw, check_loss};
/// use maas_nn::{Error, Loss, LossBatch, MeanSquaredError, Targets};
///
/// /// The mean of (p − t)⁴, whose gradient forgets a factor and whose rows know no weights.
/// #[derive(Debug)]
/// struct Quartic;
///
/// impl Loss for Quartic {
///     fn name(&self) -> &str {
///         "quartic"
///     }
///     fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
///         let targets = batch.values(self.name())?;
///         let count = targets.len() as f32;
///         let differences = batch.predictions.iter().zip(targets).map(|(p, t)| p - t);
///         if let Some(gradient) = gradient {
///             for (g, d) in gradient.iter_mut().zip(differences.clone()) {
///                 *g = d.powi(3) / count;
///             }
///         }
///         Ok(differences.map(|d| d.powi(4)).sum::<f32>() / count)
///     }
/// }
///
/// let batch = LossBatch::new(&[0.5, -1.0, 2.0, 0.25], Targets::Values(&[1.0, 0.0, 0.5, -1.0]), 2)?;
/// check_loss(&MeanSquaredError, &batch)?;
/// let error = check_loss(&Quartic, &batch).unwrap_err();
/// assert!(matches!(error, Error::LossLaw { law: LossLaw::Gradient, .. }));
/// # Ok::<(), Error>(())
/// ```
pub fn check_loss(loss: &dyn Loss, batch: &LossBatch<'_>) -> Result<(), Error> {
    let subject = Subject {
        loss,
        batch: LossBatch {
            weights: None,
            ..*batch
        },
    };
    let laws: [(LossLaw, Check); 10] = [
        (LossLaw::Gradient, gradient),
        (LossLaw::Alone, alone),
        (LossLaw::Mean, mean),
        (LossLaw::Ones, ones),
        (LossLaw::Weights, weights),
        (LossLaw::Order, order),
        (LossLaw::Kernels, kernels),
        (LossLaw::Length, length),
        (LossLaw::Targets, targets),
        (LossLaw::NoRows, no_rows),
    ];
    for (law, check) in laws {
        guarded(|| check(&subject)).map_err(|breach| Error::LossLaw {
            loss: loss.name().to_owned(),
            law,
            breach,
        })?;
    }
    Ok(())
}

type Check = fn(&Subject<'_>) -> Result<(), LossBreach>;

struct Subject<'a> {
    loss: &'a dyn Loss,
    batch: LossBatch<'a>,
}

impl Subject<'_> {
    fn run(&self, batch: &LossBatch<'_>) -> Result<(f32, Vec<f32>), LossBreach> {
        let mut gradient = vec![f32::NAN; batch.predictions.len()];
        let value = self.loss.evaluate(batch, Some(&mut gradient))?;
        Ok((value, gradient))
    }

    /// Every row's loss and gradient, as a batch of its own.
    fn rows(&self) -> Result<Vec<(f32, Vec<f32>)>, LossBreach> {
        let rows = 0..self.batch.rows;
        rows.map(|row| self.run(&self.select(&[row]).batch()?))
            .collect()
    }

    fn select(&self, rows: &[usize]) -> Rows {
        let (width, batch) = (self.batch.width, &self.batch);
        let gather = |from: &[f32]| {
            let rows = rows
                .iter()
                .flat_map(|row| &from[row * width..(row + 1) * width]);
            rows.copied().collect::<Vec<f32>>()
        };
        Rows {
            predictions: gather(batch.predictions),
            targets: match batch.targets {
                Targets::Values(values) => OwnTargets::Values(gather(values)),
                Targets::Labels(labels) => {
                    OwnTargets::Labels(rows.iter().map(|&row| labels[row]).collect())
                }
            },
            rows: rows.len(),
            compute: batch.compute,
        }
    }
}

/// Some of the rows.
struct Rows {
    predictions: Vec<f32>,
    targets: OwnTargets,
    rows: usize,
    compute: Compute,
}

enum OwnTargets {
    Values(Vec<f32>),
    Labels(Vec<u32>),
}

impl Rows {
    fn batch(&self) -> Result<LossBatch<'_>, LossBreach> {
        let targets = match &self.targets {
            OwnTargets::Values(values) => Targets::Values(values),
            OwnTargets::Labels(labels) => Targets::Labels(labels),
        };
        Ok(LossBatch::new(&self.predictions, targets, self.rows)?.compute(self.compute))
    }
}

/// What rounding may change, relative to the size of the numbers.
const ROUNDING: f64 = 1e-5;

fn gradient(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let (Subject { loss, batch }, (value, gradient)) = (subject, subject.run(&subject.batch)?);
    let mut predictions: Vec<f64> = batch.predictions.iter().map(|&p| f64::from(p)).collect();
    let double = loss.reference(&predictions, batch)?;
    if let Some(expected) = double {
        close(expected, f64::from(value), 1.0)?;
    }
    let (step, rounding) = match double {
        Some(_) => (1e-4, 1e-15),
        None => (1.0 / 128.0, 1.0 / 16_777_216.0),
    };
    let at = |predictions: &[f64]| match double {
        Some(_) => Ok::<f64, LossBreach>(loss.reference(predictions, batch)?.unwrap_or(f64::NAN)),
        None => {
            let predictions: Vec<f32> = predictions.iter().map(|&p| p as f32).collect();
            let moved = LossBatch {
                predictions: &predictions,
                ..*batch
            };
            Ok(f64::from(loss.evaluate(&moved, None)?))
        }
    };
    let largest = gradient.iter().fold(0.0_f32, |most, g| most.max(g.abs()));
    for (element, &found) in gradient.iter().enumerate() {
        let (found, middle) = (f64::from(found), predictions[element]);
        let step = step * middle.abs().max(1.0);
        let mut quotient = |step: f64| {
            predictions[element] = middle + step;
            let above = at(&predictions);
            predictions[element] = middle - step;
            let below = at(&predictions);
            predictions[element] = middle;
            Ok::<(f64, f64), LossBreach>((above?, below?))
        };
        let (wide, narrow) = (quotient(step)?, quotient(step / 4.0)?);
        let center = at(&predictions)?;
        let noise = 8.0 * rounding * center.abs().max(f64::from(value).abs()) / step;
        let slope = |(above, below): (f64, f64), step: f64| (above - below) / (2.0 * step);
        let gap = |(above, below): (f64, f64), step: f64| (above + below - 2.0 * center) / step;
        let expected = slope(narrow, step / 4.0);
        let size = expected
            .abs()
            .max(found.abs())
            .max(0.01 * f64::from(largest));
        let slack = 1e-3 * size + noise;
        // Curvature makes the sides differ in proportion to the step, a kink does not.
        let kink = (slope(wide, step) - expected).abs() > slack
            || gap(narrow, step / 4.0).abs() > 0.5 * gap(wide, step).abs() + slack;
        let agrees = (expected - found).abs() <= slack;
        if !kink && !agrees {
            return Err(LossBreach::Gradient {
                element,
                expected,
                found,
            });
        }
    }
    Ok(())
}

fn alone(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let (expected, _) = subject.run(&subject.batch)?;
    same(expected, subject.loss.evaluate(&subject.batch, None)?)
}

fn mean(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let ((found, gradient), rows) = (subject.run(&subject.batch)?, subject.rows()?);
    let count = rows.len() as f64;
    let values = rows.iter().map(|(value, _)| f64::from(*value));
    close(values.sum::<f64>() / count, found.into(), size(&rows))?;
    let expected = rows.iter().flat_map(|(_, gradient)| gradient);
    close_gradients(expected.map(|&g| f64::from(g) / count), &gradient)
}

fn ones(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let ones = vec![1.0; subject.batch.rows];
    let (expected, plain) = subject.run(&subject.batch)?;
    let (found, weighted) = subject.run(&subject.batch.weights(Some(&ones))?)?;
    same(expected, found)?;
    same_gradients(&plain, &weighted)
}

fn weights(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let weights: Vec<f32> = (0..subject.batch.rows)
        .map(|row| [0.5, 2.0, 0.0, 1.25][row % 4])
        .collect();
    let (found, weighted) = subject.run(&subject.batch.weights(Some(&weights))?)?;
    let (rows, count) = (subject.rows()?, subject.batch.rows as f64);
    let values = rows.iter().zip(&weights);
    let values = values.map(|((value, _), &weight)| f64::from(*value) * f64::from(weight));
    close(values.sum::<f64>() / count, found.into(), size(&rows))?;
    let expected = rows
        .iter()
        .zip(&weights)
        .flat_map(|((_, gradient), &weight)| {
            let scale = f64::from(weight) / count;
            gradient.iter().map(move |&g| f64::from(g) * scale)
        });
    close_gradients(expected, &weighted)
}

fn order(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let backwards: Vec<usize> = (0..subject.batch.rows).rev().collect();
    let (expected, plain) = subject.run(&subject.batch)?;
    let (found, turned) = subject.run(&subject.select(&backwards).batch()?)?;
    close(expected.into(), found.into(), size(&subject.rows()?))?;
    let plain = plain.chunks(subject.batch.width.max(1)).rev().flatten();
    close_gradients(plain.map(|&g| f64::from(g)), &turned)
}

fn kernels(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let run = |kernels| {
        let compute = Compute {
            kernels,
            ..subject.batch.compute
        };
        subject.run(&subject.batch.compute(compute))
    };
    let (expected, portable) = run(Kernels::portable())?;
    for kernels in Kernels::available() {
        let (found, gradient) = run(kernels)?;
        same(expected, found)?;
        same_gradients(&portable, &gradient)?;
    }
    Ok(())
}

fn length(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let mut short = vec![0.0; subject.batch.predictions.len().saturating_sub(1)];
    match subject.loss.evaluate(&subject.batch, Some(&mut short)) {
        Err(_) => Ok(()),
        Ok(_) => Err(LossBreach::NotRefused),
    }
}

fn targets(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let batch = &subject.batch;
    let (labels, values);
    let other = match batch.targets {
        Targets::Values(_) => {
            labels = vec![0; batch.rows];
            Targets::Labels(&labels)
        }
        Targets::Labels(_) => {
            values = vec![0.0; batch.predictions.len()];
            Targets::Values(&values)
        }
    };
    let other = LossBatch {
        targets: other,
        ..*batch
    };
    match subject.loss.evaluate(&other, None) {
        // Zeros may be of the right kind and yet no targets of this loss.
        Ok(_)
        | Err(
            Error::TargetKind { .. }
            | Error::Target { .. }
            | Error::Probability { .. }
            | Error::Probabilities { .. }
            | Error::Custom(_),
        ) => Ok(()),
        Err(_) => Err(LossBreach::NotRefused),
    }
}

fn no_rows(subject: &Subject<'_>) -> Result<(), LossBreach> {
    let (found, _) = subject.run(&subject.select(&[]).batch()?)?;
    same(f32::NAN, found)
}

fn size(rows: &[(f32, Vec<f32>)]) -> f64 {
    let most = rows.iter().map(|(value, _)| f64::from(value.abs()));
    most.fold(0.0, f64::max)
}

fn same(expected: f32, found: f32) -> Result<(), LossBreach> {
    if expected.to_bits() == found.to_bits() || (expected.is_nan() && found.is_nan()) {
        Ok(())
    } else {
        Err(LossBreach::Value {
            expected: expected.into(),
            found: found.into(),
        })
    }
}

fn close(expected: f64, found: f64, size: f64) -> Result<(), LossBreach> {
    if (expected - found).abs() <= ROUNDING * expected.abs().max(size) {
        Ok(())
    } else {
        Err(LossBreach::Value { expected, found })
    }
}

fn same_gradients(expected: &[f32], found: &[f32]) -> Result<(), LossBreach> {
    for (element, (&expected, &found)) in expected.iter().zip(found).enumerate() {
        same(expected, found).map_err(|_| LossBreach::Gradient {
            element,
            expected: expected.into(),
            found: found.into(),
        })?;
    }
    Ok(())
}

fn close_gradients(expected: impl Iterator<Item = f64>, found: &[f32]) -> Result<(), LossBreach> {
    for (element, (expected, &found)) in expected.zip(found).enumerate() {
        let found = f64::from(found);
        close(expected, found, 1e-3).map_err(|_| LossBreach::Gradient {
            element,
            expected,
            found,
        })?;
    }
    Ok(())
}

/// A panic as a breach.
fn guarded(check: impl FnOnce() -> Result<(), LossBreach>) -> Result<(), LossBreach> {
    catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned());
        Err(LossBreach::Panic {
            message: message.unwrap_or_default(),
        })
    })
}

impl From<Error> for LossBreach {
    fn from(error: Error) -> Self {
        Self::Failed {
            message: error.to_string(),
        }
    }
}
