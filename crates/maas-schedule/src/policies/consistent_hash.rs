use crate::random::mix;
use crate::sync::{AtomicU64, Ordering};
use crate::{Candidate, Candidates, Moment, Policy};

use super::cost::cost_of;

/// The same key to the same member, as long as that one is there and not overloaded.
///
/// Each member has a score for each key, made by a hash of the key and of the member's [identity](Candidates::identity); the
/// highest score wins (rendezvous hashing, Thaler and Ravishankar 1998), by weight w as `w / −ln(hash)`. So a member that
/// comes or goes moves its own share of the keys, 1/N, and no other key. No member is given more than `⌈c × its share of the
/// requests in flight⌉`, c = 1.25: beyond that the key goes to the next score, and comes back later (consistent hashing with
/// bounded loads, Mirrokni, Thorup and Zadimoghaddam 2018).
///
/// All members are looked at: there is nothing to prepare or remember. A pick without a key takes any. A member of weight 0 is
/// never picked.
///
/// ```
/// use maas_schedule::{Candidate, ConsistentHash, Moment, Policy};
///
/// let policy = ConsistentHash::new();
/// let members = [Candidate::idle(); 5];
/// let home = policy.pick_for(42, &members, Moment::ZERO).unwrap();
/// assert_eq!(policy.pick_for(42, &members, Moment::ZERO), Some(home));
///
/// let mut busy = members;
/// busy[home] = Candidate::busy(100);
/// assert_ne!(policy.pick_for(42, &busy, Moment::ZERO), Some(home));
/// ```
#[derive(Debug)]
pub struct ConsistentHash {
    bound: f64,
    keyless: AtomicU64,
}

impl ConsistentHash {
    /// With c = 1.25.
    ///
    /// ```
    /// let policy = maas_schedule::ConsistentHash::new();
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            bound: 1.25,
            keyless: AtomicU64::new(0),
        }
    }

    /// With this c: nearer to 1 loads are more even, farther away more keys stay. What is not above 1 is taken as 1; with
    /// [`f64::INFINITY`] loads do not count.
    ///
    /// ```
    /// use maas_schedule::{Candidate, ConsistentHash, Moment, Policy};
    /// let policy = ConsistentHash::new().bound(f64::INFINITY);
    /// let home = policy.pick_for(42, &[Candidate::busy(0); 2], Moment::ZERO).unwrap();
    /// let mut busy = [Candidate::busy(0); 2];
    /// busy[home] = Candidate::busy(1000);
    /// assert_eq!(policy.pick_for(42, &busy, Moment::ZERO), Some(home));
    /// ```
    #[must_use]
    pub fn bound(self, factor: f64) -> Self {
        Self {
            bound: factor.max(1.0),
            ..self
        }
    }
}

impl Default for ConsistentHash {
    fn default() -> Self {
        Self::new()
    }
}

impl Policy for ConsistentHash {
    fn pick(&self, candidates: &dyn Candidates, now: Moment) -> Option<usize> {
        let key = self.keyless.fetch_add(1, Ordering::Relaxed);
        self.pick_for(key, candidates, now)
    }

    fn pick_for(&self, key: u64, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let key = mix(key);
        let all = Totals::of(candidates);
        let mut best: Option<Scored> = None;
        for member in 0..candidates.len() {
            let candidate = candidates.get(member);
            let hash = mix(key ^ mix(candidates.identity(member)));
            let scored = cost_of(&candidate, |one| all.score(hash, one)).map(|score| Scored {
                member,
                fits: all.fits(&candidate, self.bound),
                score,
            });
            // Loads may change meanwhile so that nobody fits: then scores decide alone.
            best = match (best, scored) {
                (Some(best), Some(next)) if next.rank() <= best.rank() => Some(best),
                (best, next) => next.or(best),
            };
        }
        best.map(|best| best.member)
    }

    fn goes_by_time(&self) -> bool {
        false
    }
}

#[derive(Clone, Copy)]
struct Scored {
    member: usize,
    fits: bool,
    score: f64,
}

impl Scored {
    fn rank(&self) -> (bool, f64) {
        (self.fits, self.score)
    }
}

/// Of the members that may be picked.
struct Totals {
    in_flight: f64,
    weight: f64,
    equal: bool,
}

impl Totals {
    fn of(candidates: &dyn Candidates) -> Self {
        let mut totals = Self {
            in_flight: 0.0,
            weight: 0.0,
            equal: true,
        };
        let mut first = None;
        for candidate in
            super::cost::all(candidates).filter(|one| one.is_available() && one.weight > 0)
        {
            totals.in_flight += candidate.load.in_flight as f64;
            totals.weight += f64::from(candidate.weight);
            totals.equal &= *first.get_or_insert(candidate.weight) == candidate.weight;
        }
        totals
    }

    /// Equal weights have the order of their hashes, without a logarithm.
    fn score(&self, hash: u64, candidate: &Candidate) -> f64 {
        let uniform = ((hash >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        if self.equal {
            uniform
        } else {
            f64::from(candidate.weight) / -uniform.ln()
        }
    }

    fn fits(&self, candidate: &Candidate, bound: f64) -> bool {
        let share = (self.in_flight + 1.0) * f64::from(candidate.weight) / self.weight;
        candidate.load.in_flight as f64 + 1.0 <= (bound * share).ceil()
    }
}
