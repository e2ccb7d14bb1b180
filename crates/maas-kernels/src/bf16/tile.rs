#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use super::form::Form;
use super::step::multiply_add;
use super::strip::{End, Rows, Strip};
use crate::simd::{MOST_LANES, Simd};

/// Computes `R` rows by `V` vectors of C for a part of a block of k, the sums held in registers.
///
/// # Safety
/// `strip` must keep its promises, `left` point to a tile of `R` rows as the form reads it, rows `row..row + R` lie within
/// the strip, and its width fill `V` vectors, the last one perhaps partly.
#[inline(always)]
pub(super) unsafe fn tile<S: Simd, F: Form<S>, const R: usize, const V: usize>(
    s: S,
    form: F,
    strip: &Strip,
    left: *const f32,
    row: usize,
) {
    let last = strip.width - (V - 1) * S::LANES;
    let load = |rows: Rows, r: usize, v: usize| {
        let p = rows.p.wrapping_add((row + r) * rows.stride + v * S::LANES);
        // SAFETY: row `row + r` holds `width` floats.
        unsafe {
            if v == V - 1 && last < S::LANES {
                s.load_partial(p, last)
            } else {
                s.load(p)
            }
        }
    };

    let mut sums = [[s.zero(); V]; R];
    if let Some(start) = strip.start {
        for r in 0..R {
            for v in 0..V {
                sums[r][v] = load(start, r, v);
            }
        }
    }
    let before = sums;

    let mut least = s.splat(f32::INFINITY);
    let (mut a, mut b) = (left, strip.right);
    for _ in 0..strip.pairs {
        // SAFETY: both panels hold another pair.
        unsafe { form.pair(s, a, b, &mut sums, &mut least) };
        a = a.wrapping_add(F::WORDS * R);
        b = b.wrapping_add(strip.stride);
    }
    if F::WATCHES && holds(s, least, f32::MIN_POSITIVE) {
        // SAFETY: as the caller promises.
        unsafe { one_by_one(s, strip, left, &before, &mut sums) };
    }

    let (out, add) = match strip.end {
        End::Chain(rows) | End::Set(rows) => (rows, false),
        End::Add(rows) => (rows, true),
    };
    for r in 0..R {
        for v in 0..V {
            let sum = if add {
                s.add(load(out, r, v), sums[r][v])
            } else {
                sums[r][v]
            };
            let p = out.p.wrapping_add((row + r) * out.stride + v * S::LANES);
            // SAFETY: row `row + r` holds `width` floats.
            unsafe {
                if v == V - 1 && last < S::LANES {
                    s.store_partial(p, last, sum);
                } else {
                    s.store(p, sum);
                }
            }
        }
    }
}

/// Whether a lane of `x` is `value`.
#[inline(always)]
fn holds<S: Simd>(s: S, x: S::F, value: f32) -> bool {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: the array holds a vector.
    unsafe { s.store(lanes.as_mut_ptr(), x) };
    lanes[..S::LANES].contains(&value)
}

/// The tile's sums from `before` on, number by number.
///
/// # Safety
/// As for [`tile`], with a left panel of floats.
#[inline(always)]
unsafe fn one_by_one<S: Simd, const R: usize, const V: usize>(
    s: S,
    strip: &Strip,
    left: *const f32,
    before: &[[S::F; V]; R],
    sums: &mut [[S::F; V]; R],
) {
    for r in 0..R {
        for v in 0..V {
            let mut lanes = [0.0; MOST_LANES];
            // SAFETY: the array holds a vector; the panels hold `pairs` pairs.
            unsafe {
                s.store(lanes.as_mut_ptr(), before[r][v]);
                for (lane, sum) in lanes[..S::LANES].iter_mut().enumerate() {
                    for p in 0..strip.pairs {
                        let word = *strip.right.add(p * strip.stride + v * S::LANES + lane);
                        let (odd, even) = (word.to_bits() & !0xffff, word.to_bits() << 16);
                        let a = left.add(2 * p * R + r);
                        *sum = multiply_add(*a.add(R), f32::from_bits(odd), *sum);
                        *sum = multiply_add(*a, f32::from_bits(even), *sum);
                    }
                }
                sums[r][v] = s.load(lanes.as_ptr());
            }
        }
    }
}
