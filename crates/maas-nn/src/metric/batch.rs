use crate::Targets;

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
    pub(super) fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        let targets = match self.targets {
            Targets::Values(values) => values,
            Targets::Labels(_) => &[],
        };
        self.predictions
            .iter()
            .zip(targets)
            .map(|(&prediction, &target)| (prediction.into(), target.into()))
    }
}
