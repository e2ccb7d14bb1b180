use std::ops::Range;

use maas_core::Seed;

/// Random numbers that belong to one row of one epoch: the same whatever the batch, the order and the threads.
///
/// The numbers are those of SplitMix64 counted up from a state derived from seed, epoch and row, so nothing has to be
/// kept for a run to be resumed.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::RowRandom;
///
/// let mut random = RowRandom::new(Seed(7), 0, 12);
/// let first = random.uniform();
/// assert!((0.0..1.0).contains(&first));
/// assert_eq!(RowRandom::new(Seed(7), 0, 12).uniform(), first);
/// assert_ne!(RowRandom::new(Seed(7), 1, 12).uniform(), first);
/// ```
#[derive(Clone, Debug)]
pub struct RowRandom {
    state: Seed,
    drawn: u64,
}

impl RowRandom {
    /// The numbers of this row in this epoch.
    ///
    /// ```
    /// use {maas_core::Seed, maas_data::RowRandom};
    /// assert_eq!(RowRandom::new(Seed(1), 2, 3).number(), RowRandom::new(Seed(1), 2, 3).number());
    /// ```
    pub fn new(seed: Seed, epoch: u64, row: u64) -> Self {
        Self {
            // Streams apart from those that a shuffle of the same seed derives.
            state: seed.derive(STREAM).derive(epoch).derive(row),
            drawn: 0,
        }
    }

    /// Any number of 64 bits.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::RowRandom};
    /// let mut random = RowRandom::new(Seed(1), 2, 3);
    /// assert_ne!(random.number(), random.number());
    /// ```
    pub fn number(&mut self) -> u64 {
        let number = self.state.derive(self.drawn).0;
        self.drawn += 1;
        number
    }

    /// A number from 0 to below 1, one of 2²⁴ equally likely ones.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::RowRandom};
    /// assert!(RowRandom::new(Seed(1), 2, 3).uniform() < 1.0);
    /// ```
    pub fn uniform(&mut self) -> f32 {
        (self.number() >> 40) as f32 / (1 << 24) as f32
    }

    /// A number from the beginning of a range to below its end.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::RowRandom};
    /// let angle = RowRandom::new(Seed(1), 2, 3).between(-10.0..10.0);
    /// assert!((-10.0..10.0).contains(&angle));
    /// ```
    pub fn between(&mut self, range: Range<f32>) -> f32 {
        let number = range.start + (range.end - range.start) * self.uniform();
        // Rounding may reach the end of a range that is much wider than its last digits.
        if number < range.end {
            number
        } else {
            range.start
        }
    }

    /// A whole number below `bound`, each about equally likely; 0 when `bound` is 0.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::RowRandom};
    /// assert!(RowRandom::new(Seed(1), 2, 3).below(5) < 5);
    /// ```
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.number()) * bound as u128) >> 64) as usize
    }

    /// True with this probability.
    ///
    /// ```
    /// # use {maas_core::Seed, maas_data::RowRandom};
    /// let mut random = RowRandom::new(Seed(1), 2, 3);
    /// assert!(random.chance(1.0) && !random.chance(0.0));
    /// ```
    pub fn chance(&mut self, probability: f32) -> bool {
        self.uniform() < probability
    }
}

const STREAM: u64 = u64::from_be_bytes(*b"augment\0");
