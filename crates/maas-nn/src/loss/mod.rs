//! What training makes small.

mod absolute;
mod binary;
mod categorical;
mod elementwise;
mod huber;
mod squared;

use std::fmt::Debug;

use maas_kernels::Compute;

pub use absolute::MeanAbsoluteError;
pub use binary::BinaryCrossEntropy;
pub use categorical::CategoricalCrossEntropy;
pub use huber::Huber;
pub use squared::MeanSquaredError;

use crate::Error;

/// A number that says how far predictions are from targets, and its derivative.
///
/// ```
/// use maas_nn::{Error, Loss, LossBatch};
///
/// /// Σ p − t, averaged over the elements.
/// #[derive(Debug)]
/// struct MeanDifference;
///
/// impl Loss for MeanDifference {
///     fn name(&self) -> &str {
///         "mean_difference"
///     }
///     fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error> {
///         let targets = batch.values(self.name())?;
///         let n = targets.len() as f32;
///         if let Some(gradient) = gradient {
///             gradient.fill(1.0 / n);
///         }
///         Ok(batch.predictions.iter().zip(targets).map(|(p, t)| p - t).sum::<f32>() / n)
///     }
/// }
/// ```
pub trait Loss: Send + Sync + Debug {
    /// The field's name, such as `mean_squared_error`.
    fn name(&self) -> &str;

    /// What makes this loss differ from others of its name, as data.
    fn config(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// The function between what the loss sees and what the network answers: a network that ends in it is trained
    /// on what comes before.
    fn link(&self) -> Link {
        Link::Identity
    }

    /// The loss, averaged over the batch; writes its gradient by the predictions where one is asked for. The mean of
    /// no rows is NaN.
    ///
    /// # Errors
    /// When the targets do not fit.
    fn evaluate(&self, batch: &LossBatch<'_>, gradient: Option<&mut [f32]>) -> Result<f32, Error>;

    /// The same in double precision, slow and obvious, for [`check_gradients`](crate::check_gradients); `None`, the
    /// default, where there is none.
    ///
    /// # Errors
    /// As for [`evaluate`](Loss::evaluate).
    fn reference(&self, predictions: &[f64], batch: &LossBatch<'_>) -> Result<Option<f64>, Error> {
        let _ = (predictions, batch);
        Ok(None)
    }
}

/// The function between what a loss sees and what a network answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Link {
    /// They are the same.
    #[default]
    Identity,
    /// The loss sees logits, the network answers with probabilities of classes.
    Softmax,
    /// The loss sees logits, the network answers with probabilities.
    Sigmoid,
}

/// What predictions are compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Targets<'a> {
    /// Numbers, rows × width.
    Values(&'a [f32]),
    /// A class a row.
    Labels(&'a [u32]),
}

/// Predictions and their targets.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LossBatch<'a> {
    /// Predictions, rows × width.
    pub predictions: &'a [f32],
    /// What they are compared with.
    pub targets: Targets<'a>,
    /// Rows.
    pub rows: usize,
    /// Numbers a row.
    pub width: usize,
    /// Kernels to use.
    pub compute: Compute,
}

impl<'a> LossBatch<'a> {
    /// Predictions of `rows` rows beside their targets.
    ///
    /// # Errors
    /// [`Error::Length`] when there are not equally many predictions a row, or not as many targets as the
    /// predictions need: a label a row, or a value a prediction.
    ///
    /// ```
    /// use maas_nn::{LossBatch, Targets};
    /// assert!(LossBatch::new(&[1.0, 2.0], Targets::Values(&[0.0, 1.0]), 2).is_ok());
    /// assert!(LossBatch::new(&[1.0, 2.0], Targets::Values(&[0.0]), 2).is_err());
    /// ```
    pub fn new(predictions: &'a [f32], targets: Targets<'a>, rows: usize) -> Result<Self, Error> {
        let width = predictions.len().checked_div(rows).unwrap_or(0);
        if width * rows != predictions.len() {
            return Err(Error::Length {
                expected: width * rows,
                found: predictions.len(),
            });
        }
        let (expected, found) = match targets {
            Targets::Values(values) => (predictions.len(), values.len()),
            Targets::Labels(labels) => (rows, labels.len()),
        };
        if expected != found {
            return Err(Error::Length { expected, found });
        }
        Ok(Self {
            predictions,
            targets,
            rows,
            width,
            compute: Compute::default(),
        })
    }

    /// Uses these kernels.
    ///
    /// ```
    /// use maas_nn::{Compute, LossBatch, Targets};
    /// let batch = LossBatch::new(&[1.0], Targets::Values(&[0.0]), 1)?.compute(Compute::default());
    /// assert_eq!(batch.width, 1);
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    #[must_use]
    pub fn compute(mut self, compute: Compute) -> Self {
        self.compute = compute;
        self
    }

    /// The targets, if they are numbers.
    ///
    /// # Errors
    /// [`Error::TargetKind`].
    ///
    /// ```
    /// use maas_nn::{LossBatch, Targets};
    /// let batch = LossBatch::new(&[1.0, 2.0], Targets::Labels(&[1]), 1)?;
    /// assert!(batch.values("mean_squared_error").is_err());
    /// # Ok::<(), maas_nn::Error>(())
    /// ```
    pub fn values(&self, loss: &str) -> Result<&'a [f32], Error> {
        match self.targets {
            Targets::Values(values) => Ok(values),
            Targets::Labels(_) => Err(Error::TargetKind {
                loss: loss.to_owned(),
                expected: "values, not labels",
            }),
        }
    }
}

/// Checks that every label names one of `classes` classes.
pub(crate) fn check_labels(labels: &[u32], classes: usize) -> Result<(), Error> {
    match labels.iter().position(|&label| label as usize >= classes) {
        None => Ok(()),
        Some(row) => Err(Error::Label {
            row,
            label: labels[row],
            classes,
        }),
    }
}
