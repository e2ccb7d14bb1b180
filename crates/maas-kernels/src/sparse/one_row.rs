#![allow(
    clippy::needless_range_loop,
    reason = "v indexes several arrays of registers at once"
)]

use super::SparseMatrix;
use super::layout::GROUP;
use crate::kernels::Work;
use crate::simd::Simd;

/// Goes on with the sums of a band's columns for the rows of a block and a single row of a batch.
///
/// Whoever makes one promises that `x` and `sums` reach as far as the layout says, and that nobody else uses the sums meanwhile.
pub(super) struct MultiplyRow<'a> {
    pub(super) matrix: &'a SparseMatrix,
    pub(super) band: usize,
    pub(super) block: usize,
    /// A block as `Pack` leaves it.
    pub(super) x: *const f32,
    /// One for every column of the band.
    pub(super) sums: *mut f32,
    /// Whether sums start at +0.
    pub(super) first: bool,
}

impl Work for MultiplyRow<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the maker vouches for the pointers.
        unsafe {
            match S::LANES {
                16 => self.columns::<S, 1>(s),
                8 => self.columns::<S, 2>(s),
                _ => self.columns::<S, 8>(s),
            }
        }
    }
}

impl MultiplyRow<'_> {
    /// Each lane is a column; `V` vectors of columns at a time.
    ///
    /// # Safety
    /// As the maker promises.
    #[inline(always)]
    unsafe fn columns<S: Simd, const V: usize>(&self, s: S) {
        let crossing = self.matrix.layout().crossing(self.band, self.block);
        let columns = crossing.order.chunks_exact(V * S::LANES);
        for (i, columns) in columns.enumerate() {
            let first = i * V * S::LANES;
            let steps = crossing.steps(first / GROUP);
            let mut weights = self.matrix.weights(steps.start).wrapping_add(first % GROUP);
            let mut places = self.matrix.places(steps.start).wrapping_add(first % GROUP);
            let mut sums = [s.zero(); V];
            if !self.first {
                for v in 0..V {
                    // SAFETY: a vector of columns, which have their sums.
                    sums[v] = unsafe { s.gather(self.sums, columns.as_ptr().add(v * S::LANES)) };
                }
            }
            for _ in steps {
                for v in 0..V {
                    // SAFETY: a step has `GROUP` places and weights; every place is a row of the block.
                    unsafe {
                        let x = s.gather(self.x, places.add(v * S::LANES));
                        let weights = s.load(weights.add(v * S::LANES));
                        sums[v] = s.fma(weights, x, sums[v]);
                    }
                }
                weights = weights.wrapping_add(GROUP);
                places = places.wrapping_add(GROUP);
            }
            let mut side_by_side = [0.0; GROUP];
            for v in 0..V {
                // SAFETY: `V` vectors are no more than a group.
                unsafe { s.store(side_by_side.as_mut_ptr().add(v * S::LANES), sums[v]) };
            }
            for (&column, sum) in columns.iter().zip(side_by_side) {
                // SAFETY: every column has its sum.
                unsafe { self.sums.add(usize::from(column)).write(sum) };
            }
        }
    }
}
