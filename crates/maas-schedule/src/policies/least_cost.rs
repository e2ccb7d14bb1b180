use std::num::NonZeroUsize;

use super::cost::{cheapest, cost_of, costs, expected_time, fastest_known, two_choices};
use super::round_robin::RoundRobin;
use crate::random::RandomNumbers;
use crate::{Candidate, Candidates, Moment, Policy};

/// The member where a request is likely to end well soonest; equals in turn. The one to take where members differ or may fail.
///
/// The cost of a member is `(in_flight + 1) × service_time / success / weight`: slow answers, queues and failures all count.
/// [`Estimate`](crate::Estimate) tells service time and success; a member of which nothing is known is taken to be as fast
/// as the fastest. A member of weight 0 is never picked.
///
/// - Up to 16 members all are looked at; of more, two drawn at random (Mitzenmacher's power of two choices).
/// - Costs within 15 % are equal, and equals have their turns, so noise does not make the shares of equals uneven.
/// - One pick in 64 goes to an idle member that costs more than that, if there is one, each in turn: so one that has
///   recovered is found.
///
/// ```
/// use maas_schedule::{Candidate, LeastCost, Moment, Policy};
/// use std::time::Duration;
///
/// let slow = Candidate::idle().known(Duration::from_millis(100), 1.0);
/// let fast = Candidate::busy(2).known(Duration::from_millis(10), 1.0);
/// let fails_fast = Candidate::idle().known(Duration::from_micros(100), 0.0);
/// assert_eq!(LeastCost::new().pick(&[slow, fast, fails_fast], Moment::ZERO), Some(1));
/// ```
#[derive(Debug)]
pub struct LeastCost {
    picks: RoundRobin,
    ties: RoundRobin,
    probes: RoundRobin,
    random: RandomNumbers,
}

impl LeastCost {
    /// Draws of more than 16 members are seeded by 0.
    ///
    /// ```
    /// let policy = maas_schedule::LeastCost::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::seeded(0)
    }

    /// The same picks for the same seed and members, as long as one thread picks.
    ///
    /// ```
    /// let policy = maas_schedule::LeastCost::seeded(1);
    /// ```
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            // The last of 64 picks is a probe: by then something is known.
            picks: RoundRobin::new(PROBE_EVERY),
            ties: RoundRobin::default(),
            probes: RoundRobin::default(),
            random: RandomNumbers::seeded(seed),
        }
    }

    /// Whose turn it is among the cheapest of all.
    fn scan(&self, candidates: &dyn Candidates) -> Option<usize> {
        let members = candidates.len();
        let turn = |ties| self.ties.turn_of(ties);
        if members > FEW {
            return cheapest(members, costs(candidates), BAND, turn);
        }
        let mut seen = [Candidate::idle(); FEW];
        for (member, seen) in seen[..members].iter_mut().enumerate() {
            *seen = candidates.get(member);
        }
        let fastest = fastest_known(seen[..members].iter().copied());
        let costs = seen.map(|seen| cost_of(&seen, |seen| expected_time(seen, fastest)));
        cheapest(members, |member| costs[member], BAND, turn)
    }

    /// Whose turn it is among those that are idle since they cost too much.
    fn avoided(&self, candidates: &dyn Candidates) -> Option<usize> {
        let cost = costs(candidates);
        let least = (0..candidates.len()).filter_map(&cost).reduce(f64::min)?;
        let is_avoided = |&member: &usize| {
            let costs_more = cost(member).is_some_and(|cost| cost > least * BAND);
            costs_more && candidates.get(member).load.in_flight == 0
        };
        let avoided = || (0..candidates.len()).filter(is_avoided);
        let count = NonZeroUsize::new(avoided().count())?;
        avoided().nth(self.probes.turn(count))
    }
}

impl Default for LeastCost {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for LeastCost {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let is_probe = self.picks.next() + 1 == PROBE_EVERY;
        if is_probe && let Some(member) = self.avoided(candidates) {
            return Some(member);
        }
        let drawn = (candidates.len() > FEW).then(|| two_choices(candidates, &self.random, BAND));
        drawn.flatten().or_else(|| self.scan(candidates))
    }
}

/// Up to so many members all are looked at.
const FEW: usize = 16;

/// Costs that differ by less are equal.
const BAND: f64 = 1.15;

const PROBE_EVERY: usize = 64;
