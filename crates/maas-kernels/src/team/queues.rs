//! Work in more pieces than there are tasks.

use std::array::from_fn;

use super::sync::{AtomicUsize, Ordering};

/// The numbers of pieces, in a queue for each task of a region. A task that has emptied its own goes on with the others', so
/// that a thread which is held up leaves less than a piece for all to wait for.
pub(crate) struct Queues {
    /// How many have been asked of each.
    asked: [AtomicUsize; Self::MOST],
    queues: usize,
    /// All but the last queues that are not empty are that long.
    length: usize,
    pieces: usize,
}

impl Queues {
    pub(crate) const MOST: usize = 64;

    /// The numbers below `pieces` in at most [`MOST`](Self::MOST) queues.
    pub(crate) fn new(queues: usize, pieces: usize) -> Self {
        debug_assert!((1..=Self::MOST).contains(&queues));
        Self {
            asked: from_fn(|_| AtomicUsize::new(0)),
            queues,
            length: pieces.div_ceil(queues),
            pieces,
        }
    }

    /// A number that nobody has had: of queue number `own`, or else of the next one that is not empty.
    pub(crate) fn next(&self, own: usize) -> Option<usize> {
        let (before, from_own) = (0..own, own..self.queues);
        from_own.chain(before).find_map(|queue| {
            let start = (queue * self.length).min(self.pieces);
            let end = (start + self.length).min(self.pieces);
            // Who takes a piece also has it: the region's word has brought all pieces to all of its threads.
            let place = start + self.asked[queue].fetch_add(1, Ordering::Relaxed);
            (place < end).then_some(place)
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn who_is_done_helps_the_others() {
        let queues = Queues::new(3, 7);
        let first: Vec<_> = std::iter::repeat_with(|| queues.next(1)).take(4).collect();
        assert_eq!(first, [Some(3), Some(4), Some(5), Some(6)]);
        assert_eq!([queues.next(0), queues.next(2)], [Some(0), Some(1)]);
        assert_eq!([queues.next(1), queues.next(0)], [Some(2), None]);
    }

    #[test]
    fn there_may_be_less_pieces_than_queues() {
        for (queues, pieces) in [(1, 1), (4, 2), (5, 7), (64, 128)] {
            let shared = Queues::new(queues, pieces);
            let mut found: Vec<_> = std::iter::from_fn(|| shared.next(queues - 1)).collect();
            found.sort_unstable();
            assert_eq!(found, (0..pieces).collect::<Vec<_>>());
        }
    }
}
