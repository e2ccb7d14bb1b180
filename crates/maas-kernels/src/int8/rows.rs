//! Rows of inputs to codes.

use std::ops::Range;

use super::InputScale;
use super::dot::{Dot, DotWork};
use crate::Matrix;
use crate::simd::{MOST_LANES, Simd};

/// What is known of a row that has been quantised.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
    pub(super) scale: f32,
    /// Whether a code is negative.
    pub(super) signed: bool,
}

/// Where the codes of a row lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Bytes from one form to the other.
    pub(super) form: usize,
    /// Bytes from one row to the next.
    pub(super) row: usize,
}

impl Layout {
    /// Rows of `k` codes in so many forms. Each starts on another set of the cache.
    pub(super) fn new(k: usize, forms: usize) -> Self {
        let form = LINE * (k.div_ceil(LINE) | 1);
        Self {
            form,
            row: forms * form,
        }
    }
}

/// Quantises some rows.
///
/// Whoever makes one promises that `to` has room for so many rows of the layout.
pub(super) struct QuantizeRows<'a> {
    pub(super) a: Matrix<'a>,
    pub(super) range: Range<usize>,
    pub(super) scale: InputScale,
    /// As long as a row.
    pub(super) line: &'a mut [f32],
    pub(super) to: *mut u8,
    pub(super) layout: Layout,
    /// One a row.
    pub(super) rows: &'a mut [Row],
}

impl DotWork for QuantizeRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, D: Dot<S>>(self, s: S, dot: D) {
        let (k, data) = (self.a.columns(), self.a.data());
        let (row, column) = (self.a.row_stride(), self.a.column_stride());
        for (at, (i, known)) in self.range.zip(self.rows).enumerate() {
            let x = if k == 0 {
                &[]
            } else if column == 1 {
                &data[i * row..][..k]
            } else {
                self.a.copy_row(i, &mut self.line[..k]);
                &self.line[..k]
            };
            let to = self.to.wrapping_add(at * self.layout.row);
            // SAFETY: there is room for the row.
            *known = unsafe { quantize(s, dot, x, self.scale, to, self.layout.form) };
        }
    }
}

/// # Safety
/// `to` must have room for a row.
#[inline(always)]
unsafe fn quantize<S: Simd, D: Dot<S>>(
    s: S,
    dot: D,
    x: &[f32],
    scale: InputScale,
    to: *mut u8,
    form: usize,
) -> Row {
    let (largest, finite) = measure(s, x);
    let factors = scale.factors(largest, finite);
    let to_codes = s.splat(factors.to_codes);
    let (p, k) = (x.as_ptr(), x.len());
    let (mut seen, mut l) = (s.splat_i(0), 0);
    // SAFETY: whole vectors are read where they are left, and part of one in the end; a row of the layout has room for whole
    // vectors.
    unsafe {
        while l + S::LANES <= k {
            let codes = code(s, s.mul(s.load(p.add(l)), to_codes));
            seen = s.or_i(seen, codes);
            dot.put(s, codes, to.add(l), form);
            l += S::LANES;
        }
        if l < k {
            let codes = code(s, s.mul(s.load_partial(p.add(l), k - l), to_codes));
            seen = s.or_i(seen, codes);
            dot.put(s, codes, to.add(l), form);
        }
    }
    Row {
        scale: factors.scale,
        signed: lanes(s, s.of_bits(seen))
            .iter()
            .any(|x| x.is_sign_negative()),
    }
}

/// The largest magnitude of the numbers, and whether all are finite.
#[inline(always)]
pub(super) fn measure<S: Simd>(s: S, x: &[f32]) -> (f32, bool) {
    let (p, k) = (x.as_ptr(), x.len());
    let (mut largest, mut zeros, mut l) = ([s.zero(); CHAINS], [s.zero(); CHAINS], 0);
    while l + CHAINS * S::LANES <= k {
        for i in 0..CHAINS {
            // SAFETY: as many vectors are left.
            let x = unsafe { s.load(p.add(l + i * S::LANES)) };
            largest[i] = s.larger(s.abs(x), largest[i]);
            zeros[i] = s.fma(x, s.zero(), zeros[i]);
        }
        l += CHAINS * S::LANES;
    }
    while l < k {
        let width = S::LANES.min(k - l);
        // SAFETY: as many numbers are left.
        let x = unsafe { s.load_partial(p.add(l), width) };
        largest[0] = s.larger(s.abs(x), largest[0]);
        zeros[0] = s.fma(x, s.zero(), zeros[0]);
        l += width;
    }
    for i in 1..CHAINS {
        largest[0] = s.larger(largest[0], largest[i]);
        zeros[0] = s.add(zeros[0], zeros[i]);
    }
    let largest = lanes(s, largest[0]).into_iter().fold(0.0, f32::max);
    (largest, lanes(s, zeros[0]).iter().all(|&zero| zero == 0.0))
}

/// The integers nearest to the quotients, ties to even, within −127..=127.
#[inline(always)]
pub(super) fn code<S: Simd>(s: S, quotients: S::F) -> S::I {
    let most = s.splat(super::scale::MOST);
    let within = s.larger(s.smaller(quotients, most), s.neg(most));
    let shifted = s.add(within, s.splat(SHIFT));
    s.sub_i(s.bits(shifted), s.splat_i(SHIFT.to_bits().cast_signed()))
}

/// The lanes of a vector, and zeros.
#[inline(always)]
pub(super) fn lanes<S: Simd>(s: S, x: S::F) -> [f32; MOST_LANES] {
    let mut lanes = [0.0; MOST_LANES];
    // SAFETY: no set has more lanes.
    unsafe { s.store(lanes.as_mut_ptr(), x) };
    lanes
}

/// Vectors that are looked at side by side.
const CHAINS: usize = 4;
/// 1.5·2²³: the sum with a small number is rounded to an integer, which the lower bits of its mantissa hold.
const SHIFT: f32 = 12_582_912.0;
/// Bytes on a line of the cache.
const LINE: usize = crate::prefetch::LINE;
