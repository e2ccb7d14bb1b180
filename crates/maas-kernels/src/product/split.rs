//! Which part of C a thread computes.

use std::num::NonZeroUsize;

use super::blocked::{Product, Road};
use super::panels::Right;
use super::workspace::{Workspace, with_workspaces};
use crate::team::Queues;
use crate::{Compute, Parallelism};

/// A cut of C into rows × columns of parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Grid {
    rows: usize,
    columns: usize,
}

impl Product {
    /// Computes C on at most `threads` threads, and on fewer where the work is not worth so many.
    pub(super) fn run(self, threads: usize) {
        let work = self.m.saturating_mul(self.n).saturating_mul(self.k);
        let threads = threads.min(work / WORK_OF_A_THREAD).clamp(1, Queues::MOST);
        if threads == 1
            && matches!(
                self.road(),
                Road::InPlace(_) | Road::Columns(_) | Road::Flat(_)
            )
        {
            return self.run_alone(&mut Workspace::default());
        }
        if self.m == 0 || self.n == 0 {
            return;
        }
        if matches!(self.road(), Road::Packed) && self.n >= threads * COLUMNS_OF_A_THREAD {
            return self.run_together(threads);
        }
        let grid = self.grid(threads);
        let parts = grid.rows * grid.columns;
        with_workspaces(parts, |workspaces| {
            if let [workspace] = workspaces {
                return self.run_alone(workspace);
            }
            for (i, workspace) in workspaces.iter_mut().enumerate() {
                workspace.reserve(self.part(grid, i).room());
            }
            self.on(parts)
                .split((0..parts, workspaces), 1, |(numbers, workspaces)| {
                    for (i, workspace) in numbers.zip(workspaces) {
                        self.part(grid, i).run_alone(workspace);
                    }
                });
        });
    }

    /// Each thread computes columns of C, and all of them read what is packed of A once.
    fn run_together(self, threads: usize) {
        let compute = self.on(threads);
        with_workspaces(threads, |workspaces| {
            self.packed(compute, workspaces);
        });
        compute.split(0..self.m, self.m.div_ceil(threads), |rows| {
            // SAFETY: C is complete, and no other part has these rows.
            unsafe { self.activate(rows) };
        });
    }

    /// With the product's kernels, on so many threads.
    pub(super) fn on(&self, threads: usize) -> Compute {
        Compute {
            kernels: self.kernels,
            parallelism: NonZeroUsize::new(threads)
                .map_or(Parallelism::single(), Parallelism::threads),
        }
    }

    /// The cheapest cut into at most so many parts. Ties go to rows, which a layer's next product finds in the cache
    /// of the same core.
    fn grid(&self, parts: usize) -> Grid {
        let one = Grid {
            rows: 1,
            columns: 1,
        };
        if parts <= 1 {
            return one;
        }
        let most_rows = self.m.div_ceil(self.kernels.tile_rows());
        let most_columns = self.n.div_ceil(self.width());
        (1..=parts.min(most_columns))
            .map(|columns| Grid {
                rows: (parts / columns).min(most_rows),
                columns,
            })
            .min_by_key(|&grid| self.part(grid, 0).cost())
            .unwrap_or(one)
    }

    /// About what a part costs, in multiply-adds.
    fn cost(&self) -> usize {
        let mut packed = 0;
        if matches!(self.road(), Road::Packed) {
            if matches!(self.b, Right::InPlace(_)) {
                packed += self.k * self.n;
            }
            if !self.left_fits_in_place() {
                packed += self.m * self.k;
            }
        }
        self.m * self.k * self.n + packed * COST_OF_PACKING
    }

    /// Part number `i` of the grid, row by row. Part 0 is as large as any.
    fn part(self, grid: Grid, i: usize) -> Self {
        let (row, column) = (i / grid.columns, i % grid.columns);
        let (top, m) = share(self.m, grid.rows, row, 1);
        let (left, n) = share(self.n, grid.columns, column, self.width());
        Self {
            m,
            n,
            a: self.a.at(top, 0),
            b: self.b.from(left),
            to: self.to.at(top, left),
            bias: self.bias.from(left),
            ..self
        }
    }
}

/// Start and length of share number `i` of `len`, in whole steps but for the end of the last one. Earlier shares are
/// at most one step longer than later ones.
pub(crate) fn share(len: usize, shares: usize, i: usize, step: usize) -> (usize, usize) {
    let steps = len.div_ceil(step);
    let start = |i: usize| (i * (steps / shares) + i.min(steps % shares)) * step;
    let from = start(i).min(len);
    (from, start(i + 1).min(len) - from)
}

/// Columns of C with which a thread reads a packed slab of A often enough.
const COLUMNS_OF_A_THREAD: usize = 32;
/// Multiply-adds that are worth a thread.
const WORK_OF_A_THREAD: usize = 1 << 18;
/// Multiply-adds in the time in which one float is packed.
const COST_OF_PACKING: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::share;

    proptest! {
        #[test]
        fn shares_are_the_whole(len in 0..500_usize, shares in 1..9_usize, step in 1..20_usize) {
            let mut next = 0;
            for i in 0..shares {
                let (from, n) = share(len, shares, i, step);
                prop_assert_eq!(from, next);
                prop_assert!(n <= share(len, shares, 0, step).1);
                next = from + n;
            }
            prop_assert_eq!(next, len);
        }
    }
}
