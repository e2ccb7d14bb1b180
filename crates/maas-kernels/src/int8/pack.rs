//! Weights to codes.

use super::matrix::{DEPTH, Group, PANEL};
use super::rows::{code, lanes};
use crate::Matrix;
use crate::kernels::Work;
use crate::product::View;
use crate::simd::{MOST_LANES, Simd};

/// Raises each peak to the largest magnitude of its column, and says whether all weights are finite.
pub(super) struct Peaks<'a> {
    pub(super) w: Matrix<'a>,
    /// Whole panels.
    pub(super) peaks: &'a mut [f32],
}

impl Work for Peaks<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let (w, rows) = (View::of(self.w), self.w.rows());
        let (mut spoiled, mut l) = ([s.zero(); CHAINS], 0);
        // SAFETY: the rows are left.
        unsafe {
            while l + CHAINS <= rows {
                raise::<S, CHAINS>(s, w.at(l, 0), self.w.columns(), self.peaks, &mut spoiled);
                l += CHAINS;
            }
            while l < rows {
                raise::<S, 1>(s, w.at(l, 0), self.w.columns(), self.peaks, &mut spoiled);
                l += 1;
            }
        }
        spoiled
            .iter()
            .all(|&spoiled| lanes(s, spoiled).iter().all(|&x| x == 0.0))
    }
}

/// Goes on with `R` rows of `columns` weights. What is not finite spoils a zero.
///
/// # Safety
/// The rows must be readable.
#[inline(always)]
unsafe fn raise<S: Simd, const R: usize>(
    s: S,
    w: View,
    columns: usize,
    peaks: &mut [f32],
    spoiled: &mut [S::F; CHAINS],
) {
    for (i, peaks) in peaks.chunks_exact_mut(S::LANES).enumerate() {
        let j = i * S::LANES;
        if j >= columns {
            return;
        }
        // SAFETY: the chunk is a vector long; the caller vouches for the rows.
        unsafe {
            let mut peak = s.load(peaks.as_ptr());
            for (r, spoiled) in spoiled.iter_mut().enumerate().take(R) {
                let x = load(s, w.at(r, j), columns - j);
                peak = s.larger(s.abs(x), peak);
                *spoiled = s.fma(x, s.zero(), *spoiled);
            }
            s.store(peaks.as_mut_ptr(), peak);
        }
    }
}

/// Divides weights by their scales, and packs the codes.
pub(super) struct Pack<'a> {
    /// Finite.
    pub(super) w: Matrix<'a>,
    /// Of whole panels, as the two others.
    pub(super) scales: &'a [f32],
    pub(super) groups: &'a mut [Group],
    /// From which 128 times each code is taken away.
    pub(super) offsets: &'a mut [i32],
}

impl Work for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (w, rows, columns) = (View::of(self.w), self.w.rows(), self.w.columns());
        let depth = rows.div_ceil(DEPTH);
        for g in 0..depth {
            let top = g * DEPTH;
            let width = DEPTH.min(rows - top);
            for j in (0..columns).step_by(S::LANES) {
                let group = &mut self.groups[j / PANEL * depth + g].0[j % PANEL..];
                let group = group[..S::LANES].as_mut_ptr().cast::<f32>();
                let scales = self.scales[j..][..S::LANES].as_ptr();
                let offsets = self.offsets[j..][..S::LANES].as_mut_ptr().cast::<f32>();
                // SAFETY: all three are a vector long; the weights have the rows and the columns.
                unsafe {
                    let scales = s.load(scales);
                    let (mut word, mut sum) = (s.splat_i(0), s.splat_i(0));
                    for r in (0..DEPTH).rev() {
                        word = s.shift_left::<8>(word);
                        if r < width {
                            let x = load(s, w.at(top + r, j), columns - j);
                            let code = code(s, s.div(x, scales));
                            sum = s.add_i(sum, code);
                            word = s.or_i(word, s.and_i(code, s.splat_i(0xff)));
                        }
                    }
                    s.store(group, s.of_bits(word));
                    let before = s.bits(s.load(offsets));
                    let offset = s.sub_i(before, s.shift_left::<7>(sum));
                    s.store(offsets, s.of_bits(offset));
                }
            }
        }
    }
}

/// The first elements of the row that the view starts with: a vector of them, or as many as are left, and then zeros.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn load<S: Simd>(s: S, w: View, left: usize) -> S::F {
    // SAFETY: as the caller promises; the array holds a vector.
    unsafe {
        if w.column != 1 {
            s.load(gather(w, left.min(S::LANES)).as_ptr())
        } else if left < S::LANES {
            s.load_partial(w.p, left)
        } else {
            s.load(w.p)
        }
    }
}

/// Not a part of the kernels, which it would make many times as long.
///
/// # Safety
/// The elements must be readable, and at most sixteen.
#[inline(never)]
unsafe fn gather(w: View, width: usize) -> [f32; MOST_LANES] {
    // SAFETY: as the caller promises.
    unsafe { w.gather(width) }
}

/// Rows whose checks do not wait for each other.
const CHAINS: usize = 4;
