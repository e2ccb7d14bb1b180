//! Data larger than memory.

use std::path::Path;

use maas_data::{Chunks, Prefetch, Source};
use maas_nn::Network;
use ndarray::Array2;

use super::Trainer;
use super::evaluate::{Evaluator, mean};
use crate::{Error, Evaluation, History};

/// Streams.
impl Trainer<'_> {
    /// Train the network on rows that come in chunks: [`fit`](Trainer::fit) for data that are larger than memory.
    ///
    /// An epoch is a pass over the source, which is read ahead on a thread; a few chunks are in memory at once. Rows
    /// are shuffled within a chunk, in an order that depends on the seed, the epoch and the number of the chunk, and a
    /// step takes rows of one chunk: make chunks large, and of a multiple of the rows of a step. Learning rates that
    /// fall over the run need a source that knows its rows, and count a step for every so many of them.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, InMemory}, maas_nn::{MeanSquaredError, Sequential}, ndarray::array};
    /// # use maas_train::{Progress, Sgd, Trainer};
    /// let data = Dataset::new(array![[1.0], [2.0], [3.0]].view(), array![[3.0], [5.0], [7.0]].view())?;
    /// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let source = InMemory::new(data, 2);
    /// let trainer = Trainer::new(Sgd::new(0.05), MeanSquaredError).epochs(100).progress(Progress::Quiet);
    /// let history = trainer.fit_source(&mut network, &source)?;
    /// assert!(history.epochs[99].loss < 0.1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`fit`](Trainer::fit), except that rows are looked at when they come; and [`Error::Data`] for what the
    /// stream reports: it ends early, or a chunk is not as the others. The network then keeps what the steps before
    /// made.
    pub fn fit_source(&self, network: &mut Network, source: &dyn Source) -> Result<History, Error> {
        self.train_over(network, source, None)
    }

    /// Go on from a checkpoint with what [`fit_source`](Self::fit_source) would have done: see
    /// [`resume`](Self::resume). Chunks of the epoch that are over are read again and left out.
    ///
    /// # Errors
    ///
    /// As for [`resume`](Self::resume) and [`fit_source`](Self::fit_source).
    pub fn resume_source(
        &self,
        network: &mut Network,
        source: &dyn Source,
        from: impl AsRef<Path>,
    ) -> Result<History, Error> {
        self.train_over(network, source, Some(from.as_ref()))
    }

    /// Measure loss and metrics over a stream, in the memory of a few chunks.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, InMemory}, maas_nn::{MeanSquaredError, Sequential}, ndarray::array};
    /// # use maas_train::{Progress, Sgd, Trainer};
    /// let data = Dataset::new(array![[1.0], [2.0], [3.0]].view(), array![[3.0], [5.0], [7.0]].view())?;
    /// let network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let trainer = Trainer::new(Sgd::new(0.05), MeanSquaredError);
    /// let whole = trainer.evaluate(&network, &data)?;
    /// assert!((trainer.evaluate_source(&network, &InMemory::new(data, 2))?.loss - whole.loss).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`fit_source`](Self::fit_source).
    pub fn evaluate_source(
        &self,
        network: &Network,
        source: &dyn Source,
    ) -> Result<Evaluation, Error> {
        let (mut sum, mut rows) = (0.0, 0);
        let mut meters = None;
        for chunk in Prefetch::new(source).open(0)? {
            let chunk = chunk?;
            let mut evaluator = Evaluator::new(self, network, &chunk, "evaluation")?;
            if let Some(meters) = meters.take() {
                evaluator.meters = meters;
            }
            sum += evaluator.sum(network)?;
            rows += chunk.rows();
            meters = Some(evaluator.meters);
        }
        Ok(Evaluation {
            loss: mean(sum, rows),
            metrics: meters.map(|meters| meters.values()).unwrap_or_default(),
        })
    }

    /// The network's answers to a stream, chunk by chunk as rows × outputs, in the memory of a few chunks. Targets are
    /// not needed.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::{Dataset, InMemory}, maas_nn::{MeanSquaredError, Sequential}, ndarray::array};
    /// # use maas_train::{Progress, Sgd, Trainer};
    /// let data = Dataset::new(array![[1.0], [2.0], [3.0]].view(), array![[3.0], [5.0], [7.0]].view())?;
    /// let network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let trainer = Trainer::new(Sgd::new(0.05), MeanSquaredError);
    /// let mut rows = 0;
    /// for answers in trainer.predict_source(&network, &InMemory::new(data, 2))? {
    ///     rows += answers?.nrows();
    /// }
    /// assert_eq!(rows, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Data`] when the stream cannot be opened. What goes wrong later is an item, and the last one.
    pub fn predict_source<'n>(
        &self,
        network: &'n Network,
        source: &dyn Source,
    ) -> Result<Answers<'n>, Error> {
        Ok(Answers {
            network,
            chunks: Some(Prefetch::new(source).open(0)?),
        })
    }
}

/// A network's answers to a stream, as [`Trainer::predict_source`] gives them.
#[expect(
    missing_debug_implementations,
    reason = "an iterator over another's iterator"
)]
pub struct Answers<'n> {
    network: &'n Network,
    chunks: Option<Chunks>,
}

impl Iterator for Answers<'_> {
    type Item = Result<Array2<f32>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = self.chunks.as_mut()?.next()?;
        let answers = chunk.map_err(Error::from).and_then(|chunk| {
            super::feed::check_inputs(self.network, &chunk, "evaluation")?;
            let inputs: Vec<_> = chunk
                .inputs()
                .iter()
                .map(maas_data::Input::values)
                .collect();
            Ok(self.network.predict_values(chunk.rows(), &inputs)?)
        });
        if answers.is_err() {
            self.chunks = None;
        }
        Some(answers)
    }
}
