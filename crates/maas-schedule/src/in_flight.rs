use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::balancer::{Entry, Gate, SHARED, Signal};

/// How many requests are being served, counted by guards, and whether others may begin.
///
/// A guard counts down when it is dropped: when its holder ends, unwinds from a panic, or is a future that nobody
/// polls any more. So the count cannot leak.
///
/// ```
/// use maas_schedule::InFlight;
///
/// let in_flight = InFlight::new();
/// let guard = in_flight.enter().expect("it is open");
/// assert_eq!(in_flight.count(), 1);
/// drop(guard);
/// assert_eq!(in_flight.count(), 0);
/// ```
#[derive(Debug)]
pub struct InFlight {
    gate: Gate,
    empty: Signal,
}

impl InFlight {
    /// Nothing in flight.
    ///
    /// ```
    /// assert_eq!(maas_schedule::InFlight::new().count(), 0);
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            gate: Gate::open(),
            empty: Signal::default(),
        }
    }

    /// Counts one request for as long as the guard lives; `None` when this is closed.
    ///
    /// ```
    /// let in_flight = maas_schedule::InFlight::new();
    /// let (_one, _two) = (in_flight.enter(), in_flight.enter());
    /// assert_eq!(in_flight.count(), 2);
    /// ```
    #[must_use = "the request is counted only as long as the guard lives"]
    pub fn enter(&self) -> Option<InFlightGuard<'_>> {
        self.admits().then(|| InFlightGuard(self))
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
    pub fn enter_owned(self: &Arc<Self>) -> Option<OwnedInFlightGuard> {
        self.admits().then(|| OwnedInFlightGuard(Arc::clone(self)))
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
        self.gate.count()
    }

    /// Whether requests may begin.
    ///
    /// ```
    /// assert!(maas_schedule::InFlight::new().is_open());
    /// ```
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.gate.is_open(SHARED)
    }

    /// Lets no other request begin. What is returned says when the last one has ended.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use maas_schedule::InFlight;
    ///
    /// let in_flight = Arc::new(InFlight::new());
    /// let last = in_flight.enter().unwrap();
    /// let emptied = in_flight.close();
    /// assert!(in_flight.enter().is_none() && !emptied.is_empty());
    /// drop(last);
    /// emptied.wait();
    /// ```
    pub fn close(self: &Arc<Self>) -> Emptied {
        if self.gate.close() {
            self.empty.fire();
        }
        Emptied(Arc::clone(self))
    }

    fn admits(&self) -> bool {
        let entry = self.gate.enter(SHARED);
        if entry == (Entry::Closed { empty: true }) {
            self.empty.fire();
        }
        entry == Entry::Open
    }

    fn leave(&self) {
        if self.gate.leave(SHARED) {
            self.empty.fire();
        }
    }
}

impl Default for InFlight {
    fn default() -> Self {
        Self::new()
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

/// Until nothing is in flight where [`InFlight::close`] was called: to be waited for by a thread, or awaited by a task.
#[must_use = "says when the last request has ended; to be dropped if that does not matter"]
pub struct Emptied(Arc<InFlight>);

impl Emptied {
    /// Whether the last request has ended.
    ///
    /// See [`InFlight::close`] for an example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.empty.has_fired()
    }

    /// Blocks the thread until the last request has ended.
    ///
    /// See [`InFlight::close`] for an example.
    pub fn wait(&self) {
        self.0.empty.wait();
    }
}

impl Future for Emptied {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.empty.poll(context)
    }
}

impl fmt::Debug for Emptied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Emptied").field(&self.0.count()).finish()
    }
}
