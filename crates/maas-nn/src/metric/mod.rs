//! Figures that people judge a network by. Weights of rows do not enter: every row counts once.
//!
//! | | |
//! | --- | --- |
//! | errors of numbers | [`SquaredError`], [`RootMeanSquaredError`], [`AbsoluteError`], [`R2`] |
//! | classes, each row one | [`Accuracy`], [`TopK`], [`Precision`], [`Recall`], [`F1`] |
//! | yes or no by a threshold | [`BinaryAccuracy`], [`Precision`], [`Recall`], [`F1`] |
//! | how well scores rank | [`RocAuc`], [`AveragePrecision`], and exactly on slices [`roc_auc`], [`average_precision`] |
//! | all of a classification | [`ConfusionMatrix`] with its [`ClassificationReport`] |

mod accuracy;
mod batch;
mod classes;
mod confusion;
mod errors;
mod figures;
mod goal;
mod r2;
mod ranking;
mod scores;
mod top_k;

use std::fmt::Debug;

pub use accuracy::{Accuracy, BinaryAccuracy};
pub use batch::MetricBatch;
pub use confusion::{ClassFigures, ClassificationReport, ConfusionMatrix};
pub use errors::{AbsoluteError, RootMeanSquaredError, SquaredError};
pub use figures::{ClassAverage, F1, Precision, Recall};
pub use goal::Goal;
pub use r2::R2;
pub use ranking::{average_precision, roc_auc};
pub use scores::{AveragePrecision, RocAuc};
pub use top_k::TopK;

use crate::Targets;

/// A figure over all rows of a data set, gathered batch by batch. A trait for users to implement.
///
/// What is gathered lies in `f64` accumulators that the trainer keeps, so that measuring allocates nothing and one
/// metric can serve several runs at once. They start at 0.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch};
///
/// /// The largest absolute error.
/// #[derive(Debug)]
/// struct MaximumError;
///
/// impl Metric for MaximumError {
///     fn name(&self) -> &str { "maximum_error" }
///     fn accepts(&self, targets: Targets<'_>) -> bool { matches!(targets, Targets::Values(_)) }
///     fn accumulators(&self, _width: usize) -> usize { 1 }
///     fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
///         let Targets::Values(targets) = batch.targets else { return };
///         for (prediction, target) in batch.predictions.iter().zip(targets) {
///             accumulators[0] = accumulators[0].max(f64::from((prediction - target).abs()));
///         }
///     }
///     fn value(&self, accumulators: &[f64]) -> f64 { accumulators[0] }
/// }
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[1.5, 4.0]), 1);
/// assert_eq!(MaximumError.measure(&batch), 2.0);
/// ```
pub trait Metric: Send + Sync + Debug {
    /// Its name in records and tables: `snake_case`.
    fn name(&self) -> &str;

    /// Whether it can be computed from targets of this kind.
    fn accepts(&self, targets: Targets<'_>) -> bool;

    /// How many accumulators it needs for predictions of `width` elements a row.
    fn accumulators(&self, width: usize) -> usize;

    /// Take a batch in.
    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]);

    /// The figure over everything taken in.
    fn value(&self, accumulators: &[f64]) -> f64;

    /// Which way it is better: what early stopping and searches go by.
    fn goal(&self) -> Goal {
        Goal::Maximize
    }

    /// The figure of one batch.
    fn measure(&self, batch: &MetricBatch<'_>) -> f64 {
        let mut accumulators = vec![0.0; self.accumulators(batch.width)];
        self.update(batch, &mut accumulators);
        self.value(&accumulators)
    }
}
