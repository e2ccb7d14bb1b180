use std::num::NonZeroUsize;

/// What one who draws turns remembers of a ring.
#[derive(Debug)]
pub(crate) struct Seat {
    /// In a striped ring, a slot that nobody else has.
    pub(super) slot: Option<usize>,
    /// The ticket behind the last one that was drawn.
    next: u64,
    /// Who had the last one.
    last: usize,
}

impl Seat {
    pub(crate) fn new(slot: Option<usize>) -> Self {
        Self {
            slot,
            next: u64::MAX,
            last: 0,
        }
    }

    /// `ticket mod members`. Where nobody else draws, tickets follow each other, and who is behind the last one is known before
    /// the ticket is: what is done with the member need not wait for a division, which would have to wait for the ticket.
    #[inline]
    pub(super) fn member(&mut self, ticket: u64, members: NonZeroUsize) -> usize {
        let behind = self.last + 1;
        self.last = if ticket != self.next {
            (ticket % members.get() as u64) as usize
        } else if behind == members.get() {
            0
        } else {
            behind
        };
        self.next = ticket.wrapping_add(1);
        self.last
    }
}
