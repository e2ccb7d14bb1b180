use std::sync::Arc;

use crate::sync::{AtomicUsize, Ordering};

/// How many requests one member may have at a time. When it is full, another is tried.
///
/// A permit ends when it is dropped: when its holder ends, unwinds from a panic, or is a future that nobody polls any
/// more. So none can leak.
///
/// ```
/// use maas_schedule::ConcurrencyLimit;
///
/// let limit = ConcurrencyLimit::new(1);
/// let permit = limit.acquire().expect("nobody is there");
/// assert!(limit.acquire().is_none());
/// drop(permit);
/// assert!(limit.acquire().is_some());
/// ```
#[derive(Debug)]
pub struct ConcurrencyLimit {
    held: AtomicUsize,
    limit: AtomicUsize,
}

impl ConcurrencyLimit {
    /// At most `limit` permits at a time.
    ///
    /// ```
    /// assert!(maas_schedule::ConcurrencyLimit::new(0).acquire().is_none());
    /// ```
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            held: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
        }
    }

    /// A permit, unless all are given.
    ///
    /// ```
    /// let limit = maas_schedule::ConcurrencyLimit::new(2);
    /// let permits = (limit.acquire(), limit.acquire());
    /// assert_eq!(limit.held(), 2);
    /// ```
    #[must_use = "the permit is held only as long as it lives"]
    pub fn acquire(&self) -> Option<Permit<'_>> {
        self.enter().then(|| Permit(self))
    }

    /// As [`acquire`](Self::acquire), as a permit that may go to another thread and outlive this borrow.
    ///
    /// ```
    /// use std::sync::Arc;
    /// let limit = Arc::new(maas_schedule::ConcurrencyLimit::new(1));
    /// let permit = limit.acquire_owned();
    /// std::thread::spawn(move || drop(permit)).join().unwrap();
    /// assert_eq!(limit.held(), 0);
    /// ```
    #[must_use = "the permit is held only as long as it lives"]
    pub fn acquire_owned(self: &Arc<Self>) -> Option<OwnedPermit> {
        self.enter().then(|| OwnedPermit(Arc::clone(self)))
    }

    /// Another limit from now on. When it is lower than what is held, those permits stay valid and new ones wait.
    ///
    /// ```
    /// let limit = maas_schedule::ConcurrencyLimit::new(0);
    /// limit.set(1);
    /// assert!(limit.acquire().is_some());
    /// ```
    pub fn set(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// How many permits there may be.
    ///
    /// ```
    /// assert_eq!(maas_schedule::ConcurrencyLimit::new(3).limit(), 3);
    /// ```
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// How many permits there are.
    ///
    /// ```
    /// assert_eq!(maas_schedule::ConcurrencyLimit::new(3).held(), 0);
    /// ```
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Acquire)
    }

    /// Not an addition that is taken back when it was one too many: that would turn away who comes in between.
    fn enter(&self) -> bool {
        let limit = self.limit();
        self.held
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |held| {
                (held < limit).then_some(held + 1)
            })
            .is_ok()
    }

    fn leave(&self) {
        self.held.fetch_sub(1, Ordering::Release);
    }
}

/// Leave to have one request at a member; see [`ConcurrencyLimit::acquire`].
#[derive(Debug)]
pub struct Permit<'a>(&'a ConcurrencyLimit);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// Leave to have one request at a member, not bound to a borrow; see [`ConcurrencyLimit::acquire_owned`].
#[derive(Debug)]
pub struct OwnedPermit(Arc<ConcurrencyLimit>);

impl Drop for OwnedPermit {
    fn drop(&mut self) {
        self.0.leave();
    }
}
