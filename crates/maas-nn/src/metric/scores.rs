use super::ranking::{area_under_precision, area_under_roc};
use super::{Metric, MetricBatch, classes};
use crate::Targets;

/// The area under the ROC curve, batch by batch: how often a row of class 1 is given a higher probability than one of
/// class 0, ties counted half. Of more than two classes, the mean over each against the rest; NaN where no class has
/// both a row and a row that is not of it.
///
/// Predictions are probabilities. They are counted in 6,144 bins, as fine near 1 as near 0: two that differ by less
/// than 1/128 of their distance to the nearer end may share a bin, and count as tied. So the error is at most
/// ½ Σ (pᵢ/P)·(nᵢ/N) over bins that hold pᵢ of P positive and nᵢ of N negative rows. [`roc_auc`](super::roc_auc) is exact.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{Metric, MetricBatch, RocAuc};
///
/// let batch = MetricBatch::new(&[0.1, 0.4, 0.35, 0.8], Targets::Labels(&[0, 0, 1, 1]), 1);
/// assert_eq!(RocAuc.measure(&batch), 0.75);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RocAuc;

/// The average precision, batch by batch: the area under the curve of precision over recall, Σ (Rₙ − Rₙ₋₁)·Pₙ. Of more than
/// two classes, the mean over each against the rest.
///
/// Predictions are counted in the bins of [`RocAuc`]; those that share one count as tied.
/// [`average_precision`](super::average_precision) is exact.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::metric::{AveragePrecision, Metric, MetricBatch};
///
/// let batch = MetricBatch::new(&[0.1, 0.4, 0.35, 0.8], Targets::Labels(&[0, 0, 1, 1]), 1);
/// assert!((AveragePrecision.measure(&batch) - 0.8333333).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AveragePrecision;

macro_rules! binned {
    ($metric:ident, $name:literal, $area:path) => {
        impl Metric for $metric {
            fn name(&self) -> &str {
                $name
            }

            fn accepts(&self, targets: Targets<'_>) -> bool {
                matches!(targets, Targets::Values(_) | Targets::Labels(_))
            }

            fn accumulators(&self, width: usize) -> usize {
                2 * BINS * curves(width)
            }

            fn update(&self, batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
                count(batch, accumulators);
            }

            fn value(&self, accumulators: &[f64]) -> f64 {
                mean_over_curves(accumulators, |bins| {
                    $area(bins.rchunks_exact(2).map(|bin| (bin[0], bin[1])))
                })
            }
        }
    };
}

binned!(RocAuc, "roc_auc", area_under_roc);
binned!(AveragePrecision, "average_precision", area_under_precision);

/// Two classes have one curve.
fn curves(width: usize) -> usize {
    if width > 2 { width } else { 1 }
}

/// Bins below ½, and as many above.
const HALF: usize = 24 << MANTISSA;
const BINS: usize = 2 * HALF;
/// Bits of the mantissa that tell bins apart.
const MANTISSA: u32 = 7;

/// The bin of a probability: by its exponent and the first bits of its mantissa below ½, by those of 1 − p above, the least
/// exponent being −24. NaN is in the first.
fn bin(p: f32) -> usize {
    let near = |distance: f32| {
        let place = distance.max(0.0).to_bits() >> (f32::MANTISSA_DIGITS - 1 - MANTISSA);
        let least = (127 - 25) << MANTISSA;
        (place.saturating_sub(least) as usize).min(HALF - 1)
    };
    if p > 0.5 {
        BINS - 1 - near(1.0 - p)
    } else {
        near(p)
    }
}

fn count(batch: &MetricBatch<'_>, accumulators: &mut [f64]) {
    let width = batch.width.max(1);
    if width > 2 {
        let rows = batch.predictions.chunks_exact(width);
        let mut add = |row: &[f32], class: usize| {
            for (column, (&p, bins)) in row
                .iter()
                .zip(accumulators.chunks_exact_mut(2 * BINS))
                .enumerate()
            {
                bins[2 * bin(p) + usize::from(column == class)] += 1.0;
            }
        };
        match batch.targets {
            Targets::Labels(labels) => rows
                .zip(labels)
                .for_each(|(row, &label)| add(row, label as usize)),
            Targets::Values(values) => rows
                .zip(values.chunks_exact(width))
                .for_each(|(row, values)| add(row, classes::largest(values))),
        }
        return;
    }
    let mut add = |p: f32, positive: bool| accumulators[2 * bin(p) + usize::from(positive)] += 1.0;
    let scores = batch
        .predictions
        .chunks_exact(width)
        .map(|row| row[width - 1]);
    match batch.targets {
        Targets::Labels(labels) => scores
            .zip(labels)
            .for_each(|(p, &label)| add(p, label == 1)),
        Targets::Values(values) => scores
            .zip(values.chunks_exact(width))
            .for_each(|(p, values)| add(p, values[width - 1] > 0.5)),
    }
}

/// Curves of one kind of rows only are left out.
fn mean_over_curves(accumulators: &[f64], area: impl Fn(&[f64]) -> Option<f64>) -> f64 {
    let areas = accumulators.chunks_exact(2 * BINS).filter_map(area);
    let (sum, count) = areas.fold((0.0, 0.0), |(sum, count), area| (sum + area, count + 1.0));
    sum / count
}
