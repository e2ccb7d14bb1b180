//! Futures that end at a moment, without a runtime.

mod alarm;
mod manual;
mod sleep;
mod thread;
#[cfg(feature = "tokio")]
mod tokio;
mod until;

use std::sync::Arc;

#[cfg(feature = "tokio")]
pub use self::tokio::TokioTimer;
pub use manual::ManualTimer;
pub use sleep::Sleep;
pub use thread::ThreadTimer;
pub(crate) use until::until;

use maas_schedule::{Clock, Moment};

/// A clock that can also be waited for, as a value that is passed in, so that tests own the time.
///
/// [`ThreadTimer`] needs no runtime, [`ManualTimer`] stands still until it is told to go on, and `TokioTimer` (feature `tokio`)
/// takes the timers of tokio.
///
/// ```
/// use std::time::Duration;
/// use maas_schedule::{Clock, SystemClock};
/// use maas_service::{ThreadTimer, Timer};
///
/// let timer: &dyn Timer = &ThreadTimer;
/// let end = timer.now() + Duration::from_millis(5);
/// pollster::block_on(timer.sleep_until(end));
/// assert!(SystemClock.now() >= end);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a timer",
    note = "use `ThreadTimer`, `ManualTimer` or, with the feature `tokio`, `TokioTimer`; or implement `maas_service::Timer`"
)]
pub trait Timer: Clock {
    /// A future that ends when this clock shows `moment`, or later.
    fn sleep_until(&self, moment: Moment) -> Sleep;
}

impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn sleep_until(&self, moment: Moment) -> Sleep {
        (**self).sleep_until(moment)
    }
}

impl<T: Timer + ?Sized> Timer for &T {
    fn sleep_until(&self, moment: Moment) -> Sleep {
        (**self).sleep_until(moment)
    }
}
