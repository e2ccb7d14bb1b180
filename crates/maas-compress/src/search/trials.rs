//! What was tried.

use maas_data::Dataset;
use maas_nn::metric::Goal;
use maas_nn::{Network, Representation};

use crate::measure::{Measured, goal, measure};
use crate::report::SizedMetric;
use crate::{Error, format};

/// Measures networks by a budget, and keeps what came out.
pub(super) struct Trials<'a> {
    budget: f64,
    before: f64,
    pub(super) data: &'a Dataset,
    pub(super) points: Vec<SizedMetric>,
    /// The least that a metric was worse than before.
    pub(super) least: f64,
}

impl<'a> Trials<'a> {
    pub(super) fn new(budget: f64, before: f64, data: &'a Dataset) -> Self {
        Self {
            budget,
            before,
            data,
            points: Vec::new(),
            least: f64::INFINITY,
        }
    }

    /// The metric of a network, if it is within the budget.
    pub(super) fn of(&mut self, network: &Network) -> Result<Option<Measured>, Error> {
        let metric = measure(network, self.data)?;
        let file = format::write(network, |_| Representation::Dense)?;
        self.points
            .push(SizedMetric::new(file.bytes.len(), metric.value));
        let loss = match goal(self.data) {
            Goal::Minimize => metric.value - self.before,
            Goal::Maximize => self.before - metric.value,
        };
        self.least = self.least.min(loss);
        Ok((loss <= self.budget).then_some(metric))
    }
}
