//! What others do while a network trains.

mod call;
mod closure;
mod training;

use std::error::Error;
use std::fmt;

pub(crate) use call::Callbacks;
pub use closure::Answer;
pub(crate) use closure::Closure;
pub use training::Training;

/// Something that is told where training stands, in Keras' six places, and may stop it or fail.
///
/// Every place has a default that goes on. A callback sees the run as a [`Training`]: epoch, step, losses, metrics, the
/// learning rate, the network, the history so far. It changes its own fields as it likes, and is called by one run at a
/// time; what it keeps between places costs the trainer nothing. [`Trainer::callback`](crate::Trainer::callback) takes
/// a value, or `&mut` of one that is looked at afterwards; for a few lines there is
/// [`Trainer::on`](crate::Trainer::on).
///
/// When a callback fails, training ends with [`Error::Callback`](crate::Error::Callback), which says which one and
/// where, and the network keeps what the last whole step made of it. When it answers [`Flow::Stop`], the step or the
/// epoch that it saw is the last, and [`History::ending`](crate::History::ending) says so.
///
/// ```
/// use std::error::Error;
/// use maas_core::Seed;
/// use maas_data::Dataset;
/// use maas_nn::{MeanSquaredError, Sequential};
/// use maas_train::{Callback, Ending, Flow, Progress, Sgd, Trainer, Training};
/// use ndarray::array;
///
/// /// Stops once the loss is low enough, and counts how many steps that took.
/// #[derive(Debug, Default)]
/// struct Enough { steps: u64 }
///
/// impl Callback for Enough {
///     fn batch_end(&mut self, _training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
///         self.steps += 1;
///         Ok(Flow::Continue)
///     }
///     fn epoch_end(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
///         Ok(if training.mean_loss < Some(0.01) { Flow::Stop } else { Flow::Continue })
///     }
/// }
///
/// let data = Dataset::new(array![[1.0], [2.0]].view(), array![[3.0], [5.0]].view())?;
/// let mut network = Sequential::new(data.features()).dense(1).build(Seed(7))?;
/// let mut enough = Enough::default();
/// let history = Trainer::new(Sgd::new(0.1), MeanSquaredError)
///     .epochs(1000)
///     .progress(Progress::Quiet)
///     .callback(&mut enough)
///     .fit(&mut network, &data)?;
/// assert!(matches!(history.ending, Ending::Callback { .. }));
/// assert_eq!(enough.steps, history.epochs.len() as u64);
/// # Ok::<(), Box<dyn Error>>(())
/// ```
pub trait Callback: Send {
    /// What errors, the history and checkpoints call it.
    fn name(&self) -> &str {
        std::any::type_name::<Self>()
    }

    /// Before the first step of a run, or of what is left of a resumed one.
    ///
    /// # Errors
    /// Whatever ends training.
    fn train_begin(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// Before the first step of an epoch. Not when a run is resumed in the middle of one.
    ///
    /// # Errors
    /// Whatever ends training.
    fn epoch_begin(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// Before a step.
    ///
    /// # Errors
    /// Whatever ends training.
    fn batch_begin(
        &mut self,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// After a step.
    ///
    /// # Errors
    /// Whatever ends training.
    fn batch_end(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// After the last step of an epoch and its validation. [`Training::network`] is what was validated: where the
    /// optimiser averages weights, the averages.
    ///
    /// # Errors
    /// Whatever ends training.
    fn epoch_end(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// After everything, unless an error ended training. The network is what the caller gets; stopping has no more
    /// effect.
    ///
    /// # Errors
    /// Whatever ends training.
    fn train_end(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        let _ = training;
        Ok(Flow::Continue)
    }

    /// What a resumed run has to know: kept in checkpoints under the callback's name. `Null`, the default, for nothing.
    fn state(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    /// Take over what [`state`](Self::state) gave, before [`train_begin`](Self::train_begin) of a resumed run.
    ///
    /// # Errors
    /// When it is not what this callback keeps.
    fn restore(&mut self, state: &serde_json::Value) -> Result<(), Box<dyn Error + Send + Sync>> {
        let _ = state;
        Ok(())
    }
}

macro_rules! forward {
    ($($method:ident)*) => {
        $(fn $method(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
            (**self).$method(training)
        })*

        fn name(&self) -> &str {
            (**self).name()
        }

        fn state(&self) -> serde_json::Value {
            (**self).state()
        }

        fn restore(&mut self, state: &serde_json::Value) -> Result<(), Box<dyn Error + Send + Sync>> {
            (**self).restore(state)
        }
    };
}

impl<C: Callback + ?Sized> Callback for &mut C {
    forward!(train_begin epoch_begin batch_begin batch_end epoch_end train_end);
}

impl<C: Callback + ?Sized> Callback for Box<C> {
    forward!(train_begin epoch_begin batch_begin batch_end epoch_end train_end);
}

/// Whether training goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    #[default]
    Continue,
    /// It ends here.
    Stop,
}

/// A place at which callbacks are called.
///
/// ```
/// assert_eq!(maas_train::Event::EpochEnd.to_string(), "epoch end");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Before the first step of a run.
    TrainBegin,
    /// Before the first step of an epoch.
    EpochBegin,
    /// Before a step.
    BatchBegin,
    /// After a step.
    BatchEnd,
    /// After an epoch and its validation.
    EpochEnd,
    /// After everything.
    TrainEnd,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TrainBegin => "train begin",
            Self::EpochBegin => "epoch begin",
            Self::BatchBegin => "batch begin",
            Self::BatchEnd => "batch end",
            Self::EpochEnd => "epoch end",
            Self::TrainEnd => "train end",
        })
    }
}
