use super::cost::{cheaper_of_two, cheapest, cost_of, load};
use crate::random::RandomNumbers;
use crate::{Candidates, Moment, Policy};

/// Of two different members drawn at random, the one with fewer requests in flight for its weight.
///
/// The second choice takes the largest queue from about log N / log log N to log log N (Mitzenmacher 2001, *The power of
/// two choices in randomized load balancing*), at a cost that does not grow with N. For up to some tens of members
/// [`LeastLoaded`](crate::LeastLoaded) has shorter queues. A member of weight 0 is never picked. Where neither of the two
/// may be picked, all are looked at.
///
/// ```
/// use maas_schedule::{Candidate, Moment, Policy, PowerOfTwoChoices};
///
/// let members = [Candidate::busy(3), Candidate::busy(1)];
/// assert_eq!(PowerOfTwoChoices::seeded(7).pick(&members, Moment::ZERO), Some(1));
/// ```
#[derive(Debug)]
pub struct PowerOfTwoChoices(RandomNumbers);

impl PowerOfTwoChoices {
    /// The same draws for the same seed, as long as one thread picks.
    ///
    /// ```
    /// let policy = maas_schedule::PowerOfTwoChoices::seeded(1);
    /// ```
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(RandomNumbers::seeded(seed))
    }
}

/// Seeded by 0.
impl Default for PowerOfTwoChoices {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl Policy for PowerOfTwoChoices {
    #[inline]
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        cheaper_of_two(candidates, &self.0, |one, _| load(one), 1.0).or_else(|| {
            let cost = |member| cost_of(&candidates.get(member), load);
            cheapest(candidates.len(), cost, 1.0, |ties| self.0.below(ties))
        })
    }

    fn goes_by_time(&self) -> bool {
        false
    }
}
