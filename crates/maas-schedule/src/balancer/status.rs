use std::fmt;
use std::ops::Deref;

use super::member::Member;
use crate::sync::Arc;
use crate::{EjectedCounts, HealthState};

/// How a member is at one moment, as a line of a table.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1), ("b", 2)])?;
/// balancer.set_up("b", false)?;
/// let _lease = balancer.pick();
/// let table = balancer.members();
/// assert_eq!((table[0].name.as_str(), table[0].in_flight, table[0].started), ("a", 1, 1));
/// assert!(table[0].is_available && !table[1].is_available);
/// # Ok::<(), maas_schedule::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct MemberStatus {
    /// Its name.
    pub name: String,
    /// Who it is; see [`Lease::identity`](crate::Lease::identity).
    pub identity: u64,
    /// How much it serves beside the others.
    pub weight: u32,
    /// Whether it would be given a request of which nothing is known.
    pub is_available: bool,
    /// How well it is, where [rules](crate::Balancer::watched_by) watch it.
    pub health: Option<HealthState>,
    /// How often it was given no more requests and why, where they do.
    pub ejected: Option<EjectedCounts>,
    /// Requests that it has.
    pub in_flight: usize,
    /// Requests that were ever given to it.
    pub started: u64,
    /// Requests that were [recorded](crate::Lease::record) to have ended well.
    pub served: u64,
    /// Requests that were recorded to have failed.
    pub failed: u64,
}

/// A member without a request: to look at its value, or to change what the value lets change.
///
/// It counts for nothing at the balancer, and stays valid when the member is removed.
///
/// ```
/// use maas_schedule::Balancer;
///
/// let balancer = Balancer::over([("a", 1), ("b", 2)])?;
/// let member = balancer.get("b").expect("there is one");
/// assert_eq!((*member, member.name()), (2, "b"));
/// assert_eq!(balancer.in_flight("b")?, 0);
/// # Ok::<(), maas_schedule::Error>(())
/// ```
pub struct MemberRef<T>(Arc<Member<T>>);

impl<T> MemberRef<T> {
    pub(super) fn of(member: &Arc<Member<T>>) -> Self {
        Self(Arc::clone(member))
    }

    /// The member's name.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Who the member is, for [`Ask::without`](crate::Ask::without).
    ///
    /// ```
    /// # let balancer = maas_schedule::Balancer::over([("a", 1)])?;
    /// assert_eq!(balancer.get("a").unwrap().identity(), balancer.pick().unwrap().identity());
    /// # Ok::<(), maas_schedule::Error>(())
    /// ```
    #[must_use]
    pub fn identity(&self) -> u64 {
        self.0.identity
    }
}

impl<T> Clone for MemberRef<T> {
    fn clone(&self) -> Self {
        Self::of(&self.0)
    }
}

impl<T> Deref for MemberRef<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T> fmt::Debug for MemberRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemberRef").field(&self.name()).finish()
    }
}
