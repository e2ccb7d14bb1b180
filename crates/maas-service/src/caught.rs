//! Panics of models and services, as errors.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::ServeError;

/// What the future ends in; a panic is [`ServeError::Panicked`], and the future is not polled again.
pub(crate) async fn caught<T, F: Future<Output = Result<T, ServeError>>>(
    mut future: Pin<&mut F>,
) -> Result<T, ServeError> {
    let polled = poll_fn(|context| {
        let poll = || future.as_mut().poll(context);
        let polled = catch_unwind(AssertUnwindSafe(poll));
        polled.unwrap_or_else(|panic| Poll::Ready(Err(panicked(panic.as_ref()))))
    });
    polled.await
}

pub(crate) fn panicked(panic: &(dyn Any + Send)) -> ServeError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    ServeError::Panicked {
        message: text.unwrap_or("no message").to_owned(),
    }
}
