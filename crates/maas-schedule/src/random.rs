//! Random numbers that threads share.

use crate::sync::{AtomicU64, Ordering};

/// SplitMix64 (Steele, Lea, Flood 2014) on an atomic: a number is one addition and a mix. One thread gets the same numbers
/// from the same seed; threads share them out, none twice.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct RandomNumbers(AtomicU64);

impl RandomNumbers {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// A number below `bound`, which is not 0.
    #[inline]
    pub(crate) fn below(&self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A number from 0 to below 1.
    pub(crate) fn fraction(&self) -> f64 {
        fraction(self.next())
    }

    #[inline]
    pub(crate) fn next(&self) -> u64 {
        mix(self
            .0
            .fetch_add(GAMMA, Ordering::Relaxed)
            .wrapping_add(GAMMA))
    }

    /// Two different numbers below `bound`, which is at least 2.
    #[inline]
    pub(crate) fn two_below(&self, bound: usize) -> (usize, usize) {
        let first = self.below(bound);
        let second = self.below(bound - 1);
        (first, second + usize::from(second >= first))
    }
}

/// A random number as one from 0 to below 1.
pub(crate) fn fraction(number: u64) -> f64 {
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// Sends numbers to numbers one to one, so that close ones end far apart.
#[inline]
pub(crate) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_split_mix() {
        // The first numbers of the authors' generator for the seed 1234567.
        let mut state = 1_234_567_u64;
        let mut next = || {
            state = state.wrapping_add(GAMMA);
            mix(state)
        };
        assert_eq!(
            [next(), next()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn pairs_differ_and_are_even() {
        let numbers = RandomNumbers::seeded(1);
        let mut shares = [0; 4];
        for _ in 0..40_000 {
            let (first, second) = numbers.two_below(4);
            assert_ne!(first, second);
            shares[first] += 1;
            shares[second] += 1;
        }
        assert!(
            shares.iter().all(|share| (19_500..20_500).contains(share)),
            "{shares:?}"
        );
    }
}
