//! Which class a row is of, and which it is taken for.

use super::MetricBatch;
use crate::Targets;

/// How many classes an output of `width` elements tells apart: one output tells two.
pub(super) fn count(width: usize) -> usize {
    width.max(2)
}

/// The first of the largest elements; NaN is never larger than what came before.
pub(super) fn largest(row: &[f32]) -> usize {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, &value) in row.iter().enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best.0
}

/// Calls `take(actual, predicted)` for every row. With a single output, a prediction above `threshold` means class 1,
/// and so does a target above ½.
pub(super) fn each(batch: &MetricBatch<'_>, threshold: f32, mut take: impl FnMut(usize, usize)) {
    let width = batch.width.max(1);
    let rows = batch.predictions.chunks_exact(width);
    match (batch.targets, width) {
        (Targets::Labels(labels), 1) => {
            for (&p, &label) in batch.predictions.iter().zip(labels) {
                take(label as usize, usize::from(p > threshold));
            }
        }
        (Targets::Labels(labels), _) => {
            for (row, &label) in rows.zip(labels) {
                take(label as usize, largest(row));
            }
        }
        (Targets::Values(values), 1) => {
            for (&p, &value) in batch.predictions.iter().zip(values) {
                take(usize::from(value > 0.5), usize::from(p > threshold));
            }
        }
        (Targets::Values(values), _) => {
            for (row, values) in rows.zip(values.chunks_exact(width)) {
                take(largest(values), largest(row));
            }
        }
    }
}
