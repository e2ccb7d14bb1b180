//! One run of training.

use std::time::Instant;

use maas_core::Seed;
use maas_data::Shuffle;
use maas_nn::Network;

use super::evaluate::Evaluator;
use super::feed::Feed;
use super::keeper::Keeper;
use super::step::{At, Stepper};
use super::supply::Supply;
use super::{Order, Trainer};
use crate::checkpoint::Place;
use crate::early_stopping::Watch;
use crate::progress::Display;
use crate::{Ending, EpochRecord, Error, Event, History, Training};

pub(super) struct Session<'t, 'a> {
    pub(super) trainer: &'t Trainer<'a>,
    pub(super) stepper: Stepper,
    validator: Option<Evaluator<'a>>,
    pub(super) watch: Option<Watch>,
    display: Display,
    pub(super) history: History,
    pub(super) place: Place,
    pub(super) keeper: Option<Keeper<'t>>,
    order: Vec<u32>,
    /// Steps of an epoch, where they are known.
    steps: Option<usize>,
    /// The rate of the last step.
    learning_rate: f32,
    /// The loss of the last step.
    loss: Option<f32>,
}

impl<'t, 'a> Session<'t, 'a> {
    pub(super) fn new(
        trainer: &'t Trainer<'a>,
        network: &Network,
        supply: &Supply<'_>,
    ) -> Result<Self, Error> {
        let rows = supply.rows();
        let mut stepper = Stepper::new(trainer, network, rows)?;
        stepper.optimizer.settle(|figure| trainer.goal_of(figure))?;
        let validator = trainer
            .validation
            .map(|data| Evaluator::new(trainer, network, data, "validation"))
            .transpose()?;
        let watch = match &trainer.early_stopping {
            Some(rule) => Some(Watch::new(rule.clone(), trainer.goal_of(rule.figure())?)),
            None => None,
        };
        let keeper = match &trainer.checkpoints {
            Some(rule) => Some(Keeper::new(rule, trainer, network, supply)?),
            None => None,
        };
        let known = rows.and_then(|rows| usize::try_from(rows).ok());
        Ok(Self {
            stepper,
            validator,
            watch,
            keeper,
            display: Display::start(trainer.progress, trainer.epochs, known),
            history: History::default(),
            place: Place::beginning(1),
            order: Vec::new(),
            steps: known.map(|rows| rows.div_ceil(trainer.step_rows())),
            learning_rate: 0.0,
            loss: None,
            trainer,
        })
    }

    pub(super) fn run(
        &mut self,
        network: &mut Network,
        supply: &mut Supply<'_>,
    ) -> Result<(), Error> {
        self.learning_rate = self.stepper.optimizer.learning_rate()?;
        let mut ending = self.call(Event::TrainBegin, network)?;
        while ending.is_none() {
            ending = match &self.watch {
                Some(watch) if watch.is_over() => Some(Ending::EarlyStopping {
                    best_epoch: watch.best_epoch,
                }),
                _ if self.place.epoch > self.trainer.epochs => Some(Ending::Completed),
                _ => self.epoch(network, supply)?,
            };
        }
        self.history.ending = ending.unwrap_or_default();
        if self.history.is_interrupted() {
            self.keep(network)?;
        }
        self.place.epoch = self.place.epoch.min(self.trainer.epochs);
        self.stepper.average(network)?;
        if let Some(watch) = &self.watch
            && !self.history.is_interrupted()
        {
            watch.restore(network)?;
        }
        self.call(Event::TrainEnd, network)?;
        Ok(())
    }

    /// What is left of an epoch; an ending where it is not to be finished, or is the last.
    fn epoch(
        &mut self,
        network: &mut Network,
        supply: &mut Supply<'_>,
    ) -> Result<Option<Ending>, Error> {
        let start = Instant::now();
        let earlier = self.place.seconds;
        if self.place.seen == 0 {
            self.stepper.meters.clear();
            if let Some(ending) = self.call(Event::EpochBegin, network)? {
                return Ok(Some(ending));
            }
        }
        let ending = supply.epoch(self, network, start)?;
        self.place.seconds = earlier + start.elapsed().as_secs_f64();
        if ending.is_some() {
            return Ok(ending);
        }
        let epoch = self.place.epoch;
        if !network.parameters().iter().all(|weight| weight.is_finite()) {
            return Err(Error::NonFiniteWeights { epoch });
        }
        self.stepper.average(network)?;
        let ending = self.judge(network, start, earlier);
        self.stepper.unaverage(network);
        let ending = ending?;
        self.place = Place::beginning(epoch + 1);
        self.steps = self.steps.or(supply.steps(self.trainer));
        if let Some(keeper) = &self.keeper
            && keeper.due_after_epoch(epoch)
        {
            self.keep(network)?;
        }
        self.keep_best(network)?;
        Ok(ending)
    }

    /// What the epoch came to.
    fn judge(
        &mut self,
        network: &Network,
        start: Instant,
        earlier: f64,
    ) -> Result<Option<Ending>, Error> {
        let loss = self.place.mean_loss().unwrap_or(f32::NAN);
        let mut record = EpochRecord::new(self.place.epoch, loss);
        record.metrics = self.stepper.meters.values();
        record.learning_rate = Some(self.learning_rate);
        if let Some(validator) = &mut self.validator {
            let evaluation = validator.evaluate(network)?;
            record.validation_loss = Some(evaluation.loss);
            record.validation_metrics = evaluation.metrics;
        }
        self.stepper.optimizer.observe_epoch(&record);
        if let Some(watch) = &mut self.watch {
            watch.epoch(&record, network);
        }
        record.seconds = earlier + start.elapsed().as_secs_f64();
        self.display.epoch(&record);
        self.history.push(record);
        self.call(Event::EpochEnd, network)
    }

    /// The steps of a chunk that are left. `start` is when this run came to the epoch.
    pub(super) fn chunk(
        &mut self,
        network: &mut Network,
        feed: &mut Feed<'_>,
        seeds: Seeds,
        start: Instant,
    ) -> Result<Option<Ending>, Error> {
        // A data set has no more rows than a u32 counts.
        self.order.clear();
        self.order.extend(0..feed.rows() as u32);
        match &self.trainer.order {
            Order::Shuffled => Shuffle::new(seeds.shuffle).fill(seeds.number, &mut self.order),
            Order::AsGiven => {}
            Order::By(order) => {
                order.fill(seeds.number, &mut self.order);
                within(&self.order)?;
            }
        }
        let (rows, step_rows) = (self.order.len(), self.trainer.step_rows());
        let watched = !self.trainer.callbacks.is_empty();
        let earlier = self.place.seconds;
        while self.place.row < rows {
            if let Some(stop) = &self.trainer.stop
                && stop.is_stopped()
            {
                return Ok(Some(Ending::StopHandle));
            }
            self.learning_rate = self.stepper.optimizer.learning_rate()?;
            if watched {
                self.place.step += 1;
                let ending = self.call(Event::BatchBegin, network);
                self.place.step -= 1;
                if let Some(ending) = ending? {
                    return Ok(Some(ending));
                }
            }
            let end = rows.min(self.place.row.saturating_add(step_rows));
            let part = self.place.row..end;
            let count = part.len();
            let at = At {
                epoch: self.place.epoch,
                step: self.place.step + 1,
                seed: seeds.rows,
            };
            let part = &self.order[part];
            let sum = self.stepper.step(self.trainer, network, feed, part, at)?;
            self.place.row = end;
            self.place.step += 1;
            self.place.seen += count;
            self.place.sum += sum;
            self.loss = Some((sum / count as f64) as f32);
            self.display.batch(
                self.place.seen,
                self.place.sum / self.place.seen as f64,
                &self.stepper.meters,
            );
            let ending = if watched {
                self.call(Event::BatchEnd, network)?
            } else {
                None
            };
            if let Some(keeper) = &self.keeper
                && keeper.due_after_step(self.stepper.optimizer.steps())
            {
                self.place.seconds = earlier + start.elapsed().as_secs_f64();
                self.keep(network)?;
                self.place.seconds = earlier;
            }
            if ending.is_some() {
                return Ok(ending);
            }
        }
        Ok(None)
    }

    /// An ending where a callback asks for one.
    fn call(&self, event: Event, network: &Network) -> Result<Option<Ending>, Error> {
        if self.trainer.callbacks.is_empty() {
            return Ok(None);
        }
        let training = Training {
            epoch: self.place.epoch,
            epochs: self.trainer.epochs,
            step: self.place.step,
            steps: self.steps,
            steps_taken: self.stepper.optimizer.steps(),
            loss: self.loss,
            mean_loss: self.place.mean_loss(),
            learning_rate: self.learning_rate,
            network,
            history: &self.history,
            meters: &self.stepper.meters,
        };
        let stop = self.trainer.callbacks.call(event, &training)?;
        Ok(stop.map(|name| Ending::Callback { name }))
    }
}

/// Refuses numbers of rows that there are not.
fn within(order: &[u32]) -> Result<(), Error> {
    let rows = order.len();
    match order.iter().find(|&&row| row as usize >= rows) {
        None => Ok(()),
        Some(&row) => Err(Error::RowOrder { row, rows }),
    }
}

/// What the order and the changes of a chunk's rows come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seeds {
    pub(super) shuffle: Seed,
    pub(super) number: u64,
    pub(super) rows: Seed,
}
