//! What a service does wrong harms its own request alone.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use maas_schedule::{Clock, Moment, SystemClock};
use maas_service::ServeError;
use tokio::time::timeout;

/// What an answer ends in, or an error where it panics or is not there at its deadline.
pub(crate) async fn guarded<T>(
    deadline: Option<Moment>,
    answer: impl Future<Output = Result<T, ServeError>>,
) -> Result<T, ServeError> {
    let answer = caught(answer);
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
    timeout(left, answer)
        .await
        .unwrap_or_else(|_| Err(expired()))
}

async fn caught<T>(answer: impl Future<Output = Result<T, ServeError>>) -> Result<T, ServeError> {
    let mut answer = pin!(answer);
    let polled = poll_fn(|context| {
        let poll = || answer.as_mut().poll(context);
        catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
            Poll::Ready(Err(ServeError::Panicked {
                message: "the service panicked".to_owned(),
            }))
        })
    });
    polled.await
}
