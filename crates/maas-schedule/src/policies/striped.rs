use std::num::NonZeroUsize;
use std::sync::atomic::AtomicUsize as Counter;

use super::prepared::Prepared;
use super::ring;
use super::seat::Seat;
use crate::sync::{AtomicU64, Ordering};
use crate::{Candidates, Moment, Policy};

/// Everyone in turn, for threads that do not wait for each other.
///
/// A [`RoundRobin`](crate::RoundRobin) is one counter, whose cache line goes from core to core when several pick. Here a
/// thread takes 64 turns at once from the counter and hands them out from a line of its own.
///
/// # How even it is
///
/// No turn is handed out twice. What is missing at any time are the turns that threads have taken and not yet handed out, at
/// most 63 each. So the shares of two of N members differ by at most `1 + threads × ⌈63 / N⌉` picks, for ever; no more than 16
/// threads count, as others share their lines. One thread alone is exact over every window.
///
/// ```
/// use maas_schedule::StripedRoundRobin;
/// let ring = StripedRoundRobin::new(3);
/// assert_eq!([ring.next(), ring.next(), ring.next(), ring.next()], [0, 1, 2, 0]);
/// ```
#[derive(Debug)]
pub struct StripedRoundRobin {
    /// Of threads, which may share one, and behind them of seats, which do not.
    slots: [Line; 2 * SLOTS],
    /// The first turn that no slot has taken.
    taken: Line,
    /// Who has turn 0.
    start: usize,
    members: NonZeroUsize,
}

/// A word alone on its cache lines. In a slot: the turn that is handed out next, a multiple of [`BLOCK`] when none is left, or
/// [`TAKING`].
#[derive(Debug)]
#[repr(align(128))]
struct Line(AtomicU64);

impl StripedRoundRobin {
    /// A ring of `members`, member 0 first; 0 is taken as 1.
    ///
    /// ```
    /// assert_eq!(maas_schedule::StripedRoundRobin::new(3).next(), 0);
    /// ```
    #[must_use]
    pub fn new(members: usize) -> Self {
        Self::starting_with(0, NonZeroUsize::new(members).unwrap_or(NonZeroUsize::MIN))
    }

    fn starting_with(start: usize, members: NonZeroUsize) -> Self {
        Self {
            slots: std::array::from_fn(|_| Line(AtomicU64::new(0))),
            taken: Line(AtomicU64::new(0)),
            start,
            members,
        }
    }

    /// Who serves next.
    ///
    /// ```
    /// let ring = maas_schedule::StripedRoundRobin::new(2);
    /// assert_eq!([ring.next(), ring.next(), ring.next()], [0, 1, 0]);
    /// ```
    #[inline]
    pub fn next(&self) -> usize {
        self.member(self.turn(home()), self.members)
    }

    /// The next turn of a slot, for models of threads that share one.
    #[cfg(loom)]
    #[doc(hidden)]
    pub fn turn_at(&self, slot: usize) -> u64 {
        self.turn(slot)
    }

    #[inline]
    fn member(&self, turn: u64, members: NonZeroUsize) -> usize {
        ((turn + self.start as u64) % members.get() as u64) as usize
    }

    /// Whose turn it is among so many, for who has a seat with a slot.
    #[inline]
    pub(super) fn turn_of(&self, seat: &mut Seat, members: NonZeroUsize) -> Option<usize> {
        let turn = self.own_turn(seat.slot?);
        Some(seat.member(turn + self.start as u64, members))
    }

    /// A turn of a slot that nobody else takes turns of: then a look and a store need no claim between them.
    #[inline]
    fn own_turn(&self, slot: usize) -> u64 {
        let word = &self.slots[SLOTS + slot % SLOTS].0;
        let turn = word.load(Ordering::Relaxed);
        if turn.is_multiple_of(BLOCK) {
            return self.refill(word);
        }
        word.store(turn + 1, Ordering::Relaxed);
        turn
    }

    /// A turn of the thread's slot, or of another one while someone takes turns for this one.
    #[inline]
    fn turn(&self, mut slot: usize) -> u64 {
        loop {
            let word = &self.slots[slot].0;
            let turn = word.load(Ordering::Relaxed);
            if turn == TAKING {
                slot = (slot + 1) % SLOTS;
                continue;
            }
            let is_left = !turn.is_multiple_of(BLOCK);
            let then = if is_left { turn + 1 } else { TAKING };
            // Relaxed: a turn is all that is handed over, and a word has one order of changes.
            let claim =
                word.compare_exchange_weak(turn, then, Ordering::Relaxed, Ordering::Relaxed);
            if claim.is_ok() {
                return if is_left { turn } else { self.refill(word) };
            }
        }
    }

    /// Takes turns for a slot and hands out the first of them.
    #[cold]
    fn refill(&self, word: &AtomicU64) -> u64 {
        let first = self.taken.0.fetch_add(BLOCK, Ordering::Relaxed);
        word.store(first + 1, Ordering::Relaxed);
        first
    }

    /// How many turns were handed out.
    fn handed_out(&self) -> u64 {
        let left = |line: &Line| match line.0.load(Ordering::Relaxed) {
            TAKING => 0,
            turn => turn.next_multiple_of(BLOCK) - turn,
        };
        let left: u64 = self.slots.iter().map(left).sum();
        self.taken.0.load(Ordering::Relaxed).saturating_sub(left)
    }
}

/// A ring for use as a policy, where N is the number of candidates; [`next`](StripedRoundRobin::next) sees one member.
impl Default for StripedRoundRobin {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Policy for StripedRoundRobin {
    fn pick(&self, candidates: &dyn Candidates, _now: Moment) -> Option<usize> {
        let home = home();
        ring::draw(candidates, |members| self.member(self.turn(home), members))
    }

    fn goes_by_time(&self) -> bool {
        false
    }

    /// A ring that starts with who would have been next had one thread picked as often, or the first one behind that is
    /// still there.
    fn prepare(&self, before: &dyn Candidates, after: &dyn Candidates) -> Option<Prepared> {
        let members = NonZeroUsize::new(after.len())?;
        let handed_out = self.handed_out();
        let next =
            NonZeroUsize::new(before.len()).map_or(0, |before| self.member(handed_out, before));
        Some(Prepared::striped(Self::starting_with(
            ring::resume(next, before, after),
            members,
        )))
    }
}

/// The slot of this thread: threads take them in the order in which they first ask.
#[inline]
pub(crate) fn home() -> usize {
    static THREADS: Counter = Counter::new(0);
    thread_local! {
        static HOME: usize = THREADS.fetch_add(1, Ordering::Relaxed) % SLOTS;
    }
    HOME.with(|home| *home)
}

/// Turns that a thread takes at once; in a model few, so that it sees them end.
const BLOCK: u64 = if cfg!(loom) { 2 } else { 64 };

const SLOTS: usize = 16;

/// Someone takes turns for the slot.
const TAKING: u64 = u64::MAX;
