use super::end::Out;
use crate::kernels::Work;
use crate::simd::{MOST_LANES, Simd};

/// One row of C for one block of k, from a B whose columns are contiguous: each lane runs down a column of its own.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, and that C overlaps nothing that is read.
pub(super) struct Columns {
    pub(super) k: usize,
    /// A row of k floats, one after another.
    pub(super) x: *const f32,
    /// As many columns of k floats as `out` is wide, `b_stride` apart.
    pub(super) b: *const f32,
    pub(super) b_stride: usize,
    /// One row.
    pub(super) out: Out,
}

impl Work for Columns {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let n = self.out.width;
        let mut j = 0;
        // SAFETY: the maker of the columns vouches for its pointers; the groups lie within the width.
        unsafe {
            if !(self.b_stride * size_of::<f32>()).is_multiple_of(SAME_SET) {
                while j + 2 * S::LANES <= n {
                    self.group::<S, 2>(s, j);
                    j += 2 * S::LANES;
                }
            }
            while j + S::LANES <= n {
                self.group::<S, 1>(s, j);
                j += S::LANES;
            }
            if j < n {
                self.rest(s, j);
            }
        }
    }
}

impl Columns {
    fn out(&self, j: usize, width: usize) -> Out {
        Out {
            end: self.out.end.from(j),
            to: self.out.to.at(0, j),
            width,
        }
    }

    /// `V` vectors of columns, from column `j` on.
    ///
    /// # Safety
    /// The columns must lie within the width.
    #[inline(always)]
    unsafe fn group<S: Simd, const V: usize>(&self, s: S, j: usize) {
        let mut sums = [s.zero(); V];
        let mut l = 0;
        while l + S::LANES <= self.k {
            let from = self.b.wrapping_add(j * self.b_stride + l);
            // SAFETY: `V · LANES` columns with `LANES` floats from row l on.
            sums = unsafe { s.chains(from, self.b_stride, self.x.wrapping_add(l), sums) };
            l += S::LANES;
        }
        while l < self.k {
            for (v, sum) in sums.iter_mut().enumerate() {
                // SAFETY: what is left of `LANES` columns.
                *sum = unsafe { self.go_on(s, j + v * S::LANES, S::LANES, l, *sum) };
            }
            l += S::LANES;
        }
        // SAFETY: `V` vectors of the row of C.
        unsafe {
            self.out(j, V * S::LANES)
                .finish::<S, 1, V, false>(s, 0, [sums]);
        };
    }

    /// The columns from `j` on, too few for a vector.
    ///
    /// # Safety
    /// Fewer than a vector of columns must be left.
    #[inline(always)]
    unsafe fn rest<S: Simd>(&self, s: S, j: usize) {
        let columns = self.out.width - j;
        let mut sum = s.zero();
        // SAFETY: the columns lie within the width.
        unsafe {
            for l in (0..self.k).step_by(S::LANES) {
                sum = self.go_on(s, j, columns, l, sum);
            }
            self.out(j, columns).finish::<S, 1, 1, true>(s, 0, [[sum]]);
        }
    }

    /// Goes on with at most `LANES` products of each of `columns` columns, from row `l` on.
    ///
    /// # Safety
    /// The columns must lie within the width, and be at most `LANES`.
    #[inline(always)]
    unsafe fn go_on<S: Simd>(&self, s: S, j: usize, columns: usize, l: usize, sum: S::F) -> S::F {
        let rows = S::LANES.min(self.k - l);
        let mut block = [0.0; MOST_LANES * MOST_LANES];
        let from = self.b.wrapping_add(j * self.b_stride + l);
        let x = self.x.wrapping_add(l);
        let mut sum = sum;
        // SAFETY: `rows` floats of each column; the block has room for `LANES` vectors.
        unsafe {
            s.transpose(
                from,
                self.b_stride,
                columns,
                rows,
                block.as_mut_ptr(),
                S::LANES,
            );
            for l in 0..rows {
                let column = s.load(block.as_ptr().add(l * S::LANES));
                sum = s.fma(s.splat(*x.add(l)), column, sum);
            }
        }
        sum
    }
}

/// Bytes between columns, at multiples of which they share one set of the first cache, whose eight lines hold eight
/// columns only.
const SAME_SET: usize = 4096;
