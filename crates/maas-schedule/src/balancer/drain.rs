use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::member::Member;
use crate::sync::Arc;

/// A member that was removed, until the requests that it has are finished.
///
/// To be waited for by a thread, or awaited by a task; who has no use for the news may drop it.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1), ("b", 2)])?;
/// let lease = balancer.pick().unwrap();
/// let drain = balancer.remove("a")?;
/// assert_eq!((drain.in_flight(), drain.is_empty()), (1, false));
/// drop(lease);
/// drain.wait();
/// # Ok::<(), maas_schedule::Error>(())
/// ```
#[must_use = "says when the member has nothing to do any more; to be dropped if that does not matter"]
pub struct Drain<T>(Arc<Member<T>>);

impl<T> Drain<T> {
    pub(super) fn of(member: Arc<Member<T>>) -> Self {
        Self(member)
    }

    /// Requests that are not finished.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    /// Whether all requests are finished. Then no other will ever start there.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.empty().has_fired()
    }

    /// Blocks the thread until all requests are finished.
    ///
    /// See the type for an example.
    pub fn wait(&self) {
        self.0.empty().wait();
    }
}

impl<T> Future for Drain<T> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.empty().poll(context)
    }
}

impl<T> fmt::Debug for Drain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("name", &self.0.name)
            .field("in_flight", &self.in_flight())
            .finish()
    }
}
