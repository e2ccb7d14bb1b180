use super::{Metric, MetricBatch, classes};
use crate::Targets;

/// The share of rows whose class is predicted.
///
/// With labels, or with a row of probabilities for each target, the largest element of a row is its class, the first
/// of several. With a single output the target is 0 or 1 and a prediction above ½ means 1; [`BinaryAccuracy`] has other
/// thresholds.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Accuracy, Metric, MetricBatch};
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
        let (mut rows, mut right) = (0_u64, 0_u64);
        classes::each(batch, 0.5, |actual, predicted| {
            rows += 1;
            right += u64::from(actual == predicted);
        });
        accumulators[0] += rows as f64;
        accumulators[1] += right as f64;
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[1] / accumulators[0]
    }
}

/// The share of elements on the right side of a threshold, where each output is a question of its own: Keras'
/// `BinaryAccuracy`. A target above ½ means yes.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{BinaryAccuracy, Metric, MetricBatch};
///
/// let batch = MetricBatch::new(&[0.6, 0.8, 0.1, 0.7], Targets::Values(&[0.0, 1.0, 0.0, 1.0]), 2);
/// assert_eq!(BinaryAccuracy::default().measure(&batch), 0.75);
/// assert_eq!(BinaryAccuracy::threshold(0.65).measure(&batch), 1.0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinaryAccuracy {
    threshold: f32,
}

impl BinaryAccuracy {
    /// A prediction above `threshold` means yes. The default is ½; networks trained with a
    /// [`Hinge`](crate::Hinge) answer around 0.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn threshold(threshold: f32) -> Self {
        Self { threshold }
    }
}

impl Default for BinaryAccuracy {
    fn default() -> Self {
        Self::threshold(0.5)
    }
}

impl Metric for BinaryAccuracy {
    fn name(&self) -> &str {
        "binary_accuracy"
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_) | Targets::Labels(_))
    }

    fn accumulators(&self, _width: usize) -> usize {
        2
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        let yes = |p: f32| p > self.threshold;
        let right = match batch.targets {
            Targets::Values(values) => {
                let pairs = batch.predictions.iter().zip(values);
                pairs.filter(|(p, t)| yes(**p) == (**t > 0.5)).count()
            }
            Targets::Labels(labels) => {
                let rows = batch.predictions.chunks_exact(batch.width.max(1));
                let right = |(row, label): (&[f32], &u32)| match row {
                    [p] => usize::from(yes(*p) == (*label == 1)),
                    row => {
                        let wanted = |class: usize| class == *label as usize;
                        let outputs = row.iter().enumerate();
                        outputs
                            .filter(|(class, p)| yes(**p) == wanted(*class))
                            .count()
                    }
                };
                rows.zip(labels).map(right).sum()
            }
        };
        accumulators[0] += batch.predictions.len() as f64;
        accumulators[1] += right as f64;
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[1] / accumulators[0]
    }
}
