//! What several tests share.
#![allow(dead_code)]

pub(crate) mod reference;

use maas_kernels::Kernels;
use proptest::prelude::*;

/// "Same" as the contract says it: the same bits, or both NaN.
pub(crate) fn same(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

#[track_caller]
pub(crate) fn assert_same(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        let equal = a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
        assert!(
            equal,
            "{what}: element {i} is {a:e} ({:08x}), not {b:e} ({:08x})",
            a.to_bits(),
            b.to_bits()
        );
    }
}

/// The sets beside the portable one.
pub(crate) fn others() -> impl Iterator<Item = Kernels> {
    Kernels::available()
        .into_iter()
        .filter(|&set| set != Kernels::portable())
}

/// Any float: mostly ordinary, now and then huge, tiny, denormal, infinite, NaN, or a signed zero.
pub(crate) fn float() -> impl Strategy<Value = f32> {
    prop_oneof![
        24 => -4.0f32..4.0,
        4 => any::<i32>().prop_map(|bits| f32::from_bits(bits.cast_unsigned())),
        1 => Just(0.0),
        1 => Just(-0.0),
        1 => -200.0f32..200.0,
        1 => (1u32..0x0080_0000, any::<bool>()).prop_map(|(bits, negative)| {
            let x = f32::from_bits(bits);
            if negative { -x } else { x }
        }),
        1 => prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(f32::NEG_INFINITY)],
    ]
}

/// Floats without NaN and infinities.
pub(crate) fn ordinary() -> impl Strategy<Value = f32> {
    -4.0f32..4.0
}

pub(crate) fn floats(
    len: impl Into<proptest::collection::SizeRange>,
) -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(float(), len)
}

/// A deterministic sequence of numbers in (−1, 1), exactly representable.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn next(&mut self) -> f32 {
        ((self.bits() >> 40) as f32 + 0.5) / (1u32 << 23) as f32 - 1.0
    }

    pub(crate) fn vec(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}
