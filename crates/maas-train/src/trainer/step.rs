//! One step.

use std::ops::Range;

use maas_nn::{LossBatch, Mode, Network, Plan, PlanOptions};

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
    /// Micro-batches so far: what the noise of layers is keyed by.
    pub(super) passes: u64,
}

/// Where a step stands, for errors: epoch and step within it, from 1.
pub(super) type Place = (usize, usize);

impl Stepper {
    pub(super) fn new(
        trainer: &Trainer<'_>,
        network: &Network,
        feed: &Feed<'_>,
    ) -> Result<Self, Error> {
        let optimizer = Optimizer::new(trainer.chain.clone(), network)?
            .kernels(trainer.compute.kernels)
            .parallelism(trainer.compute.parallelism);
        let steps = feed.rows().div_ceil(trainer.step_rows()) as u64;
        let horizon = Horizon::new(steps, steps * trainer.epochs as u64);
        let optimizer = optimizer.horizon(horizon);
        let rows = trainer.batch_size.min(feed.rows());
        let options = PlanOptions::train(rows)
            .compute(trainer.compute)
            .head(trainer.loss.link());
        let plan = Plan::new(network, options)?;
        feed.check(
            trainer.loss.as_ref(),
            &trainer.metrics,
            plan.head_width(),
            "training",
        )?;
        let several = trainer.accumulate > 1;
        let length = |length| if several { length } else { 0 };
        Ok(Self {
            joined: vec![0.0; length(plan.gradient().len())],
            state: vec![0.0; length(network.state().len())],
            meters: Meters::new(&trainer.metrics, network.output_width()),
            plan,
            optimizer,
            passes: 0,
        })
    }

    /// θ ← θ − α·u over the rows of these numbers; the sum over them of the loss before the step.
    pub(super) fn step(
        &mut self,
        trainer: &Trainer<'_>,
        network: &mut Network,
        feed: &mut Feed<'_>,
        rows: &[u32],
        place: Place,
    ) -> Result<f64, Error> {
        if rows.len() <= trainer.batch_size {
            let sum = self.pass(trainer, network, feed, rows, place)?;
            self.optimizer.step(network, self.plan.gradient_mut())?;
            self.take_state(network)?;
            return Ok(sum);
        }
        self.state.copy_from_slice(network.state());
        let joined = self.micro_batches(trainer, network, feed, rows, place);
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
        place: Place,
    ) -> Result<f64, Error> {
        let kernels = trainer.compute.kernels;
        let mut sum = 0.0;
        for (index, part) in rows.chunks(trainer.batch_size).enumerate() {
            sum += self.pass(trainer, network, feed, part, place)?;
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
        (epoch, step): Place,
    ) -> Result<f64, Error> {
        let Self {
            plan,
            meters,
            passes,
            ..
        } = self;
        let (count, compute) = (rows.len(), trainer.compute);
        feed.gather(rows, plan, compute);
        *passes += 1;
        plan.forward_head(count, network, Mode::train(trainer.seed, *passes))?;
        if !meters.is_empty() {
            plan.forward_tail(network)?;
            meters.update(plan.output(), feed.raw_batch());
        }
        let (predictions, gradient) = plan.head(count);
        let batch = LossBatch::new(predictions, feed.learned_batch(), count)?.compute(compute);
        let loss = trainer.loss.evaluate(&batch, Some(gradient))?;
        if !loss.is_finite() {
            return Err(Error::NonFiniteLoss { epoch, step, loss });
        }
        plan.backward(count, network)?;
        if !compute.sum_squares(plan.gradient()).is_finite() {
            return Err(Error::NonFiniteGradient { epoch, step, loss });
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

/// The rows of step `step` of a chunk, counted from 0.
pub(super) fn rows_of(step: usize, rows: usize, step_rows: usize) -> Range<usize> {
    let start = (step * step_rows).min(rows);
    start..rows.min(start + step_rows)
}
