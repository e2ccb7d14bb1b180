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
        let mut turned = [0.0; MOST_LANES * MOST_LANES];
        for top in (0..self.rows).step_by(S::LANES) {
            let rows = S::LANES.min(self.rows - top);
            for j in (0..self.out.width).step_by(S::LANES) {
                let mut sums = self.sums.wrapping_add(j * self.lanes + top);
                if self.lanes > 1 {
                    let to = turned.as_mut_ptr();
                    // SAFETY: a vector of columns has its sums; `turned` has room for `LANES` vectors.
                    unsafe { s.transpose(sums, self.lanes, S::LANES, S::LANES, to, S::LANES) };
                    sums = to;
                }
                // SAFETY: these are the sums of so many rows and a vector of columns.
                unsafe { self.mend(sums, S::LANES, top..top + rows, j) };
                let width = S::LANES.min(self.out.width - j);
                let out = self.out.part(top, j, width);
                // SAFETY: as above; C has the rows and the columns.
                unsafe {
                    if out.width < S::LANES {
                        write::<S, true>(s, sums, rows, &out);
                    } else {
                        write::<S, false>(s, sums, rows, &out);
                    }
                }
            }
        }
    }
}

impl Finish<'_> {
    /// Computes sums anew where zeros that were left out could matter: they can make a −0 a +0, and of what is not finite a NaN.
    ///
    /// # Safety
    /// `sums` must hold `lanes` columns from `column` on of these rows, of a row side by side.
    #[inline(always)]
    unsafe fn mend(
        &self,
        sums: *mut f32,
        lanes: usize,
        rows: std::ops::Range<usize>,
        column: usize,
    ) {
        for (i, row) in rows.enumerate() {
            // SAFETY: as promised by the caller.
            let (sums, hostile) = unsafe {
                let sums = std::slice::from_raw_parts_mut(sums.add(i * lanes), lanes);
                (sums, *self.hostile.add(row))
            };
            let minus_zero = |sum: &f32| sum.to_bits() == (-0.0f32).to_bits();
            let any = sums.iter().fold(false, |any, sum| any | minus_zero(sum));
            if any | hostile.is_sign_negative() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    if column + j < self.out.width
                        && (hostile.is_sign_negative() || minus_zero(sum))
                    {
                        *sum = self.dense_total(row, column + j);
                    }
                }
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn dense_total(&self, row: usize, column: usize) -> f32 {
        // SAFETY: A has the row, and as many columns as the matrix has rows.
        let x = |l| unsafe { *self.a.at(row, l).p };
        self.matrix.dense_total(self.column + column, x)
    }
}

/// # Safety
/// `sums` must hold `rows` vectors, and `out` be one vector wide, not a full one where `RAGGED`.
#[inline(always)]
unsafe fn write<S: Simd, const RAGGED: bool>(s: S, sums: *const f32, rows: usize, out: &Out) {
    let sum = |row: usize| sums.wrapping_add(row * S::LANES);
    let mut row = 0;
    // SAFETY: as promised by the caller.
    unsafe {
        while row + 4 <= rows {
            let mut four = [[s.zero(); 1]; 4];
            for (r, sums) in four.iter_mut().enumerate() {
                sums[0] = s.load(sum(row + r));
            }
            out.finish::<S, 4, 1, RAGGED>(s, row, four);
            row += 4;
        }
        while row < rows {
            out.finish::<S, 1, 1, RAGGED>(s, row, [[s.load(sum(row))]]);
            row += 1;
        }
    }
}
