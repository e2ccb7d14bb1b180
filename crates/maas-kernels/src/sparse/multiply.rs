#![allow(
    clippy::needless_range_loop,
    reason = "g and v index several arrays of registers at once"
)]

use super::SparseMatrix;
use super::layout::GROUP;
use crate::kernels::Work;
use crate::simd::{Simd, four_places};

/// Goes on with the sums of a band's columns for the rows of a block and some rows of a batch.
///
/// Whoever makes one promises that `x` and `sums` reach as far as the layout and `lanes` say, and that nobody else uses the sums
/// meanwhile.
pub(super) struct Multiply<'a> {
    pub(super) matrix: &'a SparseMatrix,
    pub(super) band: usize,
    pub(super) block: usize,
    /// Rows of a batch side by side: 1, or one or two vectors.
    pub(super) lanes: usize,
    /// A block as `Pack` leaves it.
    pub(super) x: *const f32,
    /// `lanes` floats for every column of the band.
    pub(super) sums: *mut f32,
    /// Whether sums start at +0.
    pub(super) first: bool,
}

impl Work for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the maker vouches for the pointers; the numbers of lanes are as they say.
        unsafe {
            if self.lanes == 1 {
                match S::LANES {
                    16 => self.one_row::<S, 1>(s),
                    8 => self.one_row::<S, 2>(s),
                    _ => self.one_row::<S, 8>(s),
                }
            } else if self.lanes == S::LANES {
                self.rows::<S, 1, 8>(s);
            } else {
                self.rows::<S, 2, 4>(s);
            }
        }
    }
}

impl Multiply<'_> {
    /// Each lane is a row of the batch; `G` columns of `V` vectors at a time, so that there are chains enough.
    ///
    /// # Safety
    /// There must be `V` vectors of lanes.
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize, const G: usize>(&self, s: S) {
        let crossing = self.matrix.layout().crossing(self.band, self.block);
        for (i, columns) in crossing.order.chunks_exact(G).enumerate() {
            let steps = crossing.steps(i * G / GROUP);
            let mut weights = self.matrix.weights(steps.start).wrapping_add(i * G % GROUP);
            let mut places = self.matrix.places(steps.start).wrapping_add(i * G % GROUP);
            let mut sums = [[s.zero(); V]; G];
            if !self.first {
                for g in 0..G {
                    for v in 0..V {
                        // SAFETY: every column has its sums.
                        sums[g][v] = unsafe { s.load(self.sums_of::<S, V>(columns[g], v)) };
                    }
                }
            }
            for _ in steps {
                for quarter in (0..G).step_by(4) {
                    // SAFETY: a step has `GROUP` places and weights; every place is a row of the block.
                    unsafe {
                        let rows = four_places(places.add(quarter));
                        for g in 0..4 {
                            let weight = s.splat(*weights.add(quarter + g));
                            let x = self.x.add(rows[g] * (V * S::LANES));
                            for v in 0..V {
                                let x = s.load(x.add(v * S::LANES));
                                let sum = &mut sums[quarter + g][v];
                                *sum = s.fma(weight, x, *sum);
                            }
                        }
                    }
                }
                weights = weights.wrapping_add(GROUP);
                places = places.wrapping_add(GROUP);
            }
            for g in 0..G {
                for v in 0..V {
                    // SAFETY: every column has its sums.
                    unsafe { s.store(self.sums_of::<S, V>(columns[g], v), sums[g][v]) };
                }
            }
        }
    }

    #[inline(always)]
    fn sums_of<S: Simd, const V: usize>(&self, column: u16, v: usize) -> *mut f32 {
        let vector = usize::from(column) * V + v;
        self.sums.wrapping_add(vector * S::LANES)
    }

    /// Each lane is a column; `V` vectors of columns at a time.
    ///
    /// # Safety
    /// There must be one row.
    #[inline(always)]
    unsafe fn one_row<S: Simd, const V: usize>(&self, s: S) {
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
