use std::fmt;
use std::sync::Arc;

use crate::{Candidates, Moment, Prepared};

/// A rule that picks who serves next.
///
/// A policy is shared by `&self` among all threads that pick and is never asked to wait; the state that it needs
/// (a turn, an estimate) is in atomics. [`RoundRobin`](crate::RoundRobin) is one; the crate page writes another.
///
/// # The contract
///
/// - A pick is the index of a member that was available when the policy looked at it.
/// - `None` says that no member is available (or that there are none), and nothing else: whoever asks for a pick
///   does not ask again in the hope of another answer.
///
/// A member may become unavailable right after it was picked. Who asked then asks again, with that member marked
/// as unavailable.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a rule that picks who serves next",
    note = "use `RoundRobin`, implement `Policy`, or wrap a closure by `FnPolicy::new(|candidates, now| ..)`"
)]
pub trait Policy: Send + Sync + fmt::Debug {
    /// The member that serves next, or `None` when none is available.
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize>;

    /// The member that serves the request with this key next. Policies that do not go by keys leave it out of account.
    fn pick_for(&self, key: u64, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        let _ = key;
        self.pick(candidates, now)
    }

    /// Whether picks depend on the moment, or on what is known of members, which fades. Where they do not, whoever asks may
    /// say any moment, and nothing of speed and failures.
    fn goes_by_time(&self) -> bool {
        true
    }

    /// The policy for members that have changed, or whose weights have, where it has to know them ahead of picks: a ring
    /// goes on behind who served last, an order of turns is computed anew. It is told `before`, of which it has picked until
    /// now, and then picks only of members like `after`.
    ///
    /// `None`, unless implemented, says that the policy takes the members as it finds them.
    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        let _ = (before, after);
        None
    }
}

macro_rules! policy_by_deref {
    ($($pointer:ty),*) => {$(
        impl<P: Policy + ?Sized> Policy for $pointer {
            fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
                (**self).pick(candidates, now)
            }

            fn pick_for(&self, key: u64, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
                (**self).pick_for(key, candidates, now)
            }

            fn goes_by_time(&self) -> bool {
                (**self).goes_by_time()
            }

            fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
                (**self).prepare(before, after)
            }
        }
    )*};
}

policy_by_deref!(Box<P>, Arc<P>, &P);

/// A closure as a policy.
///
/// ```
/// use maas_schedule::{Candidate, FnPolicy, Moment, Policy};
///
/// let first = FnPolicy::new(|members, _now| (0..members.len()).find(|&i| members.get(i).is_available()));
/// let members = [Candidate::idle().unavailable(), Candidate::idle()];
/// assert_eq!(first.pick(&members, Moment::ZERO), Some(1));
/// ```
pub struct FnPolicy<F>(F);

impl<F> FnPolicy<F>
where
    F: Fn(&dyn Candidates, Moment) -> Option<usize> + Send + Sync,
{
    /// A policy that picks what `rule` says; the rule keeps the contract of [`Policy`].
    ///
    /// ```
    /// use maas_schedule::{FnPolicy, Moment, Policy};
    /// let nobody = FnPolicy::new(|_, _| None);
    /// assert_eq!(nobody.pick(&[], Moment::ZERO), None);
    /// ```
    #[must_use]
    pub fn new(rule: F) -> Self {
        Self(rule)
    }
}

impl<F> Policy for FnPolicy<F>
where
    F: Fn(&dyn Candidates, Moment) -> Option<usize> + Send + Sync,
{
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        (self.0)(candidates, now)
    }
}

impl<F> fmt::Debug for FnPolicy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnPolicy").finish_non_exhaustive()
    }
}
