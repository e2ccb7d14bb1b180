use std::num::NonZeroUsize;

use crate::random::RandomNumbers;
use crate::{Candidates, Moment, Policy};

/// Any available member, each as likely as the others.
///
/// Balancers that know nothing of each other do not fall into step with it. In return shares are even only on average: after
/// k picks of N members they differ by about √(k/N).
///
/// ```
/// use maas_schedule::{Candidate, Moment, Policy, Random};
///
/// let members = [Candidate::idle(), Candidate::idle().unavailable(), Candidate::idle()];
/// let (one, same) = (Random::seeded(7), Random::seeded(7));
/// for _ in 0..100 {
///     let pick = one.pick(&members, Moment::ZERO);
///     assert!(pick == Some(0) || pick == Some(2));
///     assert_eq!(pick, same.pick(&members, Moment::ZERO));
/// }
/// ```
#[derive(Debug)]
pub struct Random(RandomNumbers);

impl Random {
    /// The same picks for the same seed, as long as one thread picks.
    ///
    /// ```
    /// let policy = maas_schedule::Random::seeded(1);
    /// ```
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(RandomNumbers::seeded(seed))
    }
}

/// Seeded by 0.
impl Default for Random {
    fn default() -> Self {
        Self::seeded(0)
    }
}

/// Draws until an available member is drawn; where half as many draws as members find none, draws among those who are.
impl Policy for Random {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let members = NonZeroUsize::new(candidates.len())?.get();
        let drawn = (0..members.div_ceil(2))
            .map(|_| self.0.below(members))
            .find(|&member| candidates.is_available(member));
        drawn.or_else(|| {
            let available = || (0..members).filter(|&member| candidates.is_available(member));
            let count = NonZeroUsize::new(available().count())?.get();
            available()
                .nth(self.0.below(count))
                .or_else(|| available().next())
        })
    }

    fn goes_by_time(&self) -> bool {
        false
    }
}
