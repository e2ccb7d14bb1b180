//! What training makes small.

mod absolute;
mod batch;
mod binary;
mod categorical;
mod categorical_hinge;
mod elementwise;
mod hinge;
mod huber;
mod kullback_leibler;
mod log_cosh;
mod poisson;
mod smoothing;
mod squared;

use std::fmt::Debug;

pub use absolute::MeanAbsoluteError;
pub use batch::{LossBatch, Targets};
pub use binary::BinaryCrossEntropy;
pub use categorical::CategoricalCrossEntropy;
pub use categorical_hinge::CategoricalHinge;
pub use hinge::{Hinge, SquaredHinge};
pub use huber::Huber;
pub use kullback_leibler::KullbackLeibler;
pub use log_cosh::LogCosh;
pub use poisson::Poisson;
pub use smoothing::LabelSmoothing;
pub use squared::MeanSquaredError;

pub(crate) use elementwise::check_labels;

use crate::Error;

/// A number that says how far predictions are from targets, and its derivative.
///
/// ```
/// use maas_nn::{Error, Loss, LossBatch};
///
/// /// p − t, averaged over the elements.
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
///         let weight = |element| batch.weight(element / batch.width);
///         if let Some(gradient) = gradient {
///             for (i, g) in gradient.iter_mut().enumerate() {
///                 *g = weight(i) / n;
///             }
///         }
///         let pairs = batch.predictions.iter().zip(targets).enumerate();
///         Ok(pairs.map(|(i, (p, t))| weight(i) * (p - t)).sum::<f32>() / n)
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
    /// A row's part is multiplied by its [weight](LossBatch::weights), and the sum divided by the number of rows
    /// whatever they weigh.
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
