use std::num::NonZeroUsize;

use super::prepared::Prepared;
use super::ring;
use super::seat::Seat;
use crate::sync::{AtomicUsize, Ordering};
use crate::{Candidates, Error, Moment, Policy};

/// Everyone in turn: next ← (current + 1) mod N.
///
/// A pick is one atomic addition on one cache line. It takes `&self`, so threads share the ring as it is, by a
/// reference or an `Arc`.
///
/// # Exact over every window
///
/// Give the picks their numbers in the order in which the additions happened. Then any window of consecutive picks
/// holds each member either ⌊k/N⌋ or ⌈k/N⌉ times, k being its length: under any interleaving of threads, for any N,
/// and for ever. The counter behind it is as wide as a pointer; before it could overflow, where `counter mod N` would
/// jump for an N that is not a power of two, it is put back by a multiple of N.
///
/// # As a policy
///
/// The ring takes its N from the number of candidates, so `RoundRobin::default()` fits any set. A member that is not
/// available is passed over by drawing a *new turn*, never by handing its turn to its neighbour, who would then
/// serve twice as much as the others.
///
/// ```
/// use maas_schedule::{Candidate, Moment, Policy, RoundRobin};
///
/// let policy = RoundRobin::default();
/// let members = [Candidate::idle(), Candidate::idle().unavailable(), Candidate::idle()];
/// let picks: Vec<_> = (0..4).filter_map(|_| policy.pick(&members, Moment::ZERO)).collect();
/// assert_eq!(picks, [0, 2, 0, 2]);
/// ```
#[derive(Debug)]
#[repr(align(128))]
pub struct RoundRobin {
    tickets: AtomicUsize,
    members: NonZeroUsize,
}

/// From here on the counter is put back. What is above is room for the picks that happen meanwhile.
const PUT_BACK: usize = 1 << (usize::BITS - 1);

impl RoundRobin {
    /// A ring of `members`, member 0 first.
    ///
    /// A ring has at least one member: 0 is taken as 1, so that [`next`](Self::next) has an answer. Where the number
    /// comes from outside and 0 is a mistake that should be told, use [`try_new`](Self::try_new).
    ///
    /// ```
    /// use maas_schedule::RoundRobin;
    /// assert_eq!(RoundRobin::new(3).next(), 0);
    /// ```
    #[must_use]
    pub fn new(members: usize) -> Self {
        Self::starting_with(0, NonZeroUsize::new(members).unwrap_or(NonZeroUsize::MIN))
    }

    /// A ring of `members`, member 0 first.
    ///
    /// # Errors
    ///
    /// [`Error::NoMembers`] if `members` is 0.
    ///
    /// ```
    /// use maas_schedule::{Error, RoundRobin};
    /// assert_eq!(RoundRobin::try_new(0).unwrap_err(), Error::NoMembers);
    /// assert_eq!(RoundRobin::try_new(2)?.next(), 0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn try_new(members: usize) -> Result<Self, Error> {
        let members = NonZeroUsize::new(members).ok_or(Error::NoMembers)?;
        Ok(Self::starting_with(0, members))
    }

    /// A ring whose counter is about to be put back, for tests of that moment.
    #[cfg(any(test, loom))]
    #[doc(hidden)]
    #[must_use]
    pub fn about_to_be_put_back(members: NonZeroUsize, picks_before: usize) -> Self {
        Self::starting_with(PUT_BACK - picks_before, members)
    }

    fn starting_with(tickets: usize, members: NonZeroUsize) -> Self {
        Self {
            tickets: AtomicUsize::new(tickets),
            members,
        }
    }

    /// Who serves next: (current + 1) mod N.
    ///
    /// ```
    /// let ring = maas_schedule::RoundRobin::new(2);
    /// assert_eq!([ring.next(), ring.next(), ring.next()], [0, 1, 0]);
    /// ```
    #[inline]
    pub fn next(&self) -> usize {
        self.turn(self.members)
    }

    /// N.
    ///
    /// ```
    /// assert_eq!(maas_schedule::RoundRobin::new(3).members(), 3);
    /// ```
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.get()
    }

    /// The ring for members that have changed; see [`Policy::prepare`].
    pub(super) fn resumed(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Self> {
        let members = NonZeroUsize::new(after.len())?;
        let next = self.tickets.load(Ordering::Relaxed);
        Some(Self::starting_with(
            ring::resume(next, before, after),
            members,
        ))
    }

    /// Who would be next.
    pub(super) fn position(&self) -> usize {
        self.tickets.load(Ordering::Relaxed) % self.members
    }

    /// Whose turn it is among so many.
    pub(super) fn turn_among(&self, members: usize) -> usize {
        NonZeroUsize::new(members).map_or(0, |members| self.turn(members))
    }

    #[inline]
    pub(super) fn turn(&self, members: NonZeroUsize) -> usize {
        self.ticket(members) % members
    }

    /// As [`turn`](Self::turn), for who has a seat.
    #[inline]
    pub(super) fn turn_of(&self, seat: &mut Seat, members: NonZeroUsize) -> usize {
        seat.member(self.ticket(members) as u64, members)
    }

    #[inline]
    fn ticket(&self, members: NonZeroUsize) -> usize {
        // Relaxed: the additions have one order whatever the ordering, and no other memory hangs on them.
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        if ticket >= PUT_BACK {
            self.put_back(members);
        }
        ticket
    }

    /// Lowers the counter by a multiple of N. If another thread came first, it or a later pick has done it.
    #[cold]
    fn put_back(&self, members: NonZeroUsize) {
        let ticket = self.tickets.load(Ordering::Relaxed);
        if ticket >= PUT_BACK {
            let low = ticket % members;
            let _ =
                self.tickets
                    .compare_exchange(ticket, low, Ordering::Relaxed, Ordering::Relaxed);
        }
    }
}

/// A ring for use as a policy, where N is the number of candidates; [`next`](RoundRobin::next) sees one member.
impl Default for RoundRobin {
    fn default() -> Self {
        Self::new(1)
    }
}

/// Draws turns until one belongs to an available member. Alone, N turns see every member; when other threads took
/// turns in between and N were not enough, the members are looked at once in ring order.
impl Policy for RoundRobin {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        ring::draw(candidates, |members| self.turn(members))
    }

    fn goes_by_time(&self) -> bool {
        false
    }

    /// A ring that starts with who would have been next, or the first one behind that is still there.
    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        Some(Prepared::round_robin(self.resumed(before, after)?))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn stays_exact_while_the_counter_is_put_back(members in 1_usize..40, before in 0_usize..100) {
            let members = NonZeroUsize::new(members).expect("from 1");
            let ring = RoundRobin::about_to_be_put_back(members, before);
            let first = ring.next();
            for step in 1..300 {
                prop_assert_eq!(ring.next(), (first + step) % members);
            }
            prop_assert!(ring.tickets.load(Ordering::Relaxed) < PUT_BACK);
        }
    }

    #[test]
    fn a_whole_cache_line_pair_is_its_own() {
        assert_eq!(std::mem::size_of::<RoundRobin>(), 128);
    }
}
