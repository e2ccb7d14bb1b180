//! Loss and metrics over a data set.

use std::collections::BTreeMap;
use std::sync::Arc;

use maas_data::Dataset;
use maas_nn::{Loss, LossBatch, Mode, Network, Plan, PlanOptions};
use serde::{Deserialize, Serialize};

use super::Trainer;
use super::feed::Feed;
use crate::Error;
use crate::meters::Meters;

/// Rows of one pass. A constant, because a loss over many rows is a sum of the sums over passes.
const PASS: usize = 1024;

/// Loss and metrics over a data set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Mean loss over the rows, in units of the standardised target where the network standardises it.
    pub loss: f32,
    /// The metrics by name, in raw units.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
}

/// Everything that evaluating needs, made once.
#[derive(Debug)]
pub(super) struct Evaluator<'d> {
    plan: Plan,
    feed: Feed<'d>,
    loss: Arc<dyn Loss>,
    pub(super) meters: Meters,
}

impl<'d> Evaluator<'d> {
    pub(super) fn new(
        trainer: &Trainer<'_>,
        network: &Network,
        data: &'d Dataset,
        name: &'static str,
    ) -> Result<Self, Error> {
        let feed = Feed::new(network, data, name)?;
        let options = PlanOptions::infer(PASS.min(feed.rows()))
            .compute(trainer.compute)
            .head(trainer.loss.link());
        let plan = Plan::new(network, options)?;
        feed.check(
            trainer.loss.as_ref(),
            &trainer.metrics,
            plan.head_width(),
            name,
        )?;
        let meters = Meters::new(&trainer.metrics, network.output_width());
        Ok(Self {
            plan,
            feed,
            loss: Arc::clone(&trainer.loss),
            meters,
        })
    }

    pub(super) fn evaluate(&mut self, network: &Network) -> Result<Evaluation, Error> {
        self.meters.clear();
        Ok(Evaluation {
            loss: mean(self.sum(network)?, self.feed.rows()),
            metrics: self.meters.values(),
        })
    }

    /// The loss over the rows, summed; metrics take them in.
    pub(super) fn sum(&mut self, network: &Network) -> Result<f64, Error> {
        let Self {
            plan,
            feed,
            loss,
            meters,
        } = self;
        let mut sum = 0.0;
        for start in (0..feed.rows()).step_by(PASS) {
            let rows = start..feed.rows().min(start + PASS);
            feed.copy(rows.clone(), plan)?;
            plan.forward_head(rows.len(), network, Mode::Infer)?;
            let batch = LossBatch::new(plan.head_output(), feed.learned(rows.clone()), rows.len())?
                .weights(feed.weights(rows.clone()))?;
            let loss = loss.evaluate(&batch.compute(plan.options().compute), None)?;
            sum += f64::from(loss) * rows.len() as f64;
            if !meters.is_empty() {
                plan.forward_tail(network)?;
                meters.update(plan.output(), feed.raw(rows));
            }
        }
        Ok(sum)
    }
}

pub(super) fn mean(sum: f64, rows: usize) -> f32 {
    (sum / rows as f64) as f32
}
