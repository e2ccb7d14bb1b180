//! Streams written as one asynchronous function that gives its items away as it goes.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::{InferResponse, ServeError};

pub(super) type Piece = Result<InferResponse, ServeError>;

/// Where the function gives its items to.
pub(super) struct Giver<T>(Arc<Mutex<Option<T>>>);

impl<T> Giver<T> {
    /// Ends when somebody asks for what comes behind the item.
    pub(super) async fn give(&self, item: T) {
        put(&self.0, Some(item));
        let mut given = false;
        let asked_again = poll_fn(|_| {
            if std::mem::replace(&mut given, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        });
        asked_again.await;
    }
}

/// The stream of what the function gives, until it ends.
pub(super) fn generate<T, F: Future<Output = ()>>(
    function: impl FnOnce(Giver<T>) -> F,
) -> Generated<T, F> {
    let given = Arc::new(Mutex::new(None));
    let function = function(Giver(Arc::clone(&given)));
    Generated {
        function: Some(Box::pin(function)),
        given,
    }
}

pub(super) struct Generated<T, F> {
    function: Option<Pin<Box<F>>>,
    given: Arc<Mutex<Option<T>>>,
}

impl<T, F: Future<Output = ()>> Stream for Generated<T, F> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let Some(function) = &mut self.function else {
            return Poll::Ready(None);
        };
        if function.as_mut().poll(context).is_ready() {
            self.function = None;
            return Poll::Ready(None);
        }
        match put(&self.given, None) {
            Some(item) => Poll::Ready(Some(item)),
            None => Poll::Pending,
        }
    }
}

/// The stream's next item.
pub(super) async fn next<S: Stream>(stream: &mut Pin<&mut S>) -> Option<S::Item> {
    poll_fn(|context| stream.as_mut().poll_next(context)).await
}

fn put<T>(place: &Mutex<Option<T>>, item: Option<T>) -> Option<T> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::replace(&mut place, item)
}
