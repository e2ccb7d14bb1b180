//! Answers that come one after another.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

/// The stream of the one thing that a future ends in.
pub(crate) struct Once<F>(Option<Pin<Box<F>>>);

impl<F> Once<F> {
    pub(crate) fn of(future: F) -> Self {
        Self(Some(Box::pin(future)))
    }
}

impl<F: Future> Stream for Once<F> {
    type Item = F::Output;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<F::Output>> {
        let Some(future) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let output = ready!(future.as_mut().poll(context));
        self.0 = None;
        Poll::Ready(Some(output))
    }
}

impl<F> fmt::Debug for Once<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.0.is_some()).finish()
    }
}
