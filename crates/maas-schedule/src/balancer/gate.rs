use crate::sync::{AtomicUsize, Ordering};

/// How many are inside, and whether anybody may still enter: one word, so that nobody enters what was closed.
///
/// `enter` and `leave` say whether the gate is closed and empty since; more than one may be told so. Who finds the gate closed
/// sees all that was done before it was.
#[derive(Debug)]
pub(crate) struct Gate(AtomicUsize);

const CLOSED: usize = 1 << (usize::BITS - 1);

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
        Self(AtomicUsize::new(0))
    }

    #[inline]
    pub(crate) fn enter(&self) -> Entry {
        if self.0.fetch_add(1, Ordering::Acquire) & CLOSED == 0 {
            Entry::Open
        } else {
            // Others were counted beside whoever knocked: if they left meanwhile, nobody told them that they were the last.
            Entry::Closed {
                empty: self.leave(),
            }
        }
    }

    #[inline]
    #[must_use]
    pub(crate) fn leave(&self) -> bool {
        // Release, so that who finds the gate empty sees what was done inside; acquire, for who leaves as the last.
        self.0.fetch_sub(1, Ordering::AcqRel) == CLOSED | 1
    }

    /// Whether nobody is inside.
    #[must_use]
    pub(crate) fn close(&self) -> bool {
        self.0.fetch_or(CLOSED, Ordering::AcqRel) & !CLOSED == 0
    }

    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.0.load(Ordering::Acquire) & CLOSED == 0
    }

    /// Who is inside, and for a moment who knocks at a closed gate.
    #[inline]
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Acquire) & !CLOSED
    }
}
