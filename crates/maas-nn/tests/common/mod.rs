//! What the tests share.

use maas_core::Seed;

/// `count` numbers in [−1, 1), none of them near zero's kinks by chance more often than others.
#[allow(dead_code)]
pub(crate) fn numbers(count: usize, seed: u64) -> Vec<f32> {
    (0..count as u64)
        .map(|index| (Seed(seed).derive(index).0 >> 40) as f32 / 8_388_608.0 - 1.0)
        .collect()
}
