//! Figures that people judge a network by.

use std::fmt::Debug;

use maas_nn::Targets;

use crate::Goal;

/// A figure over all rows of a data set, gathered batch by batch. A trait for users to implement.
///
/// What is gathered lies in `f64` accumulators that the trainer keeps, so that measuring allocates nothing and one
/// metric can serve several runs at once. They start at 0.
///
/// ```
/// use maas_nn::Targets;
/// use maas_train::{Metric, MetricBatch};
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

/// Predictions and targets of some rows, in raw units.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MetricBatch<'a> {
    /// The network's full output, rows × width: values in the target's units, or probabilities.
    pub predictions: &'a [f32],
    /// One row of `width` values, or one label, for each row.
    pub targets: Targets<'a>,
    /// Elements in a row of the predictions.
    pub width: usize,
}

impl<'a> MetricBatch<'a> {
    /// A batch of predictions, rows × width, beside their targets.
    #[must_use]
    pub fn new(predictions: &'a [f32], targets: Targets<'a>, width: usize) -> Self {
        Self {
            predictions,
            targets,
            width,
        }
    }

    /// (prediction, target), element by element; nothing for labels.
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        let targets = match self.targets {
            Targets::Values(values) => values,
            _ => &[],
        };
        self.predictions
            .iter()
            .zip(targets)
            .map(|(&prediction, &target)| (prediction.into(), target.into()))
    }
}

/// √ mean (ŷ − y)², over all elements.
///
/// ```
/// use maas_nn::Targets;
/// use maas_train::{Metric, MetricBatch, RootMeanSquaredError};
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[4.0, -2.0]), 1);
/// assert_eq!(RootMeanSquaredError.measure(&batch), 12.5_f64.sqrt());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RootMeanSquaredError;

impl Metric for RootMeanSquaredError {
    fn name(&self) -> &str {
        "root_mean_squared_error"
    }

    fn goal(&self) -> Goal {
        Goal::Minimize
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_))
    }

    fn accumulators(&self, _width: usize) -> usize {
        2
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        accumulators[0] += batch.predictions.len() as f64;
        accumulators[1] += batch
            .pairs()
            .map(|(prediction, target)| (prediction - target).powi(2))
            .sum::<f64>();
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        (accumulators[1] / accumulators[0]).sqrt()
    }
}

/// mean |ŷ − y|, over all elements.
///
/// ```
/// use maas_nn::Targets;
/// use maas_train::{AbsoluteError, Metric, MetricBatch};
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[4.0, 1.0]), 1);
/// assert_eq!(AbsoluteError.measure(&batch), 2.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsoluteError;

impl Metric for AbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn goal(&self) -> Goal {
        Goal::Minimize
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_))
    }

    fn accumulators(&self, _width: usize) -> usize {
        2
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        accumulators[0] += batch.predictions.len() as f64;
        accumulators[1] += batch
            .pairs()
            .map(|(prediction, target)| (prediction - target).abs())
            .sum::<f64>();
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[1] / accumulators[0]
    }
}

/// The coefficient of determination R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)², the plain mean over columns.
///
/// A column whose targets are all equal counts as 1 where every prediction is exact and as 0 where not.
///
/// ```
/// use maas_nn::Targets;
/// use maas_train::{Metric, MetricBatch, R2};
///
/// let batch = MetricBatch::new(&[1.0, 2.0, 4.0], Targets::Values(&[1.0, 2.0, 3.0]), 1);
/// assert_eq!(R2.measure(&batch), 0.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct R2;

/// A column's count, mean of targets, Σ (y − ȳ)² and Σ (ŷ − y)²; the middle two by Welford's update.
const R2_COLUMN: usize = 4;

impl Metric for R2 {
    fn name(&self) -> &str {
        "r2"
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_))
    }

    fn accumulators(&self, width: usize) -> usize {
        R2_COLUMN * width
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        for (index, (prediction, target)) in batch.pairs().enumerate() {
            let column = &mut accumulators[index % batch.width * R2_COLUMN..][..R2_COLUMN];
            column[0] += 1.0;
            let distance = target - column[1];
            column[1] += distance / column[0];
            column[2] += distance * (target - column[1]);
            column[3] += (prediction - target).powi(2);
        }
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        let columns = accumulators.chunks_exact(R2_COLUMN);
        let count = columns.len() as f64;
        let score = |column: &[f64]| match (column[2], column[3]) {
            (0.0, 0.0) => 1.0,
            (0.0, _) => 0.0,
            (variation, error) => 1.0 - error / variation,
        };
        columns.map(score).sum::<f64>() / count
    }
}

/// The share of rows whose class is predicted.
///
/// With labels, or with a row of probabilities for each target, the largest element of a row is its class, the first
/// of several. With a single output the target is 0 or 1 and a prediction above ½ means 1.
///
/// ```
/// use maas_nn::Targets;
/// use maas_train::{Accuracy, Metric, MetricBatch};
///
/// let predictions = [0.1, 0.7, 0.2, 0.6, 0.3, 0.1];
/// assert_eq!(Accuracy.measure(&MetricBatch::new(&predictions, Targets::Labels(&[1, 2]), 3)), 0.5);
/// assert_eq!(Accuracy.measure(&MetricBatch::new(&[0.9, 0.2], Targets::Values(&[1.0, 0.0]), 1)), 1.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy;

impl Metric for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_) | Targets::Labels(_))
    }

    fn accumulators(&self, _width: usize) -> usize {
        2
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        let rows = batch.predictions.chunks_exact(batch.width.max(1));
        accumulators[0] += rows.len() as f64;
        accumulators[1] += match batch.targets {
            Targets::Labels(labels) if batch.width == 1 => rows
                .zip(labels)
                .filter(|(row, label)| u32::from(row[0] > 0.5) == **label)
                .count(),
            Targets::Labels(labels) => rows
                .zip(labels)
                .filter(|(row, label)| largest(row) == **label as usize)
                .count(),
            Targets::Values(values) if batch.width == 1 => rows
                .zip(values)
                .filter(|(row, value)| (row[0] > 0.5) == (**value > 0.5))
                .count(),
            Targets::Values(values) => rows
                .zip(values.chunks_exact(batch.width.max(1)))
                .filter(|(row, values)| largest(row) == largest(values))
                .count(),
            _ => 0,
        } as f64;
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[1] / accumulators[0]
    }
}

fn largest(row: &[f32]) -> usize {
    let larger = |best: usize, index: usize| if row[index] > row[best] { index } else { best };
    (1..row.len()).fold(0, larger)
}
