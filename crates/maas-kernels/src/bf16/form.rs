//! How a tile multiplies: three ways to the same bits.

#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use super::convert::widen;
use crate::simd::Simd;

/// How the sums of a tile go on by one pair of k.
pub(super) trait Form<S: Simd>: Copy {
    /// Words of the left panel, a row and pair.
    const WORDS: usize;
    /// Whether `least` is kept: the smallest sum that was not zero, the smallest normal number being in doubt.
    const WATCHES: bool;

    /// sums\[r\]\[v\] ← sums\[r\]\[v\] + a₁·b₁, then + a₀·b₀.
    ///
    /// # Safety
    /// `a` must point to `WORDS · R` words and `b` to `V` vectors of them.
    unsafe fn pair<const R: usize, const V: usize>(
        self,
        s: S,
        a: *const f32,
        b: *const f32,
        sums: &mut [[S::F; V]; R],
        least: &mut S::F,
    );
}

/// Fused multiply-adds, for operands whose sums cannot become subnormal.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl<S: Simd> Form<S> for Plain {
    const WORDS: usize = 2;
    const WATCHES: bool = false;

    #[inline(always)]
    unsafe fn pair<const R: usize, const V: usize>(
        self,
        s: S,
        a: *const f32,
        b: *const f32,
        sums: &mut [[S::F; V]; R],
        _: &mut S::F,
    ) {
        // SAFETY: as the caller promises.
        unsafe { odd_then_even(s, a, b, sums, |left, right, sum| s.fma(left, right, sum)) };
    }
}

/// Fused multiply-adds whose subnormal sums become zeros.
#[derive(Clone, Copy)]
pub(super) struct Flushing;

impl<S: Simd> Form<S> for Flushing {
    const WORDS: usize = 2;
    const WATCHES: bool = true;

    #[inline(always)]
    unsafe fn pair<const R: usize, const V: usize>(
        self,
        s: S,
        a: *const f32,
        b: *const f32,
        sums: &mut [[S::F; V]; R],
        least: &mut S::F,
    ) {
        let go_on = |left, right, sum| {
            let sum = s.fma(left, right, sum);
            let size = s.abs(sum);
            let tiny = s.lt(size, s.splat(f32::MIN_POSITIVE));
            let zero = s.of_bits(s.and_i(s.bits(sum), s.splat_i(i32::MIN)));
            *least = s.smaller(s.select(tiny, s.splat(f32::INFINITY), size), *least);
            s.select(tiny, zero, sum)
        };
        // SAFETY: as the caller promises.
        unsafe { odd_then_even(s, a, b, sums, go_on) };
    }
}

/// Goes on with every sum, by the odd numbers of the pair and then by the even ones: `go_on(left, right, sum)`.
///
/// # Safety
/// `a` must point to `2 · R` words and `b` to `V` vectors of them.
#[inline(always)]
unsafe fn odd_then_even<S: Simd, const R: usize, const V: usize>(
    s: S,
    a: *const f32,
    b: *const f32,
    sums: &mut [[S::F; V]; R],
    mut go_on: impl FnMut(S::F, S::F, S::F) -> S::F,
) {
    for odd in [true, false] {
        // SAFETY: as the caller promises.
        let right = unsafe { half::<S, V>(s, b, odd) };
        for r in 0..R {
            // SAFETY: as the caller promises.
            let left = s.splat(unsafe { *a.add(if odd { R + r } else { r }) });
            for v in 0..V {
                sums[r][v] = go_on(left, right[v], sums[r][v]);
            }
        }
    }
}

/// The odd or the even numbers of `V` vectors of words.
///
/// # Safety
/// `b` must point to `V` vectors.
#[inline(always)]
unsafe fn half<S: Simd, const V: usize>(s: S, b: *const f32, odd: bool) -> [S::F; V] {
    let mut right = [s.zero(); V];
    for (v, right) in right.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        let words = s.bits(unsafe { s.load(b.add(v * S::LANES)) });
        *right = if odd {
            s.of_bits(s.and_i(words, s.splat_i(!0xffff)))
        } else {
            widen(s, words)
        };
    }
    right
}
