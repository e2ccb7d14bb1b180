//! Closures as callbacks.

use std::error::Error;

use super::{Callback, Event, Flow, Training};

/// What a closure may answer: nothing or a [`Flow`], as it is or in a [`Result`] of any error.
///
/// ```
/// use maas_train::{Answer, Flow};
///
/// assert_eq!(().answer().unwrap(), Flow::Continue);
/// assert_eq!(Flow::Stop.answer().unwrap(), Flow::Stop);
/// assert!(Err::<(), _>("the disk is full").answer().is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "a callback cannot answer `{Self}`",
    note = "answer with nothing, with a `Flow`, or with a `Result` of one of them"
)]
pub trait Answer {
    /// Whether training goes on.
    ///
    /// # Errors
    /// What the closure failed with.
    fn answer(self) -> Result<Flow, Box<dyn Error + Send + Sync>>;
}

impl Answer for () {
    fn answer(self) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        Ok(Flow::Continue)
    }
}

impl Answer for Flow {
    fn answer(self) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        Ok(self)
    }
}

impl<A: Answer, E: Into<Box<dyn Error + Send + Sync>>> Answer for Result<A, E> {
    fn answer(self) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        self.map_err(Into::into).and_then(Answer::answer)
    }
}

/// A closure for one place.
pub(crate) struct Closure<F> {
    pub(crate) event: Event,
    pub(crate) name: &'static str,
    pub(crate) call: F,
}

impl<F: FnMut(&Training<'_>) -> A + Send, A: Answer> Closure<F> {
    fn at(
        &mut self,
        event: Event,
        training: &Training<'_>,
    ) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        if self.event == event {
            (self.call)(training).answer()
        } else {
            Ok(Flow::Continue)
        }
    }
}

macro_rules! places {
    ($($method:ident $event:ident)*) => {
        $(fn $method(&mut self, training: &Training<'_>) -> Result<Flow, Box<dyn Error + Send + Sync>> {
            self.at(Event::$event, training)
        })*
    };
}

impl<F: FnMut(&Training<'_>) -> A + Send, A: Answer> Callback for Closure<F> {
    fn name(&self) -> &str {
        self.name
    }

    places!(train_begin TrainBegin epoch_begin EpochBegin batch_begin BatchBegin batch_end BatchEnd
            epoch_end EpochEnd train_end TrainEnd);
}

impl<A: Answer> Answer for Option<A> {
    fn answer(self) -> Result<Flow, Box<dyn Error + Send + Sync>> {
        self.map_or(Ok(Flow::Continue), Answer::answer)
    }
}
