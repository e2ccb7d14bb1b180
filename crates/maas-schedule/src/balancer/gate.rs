use crate::sync::{AtomicU64, Ordering};

/// How many are inside, how many have ever entered, and whether anybody may still enter: one word, so that nobody enters what
/// was closed, and an entry costs one addition.
///
/// `enter` and `leave` say whether the gate is closed and empty since; more than one may be told so. Who finds the gate closed
/// sees all that was done before it was.
#[derive(Debug)]
pub(crate) struct Gate {
    /// From the top: 32 bits of entries, whether it is closed, 31 bits of who is inside.
    word: AtomicU64,
    /// Entries that were taken out of the word, in units of [`FULL`].
    earlier: AtomicU64,
}

/// What became of an attempt to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Who entered has to leave.
    Open,
    /// The gate is closed.
    Closed { empty: bool },
}

impl Gate {
    pub(crate) fn open() -> Self {
        Self::after(0)
    }

    fn after(entries: u64) -> Self {
        Self {
            word: AtomicU64::new(entries * ENTRY),
            earlier: AtomicU64::new(0),
        }
    }

    #[inline]
    pub(crate) fn enter(&self) -> Entry {
        let before = self.word.fetch_add(ENTRY | 1, Ordering::Acquire);
        if before & (CLOSED | FULL) == 0 {
            Entry::Open
        } else {
            self.enter_special(before)
        }
    }

    #[cold]
    fn enter_special(&self, before: u64) -> Entry {
        if before & CLOSED == 0 {
            self.empty_the_count();
            return Entry::Open;
        }
        // Others were counted beside whoever knocked: if they left meanwhile, nobody told them that they were the last.
        let before = self.word.fetch_sub(ENTRY | 1, Ordering::AcqRel);
        Entry::Closed {
            empty: is_last(before),
        }
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

    #[inline]
    #[must_use]
    pub(crate) fn leave(&self) -> bool {
        // Release, so that who finds the gate empty sees what was done inside; acquire, for who leaves as the last.
        is_last(self.word.fetch_sub(1, Ordering::AcqRel))
    }

    /// Whether nobody is inside.
    #[must_use]
    pub(crate) fn close(&self) -> bool {
        self.word.fetch_or(CLOSED, Ordering::AcqRel) & INSIDE == 0
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.word.load(Ordering::Acquire) & CLOSED == 0
    }

    /// Who is inside, and for a moment who knocks at a closed gate.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        (self.word.load(Ordering::Acquire) & INSIDE) as usize
    }

    /// How many have ever entered.
    pub(crate) fn entries(&self) -> u64 {
        let earlier = self.earlier.load(Ordering::Relaxed) * (FULL / ENTRY);
        earlier + self.word.load(Ordering::Relaxed) / ENTRY
    }
}

/// Whether who leaves a gate in this state leaves it closed and empty.
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
        let gate = Gate::after(full - 2);
        for entered in 1..6 {
            assert_eq!(gate.enter(), Entry::Open);
            assert_eq!(gate.entries(), full - 2 + entered);
            assert_eq!(gate.count(), entered as usize);
        }
        for _ in 0..4 {
            assert!(!gate.leave());
        }
        assert!(!gate.close());
        assert_eq!(gate.enter(), Entry::Closed { empty: false });
        assert!(gate.leave());
        assert_eq!(gate.enter(), Entry::Closed { empty: true });
        assert_eq!((gate.entries(), gate.count()), (full + 3, 0));
    }
}
