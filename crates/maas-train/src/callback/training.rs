use maas_nn::Network;

use crate::meters::Meters;
use crate::{EpochRecord, History};

/// Where a run of training stands, as callbacks see it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Training<'a> {
    /// The epoch, counted from 1; the last one at the end of training.
    pub epoch: usize,
    /// How many epochs were asked for.
    pub epochs: usize,
    /// The step within the epoch, counted from 1: the one to come at the beginning of a batch, the last one elsewhere,
    /// 0 where there was none yet.
    pub step: usize,
    /// Steps of an epoch, where they are known beforehand: a stream may tell only at its end.
    pub steps: Option<usize>,
    /// Steps taken since training began, those before a checkpoint included.
    pub steps_taken: u64,
    /// The loss of the batch of the last step, before the step. `None` before the first one.
    pub loss: Option<f32>,
    /// The mean loss over the rows of the epoch so far.
    pub mean_loss: Option<f32>,
    /// α of the step: of the one to come at a beginning, of the last one at an end.
    pub learning_rate: f32,
    /// The network.
    pub network: &'a Network,
    /// The epochs that are over; at the end of an epoch it is the last of them.
    pub history: &'a History,
    pub(crate) meters: &'a Meters,
}

impl<'a> Training<'a> {
    /// A metric over the rows of the epoch so far, each batch measured before its step. `None` for a metric that is
    /// not measured.
    ///
    /// ```
    /// # use maas_core::Seed;
    /// # use maas_data::Dataset;
    /// # use maas_nn::{MeanSquaredError, Sequential};
    /// use maas_train::{AbsoluteError, Event, Progress, Sgd, Trainer};
    /// # use ndarray::array;
    /// # let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
    /// # let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
    /// let trainer = Trainer::new(Sgd::new(0.1), MeanSquaredError)
    ///     .metric(AbsoluteError)
    ///     .progress(Progress::Quiet)
    ///     .on(Event::BatchEnd, |training| {
    ///         assert!(training.metric("mean_absolute_error").is_some());
    ///         assert!(training.metric("accuracy").is_none());
    ///     });
    /// # trainer.fit(&mut network, &data)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.meters.value(name)
    }

    /// All metrics over the rows of the epoch so far, by name.
    pub fn metrics(&self) -> impl Iterator<Item = (&'a str, f64)> + use<'a> {
        self.meters.iter()
    }

    /// The record of the last epoch that is over: at the end of an epoch its own.
    #[must_use]
    pub fn record(&self) -> Option<&'a EpochRecord> {
        self.history.last()
    }
}
