use std::ops::Range;

use super::BLOCK;
use super::chain::Chain;
use super::columns::Columns;
use super::end::{Bias, End, Out, Target, fused};
use super::pack::View;
use super::panels::{Panels, Right};
use super::strip::{Left, Strip};
use super::workspace::{Room, Workspace};
use crate::{Activation, Kernels};

/// A product to compute, or a part of one: C = act(A·B + bias), m × k by k × n.
///
/// Whoever makes one promises that its pointers reach as far as its shape and strides say, and that C overlaps nothing.
#[derive(Clone, Copy)]
pub(super) struct Product {
    pub(super) kernels: Kernels,
    pub(super) chain: Chain,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: View,
    pub(super) b: Right,
    pub(super) to: Target,
    pub(super) bias: Bias,
    pub(super) activation: Activation,
    pub(super) derived: Activation,
}

/// How C is computed: `README.md` beside this file; and B, where the road asks for it in one form.
#[derive(Clone, Copy)]
pub(super) enum Road {
    InPlace(View),
    Columns(View),
    Rows(View),
    Deep(View),
    Flat(Panels),
    Packed,
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
        match self.road() {
            Road::InPlace(b) => self.in_place(b),
            Road::Columns(b) => self.by_columns(b),
            Road::Rows(b) => self.by_rows(b, workspace),
            Road::Deep(b) => self.deep(b, workspace),
            Road::Flat(b) => self.flat(b),
            Road::Packed => self.packed(self.on(1), std::slice::from_mut(workspace)),
        }
        // SAFETY: C is complete, and the calling thread's alone.
        unsafe { self.activate(0..self.m) };
    }

    /// Applies what tiles do not apply themselves.
    ///
    /// # Safety
    /// These rows of C must be complete, and no one else use them.
    pub(super) unsafe fn activate(&self, rows: Range<usize>) {
        if fused(self.activation) {
            return;
        }
        for i in rows {
            // SAFETY: row i of C holds n floats; the caller vouches that no one else uses them.
            let row = unsafe { std::slice::from_raw_parts_mut(self.to.at(i, 0).c, self.n) };
            self.kernels.activate_in_place(self.activation, row);
        }
    }

    pub(super) fn road(&self) -> Road {
        let flat = self.m <= 2 && matches!(self.chain, Chain::Fused);
        match self.b {
            Right::Panels(b) if flat && b.width == self.width() => Road::Flat(b),
            Right::InPlace(b) if self.is_deep(b) => Road::Deep(b),
            Right::InPlace(b) if flat && b.column == 1 && self.k * self.n > IN_CACHE => {
                Road::Rows(b)
            }
            Right::InPlace(b) if self.fits_in_place(b) => Road::InPlace(b),
            Right::InPlace(b) if flat => Road::Columns(b),
            Right::InPlace(_) | Right::Panels(_) => Road::Packed,
        }
    }

    /// What the product needs of a workspace.
    pub(super) fn room(&self) -> Room {
        match self.road() {
            Road::InPlace(_) | Road::Columns(_) | Road::Flat(_) => Room::default(),
            Road::Rows(_) => self.room_for_rows(),
            Road::Deep(_) => self.room_for_sums(),
            Road::Packed => self.room_for_copies(),
        }
    }

    fn fits_in_place(&self, b: View) -> bool {
        b.column == 1 && (self.m <= 2 || self.k * self.n <= IN_PLACE)
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
    pub(super) fn end(&self, start: usize, l: usize, j: usize) -> End {
        let add = start > 0;
        if l < self.k {
            End {
                add,
                bias: Bias::None,
                activation: Activation::Linear,
                derived: Activation::Linear,
            }
        } else {
            End {
                add,
                bias: self.bias.from(j),
                activation: self.activation,
                derived: self.derived,
            }
        }
    }

    /// Both operands where they lie.
    fn in_place(self, b: View) {
        let block = self.chain.block();
        for start in (0..self.k.max(1)).step_by(block) {
            let k = block.min(self.k - start);
            for row in (0..self.m).step_by(ROWS_IN_PLACE) {
                let m = ROWS_IN_PLACE.min(self.m - row);
                self.strips(self.vectors(), |j, width| Strip {
                    chain: self.chain,
                    m,
                    k,
                    a: Left::InPlace(self.a.at(row, start)),
                    b: b.at(start, j).p,
                    b_stride: b.row,
                    copy: None,
                    go_on: None,
                    leave: None,
                    out: Out {
                        end: self.end(start, start + k, j),
                        to: self.to.at(row, j),
                        width,
                    },
                });
            }
        }
    }

    /// One or two rows by a transposed B, whose columns are contiguous.
    fn by_columns(self, b: View) {
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
                    b: b.at(start, 0).p,
                    b_stride: b.column,
                    out: Out {
                        end: self.end(start, start + k, 0),
                        to: self.to.at(row, 0),
                        width: self.n,
                    },
                });
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
            strip(j, width).run_on(self.kernels);
            j += width;
        }
    }
}

/// Floats of B up to which one or two rows may read it a few columns at a time.
const IN_CACHE: usize = 64 * 1024;
/// Floats of B that are read where they lie.
const IN_PLACE: usize = 32 * 1024;
/// Rows of A that pass by one strip of B before the next strip, when in place.
const ROWS_IN_PLACE: usize = 96;
