use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::member::Member;
use super::visit::Visit;
use crate::sync::Arc;
use crate::{Moment, Outcome};

/// A request at a member, counted there for as long as the lease lives.
///
/// It ends when it is dropped: also when its holder panics, or is a future that nobody polls any more.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1)])?;
/// let mut picker = balancer.picker();
/// let lease = picker.pick().unwrap();
/// assert_eq!((*lease, lease.name()), (1, "a"));
/// # Ok::<(), maas_schedule::Error>(())
/// ```
pub struct Lease<'a, T> {
    member: &'a Member<T>,
    visit: Visit,
}

/// A [`Lease`] that borrows nothing, and so may go to another thread or into a future of any length.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1)])?;
/// let lease = balancer.pick().unwrap();
/// drop(balancer);
/// assert_eq!(std::thread::spawn(move || *lease).join().unwrap(), 1);
/// # Ok::<(), maas_schedule::Error>(())
/// ```
pub struct OwnedLease<T> {
    member: Arc<Member<T>>,
    visit: Visit,
}

impl<'a, T> Lease<'a, T> {
    #[inline]
    pub(super) fn of(member: &'a Member<T>, visit: Visit) -> Self {
        Self { member, visit }
    }
}

impl<T> OwnedLease<T> {
    pub(super) fn of(member: Arc<Member<T>>, visit: Visit) -> Self {
        Self { member, visit }
    }
}

macro_rules! lease {
    ([$($generics:tt)*] $lease:ty) => {
        impl<$($generics)*> $lease {
            /// The member's name.
            ///
            /// See the type for an example.
            #[must_use]
            pub fn name(&self) -> &str {
                &self.member.name
            }

            /// The member's name, to be kept.
            ///
            /// ```
            /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
            /// assert_eq!(&*balancer.pick().unwrap().shared_name(), "a");
            /// # Ok::<(), maas_schedule::Error>(())
            /// ```
            #[must_use]
            pub fn shared_name(&self) -> std::sync::Arc<str> {
                std::sync::Arc::clone(&self.member.name)
            }

            /// Says how the request ended, `elapsed` after it started, for policies that go by speed and failures, and for the
            /// [rules](crate::Balancer::watched_by) that watch members. `now` is of the balancer's clock. A request of which nobody
            /// says how it ended counts for nothing there.
            ///
            /// ```
            /// use maas_schedule::{Balancer, Clock, LeastCost, Outcome, SystemClock};
            ///
            /// let balancer = Balancer::new(LeastCost::new()).with([("a", 1), ("b", 2)])?;
            /// let lease = balancer.pick().unwrap();
            /// let start = SystemClock.now();
            /// // a request to the member
            /// let end = SystemClock.now();
            /// lease.record(Outcome::Success, end.since(start), end);
            /// # Ok::<(), maas_schedule::Error>(())
            /// ```
            pub fn record(&self, outcome: Outcome, elapsed: Duration, now: Moment) {
                self.member.record(self.visit, outcome, elapsed, now);
            }

            /// Who the member is, for [`Ask::without`](crate::Ask::without).
            ///
            /// See [`Ask`](crate::Ask) for an example.
            #[must_use]
            pub fn identity(&self) -> u64 {
                self.member.identity
            }
        }

        impl<$($generics)*> Deref for $lease {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                &self.member.value
            }
        }

        impl<$($generics)*> Drop for $lease {
            #[inline]
            fn drop(&mut self) {
                self.member.leave(self.visit);
            }
        }

        impl<$($generics)*> fmt::Debug for $lease {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple("Lease").field(&self.name()).finish()
            }
        }
    };
}

lease!(['a, T] Lease<'a, T>);
lease!([T] OwnedLease<T>);
