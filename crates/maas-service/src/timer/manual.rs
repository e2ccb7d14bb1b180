use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use maas_schedule::{Clock, ManualClock, Moment};

use super::alarm::{Alarm, Asleep, Sleepers};
use super::{Sleep, Timer};

/// A timer that stands still until it is told to go on. Clones share the time and the sleepers.
///
/// ```
/// use std::time::Duration;
/// use maas_schedule::Clock;
/// use maas_service::{ManualTimer, Timer};
///
/// let timer = ManualTimer::new();
/// let sleep = timer.sleep_until(timer.now() + Duration::from_secs(60));
/// timer.advance(Duration::from_secs(60));
/// pollster::block_on(sleep);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualTimer {
    clock: ManualClock,
    sleepers: Arc<Mutex<Sleepers>>,
}

impl ManualTimer {
    /// A timer at [`Moment::ZERO`] with a clock of its own.
    ///
    /// ```
    /// use maas_schedule::{Clock, Moment};
    /// assert_eq!(maas_service::ManualTimer::new().now(), Moment::ZERO);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A timer that shows the time of `clock`. Who moves that clock and not the timer says so by
    /// [`ring`](Self::ring).
    ///
    /// ```
    /// use std::time::Duration;
    /// use maas_schedule::{Clock, ManualClock};
    /// use maas_service::{ManualTimer, Timer};
    ///
    /// let clock = ManualClock::new();
    /// let timer = ManualTimer::following(clock.clone());
    /// let sleep = timer.sleep_until(clock.now() + Duration::from_secs(1));
    /// clock.advance(Duration::from_secs(1));
    /// timer.ring();
    /// pollster::block_on(sleep);
    /// ```
    #[must_use]
    pub fn following(clock: ManualClock) -> Self {
        Self {
            clock,
            sleepers: Arc::default(),
        }
    }

    /// Moves the clock forward and wakes whose moment has come.
    ///
    /// See the type for an example.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.ring();
    }

    /// Wakes whose moment has come.
    ///
    /// See [`following`](Self::following) for an example.
    pub fn ring(&self) {
        let due = self.lock().due(self.clock.now());
        due.into_iter().for_each(Waker::wake);
    }

    /// How many sleep.
    ///
    /// ```
    /// assert_eq!(maas_service::ManualTimer::new().sleepers(), 0);
    /// ```
    #[must_use]
    pub fn sleepers(&self) -> usize {
        self.lock().count()
    }

    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualTimer {
    fn now(&self) -> Moment {
        self.clock.now()
    }
}

impl Timer for ManualTimer {
    fn sleep_until(&self, moment: Moment) -> Sleep {
        Sleep::new(Asleep::new(self.clone(), moment))
    }
}

impl Alarm for ManualTimer {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    fn set<R>(&self, moment: Moment, change: impl FnOnce(&mut Sleepers) -> R) -> R {
        let result = change(&mut self.lock());
        // The clock may have been moved, and those who were due woken, between the sleeper's look and its entry.
        if self.clock.now() >= moment {
            self.ring();
        }
        result
    }

    fn unset<R>(&self, change: impl FnOnce(&mut Sleepers) -> R) -> R {
        change(&mut self.lock())
    }
}
