//! The loop.

use std::time::Instant;

use maas_data::{Dataset, Shuffle};
use maas_nn::Network;

use super::evaluate::Evaluator;
use super::feed::Feed;
use super::step::{Stepper, rows_of};
use super::{Order, Trainer};
use crate::early_stopping::Watch;
use crate::progress::Display;
use crate::{Ending, EpochRecord, Error, Event, Figure, Goal, History, Training};

pub(super) fn fit(
    trainer: &Trainer<'_>,
    network: &mut Network,
    data: &Dataset,
) -> Result<History, Error> {
    trainer.check()?;
    let mut feed = Feed::new(network, data, "training")?;
    let mut session = Session::new(trainer, network, &feed)?;
    session.run(network, &mut feed)?;
    Ok(session.history)
}

/// One run of training.
struct Session<'t, 'a> {
    trainer: &'t Trainer<'a>,
    stepper: Stepper,
    validator: Option<Evaluator<'a>>,
    watch: Option<Watch>,
    display: Display,
    history: History,
    place: Place,
    order: Vec<u32>,
    /// The rate of the last step.
    learning_rate: f32,
    /// The loss of the last step.
    loss: Option<f32>,
}

/// How far a run has come.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    /// The epoch, from 1.
    epoch: usize,
    /// Steps of the epoch that are over.
    step: usize,
    /// Rows of the epoch that are over.
    seen: usize,
    /// The loss over those rows, summed.
    sum: f64,
    /// Seconds of the epoch in earlier runs.
    seconds: f64,
}

impl Place {
    fn beginning(epoch: usize) -> Self {
        Self {
            epoch,
            step: 0,
            seen: 0,
            sum: 0.0,
            seconds: 0.0,
        }
    }

    fn mean_loss(&self) -> Option<f32> {
        (self.seen > 0).then(|| (self.sum / self.seen as f64) as f32)
    }
}

impl<'t, 'a> Session<'t, 'a> {
    fn new(trainer: &'t Trainer<'a>, network: &Network, feed: &Feed<'_>) -> Result<Self, Error> {
        let stepper = Stepper::new(trainer, network, feed)?;
        let validator = trainer
            .validation
            .map(|data| Evaluator::new(trainer, network, data, "validation"))
            .transpose()?;
        let watch = match &trainer.early_stopping {
            Some(rule) => Some(Watch::new(rule.clone(), trainer.goal_of(rule.figure())?)),
            None => None,
        };
        Ok(Self {
            stepper,
            validator,
            watch,
            display: Display::start(trainer.progress, trainer.epochs, feed.rows()),
            history: History::default(),
            place: Place::beginning(1),
            // A data set has no more rows than a u32 counts.
            order: (0..feed.rows() as u32).collect(),
            learning_rate: 0.0,
            loss: None,
            trainer,
        })
    }

    fn run(&mut self, network: &mut Network, feed: &mut Feed<'_>) -> Result<(), Error> {
        self.learning_rate = self.next_rate()?;
        let mut ending = self.call(Event::TrainBegin, network)?;
        while ending.is_none() {
            ending = match &self.watch {
                Some(watch) if watch.is_over() => Some(Ending::EarlyStopping {
                    best_epoch: watch.best_epoch,
                }),
                _ if self.place.epoch > self.trainer.epochs => Some(Ending::Completed),
                _ => self.epoch(network, feed)?,
            };
        }
        self.history.ending = ending.unwrap_or_default();
        self.place.epoch = self.place.epoch.min(self.trainer.epochs);
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
        feed: &mut Feed<'_>,
    ) -> Result<Option<Ending>, Error> {
        let start = Instant::now();
        if self.place.seen == 0 {
            self.stepper.meters.clear();
            if let Some(ending) = self.call(Event::EpochBegin, network)? {
                return Ok(Some(ending));
            }
        }
        if self.trainer.order == Order::Shuffled {
            Shuffle::new(self.trainer.seed).fill(self.place.epoch as u64, &mut self.order);
        }
        if let Some(ending) = self.steps(network, feed)? {
            return Ok(Some(ending));
        }
        let epoch = self.place.epoch;
        if !network.parameters().iter().all(|weight| weight.is_finite()) {
            return Err(Error::NonFiniteWeights { epoch });
        }
        let mut record = EpochRecord::new(epoch, self.place.mean_loss().unwrap_or(f32::NAN));
        record.metrics = self.stepper.meters.values();
        record.learning_rate = Some(self.learning_rate);
        if let Some(validator) = &mut self.validator {
            let evaluation = validator.evaluate(network)?;
            record.validation_loss = Some(evaluation.loss);
            record.validation_metrics = evaluation.metrics;
        }
        if let Some(watch) = &mut self.watch {
            watch.epoch(&record, network);
        }
        record.seconds = self.place.seconds + start.elapsed().as_secs_f64();
        self.display.epoch(&record);
        self.history.push(record);
        let ending = self.call(Event::EpochEnd, network)?;
        self.place = Place::beginning(epoch + 1);
        Ok(ending)
    }

    /// The steps of the epoch that are left.
    fn steps(
        &mut self,
        network: &mut Network,
        feed: &mut Feed<'_>,
    ) -> Result<Option<Ending>, Error> {
        let (rows, step_rows) = (self.order.len(), self.trainer.step_rows());
        let watched = !self.trainer.callbacks.is_empty();
        for step in self.place.step..rows.div_ceil(step_rows) {
            if let Some(stop) = &self.trainer.stop
                && stop.is_stopped()
            {
                return Ok(Some(Ending::StopHandle));
            }
            self.learning_rate = self.next_rate()?;
            if watched {
                self.place.step = step + 1;
                let ending = self.call(Event::BatchBegin, network)?;
                self.place.step = step;
                if ending.is_some() {
                    return Ok(ending);
                }
            }
            let rows = rows_of(step, rows, step_rows);
            let count = rows.len();
            let sum = self.stepper.step(
                self.trainer,
                network,
                feed,
                &self.order[rows],
                (self.place.epoch, step + 1),
            )?;
            self.place.step = step + 1;
            self.place.seen += count;
            self.place.sum += sum;
            self.loss = Some((sum / count as f64) as f32);
            self.display
                .batch(self.place.seen, self.place.sum / self.place.seen as f64);
            if watched && let Some(ending) = self.call(Event::BatchEnd, network)? {
                return Ok(Some(ending));
            }
        }
        Ok(None)
    }

    fn next_rate(&self) -> Result<f32, Error> {
        self.stepper.optimizer.learning_rate()
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
            steps: Some(self.order.len().div_ceil(self.trainer.step_rows())),
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

impl Trainer<'_> {
    /// Rows of a step.
    pub(super) fn step_rows(&self) -> usize {
        self.batch_size.saturating_mul(self.accumulate)
    }

    fn check(&self) -> Result<(), Error> {
        if self.epochs == 0 {
            return Err(Error::Epochs);
        }
        if self.batch_size == 0 {
            return Err(Error::BatchSize);
        }
        if self.accumulate == 0 {
            return Err(Error::Accumulate);
        }
        self.early_stopping
            .as_ref()
            .map_or(Ok(()), crate::EarlyStopping::check)
    }

    /// Which way a figure is better, if it is measured.
    fn goal_of(&self, figure: &Figure) -> Result<Goal, Error> {
        let metric = |name: &str| self.metrics.iter().find(|metric| metric.name() == name);
        let validated = self.validation.is_some();
        let goal = match figure {
            Figure::Loss => Some(Goal::Minimize),
            Figure::ValidationLoss => validated.then_some(Goal::Minimize),
            Figure::Metric(name) => metric(name).map(|metric| metric.goal()),
            Figure::ValidationMetric(name) => metric(name)
                .filter(|_| validated)
                .map(|metric| metric.goal()),
        };
        goal.ok_or_else(|| {
            let names = || self.metrics.iter().map(|metric| metric.name());
            let mut available = vec![Figure::Loss];
            available.extend(names().map(Figure::metric));
            if validated {
                available.push(Figure::ValidationLoss);
                available.extend(names().map(Figure::validation));
            }
            Error::Figure {
                figure: figure.clone(),
                available,
            }
        })
    }
}
