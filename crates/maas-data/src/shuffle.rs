use maas_core::Seed;
use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// An order of rows for each epoch, the same for the same seed on every machine and in every version.
///
/// The order of an epoch depends on the seed, the epoch and the number of rows alone, so a run that is resumed at
/// epoch 7 sees what it would have seen. It is a Fisher-Yates shuffle of 0, 1, 2, … driven by PCG XSL 128/64.
///
/// ```
/// use maas_core::Seed;
/// use maas_data::Shuffle;
///
/// let shuffle = Shuffle::new(Seed(7));
/// let mut order = [0; 5];
/// shuffle.fill(0, &mut order);
/// let first = order;
/// shuffle.fill(1, &mut order);
/// assert_ne!(order, first);
/// shuffle.fill(0, &mut order);
/// assert_eq!(order, first);
/// order.sort();
/// assert_eq!(order, [0, 1, 2, 3, 4]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffle {
    seed: Seed,
}

impl Shuffle {
    /// The orders of this seed.
    ///
    /// ```
    /// let shuffle = maas_data::Shuffle::new(maas_core::Seed(7));
    /// # let _ = shuffle;
    /// ```
    pub fn new(seed: Seed) -> Self {
        Self { seed }
    }

    /// Fills `order` with the numbers of its rows, each once, in the order of this epoch. It allocates nothing.
    ///
    /// # Panics
    /// When there are more than `u32::MAX` rows, which no [`Dataset`](crate::Dataset) has.
    ///
    /// ```
    /// let mut order = [9; 1];
    /// maas_data::Shuffle::new(maas_core::Seed(7)).fill(0, &mut order);
    /// assert_eq!(order, [0]);
    /// ```
    pub fn fill(&self, epoch: u64, order: &mut [u32]) {
        assert!(
            u32::try_from(order.len()).is_ok(),
            "{} rows are more than u32::MAX",
            order.len()
        );
        for (row, slot) in (0..).zip(order.iter_mut()) {
            *slot = row;
        }
        let mut random = generator(self.seed.derive(epoch));
        for last in (1..order.len()).rev() {
            order.swap(last, below(&mut random, last + 1));
        }
    }
}

pub(crate) fn generator(seed: Seed) -> Pcg64 {
    let wide =
        |stream| u128::from(seed.derive(stream).0) << 64 | u128::from(seed.derive(stream + 1).0);
    Pcg64::new(wide(0), wide(2))
}

/// A number below `bound`, by multiplication; its bias is below `bound` / 2⁶⁴.
pub(crate) fn below(random: &mut Pcg64, bound: usize) -> usize {
    let scaled = (u128::from(random.next_u64()) * bound as u128) >> 64;
    scaled as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_those_of_every_version() {
        let mut order = [0; 10];
        Shuffle::new(Seed(7)).fill(3, &mut order);
        assert_eq!(order, [0, 3, 5, 9, 6, 1, 8, 4, 7, 2]);
    }

    #[test]
    fn every_order_of_four_is_about_equally_frequent() {
        let mut counts = std::collections::BTreeMap::new();
        for epoch in 0..24_000 {
            let mut order = [0; 4];
            Shuffle::new(Seed(1)).fill(epoch, &mut order);
            *counts.entry(order).or_insert(0_u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        // A thousand each; five standard deviations are 155.
        assert!(
            counts.values().all(|count| count.abs_diff(1_000) < 155),
            "{counts:?}"
        );
    }
}
