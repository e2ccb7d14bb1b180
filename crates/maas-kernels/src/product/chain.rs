//! How an element's sum goes on from one product of two numbers to the next.

use super::BLOCK;
#[cfg(target_arch = "x86_64")]
use crate::bf16::Instruction;
#[cfg(test)]
use crate::bf16::without_subnormal;
use crate::simd::{Part, Simd};

/// What the sums of a product are.
#[derive(Clone, Copy)]
pub(crate) enum Chain {
    Fused,
    Flushing,
    /// Each float of the operands is a word of two bf16 numbers.
    #[cfg(target_arch = "x86_64")]
    Pairs(Instruction),
    /// The same, in place of the instruction.
    #[cfg(test)]
    Words,
}

impl Chain {
    /// Floats, or words in their place, of a block of k.
    pub(super) fn block(self) -> usize {
        match self {
            Self::Fused | Self::Flushing => BLOCK,
            #[cfg(target_arch = "x86_64")]
            Self::Pairs(_) => BLOCK / 2,
            #[cfg(test)]
            Self::Words => BLOCK / 2,
        }
    }
}

/// One step of a chain.
pub(crate) trait Step<S: Simd>: Copy {
    /// `sum + left · right`.
    fn go_on(self, s: S, left: S::F, right: S::F, sum: S::F) -> S::F;

    /// Runs `part` in a function of its own, compiled for the set and for what `go_on` needs.
    #[inline(always)]
    fn apart<P: Part<S>>(self, s: S, part: P) {
        s.apart(part);
    }
}

/// Fused multiply-adds.
#[derive(Clone, Copy)]
pub(crate) struct Fused;

impl<S: Simd> Step<S> for Fused {
    #[inline(always)]
    fn go_on(self, s: S, left: S::F, right: S::F, sum: S::F) -> S::F {
        s.fma(left, right, sum)
    }
}

/// Fused multiply-adds rounded to 24 bits as if exponents had no lower limit; below the smallest normal number a zero of the
/// sum's sign. Neither the sum nor the factors, which are bf16 numbers, may be subnormal.
#[derive(Clone, Copy)]
pub(crate) struct Flushing;

impl<S: Simd> Step<S> for Flushing {
    #[inline(always)]
    fn go_on(self, s: S, left: S::F, right: S::F, sum: S::F) -> S::F {
        const LIFT: f32 = (1u64 << 48) as f32;
        let next = s.fma(left, right, sum);
        // The same sum, far from the limit. Where lifting makes something infinite, left · right is at least 2⁻⁴⁶ or the
        // sum 2³²: such sums are zero or large.
        let (left, right) = (s.mul(left, s.splat(LIFT)), s.mul(right, s.splat(LIFT)));
        let lifted = s.fma(left, right, s.mul(sum, s.splat(LIFT * LIFT)));
        let below = s.lt(s.abs(lifted), s.splat(f32::MIN_POSITIVE * LIFT * LIFT));
        let zero = s.of_bits(s.and_i(s.bits(next), s.splat_i(i32::MIN)));
        s.select(below, zero, next)
    }
}

/// What the instruction does.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(crate) struct Words;

#[cfg(test)]
impl<S: Simd> Step<S> for Words {
    #[inline(always)]
    fn go_on(self, s: S, left: S::F, right: S::F, sum: S::F) -> S::F {
        let (left, right) = (s.bits(left), s.bits(right));
        let odd = |x| without_subnormal(s, s.of_bits(s.and_i(x, s.splat_i(!0xffff))));
        let even = |x| without_subnormal(s, s.of_bits(s.shift_left::<16>(x)));
        let sum = Flushing.go_on(s, odd(left), odd(right), sum);
        Flushing.go_on(s, even(left), even(right), sum)
    }
}
