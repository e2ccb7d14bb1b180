use std::ops::Deref;

use crate::sync::{AtomicU64, Ordering};

/// How many are inside, how many have ever entered, and whether anybody may still enter: one word, so that nobody enters what
/// was closed, and an entry costs one addition.
#[derive(Debug)]
pub(super) struct Stripe {
    /// From the top: 32 bits of entries, whether it is closed, 31 bits of who is inside.
    word: AtomicU64,
    /// Entries that were taken out of the word, in units of [`FULL`].
    earlier: AtomicU64,
}

impl Stripe {
    pub(super) fn open() -> Self {
        Self::after(0)
    }

    fn after(entries: u64) -> Self {
        Self {
            word: AtomicU64::new(entries * ENTRY),
            earlier: AtomicU64::new(0),
        }
    }

    /// Whether one more is inside now. Who is not has to say that it was turned away.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        let before = self.word.fetch_add(ENTRY | 1, Ordering::Acquire);
        before & (CLOSED | FULL) == 0 || self.enter_special(before)
    }

    #[cold]
    fn enter_special(&self, before: u64) -> bool {
        if before & CLOSED == 0 {
            self.empty_the_count();
        }
        before & CLOSED == 0
    }

    /// Makes room for more entries, long before there is none. Who comes second finds it done.
    fn empty_the_count(&self) {
        let emptied = |word| (word & FULL != 0).then(|| word - FULL);
        let taken = self
            .word
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, emptied);
        if taken.is_ok() {
            self.earlier.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether one more is inside now, unless the stripe is closed or `most` are. Not an addition that is taken back when it was
    /// one too many: that would turn away who comes in between.
    pub(super) fn enter_below(&self, most: usize) -> bool {
        let entered = |word: u64| {
            let has_room = word & CLOSED == 0 && inside(word) < most;
            has_room.then(|| word.wrapping_add(ENTRY | 1))
        };
        let before = self
            .word
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, entered);
        if before.is_ok_and(|before| before & FULL != 0) {
            self.empty_the_count();
        }
        before.is_ok()
    }

    /// Takes back an entry into what is closed, and says whether that leaves it empty. Others were counted beside whoever
    /// knocked: if they left meanwhile, nobody told them that they were the last.
    pub(super) fn turned_away(&self) -> bool {
        is_last(self.word.fetch_sub(ENTRY | 1, Ordering::AcqRel))
    }

    /// Whether that leaves it closed and empty.
    #[inline]
    pub(super) fn leave(&self) -> bool {
        // Release, so that who finds the gate empty sees what was done inside; acquire, for who leaves as the last.
        is_last(self.word.fetch_sub(1, Ordering::AcqRel))
    }

    pub(super) fn close(&self) {
        self.word.fetch_or(CLOSED, Ordering::AcqRel);
    }

    /// Whether it is closed and empty, by a look that writes: of two who look at what the other has changed, one sees it.
    pub(super) fn is_over(&self) -> bool {
        let word = self.word.fetch_add(0, Ordering::AcqRel);
        word & CLOSED != 0 && inside(word) == 0
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED == 0
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        inside(self.word.load(Ordering::Acquire))
    }

    pub(super) fn entries(&self) -> u64 {
        let earlier = self.earlier.load(Ordering::Relaxed) * (FULL / ENTRY);
        earlier + self.word.load(Ordering::Relaxed) / ENTRY
    }
}

/// A stripe alone on its cache lines.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Line(Stripe);

impl Default for Line {
    fn default() -> Self {
        Self(Stripe::open())
    }
}

impl Deref for Line {
    type Target = Stripe;

    #[inline]
    fn deref(&self) -> &Stripe {
        &self.0
    }
}

fn inside(word: u64) -> usize {
    (word & INSIDE) as usize
}

/// Whether who leaves a stripe in this state leaves it closed and empty.
#[inline]
fn is_last(before: u64) -> bool {
    before & (CLOSED | INSIDE) == CLOSED | 1
}

const CLOSED: u64 = 1 << 31;
const INSIDE: u64 = CLOSED - 1;
const ENTRY: u64 = 1 << 32;
/// Half of the entries that fit into a word.
const FULL: u64 = 1 << 63;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn entries_are_counted_beyond_what_fits_into_a_word() {
        let full = FULL / ENTRY;
        let stripe = Stripe::after(full - 2);
        for entered in 1..6 {
            assert!(if entered % 2 == 0 {
                stripe.enter()
            } else {
                stripe.enter_below(6)
            });
            assert_eq!(stripe.entries(), full - 2 + entered);
            assert_eq!(stripe.count(), entered as usize);
        }
        assert!(!stripe.enter_below(5));
        for _ in 0..4 {
            assert!(!stripe.leave());
        }
        stripe.close();
        assert!(!stripe.enter() && !stripe.turned_away() && !stripe.is_over());
        assert!(stripe.leave() && stripe.is_over());
        assert!(!stripe.enter() && stripe.turned_away());
        assert_eq!((stripe.entries(), stripe.count()), (full + 3, 0));
    }
}
