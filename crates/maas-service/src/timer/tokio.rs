use maas_schedule::{Clock, Moment, SystemClock};

use super::{Sleep, Timer};

/// The timers of tokio, by the [`SystemClock`]; needs the feature `tokio`.
///
/// # Panics
///
/// [`sleep_until`](Timer::sleep_until) panics outside of a tokio runtime whose time is enabled.
///
/// ```
/// use std::time::Duration;
/// use maas_schedule::Clock;
/// use maas_service::{Timer, TokioTimer};
///
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
/// runtime.block_on(async {
///     let end = TokioTimer.now() + Duration::from_millis(5);
///     TokioTimer.sleep_until(end).await;
///     assert!(TokioTimer.now() >= end);
/// });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokioTimer;

impl Clock for TokioTimer {
    fn now(&self) -> Moment {
        SystemClock.now()
    }
}

impl Timer for TokioTimer {
    fn sleep_until(&self, moment: Moment) -> Sleep {
        Sleep::new(tokio::time::sleep(moment.since(self.now())))
    }
}
