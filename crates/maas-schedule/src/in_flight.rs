use std::sync::Arc;

use crate::sync::{AtomicUsize, Ordering};

/// How many requests are being served, counted by guards.
///
/// A guard counts down when it is dropped: when its holder ends, unwinds from a panic, or is a future that nobody
/// polls any more. So the count cannot leak.
///
/// ```
/// use maas_schedule::InFlight;
///
/// let in_flight = InFlight::new();
/// let guard = in_flight.enter();
/// assert_eq!(in_flight.count(), 1);
/// drop(guard);
/// assert_eq!(in_flight.count(), 0);
/// ```
#[derive(Debug, Default)]
pub struct InFlight(AtomicUsize);

impl InFlight {
    /// Nothing in flight.
    ///
    /// ```
    /// assert_eq!(maas_schedule::InFlight::new().count(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Counts one request for as long as the guard lives.
    ///
    /// ```
    /// let in_flight = maas_schedule::InFlight::new();
    /// let (_one, _two) = (in_flight.enter(), in_flight.enter());
    /// assert_eq!(in_flight.count(), 2);
    /// ```
    #[must_use = "the request is counted only as long as the guard lives"]
    pub fn enter(&self) -> InFlightGuard<'_> {
        self.0.fetch_add(1, Ordering::Relaxed);
        InFlightGuard(self)
    }

    /// As [`enter`](Self::enter), by a guard that may go to another thread and outlive this borrow.
    ///
    /// ```
    /// use std::sync::Arc;
    /// let in_flight = Arc::new(maas_schedule::InFlight::new());
    /// let guard = in_flight.enter_owned();
    /// std::thread::spawn(move || drop(guard)).join().unwrap();
    /// assert_eq!(in_flight.count(), 0);
    /// ```
    #[must_use = "the request is counted only as long as the guard lives"]
    pub fn enter_owned(self: &Arc<Self>) -> OwnedInFlightGuard {
        self.0.fetch_add(1, Ordering::Relaxed);
        OwnedInFlightGuard(Arc::clone(self))
    }

    /// The number of living guards.
    ///
    /// What a guard's holder did before it dropped the guard is visible to who reads the lower count.
    ///
    /// ```
    /// assert_eq!(maas_schedule::InFlight::new().count(), 0);
    /// ```
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn leave(&self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// One request in flight; see [`InFlight::enter`].
#[derive(Debug)]
pub struct InFlightGuard<'a>(&'a InFlight);

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// One request in flight, not bound to a borrow; see [`InFlight::enter_owned`].
#[derive(Debug)]
pub struct OwnedInFlightGuard(Arc<InFlight>);

impl Drop for OwnedInFlightGuard {
    fn drop(&mut self) {
        self.0.leave();
    }
}
