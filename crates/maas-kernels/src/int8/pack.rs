//! Weights to codes.
#![allow(
    clippy::needless_range_loop,
    reason = "v indexes several arrays of registers at once"
)]

use super::matrix::{DEPTH, Group, PANEL};
use super::rows::{code, lanes};
use crate::Matrix;
use crate::kernels::Work;
use crate::product::View;
use crate::simd::{MOST_LANES, Simd};

/// Finds the largest magnitude of each column, and says whether all weights are finite.
pub(super) struct Peaks<'a> {
    pub(super) w: Matrix<'a>,
    /// Whole panels.
    pub(super) peaks: &'a mut [f32],
}

impl Work for Peaks<'_> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> bool {
        let (mut spoiled, mut j) = (s.zero(), 0);
        // SAFETY: whole vectors are left where they are taken, and part of one in the end.
        unsafe {
            while j + WIDE * S::LANES <= self.w.columns() {
                self.columns::<S, WIDE, false>(s, j, &mut spoiled);
                j += WIDE * S::LANES;
            }
            while j + S::LANES <= self.w.columns() {
                self.columns::<S, 1, false>(s, j, &mut spoiled);
                j += S::LANES;
            }
            if j < self.w.columns() {
                self.columns::<S, 1, true>(s, j, &mut spoiled);
            }
        }
        lanes(s, spoiled).iter().all(|&x| x == 0.0)
    }
}

impl Peaks<'_> {
    /// # Safety
    /// `V` vectors of columns must be left at `j`; where `RAGGED`, part of one.
    #[inline(always)]
    unsafe fn columns<S: Simd, const V: usize, const RAGGED: bool>(
        &mut self,
        s: S,
        j: usize,
        spoiled: &mut S::F,
    ) {
        let width = if RAGGED {
            self.w.columns() - j
        } else {
            S::LANES
        };
        let w = View::of(self.w);
        let (mut largest, mut zeros) = ([s.zero(); V], [s.zero(); V]);
        for l in 0..self.w.rows() {
            for v in 0..V {
                // SAFETY: the columns are left.
                let x = unsafe { load::<S, RAGGED>(s, w.at(l, j + v * S::LANES), width) };
                largest[v] = s.larger(s.abs(x), largest[v]);
                zeros[v] = s.fma(x, s.zero(), zeros[v]);
            }
        }
        for v in 0..V {
            let place = self.peaks[j + v * S::LANES..][..S::LANES].as_mut_ptr();
            // SAFETY: the slice is a vector long.
            unsafe { s.store(place, largest[v]) };
            *spoiled = s.add(*spoiled, zeros[v]);
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
    pub(super) offsets: &'a mut [i32],
}

impl Work for Pack<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let depth = self.w.rows().div_ceil(DEPTH).max(1);
        let panels = self.groups.chunks_exact_mut(depth).enumerate();
        for (i, panel) in panels {
            let j = i * PANEL;
            let (scales, offsets) = (&self.scales[j..], &mut self.offsets[j..]);
            if j + PANEL <= self.w.columns() {
                pack::<S, false>(s, self.w, j, panel, scales, offsets);
            } else {
                pack::<S, true>(s, self.w, j, panel, scales, offsets);
            }
        }
    }
}

/// The panel that starts with column `j`, which is `RAGGED` where there are less columns.
#[inline(always)]
fn pack<S: Simd, const RAGGED: bool>(
    s: S,
    w: Matrix<'_>,
    j: usize,
    panel: &mut [Group],
    scales: &[f32],
    offsets: &mut [i32],
) {
    let (scales, offsets) = (&scales[..PANEL], &mut offsets[..PANEL]);
    let mut sums = [s.splat_i(0); PANEL];
    for (g, group) in panel.iter_mut().enumerate() {
        let top = g * DEPTH;
        for v in 0..PANEL / S::LANES {
            let from = v * S::LANES;
            let width = if RAGGED {
                S::LANES.min(w.columns().saturating_sub(j + from))
            } else {
                S::LANES
            };
            let mut word = s.splat_i(0);
            for l in (top..top + DEPTH).rev() {
                let mut code_of_row = s.splat_i(0);
                if l < w.rows() {
                    // SAFETY: `width` columns are left; a panel has as many scales.
                    unsafe {
                        let x = load::<S, RAGGED>(s, View::of(w).at(l, j + from), width);
                        code_of_row = code(s, s.div(x, s.load(scales.as_ptr().add(from))));
                    }
                }
                sums[v] = s.add_i(sums[v], code_of_row);
                let lowest = s.and_i(code_of_row, s.splat_i(0xff));
                word = s.or_i(s.shift_left::<8>(word), lowest);
            }
            let place = group.0.as_mut_ptr().cast::<f32>();
            // SAFETY: a group is as many words as a panel has columns.
            unsafe { s.store(place.add(from), s.of_bits(word)) };
        }
    }
    for v in 0..PANEL / S::LANES {
        let offset = s.sub_i(s.splat_i(0), s.shift_left::<7>(sums[v]));
        let place = offsets.as_mut_ptr().cast::<f32>();
        // SAFETY: a panel has as many offsets as columns.
        unsafe { s.store(place.add(v * S::LANES), s.of_bits(offset)) };
    }
}

/// The first `width` elements of the row that the view starts with: a vector, or less where `RAGGED`, and then zeros.
///
/// # Safety
/// They must be readable.
#[inline(always)]
unsafe fn load<S: Simd, const RAGGED: bool>(s: S, w: View, width: usize) -> S::F {
    // SAFETY: as the caller promises; an array of sixteen floats holds a vector.
    unsafe {
        match w.column {
            1 if RAGGED => s.load_partial(w.p, width),
            1 => s.load(w.p),
            _ => s.load(gather(w, width).as_ptr()),
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

/// Vectors of columns whose maxima hide how long each takes.
const WIDE: usize = 4;
