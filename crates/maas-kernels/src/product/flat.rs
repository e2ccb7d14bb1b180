//! One or two rows of C from panels of B: some panels side by side, so that there are chains enough.

use super::blocked::Product;
use super::end::Out;
use super::pack::View;
use super::panels::Panels;
use crate::kernels::Work;
use crate::simd::Simd;

impl Product {
    /// Reads B once, in as many runs of memory as there are panels side by side.
    pub(super) fn flat(self, b: Panels) {
        for start in (0..self.k.max(1)).step_by(self.chain.block()) {
            let k = self.chain.block().min(self.k - start);
            self.kernels.run(Flat {
                m: self.m,
                k,
                a: self.a.at(0, start),
                b: b.at(start, 0),
                step: b.step(start),
                out: Out {
                    end: self.end(start, start + k, 0),
                    to: self.to,
                    width: self.n,
                },
            });
        }
    }
}

/// One block of k.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C overlaps nothing that is read, and
/// that no other thread uses these columns of it meanwhile.
struct Flat {
    /// 1 or 2.
    m: usize,
    k: usize,
    a: View,
    /// Panels of two vectors, `step` floats apart, that have all columns of `out`.
    b: *const f32,
    step: usize,
    out: Out,
}

impl Work for Flat {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the maker vouches for the pointers.
        unsafe {
            match self.m {
                1 => self.rows::<S, 1, 4>(s),
                _ => self.rows::<S, 2, 2>(s),
            }
        }
    }
}

impl Flat {
    /// `P` panels at a time; what is missing of the last ones is a panel more than once.
    ///
    /// # Safety
    /// There must be `R` rows.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize, const P: usize>(&self, s: S) {
        let width = 2 * S::LANES;
        let panels = self.out.width.div_ceil(width);
        for first in (0..panels).step_by(P) {
            let mut b = [self.b; P];
            for (p, b) in b.iter_mut().enumerate() {
                *b = b.wrapping_add((first + p).min(panels - 1) * self.step);
            }
            // SAFETY: the panels are there.
            let sums = unsafe { self.sums::<S, R, P>(s, b) };
            for (panel, sums) in (first..panels).zip(sums) {
                let column = panel * width;
                let left = width.min(self.out.width - column);
                let out = self.out.part(0, column, left);
                let narrow = sums.map(|[sum, _]| [sum]);
                // SAFETY: the columns lie within the width.
                unsafe {
                    if left == width {
                        out.finish::<S, R, 2, false>(s, 0, sums);
                    } else if left > S::LANES {
                        out.finish::<S, R, 2, true>(s, 0, sums);
                    } else if left == S::LANES {
                        out.finish::<S, R, 1, false>(s, 0, narrow);
                    } else {
                        out.finish::<S, R, 1, true>(s, 0, narrow);
                    }
                }
            }
        }
    }

    /// # Safety
    /// There must be `R` rows, and k rows of each panel.
    #[inline(always)]
    unsafe fn sums<S: Simd, const R: usize, const P: usize>(
        &self,
        s: S,
        mut b: [*const f32; P],
    ) -> [[[S::F; 2]; R]; P] {
        let mut sums = [[[s.zero(); 2]; R]; P];
        for l in 0..self.k {
            let mut left = [s.zero(); R];
            for (r, left) in left.iter_mut().enumerate() {
                // SAFETY: A has the row, and the column.
                *left = s.splat(unsafe { *self.a.at(r, l).p });
            }
            for (b, sums) in b.iter_mut().zip(&mut sums) {
                // SAFETY: row l of the panel.
                let right = unsafe { [s.load(*b), s.load(b.add(S::LANES))] };
                for (sums, left) in sums.iter_mut().zip(left) {
                    for (sum, right) in sums.iter_mut().zip(right) {
                        *sum = s.fma(left, right, *sum);
                    }
                }
                *b = b.wrapping_add(2 * S::LANES);
            }
        }
        sums
    }
}
