use super::{Metric, MetricBatch};
use crate::Targets;

/// The coefficient of determination R² = 1 − Σ (ŷ − y)² / Σ (y − ȳ)², the plain mean over columns.
///
/// A column whose targets are all equal counts as 1 where every prediction is exact and as 0 where not.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch, R2};
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
