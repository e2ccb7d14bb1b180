use std::array::from_fn;
use std::ops::Range;

use super::SparseMatrix;
use crate::kernels::Work;
use crate::product::{Out, View};
use crate::simd::{MOST_LANES, Simd};

/// Brings the sums of a band and some rows of a batch to C.
///
/// Whoever makes one promises that its pointers reach as far as its numbers say, and that nobody else uses sums or C meanwhile.
pub(super) struct Finish<'a> {
    pub(super) matrix: &'a SparseMatrix,
    /// The band's first column.
    pub(super) column: usize,
    /// The rows as they lie in A.
    pub(super) a: View,
    pub(super) rows: usize,
    /// Floats side by side in the sums of a column.
    pub(super) lanes: usize,
    pub(super) sums: *mut f32,
    /// One number a row, negative if the row is not finite.
    pub(super) hostile: *const f32,
    /// As wide as the band.
    pub(super) out: Out,
}

impl Work for Finish<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let two = 2 * S::LANES;
        let mut turned = [0.0; 2 * MOST_LANES * MOST_LANES];
        for top in (0..self.rows).step_by(S::LANES) {
            let rows = top..self.rows.min(top + S::LANES);
            for j in (0..self.out.width).step_by(two) {
                let left = self.out.width - j;
                // SAFETY: the maker vouches for these rows and columns.
                unsafe {
                    match left {
                        _ if left >= two => {
                            self.tile::<S, 2, false>(s, rows.clone(), j, &mut turned);
                        }
                        _ if left > S::LANES => {
                            self.tile::<S, 2, true>(s, rows.clone(), j, &mut turned);
                        }
                        _ if left == S::LANES => {
                            self.tile::<S, 1, false>(s, rows.clone(), j, &mut turned);
                        }
                        _ => self.tile::<S, 1, true>(s, rows.clone(), j, &mut turned),
                    }
                }
            }
        }
    }
}

impl Finish<'_> {
    /// Some rows of `V` vectors of columns, side by side so that whole lines of the cache are written at once.
    ///
    /// # Safety
    /// There must be at most `LANES` rows, and columns that fill `V` vectors, the last one partly where `RAGGED`.
    #[inline(always)]
    unsafe fn tile<S: Simd, const V: usize, const RAGGED: bool>(
        &self,
        s: S,
        rows: Range<usize>,
        column: usize,
        turned: &mut [f32; 2 * MOST_LANES * MOST_LANES],
    ) {
        let mut sums = self.sums.wrapping_add(column * self.lanes + rows.start);
        let mut apart = S::LANES;
        if self.lanes > 1 {
            let (from, to) = (sums, turned.as_mut_ptr());
            apart *= S::LANES;
            for v in 0..V {
                let from = from.wrapping_add(v * S::LANES * self.lanes);
                // SAFETY: a vector of columns has its sums; `turned` has room for `2 · LANES` vectors.
                unsafe {
                    let to = to.add(v * apart);
                    s.transpose(from, self.lanes, S::LANES, S::LANES, to, S::LANES);
                }
            }
            sums = to;
        }
        // SAFETY: these are the sums of so many rows and of vectors of columns; C has the rows and the columns.
        unsafe {
            for v in 0..V {
                let sums = sums.add(v * apart);
                self.mend(s, sums, rows.clone(), column + v * S::LANES);
            }
            let sum = |row: usize, v: usize| s.load(sums.add(v * apart + row * S::LANES));
            let width = self.out.width - column;
            let out = self.out.part(rows.start, column, width.min(V * S::LANES));
            let mut row = 0;
            while row + 4 <= rows.len() {
                let four = from_fn(|r| from_fn(|v| sum(row + r, v)));
                out.finish::<S, 4, V, RAGGED>(s, row, four);
                row += 4;
            }
            while row < rows.len() {
                out.finish::<S, 1, V, RAGGED>(s, row, [from_fn(|v| sum(row, v))]);
                row += 1;
            }
        }
    }

    /// Computes sums anew where zeros that were left out could matter: they can make a −0 a +0, and of what is not finite a NaN.
    ///
    /// # Safety
    /// `sums` must hold a vector of columns from `column` on of each of these rows.
    #[inline(always)]
    unsafe fn mend<S: Simd>(&self, s: S, sums: *mut f32, rows: Range<usize>, column: usize) {
        // The sign of a lane is clear where one of its sums is −0.
        let mut signs = s.splat_i(i32::MIN);
        let mut hostile = false;
        for (i, row) in rows.clone().enumerate() {
            // SAFETY: as promised by the caller.
            unsafe {
                let flipped = s.bits(s.neg(s.load(sums.add(i * S::LANES))));
                let negated = s.sub_i(s.splat_i(0), flipped);
                signs = s.and_i(signs, s.or_i(flipped, negated));
                hostile |= (*self.hostile.add(row)).is_sign_negative();
            }
        }
        let mut lanes = [0.0; MOST_LANES];
        // SAFETY: there is room for a vector.
        unsafe { s.store(lanes.as_mut_ptr(), s.of_bits(signs)) };
        let zeros = |any, lane: &f32| any | lane.is_sign_positive();
        if hostile || lanes[..S::LANES].iter().fold(false, zeros) {
            // SAFETY: as promised by the caller.
            unsafe { self.mend_one_by_one(sums, S::LANES, rows, column) };
        }
    }

    /// # Safety
    /// As `mend`.
    #[cold]
    #[inline(never)]
    unsafe fn mend_one_by_one(
        &self,
        sums: *mut f32,
        lanes: usize,
        rows: Range<usize>,
        column: usize,
    ) {
        for (i, row) in rows.enumerate() {
            // SAFETY: as promised by the caller.
            let (sums, hostile) = unsafe {
                let sums = std::slice::from_raw_parts_mut(sums.add(i * lanes), lanes);
                (sums, (*self.hostile.add(row)).is_sign_negative())
            };
            for (column, sum) in (column..self.out.width).zip(sums) {
                if hostile || sum.to_bits() == (-0.0f32).to_bits() {
                    *sum = self.dense_total(row, column);
                }
            }
        }
    }

    fn dense_total(&self, row: usize, column: usize) -> f32 {
        // SAFETY: A has the row, and as many columns as the matrix has rows.
        let x = |l| unsafe { *self.a.at(row, l).p };
        self.matrix.dense_total(self.column + column, x)
    }
}
