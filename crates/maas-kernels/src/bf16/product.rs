use std::cell::RefCell;

use super::matrix::View;
use super::pack::{PackLeft, PackRight};
use super::strip::{End, Road, Rows, Strip};
use crate::product::BLOCK;
use crate::{Activation, Buffer, Kernels, team};

/// A product to compute, or a part of one: C = act(A·B + bias), m × k by k × n.
///
/// Whoever makes one promises that its pointers reach as far as its shape and strides say, and that C overlaps nothing.
#[derive(Clone, Copy)]
pub(super) struct Product<'a> {
    pub(super) kernels: Kernels,
    pub(super) m: usize,
    pub(super) k: usize,
    pub(super) n: usize,
    pub(super) a: View,
    pub(super) b: View,
    pub(super) c: *mut f32,
    pub(super) c_stride: usize,
    /// One a column.
    pub(super) bias: Option<&'a [f32]>,
    pub(super) activation: Activation,
}

// SAFETY: a product's pointers are valid on any thread, and each of its parts writes another part of C.
unsafe impl Sync for Product<'_> {}

#[derive(Default)]
struct Workspace {
    left: Buffer,
    left_least: Buffer,
    right: Buffer,
    right_least: Buffer,
    chains: Buffer,
}

thread_local! {
    static WORKSPACE: RefCell<Workspace> = RefCell::default();
}

fn room(buffer: &mut Buffer, len: usize) -> *mut f32 {
    if buffer.len() < len {
        *buffer = Buffer::zeroed(len);
    }
    buffer.as_mut_ptr()
}

impl Product<'_> {
    /// Computes C on at most `threads` threads, and on fewer where the work is not worth so many.
    pub(super) fn run(self, threads: usize) {
        let work = self.m.saturating_mul(self.n).saturating_mul(self.k);
        let parts = threads.min(work / WORK_OF_A_THREAD);
        if parts <= 1 {
            self.run_alone();
        } else {
            team::run(parts, parts, &|i| self.part(parts, i).run_alone());
        }
    }

    /// Part number `i`: by rows of C or, when there are few, by columns.
    fn part(self, parts: usize, i: usize) -> Self {
        if self.m >= parts * self.kernels.tile_rows() || self.m >= self.n {
            let start = |i: usize| self.m * i / parts;
            let row = start(i);
            Self {
                m: start(i + 1) - row,
                a: self.a.from(row, 0),
                c: self.c.wrapping_add(row * self.c_stride),
                ..self
            }
        } else {
            let width = 2 * self.kernels.lanes();
            let start = |i: usize| (self.n * i / parts).next_multiple_of(width).min(self.n);
            let column = start(i);
            Self {
                n: start(i + 1) - column,
                b: self.b.from(0, column),
                c: self.c.wrapping_add(column),
                bias: self.bias.map(|bias| &bias[column..]),
                ..self
            }
        }
    }

    fn run_alone(self) {
        if self.m == 0 || self.n == 0 {
            return;
        }
        WORKSPACE.with_borrow_mut(|workspace| self.multiply(workspace));
        for i in 0..self.m {
            // SAFETY: row i of C holds n floats that no one else uses.
            let row =
                unsafe { std::slice::from_raw_parts_mut(self.c.add(i * self.c_stride), self.n) };
            if let Some(bias) = self.bias {
                self.kernels.add(&bias[..self.n], row);
            }
            self.kernels.activate_in_place(self.activation, row);
        }
    }

    fn multiply(self, workspace: &mut Workspace) {
        let Self {
            kernels, m, k, n, ..
        } = self;
        let (lanes, most) = (kernels.lanes(), kernels.tile_rows());
        let (width, depth) = (2 * lanes, DEPTH / lanes);
        let (columns, rows) = (COLUMNS.min(n), (ROWS / most * most).min(m));
        let road = Road::of(kernels);
        let left = room(&mut workspace.left, rows * depth + lanes);
        let right = room(
            &mut workspace.right,
            columns.next_multiple_of(width) * depth / 2,
        );
        let chains = room(
            &mut workspace.chains,
            if k > BLOCK { m * columns } else { 0 },
        );
        let (tiles, strips) = (rows.div_ceil(most), columns.div_ceil(width));
        let all_tiles = m.div_ceil(rows) * tiles;
        let left_least = room(&mut workspace.left_least, all_tiles);
        let right_least = room(&mut workspace.right_least, strips);
        for column in (0..n).step_by(columns) {
            let n = columns.min(n - column);
            for from in (0..k).step_by(depth) {
                let (start, k) = (from / BLOCK * BLOCK, depth.min(k - from));
                if from == start {
                    // A block of k begins, and with it another chain.
                    // SAFETY: the workspace has room for so many.
                    unsafe {
                        std::slice::from_raw_parts_mut(left_least, all_tiles).fill(f32::INFINITY);
                        std::slice::from_raw_parts_mut(right_least, strips).fill(f32::INFINITY);
                    }
                }
                kernels.run(PackRight {
                    b: self.b.from(from, column),
                    k,
                    n,
                    width,
                    to: right,
                    least: right_least,
                });
                for (block, row) in (0..m).step_by(rows).enumerate() {
                    let m = rows.min(m - row);
                    let left_least = left_least.wrapping_add(block * tiles);
                    kernels.run(PackLeft {
                        a: self.a.from(row, from),
                        m,
                        k,
                        layout: road.layout(),
                        to: left,
                        least: left_least,
                    });
                    for (strip, j) in (0..n).step_by(width).enumerate() {
                        let c = Rows {
                            p: self.c.wrapping_add(row * self.c_stride + column + j),
                            stride: self.c_stride,
                        };
                        // Chains of the first block of k can wait in C, later ones must not disturb it.
                        let chain = if start == 0 {
                            c
                        } else {
                            Rows {
                                p: chains.wrapping_add(row * columns + j),
                                stride: columns,
                            }
                        };
                        let ends = from + k == self.k || from + k == start + BLOCK;
                        road.run(Strip {
                            m,
                            pairs: k.div_ceil(2),
                            left,
                            left_least,
                            right: right.wrapping_add(j * k.div_ceil(2)),
                            stride: width,
                            // SAFETY: there is a number for each strip.
                            right_least: unsafe { *right_least.add(strip) },
                            width: width.min(n - j),
                            start: (from > start).then_some(chain),
                            end: match (ends, start) {
                                (false, _) => End::Chain(chain),
                                (true, 0) => End::Set(c),
                                (true, _) => End::Add(c),
                            },
                        });
                    }
                }
            }
        }
    }
}

/// Multiply-adds that are worth a thread.
const WORK_OF_A_THREAD: usize = 1 << 18;
/// Rows of a packed block of A.
const ROWS: usize = 96;
/// Columns of a packed block of B.
const COLUMNS: usize = 1024;
/// Lanes times the depth of packed blocks, so that a strip of B stays in the first cache. The depth divides a block of k.
const DEPTH: usize = 4096;
