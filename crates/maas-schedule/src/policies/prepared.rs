use std::fmt;
use std::num::NonZeroUsize;

use super::round_robin::RoundRobin;
use super::seat::Seat;
use super::striped::StripedRoundRobin;
use super::weighted::Turns;
use crate::{Candidates, Moment, Policy};

/// A policy for members that it was told of; see [`Policy::prepare`].
///
/// A balancer knows the rings of this crate by what they are: then a pick is a turn, not a call that has to be looked up.
///
/// ```
/// use maas_schedule::{Candidate, Candidates, Moment, Policy, Prepared};
///
/// /// Always serves by the member that was there first.
/// #[derive(Debug)]
/// struct First(u64);
///
/// impl Policy for First {
///     fn pick(&self, members: &dyn Candidates, _now: Moment) -> Option<usize> {
///         let is_there = |&index: &usize| members.is_available(index);
///         let first = (0..members.len()).find(|&index| members.identity(index) == self.0);
///         first.filter(is_there).or_else(|| (0..members.len()).find(is_there))
///     }
///
///     fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
///         let is_new = before.is_empty() && !after.is_empty();
///         Some(Prepared::new(First(if is_new { after.identity(0) } else { self.0 })))
///     }
/// }
///
/// let members = [Candidate::idle(), Candidate::idle()];
/// let prepared = First(9).prepare(&[], &members).expect("it always is");
/// assert_eq!(prepared.pick(&members, Moment::ZERO), Some(0));
/// ```
pub struct Prepared(Kind);

enum Kind {
    RoundRobin(RoundRobin),
    Striped(Box<StripedRoundRobin>),
    Weighted(Box<Turns>),
    Other(Box<dyn Policy>),
}

impl Prepared {
    /// A policy that picks of the members that it was made for.
    ///
    /// See the type for an example.
    #[must_use]
    pub fn new(policy: impl Policy + 'static) -> Self {
        Self(Kind::Other(Box::new(policy)))
    }

    pub(super) fn round_robin(ring: RoundRobin) -> Self {
        Self(Kind::RoundRobin(ring))
    }

    pub(super) fn striped(ring: StripedRoundRobin) -> Self {
        Self(Kind::Striped(Box::new(ring)))
    }

    pub(super) fn weighted(turns: Turns) -> Self {
        Self(Kind::Weighted(Box::new(turns)))
    }

    /// Whose turn it is of so many members, where picks are turns; it may be somebody who is not available.
    #[inline]
    pub(crate) fn turn(&self, seat: &mut Seat, members: NonZeroUsize) -> Option<usize> {
        match &self.0 {
            Kind::RoundRobin(ring) => Some(ring.turn_of(seat, members)),
            Kind::Striped(ring) => ring.turn_of(seat, members),
            Kind::Weighted(turns) => turns.turn_of(seat),
            Kind::Other(_) => None,
        }
    }

    #[inline]
    fn policy(&self) -> &dyn Policy {
        match &self.0 {
            Kind::RoundRobin(ring) => ring,
            Kind::Striped(ring) => &**ring,
            Kind::Weighted(turns) => &**turns,
            Kind::Other(policy) => &**policy,
        }
    }
}

impl Policy for Prepared {
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        self.policy().pick(candidates, now)
    }

    fn pick_for(&self, key: u64, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        self.policy().pick_for(key, candidates, now)
    }

    fn goes_by_time(&self) -> bool {
        self.policy().goes_by_time()
    }

    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Self> {
        self.policy().prepare(before, after)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Prepared").field(&self.policy()).finish()
    }
}
