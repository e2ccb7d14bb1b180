use std::num::NonZeroUsize;

use super::order::{Order, weights_of};
use super::prepared::Prepared;
use super::round_robin::RoundRobin;
use super::seat::Seat;
use crate::sync::{Arc, Mutex, lock};
use crate::{Candidate, Candidates, Moment, Policy};

/// Everyone in turn, as often as its weight says, never in bursts.
///
/// This is the smooth weighted round robin of nginx: each turn gives every member credit of its weight, who has the most
/// credit is picked and pays the sum of all weights. After any number of picks every member is within one pick of its share.
///
/// ```
/// use maas_schedule::{Candidate, Moment, Policy, WeightedRoundRobin};
///
/// let members = [5, 1, 1].map(|weight| Candidate::idle().weighing(weight));
/// let policy = WeightedRoundRobin::new();
/// let picks: Vec<_> = (0..7).filter_map(|_| policy.pick(&members, Moment::ZERO)).collect();
/// assert_eq!(picks, [0, 0, 1, 0, 2, 0, 0]);
/// ```
///
/// # What it costs
///
/// In a [`Balancer`](crate::Balancer) the order of turns is computed once for each change of members or weights, and a pick is one atomic addition and a lookup. There are as many turns as the sum of weights divided by
/// what divides them all, but at most 16 384 (or as many as members): above that the weights are scaled to it, shares are
/// rounded to about 1/16 384, and each member of a weight above 0 keeps a turn. Members that it was not prepared for, such as
/// those of a slice, have their weights compared with the last ones, under a lock, at every pick.
///
/// The order is computed in turns × log(members) steps. It is that of nginx where members × turns are at most 16 384 (a member of
/// 1 000 turns beside 15 others), and goes by deadlines above, which is as even.
///
/// # When members change
///
/// What every member is owed, or had too much, goes over to the new order; who is new is owed nothing. An unavailable member
/// is passed over by drawing a new turn, so the others share by their weights. A member of weight 0 is never picked.
#[derive(Debug, Default)]
pub struct WeightedRoundRobin {
    last: Mutex<Option<Known>>,
}

impl WeightedRoundRobin {
    /// The heaviest member first.
    ///
    /// ```
    /// let policy = maas_schedule::WeightedRoundRobin::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The turns for these members, which go on where those for the last ones were.
    fn turns_for(&self, candidates: &dyn Candidates) -> Arc<Turns> {
        let mut last = lock(&self.last);
        if let Some(known) = &*last
            && known.is_of(candidates)
        {
            return Arc::clone(&known.turns);
        }
        let turns = Arc::new(match &*last {
            Some(known) => known.turns.resumed(known, candidates),
            None => Turns::fresh(candidates),
        });
        *last = Some(Known {
            identities: (0..candidates.len())
                .map(|index| candidates.identity(index))
                .collect(),
            weights: weights_of(candidates),
            turns: Arc::clone(&turns),
        });
        turns
    }
}

impl Policy for WeightedRoundRobin {
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        self.turns_for(candidates).pick(candidates, now)
    }

    fn goes_by_time(&self) -> bool {
        false
    }

    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        let known = lock(&self.last).is_some();
        Some(Prepared::weighted(if known {
            self.turns_for(before).resumed(before, after)
        } else {
            Turns::fresh(after)
        }))
    }
}

/// The order for members that stay, and whose turn it is.
#[derive(Debug)]
pub(super) struct Turns {
    order: Order,
    next: RoundRobin,
}

impl Turns {
    fn of(order: Order) -> Self {
        let next = RoundRobin::new(order.len());
        Self { order, next }
    }

    fn fresh(candidates: &dyn Candidates) -> Self {
        let weights = weights_of(candidates);
        Self::of(Order::new(&weights, vec![0.0; weights.len()]))
    }

    fn resumed(&self, before: &dyn Candidates, after: &dyn Candidates) -> Self {
        let position = self.next.position();
        Self::of(self.order.resumed(position, before, after))
    }
}

impl Turns {
    /// Whose turn it is, for who has a seat; nobody's where all weights are 0.
    #[inline]
    pub(super) fn turn_of(&self, seat: &mut Seat) -> Option<usize> {
        let turns = NonZeroUsize::new(self.order.len())?;
        Some(self.order.turn(self.next.turn_of(seat, turns)))
    }
}

impl Policy for Turns {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let there = |member: &usize| *member < candidates.len() && candidates.is_available(*member);
        let turns = (0..self.order.len()).map(|_| self.order.turn(self.next.next()));
        // Others may have taken all turns of who is there.
        let anyone = || {
            let mut members = 0..candidates.len();
            members.find(|member| there(member) && candidates.get(*member).weight > 0)
        };
        turns.into_iter().find(there).or_else(anyone)
    }

    fn goes_by_time(&self) -> bool {
        false
    }

    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        Some(Prepared::weighted(self.resumed(before, after)))
    }
}

/// Members that turns were computed for.
#[derive(Debug)]
struct Known {
    identities: Vec<u64>,
    weights: Vec<u32>,
    turns: Arc<Turns>,
}

impl Known {
    fn is_of(&self, candidates: &dyn Candidates) -> bool {
        let same = |index: usize| {
            self.identities[index] == candidates.identity(index)
                && self.weights[index] == candidates.get(index).weight
        };
        candidates.len() == self.weights.len() && (0..candidates.len()).all(same)
    }
}

impl Candidates for Known {
    fn len(&self) -> usize {
        self.weights.len()
    }

    fn get(&self, index: usize) -> Candidate {
        Candidate::idle().weighing(self.weights[index])
    }

    fn identity(&self, index: usize) -> u64 {
        self.identities[index]
    }
}
