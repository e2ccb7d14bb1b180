use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A point in time: nanoseconds since the origin of the clock that told it.
///
/// Moments of one clock compare; moments of different clocks mean nothing to each other, except that all
/// [`SystemClock`]s of a process share one origin. Unlike [`std::time::Instant`] a moment fits into an atomic word
/// and can be written down, so simulations replay.
///
/// ```
/// use maas_schedule::Moment;
/// use std::time::Duration;
///
/// let later = Moment::ZERO + Duration::from_millis(5);
/// assert_eq!(later.since(Moment::ZERO), Duration::from_millis(5));
/// assert_eq!(Moment::ZERO.since(later), Duration::ZERO);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);

    /// The moment `nanoseconds` after the clock's origin.
    ///
    /// ```
    /// use maas_schedule::Moment;
    /// assert_eq!(Moment::from_nanos(7).as_nanos(), 7);
    /// ```
    #[must_use]
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// Nanoseconds since the clock's origin.
    ///
    /// ```
    /// assert_eq!(maas_schedule::Moment::ZERO.as_nanos(), 0);
    /// ```
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long `earlier` is ago; zero when it is not earlier.
    ///
    /// ```
    /// use maas_schedule::Moment;
    /// assert_eq!(Moment::from_nanos(9).since(Moment::from_nanos(4)).as_nanos(), 5);
    /// ```
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Stops at the last moment that can be written (584 years after the origin).
impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }
}

/// Tells the time, as a value that is passed in, so that tests and simulations own it.
///
/// ```
/// use maas_schedule::{Clock, ManualClock, Moment, SystemClock};
///
/// fn read(clock: &dyn Clock) -> Moment {
///     clock.now()
/// }
/// assert_eq!(read(&ManualClock::new()), Moment::ZERO);
/// assert!(read(&SystemClock) <= read(&SystemClock));
/// ```
pub trait Clock: Send + Sync + fmt::Debug {
    /// The current moment. It never goes back.
    fn now(&self) -> Moment;
}

/// The operating system's monotonic clock, counted from the first time that the process asked.
///
/// ```
/// use maas_schedule::{Clock, SystemClock};
/// let start = SystemClock.now();
/// assert!(SystemClock.now() >= start);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        Moment::ZERO + ORIGIN.get_or_init(Instant::now).elapsed()
    }
}

/// A clock that stands still until it is told to go on. Clones share the time.
///
/// ```
/// use maas_schedule::{Clock, ManualClock, Moment};
/// use std::time::Duration;
///
/// let clock = ManualClock::new();
/// let view = clock.clone();
/// clock.advance(Duration::from_secs(1));
/// assert_eq!(view.now().since(Moment::ZERO), Duration::from_secs(1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// A clock at [`Moment::ZERO`].
    ///
    /// ```
    /// let clock = maas_schedule::ManualClock::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward; it stops at the last moment that can be written.
    ///
    /// ```
    /// use maas_schedule::{Clock, ManualClock};
    /// let clock = ManualClock::new();
    /// clock.advance(std::time::Duration::MAX);
    /// clock.advance(std::time::Duration::from_secs(1));
    /// assert_eq!(clock.now().as_nanos(), u64::MAX);
    /// ```
    pub fn advance(&self, by: Duration) {
        let forward = |now| Some((Moment(now) + by).0);
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, forward);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::Acquire))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }
}

impl<C: Clock + ?Sized> Clock for &C {
    fn now(&self) -> Moment {
        (**self).now()
    }
}
