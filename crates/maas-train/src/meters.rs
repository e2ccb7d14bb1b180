//! Metrics with their accumulators.

use std::collections::BTreeMap;
use std::sync::Arc;

use maas_nn::Targets;

use crate::{Metric, MetricBatch};

/// Metrics of one pass over data.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    metrics: Vec<(Arc<dyn Metric>, Vec<f64>)>,
    width: usize,
}

impl Meters {
    pub(crate) fn new(metrics: &[Arc<dyn Metric>], width: usize) -> Self {
        let with_accumulators =
            |metric: &Arc<dyn Metric>| (Arc::clone(metric), vec![0.0; metric.accumulators(width)]);
        Self {
            metrics: metrics.iter().map(with_accumulators).collect(),
            width,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.metrics.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        for (_, accumulators) in &mut self.metrics {
            accumulators.fill(0.0);
        }
    }

    pub(crate) fn update(&mut self, predictions: &[f32], targets: Targets<'_>) {
        let batch = MetricBatch::new(predictions, targets, self.width);
        for (metric, accumulators) in &mut self.metrics {
            metric.update(&batch, accumulators);
        }
    }

    pub(crate) fn values(&self) -> BTreeMap<String, f64> {
        self.iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    pub(crate) fn value(&self, name: &str) -> Option<f64> {
        self.metrics
            .iter()
            .find(|(metric, _)| metric.name() == name)
            .map(|(metric, accumulators)| metric.value(accumulators))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.metrics
            .iter()
            .map(|(metric, accumulators)| (metric.name(), metric.value(accumulators)))
    }

    /// All accumulators one after the other.
    pub(crate) fn accumulators(&self) -> impl Iterator<Item = f64> {
        self.metrics
            .iter()
            .flat_map(|(_, accumulators)| accumulators.iter().copied())
    }

    /// Takes over what [`accumulators`](Self::accumulators) gave; `false` where there are more or fewer.
    pub(crate) fn restore(&mut self, from: &[f64]) -> bool {
        let own = self
            .metrics
            .iter_mut()
            .flat_map(|(_, accumulators)| accumulators);
        let mut left = from.iter();
        for accumulator in own {
            let Some(&value) = left.next() else {
                return false;
            };
            *accumulator = value;
        }
        left.next().is_none()
    }
}
