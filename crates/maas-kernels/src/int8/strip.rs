#![allow(
    clippy::needless_range_loop,
    reason = "r and v index several arrays of registers at once"
)]

use std::ops::Range;

use super::dot::{Dot, DotWork};
use super::instructions::Instructions;
use super::matrix::{DEPTH, Group, PANEL};
use super::rows::{Layout, Row};
use crate::product::{Out, tiles};
use crate::simd::Simd;

/// Some columns of C for rows that have been quantised.
///
/// Whoever makes one promises that its pointers reach as far as its lengths say, that C overlaps nothing that is read, and
/// that no other thread uses these columns of it meanwhile.
pub(super) struct Columns<'a> {
    pub(super) left: *const u8,
    pub(super) layout: Layout,
    /// One a row.
    pub(super) rows: &'a [Row],
    /// Panel after panel, of all columns.
    pub(super) groups: *const Group,
    /// Groups in a panel.
    pub(super) depth: usize,
    /// Of all columns, up to the end of the last panel.
    pub(super) scales: *const f32,
    pub(super) offsets: *const i32,
    /// From the first column of a panel on.
    pub(super) range: Range<usize>,
    /// All columns.
    pub(super) out: Out,
}

impl Columns<'_> {
    pub(super) fn run(&self, instructions: Instructions) {
        let lanes = instructions.lanes();
        let mut vectors = match self.rows.len() {
            1 => 8,
            2 => 4,
            _ => 2,
        };
        let mut j = self.range.start;
        while j < self.range.end {
            let left = (self.range.end - j).div_ceil(lanes);
            while vectors > left {
                vectors /= 2;
            }
            for rows in tiles(self.rows.len(), instructions.rows()) {
                let at = (rows.start, j);
                match (rows.len(), vectors) {
                    (1, 8) => self.tile::<1, 8>(instructions, at),
                    (1, 4) => self.tile::<1, 4>(instructions, at),
                    (2, 4) => self.tile::<2, 4>(instructions, at),
                    (1, 2) => self.tile::<1, 2>(instructions, at),
                    (2, 2) => self.tile::<2, 2>(instructions, at),
                    (3, 2) => self.tile::<3, 2>(instructions, at),
                    (4, 2) => self.tile::<4, 2>(instructions, at),
                    (5, 2) => self.tile::<5, 2>(instructions, at),
                    (6, 2) => self.tile::<6, 2>(instructions, at),
                    (1, 1) => self.tile::<1, 1>(instructions, at),
                    (2, 1) => self.tile::<2, 1>(instructions, at),
                    (3, 1) => self.tile::<3, 1>(instructions, at),
                    (4, 1) => self.tile::<4, 1>(instructions, at),
                    (5, 1) => self.tile::<5, 1>(instructions, at),
                    (6, 1) => self.tile::<6, 1>(instructions, at),
                    _ => {
                        unreachable!("one row has up to 8 vectors, two have 4, and up to 6 have 2")
                    }
                }
            }
            j += vectors * lanes;
        }
    }

    /// Its first row and column; there must be `R` rows and `V` vectors of columns from there on, of which the last may be a part.
    fn tile<const R: usize, const V: usize>(
        &self,
        instructions: Instructions,
        (top, j): (usize, usize),
    ) {
        let columns = self;
        instructions.run(Tile::<R, V> { columns, top, j });
    }
}

/// `R` rows by `V` vectors of C. Each is compiled by itself: all in one function would take the compiler minutes.
struct Tile<'a, const R: usize, const V: usize> {
    columns: &'a Columns<'a>,
    top: usize,
    j: usize,
}

impl<const R: usize, const V: usize> DotWork for Tile<'_, R, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd, D: Dot<S>>(self, s: S, dot: D) {
        if R <= D::ROWS {
            // SAFETY: `Columns::run` cuts tiles that are there.
            unsafe {
                self.columns
                    .multiply::<S, D, R, V>(s, dot, self.j, self.top);
            };
        }
    }
}

impl Columns<'_> {
    /// `R` rows by `V` vectors of C, the sums held in registers.
    ///
    /// # Safety
    /// There must be `R` rows from `top` on, and `V` vectors of columns from `j` on, of which the last may be a part.
    #[inline(always)]
    unsafe fn multiply<S: Simd, D: Dot<S>, const R: usize, const V: usize>(
        &self,
        s: S,
        dot: D,
        j: usize,
        top: usize,
    ) {
        let rows = &self.rows[top..top + R];
        // SAFETY: as the caller promises; scales reach to the end of the last panel.
        unsafe {
            let sums = if rows.iter().any(|row| row.signed) {
                self.sums::<S, D, R, V, true>(s, dot, j, top)
            } else {
                self.sums::<S, D, R, V, false>(s, dot, j, top)
            };
            let mut totals = [[s.zero(); V]; R];
            for v in 0..V {
                let scales = s.load(self.scales.add(j + v * S::LANES));
                for r in 0..R {
                    let factors = s.mul(s.splat(rows[r].scale), scales);
                    totals[r][v] = s.mul(s.to_float(sums[r][v]), factors);
                }
            }
            let left = self.out.width - j;
            let out = self.out.part(0, j, left.min(V * S::LANES));
            if left < V * S::LANES {
                out.finish::<S, R, V, true>(s, top, totals);
            } else {
                out.finish::<S, R, V, false>(s, top, totals);
            }
        }
    }

    /// # Safety
    /// As for `multiply`; unless `SIGNED`, no code of the rows may be negative.
    #[inline(always)]
    unsafe fn sums<S: Simd, D: Dot<S>, const R: usize, const V: usize, const SIGNED: bool>(
        &self,
        s: S,
        dot: D,
        j: usize,
        top: usize,
    ) -> [[S::I; V]; R] {
        let mut sums = [[s.splat_i(0); V]; R];
        let mut right = [self.groups.cast::<f32>(); V];
        for v in 0..V {
            let column = j + v * S::LANES;
            let panel = self.groups.wrapping_add(column / PANEL * self.depth);
            right[v] = panel.cast::<f32>().wrapping_add(column % PANEL);
            if D::OFFSETS {
                // SAFETY: offsets reach to the end of the last panel.
                let offsets = s.bits(unsafe { s.load(self.offsets.add(column).cast()) });
                for r in 0..R {
                    sums[r][v] = offsets;
                }
            }
        }
        let mut left = [self.left; R];
        for r in 0..R {
            left[r] = self.left.wrapping_add((top + r) * self.layout.row);
        }
        for g in 0..self.depth {
            let mut codes = [s.splat_i(0); V];
            for v in 0..V {
                // SAFETY: the panel has the group, which is a word a column.
                codes[v] = s.bits(unsafe { s.load(right[v].add(g * PANEL)) });
            }
            for r in 0..R {
                // SAFETY: each form of a row has the group.
                let inputs =
                    unsafe { dot.left::<SIGNED>(s, left[r].add(g * DEPTH), self.layout.form) };
                for v in 0..V {
                    sums[r][v] = dot.go_on::<SIGNED>(s, inputs, codes[v], sums[r][v]);
                }
            }
        }
        sums
    }
}
