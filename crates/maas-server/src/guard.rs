//! What a service does wrong, or does not do in time, harms its own request alone.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use maas_schedule::{Clock, Moment, SystemClock};
use maas_service::ServeError;
use tokio::time::timeout;

/// What an answer ends in, or an error where it panics or is not there at its deadline.
pub(crate) async fn guarded<T>(
    deadline: Option<Moment>,
    answer: impl Future<Output = Result<T, ServeError>> + Unpin,
) -> Result<T, ServeError> {
    let answer = Caught(answer);
    let Some(deadline) = deadline else {
        return answer.await;
    };
    let expired = || ServeError::Expired {
        late: SystemClock.now().since(deadline),
    };
    let left = deadline.since(SystemClock.now());
    if left.is_zero() {
        return Err(expired());
    }
    let answered = within(left, answer).await;
    answered.unwrap_or_else(|| Err(expired()))
}

/// What a future ends in, or `None` where that takes too long. What is there at once needs no timer.
pub(crate) async fn within<T>(
    limit: Duration,
    mut future: impl Future<Output = T> + Unpin,
) -> Option<T> {
    match poll_fn(|context| Poll::Ready(Pin::new(&mut future).poll(context))).await {
        Poll::Ready(there) => Some(there),
        Poll::Pending => timeout(limit, future).await.ok(),
    }
}

/// A future whose panics are errors.
struct Caught<F>(F);

impl<T, F: Future<Output = Result<T, ServeError>> + Unpin> Future for Caught<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let poll = || Pin::new(&mut self.0).poll(context);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
            Poll::Ready(Err(ServeError::Panicked {
                message: "the service panicked".to_owned(),
            }))
        })
    }
}
