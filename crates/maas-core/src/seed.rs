use serde::{Deserialize, Serialize};

/// Where randomness comes from. The same seed gives the same bits, on every machine and at any thread count.
///
/// ```
/// use maas_core::Seed;
///
/// let seed = Seed(7);
/// assert_eq!(seed.derive(0), seed.derive(0));
/// assert_ne!(seed.derive(0), seed.derive(1));
/// ```
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of an independent stream: the output number `stream` of SplitMix64 (Steele, Lea and Flood,
    /// *Fast splittable pseudorandom number generators*, OOPSLA 2014) started at this seed.
    ///
    /// Two streams of one seed never coincide. Derive again for a stream within a stream.
    ///
    /// ```
    /// use maas_core::Seed;
    /// let (layer, epoch) = (3, 12);
    /// assert_ne!(Seed(7).derive(layer).derive(epoch), Seed(7).derive(epoch).derive(layer));
    /// ```
    #[must_use]
    pub const fn derive(self, stream: u64) -> Self {
        const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self
            .0
            .wrapping_add(stream.wrapping_add(1).wrapping_mul(GOLDEN_RATIO));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(z ^ (z >> 31))
    }
}

impl From<u64> for Seed {
    fn from(seed: u64) -> Self {
        Self(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::Seed;

    #[test]
    fn is_splitmix64() {
        // The first outputs of the reference implementation (prng.di.unimi.it/splitmix64.c) started at 0.
        let outputs: Vec<u64> = (0..3).map(|stream| Seed(0).derive(stream).0).collect();
        assert_eq!(
            outputs,
            [
                0xe220_a839_7b1d_cdaf,
                0x6e78_9e6a_a1b9_65f4,
                0x06c4_5d18_8009_454f
            ]
        );
    }
}
