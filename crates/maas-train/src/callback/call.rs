//! Callbacks, called in turn.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Callback, Event, Flow, Training};
use crate::Error;

/// In the order in which they were added.
#[derive(Clone, Default)]
pub(crate) struct Callbacks<'a>(Vec<Arc<dyn Shared + 'a>>);

/// A callback that clones of a trainer share. A mutex outside of the trait object would make the lifetime of a trainer
/// invariant.
trait Shared: Send + Sync {
    fn name(&self) -> String;
    fn call(
        &self,
        event: Event,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn StdError + Send + Sync>>;
    fn state(&self) -> serde_json::Value;
    fn restore(&self, state: &serde_json::Value) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

struct Locked<C>(Mutex<C>);

impl<C> Locked<C> {
    /// A callback that panicked in another run may still be called.
    fn lock(&self) -> MutexGuard<'_, C> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: Callback> Shared for Locked<C> {
    fn name(&self) -> String {
        self.lock().name().to_owned()
    }

    fn call(
        &self,
        event: Event,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn StdError + Send + Sync>> {
        let mut callback = self.lock();
        match event {
            Event::TrainBegin => callback.train_begin(training),
            Event::EpochBegin => callback.epoch_begin(training),
            Event::BatchBegin => callback.batch_begin(training),
            Event::BatchEnd => callback.batch_end(training),
            Event::EpochEnd => callback.epoch_end(training),
            Event::TrainEnd => callback.train_end(training),
        }
    }

    fn state(&self) -> serde_json::Value {
        self.lock().state()
    }

    fn restore(&self, state: &serde_json::Value) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.lock().restore(state)
    }
}

impl<'a> Callbacks<'a> {
    pub(crate) fn push(&mut self, callback: impl Callback + 'a) {
        self.0.push(Arc::new(Locked(Mutex::new(callback))));
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them are called, also where one asks to stop; the answer is the name of the first that asked.
    pub(crate) fn call(
        &self,
        event: Event,
        training: &Training<'_>,
    ) -> Result<Option<String>, Error> {
        let mut stop = None;
        for callback in &self.0 {
            let flow = callback
                .call(event, training)
                .map_err(|source| Error::Callback {
                    name: callback.name(),
                    event,
                    epoch: training.epoch,
                    step: training.step,
                    source,
                })?;
            if flow == Flow::Stop && stop.is_none() {
                stop = Some(callback.name());
            }
        }
        Ok(stop)
    }

    /// Name and state of each that has one.
    pub(crate) fn states(&self) -> Vec<(String, serde_json::Value)> {
        self.0
            .iter()
            .map(|callback| (callback.name(), callback.state()))
            .filter(|(_, state)| !state.is_null())
            .collect()
    }

    /// Hands states back: the first of a name to the first callback of that name, and so on.
    pub(crate) fn restore(&self, states: &[(String, serde_json::Value)]) -> Result<(), Error> {
        let mut used = vec![false; states.len()];
        for callback in &self.0 {
            let name = callback.name();
            let own = (states.iter().zip(&mut used))
                .find(|((of, _), used)| !**used && *of == name)
                .map(|((_, state), used)| (state, used));
            let Some((state, used)) = own else {
                continue;
            };
            *used = true;
            callback
                .restore(state)
                .map_err(|source| Error::CallbackState { name, source })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Callbacks<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks")
            .field("count", &self.0.len())
            .finish()
    }
}
