//! The loop.

use std::ops::Range;
use std::time::Instant;

use maas_data::{Dataset, Shuffle};
use maas_nn::{LossBatch, Mode, Network, Plan, PlanOptions};

use super::evaluate::{Evaluator, Meters};
use super::feed::Feed;
use super::{Order, Trainer};
use crate::progress::Display;
use crate::{EpochRecord, Error, History, Horizon, Optimizer};

pub(super) fn fit(
    trainer: &Trainer<'_>,
    network: &mut Network,
    data: &Dataset,
) -> Result<History, Error> {
    if trainer.epochs == 0 {
        return Err(Error::Epochs);
    }
    if trainer.batch_size == 0 {
        return Err(Error::BatchSize);
    }
    let mut run = Run::new(trainer, network, data)?;
    let mut validator = trainer
        .validation
        .map(|data| Evaluator::new(trainer, network, data, "validation"))
        .transpose()?;
    let mut display = Display::start(trainer.progress, trainer.epochs, run.feed.rows());
    let mut history = History::default();
    for epoch in 1..=trainer.epochs {
        let start = Instant::now();
        let mut record = run.epoch(trainer, network, epoch, &mut display)?;
        if !network.parameters().iter().all(|weight| weight.is_finite()) {
            return Err(Error::NonFiniteWeights { epoch });
        }
        if let Some(validator) = &mut validator {
            let evaluation = validator.evaluate(network)?;
            record.validation_loss = Some(evaluation.loss);
            record.validation_metrics = evaluation.metrics;
        }
        record.seconds = start.elapsed().as_secs_f64();
        display.epoch(&record);
        if let Some(callback) = &trainer.on_epoch {
            callback(&record);
        }
        history.push(record);
    }
    Ok(history)
}

/// Everything that steps need, made once.
struct Run<'d> {
    plan: Plan,
    feed: Feed<'d>,
    optimizer: Optimizer,
    meters: Meters,
    order: Vec<u32>,
}

impl<'d> Run<'d> {
    fn new(trainer: &Trainer<'_>, network: &Network, data: &'d Dataset) -> Result<Self, Error> {
        let optimizer = Optimizer::new(trainer.chain.clone(), network)?
            .kernels(trainer.compute.kernels)
            .parallelism(trainer.compute.parallelism);
        let feed = Feed::new(network, data, "training")?;
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
        let steps = feed.rows().div_ceil(trainer.batch_size) as u64;
        let horizon = Horizon::new(steps, steps * trainer.epochs as u64);
        let optimizer = optimizer.horizon(horizon);
        let meters = Meters::new(&trainer.metrics, network.output_width());
        // A data set has no more rows than a u32 counts.
        let order = (0..feed.rows() as u32).collect();
        Ok(Self {
            plan,
            feed,
            optimizer,
            meters,
            order,
        })
    }

    fn epoch(
        &mut self,
        trainer: &Trainer<'_>,
        network: &mut Network,
        epoch: usize,
        display: &mut Display,
    ) -> Result<EpochRecord, Error> {
        if trainer.order == Order::Shuffled {
            Shuffle::new(trainer.seed).fill(epoch as u64, &mut self.order);
        }
        self.meters.clear();
        let (mut sum, mut seen) = (0.0, 0);
        for step in 0..self.order.len().div_ceil(trainer.batch_size) {
            let start = step * trainer.batch_size;
            let rows = start..self.order.len().min(start + trainer.batch_size);
            seen = rows.end;
            sum += f64::from(self.step(trainer, network, rows.clone(), (epoch, step + 1))?)
                * rows.len() as f64;
            display.batch(seen, sum / seen as f64);
        }
        let mut record = EpochRecord::new(epoch, (sum / seen as f64) as f32);
        record.metrics = self.meters.values();
        Ok(record)
    }

    /// θ ← θ − α·u over one batch; its loss before the step. `place` is epoch and step, for errors.
    fn step(
        &mut self,
        trainer: &Trainer<'_>,
        network: &mut Network,
        rows: Range<usize>,
        place: (usize, usize),
    ) -> Result<f32, Error> {
        let Self {
            plan,
            feed,
            optimizer,
            meters,
            order,
        } = self;
        let (count, compute) = (rows.len(), trainer.compute);
        feed.gather(&order[rows], plan, compute);
        plan.forward_head(
            count,
            network,
            Mode::train(trainer.seed, optimizer.steps() + 1),
        )?;
        if !meters.is_empty() {
            plan.forward_tail(network)?;
            meters.update(plan.output(), feed.raw_batch());
        }
        let (predictions, gradient) = plan.head(count);
        let batch = LossBatch::new(predictions, feed.learned_batch(), count)?.compute(compute);
        let loss = trainer.loss.evaluate(&batch, Some(gradient))?;
        let (epoch, step) = place;
        if !loss.is_finite() {
            return Err(Error::NonFiniteLoss { epoch, step, loss });
        }
        plan.backward(count, network)?;
        if !compute.sum_squares(plan.gradient()).is_finite() {
            return Err(Error::NonFiniteGradient { epoch, step, loss });
        }
        optimizer.step(network, plan.gradient_mut())?;
        if let Some(state) = plan.next_state() {
            network.set_state(state)?;
        }
        Ok(loss)
    }
}
