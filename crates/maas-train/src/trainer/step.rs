//! One step.

use maas_core::Seed;
use maas_nn::{LossBatch, Mode, Network, NonFinite, Plan, PlanOptions};

use super::Trainer;
use super::feed::Feed;
use crate::meters::Meters;
use crate::{Error, Horizon, Optimizer};

/// Everything that steps need, made once.
#[derive(Debug)]
pub(super) struct Stepper {
    plan: Plan,
    pub(super) optimizer: Optimizer,
    pub(super) meters: Meters,
    /// The gradients of a step's micro-batches, joined; empty where a step has one.
    joined: Vec<f32>,
    /// The network's state before a step of several micro-batches.
    state: Vec<f32>,
    /// The weights of the last step, while the network has their averages.
    raw: Vec<f32>,
    /// Micro-batches so far: what the noise of layers is keyed by.
    pub(super) passes: u64,
}

/// Where a step stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    /// From 1.
    pub(super) epoch: usize,
    /// Within the epoch, from 1.
    pub(super) step: usize,
    /// What the changes of rows are keyed by.
    pub(super) seed: Seed,
}

impl Stepper {
    /// For data of so many rows in all, where that is known.
    pub(super) fn new(
        trainer: &Trainer<'_>,
        network: &Network,
        rows: Option<u64>,
    ) -> Result<Self, Error> {
        let steps = rows.map(|rows| rows.div_ceil(trainer.step_rows() as u64));
        let mut horizon = Horizon::unknown();
        horizon.epoch = steps;
        horizon.run = steps.map(|steps| steps.saturating_mul(trainer.epochs as u64));
        let optimizer = Optimizer::new(trainer.chain.clone(), network)?
            .kernels(trainer.compute.kernels)
            .parallelism(trainer.compute.parallelism)
            .horizon(horizon);
        let most = rows.and_then(|rows| usize::try_from(rows).ok());
        let options = PlanOptions::train(trainer.batch_size.min(most.unwrap_or(usize::MAX)))
            .compute(trainer.compute)
            .precision(trainer.precision)
            .head(trainer.loss.link());
        let plan = Plan::new(network, options)?;
        let several = trainer.accumulate > 1;
        let length = |length| if several { length } else { 0 };
        Ok(Self {
            joined: vec![0.0; length(plan.gradient().len())],
            state: vec![0.0; length(network.state().len())],
            raw: Vec::new(),
            meters: Meters::new(&trainer.metrics, network.output_width()),
            plan,
            optimizer,
            passes: 0,
        })
    }

    /// Refuse rows that loss or metrics cannot use.
    pub(super) fn check(&self, trainer: &Trainer<'_>, feed: &Feed<'_>) -> Result<(), Error> {
        feed.check(
            trainer.loss.as_ref(),
            &trainer.metrics,
            self.plan.head_width(),
            "training",
        )
    }

    /// Where the optimiser averages weights, the averages into the network; what [`unaverage`](Self::unaverage) takes
    /// back.
    pub(super) fn average(&mut self, network: &mut Network) -> Result<(), Error> {
        let Some(average) = self.optimizer.average() else {
            return Ok(());
        };
        self.raw.clear();
        self.raw.extend_from_slice(network.parameters());
        average.write(network.parameters_mut())
    }

    pub(super) fn unaverage(&mut self, network: &mut Network) {
        if !self.raw.is_empty() {
            network.parameters_mut().copy_from_slice(&self.raw);
            self.raw.clear();
        }
    }

    /// θ ← θ − α·u over the rows of these numbers; the sum over them of the loss before the step.
    pub(super) fn step(
        &mut self,
        trainer: &Trainer<'_>,
        network: &mut Network,
        feed: &mut Feed<'_>,
        rows: &[u32],
        at: At,
    ) -> Result<f64, Error> {
        if rows.len() <= trainer.batch_size {
            let sum = self.pass(trainer, network, feed, rows, at)?;
            self.optimizer.step(network, self.plan.gradient_mut())?;
            self.take_state(network)?;
            return Ok(sum);
        }
        self.state.copy_from_slice(network.state());
        let joined = self.micro_batches(trainer, network, feed, rows, at);
        let outcome = joined.and_then(|sum| {
            self.optimizer.step(network, &mut self.joined)?;
            Ok(sum)
        });
        if outcome.is_err() {
            network.set_state(&self.state)?;
        }
        outcome
    }

    /// The gradient of all rows into `joined`: with cⱼ the share of the rows that micro-batch j has,
    /// s ← c₀·g₀, then s ← fma(cⱼ, gⱼ, s) in order.
    fn micro_batches(
        &mut self,
        trainer: &Trainer<'_>,
        network: &mut Network,
        feed: &mut Feed<'_>,
        rows: &[u32],
        at: At,
    ) -> Result<f64, Error> {
        let kernels = trainer.compute.kernels;
        let mut sum = 0.0;
        for (index, part) in rows.chunks(trainer.batch_size).enumerate() {
            sum += self.pass(trainer, network, feed, part, at)?;
            self.take_state(network)?;
            let share = part.len() as f32 / rows.len() as f32;
            if index == 0 {
                self.joined.copy_from_slice(self.plan.gradient());
                kernels.scale(share, &mut self.joined);
            } else {
                kernels.axpy(share, self.plan.gradient(), &mut self.joined);
            }
        }
        Ok(sum)
    }

    /// Forwards and backwards: the gradient into the plan, the loss times the rows as the answer.
    fn pass(
        &mut self,
        trainer: &Trainer<'_>,
        network: &Network,
        feed: &mut Feed<'_>,
        rows: &[u32],
        at: At,
    ) -> Result<f64, Error> {
        let Self {
            plan,
            meters,
            passes,
            ..
        } = self;
        let (count, compute) = (rows.len(), trainer.compute);
        let At { epoch, step, seed } = at;
        feed.gather(rows, plan, compute);
        if let Some(augmentation) = &trainer.augmentation {
            feed.augment(augmentation, rows, plan, compute, (seed, epoch as u64));
        }
        *passes += 1;
        plan.forward_head(count, network, Mode::train(trainer.seed, *passes))?;
        if !meters.is_empty() {
            plan.forward_tail(network)?;
            meters.update(plan.output(), feed.raw_batch());
        }
        let loss = loss(trainer, plan, feed, count)?;
        if !loss.is_finite() {
            let began = began(plan, network, count);
            return Err(Error::NonFiniteLoss {
                epoch,
                step,
                loss,
                began,
            });
        }
        plan.backward(count, network)?;
        if !plan.gradient_is_finite() {
            // The backward pass has used the loss's gradient up.
            self::loss(trainer, plan, feed, count)?;
            let began = began(plan, network, count);
            return Err(Error::NonFiniteGradient {
                epoch,
                step,
                loss,
                began,
            });
        }
        Ok(f64::from(loss) * count as f64)
    }

    fn take_state(&self, network: &mut Network) -> Result<(), Error> {
        match self.plan.next_state() {
            Some(state) => Ok(network.set_state(state)?),
            None => Ok(()),
        }
    }
}

/// The loss of the gathered rows; its gradient into the plan.
fn loss(
    trainer: &Trainer<'_>,
    plan: &mut Plan,
    feed: &Feed<'_>,
    rows: usize,
) -> Result<f32, Error> {
    let (predictions, gradient) = plan.head(rows);
    let batch = LossBatch::new(predictions, feed.learned_batch(), rows)?
        .weights(feed.weights_batch())?
        .compute(trainer.compute);
    Ok(trainer.loss.evaluate(&batch, Some(gradient))?)
}

/// Where numbers stopped being finite, as far as that is to be found.
#[cold]
fn began(plan: &mut Plan, network: &Network, rows: usize) -> Option<Box<NonFinite>> {
    let found = plan.first_non_finite(rows, network).ok().flatten();
    found.map(Box::new)
}
