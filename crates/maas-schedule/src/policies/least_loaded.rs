use std::num::NonZeroUsize;

use super::cost::{cheapest, cost_of, load};
use super::prepared::Prepared;
use super::round_robin::RoundRobin;
use crate::{Candidates, Moment, Policy};

/// The member with the fewest requests in flight for its weight; equals in turn.
///
/// It looks at every member, unless whose turn it is has nothing to do. A member of weight 0 is never picked.
///
/// The pick has the least `in_flight / weight`. It counts requests and does not know how long they take, so a member that
/// answers slowly still has its turn, and one that fails at once looks idle: [`LeastCost`](crate::LeastCost) knows more.
///
/// ```
/// use maas_schedule::{Candidate, LeastLoaded, Moment, Policy};
///
/// let members = [Candidate::busy(3), Candidate::busy(4).weighing(2), Candidate::busy(9)];
/// assert_eq!(LeastLoaded::default().pick(&members, Moment::ZERO), Some(1)); // 4 / 2 < 3 / 1
/// ```
#[derive(Debug, Default)]
pub struct LeastLoaded {
    turns: RoundRobin,
    ties: RoundRobin,
}

impl LeastLoaded {
    /// Member 0 first, where all are equal.
    ///
    /// ```
    /// let policy = maas_schedule::LeastLoaded::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Policy for LeastLoaded {
    #[inline]
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let members = NonZeroUsize::new(candidates.len())?;
        let cost = |member| cost_of(&candidates.get(member), load);
        for _ in 0..members.get().min(DRAWS) {
            let turn = self.turns.turn(members);
            if cost(turn) == Some(0.0) {
                return Some(turn);
            }
        }
        cheapest(members.get(), cost, 1.0, |ties| self.ties.turn_among(ties))
    }

    fn goes_by_time(&self) -> bool {
        false
    }

    /// Goes on with whose turn it would have been.
    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        Some(Prepared::new(Self {
            turns: self.turns.resumed(before, after)?,
            ties: self.ties.resumed(before, after)?,
        }))
    }
}

/// Turns that are drawn in the hope of an idle member before all are looked at.
const DRAWS: usize = 4;
