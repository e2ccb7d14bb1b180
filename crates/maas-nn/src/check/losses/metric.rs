use crate::metric::{Metric, MetricBatch};
use crate::{Error, Targets};

/// Checks that a metric gives the same figure, but for rounding, when a batch is taken in at once and in two parts, however it
/// is cut, and when no rows are taken in between.
///
/// # Errors
/// [`Error::MetricLaw`] for the first cut that changes the figure.
///
/// ```
/// use maas_nn::Targets;
/// use maas_nn::check::check_metric;
/// use maas_nn::metric::{MetricBatch, R2};
///
/// let batch = MetricBatch::new(&[1.0, 2.0, 4.0], Targets::Values(&[1.0, 2.5, 3.0]), 1);
/// check_metric(&R2, &batch)?;
/// # Ok::<(), maas_nn::Error>(())
/// ```
pub fn check_metric(metric: &dyn Metric, batch: &MetricBatch<'_>) -> Result<(), Error> {
    let width = batch.width;
    let rows = batch.predictions.len().checked_div(width).unwrap_or(0);
    let expected = metric.measure(batch);
    for cut in 0..=rows {
        let mut accumulators = vec![0.0; metric.accumulators(width)];
        for rows in [0..cut, cut..cut, cut..rows] {
            let elements = rows.start * width..rows.end * width;
            let targets = match batch.targets {
                Targets::Values(values) => Targets::Values(&values[elements.clone()]),
                Targets::Labels(labels) => Targets::Labels(&labels[rows]),
            };
            let part = MetricBatch::new(&batch.predictions[elements], targets, width);
            metric.update(&part, &mut accumulators);
        }
        let found = metric.value(&accumulators);
        let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
        let same = close || found == expected || (found.is_nan() && expected.is_nan());
        if !same {
            return Err(Error::MetricLaw {
                metric: metric.name().to_owned(),
                cut,
                expected,
                found,
            });
        }
    }
    Ok(())
}
