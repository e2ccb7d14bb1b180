use super::{Goal, Metric, MetricBatch};
use crate::Targets;

/// mean (ŷ − y)², over all elements.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch, SquaredError};
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[4.0, -2.0]), 1);
/// assert_eq!(SquaredError.measure(&batch), 12.5);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SquaredError;

/// √ mean (ŷ − y)², over all elements.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch, RootMeanSquaredError};
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[4.0, -2.0]), 1);
/// assert_eq!(RootMeanSquaredError.measure(&batch), 12.5_f64.sqrt());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RootMeanSquaredError;

/// mean |ŷ − y|, over all elements.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{AbsoluteError, Metric, MetricBatch};
///
/// let batch = MetricBatch::new(&[1.0, 2.0], Targets::Values(&[4.0, 1.0]), 1);
/// assert_eq!(AbsoluteError.measure(&batch), 2.0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AbsoluteError;

macro_rules! mean_error {
    ($metric:ident, $name:literal, $error:expr, $value:expr) => {
        impl Metric for $metric {
            fn name(&self) -> &str {
                $name
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
                accumulators[1] += sum(batch, $error);
            }

            fn value(&self, accumulators: &[f64]) -> f64 {
                let value: fn(f64) -> f64 = $value;
                value(accumulators[1] / accumulators[0])
            }
        }
    };
}

mean_error!(SquaredError, "mean_squared_error", |d| d * d, |mean| mean);
mean_error!(
    RootMeanSquaredError,
    "root_mean_squared_error",
    |d| d * d,
    f64::sqrt
);
mean_error!(AbsoluteError, "mean_absolute_error", f64::abs, |mean| mean);

fn sum(batch: &MetricBatch<'_>, error: impl Fn(f64) -> f64) -> f64 {
    let errors = batch
        .pairs()
        .map(|(prediction, target)| error(prediction - target));
    errors.sum()
}
