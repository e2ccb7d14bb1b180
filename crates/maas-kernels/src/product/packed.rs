//! Large products: both operands are copied block by block to where they are read in order.

use std::ops::Range;

use super::BLOCK;
use super::blocked::Product;
use super::end::{End, Out, Rows};
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
        let chains = workspaces[0].chains.as_mut_ptr();
        let step = self.kernels.tile_rows();
        for column in (0..self.n).step_by(blocks.columns) {
            for part in parts(self.k, blocks.depth) {
                let panel = Panel {
                    product: self,
                    blocks,
                    part,
                    column,
                    n: blocks.columns.min(self.n - column),
                    right,
                    chains,
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
        small || self.a.column == 1 && self.m.min(ROWS).div_ceil(starts) <= 4
    }

    fn blocks(&self) -> Blocks {
        let (lanes, most) = (self.kernels.lanes(), self.kernels.tile_rows());
        Blocks {
            rows: (ROWS / most * most).min(self.m),
            columns: COLUMNS.min(self.n),
            depth: DEPTH / lanes,
            width: 2 * lanes,
            left_in_place: self.left_fits_in_place(),
        }
    }

    /// What the product needs of a workspace.
    pub(super) fn room(&self) -> Room {
        let lanes = self.kernels.lanes();
        if !self.packs() {
            Room::default()
        } else {
            let blocks = self.blocks();
            let left = blocks.rows * blocks.depth + lanes;
            let right = blocks.columns.next_multiple_of(blocks.width) * blocks.depth;
            let chains = self.m * blocks.columns;
            Room {
                left: if blocks.left_in_place { 0 } else { left },
                right,
                chains: if self.k > BLOCK { chains } else { 0 },
            }
        }
    }
}

/// A block of B, packed once for all rows of C.
///
/// Who makes one promises the product's pointers, and that `right` has room for the block, `chains` for a block of C.
struct Panel {
    product: Product,
    blocks: Blocks,
    part: Part,
    /// The first of `n` columns of C.
    column: usize,
    n: usize,
    right: *mut f32,
    chains: *mut f32,
}

// SAFETY: the pointers are valid wherever the panel goes. Threads that share one pack strips of their own, and, once all are
// packed, write rows of their own.
unsafe impl Sync for Panel {}

impl Panel {
    /// Copies some of the strips of B.
    fn pack(&self, strips: Range<usize>) {
        let (width, k) = (self.blocks.width, self.part.k);
        let (from, to) = (strips.start * width, self.n.min(strips.end * width));
        self.product.kernels.run(PackRight {
            b: self.product.b.at(self.part.from, self.column + from),
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
            part,
            column,
            ..
        } = self;
        for row in rows.clone().step_by(blocks.rows) {
            let m = blocks.rows.min(rows.end - row);
            let a = if blocks.left_in_place {
                Left::InPlace(product.a.at(row, part.from))
            } else {
                product.kernels.run(PackLeft {
                    a: product.a.at(row, part.from),
                    m,
                    k: part.k,
                    to: left,
                });
                Left::Packed { p: left }
            };
            for j in (0..self.n).step_by(blocks.width) {
                let c = product.c.wrapping_add(row * product.c_stride + column + j);
                // Chains of the first block of k can wait in C, later ones must not disturb it.
                let chain = if part.start == 0 {
                    Rows {
                        p: c,
                        stride: product.c_stride,
                    }
                } else {
                    Rows {
                        p: self.chains.wrapping_add(row * blocks.columns + j),
                        stride: blocks.columns,
                    }
                };
                product.kernels.run(Strip {
                    m,
                    k: part.k,
                    a,
                    b: self.right.wrapping_add(j * part.k),
                    b_stride: blocks.width,
                    start: (part.from > part.start).then_some(chain),
                    out: Out {
                        end: if part.goes_on {
                            End::Chain(chain)
                        } else {
                            product.end(part.start, part.from + part.k, column + j)
                        },
                        c,
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
    /// Of k, in both.
    depth: usize,
    /// Columns of a strip.
    width: usize,
    /// Whether A is read where it lies.
    left_in_place: bool,
}

/// `k` of the products from `from` on, within the block of k that begins at `start`.
#[derive(Clone, Copy)]
struct Part {
    from: usize,
    k: usize,
    start: usize,
    /// Whether more of the block follows.
    goes_on: bool,
}

/// Cuts each block of k into the fewest parts of at most `depth`, about even.
fn parts(k: usize, depth: usize) -> impl Iterator<Item = Part> {
    (0..k).step_by(BLOCK).flat_map(move |start| {
        let len = BLOCK.min(k - start);
        let part = len.div_ceil(len.div_ceil(depth)).next_multiple_of(8);
        (0..len).step_by(part).map(move |i| {
            let k = part.min(len - i);
            Part {
                from: start + i,
                k,
                start,
                goes_on: i + k < len,
            }
        })
    })
}

/// Floats of A that are read where they lie even when B is packed.
const LEFT_IN_PLACE: usize = 16 * 1024;
/// Bytes after which addresses share a set of the second cache: rows that start on few of its sets evict each other.
const SECOND_CACHE_WAY: usize = 64 * 1024;
/// Rows of a packed block of A.
const ROWS: usize = 144;
/// Columns of a packed block of B.
pub(super) const COLUMNS: usize = 1024;
/// Lanes times the depth of packed blocks, so that a strip of B stays in the first cache. A multiple of 8 for any number of
/// lanes.
const DEPTH: usize = 2048;
