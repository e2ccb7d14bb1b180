//! Writing and taking over checkpoints.

use std::path::Path;

use maas_nn::Network;

use super::session::Session;
use super::supply::Supply;
use super::{Order, Trainer};
use crate::checkpoint::identity::{Identity, of_masks, of_network, of_order};
use crate::checkpoint::{CheckpointFault, Checkpoints, Content, Run, Stored};
use crate::{Error, Figure, Goal};

/// The rule at work on one run.
pub(super) struct Keeper<'t> {
    rule: &'t Checkpoints,
    identity: Identity,
    /// Which figure is to be best, which way, and how good it was.
    best: Option<(&'t Figure, Goal)>,
    best_value: Option<f64>,
}

impl<'t> Keeper<'t> {
    pub(super) fn new(
        rule: &'t Checkpoints,
        trainer: &Trainer<'_>,
        network: &Network,
        supply: &Supply<'_>,
    ) -> Result<Self, Error> {
        let best = match rule.best() {
            Some(figure) => Some((figure, trainer.goal_of(figure)?)),
            None => None,
        };
        Ok(Self {
            rule,
            identity: identity(trainer, network, supply),
            best,
            best_value: None,
        })
    }

    pub(super) fn due_after_step(&self, steps: u64) -> bool {
        self.rule.due_after_step(steps)
    }

    pub(super) fn due_after_epoch(&self, epoch: usize) -> bool {
        self.rule.due_after_epoch(epoch)
    }
}

pub(super) fn identity(trainer: &Trainer<'_>, network: &Network, supply: &Supply<'_>) -> Identity {
    let metrics: Vec<&str> = trainer.metrics.iter().map(|metric| metric.name()).collect();
    Identity {
        network: of_network(network),
        masks: of_masks(network),
        data: supply.identity(),
        loss: format!("{} {}", trainer.loss.name(), trainer.loss.config()),
        metrics: metrics.join(", "),
        batch_size: trainer.batch_size,
        accumulate: trainer.accumulate,
        seed: trainer.seed.0,
        precision: trainer.precision,
        order: match &trainer.order {
            Order::Shuffled => "shuffled".to_owned(),
            Order::AsGiven => "as given".to_owned(),
            Order::By(order) => of_order(order.as_ref(), supply.rows()),
        },
    }
}

impl Session<'_, '_> {
    /// Writes a checkpoint, where there are to be some.
    pub(super) fn keep(&self, network: &Network) -> Result<(), Error> {
        let Some(keeper) = &self.keeper else {
            return Ok(());
        };
        let steps = self.stepper.optimizer.steps();
        self.with_content(network, keeper, |content| keeper.rule.write(steps, content))
    }

    /// Writes the best checkpoint anew where the last epoch was the best so far.
    pub(super) fn keep_best(&mut self, network: &Network) -> Result<(), Error> {
        let Some(keeper) = &mut self.keeper else {
            return Ok(());
        };
        let Some((figure, goal)) = keeper.best else {
            return Ok(());
        };
        let Some(value) = self.history.last().and_then(|record| figure.of(record)) else {
            return Ok(());
        };
        if value.is_nan()
            || keeper
                .best_value
                .is_some_and(|best| !goal.prefers(value, best))
        {
            return Ok(());
        }
        keeper.best_value = Some(value);
        if let Some(keeper) = &self.keeper {
            self.with_content(network, keeper, |content| keeper.rule.write_best(content))?;
        }
        Ok(())
    }

    fn with_content(
        &self,
        network: &Network,
        keeper: &Keeper<'_>,
        write: impl FnOnce(&Content<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let run = Run {
            place: self.place.clone(),
            passes: self.stepper.passes,
            history: self.history.clone(),
            watch: self.watch.as_ref().map(crate::early_stopping::Watch::state),
            best: keeper.best_value,
            callbacks: self.trainer.callbacks.states(),
        };
        let meters: Vec<f64> = self.stepper.meters.accumulators().collect();
        write(&Content {
            identity: &keeper.identity,
            run: &run,
            network,
            optimizer: &self.stepper.optimizer.state(),
            meters: &meters,
            weights: self.watch.as_ref().and_then(|watch| watch.weights.as_ref()),
        })
    }

    /// Goes on from a checkpoint; where it does not fit, nothing of the network is changed.
    pub(super) fn resume(
        &mut self,
        network: &mut Network,
        supply: &Supply<'_>,
        path: &Path,
    ) -> Result<(), Error> {
        let stored = Stored::read(path)?;
        self.take(network, supply, stored)
            .map_err(|fault| fault.at(path))
    }

    fn take(
        &mut self,
        network: &mut Network,
        supply: &Supply<'_>,
        stored: Stored,
    ) -> Result<(), CheckpointFault> {
        identity(self.trainer, network, supply).check(&stored.identity)?;
        let weights = stored.numbers.weights(network);
        let weights = weights.ok_or(CheckpointFault::Part { part: "parameters" })?;
        let best = match stored.best {
            Some(best) => Some(best.weights(network).ok_or(CheckpointFault::Part {
                part: "best.parameters",
            })?),
            None => None,
        };
        self.stepper
            .optimizer
            .restore(&stored.optimizer)
            .map_err(|error| CheckpointFault::Optimizer(Box::new(error)))?;
        if !self.stepper.meters.restore(&stored.meters) {
            return Err(CheckpointFault::Part { part: "metrics" });
        }
        let Run {
            place,
            passes,
            history,
            watch,
            best: best_value,
            callbacks,
        } = stored.run;
        self.trainer
            .callbacks
            .restore(&callbacks)
            .map_err(|error| CheckpointFault::Callback(Box::new(error)))?;
        weights
            .put(network)
            .map_err(|_| CheckpointFault::Part { part: "state" })?;
        self.stepper
            .optimizer
            .take_masks(network)
            .map_err(|error| CheckpointFault::Optimizer(Box::new(error)))?;
        self.place = place;
        self.stepper.passes = passes;
        self.history = history;
        if let (Some(own), Some(state)) = (&mut self.watch, &watch) {
            own.take(state, best);
        }
        if let Some(keeper) = &mut self.keeper {
            keeper.best_value = best_value;
        }
        Ok(())
    }
}
