use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use maas_schedule::Moment;

use super::Timer;

/// What the future ends in, or nothing when it has not ended by `moment`. One that ends at once needs no timer.
pub(crate) async fn until<F: Future>(
    timer: &(impl Timer + ?Sized),
    moment: Moment,
    future: F,
) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = None;
    let either = poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        let sleep = sleep.get_or_insert_with(|| timer.sleep_until(moment));
        Pin::new(sleep).poll(context).map(|()| None)
    });
    either.await
}
