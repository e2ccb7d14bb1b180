//! One or two rows of C from a large B in rows, which is read once, as it lies in memory.

use super::blocked::Product;
use super::end::{Out, load};
use super::pack::View;
use super::workspace::{Room, Workspace};
use crate::kernels::Work;
use crate::simd::Simd;

impl Product {
    /// What the sums of all columns need of a workspace.
    pub(super) fn room_for_rows(&self) -> Room {
        Room {
            left: 0,
            right: self.m * self.n,
        }
    }

    /// All sums side by side, some rows of B at a time.
    pub(super) fn by_rows(self, b: View, workspace: &mut Workspace) {
        workspace.reserve(self.room_for_rows());
        for start in (0..self.k).step_by(self.chain.block()) {
            let k = self.chain.block().min(self.k - start);
            let out = Out {
                end: self.end(start, start + k, 0),
                to: self.to,
                width: self.n,
            };
            self.kernels.run(Rows {
                m: self.m,
                k,
                a: self.a.at(0, start),
                b: b.at(start, 0).p,
                b_stride: b.row,
                sums: workspace.right.as_mut_ptr(),
                out,
            });
        }
    }
}

/// One block of k.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C and sums overlap nothing that is
/// read, and that no other thread uses them meanwhile.
struct Rows {
    /// 1 or 2.
    m: usize,
    k: usize,
    a: View,
    /// k rows as wide as `out`, `b_stride` apart.
    b: *const f32,
    b_stride: usize,
    /// Room for m rows as wide as `out`.
    sums: *mut f32,
    out: Out,
}

impl Work for Rows {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        // SAFETY: the maker of the rows vouches for its pointers.
        unsafe {
            match self.m {
                1 => self.rows::<S, 1>(s),
                _ => self.rows::<S, 2>(s),
            }
        }
    }
}

impl Rows {
    /// # Safety
    /// There must be `R` rows.
    #[inline(always)]
    unsafe fn rows<S: Simd, const R: usize>(&self, s: S) {
        // SAFETY: the steps lie within k.
        unsafe {
            let mut l = 0;
            while l + STEPS <= self.k {
                self.go_on::<S, R, STEPS>(s, l);
                l += STEPS;
            }
            while l < self.k {
                self.go_on::<S, R, 1>(s, l);
                l += 1;
            }
            let mut j = 0;
            while j + S::LANES <= self.out.width {
                self.finish::<S, R, false>(s, j, S::LANES);
                j += S::LANES;
            }
            if j < self.out.width {
                self.finish::<S, R, true>(s, j, self.out.width - j);
            }
        }
    }

    /// Goes on with `L` products of every sum, from row `l` of B on.
    ///
    /// # Safety
    /// There must be `R` rows, and `L` rows of B from `l` on.
    #[inline(always)]
    unsafe fn go_on<S: Simd, const R: usize, const L: usize>(&self, s: S, l: usize) {
        let mut left = [[s.zero(); L]; R];
        for (r, left) in left.iter_mut().enumerate() {
            for (i, left) in left.iter_mut().enumerate() {
                // SAFETY: A has the rows, and the columns.
                *left = s.splat(unsafe { *self.a.at(r, l + i).p });
            }
        }
        let first = l == 0;
        let mut j = 0;
        // SAFETY: the vectors lie within the width.
        unsafe {
            while j + S::LANES <= self.out.width {
                self.step::<S, R, L, false>(s, &left, (l, j), first);
                j += S::LANES;
            }
            if j < self.out.width {
                self.step::<S, R, L, true>(s, &left, (l, j), first);
            }
        }
    }

    /// # Safety
    /// As `go_on`; a vector of columns must be left at `j`, or, where `RAGGED`, a part of one.
    #[inline(always)]
    unsafe fn step<S: Simd, const R: usize, const L: usize, const RAGGED: bool>(
        &self,
        s: S,
        left: &[[S::F; L]; R],
        (l, j): (usize, usize),
        first: bool,
    ) {
        let n = self.out.width - j;
        let mut right = [s.zero(); L];
        for (i, right) in right.iter_mut().enumerate() {
            let b = self.b.wrapping_add((l + i) * self.b_stride + j);
            // SAFETY: `n` floats are left of the row.
            *right = unsafe { load::<S, 1, RAGGED>(s, b, 0, n) };
        }
        for (r, left) in left.iter().enumerate() {
            let place = self.sums.wrapping_add(r * self.out.width + j);
            // SAFETY: the sums are as wide as C.
            unsafe {
                let mut sum = if first {
                    s.zero()
                } else {
                    load::<S, 1, RAGGED>(s, place, 0, n)
                };
                for (&left, &right) in left.iter().zip(&right) {
                    sum = s.fma(left, right, sum);
                }
                if RAGGED {
                    s.store_partial(place, n, sum);
                } else {
                    s.store(place, sum);
                }
            }
        }
    }

    /// The end of a vector of sums, or of `width` of them where `RAGGED`.
    ///
    /// # Safety
    /// As `step`.
    #[inline(always)]
    unsafe fn finish<S: Simd, const R: usize, const RAGGED: bool>(
        &self,
        s: S,
        j: usize,
        width: usize,
    ) {
        let mut sums = [[s.zero(); 1]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            let place = self.sums.wrapping_add(r * self.out.width + j);
            // SAFETY: the sums are as wide as C.
            sums[0] = unsafe { load::<S, 1, RAGGED>(s, place, 0, width) };
        }
        let out = Out {
            end: self.out.end.from(j),
            to: self.out.to.at(0, j),
            width,
        };
        // SAFETY: the columns lie within the width.
        unsafe { out.finish::<S, R, 1, RAGGED>(s, 0, sums) };
    }
}

/// Rows of B that are read side by side, so that a sum is loaded and stored once for all.
const STEPS: usize = 4;
