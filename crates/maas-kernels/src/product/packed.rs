//! Large products: both operands are copied block by block to where they are read in order.

use std::ops::Range;

use super::blocked::Product;
use super::end::Out;
use super::pack::{PackLeft, PackRight, View};
use super::panels::Right;
use super::split::share;
use super::strip::{Left, Strip};
use super::workspace::{Room, Workspace};
use crate::compute::distribute;
use crate::{Chunks, Compute};

impl Product {
    /// Computes C slab by slab of A, which all threads pack and then all read; each has columns of C, and packs of B
    /// what it needs for a few strips at a time.
    pub(super) fn packed(self, compute: Compute, workspaces: &mut [Workspace]) {
        let width = self.width();
        for (i, workspace) in workspaces.iter_mut().enumerate() {
            let room = self.room_for_copies();
            workspace.reserve(if i == 0 { room } else { room.of_a_helper() });
        }
        let left = workspaces[0].left.as_mut_ptr();
        for start in (0..self.k).step_by(self.chain.block()) {
            for top in (0..self.m).step_by(ROWS) {
                let slab = Slab::new(self, start, top, left);
                if !slab.left_in_place {
                    compute.split(0..slab.blocks, 1, |blocks| slab.pack(blocks));
                }
                let (strips, part) = (Chunks::new(0..self.n, width), slab.strips_of_a_part());
                distribute(workspaces, strips, 1, part, |workspace, strips| {
                    slab.multiply(strips.data, workspace.right.as_mut_ptr());
                });
            }
        }
    }

    /// Whether A is as good in place as packed: it is small, or its rows are contiguous and do not evict each other.
    pub(super) fn left_fits_in_place(&self) -> bool {
        let same_sets = self.k > self.chain.block() && (4 * self.a.row).is_multiple_of(SAME_SETS);
        self.m * self.k <= LEFT_IN_PLACE || self.a.column == 1 && !same_sets
    }

    /// Columns of a strip.
    pub(super) fn width(&self) -> usize {
        2 * self.kernels.lanes()
    }

    /// What copies need of a workspace.
    pub(super) fn room_for_copies(&self) -> Room {
        let k = self.k.min(self.chain.block());
        let (m, lanes) = (self.m.min(ROWS), self.kernels.lanes());
        let left = m * k + self.blocks(m, k) * lanes;
        let right = match self.b {
            Right::InPlace(_) => strips(k, self.width()) * self.width() * k,
            Right::Panels(_) => 0,
        };
        Room {
            left: if self.left_fits_in_place() { 0 } else { left },
            right,
        }
    }

    /// Into how many blocks m × k of A are cut.
    fn blocks(&self, m: usize, k: usize) -> usize {
        let step = self.kernels.tile_rows();
        let rows = (LEFT / k.max(1) / step).max(1) * step;
        m.div_ceil(rows)
    }
}

/// Strips of B with k rows that are packed at a time.
fn strips(k: usize, width: usize) -> usize {
    (RIGHT / (k * width).max(1)).max(1)
}

/// Rows of A, packed once for all columns of C.
///
/// Who makes one promises the product's pointers, and that `left` has room for the rows.
struct Slab {
    product: Product,
    /// The first of `k` columns of A.
    start: usize,
    k: usize,
    /// The first of `m` rows of A and of C.
    top: usize,
    m: usize,
    /// Into how many blocks the rows are cut.
    blocks: usize,
    left: *mut f32,
    left_in_place: bool,
}

// SAFETY: the pointers are valid wherever the slab goes. Threads that share one pack blocks of their own, and, once all are
// packed, write columns of their own.
unsafe impl Sync for Slab {}

impl Slab {
    fn new(product: Product, start: usize, top: usize, left: *mut f32) -> Self {
        let k = product.chain.block().min(product.k - start);
        let m = ROWS.min(product.m - top);
        Self {
            product,
            start,
            k,
            top,
            m,
            blocks: product.blocks(m, k),
            left,
            left_in_place: product.left_fits_in_place(),
        }
    }

    /// First row, from `top`, and height of block number `i`.
    fn block(&self, i: usize) -> (usize, usize) {
        share(self.m, self.blocks, i, self.product.kernels.tile_rows())
    }

    /// Where block number `i`, which starts with row `row`, is packed. Behind each there is room for a vector, because
    /// packing writes whole ones.
    fn packed(&self, i: usize, row: usize) -> *mut f32 {
        let lanes = self.product.kernels.lanes();
        self.left.wrapping_add(row * self.k + i * lanes)
    }

    /// Copies some of the blocks of A.
    fn pack(&self, blocks: Range<usize>) {
        for i in blocks {
            let (row, m) = self.block(i);
            self.product.kernels.run(PackLeft {
                a: self.product.a.at(self.top + row, self.start),
                m,
                k: self.k,
                to: self.packed(i, row),
            });
        }
    }

    /// Strips of C that a thread which has some to spare leaves to others.
    fn strips_of_a_part(&self) -> usize {
        let (k, width) = (self.k, self.product.width());
        strips(k, width).max(WORK_OF_A_PART / (self.m * k * width))
    }

    /// Copies `n` columns of B, and says how many of them are left to the first tiles that read them: what lies in rows.
    fn copy_right(&self, b: View, column: usize, n: usize, right: *mut f32) -> usize {
        let (k, width) = (self.k, self.product.width());
        let left_there = if b.column == 1 { n - n % width } else { 0 };
        self.product.kernels.run(PackRight {
            b: b.at(self.start, column + left_there),
            k,
            n: n - left_there,
            width,
            to: right.wrapping_add(left_there * k),
        });
        left_there
    }

    /// Computes some of the columns of C; `right` has room for the strips that are packed at a time.
    fn multiply(&self, columns: Range<usize>, right: *mut f32) {
        let Self {
            product,
            start,
            k,
            top,
            ..
        } = *self;
        let width = product.width();
        let most = strips(k, width) * width;
        let step = match product.b {
            Right::InPlace(_) => width,
            // Other kernels' may be narrower.
            Right::Panels(b) => width.min(b.width),
        };
        for column in columns.clone().step_by(most) {
            let n = most.min(columns.end - column);
            let left_there = match product.b {
                Right::InPlace(b) => self.copy_right(b, column, n, right),
                Right::Panels(_) => 0,
            };
            for i in 0..self.blocks {
                let (row, m) = self.block(i);
                let a = if self.left_in_place {
                    Left::InPlace(product.a.at(top + row, start))
                } else {
                    Left::Packed {
                        p: self.packed(i, row),
                    }
                };
                let to = product.to.at(top + row, column);
                for j in (0..n).step_by(step) {
                    let packed = right.wrapping_add(j * k);
                    let (b, b_stride, copy) = match product.b {
                        Right::Panels(b) => (b.at(start, column + j), b.width, None),
                        Right::InPlace(b) if i == 0 && j < left_there => {
                            let there = b.at(start, column + j);
                            (there.p, there.row, Some(packed))
                        }
                        Right::InPlace(_) => (packed.cast_const(), width, None),
                    };
                    let strip = Strip {
                        chain: product.chain,
                        m,
                        k,
                        a,
                        b,
                        b_stride,
                        copy,
                        go_on: None,
                        leave: None,
                        out: Out {
                            end: product.end(start, start + k, column + j),
                            to: to.at(0, j),
                            width: step.min(n - j),
                        },
                    };
                    strip.run_on(product.kernels);
                }
            }
        }
    }
}

/// Floats of A that are read where they lie even when B is packed.
const LEFT_IN_PLACE: usize = 16 * 1024;
/// Bytes between rows of A, at multiples of which long rows share too few sets of the caches.
const SAME_SETS: usize = 8 * 1024;
/// Rows of a slab of A, which stays in the third cache.
const ROWS: usize = 1024;
/// Floats of a block of A, which is read for all strips of B that are packed at a time.
const LEFT: usize = 36 * 1024;
/// Multiply-adds in the time in which a part has long paid for being handed over.
const WORK_OF_A_PART: usize = 1 << 20;
/// Floats of B that are packed at a time, and stay in the second cache beside a block of A.
const RIGHT: usize = 32 * 1024;
