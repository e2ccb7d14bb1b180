//! Batches, counted by how many rows they had.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use maas_service::Spent;

/// Sizes up to this one are told apart; larger ones are taken as the next power of two.
const EXACT: usize = 64;
const SIZES: usize = EXACT + (usize::BITS - EXACT.ilog2()) as usize + 1;
/// A request's share of its batch is counted in this fraction.
const WHOLE: u64 = 1 << 20;

/// The requests' shares of their batches, by the batches' rows.
#[derive(Debug)]
pub(crate) struct Batches(Box<[OfBatch]>);

#[derive(Debug, Default)]
struct OfBatch {
    /// In parts of [`WHOLE`].
    batches: AtomicU64,
    nanoseconds: AtomicU64,
}

/// Batches of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OfSize {
    pub(crate) rows: usize,
    pub(crate) batches: u64,
    /// For all of them together.
    pub(crate) compute: Duration,
}

impl Default for Batches {
    fn default() -> Self {
        Self((0..SIZES).map(|_| OfBatch::default()).collect())
    }
}

impl Batches {
    /// Counts a request of so many rows.
    pub(crate) fn record(&self, rows: usize, spent: Spent) {
        // Who does not say how many rows the model ran at once is taken to have run these alone.
        let of = spent.batch_rows.max(rows);
        let share = |whole: u128| {
            let share = match of {
                0 => whole,
                _ => whole.saturating_mul(rows as u128) / of as u128,
            };
            u64::try_from(share).unwrap_or(u64::MAX)
        };
        let counts = &self.0[slot(of)];
        let nanoseconds = share(spent.compute.as_nanos());
        counts.batches.fetch_add(share(WHOLE.into()), Relaxed);
        counts.nanoseconds.fetch_add(nanoseconds, Relaxed);
    }

    /// What several have counted together.
    pub(crate) fn read<'a>(all: impl Iterator<Item = &'a Self>) -> Vec<OfSize> {
        let mut sums = [(0, 0); SIZES];
        for batches in all {
            for (sum, counts) in sums.iter_mut().zip(&batches.0) {
                sum.0 = counts.batches.load(Relaxed).wrapping_add(sum.0);
                sum.1 = counts.nanoseconds.load(Relaxed).wrapping_add(sum.1);
            }
        }
        let sizes = sums.into_iter().enumerate();
        let sizes = sizes.map(|(slot, (batches, nanoseconds))| OfSize {
            rows: size(slot),
            batches: (batches + WHOLE / 2) / WHOLE,
            compute: Duration::from_nanos(nanoseconds),
        });
        sizes.filter(|of_size| of_size.batches > 0).collect()
    }
}

fn slot(rows: usize) -> usize {
    if rows <= EXACT {
        return rows;
    }
    let power = (rows - 1).ilog2() + 1;
    EXACT + (power - EXACT.ilog2()) as usize
}

fn size(slot: usize) -> usize {
    if slot <= EXACT {
        return slot;
    }
    1_usize
        .checked_shl((slot - EXACT) as u32 + EXACT.ilog2())
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact_and_then_powers_of_two() {
        for rows in [0, 1, 63, 64, 128, 4096] {
            assert_eq!(size(slot(rows)), rows);
        }
        assert_eq!([65, 127, 129].map(|rows| size(slot(rows))), [128, 128, 256]);
        assert!(slot(usize::MAX) < SIZES);
    }

    /// Tensors of nothing may have as many rows as there are numbers.
    #[test]
    fn rows_are_any_number() {
        let batches = Batches::default();
        let mut spent = Spent::default();
        spent.compute = Duration::from_secs(u64::MAX);
        for rows in [usize::MAX, 1 << 60] {
            batches.record(rows, spent);
        }
        let counts: Vec<u64> = Batches::read([&batches, &Batches::default()].into_iter())
            .iter()
            .map(|of_size| of_size.batches)
            .collect();
        assert_eq!(counts, [1, 1]);
    }

    #[test]
    fn the_requests_of_a_batch_make_one_batch() {
        let batches = [Batches::default(), Batches::default()];
        let mut spent = Spent::default();
        spent.batch_rows = 7;
        spent.compute = Duration::from_micros(70);
        for (rows, by) in [(1, 0), (2, 1), (4, 1)] {
            batches[by].record(rows, spent);
        }
        let read = Batches::read(batches.iter());
        let [of_size] = read[..] else {
            panic!("one size, found {read:?}");
        };
        assert_eq!((of_size.rows, of_size.batches), (7, 1));
        assert_eq!(of_size.compute, Duration::from_micros(70));
    }
}
