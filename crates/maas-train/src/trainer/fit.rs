//! What a trainer is asked to do.

use std::path::Path;

use maas_data::{Dataset, Prefetch, Source};
use maas_nn::Network;

use super::Trainer;
use super::session::Session;
use super::supply::Supply;
use crate::checkpoint::CheckpointFault;
use crate::{Checkpoints, Error, Figure, Goal, History};

impl Trainer<'_> {
    /// Trains from the beginning, or from a checkpoint.
    pub(super) fn train_on(
        &self,
        network: &mut Network,
        data: &Dataset,
        from: Option<&Path>,
    ) -> Result<History, Error> {
        self.check()?;
        let mut supply = Supply::of_data(network, data)?;
        let mut session = Session::new(self, network, &supply)?;
        if let Supply::Data { feed, .. } = &supply {
            session.stepper.check(self, feed)?;
        }
        if let Some(from) = from {
            session.resume(network, &supply, &file(from)?)?;
        }
        session.run(network, &mut supply)?;
        Ok(session.history)
    }

    /// The same over a stream.
    pub(super) fn train_over(
        &self,
        network: &mut Network,
        source: &dyn Source,
        from: Option<&Path>,
    ) -> Result<History, Error> {
        self.check()?;
        let source = Prefetch::new(source);
        let mut supply = Supply::Stream(&source);
        let mut session = Session::new(self, network, &supply)?;
        if let Some(from) = from {
            session.resume(network, &supply, &file(from)?)?;
        }
        session.run(network, &mut supply)?;
        Ok(session.history)
    }

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
    pub(super) fn goal_of(&self, figure: &Figure) -> Result<Goal, Error> {
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

/// A checkpoint, or the newest in a folder.
fn file(path: &Path) -> Result<std::path::PathBuf, Error> {
    if path.is_dir() {
        Checkpoints::latest(path)?.ok_or_else(|| CheckpointFault::None.at(path))
    } else {
        Ok(path.to_owned())
    }
}
