use std::num::NonZeroUsize;
use std::time::Duration;

use super::cost::{cheapest, cost_of, costs, expected_time, fastest_known, is_within, two_choices};
use super::round_robin::RoundRobin;
use crate::random::RandomNumbers;
use crate::sync::{AtomicU64, AtomicUsize, Ordering};
use crate::{Candidate, Candidates, Moment, Policy};

/// The member where a request is likely to end well soonest; equals in turn. The one to take where members differ or may fail.
///
/// The cost of a member is `(in_flight + 1) × service_time / success / weight`: slow answers, queues and failures all count.
/// [`Estimate`](crate::Estimate) tells service time and success; a member of which nothing is known is taken to be as fast
/// as the fastest. A member of weight 0 is never picked.
///
/// - Up to 16 members all are looked at, unless whose turn it is has nothing to do and is as good as the best was; of more, two
///   drawn at random (Mitzenmacher's power of two choices).
/// - Costs within 15 % are equal, and equals have their turns, so noise does not make the shares of equals uneven.
/// - Once in a second and 256 picks, an idle member that costs more than that has a pick, if there is one, each in turn: so one
///   that has recovered is found, and one that has not costs the 99th of 100 nothing.
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
    /// Picks until now. Threads that pick at once may count as one.
    picks: AtomicUsize,
    turns: RoundRobin,
    ties: RoundRobin,
    probes: RoundRobin,
    /// When the last probe was, in nanoseconds.
    probed: AtomicU64,
    best: Best,
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
            picks: AtomicUsize::new(0),
            turns: RoundRobin::default(),
            ties: RoundRobin::default(),
            probes: RoundRobin::default(),
            probed: AtomicU64::new(0),
            best: Best::default(),
            random: RandomNumbers::seeded(seed),
        }
    }

    /// Who has nothing to do, of those whose turn it is, and is as good as the best of all was lately.
    #[inline]
    fn as_good_as_the_best(&self, candidates: &dyn Candidates) -> Option<usize> {
        let members = NonZeroUsize::new(candidates.len())?;
        let (fastest, least) = self.best.known()?;
        (0..DRAWS).map(|_| self.turns.turn(members)).find(|&turn| {
            let candidate = candidates.get(turn);
            candidate.load.in_flight == 0 && is_within(&candidate, fastest, least * BAND)
        })
    }

    /// Whose turn it is among the cheapest of all.
    fn scan(&self, candidates: &dyn Candidates) -> Option<usize> {
        let members = candidates.len();
        let turn = |ties| self.ties.turn_among(ties);
        if members > FEW {
            return cheapest(members, costs(candidates), BAND, turn);
        }
        let costs = self.look(candidates);
        cheapest(members, |member| costs[member], BAND, turn)
    }

    /// What few members cost, and who is the best of them.
    fn look(&self, candidates: &dyn Candidates) -> [Option<f64>; FEW] {
        let mut seen = [None; FEW];
        for (member, seen) in seen[..candidates.len()].iter_mut().enumerate() {
            *seen = Some(candidates.get(member));
        }
        let fastest = fastest_known(seen.iter().flatten().copied());
        let costs = seen.map(|seen| cost_of(&seen?, |one| expected_time(one, fastest)));
        let idle = |(seen, cost): (Option<Candidate>, Option<f64>)| {
            Some(cost? / (seen?.load.in_flight as f64 + 1.0))
        };
        let least = seen.into_iter().zip(costs).filter_map(idle);
        self.best.learn(fastest, least.reduce(f64::min));
        costs
    }

    /// Whether it is time for a probe, for one of those who ask.
    fn may_probe(&self, now: Moment) -> bool {
        let last = self.probed.load(Ordering::Relaxed);
        let is_time = now.since(Moment::from_nanos(last)) >= PROBE_APART;
        let (relaxed, now) = (Ordering::Relaxed, now.as_nanos());
        is_time
            && self
                .probed
                .compare_exchange(last, now, relaxed, relaxed)
                .is_ok()
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
    #[inline]
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        let picks = self.picks.load(Ordering::Relaxed).wrapping_add(1);
        self.picks.store(picks, Ordering::Relaxed);
        if picks.is_multiple_of(PROBE_EVERY)
            && self.may_probe(now)
            && let Some(member) = self.avoided(candidates)
        {
            return Some(member);
        }
        let at_sight = if candidates.len() > FEW {
            two_choices(candidates, &self.random, BAND)
        } else {
            if picks.is_multiple_of(LOOK_EVERY) || self.best.known().is_none() {
                self.look(candidates);
            }
            self.as_good_as_the_best(candidates)
        };
        at_sight.or_else(|| self.scan(candidates))
    }
}

/// What the last look at all saw: the service time of the fastest, and the least that a member would cost if it had nothing to do.
#[derive(Debug)]
struct Best(AtomicU64);

impl Best {
    fn known(&self) -> Option<(Duration, f64)> {
        let bits = self.0.load(Ordering::Relaxed);
        let (fastest, least) = (
            f32::from_bits((bits >> 32) as u32),
            f32::from_bits(bits as u32),
        );
        (least < f32::INFINITY).then(|| (Duration::from_nanos(fastest as u64), f64::from(least)))
    }

    fn learn(&self, fastest: Duration, least: Option<f64>) {
        let fastest = fastest.as_nanos() as f32;
        let least = least.map_or(f32::INFINITY, |least| least as f32);
        let bits = u64::from(fastest.to_bits()) << 32 | u64::from(least.to_bits());
        self.0.store(bits, Ordering::Relaxed);
    }
}

/// Nothing was seen.
impl Default for Best {
    fn default() -> Self {
        Self(AtomicU64::new(u64::from(f32::INFINITY.to_bits())))
    }
}

/// Up to so many members all are looked at.
const FEW: usize = 16;

/// Turns that are drawn in the hope of an idle member before all are looked at.
const DRAWS: usize = 2;

/// One pick of so many looks at all, so that it is known who is the best.
const LOOK_EVERY: usize = 64;

/// Costs that differ by less are equal.
const BAND: f64 = 1.15;

const PROBE_EVERY: usize = 256;

const PROBE_APART: Duration = Duration::from_secs(1);
