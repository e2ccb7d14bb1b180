//! Large products: both operands are copied block by block to where they are read in order.

use std::ops::Range;

use super::BLOCK;
use super::blocked::Product;
use super::end::Out;
use super::pack::{PackLeft, PackRight};
use super::split::share;
use super::strip::{Left, Strip};
use super::workspace::{Room, Workspace};
use crate::Compute;

impl Product {
    /// Computes C block by block of B, which all threads pack and then all read; each has rows of C, and a workspace of
    /// its own for what it packs of A.
    pub(super) fn packed(self, compute: Compute, workspaces: &mut [Workspace]) {
        let blocks = self.blocks();
        let threads = workspaces.len();
        for (i, workspace) in workspaces.iter_mut().enumerate() {
            let room = self.room();
            workspace.reserve(if i == 0 { room } else { room.of_a_helper() });
        }
        let right = workspaces[0].right.as_mut_ptr();
        let step = self.kernels.tile_rows();
        for column in (0..self.n).step_by(blocks.columns) {
            for start in (0..self.k).step_by(BLOCK) {
                let panel = Panel {
                    product: self,
                    blocks,
                    start,
                    k: BLOCK.min(self.k - start),
                    column,
                    n: blocks.columns.min(self.n - column),
                    right,
                };
                let strips = panel.n.div_ceil(blocks.width);
                compute.split(0..strips, 1, |strips| panel.pack(strips));
                compute.split(
                    (0..threads, &mut *workspaces),
                    1,
                    |(numbers, workspaces)| {
                        for (i, workspace) in numbers.zip(workspaces) {
                            let (row, m) = share(self.m, threads, i, step);
                            panel.multiply(row..row + m, workspace.left.as_mut_ptr());
                        }
                    },
                );
            }
        }
    }

    /// Whether A is as good in place as packed: it is small, or its rows do not evict each other.
    pub(super) fn left_fits_in_place(&self) -> bool {
        let starts = SECOND_CACHE_WAY >> (4 * self.a.row).trailing_zeros().min(16);
        let small = self.m * self.k <= LEFT_IN_PLACE;
        small || self.a.column == 1 && self.rows_of_a_block().div_ceil(starts) <= 4
    }

    fn blocks(&self) -> Blocks {
        Blocks {
            rows: self.rows_of_a_block(),
            columns: COLUMNS.min(self.n),
            width: 2 * self.kernels.lanes(),
            left_in_place: self.left_fits_in_place(),
        }
    }

    fn rows_of_a_block(&self) -> usize {
        let step = self.kernels.tile_rows();
        let rows = LEFT / self.k.clamp(1, BLOCK);
        (rows / step * step).clamp(step, MOST_ROWS).min(self.m)
    }

    /// What the product needs of a workspace.
    pub(super) fn room(&self) -> Room {
        let lanes = self.kernels.lanes();
        if !self.packs() {
            Room::default()
        } else {
            let blocks = self.blocks();
            let k = self.k.min(BLOCK);
            let left = blocks.rows * k + lanes;
            Room {
                left: if blocks.left_in_place { 0 } else { left },
                right: blocks.columns.next_multiple_of(blocks.width) * k,
            }
        }
    }
}

/// A block of B, packed once for all rows of C.
///
/// Who makes one promises the product's pointers, and that `right` has room for the block.
struct Panel {
    product: Product,
    blocks: Blocks,
    /// The first of `k` rows of B.
    start: usize,
    k: usize,
    /// The first of `n` columns of B and of C.
    column: usize,
    n: usize,
    right: *mut f32,
}

// SAFETY: the pointers are valid wherever the panel goes. Threads that share one pack strips of their own, and, once all are
// packed, write rows of their own.
unsafe impl Sync for Panel {}

impl Panel {
    /// Copies some of the strips of B.
    fn pack(&self, strips: Range<usize>) {
        let Self {
            k,
            blocks: Blocks { width, .. },
            ..
        } = *self;
        let (from, to) = (strips.start * width, self.n.min(strips.end * width));
        self.product.kernels.run(PackRight {
            b: self.product.b.at(self.start, self.column + from),
            k,
            n: to - from,
            width,
            to: self.right.wrapping_add(from * k),
        });
    }

    /// Goes on with some of the rows of C; `left` has room for a block of A.
    fn multiply(&self, rows: Range<usize>, left: *mut f32) {
        let Self {
            product,
            blocks,
            start,
            k,
            column,
            ..
        } = *self;
        for row in rows.clone().step_by(blocks.rows) {
            let m = blocks.rows.min(rows.end - row);
            let a = if blocks.left_in_place {
                Left::InPlace(product.a.at(row, start))
            } else {
                product.kernels.run(PackLeft {
                    a: product.a.at(row, start),
                    m,
                    k,
                    to: left,
                });
                Left::Packed { p: left }
            };
            for j in (0..self.n).step_by(blocks.width) {
                product.kernels.run(Strip {
                    m,
                    k,
                    a,
                    b: self.right.wrapping_add(j * k),
                    b_stride: blocks.width,
                    out: Out {
                        end: product.end(start, start + k, column + j),
                        c: product.c.wrapping_add(row * product.c_stride + column + j),
                        c_stride: product.c_stride,
                        width: blocks.width.min(self.n - j),
                    },
                });
            }
        }
    }
}

/// How a packed product is cut.
#[derive(Clone, Copy)]
struct Blocks {
    /// Rows of a block of A.
    rows: usize,
    /// Columns of a block of B.
    columns: usize,
    /// Columns of a strip.
    width: usize,
    /// Whether A is read where it lies.
    left_in_place: bool,
}

/// Floats of A that are read where they lie even when B is packed.
const LEFT_IN_PLACE: usize = 16 * 1024;
/// Bytes after which addresses share a set of the second cache: rows that start on few of its sets evict each other.
const SECOND_CACHE_WAY: usize = 64 * 1024;
/// Floats of a block of A, which with a strip of B stay in the second cache.
const LEFT: usize = 36 * 1024;
/// Rows of a block of A when k is short.
const MOST_ROWS: usize = 144;
/// Columns of a packed block of B.
pub(super) const COLUMNS: usize = 1024;
