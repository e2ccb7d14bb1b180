use super::{Metric, MetricBatch, classes};
use crate::Targets;

/// The share of rows whose class is among the k that the network holds most likely: Keras' `TopKCategoricalAccuracy`.
///
/// Of equal predictions those of lower classes come first; a class whose prediction is NaN is never among them.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch, TopK};
///
/// let predictions = [0.5, 0.3, 0.2, 0.5, 0.3, 0.2];
/// let batch = MetricBatch::new(&predictions, Targets::Labels(&[1, 2]), 3);
/// assert_eq!(TopK::new(2).measure(&batch), 0.5);
/// assert_eq!(TopK::new(2).name(), "top_2_accuracy");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopK {
    k: usize,
    name: String,
}

impl TopK {
    /// Among the `k` most likely.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(k: usize) -> Self {
        let name = format!("top_{k}_accuracy");
        Self { k, name }
    }

    fn has(&self, row: &[f32], class: usize) -> bool {
        let Some(&own) = row.get(class) else {
            return false;
        };
        let before = |other: usize, value: f32| value > own || (value == own && other < class);
        let above = row
            .iter()
            .enumerate()
            .filter(|(other, value)| before(*other, **value));
        !own.is_nan() && above.count() < self.k
    }
}

impl Metric for TopK {
    fn name(&self) -> &str {
        &self.name
    }

    fn accepts(&self, targets: Targets<'_>) -> bool {
        matches!(targets, Targets::Values(_) | Targets::Labels(_))
    }

    fn accumulators(&self, _width: usize) -> usize {
        2
    }

    fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
        let width = batch.width.max(1);
        let rows = batch.predictions.chunks_exact(width);
        accumulators[0] += rows.len() as f64;
        accumulators[1] += match batch.targets {
            Targets::Labels(labels) => rows
                .zip(labels)
                .filter(|(row, label)| self.has(row, **label as usize))
                .count(),
            Targets::Values(values) => rows
                .zip(values.chunks_exact(width))
                .filter(|(row, values)| self.has(row, classes::largest(values)))
                .count(),
        } as f64;
    }

    fn value(&self, accumulators: &[f64]) -> f64 {
        accumulators[1] / accumulators[0]
    }
}
