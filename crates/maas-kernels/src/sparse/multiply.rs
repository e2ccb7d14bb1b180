#![allow(
    clippy::needless_range_loop,
    reason = "g and v index several arrays of registers at once"
)]

use super::SparseMatrix;
use super::layout::GROUP;
use crate::kernels::Work;
use crate::simd::{Simd, read_places};

/// Goes on with the sums of a band's columns for the rows of a block and some rows of a batch.
///
/// Whoever makes one promises that `x` and `sums` reach as far as the layout and `lanes` say, and that nobody else uses the sums
/// meanwhile.
pub(super) struct Multiply<'a> {
    pub(super) matrix: &'a SparseMatrix,
    pub(super) band: usize,
    pub(super) block: usize,
    /// Rows of a batch side by side: one, two or four vectors.
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
            match self.lanes / S::LANES {
                1 => self.rows::<S, 1, 8, 4>(s),
                2 => self.rows::<S, 2, 4, 4>(s),
                _ => self.rows::<S, 4, 2, 2>(s),
            }
        }
    }
}

impl Multiply<'_> {
    /// Each lane is a row of the batch; `G` columns of `V` vectors at a time, so that there are chains enough. `P` places
    /// are read at once.
    ///
    /// # Safety
    /// There must be `V` vectors of lanes.
    #[inline(always)]
    unsafe fn rows<S: Simd, const V: usize, const G: usize, const P: usize>(&self, s: S) {
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
                for first in (0..G).step_by(P) {
                    // SAFETY: a step has `GROUP` places and weights; every place is a row of the block.
                    unsafe {
                        let rows = read_places::<P>(places.add(first));
                        for g in 0..P {
                            let weight = s.splat(*weights.add(first + g));
                            let x = self.x.add(rows[g] * (V * S::LANES));
                            for v in 0..V {
                                let x = s.load(x.add(v * S::LANES));
                                let sum = &mut sums[first + g][v];
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
}
