use super::BLOCK;
use super::columns::Columns;
use super::end::{Bias, End, Out, Rows};
use super::pack::{PackLeft, PackRight, View};
use super::strip::{Left, Strip};
use super::workspace::{Room, Workspace};
use crate::{Activation, Kernels};

/// A product to compute, or a part of one: C = act(A·B + bias), m × k by k × n.
///
/// Whoever makes one promises that its pointers reach as far as its shape and strides say, and that C overlaps nothing.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) kernels: Kernels,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: View,
    pub(super) b: View,
    pub(super) c: *mut f32,
    pub(super) c_stride: usize,
    pub(super) bias: Bias,
    pub(super) activation: Activation,
}

// SAFETY: a product's pointers are valid wherever it goes, and no other product writes its part of C. What can be done
// through a shared reference is to copy it, and only the parts that `Product::run` cuts from it are run, each once.
unsafe impl Send for Product {}
// SAFETY: as above.
unsafe impl Sync for Product {}

impl Product {
    /// On the calling thread.
    pub(super) fn run_alone(self, workspace: &mut Workspace) {
        if self.m == 0 || self.n == 0 {
            return;
        }
        if self.packs() {
            workspace.reserve(self.room());
            self.packed(workspace);
        } else if self.fits_in_place() {
            self.in_place();
        } else {
            self.by_columns();
        }
        if !fused(self.activation) {
            for i in 0..self.m {
                // SAFETY: row i of C holds n floats that no one else uses.
                let row = unsafe {
                    std::slice::from_raw_parts_mut(self.c.add(i * self.c_stride), self.n)
                };
                self.kernels.activate_in_place(self.activation, row);
            }
        }
    }

    /// Whether operands are copied, which takes a workspace.
    pub(super) fn packs(&self) -> bool {
        self.m > 2 && !self.fits_in_place()
    }

    fn fits_in_place(&self) -> bool {
        self.b.column == 1 && (self.m <= 2 || self.k * self.n <= IN_PLACE)
    }

    /// Whether A is as good in place as packed: it is small, or its rows do not evict each other.
    pub(super) fn left_fits_in_place(&self) -> bool {
        let starts = SECOND_CACHE_WAY >> (4 * self.a.row).trailing_zeros().min(16);
        let small = self.m * self.k <= LEFT_IN_PLACE;
        small || self.a.column == 1 && self.m.min(ROWS).div_ceil(starts) <= 4
    }

    /// The widest strip that this many rows can use, in vectors.
    fn vectors(&self) -> usize {
        match self.m {
            1 => 8,
            2 => 4,
            _ => 2,
        }
    }

    /// The end of a block of k that stops at `l`.
    fn end(&self, start: usize, l: usize, j: usize) -> End {
        let add = start > 0;
        if l < self.k {
            End::Sum {
                add,
                bias: Bias::None,
                activation: Activation::Linear,
            }
        } else {
            End::Sum {
                add,
                bias: self.bias.from(j),
                activation: self.activation,
            }
        }
    }

    /// Both operands where they lie.
    fn in_place(self) {
        for start in (0..self.k.max(1)).step_by(BLOCK) {
            let k = BLOCK.min(self.k - start);
            for row in (0..self.m).step_by(ROWS_IN_PLACE) {
                let m = ROWS_IN_PLACE.min(self.m - row);
                self.strips(self.vectors(), |j, width| Strip {
                    m,
                    k,
                    a: Left::InPlace(self.a.at(row, start)),
                    b: self.b.at(start, j).p,
                    b_stride: self.b.row,
                    start: None,
                    out: Out {
                        end: self.end(start, start + k, j),
                        c: self.c.wrapping_add(row * self.c_stride + j),
                        c_stride: self.c_stride,
                        width,
                    },
                });
            }
        }
    }

    /// One or two rows by a transposed B, whose columns are contiguous.
    fn by_columns(self) {
        for start in (0..self.k.max(1)).step_by(BLOCK) {
            let k = BLOCK.min(self.k - start);
            for row in 0..self.m {
                let x = self.a.at(row, start);
                let copy;
                let x = if x.column == 1 {
                    x.p
                } else {
                    // SAFETY: row `row` of A holds k floats from `start` on.
                    copy = unsafe { x.gather::<BLOCK>(k) };
                    copy.as_ptr()
                };
                self.kernels.run(Columns {
                    k,
                    x,
                    b: self.b.at(start, 0).p,
                    b_stride: self.b.column,
                    out: Out {
                        end: self.end(start, start + k, 0),
                        c: self.c.wrapping_add(row * self.c_stride),
                        c_stride: self.c_stride,
                        width: self.n,
                    },
                });
            }
        }
    }

    /// Blocks of B, and of A unless it is small, copied to where they are read in order.
    fn packed(self, workspace: &mut Workspace) {
        let Blocks {
            rows,
            columns,
            depth,
            width,
            left_in_place,
        } = self.blocks();
        let left = workspace.left.as_mut_ptr();
        let right = workspace.right.as_mut_ptr();
        let chains = workspace.chains.as_mut_ptr();
        for column in (0..self.n).step_by(columns) {
            let n = columns.min(self.n - column);
            for part in parts(self.k, depth) {
                let Part {
                    from,
                    k,
                    start,
                    goes_on,
                } = part;
                self.kernels.run(PackRight {
                    b: self.b.at(from, column),
                    k,
                    n,
                    width,
                    to: right,
                });
                for row in (0..self.m).step_by(rows) {
                    let m = rows.min(self.m - row);
                    let a = if left_in_place {
                        Left::InPlace(self.a.at(row, from))
                    } else {
                        self.kernels.run(PackLeft {
                            a: self.a.at(row, from),
                            m,
                            k,
                            to: left,
                        });
                        Left::Packed { p: left }
                    };
                    for j in (0..n).step_by(width) {
                        let c = self.c.wrapping_add(row * self.c_stride + column + j);
                        // Chains of the first block of k can wait in C, later ones must not disturb it.
                        let chain = if start == 0 {
                            Rows {
                                p: c,
                                stride: self.c_stride,
                            }
                        } else {
                            Rows {
                                p: chains.wrapping_add(row * columns + j),
                                stride: columns,
                            }
                        };
                        self.kernels.run(Strip {
                            m,
                            k,
                            a,
                            b: right.wrapping_add(j * k),
                            b_stride: width,
                            start: (from > start).then_some(chain),
                            out: Out {
                                end: if goes_on {
                                    End::Chain(chain)
                                } else {
                                    self.end(start, from + k, column + j)
                                },
                                c,
                                c_stride: self.c_stride,
                                width: width.min(n - j),
                            },
                        });
                    }
                }
            }
        }
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

    /// Cuts the columns into strips of at most `vectors` vectors and runs each.
    fn strips(&self, vectors: usize, strip: impl Fn(usize, usize) -> Strip) {
        let lanes = self.kernels.lanes();
        let mut j = 0;
        let mut vectors = vectors;
        while j < self.n {
            while vectors > 2 && vectors * lanes > self.n - j {
                vectors /= 2;
            }
            let width = (vectors * lanes).min(self.n - j);
            self.kernels.run(strip(j, width));
            j += width;
        }
    }
}

/// How a packed product is cut.
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

/// Whether a tile applies the activation itself.
fn fused(activation: Activation) -> bool {
    matches!(
        activation,
        Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. }
    )
}

/// Floats of B that are read where they lie.
const IN_PLACE: usize = 32 * 1024;
/// Floats of A that are read where they lie even when B is packed.
const LEFT_IN_PLACE: usize = 16 * 1024;
/// Bytes after which addresses share a set of the second cache: rows that start on few of its sets evict each other.
const SECOND_CACHE_WAY: usize = 64 * 1024;
/// Rows of A that pass by one strip of B before the next strip, when in place.
const ROWS_IN_PLACE: usize = 96;
/// Rows of a packed block of A.
const ROWS: usize = 144;
/// Columns of a packed block of B.
pub(super) const COLUMNS: usize = 1024;
/// Lanes times the depth of packed blocks, so that a strip of B stays in the first cache. A multiple of 8 for any number of
/// lanes.
const DEPTH: usize = 2048;
