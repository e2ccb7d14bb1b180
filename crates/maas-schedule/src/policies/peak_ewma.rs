use super::cost::{cheapest, costs, two_choices};
use crate::random::RandomNumbers;
use crate::{Candidates, Moment, Policy};

/// Of two different members drawn at random, the one where a request is likely to end sooner.
///
/// The cost of a member is `(in_flight + 1) × service_time / success / weight`, as in Finagle's peak EWMA but for the success:
/// without it a member that fails at once would look the fastest. A member of unknown service time is taken to be as fast
/// as the other. [`Estimate`](crate::Estimate) tells service time and success. A member of weight 0 is never picked.
///
/// Two choices cost the same for any number of members, but small differences decide, so that equal members have uneven
/// shares; [`LeastCost`](crate::LeastCost) keeps equals even.
///
/// ```
/// use maas_schedule::{Candidate, Moment, PeakEwma, Policy};
/// use std::time::Duration;
///
/// let slow = Candidate::busy(0).known(Duration::from_millis(50), 1.0);
/// let fast = Candidate::busy(3).known(Duration::from_millis(10), 1.0);
/// assert_eq!(PeakEwma::seeded(7).pick(&[slow, fast], Moment::ZERO), Some(1)); // 4 × 10 ms < 1 × 50 ms
/// ```
#[derive(Debug)]
pub struct PeakEwma(RandomNumbers);

impl PeakEwma {
    /// The same draws for the same seed, as long as one thread picks.
    ///
    /// ```
    /// let policy = maas_schedule::PeakEwma::seeded(1);
    /// ```
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(RandomNumbers::seeded(seed))
    }
}

/// Seeded by 0.
impl Default for PeakEwma {
    fn default() -> Self {
        Self::seeded(0)
    }
}

impl Policy for PeakEwma {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        two_choices(candidates, &self.0, 1.0).or_else(|| {
            cheapest(candidates.len(), costs(candidates), 1.0, |ties| {
                self.0.below(ties)
            })
        })
    }
}
